//! What an operator says of the way to receivers, and what an attempt may cost.

use crate::files;
use ipnet::IpNet;
use reqwest::Certificate;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// What a dialler needs to know.
#[derive(Clone, Debug)]
pub struct DiallerSettings {
    /// The value of `User-Agent`.
    pub user_agent: String,
    /// Networks that may be connected to although they are not public.
    pub allowed: Vec<IpNet>,
    /// Whether this machine may be connected to, and then by http as well: for development.
    pub loopback: bool,
    /// A file of root certificates (PEM) that are trusted beside those of the system.
    pub certificates: Option<PathBuf>,
    /// What an attempt may cost.
    pub limits: Limits,
}

/// How much time and answer there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the addresses of a name and a connection, with its TLS.
    pub connect: Duration,
    /// For an attempt, with its connection and all of its answer.
    pub attempt: Duration,
    /// Bytes of an answer's headers, beyond which it is of no use.
    pub header_bytes: usize,
    /// Bytes of an answer's body, beyond which no more is read.
    pub answer_bytes: usize,
    /// Characters of it that are kept.
    pub excerpt_characters: usize,
    /// How long a connection is kept without use.
    pub idle: Duration,
    /// How many are kept to a host at a time.
    pub idle_connections: usize,
}

impl DiallerSettings {
    /// The public internet alone, with the usual limits.
    pub fn new(user_agent: impl Into<String>) -> Self {
        Self {
            user_agent: user_agent.into(),
            allowed: Vec::new(),
            loopback: false,
            certificates: None,
            limits: Limits::default(),
        }
    }

    /// The root certificates of its file.
    pub(super) fn certificates(&self) -> Result<Vec<Certificate>, OpenError> {
        let Some(path) = &self.certificates else { return Ok(Vec::new()) };
        // Who may write the file could make up receivers.
        let (text, _) = files::read_configuration(path)
            .map_err(|source| OpenError::File { path: path.clone(), source })?;
        match Certificate::from_pem_bundle(text.as_bytes()) {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            _ => Err(OpenError::NoCertificates(path.clone())),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            attempt: Duration::from_secs(15),
            header_bytes: 32 * 1024,
            answer_bytes: 64 * 1024,
            excerpt_characters: 1_000,
            idle: Duration::from_secs(30),
            // As many as one is sent deliveries at a time, so that a receiver that answers is not connected to each time.
            idle_connections: 64,
        }
    }
}

/// Why there is no dialler.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file of certificates cannot be read.
    #[error("cannot use the certificates in {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds none.
    #[error("{} does not hold certificates in PEM", .0.display())]
    NoCertificates(PathBuf),
    /// The client does not take them, or the system has none.
    #[error("the client of receivers cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}
