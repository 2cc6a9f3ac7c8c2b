//! The operation table: which host serves an operation, who may call it, and what it can answer
//! besides what its signature says. The gate enforces this table and the descriptor publishes it.

use crate::types::scopes::Scope;
use crate::types::{jobs, traces};
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;

/// A listener of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// Identity, OAuth and keys.
    Auth,
    /// The live partner surface.
    Api,
    /// The deterministic partner surface.
    Sandbox,
}

impl Host {
    /// Every host.
    pub const ALL: [Host; 3] = [Host::Auth, Host::Api, Host::Sandbox];

    /// Short name, as in configuration and the ready file.
    pub const fn name(self) -> &'static str {
        match self {
            Host::Auth => "auth",
            Host::Api => "api",
            Host::Sandbox => "sandbox",
        }
    }

    /// Base URL in production.
    pub const fn public_url(self) -> &'static str {
        match self {
            Host::Auth => "https://auth.knogin.com",
            Host::Api => "https://api.knogin.com",
            Host::Sandbox => "https://sandbox-api.knogin.com",
        }
    }
}

/// What a caller must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// OAuth client authentication (RFC 6749, section 2.3).
    Client,
    /// A bearer token of this host's audience, whatever its scopes.
    AnyToken,
    /// A bearer token of this host's audience with this scope.
    Scope(Scope),
}

/// Whom an operation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Partners who integrate.
    ExternalIntegrators,
    /// Administrators of the tenant.
    TenantAdmins,
    /// Operators of the service; never published.
    Internal,
}

impl Audience {
    /// The value of `x-argus-audience`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Audience::ExternalIntegrators => "external-integrators",
            Audience::TenantAdmins => "tenant-admins",
            Audience::Internal => "internal",
        }
    }
}

/// What a partner may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    /// Changes only by a new contract version.
    Stable,
}

impl Stability {
    /// The value of `x-argus-stability`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stability::Stable => "stable",
        }
    }
}

/// What the body of an extra response holds.
#[derive(Clone, Copy)]
pub enum ExtraBody {
    /// Nothing.
    Empty,
    /// The body of the operation's own success response.
    Success,
    /// The common error.
    Error,
    /// A type of its own.
    Schema(fn(&mut SchemaGenerator) -> Schema),
}

/// A response that an operation can give besides those that follow from its signature and access.
#[derive(Clone, Copy)]
pub struct ExtraResponse {
    /// HTTP status.
    pub status: u16,
    /// When it is given.
    pub description: &'static str,
    /// What it holds.
    pub body: ExtraBody,
}

/// One row of the operation table.
#[derive(Clone, Copy)]
pub struct OperationRow {
    /// The operation id, the same from the trait down to the store.
    pub id: &'static str,
    /// Hosts that serve the operation.
    pub hosts: &'static [Host],
    /// What a caller must show.
    pub access: Access,
    /// Whom the operation is for.
    pub audience: Audience,
    /// What a partner may rely on.
    pub stability: Stability,
    /// Media type of the success response.
    pub media_type: &'static str,
    /// Whether the request body may be left out.
    pub optional_body: bool,
    /// Responses besides those that follow from the signature and the access.
    pub extra: &'static [ExtraResponse],
}

const JSON: &str = "application/json";

/// A row with the defaults that most operations share.
const fn row(hosts: &'static [Host], access: Access, audience: Audience) -> OperationRow {
    OperationRow {
        // The table names the operation before the row.
        id: "",
        hosts,
        access,
        audience,
        stability: Stability::Stable,
        media_type: JSON,
        optional_body: false,
        extra: &[],
    }
}

/// A row of a partner operation that needs a scope.
const fn partner(hosts: &'static [Host], scope: Scope) -> OperationRow {
    row(hosts, Access::Scope(scope), Audience::ExternalIntegrators)
}

/// A row of an operation of the tenant's administrators.
const fn admin() -> OperationRow {
    row(AUTH, Access::Scope(Scope::PlatformAdmin), Audience::TenantAdmins)
}

/// A row of a public document.
const fn document(media_type: &'static str, extra: &'static [ExtraResponse]) -> OperationRow {
    OperationRow { media_type, extra, ..row(DISCOVERY, Access::Public, Audience::ExternalIntegrators) }
}

/// A row of an operation that is never published.
const fn internal(hosts: &'static [Host], access: Access) -> OperationRow {
    row(hosts, access, Audience::Internal)
}

const AUTH: &[Host] = &[Host::Auth];
const SANDBOX: &[Host] = &[Host::Sandbox];
const DISCOVERY: &[Host] = &[Host::Api, Host::Sandbox];
const EVERY: &[Host] = &Host::ALL;

const NOT_MODIFIED: ExtraResponse = ExtraResponse {
    status: 304,
    description: "The copy that `If-None-Match` names is still current.",
    body: ExtraBody::Empty,
};

const SERVICE_TOKENS_NOT_ALLOWED: ExtraResponse = ExtraResponse {
    status: 403,
    description: "The token lacks the scope, or the app's governance does not allow service tokens.",
    body: ExtraBody::Error,
};

macro_rules! operations {
    ($($(#[doc = $doc:literal])* $variant:ident = $id:ident: $row:expr;)+) => {
        /// An operation of the contract. Its id is the same from the trait down to the store.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $(#[doc = concat!("`", stringify!($id), "`")] $variant,)+
        }

        impl Operation {
            /// Every operation, in table order.
            pub const ALL: &'static [Operation] = &[$(Operation::$variant),+];

            /// The operation id.
            pub const fn id(self) -> &'static str {
                self.row().id
            }

            /// The operation with this id.
            pub fn from_id(id: &str) -> Option<Operation> {
                match id { $(stringify!($id) => Some(Self::$variant),)+ _ => None }
            }

            /// The operation's row.
            pub const fn row(self) -> &'static OperationRow {
                const ROWS: &[OperationRow] = &[$(OperationRow { id: stringify!($id), ..$row }),+];
                &ROWS[self as usize]
            }
        }
    };
}

