//! Held-out text that is trained on: looked for once in what is prepared, refused unless the study
//! names the source, and said by plan and report.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Problem, Tokens, sealed, write_atomic};
use sparkjoy_data::{Corpus, DataError, Part, Tokenizer, TrainedOn, trained_on};
use sparkjoy_study::{Note, SourceInput, Study};

use crate::error::JobError;
use crate::keyed::{json, read_sealed};
use crate::watcher::Watcher;

/// What was found in the sources of a study.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    found: Vec<TrainedOn>,
}

/// The file of what was found in these sources. Its name holds all tokens of them.
fn record_file(prepared: &Path, corpora: &[Corpus]) -> PathBuf {
    let of = |corpus: &Corpus| {
        let [train, held_out] = [Part::Train, Part::Validation].map(|p| corpus.fingerprint(p));
        (corpus.name().clone(), train, held_out)
    };
    let sources: Vec<_> = corpora.iter().map(of).collect();
    prepared.join(format!("held-out-{}.json", Fingerprint::of_value(&sources)))
}

/// What is on record about these sources; `None` if they were not looked at. A record without its
/// seal is none.
fn found(prepared: &Path, corpora: &[Corpus]) -> Result<Option<Vec<TrainedOn>>, JobError> {
    let record = read_sealed::<Record>(&record_file(prepared, corpora))?;
    Ok(record.filter(|(_, has_seal)| *has_seal).map(|(record, _)| record.found))
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
    watcher: &Watcher<'_>,
) -> Result<(), JobError> {
    if found(prepared, corpora)?.is_none() {
        let found =
            trained_on(corpora, tokenizer, watcher.stop()).map_err(|error| match error {
                DataError::Interrupted => JobError::Interrupted,
                error => error.into(),
            })?;
        let record = sealed(&json(&Record { found }), b"");
        write_atomic(&record_file(prepared, corpora), &record)?;
    }
    refuse_leaked(study, corpora, prepared)
}

/// Refuses sources whose held-out text is known to be trained on, unless the study names them.
///
/// # Errors
///
/// They, and a record that cannot be read back.
pub fn refuse_leaked(study: &Study, corpora: &[Corpus], prepared: &Path) -> Result<(), JobError> {
    let found = found(prepared, corpora)?;
    let named = |found: &TrainedOn| study.leaked().contains(&found.source);
    let refused: Vec<TrainedOn> =
        found.into_iter().flatten().filter(|found| found.counts() && !named(found)).collect();
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
    let leaked = found(prepared, corpora)?.into_iter().flatten().map(|found| {
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
