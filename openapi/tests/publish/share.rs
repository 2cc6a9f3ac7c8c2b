//! Error responses that operations have in common are written once, and only those.

use crate::support::{descriptor, operation};
use serde_json::json;

#[test]
fn an_error_that_many_operations_have_is_written_once() {
    let shared = json!({ "$ref": "#/components/responses/PartnerNotFound" });
    for id in ["job_view", "profile_view"] {
        assert_eq!(operation(id)["responses"]["404"], shared, "{id}");
    }
    let response = &descriptor()["components"]["responses"]["PartnerNotFound"];
    assert_eq!(response["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/ApiError");
}

#[test]
fn an_error_with_a_description_or_example_of_its_own_stays_where_it_is() {
    let cancel = &operation("job_cancel")["responses"]["409"];
    assert_eq!(cancel["description"], "The job has already succeeded or failed.");
    let scenarios = &operation("sandbox_scenario_list")["responses"]["403"];
    let example = &scenarios["content"]["application/json"]["example"];
    assert_eq!(example["error_code"], "live_token_on_sandbox_host");
}

#[test]
fn hosts_do_not_share_responses_whose_headers_differ() {
    let auth = &descriptor()["components"]["responses"]["AuthNotFound"]["headers"];
    let partner = &descriptor()["components"]["responses"]["PartnerNotFound"]["headers"];
    assert!(auth.is_object() && auth.get("X-Argus-Sandbox").is_none());
    assert!(partner.get("X-Argus-Sandbox").is_some());
    // Of operations that auth and sandbox serve.
    let shared = json!({ "$ref": "#/components/responses/AuthAndSandboxNotFound" });
    for id in ["webhook_view", "webhook_delete"] {
        assert_eq!(operation(id)["responses"]["404"], shared, "{id}");
    }
}
