//! What can be typed.
//!
//! Flags say where and how, never what: two commands with the same study and other flags give the
//! same numbers.

use std::ffi::OsString;
use std::fmt::Write;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use sparkjoy_base::{Tokens, printable};
use sparkjoy_eval::BaselineVersion;
use sparkjoy_jobs::{Programs, Resources};

use crate::command_line::{CommandLine, engine, worker};
use crate::item_place::{ItemPlace, item_place};
pub(crate) use crate::place::Place;
use crate::place::at_least_one;

/// Which data is worth the last tokens of a training run, how much, for how long
#[derive(Debug, Parser)]
#[command(name = "sparkjoy", version, disable_help_subcommand = true, max_term_width = 80)]
#[command(after_long_help = "\
Examples:
  sparkjoy new study.toml --data DIR   a study of the text in a folder
  sparkjoy plan study.toml             what it would read, and its cost
  sparkjoy run study.toml              everything that is missing
  sparkjoy show study.toml --step 100  the texts of the 100th batch

A run can be stopped at any time, by Ctrl-C or by pulling the plug: the same
command continues it.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The commands, in the order they are used.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a small world, ask a study in it, report: minutes, no files
    #[command(after_long_help = "\
Example: sparkjoy quickstart

Invents text of eleven sources in which is known what teaches what, trains a
model of a million parameters and its branches, scores them, and compares the
answers with what was built in. `--full` asks every question: half an hour.
Interrupted, the same command continues.")]
    Quickstart {
        /// Folder of the world and its studies
        #[arg(value_name = "FOLDER", default_value = "quickstart")]
        folder: PathBuf,
        /// Which world
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// Ask every question there is
        #[arg(long)]
        full: bool,
        #[command(flatten)]
        training: ForTraining,
    },
    /// Write text and tasks of an invented world, of any size
    #[command(after_long_help = "\
Example: sparkjoy world big --size 10B

The same world as in `quickstart`, for tests of load and of other tools. Every
byte follows from seed and size; `truth.json` says which source teaches what.")]
    World {
        /// Where to write it
        folder: PathBuf,
        /// Which world
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// Bytes of training text: \"8M\", \"10B\"
        #[arg(long, value_name = "BYTES", default_value = "24M")]
        size: Tokens,
    },
    /// Write a study of your text, or one with every setting explained
    #[command(after_long_help = "\
Examples:
  sparkjoy new study.toml --data corpora   a study of the text in a folder
  sparkjoy run study.toml                  … and its answers
  sparkjoy new study.toml                  a study with every setting explained

With `--data` it looks at what lies in the folder: a folder is a source, a
folder of folders a domain; files of JSON Lines or Parquet side by side are
sources of their own, and `*.val.*` beside `*.train.*` is held-out text. It
counts tokens (of large text it reads a sample), proposes a model, a budget and
two mixtures with the reason beside each, and says what it left out.")]
    New {
        /// Where to write it; a file that is there already is not touched
        #[arg(default_value = "study.toml")]
        file: PathBuf,
    },
    /// Turn the text of a study's sources into shards
    #[command(after_long_help = "\
Example: sparkjoy prepare study.toml --data ../corpora

What is prepared already is not read again; what was interrupted continues.")]
    Prepare {
        /// The study file
        study: PathBuf,
    },
    /// Show what a study will train on, and its cost, without training
    #[command(after_long_help = "\
Example: sparkjoy plan studies/paper-7b.toml

A plan counts the tokens of its sources, so text that is not prepared yet is
prepared first, as by `sparkjoy prepare`. What `run` would refuse is refused
here too, or said at the top.")]
    Plan {
        /// The study file
        study: PathBuf,
        #[command(flatten)]
        tasks: ForData,
        #[command(flatten)]
        training: ForTraining,
    },
    /// Run whatever is missing of a study: prepare, train, score, report
    #[command(after_long_help = "\
Example: sparkjoy run study.toml --threads 2

Ctrl-C saves and stops (exit code 130); the same command continues. Jobs that
are done are not run again, and a folder that belongs to another plan is
refused, never reused.

`--job` runs one job, for clusters: each is one command on shared files.
`sparkjoy plan study.toml --json` lists their names and states under `jobs`.

Where a study has tasks, the first job looks for their items in all training
text, and a source in which one stands is refused unless the study names it.
By itself: sparkjoy run study.toml --job contamination

