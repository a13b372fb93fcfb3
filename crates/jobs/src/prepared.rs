//! From a study's text to its tokenizer and shards, each made once and found again.

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{
    Fingerprint, Opened, Problem, Seed, is_done, no_seal, open_seal, read, read_if_there, sealed,
    sweep, write_atomic,
};
use sparkjoy_data::{
    Corpus, DataError, PrepareOptions, SourceFiles, Tokenizer, TokenizerKind, check_files, prepare,
    sample_documents,
};
use sparkjoy_study::{SourceInput, Study, StudyTokenizer};

use crate::error::JobError;
use crate::held_out::check_held_out;
use crate::keyed::json;
use crate::watcher::{Event, Watcher};

/// Characters of a damaged record that are shown.
const SHOWN: usize = 60;

/// Prepares (or opens) tokenizer and sources of a study. Sources declared by size are left out.
///
/// - `folder`: of all that is prepared.
///
/// # Guarantees
///
/// Folders are named after the settings they were made with and the tokenizer; a folder that is
/// whole is opened, one that was interrupted is continued. A trained tokenizer is reused exactly
/// when the text sampled for it and the size of its vocabulary are the same.
///
/// # Errors
///
/// [`JobError::Interrupted`] when it is told to stop; what goes wrong with text and shards;
/// held-out text that is trained on;
/// a tokenizer that is to be trained where all sources are declared by size.
pub fn corpora(
    study: &Study,
    folder: &Path,
    threads: usize,
    watcher: &mut Watcher<'_>,
) -> Result<(Tokenizer, Vec<Corpus>), JobError> {
    let sources = files(study);
    sweep(folder);
    check_files(&sources)?;
    let tokenizer = match study.tokenizer() {
        StudyTokenizer::OfTrunk(folder) => Tokenizer::open(folder)?,
        StudyTokenizer::Made(TokenizerKind::Cl100k) => Tokenizer::cl100k(),
        &StudyTokenizer::Made(TokenizerKind::Bpe { vocab }) => {
            let Sampled { seed, texts, name } = sampled(study, folder, &sources, vocab)?;
            let of_tokenizer = folder.join(&name);
            sweep(&of_tokenizer);
            let tokenizer = if is_done(&of_tokenizer)? {
                open_tokenizer(&of_tokenizer)?
            } else {
                if let Ok(Some(before)) = recorded(folder, study, &sources, vocab)
                    && is_done(&folder.join(&before)).unwrap_or_default()
                {
                    watcher.tell(Event::OtherTokenizer(&before));
                }
                watcher.tell(Event::TrainingTokenizer);
                let tokenizer = Tokenizer::train_bpe(&texts, vocab)?;
                tokenizer.save(&of_tokenizer)?;
                mark_tokenizer(&of_tokenizer, &tokenizer)?;
                tokenizer
            };
            let own = TokenizerKey::new(study, study.seed(), &sources, vocab);
            TokenizerKey::new(study, seed, &sources, vocab).record(folder, &name)?;
            if own.file(folder).exists() {
                own.record(folder, &name)?;
            }
            tokenizer
        }
    };
    let corpora =
        sources.iter().map(|source| prepared(source, &tokenizer, folder, threads, watcher));
    let corpora = corpora.collect::<Result<Vec<_>, _>>()?;
    check_held_out(study, &corpora, &tokenizer, folder, threads, watcher)?;
    Ok((tokenizer, corpora))
}

/// Opens tokenizer and sources that [`corpora`] has prepared before. Reads nothing of the text they
/// were made of, which need not be on this machine, and writes nothing.
///
/// # Errors
///
/// One that is not there; else as [`corpora`].
pub fn open_corpora(study: &Study, prepared: &Path) -> Result<(Tokenizer, Vec<Corpus>), JobError> {
    let sources = files(study);
    let tokenizer = match study.tokenizer() {
        StudyTokenizer::OfTrunk(folder) => Tokenizer::open(folder)?,
        StudyTokenizer::Made(TokenizerKind::Cl100k) => Tokenizer::cl100k(),
        &StudyTokenizer::Made(TokenizerKind::Bpe { vocab }) => {
            let folder = match recorded(prepared, study, &sources, vocab)? {
                Some(name) => prepared.join(name),
                // Prepared by a version before 0.2, which kept no record: only the text tells.
                None => prepared.join(sampled(study, prepared, &sources, vocab)?.name),
            };
            open_tokenizer(whole(&folder, "the tokenizer", study)?)?
        }
    };
    let open = |source: &&SourceFiles| {
        let corpus = Corpus::open(&whole_source(prepared, source, &tokenizer, study)?)?;
        refuse_other_source(&corpus, source)?;
        Ok(corpus)
    };
    let corpora = sources.iter().map(open).collect::<Result<_, JobError>>()?;
    Ok((tokenizer, corpora))
}

