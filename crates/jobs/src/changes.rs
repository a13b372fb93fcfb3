//! Why what was finished under a study's name is not all that its plan of today needs.
//!
//! A run is found by the fingerprint of everything that determines its numbers, so an edited study
//! may find none of them. The plan recorded beside the last results tells which setting differs.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use sparkjoy_base::read_at_most;
use sparkjoy_spec::RunSpec;
use sparkjoy_study::{Branch, Plan};

use crate::folders::study_folder;

/// The most bytes of a recorded plan that are read: more is none of ours.
const RECORD_BYTES: u64 = 256 << 20;
/// Values longer than this are only said to differ.
const SHOWN: usize = 40;

/// A setting that has changed since results were made, so that some of them are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedSetting {
    /// As it is written in a study: `training.batch`; or what it is, where no key says it.
    pub setting: String,
    /// What it was, where that is short.
    pub before: Option<String>,
    /// What it is.
    pub now: Option<String>,
    /// What it means for what is there.
    #[serde(flatten)]
    pub lost: Lost,
    /// Branches that it concerns, where these are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branches: Option<usize>,
}

/// What cannot be used, or is missing, after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lost {
    /// A run that was trained with what the setting was.
    Run(String),
    /// Scores: the models are there.
    Scores,
    /// Nothing, but there are this many branches more than before.
    More(usize),
}

/// The settings by which the trunk of a plan, its branches on the same trunk, or their scores
/// differ from what was planned before under the study's name. Empty where there are none, or
/// where nothing tells.
pub fn changed_settings(plan: &Plan, runs: &Path) -> Vec<ChangedSetting> {
    let path = study_folder(plan, runs).join("plan.json");
    let Ok(record) = read_at_most(&path, RECORD_BYTES) else { return Vec::new() };
    let Ok(record) = serde_json::from_slice::<Value>(&record) else { return Vec::new() };
    // Versions before 0.2 had one trunk and others.
    let before = record.pointer("/trunks/0/spec").or_else(|| record.get("trunk"));
    let Some(before) = before.and_then(|spec| serde_json::from_value::<RunSpec>(spec.clone()).ok())
    else {
        return Vec::new();
    };
    let now = plan.trunk();
    let run = format!("trunk-{}", before.fingerprint());
    if before.fingerprint() != now.fingerprint() {
        let is_there = runs.join(&run).is_dir();
        return if is_there { changed(&before, now, &run) } else { Vec::new() };
    }
    let mut found = changed_branches(&record, plan, runs);
    found.extend(changed_scores(&record, plan));
    found.extend(more_branches(&record, plan));
    found
}

/// The settings of the evaluation that make scores others.
fn changed_scores(record: &Value, plan: &Plan) -> Vec<ChangedSetting> {
    let Ok(now) = serde_json::to_value(&plan.evaluation) else { return Vec::new() };
    let before = &record["evaluation"];
    let differs = |key: &&'static str| !before.is_null() && before[*key] != now[*key];
    let change = |key: &str| {
        let [before, now] = [&before[key], &now[key]].map(|value| shown(Some(value)));
        // Tasks are a table of definitions.
        let is_short = key == "held_out";
        ChangedSetting {
            setting: format!("evaluation.{key}"),
            before: before.filter(|_| is_short),
            now: now.filter(|_| is_short),
            lost: Lost::Scores,
            branches: None,
        }
    };
    ["held_out", "tasks"].into_iter().filter(differs).map(change).collect()
}

/// What asks for branches that were not in the plan before.
fn more_branches(record: &Value, plan: &Plan) -> Option<ChangedSetting> {
    let recorded = record.get("branches")?.as_array()?;
    let is_known = |name: &str| recorded.iter().any(|other| other["name"].as_str() == Some(name));
    let new = plan.branches.iter().filter(|branch| {
        !is_known(&branch.name) && !branch.former_name.as_deref().is_some_and(is_known)
    });
    let more @ 1.. = new.count() else { return None };
    let before = record["replicates"].as_u64().filter(|&n| n != u64::from(plan.replicates));
    Some(match before {
        Some(before) => ChangedSetting {
            setting: "training.replicates".to_owned(),
            before: Some(before.to_string()),
            now: Some(plan.replicates.to_string()),
            lost: Lost::More(more),
            branches: None,
        },
        None => ChangedSetting {
            setting: "questions".to_owned(),
            before: None,
            now: None,
            lost: Lost::More(more),
            branches: None,
        },
    })
}

/// A value, where it is short.
fn shown(value: Option<&Value>) -> Option<String> {
    let text = value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    (text.chars().count() <= SHOWN).then_some(text)
}