`--engine` has another program train, `--worker` has one compute the models to
be scored. They change no fingerprint; what computed is recorded. A branch and
its control are trained by one engine, unless `--mixed-engines` is given.")]
    Run {
        /// The study file
        study: PathBuf,
        /// Only this job, as `sparkjoy plan STUDY --json` names it
        #[arg(long, value_name = "NAME")]
        job: Option<String>,
        #[command(flatten)]
        with: ForRun,
    },
    /// Score a model on tasks: Gauntlet, MMLU, GSM8K, HumanEval, your own
    #[command(after_long_help = "\
Examples:
  sparkjoy eval runs/NAME/step-900 --eval-data DIR
  sparkjoy eval MODEL --tasks mmlu,gsm8k-exact,my-tasks.toml --limit 200
  sparkjoy eval --list

MODEL is a checkpoint or any Hugging Face MPT folder. Ctrl-C stops; the same
command continues, and answers no item twice. Scores come with a standard
error; every item's result is kept as a line of JSON.

Programs that a model writes (human-eval) run in a sandbox without network or
files; where the machine cannot give one, the task is refused.")]
    Eval(EvalOf),
    /// Compare the branches of a study, with their spread
    #[command(after_long_help = "\
Examples:
  sparkjoy report study.toml --json
  sparkjoy report study.toml --models models.csv

