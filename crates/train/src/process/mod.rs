//! The implementor of the port [`Engine`] that has a command train: `docs/engines.md` is its
//! contract, byte by byte.
//!
//! The port has two implementors, both in this crate: `LocalEngine`, and this one. The command is
//! handed a job file and writes metrics and checkpoints into a folder of its own while it runs.
//! All of it is checked against the plan before it is believed. Checkpoints are read, checked, and
//! written anew by us: what is sealed is what was checked.

mod child;
mod error;
mod job;
mod reply;
mod verify;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use sparkjoy_base::metadata;
use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_nn::Compute;
use sparkjoy_spec::{Engine, Job, OUR_KERNELS, Observer, Outcome, Promise, Signal};

pub use self::error::EngineError;

use self::child::{Trainer, last_lines};
use self::job::OpeningFolder;
use self::reply::{ENGINE, Refusal, Replies};
use self::verify::Held;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::run::{Opening, Run, opened, ordered};
use crate::run_folder::RunFolder;
use crate::{TrainError, disk, inputs};

/// How long nothing is looked for after nothing was found.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a command may take to end whose steps are all saved.
const ALL_SAVED: Duration = Duration::from_secs(5);

/// The folder, in a run folder, that a command works in; cleaned up like all that is half-written.
const WORK: &str = "engine.partial";
/// What a command printed last, in a run folder.
const LOG: &str = "engine.log";

/// Has a command train.
#[derive(Clone, Copy, Debug)]
pub struct ProcessEngine<'a> {
    /// The program and its arguments; `{job}` in one of them becomes the path of the job file.
    pub argv: &'a [String],
    /// The sources that specs name, in any order.
    pub corpora: &'a [Corpus],
    /// The tokenizer the sources were encoded with; saved with every checkpoint.
    pub tokenizer: &'a Tokenizer,
    /// How long the command may take to save and end once it is asked to. Then it is killed, and
    /// the steps since its last checkpoint are lost.
    pub grace: Duration,
    /// The engine that must train, and what it has computed of what this is compared with; none
    /// where any may.
    pub expected: Option<Expected<'a>>,
}

/// An engine that others were computed by.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The name it gives itself.
    pub name: &'a str,
    /// What it computed, for messages.
    pub computed: &'a str,
}

impl Engine for ProcessEngine<'_> {
    type Error = TrainError;

    /// Before a command has said more, no more than close numbers are expected of it.
    fn promise(&self) -> Promise {
        Promise::WithinNoise
    }

    fn run(&mut self, job: Job<'_>, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
        let Job { spec, target, .. } = job;
        let order = ordered(spec, target)?;
        let corpora = inputs::matched(spec, &order, self.corpora, self.tokenizer)?;
        let compute = Compute { precision: spec.precision, recompute: true, threads: 1 };
        let tokenizer = self.tokenizer;
        let run = Run { spec, order: &order, corpora: &corpora, tokenizer, target, compute };

        let keep: Vec<u64> = job.keep.iter().copied().chain([target]).collect();
        let mut folder = RunFolder::open(job.folder, spec, &keep)?;
        let Some(Opening { state, recorded, own }) = opened(run, &mut folder, job.start_from)?
        else {
            return Ok(Outcome::Done);
        };
        let held = Held::of(state);
        let last = folder.last();
        let metrics = Metrics::restore(job.folder, last, recorded, Promise::WithinNoise)?;
        let mut log = Log { run, folder, metrics };
        let opening = match own {
            Some(folder) => folder,
            None => log.save(held.numbers(run))?,
        };
        let work = job.folder.join(WORK);
        let result = self.train(run, held, &opening, log, observer, &work);
        if metadata(&work)?.is_some() {
            disk::remove(&work)?;
        }
        result
    }
}

impl ProcessEngine<'_> {
    /// Hands the job over and follows it to its end.
    fn train(
        &self,
        run: Run<'_>,
        held: Held,
        opening: &Path,
        log: Log<'_>,
        observer: &mut dyn Observer,
        work: &Path,
    ) -> Result<Outcome, TrainError> {
        let out = work.join("out");
        disk::create_folder(&out)?;
        let asked = log.folder.kept(held.step + 1..=run.target);
        let (step, optimizer_steps) = (held.step, held.optimizer.steps());
        let opening = OpeningFolder { folder: opening, step, optimizer_steps };
        let job = job::write(run, &opening, &asked, work, &out)?;
        let printed = log.folder.path().join(LOG);
        let trainer = Trainer::start(self.argv, &job::text(&job)?, &printed)?;
        let mut session = Session {
            run,
            at: held.step,
            held,
            log,
            expected: self.expected,
            trainer,
            replies: Replies::new(out),
            named: false,
            is_saving: false,
            asked_to_stop: None,
        };
        match session.follow(observer, self.grace) {
            Ok(outcome) => Ok(outcome),
            Err(Trouble::Train(error)) => Err(error),
            Err(trouble) => {
                let program = self.argv[0].clone();
                let step = session.held.step;
                // It has ended, or is ended now, before its last lines are read.
                drop(session);
                Err(trouble.told(program, step, run.target, printed))
            }
        }
    }
}

/// Why following a command ended early.
enum Trouble {
    Train(TrainError),
    Refused(Refusal),
    Ended(std::process::ExitStatus),
}

