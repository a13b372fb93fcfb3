//! What can go wrong in a run, and what to do about it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sparkjoy_base::{
    FileError, Fingerprint, Hint, SourceName, apart, number, printable_name, thousands,
};
use sparkjoy_data::DataError;
use sparkjoy_mix::MixError;
use sparkjoy_spec::ShapeError;

use crate::metrics::TOLERANCE;
use crate::{EngineError, ImportError, ModelError};

/// What went wrong in a run.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Loss or gradient is not a finite number.
    #[error(
        "training diverged at step {}: loss {}, gradient norm {grad_norm:.3e}, learning rate \
         {lr:.3e}, batch of {}", thousands(*step), number(*loss, 4), listed(tokens)
    )]
    Diverged {
        /// The step that could not be taken.
        step: u64,
        /// Mean nats per token of its batch.
        loss: f64,
        /// Global gradient norm before clipping.
        grad_norm: f64,
        /// Its learning rate.
        lr: f64,
        /// Tokens per source in its batch.
        tokens: BTreeMap<SourceName, u64>,
        /// Where the batch is written down.
        path: PathBuf,
    },
    /// A weight is not a finite number, so no checkpoint is saved.
    #[error("training diverged after step {}: `{tensor}` holds a weight that is not finite",
        thousands(*step))]
    BrokenWeights {
        /// Steps done.
        step: u64,
        /// The first such tensor.
        tensor: String,
    },
    /// A recorded step came out differently when computed again.
    #[error("step {} does not come out as recorded in `{}`", thousands(*step), path.display())]
    NotReproduced {
        /// The step.
        step: u64,
        /// The metrics it was recorded in.
        path: PathBuf,
    },
    /// A recorded step came out too far off, where an engine promises close numbers.
    #[error("step {} has loss {}, `{}` has recorded {}: they differ by more than {TOLERANCE}",
        thousands(*step), number(*found, 4), path.display(), number(*expected, 4))]
    OutOfTolerance {
        /// The step.
        step: u64,
        /// The metrics it was recorded in.
        path: PathBuf,
        /// Its loss now.
        found: f64,
        /// Its loss as recorded.
        expected: f64,
    },
    /// A step outside the phases is asked for.
    #[error("step {} is asked for, the run goes from step {} to step {}", thousands(*target),
        thousands(*first), thousands(*last))]
    Target {
        /// The step asked for.
        target: u64,
        /// The step the run starts at.
        first: u64,
        /// The step its phases end at.
        last: u64,
    },

    /// Another process trains in the run folder.
    #[error("`{}` is in use by another process ({process})", folder.display())]
    Busy {
        /// The run folder.
        folder: PathBuf,
        /// Its process id, as far as known.
        process: String,
    },
    /// A folder belongs to another run.
    #[error("`{}` belongs to run {}, expected run {}{}", folder.display(),
        apart(*found, *expected)[0], apart(*found, *expected)[1], in_what(differing))]
    OtherRun {
        /// The run folder or a checkpoint in it.
        folder: PathBuf,
        /// The run it belongs to.
        found: Fingerprint,
        /// The run asked for.
        expected: Fingerprint,
        /// The fields of the spec that differ, as far as known.
        differing: Vec<String>,
    },
    /// A checkpoint to branch from is of another run than the spec names.
    #[error("cannot branch from `{}`: it belongs to run {}, expected run {}",
        folder.display(), apart(*found, *expected)[0], apart(*found, *expected)[1])]
    OtherParent {
        /// The checkpoint.
        folder: PathBuf,
        /// The run it belongs to.
        found: Fingerprint,
        /// The run the branch starts from.
        expected: Fingerprint,
    },
    /// A checkpoint to branch from is of another step than the spec names.
    #[error("cannot branch from `{}`: it is of step {}, expected step {}", folder.display(),
        thousands(*found), thousands(*expected))]
    OtherStep {
        /// The checkpoint.
        folder: PathBuf,
        /// Its step.
        found: u64,
        /// The step the branch starts at.
        expected: u64,
    },
    /// A branch has no checkpoint to start from.
    #[error("no checkpoint of run {run} at step {} is given to branch from", thousands(*step))]
    NoParent {
        /// The step the branch starts at.
        step: u64,
        /// The run it starts from.
        run: Fingerprint,
    },
    /// A checkpoint has read other sequences than the plan says.
    #[error("checkpoint `{}` has read {} sequences of `{source_name}`, expected {}",
        folder.display(), thousands(*found), thousands(*expected))]
    OtherLedger {
        /// The checkpoint.
        folder: PathBuf,
        /// The first source that differs.
        source_name: SourceName,
        /// Sequences in its ledger.
        found: u64,
        /// Sequences drawn by the plan.
        expected: u64,
    },

    /// There is no checkpoint.
    #[error("`{}` is not a checkpoint: it has neither `state.json` nor `DONE`", folder.display())]
    NoCheckpoint {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of a checkpoint is missing.
    #[error("checkpoint `{}` is incomplete: no `{missing}`", folder.display())]
    Incomplete {
        /// The checkpoint.
        folder: PathBuf,
        /// The first file that is missing.
        missing: String,
    },
    /// A file is not as it was written.
    #[error("`{}` was altered: found {found}, expected {expected}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// Its size or content.
        found: String,
        /// The size or content it was written with.
        expected: String,
    },
    /// The metrics of a run folder are not those that its last checkpoint holds.
    #[error("`{}` was altered: found {found}, expected {expected}", path.display())]
    Metrics {
        /// The file.
        path: PathBuf,
        /// Its size or content.
        found: String,
        /// The size or content in the checkpoint.
        expected: String,
    },
    /// A checkpoint was written by another version.
    #[error("`{}` has format {found}, expected format {expected}", path.display())]
    Format {
        /// Its `state.json`.
        path: PathBuf,
        /// Version found.
        found: u32,
        /// Version this program reads and writes.
        expected: u32,
    },
    /// A run folder was written by a version whose folders are no longer read.
    #[error("`{}` was written by an older version of sparkjoy that is no longer read: found version \
        {found}, expected {oldest} or later", path.display())]
    Older {
        /// Its `run.json`.
        path: PathBuf,
        /// Version found.
        found: u32,
        /// The oldest version this program reads.
        oldest: u32,
    },
    /// A run folder was written by a version that this program does not know yet.
    #[error("`{}` was written by a newer version of sparkjoy: found version {found}, expected \
        {newest} or earlier", path.display())]
    Newer {
        /// Its `run.json`.
        path: PathBuf,
        /// Version found.
        found: u32,
        /// The version this program writes.
        newest: u32,
    },
    /// Something else is where a checkpoint should go.
    #[error("cannot save step {}: `{}` is there and is no checkpoint of that step",
        thousands(*step), folder.display())]
    Occupied {
        /// Where the checkpoint should go.
        folder: PathBuf,
        /// Its step.
        step: u64,
    },
    /// A file is not the JSON it should be.
    #[error("cannot read `{}`", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line and column.
        source: serde_json::Error,
    },
    /// A line of `metrics.jsonl` is not the JSON it should be.
    #[error("cannot read `{}` line {}", path.display(), thousands(*line))]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A safetensors header is broken.
    #[error("cannot read `{}`", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: safetensors::SafeTensorError,
    },
    /// A tensor is missing, unknown, or of another shape or type.
    #[error("tensor `{}` in `{}`: found {found}, expected {expected}", printable_name(name),
        path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Type and shape found.
        found: String,
        /// Type and shape expected.
        expected: String,
    },

    /// A source of the spec is not among the corpora.
    #[error("source `{source_name}` is in the run but not among the prepared sources")]
    MissingSource {
        /// The source.
        source_name: SourceName,
    },
    /// A corpus has other content than the spec was made for.
    #[error("source `{source_name}` has content {}, the run was planned with {}",
        apart(*found, *expected)[0], apart(*found, *expected)[1])]
    OtherSource {
        /// The source.
        source_name: SourceName,
        /// Fingerprint of its training tokens.
        found: Fingerprint,
        /// The one in the spec.
        expected: Fingerprint,
    },
    /// A corpus has another number of sequences than the spec was made for.
    #[error("source `{source_name}` has {} sequences, the run was planned with {}",
        thousands(*found), thousands(*expected))]
    OtherLength {
        /// The source.
        source_name: SourceName,
        /// Sequences found.
        found: u64,
        /// Sequences in the spec.
        expected: u64,
    },
    /// A tokenizer is not the one the spec was made for.
    #[error("the tokenizer of {of} is {}, the run was planned with {}",
        apart(*found, *expected)[0], apart(*found, *expected)[1])]
    OtherTokenizer {
        /// The study, or a source.
        of: String,
        /// Its fingerprint.
        found: Fingerprint,
        /// The one in the spec.
        expected: Fingerprint,
    },
    /// The embedding has fewer rows than the tokenizer has ids.
    #[error("the model has {} rows of embedding, the tokenizer has {} ids", thousands(*found as u64),
        thousands(u64::from(*expected)))]
    Vocabulary {
        /// Rows of the embedding.
        found: usize,
        /// Ids of the tokenizer.
        expected: u32,
    },

    /// A folder holds no model that can be evaluated.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A command that trains did not do what it was asked for.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A model trained elsewhere cannot be started from.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Tokens of a batch could not be read.
    #[error("cannot read the batch of step {} from source `{source_name}`", thousands(*step))]
    Read {
        /// The step that would have been taken.
        step: u64,
        /// The source.
        source_name: SourceName,
        /// Why.
        source: Box<DataError>,
    },
    /// The tokenizer could not be saved with a checkpoint.
    #[error("cannot save the tokenizer")]
    Tokenizer {
        /// Why.
        source: Box<DataError>,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The shape cannot be built.
    #[error("cannot build the model")]
    Shape(#[from] ShapeError),
    /// The order cannot be built.
    #[error("cannot order the sequences")]
    Mix(#[from] MixError),
}

/// `1,024 tokens of `code`, 256 of `web``.
fn listed(tokens: &BTreeMap<SourceName, u64>) -> String {
    let each: Vec<String> =
        tokens.iter().map(|(name, n)| format!("{} tokens of `{name}`", thousands(*n))).collect();
    each.join(", ")
}

fn in_what(differing: &[String]) -> String {
    if differing.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = differing.iter().map(|name| format!("`{name}`")).collect();
    format!("; they differ in {}", quoted.join(", "))
}

impl Hint for TrainError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Diverged { path, .. } => format!(
                "run `sparkjoy show {}` to see the text of the batch; a lower `lr`, a longer \
                 `warmup` or a `grad_clip` are the usual cures",
                path.display()
            ),
            Self::BrokenWeights { .. } => "the last checkpoint is whole; a lower `lr` or a longer \
                 `warmup` in the study makes another run"
                .to_owned(),
            Self::NotReproduced { path, .. } => {
                let folder = path.parent().unwrap_or(path);
                format!(
                    "later checkpoints were computed on a machine that rounds differently; remove \
                     `{}` to compute the whole run on this one",
                    folder.display()
                )
            }
            Self::OutOfTolerance { path, .. } => {
                let folder = path.parent().unwrap_or(path);
                format!(
                    "one of the engines does not compute this run; remove `{}` to compute the \
                     whole run on one of them",
                    folder.display()
                )
            }
            Self::Target { .. } => {
                "lengthen the phases in the study: a run is never trained beyond its plan"
                    .to_owned()
            }
            Self::Busy { .. } => {
                "wait until that process is done, or stop it with Ctrl-C: it saves and exits"
                    .to_owned()
            }
            Self::OtherRun { folder, .. } => format!(
                "the study has changed since `{}` was begun; use another `--runs` folder, or \
                 remove this one",
                folder.display()
            ),
            Self::OtherParent { .. } | Self::OtherStep { .. } | Self::OtherLedger { .. } => {
                "run the study again from the trunk: `sparkjoy run` makes the checkpoints that are \
                 missing"
                    .to_owned()
            }
            Self::NoParent { .. } => {
                "train the trunk first: `sparkjoy run` does it on the way to the branch".to_owned()
            }
            Self::NoCheckpoint { folder } => format!(
                "run `sparkjoy show {}` to see which checkpoints are there",
                folder.parent().unwrap_or(folder).display()
            ),
            Self::Tensor { path, .. } => format!(
                "compare `[model]` and `optimizer` of the study with `sparkjoy show {}`",
                path.parent().unwrap_or(path).display()
            ),
            Self::Incomplete { folder, .. } | Self::Occupied { folder, .. } => remove(folder),
            Self::Altered { path, .. } | Self::Header { path, .. } | Self::Format { path, .. } => {
                remove(path.parent().unwrap_or(path))
            }
            Self::Metrics { .. } => "type `sparkjoy run STUDY`: it writes it again from the run's \
                                     last checkpoint"
                .to_owned(),
            Self::Older { path, .. } => format!(
                "use the version of sparkjoy that wrote it, or remove `{}`: `sparkjoy run STUDY` \
                 computes the run anew",
                path.parent().unwrap_or(path).display()
            ),
            Self::Newer { path, .. } => format!(
                "install a newer sparkjoy, or use another folder than `{}`",
                path.parent().unwrap_or(path).display()
            ),
            Self::Json { path, .. } | Self::Line { path, .. } => {
                format!("restore `{}` as it was written, or remove its folder", path.display())
            }
            Self::MissingSource { .. }
            | Self::OtherSource { .. }
            | Self::OtherLength { .. }
            | Self::OtherTokenizer { .. } => {
                "run `sparkjoy plan` to see what the sources are now; a run goes on only with the \
                 data it was planned with"
                    .to_owned()
            }
            Self::Vocabulary { expected, .. } => {
                format!("set `vocab` of the model to at least {expected}")
            }
            Self::Read { source, .. } | Self::Tokenizer { source } => return source.hint(),
            Self::File(error) => return error.hint(),
            Self::Model(error) => return error.hint(),
            Self::Import(error) => return error.hint(),
            Self::Engine(error) => return error.hint(),
            Self::Shape(_) => "change `[model]` in the study".to_owned(),
            Self::Mix(_) => "change `[mixtures]` or `[sources]` in the study".to_owned(),
        };
        Some(hint)
    }
}

fn remove(folder: &std::path::Path) -> String {
    format!("remove `{}`: `sparkjoy run STUDY` computes what is missing", folder.display())
}
