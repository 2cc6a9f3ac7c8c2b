//! The SDK's token verifier, which reads a key set from the network: the first line is edits of a valid
//! token (see `edits`), the rest is the body that a server on this machine answers with. In the body
//! `SIGNING_KEY` stands for the key that signed the token, `KEY_ID` and `MODULUS` for its members.
//!
//! A token is accepted only as it was signed, and only by a set that holds the right key.

use crate::access_token::SIGNED;
use crate::edits::{edited, parts};
use argus_sdk::{Environment, TokenVerifier, reqwest};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// A server of one body, and what reaches it.
struct Loopback {
    runtime: Runtime,
    environment: Environment,
    http: reqwest::Client,
    body: Arc<Mutex<Vec<u8>>>,
}

/// One check at a time: they share the body.
static LOOPBACK: LazyLock<Mutex<Loopback>> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let body = Arc::<Mutex<Vec<u8>>>::default();
    let served = Arc::clone(&body);
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&served)));
        }
    });
    let environment = Environment::custom(&address, &address, &address).expect("an address").using_sandbox();
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build();
    Mutex::new(Loopback { runtime, environment, http: http.expect("a client"), body })
});

/// Answers every request on a connection with the body of the moment.
async fn serve(mut stream: TcpStream, body: Arc<Mutex<Vec<u8>>>) -> std::io::Result<()> {
    let mut request = Vec::new();
    loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            let body = body.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(&[head.as_bytes(), &body].concat()).await?;
        }
    }
}

/// Panics unless the above holds.
pub fn check(input: &[u8]) {
    let [edits, set] = parts::<2>(input);
    let Ok(token) = String::from_utf8(edited(&SIGNED.token, edits)) else { return };
    let jwks = SIGNED.keys.jwks();
    let key = jwks.keys.first().expect("the key that signs");
    let written = serde_json::to_string(key).expect("a key is JSON");
    let set = String::from_utf8_lossy(set)
        .replace("SIGNING_KEY", &written)
        .replace("KEY_ID", &key.kid)
        .replace("MODULUS", &key.n);

    let loopback = LOOPBACK.lock().unwrap_or_else(PoisonError::into_inner);
    *loopback.body.lock().unwrap_or_else(PoisonError::into_inner) = set.clone().into_bytes();
    let verifier = TokenVerifier::builder(loopback.environment.clone())
        .http_client(loopback.http.clone())
        .build()
        .expect("a verifier");
    let verified = loopback.runtime.block_on(verifier.verify(&token));

    if let Ok(claims) = verified {
        assert_eq!(token, SIGNED.token, "another text than the signed one");
        assert_eq!(
            (claims.jti, claims.tenant_id),
            (SIGNED.claims.jti.clone(), SIGNED.claims.tenant_id.clone())
        );
        assert!(set.contains(&key.kid) && set.contains(&key.n), "accepted without the key: {set}");
    } else if token == SIGNED.token {
        let right = serde_json::to_string(&jwks).expect("a key set is JSON");
        assert_ne!(set, right, "the token and its own key are refused: {verified:?}");
    }
}
