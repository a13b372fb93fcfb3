//! The study: what the user wrote, parsed and checked against itself.
//!
//! Nothing is resolved here that needs a token to have been counted: shares of domains, epochs and
//! branches are the plan's business. What is wrong is refused with its line in the file; nothing
//! is filled in silently that could change a result.

mod clock;
mod evaluation;
mod mixture;
mod objective;
mod question;
mod row_text;
mod shares;
mod sources;
mod tasks;
mod template;
mod training;
mod trunk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sparkjoy_base::toml_file::{Form, Item, Mistake, Placed, TomlTable};
use sparkjoy_base::{Place, Problem, Seed, SourceName, Tokens, read_to_string};
use sparkjoy_data::{SourceFiles, TokenizerKind};

pub use self::tasks::select_tasks;
pub use self::template::STUDY_TEMPLATE;

pub(crate) use self::evaluation::Evaluation;
pub(crate) use self::mixture::WrittenMixture;
pub use self::question::simplex_lattice;
pub(crate) use self::question::{
    Blend, Chosen, Corners, Question, Rate, Refill, Window, not_in_mixture, quoted,
};
pub(crate) use self::shares::Share;
pub(crate) use self::sources::{DomainWeights, SourceFacts, Sources};
pub(crate) use self::training::{Model, Size, Training};
pub(crate) use self::trunk::WrittenImport;

use self::objective::Names;
use self::question::Known;
use crate::StudyError;
use crate::plan::Objective;

/// What the user wrote (design section 3), parsed and checked, nothing resolved.
#[derive(Clone, Debug)]
pub struct Study {
    file: PathBuf,
    text: String,
    name: String,
    seed: Seed,
    tokenizer: StudyTokenizer,
    sample_bytes: u64,
    pub(crate) model: Model,
    pub(crate) training: Training,
    pub(crate) sources: Sources,
    pub(crate) weights: DomainWeights,
    pub(crate) mixtures: BTreeMap<String, WrittenMixture>,
    pub(crate) trunk: Placed<String>,
    pub(crate) import: Option<WrittenImport>,
    pub(crate) questions: Vec<Question>,
    pub(crate) evaluation: Evaluation,
    pub(crate) objective: Option<Objective>,
}

/// Where a source's sequences come from.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceInput {
    /// Text files, to be prepared.
    Files(Box<SourceFiles>),
    /// Declared by size only: can be planned, not run.
    Declared(Tokens),
}

/// The tokenizer a study asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StudyTokenizer {
    /// One that everybody has, or one trained on its sources.
    Made(TokenizerKind),
    /// The one in the folder of the model its trunk starts from.
    OfTrunk(PathBuf),
}

/// What a study holds, in the order it is usually written.
const TABLES: [&str; 13] = [
    "name",
    "seed",
    "data",
    "tokenizer",
    "model",
    "training",
    "sources",
    "domains",
    "mixtures",
    "trunk",
    "questions",
    "evaluation",
    "objective",
];

/// How a study speaks to its author.
/// What to write where questions are not a list.
const EACH: &str = "write `[[questions]]`, in two pairs of brackets, above each question";

static FORM: Form = Form {
    name: "the study",
    whole_keys: true,
    hint: |mistake, _| match mistake {
        Mistake::UnknownKey { nearest: Some(word), .. }
        | Mistake::UnknownWord { nearest: Some(word), .. } => Some(format!("write `{word}`")),
        Mistake::UnknownKey { nearest: None, .. } | Mistake::MissingKey { .. } => {
            Some("`sparkjoy new` writes a study with every key explained".to_owned())
        }
        // Refused where the other of two kinds of heading stands.
        Mistake::Syntax { line } if matches!(line.trim(), "[questions]" | "[[questions]]") => {
            Some(EACH.to_owned())
        }
        Mistake::WrongType { key: "questions" } => Some(EACH.to_owned()),
        Mistake::Syntax { line } => unquoted(line).map(|found| format!("write `\"{found}\"`")),
        _ => None,
    },
};