/// Seals what an earlier version prepared for a study, once all of it was read: shards are held
/// against their source, and sources against the tokenizer. Returns the files.
///
/// # Errors
///
/// As [`open_corpora`], and whatever does not hold.
pub fn seal_corpora(study: &Study, prepared: &Path) -> Result<Vec<PathBuf>, JobError> {
    let sources = files(study);
    let mut new = Vec::new();
    let (tokenizer, of_tokenizer) = match study.tokenizer() {
        StudyTokenizer::OfTrunk(folder) => (Tokenizer::open(folder)?, None),
        StudyTokenizer::Made(TokenizerKind::Cl100k) => (Tokenizer::cl100k(), None),
        &StudyTokenizer::Made(TokenizerKind::Bpe { vocab }) => {
            // An earlier version recorded it under the study's own seed.
            let asked = TokenizerKey::new(study, study.seed(), &sources, vocab);
            let found = asked.read(prepared, study.file())?;
            let folder = match &found {
                Some((name, _)) => prepared.join(name),
                None => prepared.join(sampled(study, prepared, &sources, vocab)?.name),
            };
            let tokenizer = Tokenizer::open(whole(&folder, "the tokenizer", study)?)?;
            if let Some((folder, false)) = found {
                asked.record(prepared, &folder)?;
                new.push(asked.file(prepared));
            }
            (tokenizer, Some(folder))
        }
    };
    for source in &sources {
        let folder = whole_source(prepared, source, &tokenizer, study)?;
        if Corpus::seal(&folder)? {
            new.push(folder.join("source.json"));
        }
        refuse_other_source(&Corpus::open(&folder)?, source)?;
    }
    // The tokens of every source are of this tokenizer, so it is the one that was trained.
    if let Some(folder) = of_tokenizer
        && read(&done_file(&folder))?.is_empty()
    {
        mark_tokenizer(&folder, &tokenizer)?;
        new.push(done_file(&folder));
    }
    Ok(new)
}

/// A folder of shards that holds another source than its name says.
fn refuse_other_source(corpus: &Corpus, source: &SourceFiles) -> Result<(), Problem> {
    let (found, expected) = (corpus.name(), &source.name);
    if found == expected {
        return Ok(());
    }
    let text = format!("the folder of source `{expected}` holds source `{found}`");
    Err(Problem::new(text).with_hint("move the folders back to where they were prepared"))
}

fn whole_source(
    prepared: &Path,
    source: &SourceFiles,
    tokenizer: &Tokenizer,
    study: &Study,
) -> Result<PathBuf, JobError> {
    let folder = source_folder(prepared, source, tokenizer);
    whole(&folder, &format!("source `{}`", source.name), study)?;
    Ok(folder)
}

fn done_file(folder: &Path) -> PathBuf {
    folder.join("DONE")
}

/// Marks the folder of a tokenizer as complete by the tokenizer's fingerprint.
fn mark_tokenizer(folder: &Path, tokenizer: &Tokenizer) -> Result<(), JobError> {
    Ok(write_atomic(&done_file(folder), format!("{}\n", tokenizer.fingerprint().hex()).as_bytes())?)
}

/// The tokenizer in a whole folder, if it is the one that was written there.
fn open_tokenizer(folder: &Path) -> Result<Tokenizer, JobError> {
    let done = done_file(folder);
    let expected = read(&done)?;
    if expected.is_empty() {
        return Err(no_seal(&done).into());
    }
    let tokenizer = Tokenizer::open(folder)?;
    let found = tokenizer.fingerprint().hex();
    if expected.trim_ascii_end() == found.as_bytes() {
        return Ok(tokenizer);
    }
    let (shown, expected) = (folder.display(), String::from_utf8_lossy(&expected));
    let text =
        format!("the tokenizer in `{shown}` was altered: found {found}, expected {expected}");
    Err(Problem::new(text.trim_end())
        .with_hint(format!("remove `{shown}` and run `sparkjoy prepare STUDY`"))
        .into())
}

fn whole<'a>(folder: &'a Path, what: &str, study: &Study) -> Result<&'a Path, JobError> {
    if is_done(folder)? { Ok(folder) } else { Err(not_prepared(folder, what, study.file()).into()) }
}

