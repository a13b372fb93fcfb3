//! How models are scored: held-out text always, tasks where the study names them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sparkjoy_base::toml_file::{Item, TomlTable};
use sparkjoy_base::{Problem, SourceName, Span, Tokens, nearest};
use sparkjoy_eval::{BaselineVersion, Selection};

use super::clock::Clock;
use super::sources::Sources;
use crate::plan::CONFIDENCE;
use crate::written::select_tasks;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Evaluation {
    pub(crate) held_out: Tokens,
    /// Tasks and suites asked for, with their definitions; none of them, no tasks.
    pub(crate) selection: Selection,
    pub(crate) baselines: BaselineVersion,
    /// Items of each task at most.
    pub(crate) limit: Option<u64>,
    /// Steps of the trunk that are scored beside the branches, each with its line.
    pub(crate) at: Vec<(u64, usize)>,
    /// Folder of task files.
    pub(crate) data: Option<PathBuf>,
    /// Sources that may hold items of the tasks.
    pub(crate) contaminated: BTreeSet<SourceName>,
    /// Sources whose held-out text may stand in training text.
    pub(crate) leaked: BTreeSet<SourceName>,
    /// How sure intervals are.
    pub(crate) confidence: f64,
}

impl Evaluation {
    /// Reads the table. `folder`: where the study lies.
    pub(super) fn read(
        mut table: TomlTable<'_>,
        folder: &Path,
        (clock, replicates): (Clock, u32),
        sources: &Sources,
    ) -> Result<Self, Problem> {
        let confidence = match table.optional("confidence") {
            None => CONFIDENCE,
            Some(item) => {
                let fits = |confidence| (0.5..=0.999).contains(&confidence);
                let confidence = item.number(fits, "a number from 0.5 to 0.999, such as 0.95")?;
                if replicates < 2 {
                    let text = "one replicate where intervals are asked for, expected two or more";
                    return Err(item.problem(text).with_hint(
                        "write `replicates = 3` in `[training]`, or leave `confidence` away",
                    ));
                }
                confidence
            }
        };
        let expected = "a number of tokens per source in quotes, such as \"16K\"";
        let held_out = table.required("held_out", expected)?.quantity(expected)?;
        let selection = match table.optional("tasks") {
            None => Selection::default(),
            Some(item) => select(item, folder)?,
        };
        let names = BaselineVersion::ALL.map(BaselineVersion::name);
        let baselines = match table.optional("baselines") {
            None => BaselineVersion::V03,
            Some(item) => {
                let name = item.choice(&names)?;
                let known = BaselineVersion::ALL.into_iter().find(|v| v.name() == name);
                known.expect("the choice is one of the names")
            }
        };
        let expected = "a whole number of items from 1";
        let limit = table.optional("limit").map(|item| item.whole(1, expected)).transpose()?;
        let at = match table.optional("at") {
            None => Vec::new(),
            Some(item) => steps(item, clock)?,
        };
        let folder_expected = "a folder in quotes";
        let data = table.optional("data").map(|item| item.string(folder_expected).map(Into::into));
        let data: Option<PathBuf> = data.transpose()?;
        let mut allowed = |key| match table.optional(key) {
            None => Ok(BTreeSet::new()),
            Some(item) => named_sources(key, item, sources),
        };
        let (contaminated, leaked) = (allowed("contaminated")?, allowed("leaked")?);
        table.finish()?;
        let data = data.map(|data| folder.join(data));
        Ok(Self {
            held_out,
            selection,
            baselines,
            limit,
            at,
            data,
            contaminated,
            leaked,
            confidence,
        })
    }
}

fn select(item: Item<'_>, folder: &Path) -> Result<Selection, Problem> {
    let expected = "a list of tasks, suites and files of tasks in quotes";
    let items = item.list(expected)?;
    let names = items.iter().map(|name| name.string(expected)).collect::<Result<Vec<_>, _>>()?;
    select_tasks(&names, folder)
        .map_err(|(index, why)| items[index].problem(why.to_string()).with_hint_of(&why))
}

/// The sources that a key lists.
fn named_sources(
    key: &str,
    item: Item<'_>,
    sources: &Sources,
) -> Result<BTreeSet<SourceName>, Problem> {
    let expected = "a list of sources in quotes";
    let mut named = BTreeSet::new();
    for item in item.list(expected)? {
        let name = item.string(expected)?;
        let known = sources.inputs.keys();
        let Some(source) = known.clone().find(|known| known.as_str() == name) else {
            let nearest = nearest(name, known.map(SourceName::as_str));
            return Err(item
                .problem(format!("`{key}` names `{name}`, which is no source"))
                .with_hint("`[sources.…]` has the names")
                .meant(nearest.as_deref()));
        };
        named.insert(source.clone());
    }
    Ok(named)
}

/// Steps in order, each once.
fn steps(item: Item<'_>, clock: Clock) -> Result<Vec<(u64, usize)>, Problem> {
    let expected = "places of the run in quotes, such as \"50%\"";
    let mut steps = Vec::new();
    for place in item.one_or_more(expected)? {
        let span: Span = place.quantity(expected)?;
        let step = clock.steps_of(span);
        if step == 0 {
            let problem = place.out_of_range(span, "a place after the first step");
            return Err(Problem { hint: span.meant_share(), ..problem });
        }
        steps.push((step, place.line()));
    }
    steps.sort_unstable();
    steps.dedup_by_key(|(step, _)| *step);
    Ok(steps)
}
