//! Results of a task on disk, one line an item, in a file that grows while the task runs.
//!
//! The first line says what was asked of which model: everything that determines the numbers, and
//! its fingerprint is part of the file's name. Then results follow in any order, and before the
//! first that a kernel computed a line that names it. A last line without its line feed is
//! one being written when the program was killed; it is cut off. Every line has a seal, that of a
//! result for the first line too: no line is believed that was altered or is of another file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sparkjoy_base::{
    FileError, Opened, Problem, create_folder, metadata, open_seal, read, sealed, sync_folder,
};

use crate::error::JobError;
use crate::keyed::json;
use crate::problem::{damaged, flawed, foreign_results, move_away, unsealed};

/// The version of the file's layout.
const FORMAT: u32 = 2;
/// The version without seals, which is the same else.
const UNSEALED: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Header<A> {
    format: u32,
    asked: A,
}

/// A line that says what computed the results after it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Computed {
    kernel: String,
}

/// Any line but the first.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line<R> {
    Computed(Computed),
    Result(R),
}

#[derive(Debug)]
pub(crate) struct Records<R> {
    pub(crate) results: BTreeMap<usize, R>,
    pub(crate) kernels: BTreeSet<String>,
    /// Bytes up to the last line feed.
    whole: u64,
    /// All bytes.
    len: u64,
}

/// Reads what is there of a file; `None` if there is none.
///
/// - `index`: which item a result is of.
///
/// # Errors
///
/// A line that is not what it should be, a file that answers another question.
pub(crate) fn read_records<A, R>(
    path: &Path,
    asked: &A,
    index: impl Fn(&R) -> usize,
) -> Result<Option<Records<R>>, JobError>
where
    A: DeserializeOwned + PartialEq,
    R: DeserializeOwned,
{
    if metadata(path)?.is_none() {
        return Ok(None);
    }
    match read_records_of(path, |found: &A| found == asked, index)? {
        None => Err(foreign_results(path).into()),
        found => Ok(found),
    }
}

/// Reads what is there of a file, if it is one that answers what is wanted.
///
/// # Errors
///
/// A line that is not what it should be, or has no seal.
pub(crate) fn read_records_of<A, R>(
    path: &Path,
    wanted: impl Fn(&A) -> bool,
    index: impl Fn(&R) -> usize,
) -> Result<Option<Records<R>>, JobError>
where
    A: DeserializeOwned,
    R: DeserializeOwned,
{
    match read_any(path, &read(path)?, wanted, index)? {
        Some((_, false)) => Err(unsealed(path).into()),
        found => Ok(found.map(|(records, _)| records)),
    }
}

/// Whether an earlier version wrote a file: its first line, if it has one, has no seal.
///
/// # Errors
///
/// If it cannot be read.
pub(crate) fn is_unsealed(path: &Path) -> Result<bool, JobError> {
    let bytes = read(path)?;
    let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else { return Ok(false) };
    Ok(open_seal(path, &bytes[..=end], b"").is_ok_and(|opened| !opened.has_seal))
}

/// Reads a file with or without seals, and says which.
fn read_any<A, R>(
    path: &Path,
    bytes: &[u8],
    wanted: impl Fn(&A) -> bool,
    index: impl Fn(&R) -> usize,
) -> Result<Option<(Records<R>, bool)>, JobError>
where
    A: DeserializeOwned,
    R: DeserializeOwned,
{
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let damaged = |why| JobError::from(damaged(path, &why));
    let open =
        |line, first| open_seal(path, line, first).map_err(|it| it.with_hint(move_away(path)));
    let mut lines = bytes[..whole].split_inclusive(|&byte| byte == b'\n');
    let (whole_len, len) = (whole as u64, bytes.len() as u64);
    let (results, kernels) = (BTreeMap::new(), BTreeSet::new());
    let mut records = Records { results, kernels, whole: whole_len, len };
    let Some(first) = lines.next() else { return Ok(Some((records, true))) };
    let Opened { json, has_seal } = open(first, b"")?;
    let header: Header<A> = serde_json::from_slice(&json).map_err(damaged)?;
    let is_known = header.format == if has_seal { FORMAT } else { UNSEALED };
    if !is_known || !wanted(&header.asked) {
        return Ok(None);
    }
    for line in lines {
        let opened = open(line, first)?;
        if opened.has_seal != has_seal {
            return Err(flawed(path, "some of its lines have no seal").into());
        }
        match serde_json::from_slice(&opened.json).map_err(damaged)? {
            Line::Computed(Computed { kernel }) => {
                records.kernels.insert(kernel);
            }
            Line::Result(result) => {
                records.results.insert(index(&result), result);
            }
        }
    }
    Ok(Some((records, has_seal)))
}

