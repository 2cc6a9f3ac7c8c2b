//! The token endpoint: who gets a token, and which error everybody else gets.

use super::support::{admin, app, registration};
use argus_openapi::types::apps::{AppCreate, GrantType};
use argus_openapi::types::error::OauthErrorCode;
use argus_openapi::types::oauth::ClientAuthentication;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::tokens::{TokenRequest, TokenResponse};
use argus_partner::oauth::{self, Endpoint, Error};
use argus_partner::{Identity, apps};
use argus_tests::{Installation, on_both_engines};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

on_both_engines! {
    client_credentials_work_in_the_header_and_in_the_form
    the_token_says_who_where_and_for_how_long
    each_faulty_request_gets_its_own_error
    wrong_credentials_all_get_the_same_answer
    credentials_are_judged_before_the_grant
    an_app_without_the_grant_gets_no_token
}

/// Where all of these ask.
const AT_TOKEN: Endpoint<'_> = Endpoint { base_url: "https://auth.knogin.com", path: oauth::TOKEN_PATH };

fn form(client_id: &str, secret: &str, scope: Option<&str>) -> TokenRequest {
    TokenRequest {
        grant_type: Some("client_credentials".to_owned()),
        client: ClientAuthentication {
            client_id: Some(client_id.to_owned()),
            client_secret: Some(secret.to_owned().into()),
            ..ClientAuthentication::default()
        },
        scope: scope.map(str::to_owned),
        code: None,
        redirect_uri: None,
        code_verifier: None,
        refresh_token: None,
    }
}

fn bare(grant_type: &str) -> TokenRequest {
    TokenRequest {
        grant_type: Some(grant_type.to_owned()),
        client: ClientAuthentication::default(),
        scope: None,
        code: None,
        redirect_uri: None,
        code_verifier: None,
        refresh_token: None,
    }
}

/// A request in which a client says so who it is.
fn by(client: ClientAuthentication) -> TokenRequest {
    TokenRequest { client, ..bare("client_credentials") }
}

fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

/// What the token endpoint does: the client first, then its request.
async fn token_create(
    identity: &Identity,
    authorization: Option<&str>,
    form: &TokenRequest,
) -> Result<TokenResponse, Error> {
    let client = oauth::authenticate(identity, AT_TOKEN, authorization, form).await?;
    oauth::token_create(identity, &client, form).await
}

/// Whether the token endpoint takes these credentials.
pub(crate) async fn authenticates(identity: &Identity, client_id: &str, secret: &str) -> bool {
    match token_create(identity, None, &form(client_id, secret, None)).await {
        Ok(_) => true,
        Err(error) => {
            assert!(
                matches!(error, Error::Refused { refusal: OauthErrorCode::InvalidClient, .. }),
                "{error}"
            );
            false
        }
    }
}

fn refused(answer: Result<TokenResponse, Error>) -> (OauthErrorCode, String) {
    match answer {
        Ok(_) => panic!("a token was issued"),
        Err(Error::Refused { refusal, description }) => (refusal, description),
        Err(error) => panic!("{error}"),
    }
}

async fn client_credentials_work_in_the_header_and_in_the_form(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::WebhooksWrite, Scope::JobsRead]).await;
    let (id, secret) = (created.app.client_id.as_str(), created.client_secret.as_ref().unwrap().expose());
    let header = basic(id, secret);
    // A `client_id` beside HTTP Basic names the client once more; it does not authenticate it.
    let named =
        by(ClientAuthentication { client_id: Some(id.to_owned()), ..ClientAuthentication::default() });
    // A parameter without a value counts as absent.
    let blank = TokenRequest {
        scope: Some(String::new()),
        ..by(ClientAuthentication {
            client_id: Some(String::new()),
            client_secret: Some(SecretText::default()),
            ..ClientAuthentication::default()
        })
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

async fn the_token_says_who_where_and_for_how_long(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::WebhooksWrite, Scope::JobsRead]).await;
    let request = form(
        &created.app.client_id,
        created.client_secret.as_ref().unwrap().expose(),
        Some("argus:jobs:read argus:jobs:read"),
    );
    let before = chrono::Utc::now().timestamp();
    let answer = token_create(&identity, None, &request).await.unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(answer.scope, "argus:jobs:read");
    let claims = identity.keys().verify_signature(answer.access_token.expose()).unwrap();
    assert_eq!((claims.iss.as_str(), claims.aud.as_str()), ("https://auth.knogin.com", "api"));
    assert_eq!((&claims.sub, &claims.client_id), (&created.app.client_id, &created.app.client_id));
    assert_eq!(claims.scope, "argus:jobs:read");
    let owner = &admin.principal;
    assert_eq!(claims.tenant_id, owner.tenant_id.as_str());
    assert_eq!(claims.organization_id, owner.organization_id.as_str());
    assert_eq!(claims.exp - claims.iat, 3_600);
    assert!((before..=chrono::Utc::now().timestamp()).contains(&claims.iat));
    assert_eq!(claims.scenarios, None);
    let again = token_create(&identity, None, &request).await.unwrap_or_else(|p| panic!("{p}"));
    assert_ne!(identity.keys().verify_signature(again.access_token.expose()).unwrap().jti, claims.jti);
}

