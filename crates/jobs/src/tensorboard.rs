//! Event files for TensorBoard, beside `metrics.jsonl` and made from it.
//!
//! They hold wall times, so they are no results. The metrics are the truth: a run that goes on
//! begins a new file with every step its metrics have, with the wall times the file before it knew,
//! and removes that one. A step is handed to the system before its checkpoint is written, so a kill
//! loses none that counts. Where an event file cannot be written, training goes on without it.
//!
//! A file is a chain of records: length (8 bytes, little endian), masked CRC-32C of the length,
//! an `Event` as Protocol Buffers, masked CRC-32C of it.
//!
//! # Source
//!
//! TensorFlow: `core/lib/io/record_writer.h`, `core/util/event.proto`,
//! `core/framework/summary.proto`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;
use sparkjoy_base::open;
use sparkjoy_spec::StepRecord;

/// Every event file has this in its name; TensorBoard reads a folder's in the order of names.
const PREFIX: &str = "events.out.tfevents.";
/// What the first event of a file says.
const VERSION: &str = "brain.Event:2";
/// A record of ours has some dozen bytes for each source; one beyond this is no record.
const RECORD: u64 = 1 << 20;

/// One line of an event file.
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "7")]
    session_log: Option<SessionLog>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// Tells a TensorBoard that is looking to forget what it has read of the file before.
#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    /// 1: start.
    #[prost(int32, tag = "1")]
    status: i32,
}

/// The event file of a run in progress.
pub(crate) struct Events {
    file: File,
    /// The last step it holds.
    step: u64,
}

impl Events {
    /// Begins the file of a run with all that its metrics hold.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn begin(run_folder: &Path) -> std::io::Result<Self> {
        // The name comes last: whoever looks at the folder sees the file whole.
        let beside = run_folder.join("events.partial");
        let begun = Self::written(run_folder, &beside);
        if begun.is_err() {
            let _ = fs::remove_file(&beside);
        }
        begun
    }

    /// Writes the file as `beside` first.
    fn written(run_folder: &Path, beside: &Path) -> std::io::Result<Self> {
        let before = event_files(run_folder)?;
        let times = before.last().map(|path| wall_times(path)).unwrap_or_default();
        let number = before.last().and_then(|path| number(path)).unwrap_or(0) + 1;
        let path = run_folder.join(format!("{PREFIX}{number:010}.sparkjoy"));
        let mut writer = BufWriter::new(File::create(beside)?);
        let now = seconds();
        let version = Event { file_version: Some(VERSION.to_owned()), ..at(now, 0) };
        let start = Event { session_log: Some(SessionLog { status: 1 }), ..at(now, 0) };
        for event in [version, start] {
            writer.write_all(&framed(&event))?;
        }
        let mut last = 0;
        let metrics =
            BufReader::new(open(&run_folder.join("metrics.jsonl")).map_err(|error| error.source)?);
        for line in metrics.lines() {
            let Ok(known) = serde_json::from_str::<StepRecord>(&line?) else { break };
            let time = times.get(&known.step).copied().unwrap_or(now);
            writer.write_all(&framed(&of_step(&known, time)))?;
            last = known.step;
        }
        let file = writer.into_inner()?;
        fs::rename(beside, &path)?;
        for path in before {
            fs::remove_file(path)?;
        }
        Ok(Self { file, step: last })
    }

    /// Adds a step, in one call to the system.
    ///
    /// - `last`: whether the job ends with it; it is then on the disk when this returns.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn add(&mut self, record: &StepRecord, last: bool) -> std::io::Result<()> {
        if record.step > self.step {
            self.file.write_all(&framed(&of_step(record, seconds())))?;
            self.step = record.step;
        }
        if last { self.file.sync_data() } else { Ok(()) }
    }
}

fn at(wall_time: f64, step: u64) -> Event {
    Event {
        wall_time,
        step: step.cast_signed(),
        file_version: None,
        summary: None,
        session_log: None,
    }
}

/// The numbers of a step: losses, rate, gradient norm.
fn of_step(record: &StepRecord, wall_time: f64) -> Event {
    let of =
        |tag: &str, number: f64| Value { tag: tag.to_owned(), simple_value: Some(number as f32) };
    let mut value =
        vec![of("loss", record.loss), of("grad_norm", record.grad_norm), of("lr", record.lr)];
    value.extend(record.losses.iter().map(|(name, loss)| of(&format!("loss/{name}"), *loss)));
    Event { summary: Some(Summary { value }), ..at(wall_time, record.step) }
}

fn framed(event: &Event) -> Vec<u8> {
    let data = event.encode_to_vec();
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), &data, &masked(&data)].concat()
}

