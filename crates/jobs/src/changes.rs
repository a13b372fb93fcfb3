//! Why runs that were finished under a study's name cannot be used by its plan of today.
//!
//! A run is found by the fingerprint of everything that determines its numbers, so an edited study
//! may find none of them. The plan recorded beside the last results tells which setting differs.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use sparkjoy_spec::RunSpec;
use sparkjoy_study::Plan;

use crate::folders::study_folder;

/// The most bytes of a recorded plan that are read: more is none of ours.
const RECORD_BYTES: u64 = 256 << 20;
/// Values longer than this are only said to differ.
const SHOWN: usize = 40;

/// A setting that makes finished runs another study's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedSetting {
    /// As it is written in a study: `training.batch`; or what it is, where no key says it.
    pub setting: String,
    /// What it was, where that is short.
    pub before: Option<String>,
    /// What it is.
    pub now: Option<String>,
    /// The trunk that was trained with what it was.
    pub run: String,
}

/// The settings by which the trunk of a plan differs from the one that was trained before under the
/// study's name. Empty where there is none, where it is the same, or where nothing tells.
pub fn changed_settings(plan: &Plan, runs: &Path) -> Vec<ChangedSetting> {
    let path = study_folder(plan, runs).join("plan.json");
    let is_small = path.metadata().is_ok_and(|file| file.len() <= RECORD_BYTES);
    let Some(record) = is_small.then(|| std::fs::read(&path).ok()).flatten() else {
        return Vec::new();
    };
    let Ok(record) = serde_json::from_slice::<Value>(&record) else { return Vec::new() };
    // Versions before 0.2 had one trunk and others.
    let before = record.pointer("/trunks/0/spec").or_else(|| record.get("trunk"));
    let Some(before) = before.and_then(|spec| serde_json::from_value::<RunSpec>(spec.clone()).ok())
    else {
        return Vec::new();
    };
    let now = plan.trunk();
    let run = format!("trunk-{}", before.fingerprint());
    if before.fingerprint() == now.fingerprint() || !runs.join(&run).is_dir() {
        return Vec::new();
    }
    let [before, now] = [&before, now].map(settings);
    let keys = before.keys().chain(now.keys().filter(|key| !before.contains_key(*key)));
    let changed = keys.filter(|key| before.get(*key) != now.get(*key));
    let shown = |value: Option<&Value>| {
        let text = value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        (text.chars().count() <= SHOWN).then_some(text)
    };
    let change = |key: &String| ChangedSetting {
        setting: key.clone(),
        before: shown(before.get(key)),
        now: shown(now.get(key)),
        run: run.clone(),
    };
    changed.map(change).collect()
}

/// The settings of a study that determine a trunk, by the names a study has for them.
fn settings(spec: &RunSpec) -> BTreeMap<String, Value> {
    let Ok(Value::Object(fields)) = serde_json::to_value(spec) else { return BTreeMap::new() };
    let mut settings = BTreeMap::new();
    for (field, value) in fields {
        match (field.as_str(), value) {
            ("shape", Value::Object(shape)) => {
                for (key, value) in shape {
                    let key = if key == "vocab" {
                        "tokenizer".to_owned()
                    } else {
                        format!("model.{key}")
                    };
                    settings.insert(key, value);
                }
            }
            ("supplies", Value::Array(sources)) => {
                for source in sources {
                    let name = source["name"].as_str().unwrap_or_default().to_owned();
                    settings.insert(format!("text of source `{name}`"), source);
                }
            }
            ("phases", Value::Array(phases)) => {
                let of = |key: &str| phases.first().map_or(Value::Null, |phase| phase[key].clone());
                settings
                    .insert("sequences of the budget (training.budget)".to_owned(), of("slots"));
                settings.insert("the trunk's mixture".to_owned(), of("mixture"));
            }
            ("tokenizer", value) => {
                settings.insert("tokenizer".to_owned(), value);
            }
            ("seed", value) => {
                settings.insert("seed".to_owned(), value);
            }
            ("start" | "first_step" | "opening", value) => {
                settings.insert(format!("trunk ({field})"), value);
            }
            (_, value) => {
                settings.insert(format!("training.{field}"), value);
            }
        }
    }
    settings
}

impl ChangedSetting {
    /// In a sentence.
    pub fn sentence(&self) -> String {
        let Self { setting, before, now, run } = self;
        let change = match (before, now) {
            (Some(before), Some(now)) => format!("was {before} and is {now}"),
            _ => "has changed".to_owned(),
        };
        format!("`{setting}` {change}, so what was trained in {run} cannot be used")
    }
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
            ]
            .join("\n\n"),
            @"
        `seed` was 17 and is 18, so what was trained in trunk-… cannot be used

        `model.width` was 32 and is 64, so what was trained in trunk-… cannot be used

        `training.schedule` has changed, so what was trained in trunk-… cannot be used
        "
        );
    }
}
