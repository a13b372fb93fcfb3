//! Reads `[objective]`: what to decide by.

use std::collections::BTreeMap;

use sparkjoy_base::toml_file::{Item, Placed, TomlTable};
use sparkjoy_base::{Problem, SourceName, nearest};
use sparkjoy_eval::{Category, Selection};

use super::mixture::WrittenMixture;
use super::sources::Sources;
use crate::plan::{Guard, Measured, Objective, Target, Unit};

/// What an objective can name.
pub(super) struct Names<'a> {
    pub(super) sources: &'a Sources,
    pub(super) mixtures: &'a BTreeMap<String, WrittenMixture>,
    pub(super) selection: &'a Selection,
    pub(super) replicates: u32,
}

const TARGETS: &str = "a weight for each, such as `targets = { math = 1 }`";
const WEIGHT: &str = "a number above 0, up to 1000000";

/// Prefixes that say what a name is, where it could be several things.
const PREFIXES: [&str; 6] = ["source", "domain", "mixture", "task", "suite", "bits"];

impl Names<'_> {
    /// Reads the table.
    ///
    /// # Errors
    ///
    /// A name that nothing has, or that several things have; a margin in the wrong unit; one
    /// replicate.
    pub(super) fn read(&self, mut table: TomlTable<'_>) -> Result<Objective, Problem> {
        let (source, line) = (table.source(), table.line());
        if self.replicates < 2 {
            let text = "one replicate where `[objective]` is, expected two or more to decide by";
            let hint = "write `replicates = 3` in `[training]`, or leave `[objective]` away";
            return Err(source.problem(line, text).with_hint(hint));
        }
        let positive = |item: &Item<'_>| item.number(|x| x > 0.0 && x <= 1e6, WEIGHT);
        let mut targets: Vec<Target> = Vec::new();
        for (name, item) in table.required("targets", TARGETS)?.table()?.named() {
            let of = self.measured(&name.value, &item)?;
            if targets.iter().any(|target| self.is_same(&target.of, &of)) {
                return Err(twice(&item, &name.value, "targets"));
            }
            targets.push(Target { of, weight: positive(&item)? });
        }
        if targets.is_empty() {
            return Err(source.missing(line, "`objective`", "targets", TARGETS));
        }
        let mut guards: Vec<Guard> = Vec::new();
        for (name, item) in named(table.optional("guards"))? {
            let of = self.measured(&name.value, &item)?;
            if targets.iter().any(|target| self.is_same(&target.of, &of)) {
                let text =
                    format!("`{}` is a target and a guard, expected one of them", name.value);
                let hint = "take it out of `targets`, or out of `guards`";
                return Err(item.problem(text).with_hint(hint));
            }
            if guards.iter().any(|guard| self.is_same(&guard.of, &of)) {
                return Err(twice(&item, &name.value, "guards"));
            }
            guards.push(Guard { margin: margin(&item, of.unit())?, of });
        }
        let mut costs = BTreeMap::new();
        for (name, item) in named(table.optional("costs"))? {
            let known = self.sources.facts.keys();
            let Some(source) = known.clone().find(|known| known.as_str() == name.value) else {
                let nearest = nearest(&name.value, known.clone().map(SourceName::as_str));
                let text = format!("`objective.costs` names `{}`, which is no source", name.value);
                let known = known.map(SourceName::as_str);
                return Err(item.problem(text).meant_or_known(nearest.as_deref(), known));
            };
            costs.insert(source.clone(), positive(&item)?);
        }
        let is_mixed = targets.iter().any(|target| target.of.unit() != targets[0].of.unit());
        let margin = match table.optional("margin") {
            Some(item) if is_mixed => {
                let text = "`objective.margin` has one unit, but its targets have two: text is \
                            measured in %, tasks in points";
                let hint = "leave `margin` away, or name targets of one kind";
                return Err(item.problem(text).with_hint(hint));
            }
            item => item.map(|item| margin(&item, targets[0].of.unit())).transpose()?,
        };
        table.finish()?;
        Ok(Objective { targets, guards, costs, margin })
    }

    /// What a name means. `item`: its value.
    fn measured(&self, written: &str, item: &Item<'_>) -> Result<Measured, Problem> {
        let (prefix, name) = match written.split_once(':') {
            Some((prefix, name)) if PREFIXES.contains(&prefix) => (Some(prefix), name.trim()),
            _ => (None, written),
        };
        let mut meanings = self.meanings(name);
        match prefix {
            Some(prefix) => meanings.retain(|(kind, _)| *kind == prefix),
            // What correct answers take is never meant by the name of a task alone.
            None => meanings.retain(|(kind, _)| *kind != "bits"),
        }
        // A domain of one source may have its name; the source is what a bare name means.
        if prefix.is_none() && meanings.iter().any(|(kind, _)| *kind == "source") {
            meanings.retain(|(kind, _)| *kind != "domain");
        }
        if let [_, _, ..] = meanings[..] {
            let kinds: Vec<&str> = meanings.iter().map(|(kind, _)| *kind).collect();
            let text = format!("`{name}` is the name of a {}", kinds.join(" and of a "));
            let hint = format!("write `\"{}:{name}\"`", kinds[0]);
            return Err(item.problem(text).with_hint(hint));
        }
        meanings.pop().map(|(_, measured)| measured).ok_or_else(|| self.undefined(written, item))
    }

    fn meanings(&self, name: &str) -> Vec<(&'static str, Measured)> {
        let owned = || name.to_owned();
        let mut meanings = Vec::new();
        if let Some(source) = self.sources.facts.keys().find(|source| source.as_str() == name) {
            meanings.push(("source", Measured::Source { name: source.clone() }));
        }
        let domain = self.sources.facts.values().map(|facts| &facts.domain);
        if let Some(domain) = domain.clone().find(|domain| domain.as_str() == name) {
            meanings.push(("domain", Measured::Domain { name: domain.clone() }));
        }
        if name == "unseen" && self.sources.facts.values().any(|facts| facts.unseen) {
            meanings.push(("source", Measured::Unseen));
        }
        if self.mixtures.contains_key(name) {
            meanings.push(("mixture", Measured::Mixture { name: owned() }));
        }
        if self.selection.tasks.iter().any(|task| task.name == name) {
            meanings.push(("task", Measured::Task { name: owned() }));
            meanings.push(("bits", Measured::Bits { name: owned() }));
        }
        if self.averages().any(|average| average == name) {
            meanings.push(("suite", Measured::Average { name: owned() }));
        }
        meanings
    }

    /// Whether two names are about the same text or task: a domain of one source is that source.
    fn is_same(&self, one: &Measured, other: &Measured) -> bool {
        let sources = |of: &Measured| -> Option<Vec<&SourceName>> {
            let is_in = |name: &SourceName| match of {
                Measured::Source { name: source } => name == source,
                Measured::Domain { name: domain } => self.sources.facts[name].domain == *domain,
                _ => false,
            };
            let inside: Vec<_> = self.sources.facts.keys().filter(|name| is_in(name)).collect();
            (!inside.is_empty()).then_some(inside)
        };
        one == other || sources(one).is_some_and(|names| Some(names) == sources(other))
    }

    /// Suites and their categories, as reports name them.
    fn averages(&self) -> impl Iterator<Item = String> {
        self.selection.suites.iter().flat_map(|suite| {
            let category = |category: &Category| format!("{}: {}", suite.name, category.name);
            std::iter::once(suite.name.clone()).chain(suite.categories.iter().map(category))
        })
    }

    fn undefined(&self, written: &str, item: &Item<'_>) -> Problem {
        let mut known: Vec<String> = self.sources.names().map(str::to_owned).collect();
        known.extend(self.mixtures.keys().cloned());
        known.extend(self.selection.tasks.iter().map(|task| task.name.clone()));
        known.extend(self.averages());
        let nearest = nearest(written, known.iter().map(String::as_str));
        let text = format!(
            "`objective` names `{written}`, which is no source, domain, mixture or task of the study"
        );
        let hint = "add it to `evaluation.tasks` if it is a task";
        item.problem(text)
            .with_hint(hint)
            .meant_or_known(nearest.as_deref(), known.iter().map(String::as_str))
    }
}

