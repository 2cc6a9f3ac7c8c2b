//! Apps: secrets, rotation, tenant isolation, pages and the audit trail.

use super::oauth::authenticates;
use super::support::{admin, app, client_id, id_of, registration};
use super::tokens::NOTHING;
use argus_core::audit::{self, AuditEvent};
use argus_core::context::{Context, Live};
use argus_core::ids::ClientId;
use argus_openapi::types::apps::{AppCreate, AppSecretRotate, Governance, GovernanceUpdate, GrantType};
use argus_openapi::types::common::{PageQuery, WholeNumber};
use argus_openapi::types::error::ErrorCode;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::tokens::{SandboxTokenCreate, ServiceTokenCreate};
use argus_partner::store::apps::{self as rows, AppRow};
use argus_partner::{Error, Identity, apps, tokens};
use argus_tests::{Installation, on_both_engines};
use chrono::{DateTime, NaiveDateTime};
use std::fs;
use std::sync::Arc;

on_both_engines! {
    a_created_app_reads_back_as_it_was_registered
    a_client_secret_is_not_in_the_store
    rotation_ends_the_old_secret_and_the_new_one_works
    rotating_at_the_same_time_leaves_exactly_one_working_secret
    rotating_at_the_same_time_with_an_overlap_leaves_exactly_two
    another_tenant_can_neither_see_nor_touch_an_app
    governance_flags_change_one_by_one
    pages_hold_each_app_once_even_with_equal_times
    a_cursor_that_was_changed_or_belongs_to_another_tenant_is_refused
    every_change_leaves_one_audit_event
    a_registration_that_breaks_a_rule_is_refused
}

/// A rotation whose former secret ends at once.
const AT_ONCE: AppSecretRotate = AppSecretRotate { overlap_seconds: None };

async fn a_created_app_reads_back_as_it_was_registered(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let request = AppCreate {
        name: "Dossiers d’été 🗂".parse().unwrap(),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::ClientCredentials],
        redirect_uris: ["https://a.example/cb", "https://b.example/cb", "https://a.example/cb"]
            .map(|uri| uri.parse().unwrap())
            .to_vec(),
        requested_scopes: vec![Scope::JobsWrite, Scope::WebhooksRead, Scope::JobsWrite],
        token_endpoint_auth_method: None,
        jwks: None,
    };
    let created = apps::create(&identity, &admin, &request).await.unwrap();
    assert!(
        created.client_secret.as_ref().unwrap().expose().starts_with("argus_secret_")
            && created.client_secret.as_ref().unwrap().expose().len() == 56
    );
    let viewed = apps::view(&identity, &admin, &id_of(&created)).await.unwrap();
    assert_eq!(viewed, created.app);
    assert!(viewed.client_id.starts_with("app_") && viewed.client_id.len() == 30, "{}", viewed.client_id);
    assert_eq!(viewed.name, request.name.as_str());
    assert_eq!(viewed.grant_types, request.grant_types);
    assert_eq!(viewed.redirect_uris, ["https://a.example/cb", "https://b.example/cb"]);
    assert_eq!(viewed.requested_scopes, [Scope::JobsWrite, Scope::WebhooksRead]);
    assert_eq!(viewed.governance, Governance::default());
    let owner = &admin.principal;
    assert_eq!(viewed.tenant_id, owner.tenant_id.as_str());
    assert_eq!(viewed.organization_id, owner.organization_id.as_str());
}

async fn a_client_secret_is_not_in_the_store(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::JobsRead]).await;
    let row = row_of(&identity, &admin, &id_of(&created)).await;
    let columns =
        [row.secret_hash.as_str(), &row.name, &row.approved_scopes, &row.grant_types, &row.redirect_uris];
    assert!(columns.iter().all(|column| !column.contains(created.client_secret.as_ref().unwrap().expose())));
    // A plain digest could be tried against without the pepper.
    let digest = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        created.client_secret.as_ref().unwrap().expose().as_bytes(),
    );
    assert!(
        !row.secret_hash
            .contains(&base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest))
    );
    if installation.is_sqlite() {
        let secret = created
            .client_secret
            .as_ref()
            .unwrap()
            .expose()
            .strip_prefix("argus_secret_")
            .unwrap()
            .as_bytes();
        let mut searched = 0;
        for entry in fs::read_dir(installation.data_dir()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let content = fs::read(&path).unwrap();
                searched += content.len();
                assert!(!content.windows(secret.len()).any(|window| window == secret), "{path:?}");
            }
        }
        assert!(searched > 4_096, "the database was not among the files");
    }
}

