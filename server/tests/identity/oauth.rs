//! The token endpoint: who gets a token, and which error everybody else gets.

use crate::engine::{Surroundings, admin, app, registration};
use argus_openapi::types::apps::{AppCreate, GrantType};
use argus_openapi::types::error::OauthError;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::tokens::{TokenRequest, TokenResponse};
use argus_server::identity::oauth::{OauthProblem, token_create};
use argus_server::identity::{Identity, apps};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

on_both_engines! {
    client_credentials_work_in_the_header_and_in_the_form
    the_token_says_who_where_and_for_how_long
    each_faulty_request_gets_its_own_error
    wrong_credentials_all_get_the_same_answer
    an_app_without_the_grant_gets_no_token
}

fn form(client_id: &str, secret: &str, scope: Option<&str>) -> TokenRequest {
    TokenRequest {
        grant_type: Some("client_credentials".to_owned()),
        client_id: Some(client_id.to_owned()),
        client_secret: Some(secret.to_owned().into()),
        scope: scope.map(str::to_owned),
    }
}

fn bare(grant_type: &str) -> TokenRequest {
    TokenRequest {
        grant_type: Some(grant_type.to_owned()),
        client_id: None,
        client_secret: None,
        scope: None,
    }
}

fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

/// Whether the token endpoint takes these credentials.
pub(crate) async fn authenticates(identity: &Identity, client_id: &str, secret: &str) -> bool {
    match token_create(identity, None, &form(client_id, secret, None)).await {
        Ok(_) => true,
        Err(problem) => {
            assert_eq!(problem.error, "invalid_client", "{problem}");
            false
        }
    }
}

fn refused(answer: Result<TokenResponse, OauthProblem>) -> OauthProblem {
    match answer {
        Ok(_) => panic!("a token was issued"),
        Err(problem) => problem,
    }
}

async fn client_credentials_work_in_the_header_and_in_the_form(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::WebhooksWrite, Scope::JobsRead]).await;
    let (id, secret) = (created.app.client_id.as_str(), created.client_secret.expose());
    let header = basic(id, secret);
    // A `client_id` beside HTTP Basic names the client once more; it does not authenticate it.
    let named = TokenRequest { client_id: Some(id.to_owned()), ..bare("client_credentials") };
    // A parameter without a value counts as absent.
    let blank = TokenRequest {
        client_id: Some(String::new()),
        client_secret: Some(SecretText::default()),
        scope: Some(String::new()),
        ..bare("client_credentials")
    };
    for (authorization, request) in [
        (None, form(id, secret, None)),
        (Some(header.as_str()), bare("client_credentials")),
        (Some(header.as_str()), named),
        (Some(header.as_str()), blank),
    ] {
        let answer = token_create(&identity, authorization, &request).await.unwrap_or_else(|p| panic!("{p}"));
        assert_eq!((answer.token_type.as_str(), answer.expires_in), ("Bearer", 3_600));
        assert_eq!(answer.scope, "webhooks:write argus:jobs:read");
    }
}

async fn the_token_says_who_where_and_for_how_long(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::WebhooksWrite, Scope::JobsRead]).await;
    let request = form(
        &created.app.client_id,
        created.client_secret.expose(),
        Some("argus:jobs:read  argus:jobs:read"),
    );
    let before = chrono::Utc::now().timestamp();
    let answer = token_create(&identity, None, &request).await.unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(answer.scope, "argus:jobs:read");
    let claims = identity.keys().verify_signature(answer.access_token.expose()).unwrap();
    assert_eq!((claims.iss.as_str(), claims.aud.as_str()), ("https://auth.knogin.com", "api"));
    assert_eq!((&claims.sub, &claims.client_id), (&created.app.client_id, &created.app.client_id));
    assert_eq!(claims.scope, "argus:jobs:read");
    assert_eq!((&claims.tenant_id, &claims.organization_id), (&admin.tenant_id, &admin.organization_id));
    assert_eq!(claims.exp - claims.iat, 3_600);
    assert!((before..=chrono::Utc::now().timestamp()).contains(&claims.iat));
    assert_eq!(claims.scenarios, None);
    let again = token_create(&identity, None, &request).await.unwrap_or_else(|p| panic!("{p}"));
    assert_ne!(identity.keys().verify_signature(again.access_token.expose()).unwrap().jti, claims.jti);
}

