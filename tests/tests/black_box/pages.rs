//! The pages of the auth host over raw HTTP: who gets in, what a form must bring, what no page lets through.

use super::support::binary;
use argus_core::Clock;
use argus_core::limits::{Limit, Rate, Rates};
use argus_core::store::Deadlines;
use argus_core::store::statement::{Statement, on_engine};
use argus_openapi::Host;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_tests::{Answer, Installation, PASSWORD, Tab, TestProcess, TestServer, on_both_engines};
use diesel::RunQueryDsl;
use http::Method;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

on_both_engines! {
    who_signs_in_sees_the_account_and_who_signs_out_does_not
    a_wrong_password_an_unknown_account_and_a_disabled_user_look_alike
    a_session_gets_a_new_token_at_sign_in_and_the_former_one_opens_nothing
    a_form_without_its_token_or_from_another_site_does_nothing
    a_password_change_and_disabling_end_every_session
    a_session_ends_when_it_is_not_used_and_when_it_is_old
    somebody_ends_another_device_and_nobody_else_s
    a_user_s_name_is_held_to_what_every_name_is
    an_invitation_counts_once_and_for_seven_days
    wrong_passwords_are_refused_for_a_while_for_their_account_and_address
    nothing_of_a_session_or_password_is_stored_as_it_is
    an_address_names_one_person_of_the_whole_installation
    what_somebody_may_is_what_the_operator_said_or_every_partner_scope
    an_unknown_account_takes_as_long_as_a_wrong_password
    what_happens_to_people_is_in_the_audit_trail_of_their_tenant
}

const EMAIL: &str = "ada@example.com";

/// The tenant of somebody who signs in with [`EMAIL`].
async fn somebody(server: &TestServer) -> String {
    let tenant_id = server.tenant().await.tenant_id;
    server.person(&tenant_id, EMAIL).await;
    tenant_id
}

/// Runs a statement on the server's database as somebody who may do anything.
fn execute(server: &TestServer, statement: &'static str) -> usize {
    let mut connection = server.connect();
    on_engine!(&mut connection, |inner| Statement::new(statement).execute(inner)).unwrap()
}

#[track_caller]
fn assert_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{answer:?}");
    assert!(answer.page().starts_with("<!DOCTYPE html>"), "{answer:?}");
    assert_safe(answer);
}

/// Asserts what every reply to a browser has.
#[track_caller]
fn assert_safe(answer: &Answer) {
    answer.assert_standard_headers(Host::Auth);
    let policy = answer.header("content-security-policy");
    let parts: Vec<&str> = policy.split("; ").collect();
    for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(parts.contains(&part), "{policy}");
    }
    assert!(parts.iter().any(|part| part.starts_with("style-src 'sha256-")), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");
    for cookie in answer.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-argus-auth-"), "{cookie}");
        assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

#[track_caller]
fn assert_leads_to(answer: &Answer, location: &str) {
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, location), "{answer:?}");
    assert_safe(answer);
}

async fn who_signs_in_sees_the_account_and_who_signs_out_does_not(server: TestServer) {
    somebody(&server).await;
    let mut tab = Tab::new(&server);
    assert_leads_to(&tab.get("/account").await, "/sign-in");
    assert_page(&tab.get("/sign-in").await, 200);
    // In any case, as people type it.
    assert_leads_to(&tab.sign_in(" Ada@Example.com", PASSWORD).await, "/account");
    let account = tab.get("/account").await;
    assert_page(&account, 200);
    assert!(account.page().contains("Ada Lovelace"), "{account:?}");
    let old = tab.clone();
    assert_leads_to(&tab.post("/sign-out", &[]).await, "/sign-in");
    assert!(tab.cookies.is_empty(), "{:?}", tab.cookies);
    for tab in [&mut tab, &mut old.clone()] {
        assert_leads_to(&tab.get("/account").await, "/sign-in");
    }
}