async fn rotation_ends_the_old_secret_and_the_new_one_works(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::JobsRead]).await;
    let id = id_of(&created);
    assert!(authenticates(&identity, id.as_str(), created.client_secret.as_ref().unwrap().expose()).await);
    let before = row_of(&identity, &admin, &id).await;
    let rotated = apps::secret_rotate(&identity, &admin, &id, &AT_ONCE).await.unwrap();
    assert_eq!(rotated.client_id, id.as_str());
    assert_ne!(Some(&rotated.client_secret), created.client_secret.as_ref());
    assert!(!authenticates(&identity, id.as_str(), created.client_secret.as_ref().unwrap().expose()).await);
    assert!(authenticates(&identity, id.as_str(), rotated.client_secret.expose()).await);
    let after = row_of(&identity, &admin, &id).await;
    assert!(after.secret_rotated_at > before.secret_rotated_at && after.created_at == before.created_at);
}

async fn rotating_at_the_same_time_leaves_exactly_one_working_secret(installation: Installation) {
    assert_eq!(work_after_rotating_at_the_same_time(installation, &AT_ONCE).await, 1);
}

async fn rotating_at_the_same_time_with_an_overlap_leaves_exactly_two(installation: Installation) {
    let overlap = AppSecretRotate { overlap_seconds: Some(WholeNumber(60)) };
    assert_eq!(work_after_rotating_at_the_same_time(installation, &overlap).await, 2);
}

/// How many of the secrets work that were made at the same time.
async fn work_after_rotating_at_the_same_time(
    installation: Installation,
    request: &AppSecretRotate,
) -> usize {
    let identity = Arc::new(installation.identity());
    let admin = Arc::new(admin(&identity).await);
    let id = id_of(&app(&identity, &admin, &[Scope::JobsRead]).await);
    let rotations: Vec<_> = (0..12)
        .map(|_| {
            let (identity, admin, id) = (Arc::clone(&identity), Arc::clone(&admin), id.clone());
            let request = request.clone();
            tokio::spawn(async move { apps::secret_rotate(&identity, &admin, &id, &request).await.unwrap() })
        })
        .collect();
    let mut working = 0;
    let mut secrets = Vec::new();
    for rotation in rotations {
        secrets.push(rotation.await.unwrap().client_secret);
    }
    for secret in secrets {
        working += usize::from(authenticates(&identity, id.as_str(), secret.expose()).await);
    }
    working
}

async fn another_tenant_can_neither_see_nor_touch_an_app(installation: Installation) {
    let identity = installation.identity();
    let (owner, stranger) = (admin(&identity).await, admin(&identity).await);
    let created = app(&identity, &owner, &[Scope::JobsRead]).await;
    let id = &id_of(&created);
    let change = GovernanceUpdate {
        allow_service_tokens: Some(true),
        enforce_pkce: Some(false),
        approved_bundles: Some(Vec::new()),
        approve_scopes: Some(vec![Scope::JobsRead]),
        ..GovernanceUpdate::default()
    };
    let service = ServiceTokenCreate { scopes: vec![Scope::JobsRead] };
    let refusals = [
        apps::view(&identity, &stranger, id).await.map(drop),
        apps::governance_update(&identity, &stranger, id, &change).await.map(drop),
        apps::governance_update(&identity, &stranger, id, &GovernanceUpdate::default()).await.map(drop),
        apps::secret_rotate(&identity, &stranger, id, &AT_ONCE).await.map(drop),
        tokens::service_token_create(&identity, &stranger, id, &service).await.map(drop),
        tokens::sandbox_token_create(&identity, &stranger, id, &SandboxTokenCreate::default(), &NOTHING)
            .await
            .map(drop),
    ];
    for refusal in refusals {
        let error = refusal.unwrap_err();
        assert!(matches!(error, Error::Core(argus_core::Error::NotFound("app"))), "{error}");
    }
    assert!(apps::list(&identity, &stranger, &PageQuery::default()).await.unwrap().apps.is_empty());
    assert_eq!(apps::view(&identity, &owner, id).await.unwrap(), created.app);
    assert!(authenticates(&identity, id.as_str(), created.client_secret.as_ref().unwrap().expose()).await);
    assert_eq!(actions(&identity, &stranger).await, ["tenant.create"]);
}

