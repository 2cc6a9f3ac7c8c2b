//! Objects of one kind that the fields of one request ask for by their identifiers. What is asked for before anything is
//! loaded is loaded together, and each object once. Who may load what is not decided here.
//!
//! async-graphql has a loader of its own, whose loads begin when a timer has fired: on tokio a millisecond later at the
//! earliest, for each level of a document. Here they begin when the document can go no further.

use super::data::NotLoaded;
use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// What was asked for, and what is known of it.
pub(super) struct Batch<K, V>(Mutex<State<K, V>>);

struct State<K, V> {
    /// What was loaded; nothing for what there is not.
    known: HashMap<K, Result<Option<V>, NotLoaded>>,
    asked: HashSet<K>,
    /// Who waits for it.
    waiting: Vec<Waker>,
}

impl<K, V> Default for Batch<K, V> {
    fn default() -> Self {
        let (known, asked, waiting) = (HashMap::new(), HashSet::new(), Vec::new());
        Self(Mutex::new(State { known, asked, waiting }))
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Batch<K, V> {
    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object, when it was loaded.
    pub(super) async fn get(&self, id: K) -> Result<Option<V>, NotLoaded> {
        poll_fn(|context| {
            let mut state = self.state();
            if let Some(known) = state.known.get(&id) {
                return Poll::Ready(known.clone());
            }
            state.asked.insert(id.clone());
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Whether something is to be loaded.
    pub(super) fn is_asked(&self) -> bool {
        !self.state().asked.is_empty()
    }

    /// Loads what was asked for, if anything was.
    pub(super) async fn load(&self, load: impl AsyncFnOnce(Vec<K>) -> Result<HashMap<K, V>, NotLoaded>) {
        let ids: Vec<K> = self.state().asked.iter().cloned().collect();
        if ids.is_empty() {
            return;
        }
        let found = load(ids.clone()).await;
        let mut state = self.state();
        for id in ids {
            let known = found.as_ref().map(|found| found.get(&id).cloned()).map_err(|error| *error);
            state.asked.remove(&id);
            state.known.insert(id, known);
        }
        state.waiting.drain(..).for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::future::join_all;
    use futures::join;

    #[test]
    fn what_is_asked_for_together_is_loaded_together_and_once() {
        let batch = Batch::<u32, u32>::default();
        let asked = |ids: Vec<u32>| join_all(ids.into_iter().map(|id| batch.get(id)));
        let loads = Mutex::new(Vec::new());
        let load = || {
            batch.load(async |mut ids: Vec<u32>| {
                ids.sort_unstable();
                loads.lock().expect("loads").push(ids.clone());
                Ok(ids.into_iter().filter(|id| *id != 404).map(|id| (id, id * 10)).collect())
            })
        };
        let (found, ()) = block_on(async { join!(asked([1, 2, 1, 404].repeat(20)), load()) });
        let expected = [Ok(Some(10)), Ok(Some(20)), Ok(Some(10)), Ok(None)];
        assert_eq!(found, expected.repeat(20));
        let (found, ()) = block_on(async { join!(asked(vec![2, 3, 404]), load()) });
        assert_eq!(found, [Ok(Some(20)), Ok(Some(30)), Ok(None)]);
        assert!(!batch.is_asked());
        assert_eq!(*loads.lock().expect("loads"), [vec![1, 2, 404], vec![3]]);
    }

    #[test]
    fn who_asked_for_what_could_not_be_loaded_is_told_so() {
        let batch = Batch::<u32, u32>::default();
        let (found, ()) = block_on(async { join!(batch.get(1), batch.load(async |_| Err(NotLoaded))) });
        assert_eq!(found, Err(NotLoaded));
        let (found, ()) =
            block_on(async { join!(batch.get(2), batch.load(async |_| Ok(HashMap::from([(2, 4)])))) });
        assert_eq!(found, Ok(Some(4)));
    }
}
