//! The directory that keeps the database and the signing key between runs.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The bytes of a signing key: the least that HMAC-SHA-256 should have
/// ([RFC 2104, section 3](https://www.rfc-editor.org/rfc/rfc2104#section-3)).
const KEY_LENGTH: usize = 32;

/// The file of the database.
const DATABASE: &str = "dynamodb.sqlite";

/// The file that is locked while a process may write the database.
const LOCK: &str = "lock";

/// The file of the signing key.
const SIGNING_KEY: &str = "signing-key";

/// The other files, which SQLite creates with the mode of the database's file
/// ([their names](https://www.sqlite.org/tempfiles.html)).
const SQLITE_FILES: [&str; 3] = [
    "dynamodb.sqlite-wal",
    "dynamodb.sqlite-shm",
    "dynamodb.sqlite-journal",
];

/// The mode of the directory: only its owner can use it.
const DIRECTORY_MODE: u32 = 0o700;

/// The mode of the files: only their owner can read and write them.
const FILE_MODE: u32 = 0o600;

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another process uses it. Stop that process or choose another directory.
    #[error(
        "{0} is in use by another process; stop that process or choose another directory with --data"
    )]
    InUse(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Other users may use a file or the directory, and this user cannot change that.
    #[error(
        "other users can read {path}, and its mode cannot be changed: {source}; \
         as its owner, run `chmod {mode:o} {path}`, or choose another directory with --data"
    )]
    Exposed {
        /// The file or directory.
        path: PathBuf,
        /// The mode that it should have.
        mode: u32,
        /// The system's error.
        source: io::Error,
    },
    /// The system provides no random bytes.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> DataError + '_ {
    |source| DataError::Io {
        path: path.to_owned(),
        source,
    }
}

/// The data directory. Only its owner can read it and its files.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
}

/// Held while the process may write the database. The system releases it when the process ends,
/// even after a crash.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl DataDir {
    /// Opens the directory at `path` and creates it if it is missing. If other users could read it or
    /// one of its files so far, they no longer can.
    ///
    /// # Errors
    /// [`DataError::Io`] or [`DataError::Exposed`].
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, DIRECTORY_MODE);
        builder.create(path).map_err(io_error(path))?;
        make_private(path, DIRECTORY_MODE)?;
        for name in [DATABASE, LOCK, SIGNING_KEY].iter().chain(&SQLITE_FILES) {
            make_private(&path.join(name), FILE_MODE)?;
        }
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Whether the directory at `path` has a database.
    pub(crate) fn has_database(path: &Path) -> bool {
        path.join(DATABASE).is_file()
    }

    /// Locks the directory's database for this process.
    ///
    /// # Errors
    /// [`DataError::InUse`] or [`DataError::Io`].
    pub(crate) fn lock(&self) -> Result<Lock, DataError> {
        let path = self.path.join(LOCK);
        let file = private_file().open(&path).map_err(io_error(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(io_error(&path)(error)),
        }
    }

    /// The path of the database file. An empty file is created if it is missing, because SQLite would
    /// create one that every user can read.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub(crate) fn database(&self) -> Result<PathBuf, DataError> {
        let path = self.path.join(DATABASE);
        private_file().open(&path).map_err(io_error(&path))?;
        Ok(path)
    }

    /// The signing key, which the first call creates. Processes that share the directory get the
    /// same key. A key that was only partly written was never used, so it is replaced.
    ///
    /// # Errors
    /// [`DataError::Io`] or [`DataError::Random`].
    pub(crate) fn signing_key(&self) -> Result<Vec<u8>, DataError> {
        let path = self.path.join(SIGNING_KEY);
        let mut file = private_file().open(&path).map_err(io_error(&path))?;
        file.lock().map_err(io_error(&path))?;
        let mut key = Vec::with_capacity(KEY_LENGTH);
        file.read_to_end(&mut key).map_err(io_error(&path))?;
        if key.len() >= KEY_LENGTH {
            return Ok(key);
        }
        let key = random_key()?;
        file.set_len(0).map_err(io_error(&path))?;
        let written = io::Seek::rewind(&mut file)
            .and_then(|()| file.write_all(&key))
            .and_then(|()| file.sync_all());
        written.map_err(io_error(&path))?;
        Ok(key)
    }
}

/// A new signing key.
///
/// # Errors
/// [`DataError::Random`].
pub(crate) fn random_key() -> Result<Vec<u8>, DataError> {
    let mut key = vec![0; KEY_LENGTH];
    getrandom::fill(&mut key)?;
    Ok(key)
}

/// Options that open a file, or create it so that only its owner can read it.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, FILE_MODE);
    options
}

/// Takes every permission that `mode` does not have from the file or directory at `path`, if it
/// exists.
#[cfg(unix)]
fn make_private(path: &Path, mode: u32) -> Result<(), DataError> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    let found = match std::fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(path)(error)),
    };
    if found & 0o777 & !mode == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(|source| {
        DataError::Exposed {
            path: path.to_owned(),
            mode,
            source,
        }
    })
}

/// Elsewhere than on Unix, a file has the access rights of its directory.
#[cfg(not(unix))]
fn make_private(_path: &Path, _mode: u32) -> Result<(), DataError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> PathBuf {
        std::env::temp_dir().join(format!("edge-crm-{}", uuid::Uuid::new_v4()))
    }

    #[test]
    fn the_signing_key_is_created_once_and_only_its_owner_can_read_it() {
        let path = directory();
        let key = DataDir::open(&path).unwrap().signing_key().unwrap();
        assert_eq!(key.len(), KEY_LENGTH);
        assert_eq!(DataDir::open(&path).unwrap().signing_key().unwrap(), key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(
                (mode(&path), mode(&path.join("signing-key"))),
                (0o700, 0o600)
            );
        }
        std::fs::remove_dir_all(path).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_directory_that_cannot_be_made_private_is_refused_with_the_command_that_does() {
        // Nobody can change a mode there, not even root.
        let error = DataDir::open(Path::new("/proc/self")).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("chmod 700 /proc/self") && text.contains("--data"),
            "{text}"
        );
    }

    #[test]
    fn a_partly_written_key_is_replaced() {
        let path = directory();
        let data = DataDir::open(&path).unwrap();
        std::fs::write(path.join("signing-key"), [1; 5]).unwrap();
        let key = data.signing_key().unwrap();
        assert_eq!(std::fs::read(path.join("signing-key")).unwrap(), key);
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_directory_can_be_locked_only_once_at_a_time() {
        let path = directory();
        let data = DataDir::open(&path).unwrap();
        let lock = data.lock().unwrap();
        assert!(matches!(data.lock(), Err(DataError::InUse(_))));
        drop(lock);
        data.lock().unwrap();
        std::fs::remove_dir_all(path).unwrap();
    }
}
