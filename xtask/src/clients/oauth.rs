//! OAuth clients of partners: libraries that know nothing of Argus, each in a program of its own, which is told what the
//! developer of an app knows, and somebody's e-mail and password. The apps are registered and governed through the API; one
//! that signs with a key of its own is registered by the program that makes the key.

use super::dev::DevServer;
use super::generator::prepare;
use super::graphql::{APPROVED_BUNDLE, approved_document};
use super::run::run;
use super::tools::{Tool, Tools, source};
use argus_openapi::Host;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

/// What users are asked for: the calls of the programs need it.
const SCOPE: &str = "argus:jobs:read argus:profiles:read argus:graphql:execute";
/// What the browser in the programs never gets to.
const WEB_REDIRECT_URI: &str = "https://partner.example/callback";
/// As native apps register it, and as they use it (RFC 8252, section 7.3).
const NATIVE_REDIRECT_URIS: [&str; 2] = ["http://127.0.0.1/callback", "http://127.0.0.1:49152/callback"];
const PROFILE_ID: &str = "oauth-clients";
/// How long an import may take.
const PATIENCE: Duration = Duration::from_secs(30);

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A library.
pub(super) struct OauthClient {
    /// What must be on the machine.
    pub(super) needs: &'static [Tool],
    /// The command that runs its program.
    program: fn(&Tools) -> Command,
}

const PYTHON: fn(&Tools) -> Command = |tools| {
    let mut command = Command::new(tools.python("python"));
    // Libraries that take nothing but https otherwise; the loopback needs none.
    command.arg("program.py").env("PYTHONPATH", "../browser").env("OAUTHLIB_INSECURE_TRANSPORT", "1");
    command
};

pub(super) const OPENID_CLIENT: OauthClient = OauthClient {
    needs: &[Tool::Node],
    program: |_| {
        let mut command = Command::new("node");
        command.arg("program.js");
        command
    },
};

pub(super) const AUTHLIB: OauthClient = OauthClient { needs: &[Tool::Python], program: PYTHON };

pub(super) const OAUTHLIB: OauthClient = OauthClient { needs: &[Tool::Python], program: PYTHON };

impl OauthClient {
    /// Registers apps for the program and runs it.
    pub(super) fn check(&self, name: &str, tools: &Tools, server: &DevServer) -> Result<(), String> {
        for program in ["browser", name] {
            let folder = tools.home.join(program);
            prepare(&source().join("programs").join(program), &folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let apps = runtime.map_err(|error| error.to_string())?.block_on(async {
            let operator = Operator { server, client: Client::builder().no_proxy().build()? };
            operator.import_profile().await?;
            Outcome::Ok([operator.register(&web_app()).await?, operator.register(&native_app()).await?])
        });
        let [web, native] = apps.map_err(|error| error.to_string())?;
        let text = |app: &Value, member: &str| app[member].as_str().unwrap_or_default().to_owned();
        let mut program = (self.program)(tools);
        program
            .current_dir(tools.home.join(name))
            .env("ISSUER_URL", server.url(Host::Auth))
            .env("API_URL", server.url(Host::Api))
            .env("USER_EMAIL", server.ready("user_email"))
            .env("USER_PASSWORD", server.ready("user_password"))
            .env("APP_SCOPE", SCOPE)
            .env("APP_CLIENT_ID", text(&web, "client_id"))
            .env("APP_CLIENT_SECRET", text(&web, "client_secret"))
            .env("APP_REDIRECT_URI", WEB_REDIRECT_URI)
            .env("REGISTRATION_TOKEN", server.token(Host::Auth))
            .env("NATIVE_CLIENT_ID", text(&native, "client_id"))
            .env("NATIVE_REDIRECT_URI", NATIVE_REDIRECT_URIS[1])
            .env("GRAPHQL_DOCUMENT", approved_document()?)
            .env("PROFILE_ID", PROFILE_ID);
        run(&mut program)
    }
}

fn web_app() -> Value {
    json!({
        "name": "Web app",
        "grant_types": ["client_credentials", "authorization_code"],
        "redirect_uris": [WEB_REDIRECT_URI],
        "requested_scopes": scopes(),
    })
}

fn native_app() -> Value {
    json!({
        "name": "Native app",
        "grant_types": ["authorization_code"],
        "redirect_uris": [NATIVE_REDIRECT_URIS[0]],
        "requested_scopes": scopes(),
        "token_endpoint_auth_method": "none",
    })
}

fn scopes() -> Vec<&'static str> {
    SCOPE.split(' ').collect()
}

/// Whoever sets up what programs need.
struct Operator<'a> {
    server: &'a DevServer,
    client: Client,
}

impl Operator<'_> {
    /// Registers an app that may run the document.
    async fn register(&self, app: &Value) -> Outcome<Value> {
        let app = self.call(Host::Auth, Method::POST, "/v1/platform/apps", Some(app)).await?;
        let client_id = app["client_id"].as_str().unwrap_or_default();
        let governance = format!("/v1/platform/apps/{client_id}/governance");
        let approved = json!({ "approved_bundles": [APPROVED_BUNDLE] });
        self.call(Host::Auth, Method::PATCH, &governance, Some(&approved)).await?;
        Ok(app)
    }

    /// The live host has what was imported.
    async fn import_profile(&self) -> Outcome<()> {
        let profiles = json!([{ "id": PROFILE_ID, "kind": "wallet", "display_name": "Cold wallet 7" }]);
        let import = json!({ "kind": "import.bulk", "payload": { "profiles": profiles } });
        let mut job = self.call(Host::Api, Method::POST, "/v1/jobs", Some(&import)).await?;
        let path = format!("/v1/jobs/{}", job["id"].as_str().unwrap_or_default());
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match job["status"].as_str() {
                Some("succeeded") => return Ok(()),
                Some("queued" | "running") => tokio::time::sleep(Duration::from_millis(50)).await,
                _ => break,
            }
            job = self.call(Host::Api, Method::GET, &path, None).await?;
        }
        Err(format!("the import has not succeeded: {job}").into())
    }

    async fn call(&self, host: Host, method: Method, path: &str, body: Option<&Value>) -> Outcome<Value> {
        let url = format!("{}{path}", self.server.url(host));
        let mut request = self.client.request(method, url).bearer_auth(self.server.token(host));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            return Err(format!("{path}: {status}: {text}").into());
        }
        Ok(serde_json::from_str(&text)?)
    }
}
