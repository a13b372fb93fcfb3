//! What can go wrong between jobs. What goes wrong inside one is told by the crate that does it.

use std::path::PathBuf;

use sparkjoy_base::{Fingerprint, Hint, SourceName};

use sparkjoy_answers::Checked;
use sparkjoy_eval::FailedTask;

use crate::refusal::{refusal, to_name};

/// A job that cannot run, or a result that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// No job of the plan has this name.
    #[error("the plan has no job `{name}`, expected one of {}", listed(.known))]
    UnknownJob {
        /// The name asked for.
        name: String,
        /// The jobs there are.
        known: Vec<String>,
    },
    /// A job asked for alone cannot begin yet.
    #[error("job `{job}` starts from what `{needs}` leaves, which is not done")]
    Prerequisite {
        /// The job asked for.
        job: String,
        /// The job that must be done before.
        needs: String,
    },
    /// A branch would be trained by another engine than what it is compared with.
    #[error(
        "job `{job}` would be trained by {}, expected the engine that computed {of} (`{expected}`): \
         a difference between the two would hold rounding besides data",
        trained_by(.found.as_deref())
    )]
    OtherEngine {
        /// The job.
        job: String,
        /// The command that would train; none where this program would.
        found: Option<String>,
        /// What was computed before: a branch that it is compared with, or its start.
        of: String,
        /// What computed that.
        expected: String,
    },
    /// Items of tasks stand in training text.
    #[error("{}", refusal(checked))]
    Contaminated {
        /// What was found.
        checked: Box<Checked>,
    },
    /// A source without text.
    #[error("source `{source_name}` is declared by its size, expected text files to train on")]
    Declared {
        /// The source.
        source_name: SourceName,
    },
    /// No source has text a tokenizer could be trained on.
    #[error(
        "no source has text files, expected at least one to train a tokenizer of {vocab} entries on"
    )]
    NoText {
        /// Entries asked for.
        vocab: u32,
    },
    /// Tokenizer or shards that are not there, where nothing may be written.
    #[error("{what} is not prepared: `{}` is not whole", folder.display())]
    NotPrepared {
        /// The tokenizer or a source.
        what: String,
        /// Where it would lie.
        folder: PathBuf,
        /// The study it belongs to.
        study: PathBuf,
    },
    /// A source's tokens are not those that were planned with.
    #[error("the {part} tokens of source `{source_name}` are {found}, the plan expects {expected}")]
    Corpus {
        /// The source.
        source_name: SourceName,
        /// `training` or `held-out`.
        part: &'static str,
        /// Identity of the tokens at hand; `missing` if there are none.
        found: String,
        /// Identity of the tokens planned with.
        expected: String,
    },
    /// The tokenizer is not the one that was planned with.
    #[error("the tokenizer at hand is {found}, the plan expects {expected}")]
    Tokenizer {
        /// Identity of the tokenizer at hand.
        found: Fingerprint,
        /// Identity of the tokenizer planned with.
        expected: Fingerprint,
    },
    /// A run folder holds the checkpoint of another run.
    #[error("the checkpoint `{}` belongs to run {found}, expected run {expected}", path.display())]
    ForeignCheckpoint {
        /// The checkpoint.
        path: PathBuf,
        /// The run it was made by.
        found: Fingerprint,
        /// The run of the plan.
        expected: Fingerprint,
    },
    /// A score file holds the score of something else.
    #[error("`{}` scores {found}, expected {expected}", path.display())]
    ForeignScore {
        /// The file.
        path: PathBuf,
        /// What it says it scored.
        found: String,
        /// What the plan asks for.
        expected: String,
    },
    /// A file of results that answers another question, though its name says otherwise.
    #[error("`{}` holds results of another task, model or setting than its name says", path.display())]
    ForeignResults {
        /// The file.
        path: PathBuf,
    },
    /// A file of results that another process adds to.
    #[error("another process is writing `{}`", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Nobody said where task files lie.
    #[error("the study asks for tasks, but the folder of their files is not known")]
    NoTaskData,
    /// No task has its file.
    #[error("no task of the study has its file in `{}`", data.display())]
    NoTaskFiles {
        /// The folder.
        data: PathBuf,
    },
    /// Some tasks could not be scored; the others are.
    #[error(
        "{} of the tasks of `{model}` could not be scored:{}",
        .failed.len(),
        FailedTask::list(.failed)
    )]
    TasksFailed {
        /// The model.
        model: String,
        /// Which, and why.
        failed: Vec<FailedTask>,
    },
    /// A file of ours that cannot be read back.
    #[error("`{}` is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Hint for ExecutionError {
    fn hint(&self) -> Option<String> {
        let again = "run the same command again";
        Some(match self {
            Self::UnknownJob { .. } => {
                "`sparkjoy plan STUDY --json` lists all jobs under `jobs`".to_owned()
            }
            Self::Prerequisite { needs, .. } => format!("run job `{needs}` first"),
            Self::OtherEngine { found, .. } => {
                let expected = match found {
                    Some(_) => "run without `--engine`",
                    None => "name that engine: `--engine 'COMMAND {job}'`",
                };
                format!("{expected}; or allow it by `--mixed-engines`: the report then says so")
            }
            Self::Contaminated { checked } => format!(
                "take these documents out of the source; or allow it by name, \
                 `contaminated = [{}]` in `[evaluation]`: the study then runs, and its report says so",
                to_name(checked)
            ),
            Self::Declared { source_name } => format!(
                "give `[sources.{source_name}]` a `path` and a `validation` instead of a size"
            ),
            Self::NoText { .. } => {
                "set `kind = \"cl100k\"` in `[tokenizer]`, or give a source a `path`".to_owned()
            }
            Self::NotPrepared { study, .. } => {
                format!("run `sparkjoy prepare {}`", study.display())
            }
            Self::Corpus { .. } | Self::Tokenizer { .. } => {
                format!("the text changed since the plan was made: {again} to plan anew")
            }
            Self::ForeignCheckpoint { path, .. } => format!(
                "move `{}` away and {again}: the run is trained anew",
                path.parent().unwrap_or(path).display()
            ),
            Self::ForeignScore { path, .. }
            | Self::ForeignResults { path }
            | Self::Damaged { path, .. } => {
                format!("move `{}` away and {again}: it is made anew", path.display())
            }
            Self::NoTaskData => "name it: `data = \"…\"` in `[evaluation]`, `--eval-data DIR`, or \
                                 SPARKJOY_EVAL_DATA"
                .to_owned(),
            Self::NoTaskFiles { .. } => {
                "name another folder: `--eval-data DIR`; docs/tasks.md says what it should hold"
                    .to_owned()
            }
            Self::TasksFailed { failed, .. } => {
                let hint = failed.first().and_then(|failed| failed.hint.clone());
                let hint = hint.map_or(String::new(), |hint| format!("{hint}; "));
                format!("{hint}then {again}: what is answered is kept")
            }
            Self::Busy { .. } => "wait for it, or stop it: what it has is kept".to_owned(),
        })
    }
}

