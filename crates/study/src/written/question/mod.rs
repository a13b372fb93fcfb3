//! Reads `[[questions]]`: what is asked, checked against what the study defines.

mod blend;
mod lengths;
mod selection;
mod transfer;

use std::collections::BTreeMap;

use sparkjoy_base::toml_file::{Item, Placed, TomlTable};
use sparkjoy_base::{Ppm, Problem, SourceName, Span, nearest, thousands};

use super::clock::Clock;
use super::mixture::WrittenMixture;
use super::shares::{Share, proportion};
use super::sources::Sources;
use super::training::{Model, Size};

pub use self::blend::simplex_lattice;
pub(crate) use self::blend::{Blend, Corners};
pub(crate) use self::selection::not_in_mixture;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Question {
    /// How long should the last phase be?
    Duration {
        /// The mixture of the last phase.
        mixture: Placed<String>,
        windows: Vec<Placed<Window>>,
        /// The learning rate of branches.
        rate: Rate,
    },
    /// What is each source worth?
    Removal {
        /// The mixture they are removed from.
        mixture: Placed<String>,
        /// The length of the last phase.
        window: Placed<Window>,
        /// What is removed, one comparison each.
        remove: Vec<Placed<Chosen>>,
        /// Who gets the freed share, one comparison each.
        refill: Vec<Placed<Refill>>,
        /// The learning rate of branches.
        rate: Rate,
    },
    /// What is a source worth that is not in the mixture, or more of it?
    Addition {
        /// The mixture it is added to.
        mixture: Placed<String>,
        /// What is added, one comparison each.
        add: Vec<Placed<Chosen>>,
        /// The share it gets.
        shares: Vec<Placed<Ppm>>,
        /// Lengths of the last phase.
        windows: Vec<Placed<Window>>,
        /// The learning rate of branches.
        rate: Rate,
    },
    /// How much of each domain?
    Proportion {
        /// The mixtures side by side.
        mixtures: Vec<Placed<Blend>>,
        /// The simplex they lie on, where they do.
        corners: Option<Corners>,
        /// The length of the last phase.
        window: Placed<Window>,
        /// The learning rate of branches.
        rate: Rate,
    },
    /// When should the mixture come?
    Timing {
        mixture: Placed<String>,
        window: Placed<Window>,
        /// Where it begins, ascending; the trunk's mixture follows to the end of the run.
        starts: Vec<Placed<Window>>,
    },
    /// Does the gain stay when the trunk's mixture follows?
    Stability {
        mixture: Placed<String>,
        window: Placed<Window>,
        /// How much of the trunk's mixture follows, ascending.
        then: Vec<Placed<Window>>,
    },
    /// Does the answer to another question hold elsewhere?
    Transfer {
        /// Which of the questions before it, from 0.
        of: Placed<usize>,
        /// Models of other sizes it is asked of.
        models: Vec<Placed<Size>>,
        /// Other mixtures it is asked about.
        mixtures: Vec<Placed<String>>,
    },
}

impl Question {
    /// The windows at the end of the run that it asks about.
    pub(crate) fn windows(&self) -> Vec<Window> {
        match self {
            Self::Duration { windows, .. } | Self::Addition { windows, .. } => {
                windows.iter().map(|window| window.value).collect()
            }
            Self::Removal { window, .. } | Self::Proportion { window, .. } => vec![window.value],
            Self::Timing { .. } | Self::Stability { .. } | Self::Transfer { .. } => Vec::new(),
        }
    }
}

/// A stretch of the run, or a place in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) span: Span,
    /// Its steps: at least one, fewer than the run's.
    pub(crate) steps: u64,
}

/// The learning rate over a window, the same in branch and control.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Rate {
    /// The trunk's curve goes on.
    #[default]
    Trunk,
    /// From the trunk's rate at the branch point in a straight line to zero.
    Decay,
}

/// Sources that are removed or added together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chosen {
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
    Source(SourceName),
}

const ASKS: [&str; 7] =
    ["duration", "removal", "addition", "proportion", "timing", "stability", "transfer"];

/// What questions are checked against.
pub(crate) struct Known<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) mixtures: &'a BTreeMap<String, WrittenMixture>,
    /// The run's length.
    pub(crate) clock: Clock,
    pub(crate) model: &'a Model,
}

