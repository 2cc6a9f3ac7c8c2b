//! The settings of a service, whole and checked before anything is touched. Each comes from a flag, its
//! environment twin, or the file of `--config`; the first of these that says something counts.

mod file;
mod options;

pub use options::{
    BundleAction, Cli, Command, ConnectorOptions, DataArgs, DeliveriesAction, DevArgs, GraphqlAction,
    GraphqlOptions, HostOptions, IdentityOptions, IncidentsAction, JobsAction, KeysAction, LimitOptions,
    LogOptions, NewScenario, ObjectOptions, Options, OutboxAction, PreviewArgs, RefreshArgs, Role, RunArgs,
    SandboxOptions, ScenarioAction, StoreOptions, TenantAction, TokenArgs, UserAction, WorkerOptions,
};

use crate::discovery::issuer_path;
use crate::gate::TrustedProxies;
use crate::hosts::{Addresses, BaseUrls};
use crate::service::Names;
use argus_core::deliveries::couriers::CourierSettings;
use argus_core::dialler::DiallerSettings;
use argus_core::envelope::{self, Envelope};
use argus_core::jobs::workers::WorkerSettings;
use argus_core::limits::{Limit, Rate, Rates};
use argus_core::objects::{ObjectSettings, OpenError, Place, S3Settings};
use argus_core::store::{Connections, DatabaseUrl, StoreSettings};
use argus_openapi::Host;
use argus_openapi::contract::ARGUS;
use argus_openapi::types::secret::SecretText;
use argus_openapi::types::uri::base_url_path;
use argus_partner::IdentitySettings;
use argus_partner::connectors::{ConnectorSettings, Provider};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// Where the data is when nobody says.
const DATA_DIR: &str = ".argus";
/// How often what is recorded in aggregate is appended to the audit trail.
pub const FLUSH_INTERVAL: Duration = Duration::from_secs(10);
/// Most connections of one kind.
const CONNECTIONS_MAX: u32 = 1_000;

/// Most jobs that a node works on at a time.
const WORKER_SLOTS_MAX: u32 = 10_000;
/// The longest lease, in seconds.
const LEASE_SECONDS_MAX: u64 = 3_600;

/// The most that may happen in a minute: as good as no limit.
pub const TIMES_MAX: u32 = 1_000_000;

/// How long open requests may take to end when nobody says, in seconds.
pub const DRAIN_SECONDS: u32 = 30;
/// How long the body of a request may take to arrive when nobody says, in seconds.
pub const BODY_SECONDS: u32 = 30;
/// The longest that either may be given, in seconds.
const SECONDS_MAX: u32 = 3_600;

/// Everything that a service needs to know to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the hosts listen.
    pub addresses: Addresses,
    /// Whether the hosts may listen where other machines reach them.
    pub expose: bool,
    /// Proxies whose word for a caller's address is taken.
    pub trusted_proxies: TrustedProxies,
    /// How long open requests may take to end after the service was told to stop.
    pub drain: Duration,
    /// How long the body of a request may take to arrive.
    pub body_limit: Duration,
    /// URL under which clients reach the auth host, if it was said.
    pub auth_url: Option<String>,
    /// URL under which clients reach the live API host, if it was said.
    pub api_url: Option<String>,
    /// URL under which clients reach the sandbox host, if it was said.
    pub sandbox_url: Option<String>,
    /// `iss` of every token, if it was said.
    pub issuer: Option<String>,
    /// The database.
    pub store: StoreSettings,
    /// Where results and uploads are kept.
    pub objects: ObjectSettings,
    /// The systems that know more of profiles.
    pub connectors: ConnectorSettings,
    /// Keys and tokens.
    pub identity: IdentitySettings,
    /// Which part of the work this node does.
    pub role: Role,
    /// How it works on jobs.
    pub workers: WorkerSettings,
    /// The way to receivers.
    pub dialler: DiallerSettings,
    /// How it works on deliveries.
    pub couriers: CourierSettings,
    /// How often what may happen.
    pub limits: Rates,
    /// More operation bundles.
    pub bundle_dir: Option<PathBuf>,
    /// More sandbox scenarios.
    pub scenario_dir: Option<PathBuf>,
    /// Least severity that is logged.
    pub log: LevelFilter,
    /// How often what is recorded in aggregate is appended to the audit trail.
    pub flush_interval: Duration,
}