fn trained_by(command: Option<&str>) -> String {
    command.map_or_else(|| "this program".to_owned(), |command| format!("`{command}`"))
}

/// Names in backticks, at most twelve of them.
fn listed(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
    if let more @ 1.. = names.len().saturating_sub(12) {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparkjoy_kit::shown;

    fn text<const N: usize>(errors: [ExecutionError; N]) -> String {
        errors.map(|error| shown(Err(error))).join("\n\n")
    }

    #[test]
    fn a_job_that_cannot_run_names_what_is_missing() {
        let known = (0..14).map(|i| format!("trunk-{i}")).collect();
        let texts = text([
            ExecutionError::UnknownJob { name: "trunc".into(), known },
            ExecutionError::Prerequisite {
                job: "upsampled-10pct-r1".into(),
                needs: "trunk-3600".into(),
            },
            ExecutionError::OtherEngine {
                job: "upsampled-10pct-r1".into(),
                found: Some("python3 engine.py {job}".into()),
                of: "`base-10pct-r1`".into(),
                expected: "avx512".into(),
            },
            ExecutionError::OtherEngine {
                job: "upsampled-10pct-r1".into(),
                found: None,
                of: "step 3600 of `trunk`".into(),
                expected: "torch-2.15.0-cuda-x1".into(),
            },
        ]);
        insta::assert_snapshot!(texts, @"
        the plan has no job `trunc`, expected one of `trunk-0`, `trunk-1`, `trunk-2`, `trunk-3`, `trunk-4`, `trunk-5`, `trunk-6`, `trunk-7`, `trunk-8`, `trunk-9`, `trunk-10`, `trunk-11`, 2 more
        hint: `sparkjoy plan STUDY --json` lists all jobs under `jobs`

        job `upsampled-10pct-r1` starts from what `trunk-3600` leaves, which is not done
        hint: run job `trunk-3600` first

        job `upsampled-10pct-r1` would be trained by `python3 engine.py {job}`, expected the engine that computed `base-10pct-r1` (`avx512`): a difference between the two would hold rounding besides data
        hint: run without `--engine`; or allow it by `--mixed-engines`: the report then says so

        job `upsampled-10pct-r1` would be trained by this program, expected the engine that computed step 3600 of `trunk` (`torch-2.15.0-cuda-x1`): a difference between the two would hold rounding besides data
        hint: name that engine: `--engine 'COMMAND {job}'`; or allow it by `--mixed-engines`: the report then says so
        ");
    }

    #[test]
    fn text_that_is_not_the_plans_is_named_with_what_was_expected() {
        let source_name = SourceName::new("math").unwrap();
        let [found, expected] = ["found", "expected"].map(|t| Fingerprint::of_bytes(t.as_bytes()));
        let texts = text([
            ExecutionError::Declared { source_name: source_name.clone() },
            ExecutionError::NoText { vocab: 4096 },
            ExecutionError::NotPrepared {
                what: "source `math`".into(),
                folder: "prepared/math-77c1d2e0".into(),
                study: "study.toml".into(),
            },
            ExecutionError::Corpus {
                source_name,
                part: "held-out",
                found: "missing".into(),
                expected: expected.to_string(),
            },
            ExecutionError::Tokenizer { found, expected },
        ]);
        insta::assert_snapshot!(texts, @r#"
        source `math` is declared by its size, expected text files to train on
        hint: give `[sources.math]` a `path` and a `validation` instead of a size

        no source has text files, expected at least one to train a tokenizer of 4096 entries on
        hint: set `kind = "cl100k"` in `[tokenizer]`, or give a source a `path`

        source `math` is not prepared: `prepared/math-77c1d2e0` is not whole
        hint: run `sparkjoy prepare study.toml`

        the held-out tokens of source `math` are missing, the plan expects a99e31b7
        hint: the text changed since the plan was made: run the same command again to plan anew

        the tokenizer at hand is 6166e496, the plan expects a99e31b7
        hint: the text changed since the plan was made: run the same command again to plan anew
        "#);
    }

    #[test]
    fn results_of_something_else_are_refused_with_their_place() {
        let [found, expected] = ["found", "expected"].map(|t| Fingerprint::of_bytes(t.as_bytes()));
        let path = PathBuf::from("runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json");
        let texts = text([
            ExecutionError::ForeignCheckpoint {
                path: "runs/trunk-3f9a12bc/step-3600".into(),
                found,
                expected,
            },
            ExecutionError::ForeignScore {
                path: path.clone(),
                found: "step 3".into(),
                expected: "step 4".into(),
            },
            ExecutionError::Damaged {
                path: path.clone(),
                source: serde_json::from_str::<u32>("{").unwrap_err(),
            },
            ExecutionError::ForeignResults { path: path.clone() },
            ExecutionError::Busy { path },
        ]);
        insta::assert_snapshot!(texts, @"
        the checkpoint `runs/trunk-3f9a12bc/step-3600` belongs to run 6166e496, expected run a99e31b7
        hint: move `runs/trunk-3f9a12bc` away and run the same command again: the run is trained anew

        `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` scores step 3, expected step 4
        hint: move `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` away and run the same command again: it is made anew

        `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` is damaged: invalid type: map, expected u32 at line 1 column 0
        hint: move `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` away and run the same command again: it is made anew

        `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` holds results of another task, model or setting than its name says
        hint: move `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` away and run the same command again: it is made anew

        another process is writing `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json`
        hint: wait for it, or stop it: what it has is kept
        ");
    }
}