/// A tokenizer or shards that are not there, where nothing may be written.
fn not_prepared(folder: &Path, what: &str, study: &Path) -> Problem {
    let text = if folder.exists() {
        format!("{what} is not prepared to the end: `{}` is not whole", folder.display())
    } else {
        format!("{what} is not prepared yet: there is no `{}`", folder.display())
    };
    Problem::new(text).with_hint(format!("run `sparkjoy prepare {}`", study.display()))
}

fn files(study: &Study) -> Vec<&SourceFiles> {
    let files = study.sources().values().filter_map(|input| match input {
        SourceInput::Files(files) => Some(&**files),
        SourceInput::Declared(_) => None,
    });
    files.collect()
}

/// Chooses the text that tokenizers are trained on. It is not the seed of a study, which is of
/// orders and weights: with another one the text stays encoded as it is. `sparkjoy new` writes the
/// same number.
const SAMPLE_SEED: Seed = Seed(17);

/// The text a tokenizer is trained on.
struct Sampled {
    /// What chose it.
    seed: Seed,
    texts: Vec<String>,
    /// The folder of the tokenizer.
    name: String,
}

/// The text a tokenizer of `vocab` entries is trained on, below the folder of all that is prepared.
fn sampled(
    study: &Study,
    prepared: &Path,
    sources: &[&SourceFiles],
    vocab: u32,
) -> Result<Sampled, JobError> {
    if sources.is_empty() {
        return Err(no_text(vocab).into());
    }
    let with = |seed: Seed| -> Result<Sampled, JobError> {
        let mut texts = Vec::new();
        for source in sources {
            texts.extend(sample_documents(source, seed, study.sample_bytes())?);
        }
        if texts.iter().all(String::is_empty) {
            return Err(only_empty(sources, vocab).into());
        }
        let name = tokenizer_name(vocab, &texts);
        Ok(Sampled { seed, texts, name })
    };
    // Earlier versions sampled by the study's seed, and what was trained on that text goes on.
    if study.seed() != SAMPLE_SEED && prepared.is_dir() {
        let own = with(study.seed())?;
        if is_done(&prepared.join(&own.name))? {
            return Ok(own);
        }
    }
    with(SAMPLE_SEED)
}

/// All documents of all sources are empty, or left out.
fn only_empty(sources: &[&SourceFiles], vocab: u32) -> Problem {
    let files = sources.iter().flat_map(|source| &source.paths);
    let files: Vec<String> = files.map(|path| format!("`{path}`")).collect();
    Problem::new(format!(
        "no document of {} has text, expected some to train a tokenizer of {vocab} entries on",
        files.join(", ")
    ))
    .with_hint("look at the files, and at `text_field`, `where` and `template` of the sources")
}

/// No source has text that a tokenizer of `vocab` entries could be trained on.
fn no_text(vocab: u32) -> Problem {
    Problem::new(format!(
        "no source has text files, expected at least one to train a tokenizer of {vocab} entries on"
    ))
    .with_hint("set `kind = \"cl100k\"` in `[tokenizer]`, or give a source a `path`")
}

fn tokenizer_name(vocab: u32, texts: &[String]) -> String {
    format!("tokenizer-{}", Fingerprint::of_value(&("bpe", vocab, texts)))
}

/// Which tokenizer was trained for a study: its name follows from the text, and text need not be at
/// hand once it is prepared.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrainedTokenizer {
    /// What it was trained for; none in a record of an earlier version.
    #[serde(default)]
    of: Option<TokenizerKey>,
    /// Its folder, beside this file.
    folder: String,
}

/// The tokenizer that a study's declarations ask for, on text that a seed chooses: a fingerprint of
/// them. It is in the name of the record and in the record.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
struct TokenizerKey(Fingerprint);

impl TokenizerKey {
    fn new(study: &Study, seed: Seed, sources: &[&SourceFiles], vocab: u32) -> Self {
        let declared: Vec<_> = sources
            .iter()
            .map(|source| {
                // The root is left out: the same text under another roof is the same text.
                let SourceFiles { name, paths, root: _, rows, on_bad_document, validation } =
                    source;
                (name, paths, rows, on_bad_document, validation)
            })
            .collect();
        Self(Fingerprint::of_value(&(seed, study.sample_bytes(), vocab, declared)))
    }

    fn file(self, prepared: &Path) -> PathBuf {
        prepared.join(format!("trained-for-{}.json", self.0))
    }

    /// Records which tokenizer was trained. `folder`: its name.
    fn record(self, prepared: &Path, folder: &str) -> Result<(), JobError> {
        let trained = TrainedTokenizer { of: Some(self), folder: folder.to_owned() };
        Ok(write_atomic(&self.file(prepared), &sealed(&json(&trained), b""))?)
    }

