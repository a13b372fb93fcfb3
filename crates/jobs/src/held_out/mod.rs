//! Held-out text that is trained on: looked for once in what is prepared, refused unless the study
//! names the source, and said by plan and report.

mod search;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Problem, SourceName, Tokens, sealed, write_atomic};
use sparkjoy_data::{Corpus, OnlyWhole, Part, Tokenizer, TrainedOn};
use sparkjoy_eval::OVERLAP_VERSION;
use sparkjoy_study::{Note, SourceInput, Study};

use crate::error::JobError;
use crate::keyed::{json, read_sealed};
use crate::problem::move_away;
use crate::watcher::Watcher;
use search::{MOST_BYTES, trained_on};

/// The rules by which held-out text is looked for, beside those of the task check.
const RULES: u32 = 2;

/// What was found in the sources of a study.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    of: Looked,
    found: Vec<TrainedOn>,
    only_whole: Vec<OnlyWhole>,
}

/// In what was looked, and how; its fingerprint is in the file's name.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Looked {
    rules: u32,
    overlap: u32,
    sources: Vec<LookedIn>,
}

/// All tokens of a source.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LookedIn {
    source: SourceName,
    train: Fingerprint,
    held_out: Fingerprint,
}

/// What an earlier version found, which did not say in what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EarlierRecord {
    found: Vec<TrainedOn>,
}

impl Looked {
    fn new(corpora: &[Corpus]) -> Self {
        let of = |corpus: &Corpus| {
            let [train, held_out] = [Part::Train, Part::Validation].map(|p| corpus.fingerprint(p));
            LookedIn { source: corpus.name().clone(), train, held_out }
        };
        let sources = corpora.iter().map(of).collect();
        Self { rules: RULES, overlap: OVERLAP_VERSION, sources }
    }

    fn file(&self, prepared: &Path) -> PathBuf {
        named(prepared, Fingerprint::of_value(self))
    }

    /// The files of earlier versions: by words, by hashes of whole documents.
    fn earlier_files(&self, prepared: &Path) -> [PathBuf; 2] {
        let of = |it: &LookedIn| (it.source.clone(), it.train, it.held_out);
        let sources: Vec<_> = self.sources.iter().map(of).collect();
        let words = Fingerprint::of_value(&("words", OVERLAP_VERSION, &sources));
        [words, Fingerprint::of_value(&sources)].map(|name| named(prepared, name))
    }
}

fn named(prepared: &Path, name: Fingerprint) -> PathBuf {
    prepared.join(format!("held-out-{name}.json"))
}

/// What is on record about these sources; `None` if they were not looked at. A record without its
/// seal is none.
fn recorded(prepared: &Path, looked: &Looked) -> Result<Option<Record>, JobError> {
    let path = looked.file(prepared);
    let record = read_sealed::<Record>(&path)?.filter(|(_, has_seal)| *has_seal);
    match record {
        Some((record, _)) if record.of != *looked => Err(of_others(&path).into()),
        record => Ok(record.map(|(record, _)| record)),
    }
}

/// A record that was copied or renamed.
fn of_others(path: &Path) -> Problem {
    let text = format!("`{}` is about other sources than its name says", path.display());
    Problem::new(text).with_hint(move_away(path))
}

/// What is known of these sources, by the best rules there are.
fn known(
    prepared: &Path,
    corpora: &[Corpus],
) -> Result<(Vec<TrainedOn>, Vec<OnlyWhole>), JobError> {
    let looked = Looked::new(corpora);
    if let Some(Record { of: _, found, only_whole }) = recorded(prepared, &looked)? {
        return Ok((found, only_whole));
    }
    for path in looked.earlier_files(prepared) {
        if let Some((record, true)) = read_sealed::<EarlierRecord>(&path)? {
            return Ok((record.found, Vec::new()));
        }
    }
    Ok(Default::default())
}

/// Looks for held-out text that is trained on, unless it was done for these sources: that an
/// earlier version did it, by weaker rules, does not count.
///
/// # Errors
///
/// [`JobError::Interrupted`] when told to stop; tokens that are not as written; what was found of a
/// source the study does not name.
pub fn check_held_out(
    study: &Study,
    corpora: &[Corpus],
    tokenizer: &Tokenizer,
    prepared: &Path,
    threads: usize,
    watcher: &mut Watcher<'_>,
) -> Result<(), JobError> {
    let of = Looked::new(corpora);
    if recorded(prepared, &of)?.is_none() {
        let (found, only_whole) = trained_on(corpora, tokenizer, MOST_BYTES, threads, watcher)?;
        let path = of.file(prepared);
        let record = Record { of, found, only_whole };
        write_atomic(&path, &sealed(&json(&record), b""))?;
    }
    refuse_leaked(study, corpora, prepared)
}

/// Refuses sources whose held-out text is known to be trained on, unless the study names them.
///
/// # Errors
///
/// They, and a record that cannot be read back.
pub fn refuse_leaked(study: &Study, corpora: &[Corpus], prepared: &Path) -> Result<(), JobError> {
    let named = |found: &TrainedOn| study.leaked().contains(&found.source);
    let found = known(prepared, corpora)?.0.into_iter();
    let refused: Vec<TrainedOn> = found.filter(|found| found.counts() && !named(found)).collect();
    if refused.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = refused.iter().map(|found| format!("\"{}\"", found.source)).collect();
    let say = |found: TrainedOn| Note::Leaked { found, named: false }.to_string();
    let texts: Vec<String> = refused.into_iter().map(say).collect();
    Err(Problem::new(texts.join("\n"))
        .with_hint(format!(
            "take these documents out of the training text, or hold out others (one `holdout` for \
             sources that share text); or allow it by name, `leaked = [{}]` in `[evaluation]`: the \
             study then runs, and its report says so",
            names.join(", ")
        ))
        .into())
}

/// What a plan and a report say about held-out text: that some is trained on, that some was
/// compared as a whole alone, that there is little.
///
/// # Errors
///
/// A record that cannot be read back.
pub fn held_out_notes(
    study: &Study,
    corpora: &[Corpus],
    prepared: &Path,
) -> Result<Vec<Note>, JobError> {
    let (found, only_whole) = known(prepared, corpora)?;
    let leaked = found.into_iter().map(|found| {
        let named = study.leaked().contains(&found.source);
        Note::Leaked { found, named }
    });
    let only_whole = only_whole.into_iter().filter(OnlyWhole::counts);
    let only_whole = only_whole.map(|found| Note::OnlyWhole { found });
    let asked = study.held_out();
    // A little less is what a share of the documents gives.
    let little = corpora.iter().filter(|corpus| 2 * corpus.tokens(Part::Validation) < asked.0);
    let little = little.map(|corpus| Note::LittleHeldOut {
        source: corpus.name().clone(),
        tokens: Tokens(corpus.tokens(Part::Validation)),
        asked,
    });
    Ok(leaked.chain(only_whole).chain(little).collect())
}

/// Sources whose text has another size or time than when it was prepared. Reads no text.
pub fn changed_text(study: &Study, corpora: &[Corpus]) -> Vec<Note> {
    let changed = |corpus: &Corpus| {
        let Some(SourceInput::Files(files)) = study.sources().get(corpus.name()) else {
            return None;
        };
        let file = corpus.changed(files)?;
        Some(Note::Changed { source: corpus.name().clone(), file })
    };
    corpora.iter().filter_map(changed).collect()
}

#[cfg(test)]
mod tests;
