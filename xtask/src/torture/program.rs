//! Runs the program once, within limits of time and memory, and says how it ended.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::Failed;

/// A run of a study takes less than a second; what takes longer than this hangs.
pub(super) const LIMIT: Duration = Duration::from_secs(40);
/// KiB of address space: far more than a small study needs, far less than a machine has.
const MEMORY_KIB: u64 = 8 << 20;

/// How a run of the program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// Exit code; none where a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// It was ended because it took longer than [`LIMIT`].
    pub(super) hangs: bool,
}

impl Ended {
    /// Whether it crashed: a panic, also one that was caught, or a signal that nobody sent.
    pub(super) fn is_panic(&self) -> bool {
        let crashed = !self.hangs && self.code.is_none_or(|code| code == 101 || code > 128);
        crashed || self.stderr.contains("panicked at") || self.stderr.contains("RUST_BACKTRACE")
    }

    pub(super) fn is_done(&self) -> bool {
        self.code == Some(0)
    }

    /// Whether the message says which file it is about.
    pub(super) fn names(&self, path: &Path) -> bool {
        let name = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
        let said = |name: &String| self.stderr.contains(name);
        // A folder of ours, whose files belong together, is named as a whole. It has an id.
        let folder = path.parent().and_then(name).filter(|name| name.contains('-'));
        name(path).as_ref().is_some_and(said) || folder.as_ref().is_some_and(said)
    }
}

/// The program under test, beside this one.
///
/// # Errors
///
/// [`Failed`] if nobody knows where that is.
pub(super) fn program() -> Result<PathBuf, Failed> {
    let ours = std::env::current_exe().map_err(|e| Failed(format!("cannot find myself: {e}")))?;
    Ok(ours.with_file_name("sparkjoy"))
}

/// A command of the program, at most as large as [`MEMORY_KIB`].
///
/// - `before`: what runs it, if anything.
pub(super) fn command(
    before: &[String],
    program: &Path,
    arguments: &str,
    folder: &Path,
) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -c 0; ulimit -v {MEMORY_KIB}; exec \"$@\""), "sh"]);
    command.args(before).arg(program).args(arguments.split(' ')).current_dir(folder);
    // What the developer's shell says about task files is not what is tested.
    command.env_remove("SPARKJOY_EVAL_DATA");
    command
}

/// Runs a command to its end, or to the limit of time. The name of its folder is taken out of what
/// it says.
///
/// # Errors
///
/// [`Failed`] if it cannot be started.
pub(super) fn run(command: &mut Command) -> Result<Ended, Failed> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let shown = format!("{command:?}");
    let failed = |e: std::io::Error| Failed(format!("cannot run {shown}: {e}"));
    let mut child = command.spawn().map_err(failed)?;
    let begin = Instant::now();
    let readers = (child.stdout.take().map(read), child.stderr.take().map(read));
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break Some(status);
        }
        if begin.elapsed() > LIMIT {
            // It may have ended just now.
            let _ = child.kill();
            child.wait().map_err(failed)?;
            break None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(8));
    };
    let folder = command.get_current_dir().unwrap_or(Path::new("")).display().to_string();
    let text = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        let bytes = reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace(&folder, ".")
    };
    let (stdout, stderr) = (text(readers.0), text(readers.1));
    Ok(Ended { code: status.and_then(|it| it.code()), stdout, stderr, hangs: status.is_none() })
}

fn read(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What a killed program had said is enough.
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: Option<i32>, stderr: &str) -> Ended {
        Ended { code, stdout: String::new(), stderr: stderr.to_owned(), hangs: false }
    }

    #[test]
    fn a_panic_is_known_by_code_signal_and_words() {
        assert!(ended(Some(101), "").is_panic() && ended(None, "").is_panic());
        assert!(ended(Some(2), "thread 'main' panicked at src/a.rs:3").is_panic());
        assert!(!ended(Some(2), "error: `a` was altered").is_panic());
    }

    #[test]
    fn a_file_is_named_by_its_name_or_its_folder() {
        let said = ended(Some(2), "error: `runs/trunk-1/step-000003/state.json` was altered");
        assert!(said.names(Path::new("runs/trunk-1/step-000003/state.json")));
        assert!(said.names(Path::new("runs/trunk-1/step-000003/DONE")));
        assert!(!said.names(Path::new("runs/trunk-2/scores-7.json")));
        assert!(!said.names(Path::new("runs/scores-7.json")));
    }

    #[test]
    fn what_a_program_says_and_how_it_ends_is_read() {
        let mut command = Command::new("sh");
        command.args(["-c", "pwd; echo no >&2; exit 2"]).current_dir("/");
        let ended = run(&mut command).unwrap();
        assert_eq!((ended.code, ended.stderr.as_str(), ended.hangs), (Some(2), "no\n", false));
    }
}