async fn each_faulty_request_gets_its_own_error(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::JobsRead]).await;
    let (id, secret) = (created.app.client_id.as_str(), created.client_secret.as_ref().unwrap().expose());
    let header = basic(id, secret);
    let other_id = by(ClientAuthentication {
        client_id: Some("app_other".to_owned()),
        ..ClientAuthentication::default()
    });
    let secret_alone = by(ClientAuthentication {
        client_secret: Some(secret.to_owned().into()),
        ..ClientAuthentication::default()
    });
    let with_grant =
        |grant_type: &str| TokenRequest { grant_type: Some(grant_type.to_owned()), ..form(id, secret, None) };
    let cases = [
        (None, with_grant(""), OauthErrorCode::InvalidRequest),
        (None, with_grant("password"), OauthErrorCode::UnsupportedGrantType),
        (None, with_grant("CLIENT_CREDENTIALS"), OauthErrorCode::UnsupportedGrantType),
        (Some(header.as_str()), form(id, secret, None), OauthErrorCode::InvalidRequest),
        (Some(header.as_str()), other_id, OauthErrorCode::InvalidRequest),
        (None, secret_alone, OauthErrorCode::InvalidRequest),
        (None, form(id, secret, Some("argus:jobs:write")), OauthErrorCode::InvalidScope),
        (None, form(id, secret, Some("argus:jobs:read argus:jobs:write")), OauthErrorCode::InvalidScope),
        (None, form(id, secret, Some("argus:jobs:read\u{2003}no:such")), OauthErrorCode::InvalidScope),
        (None, form(id, secret, Some("argus:internal:operate")), OauthErrorCode::InvalidScope),
    ];
    for (index, (authorization, request, expected)) in cases.into_iter().enumerate() {
        let (refusal, description) = refused(token_create(&identity, authorization, &request).await);
        assert_eq!(refusal, expected, "case {index}");
        // RFC 6749, section 5.2: the alphabet of a description.
        let allowed = |c: char| (' '..='~').contains(&c) && c != '"' && c != '\\';
        assert!(!description.is_empty() && description.chars().all(allowed), "{description}");
    }
}

async fn wrong_credentials_all_get_the_same_answer(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::JobsRead]).await;
    let other = app(&identity, &admin, &[Scope::JobsRead]).await;
    let (id, secret) = (created.app.client_id.as_str(), created.client_secret.as_ref().unwrap().expose());
    let upper = id.to_uppercase();
    let cut = &secret[..secret.len() - 1];
    let long = "a".repeat(10_000);
    let mut answers = Vec::new();
    for (client_id, secret) in [
        (id, cut),
        (id, other.client_secret.as_ref().unwrap().expose()),
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
    for (refusal, description) in &answers {
        assert_eq!(*refusal, OauthErrorCode::InvalidClient);
        assert_eq!(*description, answers[0].1);
        assert!(!description.contains("argus_secret_"));
    }
}

async fn credentials_are_judged_before_the_grant(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::JobsRead]).await;
    for grant_type in ["", "password", "client_credentials"] {
        let wrong = TokenRequest {
            grant_type: Some(grant_type.to_owned()),
            ..form(&created.app.client_id, "wrong", Some("no:such"))
        };
        let (refusal, _) = refused(token_create(&identity, None, &wrong).await);
        assert_eq!(refusal, OauthErrorCode::InvalidClient, "{grant_type}");
    }
}

async fn an_app_without_the_grant_gets_no_token(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let request = AppCreate {
        grant_types: vec![GrantType::AuthorizationCode],
        redirect_uris: vec!["https://a.example/cb".parse().unwrap()],
        ..registration(&[Scope::JobsRead])
    };
    let created = apps::create(&identity, &admin, &request).await.unwrap();
    let request = form(&created.app.client_id, created.client_secret.as_ref().unwrap().expose(), None);
    let (refusal, _) = refused(token_create(&identity, None, &request).await);
    assert_eq!(refusal, OauthErrorCode::UnauthorizedClient);
}
