//! Receivers behind TLS: that they are who they are said to be.

use super::receiver::{After, Receiver};
use super::{LOOPBACK, Names, dialler, send, settings};
use argus_core::Clock;
use argus_core::dialler::{Dialler, DiallerSettings, Failure, OpenError, SystemResolver};
use argus_tests::{Authority, run, tls_acceptor};
use rcgen::{CertificateParams, KeyPair};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// For receivers on this machine, by https.
fn allowed(certificates: Option<&Path>) -> DiallerSettings {
    DiallerSettings {
        allowed: vec!["127.0.0.1/32".parse().unwrap()],
        certificates: certificates.map(Path::to_owned),
        ..settings()
    }
}

async fn receiver(tls: TlsAcceptor) -> Receiver {
    Receiver::at(LOOPBACK, 0, Some(tls), OK, After::Next).await.unwrap()
}

#[test]
fn a_receiver_of_an_authority_that_the_operator_trusts_is_reached() {
    run(async {
        let authority = Authority::fresh();
        let receiver = receiver(authority.acceptor("receiver.example")).await;
        let names = Names::new([&[LOOPBACK]]);
        let dialler = dialler(&allowed(Some(authority.file())), &names);
        let url = format!("https://receiver.example:{}/hook", receiver.port());
        for _ in 0..2 {
            assert_eq!(send(&dialler, &url).await.unwrap().status, 200);
        }
        // A connection is kept if it is free again in time; for each one the name was looked up anew.
        assert_eq!((receiver.requests().len(), names.asked().len()), (2, receiver.connections()));
        // By its address it is none of those that the certificate names.
        let by_address = format!("https://127.0.0.1:{}/hook", receiver.port());
        assert_eq!(send(&dialler, &by_address).await, Err(Failure::TlsFailed));
        assert_eq!(receiver.requests().len(), 2);
    });
}

#[test]
fn a_receiver_that_cannot_show_who_it_is_gets_nothing() {
    run(async {
        let (authority, other) = (Authority::fresh(), Authority::fresh());
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["receiver.example".to_owned()]).unwrap();
        let self_signed = tls_acceptor(params.self_signed(&key).unwrap().der().clone(), &key);
        for (what, tls) in [
            ("self-signed", self_signed),
            ("of another authority", other.acceptor("receiver.example")),
            ("of another name", authority.acceptor("other.example")),
        ] {
            let receiver = receiver(tls).await;
            let dialler = dialler(&allowed(Some(authority.file())), &Names::new([&[LOOPBACK]]));
            let url = format!("https://receiver.example:{}/hook", receiver.port());
            assert_eq!(send(&dialler, &url).await, Err(Failure::TlsFailed), "{what}");
            assert_eq!(receiver.requests(), [""; 0], "{what}");
        }
    });
}

#[test]
fn a_receiver_that_does_not_speak_tls_is_told_from_one_that_hangs_up() {
    run(async {
        let dialler = dialler(&allowed(None), &Names::new([&[LOOPBACK]]));
        let https = |port: u16| format!("https://receiver.example:{port}/hook");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers = tokio::spawn(async move {
            for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b""] {
                let (mut stream, _) = listener.accept().await.unwrap();
                // All of it, or the kernel would reset the connection.
                tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 65536]).await.unwrap();
                tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
            }
        });
        assert_eq!(send(&dialler, &https(port)).await, Err(Failure::TlsFailed));
        assert_eq!(send(&dialler, &https(port)).await, Err(Failure::ConnectionFailed));
        answers.await.unwrap();
    });
}

#[test]
fn a_receiver_that_never_shakes_hands_has_timed_out() {
    run(async {
        let trap = super::Trap::at(LOOPBACK, 0).unwrap();
        let mut settings = allowed(None);
        settings.limits.connect = Duration::from_millis(50);
        let dialler = dialler(&settings, &Names::new([&[LOOPBACK]]));
        let url = format!("https://receiver.example:{}/hook", trap.port());
        assert_eq!(send(&dialler, &url).await, Err(Failure::TimedOut));
        assert!(!trap.is_untouched());
    });
}

#[test]
fn a_file_of_certificates_that_is_none_or_that_others_may_write_is_refused() {
    let open = |path: &Path| {
        Dialler::new(&allowed(Some(path)), SystemResolver::default(), Clock::system()).unwrap_err()
    };
    let missing = open(Path::new("/nowhere/roots.pem"));
    assert!(matches!(missing, OpenError::File { .. }), "{missing}");
    let file = tempfile::NamedTempFile::new().unwrap();
    for content in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        fs::write(file.path(), content).unwrap();
        let error = open(file.path());
        assert!(matches!(error, OpenError::NoCertificates(_) | OpenError::Client(_)), "{content}: {error}");
    }
    let authority = Authority::fresh();
    fs::set_permissions(authority.file(), Permissions::from_mode(0o666)).unwrap();
    let writable = open(authority.file());
    assert!(
        matches!(writable, OpenError::File { .. }) && writable.to_string().contains("chmod"),
        "{writable}"
    );
}
