//! Held-out text that is trained on: looked for once in what is prepared, refused unless the study
//! names the source, and said by plan and report.

mod search;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Problem, Tokens, sealed, write_atomic};
use sparkjoy_data::{Corpus, Part, Tokenizer, TrainedOn};
use sparkjoy_eval::OVERLAP_VERSION;
use sparkjoy_study::{Note, SourceInput, Study};

use crate::error::JobError;
use crate::keyed::{json, read_sealed};
use crate::watcher::Watcher;
use search::{MOST_BYTES, trained_on};

/// What was found in the sources of a study.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    found: Vec<TrainedOn>,
}

/// By which rules a record was made.
#[derive(Clone, Copy)]
enum Rules {
    /// Of an earlier version: equal documents only.
    Hashes,
    Words,
}

/// The file of what was found in these sources. Its name holds all tokens of them.
fn record_file(prepared: &Path, corpora: &[Corpus], rules: Rules) -> PathBuf {
    let of = |corpus: &Corpus| {
        let [train, held_out] = [Part::Train, Part::Validation].map(|p| corpus.fingerprint(p));
        (corpus.name().clone(), train, held_out)
    };
    let sources: Vec<_> = corpora.iter().map(of).collect();
    let name = match rules {
        Rules::Hashes => Fingerprint::of_value(&sources),
        Rules::Words => Fingerprint::of_value(&("words", OVERLAP_VERSION, sources)),
    };
    prepared.join(format!("held-out-{name}.json"))
}

/// What is on record about these sources; `None` if they were not looked at. A record without its
/// seal is none.
fn found(
    prepared: &Path,
    corpora: &[Corpus],
    rules: Rules,
) -> Result<Option<Vec<TrainedOn>>, JobError> {
    let record = read_sealed::<Record>(&record_file(prepared, corpora, rules))?;
    Ok(record.filter(|(_, has_seal)| *has_seal).map(|(record, _)| record.found))
}

/// What is known of these sources, by the best rules there are.
fn known(prepared: &Path, corpora: &[Corpus]) -> Result<Vec<TrainedOn>, JobError> {
    for rules in [Rules::Words, Rules::Hashes] {
        if let Some(found) = found(prepared, corpora, rules)? {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// Looks for held-out text that is trained on, unless it was done for these sources.
///
/// # Errors
///
/// [`JobError::Interrupted`] when told to stop; tokens that are not as written; what was found of a
/// source the study does not name.
pub(crate) fn check(
    study: &Study,
    corpora: &[Corpus],
    tokenizer: &Tokenizer,
    prepared: &Path,
    threads: usize,
    watcher: &mut Watcher<'_>,
) -> Result<(), JobError> {
    if found(prepared, corpora, Rules::Words)?.is_none() {
        let found = trained_on(corpora, tokenizer, MOST_BYTES, threads, watcher)?;
        let record = sealed(&json(&Record { found }), b"");
        write_atomic(&record_file(prepared, corpora, Rules::Words), &record)?;
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
    let found = known(prepared, corpora)?.into_iter();
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

/// What a plan and a report say about held-out text: that some is trained on, that there is little.
///
/// # Errors
///
/// A record that cannot be read back.
pub fn held_out_notes(
    study: &Study,
    corpora: &[Corpus],
    prepared: &Path,
) -> Result<Vec<Note>, JobError> {
    let leaked = known(prepared, corpora)?.into_iter().map(|found| {
        let named = study.leaked().contains(&found.source);
        Note::Leaked { found, named }
    });
    let asked = study.held_out();
    // A little less is what a share of the documents gives.
    let little = corpora.iter().filter(|corpus| 2 * corpus.tokens(Part::Validation) < asked.0);
    let little = little.map(|corpus| Note::LittleHeldOut {
        source: corpus.name().clone(),
        tokens: Tokens(corpus.tokens(Part::Validation)),
        asked,
    });
    Ok(leaked.chain(little).collect())
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