/// The quantity of a line that stands in no quotes: `770K`, `10%`, `500 steps`.
fn unquoted(line: &str) -> Option<String> {
    let line = line.split('#').next().unwrap_or_default();
    // Every other piece stands between quotes.
    line.split('"').step_by(2).find_map(|outside| {
        let words = outside.split([' ', '=', ',', '[', ']', '{', '}', '\t']);
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        words.iter().enumerate().find_map(|(at, word)| {
            let is_number = word.starts_with(|c: char| c.is_ascii_digit());
            if is_number && word.ends_with(['K', 'k', 'M', 'B', 'G', 'T', '%']) {
                return Some((*word).to_owned());
            }
            let unit = words.get(at + 1).filter(|unit| matches!(**unit, "step" | "steps" | "%"));
            is_number.then_some(unit?).map(|unit| format!("{word} {unit}"))
        })
    })
}

/// Bytes of each source's text that a tokenizer is trained on, unless `sample` says otherwise.
/// Enough for every merge of a vocabulary of some thousands to be seen hundreds of times.
const SAMPLE_BYTES: u64 = 2_000_000;

impl Study {
    /// Reads a study file. `data`: what relative source paths are relative to (default: the
    /// study's own `data` key, itself relative to the study's folder, or that folder).
    ///
    /// # Errors
    ///
    /// - [`StudyError::File`] if it cannot be read.
    /// - [`StudyError::Problem`] with file and line for everything that is wrong with its text.
    pub fn open(path: &Path, data: Option<&Path>) -> Result<Self, StudyError> {
        let text = read_to_string(path)?;
        Self::parse(path, text, data)
    }

