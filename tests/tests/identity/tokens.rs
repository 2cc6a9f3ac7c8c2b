//! Service, sandbox and operator tokens.

use super::support::{admin, app, id_of};
use argus_core::tenants;
use argus_openapi::types::apps::GovernanceUpdate;
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::tokens::{SandboxTokenCreate, ServiceTokenCreate};
use argus_partner::tokens::SandboxHost;
use argus_partner::{Error, apps, tokens};
use argus_tests::{Installation, on_both_engines};

on_both_engines! {
    a_service_token_needs_governance_and_approved_scopes
    a_sandbox_token_carries_the_sandbox_scopes_and_the_pinned_scenarios
    a_sandbox_token_lives_between_a_minute_and_a_day
    an_unknown_scenario_gets_no_token
    the_operator_gets_a_token_for_the_first_tenant
}

/// A sandbox whose scenarios are pinned as the function says.
pub(crate) struct Pinning(pub(crate) fn(&[String]) -> Result<Vec<String>, String>);

/// A sandbox that pins nothing.
pub(crate) const NOTHING: Pinning = Pinning(|_| Ok(vec![]));

/// Base URL of the sandbox host, as these tests call it.
const SANDBOX: &str = "http://sandbox.test";

impl SandboxHost for Pinning {
    fn base_url(&self) -> &str {
        SANDBOX
    }

    fn pinned(&self, ids: &[String]) -> Result<Vec<String>, String> {
        self.0(ids)
    }
}

/// Code and message of a refusal.
#[track_caller]
fn refused<T>(answer: Result<T, Error>) -> (ErrorCode, String) {
    match answer {
        Ok(_) => panic!("accepted"),
        Err(Error::Refused { code, message }) => (code, message),
        Err(error) => panic!("{error}"),
    }
}

async fn a_service_token_needs_governance_and_approved_scopes(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let id = app(&identity, &admin, &[Scope::WebhooksWrite, Scope::JobsRead]).await;
    let id = id_of(&id);
    let request = |scopes: &[Scope]| ServiceTokenCreate { scopes: scopes.to_vec() };
    let wanted = request(&[Scope::JobsRead, Scope::WebhooksWrite, Scope::JobsRead]);

    let refusal = refused(tokens::service_token_create(&identity, &admin, &id, &wanted).await);
    assert_eq!(refusal.0, ErrorCode::ServiceTokensNotAllowed);

    let allow = GovernanceUpdate { allow_service_tokens: Some(true), ..GovernanceUpdate::default() };
    apps::governance_update(&identity, &admin, &id, &allow).await.unwrap();
    let too_much = request(&[Scope::JobsRead, Scope::JobsWrite]);
    let refusal = refused(tokens::service_token_create(&identity, &admin, &id, &too_much).await);
    assert_eq!(refusal.0, ErrorCode::ScopeNotApproved);
    assert!(refusal.1.contains("`argus:jobs:write`"), "{}", refusal.1);
    let nothing = refused(tokens::service_token_create(&identity, &admin, &id, &request(&[])).await);
    assert_eq!(nothing.0, ErrorCode::InvalidRequest);

    let token =
        tokens::service_token_create(&identity, &admin, &id, &wanted).await.unwrap_or_else(|p| panic!("{p}"));
    let claims = identity.keys().verify_signature(token.token.expose()).unwrap();
    assert_eq!((claims.aud.as_str(), claims.scope.as_str()), ("api", "argus:jobs:read webhooks:write"));
    assert_eq!((claims.client_id.as_str(), claims.sub.as_str()), (id.as_str(), id.as_str()));
    assert_eq!((claims.exp - claims.iat, claims.exp), (3_600, token.expires_at.timestamp()));
    assert_eq!((claims.tenant_id.as_str(), claims.scenarios), (admin.tenant_id().as_str(), None));
}

