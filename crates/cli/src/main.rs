//! Says it to a human: commands, progress, tables.
//!
//! This crate decides nothing. It reads what was typed, calls the crates below, shows what they
//! say, and turns how it ended into an exit code.

mod args;
mod command_line;
mod doctor;
mod eval;
mod failure;
mod interrupt;
mod item_place;
mod machine;
mod manual;
mod new;
mod output;
mod place;
mod plan;
mod prepare;
mod progress;
mod progress_tree;
mod quickstart;
mod report;
mod run;
mod seal;
mod serve;
mod show;
mod study;
mod truth;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use args::{Arguments, Command};
use failure::Failure;

fn main() -> ExitCode {
    // This program is also what confines the programs a model writes.
    let mut raw = std::env::args_os().skip(1);
    if raw.next().is_some_and(|first| first == sparkjoy_eval::HIDDEN_ARGUMENT) {
        sparkjoy_eval::confined(raw)
    }
    let arguments = Arguments::read();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}

fn dispatch(arguments: &Arguments) -> Result<(), Failure> {
    let place = &arguments.place;
    let stop = match &arguments.command {
        Command::New { .. } | Command::Prepare { .. } => interrupt::flag_that_ends(),
        Command::Quickstart { .. }
        | Command::World { .. }
        | Command::Run { .. }
        | Command::Eval(_)
        | Command::Seal { .. }
        | Command::Serve { .. } => interrupt::flag(),
        // These save nothing: the system ends them.
        _ => Arc::default(),
    };
    match &arguments.command {
        Command::Quickstart { folder, seed, full, .. } => {
            quickstart::quickstart(folder, *seed, *full, place, &stop)
        }
        Command::World { folder, seed, size } => world::write(folder, *seed, size.0, &stop),
        Command::New { file } => new::write(file, place, &stop),
        Command::Prepare { study } => prepare::prepare(study, place, &stop),
        Command::Plan { study, tasks, .. } => plan::show(study, tasks, place, &stop),
        Command::Run { study, job, with } => run::run(study, job.as_deref(), with, place, &stop),
        Command::Eval(of) => eval::eval(of, place, &stop),
        Command::Report { study, models } => report::show(study, models.as_deref(), place),
        Command::Serve { study, port } => serve::serve(study, *port, place, &stop),
        Command::Show(what) => show::show(what, place),
        Command::Doctor => doctor::show(place),
        Command::Seal { study, tasks } => seal::seal(study, tasks, place, &stop),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { dir } => manual::pages(dir.as_deref()),
    }
}
