//! Writes every file of the project: under a temporary name first, then renamed.
//!
//! So a reader never sees half a file. A folder of several files is complete when it holds `DONE`,
//! which is written last. Every error names its path.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::Hint;

/// How the name of a file ends that is being written.
const PARTIAL: &str = ".partial";

/// The file that marks a folder as complete.
const DONE: &str = "DONE";

/// An input/output error with the path it happened at and what was being done.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`: {source}", path.display())]
pub struct FileError {
    /// `read`, `write`, `create`…
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl FileError {
    /// Wraps a system error, as in `map_err(FileError::at("read", path))`.
    pub fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { action, path, source }
    }
}

impl Hint for FileError {
    fn hint(&self) -> Option<String> {
        let path = self.path.display();
        match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(
                "free some space and run the same command again: it continues from here".into(),
            ),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Some(format!("check the permissions of `{path}` (`ls -ld` shows them)"))
            }
            io::ErrorKind::NotFound if path.to_string().contains(":/") => Some(format!(
                "copy it to this machine and name it there: `{path}` is an address, and only files \
                 are read"
            )),
            io::ErrorKind::NotFound => Some(format!("check the path `{path}`: nothing is there")),
            io::ErrorKind::NotADirectory => {
                Some(format!("check the path `{path}`: something above it is no folder"))
            }
            io::ErrorKind::FileTooLarge if self.action == "write" => {
                Some("raise the limit on the size of files (`ulimit -f unlimited`)".to_owned())
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::FileTooLarge => Some(format!(
                "name another file in the place of `{path}` (`ls -lL` shows what it is)"
            )),
            _ => None,
        }
    }
}

/// A file being written under a temporary name in its final folder.
///
/// Nothing appears under the final name before [`AtomicFile::commit`]. A value dropped without it
/// leaves no file behind.
#[derive(Debug)]
pub struct AtomicFile {
    file: BufWriter<File>,
    temporary: TempPath,
    path: PathBuf,
}

impl AtomicFile {
    /// Starts writing the file `path`. Creates missing folders above it.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the folder cannot be made or written to.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let folder = folder_of(path);
        create_folder(folder)?;
        loop {
            let file = tempfile::Builder::new()
                .prefix(".")
                .suffix(PARTIAL)
                .permissions(readable_by_all())
                .tempfile_in(folder)
                .map_err(FileError::at("write", path))?;
            // Taken apart, because together they would put the temporary name into every error.
            let (file, temporary) = file.into_parts();
            if is_ours(&file).map_err(FileError::at("write", path))? {
                let file = BufWriter::with_capacity(1 << 20, file);
                return Ok(Self { file, temporary, path: path.to_owned() });
            }
        }
    }

    /// Flushes the file, syncs it to the disk and renames it to its final name.
    ///
    /// # Errors
    ///
    /// [`FileError`] with the final path; a previous file of that name then stays as it was.
    pub fn commit(self) -> Result<(), FileError> {
        let Self { file, temporary, path } = self;
        let file = file.into_inner().map_err(|e| FileError {
            action: "write",
            path: path.clone(),
            source: e.into_error(),
        })?;
        file.sync_all().map_err(FileError::at("write", &path))?;
        temporary.persist(&path).map_err(|e| FileError {
            action: "write",
            path: path.clone(),
            source: e.error,
        })?;
        sync_folder(folder_of(&path))
    }

    /// The final path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    ///
    /// [`FileError`] with the final path, for example when the disk is full.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file.write_all(bytes).map_err(FileError::at("write", &self.path))
    }
}

/// Locks a temporary file, so that nobody takes it for a leftover. Not so if somebody has already.
fn is_ours(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    match file.try_lock() {
        Ok(()) => Ok(file.metadata()?.nlink() > 0),
        Err(TryLockError::WouldBlock) => Ok(false),
        // A file system without locks has no sweeper either.
        Err(TryLockError::Error(_)) => Ok(true),
    }
}

/// Removes the temporary files that killed processes left in a folder, not in those below it. Files
/// that a process writes just now are locked, and stay. What cannot be removed is left.
pub fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_temporary = name.starts_with('.') && name.ends_with(PARTIAL);
        // Held until it is removed: whoever begins a file looks whether it is there still.
        if is_temporary
            && let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Temporary files are private by default; the final file is readable like any other.
