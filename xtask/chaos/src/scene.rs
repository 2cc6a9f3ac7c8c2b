//! `argus serve` with few descriptors, nginx in front of it, and somebody with tokens.

use crate::dial::Dial;
use argus_openapi::Host;
use argus_openapi::types::scopes::Scope;
use argus_tests::{Nginx, Tenancy, TestProcess, argus};
use procfs::net::TcpState;
use std::path::Path;
use tempfile::TempDir;

/// As many descriptors as the server gets, hard limit and soft.
pub const DESCRIPTORS: usize = 200;

/// What the checks look at.
pub struct Scene {
    pub server: TestProcess,
    pub proxy: Nginx,
    pub dial: Dial,
    pub admin_token: String,
    pub sandbox_token: String,
}

impl Scene {
    /// Starts everything.
    pub async fn set(binary: &Path) -> Self {
        let limited = format!("ulimit -n {DESCRIPTORS}; exec \"$0\" \"$@\"");
        let binary = binary.to_str().unwrap();
        let arguments = ["-c", &limited, binary, "serve", "--trusted-proxy", "127.0.0.1", "--log", "debug"];
        let server = TestProcess::start(Path::new("/bin/sh"), &arguments, TempDir::new().unwrap());
        let proxy = Nginx::start(Host::ALL.map(|host| server.address(host)));
        let dial = Dial::to(&proxy);
        let token = |scope: &str| {
            let output = argus(Path::new(binary), &server.data_dir(), &["token", "--scope", scope]);
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let admin_token = token(Scope::PlatformAdmin.as_str());
        // Past the proxy, as operators do.
        let app = Tenancy::known(&server, "", &admin_token).app(&[Scope::JobsWrite]).await;
        let sandbox_token = app.sandbox_token(&[]).await;
        Self { dial, admin_token, sandbox_token, proxy, server }
    }

    /// The connections that a host of Argus has.
    pub fn connections_of_argus(&self, host: Host) -> usize {
        connections(self.server.address(host).port())
    }

    /// The connections that nginx has with clients.
    pub fn connections_of_nginx(&self) -> usize {
        connections(self.proxy.address().port())
    }

    /// The descriptors that Argus has open.
    pub fn descriptors_of_argus(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.server.id())).unwrap().count()
    }
}

/// The connections that a process holds whose own end is this port.
fn connections(port: u16) -> usize {
    let sockets = procfs::net::tcp().unwrap();
    sockets
        .iter()
        .filter(|socket| socket.local_address.port() == port && socket.state != TcpState::Listen)
        // What has no inode is the kernel's alone.
        .filter(|socket| socket.inode != 0)
        .count()
}
