//! Moments that the service tells.

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::ops::Deref;

/// Moment in time, RFC 3339 in UTC, for example `2026-05-08T12:00:00Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(DateTime<Utc>);

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment)
    }
}

impl Deref for Timestamp {
    type Target = DateTime<Utc>;

    fn deref(&self) -> &DateTime<Utc> {
        &self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Timestamp {
    // As chrono writes it, but whole: a serializer that gets it digit by digit looks at each for what must be escaped,
    // which takes three times as long.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

impl JsonSchema for Timestamp {
    fn is_referenceable() -> bool {
        DateTime::<Utc>::is_referenceable()
    }

    fn schema_name() -> String {
        DateTime::<Utc>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        DateTime::<Utc>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_chrono_does_and_reads_back() {
        for micros in [0, 1, 1_000, 1_778_241_600_000_000, 1_778_241_600_120_000, -1, 253_402_300_799_999_999]
        {
            let moment = DateTime::from_timestamp_micros(micros).expect("a moment");
            let written = serde_json::to_string(&Timestamp(moment)).expect("JSON");
            assert_eq!(written, serde_json::to_string(&moment).expect("JSON"));
            assert_eq!(serde_json::from_str::<Timestamp>(&written).expect("a moment"), Timestamp(moment));
        }
    }
}
