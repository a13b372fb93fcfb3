//! `eval`: a model on tasks.

mod tables;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use sparkjoy_base::{Problem, Seed, sweep, write_atomic};
use sparkjoy_eval::Catalog;
use sparkjoy_eval::Scorecard;
use sparkjoy_jobs::{Event, JobError, TaskRequest, TaskWork, Watcher, score_tasks};
use sparkjoy_study::select_tasks;
use sparkjoy_train::ModelFolder;

use crate::args::{EvalOf, Place};
use crate::failure::Failure;
use crate::output::{Output, print, print_json, say};
use crate::progress::Progress;
use crate::show::checkpoint_by_number;

/// A file in place of a model.
fn no_model(file: &Path) -> Problem {
    let file = file.display();
    let text = format!("`{file}` is a file, expected the folder of a model");
    Problem::new(text).with_hint(format!(
        "name a checkpoint or another model: `sparkjoy eval FOLDER`; `sparkjoy run {file}` scores \
         the models of a study on the tasks it names"
    ))
}

#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    scorecard: &'a Scorecard,
    /// What was computed this time, by task.
    work: std::collections::BTreeMap<&'a str, &'a TaskWork>,
}

/// Scores a model on tasks, or lists the tasks there are.
///
/// # Errors
///
/// What is wrong with the model, the tasks or their files; [`Failure::Tasks`] if some could not be
/// scored, after all others are.
pub(crate) fn eval(of: &EvalOf, place: &Place, stop: &AtomicBool) -> Result<(), Failure> {
    let Some(path) = &of.model else { return list(place.output()) };
    let path = &checkpoint_by_number(path)?;
    if path.is_file() {
        return Err(JobError::from(no_model(path)).into());
    }
    let selection = select_tasks(&of.tasks, Path::new("")).map_err(|(_, why)| why)?;
    let model = ModelFolder::open(path)?;
    let data = of.scoring.tasks.data(None).ok_or(Failure::NoEvalData)?;
    if let Some(other) = model.tokenizer()?.other_end_of_text(path)? {
        say(&format!("note: {other}"));
    }
    let shape = model.shape();
    let context = of.context.map_or(shape.context, std::num::NonZero::get);
    let folder = match &of.out {
        Some(folder) => folder.clone(),
        None => results_folder(path, &model, place)?,
    };
    let request = TaskRequest {
        name: &path.display().to_string(),
        model: &model,
        selection: &selection,
        data: &data,
        context,
        limit: of.limit.map(std::num::NonZeroU64::get),
        baselines: of.baselines.into(),
        seed: Seed(of.seed),
        folder: &folder,
    };
    // What a killed `eval` left half-written.
    sweep(&folder);
    let mut progress = Progress::new();
    let mut show = |event: Event<'_>| progress.show(&event);
    let mut watcher = Watcher::new(stop, &mut show);
    let scored = score_tasks(&request, &of.scoring.resources(place), &mut watcher);
    progress.finish();
    let (scorecard, work) = scored?;
    let mut json = serde_json::to_vec_pretty(&scorecard).expect("plain data has a JSON form");
    json.push(b'\n');
    write_atomic(&folder.join("scores.json"), &json)?;
    match place.output() {
        Output::Json => {
            let work = work.iter().map(|work| (work.task.as_str(), work)).collect();
            print_json(&Printed { scorecard: &scorecard, work })?;
        }
        Output::Text => print(&tables::render(&scorecard, &selection, &work))?,
    }
    let shown = folder.display();
    say(&format!("every item: {shown}/*.jsonl; all scores: scores.json there"));
    say(&format!("to read one: sparkjoy show {shown} --item TASK:LINE"));
    // A task that was named must be there; one of a suite is reported as missing.
    let named = scorecard.missing.iter().filter(|missing| of.tasks.contains(&missing.task));
    let missing: Vec<String> = named.map(|missing| missing.task.clone()).collect();
    if scorecard.failed.is_empty() && missing.is_empty() && !scorecard.tasks.is_empty() {
        return Ok(());
    }
    Err(Failure::Tasks { failed: scorecard.failed, missing, data })
}

/// Where results go if nobody says: a folder for each model.
fn results_folder(path: &Path, model: &ModelFolder, place: &Place) -> Result<PathBuf, Failure> {
    let path = path.canonicalize().map_err(sparkjoy_base::FileError::at("read", path))?;
    let part = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let parts = [path.parent().and_then(part), part(&path)];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join("-");
    let fingerprint = model.fingerprint()?;
    Ok(place.runs.join("evaluations").join(format!("{name}-{fingerprint}")))
}

/// The tasks and suites that come with the program.
fn list(output: Output) -> Result<(), Failure> {
    let catalog = Catalog::shipped();
    match output {
        Output::Json => print_json(&catalog.tasks()),
        Output::Text => print(&tables::list(&catalog)),
    }
}
