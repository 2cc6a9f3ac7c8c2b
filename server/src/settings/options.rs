//! The operator's interface: commands, flags, the environment twins of the flags, and the keys of the
//! file of `--config`, all declared once. What they amount to is decided in [`super::Settings`].

use argus_core::limits::Limit;
use argus_openapi::Host;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::jobs::JobStatus;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::webhooks::DeliveryStatus;
use argus_partner::connectors::System;
use chrono::{DateTime, Utc};
use clap::builder::{BoolishValueParser, PossibleValuesParser};
use clap::{Args, Parser, Subcommand};
use serde::{Deserialize, Serialize};
use std::env::{self, VarError};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use tracing::level_filters::LevelFilter;

/// Contract-first partner API: one trait is the contract, three hosts keep it.
#[derive(Debug, Parser)]
#[command(name = "argus", version, about)]
pub struct Cli {
    /// A TOML file with settings; flags and environment count before it.
    #[arg(long, env = "ARGUS_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// What to do; `dev` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// What the command line and the environment say. Ends the process where that is not usable, and does not
    /// repeat an argument that could hold a password.
    pub fn read() -> Self {
        Self::try_parse().unwrap_or_else(|error| {
            if !error.use_stderr() {
                error.exit();
            }
            let mut text = error.render().to_string();
            for argument in std::env::args().filter(|argument| argument.contains(['@', '='])) {
                text = text.replace(&argument, "…");
            }
            eprint!("{text}");
            std::process::exit(error.exit_code())
        })
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run all three hosts for development, with a demo tenant, a demo app and ready-made tokens.
    Dev(DevArgs),
    /// Run all three hosts for production.
    Serve(RunArgs),
    /// Print a token for an administrator or an operator; creates the first tenant if there is none.
    Token(TokenArgs),
    /// Print the published OpenAPI descriptor.
    Openapi {
        /// Print YAML instead of JSON.
        #[arg(long)]
        yaml: bool,
        /// Print what this host serves of it, for a code generator.
        #[arg(long, value_name = "HOST", value_parser = PossibleValuesParser::new(Host::ALL.map(Host::name)))]
        host: Option<String>,
    },
    /// Check operation bundles, or print the schema that their documents are written for.
    Graphql {
        /// What to do.
        #[command(subcommand)]
        action: GraphqlAction,
    },
    /// Write, check and preview scenarios of your own for the sandbox.
    Scenario {
        /// What to do with them.
        #[command(subcommand)]
        action: ScenarioAction,
    },
    /// Bring the store to the schema of this version.
    Migrate(DataArgs),
    /// List the jobs of every tenant, cancel one, or accept a failed one anew.
    Jobs {
        /// What to do with the jobs.
        #[command(subcommand)]
        action: JobsAction,
        /// Where the jobs are.
        #[command(flatten)]
        data: DataArgs,
    },
    /// List the deliveries of every tenant, or queue one again.
    Deliveries {
        /// What to do with the deliveries.
        #[command(subcommand)]
        action: DeliveriesAction,
        /// Where the deliveries are.
        #[command(flatten)]
        data: DataArgs,
    },
    /// List the events that no delivery was made of yet, or have one told again.
    Outbox {
        /// What to do with the events.
        #[command(subcommand)]
        action: OutboxAction,
        /// Where the events are.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Ask the dispatch system about the incidents of a tenant.
    Incidents {
        /// What to do with the incidents.
        #[command(subcommand)]
        action: Box<IncidentsAction>,
    },
    /// Say which scopes the apps of a tenant get when they ask for them.
    Tenant {
        /// What to say.
        #[command(subcommand)]
        action: TenantAction,
        /// Where the tenant is.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Add people who sign in, list them, keep them from it, or give them a password.
    User {
        /// What to do with them.
        #[command(subcommand)]
        action: UserAction,
        /// Where they are.
        #[command(flatten)]
        data: DataArgs,
    },
    /// List or rotate the signing keys.
    Keys {
        /// What to do with the keys.
        #[command(subcommand)]
        action: KeysAction,
        /// Where the keys are.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// What to do with GraphQL.
#[derive(Clone, Debug, Subcommand)]
pub enum GraphqlAction {
    /// Print the schema. It is for those who write and review documents; no host shows it.
    Schema,
    /// Look after operation bundles.
    Bundle {
        /// What to do with them.
        #[command(subcommand)]
        action: BundleAction,
    },
}

/// What to do with operation bundles.
#[derive(Clone, Debug, Subcommand)]
pub enum BundleAction {
    /// Say whether every document of every bundle still fits the schema and the limits, those that ship and those of the
    /// directory. Prints bundle, file, operation and hash of each; the exit status is 2 when one does not fit.
    Check(GraphqlOptions),
}

/// What to do with scenarios.
#[derive(Clone, Debug, Subcommand)]
pub enum ScenarioAction {
    /// Write a scenario to be edited, and the schema for editors beside it. Nothing is overwritten.
    New(NewScenario),
    /// Say everything that is to be changed in files of scenarios, a line each: `file:line:column: member: what to
    /// change`. The exit status is 1 when there is anything, and the scenarios are printed when there is nothing.
    Check {
        /// Files, or directories of them.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Print the JSON schema of a scenario, for editors.
    Schema,
    /// Print status, headers and body as the sandbox host answers to a token that pins a scenario.
    Preview(PreviewArgs),
}

/// A scenario to be written.
#[derive(Clone, Debug, Args)]
pub struct NewScenario {
    /// What tokens will pin: 1 to 64 characters out of a-z, 0-9 and . - _
    #[arg(value_name = "ID")]
    pub id: String,
    /// The scenario that ships with what it is to begin with.
    #[arg(long, value_name = "ID", default_value = "wallet.high-risk")]
    pub from: String,
    /// Where it goes; ID.json in the directory of scenarios, or here, by default.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Where scenarios are.
    #[command(flatten)]
    pub sandbox: SandboxOptions,
}

/// A reply to be shown.
#[derive(Clone, Debug, Args)]
pub struct PreviewArgs {
    /// A file, or the id of a scenario that ships or that is in the directory of scenarios.
    #[arg(value_name = "ID|FILE")]
    pub scenario: String,
    /// The operation that is asked for.
    #[arg(long, value_name = "ID")]
    pub operation: String,
    /// A value of the path, as in id=p1; repeat it for more.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named)]
    pub path: Vec<(String, String)>,
    /// A parameter of the query, as in limit=2; repeat it for more.
    #[arg(long, value_name = "NAME=VALUE", value_parser = named)]
    pub query: Vec<(String, String)>,
    /// The body, as JSON.
    #[arg(long, value_name = "JSON")]
    pub body: Option<String>,
    /// A preference, as in argus-clock=15 or code=503; repeat it for more.
    #[arg(long, value_name = "PREFERENCE")]
    pub prefer: Vec<String>,
    /// Where more scenarios are.
    #[command(flatten)]
    pub sandbox: SandboxOptions,
}

/// A name and its value.
fn named(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, as in id=p1")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What to do with jobs.
#[derive(Clone, Debug, Subcommand)]
pub enum JobsAction {
    /// Show jobs, the newest first, with the last error of each.
    List {
        /// Only those of this tenant.
        #[arg(long)]
        tenant: Option<String>,
        /// Only those in this state.
        #[arg(long, value_parser = parse_status)]
        status: Option<JobStatus>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Cancel a job that has not ended.
    Cancel {
        /// The job.
        id: String,
    },
    /// Accept a failed job anew, under an identifier of its own.
    Retry {
        /// The failed job.
        id: String,
    },
}

/// What to do with deliveries.
#[derive(Clone, Debug, Subcommand)]
pub enum DeliveriesAction {
    /// Show deliveries, the newest first, with the end of each one's last attempt.
    List {
        /// Only those of this tenant.
        #[arg(long)]
        tenant: Option<String>,
        /// Only those in this state.
        #[arg(long, value_parser = parse_delivery_status)]
        status: Option<DeliveryStatus>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Queue a delivery again, whatever its state.
    Retry {
        /// The delivery.
        id: String,
    },
}

/// What to do with the events of the outbox.
#[derive(Clone, Debug, Subcommand)]
pub enum OutboxAction {
    /// Show the events that no delivery was made of yet, the oldest first, with what kept it from being made.
    List {
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Have an event told whose deliveries could not be made.
    Retry {
        /// The number of the event.
        sequence: u64,
    },
}

/// What to do with incidents.
#[derive(Clone, Debug, Subcommand)]
pub enum IncidentsAction {
    /// Ask the dispatch system for the state of a tenant's open incidents, keep and tell what has changed, and print a
    /// line for each.
    Refresh(RefreshArgs),
}

/// Which incidents to ask about.
#[derive(Clone, Debug, Args)]
pub struct RefreshArgs {
    /// The tenant.
    #[arg(long)]
    pub tenant: String,
    /// The incidents, also closed ones; all that are not known to be closed when none is named.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Where the dispatch system is.
    #[command(flatten)]
    pub dispatch: DispatchOptions,
    /// Where the incidents are.
    #[command(flatten)]
    pub data: DataArgs,
}

impl From<RefreshArgs> for Options {
    fn from(RefreshArgs { dispatch, data, .. }: RefreshArgs) -> Self {
        let connectors = ConnectorOptions { dispatch, ..ConnectorOptions::default() };
        Self { connectors, ..Self::from(data) }
    }
}

/// Which part of the work a node does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It serves the hosts and works on jobs.
    #[default]
    All,
    /// It serves the hosts.
    Api,
    /// It works on jobs.
    Worker,
}

/// The workers of jobs.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerOptions {
    /// Which part of the work this node does [default: all].
    #[arg(long, env = "ARGUS_ROLE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// How many jobs this node works on at a time, 1 to 10000 [default: 32].
    #[arg(long, env = "ARGUS_WORKER_SLOTS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_slots: Option<u32>,
    /// After how many seconds of silence of its worker a job is taken from it, 1 to 3600 [default: 120].
    #[arg(long, env = "ARGUS_LEASE_SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_seconds: Option<u32>,
}

/// What to say of a tenant.
#[derive(Clone, Debug, Subcommand)]
pub enum TenantAction {
    /// Set its allowance, which is every scope but the platform scopes until it is set. What an app requests beyond it
    /// is pending until an administrator of the tenant approves it; apps that are there keep what they have.
    Set {
        /// The tenant.
        #[arg(long)]
        tenant: String,
        /// The scopes, with a space between two.
        #[arg(long, required = true, value_delimiter = ' ', value_parser = parse_scope_of_apps)]
        scopes: Vec<Scope>,
    },
}

/// What to do with people who sign in.
#[derive(Clone, Debug, Subcommand)]
pub enum UserAction {
    /// Add somebody. The password is read from standard input, its first line.
    Add {
        /// The tenant.
        #[arg(long)]
        tenant: String,
        /// The e-mail address, which no other user of the installation has.
        #[arg(long)]
        email: String,
        /// What people call them.
        #[arg(long)]
        name: String,
        /// What they may do, with a space between two; every scope but the platform scopes when absent.
        #[arg(long, value_delimiter = ' ', value_parser = parse_scope_of_apps)]
        scopes: Option<Vec<Scope>>,
        /// Their clearance.
        #[arg(long, value_parser = parse_secrecy_level, default_value_t = SecrecyLevel::default())]
        secrecy_level: SecrecyLevel,
        /// Read no password, and print a link instead by which they choose one, once and within 7 days.
        #[arg(long)]
        invite: bool,
    },
    /// Show the people of a tenant.
    List {
        /// The tenant.
        #[arg(long)]
        tenant: String,
    },
    /// Keep somebody from signing in, and end all their sessions.
    Disable {
        /// The e-mail address.
        #[arg(long)]
        email: String,
    },
    /// Let somebody sign in again.
    Enable {
        /// The e-mail address.
        #[arg(long)]
        email: String,
    },
    /// Remove somebody who leaves: sessions, and what they have allowed to apps, end. The audit trail keeps their id.
    Remove {
        /// The e-mail address.
        #[arg(long)]
        email: String,
    },
    /// Give somebody the password that standard input has in its first line, and end all their sessions.
    Password {
        /// The e-mail address.
        #[arg(long)]
        email: String,
        /// Read no password, and print a link instead by which they choose one, once and within 7 days.
        #[arg(long)]
        invite: bool,
    },
}

/// What to do with the signing keys.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum KeysAction {
    /// Show each key: published (and from when on it will sign), signing, or retired (and until when it is
    /// published).
    List,
    /// Publish a new key, which signs once nobody holds a cached key set without it; the old one stays
    /// published until its last token expires.
    Rotate {
        /// Sign with it at once, in an emergency: verifiers refuse its tokens until they fetch the keys again.
        #[arg(long)]
        now: bool,
    },
    /// Let the keys of this data directory count, where the store knows others that are lost. It ends the
    /// tokens of those.
    Adopt,
}

/// How to run the hosts.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// What may also stand in the file.
    #[command(flatten)]
    pub options: Options,
    /// Written, whole, once every host accepts: JSON with the hosts' base URLs and, in `dev`, the
    /// demo credentials.
    #[arg(long)]
    pub ready_file: Option<PathBuf>,
}

/// How to run the hosts for development.
#[derive(Clone, Debug, Default, Args)]
pub struct DevArgs {
    /// How to run the hosts.
    #[command(flatten)]
    pub run: RunArgs,
    /// Start a local provider as well, which stands in for every connector that is not configured, so that
    /// enrichments find something.
    #[arg(long)]
    pub with_provider: bool,
}

impl DevArgs {
    /// What the environment alone says.
    pub fn of_environment() -> Self {
        #[derive(Parser)]
        struct Nothing {
            #[command(flatten)]
            dev: DevArgs,
        }
        Nothing::parse_from(["argus"]).dev
    }
}

/// Where the data is.
#[derive(Clone, Debug, Default, Args)]
pub struct DataArgs {
    /// Keys and tokens.
    #[command(flatten)]
    pub identity: IdentityOptions,
    /// The database.
    #[command(flatten)]
    pub store: StoreOptions,
}

impl From<DataArgs> for Options {
    fn from(DataArgs { identity, store }: DataArgs) -> Self {
        Self { identity, store, ..Self::default() }
    }
}

/// Which token to print.
#[derive(Clone, Debug, Args)]
pub struct TokenArgs {
    /// A scope that the token carries; repeat it for more.
    #[arg(long = "scope", required = true, value_parser = parse_scope)]
    pub scopes: Vec<Scope>,
    /// The tenant that the token acts for; the first one when absent.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Lifetime in seconds, 60 to 86400.
    #[arg(long, default_value_t = 3600, value_parser = clap::value_parser!(u32).range(60..=86_400))]
    pub ttl_seconds: u32,
    /// Where the data is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Everything that may be said by flag, environment or file.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// `[hosts]`
    #[command(flatten)]
    pub hosts: HostOptions,
    /// `[identity]`
    #[command(flatten)]
    pub identity: IdentityOptions,
    /// `[store]`
    #[command(flatten)]
    pub store: StoreOptions,
    /// `[objects]`
    #[command(flatten)]
    pub objects: ObjectOptions,
    /// `[connectors]`
    #[command(flatten)]
    pub connectors: ConnectorOptions,
    /// `[workers]`
    #[command(flatten)]
    pub workers: WorkerOptions,
    /// `[deliveries]`
    #[command(flatten)]
    pub deliveries: DeliveryOptions,
    /// `[limits]`
    #[command(flatten)]
    pub limits: LimitOptions,
    /// `[graphql]`
    #[command(flatten)]
    pub graphql: GraphqlOptions,
    /// `[sandbox]`
    #[command(flatten)]
    pub sandbox: SandboxOptions,
    /// `[log]`
    #[command(flatten)]
    pub log: LogOptions,
}

/// Where the hosts listen and how clients reach them.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostOptions {
    /// Where the auth host listens [default: 127.0.0.1:8080]; port 0 takes any free port.
    #[arg(long, env = "ARGUS_AUTH_ADDR", value_parser = parse_address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_addr: Option<SocketAddr>,
    /// How many seconds open requests may take to end after SIGTERM, at most 3600 [default: 30].
    #[arg(long, env = "ARGUS_DRAIN_SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_seconds: Option<u32>,
    /// How many seconds the body of a request may take to arrive, 1 to 3600 [default: 30].
    #[arg(long, env = "ARGUS_BODY_SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_seconds: Option<u32>,
    /// Where the live API host listens [default: 127.0.0.1:8081].
    #[arg(long, env = "ARGUS_API_ADDR", value_parser = parse_address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_addr: Option<SocketAddr>,
    /// Where the sandbox host listens [default: 127.0.0.1:8082].
    #[arg(long, env = "ARGUS_SANDBOX_ADDR", value_parser = parse_address)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox_addr: Option<SocketAddr>,
    /// Let the hosts listen on other addresses than those of loopback. Argus speaks no TLS and does not
    /// bound connections, so this is for a network that only a proxy can reach.
    #[arg(long, env = "ARGUS_EXPOSE", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = BoolishValueParser::new())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expose: Option<bool>,
    /// Network of a proxy whose `X-Forwarded-For` is believed, like 10.0.0.0/8 or ::1; repeat it for more.
    #[arg(long = "trusted-proxy", env = "ARGUS_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<Vec<String>>,
    /// Base URL under which clients reach the auth host; the listening address in `dev`.
    #[arg(long, env = "ARGUS_AUTH_URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_url: Option<String>,
    /// Base URL under which clients reach the live API host; the listening address in `dev`.
    #[arg(long, env = "ARGUS_API_URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
    /// Base URL under which clients reach the sandbox host; the listening address in `dev`.
    #[arg(long, env = "ARGUS_SANDBOX_URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox_url: Option<String>,
}

/// Keys and tokens.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityOptions {
    /// Directory of keys, secrets and the embedded store [default: .argus].
    #[arg(long, env = "ARGUS_DATA_DIR", global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// `iss` of every token [default: https://auth.knogin.com; in `dev` the auth host's own URL].
    #[arg(long, env = "ARGUS_ISSUER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Base64 of the 32 bytes under which secrets are sealed, from `ARGUS_ENVELOPE_KEY` or the file.
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envelope_key: Option<SecretText>,
}

/// The variable of the envelope key. It has no flag, because every user of a machine sees the flags of its processes.
const ENVELOPE_KEY_VARIABLE: &str = "ARGUS_ENVELOPE_KEY";

impl Options {
    /// The same with what has a variable and no flag.
    pub(super) fn with_variables(mut self) -> Result<Self, String> {
        match env::var(ENVELOPE_KEY_VARIABLE) {
            Ok(key) => self.identity.envelope_key = Some(SecretText::from(key)),
            Err(VarError::NotPresent) => {}
            Err(VarError::NotUnicode(_)) => return Err(format!("`{ENVELOPE_KEY_VARIABLE}` is not text")),
        }
        Ok(self)
    }
}

/// The database. Its URL may hold a password and is not shown.
#[derive(Clone, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreOptions {
    /// `sqlite://PATH` or `postgres://…`; a SQLite file in the data directory when absent. The role of a
    /// PostgreSQL URL sees one tenant at a time.
    #[arg(long, env = "ARGUS_DATABASE_URL", hide_env_values = true, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    /// The same PostgreSQL database for the role that claims, ends and clears away the jobs of every tenant.
    #[arg(long, env = "ARGUS_DATABASE_WORKER_URL", hide_env_values = true, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_worker_url: Option<String>,
    /// The same PostgreSQL database for the role that owns its tables, which `argus migrate` alone uses.
    #[arg(long, env = "ARGUS_DATABASE_OWNER_URL", hide_env_values = true, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_owner_url: Option<String>,
    /// Connections for requests, 1 to 1000 [default: 16].
    #[arg(long, env = "ARGUS_REQUEST_CONNECTIONS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_connections: Option<u32>,
    /// Connections for the workers of jobs, 1 to 1000 [default: 4].
    #[arg(long, env = "ARGUS_WORKER_CONNECTIONS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_connections: Option<u32>,
    /// Connections for deliveries, 1 to 1000 [default: 4].
    #[arg(long, env = "ARGUS_DELIVERY_CONNECTIONS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_connections: Option<u32>,
}

/// Results and uploads. What opens a bucket is not shown.
#[derive(Clone, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectOptions {
    /// `file://PATH`, `file://PATH?shared=true` for a directory that every node has mounted, or
    /// `s3://BUCKET[/PREFIX]`; the directory `objects` of the data directory when absent, but on PostgreSQL
    /// `serve` wants to be told.
    #[arg(long = "objects", env = "ARGUS_OBJECTS", value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// URL of the S3 service, where it is not AWS: that of R2, for example.
    #[arg(long = "objects-endpoint", env = "AWS_ENDPOINT_URL_S3", value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Region of the bucket.
    #[arg(long = "objects-region", env = "AWS_REGION", value_name = "REGION")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Id of the access key; without one, the credentials of the machine or the pod are used.
    #[arg(
        long = "objects-access-key-id",
        env = "AWS_ACCESS_KEY_ID",
        hide_env_values = true,
        value_name = "ID"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Secret of the access key.
    #[arg(
        long = "objects-secret-access-key",
        env = "AWS_SECRET_ACCESS_KEY",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<String>,
    /// Session token of temporary credentials.
    #[arg(
        long = "objects-session-token",
        env = "AWS_SESSION_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token: Option<String>,
    /// When temporary credentials end, as RFC 3339 has it.
    #[arg(long = "objects-credentials-end", env = "AWS_CREDENTIAL_EXPIRATION", value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_end: Option<DateTime<Utc>>,
}

/// Declares the options of each system: a table below `[connectors]`, flags and variables.
macro_rules! connector_options {
    ($($(#[doc = $doc:literal])+ $system:ident, $variant:ident, $table:ident: $url:literal $url_variable:literal, $token:literal $token_variable:literal;)+) => {
        /// The systems that know more of profiles, each with its base URL and its bearer token, which is not shown.
        #[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct ConnectorOptions {
            $($(#[doc = $doc])+ #[command(flatten)] pub $system: $table,)+
        }

        impl ConnectorOptions {
            /// Each system with what was said of it.
            pub fn systems(self) -> impl Iterator<Item = (System, Option<String>, Option<String>)> {
                [$((System::$variant, self.$system.url, self.$system.token)),+].into_iter()
            }
        }

        $(
            $(#[doc = $doc])+
            #[derive(Clone, Default, Args, Serialize, Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $table {
                /// Base URL of the system.
                #[arg(id = $url, long = $url, env = $url_variable, value_name = "URL")]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub url: Option<String>,
                /// Bearer token for it.
                #[arg(id = $token, long = $token, env = $token_variable, hide_env_values = true, value_name = "TOKEN")]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub token: Option<String>,
            }

            impl fmt::Debug for $table {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($table)).field("url", &self.url).finish_non_exhaustive()
                }
            }
        )+
    };
}

connector_options! {
    /// Chain and payment analytics.
    finance, Finance, FinanceOptions: "finance-url" "ARGUS_FINANCE_URL", "finance-token" "ARGUS_FINANCE_TOKEN";
    /// Open-source intelligence.
    osint, Osint, OsintOptions: "osint-url" "ARGUS_OSINT_URL", "osint-token" "ARGUS_OSINT_TOKEN";
    /// Dispatch and its patient care reports.
    dispatch, Dispatch, DispatchOptions: "dispatch-url" "ARGUS_DISPATCH_URL", "dispatch-token" "ARGUS_DISPATCH_TOKEN";
    /// Device telemetry.
    telemetry, Telemetry, TelemetryOptions: "telemetry-url" "ARGUS_TELEMETRY_URL", "telemetry-token" "ARGUS_TELEMETRY_TOKEN";
}

impl fmt::Debug for ObjectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectOptions").field("location", &self.location).finish_non_exhaustive()
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            database_url,
            database_worker_url,
            database_owner_url,
            request_connections,
            worker_connections,
            delivery_connections,
        } = self;
        f.debug_struct("StoreOptions")
            .field("database_url", &database_url.as_ref().map(|_| ".."))
            .field("database_worker_url", &database_worker_url.as_ref().map(|_| ".."))
            .field("database_owner_url", &database_owner_url.as_ref().map(|_| ".."))
            .field("request_connections", request_connections)
            .field("worker_connections", worker_connections)
            .field("delivery_connections", delivery_connections)
            .finish()
    }
}

