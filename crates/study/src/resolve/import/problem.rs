//! What can be wrong with a trunk that was trained elsewhere.

use std::path::PathBuf;

use sparkjoy_base::{Hint, Ppm, SourceName, Tokens, thousands};
use sparkjoy_train::ImportError;

/// What is wrong with `[trunk]`, or with the model it names.
#[derive(Debug, thiserror::Error)]
pub enum TrunkProblem {
    /// A key about a model, without a model.
    #[error("`{key}` is about a trunk trained elsewhere, but `[trunk]` has no `from`")]
    NoFrom {
        /// The key.
        key: &'static str,
    },
    /// A step outside the run.
    #[error(
        "`step` \"{written}\" is step {} of {}, expected one between the first and the last",
        thousands(*step),
        thousands(*of)
    )]
    Step {
        /// As written.
        written: String,
        /// In steps.
        step: u64,
        /// Steps of the run.
        of: u64,
    },
    /// A checkpoint of a step that the run does not have.
    #[error("the checkpoint is of step {}, expected one from 1 to {}, before the run's last",
        thousands(*found), thousands(of - 1))]
    Beyond {
        /// Its step.
        found: u64,
        /// Steps of the run.
        of: u64,
    },
    /// An amount read of nothing known.
    #[error(
        "`read` names `{name}`, which is {}", if *is_domain { "a domain, expected sources" }
        else { "no source of this study" }
    )]
    UnknownSource {
        /// The name.
        name: String,
        /// The source that looks most like it.
        nearest: Option<String>,
        /// Whether a domain is called so.
        is_domain: bool,
    },
    /// What only a checkpoint of ours says by itself.
    #[error("`[trunk]` has no `{key}`, and the model in `{}` does not say it", folder.display())]
    Untold {
        /// `step` or `read`.
        key: &'static str,
        /// The model's folder.
        folder: PathBuf,
    },
    /// More read than there was time for.
    #[error(
        "`read` adds up to {read} tokens, expected at most the {before} of the {} steps before it",
        thousands(*step)
    )]
    ReadTooMuch {
        /// Tokens read of all sources.
        read: Tokens,
        /// Tokens of the steps.
        before: Tokens,
        /// The imported step.
        step: u64,
    },
    /// The study and the checkpoint disagree about the step.
    #[error(
        "`step` is step {}, but the checkpoint is of step {}",
        thousands(*written),
        thousands(*found)
    )]
    OtherStep {
        /// In the study.
        written: u64,
        /// In the checkpoint.
        found: u64,
    },
    /// The study and the checkpoint disagree about what was read.
    #[error(
        "`read` says {} sequences of `{source_name}`, but the checkpoint has read {}",
        thousands(*written),
        thousands(*found)
    )]
    OtherRead {
        /// The source.
        source_name: SourceName,
        /// In the study.
        written: u64,
        /// In the checkpoint.
        found: u64,
    },
    /// A checkpoint whose steps or sequences are of another length.
    #[error("the checkpoint was trained with a {what} of {}, the study's is {}",
        thousands(*found), thousands(*expected))]
    OtherClock {
        /// `batch` or `context`.
        what: &'static str,
        /// Of its run.
        found: u64,
        /// Of the study.
        expected: u64,
    },
    /// The ledger of a checkpoint is about other text.
    #[error("source `{source_name}` was other text when the checkpoint read it")]
    OtherText {
        /// The source.
        source_name: SourceName,
    },
    /// The model's tokenizer is nobody's we can train with.
    #[error("`{}` is a tokenizer sparkjoy cannot prepare text with", path.display())]
    ForeignTokenizer {
        /// The `tokenizer.json`.
        path: PathBuf,
    },
    /// The model's tokenizer is another than the study's.
    #[error("the tokenizer of the model in `{}` is not the study's", folder.display())]
    OtherTokenizer {
        /// The model's folder.
        folder: PathBuf,
    },
    /// The model has too few rows for the study's tokenizer.
    #[error(
        "the model has {} rows of embedding, the study's tokenizer has {} ids",
        thousands(*rows),
        thousands(*ids)
    )]
    Rows {
        /// Rows.
        rows: u64,
        /// One past the largest id.
        ids: u64,
    },
    /// The tokenizer of a model is asked for, and there is no model.
    #[error("`tokenizer.kind` is `trunk`, but `[trunk]` has no `from`")]
    NoTokenizer,
    /// The shape is another.
    #[error(transparent)]
    Shape(ImportError),
    /// Another model size, of which there is no trunk.
    #[error("a trunk of another size is asked for, but the study's trunk was trained elsewhere")]
    OtherSize,
    /// A branch that would start before the trunk does.
    #[error(
        "a branch would start at step {}, but the trunk begins at step {}: the longest window is \
         {longest}",
        thousands(*step),
        thousands(*first)
    )]
    BeforeImport {
        /// The step it would start at.
        step: u64,
        /// The imported step.
        first: u64,
        /// The share of the run after it.
        longest: Ppm,
    },
    /// A step of the trunk is to be scored that it did not take here.
    #[error(
        "`at` asks for step {}, but the trunk begins at step {}",
        thousands(*step),
        thousands(*first)
    )]
    NeverHere {
        /// The step.
        step: u64,
        /// The imported step.
        first: u64,
    },
}

