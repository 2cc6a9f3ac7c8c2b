//! Refresh tokens: one living chain whatever happens, and none for whoever comes late.

use super::{Scene, assert_invalid_grant, tokens};
use argus_tests::{TestServer, on_both_engines, sql};
use futures::future::join_all;

on_both_engines! {
    twenty_at_a_time_get_one_successor_and_it_works
    a_lost_answer_is_asked_for_again_until_the_successor_is_used
    a_use_after_the_allowance_ends_the_whole_family
    two_nodes_at_once_do_not_make_two_chains
    scopes_are_narrowed_and_never_widened
    a_token_that_waits_for_thirty_days_is_over_and_a_family_after_half_a_year
}

async fn twenty_at_a_time_get_one_successor_and_it_works(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let first = scene.tokens().await.refresh;
    let answers = join_all((0..20).map(|_| scene.refresh(&first))).await;
    let mut successors: Vec<String> = answers.iter().map(|answer| tokens(answer).refresh).collect();
    successors.dedup();
    let [successor] = &successors[..] else { panic!("{successors:?}") };
    assert_ne!(*successor, first);
    tokens(&scene.refresh(successor).await);
}

async fn a_lost_answer_is_asked_for_again_until_the_successor_is_used(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let first = scene.tokens().await.refresh;
    let second = tokens(&scene.refresh(&first).await).refresh;
    assert_eq!(tokens(&scene.refresh(&first).await).refresh, second);
    let third = tokens(&scene.refresh(&second).await).refresh;
    // Whoever comes with the first one now has it from somewhere else.
    assert_invalid_grant(&scene.refresh(&first).await);
    for token in [&first, &second, &third] {
        assert_invalid_grant(&scene.refresh(token).await);
    }
    let lines = "SELECT action AS line FROM audit_events WHERE action LIKE '%replay'";
    assert_eq!(sql::lines(&mut scene.server.connect(), lines).unwrap(), ["oauth.refresh_token.replay"]);
}

async fn a_use_after_the_allowance_ends_the_whole_family(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let got = scene.tokens().await;
    let second = tokens(&scene.refresh(&got.refresh).await);
    let late = "UPDATE refresh_tokens SET rotated_at = rotated_at - 31000000 WHERE rotated_at IS NOT NULL";
    sql::execute(&mut scene.server.connect(), late).unwrap();
    assert_invalid_grant(&scene.refresh(&got.refresh).await);
    assert_invalid_grant(&scene.refresh(&second.refresh).await);
    assert_eq!(scene.introspect(&second.access).await["active"], false);
}

async fn two_nodes_at_once_do_not_make_two_chains(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let node = scene.server.another_node();
    let mut token = scene.tokens().await.refresh;
    for _ in 0..5 {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let basic = Some((scene.client_id.as_str(), scene.client_secret.as_str()));
        let (here, there) = tokio::join!(scene.refresh(&token), node.token_request(&form, basic));
        let (here, there) = (tokens(&here).refresh, tokens(&there).refresh);
        assert_eq!(here, there);
        token = here;
    }
}

async fn scopes_are_narrowed_and_never_widened(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let code = scene.allow(&[("scope", "argus:jobs:read argus:jobs:write")]).await["code"].clone();
    let first = tokens(&scene.exchange(&code).await);
    assert_eq!(first.scope, "argus:jobs:read argus:jobs:write");
    let ask = async |scene: &Scene, token: &str, scope: &str| {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
        scene.token(&form).await
    };
    let narrowed = tokens(&ask(&scene, &first.refresh, "argus:jobs:read").await);
    assert_eq!(narrowed.scope, "argus:jobs:read");
    // The family keeps what it has.
    let whole = tokens(&scene.refresh(&narrowed.refresh).await);
    assert_eq!(whole.scope, first.scope);
    for scope in ["argus:profiles:read", "argus:unknown", " "] {
        let refused = ask(&scene, &whole.refresh, scope).await.expect(400);
        assert_eq!(refused.text("error"), "invalid_scope");
    }
    // A refusal is no lost token: the client goes on.
    tokens(&scene.refresh(&whole.refresh).await);
}

async fn a_token_that_waits_for_thirty_days_is_over_and_a_family_after_half_a_year(server: TestServer) {
    let mut scene = Scene::signed_in(server).await;
    let token = scene.tokens().await.refresh;
    let day: i64 = 24 * 3600 * 1_000_000;
    let mut connection = scene.server.connect();
    sql::execute(
        &mut connection,
        &format!("UPDATE refresh_tokens SET expires_at = expires_at - {}", 29 * day),
    )
    .unwrap();
    let next = tokens(&scene.refresh(&token).await).refresh;
    sql::execute(
        &mut connection,
        &format!("UPDATE refresh_tokens SET expires_at = expires_at - {}", 30 * day),
    )
    .unwrap();
    assert_invalid_grant(&scene.refresh(&next).await);
    let token = scene.tokens().await.refresh;
    sql::execute(
        &mut connection,
        &format!("UPDATE token_families SET expires_at = expires_at - {}", 180 * day),
    )
    .unwrap();
    assert_invalid_grant(&scene.refresh(&token).await);
}
