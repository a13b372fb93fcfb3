//! Seals what earlier versions wrote without: once, on request.
//!
//! Checkpoints have hashes of their own, so all else is made again from them, from the text and
//! from the task files: a loss, an answer or an item that was found cannot be told from another
//! without the model or the text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use sparkjoy_base::{FileError, Problem, read};
use sparkjoy_train::{Checkpoint, check_run};

use crate::contamination::Record;
use crate::error::JobError;
use crate::folders::study_folder;
use crate::graph::{Job, checkpoint, jobs};
use crate::inputs::Inputs;
use crate::keyed::{Keyed, read_sealed};
use crate::places::Places;
use crate::problem::move_away;
use crate::resources::Resources;
use crate::run::again;
use crate::scorecards::{FiledScorecard, Point, ScorecardKey};
use crate::scores::{HeldOutKey, Scores};
use crate::tasks::unsealed_items;
use crate::watcher::Watcher;

/// A file that has its seal now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sealed {
    /// Where it lies.
    pub file: PathBuf,
    /// What was done to know that its numbers are right.
    pub how: Sealing,
}

/// What was done before a file was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sealing {
    /// It was held against what else is known of it.
    Checked,
    /// It was made again and is as it was.
    MadeAgain,
    /// It was made again and is not as it was.
    Replaced,
}

/// Seals the results of a plan that have no seal: every checkpoint is read, and results are made
/// again.
///
/// # Errors
///
/// A checkpoint that is altered; a result whose checkpoint is gone; what making it again meets.
/// What comes after that is not sealed, and what was not sealed before and is not made again yet
/// is missing.
pub fn seal_results(
    inputs: &Inputs<'_>,
    places: &Places,
    resources: &Resources,
    watcher: &mut Watcher<'_>,
) -> Result<Vec<Sealed>, JobError> {
    let plan = inputs.plan;
    inputs.check()?;
    let mut sealed = Vec::new();
    let mut seen = BTreeSet::new();
    for job in jobs(plan) {
        let folder = job.folder(plan, &places.runs);
        let spec = match &job {
            Job::Trunk { trunk, .. } => Some(&plan.trunks[*trunk].spec),
            Job::Branch(branch) => Some(&branch.spec),
            Job::Score(_) | Job::Tasks(_) | Job::Contamination => None,
        };
        if let Some(spec) = spec {
            if seen.insert(folder.clone()) {
                check_run(&folder, spec)?;
                for checkpoint in Checkpoint::list(&folder)? {
                    Checkpoint::open(&checkpoint.folder)?;
                }
            }
            continue;
        }
        let unsealed = unsealed(inputs, &job, &places.runs)?;
        let Some(first) = unsealed.first() else { continue };
        if let Job::Score(branch) | Job::Tasks(Point::Branch(branch)) = job
            && checkpoint(&folder, branch.spec.last_step())?.is_none()
        {
            return Err(no_model(&first.0).into());
        }
        for (file, _) in &unsealed {
            fs::remove_file(file).map_err(FileError::at("remove", file))?;
        }
        again(inputs, &job, places, resources, watcher)?;
        for (file, before) in unsealed {
            let now = lines(&file)?;
            let is_same = now.len() == before.len() && now.iter().zip(&before).all(holds);
            let how = if is_same { Sealing::MadeAgain } else { Sealing::Replaced };
            sealed.push(Sealed { file, how });
        }
    }
    Ok(sealed)
}

/// The files of a job that have no seal, and what is in each.
fn unsealed(
    inputs: &Inputs<'_>,
    job: &Job<'_>,
    runs: &Path,
) -> Result<Vec<(PathBuf, Vec<Value>)>, JobError> {
    let plan = inputs.plan;
    let folder = job.folder(plan, runs);
    let mut files = Vec::new();
    let mut add = |path: PathBuf, has_seal: Option<bool>| {
        files.extend((has_seal == Some(false)).then_some(path));
    };
    match job {
        Job::Score(branch) => {
            let path = folder.join(Scores::file_name(&HeldOutKey::new(plan, branch)));
            let has_seal = read_sealed::<Scores>(&path)?.map(|(_, has_seal)| has_seal);
            add(path, has_seal);
        }
        Job::Tasks(point) => {
            let key = ScorecardKey::new(plan, *point).expect("the job is there for its tasks");
            let path = folder.join(FiledScorecard::file_name(&key));
            let has_seal = read_sealed::<FiledScorecard>(&path)?.map(|(_, has_seal)| has_seal);
            add(path, has_seal);
            files.extend(unsealed_items(&folder.join("tasks"))?);
        }
        Job::Contamination => {
            let path = study_folder(plan, runs).join(Record::FILE);
            let has_seal = read_sealed::<Record>(&path)?.map(|(_, has_seal)| has_seal);
            add(path, has_seal);
        }
        Job::Trunk { .. } | Job::Branch(_) => {}
    }
    files.into_iter().map(|path| lines(&path).map(|lines| (path, lines))).collect()
}

/// What is in a file: its only value, or its results in the order of items.
fn lines(path: &Path) -> Result<Vec<Value>, JobError> {
    let bytes = read(path)?;
    if let Ok(whole) = serde_json::from_slice(&bytes) {
        return Ok(vec![whole]);
    }
    // The last line may be torn, and the others that are no results say what computed them.
    let lines = bytes.split(|&byte| byte == b'\n');
    let results = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let mut results: Vec<Value> = results.filter(|line| line["index"].is_u64()).collect();
    results.sort_by_key(|line| line["index"].as_u64());
    Ok(results)
}

/// Whether a value holds all that another one says. It may say more: later versions do.
fn holds((now, before): (&Value, &Value)) -> bool {
    match (now, before) {
        (Value::Object(now), Value::Object(before)) => {
            before.iter().all(|(key, value)| now.get(key).is_some_and(|now| holds((now, value))))
        }
        (Value::Array(now), Value::Array(before)) => {
            now.len() == before.len() && now.iter().zip(before).all(holds)
        }
        _ => now == before,
    }
}

/// A result of a model that is not there any more.
fn no_model(file: &Path) -> Problem {
    let text = format!(
        "`{}` has no seal, and the checkpoint that it is of is not there: nothing tells whether it \
         was altered",
        file.display()
    );
    Problem::new(text).with_hint(move_away(file))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_that_says_more_holds_what_was_said_and_one_that_says_otherwise_does_not() {
        let before = json!({ "nats": [1.5, 2.0], "source": "web" });
        let more = json!({ "nats": [1.5, 2.0], "source": "web", "documents": [0, 0] });
        let other = json!({ "nats": [1.5, 2.1], "source": "web" });
        let longer = json!({ "nats": [1.5, 2.0, 3.0], "source": "web" });
        let held = [&before, &more, &other, &longer].map(|now| holds((now, &before)));
        assert_eq!(held, [true, true, false, false]);
        assert!(!holds((&before, &more)));
    }

    #[test]
    fn a_result_whose_model_is_gone_is_named() {
        let path = Path::new("runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json");
        insta::assert_snapshot!(sparkjoy_kit::shown(Err(no_model(path))), @"
        `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` has no seal, and the checkpoint that it is of is not there: nothing tells whether it was altered
        hint: move `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` away: `sparkjoy run STUDY` makes it anew
        ");
    }
}
