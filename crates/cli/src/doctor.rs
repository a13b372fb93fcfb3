//! `doctor`: what this machine can do, and what will be slow on it.

use std::fmt::Write;
use std::thread::available_parallelism;

use serde::Serialize;
use sparkjoy_base::{bytes, quantity, thousands};
use sparkjoy_jobs::Programs;
use sparkjoy_nn::{
    Compute, Throughput, cpu_features, instruction_set_of, instruction_sets, measure,
};
use sparkjoy_report::{Table, wrap};
use sparkjoy_spec::{Precision, Shape};

use crate::args::Place;
use crate::failure::Failure;
use crate::machine::{self, MainMemory};
use crate::output::{Output, print, print_json};

/// Small enough to be timed in a second, large enough that products dominate.
const SHAPE: Shape =
    Shape { layers: 4, width: 256, heads: 4, context: 256, vocab: 4096, clip_qkv: None };
const BATCH: usize = 4;

/// Less free memory than this is said: a model of ten million parameters takes half of it.
const LITTLE_MEMORY: u64 = 512 << 20;
/// Less free disk than this is said: checkpoints of some branches of such a model.
const LITTLE_DISK: u64 = 2 << 30;

/// Everything `doctor` shows.
#[derive(Debug, Serialize)]
struct Machine {
    /// Cores that this process may use.
    cores: usize,
    /// All the machine has.
    cores_there: Option<usize>,
    threads: usize,
    memory: Option<MainMemory>,
    /// The folder of runs, and what is free on its disk.
    runs: String,
    disk_free: Option<u64>,
    /// Sets of instructions that matter, and those of them that are missing.
    instructions: Vec<&'static str>,
    instructions_missing: Vec<&'static str>,
    /// What this machine can compute on, fastest first.
    kernels: Vec<&'static str>,
    gpu: String,
    /// Whether this program was built to be debugged.
    debug_build: bool,
    /// How programs that a model writes would be confined, or why they cannot be.
    sandbox: String,
    speeds: Vec<Speed>,
    slow: Vec<String>,
}

/// A training step of the small model in one precision.
#[derive(Debug, Serialize)]
struct Speed {
    precision: Precision,
    kernel: &'static str,
    tokens_per_second: f64,
    gflops_per_second: f64,
    /// Whether a step was timed; else it is scaled from a smaller model's.
    timed_step: bool,
}

/// Shows what this machine can do. Writes nothing.
///
/// # Errors
///
/// [`Failure::Print`].
pub(crate) fn show(place: &Place) -> Result<(), Failure> {
    let (present, missing): (Vec<_>, Vec<_>) =
        cpu_features().into_iter().partition(|set| set.present);
    let mut machine = Machine {
        cores: available_parallelism().map_or(1, usize::from),
        cores_there: machine::cores(),
        threads: place.threads(),
        memory: machine::memory(),
        runs: place.runs.display().to_string(),
        disk_free: machine::disk_free(&place.runs),
        instructions: present.iter().map(|set| set.name).collect(),
        instructions_missing: missing.iter().map(|set| set.name).collect(),
        kernels: instruction_sets(),
        gpu: gpu(machine::gpu()),
        debug_build: cfg!(debug_assertions),
        sandbox: sandbox(),
        speeds: [Precision::Fp32, Precision::Bf16].map(|p| speed(p, place.threads())).into(),
        slow: Vec::new(),
    };
    machine.slow = slow(&machine);
    match place.output() {
        Output::Json => print_json(&machine),
        Output::Text => print(&render(&machine)),
    }
}

fn gpu(driver: Option<&str>) -> String {
    match driver {
        None => "none found: this version computes on the CPU".to_owned(),
        Some(name) => format!("{name}, found and not used: this version computes on the CPU"),
    }
}

/// What confines programs that a model writes.
fn sandbox() -> String {
    match Programs::run_by(false).sandbox().and_then(|sandbox| sandbox.probe()) {
        Ok(probe) => format!("Python {} behind {}", probe.python, probe.layers.join(", ")),
        Err(error) => format!("none, so human-eval is refused: {error}"),
    }
}

