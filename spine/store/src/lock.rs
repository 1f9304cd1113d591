//! One process per data folder.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::OpenError;

/// The right to work in a data folder, held as long as any clone of it lives. The system takes it back when the process
/// ends, however it ends.
#[derive(Clone, Debug)]
pub struct FolderLock {
    folder: PathBuf,
    _file: Arc<File>,
}

impl FolderLock {
    /// Makes the folder (mode 0700) if it is absent and takes its lock.
    ///
    /// # Errors
    /// [`OpenError::Locked`] if another process holds it; [`OpenError::Folder`] if the folder cannot be used.
    pub fn take(folder: &Path) -> Result<Self, OpenError> {
        let fault = |what, path: &Path| {
            let path = path.to_owned();
            move |cause| OpenError::Folder { what, path, cause }
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(fault("cannot make the folder", folder))?;
        let path = folder.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(fault("cannot open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _file: Arc::new(file) }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked(folder.to_owned())),
            Err(TryLockError::Error(cause)) => Err(fault("cannot lock", &path)(cause)),
        }
    }

    /// The folder that is locked.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_one_holds_a_folder_and_it_is_private() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("a/b");
        let lock = FolderLock::take(&folder).unwrap();
        let refused = FolderLock::take(&folder).unwrap_err();
        assert!(matches!(refused, OpenError::Locked(_)));
        assert!(refused.to_string().contains(&folder.display().to_string()));
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        drop(lock);
        FolderLock::take(&folder).unwrap();
    }
}
