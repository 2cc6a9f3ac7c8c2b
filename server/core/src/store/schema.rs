//! The core's tables as diesel sees them; the same on both engines. A product declares its own.

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
        /// The user on whose behalf it acted, if there was one.
        user_id -> Nullable<Text>,
        /// Operation, as in `app.create`.
        action -> Text,
        /// What it was done to.
        subject -> Text,
        /// Secrecy of the event.
        secrecy_level -> Text,
        /// How often it has happened; some things are recorded in aggregate.
        occurrences -> BigInt,
        /// Where it happened: `live` or `sandbox`. With the tenant it names the chain.
        environment -> Text,
        /// Its place in the chain; none until it is linked.
        sequence -> Nullable<BigInt>,
        /// Hash of the entry before it.
        previous_hash -> Nullable<Text>,
        /// Its own hash.
        hash -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(tenants, organizations, audit_events);

#[diesel::declare_sql_function]
extern "SQL" {
    /// Microseconds since 1970 by the database's clock. SQLite has it from this process.
    fn argus_now() -> BigInt;
}
