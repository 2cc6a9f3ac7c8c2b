//! Tokens in a file of their own, which several processes may share.

use super::store::{StoreError, StoreLock, TokenStore, UserTokens};
use futures::future::BoxFuture;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

/// How long another process may hold the lock: a refresh takes seconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(120);
/// How often the lock is tried.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Keeps tokens in a file that its owner alone can read (mode 0600; what others can read is refused), written whole or not
/// at all. Clones, and stores of other processes on the same file, wait for each other; the lock is a file beside it, whose
/// name ends in `.lock`. Put both on a local file system: locks of network file systems do not hold everywhere.
///
/// The tokens are in clear text. Where the system has a keyring, a [`TokenStore`] of your own can use that.
#[derive(Clone, Debug)]
pub struct FileTokenStore {
    path: PathBuf,
}

impl FileTokenStore {
    /// A store in this file. Its directory is made, for its owner alone, when the first tokens come.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file beside the tokens.
    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(end);
        name.into()
    }

    /// Does something with the files, off the threads that must not wait.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let path = self.path.display().to_string();
        let done = spawn_blocking(move || work(&store)).await?;
        done.map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")).into())
    }

    fn read(&self) -> io::Result<Option<UserTokens>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        refuse_if_others_read(&file)?;
        let text = Zeroizing::new(io::read_to_string(file)?);
        // The parser's own message would show a part of what is there.
        let unreadable =
            |_| io::Error::new(ErrorKind::InvalidData, "it holds no tokens; remove it and sign in again");
        serde_json::from_str(&text).map(Some).map_err(unreadable)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let new = self.beside(".new");
        // One that a process has left behind in the middle of this, whoever may read it.
        remove(&new)?;
        let mut file = owner_only(OpenOptions::new().write(true).create_new(true)).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        sync_directory(&self.path)
    }

    /// The lock, or none while somebody else has it.
    fn try_lock(&self) -> io::Result<Option<File>> {
        make_directory(&self.path)?;
        let mut options = OpenOptions::new();
        let file = owner_only(options.write(true).create(true).truncate(false)).open(self.beside(".lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl TokenStore for FileTokenStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<UserTokens>, StoreError>> {
        Box::pin(self.on_disk(Self::read))
    }

    fn store<'a>(&'a self, tokens: &'a UserTokens) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            let text = Zeroizing::new(serde_json::to_string(tokens)?);
            self.on_disk(move |store| store.write(&text)).await
        })
    }

    fn clear(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(
            self.on_disk(|store| if remove(&store.path)? { sync_directory(&store.path) } else { Ok(()) }),
        )
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, StoreError>> {
        Box::pin(async {
            let begun = Instant::now();
            // Tried and not waited for, so that no thread hangs where another process does.
            loop {
                if let Some(file) = self.on_disk(Self::try_lock).await? {
                    return Ok(StoreLock::of(file));
                }
                if begun.elapsed() > LOCK_PATIENCE {
                    let lock = self.beside(".lock");
                    return Err(format!("{}: another process does not let go of it", lock.display()).into());
                }
                sleep(LOCK_PAUSE).await;
            }
        })
    }
}

/// Removes a file; whether there was one.
fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true),
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory_of(path))
}

/// A directory's own entry of a file outlives a power failure only if it is synced as well.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory_of(path))?.sync_all() } else { Ok(()) }
}

fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(unix)]
fn refuse_if_others_read(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match file.metadata()?.permissions().mode() & 0o077 {
        0 => Ok(()),
        _ => {
            Err(io::Error::new(ErrorKind::PermissionDenied, "others may read or write it; `chmod 600` helps"))
        }
    }
}

#[cfg(not(unix))]
fn refuse_if_others_read(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::store::tests::tokens;
    use super::*;

    fn store() -> (tempfile::TempDir, FileTokenStore) {
        let directory = tempfile::tempdir().unwrap();
        let store = FileTokenStore::new(directory.path().join("partner/tokens.json"));
        (directory, store)
    }

    async fn loaded(store: &FileTokenStore) -> Option<String> {
        store.load().await.unwrap().map(|tokens| tokens.access_token().expose().to_owned())
    }

    #[tokio::test]
    async fn what_is_stored_is_loaded_until_it_is_cleared() {
        let (_directory, store) = store();
        assert_eq!(loaded(&store).await, None);
        store.clear().await.unwrap();
        let lock = store.lock().await.unwrap();
        for name in ["one", "two"] {
            store.store(&tokens(name, 60)).await.unwrap();
            assert_eq!(loaded(&store.clone()).await.as_deref(), Some(name));
        }
        store.clear().await.unwrap();
        store.clear().await.unwrap();
        assert_eq!(loaded(&store).await, None);
        drop(lock);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_can_read_it_and_what_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let (_directory, store) = store();
        let lock = store.lock().await.unwrap();
        // A process was killed in the middle, with another mask.
        fs::write(store.beside(".new"), "half").unwrap();
        store.store(&tokens("one", 60)).await.unwrap();
        drop(lock);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(store.path()), 0o600);
        assert_eq!(mode(&store.beside(".lock")), 0o600);
        assert_eq!(mode(store.path().parent().unwrap()), 0o700);
        assert!(!store.beside(".new").exists());
        fs::set_permissions(store.path(), fs::Permissions::from_mode(0o640)).unwrap();
        let error = store.load().await.unwrap_err().to_string();
        assert!(error.contains("tokens.json") && error.contains("chmod 600"), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_holds_something_else_is_named_and_not_shown() {
        let (_directory, store) = store();
        drop(store.lock().await.unwrap());
        store.write("{\"access_token\": \"hunter2").unwrap();
        let error = store.load().await.unwrap_err();
        assert!(
            error.to_string().contains("tokens.json") && !format!("{error:?}").contains("hunter2"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn one_at_a_time_holds_the_lock() {
        let (_directory, store) = store();
        let lock = store.lock().await.unwrap();
        let other = FileTokenStore::new(store.path());
        assert!(other.try_lock().unwrap().is_none());
        let waiting = tokio::spawn(async move { other.lock().await.map(drop) });
        drop(lock);
        waiting.await.unwrap().unwrap();
    }
}
