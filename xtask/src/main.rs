//! What developers run: the whole check, benchmarks, golden numbers.
//!
//! Nothing here is part of the product. The rules of the house (`tidy`) are tests of this crate,
//! so that `cargo test` alone finds what breaks them.
#![expect(clippy::print_stderr, reason = "a program for developers, its output is its purpose")]

mod audit;
mod bench;
mod ci;
mod command;
mod python;
mod random;
mod sanitize;
#[cfg(test)]
mod tidy;
mod torture;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

  ci                        format, lints, tests, short torture: what .ci/run runs
  bench [mix|data|engine]   benchmarks of one crate, or of all three
  bench engine [OPTIONS]    against PyTorch: --shapes 10M,125M, --rounds N, --threads N,
                            --engines eager,bf16, --json FILE, --peers (Burn and Candle too)
  bench eval MODEL DATA     items/s of tasks against transformers; DATA: the folder of task files
  audit statistics          how often whole studies mark what is not there; 15 minutes
  torture [OPTIONS]         kills, disk errors, damage, fuzzing of a small study: --short (half a
                            minute), --every N (of its disk operations; 0: none), --damages N,
                            --seconds N (of each reader), --output FILE
  sanitize                  the engine's tests under AddressSanitizer
  golden                    make the golden numbers again, in a throw-away Python environment
  parity                    check against transformers, tiktoken and PyTorch, in one too
  parity tasks MODEL DATA   scores on tasks against transformers and lm-evaluation-harness";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["ci"] => ci::run(),
        ["bench"] => bench::run_crates(&bench::CRATES),
        ["bench", "engine", options @ ..] => bench::engine(options),
        ["bench", "eval", model, data] => python::task_speed(model, data),
        ["bench", name] if bench::CRATES.contains(name) => bench::run_crates(&[name]),
        ["audit", "statistics"] => audit::statistics(),
        ["torture", options @ ..] => torture::run(options),
        [torture::TRACER | torture::TRACEE, ..] => match torture::hidden(&words) {
            Ok(code) => return code,
            Err(failed) => Err(failed),
        },
        ["sanitize"] => sanitize::run(),
        ["golden"] => python::golden(),
        ["parity"] => python::parity(),
        ["parity", "tasks", model, data] => python::task_parity(model, data),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("\nerror: {failed}");
            ExitCode::FAILURE
        }
    }
}