/// How often what may happen: each number is of a minute, 1 to 1000000, and twice as many may happen at once.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitOptions {
    /// Failures a minute to authenticate as one client, from one address [default: 10].
    #[arg(long = "limit-client-failures", env = "ARGUS_LIMIT_CLIENT_FAILURES", value_name = "TIMES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_failures: Option<u32>,
    /// Failures a minute to authenticate as any client, from one address [default: 60].
    #[arg(long = "limit-address-failures", env = "ARGUS_LIMIT_ADDRESS_FAILURES", value_name = "TIMES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_failures: Option<u32>,
    /// Bearer tokens a minute that are not good, from one address [default: 60].
    #[arg(long = "limit-bearer-failures", env = "ARGUS_LIMIT_BEARER_FAILURES", value_name = "TIMES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_failures: Option<u32>,
    /// Wrong passwords a minute for one account, from one address [default: 5].
    #[arg(long = "limit-sign-in-failures", env = "ARGUS_LIMIT_SIGN_IN_FAILURES", value_name = "TIMES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in_failures: Option<u32>,
    /// Wrong passwords a minute for any account, from one address [default: 30].
    #[arg(
        long = "limit-sign-in-address-failures",
        env = "ARGUS_LIMIT_SIGN_IN_ADDRESS_FAILURES",
        value_name = "TIMES"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in_address_failures: Option<u32>,
}

