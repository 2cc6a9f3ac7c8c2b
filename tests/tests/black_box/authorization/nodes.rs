//! What ended on one node is over on every other, on each of its hosts: at once where nodes hear of each other, and within
//! five seconds where they do not.

use super::ending::SOON;
use super::{PASSWORD, Scene, Tokens};
use crate::black_box::support::binary;
use argus_openapi::Host;
use argus_tests::{Installation, Node, Tab, TestServer, run_on_postgres};
use serde_json::json;
use std::time::{Duration, Instant};

/// How long a node rests between two looks at what was revoked, if it hears of nothing.
const REST: Duration = Duration::from_secs(2);

#[test]
fn what_ended_on_one_node_is_over_at_once_on_another_that_is_told() {
    run_on_postgres(|server: TestServer| async {
        let mut scene = Scene::new(server).await;
        let node = scene.server.another_node();
        let took = end_in_every_way(&mut scene, &node).await;
        // Each one begins as soon as the node has looked, so that by looking alone it would take that rest every time.
        assert!(took < REST * (WAYS.len() as u32 - 1), "{took:?}");
    });
}

#[test]
fn what_ended_on_one_node_is_over_within_five_seconds_on_another_that_hears_nothing() {
    run_on_postgres(|mut installation: Installation| async {
        let proxy = installation.behind_a_proxy().await;
        let server = TestServer::from(installation);
        proxy.deafen();
        let mut scene = Scene::new(server).await;
        let node = scene.server.another_node();
        let took = end_in_every_way(&mut scene, &node).await;
        assert!(took > REST, "it was told, in {took:?}");
    });
}

const WAYS: [&str; 5] = ["revoke", "withdraw", "disable", "not before", "suspend"];

/// Ends tokens in each way on the scene's node, and waits until they are refused on every host of the other one; how long
/// that took altogether.
async fn end_in_every_way(scene: &mut Scene, node: &Node) -> Duration {
    let mut took = Duration::ZERO;
    for way in WAYS {
        // Who is disabled does not come back.
        let email = format!("{}@example.com", way.replace(' ', "-"));
        scene.server.person(&scene.tenancy.tenant_id, &email).await;
        scene.tab = Tab::new(&scene.server);
        scene.tab.sign_in(&email, PASSWORD).await.expect(303);
        let got = scene.tokens().await;
        let path = format!("/v1/platform/apps/{}/sandbox-token", scene.client_id);
        let sandboxed = scene.tenancy.post(&path, &json!({"scenarios": []})).await.expect(200).text("token");
        let mut tokens = vec![(Host::Api, &got.access), (Host::Auth, &got.access)];
        // A token of the sandbox is the app's own, and ends with what ends the app's.
        if matches!(way, "not before" | "suspend") {
            tokens.push((Host::Sandbox, &sandboxed));
        }
        for (host, token) in &tokens {
            assert_ne!(status(node, *host, token).await, 401, "{way}");
        }
        let began = Instant::now();
        end(scene, way, &email, &got).await;
        for (host, token) in tokens {
            while status(node, host, token).await != 401 {
                assert!(began.elapsed() < SOON, "{way} on the {} host", host.name());
                tokio::task::yield_now().await;
            }
        }
        let this_took = began.elapsed();
        assert!(this_took < SOON, "{way} took {this_took:?}");
        took += this_took;
    }
    took
}

async fn status(node: &Node, host: Host, token: &str) -> u16 {
    let path = if host == Host::Auth { "/v1/webhooks" } else { "/v1/jobs" };
    node.get(host, path, Some(token)).await.status.as_u16()
}

async fn end(scene: &mut Scene, way: &str, email: &str, got: &Tokens) {
    let govern = async |change| {
        scene.tenancy.govern(&scene.client_id, &change).await.expect(200);
    };
    match way {
        "revoke" => {
            scene.post("/v1/oauth/revoke", &[("token", &got.refresh)]).await.expect(200);
        }
        "withdraw" => {
            scene.tab.get("/account").await.expect(200);
            scene.tab.post(&format!("/account/apps/{}/end", scene.client_id), &[]).await.expect(303);
        }
        "disable" => {
            let disabled = scene.server.command(binary(), &["user", "disable", "--email", email]);
            assert!(disabled.status.success(), "{disabled:?}");
        }
        "not before" => {
            govern(json!({"tokens_not_before": scene.server.state().clock.now().to_rfc3339()})).await
        }
        _ => govern(json!({"suspended": true})).await,
    }
}
