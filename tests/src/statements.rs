//! How often a service asks its database for something. Every connection that is made in this process tells of its
//! statements; those of an installation that is watched are counted.

use crate::Installation;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};

/// Counts the statements of an installation in which a text stands, for as long as it is kept.
pub struct Statements(Arc<Watched>);

struct Watched {
    /// What the URL of each connection holds.
    place: String,
    text: &'static str,
    asked: AtomicUsize,
}

static WATCHED: Mutex<Vec<Arc<Watched>>> = Mutex::new(Vec::new());

impl Statements {
    /// Counts on connections that are made from now on.
    pub fn with(text: &'static str, installation: &Installation) -> Self {
        static INSTRUMENTED: Once = Once::new();
        INSTRUMENTED.call_once(|| set_default_instrumentation(|| Some(Box::new(Teller::default()))).unwrap());
        let watched = Arc::new(Watched { place: installation.place(), text, asked: AtomicUsize::new(0) });
        WATCHED.lock().unwrap().push(Arc::clone(&watched));
        Self(watched)
    }

    /// How often it was asked so far.
    pub fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Statements {
    fn drop(&mut self) {
        WATCHED.lock().unwrap().retain(|watched| !Arc::ptr_eq(watched, &self.0));
    }
}

/// Tells of the statements of one connection.
#[derive(Default)]
struct Teller(Vec<Arc<Watched>>);

impl Instrumentation for Teller {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                let watched = WATCHED.lock().unwrap();
                self.0 = watched.iter().filter(|watched| url.contains(&watched.place)).cloned().collect();
            }
            InstrumentationEvent::StartQuery { query, .. } if !self.0.is_empty() => {
                let query = query.to_string();
                for watched in self.0.iter().filter(|watched| query.contains(watched.text)) {
                    watched.asked.fetch_add(1, Ordering::SeqCst);
                }
            }
            _ => {}
        }
    }
}
