//! The language models that are scored: computed here, or by a worker process.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use sparkjoy_eval::{EvalError, LanguageModel, LanguageModelError, PATIENCE, Worker};
use sparkjoy_train::ModelFolder;

use crate::error::JobError;
use crate::resources::Resources;

/// What in the arguments of a worker becomes the path of the model folder.
const MODEL: &str = "{model}";

/// The model in a folder, loaded.
///
/// - `batch`: sequences whose losses are computed at a time, at most; a worker chooses its own.
/// - `stop`: set to wait for no answer of a worker any longer.
///
/// # Errors
///
/// If its weights cannot be read, or the worker cannot be started or has another model.
pub(crate) fn language_model<'a>(
    model: &'a ModelFolder,
    batch: usize,
    resources: &Resources,
    stop: &'a AtomicBool,
) -> Result<Box<dyn LanguageModel + 'a>, JobError> {
    if let Some(argv) = &resources.worker {
        return Ok(Box::new(worker(argv, model, stop).map_err(EvalError::from)?));
    }
    let mut ours = model.language_model(batch, resources.threads);
    // No sequences: only loads it.
    ours.score(&[]).map_err(EvalError::from)?;
    Ok(Box::new(ours))
}

/// A worker that has the model of a folder.
fn worker<'a>(
    argv: &[String],
    model: &ModelFolder,
    stop: &'a AtomicBool,
) -> Result<Worker<'a>, LanguageModelError> {
    let worker = Worker::start(command(argv, model.path())?, PATIENCE, stop)?;
    let (info, shape) = (worker.info(), model.shape());
    for (what, found, expected) in
        [("vocab", info.vocab, shape.vocab), ("context", info.context, shape.context)]
    {
        if found != expected {
            let why = format!(
                "the worker `{}` says `{what}` is {found}, expected {expected} as in `{}`",
                argv.join(" "),
                model.path().display()
            );
            let hint = "correct the worker: it must load the folder that its command names";
            return Err(LanguageModelError::new(why, Some(hint.to_owned())));
        }
    }
    Ok(worker)
}

/// The command with the folder in its place.
fn command(argv: &[String], folder: &Path) -> Result<Command, LanguageModelError> {
    let Some((program, arguments)) =
        argv.split_first().filter(|_| argv.iter().any(|argument| argument.contains(MODEL)))
    else {
        let why = format!("the command of the worker has no `{MODEL}`: `{}`", argv.join(" "));
        let hint = "type `--worker 'python worker.py {model}'`: `{model}` becomes the folder";
        return Err(LanguageModelError::new(why, Some(hint.to_owned())));
    };
    let Some(folder) = folder.to_str() else {
        let why = format!("`{}` is not UTF-8, and the command of a worker is", folder.display());
        let hint = "move the runs to another folder";
        return Err(LanguageModelError::new(why, Some(hint.to_owned())));
    };
    let mut command = Command::new(program);
    command.args(arguments.iter().map(|argument| argument.replace(MODEL, folder)));
    Ok(command)
}
