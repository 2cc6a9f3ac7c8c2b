//! Service, sandbox and operator tokens.

use crate::engine::{SANDBOX, Surroundings, admin, app};
use argus_openapi::types::apps::GovernanceUpdate;
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::tokens::{SandboxTokenCreate, ServiceTokenCreate};
use argus_server::identity::{apps, tenants, tokens};

on_both_engines! {
    a_service_token_needs_governance_and_approved_scopes
    a_sandbox_token_carries_the_sandbox_scopes_and_the_pinned_scenarios
    a_sandbox_token_lives_between_a_minute_and_a_day
    an_unknown_scenario_gets_no_token
    the_operator_gets_a_token_for_the_first_tenant
}

fn problem<T>(answer: Result<T, argus_server::problem::Problem>) -> argus_server::problem::Problem {
    match answer {
        Ok(_) => panic!("accepted"),
        Err(problem) => problem,
    }
}

async fn a_service_token_needs_governance_and_approved_scopes(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let admin = admin(&identity).await;
    let id = app(&identity, &admin, &[Scope::WebhooksWrite, Scope::JobsRead]).await.app.client_id;
    let request = |scopes: &[Scope]| ServiceTokenCreate { scopes: scopes.to_vec() };
    let wanted = request(&[Scope::JobsRead, Scope::WebhooksWrite, Scope::JobsRead]);

    let refused = problem(tokens::service_token_create(&identity, &admin, &id, &wanted).await);
    assert_eq!(refused.code, ErrorCode::ServiceTokensNotAllowed);

    let allow = GovernanceUpdate { allow_service_tokens: Some(true), enforce_pkce: None };
    apps::governance_update(&identity, &admin, &id, &allow).await.unwrap();
    let too_much = request(&[Scope::JobsRead, Scope::JobsWrite]);
    let refused = problem(tokens::service_token_create(&identity, &admin, &id, &too_much).await);
    assert_eq!(refused.code, ErrorCode::ScopeNotApproved);
    assert!(refused.message.contains("`argus:jobs:write`"), "{}", refused.message);
    let nothing = problem(tokens::service_token_create(&identity, &admin, &id, &request(&[])).await);
    assert_eq!(nothing.code, ErrorCode::InvalidRequest);

    let token =
        tokens::service_token_create(&identity, &admin, &id, &wanted).await.unwrap_or_else(|p| panic!("{p}"));
    let claims = identity.keys().verify_signature(token.token.expose()).unwrap();
    assert_eq!((claims.aud.as_str(), claims.scope.as_str()), ("api", "argus:jobs:read webhooks:write"));
    assert_eq!((claims.client_id.as_str(), claims.sub.as_str()), (id.as_str(), id.as_str()));
    assert_eq!((claims.exp - claims.iat, claims.exp), (3_600, token.expires_at.timestamp()));
    assert_eq!((&claims.tenant_id, claims.scenarios), (&admin.tenant_id, None));
}

async fn a_sandbox_token_carries_the_sandbox_scopes_and_the_pinned_scenarios(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let admin = admin(&identity).await;
    // Approved for platform scopes, which the sandbox host does not serve, and for webhooks, which it does.
    let approved = [Scope::PlatformAdmin, Scope::WebhooksWrite, Scope::PlatformRead, Scope::WebhooksRead];
    let id = app(&identity, &admin, &approved).await.app.client_id;
    let request = SandboxTokenCreate {
        scenarios: vec!["wallet.high-risk".into(), "entity.sanctioned".into()],
        ttl_seconds: None,
    };
    let sorted = |asked: &[String]| {
        let mut scenarios = asked.to_vec();
        scenarios.sort();
        Ok(scenarios)
    };
    let answer = tokens::sandbox_token_create(&identity, &admin, &id, &request, SANDBOX, sorted)
        .await
        .unwrap_or_else(|p| panic!("{p}"));
    let expected = [
        Scope::ProfilesRead,
        Scope::ProfilesWrite,
        Scope::JobsRead,
        Scope::JobsWrite,
        Scope::WebhooksRead,
        Scope::WebhooksWrite,
    ];
    assert_eq!(answer.scopes, expected);
    assert_eq!((answer.audience.as_str(), answer.sandbox_host.as_str()), ("sandbox", SANDBOX));
    assert_eq!(answer.scenarios, ["wallet.high-risk", "entity.sanctioned"], "as they were asked for");
    let claims = identity.keys().verify_signature(answer.token.expose()).unwrap();
    assert_eq!((claims.aud.as_str(), claims.exp), ("sandbox", answer.expires_at.timestamp()));
    assert_eq!(claims.scenarios.unwrap(), ["entity.sanctioned", "wallet.high-risk"], "as a set");
    assert_eq!(claims.scope, expected.map(Scope::as_str).join(" "));
    assert_eq!((&claims.tenant_id, &claims.organization_id), (&admin.tenant_id, &admin.organization_id));
}