async fn a_wrong_password_an_unknown_account_and_a_disabled_user_look_alike(server: TestServer) {
    let tenant_id = somebody(&server).await;
    let other = server.person(&tenant_id, "bob@example.com").await;
    let tenant =
        argus_core::tenants::view(&server.state().database.requests, &other.tenant_id).await.unwrap();
    let operator = tenant.operator(&Clock::system());
    server.state().users.disable(&operator, &other.id).await.unwrap();
    let mut pages = Vec::new();
    for (email, password) in [
        (EMAIL, "a wrong password"),
        ("nobody@example.com", PASSWORD),
        ("bob@example.com", PASSWORD),
        ("no address", PASSWORD),
        (EMAIL, ""),
    ] {
        let mut tab = Tab::new(&server);
        let answer = tab.sign_in(email, password).await;
        assert_page(&answer, 400);
        assert!(answer.page().contains("role=\"alert\""), "{answer:?}");
        assert_eq!(tab.cookie("-session"), None);
        pages.push(answer.page().replace(email, "").replace(&tab.form_token, ""));
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
}

async fn a_session_gets_a_new_token_at_sign_in_and_the_former_one_opens_nothing(server: TestServer) {
    somebody(&server).await;
    let mut tab = Tab::new(&server);
    // What somebody else has planted is not taken over.
    let planted = "A".repeat(43);
    let name = server.state().cookies.session.clone();
    tab.cookies.insert(name.clone(), planted.clone());
    tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    let first = tab.cookies[&name].clone();
    assert_ne!(first, planted);
    let (mut before, form_token) = (tab.clone(), tab.form_token.clone());
    tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    assert_ne!(tab.cookies[&name], first);
    assert_leads_to(&before.get("/account").await, "/sign-in");
    assert_page(&tab.get("/account").await, 200);
    assert_ne!(tab.form_token, form_token, "forms of before count no more");
    tab.form_token = form_token;
    assert_page(&tab.post("/sign-out", &[]).await, 403);
    // A cookie beside another of its name tells nothing.
    let doubled = format!("{}; {name}={first}", tab.cookie_header());
    let request = server.request(Host::Auth, Method::GET, "/account").header("cookie", doubled);
    assert_leads_to(&server.send(request).await, "/sign-in");
}

async fn a_form_without_its_token_or_from_another_site_does_nothing(server: TestServer) {
    somebody(&server).await;
    let mut tab = Tab::new(&server);
    tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    tab.get("/account").await.expect(200);
    let mut stranger = Tab::new(&server);
    stranger.get("/sign-in").await.expect(200);
    let post = |tab: &Tab, token: &str| {
        tab.request(Method::POST, "/sign-out")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("form_token={token}"))
    };
    let right = tab.form_token.clone();
    for wrong in ["", "x", &stranger.form_token, &right[1..], &right.to_uppercase()] {
        assert_page(&server.send(post(&tab, wrong)).await, 403);
    }
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
    ] {
        assert_page(&server.send(post(&tab, &right).header(name, value)).await, 403);
    }
    let bare = server.request(Host::Auth, Method::POST, "/sign-out").body(format!("form_token={right}"));
    assert_page(&server.send(bare).await, 403);
    let nothing = tab.request(Method::POST, "/sign-out").body("");
    assert_page(&server.send(nothing).await, 400);
    let json = tab.request(Method::POST, "/sign-out").header("content-type", "application/json").body("{}");
    assert_page(&server.send(json).await, 415);
    assert_page(&tab.get("/account").await, 200);
    let own = format!("http://{}", server.address(Host::Auth));
    if std::env::var_os("ARGUS_TEST_PROXY").is_none() {
        server.send(post(&tab, &right).header("origin", own)).await.expect(303);
    }
}

