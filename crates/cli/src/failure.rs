//! How a command ends when it does not end well: text, hint and exit code.

use std::error::Error;
use std::fmt::Write;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::error::{ContextKind, ContextValue};
use sparkjoy_base::{FileError, Hint, SourceName, nearest, printable};
use sparkjoy_data::DataError;
use sparkjoy_draft::DraftError;
use sparkjoy_eval::EvalError;
use sparkjoy_eval::FailedTask;
use sparkjoy_jobs::JobError;
use sparkjoy_mix::MixError;
use sparkjoy_report::live::ServeError;
use sparkjoy_study::StudyError;
use sparkjoy_train::TrainError;
use sparkjoy_world::WorldError;

use crate::interrupt;
use crate::output::{say, say_styled};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Study(#[from] StudyError),
    #[error(transparent)]
    Job(#[from] JobError),
    /// A folder that no study can be made of.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// Text, tokens or shards.
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Mix(#[from] MixError),
    #[error(transparent)]
    Eval(#[from] EvalError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    World(#[from] WorldError),
    /// Nobody said where task files lie.
    #[error("the folder of task files is not known")]
    NoEvalData,
    /// Some tasks could not be scored; the others are.
    #[error("{}", unscored(failed, missing))]
    Tasks {
        /// Those that went wrong.
        failed: Vec<FailedTask>,
        /// Those that were named and whose file is not there.
        missing: Vec<String>,
        /// Where it was looked for.
        data: PathBuf,
    },
    #[error(transparent)]
    File(#[from] FileError),
    /// Standard output took no more.
    #[error("cannot write to standard output")]
    Print { source: io::Error },
    /// `new` would overwrite something.
    #[error("`{}` exists already", path.display())]
    Exists { path: PathBuf },
    /// `show` was pointed at something that it knows nothing of.
    #[error(
        "`{}` is no study, prepared source, run, checkpoint, model or batch of a diverged run",
        path.display()
    )]
    Unknown {
        /// What was pointed at.
        path: PathBuf,
    },
    /// `show` was pointed at nothing.
    #[error("there is no `{}`", path.display())]
    NotThere {
        /// What was pointed at.
        path: PathBuf,
    },
    /// What a run was made from is no longer there.
    #[error("`{}` holds no {what}", prepared.display())]
    Gone {
        /// The source or tokenizer, with its fingerprint.
        what: String,
        /// The folder of prepared sources.
        prepared: PathBuf,
    },
    /// A batch that lies beside another run.
    #[error("`{}` names source `{source_name}`, which the run beside it does not read", path.display())]
    Foreign { path: PathBuf, source_name: SourceName },
    /// A study has many batches.
    #[error("which batch of `{}` to show is missing", study.display())]
    NoStep {
        /// The study.
        study: PathBuf,
    },
    /// A step outside of what is trained of a run.
    #[error("`{run}` has no step {step}, expected {first} to {last}")]
    NoSuchStep {
        /// The run.
        run: String,
        /// As typed.
        step: u64,
        /// The first there is.
        first: u64,
        /// The last there is.
        last: u64,
        /// A branch that has the step.
        branch: Option<String>,
    },
    /// A branch that the plan does not have.
    #[error("the plan has no branch `{name}`")]
    NoSuchBranch { name: String, known: Vec<String> },
    /// A batch of sources that are sizes only.
    #[error("source `{name}` is declared by size, it has no text to show")]
    NoText { name: SourceName },
}

/// Which tasks have no score, and why.
fn unscored(failed: &[FailedTask], missing: &[String]) -> String {
    match (failed, missing) {
        ([], []) => "no task could be scored: none of their files is there".to_owned(),
        ([], missing) => format!("no file of task {}", missing.join(", ")),
        (failed, _) => {
            let which = FailedTask::list(failed);
            format!("{} of the tasks could not be scored:{which}", failed.len())
        }
    }
}

impl Hint for Failure {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Study(error) => error.hint(),
            Self::Job(error) => error.hint(),
            Self::Draft(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::World(error) => error.hint(),
            Self::Train(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Eval(error) => error.hint(),
            Self::Serve(error) => error.hint(),
            Self::NoEvalData => Some(
                "name it: `--eval-data DIR`, or set SPARKJOY_EVAL_DATA; docs/tasks.md says what it \
                 should hold"
                    .to_owned(),
            ),
            Self::Tasks { failed, data, .. } => match failed.first() {
                Some(FailedTask { hint, .. }) => hint.clone(),
                None => Some(format!(
                    "put the files into `{}`, or name another folder: `--eval-data DIR`",
                    data.display()
                )),
            },
            Self::Mix(error) => error.hint(),
            Self::Print { .. } => None,
            Self::Exists { .. } => Some("give another name: `sparkjoy new FILE`".to_owned()),
            Self::Unknown { .. } | Self::NotThere { .. } => {
                Some("`sparkjoy show --help` lists what can be shown".to_owned())
            }
            Self::Gone { .. } => {
                Some("name the folder it was prepared in: `--prepared DIR`".to_owned())
            }
            Self::Foreign { .. } => Some("look at it in the folder of its own run".to_owned()),
            Self::NoStep { study } => {
                Some(format!("name its step: `sparkjoy show {} --step 1`", study.display()))
            }
            Self::NoSuchStep { step, branch: Some(branch), .. } => {
                Some(format!("branches have it: `--step {step} --branch {branch}`"))
            }
            Self::NoSuchStep { step, first, last, .. } => {
                Some(format!("type `--step {}`", step.clamp(first, last)))
            }
            Self::NoSuchBranch { name, known } => {
                let meant = nearest(name, known.iter().map(String::as_str));
                let meant = meant.map_or_else(String::new, |name| format!("type `{name}`; "));
                Some(format!("{meant}`sparkjoy plan STUDY --json` lists all under `jobs`"))
            }
            Self::NoText { .. } => {
                Some("give the source a `path` in the study to train on it".to_owned())
            }
        }
    }
}

impl Failure {
    /// 1 where a run failed, 130 where it was interrupted and has saved, else 2: the command, the
    /// study or something it was given is wrong.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Job(JobError::Interrupted)
            | Self::Draft(DraftError::Interrupted)
            | Self::World(WorldError::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
            Self::Job(JobError::Train(TrainError::Diverged { .. })) => ExitCode::FAILURE,
            _ => ExitCode::from(2),
        }
    }

    /// Prints what is wrong and what to do next on standard error.
    pub(crate) fn print(&self) {
        match self {
            Self::Job(JobError::Interrupted)
            | Self::Draft(DraftError::Interrupted)
            | Self::World(WorldError::Interrupted) => {
                say("interrupted; the same command continues from what is saved");
            }
            _ => say_styled(render(self, self.hint().as_deref()).trim_end()),
        }
    }
}

/// An error of the command line with the command that was meant: clap finds none for short words.
pub(crate) fn with_meant(mut error: clap::Error, command: &clap::Command) -> clap::Error {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let meant = nearest(typed, command.get_subcommands().map(clap::Command::get_name));
    if let Some(meant) = meant {
        let meant = ContextValue::Strings(vec![meant]);
        error.insert(ContextKind::SuggestedSubcommand, meant);
    }
    error
}

/// An error with its causes, outermost first, and its hint.
///
/// A cause that the text before it has said already is left out.
fn render(error: &dyn Error, hint: Option<&str>) -> String {
    let mut said = printable(&error.to_string()).into_owned();
    let mut text = format!("{ERROR}error:{ERROR:#} {said}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        let new = printable(&error.to_string()).into_owned();
        if !said.contains(&new) {
            let _ = writeln!(text, "  caused by: {new}");
            said = new;
        }
        cause = error.source();
    }
    if let Some(hint) = hint {
        let _ = writeln!(text, "\n{HINT}hint:{HINT:#} {}", printable(hint));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot branch from `runs/trunk`")]
    struct Outer {
        source: FileError,
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn causes_follow_outermost_first_and_nothing_is_said_twice() {
        let inner = io::Error::other("the disk is on fire");
        let error = Outer { source: FileError::at("read", Path::new("run.json"))(inner) };
        insta::assert_snapshot!(plain(&render(&error, Some("put it out"))), @r"
        error: cannot branch from `runs/trunk`
          caused by: cannot read `run.json`: the disk is on fire

        hint: put it out
        ");
    }

    #[test]
    fn what_others_wrote_does_not_act_on_the_terminal() {
        let inner = io::Error::other("\u{1b}[31mfire\r");
        let error = Outer { source: FileError::at("read", Path::new("a\u{1b}[2Jb"))(inner) };
        let text = render(&error, Some("type `\u{1b}]0;x\u{7}`"));
        let ours = plain(&text);
        assert!(!ours.contains(|c: char| c.is_control() && c != '\n'), "{ours:?}");
        assert!(ours.contains(r"`a\u{1b}[2Jb`: \u{1b}[31mfire\r"), "{ours}");
        assert!(ours.contains(r"hint: type `\u{1b}]0;x\u{7}`"), "{ours}");
    }

    #[test]
    fn every_mistake_at_the_prompt_says_what_to_type() {
        use Failure::NoSuchStep;
        let study = PathBuf::from("study.toml");
        let failures = [
            Failure::Exists { path: study.clone() },
            Failure::Unknown { path: "novel.txt".into() },
            Failure::NoStep { study },
            Failure::NotThere { path: "novel.txt".into() },
            NoSuchStep { run: "trunk".into(), step: 90, first: 1, last: 80, branch: None },
            NoSuchStep {
                run: "trunk".into(),
                step: 90,
                first: 1,
                last: 80,
                branch: Some("b".into()),
            },
            NoSuchStep { run: "trunk".into(), step: 0, first: 1, last: 80, branch: None },
            Failure::NoSuchBranch { name: "bose-r0".into(), known: vec!["base-r0".into()] },
            Failure::NoText { name: SourceName::new("web").unwrap() },
        ];
        let texts = failures.map(|f| plain(&render(&f, f.hint().as_deref()))).join("\n");
        insta::assert_snapshot!(texts, @"
        error: `study.toml` exists already

        hint: give another name: `sparkjoy new FILE`

        error: `novel.txt` is no study, prepared source, run, checkpoint, model or batch of a diverged run

        hint: `sparkjoy show --help` lists what can be shown

        error: which batch of `study.toml` to show is missing

        hint: name its step: `sparkjoy show study.toml --step 1`

        error: there is no `novel.txt`

        hint: `sparkjoy show --help` lists what can be shown

        error: `trunk` has no step 90, expected 1 to 80

        hint: type `--step 80`

        error: `trunk` has no step 90, expected 1 to 80

        hint: branches have it: `--step 90 --branch b`

        error: `trunk` has no step 0, expected 1 to 80

        hint: type `--step 1`

        error: the plan has no branch `bose-r0`

        hint: type `base-r0`; `sparkjoy plan STUDY --json` lists all under `jobs`

        error: source `web` is declared by size, it has no text to show

        hint: give the source a `path` in the study to train on it
        ");
    }
}