/// The same of branches that have the names they had: of the first of each set of settings.
fn changed_branches(record: &Value, plan: &Plan, runs: &Path) -> Vec<ChangedSetting> {
    let Some(Value::Array(recorded)) = record.get("branches") else { return Vec::new() };
    let mut found: Vec<ChangedSetting> = Vec::new();
    for branch in &plan.branches {
        let is_it = |other: &&Value| {
            let name = other["name"].as_str();
            name == Some(&branch.name) || name == branch.former_name.as_deref()
        };
        let Some(before) = recorded.iter().find(is_it) else { continue };
        let Ok(spec) = serde_json::from_value::<RunSpec>(before["spec"].clone()) else { continue };
        let run = format!("{}-{}", before["name"].as_str().unwrap_or_default(), spec.fingerprint());
        if spec.fingerprint() == branch.spec.fingerprint() || !runs.join(&run).is_dir() {
            continue;
        }
        for mut change in changed(&spec, &branch.spec, &run) {
            if change.setting == "mixture" {
                change.setting = mixture(&spec, branch, plan);
            }
            match found.iter_mut().find(|known| known.setting == change.setting) {
                Some(known) => known.branches = Some(known.branches.unwrap_or(1) + 1),
                None => found.push(change),
            }
        }
    }
    found
}

/// Which mixture of a branch has changed: the study's, or what a question makes of one.
fn mixture(before: &RunSpec, branch: &Branch, plan: &Plan) -> String {
    let mut phases = branch.spec.phases.iter().enumerate();
    let changed = phases.find(|(at, phase)| {
        before.phases.get(*at).is_none_or(|before| before.mixture != phase.mixture)
    });
    let changed = changed.map(|(_, phase)| &phase.mixture);
    let mut of_study = plan.mixtures.iter();
    match of_study.find(|(_, mixture)| Some(*mixture) == changed) {
        Some((name, _)) => format!("mixtures.{name}"),
        None => format!("mixture of {}", branch.label),
    }
}

/// The settings of a study that determine a run, by the names a study has for them. What follows
/// from another setting is not one.
fn settings(spec: &RunSpec) -> BTreeMap<String, Value> {
    let Ok(Value::Object(fields)) = serde_json::to_value(spec) else { return BTreeMap::new() };
    let mut settings = BTreeMap::new();
    for (field, value) in fields {
        match (field.as_str(), value) {
            ("shape", Value::Object(shape)) => {
                // Rows of the embedding follow from the tokenizer.
                let own = shape.into_iter().filter(|(key, _)| key != "vocab");
                settings.extend(own.map(|(key, value)| (format!("model.{key}"), value)));
            }
            ("supplies", Value::Array(sources)) => {
                for source in sources {
                    let name = source["name"].as_str().unwrap_or_default().to_owned();
                    settings.insert(format!("text of source {name}"), source);
                }
            }
            ("phases", Value::Array(phases)) => {
                let mixtures: Vec<&Value> = phases.iter().map(|phase| &phase["mixture"]).collect();
                settings.insert("mixture".to_owned(), serde_json::json!(mixtures));
                let slots = phases.iter().filter_map(|phase| phase["slots"].as_u64()).sum::<u64>();
                settings.insert("training.budget".to_owned(), (slots / spec.batch).into());
            }
            ("schedule", schedule) => {
                flatten("training.schedule", &schedule["kind"], &mut settings);
            }
            ("optimizer", optimizer) => flatten("training.optimizer", &optimizer, &mut settings),
            ("tokenizer" | "seed", value) => {
                settings.insert(field, value);
            }
            ("start" | "first_step" | "opening", value) => {
                settings.insert(format!("trunk ({field})"), value);
            }
            // The order of a replicate and the number of its phases are no settings of a study.
            ("replicate" | "first_phase", _) => {}
            (_, value) => {
                settings.insert(format!("training.{field}"), value);
            }
        }
    }
    settings
}

fn flatten(key: &str, value: &Value, settings: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                flatten(&format!("{key}.{field}"), value, settings);
            }
        }
        value => drop(settings.insert(key.to_owned(), value.clone())),
    }
}

/// The settings that differ, those left out that follow from another one.
fn changed(before: &RunSpec, now: &RunSpec, run: &str) -> Vec<ChangedSetting> {
    let other_batch = before.batch != now.batch || before.model.context() != now.model.context();
    let other_tokenizer = before.tokenizer != now.tokenizer;
    let [before, now] = [before, now].map(settings);
    let keys = before.keys().chain(now.keys().filter(|key| !before.contains_key(*key)));
    let follows = |key: &String| match key.as_str() {
        // A budget is counted in steps here, and lengths of a schedule in tokens.
        "training.budget" => other_batch,
        key if key.starts_with("training.schedule.") && key != "training.schedule.kind" => {
            other_batch
        }
        key => other_tokenizer && key.starts_with("text of source"),
    };
    let differs = |key: &&String| before.get(*key) != now.get(*key) && !follows(key);
    let change = |key: &String| {
        // Steps are not how a budget is written, and a hash says nothing to a reader.
        let is_written = !matches!(key.as_str(), "tokenizer" | "training.budget");
        ChangedSetting {
            setting: key.clone(),
            before: shown(before.get(key)).filter(|_| is_written),
            now: shown(now.get(key)).filter(|_| is_written),
            lost: Lost::Run(run.to_owned()),
            branches: None,
        }
    };
    keys.filter(differs).map(change).collect()
}

