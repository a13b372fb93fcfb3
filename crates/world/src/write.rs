//! Writes a world to the disk: the text of every source, the tasks and the built-in truth.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;
use sparkjoy_base::{AtomicFile, Seed, is_done, mark_done, read_to_string, write_atomic};

use crate::error::WorldError;
use crate::source::{Document, Part, Skill, Source, World};
use crate::tasks::{PROGRAMS, TASKS};

/// The file of a world's folder that says which world it is.
const MARKER: &str = "WORLD";

/// Documents that are generated at a time.
const CHUNK: u64 = 2048;

/// A file ends with the document that reaches this many bytes.
const FILE_BYTES: u64 = 256 << 20;

/// The least size of a world: its smallest source then has some dozens of documents.
const LEAST_BYTES: u64 = 1_000_000;

/// One in this many bytes of a source is held out, within [`HELD_OUT_BYTES`].
const HELD_OUT: u64 = 20;
const HELD_OUT_BYTES: std::ops::RangeInclusive<u64> = 48_000..=4_000_000;

/// The built-in truth of a world, to compare findings with (`truth.json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// The seed of the world.
    pub seed: u64,
    /// The size asked for, in bytes of training text.
    pub bytes: u64,
    /// Every source.
    pub sources: Vec<SourceTruth>,
    /// Every task.
    pub tasks: Vec<TaskTruth>,
    /// Sources whose statements are false.
    pub poison: Vec<&'static str>,
    /// Sources that teach nothing that a task measures, but look as if they did.
    pub decoys: Vec<&'static str>,
    /// Pairs of sources with the same content.
    pub duplicates: Vec<[&'static str; 2]>,
}

/// The truth about a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceTruth {
    /// Its name.
    pub source: &'static str,
    /// Its domain.
    pub domain: &'static str,
    /// Documents of its training text.
    pub documents: u64,
    /// Bytes of its training text.
    pub bytes: u64,
    /// Examples of each skill in it.
    pub lessons: BTreeMap<Skill, u64>,
    /// False statements in it.
    pub falsehoods: u64,
}

/// The truth about a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskTruth {
    /// Its name.
    pub task: &'static str,
    /// The skill it asks for.
    pub skill: Skill,
    /// Its rows.
    pub rows: usize,
    /// Sources that teach it, the densest first: examples per thousand bytes, times 1,000.
    pub taught_by: Vec<(&'static str, u64)>,
}

impl World {
    /// Whether a folder is that of a world.
    pub fn lies_in(folder: &Path) -> bool {
        folder.join(MARKER).is_file()
    }