/// A file of results that another process adds to.
fn busy(path: &Path) -> Problem {
    Problem::new(format!("another process is writing `{}`", path.display()))
        .with_hint("wait for it, or stop it: what it has is kept")
}

/// A file of results being added to, by this process only.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    file: File,
    /// The first line, as it is in the file.
    first: Vec<u8>,
}

impl Writer {
    /// Opens a file to add to what [`read_records`] found, or begins it.
    ///
    /// # Errors
    ///
    /// If another process adds to it, or it cannot be written to.
    pub(crate) fn open<A: Serialize, R>(
        path: &Path,
        asked: &A,
        found: Option<&Records<R>>,
        kernel: &str,
    ) -> Result<Self, JobError> {
        let at = |action| FileError::at(action, path);
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(path);
        let mut file = file.map_err(at("write"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(busy(path).into());
            }
            Err(TryLockError::Error(error)) => return Err(at("lock")(error).into()),
        }
        // What another process added after we looked must not be cut off.
        let len = file.metadata().map_err(at("read"))?.len();
        if len != found.map_or(0, |records| records.len) {
            return Err(busy(path).into());
        }
        let whole = found.map_or(0, |records| records.whole);
        file.set_len(whole).map_err(at("write"))?;
        file.seek(SeekFrom::End(0)).map_err(at("write"))?;
        let first = sealed(&json(&Header { format: FORMAT, asked }), b"");
        let mut writer = Self { path: path.to_owned(), file, first };
        if whole == 0 {
            let first = writer.first.clone();
            writer.put(&first)?;
            sync_folder(path.parent().unwrap_or(path))?;
        }
        // Once for each, so that an interruption does not show.
        if found.is_none_or(|records| !records.kernels.contains(kernel)) {
            writer.add(&[Computed { kernel: kernel.to_owned() }])?;
        }
        Ok(writer)
    }

    /// Adds results, in one write.
    ///
    /// # Errors
    ///
    /// If the disk takes no more; what was there before stays.
    pub(crate) fn add<R: Serialize>(&mut self, results: &[R]) -> Result<(), FileError> {
        let lines = results.iter().flat_map(|result| sealed(&json(result), &self.first));
        self.put(&lines.collect::<Vec<u8>>())
    }

