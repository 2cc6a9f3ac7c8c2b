//! What the environment says of proxies counts for nothing.

use super::receiver::{After, Receiver};
use super::{LOOPBACK, Trap, at_home, nameless, send};
use argus_tests::run;
use std::process::Command;
use tokio::task::spawn_blocking;

const URL: &str = "ARGUS_TEST_CHILD_URL";

/// On its own it starts itself again, with a proxy in its environment; as that child it sends a request.
#[test]
fn no_proxy_of_the_environment_sees_a_request() {
    run(async {
        if let Ok(url) = std::env::var(URL) {
            assert_eq!(send(&nameless(&at_home()), &url).await.unwrap().status, 204);
            return;
        }
        let receiver = Receiver::with("HTTP/1.1 204 No Content\r\n\r\n", After::Next).await;
        let proxy = Trap::at(LOOPBACK, 0).unwrap();
        let proxy_url = format!("http://127.0.0.1:{}", proxy.port());
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "dialler::environment::no_proxy_of_the_environment_sees_a_request"]);
        child.env(URL, receiver.url()).env_remove("NO_PROXY").env_remove("no_proxy");
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            child.env(name, &proxy_url).env(name.to_ascii_lowercase(), &proxy_url);
        }
        let output = spawn_blocking(move || child.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(receiver.requests().len(), 1);
        assert!(proxy.is_untouched());
    });
}
