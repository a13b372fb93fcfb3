//! Reads `[[questions]]`: what is asked, checked against what the study defines.

use std::collections::BTreeMap;

use sparkjoy_base::{SourceName, Span};

use super::clock::Clock;
use super::mixture::{Share, WrittenMixture, share};
use super::reader::{Item, Placed, Table, nearest};
use super::sources::Sources;
use crate::LabError;
use crate::problem::Problem;

/// A question as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Question {
    /// How long should the last phase be?
    Duration {
        /// The mixture of the last phase.
        mixture: Placed<String>,
        /// Its lengths.
        windows: Vec<Placed<Window>>,
    },
    /// What is each source worth?
    Removal {
        /// The mixture they are removed from.
        mixture: Placed<String>,
        /// The length of the last phase.
        window: Placed<Window>,
        /// What is removed, one comparison each.
        remove: Vec<Placed<Removal>>,
        /// Who gets the freed share.
        refill: Placed<Refill>,
    },
}

/// A last stretch of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    /// As written.
    pub(crate) span: Span,
    /// Its steps: at least one, fewer than the run's.
    pub(crate) steps: u64,
}

/// What one comparison removes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Removal {
    /// As named: sources and domains.
    pub(crate) names: Vec<String>,
    /// What the names stand for.
    pub(crate) shares: Vec<Share>,
}

/// Who gets the share of what is removed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refill {
    /// The rest of its domain, in proportion to their shares.
    Domain,
    /// All others, in proportion to their shares.
    Proportional,
    /// One source.
    Source(SourceName),
}

/// What questions are checked against.
pub(crate) struct Known<'a> {
    /// The sources.
    pub(crate) sources: &'a Sources,
    /// The mixtures.
    pub(crate) mixtures: &'a BTreeMap<String, WrittenMixture>,
    /// The run's length.
    pub(crate) clock: Clock,
}

impl Known<'_> {
    /// Reads one of `[[questions]]`.
    pub(crate) fn question(&self, item: Item<'_>) -> Result<Question, LabError> {
        let mut table = item.table()?;
        let ask = table.required("ask", "`duration` or `removal`")?;
        let ask = ask.choice(&["duration", "removal"])?;
        let mixture = self.mixture(&table.required("mixture", "the mixture asked about")?)?;
        let question = if ask == "duration" {
            Question::Duration { mixture, windows: self.windows(&mut table)? }
        } else {
            Question::Removal {
                mixture,
                window: self.window(&table.required("window", "the length of the last phase")?)?,
                remove: self.removals(&mut table)?,
                refill: self.refill(&table.required(
                    "refill",
                    "`domain`, `proportional` or a source, which gets the freed share",
                )?)?,
            }
        };
        table.finish()?;
        Ok(question)
    }

    /// The name of a defined mixture.
    pub(crate) fn mixture(&self, item: &Item<'_>) -> Result<Placed<String>, LabError> {
        let name = item.string("the name of a mixture in quotes")?.to_owned();
        if !self.mixtures.contains_key(&name) {
            let nearest = nearest(&name, self.mixtures.keys().map(String::as_str));
            return Err(item.problem(Problem::UndefinedMixture { name, nearest }));
        }
        Ok(Placed { value: name, line: item.line() })
    }

    fn windows(&self, table: &mut Table<'_>) -> Result<Vec<Placed<Window>>, LabError> {
        let expected = "a list of durations, such as [\"5%\", \"10%\"]";
        let items = table.required("windows", expected)?;
        let (file, line) = (items.source(), items.line());
        let mut windows: Vec<Placed<Window>> = Vec::new();
        for item in items.list(expected)? {
            let window = self.window(&item)?;
            let twin = windows.iter().find(|other| other.value.steps == window.value.steps);
            if let Some(twin) = twin {
                return Err(item.problem(Problem::WindowTwice {
                    first: twin.value.span.to_string(),
                    second: window.value.span.to_string(),
                    steps: window.value.steps,
                }));
            }
            windows.push(window);
        }
        if windows.is_empty() {
            let (key, found) = ("questions.windows".to_owned(), "empty".to_owned());
            return Err(file.problem(line, Problem::OutOfRange { key, found, expected }));
        }
        Ok(windows)
    }

    fn window(&self, item: &Item<'_>) -> Result<Placed<Window>, LabError> {
        let span: Span = item.quantity("a duration in quotes, such as \"10%\"")?;
        let (steps, of) = (self.clock.steps_of(span), self.clock.steps());
        let window = span.to_string();
        if steps == 0 {
            let step = self.clock.step();
            return Err(item.problem(Problem::WindowEmpty { window, step }));
        }
        if steps >= of {
            return Err(item.problem(Problem::WindowWhole { window, steps, of }));
        }
        Ok(Placed { value: Window { span, steps }, line: item.line() })
    }

    fn removals(&self, table: &mut Table<'_>) -> Result<Vec<Placed<Removal>>, LabError> {
        let expected = "a list of sources, domains, or lists of them";
        let items = table.required("remove", expected)?;
        let (file, line) = (items.source(), items.line());
        let mut removals: Vec<Placed<Removal>> = Vec::new();
        for item in items.list(expected)? {
            let line = item.line();
            let removal = self.removal(item.one_or_more(expected)?)?;
            if removals.iter().any(|other| same(&other.value, &removal)) {
                let removed = quoted(&removal.names);
                return Err(file.problem(line, Problem::RemovalTwice { removed }));
            }
            removals.push(Placed { value: removal, line });
        }
        if removals.is_empty() || removals.iter().any(|r| r.value.names.is_empty()) {
            let (key, found) = ("questions.remove".to_owned(), "empty".to_owned());
            return Err(file.problem(line, Problem::OutOfRange { key, found, expected }));
        }
        Ok(removals)
    }

    fn removal(&self, items: Vec<Item<'_>>) -> Result<Removal, LabError> {
        let mut removal = Removal { names: vec![], shares: vec![] };
        for item in items {
            let name = item.string("the name of a source or domain in quotes")?.to_owned();
            let share = share(&name, self.sources).map_err(|nearest| {
                let (place, name) = ("`remove`".to_owned(), name.clone());
                item.problem(Problem::UndefinedSource { place, name, nearest })
            })?;
            removal.names.push(name);
            removal.shares.push(share);
        }
        Ok(removal)
    }

    fn refill(&self, item: &Item<'_>) -> Result<Placed<Refill>, LabError> {
        let name = item.string("`domain`, `proportional` or a source in quotes")?;
        let mut sources = self.sources.facts.keys();
        let refill = match (name, sources.find(|source| source.as_str() == name)) {
            ("domain", _) => Refill::Domain,
            ("proportional", _) => Refill::Proportional,
            (_, Some(source)) => Refill::Source(source.clone()),
            (_, None) => {
                let known = self.sources.facts.keys().map(SourceName::as_str);
                let nearest = nearest(name, known.chain(["domain", "proportional"]));
                let name = name.to_owned();
                return Err(item.problem(Problem::RefillUnknown { name, nearest }));
            }
        };
        Ok(Placed { value: refill, line: item.line() })
    }
}

fn same(one: &Removal, other: &Removal) -> bool {
    let sorted = |removal: &Removal| {
        let mut names = removal.names.clone();
        names.sort();
        names
    };
    sorted(one) == sorted(other)
}

/// `` `code` and `qa` ``
pub(crate) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}
