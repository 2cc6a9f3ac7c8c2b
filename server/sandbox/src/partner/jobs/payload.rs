//! What a job's payload is to the sandbox: a part of the request's digest, and a number. Whether it
//! names something that is there is not judged.

use crate::engine::digest::{Frame, Members};
use crate::partner::ids::EXPORT_FORMS;
use argus_openapi::types::incidents::IncidentState;
use argus_openapi::types::jobs::results::ResultForm;
use argus_openapi::types::jobs::{
    EnrichPayload, ExportPayload, GraphPath, GraphPayload, ImportPayload, JobPayload,
};
use argus_openapi::types::profiles::{ProfileRecord, ProfileRelation};

/// Adds a payload as the canonical JSON of what was sent. What is absent and what says the same are alike.
pub(super) fn add(frame: &mut Frame, payload: &JobPayload) {
    frame.members(|members| match payload {
        JobPayload::IntelligenceEnrichBulk(payload) => enrich(members, payload),
        JobPayload::ExportBulk(payload) => export(members, payload),
        JobPayload::ImportBulk(payload) => import(members, payload),
        JobPayload::GraphCompute(payload) => graph(members, payload),
    });
}

fn enrich(members: &mut Members<'_>, payload: &EnrichPayload) {
    let EnrichPayload { profile_ids, sources } = payload;
    members.list("profile_ids", profile_ids);
    members.list("sources", sources);
}

fn export(members: &mut Members<'_>, payload: &ExportPayload) {
    let ExportPayload { profile_kinds, min_risk_score, updated_after, format, compression } = payload;
    members.optional("compression", compression.as_ref());
    members.optional("format", format.as_ref());
    members.optional("min_risk_score", min_risk_score.as_ref());
    members.list("profile_kinds", profile_kinds);
    members.optional("updated_after", updated_after.as_ref());
}

fn import(members: &mut Members<'_>, payload: &ImportPayload) {
    let ImportPayload { profiles, upload_ref, format } = payload;
    members.optional("format", format.as_ref());
    members.objects("profiles", profiles.as_deref().unwrap_or_default(), record);
    members.optional("upload_ref", upload_ref.as_ref());
}

fn record(members: &mut Members<'_>, profile: &ProfileRecord) {
    let ProfileRecord { id, kind, display_name, secrecy_level, risk_score, relations, incident } = profile;
    members.scalar("display_name", display_name);
    members.scalar("id", id);
    members.object("incident", incident.as_ref(), |members, state| {
        let IncidentState { status, severity, summary } = state;
        members.scalar("severity", severity);
        members.scalar("status", status);
        members.optional("summary", summary.as_ref());
    });
    members.scalar("kind", kind);
    members.objects("relations", relations, |members, relation| {
        let ProfileRelation { to, label } = relation;
        members.scalar("label", label);
        members.scalar("to", to);
    });
    members.optional("risk_score", risk_score.as_ref());
    members.optional("secrecy_level", secrecy_level.as_ref());
}

fn graph(members: &mut Members<'_>, payload: &GraphPayload) {
    let GraphPayload { algorithms, shortest_paths, profile_ids } = payload;
    members.list("algorithms", algorithms);
    members.list("profile_ids", profile_ids);
    members.objects("shortest_paths", shortest_paths, |members, path| {
        let GraphPath { from, to } = path;
        members.scalar("from", from);
        members.scalar("to", to);
    });
}

/// What a job id says of a payload: how many profiles it names, at least one, or in which form it wants them.
pub(super) fn size(payload: &JobPayload) -> usize {
    let named = match payload {
        JobPayload::IntelligenceEnrichBulk(payload) => payload.profile_ids.len(),
        JobPayload::ExportBulk(payload) => {
            let form = ResultForm::of_export(payload);
            EXPORT_FORMS.iter().position(|known| *known == form).map_or(0, |place| place + 1)
        }
        JobPayload::ImportBulk(payload) => payload.profiles.as_ref().map_or(0, Vec::len),
        JobPayload::GraphCompute(payload) => payload.profile_ids.len(),
    };
    named.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_openapi::read::MediaType;
    use argus_openapi::types::jobs::JobCreate;
    use argus_wire::canonical;
    use serde_json::{Value, json};

    fn assert_canonical(kind: &str, payload: &Value) {
        let body = json!({ "kind": kind, "payload": payload }).to_string();
        let job: JobCreate = MediaType::Json.parse(body.as_bytes()).expect("it fits");
        let (mut ours, mut plain) = (Frame::new("test"), Frame::new("test"));
        add(&mut ours, &job.payload);
        plain.part(canonical::to_string(payload).as_bytes());
        assert_eq!(ours.finish(), plain.finish(), "{body}");
    }

    #[test]
    fn a_payload_is_framed_as_the_canonical_json_that_was_sent() {
        let record = json!({
            "id": "p1", "kind": "wallet", "display_name": "\"q\" \\ / \u{e9}\u{1f5c2}", "secrecy_level": "secret", "risk_score": 7,
            "relations": [{ "to": "p2", "label": "owner" }, { "to": "p3", "label": "a b" }],
        });
        let least = json!({ "id": "p2", "kind": "entity", "display_name": "P" });
        let incident =
            |state: &Value| json!({ "id": "i1", "kind": "incident", "display_name": "I", "incident": state });
        let short = incident(&json!({ "status": "on scene", "severity": "high" }));
        let told = incident(&json!({ "summary": "It burns.", "status": "closed", "severity": "low" }));
        let path = json!({ "from": "p1", "to": "p2" });
        for (kind, payload) in [
            ("intelligence.enrich.bulk", json!({ "profile_ids": ["p1"] })),
            ("intelligence.enrich.bulk", json!({ "profile_ids": ["b", "a"], "sources": ["osint", "epcr"] })),
            ("export.bulk", json!({})),
            (
                "export.bulk",
                json!({ "profile_kinds": ["wallet"], "min_risk_score": 0, "updated_after": "2026-05-08T12:00:00.250Z",
                    "format": "csv", "compression": "gzip" }),
            ),
            ("import.bulk", json!({})),
            (
                "import.bulk",
                json!({ "profiles": [record, least], "upload_ref": "upl_1", "format": "ndjson" }),
            ),
            ("import.bulk", json!({ "profiles": [short, told] })),
            ("graph.compute", json!({})),
            (
                "graph.compute",
                json!({ "algorithms": ["degree"], "shortest_paths": [path, path], "profile_ids": ["p1"] }),
            ),
        ] {
            assert_canonical(kind, &payload);
        }
    }
}