async fn a_password_change_and_disabling_end_every_session(server: TestServer) {
    let tenant_id = somebody(&server).await;
    let user = server.person(&tenant_id, EMAIL).await;
    let tenant = argus_core::tenants::view(&server.state().database.requests, &user.tenant_id).await.unwrap();
    let (operator, users) = (tenant.operator(&Clock::system()), &server.state().users);
    let (mut tab, mut other) = (Tab::new(&server), Tab::new(&server));
    for tab in [&mut tab, &mut other] {
        tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    }
    let new = "another good password";
    users.set_password(&operator, &user.id, &new.parse().unwrap()).await.unwrap();
    for tab in [&mut tab, &mut other] {
        assert_leads_to(&tab.get("/account").await, "/sign-in");
        assert_page(&tab.sign_in(EMAIL, PASSWORD).await, 400);
        tab.sign_in(EMAIL, new).await.expect(303);
    }
    users.disable(&operator, &user.id).await.unwrap();
    for tab in [&mut tab, &mut other] {
        assert_leads_to(&tab.get("/account").await, "/sign-in");
        assert_page(&tab.sign_in(EMAIL, new).await, 400);
    }
    users.enable(&operator, &user.id).await.unwrap();
    assert_leads_to(&tab.get("/account").await, "/sign-in");
    tab.sign_in(EMAIL, new).await.expect(303);
    // Who was looked at before is not signed in behind a change.
    let context = argus_core::Context::in_background(user.principal(), Clock::system());
    let opened = users.open_session(&context, &user, &argus_core::users::Device::default()).await.unwrap();
    assert!(opened.is_none());
}

async fn a_session_ends_when_it_is_not_used_and_when_it_is_old(server: TestServer) {
    const HOUR: i64 = 3600 * 1_000_000;
    somebody(&server).await;
    let mut tab = Tab::new(&server);
    tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    // Used eleven hours ago, it lasts on by twelve hours; 29 days and 23 hours old, by one.
    execute(
        &server,
        "UPDATE sessions SET last_seen_at = last_seen_at - 39600000000, expires_at = expires_at - 39600000000",
    );
    tab.get("/account").await.expect(200);
    let left = |server: &TestServer| {
        #[derive(diesel::QueryableByName)]
        struct Left {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            remaining: i64,
        }
        let mut connection = server.connect();
        let statement = Statement::new("SELECT expires_at - last_seen_at AS remaining FROM sessions");
        let left: Left = on_engine!(&mut connection, |inner| statement.get_result(inner)).unwrap();
        left.remaining
    };
    assert!((left(&server) - 12 * HOUR).abs() < HOUR / 60, "{}", left(&server));
    execute(
        &server,
        "UPDATE sessions SET opened_at = opened_at - 2588400000000, last_seen_at = last_seen_at - 39600000000",
    );
    tab.get("/account").await.expect(200);
    assert!((HOUR / 2..=HOUR).contains(&left(&server)), "{}", left(&server));
    execute(&server, "UPDATE sessions SET expires_at = last_seen_at - 1");
    assert_leads_to(&tab.get("/account").await, "/sign-in");
    let swept = server
        .state()
        .database
        .every_tenant
        .run(|connection| Ok::<_, argus_core::Error>(argus_core::users::sweep(connection)?));
    assert_eq!(swept.await.unwrap(), 1);
}

async fn somebody_ends_another_device_and_nobody_else_s(server: TestServer) {
    let tenant_id = somebody(&server).await;
    server.person(&tenant_id, "bob@example.com").await;
    let (mut first, mut second, mut of_bob) = (Tab::new(&server), Tab::new(&server), Tab::new(&server));
    first.sign_in(EMAIL, PASSWORD).await.expect(303);
    second.sign_in(EMAIL, PASSWORD).await.expect(303);
    of_bob.sign_in("bob@example.com", PASSWORD).await.expect(303);
    let page = first.get("/account").await.expect(200).page();
    let actions: Vec<&str> =
        page.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let end = actions.iter().find(|action| action.contains("/sessions/")).unwrap();
    assert_eq!(actions.iter().filter(|action| action.contains("/sessions/")).count(), 1, "{actions:?}");
    of_bob.get("/account").await.expect(200);
    assert_page(&of_bob.post(end, &[]).await, 404);
    second.get("/account").await.expect(200);
    assert_leads_to(&first.post(end, &[]).await, "/account");
    assert_leads_to(&second.get("/account").await, "/sign-in");
    first.get("/account").await.expect(200);
    of_bob.get("/account").await.expect(200);
}