async fn a_sandbox_token_lives_between_a_minute_and_a_day(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let admin = admin(&identity).await;
    let id = app(&identity, &admin, &[Scope::JobsRead]).await.app.client_id;
    for (asked, lifetime) in [
        ("{}", 3_600),
        (r#"{"ttl_seconds":1}"#, 60),
        (r#"{"ttl_seconds":-5}"#, 60),
        (r#"{"ttl_seconds":1e300}"#, 86_400),
    ] {
        let request: SandboxTokenCreate = serde_json::from_str(asked).unwrap();
        let answer = tokens::sandbox_token_create(&identity, &admin, &id, &request, SANDBOX, |_| Ok(vec![]))
            .await
            .unwrap_or_else(|p| panic!("{p}"));
        let claims = identity.keys().verify_signature(answer.token.expose()).unwrap();
        assert_eq!(claims.exp - claims.iat, lifetime, "{asked}");
        assert_eq!(claims.scenarios, Some(vec![]));
    }
}

async fn an_unknown_scenario_gets_no_token(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let admin = admin(&identity).await;
    let id = app(&identity, &admin, &[Scope::JobsRead]).await.app.client_id;
    let request = SandboxTokenCreate { scenarios: vec!["no.such".into()], ttl_seconds: None };
    let refuse = |_: &[String]| Err("valid scenarios: wallet.clean".to_owned());
    let refused =
        problem(tokens::sandbox_token_create(&identity, &admin, &id, &request, SANDBOX, refuse).await);
    assert_eq!(
        (refused.code, refused.message.as_str()),
        (ErrorCode::UnknownScenario, "valid scenarios: wallet.clean")
    );
}

async fn the_operator_gets_a_token_for_the_first_tenant(surroundings: Surroundings) {
    let identity = surroundings.identity();
    assert_eq!(tenants::first(&identity).await.unwrap(), None);
    let first = tenants::create(&identity, "First").await.unwrap();
    let second = tenants::create(&identity, "Second").await.unwrap();
    assert_eq!(tenants::first(&identity).await.unwrap(), Some(first.clone()));
    assert_eq!(tenants::view(&identity, &second.tenant_id).await.unwrap(), second);
    assert_eq!(tenants::view(&identity, "tnt_unknown").await.unwrap_err().code, ErrorCode::NotFound);
    assert!(first.tenant_id.starts_with("tnt_") && first.organization_id.starts_with("org_"));

    for (asked, lifetime) in [(600, 600), (0, 60), (i64::MAX, 86_400)] {
        let token = tokens::operator_token_create(&identity, &first, &[Scope::PlatformAdmin], asked)
            .await
            .unwrap_or_else(|p| panic!("{p}"));
        let claims = identity.keys().verify_signature(token.token.expose()).unwrap();
        assert_eq!((claims.aud.as_str(), claims.scope.as_str()), ("api", "argus:platform:admin"));
        assert_eq!((claims.client_id.as_str(), &claims.tenant_id), ("operator", &first.tenant_id));
        assert_eq!(claims.organization_id, first.organization_id);
        assert_eq!(claims.exp - claims.iat, lifetime);
    }
    assert_eq!(
        problem(tokens::operator_token_create(&identity, &first, &[], 600).await).code,
        ErrorCode::InvalidRequest
    );
}
