//! What a command that trains writes, read with bounds: regular files only, lines and JSON up to a
//! size, and nothing waits for a byte that does not come.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sparkjoy_base::Fingerprint;
use sparkjoy_spec::{Promise, StepRecord};

use super::job::VERSION;
use crate::metrics::{LINE_BYTES_MAX, METRICS};

/// The largest JSON file that is read.
const JSON_BYTES_MAX: u64 = 1 << 16;
/// The longest name of an engine.
const NAME_MAX: usize = 64;
/// Bytes of metrics read at a time.
const CHUNK: usize = 1 << 14;

/// The file in which an engine names itself.
pub(super) const ENGINE: &str = "engine.json";
/// The file that says what a checkpoint is of.
pub(super) const CHECKPOINT: &str = "checkpoint.json";

/// Why a reply is refused: what, found, expected.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) what: String,
    pub(super) found: String,
    pub(super) expected: String,
}

impl Refusal {
    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts are handed over alike")]
    pub(super) fn new(
        what: impl Into<String>,
        found: impl ToString,
        expected: impl ToString,
    ) -> Self {
        Self { what: what.into(), found: found.to_string(), expected: expected.to_string() }
    }
}

/// `engine.json`.
#[derive(Debug, Deserialize)]
pub(super) struct Greeting {
    sparkjoy_engine: u32,
    pub(super) name: String,
    #[serde(default)]
    same_bits: bool,
}

impl Greeting {
    pub(super) fn promise(&self) -> Promise {
        if self.same_bits { Promise::SameBits } else { Promise::WithinNoise }
    }
}

/// `checkpoint.json`.
#[derive(Debug, Deserialize)]
pub(super) struct CheckpointNote {
    pub(super) run: Fingerprint,
    pub(super) step: u64,
    pub(super) optimizer_steps: u64,
}

/// The folder a command writes into.
pub(super) struct Replies {
    out: PathBuf,
    metrics: Option<File>,
    /// Bytes read that are not a whole line yet.
    pending: Vec<u8>,
    /// Whole lines read.
    lines: u64,
}

impl Replies {
    pub(super) fn new(out: PathBuf) -> Self {
        Self { out, metrics: None, pending: Vec::new(), lines: 0 }
    }

    /// Whether a part of a line has been written.
    pub(super) fn has_begun(&self) -> bool {
        fs::symlink_metadata(self.out.join(METRICS)).is_ok_and(|metrics| metrics.len() > 0)
    }

    /// How the engine names itself, once it has.
    ///
    /// - `taken`: the names of our own kernels, which nobody else may bear.
    pub(super) fn greeting(&self, taken: &[&str]) -> Result<Option<Greeting>, Refusal> {
        let path = self.out.join(ENGINE);
        if fs::symlink_metadata(&path).is_err() {
            return Ok(None);
        }
        let greeting: Greeting = small_json(&path, &format!("`{ENGINE}`"))?;
        let found = greeting.sparkjoy_engine;
        if found != VERSION {
            let what = format!("`sparkjoy_engine` in `{ENGINE}`");
            return Err(Refusal::new(what, found, VERSION));
        }
        let name = &greeting.name;
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let is_plain = (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(allowed);
        if !is_plain || taken.contains(&name.as_str()) {
            let shown: String = name.chars().take(NAME_MAX).collect();
            let expected = format!(
                "1 to {NAME_MAX} letters, digits, `.`, `_` and `-`, and none of {}",
                taken.join(", ")
            );
            let what = format!("`name` in `{ENGINE}`");
            return Err(Refusal::new(what, format!("{shown:?}"), expected));
        }
        Ok(Some(greeting))
    }

    /// The next whole line of metrics, if there is one.
    pub(super) fn line(&mut self) -> Result<Option<StepRecord>, Refusal> {
        let at = format!("`{METRICS}` line {}", self.lines + 1);
        if self.metrics.is_none() {
            let path = self.out.join(METRICS);
            if fs::symlink_metadata(&path).is_err() {
                return Ok(None);
            }
            let unread = |found| not_a_file(&format!("`{METRICS}`"), &found);
            self.metrics = Some(open_regular(&path).map_err(unread)?);
        }
        let file = self.metrics.as_mut().expect("it was opened above");
        let end = loop {
            if let Some(end) = self.pending.iter().position(|&b| b == b'\n') {
                break end;
            }
            if self.pending.len() > LINE_BYTES_MAX {
                let expected = format!("at most {LINE_BYTES_MAX} bytes");
                return Err(Refusal::new(at, "a longer line", expected));
            }
            let mut chunk = [0; CHUNK];
            let read = file
                .read(&mut chunk)
                .map_err(|error| Refusal::new(at.as_str(), error, "a file that can be read"))?;
            if read == 0 {
                return Ok(None);
            }
            self.pending.extend_from_slice(&chunk[..read]);
        };
        let record = serde_json::from_slice(&self.pending[..end])
            .map_err(|error| Refusal::new(at, error, "the record of a step as JSON"))?;
        self.pending.drain(..=end);
        self.lines += 1;
        Ok(Some(record))
    }

    /// The checkpoint of a step, once it has its name.
    pub(super) fn checkpoint(&self, step: u64) -> Option<PathBuf> {
        let path = self.out.join(format!("step-{step}"));
        fs::symlink_metadata(&path).is_ok().then_some(path)
    }
}

/// Reads a JSON file of a bounded size.
///
/// - `what`: the file, as a refusal calls it.
pub(super) fn small_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, Refusal> {
    let file = open_regular(path).map_err(|found| not_a_file(what, &found))?;
    let mut json = Vec::new();
    file.take(JSON_BYTES_MAX + 1)
        .read_to_end(&mut json)
        .map_err(|error| Refusal::new(what, error, "a file that can be read"))?;
    if json.len() as u64 > JSON_BYTES_MAX {
        return Err(Refusal::new(what, "a larger file", format!("at most {JSON_BYTES_MAX} bytes")));
    }
    serde_json::from_slice(&json)
        .map_err(|error| Refusal::new(what, error, "JSON as docs/engines.md says"))
}

fn not_a_file(what: &str, found: &io::Error) -> Refusal {
    Refusal::new(what, found, "a regular file")
}

/// Opens a regular file: no link is followed, and a pipe does not make us wait.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(code) if code == Errno::LOOP.raw_os_error() => io::Error::other("a link"),
        _ => error,
    })?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::other("a folder, a pipe or a device"))
}