async fn each_faulty_request_gets_its_own_error(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::JobsRead]).await;
    let (id, secret) = (created.app.client_id.as_str(), created.client_secret.expose());
    let header = basic(id, secret);
    let other_id = TokenRequest { client_id: Some("app_other".to_owned()), ..bare("client_credentials") };
    let secret_alone = TokenRequest { client_id: None, ..form(id, secret, None) };
    let with_grant =
        |grant_type: &str| TokenRequest { grant_type: Some(grant_type.to_owned()), ..form(id, secret, None) };
    let cases = [
        (None, with_grant(""), "invalid_request"),
        (None, with_grant("password"), "unsupported_grant_type"),
        (None, with_grant("CLIENT_CREDENTIALS"), "unsupported_grant_type"),
        (Some(header.as_str()), form(id, secret, None), "invalid_request"),
        (Some(header.as_str()), other_id, "invalid_request"),
        (None, secret_alone, "invalid_request"),
        (None, form(id, secret, Some("argus:jobs:write")), "invalid_scope"),
        (None, form(id, secret, Some("argus:jobs:read argus:jobs:write")), "invalid_scope"),
        (None, form(id, secret, Some("argus:jobs:read\u{2003}no:such")), "invalid_scope"),
        (None, form(id, secret, Some("argus:internal:operate")), "invalid_scope"),
    ];
    for (index, (authorization, request, error)) in cases.into_iter().enumerate() {
        let problem = refused(token_create(&identity, authorization, &request).await);
        assert_eq!((problem.status, problem.error), (400, error), "case {index}");
        assert_eq!(problem.www_authenticate, None);
        let body = OauthError::from(&problem);
        // RFC 6749, section 5.2: the alphabet of a description.
        let allowed = |c: char| (' '..='~').contains(&c) && c != '"' && c != '\\';
        assert!(body.error == error && body.error_description.chars().all(allowed), "{body:?}");
    }
}

async fn wrong_credentials_all_get_the_same_answer(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::JobsRead]).await;
    let other = app(&identity, &admin, &[Scope::JobsRead]).await;
    let (id, secret) = (created.app.client_id.as_str(), created.client_secret.expose());
    let upper = id.to_uppercase();
    let cut = &secret[..secret.len() - 1];
    let long = "a".repeat(10_000);
    let mut answers = Vec::new();
    for (client_id, secret) in [
        (id, cut),
        (id, other.client_secret.expose()),
        (id, "-------------------------------------------"),
        ("app_unknown", secret),
        ("app_unknown", "-------------------------------------------"),
        (upper.as_str(), secret),
        ("app\0", secret),
        ("' OR 1=1 --", secret),
        (long.as_str(), secret),
    ] {
        answers.push(refused(token_create(&identity, None, &form(client_id, secret, None)).await));
        let header = basic(client_id, secret);
        answers.push(refused(token_create(&identity, Some(&header), &bare("client_credentials")).await));
    }
    for header in ["Bearer abc", "Basic", "Basic ?", ""] {
        answers.push(refused(token_create(&identity, Some(header), &bare("client_credentials")).await));
    }
    answers.push(refused(token_create(&identity, None, &bare("client_credentials")).await));
    for problem in &answers {
        assert_eq!((problem.status, problem.error), (401, "invalid_client"));
        assert!(problem.www_authenticate.unwrap().starts_with("Basic "));
        assert_eq!(problem.description, answers[0].description);
        assert!(!format!("{problem:?}").contains("argus_secret_"));
    }
}

async fn an_app_without_the_grant_gets_no_token(surroundings: Surroundings) {
    let identity = surroundings.identity();
    let admin = admin(&identity).await;
    let request = AppCreate {
        grant_types: vec![GrantType::AuthorizationCode],
        redirect_uris: vec!["https://a.example/cb".to_owned()],
        ..registration(&[Scope::JobsRead])
    };
    let created = apps::create(&identity, &admin, &request).await.unwrap();
    let request = form(&created.app.client_id, created.client_secret.expose(), None);
    let problem = refused(token_create(&identity, None, &request).await);
    assert_eq!((problem.status, problem.error), (400, "unauthorized_client"));
}
