//! What is made of answers, and of those that never come.

use super::receiver::{After, Receiver};
use super::{LOOPBACK, Names, Trap, at_home, dialler, nameless, send};
use argus_core::dialler::{Answer, Failure};
use argus_tests::run;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::time::Duration;
use tokio::io::AsyncReadExt;

const SHORT: Duration = Duration::from_millis(200);

async fn answer(bytes: impl Into<Vec<u8>>, after: After) -> Result<Answer, Failure> {
    let receiver = Receiver::with(bytes, after).await;
    send(&nameless(&at_home()), &receiver.url()).await
}

/// The same, if only so much time is there.
async fn answer_in_time(bytes: impl Into<Vec<u8>>, after: After) -> Result<Answer, Failure> {
    let mut receiver = Receiver::with(bytes, after).await;
    let mut settings = at_home();
    settings.limits.attempt = SHORT;
    let answer = send(&nameless(&settings), &receiver.url()).await;
    receiver.is_left().await;
    answer
}

#[test]
fn a_request_is_what_the_caller_says_and_nothing_of_another_request() {
    run(async {
        let answer = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 5\r\n\r\nhello";
        let receiver = Receiver::with(answer, After::Next).await;
        let dialler = nameless(&at_home());
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            ("webhook-id".parse().unwrap(), HeaderValue::from_static("msg_1")),
        ]);
        for _ in 0..2 {
            let body = Bytes::from_static(b"{\"a\":1}");
            let answer = dialler.send(&receiver.url(), headers.clone(), body).await.unwrap();
            assert_eq!(answer, Answer { status: 200, retry_after: None, excerpt: "hello".to_owned() });
        }
        let requests = receiver.requests();
        // Over one connection.
        assert_eq!((requests.len(), receiver.connections()), (2, 1));
        assert_eq!(requests[0], requests[1]);
        let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
        let mut lines: Vec<String> = head.lines().map(str::to_ascii_lowercase).collect();
        lines[1..].sort();
        let host = format!("host: 127.0.0.1:{}", receiver.port());
        assert_eq!(
            lines,
            [
                "post /hook http/1.1",
                "accept: */*",
                "content-length: 7",
                "content-type: application/json",
                &host,
                "user-agent: argus-webhooks/test",
                "webhook-id: msg_1",
            ]
        );
        assert_eq!(body, "{\"a\":1}");
    });
}

#[test]
fn every_status_is_an_answer() {
    run(async {
        for status in [200, 202, 204, 302, 400, 404, 410, 429, 500, 503, 599] {
            let bytes = format!("HTTP/1.1 {status} Status\r\nContent-Length: 0\r\nRetry-After: 120\r\n\r\n");
            let answer = answer(bytes, After::Close).await.unwrap();
            assert_eq!((answer.status, answer.retry_after), (status, Some(Duration::from_secs(120))));
        }
        let ended =
            "HTTP/1.1 503 Later\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(answer(ended, After::Close).await.unwrap().retry_after, Some(Duration::ZERO));
    });
}

#[test]
fn what_is_no_answer_is_of_no_use() {
    run(async {
        let many = "a: b\r\n".repeat(200);
        for bytes in [
            "nonsense\r\n\r\n".to_owned(),
            "HTTP/1.1 abc\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n".to_owned(),
            "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n".to_owned(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n".to_owned(),
            format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
            format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\na: {}\r\n\r\n", "b".repeat(33 * 1024)),
            format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\na: {}\r\n\r\n", "b".repeat(2 * 1024 * 1024)),
        ] {
            assert_eq!(
                answer(bytes.as_str(), After::Close).await,
                Err(Failure::AnswerUnusable),
                "{bytes:.80}"
            );
        }
    });
}

#[test]
fn a_connection_that_ends_before_an_answer_has_failed_and_is_not_made_again() {
    run(async {
        for bytes in ["", "HTTP/1.1 200 OK\r\nContent-"] {
            let receiver = Receiver::with(bytes, After::Close).await;
            let sent = send(&nameless(&at_home()), &receiver.url()).await;
            assert_eq!((sent, receiver.connections()), (Err(Failure::ConnectionFailed), 1), "{bytes}");
        }
        // A socket that is closed with something unread in it resets the connection.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let resets = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_u8().await.unwrap();
            listener
        });
        assert_eq!(send(&nameless(&at_home()), &url).await, Err(Failure::ConnectionFailed));
        let listener = resets.await.unwrap().into_std().unwrap();
        assert!(Trap(listener).is_untouched());
    });
}

#[test]
fn a_port_where_nobody_listens_refuses() {
    run(async {
        let trap = Trap::at(LOOPBACK, 0).unwrap();
        let port = trap.port();
        drop(trap);
        for (url, dialler) in [
            (format!("http://127.0.0.1:{port}/"), nameless(&at_home())),
            (format!("https://receiver.example:{port}/"), dialler(&at_home(), &Names::new([&[LOOPBACK]]))),
        ] {
            assert_eq!(send(&dialler, &url).await, Err(Failure::ConnectionRefused), "{url}");
        }
    });
}

#[test]
fn a_receiver_that_says_nothing_or_drips_its_headers_has_timed_out() {
    run(async {
        assert_eq!(answer_in_time("", After::Hang).await, Err(Failure::TimedOut));
        let begun = "HTTP/1.1 200 OK\r\nContent-";
        assert_eq!(answer_in_time(begun, After::Hang).await, Err(Failure::TimedOut));
        assert_eq!(answer_in_time(format!("{begun}Type: "), After::Drip).await, Err(Failure::TimedOut));
    });
}

#[test]
fn a_body_that_never_ends_or_breaks_off_takes_nothing_from_its_status() {
    run(async {
        let begun = "HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\nthe beginning";
        let hung = answer_in_time(begun, After::Hang).await.unwrap();
        assert_eq!((hung.status, hung.excerpt.as_str()), (202, "the beginning"));
        let long = "HTTP/1.1 500 Oh\r\nContent-Length: 1000000\r\n\r\n";
        let dripped = answer_in_time(long, After::Drip).await.unwrap();
        assert!(dripped.status == 500 && dripped.excerpt.bytes().all(|byte| byte == b'a'), "{dripped:?}");
        let broken = answer(begun, After::Close).await.unwrap();
        assert_eq!((broken.status, broken.excerpt.as_str()), (202, "the beginning"));
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n";
        assert_eq!(answer(chunked, After::Close).await.unwrap().excerpt, "abc");
    });
}

#[test]
fn no_more_of_a_body_is_read_than_its_beginning() {
    run(async {
        for head in ["Content-Length: 10485760\r\n", ""] {
            let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n");
            let mut receiver = Receiver::with(head, After::Flood).await;
            let answer = send(&nameless(&at_home()), &receiver.url()).await.unwrap();
            assert_eq!((answer.status, answer.excerpt), (200, "a".repeat(1_000)));
            receiver.is_left().await;
        }
    });
}

#[test]
fn a_compressed_body_is_left_as_it_is() {
    run(async {
        let bytes = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbomb";
        assert_eq!(answer(bytes, After::Close).await.unwrap().excerpt, "bomb");
    });
}
