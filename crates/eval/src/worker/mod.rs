//! A language model that another program computes: a worker process behind pipes.
//!
//! The contract is `docs/engines.md`. Everything a worker sends is checked: sizes
//! before anything of that size is allocated, counts and numbers before they are used. After an
//! error a worker is not asked again.

mod calls;
mod message;
mod process;

use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sparkjoy_spec::{Computed, LanguageModelError, LanguageModelInfo, OUR_KERNELS, Promise};

use self::message::{
    LARGEST_HEADER, LARGEST_SIZE, MAGIC, PREFIX, Reply, VERSION, expect_bytes, lengths,
};
use self::process::{Process, Silence};

/// How long a worker may be silent on both outputs, usually: a large model is loaded from a slow
/// disk in that time.
pub const PATIENCE: Duration = Duration::from_mins(10);
/// Characters of what a worker says that are shown.
const SHOWN: usize = 300;

/// A worker process and the model it has.
#[derive(Debug)]
pub struct Worker<'a> {
    /// How it was started, for messages.
    command: String,
    process: Process<'a>,
    info: LanguageModelInfo,
    computed: Computed,
    broken: Option<LanguageModelError>,
}

/// Why an exchange came to no end.
enum Fault {
    /// What is wrong and what to do about it.
    Wrong { why: String, hint: String },
    /// We are told to stop.
    Stopped,
}

impl Fault {
    fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Wrong { why: why.into(), hint: hint.into() }
    }

    /// An answer that breaks the contract.
    fn lie(why: impl Into<String>) -> Self {
        Self::new(why, "correct the worker: `docs/engines.md` says what it must answer")
    }
}

impl<'a> Worker<'a> {
    /// Starts a worker and waits until its model is loaded.
    ///
    /// - `patience`: how long it may be silent on both outputs; [`PATIENCE`] if nothing speaks for
    ///   another one.
    /// - `stop`: set to wait for no answer any longer.
    ///
    /// # Guarantees
    ///
    /// The worker, and whatever it started in its process group, ends when this is dropped and when
    /// this process ends in any other way.
    ///
    /// # Errors
    ///
    /// If it cannot be started, ends, is silent too long, or says what the contract does not allow;
    /// [`LanguageModelError::stopped`] if it is told to stop, here as in every call.
    pub fn start(
        command: Command,
        patience: Duration,
        stop: &'a AtomicBool,
    ) -> Result<Self, LanguageModelError> {
        let program = command.get_program().to_owned();
        let words = std::iter::once(&*program).chain(command.get_args());
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        let line = words.join(" ");
        let process = Process::start(command, patience, stop).map_err(|error| {
            let why = format!("cannot start the worker `{line}`: {error}");
            let hint = format!("install `{}`, or correct its path", program.display());
            LanguageModelError::new(why, Some(hint))
        })?;
        // Until it has said what it has.
        let (kernel, promise) = (String::new(), Promise::WithinNoise);
        let info = LanguageModelInfo { vocab: 0, context: 0, kernel, promise };
        let mut worker =
            Self { command: line, process, info, computed: Computed::default(), broken: None };
        worker.info = worker.sound(Self::hello)?;
        Ok(worker)
    }

