//! Follows `metrics.jsonl` of a run as it grows, a bounded piece at a time.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sparkjoy_base::open;
use sparkjoy_train::check_metrics;

use super::curve::Curve;
use super::subject::Stamp;

/// Bytes read at a time at most: a month of metrics comes in over some seconds, and nothing else
/// waits for it.
const PIECE: u64 = 8 << 20;
/// A line of metrics has some hundred bytes for each source; one beyond this is none.
const LINE: usize = 1 << 20;

/// A run's metrics as far as they have been read.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    /// The file that was open; a run that goes on writes a new one.
    inode: Option<u64>,
    /// Bytes read: whole lines only.
    at: u64,
    /// Grows each time the file turns out to be another.
    pub(crate) generation: u64,
    /// Lines that were no record.
    pub(crate) damaged: u64,
    /// What is wrong with the metrics of a finished run.
    pub(crate) trouble: Option<String>,
    /// What of the file was looked at for that: its generation and length.
    checked: Option<(u64, u64)>,
    /// Whether there is more to read at once.
    pub(crate) behind: bool,
    pub(crate) curve: Curve,
}

impl Tail {
    /// Of a run folder; nothing is read yet.
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            path: folder.join("metrics.jsonl"),
            inode: None,
            at: 0,
            generation: 0,
            damaged: 0,
            trouble: None,
            checked: None,
            behind: false,
            curve: Curve::default(),
        }
    }

    /// Holds the metrics of a finished run against its last checkpoint, once; true if that changed
    /// what is known.
    pub(crate) fn check(&mut self) -> bool {
        let now = Some((self.generation, self.at));
        if self.behind || self.checked == now {
            return false;
        }
        self.checked = now;
        let run = self.path.parent().unwrap_or(&self.path);
        let trouble = check_metrics(run).err().map(|error| error.to_string());
        let is_new = trouble != self.trouble;
        self.trouble = trouble;
        is_new
    }

    /// Reads the next piece, if there is one; true if anything changed. A file that is not there
    /// (yet, or for a moment) changes nothing.
    pub(crate) fn read_on(&mut self) -> bool {
        self.behind = false;
        let Ok(mut file) = open(&self.path) else { return false };
        let Some(stamp) = Stamp::of_file(&file) else { return false };
        let mut changed = false;
        if self.inode != Some(stamp.inode()) || stamp.bytes() < self.at {
            changed = self.curve.len() > 0;
            (self.inode, self.at, self.damaged) = (Some(stamp.inode()), 0, 0);
            self.generation += 1;
            self.curve = Curve::default();
        }
        if stamp.bytes() == self.at || file.seek(SeekFrom::Start(self.at)).is_err() {
            return changed;
        }
        let mut reader = BufReader::with_capacity(1 << 16, file.take(PIECE));
        let mut line = Vec::new();
        loop {
            line.clear();
            // A torn last line is a step being written; it is read again when it is whole.
            match reader.read_until(b'\n', &mut line) {
                Ok(1..) if line.ends_with(b"\n") => {}
                _ => break,
            }
            self.at += line.len() as u64;
            changed = true;
            match serde_json::from_slice(&line) {
                Ok(record) => self.curve.add(record),
                Err(_) => self.damaged += 1,
            }
        }
        if line.len() > LINE {
            // The line does not end: it is no record of metrics, and is skipped.
            self.at += line.len() as u64;
            self.damaged += 1;
        }
        self.behind = stamp.bytes() > self.at + line.len() as u64;
        changed
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    fn line(step: u64) -> String {
        format!(
            "{{\"step\":{step},\"loss\":5.5,\"grad_norm\":1.0,\"lr\":0.1,\"tokens\":{{\"web\":32}},\
             \"losses\":{{\"web\":5.5}}}}\n"
        )
    }

    fn last(tail: &Tail) -> Option<u64> {
        tail.curve.last().map(|record| record.step)
    }

    fn append(path: &Path, text: &str) {
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_torn_line_waits_until_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut tail = Tail::new(folder.path());
        assert!(!tail.read_on(), "there is no file");
        let second = line(2);
        append(&path, &(line(1) + &second[..20]));
        assert!(tail.read_on());
        assert_eq!(last(&tail), Some(1));
        assert!(!tail.read_on());
        append(&path, &second[20..]);
        assert!(tail.read_on());
        assert_eq!((last(&tail), tail.damaged), (Some(2), 0));
    }

    #[test]
    fn a_run_that_goes_on_from_before_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        append(&path, &(1..=9).map(line).collect::<String>());
        let mut tail = Tail::new(folder.path());
        tail.read_on();
        assert_eq!(last(&tail), Some(9));
        // As `run` does it: made anew from the last checkpoint, then grown past where it was.
        sparkjoy_base::write_atomic(&path, (1..=4).map(line).collect::<String>().as_bytes())
            .unwrap();
        append(&path, &(5..=12).map(line).collect::<String>());
        assert!(tail.read_on());
        assert_eq!((last(&tail), tail.curve.len()), (Some(12), 12));
        assert_eq!(tail.generation, 2);
    }

    #[test]
    fn a_line_that_is_no_record_is_counted_and_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        append(&path, &(line(1) + "{\"step\":\n" + &line(2)));
        let mut tail = Tail::new(folder.path());
        tail.read_on();
        assert_eq!((last(&tail), tail.damaged), (Some(2), 1));
    }

    #[test]
    fn a_long_file_is_read_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let steps = 2 * PIECE / line(100_000).len() as u64;
        fs::write(&path, (1..=steps).map(line).collect::<String>()).unwrap();
        let mut tail = Tail::new(folder.path());
        let mut pieces = 1;
        tail.read_on();
        assert!(last(&tail) < Some(steps));
        while tail.behind {
            tail.read_on();
            pieces += 1;
        }
        assert_eq!(last(&tail), Some(steps));
        assert!((2..=4).contains(&pieces), "{pieces}");
    }
}