    /// The tokenizer that is on record, and whether the record has a seal. `study`: its file.
    fn read(self, prepared: &Path, study: &Path) -> Result<Option<(String, bool)>, JobError> {
        let path = &self.file(prepared);
        let Some(bytes) = read_if_there(path)? else { return Ok(None) };
        let opened = open_seal(path, &bytes, b"").ok();
        let named = opened.and_then(|Opened { json, has_seal }| {
            let trained: TrainedTokenizer = serde_json::from_slice(&json).ok()?;
            is_plain(&trained.folder).then_some((trained, has_seal))
        });
        match named {
            Some((TrainedTokenizer { of: Some(of), .. }, _)) if of != self => {
                Err(of_others(path, study).into())
            }
            Some((TrainedTokenizer { folder, .. }, has_seal)) => Ok(Some((folder, has_seal))),
            None => Err(names_no_tokenizer(path, &bytes, study).into()),
        }
    }
}

/// The name of the folder of the tokenizer that was trained last for what a study declares.
fn recorded(
    prepared: &Path,
    study: &Study,
    sources: &[&SourceFiles],
    vocab: u32,
) -> Result<Option<String>, JobError> {
    // What an earlier version recorded under the study's own seed is kept up to date.
    for seed in [study.seed(), SAMPLE_SEED] {
        let asked = TokenizerKey::new(study, seed, sources, vocab);
        match asked.read(prepared, study.file())? {
            None => {}
            Some((_, false)) => return Err(no_seal(&asked.file(prepared)).into()),
            Some((folder, true)) => return Ok(Some(folder)),
        }
    }
    Ok(None)
}

/// A record that does not say which tokenizer was trained. `study`: its file.
fn names_no_tokenizer(path: &Path, json: &[u8], study: &Path) -> Problem {
    let found: String = String::from_utf8_lossy(json).chars().take(SHOWN).collect();
    Problem::new(format!(
        "`{}` does not name the tokenizer of the study: found `{found}`, expected \
         `{{\"folder\":\"tokenizer-…\"}}`",
        path.display()
    ))
    .with_hint(format!("type `sparkjoy prepare {}`: it writes it again", study.display()))
}

/// A record that was copied or renamed. `study`: the file of the study.
fn of_others(path: &Path, study: &Path) -> Problem {
    let text =
        format!("`{}` is about the tokenizer of other text than its name says", path.display());
    Problem::new(text)
        .with_hint(format!("type `sparkjoy prepare {}`: it writes it again", study.display()))
}

/// Whether a name stays in its folder.
fn is_plain(name: &str) -> bool {
    name.strip_prefix("tokenizer-").is_some_and(|rest| rest.chars().all(char::is_alphanumeric))
}

/// Whether the text of some source of a study cannot be found any more.
pub fn text_is_gone(study: &Study) -> bool {
    files(study).into_iter().any(|source| sparkjoy_data::scan(source).is_err())
}

fn source_folder(prepared: &Path, source: &SourceFiles, tokenizer: &Tokenizer) -> PathBuf {
    // The root is left out: the same text under another roof is the same text.
    let SourceFiles { name, paths, root: _, rows, on_bad_document, validation } = source;
    let settings = (paths, rows, on_bad_document, validation, tokenizer.fingerprint());
    prepared.join(format!("{name}-{}", Fingerprint::of_value(&settings)))
}

