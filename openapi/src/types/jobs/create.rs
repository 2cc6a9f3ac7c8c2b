//! The request for a job: one shape for each kind, so that `kind` says what `payload` holds.
//!
//! `kind` is looked for first, wherever it stands, and the whole is then read as that kind's shape. An enum
//! of serde's would keep the payload in between, and lose line, column and unknown members with it.

use super::JobKind;
use super::payloads::{EnrichPayload, ExportPayload, GraphPayload, ImportPayload};
use crate::read::{MediaType, Readable};
use crate::types::common::SecrecyLevel;
use crate::types::error::Error;
use crate::types::json_object::JsonObject;
use crate::types::uri::ReceiverUrl;
use crate::types::wire_enum;
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{Schema, SchemaObject, SubschemaValidation};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use validator::{Validate, ValidationErrors};

/// A job to enqueue.
#[derive(Clone, Debug, PartialEq, Eq, Validate)]
pub struct JobCreate {
    /// What the job does, and with what.
    #[validate(nested)]
    pub payload: JobPayload,
    /// Where the signed completion callback goes.
    pub callback_url: Option<ReceiverUrl>,
    /// Secrecy of the job and its result; `standard` when absent.
    pub secrecy_level: Option<SecrecyLevel>,
}

impl JobCreate {
    /// What the job does.
    pub const fn kind(&self) -> JobKind {
        self.payload.kind()
    }
}

/// A job of one kind, as it stands in a request. Its documentation is published with each kind.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Members<P> {
    /// What the job does.
    // Read before, to know which `P` it is; here it is taken, and published.
    #[allow(dead_code)]
    kind: JobKind,
    /// What it takes for that.
    payload: P,
    /// Where the signed completion callback goes: an absolute `https` URL in the letters of RFC 3986,
    /// without user name, password or fragment, at most 2048 characters.
    #[serde(default)]
    callback_url: Option<ReceiverUrl>,
    /// Secrecy of the job and its result; `standard` when absent. A level above the caller's own is
    /// refused with 403 `secrecy_level_exceeded`.
    #[serde(default)]
    secrecy_level: Option<SecrecyLevel>,
}

impl<P> Members<P> {
    fn into_job(self, payload: impl FnOnce(P) -> JobPayload) -> JobCreate {
        let Self { kind: _, payload: own, callback_url, secrecy_level } = self;
        JobCreate { payload: payload(own), callback_url, secrecy_level }
    }
}

/// The one list of the kinds, each with its payload and the name and description of its published schema.
macro_rules! kinds {
    ($(#[doc = $doc:literal] $job:ident: $kind:ident($payload:ident),)+) => {
        /// What a job does, and with what.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum JobPayload {
            $(#[doc = $doc] $kind($payload),)+
        }

        impl JobPayload {
            /// What the job does.
            pub const fn kind(&self) -> JobKind {
                match self { $(Self::$kind(_) => JobKind::$kind,)+ }
            }
        }

        impl Validate for JobPayload {
            fn validate(&self) -> Result<(), ValidationErrors> {
                match self { $(Self::$kind(payload) => payload.validate(),)+ }
            }
        }

        impl Readable for JobCreate {
            fn read(media_type: MediaType, bytes: &[u8]) -> Result<Self, Error> {
                match kind(bytes) {
                    $(Some(JobKind::$kind) => {
                        Ok(media_type.parse::<Members<$payload>>(bytes)?.into_job(JobPayload::$kind))
                    })+
                    // It does not fit any kind; this finds out why.
                    None => match media_type.parse::<Members<JsonObject>>(bytes) {
                        Ok(_) => Err(crate::read::invalid("`kind` is not one of the contract's")),
                        Err(error) => Err(error),
                    },
                }
            }
        }

        impl JsonSchema for JobCreate {
            fn schema_name() -> String {
                "JobCreate".to_owned()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                one_of(vec![$(generator.subschema_for::<$job>()),+])
            }
        }

        $(
            enum $job {}

            impl JsonSchema for $job {
                fn schema_name() -> String {
                    stringify!($job).to_owned()
                }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    of_kind::<$payload>(JobKind::$kind, $doc, generator)
                }
            }
        )+
    };
}

kinds! {
    /// A job that enriches many profiles.
    EnrichJob: IntelligenceEnrichBulk(EnrichPayload),
    /// A job that exports profiles in bulk.
    ExportJob: ExportBulk(ExportPayload),
    /// A job that imports profiles in bulk.
    ImportJob: ImportBulk(ImportPayload),
    /// A job that computes over the relations of profiles.
    GraphJob: GraphCompute(GraphPayload),
}