    /// Waits until all is on the disk.
    ///
    /// # Errors
    ///
    /// If the disk does not take it.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        self.file.sync_all().map_err(FileError::at("write", &self.path))
    }

    fn put(&mut self, lines: &[u8]) -> Result<(), FileError> {
        self.file.write_all(lines).map_err(FileError::at("write", &self.path))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // By hand, because a process being started may hold a copy of the handle for a moment.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Answer {
        index: usize,
        nats: f64,
    }

    fn answers(range: std::ops::Range<usize>) -> Vec<Answer> {
        range.map(|index| Answer { index, nats: 0.1 + index as f64 / 3.0 }).collect()
    }

    fn found(path: &Path, asked: &str) -> Result<Option<Records<Answer>>, JobError> {
        read_records(path, &asked.to_owned(), |answer: &Answer| answer.index)
    }

    #[test]
    fn results_come_back_with_the_same_bits_and_a_torn_line_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/piqa.jsonl");
        assert!(found(&path, "piqa").unwrap().is_none());
        let mut writer = Writer::open::<_, Answer>(&path, &"piqa", None, "avx2").unwrap();
        writer.add(&answers(0..3)).unwrap();
        drop(writer);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(b"{\"index\":3,\"na");
        std::fs::write(&path, &bytes).unwrap();

        let first = found(&path, "piqa").unwrap().unwrap();
        assert!(first.results.values().eq(&answers(0..3)));
        let mut writer = Writer::open(&path, &"piqa", Some(&first), "avx512").unwrap();
        writer.add(&answers(3..5)).unwrap();
        writer.sync().unwrap();
        let all = found(&path, "piqa").unwrap().unwrap();
        assert!(all.results.values().eq(&answers(0..5)));
        assert!(all.kernels.iter().eq(["avx2", "avx512"]));
    }

    #[test]
    fn a_file_killed_at_any_byte_can_be_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("piqa.jsonl");
        let mut writer = Writer::open::<_, Answer>(&path, &"piqa", None, "avx2").unwrap();
        writer.add(&answers(0..2)).unwrap();
        drop(writer);
        let bytes = std::fs::read(&path).unwrap();
        for cut in 0..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let records = found(&path, "piqa").unwrap().unwrap();
            let mut writer = Writer::open(&path, &"piqa", Some(&records), "avx2").unwrap();
            writer.add(&answers(records.results.len()..2)).unwrap();
            drop(writer);
            let all = found(&path, "piqa").unwrap().unwrap();
            assert!(all.results.values().eq(&answers(0..2)), "cut at {cut}");
        }
    }

    #[test]
    fn two_never_write_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("piqa.jsonl");
        let first = Writer::open::<_, Answer>(&path, &"piqa", None, "avx2").unwrap();
        let error = Writer::open::<_, Answer>(&path, &"piqa", None, "avx2").unwrap_err();
        assert!(error.to_string().starts_with("another process is writing"), "{error}");
        drop(first);
        // Nor does one cut off what another added after it looked.
        assert!(Writer::open::<_, Answer>(&path, &"piqa", None, "avx2").is_err());
        let now = found(&path, "piqa").unwrap();
        Writer::open(&path, &"piqa", now.as_ref(), "avx2").unwrap();
    }

    #[test]
    fn a_file_of_another_process_is_left_to_it() {
        let path = Path::new("runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json");
        insta::assert_snapshot!(sparkjoy_kit::shown(Err(busy(path))), @"
        another process is writing `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json`
        hint: wait for it, or stop it: what it has is kept
        ");
    }

    #[test]
    fn another_question_and_a_changed_line_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("piqa.jsonl");
        let mut writer = Writer::open::<_, Answer>(&path, &"piqa", None, "avx2").unwrap();
        writer.add(&answers(0..2)).unwrap();
        let error = found(&path, "arc").unwrap_err();
        assert_eq!(error.to_string(), foreign_results(&path).to_string());
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"index\":1", "\"index\":2")).unwrap();
        let error = found(&path, "piqa").unwrap_err().to_string();
        assert!(error.contains("piqa.jsonl` was altered"), "{error}");
        // A line of another file.
        let other = folder.path().join("arc.jsonl");
        let mut writer = Writer::open::<_, Answer>(&other, &"arc", None, "avx2").unwrap();
        writer.add(&answers(2..3)).unwrap();
        let line = std::fs::read_to_string(&other).unwrap().lines().last().unwrap().to_owned();
        std::fs::write(&path, format!("{text}{line}\n")).unwrap();
        assert!(found(&path, "piqa").is_err());
    }

    #[test]
    fn a_file_without_seals_is_known_and_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("piqa.jsonl");
        let mut old = "{\"format\":1,\"asked\":\"piqa\"}\n{\"kernel\":\"avx2\"}\n".to_owned();
        for answer in answers(0..3) {
            old.push_str(&serde_json::to_string(&answer).unwrap());
            old.push('\n');
        }
        std::fs::write(&path, format!("{old}{{\"ind")).unwrap();
        assert!(found(&path, "piqa").unwrap_err().to_string().contains("has no seal"));
        assert!(is_unsealed(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        Writer::open::<_, Answer>(&path, &"piqa", None, "avx2").unwrap();
        assert!(!is_unsealed(&path).unwrap());
    }
}