impl LimitOptions {
    /// What was said of a limit.
    pub fn of(&self, limit: Limit) -> Option<u32> {
        match limit {
            Limit::ClientFailures => self.client_failures,
            Limit::AddressFailures => self.address_failures,
            Limit::BearerFailures => self.bearer_failures,
            Limit::SignInFailures => self.sign_in_failures,
            Limit::SignInAddressFailures => self.sign_in_address_failures,
        }
    }
}

/// GraphQL.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphqlOptions {
    /// Directory of more operation bundles: a folder for each, with its documents as `.graphql` files.
    #[arg(long = "graphql-bundle-dir", env = "ARGUS_GRAPHQL_BUNDLE_DIR", value_name = "PATH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_dir: Option<PathBuf>,
}

/// The sandbox host.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxOptions {
    /// Directory of more sandbox scenarios, one JSON file each.
    #[arg(long, env = "ARGUS_SCENARIO_DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario_dir: Option<PathBuf>,
}

/// The way to receivers of webhooks and callbacks.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryOptions {
    /// Network of receivers that is delivered to although its addresses are not public, like 10.1.0.0/16; repeat it
    /// for more.
    #[arg(long = "delivery-allow", env = "ARGUS_DELIVERY_ALLOW", value_name = "CIDR", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
    /// Root certificates (PEM) of receivers, beside those of the system.
    #[arg(long = "delivery-certificates", env = "ARGUS_DELIVERY_CERTIFICATES", value_name = "PATH")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificates: Option<PathBuf>,
}

