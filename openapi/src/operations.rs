//! The operation table of the Argus External API: which host serves an operation, who may call it, what
//! it takes and answers besides what its signature says. The gate enforces this table and the descriptor
//! publishes it. What a row can hold stands in [`crate::row`].

use crate::Host;
use crate::contract::ErrorShape;
use crate::published::Format;
use crate::row::{
    Access, Audience, Caching, Callback, ExtraBody, ExtraResponse, Given, MadeBy, OperationRow,
    PublishedPath, Representation, RequestBody, Stability,
};
use crate::types::discovery::ApiCatalog;
use crate::types::graphql::GraphqlRefusal;
use crate::types::scopes::Scope;
use crate::types::{events, jobs, traces};
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Metadata, ObjectValidation, Schema, SchemaObject};

impl std::fmt::Debug for OperationRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OperationRow").field(&self.id).finish()
    }
}

/// With the profile of RFC 9727, section 5.
const CATALOG: &str = "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";

const KIB: usize = 1024;
const GIB: usize = 1024 * 1024 * KIB;

const AUTH: &[Host] = &[Host::Auth];
const SANDBOX: &[Host] = &[Host::Sandbox];
const AUTH_AND_SANDBOX: &[Host] = &[Host::Auth, Host::Sandbox];
const API_AND_SANDBOX: &[Host] = &[Host::Api, Host::Sandbox];
const EVERY: &[Host] = &Host::ALL;

/// A row with the defaults that most operations share.
const fn row(
    hosts: &'static [Host],
    access: Access,
    audience: Audience,
    success: &'static str,
) -> OperationRow {
    OperationRow {
        // The table names the operation before the row.
        id: "",
        hosts,
        access,
        audience,
        stability: Stability::Stable,
        error: None,
        body: RequestBody::None,
        // Callers choose how much of it they send; a few short members need no more.
        body_max_bytes: 16 * KIB,
        success,
        document: &[],
        caching: Caching::Private,
        links: false,
        extra: &[],
        callback: None,
        published_path: None,
        made_by: &[],
    }
}

/// A row of a partner operation that needs a scope.
const fn partner(hosts: &'static [Host], scope: Scope, success: &'static str) -> OperationRow {
    row(hosts, Access::Scope(scope), Audience::ExternalIntegrators, success)
}

/// A row of an operation of the tenant's administrators.
const fn admin(success: &'static str) -> OperationRow {
    row(AUTH, Access::Scope(Scope::PlatformAdmin), Audience::TenantAdmins, success)
}

/// A row of what anyone may read and keep for a while.
const fn public(hosts: &'static [Host], success: &'static str) -> OperationRow {
    OperationRow {
        caching: Caching::Public,
        ..row(hosts, Access::Public, Audience::ExternalIntegrators, success)
    }
}

/// A row of the public keys.
const fn keys() -> OperationRow {
    public(AUTH, "The public signing keys.")
}

/// A row of a public document.
const fn document(
    hosts: &'static [Host],
    success: &'static str,
    document: &'static [Representation],
) -> OperationRow {
    OperationRow { document, caching: Caching::Tagged, ..public(hosts, success) }
}

const DESCRIPTOR_JSON: Representation =
    Representation { media_type: Format::Json.media_type(), schema: openapi_json };
const DESCRIPTOR_YAML: Representation =
    Representation { media_type: Format::Yaml.media_type(), schema: openapi_yaml };
const LINK_SET: Representation =
    Representation { media_type: CATALOG, schema: |generator| generator.subschema_for::<ApiCatalog>() };
const DATA_SCHEMA: Representation =
    Representation { media_type: "application/schema+json", schema: data_schema };

/// A row of what a signed URL allows: the signature is all that it asks for.
const fn signed(hosts: &'static [Host]) -> OperationRow {
    internal(hosts, Access::SignedUrl)
}

/// A row of an operation that is never published.
const fn internal(hosts: &'static [Host], access: Access) -> OperationRow {
    row(hosts, access, Audience::Internal, "Never published.")
}

/// A row of the reference: it tells of the contract, and is no part of it. Anyone may read it.
const fn reference() -> OperationRow {
    OperationRow { caching: Caching::Tagged, ..internal(&[Host::Api], Access::Public) }
}

/// A row of a page.
const fn page() -> OperationRow {
    internal(AUTH, Access::Browser)
}