    /// Writes `bytes` of training text, held-out text and tasks into `folder`:
    /// `text/DOMAIN/SOURCE/000.train.jsonl` and `.val.jsonl`, `tasks/*.jsonl`, `tasks.toml`,
    /// `programs.toml`, `truth.json`. A folder that already holds this world is not changed.
    ///
    /// # Guarantees
    ///
    /// The files depend only on the seed and the size. Memory does not grow with the size.
    ///
    /// # Errors
    ///
    /// [`WorldError::Other`] for a folder with another world, [`WorldError::TooSmall`],
    /// [`WorldError::File`], [`WorldError::Interrupted`] if `stop` is set.
    pub fn write(&self, folder: &Path, bytes: u64, stop: &AtomicBool) -> Result<(), WorldError> {
        if bytes < LEAST_BYTES {
            return Err(WorldError::TooSmall { bytes, least: LEAST_BYTES });
        }
        let Seed(seed) = self.seed;
        let settings = format!("seed {seed}, {bytes} bytes");
        let marker = folder.join(MARKER);
        if marker.is_file() {
            let found = read_to_string(&marker)?;
            if found.trim() != settings {
                let (folder, found) = (folder.to_owned(), found.trim().to_owned());
                return Err(WorldError::Other { folder, found, expected: settings });
            }
            if is_done(folder)? {
                return Ok(());
            }
        }
        write_atomic(&marker, format!("{settings}\n").as_bytes())?;
        let mut sources = Vec::new();
        for source in Source::ALL {
            let size = bytes * source.percent() / 100;
            sources.push(self.write_source(folder, source, Part::Train, size, stop)?);
            let held_out = (size / HELD_OUT).clamp(*HELD_OUT_BYTES.start(), *HELD_OUT_BYTES.end());
            self.write_source(folder, source, Part::Validation, held_out, stop)?;
        }
        write_atomic(&folder.join("tasks.toml"), TASKS.as_bytes())?;
        write_atomic(&folder.join("programs.toml"), PROGRAMS.as_bytes())?;
        let mut tasks = Vec::new();
        for skill in Skill::ALL {
            let rows = self.rows(skill);
            let lines: Vec<String> = rows.iter().map(ToString::to_string).collect();
            let path = folder.join("tasks").join(format!("{}.jsonl", skill.task()));
            write_atomic(&path, (lines.join("\n") + "\n").as_bytes())?;
            tasks.push(task_truth(skill, rows.len(), &sources));
        }
        let truth = Truth {
            seed,
            bytes,
            sources,
            tasks,
            poison: vec![Source::Rumours.name()],
            decoys: vec![Source::Abstracts.name()],
            duplicates: vec![[Source::Python.name(), Source::PythonForks.name()]],
        };
        let truth = serde_json::to_vec_pretty(&truth).expect("plain data has a JSON form");
        write_atomic(&folder.join("truth.json"), &truth)?;
        Ok(mark_done(folder)?)
    }

    /// Writes documents of one part of a source until they hold `bytes` of text.
    fn write_source(
        &self,
        folder: &Path,
        source: Source,
        part: Part,
        bytes: u64,
        stop: &AtomicBool,
    ) -> Result<SourceTruth, WorldError> {
        let mut truth = SourceTruth {
            source: source.name(),
            domain: source.domain(),
            documents: 0,
            bytes: 0,
            lessons: BTreeMap::new(),
            falsehoods: 0,
        };
        let mut files = 0;
        while truth.bytes < bytes {
            let mut file = AtomicFile::create(&file_name(folder, source, part, files))?;
            let end = (truth.bytes + FILE_BYTES).min(bytes);
            while truth.bytes < end {
                if stop.load(Ordering::Relaxed) {
                    return Err(WorldError::Interrupted);
                }
                let first = truth.documents;
                let chunk: Vec<Document> = (first..first + CHUNK)
                    .into_par_iter()
                    .map(|index| self.document(source, part, index))
                    .collect();
                for document in chunk {
                    if truth.bytes >= end {
                        break;
                    }
                    file.put(format!("{}\n", json!({ "text": document.text })).as_bytes())?;
                    truth.add(&document);
                }
            }
            file.commit()?;
            files += 1;
        }
        Ok(truth)
    }
}

impl SourceTruth {
    fn add(&mut self, document: &Document) {
        self.documents += 1;
        self.bytes += document.text.len() as u64;
        self.falsehoods += document.falsehoods;
        for (skill, count) in &document.lessons {
            *self.lessons.entry(*skill).or_default() += count;
        }
    }
}

/// `text/math/drills/000.train.jsonl`.
fn file_name(folder: &Path, source: Source, part: Part, number: usize) -> PathBuf {
    let text = folder.join("text").join(source.domain()).join(source.name());
    text.join(format!("{number:03}.{}.jsonl", part.word()))
}

fn task_truth(skill: Skill, rows: usize, sources: &[SourceTruth]) -> TaskTruth {
    let rate = |source: &SourceTruth| {
        let lessons = source.lessons.get(&skill)?;
        Some((source.source, lessons * 1_000_000 / source.bytes))
    };
    let mut taught_by: Vec<_> = sources.iter().filter_map(rate).collect();
    taught_by.sort_by_key(|&(_, rate)| std::cmp::Reverse(rate));
    TaskTruth { task: skill.task(), skill, rows, taught_by }
}