impl Hint for TrunkProblem {
    fn hint(&self) -> Option<String> {
        const COPY: &str = "copy its `config.json`, `*.safetensors` and `tokenizer*.json` into a \
                            folder of their own";
        Some(match self {
            Self::NoFrom { .. } => {
                "name the model's folder: `from = \"checkpoints/NAME\"`".to_owned()
            }
            Self::NoTokenizer => {
                "write `kind = \"bpe\"` or `kind = \"cl100k\"`, or name a trunk".to_owned()
            }
            Self::Step { of, .. } => {
                format!(
                    "write 1 to {} steps, or a share above 0% and below 100%",
                    thousands(of - 1)
                )
            }
            Self::Beyond { .. } => {
                "raise `budget`: it covers the whole run, what the checkpoint has \
                 read included"
                    .to_owned()
            }
            Self::UnknownSource { nearest: Some(name), is_domain: false, .. } => {
                format!("write `{name}`")
            }
            Self::UnknownSource { is_domain: true, .. } => {
                "say it of each of its sources".to_owned()
            }
            Self::UnknownSource { name, .. } => format!(
                "leave `{name}` out: what was read of sources the study does not have changes \
                 nothing in it"
            ),
            Self::Untold { key: "step", .. } => "write how far into this study's budget and \
                 learning-rate curve the model is: `step = \"90%\"`"
                .to_owned(),
            Self::Untold { .. } => {
                "write under `[trunk.read]` how much of each source it has read, \
                 as `web = \"700M\"` or `web = { epochs = 1.5 }`; an empty table if nothing"
                    .to_owned()
            }
            Self::ReadTooMuch { .. } => {
                "raise `step`, or the budget: tokens the trunk has read are \
                 part of it"
                    .to_owned()
            }
            Self::OtherStep { .. } => {
                format!("leave `step` out; to place the model elsewhere on the curve, {COPY}")
            }
            Self::OtherRead { .. } => {
                format!("leave `[trunk.read]` out; to say otherwise, {COPY}")
            }
            Self::OtherClock { what, found, .. } => {
                format!("write `{what} = {found}`, or {COPY} and declare `step` and `[trunk.read]`")
            }
            Self::OtherText { .. } => format!(
                "give the source another name; or {COPY} and declare `step` and `[trunk.read]`"
            ),
            Self::ForeignTokenizer { path } => format!(
                "text is prepared with `cl100k` or a tokenizer sparkjoy trained; if the model was \
                 trained on the ids of one of these, move `{}` away and the study's word is taken \
                 for it",
                path.display()
            ),
            Self::OtherTokenizer { .. } => {
                "write `[tokenizer]` with `kind = \"trunk\"`: the one in the model's folder"
                    .to_owned()
            }
            Self::Rows { .. } => "a model reads no other ids than it was trained on: write the \
                 tokenizer it was trained with"
                .to_owned(),
            Self::Shape(error) => return error.hint(),
            Self::BeforeImport { longest, .. } => {
                format!("ask for windows of at most {longest}, or import an earlier checkpoint")
            }
            Self::OtherSize => {
                "write a study of its own for each size, each with its own `from`; or \
                 leave `from` out, and all trunks are trained here"
                    .to_owned()
            }
            Self::NeverHere { first, .. } => {
                format!("write steps from {} on in `at`", thousands(*first))
            }
        })
    }
}
