//! The tables as diesel sees them; the same on both engines.

diesel::table! {
    /// Facts about this installation that no tenant owns.
    installation (name) {
        /// What the fact is called.
        name -> Text,
        /// The fact.
        value -> Text,
    }
}

diesel::table! {
    /// Tenants.
    tenants (tenant_id) {
        /// `tnt_` and a ULID.
        tenant_id -> Text,
        /// Name for people.
        name -> Text,
        /// When it was created.
        created_at -> Timestamp,
    }
}

diesel::table! {
    /// Organisations inside tenants.
    organizations (organization_id) {
        /// `org_` and a ULID.
        organization_id -> Text,
        /// Owner.
        tenant_id -> Text,
        /// Name for people.
        name -> Text,
        /// When it was created.
        created_at -> Timestamp,
    }
}

diesel::table! {
    /// Registered apps.
    apps (client_id) {
        /// `app_` and a ULID.
        client_id -> Text,
        /// Owner.
        tenant_id -> Text,
        /// Organisation inside the tenant.
        organization_id -> Text,
        /// Name for people.
        name -> Text,
        /// JSON array of grant types.
        grant_types -> Text,
        /// JSON array of redirect URIs.
        redirect_uris -> Text,
        /// JSON array of scopes.
        approved_scopes -> Text,
        /// Governance: service tokens may be minted.
        allow_service_tokens -> Bool,
        /// Governance: the authorization code flow requires PKCE.
        enforce_pkce -> Bool,
        /// Keyed hash of the client secret.
        secret_hash -> Text,
        /// When the secret was last replaced.
        secret_rotated_at -> Timestamp,
        /// When the app was registered.
        created_at -> Timestamp,
    }
}

diesel::table! {
    /// The audit trail, append-only.
    audit_events (id) {
        /// ULID.
        id -> Text,
        /// When it happened.
        occurred_at -> Timestamp,
        /// Tenant whose data was touched.
        tenant_id -> Text,
        /// Client id of the caller, or the operator's own name.
        actor -> Text,
        /// Operation, as in `app.create`.
        action -> Text,
        /// What it was done to.
        subject -> Text,
        /// Secrecy of the event.
        secrecy_level -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(tenants, organizations, apps, audit_events);