async fn governance_flags_change_one_by_one(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let id = id_of(&app(&identity, &admin, &[Scope::JobsRead]).await);
    let steps = [
        (Some(true), None, (true, true)),
        (None, Some(false), (true, false)),
        (None, None, (true, false)),
        (Some(false), Some(true), (false, true)),
    ];
    for (allow_service_tokens, enforce_pkce, expected) in steps {
        let change = GovernanceUpdate { allow_service_tokens, enforce_pkce, ..GovernanceUpdate::default() };
        let answer = apps::governance_update(&identity, &admin, &id, &change).await.unwrap();
        assert_eq!(answer.client_id, id.as_str());
        let now = apps::view(&identity, &admin, &id).await.unwrap().governance;
        assert_eq!(answer.governance, now);
        assert_eq!((now.allow_service_tokens, now.enforce_pkce), expected);
    }
}

async fn pages_hold_each_app_once_even_with_equal_times(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let expected = insert_with_ties(&identity, &admin).await;
    for limit in [1, 2, 3, 6, 7, 8, 200] {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let query = PageQuery { limit: Some(limit), cursor: cursor.take() };
            let page = apps::list(&identity, &admin, &query).await.unwrap();
            assert!(!page.apps.is_empty() && page.apps.len() <= limit as usize, "pages of {limit}");
            seen.extend(page.apps.into_iter().map(|app| app.client_id));
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
            assert!(seen.len() < expected.len(), "a cursor behind the last app");
        }
        assert_eq!(seen, expected, "pages of {limit}");
    }
}

async fn a_cursor_that_was_changed_or_belongs_to_another_tenant_is_refused(installation: Installation) {
    let identity = installation.identity();
    let (owner, stranger) = (admin(&identity).await, admin(&identity).await);
    insert_with_ties(&identity, &owner).await;
    let list = async |caller: &Context<Live>, cursor: String| {
        apps::list(&identity, caller, &PageQuery { limit: Some(2), cursor: Some(cursor) }).await
    };
    let first = apps::list(&identity, &owner, &PageQuery { limit: Some(2), cursor: None }).await.unwrap();
    let cursor = first.next_cursor.unwrap();
    assert!(list(&owner, cursor.clone()).await.is_ok());
    assert_invalid(list(&stranger, cursor.clone()).await);
    for index in 0..cursor.len() {
        let mut changed = cursor.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_invalid(list(&owner, changed).await);
    }
    for other in ["", "x", "2", "eyJjcmVhdGVkX2F0IjoiLi4uIn0=", "é", &"A".repeat(1_024)] {
        assert_invalid(list(&owner, other.to_owned()).await);
    }
}

async fn every_change_leaves_one_audit_event(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let created = app(&identity, &admin, &[Scope::JobsRead]).await;
    let id = &id_of(&created);
    let change = GovernanceUpdate { allow_service_tokens: Some(true), ..GovernanceUpdate::default() };
    apps::governance_update(&identity, &admin, id, &change).await.unwrap();
    apps::secret_rotate(&identity, &admin, id, &AT_ONCE).await.unwrap();
    let service = ServiceTokenCreate { scopes: vec![Scope::JobsRead] };
    tokens::service_token_create(&identity, &admin, id, &service).await.unwrap();
    tokens::sandbox_token_create(&identity, &admin, id, &SandboxTokenCreate::default(), &NOTHING)
        .await
        .unwrap();
    assert!(apps::secret_rotate(&identity, &admin, &client_id("app_unknown"), &AT_ONCE).await.is_err());
    apps::view(&identity, &admin, id).await.unwrap();
    assert_eq!(
        actions(&identity, &admin).await,
        [
            "tenant.create",
            "app.create",
            "app.governance.update",
            "app.secret.rotate",
            "app.service_token.create",
            "app.sandbox_token.create"
        ]
    );
    let events = events(&identity, &admin).await;
    assert!(
        events[1..]
            .iter()
            .all(|event| event.subject == id.as_str() && event.actor == admin.principal.actor.as_str())
    );
    assert!(events.iter().all(|event| event.secrecy_level == "standard"));
}