async fn a_user_s_name_is_held_to_what_every_name_is(server: TestServer) {
    let tenant_id = server.tenant().await.tenant_id;
    for name in ["", "A\u{202e}da", "A\u{200b}da", "A\nda", &"a".repeat(129)] {
        let add = ["user", "add", "--tenant", &tenant_id, "--email", EMAIL, "--name", name, "--invite"];
        let output = server.command(binary(), &add);
        assert!(!output.status.success(), "{name:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("name"), "{output:?}");
    }
    let people = server.command(binary(), &["user", "list", "--tenant", &tenant_id]);
    assert!(!String::from_utf8_lossy(&people.stdout).contains(EMAIL), "{people:?}");
}

async fn an_invitation_counts_once_and_for_seven_days(server: TestServer) {
    let tenant_id = server.tenant().await.tenant_id;
    let command = |arguments: &[&str]| {
        let output = server.command(binary(), arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let add = ["user", "add", "--tenant", &tenant_id, "--email", EMAIL, "--name", "Ada", "--invite"];
    let link = |stdout: &str| stdout.lines().last().unwrap().split_once("knogin.com").unwrap().1.to_owned();
    let old = link(&command(&add));
    assert!(command(&["user", "list", "--tenant", &tenant_id]).contains("invited"));
    let path = link(&command(&["user", "password", "--email", EMAIL, "--invite"]));
    let mut tab = Tab::new(&server);
    assert_page(&tab.get(&old).await, 404);
    assert_page(&tab.sign_in(EMAIL, "").await, 400);
    let page = tab.get(&path).await;
    assert_page(&page, 200);
    assert!(page.page().contains(EMAIL), "{page:?}");
    for (password, repeated) in [("short", "short"), (PASSWORD, "correct horse batterz")] {
        let refused = tab.post(&path, &[("password", password), ("repeated", repeated)]).await;
        assert_page(&refused, 400);
        assert!(refused.page().contains("role=\"alert\""), "{refused:?}");
    }
    let choose = [("password", PASSWORD), ("repeated", PASSWORD)];
    assert_leads_to(&tab.post(&path, &choose).await, "/sign-in");
    assert_page(&tab.post(&path, &choose).await, 404);
    assert_page(&tab.get(&path).await, 404);
    tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    let path = link(&command(&["user", "password", "--email", EMAIL, "--invite"]));
    tab.get(&path).await.expect(200);
    assert_eq!(execute(&server, "UPDATE invitations SET expires_at = expires_at - 604800000000"), 1);
    assert_page(&tab.get(&path).await, 404);
    assert_page(&tab.post(&path, &choose).await, 404);
}

async fn wrong_passwords_are_refused_for_a_while_for_their_account_and_address(
    mut installation: Installation,
) {
    let never = |times| Rate::new(times, Duration::from_secs(3600));
    installation.settings.limits = Rates::of_failures(never(1000))
        .with(Limit::SignInFailures, never(3))
        .with(Limit::SignInAddressFailures, never(5));
    // On a busy machine, the database takes its time.
    installation.settings.store.deadlines =
        Deadlines { limits: Duration::from_secs(60), ..Deadlines::default() };
    let server = TestServer::start_on(installation, Clock::system());
    let tenant_id = somebody(&server).await;
    server.person(&tenant_id, "bob@example.com").await;
    let mut tab = Tab::new(&server);
    for _ in 0..3 {
        assert_page(&tab.sign_in(EMAIL, "a wrong password").await, 400);
    }
    // One more is refused, and then even the right one: otherwise whoever guesses would go on.
    for password in ["a wrong password", PASSWORD] {
        let refused = tab.sign_in(&EMAIL.to_uppercase(), password).await;
        assert_page(&refused, 429);
        assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0, "{refused:?}");
    }
    assert_eq!(tab.cookie("-session"), None);
    // Another account has tries of its own, and a right password costs none.
    let mut other = Tab::new(&server);
    for _ in 0..7 {
        other.sign_in("bob@example.com", PASSWORD).await.expect(303);
    }
    let mut refused = 0;
    for number in 0..6 {
        let answer = other.sign_in(&format!("nobody{number}@example.com"), PASSWORD).await;
        refused += u32::from(answer.status == 429);
    }
    assert!(refused >= 3, "{refused} of 6 were refused to the address");
}

async fn nothing_of_a_session_or_password_is_stored_as_it_is(server: TestServer) {
    somebody(&server).await;
    let mut tab = Tab::new(&server);
    tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    #[derive(diesel::QueryableByName)]
    struct Stored {
        #[diesel(sql_type = diesel::sql_types::Text)]
        session_id: String,
        #[diesel(sql_type = diesel::sql_types::Text)]
        password_hash: String,
    }
    const STORED: &str =
        "SELECT session_id, password_hash FROM sessions JOIN users ON users.user_id = sessions.user_id";
    let mut connection = server.connect();
    let stored: Stored =
        on_engine!(&mut connection, |inner| Statement::new(STORED).get_result(inner)).unwrap();
    assert!(stored.password_hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", stored.password_hash);
    let token = tab.cookie("-session").unwrap();
    assert!(stored.session_id.len() == 64 && !stored.session_id.contains(token));
    // What is on a page opens nothing.
    let name = server.state().cookies.session.clone();
    tab.cookies.insert(name, stored.session_id);
    assert_leads_to(&tab.get("/account").await, "/sign-in");
}

async fn an_address_names_one_person_of_the_whole_installation(server: TestServer) {
    somebody(&server).await;
    let tenant_id = server.tenant().await.tenant_id;
    let add = |email: &str, password: &str| {
        let installation = server.installation();
        let mut child = installation
            .open_command(
                binary(),
                &["user", "add", "--tenant", &tenant_id, "--email", email, "--name", "Eve"],
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let refused = add("ADA@example.com", PASSWORD);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("is the address of a user already"),
        "{refused:?}"
    );
    let short = add("eve@example.com", "short");
    assert!(String::from_utf8_lossy(&short.stderr).contains("12 to 256 characters"), "{short:?}");
    let added = add("eve@example.com", PASSWORD);
    assert!(added.status.success(), "{added:?}");
    let mut tab = Tab::new(&server);
    tab.sign_in("eve@example.com", PASSWORD).await.expect(303);
    assert!(tab.get("/account").await.page().contains("eve@example.com"));
    for (action, status) in [("disable", 400), ("enable", 303)] {
        let output = server.command(binary(), &["user", action, "--email", "eve@example.com"]);
        assert!(output.status.success(), "{output:?}");
        tab.sign_in("eve@example.com", PASSWORD).await.expect(status);
    }
}

async fn what_somebody_may_is_what_the_operator_said_or_every_partner_scope(server: TestServer) {
    let tenant_id = server.tenant().await.tenant_id;
    let add = |email: &str, more: &[&str]| {
        let always = ["user", "add", "--tenant", &tenant_id, "--email", email, "--name", "Eve", "--invite"];
        let output = server.command(binary(), &[&always, more].concat());
        assert!(output.status.success(), "{output:?}");
    };
    add("eve@example.com", &[]);
    add("few@example.com", &["--scopes", "argus:jobs:read webhooks:read", "--secrecy-level", "restricted"]);
    let users = &server.state().users;
    let eve = users.named(&"eve@example.com".parse().unwrap()).await.unwrap();
    assert!(eve.scopes.iter().copied().eq(Scope::partner()));
    assert_eq!(eve.secrecy_level, SecrecyLevel::Standard);
    let few = users.named(&"few@example.com".parse().unwrap()).await.unwrap();
    assert_eq!(few.scopes, [Scope::JobsRead, Scope::WebhooksRead]);
    assert_eq!(few.secrecy_level, SecrecyLevel::Restricted);
    let always =
        ["user", "add", "--tenant", &tenant_id, "--email", "x@example.com", "--name", "X", "--invite"];
    for wrong in [["--scopes", "argus:internal:operate"], ["--secrecy-level", "top"]] {
        assert!(!server.command(binary(), &[&always[..], &wrong].concat()).status.success());
    }
}

async fn an_unknown_account_takes_as_long_as_a_wrong_password(server: TestServer) {
    somebody(&server).await;
    let wrong = SecretText::from("a wrong password".to_owned());
    let shortest = async |email: &str| {
        let mut shortest = Duration::MAX;
        for _ in 0..5 {
            let began = Instant::now();
            assert!(server.state().users.authenticate(email, &wrong).await.unwrap().is_none());
            shortest = shortest.min(began.elapsed());
        }
        shortest
    };
    let (known, unknown) = (shortest(EMAIL).await, shortest("nobody@example.com").await);
    // Without the work in vain it would be a hundredth.
    assert!(unknown * 3 > known && known * 3 > unknown, "{known:?} and {unknown:?}");
}

async fn what_happens_to_people_is_in_the_audit_trail_of_their_tenant(server: TestServer) {
    let tenant_id = somebody(&server).await;
    let user = server.person(&tenant_id, EMAIL).await;
    let mut tab = Tab::new(&server);
    tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    tab.get("/account").await.expect(200);
    tab.post("/sign-out", &[]).await.expect(303);
    let tenant = argus_core::tenants::view(&server.state().database.requests, &user.tenant_id).await.unwrap();
    let operator = tenant.operator(&Clock::system());
    server.state().users.disable(&operator, &user.id).await.unwrap();
    let list = |reader: &mut argus_core::store::Reader<'_>| {
        Ok::<_, argus_core::Error>(argus_core::audit::list(reader, 100)?)
    };
    let events = server.state().database.requests.read(&operator, list).await.unwrap();
    let of_the_user: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event.subject == user.id.as_str())
        .map(|event| (event.actor.as_str(), event.action.as_str()))
        .collect();
    let id = user.id.as_str();
    let expected =
        [("operator", "user.add"), (id, "session.open"), (id, "session.end"), ("operator", "user.disable")];
    assert_eq!(of_the_user, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_on_with_an_authorization_request_and_nowhere_else() {
    let server = TestServer::start();
    somebody(&server).await;
    let query = "response_type=code&client_id=app_1&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=a%2Bb";
    let path =
        format!("/sign-in?continue={}", query.replace('%', "%25").replace('&', "%26").replace('=', "%3D"));
    let mut tab = Tab::new(&server);
    let page = tab.get(&path).await.expect(200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("form-action"), "{policy}");
    let page = page.page();
    let action = page.split_once("action=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    assert_leads_to(&tab.post(&action, &fields).await, &format!("/v1/oauth/authorize?{query}"));
    for attempt in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/../../evil",
        "@evil.example",
        "?https://evil.example",
        "redirect_uri=https://evil.example%2F;script-src+*",
    ] {
        let target = format!("/sign-in?continue={}", attempt.replace('/', "%2F").replace('\\', "%5C"));
        let page = tab.get(&target).await;
        let policy = page.header("content-security-policy");
        assert!(!policy.contains("script-src"), "{policy}");
        let answer = tab.post(&target, &fields).await;
        let location = answer.header("location");
        let is_own = answer.status.is_client_error() || location.starts_with("/v1/oauth/authorize?");
        assert!(is_own, "{attempt}: {answer:?}");
    }
    for refused in ["%0D%0ASet-Cookie:%20a=b", "%23fragment", "%00", "a%20b", "", "%22"] {
        assert_page(&tab.get(&format!("/sign-in?continue={refused}")).await, 400);
    }
    tab.get("/sign-in").await.expect(200);
    assert_leads_to(&tab.post("/sign-in?next=https://evil.example", &fields).await, "/account");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_their_errors_are_in_the_language_of_the_browser() {
    let server = TestServer::start();
    somebody(&server).await;
    for (language, tag, heading, wrong, gone) in [
        ("en", "en", "Sign in", "is not right", "There is nothing here"),
        ("fr-CA, en;q=0.5", "fr", "Connexion", "est incorrect", "Il n’y a rien ici"),
        ("de", "en", "Sign in", "is not right", "There is nothing here"),
    ] {
        let mut tab = Tab::new(&server);
        tab.language = language;
        let page = tab.get("/sign-in").await.expect(200).page();
        assert!(page.contains(&format!("<html lang=\"{tag}\">")), "{page}");
        assert!(page.contains(&format!("<h1>{heading}</h1>")), "{page}");
        assert_eq!(page.matches("<h1>").count(), 1);
        assert!(
            !page.contains("http://") && !page.contains("https://") && !page.contains("<script"),
            "{page}"
        );
        assert!(tab.sign_in(EMAIL, "a wrong password").await.page().contains(wrong));
        assert!(tab.get("/invitation/nothing").await.expect(404).page().contains(gone));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_stands_on_a_page_as_text() {
    let server = TestServer::start();
    let mut tab = Tab::new(&server);
    let markup = "\"><script>alert(1)</script>";
    let page = tab.sign_in(markup, "a wrong password").await.expect(400).page();
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&lt;script&gt;"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_s_cookies_open_no_operation_of_the_api() {
    let server = TestServer::start();
    somebody(&server).await;
    let mut tab = Tab::new(&server);
    tab.sign_in(EMAIL, PASSWORD).await.expect(303);
    tab.get("/v1/platform/apps").await.expect_error(401, "missing_token");
    // And a token opens no page.
    let tenant_id = server.tenant().await.tenant_id;
    let token = super::support::token(&server, Host::Auth, &tenant_id, &super::support::every_scope());
    let request = server.request(Host::Auth, Method::GET, "/account").bearer_auth(token);
    assert_leads_to(&server.send(request).await, "/sign-in");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_loopback_cookies_carry_the_port_and_no_secret_of_a_browser_is_logged() {
    let dev = TestProcess::dev(binary());
    let (email, password) = (dev.ready_text("user_email"), dev.ready_text("user_password"));
    let mut tab = Tab::new(&dev);
    tab.get("/sign-in?continue=state%3Da-secret-state").await.expect(200);
    assert_page_of_dev(&tab.sign_in(email, "a wrong password that is secret").await, 400);
    let signed_in = tab.sign_in(email, password).await;
    assert_page_of_dev(&signed_in, 303);
    let port = dev.address(Host::Auth).port();
    let names: Vec<&String> = tab.cookies.keys().collect();
    assert_eq!(names, [&format!("argus-auth-{port}-browser"), &format!("argus-auth-{port}-session")]);
    tab.get("/account").await.expect(200);
    let arguments = ["user", "password", "--email", email, "--invite"];
    let output = argus_tests::argus(binary(), &dev.data_dir(), &arguments);
    let printed = String::from_utf8(output.stdout).unwrap();
    let (_, token) = printed.trim().rsplit_once('/').unwrap();
    tab.get(&format!("/invitation/{token}")).await.expect(200);
    let log = dev.stderr();
    assert!(log.contains("sign_in_create"), "the log says what happened");
    let secrets = [password, "a wrong password", "a-secret-state", token, &tab.form_token];
    for secret in secrets.into_iter().chain(tab.cookies.values().map(String::as_str)) {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[track_caller]
fn assert_page_of_dev(answer: &Answer, status: u16) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    for cookie in answer.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    }
}
