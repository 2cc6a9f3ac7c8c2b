//! The first product's tables as diesel sees them; the same on both engines.

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