async fn a_sandbox_token_carries_the_sandbox_scopes_and_the_pinned_scenarios(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    // Approved for platform scopes, which the sandbox host does not serve, and for webhooks, which it does.
    let approved = [Scope::PlatformAdmin, Scope::WebhooksWrite, Scope::PlatformRead, Scope::WebhooksRead];
    let id = app(&identity, &admin, &approved).await;
    let id = id_of(&id);
    let request = SandboxTokenCreate {
        scenarios: vec!["wallet.high-risk".parse().unwrap(), "entity.sanctioned".parse().unwrap()],
        ttl_seconds: None,
    };
    let sorted = Pinning(|asked| {
        let mut scenarios = asked.to_vec();
        scenarios.sort();
        Ok(scenarios)
    });
    let answer = tokens::sandbox_token_create(&identity, &admin, &id, &request, &sorted)
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
    let owner = &admin.principal;
    assert_eq!(claims.tenant_id, owner.tenant_id.as_str());
    assert_eq!(claims.organization_id, owner.organization_id.as_str());
}

async fn a_sandbox_token_lives_between_a_minute_and_a_day(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let id = app(&identity, &admin, &[Scope::JobsRead]).await;
    let id = id_of(&id);
    for (asked, lifetime) in [
        ("{}", 3_600),
        (r#"{"ttl_seconds":1}"#, 60),
        (r#"{"ttl_seconds":-5}"#, 60),
        (r#"{"ttl_seconds":1e300}"#, 86_400),
    ] {
        let request: SandboxTokenCreate = serde_json::from_str(asked).unwrap();
        let answer = tokens::sandbox_token_create(&identity, &admin, &id, &request, &NOTHING)
            .await
            .unwrap_or_else(|p| panic!("{p}"));
        let claims = identity.keys().verify_signature(answer.token.expose()).unwrap();
        assert_eq!(claims.exp - claims.iat, lifetime, "{asked}");
        assert_eq!(claims.scenarios, Some(vec![]));
    }
}

async fn an_unknown_scenario_gets_no_token(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let id = app(&identity, &admin, &[Scope::JobsRead]).await;
    let id = id_of(&id);
    let request = SandboxTokenCreate { scenarios: vec!["no.such".parse().unwrap()], ttl_seconds: None };
    let refuse = Pinning(|_| Err("valid scenarios: wallet.clean".to_owned()));
    let refusal = refused(tokens::sandbox_token_create(&identity, &admin, &id, &request, &refuse).await);
    assert_eq!(
        (refusal.0, refusal.1.as_str()),
        (ErrorCode::UnknownScenario, "valid scenarios: wallet.clean")
    );
}

async fn the_operator_gets_a_token_for_the_first_tenant(installation: Installation) {
    let identity = installation.identity();
    let (store, clock) = (identity.store(), identity.clock());
    assert_eq!(tenants::first(store).await.unwrap(), None);
    let first = tenants::create(store, clock, &"First".parse().unwrap()).await.unwrap();
    let second = tenants::create(store, clock, &"Second".parse().unwrap()).await.unwrap();
    assert_eq!(tenants::first(store).await.unwrap(), Some(first.clone()));
    assert_eq!(tenants::view(store, &second.tenant_id).await.unwrap(), second);
    let unknown = "tnt_unknown".parse().unwrap();
    let error = tenants::view(store, &unknown).await.unwrap_err();
    assert!(matches!(error, argus_core::Error::NotFound("tenant")), "{error}");
    assert!(
        first.tenant_id.as_str().starts_with("tnt_") && first.organization_id.as_str().starts_with("org_")
    );

    for (asked, lifetime) in [(600, 600), (0, 60), (i64::MAX, 86_400)] {
        let token = tokens::operator_token_create(&identity, &first, &[Scope::PlatformAdmin], asked)
            .await
            .unwrap_or_else(|p| panic!("{p}"));
        let claims = identity.keys().verify_signature(token.token.expose()).unwrap();
        assert_eq!((claims.aud.as_str(), claims.scope.as_str()), ("api", "argus:platform:admin"));
        assert_eq!(
            (claims.client_id.as_str(), claims.tenant_id.as_str()),
            ("operator", first.tenant_id.as_str())
        );
        assert_eq!(claims.organization_id, first.organization_id.as_str());
        assert_eq!(claims.exp - claims.iat, lifetime);
    }
    let nothing = refused(tokens::operator_token_create(&identity, &first, &[], 600).await);
    assert_eq!(nothing.0, ErrorCode::InvalidRequest);
}