/// Settings that cannot be used, each with what to change.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\nargus: "))]
pub struct SettingsError(Vec<String>);

impl From<String> for SettingsError {
    fn from(message: String) -> Self {
        Self(vec![message])
    }
}

impl Settings {
    /// The settings that flags and environment say, over those of the file.
    pub fn load(options: &Options, config: Option<&Path>) -> Result<Self, SettingsError> {
        let options = options.clone().with_variables()?;
        let options = match config {
            Some(path) => file::overlay(&options, path)?,
            None => options,
        };
        resolve(options)
    }

    /// What the service is called: as was said, or else as in `fallback`.
    pub fn names(&self, fallback: Names) -> Names {
        Names {
            base_urls: BaseUrls {
                auth: self.auth_url.clone().unwrap_or(fallback.base_urls.auth),
                api: self.api_url.clone().unwrap_or(fallback.base_urls.api),
                sandbox: self.sandbox_url.clone().unwrap_or(fallback.base_urls.sandbox),
            },
            issuer: self.issuer.clone().unwrap_or(fallback.issuer),
            former_issuers: fallback.former_issuers,
        }
    }
}

/// Checks everything, so that an operator reads of all faults at once.
fn resolve(options: Options) -> Result<Settings, SettingsError> {
    let mut faults = Vec::new();
    let Options {
        hosts,
        store,
        objects,
        connectors,
        identity,
        workers,
        deliveries,
        limits,
        graphql,
        sandbox,
        log,
    } = options;

    let usual = |host: Host| SocketAddr::from((Ipv4Addr::LOCALHOST, host.default_port()));
    let addresses = Addresses {
        auth: hosts.auth_addr.unwrap_or(usual(Host::Auth)),
        api: hosts.api_addr.unwrap_or(usual(Host::Api)),
        sandbox: hosts.sandbox_addr.unwrap_or(usual(Host::Sandbox)),
    };
    for (name, url) in [
        ("auth_url", &hosts.auth_url),
        ("api_url", &hosts.api_url),
        ("sandbox_url", &hosts.sandbox_url),
        ("issuer", &identity.issuer),
    ] {
        if url.as_deref().is_some_and(|url| base_url_path(url).is_none()) {
            faults.push(format!(
                "`{name}` must be an http or https URL without user, password, query, fragment or closing \
                 slash"
            ));
        }
    }
    if identity.issuer.as_deref().and_then(issuer_path).is_some_and(|path| !is_plain_path(path)) {
        faults.push("the path of `issuer` may have letters, digits and `. _ ~ -` alone".to_owned());
    }

    let mut trusted_proxies = TrustedProxies::default();
    match TrustedProxies::new(hosts.trusted_proxies.iter().flatten().map(String::as_str)) {
        Ok(networks) => trusted_proxies = networks,
        Err(error) => faults.push(format!("`trusted_proxies`: {error}")),
    }
    let drain_seconds = hosts.drain_seconds.unwrap_or(DRAIN_SECONDS);
    if drain_seconds > SECONDS_MAX {
        faults.push(format!("`drain_seconds` must be at most {SECONDS_MAX}"));
    }
    let body_seconds = hosts.body_seconds.unwrap_or(BODY_SECONDS);
    if !(1..=SECONDS_MAX).contains(&body_seconds) {
        faults.push(format!("`body_seconds` must be 1 to {SECONDS_MAX}"));
    }

    let envelope_key = identity.envelope_key;
    if envelope_key.as_ref().is_some_and(|key| !Envelope::is_key(key)) {
        faults.push(format!("`envelope_key`: {}", envelope::KeyError::NoKey));
    }
    let data_dir = identity.data_dir.unwrap_or_else(|| PathBuf::from(DATA_DIR));
    let url = store.database_url.map_or_else(|| DatabaseUrl::embedded(&data_dir), DatabaseUrl::from);
    if let Err(error) = url.check() {
        faults.push(error.to_string());
    }
    // Whoever names these means a server; with a file beside them, a service would silently begin anew.
    let mut beside = |name: &str, said: Option<String>| {
        let said = DatabaseUrl::from(said?);
        match said.check() {
            Err(error) => faults.push(format!("`{name}`: {error}")),
            Ok(()) if said.is_embedded() || url.is_embedded() => {
                faults.push(format!("`{name}` goes with a `database_url` of PostgreSQL, and is one itself"));
            }
            Ok(()) => {}
        }
        Some(said)
    };
    let worker_url = beside("database_worker_url", store.database_worker_url);
    let owner_url = beside("database_owner_url", store.database_owner_url);
    let mut count = |name: &str, asked: Option<u32>, usual: u32| {
        let count = asked.unwrap_or(usual);
        if !(1..=CONNECTIONS_MAX).contains(&count) {
            faults.push(format!("`{name}` must be 1 to {CONNECTIONS_MAX}"));
        }
        count
    };
    let usual = Connections::default();
    let connections = Connections {
        requests: count("request_connections", store.request_connections, usual.requests),
        workers: count("worker_connections", store.worker_connections, usual.workers),
        deliveries: count("delivery_connections", store.delivery_connections, usual.deliveries),
    };

    let objects = objects_in(objects, &data_dir);
    if let Err(error) = &objects {
        faults.push(error.to_string());
    }

    let mut providers = BTreeMap::new();
    for (system, url, token) in connectors.systems() {
        match provider(url, token) {
            Ok(provider) => providers.extend(provider.map(|provider| (system, provider))),
            Err(error) => faults.push(format!("`[connectors.{}]`: {error}", system.name())),
        }
    }

    let usual = WorkerSettings::default();
    let slots = workers.worker_slots.unwrap_or(usual.slots);
    if !(1..=WORKER_SLOTS_MAX).contains(&slots) {
        faults.push(format!("`worker_slots` must be 1 to {WORKER_SLOTS_MAX}"));
    }
    let lease = workers.lease_seconds.map_or(usual.lease, |seconds| Duration::from_secs(seconds.into()));
    if !(1..=LEASE_SECONDS_MAX).contains(&lease.as_secs()) {
        faults.push(format!("`lease_seconds` must be 1 to {LEASE_SECONDS_MAX}"));
    }

    let mut rates = Rates::default();
    for limit in Limit::ALL {
        match limits.of(limit) {
            None => {}
            Some(times @ 1..=TIMES_MAX) => rates = rates.with(limit, Rate::per_minute(times)),
            Some(_) => faults.push(format!("`{}` must be 1 to {TIMES_MAX}", limit.name())),
        }
    }

    let mut allowed: Vec<IpNet> = Vec::new();
    for network in deliveries.allow.iter().flatten() {
        match network.parse() {
            Ok(network) => allowed.push(network),
            Err(_) => faults.push(format!("`allow`: `{network}` is no network like 10.1.0.0/16")),
        }
    }

    if !faults.is_empty() {
        return Err(SettingsError(faults));
    }
    Ok(Settings {
        objects: objects.map_err(|error| error.to_string())?,
        connectors: ConnectorSettings { providers, ..ConnectorSettings::default() },
        role: workers.role.unwrap_or_default(),
        workers: WorkerSettings { slots, lease, ..usual },
        dialler: DiallerSettings { allowed, certificates: deliveries.certificates, ..dialler() },
        couriers: CourierSettings::default(),
        addresses,
        expose: hosts.expose.unwrap_or(false),
        trusted_proxies,
        drain: Duration::from_secs(drain_seconds.into()),
        body_limit: Duration::from_secs(body_seconds.into()),
        auth_url: hosts.auth_url,
        api_url: hosts.api_url,
        sandbox_url: hosts.sandbox_url,
        issuer: identity.issuer.clone(),
        store: StoreSettings { worker_url, owner_url, connections, ..StoreSettings::new(url) },
        identity: IdentitySettings {
            data_dir,
            envelope_key,
            issuer: identity.issuer.unwrap_or_else(|| Host::Auth.public_url().to_owned()),
        },
        limits: rates,
        bundle_dir: graphql.bundle_dir,
        scenario_dir: sandbox.scenario_dir,
        log: log.level.map_or(LevelFilter::WARN, LevelFilter::from),
        flush_interval: FLUSH_INTERVAL,
    })
}