operations! {
    ScopeList = scope_list: partner(AUTH, Scope::PlatformRead);
    AppCreate = app_create: row(AUTH, Access::Scope(Scope::PlatformAdmin), Audience::ExternalIntegrators);
    AppList = app_list: partner(AUTH, Scope::PlatformRead);
    AppView = app_view: partner(AUTH, Scope::PlatformRead);
    AppGovernanceUpdate = app_governance_update: admin();
    AppServiceTokenCreate = app_service_token_create: OperationRow { extra: &[SERVICE_TOKENS_NOT_ALLOWED], ..admin() };
    AppSecretRotate = app_secret_rotate: admin();
    AppSandboxTokenCreate = app_sandbox_token_create: OperationRow { optional_body: true, ..admin() };
    OauthToken = oauth_token: row(AUTH, Access::Client, Audience::ExternalIntegrators);
    JwksView = jwks_view: row(AUTH, Access::Public, Audience::ExternalIntegrators);
    JwksViewVersioned = jwks_view_versioned: row(AUTH, Access::Public, Audience::ExternalIntegrators);
    WebhookCreate = webhook_create: partner(SANDBOX, Scope::WebhooksWrite);
    WebhookList = webhook_list: partner(SANDBOX, Scope::WebhooksRead);
    WebhookView = webhook_view: partner(SANDBOX, Scope::WebhooksRead);
    WebhookUpdate = webhook_update: partner(SANDBOX, Scope::WebhooksWrite);
    WebhookDelete = webhook_delete: partner(SANDBOX, Scope::WebhooksWrite);
    WebhookDeliveryList = webhook_delivery_list: partner(SANDBOX, Scope::WebhooksRead);
    WebhookTest = webhook_test: partner(SANDBOX, Scope::WebhooksWrite);
    GraphqlExecute = graphql_execute: partner(SANDBOX, Scope::GraphqlExecute);
    TraceView = trace_view: OperationRow {
        extra: &[ExtraResponse {
            status: 503,
            description: "The trace backend is out of reach for now; the trace was still recorded.",
            body: ExtraBody::Schema(|generator| generator.subschema_for::<traces::TraceUnavailable>()),
        }],
        ..partner(SANDBOX, Scope::ObservabilityRead)
    };
    JobCreate = job_create: OperationRow {
        extra: &[
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
        ],
        ..partner(SANDBOX, Scope::JobsWrite)
    };
    JobList = job_list: partner(SANDBOX, Scope::JobsRead);
    JobView = job_view: partner(SANDBOX, Scope::JobsRead);
    JobCancel = job_cancel: OperationRow {
        extra: &[
            ExtraResponse { status: 200, description: "The job was already cancelled.", body: ExtraBody::Empty },
            ExtraResponse {
                status: 409,
                description: "The job has already succeeded or failed.",
                body: ExtraBody::Error,
            },
        ],
        ..partner(SANDBOX, Scope::JobsWrite)
    };
    JobResult = job_result: OperationRow {
        extra: &[
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
        ],
        ..partner(SANDBOX, Scope::JobsRead)
    };
    ProfileView = profile_view: partner(SANDBOX, Scope::ProfilesRead);
    ProfileEnrich = profile_enrich: OperationRow { optional_body: true, ..partner(SANDBOX, Scope::ProfilesWrite) };
    SandboxScenarioList = sandbox_scenario_list: row(SANDBOX, Access::AnyToken, Audience::ExternalIntegrators);
    OpenapiJson = openapi_json: document(JSON, &[NOT_MODIFIED]);
    OpenapiYaml = openapi_yaml: document("application/yaml", &[NOT_MODIFIED]);
    ApiCatalog = api_catalog: document("application/linkset+json", &[]);
    DataSchemaList = data_schema_list: partner(SANDBOX, Scope::DiscoveryRead);
    DataSchemaView = data_schema_view: document("application/schema+json", &[NOT_MODIFIED]);

    OpenapiJsonHead = openapi_json_head: internal(DISCOVERY, Access::Public);
    OpenapiYamlHead = openapi_yaml_head: internal(DISCOVERY, Access::Public);
    ApiCatalogHead = api_catalog_head: internal(DISCOVERY, Access::Public);
    DataSchemaHead = data_schema_head: internal(DISCOVERY, Access::Public);
    OauthMetadataView = oauth_metadata_view: internal(AUTH, Access::Public);
    HealthView = health_view: internal(EVERY, Access::Public);
    ReadinessView = readiness_view: internal(EVERY, Access::Public);
    MetricsView = metrics_view: internal(AUTH, Access::Scope(Scope::InternalOperate));
    TenantBootstrap = tenant_bootstrap: internal(AUTH, Access::Scope(Scope::InternalOperate));
}

impl OperationRow {
    /// Whether `host` serves the operation.
    pub fn served_by(&self, host: Host) -> bool {
        self.hosts.contains(&host)
    }

    /// Whether the operation belongs to the published contract.
    pub fn is_published(&self) -> bool {
        self.audience != Audience::Internal
    }
}

impl Operation {
    /// Whether `host` serves the operation.
    pub fn served_by(self, host: Host) -> bool {
        self.row().served_by(host)
    }

    /// Whether the operation belongs to the published contract.
    pub fn is_published(self) -> bool {
        self.row().is_published()
    }
}