/// The shards of one source, prepared with all threads while this one passes progress on.
fn prepared(
    source: &SourceFiles,
    tokenizer: &Tokenizer,
    folder: &Path,
    threads: usize,
    watcher: &mut Watcher<'_>,
) -> Result<Corpus, JobError> {
    let folder = source_folder(folder, source, tokenizer);
    let stop = watcher.stop();
    let (sender, progress) = mpsc::channel();
    let result = std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let tell = |progress| sender.send(progress).expect("the loop below listens to the end");
            prepare(source, tokenizer, &folder, &PrepareOptions { threads, stop, progress: &tell })
        });
        for progress in progress {
            watcher.tell(Event::Preparing(&source.name, progress));
        }
        worker.join().expect("a panic in preparing is ours")
    });
    result.map_err(|error| match error {
        DataError::Interrupted => JobError::Interrupted,
        error => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparkjoy_kit::shown;

    #[test]
    fn text_that_is_not_there_is_named() {
        let (folder, study) = (Path::new("prepared/math-77c1d2e0"), Path::new("study.toml"));
        let record = Path::new("prepared/trained-for-5b7719aa.json");
        let begun = tempfile::tempdir().unwrap();
        let problems = [
            no_text(4096),
            not_prepared(folder, "source `math`", study),
            not_prepared(begun.path(), "source `math`", study),
            names_no_tokenizer(record, b"{\"folder\":\"../etc\"}", study),
            of_others(record, study),
        ];
        let texts = problems.map(|problem| shown(Err(problem))).join("\n\n");
        let texts = texts.replace(&begun.path().display().to_string(), "prepared/math-0b1c2d3e");
        insta::assert_snapshot!(texts, @r#"
        no source has text files, expected at least one to train a tokenizer of 4096 entries on
        hint: set `kind = "cl100k"` in `[tokenizer]`, or give a source a `path`

        source `math` is not prepared yet: there is no `prepared/math-77c1d2e0`
        hint: run `sparkjoy prepare study.toml`

        source `math` is not prepared to the end: `prepared/math-0b1c2d3e` is not whole
        hint: run `sparkjoy prepare study.toml`

        `prepared/trained-for-5b7719aa.json` does not name the tokenizer of the study: found `{"folder":"../etc"}`, expected `{"folder":"tokenizer-…"}`
        hint: type `sparkjoy prepare study.toml`: it writes it again

        `prepared/trained-for-5b7719aa.json` is about the tokenizer of other text than its name says
        hint: type `sparkjoy prepare study.toml`: it writes it again
        "#);
    }

    #[test]
    fn a_record_of_a_tokenizer_is_believed_under_its_own_name_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, study) = (folder.path(), Path::new("study.toml"));
        let [ours, other] = [b"ours", b"abcd"].map(|it| TokenizerKey(Fingerprint::of_bytes(it)));
        assert_eq!(ours.read(folder, study).unwrap(), None);
        ours.record(folder, "tokenizer-1").unwrap();
        other.record(folder, "tokenizer-2").unwrap();
        assert_eq!(ours.read(folder, study).unwrap(), Some(("tokenizer-1".to_owned(), true)));
        std::fs::copy(other.file(folder), ours.file(folder)).unwrap();
        let error = ours.read(folder, study).unwrap_err().to_string();
        assert_eq!(error, of_others(&ours.file(folder), study).to_string());
        // An earlier version did not write what it is about.
        let earlier = sealed(br#"{"folder":"tokenizer-3"}"#, b"");
        write_atomic(&ours.file(folder), &earlier).unwrap();
        assert_eq!(ours.read(folder, study).unwrap(), Some(("tokenizer-3".to_owned(), true)));
    }

    #[test]
    fn a_tokenizer_of_before_is_used_though_its_text_was_chosen_by_the_studys_seed() {
        let root = tempfile::tempdir().unwrap();
        let study = sparkjoy_kit::invented::STUDY
            .replace("kind = \"cl100k\"", "kind = \"bpe\"\nvocab = 260\nsample = \"1K\"")
            .replace("seed = 17", "seed = 5");
        let mut text = study;
        for (name, tokens) in [("blogs", "4M"), ("proofs", "300K"), ("puzzles", "100K")] {
            let path = format!("path = \"{name}.txt\"\nvalidation = \"{name}.val.txt\"");
            text = text.replace(&format!("tokens = \"{tokens}\""), &path);
            for part in ["", ".val"] {
                let words: Vec<String> = (0..400).map(|n| format!("{name}{part} {n} ")).collect();
                let file = root.path().join(format!("{name}{part}.txt"));
                sparkjoy_base::write_atomic(&file, words.concat().as_bytes()).unwrap();
            }
        }
        let study = Study::parse(&root.path().join("study.toml"), text, None).unwrap();
        let (sources, folder) = (files(&study), root.path().join("prepared"));
        let name_of = |seed| {
            let texts = sources.iter().map(|source| sample_documents(source, seed, 1000).unwrap());
            let texts: Vec<String> = texts.flatten().collect();
            (tokenizer_name(260, &texts), texts)
        };
        let asked = || sampled(&study, &folder, &sources, 260).unwrap().name;
        assert_eq!(asked(), name_of(SAMPLE_SEED).0);
        let (name, texts) = name_of(Seed(5));
        Tokenizer::train_bpe(&texts, 260).unwrap().save(&folder.join(&name)).unwrap();
        let tokenizer = Tokenizer::open(&folder.join(&name)).unwrap();
        mark_tokenizer(&folder.join(&name), &tokenizer).unwrap();
        assert_eq!(asked(), name);
    }
}
