//! What the sandbox host says, to the byte: every operation under every scenario and under none, every
//! documented status through `Prefer: code`, and the clock where it has a say. One snapshot each.

use super::in_process::InProcess;
use super::support::every_scope;
use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use argus_openapi::published::{
    API_CATALOG_JSON, DESCRIPTOR_JSON, DESCRIPTOR_YAML, Format, HOST_DESCRIPTORS, PublishedSchema,
};
use argus_openapi::row::{Access, OperationRow};
use argus_partner::claims::AUDIENCE_SANDBOX;
use argus_tests::{Answer, Installation, Sample, Samples, TestServer, claims};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The wire shows the tenant in places, so it must be the same in every run.
pub(super) const TENANT: &str = "tnt_123";
/// What the samples create webhooks with.
const WEBHOOK_SECRET: &str = "<signing-secret>";

struct Transcript {
    server: TestServer,
    samples: Samples,
    text: String,
    /// Bodies of this transcript and where they stand: what repeats is written once.
    bodies: Vec<(Vec<u8>, String)>,
    /// Clients of the SDK's sandbox, by what they are pinned to.
    in_process: BTreeMap<Vec<String>, InProcess>,
    /// How many answers were compared with the SDK's.
    compared: usize,
}

impl Transcript {
    fn begin() -> Self {
        // Replies name the sandbox, and its port is another one in every run.
        let mut installation = Installation::sqlite();
        installation.settings.sandbox_url = Some(Host::Sandbox.public_url().to_owned());
        let server = TestServer::from(installation);
        let samples = Samples::new(&ARGUS, TENANT, "org_123");
        Self {
            server,
            samples,
            text: String::new(),
            bodies: Vec::new(),
            in_process: BTreeMap::new(),
            compared: 0,
        }
    }

    /// Sends the sample twice with this `Prefer`, pinned to these scenarios, and notes the answer.
    async fn note(&mut self, title: &str, sample: &Sample, scenarios: &[&str], prefer: &str) -> Answer {
        let token = token(&self.server, scenarios);
        let send = || {
            let request = self.server.sample(Host::Sandbox, sample).bearer_auth(&token);
            self.server.send(if prefer.is_empty() { request } else { request.header("prefer", prefer) })
        };
        let answer = send().await;
        answer.assert_standard_headers(Host::Sandbox);
        assert_eq!(answer.replayable(), send().await.replayable(), "a replay of {title}");
        let request = self.server.sample(Host::Sandbox, sample);
        let request = if prefer.is_empty() { request } else { request.header("prefer", prefer) };
        let request = request.build().unwrap();
        let in_process = self.in_process(scenarios).answer(sample.row, request).await;
        assert_eq!(
            answer.replayable(),
            in_process.replayable(),
            "{title}: in this process, {}",
            sample.row.id
        );
        self.compared += 1;
        let rendered = self.render(title, &answer);
        assert!(!rendered.contains(token.as_str()), "the token shows");
        assert!(!rendered.contains(WEBHOOK_SECRET), "the webhook secret shows");
        write!(self.text, "──── {title}\n{rendered}\n").unwrap();
        answer
    }

    async fn of(&mut self, row: &'static OperationRow) {
        let sample = self.samples.of(&self.server, row, Host::Sandbox).await;
        writeln!(self.text, "{} {}", sample.method, sample.target()).unwrap();
        for (name, value) in &sample.headers {
            writeln!(self.text, "{name}: {value}").unwrap();
        }
        if let Some((media_type, body)) = &sample.body {
            let body = String::from_utf8(body.clone()).unwrap().replace(WEBHOOK_SECRET, "<redacted>");
            write!(self.text, "content-type: {media_type}\n\n{body}\n").unwrap();
        }
        self.text.push('\n');
        self.bodies.clear();
        if row.access == Access::Public {
            self.note("public", &sample, &[], "").await;
            return;
        }
        self.note("no scenario pinned", &sample, &[], "").await.expect_success();
        for scenario in self.scenarios() {
            self.note(&scenario, &sample, &[&scenario], "").await.expect_success();
        }
        self.note("two scenarios pinned", &sample, &["wallet.high-risk", "device.offline"], "").await;
        for seconds in [0, 15, 30] {
            let prefer = format!("argus-clock={seconds}");
            self.note(&format!("Prefer: {prefer}"), &sample, &[], &prefer).await;
        }
        for code in documented(row) {
            let prefer = format!("code={code}");
            let answer = self.note(&format!("Prefer: {prefer}"), &sample, &[], &prefer).await;
            assert_eq!(answer.status.as_u16(), code, "{}", row.id);
            assert_eq!(answer.header("preference-applied"), prefer);
            let retry_after = if matches!(code, 429 | 503) { "1" } else { "" };
            assert_eq!(answer.header("retry-after"), retry_after, "{} {code}", row.id);
        }
        let answer = self.note("Prefer: code=418", &sample, &[], "code=418").await;
        answer.expect_error(400, "preference_not_supported");
    }

