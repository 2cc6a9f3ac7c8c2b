//! Hosts that are names, and what they mean from one connection to the next.

use super::receiver::{After, Receiver};
use super::{LOOPBACK, Names, SECOND, Trap, at_home, dialler, send, settings};
use argus_core::Clock;
use argus_core::dialler::{Dialler, DiallerSettings, Failure, Resolver, SystemResolver};
use argus_tests::Authority;
use argus_tests::run;
use futures::FutureExt;
use futures::future::{BoxFuture, pending};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A receiver at an address that may be connected to, a trap at the same port of 127.0.0.1, and settings for them.
async fn receiver_and_trap(authority: &Authority) -> (Receiver, Trap, DiallerSettings) {
    let allowed = vec!["127.0.0.2/32".parse().unwrap()];
    let settings = DiallerSettings { allowed, certificates: Some(authority.file().to_owned()), ..settings() };
    loop {
        let tls = authority.acceptor("receiver.example");
        let receiver = Receiver::at(SECOND, 0, Some(tls), OK, After::Close).await.unwrap();
        // Unless another test has it.
        if let Ok(trap) = Trap::at(LOOPBACK, receiver.port()) {
            return (receiver, trap, settings);
        }
    }
}

#[test]
fn a_name_that_leads_elsewhere_the_second_time_does_not_lead_there() {
    run(async {
        let authority = Authority::fresh();
        let (receiver, trap, settings) = receiver_and_trap(&authority).await;
        let names = Names::new([&[SECOND], &[LOOPBACK]]);
        let dialler = dialler(&settings, &names);
        let url = format!("https://receiver.example:{}/hook", receiver.port());
        assert_eq!(send(&dialler, &url).await.unwrap().status, 200);
        for _ in 0..3 {
            assert_eq!(send(&dialler, &url).await, Err(Failure::AddressNotAllowed));
        }
        assert_eq!((receiver.connections(), names.asked().len()), (1, 4));
        assert!(trap.is_untouched());
    });
}

#[test]
fn of_the_addresses_of_a_name_those_are_left_out_that_must_be() {
    run(async {
        let authority = Authority::fresh();
        let (receiver, trap, settings) = receiver_and_trap(&authority).await;
        let [mapped, metadata] = ["::ffff:127.0.0.1", "169.254.169.254"].map(|text| text.parse().unwrap());
        let names = Names::new([&[LOOPBACK, mapped, metadata, SECOND]]);
        let url = format!("https://receiver.example:{}/hook", receiver.port());
        assert_eq!(send(&dialler(&settings, &names), &url).await.unwrap().status, 200);
        assert_eq!(receiver.connections(), 1);
        assert!(trap.is_untouched());
    });
}

#[test]
fn a_name_for_this_machine_is_refused_with_and_without_a_closing_dot() {
    run(async {
        let trap = Trap::at(LOOPBACK, 0).unwrap();
        let url = |name: &str| format!("https://{name}:{}/", trap.port());
        let names = Names::new([&[LOOPBACK, IpAddr::from(Ipv6Addr::LOCALHOST)]]);
        let named = dialler(&settings(), &names);
        for name in ["localhost", "localhost.", "receiver.example."] {
            assert_eq!(send(&named, &url(name)).await, Err(Failure::AddressNotAllowed), "{name}");
        }
        assert_eq!(names.asked(), ["localhost", "localhost.", "receiver.example."]);
        let system = Dialler::new(&settings(), SystemResolver::default(), Clock::system()).unwrap();
        for name in ["localhost", "LOCALHOST"] {
            assert_eq!(send(&system, &url(name)).await, Err(Failure::AddressNotAllowed), "{name}");
        }
        assert!(trap.is_untouched());
    });
}

#[test]
fn in_development_http_reaches_names_for_this_machine_and_no_others() {
    run(async {
        let receiver = Receiver::with(OK, After::Close).await;
        let url = format!("http://receiver.example.:{}/hook", receiver.port());
        let public: IpAddr = "8.8.8.8".parse().unwrap();
        let names = Names::new([&[LOOPBACK], &[public], &[public, LOOPBACK]]);
        let dialler = dialler(&at_home(), &names);
        assert_eq!(send(&dialler, &url).await.unwrap().status, 200);
        assert_eq!(send(&dialler, &url).await, Err(Failure::AddressNotAllowed));
        assert_eq!(send(&dialler, &url).await.unwrap().status, 200);
        assert_eq!(names.asked(), ["receiver.example."; 3]);
    });
}

#[test]
fn a_name_without_addresses_is_not_resolved() {
    run(async {
        for names in [Names::new([]), Names::new([&[]])] {
            let sent = send(&dialler(&settings(), &names), "https://receiver.example/").await;
            assert_eq!(sent, Err(Failure::NameNotResolved));
        }
        // Longer than a label may be, so that no name server has to be asked.
        SystemResolver::default().resolve(&format!("{}.example", "a".repeat(64))).await.unwrap_err();
    });
}

/// Never answers.
struct Silent;

impl Resolver for Silent {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        pending().boxed()
    }
}

#[test]
fn a_name_that_nobody_resolves_in_time_has_timed_out() {
    run(async {
        for is_connect in [true, false] {
            let mut settings = settings();
            let limit = if is_connect { &mut settings.limits.connect } else { &mut settings.limits.attempt };
            *limit = Duration::from_millis(50);
            let dialler = Dialler::new(&settings, Silent, Clock::system()).unwrap();
            assert_eq!(send(&dialler, "https://receiver.example/").await, Err(Failure::TimedOut));
        }
    });
}