/// The shape of one kind's jobs: `kind` has one value, by which clients tell the shapes apart.
fn of_kind<P: JsonSchema>(kind: JobKind, description: &str, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Members::<P>::json_schema(generator).into_object();
    schema.metadata().description = Some(description.trim_ascii().to_owned());
    let members = &mut schema.object().properties;
    let mut one_value = wire_enum::values([kind]);
    one_value.metadata = members.remove("kind").and_then(|member| member.into_object().metadata);
    members.insert("kind".to_owned(), one_value.into());
    schema.into()
}

/// One of these shapes. Their `kind` tells them apart without a discriminator, with which generated clients for
/// Rust write `kind` twice.
fn one_of(shapes: Vec<Schema>) -> Schema {
    let shapes = SubschemaValidation { one_of: Some(shapes), ..SubschemaValidation::default() };
    let mut schema = SchemaObject { subschemas: Some(Box::new(shapes)), ..SchemaObject::default() };
    schema.metadata().description =
        Some("A job to enqueue. What `payload` holds depends on `kind`.".to_owned());
    schema.into()
}

/// The first `kind` of a JSON object; none where there is no such value. Nothing else is judged here, and nothing
/// behind it is looked at.
fn kind(json: &[u8]) -> Option<JobKind> {
    kind_in_front(json).or_else(|| kind_anywhere(json))
}

/// The `kind` with which an object begins, as nearly every client writes it: these few bytes need no parser.
fn kind_in_front(json: &[u8]) -> Option<JobKind> {
    let value = [&b"{"[..], b"\"kind\"", b":", b"\""]
        .iter()
        .try_fold(json, |rest, token| rest.trim_ascii_start().strip_prefix(*token))?;
    let end = value.iter().position(|byte| *byte == b'"')?;
    str::from_utf8(&value[..end]).ok()?.parse().ok()
}

/// A `kind` wherever it stands, and however it is written.
fn kind_anywhere(json: &[u8]) -> Option<JobKind> {
    let mut found = None;
    // That the object does not end at `kind` is no error of its.
    let _ = serde_json::Deserializer::from_slice(json).deserialize_map(FirstKind(&mut found));
    found
}

struct FirstKind<'f>(&'f mut Option<JobKind>);

impl<'de> Visitor<'de> for FirstKind<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<Name>()? {
            if name.is_kind {
                *self.0 = Some(members.next_value()?);
                break;
            }
            members.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// The name of a member, which need not be kept.
struct Name {
    is_kind: bool,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Compare;

        impl Visitor<'_> for Compare {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(Name { is_kind: name == "kind" })
            }
        }

        deserializer.deserialize_identifier(Compare)
    }
}