impl From<TrainError> for Trouble {
    fn from(error: TrainError) -> Self {
        Self::Train(error)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A command at work.
struct Session<'a> {
    run: Run<'a>,
    /// As of the last checkpoint that was taken.
    held: Held,
    at: u64,
    log: Log<'a>,
    expected: Option<Expected<'a>>,
    trainer: Trainer,
    replies: Replies,
    /// Whether the engine has named itself.
    named: bool,
    /// Whether a checkpoint was asked for and has not come.
    is_saving: bool,
    asked_to_stop: Option<Instant>,
}

impl Session<'_> {
    /// Takes what comes until the target's checkpoint is there or the command has ended.
    fn follow(&mut self, observer: &mut dyn Observer, grace: Duration) -> Result<Outcome, Trouble> {
        loop {
            // Looked at first: what an ended command wrote is all there.
            let ended = self.trainer.ended();
            let has_moved = self.take_all(observer)?;
            if self.held.step == self.run.target {
                self.trainer.wait(grace, observer);
                return Ok(Outcome::Done);
            }
            if let Some(status) = ended {
                return match self.asked_to_stop {
                    Some(_) => Ok(Outcome::Stopped { step: self.held.step }),
                    None => Err(Trouble::Ended(status)),
                };
            }
            // Where every step that was reported is saved there is little to wait for.
            let grace = if self.held.step == self.at { grace.min(ALL_SAVED) } else { grace };
            if self.asked_to_stop.is_some_and(|asked| asked.elapsed() > grace) {
                return Ok(Outcome::Stopped { step: self.held.step });
            }
            if !has_moved {
                thread::sleep(PAUSE);
                let signal = observer.waiting();
                self.pass_on(signal);
            }
        }
    }

    /// Takes every line and checkpoint that is there; returns whether there was one.
    fn take_all(&mut self, observer: &mut dyn Observer) -> Result<bool, Trouble> {
        if !self.named {
            // Looked at before the name: what comes first is there by then.
            let has_begun = self.replies.has_begun();
            let Some(greeting) = self.replies.greeting(&OUR_KERNELS)? else {
                if !has_begun {
                    return Ok(false);
                }
                let expected = format!("`{ENGINE}` before it");
                return Err(Refusal::new("`metrics.jsonl`", "a line", expected).into());
            };
            if let Some(Expected { name, computed }) =
                self.expected.filter(|e| e.name != greeting.name)
            {
                let (found, name, computed) = (greeting.name, name.to_owned(), computed.to_owned());
                let error = EngineError::Other { found, expected: name, computed };
                return Err(TrainError::from(error).into());
            }
            self.named = true;
            self.log.metrics.promised(greeting.promise());
            let (step, promise) = (self.held.step, greeting.promise());
            if let Some(change) = self.held.kernels.take_over(step, &greeting.name, promise) {
                observer.kernel_changed(&change);
            }
        }
        let mut has_moved = self.take_checkpoint()?;
        while self.at < self.run.target {
            let Some(mut record) = self.replies.line()? else { break };
            has_moved = true;
            // Before the first step after it, or not at all.
            self.take_checkpoint()?;
            if self.held.step < self.at && self.log.keeps(self.at) {
                let what = format!("no checkpoint of step {}", self.at);
                let expected = "it before the line of the next step";
                return Err(Refusal::new(what, "the next step", expected).into());
            }
            verify::record(self.run, self.at, &mut record)?;
            self.log.stepped(&record, observer)?;
            self.at += 1;
            let signal = observer.stepped(&record);
            self.pass_on(signal);
            self.take_checkpoint()?;
        }
        Ok(has_moved)
    }

    /// Takes the checkpoint of the last step reported, if it is there and was not taken.
    fn take_checkpoint(&mut self) -> Result<bool, Trouble> {
        if self.held.step == self.at {
            return Ok(false);
        }
        let Some(folder) = self.replies.checkpoint(self.at) else { return Ok(false) };
        let next = verify::checkpoint(self.run, &self.held, self.at, &folder)?;
        self.log.save(next.numbers(self.run))?;
        disk::remove(&folder).map_err(TrainError::from)?;
        (self.held, self.is_saving) = (next, false);
        Ok(true)
    }

    /// Tells the command what the observer wants.
    fn pass_on(&mut self, signal: Signal) {
        match signal {
            Signal::Continue => {}
            Signal::Save => {
                if !std::mem::replace(&mut self.is_saving, true) {
                    self.trainer.ask_to_save();
                }
            }
            Signal::Stop => {
                if self.asked_to_stop.is_none() {
                    self.asked_to_stop = Some(Instant::now());
                    self.trainer.ask_to_stop();
                }
            }
        }
    }
}

impl Trouble {
    /// The error that tells of it.
    fn told(self, program: String, step: u64, target: u64, log: PathBuf) -> TrainError {
        match self {
            Self::Train(error) => error,
            Self::Refused(Refusal { what, found, expected }) => {
                EngineError::Refused { program, what, found, expected, log }.into()
            }
            Self::Ended(status) => {
                let said = last_lines(&log);
                EngineError::Ended { program, status, step, target, said, log }.into()
            }
        }
    }
}