fn speed(precision: Precision, threads: usize) -> Speed {
    let compute = Compute { precision, recompute: false, threads };
    let Throughput { tokens_per_second, timed_step, .. } = measure(SHAPE, BATCH, compute);
    let flops_per_token = SHAPE.flops(1) as f64 / SHAPE.context as f64;
    Speed {
        precision,
        kernel: instruction_set_of(precision),
        tokens_per_second,
        gflops_per_second: tokens_per_second * flops_per_token / 1e9,
        timed_step,
    }
}

/// What will be slow here, and why.
fn slow(machine: &Machine) -> Vec<String> {
    let mut slow = Vec::new();
    if machine.debug_build {
        slow.push(
            "everything: this is a debug build; `cargo install --path crates/cli` makes a fast one"
                .to_owned(),
        );
    }
    let kernel = |precision| machine.speeds.iter().find(|s| s.precision == precision);
    if let (Some(bf16), Some(fp32)) = (kernel(Precision::Bf16), kernel(Precision::Fp32)) {
        if bf16.kernel == fp32.kernel {
            slow.push(format!(
                "bf16 gains little here: {} has no products of its own for it",
                bf16.kernel
            ));
        }
        if fp32.kernel == "portable" {
            slow.push("everything: none of the hand-written kernels runs here".to_owned());
        }
    }
    if machine.threads < machine.cores {
        let (threads, cores) = (machine.threads, machine.cores);
        slow.push(format!("training: {threads} of {cores} cores are used, as `--threads` says"));
    }
    if machine.threads > machine.cores {
        let (threads, cores) = (machine.threads, machine.cores);
        slow.push(format!("training: {threads} threads wait for each other on {cores} cores"));
    }
    if let Some(memory) = machine.memory {
        if memory.free < LITTLE_MEMORY {
            slow.push(format!(
                "larger models: only {} of memory is free; `sparkjoy plan` says what a study needs",
                bytes(memory.free)
            ));
        }
        if memory.swapped > memory.free {
            slow.push(format!("programs wait for the disk: {} are swapped", bytes(memory.swapped)));
        }
    }
    if let Some(free) = machine.disk_free.filter(|free| *free < LITTLE_DISK) {
        slow.push(format!(
            "saving: the disk is nearly full, {} are free for runs; `--runs` names another place",
            bytes(free)
        ));
    }
    slow
}

fn render(machine: &Machine) -> String {
    let unknown = || "unknown".to_owned();
    let list = |names: &[&str]| if names.is_empty() { "–".to_owned() } else { names.join(", ") };
    let lines = [
        (
            "cores",
            match machine.cores_there.filter(|&there| there > machine.cores) {
                None => machine.cores.to_string(),
                Some(there) => format!("{} of {there}: a limit on this process", machine.cores),
            },
        ),
        (
            "memory",
            machine.memory.map_or_else(unknown, |memory| {
                let limit = if memory.limited { " (a limit on this process)" } else { "" };
                format!("{}{limit}, {} of it free", bytes(memory.total), bytes(memory.free))
            }),
        ),
        (
            "disk",
            machine.disk_free.map_or_else(unknown, |free| {
                format!("{} free where runs go (`{}`)", bytes(free), machine.runs)
            }),
        ),
        ("instructions", list(&machine.instructions)),
        ("  missing", list(&machine.instructions_missing)),
        ("kernels", format!("{} (fastest first)", machine.kernels.join(", "))),
        ("GPU", machine.gpu.clone()),
        ("sandbox", machine.sandbox.clone()),
    ];
    let mut text = String::new();
    for (what, found) in lines {
        let lines = wrap(&found).join("\n              ");
        let _ = writeln!(text, "{what:<14}{lines}");
    }
    let plural = if machine.threads == 1 { "" } else { "s" };
    let _ = write!(
        text,
        "\ntraining a model of {} parameters, context {}, on {} thread{plural}\n\n{}",
        thousands(SHAPE.parameters()),
        SHAPE.context,
        machine.threads,
        speeds(machine).text()
    );
    if !machine.slow.is_empty() {
        text.push_str("\nslow here\n\n");
        for reason in &machine.slow {
            let _ = writeln!(text, "- {reason}");
        }
    }
    text
}