async fn a_registration_that_breaks_a_rule_is_refused(installation: Installation) {
    let identity = installation.identity();
    let admin = admin(&identity).await;
    let valid = registration(&[Scope::JobsRead]);
    let cases = [
        (
            AppCreate { requested_scopes: vec![Scope::InternalOperate], ..valid.clone() },
            "argus:internal:operate",
        ),
        (AppCreate { requested_scopes: vec![], ..valid.clone() }, "`requested_scopes`"),
        (AppCreate { grant_types: vec![], ..valid.clone() }, "`grant_types`"),
        (AppCreate { grant_types: vec![GrantType::AuthorizationCode], ..valid.clone() }, "`redirect_uris`"),
    ];
    for (request, part) in cases {
        let message = assert_invalid(apps::create(&identity, &admin, &request).await);
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(actions(&identity, &admin).await, ["tenant.create"]);
}

/// Asserts that the caller must change the request, and hands on what.
#[track_caller]
fn assert_invalid<T>(answer: Result<T, Error>) -> String {
    match answer {
        Ok(_) => panic!("accepted"),
        Err(Error::Refused { code: ErrorCode::InvalidRequest, message })
        | Err(Error::Core(argus_core::Error::Invalid(message))) => message,
        Err(error) => panic!("{error}"),
    }
}

/// Seven apps at three moments; answers with their ids in list order.
async fn insert_with_ties(identity: &Identity, owner: &Context<Live>) -> Vec<String> {
    let moment = |micros: i64| -> NaiveDateTime {
        DateTime::from_timestamp_micros(1_778_241_600_000_000 + micros).unwrap().naive_utc()
    };
    let mut apps = vec![("b", 1), ("d", 1), ("a", 1), ("c", 1), ("e", 2), ("g", 2), ("f", 1_000_000)];
    let template = {
        let created = app(identity, owner, &[Scope::JobsRead]).await;
        row_of(identity, owner, &id_of(&created)).await
    };
    let mut expected = vec![template.client_id.to_string()];
    let named = |name: &str| client_id(&format!("app_{name}_{}", owner.tenant_id()));
    for (name, micros) in apps.clone() {
        let row = AppRow { client_id: named(name), created_at: moment(micros), ..template.clone() };
        let insert = move |tx: &mut argus_core::store::Tx<'_>| {
            rows::insert(tx, &row)?;
            audit::append(tx, "app.create", row.client_id.as_str())
        };
        identity.store().write(owner, insert).await.unwrap();
    }
    apps.sort_by_key(|(name, micros)| std::cmp::Reverse((*micros, *name)));
    expected.extend(apps.iter().map(|(name, _)| named(name).to_string()));
    expected
}

async fn row_of(identity: &Identity, owner: &Context<Live>, id: &ClientId) -> AppRow {
    let id = id.clone();
    identity.store().read_row(owner, move |reader| reader.load::<AppRow>(&id)).await.unwrap()
}

async fn events(identity: &Identity, owner: &Context<Live>) -> Vec<AuditEvent> {
    let list = |reader: &mut argus_core::store::Reader<'_>| Ok::<_, Error>(audit::list(reader, 100)?);
    identity.store().read(owner, list).await.unwrap()
}

async fn actions(identity: &Identity, owner: &Context<Live>) -> Vec<String> {
    events(identity, owner).await.into_iter().map(|event| event.action).collect()
}