    /// Reads the text of a study that lies, or would lie, at `path`.
    ///
    /// # Errors
    ///
    /// As [`Study::open`].
    pub fn parse(path: &Path, text: String, data: Option<&Path>) -> Result<Self, StudyError> {
        let mut root = TomlTable::root(&FORM, path, &text)?;
        root.only(&TABLES)?;
        let file = root.source();
        let name = name(&mut root)?;
        let seed = Seed(root.required("seed", "a whole number")?.whole(0, "a whole number")?);
        let own_data = match root.optional("data") {
            None => PathBuf::new(),
            Some(item) => item.string("a folder in quotes")?.into(),
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let data = data.map_or_else(|| folder.join(own_data), Path::to_owned);
        // What is empty here would be an empty name in a message.
        let data = if data.as_os_str().is_empty() { ".".into() } else { data };
        let mut table = |key, expected| root.required(key, expected);

        let (tokenizer, sample_bytes) = tokenizer(table("tokenizer", "a table")?.table()?)?;
        let model = Model::read(table("model", "a table")?.table()?)?;
        let training = Training::read(table("training", "a table")?.table()?, &model)?;
        let sources = Sources::read(table("sources", "a table per source")?, &data)?;
        let mixtures = mixture::mixtures(table("mixtures", "a table per mixture")?, &sources)?;
        let clock = training.clock;
        let known = Known { sources: &sources, mixtures: &mixtures, clock, model: &model };
        let trunk = table("trunk", "a table with the key `mixture`")?.table()?;
        let (trunk_mixture, mut import) = trunk::read(trunk, &known, folder)?;
        let tokenizer = match (tokenizer.value, &import) {
            (Some(kind), _) => StudyTokenizer::Made(kind),
            (None, Some(import)) => StudyTokenizer::OfTrunk(import.from.value.clone()),
            (None, None) => {
                let text = "`tokenizer.kind` is `trunk`, but `[trunk]` has no `from`";
                let hint = "write `kind = \"bpe\"` or `kind = \"cl100k\"`, or name a trunk";
                return Err(file.problem(tokenizer.line, text).with_hint(hint).into());
            }
        };
        let questions = table("questions", "at least one `[[questions]]`")?
            .list("a list of tables, each under `[[questions]]`")?;
        let questions = known.questions(questions, &trunk_mixture.value)?;
        if let Some(import) = &mut import {
            let windows = questions.iter().flat_map(Question::windows);
            import.round_with(&windows.collect::<Vec<_>>(), clock);
        }
        let evaluation = table("evaluation", "a table")?.table()?;
        let evaluation =
            Evaluation::read(evaluation, folder, (training.clock, training.replicates), &sources)?;
        let names = Names {
            sources: &sources,
            mixtures: &mixtures,
            selection: &evaluation.selection,
            replicates: training.replicates,
        };
        let objective = root.optional("objective").map(|item| names.read(item.table()?));
        let objective = objective.transpose()?;
        let weights = match root.optional("domains") {
            None => BTreeMap::new(),
            Some(item) => sources::weights(item, &sources)?,
        };
        Ok(Self {
            file: path.to_owned(),
            name,
            seed,
            tokenizer,
            sample_bytes,
            model,
            training,
            sources,
            weights,
            mixtures,
            trunk: trunk_mixture,
            import,
            questions,
            evaluation,
            objective,
            text,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file it was read from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The file as written, stored beside the results.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Seed of everything.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// The tokenizer it asks for.
    pub fn tokenizer(&self) -> &StudyTokenizer {
        &self.tokenizer
    }

    /// Tokens per sequence.
    pub fn context(&self) -> u64 {
        self.training.clock.context
    }

    /// Bytes of text of each source that a trained tokenizer is trained on.
    pub fn sample_bytes(&self) -> u64 {
        self.sample_bytes
    }

    /// Sources with their input, sorted by name.
    pub fn sources(&self) -> &BTreeMap<SourceName, SourceInput> {
        &self.sources.inputs
    }

    /// Folder of the model its trunk starts from, where it was trained elsewhere.
    pub fn trunk_folder(&self) -> Option<&Path> {
        self.import.as_ref().map(|import| import.from.value.as_path())
    }

    /// Folder of the files of its tasks, where it names one.
    pub fn task_data(&self) -> Option<&Path> {
        self.evaluation.data.as_deref()
    }

    /// Sources whose held-out text may stand in training text, because the study names them.
    pub fn leaked(&self) -> &BTreeSet<SourceName> {
        &self.evaluation.leaked
    }

    /// Held-out tokens of each source that are to be scored.
    pub fn held_out(&self) -> Tokens {
        self.evaluation.held_out
    }

    pub(crate) fn problem(&self, line: usize, text: impl Into<String>) -> Problem {
        Place::line(&self.file, line).problem(text)
    }
}

/// A study's name becomes the name of a folder, like a source's.
fn name(root: &mut TomlTable<'_>) -> Result<String, Problem> {
    let item = root.required("name", "a name in quotes")?;
    let name = SourceName::new(item.string("a name in quotes")?);
    name.map(Into::into).map_err(|e| item.problem(e.to_string()))
}

/// What is asked for, nothing where it is the trunk's; and the bytes it is trained on.
fn tokenizer(mut table: TomlTable<'_>) -> Result<(Placed<Option<TokenizerKind>>, u64), Problem> {
    let item = table.required("kind", "`cl100k`, `bpe` or `trunk`")?;
    let (kind, line) = (item.choice(&["cl100k", "bpe", "trunk"])?, item.line());
    let mut sample_bytes = SAMPLE_BYTES;
    let value = if kind == "cl100k" {
        Some(TokenizerKind::Cl100k)
    } else if kind == "trunk" {
        None
    } else {
        // 256 bytes, end-of-text, and at least one merge; ids are 32 bits wide on disk.
        let expected = "a whole number from 258 to 1,000,000";
        let item = table.required("vocab", "the size of the vocabulary")?;
        let vocab = item.number(|x| (258.0..=1e6).contains(&x), expected)? as u32;
        item.whole(258, expected)?;
        sample_bytes =
            table.optional("sample").map_or(Ok(SAMPLE_BYTES), |item: Item<'_>| item.bytes())?;
        Some(TokenizerKind::Bpe { vocab })
    };
    table.finish()?;
    Ok((Placed { value, line }, sample_bytes))
}

#[cfg(test)]
mod tests;
