//! The operator's interface: commands, flags, and the environment twins of the flags.

use crate::hosts::Addresses;
use crate::identity::IdentitySettings;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Contract-first partner API: one trait is the contract, three hosts keep it.
#[derive(Debug, Parser)]
#[command(name = "argus", version, about)]
pub struct Cli {
    /// What to do; `dev` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run all three hosts for development, with a demo tenant, a demo app and ready-made tokens.
    Dev(RunArgs),
    /// Run all three hosts for production.
    Serve(RunArgs),
    /// Print a token for an administrator or an operator; creates the first tenant if there is none.
    Token(TokenArgs),
    /// Print the published OpenAPI descriptor.
    Openapi {
        /// Print YAML instead of JSON.
        #[arg(long)]
        yaml: bool,
    },
    /// Bring the store to the schema of this version.
    Migrate(DataArgs),
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

/// What to do with the signing keys.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum KeysAction {
    /// Show each key and until when it is published.
    List,
    /// Sign with a new key from now on; the old one stays published until its last token expires.
    Rotate,
}

/// Where the data is.
#[derive(Clone, Debug, Args)]
pub struct DataArgs {
    /// Directory of keys, secrets and the embedded store.
    #[arg(long, env = "ARGUS_DATA_DIR", default_value = ".argus", global = true)]
    pub data_dir: PathBuf,
    /// `sqlite://PATH` or `postgres://…`; a SQLite file in the data directory when absent.
    #[arg(long, env = "ARGUS_DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
}

impl DataArgs {
    /// The store's URL.
    pub fn database_url(&self) -> String {
        match &self.database_url {
            Some(url) => url.clone(),
            None => format!("sqlite://{}", self.data_dir.join("argus.db").display()),
        }
    }

    /// What identity needs to start.
    pub fn identity_settings(&self, issuer: &str) -> IdentitySettings {
        IdentitySettings {
            database_url: self.database_url(),
            data_dir: self.data_dir.clone(),
            issuer: issuer.to_owned(),
        }
    }
}

/// How to run the hosts.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// Where the auth host listens; port 0 takes any free port.
    #[arg(long, env = "ARGUS_AUTH_ADDR", default_value = "127.0.0.1:8080", value_parser = parse_address)]
    pub auth_addr: SocketAddr,
    /// Where the live API host listens.
    #[arg(long, env = "ARGUS_API_ADDR", default_value = "127.0.0.1:8081", value_parser = parse_address)]
    pub api_addr: SocketAddr,
    /// Where the sandbox host listens.
    #[arg(long, env = "ARGUS_SANDBOX_ADDR", default_value = "127.0.0.1:8082", value_parser = parse_address)]
    pub sandbox_addr: SocketAddr,
    /// Where the data is.
    #[command(flatten)]
    pub data: DataArgs,
    /// `iss` of every token.
    #[arg(long, env = "ARGUS_ISSUER", default_value = Host::Auth.public_url())]
    pub issuer: String,
    /// Base URL under which clients reach the auth host; the listening address in `dev`.
    #[arg(long, env = "ARGUS_AUTH_URL")]
    pub auth_url: Option<String>,
    /// Base URL under which clients reach the sandbox host; the listening address in `dev`.
    #[arg(long, env = "ARGUS_SANDBOX_URL")]
    pub sandbox_url: Option<String>,
    /// Directory of more sandbox scenarios, one JSON file each.
    #[arg(long, env = "ARGUS_SCENARIO_DIR")]
    pub scenario_dir: Option<PathBuf>,
    /// Least severity that is logged: error, warn, info, debug or trace.
    #[arg(long, env = "ARGUS_LOG", default_value = "warn", value_parser = parse_level)]
    pub log: slog::FilterLevel,
    /// Written, whole, once every host accepts: JSON with the hosts' base URLs and, in `dev`, the
    /// demo credentials.
    #[arg(long)]
    pub ready_file: Option<PathBuf>,
}

impl RunArgs {
    /// Where each host is to listen.
    pub fn addresses(&self) -> Addresses {
        Addresses { auth: self.auth_addr, api: self.api_addr, sandbox: self.sandbox_addr }
    }
}

impl Default for RunArgs {
    fn default() -> Self {
        #[derive(Parser)]
        struct Defaults {
            #[command(flatten)]
            run: RunArgs,
        }
        Defaults::parse_from(["argus"]).run
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
    /// `iss` of the token.
    #[arg(long, env = "ARGUS_ISSUER", default_value = Host::Auth.public_url())]
    pub issuer: String,
    /// Where the data is.
    #[command(flatten)]
    pub data: DataArgs,
}

fn parse_level(name: &str) -> Result<slog::FilterLevel, String> {
    name.parse().map_err(|()| "use error, warn, info, debug or trace".to_owned())
}

fn parse_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "an IP address and a port are needed, like 127.0.0.1:8080 or [::1]:8080")
}

fn parse_scope(name: &str) -> Result<Scope, String> {
    name.parse().map_err(|_| {
        let scopes = Scope::catalogue().chain([Scope::InternalOperate]);
        let names: Vec<&str> = scopes.map(Scope::as_str).collect();
        format!("the scopes are {}", names.join(", "))
    })
}