impl Known<'_> {
    /// Reads all of `[[questions]]`. `trunk`: the mixture of the trunk.
    pub(crate) fn questions(
        &self,
        items: Vec<Item<'_>>,
        trunk: &str,
    ) -> Result<Vec<Question>, Problem> {
        let mut questions = Vec::new();
        for item in items {
            questions.push(self.question(item, trunk, &questions)?);
        }
        Ok(questions)
    }

    fn question(
        &self,
        item: Item<'_>,
        trunk: &str,
        before: &[Question],
    ) -> Result<Question, Problem> {
        let mut table = item.table()?;
        let ask = table.required("ask", "what is asked, such as `duration`")?;
        if let Ok("ablation" | "leave-one-out") = ask.string("a word in quotes") {
            let text = "`questions.ask` is an ablation, expected `removal`";
            let hint =
                "write `ask = \"removal\"`: a branch without each source that `remove` names";
            return Err(ask.problem(text).with_hint(hint));
        }
        let ask = ask.choice(&ASKS)?;
        let table_ref = &mut table;
        let question = match ask {
            "duration" => Question::Duration {
                mixture: self.asked_about(table_ref)?,
                windows: self.windows(table_ref, "windows", LENGTHS)?,
                rate: rate(table_ref)?,
            },
            "removal" => {
                let mixture = self.asked_about(table_ref)?;
                Question::Removal {
                    window: self.window(table_ref)?,
                    remove: self.chosen(table_ref, "remove", "remove_each", Some(&mixture))?,
                    refill: self.refills(table_ref)?,
                    rate: rate(table_ref)?,
                    mixture,
                }
            }
            "addition" => Question::Addition {
                mixture: self.mixture_or(table_ref, trunk)?,
                add: self.chosen(table_ref, "add", "add_each", None)?,
                shares: shares(table_ref)?,
                windows: self.windows(table_ref, "windows", LENGTHS)?,
                rate: rate(table_ref)?,
            },
            "proportion" => {
                let (mixtures, corners) = self.blends(table_ref)?;
                Question::Proportion {
                    mixtures,
                    corners,
                    window: self.window(table_ref)?,
                    rate: rate(table_ref)?,
                }
            }
            "timing" => self.timing(table_ref)?,
            "stability" => self.stability(table_ref)?,
            _ => self.transfer(table_ref, before)?,
        };
        table.finish()?;
        Ok(question)
    }

    fn timing(&self, table: &mut TomlTable<'_>) -> Result<Question, Problem> {
        let mixture = self.asked_about(table)?;
        let window = self.window(table)?;
        let mut starts = self.windows(table, "starts", PLACES)?;
        for start in &mut starts {
            // A share counts from the end, so that a window of 10 % that begins at 90 % ends with
            // the run, whatever is rounded.
            if let Span::Share(share) = start.value.span {
                let rest = Span::Share(Ppm(Ppm::ONE.0 - share.0));
                start.value.steps = self.clock.steps() - self.clock.steps_of(rest);
            }
            self.fits(&[start, &window], table, start.line)?;
        }
        starts.sort_by_key(|start| start.value.steps);
        Ok(Question::Timing { mixture, window, starts })
    }

    fn stability(&self, table: &mut TomlTable<'_>) -> Result<Question, Problem> {
        let mixture = self.asked_about(table)?;
        let window = self.window(table)?;
        let mut then = self.windows(table, "then", LENGTHS)?;
        for rest in &then {
            let steps = window.value.steps + rest.value.steps;
            if steps >= self.clock.steps() {
                let window = format!("{} and then {}", window.value.span, rest.value.span);
                let text = self.whole_run(&window, steps);
                return Err(table.source().problem(then[0].line, text));
            }
        }
        then.sort_by_key(|rest| rest.value.steps);
        Ok(Question::Stability { mixture, window, then })
    }

    /// Refuses stretches one after the other that are longer than the run.
    fn fits(
        &self,
        stretches: &[&Placed<Window>; 2],
        table: &TomlTable<'_>,
        line: usize,
    ) -> Result<(), Problem> {
        let [start, window] = stretches.map(|stretch| stretch.value);
        let (steps, of) = (start.steps + window.steps, self.clock.steps());
        if steps <= of {
            return Ok(());
        }
        let text = format!(
            "a window of {} that begins at {} ends at step {}, expected at most {}, the end of the \
             run",
            window.span,
            start.span,
            thousands(steps),
            thousands(of)
        );
        Err(table.source().problem(line, text).with_hint("begin earlier, or shorten the window"))
    }

    /// The name of a defined mixture.
    pub(crate) fn mixture(&self, item: &Item<'_>) -> Result<Placed<String>, Problem> {
        let name = item.string("the name of a mixture in quotes")?.to_owned();
        if !self.mixtures.contains_key(&name) {
            let nearest = nearest(&name, self.mixtures.keys().map(String::as_str));
            return Err(item
                .problem(format!("mixture `{name}` is not defined"))
                .with_hint(format!("define it in a table `[mixtures.{name}]`"))
                .meant_or_known(nearest.as_deref(), self.mixtures.keys().map(String::as_str)));
        }
        Ok(Placed { value: name, line: item.line() })
    }

    fn asked_about(&self, table: &mut TomlTable<'_>) -> Result<Placed<String>, Problem> {
        self.mixture(&table.required("mixture", "the mixture asked about")?)
    }

    fn mixture_or(
        &self,
        table: &mut TomlTable<'_>,
        trunk: &str,
    ) -> Result<Placed<String>, Problem> {
        match table.optional("mixture") {
            Some(item) => self.mixture(&item),
            None => Ok(Placed { value: trunk.to_owned(), line: table.line() }),
        }
    }
}

const LENGTHS: &str = "a list of durations, such as [\"5%\", \"10%\"]";
const PLACES: &str = "a list of places of the run, such as [\"30%\", \"60%\", \"90%\"]";

fn rate(table: &mut TomlTable<'_>) -> Result<Rate, Problem> {
    let Some(item) = table.optional("rate") else { return Ok(Rate::Trunk) };
    Ok(if item.choice(&["trunk", "decay"])? == "decay" { Rate::Decay } else { Rate::Trunk })
}

/// One or more shares under `shares`, each above 0 and up to 1, each once.
fn shares(table: &mut TomlTable<'_>) -> Result<Vec<Placed<Ppm>>, Problem> {
    let expected = "a list of decimals from 0 to 1, such as [0.1, 0.3]";
    let items = table.required("shares", expected)?;
    let (file, line) = (items.source(), items.line());
    let mut shares: Vec<Placed<Ppm>> = Vec::new();
    for item in items.one_or_more(expected)? {
        let value = proportion(&item, "shares", "a question")?;
        if shares.iter().any(|share| share.value == value) {
            return Err(item.problem(format!("`shares` names {value} twice, expected once")));
        }
        shares.push(Placed { value, line: item.line() });
    }
    if shares.is_empty() {
        return Err(file.out_of_range(line, "questions.shares", "empty", expected));
    }
    shares.sort_by_key(|share| share.value);
    Ok(shares)
}

/// `` `code` and `qa` ``
pub(crate) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}