/// A row of what a page's form leads to.
const fn page_form() -> OperationRow {
    OperationRow { body: RequestBody::Form, ..page() }
}

const SERVICE_TOKENS_NOT_ALLOWED: ExtraResponse = ExtraResponse {
    status: 403,
    description: "The token lacks the scope, or the app's governance does not allow service tokens.",
    body: ExtraBody::Error,
};

const GOVERNANCE_CONFLICT: ExtraResponse = ExtraResponse {
    status: 409,
    description: "What is asked for does not go with what the app has: a scope that it has not requested, the grant \
        `authorization_code` without a redirect URI, `client_credentials` for a public client, `jwks` for an app \
        without `private_key_jwt`. Nothing was changed.",
    body: ExtraBody::Error,
};

const APP_SUSPENDED: ExtraResponse = ExtraResponse {
    status: 409,
    description: "The app is suspended, and gets no tokens.",
    body: ExtraBody::Error,
};

const NO_CLIENT_SECRET: ExtraResponse = ExtraResponse {
    status: 409,
    description: "The app has no client secret: it is a public client, or authenticates with `private_key_jwt`.",
    body: ExtraBody::Error,
};

const NO_CALLBACK_SECRET: ExtraResponse = ExtraResponse {
    status: 409,
    description: "There is a `callback_url`, and no secret to sign the callback with: the token is none of an app's, or \
        the app has no callback secret yet.",
    body: ExtraBody::Error,
};

const WEBHOOK_DISABLED: ExtraResponse = ExtraResponse {
    status: 409,
    description: "The subscription is disabled, so that nothing would be delivered; enable it first.",
    body: ExtraBody::Error,
};

/// GraphQL clients look for `errors`, whatever the status.
static GRAPHQL_REFUSAL: ErrorShape = ErrorShape {
    name: "GraphqlRefusal",
    schema: |generator| generator.subschema_for::<GraphqlRefusal>(),
    write: |error| serde_json::to_vec(&GraphqlRefusal::from(error)),
};

/// dropshot routes whole segments.
const DATA_SCHEMA_PATH: PublishedPath = PublishedPath {
    template: "/.well-known/schemas/{id}.json",
    variable: "id",
    description: "Identifier of the schema, for example `argus.profile.v1`.",
};

const AN_APP: MadeBy = MadeBy {
    operation: "app_create",
    gives: &[Given { parameter: "client_id", pointer: "/client_id" }],
    then: &[],
};

const AN_APP_WITH_SERVICE_TOKENS: MadeBy = MadeBy { then: &["app_governance_update"], ..AN_APP };

const AN_APP_AND_ITS_SECRET: MadeBy = MadeBy {
    gives: &[
        Given { parameter: "client_id", pointer: "/client_id" },
        Given { parameter: "client_secret", pointer: "/client_secret" },
    ],
    ..AN_APP
};

const A_WEBHOOK: MadeBy = MadeBy {
    operation: "webhook_create",
    gives: &[Given { parameter: "webhook_id", pointer: "/id" }],
    then: &[],
};

const A_DELIVERY: MadeBy = MadeBy {
    operation: "webhook_test",
    gives: &[Given { parameter: "delivery_id", pointer: "/delivery_id" }],
    then: &[],
};

const A_JOB: MadeBy =
    MadeBy { operation: "job_create", gives: &[Given { parameter: "id", pointer: "/id" }], then: &[] };

const JOB_ENDED: Callback = Callback {
    name: "job_ended",
    url: "{$request.body#/callback_url}",
    summary: "The job has ended.",
    of_job: true,
    schema: |generator| generator.subschema_for::<events::JobNotice>(),
};

/// Schema of a JSON document whose members are not this contract's business.
fn json_document(description: &str) -> Schema {
    SchemaObject {
        metadata: described(description),
        instance_type: Some(InstanceType::Object.into()),
        object: Some(Box::new(ObjectValidation {
            additional_properties: Some(Box::new(Schema::Bool(true))),
            ..ObjectValidation::default()
        })),
        ..SchemaObject::default()
    }
    .into()
}

fn openapi_json(_: &mut SchemaGenerator) -> Schema {
    json_document("An OpenAPI 3.1 document.")
}