fn readable_by_all() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    fs::Permissions::from_mode(0o644)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a folder and those above it that are missing. Each is on the disk when this returns: its
/// name is in a folder too.
///
/// # Errors
///
/// [`FileError`] if one cannot be made.
pub fn create_folder(path: &Path) -> Result<(), FileError> {
    let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.is_dir();
    let missing: Vec<&Path> = path.ancestors().take_while(missing).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            made => made.map_err(FileError::at("create folder", folder))?,
        }
        sync_folder(folder_of(folder))?;
    }
    Ok(())
}

/// Syncs `folder`: what was made, renamed or removed in it is on the disk only after that.
///
/// # Errors
///
/// [`FileError`] if the system does not.
pub fn sync_folder(folder: &Path) -> Result<(), FileError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(FileError::at("write", folder))
}

/// Writes a whole file at once; see [`AtomicFile`].
///
/// # Errors
///
/// [`FileError`]; a previous file of that name then stays as it was.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut file = AtomicFile::create(path)?;
    file.put(bytes)?;
    file.commit()
}

/// The most bytes of a file that is read whole. Text and weights are read piece by piece.
const WHOLE_BYTES_MAX: u64 = 1 << 30;

/// Opens a file for reading, or a folder to sync or lock it.
///
/// # Errors
///
/// [`FileError`] with the path, also for a pipe or a device: whoever reads one may wait for ever,
/// or read without an end.
pub fn open(path: &Path) -> Result<File, FileError> {
    let refuse = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
    fs::metadata(path)
        .and_then(|found| match file_type(found.file_type()) {
            None => File::open(path),
            Some(found) => Err(refuse(format!("it is {found}, expected a file"))),
        })
        .map_err(FileError::at("read", path))
}

/// What something that is neither a file nor a folder is called.
fn file_type(found: fs::FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    match found {
        _ if found.is_fifo() => Some("a pipe"),
        _ if found.is_socket() => Some("a socket"),
        _ if found.is_char_device() || found.is_block_device() => Some("a device"),
        _ => None,
    }
}

/// Reads a whole file.
///
/// # Errors
///
/// [`FileError`] with the path, also for a pipe, a device, and more than 1 GiB.
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    read_at_most(path, WHOLE_BYTES_MAX)
}

/// Reads a whole file of at most `most` bytes.
///
/// # Errors
///
/// [`FileError`] with the path, also for a pipe, a device, and more than `most` bytes.
pub fn read_at_most(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    let file = open(path)?;
    let size = file.metadata().map_err(FileError::at("read", path))?.len();
    let mut content = Vec::with_capacity(size.min(most) as usize);
    // One more than allowed, since a file may grow, and the system's own say 0.
    file.take(most + 1).read_to_end(&mut content).map_err(FileError::at("read", path))?;
    if content.len() as u64 <= most {
        return Ok(content);
    }
    let most = crate::bytes(most);
    let text = format!("it is longer than {most}, the most such a file may have");
    Err(FileError::at("read", path)(io::Error::new(io::ErrorKind::FileTooLarge, text)))
}

/// Reads a whole file; `None` if there is none. Nothing but that is "not there".
///
/// # Errors
///
/// [`FileError`] with the path, also where the system does not say whether it is there.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match read(path) {
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// What is at a path, links followed; `None` if nothing is.
///
/// # Errors
///
/// As [`read_if_there`].
pub fn metadata(path: &Path) -> Result<Option<fs::Metadata>, FileError> {
    there(fs::metadata(path)).map_err(FileError::at("read", path))
}

/// Only [`io::ErrorKind::NotFound`] says that something is not there.
fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// Reads a whole text file.
///
/// # Errors
///
/// [`FileError`] with the path, as for [`read`], also if it is not UTF-8.
pub fn read_to_string(path: &Path) -> Result<String, FileError> {
    String::from_utf8(read(path)?).map_err(|_| {
        let text = "stream did not contain valid UTF-8";
        FileError::at("read", path)(io::Error::new(io::ErrorKind::InvalidData, text))
    })
}

/// Marks a folder as complete. Everything in it must have been written before.
///
/// # Errors
///
/// [`FileError`] if it cannot be written.
pub fn mark_done(folder: &Path) -> Result<(), FileError> {
    write_atomic(&folder.join(DONE), b"")
}

