//! The second wall between tenants: what PostgreSQL itself shows, lets write and refuses, whatever a query forgets.

mod catalog;
mod cut_off;
mod doors;
mod migrations;
mod plans;
mod roles;
mod tenants;

use argus_core::Context;
use argus_core::context::Live;
use argus_core::store::{AnyConnection, Database};
use argus_partner::Identity;
use argus_tests::{Installation, sql};

use crate::identity::support::admin;

/// Two tenants, each with a row in every table that has tenants.
pub(crate) struct Two {
    pub(crate) database: Database,
    pub(crate) identity: Identity,
    pub(crate) mine: Context<Live>,
    pub(crate) theirs: Context<Live>,
    // Last: it looks at what was left.
    pub(crate) installation: Installation,
}

/// What a tenant has beside itself, its organisation and their audit event. `$` is the tenant, `#` its organisation.
const ROWS: &str = "
    INSERT INTO apps VALUES ('app_of_$', '$', '#', 'App', '[\"client_credentials\"]', '[]', '[]', true, true, 'hash', now(), now());
    INSERT INTO audit_events VALUES ('app_$', now(), '$', 'operator', 'app.create', 'app_of_$', 'standard', 1);
    INSERT INTO audit_chains VALUES ('$', 'live', 1, 'hash', 'key', 'signature', 1);
    INSERT INTO audit_checkpoints VALUES ('$', 'live', 1, 'hash', 'key', 'signature', 1);
    INSERT INTO jobs (id, tenant_id, organization_id, actor, kind, payload, secrecy_level, traceparent, status, max_attempts,
        created_at, updated_at) VALUES ('job_of_$', '$', '#', 'operator', 'test.nothing', '{}', 'standard', '', 'succeeded', 1, 1, 1);
    INSERT INTO outbox (tenant_id, event, subject, traceparent, occurred_at) VALUES ('$', 'job.succeeded', 'job_of_$', '', 1);
    INSERT INTO profiles (tenant_id, id, kind, display_name, secrecy_level, risk_score, relations, created_at, updated_at)
        VALUES ('$', 'p1', 'wallet', '', 'standard', 1, '[]', 1, 1);
    INSERT INTO uploads VALUES ('upl_of_$', '$', 1);
    INSERT INTO webhooks (id, tenant_id, organization_id, secrecy_level, url, events, status, created_at, updated_at)
        VALUES ('wh_of_$', '$', '#', 'standard', 'https://receiver.example/', '[]', 'enabled', 1, 1);
    INSERT INTO scope_allowances VALUES ('$', '[]');
    INSERT INTO users (user_id, tenant_id, organization_id, email, name, password_hash, secrecy_level, created_at)
        VALUES ('usr_of_$', '$', '#', '$@example.com', 'Ada', 'hash', 'standard', 1);
    INSERT INTO sessions VALUES ('session_of_$', 'usr_of_$', '$', 1, 1, 9000000000000000, '', NULL);
    INSERT INTO invitations VALUES ('invitation_of_$', 'usr_of_$', '$', 9000000000000000);
    INSERT INTO grants VALUES ('$', 'usr_of_$', 'app_of_$', '[]', 1, 1);
    INSERT INTO token_families (id, tenant_id, user_id, session_id, client_id, scopes, created_at, expires_at)
        VALUES ('family_of_$', '$', 'usr_of_$', 'session_of_$', 'app_of_$', '[]', 1, 9000000000000000);
    INSERT INTO authorization_codes (code_hash, tenant_id, family_id, client_id, redirect_uri, is_redirect_uri_needed,
        expires_at) VALUES ('code_of_$', '$', 'family_of_$', 'app_of_$', 'https://partner.example/', true, 9000000000000000);
    INSERT INTO refresh_tokens (token_hash, tenant_id, family_id, expires_at)
        VALUES ('token_of_$', '$', 'family_of_$', 9000000000000000);
    INSERT INTO pushed_requests (request_hash, tenant_id, client_id, parameters, expires_at)
        VALUES ('request_of_$', '$', 'app_of_$', '{}', 9000000000000000);
    INSERT INTO revocations VALUES ('user:usr_of_$', '$', 1);
    INSERT INTO client_assertions VALUES ('assertion_of_$', '$', 9000000000000000);
    INSERT INTO signing_secrets (tenant_id, owner, secret) VALUES ('$', 'wh_of_$', 'sealed');
    INSERT INTO deliveries (id, tenant_id, webhook_id, signer, lane, body, traceparent, status, give_up_at, created_at)
        VALUES ('dlv_of_$', '$', 'wh_of_$', 'wh_of_$', 'wh_of_$', '{}', '', 'succeeded', 1, 1);";

impl Two {
    pub(crate) async fn open(installation: Installation) -> Self {
        let (database, identity) = installation.database_and_identity();
        let (mine, theirs) = (admin(&identity).await, admin(&identity).await);
        for tenant in [&mine, &theirs] {
            let rows = ROWS.replace('$', tenant.tenant_id().as_str());
            let rows = rows.replace('#', tenant.principal.organization_id.as_str());
            sql::execute(&mut installation.connect(), &rows).unwrap();
        }
        Self { database, identity, mine, theirs, installation }
    }

    /// The tables that have tenants, by the catalog.
    pub(crate) fn tables(&self) -> Vec<String> {
        self.lines(TABLES)
    }

    /// What a superuser sees.
    pub(crate) fn lines(&self, query: &str) -> Vec<String> {
        sql::lines(&mut self.installation.connect(), query).unwrap()
    }

    /// A new session of the role that serves requests.
    pub(crate) fn requests(&self) -> AnyConnection {
        sql::connect(self.installation.settings.store.url.expose())
    }

    /// A new session of the role that serves every tenant.
    pub(crate) fn worker(&self) -> AnyConnection {
        sql::connect(self.installation.settings.store.worker_url.as_ref().unwrap().expose())
    }
}

const TABLES: &str = "SELECT relname::text AS line FROM pg_class WHERE relkind IN ('r', 'p') \
    AND relnamespace = current_schema()::regnamespace AND EXISTS (SELECT FROM pg_attribute \
    WHERE attrelid = pg_class.oid AND attname = 'tenant_id' AND NOT attisdropped) ORDER BY 1";

/// What a query finds, or what it is refused with.
pub(crate) fn seen(session: &mut AnyConnection, query: &str) -> Result<Vec<String>, String> {
    sql::lines(session, query).map_err(|error| error.to_string())
}

/// Why a statement is refused.
#[track_caller]
pub(crate) fn refusal(session: &mut AnyConnection, statement: &str) -> String {
    match sql::execute(session, statement) {
        Ok(()) => panic!("{statement} was not refused"),
        Err(error) => error.to_string(),
    }
}