/// Of no type: those who read YAML find an object, the others bytes, which is what generated clients take
/// from a media type that they do not know.
fn openapi_yaml(_: &mut SchemaGenerator) -> Schema {
    SchemaObject {
        metadata: described("An OpenAPI 3.1 document as YAML."),
        format: Some("binary".to_owned()),
        ..SchemaObject::default()
    }
    .into()
}

fn data_schema(_: &mut SchemaGenerator) -> Schema {
    json_document("A JSON Schema 2020-12 document.")
}

fn described(description: &str) -> Option<Box<Metadata>> {
    Some(Box::new(Metadata { description: Some(description.to_owned()), ..Metadata::default() }))
}

macro_rules! operations {
    ($($variant:ident = $id:ident: $row:expr;)+) => {
        /// An operation of the contract. Its id is the same from the trait down to the store.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $(#[doc = concat!("`", stringify!($id), "`")] $variant,)+
        }

        /// Every row, in table order.
        pub static ROWS: &[OperationRow] = &[$(OperationRow { id: stringify!($id), ..$row }),+];

        impl Operation {
            /// Every operation, in table order.
            pub const ALL: &'static [Operation] = &[$(Operation::$variant),+];

            /// The operation with this id.
            pub fn from_id(id: &str) -> Option<Operation> {
                match id { $(stringify!($id) => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

operations! {
    ScopeList = scope_list: partner(AUTH, Scope::PlatformRead, "The scope catalogue.");
    AppCreate = app_create: OperationRow { body: RequestBody::Json, body_max_bytes: 64 * KIB, ..row(AUTH, Access::Scope(Scope::PlatformAdmin), Audience::ExternalIntegrators, "The app was registered. Its client secret is shown this once.") };
    AppList = app_list: partner(AUTH, Scope::PlatformRead, "One page of the tenant's apps.");
    AppView = app_view: OperationRow { made_by: &[AN_APP], ..partner(AUTH, Scope::PlatformRead, "The app.") };
    AppGovernanceUpdate = app_governance_update: OperationRow { body: RequestBody::Json, extra: &[GOVERNANCE_CONFLICT], made_by: &[AN_APP], ..admin("The governance flags that are now in force.") };
    AppServiceTokenCreate = app_service_token_create: OperationRow { body: RequestBody::Json, extra: &[SERVICE_TOKENS_NOT_ALLOWED, APP_SUSPENDED], made_by: &[AN_APP_WITH_SERVICE_TOKENS], ..admin("The service token.") };
    AppSecretRotate = app_secret_rotate: OperationRow { body: RequestBody::OptionalJson, extra: &[NO_CLIENT_SECRET], made_by: &[AN_APP], ..admin("The new client secret, shown this once.") };
    AppCallbackSecretRotate = app_callback_secret_rotate: OperationRow { made_by: &[AN_APP], ..admin("The new callback secret, shown this once.") };
    AppSandboxTokenCreate = app_sandbox_token_create: OperationRow { body: RequestBody::OptionalJson, extra: &[APP_SUSPENDED], made_by: &[AN_APP], ..admin("The sandbox token and what it is good for.") };
    OauthToken = oauth_token: OperationRow { body: RequestBody::Form, made_by: &[AN_APP_AND_ITS_SECRET], ..row(AUTH, Access::Client, Audience::ExternalIntegrators, "The access token (RFC 6749, section 5.1).") };
    OauthAuthorize = oauth_authorize: OperationRow { made_by: &[AN_APP], ..row(AUTH, Access::Browser, Audience::ExternalIntegrators, "The browser is sent on: to sign in, to decide, or to the app with a code or a refusal.") };
    OauthPar = oauth_par: OperationRow { body: RequestBody::Form, made_by: &[AN_APP_AND_ITS_SECRET], ..row(AUTH, Access::Client, Audience::ExternalIntegrators, "The reference to the request (RFC 9126, section 2.2).") };
    OauthRevoke = oauth_revoke: OperationRow { body: RequestBody::Form, made_by: &[AN_APP_AND_ITS_SECRET], ..row(AUTH, Access::Client, Audience::ExternalIntegrators, "The token counts no more, if it was one of the app's.") };
    OauthIntrospect = oauth_introspect: OperationRow { body: RequestBody::Form, made_by: &[AN_APP_AND_ITS_SECRET], ..row(AUTH, Access::Client, Audience::ExternalIntegrators, "What the token is worth (RFC 7662, section 2.2).") };
    JwksView = jwks_view: keys();
    JwksViewVersioned = jwks_view_versioned: keys();
    WebhookCreate = webhook_create: OperationRow { body: RequestBody::Json, ..partner(AUTH_AND_SANDBOX, Scope::WebhooksWrite, "The subscription was created.") };
    WebhookList = webhook_list: partner(AUTH_AND_SANDBOX, Scope::WebhooksRead, "One page of the tenant's subscriptions.");
    WebhookView = webhook_view: OperationRow { made_by: &[A_WEBHOOK], ..partner(AUTH_AND_SANDBOX, Scope::WebhooksRead, "The subscription.") };
    WebhookUpdate = webhook_update: OperationRow { made_by: &[A_WEBHOOK], body: RequestBody::Json, ..partner(AUTH_AND_SANDBOX, Scope::WebhooksWrite, "The subscription as it is now.") };
    WebhookDelete = webhook_delete: OperationRow { made_by: &[A_WEBHOOK], ..partner(AUTH_AND_SANDBOX, Scope::WebhooksWrite, "The subscription has ended.") };
    WebhookDeliveryList = webhook_delivery_list: OperationRow { made_by: &[A_WEBHOOK], ..partner(AUTH_AND_SANDBOX, Scope::WebhooksRead, "One page of delivery attempts.") };
    WebhookTest = webhook_test: OperationRow { made_by: &[A_WEBHOOK], ..partner(AUTH_AND_SANDBOX, Scope::WebhooksWrite, "The test delivery was queued.") };
    WebhookDeliveryRetry = webhook_delivery_retry: OperationRow { extra: &[WEBHOOK_DISABLED], made_by: &[A_DELIVERY], ..partner(AUTH_AND_SANDBOX, Scope::WebhooksWrite, "The delivery was queued again.") };
    WebhookReplay = webhook_replay: OperationRow { extra: &[WEBHOOK_DISABLED], made_by: &[A_WEBHOOK], body: RequestBody::Json, ..partner(AUTH_AND_SANDBOX, Scope::WebhooksWrite, "The deliveries were queued again.") };
    GraphqlExecute = graphql_execute: OperationRow { body: RequestBody::Json, body_max_bytes: 256 * KIB, error: Some(&GRAPHQL_REFUSAL), ..partner(API_AND_SANDBOX, Scope::GraphqlExecute, "The result of the approved document, whole.") };
    TraceView = trace_view: OperationRow { extra: &[ExtraResponse {
            status: 503,
            description: "The trace backend is out of reach for now; the trace was still recorded.",
            body: ExtraBody::Schema(|generator| generator.subschema_for::<traces::TraceUnavailable>()),
        }], ..partner(SANDBOX, Scope::ObservabilityRead, "The tenant's spans of the trace.") };
    JobCreate = job_create: OperationRow { body: RequestBody::Json, body_max_bytes: 1024 * KIB, extra: &[
            ExtraResponse {
                status: 200,
                description: "The same `Idempotency-Key` was used within 24 hours: the first job, as it was answered then.",
                body: ExtraBody::Success,
            },
            ExtraResponse {
                status: 403,
                description: "The token lacks the scope or belongs to the other environment, or `secrecy_level` is above \
                    the caller's own.",
                body: ExtraBody::Error,
            },
            NO_CALLBACK_SECRET,
        ], callback: Some(JOB_ENDED), ..partner(API_AND_SANDBOX, Scope::JobsWrite, "The job was enqueued.") };
    UploadCreate = upload_create: partner(API_AND_SANDBOX, Scope::JobsWrite, "Where to send the bytes.");
    JobList = job_list: partner(API_AND_SANDBOX, Scope::JobsRead, "One page of the tenant's jobs.");
    JobView = job_view: OperationRow { made_by: &[A_JOB], ..partner(API_AND_SANDBOX, Scope::JobsRead, "The job.") };
    JobCancel = job_cancel: OperationRow { extra: &[
            ExtraResponse { status: 200, description: "The job was already cancelled.", body: ExtraBody::Empty },
            ExtraResponse {
                status: 409,
                description: "The job has already succeeded or failed.",
                body: ExtraBody::Error,
            },
        ], made_by: &[A_JOB], ..partner(API_AND_SANDBOX, Scope::JobsWrite, "The job was cancelled.") };
    JobResult = job_result: OperationRow { extra: &[
            ExtraResponse {
                status: 202,
                description: "The job is still queued or running.",
                body: ExtraBody::Schema(|generator| generator.subschema_for::<jobs::JobProgress>()),
            },
            ExtraResponse {
                status: 409,
                description: "The job failed or was cancelled; there is no result.",
                body: ExtraBody::Error,
            },
            ExtraResponse {
                status: 410,
                description: "The result has expired, 30 days after the job ended; the job itself can still be viewed.",
                body: ExtraBody::Error,
            },
        ], made_by: &[A_JOB], ..partner(API_AND_SANDBOX, Scope::JobsRead, "Where the result is.") };
    ProfileView = profile_view: partner(API_AND_SANDBOX, Scope::ProfilesRead, "The profile.");
    ProfileEnrich = profile_enrich: OperationRow { body: RequestBody::OptionalJson, ..partner(API_AND_SANDBOX, Scope::ProfilesWrite, "What the sources found.") };
    SandboxScenarioList = sandbox_scenario_list: row(SANDBOX, Access::AnyToken, Audience::ExternalIntegrators, "The scenario catalogue.");
    OpenapiJson = openapi_json: document(API_AND_SANDBOX, "The descriptor.", &[DESCRIPTOR_JSON]);
    OpenapiYaml = openapi_yaml: document(API_AND_SANDBOX, "The descriptor.", &[DESCRIPTOR_YAML]);
    OpenapiHostView = openapi_host_view: document(EVERY, "The descriptor of the host.", &[DESCRIPTOR_JSON, DESCRIPTOR_YAML]);
    ApiCatalog = api_catalog: OperationRow { links: true, ..document(API_AND_SANDBOX, "The link set.", &[LINK_SET]) };
    DataSchemaList = data_schema_list: partner(API_AND_SANDBOX, Scope::DiscoveryRead, "The data schemas that the caller may see.");
    DataSchemaView = data_schema_view: OperationRow { published_path: Some(DATA_SCHEMA_PATH), ..document(API_AND_SANDBOX, "The schema document.", &[DATA_SCHEMA]) };
    OauthMetadataView = oauth_metadata_view: public(AUTH, "What the authorization server can do.");
    ProtectedResourceView = protected_resource_view: public(API_AND_SANDBOX, "Who issues tokens for this host.");

    HealthView = health_view: internal(EVERY, Access::Public);
    ReadinessView = readiness_view: internal(EVERY, Access::Public);
    MetricsView = metrics_view: internal(AUTH, Access::Scope(Scope::InternalOperate));
    ReferenceEnglishView = reference_english_view: reference();
    ReferenceFrenchView = reference_french_view: reference();
    ReferenceTextView = reference_text_view: reference();
    ReferenceOutlineView = reference_outline_view: reference();
    DemoTokenView = demo_token_view: internal(&[Host::Api], Access::Public);
    ObjectView = object_view: signed(API_AND_SANDBOX);
    ObjectCreate = object_create: OperationRow { body: RequestBody::Bytes, body_max_bytes: GIB, ..signed(API_AND_SANDBOX) };
    TenantBootstrap = tenant_bootstrap: OperationRow { body: RequestBody::Json, ..internal(AUTH, Access::Scope(Scope::InternalOperate)) };
    SignInView = sign_in_view: page();
    SignInCreate = sign_in_create: page_form();
    SignOut = sign_out: page_form();
    AccountView = account_view: page();
    SessionEnd = session_end: page_form();
    ConsentView = consent_view: OperationRow { made_by: &[AN_APP], ..page() };
    ConsentCreate = consent_create: OperationRow { made_by: &[AN_APP], ..page_form() };
    GrantEnd = grant_end: OperationRow { made_by: &[AN_APP], ..page_form() };
    InvitationView = invitation_view: page();
    InvitationAccept = invitation_accept: page_form();
}

impl Operation {
    /// The operation's row.
    pub const fn row(self) -> &'static OperationRow {
        &ROWS[self as usize]
    }

    /// The operation id.
    pub const fn id(self) -> &'static str {
        self.row().id
    }

    /// Whether `host` serves the operation.
    pub fn served_by(self, host: Host) -> bool {
        self.row().served_by(host)
    }

    /// Whether the operation belongs to the published contract.
    pub fn is_published(self) -> bool {
        self.row().is_published()
    }
}
