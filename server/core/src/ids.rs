//! Typed identifiers: a prefix that says what they name, and a ULID. One macro makes each of them, with
//! parsing, text, serde and SQL. Identifiers of other parties (scenarios, schemas) do not live here.

use crate::Clock;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use ulid::{ULID_LEN, Ulid};

/// `N` random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)?;
    Ok(bytes)
}

/// A fresh ULID of this moment.
pub fn ulid(clock: &Clock) -> Result<Ulid, Unspecified> {
    let milliseconds = u64::try_from(clock.now().timestamp_millis()).unwrap_or(0);
    Ok(Ulid::from_parts(milliseconds, u128::from_be_bytes(random()?)))
}

/// Text that is not an identifier of the kind that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of this kind")]
pub struct NotAnId;

/// Longest identifier, in characters: as every path and body takes it.
pub const MAX_LENGTH: usize = argus_openapi::types::common::IDENTIFIER_MAX_LENGTH;

/// Whether `text` is `prefix`, an underscore and at least one letter, digit or underscore.
pub fn is_id(prefix: &str, text: &str) -> bool {
    let rest = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !rest.is_empty() && text.len() <= MAX_LENGTH && rest.bytes().all(allowed)
}

/// Declares a typed identifier: `typed_id! { /// doc
/// TenantId = "tnt" }`; without a prefix it is a ULID alone.
#[macro_export]
macro_rules! typed_id {
    ($(#[$meta:meta])* $name:ident = $prefix:literal) => {
        $crate::typed_id! { @type $(#[$meta])* $name, |text| $crate::ids::is_id($prefix, text) }

        impl $name {
            /// What every identifier of this kind begins with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh identifier.
            pub fn fresh(clock: &$crate::Clock) -> Result<Self, $crate::Fault> {
                let ulid = $crate::ids::ulid(clock).map_err($crate::Fault::new)?;
                Ok(Self(format!("{}_{}", $prefix, ulid.to_string().to_ascii_lowercase()).into()))
            }
        }
    };
    ($(#[$meta:meta])* $name:ident) => {
        $crate::typed_id! { @type $(#[$meta])* $name, |text| $crate::ids::is_ulid(text) }

        impl $name {
            /// A fresh identifier.
            pub fn fresh(clock: &$crate::Clock) -> Result<Self, $crate::Fault> {
                let ulid = $crate::ids::ulid(clock).map_err($crate::Fault::new)?;
                Ok(Self(ulid.to_string().into()))
            }
        }
    };
    (@type $(#[$meta:meta])* $name:ident, |$text:ident| $is:expr) => {
        $(#[$meta])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            $crate::ids::__diesel::expression::AsExpression,
            $crate::ids::__diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = $crate::ids::__diesel::sql_types::Text)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ids::NotAnId;

            fn from_str($text: &str) -> Result<Self, Self::Err> {
                if $is { Ok(Self($text.into())) } else { Err($crate::ids::NotAnId) }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl $crate::ids::__serde::Serialize for $name {
            fn serialize<S: $crate::ids::__serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> $crate::ids::__serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::ids::__serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as $crate::ids::__serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err($crate::ids::__serde::de::Error::custom)
            }
        }

        impl<DB> $crate::ids::__diesel::serialize::ToSql<$crate::ids::__diesel::sql_types::Text, DB> for $name
        where
            DB: $crate::ids::__diesel::backend::Backend,
            str: $crate::ids::__diesel::serialize::ToSql<$crate::ids::__diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut $crate::ids::__diesel::serialize::Output<'b, '_, DB>,
            ) -> $crate::ids::__diesel::serialize::Result {
                <str as $crate::ids::__diesel::serialize::ToSql<_, DB>>::to_sql(&self.0, out)
            }
        }

        impl<DB> $crate::ids::__diesel::deserialize::FromSql<$crate::ids::__diesel::sql_types::Text, DB> for $name
        where
            DB: $crate::ids::__diesel::backend::Backend,
            String: $crate::ids::__diesel::deserialize::FromSql<$crate::ids::__diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> $crate::ids::__diesel::deserialize::Result<Self> {
                let text = <String as $crate::ids::__diesel::deserialize::FromSql<_, DB>>::from_sql(bytes)?;
                Ok(text.parse()?)
            }
        }
    };
}

/// Whether `text` is a ULID in the letters that it is written in.
pub fn is_ulid(text: &str) -> bool {
    Ulid::from_string(text).is_ok_and(|ulid| *ulid.array_to_str(&mut [0; ULID_LEN]) == *text)
}

#[doc(hidden)]
pub use diesel as __diesel;
#[doc(hidden)]
pub use serde as __serde;

typed_id! {
    /// A tenant: whose data it is.
    TenantId = "tnt"
}

typed_id! {
    /// An organisation inside a tenant.
    OrganizationId = "org"
}

typed_id! {
    /// An app that acts for a tenant: its OAuth client identifier.
    ClientId = "app"
}

typed_id! {
    /// Somebody who signs in.
    UserId = "usr"
}

typed_id! {
    /// A subscription to events.
    WebhookId = "wh"
}

typed_id! {
    /// A delivery: the `webhook-id` of all its attempts.
    DeliveryId = "dlv"
}

typed_id! {
    /// An event, the same in all its deliveries.
    EventId = "evt"
}

typed_id! {
    /// A job: a ULID alone, as its partners know it.
    JobId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_id_reads_back_as_itself_and_begins_with_its_prefix() {
        let id = TenantId::fresh(&Clock::system()).expect("randomness");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert_eq!(serde_json::from_str::<TenantId>(&format!("\"{id}\"")).ok(), Some(id.clone()));
        assert!(id.as_str().starts_with("tnt_") && id.as_str().len() == 30);
    }

    #[test]
    fn an_id_of_another_kind_or_alphabet_is_refused() {
        for text in [
            "",
            "tnt",
            "tnt_",
            "org_1",
            "tnt_A",
            "tnt_é",
            "tnt-1",
            " tnt_1",
            &format!("tnt_{}", "1".repeat(125)),
        ] {
            assert_eq!(text.parse::<TenantId>(), Err(NotAnId), "{text:?}");
        }
    }
}