    /// What the worker says first.
    fn hello(&mut self) -> Result<LanguageModelInfo, Fault> {
        let (reply, arrays) = self.header()?;
        let Reply::Hello { version, vocab, context, kernel, promise } = reply else {
            return Err(Fault::lie(format!("said `{}` first, expected `hello`", reply.name())));
        };
        if version != VERSION {
            let why = format!("speaks version {version} of the contract, expected {VERSION}");
            return Err(Fault::new(why, "use a worker of this version, or another sparkjoy"));
        }
        for (what, found, least) in [("vocab", vocab, 1), ("context", context, 2)] {
            if !(least..=LARGEST_SIZE).contains(&found) {
                let why = format!("says `{what}` is {found}, expected {least} to {LARGEST_SIZE}");
                return Err(Fault::lie(why));
            }
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if !(1..=80).contains(&kernel.len()) || !kernel.chars().all(plain) {
            let why = format!(
                "says `kernel` is {kernel:?}, expected 1 to 80 letters, digits, `.`, `_` and `-`"
            );
            return Err(Fault::lie(why));
        }
        if OUR_KERNELS.contains(&&*kernel) {
            let ours = OUR_KERNELS.join(", ");
            let why = format!("says `kernel` is {kernel:?}, expected none of our own: {ours}");
            return Err(Fault::lie(why));
        }
        expect_bytes(arrays, 0)?;
        let (vocab, context) = (vocab as usize, context as usize);
        Ok(LanguageModelInfo { vocab, context, kernel, promise })
    }

    /// Runs one exchange. After a fault none is begun again.
    fn sound<T>(
        &mut self,
        exchange: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, LanguageModelError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        exchange(self).map_err(|fault| {
            let Fault::Wrong { why, hint } = fault else {
                let error = LanguageModelError::stopped();
                self.broken = Some(error.clone());
                return error;
            };
            let last = self.process.last_lines();
            let last = if last.is_empty() {
                "it wrote nothing to standard error".to_owned()
            } else {
                format!("the end of its standard error:{last}")
            };
            let why = format!("the worker `{}` {why}; {last}", self.command);
            let error = LanguageModelError::new(why, Some(hint));
            self.broken = Some(error.clone());
            error
        })
    }

    fn receive(&mut self, count: usize) -> Result<Vec<u8>, Fault> {
        self.process.receive(count).map_err(|silence| {
            let begun = self.process.pending();
            // Less than a prefix may be all that a program says that is no worker.
            let is_nonsense = !begun.is_empty() && count == PREFIX && !begun.starts_with(MAGIC);
            match silence {
                Silence::Stopped => Fault::Stopped,
                _ if is_nonsense => nonsense(begun),
                Silence::Ended(status) => {
                    let how = match status {
                        Some(status) => format!("ended ({status})"),
                        None => "closed its standard output".to_owned(),
                    };
                    Fault::new(
                        format!("{how} before it had answered"),
                        "see what it wrote to standard error; run its command by itself to try it",
                    )
                }
                Silence::Hangs => Fault::new(
                    format!("was silent for {} seconds", self.process.patience().as_secs_f64()),
                    "see where it hangs; one that loads for longer must show progress on standard \
                     error",
                ),
            }
        })
    }

    /// The header of the next message and the bytes of its arrays, which are still to come.
    fn header(&mut self) -> Result<(Reply, u64), Fault> {
        let prefix = self.receive(PREFIX)?;
        let Some((header, arrays)) = lengths(&prefix) else { return Err(nonsense(&prefix)) };
        if header > LARGEST_HEADER {
            let why = format!("announces a header of {header} bytes, at most {LARGEST_HEADER}");
            return Err(Fault::lie(why));
        }
        let header = self.receive(header as usize)?;
        let reply = serde_json::from_slice(&header).map_err(|error| {
            let header = String::from_utf8_lossy(&header);
            Fault::lie(format!("sent the header `{}`: {error}", shown(&header)))
        })?;
        match reply {
            Reply::Error { error } => Err(Fault::new(
                format!("says: {}", shown(&error)),
                "see what it wrote to standard error",
            )),
            reply => Ok((reply, arrays)),
        }
    }
}

/// Something else than a message on standard output.
fn nonsense(bytes: &[u8]) -> Fault {
    let found = String::from_utf8_lossy(bytes);
    let why = format!(
        "wrote {:?} to standard output where a message begins, expected `{}`",
        shown(&found),
        String::from_utf8_lossy(MAGIC)
    );
    Fault::new(why, "print everything for people to standard error, also what libraries print")
}

/// The beginning of what a worker said, or all of it.
fn shown(text: &str) -> &str {
    let end = text.char_indices().nth(SHOWN).map_or(text.len(), |(end, _)| end);
    &text[..end]
}
