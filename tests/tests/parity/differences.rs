//! In what the hosts may differ, and why. A line that explains nothing any more fails the suite.

/// Something in which the answers of the two hosts differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Difference {
    /// The operation, or `*` for each.
    pub(super) operation: &'static str,
    /// The case, or `*` for each.
    pub(super) case: &'static str,
    /// What differs: `status`, `header NAME`, `body`, `error_code` or `message`.
    pub(super) what: &'static str,
    /// Why that is right.
    #[allow(dead_code, reason = "it is there for whoever reads the list")]
    pub(super) reason: &'static str,
}

impl Difference {
    /// Whether the line is about this.
    pub(super) fn covers(&self, operation: &str, case: &str, found: &str) -> bool {
        let is = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        let begins = found.strip_prefix(self.what).is_some_and(|rest| rest.starts_with([' ', ':']));
        is(self.operation, operation) && is(self.case, case) && begins
    }
}

const fn line(
    operation: &'static str,
    case: &'static str,
    what: &'static str,
    reason: &'static str,
) -> Difference {
    Difference { operation, case, what, reason }
}

const NO_MEMORY: &str = "the sandbox has no memory: the same request has the same reply";
const EVERY_PROFILE: &str = "the sandbox makes up a profile for every identifier";
const PREFER: &str = "`Prefer` is the sandbox's; the live host has no clock to move and no status to force";
const REASONS: &str = "each host names the environment whose token it refuses";

pub(super) const DIFFERENCES: [Difference; 15] = [
    line("*", "a token of the other environment", "header x-argus-sandbox-reason", REASONS),
    line("*", "a token of the other environment", "error_code", REASONS),
    line("*", "a token of the other environment", "message", REASONS),
    line("job_create", "its key a second time", "status", NO_MEMORY),
    line("job_cancel", "a job that was cancelled just now", "status", NO_MEMORY),
    line("job_cancel", "a job that has succeeded", "header preference-applied", PREFER),
    line("profile_view", "an identifier that nobody has", "status", EVERY_PROFILE),
    line("profile_enrich", "an identifier that nobody has", "status", EVERY_PROFILE),
    line("object_view", "a part that is not there", "message", "each file has a length of its own"),
    line("job_view", "a job that waits", "header preference-applied", PREFER),
    line("job_result", "a job that waits", "header preference-applied", PREFER),
    line("protected_resource_view", "usual", "body", ITSELF),
    line("protected_resource_view", "a trace", "body", ITSELF),
    line("protected_resource_view", "an origin", "body", ITSELF),
    line("protected_resource_view", "an unknown parameter", "body", ITSELF),
];

/// Of hosts that serve other operations.
const ITSELF: &str = "each host names itself and the scopes that its own operations ask for";

const NOT_LIVE: &str = "not live yet";
const OF_AUTH: &str = "the auth host serves it live";

/// Operations that one of the two hosts alone serves.
pub(super) const ONE_HOST: [(&str, &str); 11] = [
    ("webhook_create", OF_AUTH),
    ("webhook_list", OF_AUTH),
    ("webhook_view", OF_AUTH),
    ("webhook_update", OF_AUTH),
    ("webhook_delete", OF_AUTH),
    ("webhook_delivery_list", OF_AUTH),
    ("webhook_test", OF_AUTH),
    ("webhook_delivery_retry", OF_AUTH),
    ("webhook_replay", OF_AUTH),
    ("trace_view", NOT_LIVE),
    ("sandbox_scenario_list", "the live host has no scenarios"),
];
