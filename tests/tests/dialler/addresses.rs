//! Hosts that are addresses, in whatever way they are written, and redirects to them.

use super::receiver::{After, Receiver};
use super::{LOOPBACK, Trap, at_home, nameless, send, settings};
use argus_core::dialler::{DiallerSettings, Failure, is_public};
use argus_tests::run;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// 127.0.0.1 as a URL can say it.
const LOOPBACK_V4: [&str; 8] = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "2130706433",
    "0177.0.0.1",
    "017700000001",
    "0x7f.0.0.1",
    "0x7f000001",
];

#[test]
fn nothing_goes_to_this_machine_in_whatever_way_its_address_is_written() {
    run(async {
        let trap = Trap::at(LOOPBACK, 0).unwrap();
        let (port, dialler) = (trap.port(), nameless(&settings()));
        let forms = ["[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]"];
        for host in LOOPBACK_V4.into_iter().chain(forms).chain(["0.0.0.0", "0", "[::]", "[2002:7f00:1::]"]) {
            let url = format!("https://{host}:{port}/hook");
            assert_eq!(dialler.check(&url), Err(Failure::AddressNotAllowed), "{url}");
            assert_eq!(send(&dialler, &url).await, Err(Failure::AddressNotAllowed), "{url}");
        }
        assert!(trap.is_untouched());
    });
}

#[test]
fn nothing_goes_to_an_address_that_is_not_public() {
    run(async {
        let dialler = nameless(&settings());
        for host in [
            "169.254.169.254",
            "2852039166",
            "0251.0376.0251.0376",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::1]",
            "[fd00:ec2::254]",
            "10.0.0.1",
            "100.64.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[2001::1]",
            "[3fff::1]",
            "[5f00::1]",
            "[100::1]",
            "[64:ff9b:1::1]",
        ] {
            let url = format!("https://{host}/latest/meta-data/");
            assert_eq!(send(&dialler, &url).await, Err(Failure::AddressNotAllowed), "{url}");
        }
    });
}

#[test]
fn http_goes_to_this_machine_alone_and_in_development_alone() {
    run(async {
        let receiver = Receiver::with("HTTP/1.1 204 No Content\r\n\r\n", After::Close).await;
        let port = receiver.port();
        for host in LOOPBACK_V4 {
            let url = format!("http://{host}:{port}/hook");
            assert_eq!(send(&nameless(&at_home()), &url).await.unwrap().status, 204, "{url}");
        }
        assert_eq!(receiver.connections(), LOOPBACK_V4.len());
        // An operator's networks are for https.
        let allowed = DiallerSettings { allowed: vec!["127.0.0.0/8".parse().unwrap()], ..settings() };
        assert_eq!(send(&nameless(&allowed), &receiver.url()).await, Err(Failure::UrlNotAllowed));
        assert_eq!(receiver.connections(), LOOPBACK_V4.len());
        let allowed = DiallerSettings { allowed: vec!["10.0.0.0/8".parse().unwrap()], ..at_home() };
        for host in ["8.8.8.8", "10.0.0.1", "[64:ff9b::7f00:1]"] {
            let refused = send(&nameless(&allowed), &format!("http://{host}/")).await;
            assert_eq!(refused, Err(Failure::AddressNotAllowed), "{host}");
        }
    });
}

#[test]
fn a_url_with_a_user_a_fragment_or_another_scheme_is_refused() {
    run(async {
        let trap = Trap::at(LOOPBACK, 0).unwrap();
        let host = format!("127.0.0.1:{}", trap.port());
        for url in [
            format!("http://user@{host}/"),
            format!("http://user:password@{host}/"),
            format!("http://receiver.example@{host}/"),
            format!("http://{host}/#fragment"),
            format!("ftp://{host}/"),
            format!("ws://{host}/"),
            format!("{host}/"),
            "file:///etc/passwd".to_owned(),
            "https://receiver_.example../".to_owned(),
            "https://*.example/".to_owned(),
        ] {
            assert_eq!(send(&nameless(&at_home()), &url).await, Err(Failure::UrlNotAllowed), "{url}");
        }
        assert!(trap.is_untouched());
    });
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    run(async {
        let trap = Trap::at(LOOPBACK, 0).unwrap();
        for status in [301, 302, 303, 307, 308] {
            for target in
                ["http://169.254.169.254/latest".to_owned(), format!("http://127.0.0.1:{}/", trap.port())]
            {
                let answer =
                    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
                let receiver = Receiver::with(answer, After::Next).await;
                let answer = send(&nameless(&at_home()), &receiver.url()).await.unwrap();
                assert_eq!((answer.status, receiver.connections()), (status, 1));
            }
        }
        assert!(trap.is_untouched());
    });
}

fn embedded(prefix: [u16; 6], address: Ipv4Addr) -> IpAddr {
    let [a, b, c, d, e, f] = prefix;
    let [w, x, y, z] = address.octets();
    let (high, low) = (u16::from_be_bytes([w, x]), u16::from_be_bytes([y, z]));
    IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, high, low))
}

proptest! {
    #[test]
    fn an_address_of_ipv4_is_judged_alike_in_every_form_that_leads_to_it(bits: u32, host: u128) {
        let address = Ipv4Addr::from_bits(bits);
        let is_public_itself = is_public(IpAddr::V4(address));
        prop_assert_eq!(is_public(embedded([0, 0, 0, 0, 0, 0xffff], address)), is_public_itself);
        prop_assert_eq!(is_public(embedded([0x64, 0xff9b, 0, 0, 0, 0], address)), is_public_itself);
        let six_to_four = 0x2002 << 112 | u128::from(bits) << 80 | host >> 48;
        prop_assert_eq!(is_public(IpAddr::V6(Ipv6Addr::from_bits(six_to_four))), is_public_itself);
        // These lead nowhere that is public.
        prop_assert!(!is_public(embedded([0; 6], address)));
        prop_assert!(!is_public(embedded([0x64, 0xff9b, 1, 0, 0, 0], address)));
        prop_assert!(!is_public(embedded([0x2001, 0, 0, 0, 0, 0], address)));
    }

    #[test]
    fn nothing_outside_of_global_unicast_is_public_but_what_carries_an_address_that_is(bits: u128) {
        let address = Ipv6Addr::from_bits(bits);
        let carries = address.to_ipv4_mapped().is_some() || address.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
        prop_assert!(!is_public(IpAddr::V6(address)) || carries || bits >> 125 == 1);
    }
}
