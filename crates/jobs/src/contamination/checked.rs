//! What is on record about a plan.

use std::collections::BTreeMap;
use std::path::Path;

use sparkjoy_answers::{Checked, CheckedSource};
use sparkjoy_study::Plan;

use super::Record;
use crate::error::JobError;

/// Items of a source that are shown.
const SHOWN: usize = 3;

/// What is on record about a plan; nothing where it asks for no tasks.
///
/// # Errors
///
/// A record that cannot be read back.
pub fn checked(plan: &Plan, runs: &Path) -> Result<Option<Checked>, JobError> {
    if plan.evaluation.tasks.is_none() {
        return Ok(None);
    }
    let record = Record::read(plan, runs)?;
    let mut sources = BTreeMap::new();
    let mut unknown = Vec::new();
    for name in plan.sources_read() {
        let Some(found) = record.as_ref().and_then(|record| record.of(plan, name)) else {
            unknown.push(name.clone());
            continue;
        };
        let mut contaminated = BTreeMap::new();
        for item in &found.items {
            *contaminated.entry(item.task.clone()).or_default() += 1;
        }
        let source = CheckedSource {
            allowed: plan.evaluation.contaminated.contains(name),
            documents: found.documents,
            text_bytes: found.text_bytes,
            contaminated,
            examples: found.items.iter().take(SHOWN).cloned().collect(),
        };
        sources.insert(name.clone(), source);
    }
    let tasks = record.map_or_else(Vec::new, |record| record.tasks);
    Ok(Some(Checked { tasks, sources, unknown }))
}