fn twice(item: &Item<'_>, name: &str, key: &str) -> Problem {
    item.problem(format!("`objective.{key}` names `{name}` twice, expected once"))
        .with_hint("take one of the two names out: they are about the same")
}

fn named(table: Option<Item<'_>>) -> Result<Vec<(Placed<String>, Item<'_>)>, Problem> {
    table.map_or(Ok(Vec::new()), |item| Ok(item.table()?.named()))
}

/// `"0.5%"` for text, `"1 point"` for tasks.
fn margin(item: &Item<'_>, unit: Unit) -> Result<f64, Problem> {
    let expected = match unit {
        Unit::Percent => "a part of the bits per byte, such as \"0.5%\"",
        Unit::Points => "points of accuracy, such as \"1 point\"",
    };
    let written = item.string(expected)?;
    let number = match unit {
        Unit::Percent => written.strip_suffix('%'),
        Unit::Points => written.strip_suffix("points").or_else(|| written.strip_suffix("point")),
    };
    let number = number.and_then(|number| number.trim().parse::<f64>().ok());
    let fits = |number: &f64| *number > 0.0 && *number <= 100.0;
    number.filter(fits).ok_or_else(|| {
        let kind = match unit {
            Unit::Percent => "text is measured in % of its bits per byte",
            Unit::Points => "accuracy is measured in points, hundredths of all items",
        };
        item.out_of_range(format!("\"{written}\""), expected).with_hint(kind)
    })
}