impl Serialize for JobCreate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { payload, callback_url, secrecy_level } = self;
        let mut job = serializer.serialize_struct("JobCreate", 4)?;
        job.serialize_field("kind", &self.kind())?;
        job.serialize_field("payload", payload)?;
        if let Some(callback_url) = callback_url {
            job.serialize_field("callback_url", callback_url)?;
        }
        if let Some(secrecy_level) = secrecy_level {
            job.serialize_field("secrecy_level", secrecy_level)?;
        }
        job.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::within_bounds;
    use crate::types::profiles::EnrichmentSource;

    fn read(body: &str) -> Result<JobCreate, String> {
        MediaType::Json
            .parse(body.as_bytes())
            .and_then(within_bounds::<JobCreate>)
            .map_err(|error| error.message)
    }

    fn refused(body: &str) -> String {
        read(body).expect_err(body)
    }

    #[test]
    fn a_payload_is_read_as_that_of_its_kind_wherever_kind_stands() {
        let payload = EnrichPayload {
            profile_ids: vec!["p1".parse().expect("an identifier")],
            sources: vec![EnrichmentSource::Osint],
        };
        let job = JobCreate {
            payload: JobPayload::IntelligenceEnrichBulk(payload),
            callback_url: None,
            secrecy_level: Some(SecrecyLevel::Secret),
        };
        for body in [
            r#"{"kind":"intelligence.enrich.bulk","payload":{"profile_ids":["p1"],"sources":["osint"]},"secrecy_level":"secret"}"#,
            r#" { "kind" : "intelligence.enrich\u002ebulk","payload":{"profile_ids":["p1"],"sources":["osint"]},"secrecy_level":"secret"}"#,
            r#"{"payload":{"sources":["osint"],"profile_ids":["p1"]},"secrecy_level":"secret","\u006bind":"intelligence.enrich.bulk"}"#,
        ] {
            assert_eq!(read(body).as_ref(), Ok(&job));
        }
        assert_eq!(job.kind(), JobKind::IntelligenceEnrichBulk);
        let written = serde_json::to_string(&job).expect("it is JSON");
        assert_eq!(read(&written), Ok(job));
    }

    #[test]
    fn every_kind_takes_the_payload_of_its_own_and_of_no_other() {
        let payloads = [
            (JobKind::IntelligenceEnrichBulk, r#"{"profile_ids":["p1"],"sources":[]}"#),
            (JobKind::ExportBulk, r#"{"compression":"gzip"}"#),
            (JobKind::ImportBulk, r#"{"upload_ref":"upl_1"}"#),
            (JobKind::GraphCompute, r#"{"algorithms":["degree"]}"#),
        ];
        for kind in JobKind::ALL {
            for (own, payload) in payloads {
                let body = format!(r#"{{"kind":"{kind}","payload":{payload}}}"#);
                assert_eq!(read(&body).map(|job| job.kind()).ok(), (own == kind).then_some(kind), "{body}");
            }
        }
    }

    #[test]
    fn a_payload_that_does_not_fit_its_kind_is_refused_with_its_place_whatever_the_order_of_the_members() {
        assert_eq!(
            refused(
                "{\"kind\":\"intelligence.enrich.bulk\",\n\"payload\":{\"profile_ids\":[\"a\",\"b\",\"c\",7]}}"
            ),
            "the JSON body does not fit the contract at `payload.profile_ids[3]`: \
             invalid type: integer `7`, expected a string at line 2 column 39"
        );
        assert_eq!(
            refused("{\"payload\":{\"profile_ids\":[\"a b\"]},\n\"kind\":\"intelligence.enrich.bulk\"}"),
            "the JSON body does not fit the contract at `payload.profile_ids[0]`: \
             an identifier has 1 to 128 characters out of letters, digits and . _ : ~ - at line 1 column 33"
        );
        assert_eq!(
            refused("{\"payload\":{\"colour\":1},\"kind\":\"import.bulk\"}"),
            "the JSON body does not fit the contract at `payload.colour`: unknown field `colour`, \
             expected one of `profiles`, `upload_ref`, `format` at line 1 column 20"
        );
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_every_depth() {
        for (kind, payload, name) in [
            ("export.bulk", r#"{"format":"csv","format":"csv"}"#, "format"),
            ("graph.compute", r#"{"shortest_paths":[{"from":"a","to":"b","\u0074o":"b"}]}"#, "to"),
            (
                "import.bulk",
                r#"{"profiles":[{"id":"a","kind":"wallet","display_name":"A","relations":[{"to":"b","to":"b","label":"o"}]}]}"#,
                "to",
            ),
        ] {
            let message = refused(&format!(r#"{{"payload":{payload},"kind":"{kind}"}}"#));
            assert!(message.contains(&format!("duplicate field `{name}` at line 1 column")), "{message}");
        }
        let twice = refused(r#"{"kind":"export.bulk","payload":{},"kind":"import.bulk"}"#);
        assert!(twice.contains("duplicate field `kind`"), "{twice}");
    }

    #[test]
    fn an_array_does_not_stand_for_an_object_in_a_payload() {
        for (kind, payload) in [
            ("intelligence.enrich.bulk", r#"[["p1"]]"#),
            ("export.bulk", "[]"),
            ("import.bulk", r#"{"profiles":[["a","wallet","A"]]}"#),
            ("graph.compute", r#"{"shortest_paths":[["a","b"]]}"#),
        ] {
            let message = refused(&format!(r#"{{"kind":"{kind}","payload":{payload}}}"#));
            assert!(message.contains("invalid type: sequence, expected an object"), "{message}");
        }
    }

    #[test]
    fn a_body_without_a_kind_is_refused_for_what_is_wrong_with_it() {
        for (body, named) in [
            (r#"{"payload":{}}"#, "missing field `kind`"),
            (
                r#"{"kind":"nonsense","payload":{}}"#,
                "at `kind`: invalid value: string \"nonsense\", expected one of",
            ),
            (r#"{"kind":7,"payload":{}}"#, "at `kind`"),
            (r#"{"colour":1,"payload":{}}"#, "unknown field `colour`"),
            (r#"{"payload":{},"kind"}"#, "line 1 column 21"),
            (r#"{"payload":nonsense,"kind":"export.bulk"}"#, "line 1 column 13"),
            (r#"{"kind":"export.bulk"}"#, "missing field `payload`"),
            ("[]", "must be an object"),
            ("", "EOF"),
        ] {
            let message = refused(body);
            assert!(message.contains(named), "{body}: {message}");
        }
    }
}