/// The way to receivers on the public internet.
pub fn dialler() -> DiallerSettings {
    DiallerSettings::new(format!("argus-webhooks/{}", ARGUS.version))
}

/// The system that was said, if any was.
fn provider(url: Option<String>, token: Option<String>) -> Result<Option<Provider>, String> {
    match (url, token) {
        (None, None) => Ok(None),
        (Some(url), Some(token)) => {
            Provider::new(&url, SecretText::from(token)).map(Some).map_err(|fault| fault.to_string())
        }
        (Some(_), None) => Err("a `url` needs a `token`".to_owned()),
        (None, Some(_)) => Err("a `token` needs a `url`".to_owned()),
    }
}

/// Where objects are kept.
fn objects_in(options: ObjectOptions, data_dir: &Path) -> Result<ObjectSettings, OpenError> {
    let ObjectOptions {
        location,
        endpoint,
        region,
        access_key_id,
        secret_access_key,
        session_token,
        credentials_end,
    } = options;
    let Some(location) = location else { return Ok(ObjectSettings::embedded(data_dir)) };
    let s3 = S3Settings {
        endpoint,
        region,
        access_key_id,
        secret_access_key: secret_access_key.map(SecretText::from),
        session_token: session_token.map(SecretText::from),
        credentials_end,
    };
    let settings = ObjectSettings { place: Place::parse(&location)?, s3 };
    settings.check()?;
    Ok(settings)
}