/// The log.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogOptions {
    /// Least severity that is logged, on standard error [default: warn].
    #[arg(long = "log", env = "ARGUS_LOG", value_parser = parse_level)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// How severe a record of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something failed on this side.
    Error,
    /// Something may need an operator.
    Warn,
    /// What happens, in short.
    Info,
    /// What happens, in detail.
    Debug,
    /// Everything.
    Trace,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}

fn parse_level(name: &str) -> Result<Level, &'static str> {
    use serde::de::IntoDeserializer;
    use serde::de::value::Error;
    let name = name.to_ascii_lowercase();
    Level::deserialize(IntoDeserializer::<Error>::into_deserializer(name.as_str()))
        .map_err(|_| "use error, warn, info, debug or trace")
}

fn parse_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "an IP address and a port are needed, like 127.0.0.1:8080 or [::1]:8080")
}

fn parse_status(name: &str) -> Result<JobStatus, String> {
    name.parse().map_err(|_| format!("the states are {}", JobStatus::ALL.map(JobStatus::as_str).join(", ")))
}

fn parse_delivery_status(name: &str) -> Result<DeliveryStatus, String> {
    let states = DeliveryStatus::ALL.map(DeliveryStatus::as_str);
    name.parse().map_err(|_| format!("the states are {}", states.join(", ")))
}

fn parse_secrecy_level(name: &str) -> Result<SecrecyLevel, String> {
    let levels = SecrecyLevel::ALL.map(SecrecyLevel::as_str);
    name.parse().map_err(|_| format!("the levels are {}", levels.join(", ")))
}

fn parse_scope_of_apps(name: &str) -> Result<Scope, String> {
    Scope::from_catalogue(name).ok_or_else(|| {
        let names: Vec<&str> = Scope::catalogue().map(Scope::as_str).collect();
        format!("the scopes are {}", names.join(", "))
    })
}

fn parse_scope(name: &str) -> Result<Scope, String> {
    name.parse().map_err(|_| {
        let scopes = Scope::catalogue().chain([Scope::InternalOperate]);
        let names: Vec<&str> = scopes.map(Scope::as_str).collect();
        format!("the scopes are {}", names.join(", "))
    })
}
