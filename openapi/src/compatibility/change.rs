//! What can have changed between two documents, and in which direction a value goes.

use serde_json::Value;
use std::fmt;

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// An operation or a delivery.
    Operation,
    /// The name by which programs call an operation.
    OperationId,
    /// A host that serves an operation.
    Host,
    /// What a caller must show, and how it is sent.
    Security,
    /// A parameter.
    Parameter,
    /// Something that must be sent.
    RequiredInput,
    /// What leaving something out means.
    Default,
    /// A media type of a body.
    MediaType,
    /// A status that can be answered.
    Status,
    /// A header of a response.
    Header,
    /// A member of a body.
    Member,
    /// A member that is always there.
    AlwaysThere,
    /// A value of an enum.
    EnumValue,
    /// A type, or what is like one: a format, a pattern.
    Type,
    /// A bound.
    Bound,
    /// One of several forms.
    Form,
    /// A keyword of which nothing is known but that it says something else now.
    Keyword,
    /// That something will go.
    Deprecation,
}

impl Rule {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::OperationId => "operation-id",
            Self::Host => "host",
            Self::Security => "security",
            Self::Parameter => "parameter",
            Self::RequiredInput => "required-input",
            Self::Default => "default",
            Self::MediaType => "media-type",
            Self::Status => "status",
            Self::Header => "header",
            Self::Member => "member",
            Self::AlwaysThere => "always-there",
            Self::EnumValue => "enum-value",
            Self::Type => "type",
            Self::Bound => "bound",
            Self::Form => "form",
            Self::Keyword => "keyword",
            Self::Deprecation => "deprecation",
        }
    }
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which rule found it.
    pub rule: Rule,
    /// Whether a client of the base may fail with it.
    pub breaks: bool,
    /// Id of the operation or delivery.
    pub operation: String,
    /// Which part of it; empty for the whole.
    pub part: String,
    /// Which value of that part.
    pub value: Option<Value>,
    /// What changed, in words.
    pub detail: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.operation)?;
        if !self.part.is_empty() {
            write!(f, ", `{}`", self.part)?;
        }
        write!(f, ": {} ({})", self.detail, self.rule.as_str())
    }
}

/// Which way a value goes. What clients send may be taken more freely than before, and what they receive may be
/// promised more closely; the other way round they break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the client.
    Sent,
    /// To the client.
    Received,
}

impl Direction {
    pub(super) const fn opposite(self) -> Self {
        match self {
            Self::Sent => Self::Received,
            Self::Received => Self::Sent,
        }
    }
}

/// What a change does to the set of values that fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Some fit no more.
    Narrower,
    /// More fit.
    Wider,
    /// Both, or nobody knows.
    Other,
}

impl Effect {
    pub(super) const fn breaks(self, direction: Direction) -> bool {
        !matches!((self, direction), (Self::Narrower, Direction::Received) | (Self::Wider, Direction::Sent))
    }

    /// The effect of losing and of gaining something; none without either.
    pub(super) const fn of(lost: bool, gained: bool) -> Option<Self> {
        match (lost, gained) {
            (false, false) => None,
            (true, false) => Some(Self::Narrower),
            (false, true) => Some(Self::Wider),
            (true, true) => Some(Self::Other),
        }
    }
}