/// Whether a path can be a part of another one as it stands.
fn is_plain_path(path: &str) -> bool {
    let plain = |segment: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        !matches!(segment, "" | "." | "..") && segment.bytes().all(allowed)
    };
    path.strip_prefix('/').is_some_and(|path| path.split('/').all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_partner::connectors::System;
    use std::io::Write;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(text.as_bytes()).expect("a writable file");
        file
    }

    fn load(options: &Options, text: &str) -> Result<Settings, SettingsError> {
        Settings::load(options, Some(file(text).path()))
    }

    #[test]
    fn a_flag_counts_before_the_file_and_the_file_before_the_default() {
        let flags = HostOptions {
            api_addr: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 1))),
            ..HostOptions::default()
        };
        let options = Options { hosts: flags, ..Options::default() };
        let text =
            "[hosts]\napi_addr = \"127.0.0.1:2\"\nauth_addr = \"127.0.0.1:3\"\n[log]\nlevel = \"debug\"\n";
        let settings = load(&options, text).expect("usable settings");
        let Addresses { auth, api, sandbox } = settings.addresses;
        assert_eq!([auth.port(), api.port(), sandbox.port()], [3, 1, 8082]);
        assert_eq!(settings.log, LevelFilter::DEBUG);
    }

    #[test]
    fn an_unknown_key_is_refused_by_its_name_and_no_value_is_shown() {
        let text = "[store]\ndatabse_url = \"postgres://argus:hunter2@db/argus\"\n";
        let error = load(&Options::default(), text).expect_err("an unknown key").to_string();
        assert!(error.contains("databse_url") && error.contains("line 2"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn no_value_of_the_file_is_shown_in_whatever_place_it_stands() {
        for text in [
            "[store]\nrequest_connections = \"hunter2\"\n",
            "[store]\nrequest_connections = [\"hunter2\"]\n",
            "[store]\ndatabase_url = [\"hunter2\"]\n",
            "[store]\ndatabase_worker_url = \"postgres://argus:hunter2@db/argus\"\n",
            "[store]\ndatabase_owner_url = \"mysql://argus:hunter2@db/argus\"\n",
            "[store]\ndatabase_url = postgres://argus:hunter2@db/argus\n",
            "[store]\ndatabase_url postgres://argus:hunter2@db/argus\n",
            "[store]\ndatabase_url = \"postgres://argus:hunter2@db/argus\n",
            "store = \"postgres://argus:hunter2@db/argus\"\n",
            "[hosts]\nauth_addr = \"hunter2\"\nauth_url = \"https://argus:hunter2@a.example\"\n",
            "[hosts]\nauth_url = \"https://argus:hunter2@a.example\"\n",
            "[hosts]\nsandbox_url = \"https://hunter2@a.example\"\n",
            "[identity]\nissuer = \"https://argus:hunter2@a.example/a\"\n",
            "[identity]\nenvelope_key = \"hunter2\"\n",
            "[identity]\nenvelope_key = [\"hunter2\"]\n",
            "[log]\nlevel = \"hunter2\"\n",
            "[objects]\nlocation = \"s3://argus:hunter2@bucket\"\n",
            "[objects]\nlocation = \"s3://argus\"\nsecret_access_key = \"hunter2\"\n",
            "[objects]\nlocation = \"s3://argus\"\ncredentials_end = \"hunter2\"\n",
            "[objects]\nlocation = \"s3://argus\"\nendpoint = \"https://argus:hunter2@r2.example\"\n",
            "[connectors.finance]\ntoken = \"hunter2\"\n",
            "[connectors.finance]\nurl = \"https://argus:hunter2@finance.example\"\ntoken = \"a\"\n",
            "[connectors.finance]\nurl = \"http://finance.example\"\ntoken = \"hunter2\"\n",
            "[connectors.finance]\nurl = \"https://finance.example\"\ntoken = \"hunter2 hunter2\"\n",
            "[connectors.finance]\nurl = \"https://finance.example\"\ntoken = [\"hunter2\"]\n",
            "[connectors.payments]\ntoken = \"hunter2\"\n",
        ] {
            let error = load(&Options::default(), text).expect_err(text);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{text}: {error}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let text = "[hosts]\nauth_url = \"nonsense\"\n[store]\nrequest_connections = 0\n";
        let error = load(&Options::default(), text).expect_err("two faults").to_string();
        assert!(error.contains("auth_url") && error.contains("request_connections"), "{error}");
    }

    #[test]
    fn the_path_of_an_issuer_is_one_that_can_stand_in_a_longer_path() {
        let load = |issuer: &str| load(&Options::default(), &format!("[identity]\nissuer = \"{issuer}\"\n"));
        for issuer in ["https://a.example", "https://a.example/tenant", "https://a.example/a/b.c-d_e~f"] {
            assert_eq!(load(issuer).expect(issuer).issuer.as_deref(), Some(issuer));
        }
        for path in ["/a//b", "/{x}", "/a%20b", "/a/../b", "/.", "/a\\b"] {
            let issuer = &format!("https://a.example{path}");
            let error = load(issuer).expect_err(issuer).to_string();
            assert!(error.contains("`issuer`"), "{error}");
        }
    }

    #[test]
    fn proxies_are_trusted_by_network_and_what_is_none_is_refused() {
        let load =
            |networks: &str| load(&Options::default(), &format!("[hosts]\ntrusted_proxies = {networks}\n"));
        let settings = load(r#"["10.0.0.0/8", "::1"]"#).expect("two networks");
        assert_eq!(settings.trusted_proxies, TrustedProxies::new(["10.0.0.0/8", "::1"]).expect("networks"));
        for networks in [r#"["10.0.0.0/99"]"#, r#"["proxy.example"]"#, r#"[""]"#, r#""10.0.0.0/8""#] {
            let error = load(networks).expect_err(networks).to_string();
            assert!(error.contains("network") || error.contains("sequence"), "{error}");
        }
    }

    #[test]
    fn a_limit_is_so_many_times_a_minute_and_twice_as_many_at_once() {
        let rates = |text: &str| load(&Options::default(), text).map(|settings| settings.limits);
        assert_eq!(rates("").expect("nothing said"), Rates::default());
        let of_bearers =
            rates("[limits]\nbearer_failures = 30\n").expect("a limit").of(Limit::BearerFailures);
        assert_eq!((of_bearers.capacity(), of_bearers.interval()), (60, Duration::from_secs(2)));
        for limit in Limit::ALL {
            let name = limit.name();
            let said = rates(&format!("[limits]\n{name} = 1\n")).expect(name);
            assert_eq!(said, Rates::default().with(limit, Rate::per_minute(1)), "{name}");
            for times in ["0", "1000001"] {
                let error = rates(&format!("[limits]\n{name} = {times}\n")).expect_err(name).to_string();
                assert!(error.contains(name), "{error}");
            }
        }
    }

    #[test]
    fn objects_are_in_the_data_directory_or_where_it_is_said() {
        let place = |text: &str| load(&Options::default(), text).expect(text).objects.place;
        let own = Place::Directory { path: Path::new(DATA_DIR).join("objects"), is_shared: false };
        assert_eq!(place(""), own);
        // A bucket's keys alone mean nothing.
        assert_eq!(place("[objects]\naccess_key_id = \"id\"\n"), own);
        let shared = Place::Directory { path: "/srv/objects".into(), is_shared: true };
        assert_eq!(place("[objects]\nlocation = \"file:///srv/objects?shared=true\"\n"), shared);
        let text = "[objects]\nlocation = \"s3://argus/a\"\naccess_key_id = \"id\"\nsecret_access_key = \"hunter2\"\n";
        let settings = load(&Options::default(), text).expect("a bucket");
        assert_eq!(settings.objects.place, Place::Bucket { bucket: "argus".into(), prefix: "a".into() });
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn a_system_is_asked_where_url_and_token_say_and_neither_goes_without_the_other() {
        let load = |text: &str| load(&Options::default(), text);
        assert!(load("").expect("nothing said").connectors.providers.is_empty());
        let text = "[connectors.osint]\nurl = \"https://osint.example/a\"\ntoken = \"hunter2\"\n";
        let settings = load(text).expect("a system");
        let token = SecretText::from("hunter2".to_owned());
        let osint = Provider::new("https://osint.example/a", token).expect("a system");
        assert_eq!(settings.connectors.providers, BTreeMap::from([(System::Osint, osint)]));
        assert!(!format!("{settings:?}").contains("hunter2"));
        for (member, missing) in
            [("url = \"https://osint.example\"", "token"), ("token = \"hunter2\"", "url")]
        {
            let error = load(&format!("[connectors.osint]\n{member}\n")).expect_err(member).to_string();
            assert!(
                error.contains("connectors.osint") && error.contains(&format!("needs a `{missing}`")),
                "{error}"
            );
        }
    }

    #[test]
    fn an_envelope_key_is_taken_from_the_file_and_is_not_shown() {
        let key = "aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnQ=";
        let text = format!("[identity]\nenvelope_key = \"{key}\"\n");
        let settings = load(&Options::default(), &text).expect("usable settings");
        assert_eq!(settings.identity.envelope_key.as_ref().map(SecretText::expose), Some(key));
        assert!(!format!("{settings:?}").contains(key));
    }

    #[test]
    fn worker_and_owner_go_with_postgresql_alone() {
        let server = "database_url = \"postgres://a@db/argus\"\n";
        for (text, is_usable) in [
            ("database_worker_url = \"postgres://b@db/argus\"", false),
            ("database_owner_url = \"postgres://b@db/argus\"", false),
            ("database_url = \"argus.db\"\ndatabase_worker_url = \"argus.db\"", false),
            (&format!("{server}database_worker_url = \"argus.db\""), false),
            (&format!("{server}database_worker_url = \"postgres://b@db/argus\""), true),
        ] {
            let loaded = load(&Options::default(), &format!("[store]\n{text}\n"));
            assert_eq!(loaded.is_ok(), is_usable, "{text}");
        }
    }

    #[test]
    fn a_password_in_the_database_url_is_not_shown() {
        let text = "[store]\ndatabase_url = \"postgres://argus:hunter2@db/argus\"\n\
                    database_worker_url = \"postgres://worker:hunter2@db/argus\"\n\
                    database_owner_url = \"postgres://owner:hunter2@db/argus\"\n";
        let settings = load(&Options::default(), text).expect("usable settings");
        assert!(settings.store.worker_url.is_some() && settings.store.owner_url.is_some());
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
