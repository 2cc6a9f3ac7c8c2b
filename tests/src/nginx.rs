//! The proxy of `server/deploy` in front of a server: the real nginx with the configuration as it is
//! shipped, on ports and in a directory of its own. It ends with the test.

use crate::patience::look_for;
use argus_openapi::Host;
use rcgen::CertifiedKey;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// How often free ports are looked for: another process may take one before nginx listens on it.
const ATTEMPTS: usize = 5;

/// The shipped files, all of which are in one directory.
const FILES: [&str; 3] = ["nginx.conf", "argus.conf", "argus-refusal.conf"];

/// A running nginx.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    port: u16,
    certificate: String,
    directory: TempDir,
}

impl Nginx {
    /// nginx in front of the hosts at these addresses: auth, api, sandbox.
    pub fn start(hosts: [SocketAddr; 3]) -> Self {
        let mut log = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(hosts) {
                Ok(proxy) => return proxy,
                Err(said) => log = said,
            }
        }
        panic!("nginx does not start: {log}");
    }

    fn try_start(hosts: [SocketAddr; 3]) -> Result<Self, String> {
        let directory = TempDir::new().unwrap();
        let (outer, inner) = (free_port(), free_port());
        let certificate = install(directory.path(), hosts, outer, inner);
        let output = |name| fs::File::create(directory.path().join(name)).unwrap();
        let child = Command::new("nginx")
            .arg("-e")
            .arg(directory.path().join("log/error.log"))
            .arg("-c")
            .arg(directory.path().join("nginx.conf"))
            .args(["-g", "daemon off;"])
            .stdin(Stdio::null())
            .stdout(output("stdout"))
            .stderr(output("stderr"))
            .spawn()
            .unwrap_or_else(|error| {
                panic!("nginx cannot run ({error}); server/deploy/README.md has its packages")
            });
        let mut proxy = Self { child, port: outer, certificate, directory };
        let started = look_for(|| {
            if proxy.child.try_wait().unwrap().is_some() {
                return Some(Err(proxy.stderr()));
            }
            let accept =
                [outer, inner].iter().all(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok());
            accept.then_some(Ok(()))
        });
        started.unwrap_or_else(|| Err(proxy.stderr())).map(|()| proxy)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The certificate that it shows, which is its own authority, as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The URL of a path on a host, for a client that finds the host's name at [`Self::address`].
    pub fn url(&self, host: Host, path: &str) -> String {
        format!("{}:{}{path}", host.public_url(), self.port)
    }

    /// A client that finds the hosts' names here and believes the certificate.
    pub fn client(&self) -> reqwest::ClientBuilder {
        let certificate = reqwest::Certificate::from_pem(self.certificate.as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([certificate]);
        names().into_iter().fold(client, |client, name| client.resolve(name, self.address()))
    }

    /// The lines of its access log so far. It is written with a second's delay.
    pub fn access_log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log/access.log")).unwrap()
    }

    fn stderr(&self) -> String {
        fs::read_to_string(self.directory.path().join("stderr")).unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killed alone, the master would leave its workers behind.
        let _ = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// The names of the hosts, as certificates have them.
pub fn names() -> [&'static str; 3] {
    Host::ALL.map(|host| host.public_url().trim_start_matches("https://"))
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Lays the shipped files, with places of their own, and a new certificate into the directory.
fn install(directory: &Path, hosts: [SocketAddr; 3], outer: u16, inner: u16) -> String {
    for name in ["log", "tls", "temporary"] {
        fs::create_dir(directory.join(name)).unwrap();
    }
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(names().map(str::to_owned)).unwrap();
    fs::write(directory.join("tls/fullchain.pem"), cert.pem()).unwrap();
    fs::write(directory.join("tls/privkey.pem"), signing_key.serialize_pem()).unwrap();

    let shipped = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../server/deploy/nginx");
    let below = |name: &str| format!("{}/{name}", directory.display());
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("    {name}_temp_path {};\n", below(&format!("temporary/{name}"))));
    // nginx takes another user than root's only from root.
    let user = if fs::metadata(directory).unwrap().uid() == 0 { "user root;" } else { "" };
    let mut moves = vec![
        ("user www-data;".to_owned(), user.to_owned()),
        ("/run/nginx.pid".to_owned(), below("nginx.pid")),
        ("/var/log/nginx/".to_owned(), below("log/")),
        ("/etc/argus/tls/".to_owned(), below("tls/")),
        ("\nhttp {\n".to_owned(), format!("\nhttp {{\n{}", temporary.concat())),
        ("listen 443;".to_owned(), format!("listen 127.0.0.1:{outer};")),
        ("listen [::]:443;".to_owned(), String::new()),
        ("127.0.0.1:4443".to_owned(), format!("127.0.0.1:{inner}")),
    ];
    for host in Host::ALL {
        let usual = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), host.default_port());
        // Marked, because a port of one may be the usual port of another.
        moves.push((format!("server {usual};"), format!("server {};", hosts[host as usize])));
    }
    let mut moved = vec![false; moves.len()];
    for name in FILES {
        let mut text = fs::read_to_string(shipped.join(name)).unwrap();
        for ((from, to), moved) in moves.iter().zip(&mut moved) {
            *moved |= text.contains(from.as_str());
            text = text.replace(from.as_str(), to);
        }
        fs::write(directory.join(name), text).unwrap();
    }
    for ((from, _), moved) in moves.iter().zip(moved) {
        assert!(moved, "{from:?} stands nowhere in {}", shipped.display());
    }
    cert.pem()
}
