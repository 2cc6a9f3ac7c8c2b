//! One row of an operation table: what is known of an operation besides its signature. The tables
//! themselves stand elsewhere, that of the Argus External API in [`crate::operations`].

use crate::contract::ErrorShape;
use crate::read::MediaType;
use crate::types::scopes::Scope;
use crate::{Host, Operation};
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;

/// What a caller must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// OAuth client authentication (RFC 6749, section 2.3).
    Client,
    /// A URL that this service has signed for what is asked, and nothing else.
    SignedUrl,
    /// Nothing but that it is a browser: its session cookie, if it has one, says who it is. Errors are pages.
    Browser,
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

/// A form in which a document is served (RFC 9110, section 3.2).
#[derive(Clone, Copy)]
pub struct Representation {
    /// Its media type.
    pub media_type: &'static str,
    /// Its schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
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

/// What an operation takes as its body. The signature says of which type it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// Nothing.
    None,
    /// JSON.
    Json,
    /// JSON, or nothing.
    OptionalJson,
    /// A form.
    Form,
    /// Bytes that are taken as they come. How many there may be is said where they are asked for; what the row
    /// says is the most that is ever allowed.
    Bytes,
}

impl RequestBody {
    /// Its media type, if there is a body at all.
    pub const fn media_type(self) -> Option<MediaType> {
        match self {
            RequestBody::None => None,
            RequestBody::Json | RequestBody::OptionalJson => Some(MediaType::Json),
            RequestBody::Form => Some(MediaType::Form),
            RequestBody::Bytes => Some(MediaType::Bytes),
        }
    }
}

/// Who may keep a copy of a success response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    /// Nobody: it was made for one caller.
    Private,
    /// Anyone, for a while; pages of any origin may read it.
    Public,
    /// As `Public`, and it has a strong entity tag, by which a copy can be revalidated.
    Tagged,
}

impl Caching {
    /// How long a copy may be used before it is asked for again, in seconds; none where nobody keeps one.
    pub const fn max_age(self) -> Option<u32> {
        match self {
            Caching::Private => None,
            Caching::Public | Caching::Tagged => Some(300),
        }
    }
}

/// That an operation will go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// Since when it should not be used any more, a date of RFC 3339 (RFC 9745).
    pub since: &'static str,
    /// From when on it may be gone, a date of RFC 3339 (RFC 8594).
    pub sunset: Option<&'static str>,
    /// Id of the operation to use instead.
    pub successor: Option<&'static str>,
}

/// A path that dropshot cannot route as it is published: there a variable is a whole segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedPath {
    /// The path template as it is published.
    pub template: &'static str,
    /// What the routed path's variable is called in it.
    pub variable: &'static str,
    /// What that variable means.
    pub description: &'static str,
}

/// A delivery to a URL that a request names.
#[derive(Clone, Copy)]
pub struct Callback {
    /// Its name.
    pub name: &'static str,
    /// Where the request has the URL, as a runtime expression of OpenAPI.
    pub url: &'static str,
    /// What happened, in a sentence.
    pub summary: &'static str,
    /// Whether a header of the delivery names a job.
    pub of_job: bool,
    /// The schema of its body.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// Where values come from that only a running service knows, so that a test can ask for them on each
/// host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeBy {
    /// Id of the operation that makes the resource.
    pub operation: &'static str,
    /// What its reply gives.
    pub gives: &'static [Given],
    /// Ids of operations that make the new resource fit, in this order.
    pub then: &'static [&'static str],
}

/// A value of a reply that another request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// Path parameter or member of the request body that takes the value.
    pub parameter: &'static str,
    /// Where the reply has the value, as a JSON pointer (RFC 6901).
    pub pointer: &'static str,
}

/// One row of an operation table.
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
    /// Whether, and since when, it should not be used any more.
    pub deprecation: Option<Deprecation>,
    /// What its errors look like, where not as the contract's.
    pub error: Option<&'static ErrorShape>,
    /// What it takes as its body.
    pub body: RequestBody,
    /// How long that body may be, in bytes.
    pub body_max_bytes: usize,
    /// What a success response holds, for readers of the descriptor.
    pub success: &'static str,
    /// In which forms a success body is served that the signature calls a document.
    pub document: &'static [Representation],
    /// Who may keep a copy of the success response.
    pub caching: Caching,
    /// Whether a `Link` header of the success response says what the document is (RFC 8288).
    pub links: bool,
    /// Responses besides those that follow from the signature and the access.
    pub extra: &'static [ExtraResponse],
    /// What is delivered to a URL that its request names.
    pub callback: Option<Callback>,
    /// The path as it is published, where it is not the routed one.
    pub published_path: Option<PublishedPath>,
    /// What makes the values that its requests need.
    pub made_by: &'static [MadeBy],
}

/// The headers that pages of any origin may read of a reply that is open to all.
pub const EXPOSED_HEADERS: &str =
    "ETag, Link, X-Argus-Trace-ID, X-Argus-Span-ID, traceparent, X-Argus-Sandbox, X-Request-ID";

impl OperationRow {
    /// Whether `host` serves the operation.
    pub fn served_by(&self, host: Host) -> bool {
        self.hosts.contains(&host)
    }

    /// Whether the operation belongs to the published contract.
    pub fn is_published(&self) -> bool {
        self.audience != Audience::Internal
    }

    /// Whether a proxy in front keeps it from the world: operators come past the proxy. Whether the process
    /// lives is asked by whoever balances load, and tells nothing else. A signed URL was given to somebody out
    /// there, and nobody else can make one. Pages are for people.
    pub fn stays_inside(&self) -> bool {
        let is_for_the_world = matches!(self.access, Access::SignedUrl | Access::Browser);
        !self.is_published() && !is_for_the_world && self.id != Operation::HealthView.id()
    }

    /// Whether the sandbox answers the operation with mocks, and so honours `Prefer`. Documents are
    /// served there as they are, and so is what a signed URL leads to.
    pub fn is_mocked(&self) -> bool {
        self.served_by(Host::Sandbox) && !matches!(self.access, Access::Public | Access::SignedUrl)
    }

    /// Whether `host` refuses for a while whoever fails to authenticate here too often. The sandbox never does: its
    /// replies depend on the request alone, and not on what others at the same address have tried. A browser need not show
    /// anything; passwords, which it sends to one page, are limited there.
    pub fn limits_failures_on(&self, host: Host) -> bool {
        self.served_by(host)
            && host != Host::Sandbox
            && !matches!(self.access, Access::Public | Access::SignedUrl | Access::Browser)
    }

    /// Whether live calls of the operation count for their app and its tenant, and may be limited. Calls on the sandbox
    /// host never do.
    pub fn is_metered(&self) -> bool {
        self.hosts.iter().any(|host| *host != Host::Sandbox)
            && matches!(self.access, Access::AnyToken | Access::Scope(_))
    }

    /// Whether pages of any origin may read the replies (CORS).
    pub fn is_open(&self) -> bool {
        self.caching != Caching::Private
    }

    /// Whether requests may be conditional (RFC 9110, section 13).
    pub fn is_tagged(&self) -> bool {
        self.caching == Caching::Tagged
    }
}