Prints tables and writes report.html (one file, no network),
report.json, report.csv and figures/*.svg into RUNS/NAME. A study that is only
partly run is reported as far as it is; a finished report is never replaced by
one that is not.

The page shows scores against training FLOPs beside open models, where the
study is scored on the same tasks. `--models` adds yours: a CSV file with the
header `model,params_b,tokens_t,mmlu,arc_easy`: billions of parameters,
trillions of tokens, and a column for each task, 0 to 1, empty where unknown.")]
    Report {
        /// The study file
        study: PathBuf,
        /// Models of yours to show beside the study, as CSV
        #[arg(long, value_name = "FILE")]
        models: Option<PathBuf>,
    },
    /// Show a study in a browser while it runs
    #[command(after_long_help = "\
Example: sparkjoy serve study.toml

Prints the address of a page with the tree of runs, their curves, speed, time
left and failures; open it in a browser. It follows a `sparkjoy run` of the
same study and `--runs` in other processes, and can be started before, during
and after it. Ctrl-C ends it and nothing else: it only reads.

It answers this machine only. To look from elsewhere, forward the port:
ssh -L 7476:127.0.0.1:7476 MACHINE")]
    Serve {
        /// The study file
        study: PathBuf,
        /// Port to listen on; 0 takes any that is free
        #[arg(long, value_name = "N", default_value_t = sparkjoy_report::live::DEFAULT_PORT)]
        port: u16,
    },
    /// Look inside a shard, batch, checkpoint, run or answer
    #[command(after_long_help = "\
Examples:
  sparkjoy show study.toml --step 100                a batch of the trunk
  sparkjoy show study.toml --step 900 --branch NAME  … of a branch
  sparkjoy show prepared/NAME                        a prepared source
  sparkjoy show runs/NAME                            a run and its checkpoints
  sparkjoy show runs/NAME/step-900                   a checkpoint
  sparkjoy show runs/NAME/diverged-901.json          what broke a run
  sparkjoy show mpt-7b                               a Hugging Face model folder
  sparkjoy show EVALUATION --item piqa:12            what was asked and answered")]
    Show(ShowTarget),
    /// Show what this machine can do, and how fast it trains
    #[command(after_long_help = "\
Example: sparkjoy doctor --threads 2

Times a few steps of a small model in each precision: some seconds. `--runs`
names the folder whose disk is looked at.")]
    Doctor,
    /// Seal what an earlier version left without hashes, once it was checked
    #[command(after_long_help = "\
Example: sparkjoy seal study.toml

Every file with a number in it holds the hash of its content, and none without
is believed. Earlier versions wrote no such hashes: here their shards, runs,
and checkpoints are read and held against each other, and those that agree get
theirs. Losses and answers of models, and items found in text, are made again
from these: only so can one be told from another. It says which were otherwise.
Give `--runs` and `--prepared` as for `run`.")]
    Seal {
        /// The study file
        study: PathBuf,
        #[command(flatten)]
        tasks: ForData,
    },
    /// Print completions for a shell
    #[command(after_long_help = "\
Examples:
  sparkjoy completions bash >> ~/.bash_completion
  sparkjoy completions zsh > \"${fpath[1]}/_sparkjoy\"
  sparkjoy completions fish > ~/.config/fish/completions/sparkjoy.fish
  sparkjoy completions elvish >> ~/.config/elvish/rc.elv
  sparkjoy completions powershell >> $PROFILE

A new shell knows them.")]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the man page, or write one for every command
    #[command(after_long_help = "\
Examples:
  sparkjoy man | man -l -
  sparkjoy man --dir ~/.local/share/man/man1   then: man sparkjoy-run")]
    Man {
        /// Folder to write `sparkjoy.1`, `sparkjoy-new.1`, … into
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

impl Command {
    /// How it trains, where it does.
    fn training(&self) -> ForTraining {
        match self {
            Self::Quickstart { training, .. } | Self::Plan { training, .. } => *training,
            Self::Run { with, .. } => with.training,
            _ => ForTraining::default(),
        }
    }

    /// What folders that are not named are relative to: the folder of the study; for what was
    /// written before, the one that `runs` or `prepared` lies in. None for other commands.
    fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Quickstart { folder, .. } => Some(folder.clone()),
            Self::Prepare { study }
            | Self::Plan { study, .. }
            | Self::Run { study, .. }
            | Self::Report { study, .. }
            | Self::Seal { study, .. }
            | Self::Serve { study, .. } => study.parent().map(Path::to_owned),
            Self::Show(ShowTarget { path, .. }) if path.is_file() => {
                let is_it = |folder: &&Path| folder.join("prepared").is_dir();
                path.ancestors().skip(1).find(is_it).or(path.parent()).map(Path::to_owned)
            }
            _ => None,
        }
    }
}

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct ShowTarget {
    /// A study file, a folder or a file that sparkjoy has written
    #[arg(value_name = "PATH|STUDY")]
    pub(crate) path: PathBuf,
    /// Which batch of a study: the number of its step in `metrics.jsonl`, from 1
    #[arg(long, value_name = "N")]
    pub(crate) step: Option<u64>,
    /// Which branch of a study; without it, the trunk
    #[arg(long, value_name = "NAME", requires = "step")]
    pub(crate) branch: Option<String>,
    /// How many rows of text to show; one by itself is shown in full
    #[arg(long, value_name = "K", default_value_t = 8)]
    pub(crate) rows: usize,
    /// Which item of an evaluation: its task, and the line of its row in the task's file, from 1
    #[arg(long, value_name = "TASK:LINE", value_parser = item_place, conflicts_with = "step")]
    pub(crate) item: Option<ItemPlace>,
    #[command(flatten)]
    pub(crate) tasks: ForData,
}

/// Where task files lie.
#[derive(Debug, Default, Args)]
pub(crate) struct ForData {
    /// Folder of task files [default: the study's, or SPARKJOY_EVAL_DATA]
    #[arg(long, value_name = "DIR")]
    eval_data: Option<PathBuf>,
}

/// What scores models, and what that needs.
#[derive(Debug, Default, Args)]
pub(crate) struct ForScoring {
    #[command(flatten)]
    pub(crate) tasks: ForData,
    /// Run programs that a model writes without a sandbox
    ///
    /// They can then read and write what you can, and use the network. For machines that may be
    /// lost.
    #[arg(long)]
    unprotected_code: bool,
    /// Have a command compute the models to be scored: 'python worker.py {model}'
    ///
    /// `{model}` becomes the folder of the model. docs/engines.md says what the command must
    /// answer.
    #[arg(long, value_name = "COMMAND", value_parser = worker)]
    worker: Option<CommandLine>,
}

impl ForData {
    /// Where task files lie: as typed, as the study says, or as the environment says.
    pub(crate) fn data(&self, study: Option<&Path>) -> Option<PathBuf> {
        let environment = || std::env::var_os("SPARKJOY_EVAL_DATA").map(PathBuf::from);
        self.eval_data.clone().or_else(|| study.map(Path::to_owned)).or_else(environment)
    }
}

impl ForScoring {
    /// What scores.
    pub(crate) fn resources(&self, place: &Place) -> Resources {
        Resources {
            recompute: place.recompute,
            programs: Programs::run_by(self.unprotected_code),
            worker: self.worker.clone().map(CommandLine::into_argv),
            ..Resources::new(place.threads())
        }
    }
}

/// How this program trains.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct ForTraining {
    /// Keep less for the backward pass: less memory, slower
    ///
    /// Training keeps only each block's input for the backward pass and computes the rest again:
    /// less memory, about a third more time, the same numbers to the bit.
    #[arg(long, hide_short_help = true)]
    recompute: bool,
}

/// What trains and scores a study.
#[derive(Debug, Default, Args)]
pub(crate) struct ForRun {
    #[command(flatten)]
    pub(crate) scoring: ForScoring,
    #[command(flatten)]
    training: ForTraining,
    /// Run a study that is estimated to take more than 7 days
    #[arg(long)]
    pub(crate) yes: bool,
    /// Have a command train: 'python engine.py {job}'
    ///
    /// `{job}` becomes the path of a job file. docs/engines.md says what the command must write.
    /// What it writes is checked before it is used.
    #[arg(long, value_name = "COMMAND", value_parser = engine)]
    engine: Option<CommandLine>,
    /// Compare branches that different engines trained
    ///
    /// Their difference then holds rounding besides data, and the report says so.
    #[arg(long)]
    mixed_engines: bool,
}

impl ForRun {
    /// Whether another program trains.
    pub(crate) fn is_by_command(&self) -> bool {
        self.engine.is_some()
    }

    /// What trains and scores.
    pub(crate) fn resources(&self, place: &Place) -> Resources {
        Resources {
            engine: self.engine.clone().map(CommandLine::into_argv),
            mixed_engines: self.mixed_engines,
            ..self.scoring.resources(place)
        }
    }
}

/// Which model, which tasks.
#[derive(Debug, Args)]
pub(crate) struct EvalOf {
    /// A checkpoint or a Hugging Face MPT folder
    #[arg(value_name = "MODEL", required_unless_present = "list")]
    pub(crate) model: Option<PathBuf>,
    /// Tasks, suites, and files that define some, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "gauntlet-v0.3")]
    pub(crate) tasks: Vec<String>,
    /// Items of each task at most, spread evenly over its rows [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<NonZeroU64>,
    /// Whose baselines are subtracted
    #[arg(long, value_name = "VERSION", value_enum, default_value_t = Baselines::V03)]
    pub(crate) baselines: Baselines,
    /// Tokens the model may read at once [default: its own context]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) context: Option<NonZeroUsize>,
    /// Seed of sampled texts
    #[arg(long, value_name = "N", default_value_t = 17)]
    pub(crate) seed: u64,
    /// Folder of results [default: RUNS/evaluations/MODEL]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// List the tasks and suites that can be named
    #[arg(long, conflicts_with = "model")]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) scoring: ForScoring,
}

/// A version of baselines.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Baselines {
    /// As published with the Gauntlet v0.3
    #[value(name = "v0.3")]
    V03,
    /// As DCLM corrected them
    #[value(name = "dclm-2025")]
    Dclm2025,
}

impl From<Baselines> for BaselineVersion {
    fn from(baselines: Baselines) -> Self {
        match baselines {
            Baselines::V03 => Self::V03,
            Baselines::Dclm2025 => Self::Dclm2025,
        }
    }
}

/// The commands as the help groups them.
const GROUPS: &[(&str, &[&str])] = &[
    ("Start", &["quickstart"]),
    ("Prepare", &["new", "world", "prepare", "plan"]),
    ("Run", &["run", "eval"]),
    ("Read", &["report", "serve", "show", "doctor"]),
];

/// Commands that are used once: only the long help names them.
const ONCE: &[&str] = &["seal", "completions", "man"];

impl Arguments {
    fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut arguments = Self::from_arg_matches(matches)?;
        arguments.place.recompute = arguments.command.training().recompute;
        let typed = |name: &str| {
            let of_command = matches.subcommand().map(|(_, matches)| matches);
            of_command.and_then(|m| m.value_source(name)) == Some(ValueSource::CommandLine)
        };
        if let Some(folder) = arguments.command.folder() {
            arguments.place.lie_in(&folder, typed);
        }
        Ok(arguments)
    }

    /// Reads the command line; prints help or what is wrong with it, and exits, where that is all
    /// there is to do.
    pub(crate) fn read() -> Self {
        let typed: Vec<OsString> = std::env::args_os().collect();
        Self::parsed(&typed).unwrap_or_else(|error| error.exit())
    }

    fn parsed(typed: &[OsString]) -> Result<Self, clap::Error> {
        let parse = |typed: &[OsString]| Self::of(&command().try_get_matches_from(typed)?);
        parse(typed).map_err(|error| {
            // What is wrong is said of what was typed, which must not act on the terminal.
            let shown = |word: &OsString| printable(&word.to_string_lossy()).into_owned().into();
            let shown: Vec<OsString> = typed.iter().map(shown).collect();
            crate::failure::with_meant(parse(&shown).err().unwrap_or(error), &command())
        })
    }
}

/// The command line with its commands grouped: clap lists them in one piece.
///
/// Help, completions and man pages are all made from it.
pub(crate) fn command() -> clap::Command {
    let command = Arguments::command();
    let line = |name: &str| {
        let found = command.find_subcommand(name).expect("the groups name real commands");
        let about = found.get_about().expect("every command is described");
        format!("  {name:<WIDTH$}{about}\n")
    };
    let mut template = "{about}\n\n{usage-heading} {usage}\n".to_owned();
    for (group, names) in GROUPS {
        let _ = writeln!(template, "\n{group}");
        template.extend(names.iter().map(|name| line(name)));
    }
    template.push_str("\nOptions\n{options}{after-help}");
    let once: String = ONCE.iter().map(|name| line(name)).collect();
    let more = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    command.help_template(template).after_long_help(format!("Once\n{once}\n{more}"))
}

/// Columns of the names of commands.
const WIDTH: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn what_trains_and_scores_can_be_typed() {
        let typed =
            ["sparkjoy", "run", "a/b.toml", "--threads", "3", "--mixed-engines", "--recompute"];
        let commands = ["--engine", "python3 e.py {job}", "--worker", "w '{model}' x"];
        let matches = command().get_matches_from(typed.iter().chain(&commands));
        let Arguments { command, place } = Arguments::of(&matches).unwrap();
        let Command::Run { with, .. } = command else { panic!("{command:?}") };
        let resources = with.resources(&place);
        assert_eq!(resources.engine.unwrap(), ["python3", "e.py", "{job}"]);
        assert_eq!(resources.worker.unwrap(), ["w", "{model}", "x"]);
        assert!(resources.mixed_engines && resources.threads == 3 && resources.recompute);
    }

    #[test]
    fn folders_lie_beside_the_study_unless_they_are_named() {
        let folders = |typed: &str| {
            let matches = command().get_matches_from(typed.split(' '));
            let Place { prepared, runs, .. } = Arguments::of(&matches).unwrap().place;
            [prepared, runs].map(|folder| folder.display().to_string())
        };
        assert_eq!(folders("sparkjoy run study.toml"), ["prepared", "runs"]);
        assert_eq!(folders("sparkjoy plan a/study.toml"), ["a/prepared", "a/runs"]);
        assert_eq!(folders("sparkjoy report /a/study.toml --runs r"), ["/a/prepared", "r"]);
        assert_eq!(folders("sparkjoy --prepared p prepare a/study.toml"), ["p", "a/runs"]);
        assert_eq!(folders("sparkjoy quickstart q"), ["q/prepared", "q/runs"]);
        assert_eq!(folders("sparkjoy eval a/model"), ["prepared", "runs"]);
    }

    #[test]
    fn what_is_typed_does_not_act_on_the_terminal() {
        let typed = ["sparkjoy", "run\u{1b}[2J"].map(OsString::from);
        let said = Arguments::parsed(&typed).unwrap_err().to_string();
        assert!(said.contains(r"run\u{1b}[2J") && !said.contains('\u{1b}'), "{said:?}");
        // A path may hold anything.
        let typed = ["sparkjoy", "plan", "a\u{1b}b.toml"].map(OsString::from);
        assert!(Arguments::parsed(&typed).is_ok());
    }

    #[test]
    fn every_command_stands_in_one_group() {
        let mut grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| names.to_vec()).collect();
        grouped.extend(ONCE);
        let command = command();
        let mut all: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
        grouped.sort_unstable();
        all.sort_unstable();
        assert_eq!(grouped, all);
    }

    #[test]
    fn every_command_has_an_example() {
        for command in command().get_subcommands() {
            let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            let typed = format!("sparkjoy {}", command.get_name());
            assert!(help.contains("Example") && help.contains(&typed), "{typed}: {help}");
        }
    }
}
