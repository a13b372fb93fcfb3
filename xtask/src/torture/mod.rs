//! What a small study survives: kills and errors at its disk operations, damage to its files,
//! nonsense in what it reads.

mod damage;
mod faults;
mod fuzz;
mod mutate;
mod program;
mod study;
mod tally;
mod trace;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use self::tally::Tally;
pub(crate) use self::trace::{TRACEE, TRACER, hidden};
use crate::command::{self, Failed, cargo, root};

/// How much is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Amount {
    /// Which disk operations are disturbed: each that many-th.
    every: usize,
    damages: usize,
    /// For each reader.
    fuzzing: Duration,
    /// Where the results go besides the terminal.
    output: Option<PathBuf>,
}

/// One thing that was tried.
struct Trial {
    /// Its row in the table.
    row: String,
    what: String,
    outcome: tally::TrialOutcome,
    /// What the program said, or did wrong.
    why: String,
}

/// Where trials take place: in memory where there is a file system for that, since each of them
/// waits for a disk a hundred times.
struct Bench(PathBuf);

impl Bench {
    fn new() -> Result<Self, Failed> {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = place.join(format!("sparkjoy-torture-{}", std::process::id()));
        let failed = |e| Failed(format!("cannot make `{}`: {e}", folder.display()));
        fs::create_dir(&folder).map_err(failed)?;
        Ok(Self(folder))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // It is in memory, or below the folder that the system empties.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Tries all of it.
///
/// # Errors
///
/// [`Failed`] if an option is not understood, the program cannot be built, or anything came out as
/// it must not.
pub(crate) fn run(options: &[&str]) -> Result<(), Failed> {
    let amount = Amount::of(options)?;
    // As `cargo test` builds it, so that nothing is built a second time for the whole check.
    let build = ["test", "--workspace", "--locked", "--no-run", "--test", "study"];
    command::run(&cargo(), &build)?;
    let begin = Instant::now();
    let mut parts = Vec::new();
    if amount.every > 0 && !trace::IS_POSSIBLE {
        eprintln!("disk operations: left out, they are disturbed on Linux on x86-64 only");
    } else if amount.every > 0 {
        let trials = part("disk operations", |bench| faults::sweep(bench, amount.every))?;
        parts.push(("command and fault", trials));
    }
    if amount.damages > 0 {
        let trials = part("damages", |bench| damage::damages(bench, amount.damages))?;
        parts.push(("damage", trials));
    }
    if !amount.fuzzing.is_zero() {
        let trials = part("fuzzing", |bench| fuzz::readers(bench, amount.fuzzing))?;
        parts.push(("reader", trials));
    }
    let mut faults = 0;
    let mut tables = Vec::new();
    for (what, trials) in &parts {
        let mut tally = Tally::default();
        for trial in trials {
            tally.add(&trial.row, trial.outcome);
        }
        faults += tally.faults();
        tables.push(tally.table(what));
    }
    let spent = format!("{:.0} s", begin.elapsed().as_secs_f64());
    let tables = tables.join("\n");
    eprintln!("\n{tables}\n{spent}");
    if let Some(path) = &amount.output {
        let seconds = amount.fuzzing.as_secs_f64();
        let text = format!(
            "{HEAD}\n{tables}\n`--every {} --damages {} --seconds {seconds}`; {}, {}, {spent}.\n",
            amount.every,
            amount.damages,
            machine(),
            date()
        );
        fs::write(root().join(path), text)
            .map_err(|e| Failed(format!("cannot write `{}`: {e}", path.display())))?;
    }
    if faults == 0 { Ok(()) } else { Err(Failed(format!("{faults} came out as they must not"))) }
}

/// Makes one part's trials and says each that came out as it must not.
fn part(
    name: &str,
    trials: impl FnOnce(&Bench) -> Result<Vec<Trial>, Failed>,
) -> Result<Vec<Trial>, Failed> {
    let begin = Instant::now();
    let trials = trials(&Bench::new()?)?;
    eprintln!("{name}: {} tried in {:.0} s", trials.len(), begin.elapsed().as_secs_f64());
    Ok(trials)
}

/// Makes trials of all cases, one on each core at a time, each core in a folder of its own. Says
/// what came out as it must not as soon as it is known.
fn parallel<C: Sync>(
    bench: &Bench,
    cases: &[C],
    one: impl Fn(&C, &Path, &dyn Fn(Trial)) -> Result<(), Failed> + Sync,
) -> Result<Vec<Trial>, Failed> {
    let (next, trials) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let tell = |trial: Trial| {
        trial.tell();
        trials.lock().expect("no trial panics").push(trial);
    };
    let cores = thread::available_parallelism().map_or(1, Into::into);
    let work = |core: usize| {
        let folder = bench.folder(&format!("work-{core}"));
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            one(case, &folder, &tell)?;
        }
        Ok(())
    };
    let work = &work;
    let results: Vec<Result<(), Failed>> = thread::scope(|scope| {
        let works: Vec<_> = (0..cores).map(|core| scope.spawn(move || work(core))).collect();
        works.into_iter().map(|work| work.join().expect("no trial panics")).collect()
    });
    results.into_iter().collect::<Result<(), Failed>>()?;
    Ok(trials.into_inner().expect("no trial panics"))
}

impl Trial {
    fn tell(&self) {
        use tally::TrialOutcome;
        if self.outcome.is_fault() || self.outcome == TrialOutcome::Unnamed {
            eprintln!("{:?}: {}\n    {}", self.outcome, self.what, self.why.trim_end());
        }
    }
}

impl Amount {
    fn of(options: &[&str]) -> Result<Self, Failed> {
        let second = Duration::from_secs(1);
        let mut amount = Self { every: 1, damages: 2000, fuzzing: 600 * second, output: None };
        let mut rest = options.iter();
        while let Some(&option) = rest.next() {
            let wrong = || Failed(format!("`{option}` is not understood, or its value is not"));
            if option == "--short" {
                amount = Self { every: 250, damages: 40, fuzzing: second / 2, ..amount };
                continue;
            }
            let value = rest.next().ok_or_else(wrong)?;
            let number = || value.parse::<usize>().map_err(|_| wrong());
            match option {
                "--every" => amount.every = number()?,
                "--damages" => amount.damages = number()?,
                "--seconds" => amount.fuzzing = second * number()? as u32,
                "--output" => amount.output = Some(value.into()),
                _ => return Err(wrong()),
            }
        }
        Ok(amount)
    }
}

const HEAD: &str = "\
# What a study survives

A tiny study (two sources, a trunk, two branches, three tasks) is disturbed, and what comes of it is held byte for byte against what the
same study leaves undisturbed. The code is `xtask/src/torture`; the tables are printed by

```sh
cargo xtask torture --output docs/results/torture.md
```

- **Disk operations.** Each write, rename, sync, removal and creation of `prepare`, `run`, `report` and `eval` is met by a kill before
  it, a kill in the middle of a write, a write of half the bytes, a full disk (`ENOSPC`) and a broken one (`EIO`); then the same
  command is given again. Harmless: it goes on, or the next run ends in the same bytes. No file may stand half-written under its own
  name, and nothing `.partial` may be left after the next run. Linux on x86-64 only, by `ptrace`.
- **Damages.** A bit, a cut, two blocks swapped, a digit, no content, a line less: every file that the study leaves in turn, half of
  the damages to the finished study (`report`, then `run`), half to one whose branches are not trained yet (`run`, then `report`).
  Harmless: the file is not read, or not for numbers, and every result is the same. Repaired: it is written again as it was.
- **Fuzzing.** Valid files of each reader are changed (tokens, repeats, extremes, the damages above) and read by the program. Harmless:
  read, as text may be anything; prepared folders and checkpoints must give what they gave before.

*Silent* is another result, or one that the next run does not mend, and no word about it. A run that takes longer than 40 s hangs; one
that needs more than 8 GiB is refused memory, and its end then counts as a panic.
";

/// Processor, cores and system.
fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    format!("{model}, {cores} cores, {}", said("uname", &["-sr"]))
}

fn date() -> String {
    said("date", &["-u", "+%Y-%m-%d"])
}

/// What a command of the system prints.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |it| String::from_utf8_lossy(&it.stdout).trim().to_owned(),
    )
}