/// Rotated and moved, so that a checksum of a text with its checksum tells something.
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// When each step of a file was written, as far as the file is whole.
fn wall_times(path: &Path) -> BTreeMap<u64, f64> {
    let mut times = BTreeMap::new();
    let Ok(file) = open(path) else { return times };
    let mut reader = BufReader::new(file);
    while let Some(event) = next(&mut reader) {
        if event.summary.is_some() {
            times.insert(event.step.cast_unsigned(), event.wall_time);
        }
    }
    times
}

/// The next record; none at the end, or where it is damaged.
fn next(reader: &mut impl Read) -> Option<Event> {
    let (mut length, mut check) = ([0; 8], [0; 4]);
    reader.read_exact(&mut length).ok()?;
    reader.read_exact(&mut check).ok()?;
    let bytes = u64::from_le_bytes(length);
    if check != masked(&length) || bytes > RECORD {
        return None;
    }
    let mut data = vec![0; bytes as usize];
    reader.read_exact(&mut data).ok()?;
    reader.read_exact(&mut check).ok()?;
    (check == masked(&data)).then(|| Event::decode(&data[..]).ok()).flatten()
}

/// The event files of a run, in the order they were begun.
fn event_files(run_folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(run_folder)? {
        let path = entry?.path();
        if number(&path).is_some() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Which of a run's event files this is.
fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    name.strip_suffix(".sparkjoy")?.parse().ok()
}

fn seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use sparkjoy_base::SourceName;

    use super::*;

    fn record(step: u64) -> StepRecord {
        let web = SourceName::new("web").unwrap();
        StepRecord {
            step,
            loss: 5.0 - step as f64 / 100.0,
            grad_norm: 1.0,
            lr: 0.1,
            tokens: [(web.clone(), 32)].into(),
            losses: [(web, 5.5)].into(),
        }
    }

    /// What a run folder's metrics say up to a step.
    fn metrics(folder: &Path, steps: u64) {
        let line = |step| serde_json::to_string(&record(step)).unwrap() + "\n";
        let text: String = (1..=steps).map(line).collect();
        fs::write(folder.join("metrics.jsonl"), text).unwrap();
    }

    fn only_file(folder: &Path) -> PathBuf {
        let mut files = event_files(folder).unwrap();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    fn steps(folder: &Path) -> Vec<u64> {
        let mut reader = BufReader::new(File::open(only_file(folder)).unwrap());
        let mut steps = Vec::new();
        while let Some(event) = next(&mut reader) {
            if event.summary.is_some() {
                steps.push(event.step as u64);
            }
        }
        steps
    }

    /// Takes steps `from..=to` as a run does: metrics first, then the observer.
    fn train(folder: &Path, from: u64, to: u64) {
        let mut events = None;
        for step in from..=to {
            metrics(folder, step);
            let events = events.get_or_insert_with(|| Events::begin(folder).unwrap());
            events.add(&record(step), step == to).unwrap();
        }
    }

    #[test]
    fn a_resumed_run_has_each_step_once_and_keeps_the_times_of_the_old_ones() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        train(folder, 1, 9);
        assert_eq!(steps(folder), (1..=9).collect::<Vec<_>>());
        let before = wall_times(&only_file(folder));
        // Killed after step 9, its last checkpoint at step 6.
        metrics(folder, 6);
        train(folder, 7, 12);
        assert_eq!(steps(folder), (1..=12).collect::<Vec<_>>());
        let after = wall_times(&only_file(folder));
        assert!((1..=6).all(|step| before[&step].to_bits() == after[&step].to_bits()));
    }

    #[test]
    fn a_torn_or_damaged_file_is_made_whole_from_the_metrics() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        train(folder, 1, 20);
        let path = only_file(folder);
        let whole = fs::read(&path).unwrap();
        for cut in [0, 7, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole[..cut].to_vec();
            damaged.get_mut(whole.len() / 3).into_iter().for_each(|byte| *byte ^= 1);
            fs::write(&path, damaged).unwrap();
            metrics(folder, 20);
            train(folder, 21, 22);
            assert_eq!(steps(folder), (1..=22).collect::<Vec<_>>(), "cut at {cut}");
            fs::remove_file(only_file(folder)).unwrap();
        }
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        // RFC 3720, appendix B.4: 32 bytes of zeros have the CRC-32C 0x8a9136aa.
        let crc = 0x8a91_36aa_u32;
        let expected = crc.rotate_left(17).wrapping_add(0xa282_ead8);
        assert_eq!(masked(&[0; 32]), expected.to_le_bytes());
    }
}