    /// Status, headers and body. Of what stands in the repository as a file of its own, only the name.
    fn render(&mut self, title: &str, answer: &Answer) -> String {
        let mut text = format!("{}\n", answer.status.as_u16());
        let file = committed_file(&answer.body);
        for (name, value) in &answer.headers {
            if name == "date" || name == "x-request-id" {
                continue;
            }
            let value = match (name.as_str(), &file) {
                ("etag", Some(_)) => {
                    let value = value.to_str().unwrap();
                    assert!(value.starts_with('"') && value.len() == 34, "a strong tag: {value}");
                    "<from the content>"
                }
                ("content-length", Some(_)) => {
                    assert_eq!(value.to_str().unwrap(), answer.body.len().to_string());
                    "<of the content>"
                }
                _ => value.to_str().unwrap(),
            };
            writeln!(text, "{name}: {value}").unwrap();
        }
        let earlier = self.bodies.iter().find(|(body, _)| *body == answer.body);
        match (file, earlier) {
            (Some(file), _) => writeln!(text, "\n<{file}>").unwrap(),
            _ if answer.body.is_empty() => {}
            (None, Some((_, earlier))) => writeln!(text, "\n<the body of: {earlier}>").unwrap(),
            (None, None) => {
                write!(text, "\n{}\n", indent(&answer.body)).unwrap();
                self.bodies.push((answer.body.clone(), title.to_owned()));
            }
        }
        text
    }

    /// The SDK's own sandbox for the same caller.
    fn in_process(&mut self, scenarios: &[&str]) -> &InProcess {
        let pinned: Vec<String> = scenarios.iter().map(ToString::to_string).collect();
        self.in_process.entry(pinned).or_insert_with_key(|pinned| InProcess::pinned_to(pinned))
    }

    fn scenarios(&self) -> Vec<String> {
        self.server.state().sandbox.now().scenarios().iter().map(|scenario| scenario.id.clone()).collect()
    }
}

/// A sandbox token of the one tenant, pinned to these scenarios.
fn token(server: &TestServer, scenarios: &[&str]) -> String {
    let mut claims = claims(AUDIENCE_SANDBOX, TENANT, &every_scope());
    claims.scenarios = Some(scenarios.iter().map(ToString::to_string).collect());
    server.sign(&claims)
}

trait ExpectSuccess {
    fn expect_success(self);
}

impl ExpectSuccess for Answer {
    #[track_caller]
    fn expect_success(self) {
        // A job that has succeeded cannot be cancelled; that is what a plain sample of it meets.
        assert!(self.status.is_success(), "{self:?}");
    }
}

/// The statuses that the descriptor documents.
fn documented(row: &OperationRow) -> Vec<u16> {
    let document: Value = serde_json::from_str(DESCRIPTOR_JSON).unwrap();
    let methods = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
    let (_, description) = methods.into_iter().find(|(_, found)| found["operationId"] == row.id).unwrap();
    let statuses = description["responses"].as_object().unwrap().keys();
    // A range documents no status.
    statuses.filter_map(|status| status.parse().ok()).collect()
}

fn committed_file(body: &[u8]) -> Option<String> {
    let hosts = HOST_DESCRIPTORS.iter().flat_map(|of| {
        let path = |format: Format| format!("openapi/hosts/{}.{}", of.host.name(), format.extension());
        Format::ALL.map(|format| (path(format), of.text(format)))
    });
    let files = [
        ("openapi/argus.json", DESCRIPTOR_JSON),
        ("openapi/argus.yaml", DESCRIPTOR_YAML),
        ("openapi/api-catalog.json", API_CATALOG_JSON),
        ("openapi/schemas/argus.risk-level.v1.json", PublishedSchema::find("argus.risk-level.v1")?.text),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text));
    hosts.chain(files).find(|(_, text)| text.as_bytes() == body).map(|(name, _)| name)
}

/// Compact JSON over several lines, each byte otherwise as it came: order and spelling stay visible.
fn indent(compact: &[u8]) -> String {
    let compact = std::str::from_utf8(compact).unwrap();
    let (mut text, mut depth, mut quoted, mut escaped) = (String::new(), 0, false, false);
    let mut previous = ' ';
    for character in compact.chars() {
        if quoted {
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else {
            assert!(!character.is_whitespace(), "the sandbox sends compact JSON");
            if matches!(character, '}' | ']') {
                depth -= 1;
            }
            let opened = matches!(previous, '{' | '[');
            let closes = matches!(character, '}' | ']');
            if (opened && !closes) || (closes && !opened) || previous == ',' {
                text.push('\n');
                text.push_str(&"  ".repeat(depth));
            } else if previous == ':' {
                text.push(' ');
            }
            if matches!(character, '{' | '[') {
                depth += 1;
            }
            quoted = character == '"';
        }
        text.push(character);
        previous = if quoted { '"' } else { character };
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sandbox_operation_answers_as_its_transcript_says() {
    let mut transcript = Transcript::begin();
    for row in ARGUS.rows {
        if !row.served_by(Host::Sandbox) || !row.is_published() {
            continue;
        }
        transcript.of(row).await;
        let text = std::mem::take(&mut transcript.text);
        snapshot!(format!("sandbox_{}", row.id), text);
    }
    assert!(transcript.compared > 300, "{} answers were compared with the SDK's", transcript.compared);
}