/// Whether a folder is marked as complete; one that is not there is not.
///
/// # Errors
///
/// As [`read_if_there`].
pub fn is_done(folder: &Path) -> Result<bool, FileError> {
    Ok(metadata(&folder.join(DONE))?.is_some_and(|done| done.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_appears_before_the_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file.txt");
        let mut file = AtomicFile::create(&path).unwrap();
        file.put(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0, "a leftover");

        write_atomic(&path, b"whole").unwrap();
        assert_eq!(read_to_string(&path).unwrap(), "whole");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.txt");
        write_atomic(&path, b"old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.put(b"new").unwrap();
        drop(file);
        assert_eq!(read_to_string(&path).unwrap(), "old");
    }

    #[test]
    fn leftovers_are_swept_and_files_at_work_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let left = folder.join(".abc123.partial");
        let others = ["notes.partial", ".hidden"].map(|name| folder.join(name));
        for path in others.iter().chain([&left]) {
            fs::write(path, "x").unwrap();
        }
        let mut at_work = AtomicFile::create(&folder.join("result")).unwrap();
        at_work.put(b"whole").unwrap();
        sweep(folder);
        assert!(!left.exists() && others.iter().all(|path| path.exists()));
        at_work.commit().unwrap();
        assert_eq!(read_to_string(&folder.join("result")).unwrap(), "whole");
        sweep(&folder.join("nowhere"));
    }

    #[test]
    fn folders_are_made_from_the_top() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b/c");
        create_folder(&deep).unwrap();
        create_folder(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(deep.join("file"), "").unwrap();
        let error = create_folder(&deep.join("file/d")).unwrap_err();
        assert!(error.to_string().contains("a/b/c/file`"), "{error}");
    }

    #[test]
    fn a_full_disk_says_what_to_do() {
        let mut full = File::options().write(true).open("/dev/full").unwrap();
        let source = full.write_all(b"x").unwrap_err();
        let error = FileError::at("write", Path::new("runs/weights"))(source);
        assert_eq!(
            error.to_string(),
            "cannot write `runs/weights`: No space left on device (os error 28)"
        );
        assert_eq!(
            error.hint().unwrap(),
            "free some space and run the same command again: it continues from here"
        );
    }

    #[test]
    fn what_never_ends_is_not_opened() {
        let said = |path: &Path| {
            let error = read(path).unwrap_err();
            assert!(error.hint().unwrap().contains("ls -lL"), "{error}");
            error.to_string()
        };
        let expected = "cannot read `/dev/zero`: it is a device, expected a file";
        assert_eq!(said(Path::new("/dev/zero")), expected);
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        assert!(said(&link).ends_with("`: it is a device, expected a file"));
        let socket = folder.path().join("socket");
        let _listens = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(said(&socket).ends_with("`: it is a socket, expected a file"));
        // Nobody writes to it, so opening it would wait for ever.
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(said(&pipe).ends_with("`: it is a pipe, expected a file"));
    }

    #[test]
    fn a_file_past_its_bound_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomic(&path, b"12345").unwrap();
        assert_eq!(read_at_most(&path, 5).unwrap(), b"12345");
        let error = read_at_most(&path, 4).unwrap_err().to_string();
        assert!(error.ends_with("it is longer than 4 B, the most such a file may have"), "{error}");
        // Holes take no space on the disk, but they would take memory.
        File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("longer than 1.0 GiB"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("no/such/file")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read `no/such/file`: No such file or directory (os error 2)"
        );
        assert!(error.hint().unwrap().contains("no/such/file"));
    }

    #[test]
    fn only_what_is_not_found_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        assert_eq!(read_if_there(&file).unwrap(), None);
        assert!(metadata(&file).unwrap().is_none() && !is_done(folder.path()).unwrap());
        write_atomic(&file, b"whole").unwrap();
        assert_eq!(read_if_there(&file).unwrap().unwrap(), b"whole");
        // A file where a folder should be: what is below it may be anywhere.
        let below = file.join("run.json");
        let errors = [
            read_if_there(&below).unwrap_err(),
            metadata(&below).unwrap_err(),
            is_done(&file).unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains("Not a directory"), "{error}");
            assert!(error.hint().unwrap().contains("no folder"));
        }
    }
}