fn speeds(machine: &Machine) -> Table {
    let mut table = Table::new(["<precision", "<kernel", "tokens/s", "GFLOP/s", "<"]);
    for speed in &machine.speeds {
        table.row([
            speed.precision.to_string(),
            speed.kernel.to_owned(),
            quantity(speed.tokens_per_second as u64),
            format!("{:.0}", speed.gflops_per_second),
            if speed.timed_step { "timed" } else { "from matrix products" }.to_owned(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine that is the same wherever the test runs.
    fn machine(kernels: [&'static str; 2]) -> Machine {
        let [fp32, bf16] = kernels;
        let speed = |precision, kernel, tokens_per_second| Speed {
            precision,
            kernel,
            tokens_per_second,
            gflops_per_second: tokens_per_second / 100.0,
            timed_step: true,
        };
        let mut machine = Machine {
            cores: 8,
            cores_there: Some(8),
            threads: 2,
            memory: Some(MainMemory {
                total: 64 << 30,
                free: 48 << 30,
                swapped: 0,
                limited: false,
            }),
            runs: "runs".to_owned(),
            disk_free: Some(120 << 30),
            instructions: vec!["AVX2", "FMA"],
            instructions_missing: vec!["AVX-512", "AVX-512 bf16"],
            kernels: vec!["avx2", "portable"],
            sandbox: "Python 3.11.7 behind user namespace, seccomp".to_owned(),
            gpu: gpu(None),
            debug_build: false,
            speeds: vec![
                speed(Precision::Fp32, fp32, 5_123.0),
                speed(Precision::Bf16, bf16, 5_012.0),
            ],
            slow: Vec::new(),
        };
        machine.slow = slow(&machine);
        machine
    }

    #[test]
    fn the_machine_fits_a_screen() {
        let text = render(&machine(["avx2", "avx2"]));
        let plain = anstream::adapter::strip_str(&text).to_string();
        insta::assert_snapshot!(plain, @"
        cores         8
        memory        64.0 GiB, 48.0 GiB of it free
        disk          120 GiB free where runs go (`runs`)
        instructions  AVX2, FMA
          missing     AVX-512, AVX-512 bf16
        kernels       avx2, portable (fastest first)
        GPU           none found: this version computes on the CPU
        sandbox       Python 3.11.7 behind user namespace, seccomp

        training a model of 4,196,608 parameters, context 256, on 2 threads

        precision  kernel  tokens/s  GFLOP/s
        fp32       avx2       5.12K       51  timed
        bf16       avx2       5.01K       50  timed

        slow here

        - bf16 gains little here: avx2 has no products of its own for it
        - training: 2 of 8 cores are used, as `--threads` says
        ");
    }

    #[test]
    fn what_is_slow_follows_from_the_kernels() {
        let slow = |kernels| machine(kernels).slow;
        assert_eq!(slow(["avx512", "avx512bf16"]).len(), 1, "threads only");
        assert!(slow(["portable", "portable"])[1].starts_with("everything"));
    }

    #[test]
    fn what_is_short_or_limited_is_said() {
        let mut machine = machine(["avx512", "avx512bf16"]);
        machine.cores = 2;
        machine.threads = 4;
        machine.memory =
            Some(MainMemory { total: 1 << 30, free: 100 << 20, swapped: 200 << 20, limited: true });
        machine.disk_free = Some(1 << 20);
        machine.debug_build = true;
        machine.gpu = gpu(Some("NVIDIA"));
        machine.slow = slow(&machine);
        let text = render(&machine);
        let plain = anstream::adapter::strip_str(&text).to_string();
        let lines: Vec<&str> = plain.lines().filter(|line| !line.contains("fp32")).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        cores         2 of 8: a limit on this process
        memory        1.0 GiB (a limit on this process), 100 MiB of it free
        disk          1.0 MiB free where runs go (`runs`)
        instructions  AVX2, FMA
          missing     AVX-512, AVX-512 bf16
        kernels       avx2, portable (fastest first)
        GPU           NVIDIA, found and not used: this version computes on the CPU
        sandbox       Python 3.11.7 behind user namespace, seccomp

        training a model of 4,196,608 parameters, context 256, on 4 threads

        precision  kernel      tokens/s  GFLOP/s
        bf16       avx512bf16     5.01K       50  timed

        slow here

        - everything: this is a debug build; `cargo install --path crates/cli` makes a fast one
        - training: 4 threads wait for each other on 2 cores
        - larger models: only 100 MiB of memory is free; `sparkjoy plan` says what a study needs
        - programs wait for the disk: 200 MiB are swapped
        - saving: the disk is nearly full, 1.0 MiB are free for runs; `--runs` names another place
        ");
    }
}