impl ChangedSetting {
    /// In a sentence.
    pub fn sentence(&self) -> String {
        let Self { setting, before, now, lost, .. } = self;
        let change = match (before, now) {
            (Some(before), Some(now)) => format!("was {before} and is {now}"),
            _ => "has changed".to_owned(),
        };
        let so = match lost {
            Lost::Run(run) => match self.branches {
                None => format!("what was trained in {run} cannot be used"),
                Some(branches) => {
                    format!("what was trained in {branches} branches ({run}, …) cannot be used")
                }
            },
            Lost::Scores => "what is trained is scored again".to_owned(),
            Lost::More(more) => format!("{} to be trained", counted_are(*more)),
        };
        format!("`{setting}` {change}, so {so}")
    }
}

/// `1 branch is`, `3 branches are`.
fn counted_are(branches: usize) -> String {
    if branches == 1 { "1 branch is".to_owned() } else { format!("{branches} branches are") }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sparkjoy_kit::{invented, plan};

    use super::*;

    /// What is said of the invented study after an edit, its trunk trained before it.
    fn after(from: &str, to: &str) -> Vec<String> {
        let runs = tempfile::tempdir().unwrap();
        let before = invented::plan();
        let folder = study_folder(&before, runs.path());
        fs::create_dir_all(&folder).unwrap();
        let trunk = format!("trunk-{}", before.trunk().fingerprint());
        fs::create_dir(runs.path().join(&trunk)).unwrap();
        let json = serde_json::to_vec(&before).unwrap();
        sparkjoy_base::write_atomic(&folder.join("plan.json"), &json).unwrap();
        assert!(invented::STUDY.contains(from), "{from}");
        let now = plan(&invented::STUDY.replacen(from, to, 1)).unwrap();
        let changed = changed_settings(&now, runs.path());
        changed.iter().map(|change| change.sentence().replace(&trunk, "trunk-…")).collect()
    }

    #[test]
    fn an_edited_study_says_which_setting_orphans_its_runs() {
        assert_eq!(after("replicates = 3", "replicates = 2"), Vec::<String>::new());
        insta::assert_snapshot!(
            [
                after("seed = 17", "seed = 18").join("\n"),
                after("width = 32", "width = 64").join("\n"),
                after("warmup = \"0\"", "warmup = \"8K\"").join("\n"),
                after("batch = 8", "batch = 16").join("\n"),
                after("lr = 3e-4", "lr = 4e-4").join("\n"),
                after("replicates = 3", "replicates = 4").join("\n"),
                after("held_out = \"16K\"", "held_out = \"8K\"").join("\n"),
                after("windows = [\"10%\"", "windows = [\"15%\", \"10%\"").join("\n"),
            ]
            .join("\n\n"),
            @"
        `seed` was 17 and is 18, so what was trained in trunk-… cannot be used

        `model.width` was 32 and is 64, so what was trained in trunk-… cannot be used

        `training.schedule.warmup` was 0 and is 8000, so what was trained in trunk-… cannot be used

        `training.batch` was 8 and is 16, so what was trained in trunk-… cannot be used

        `training.optimizer.lr` was 0.0003 and is 0.0004, so what was trained in trunk-… cannot be used

        `training.replicates` was 3 and is 4, so 5 branches are to be trained

        `evaluation.held_out` was 16000 and is 8000, so what is trained is scored again

        `questions` has changed, so 6 branches are to be trained
        "
        );
    }

    #[test]
    fn an_edited_mixture_is_named_with_the_branches_it_concerns() {
        let runs = tempfile::tempdir().unwrap();
        let before = invented::plan();
        let folder = study_folder(&before, runs.path());
        fs::create_dir_all(&folder).unwrap();
        let run_of = |branch: &Branch| format!("{}-{}", branch.name, branch.spec.fingerprint());
        for branch in &before.branches {
            fs::create_dir(runs.path().join(run_of(branch))).unwrap();
        }
        let json = serde_json::to_vec(&before).unwrap();
        sparkjoy_base::write_atomic(&folder.join("plan.json"), &json).unwrap();
        let edited = "[mixtures.upsampled]\nblogs = 0.40\nproofs = 0.35\n";
        let written = "[mixtures.upsampled]\nblogs = 0.50\nproofs = 0.25\n";
        let now = plan(&invented::STUDY.replace(written, edited)).unwrap();
        let changed = changed_settings(&now, runs.path());
        let said = changed.iter().map(ChangedSetting::sentence).collect::<Vec<_>>().join("\n");
        let said = before.branches.iter().fold(said, |said, branch| {
            said.replace(&run_of(branch), &format!("{}-…", branch.name))
        });
        insta::assert_snapshot!(said, @r#"
        `mixtures.upsampled` has changed, so what was trained in 6 branches (upsampled-20pct-r0-…, …) cannot be used
        `mixture of upsampled − puzzles` was [{"blogs":500000,"proofs":500000}] and is [{"blogs":400000,"proofs":600000}], so what was trained in 3 branches (upsampled-minus-puzzles-to-domain-10pct-r0-…, …) cannot be used
        "#);
    }
}
