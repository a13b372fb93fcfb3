//! Reads `[trunk]`: its mixture and, where it was trained elsewhere, what it comes as.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sparkjoy_base::toml_file::{Item, Placed, TomlTable};
use sparkjoy_base::{Ppm, Problem, SourceName, Span, Tokens, nearest, thousands};

use super::clock::Clock;
use super::question::{Known, Window};
use super::shares::Share;

/// A trunk trained elsewhere, as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WrittenImport {
    /// The model's folder, and the line it is named in.
    pub(crate) from: Placed<PathBuf>,
    /// Steps of this study it stands for; a checkpoint of ours knows.
    pub(crate) step: Option<Placed<u64>>,
    /// The same as a share of the budget, where it is written as one.
    share: Option<Ppm>,
    /// Whether the optimizer's state comes with it.
    pub(crate) saved: bool,
    /// What it has read; a checkpoint of ours knows.
    pub(crate) read: Option<Placed<BTreeMap<SourceName, Amount>>>,
}

/// How much of a source was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// So many tokens.
    Tokens(Tokens),
    /// So many times, in millionths.
    Epochs(u64),
}

impl Amount {
    /// The nearest whole number of sequences, ties upwards.
    ///
    /// - `in_epoch`: sequences of the source.
    /// - `context`: tokens of a sequence.
    pub(crate) fn sequences(self, in_epoch: u64, context: u64) -> u64 {
        let (parts, of) = match self {
            Self::Tokens(tokens) => (u128::from(tokens.0), u128::from(context)),
            Self::Epochs(millionths) => (u128::from(millionths) * u128::from(in_epoch), 1_000_000),
        };
        u64::try_from((2 * parts + of) / (2 * of)).unwrap_or(u64::MAX)
    }
}

/// Reads `[trunk]`. `folder`: what `from` is relative to, that of the study.
pub(crate) fn read(
    mut table: TomlTable<'_>,
    known: &Known<'_>,
    folder: &Path,
) -> Result<(Placed<String>, Option<WrittenImport>), Problem> {
    let mixture = known.mixture(&table.required("mixture", "the trunk's mixture")?)?;
    let Some(from) = table.optional("from") else {
        for key in ["step", "optimizer", "read"] {
            if let Some(item) = table.optional(key) {
                let text = format!(
                    "`{key}` is about a trunk trained elsewhere, but `[trunk]` has no `from`"
                );
                let hint = "name the model's folder: `from = \"checkpoints/NAME\"`";
                return Err(item.problem(text).with_hint(hint));
            }
        }
        table.finish()?;
        return Ok((mixture, None));
    };
    let path = folder.join(from.string("a model folder in quotes")?);
    let optimizer = table.required("optimizer", "\"fresh\" or \"saved\"")?;
    let step = table.optional("step").map(|item| step(&item, known)).transpose()?;
    let share = step.as_ref().and_then(|(span, _)| match span {
        Span::Share(share) => Some(*share),
        Span::Tokens(_) | Span::Steps(_) => None,
    });
    let import = WrittenImport {
        from: Placed { value: path, line: from.line() },
        saved: optimizer.choice(&["fresh", "saved"])? == "saved",
        step: step.map(|(_, step)| step),
        share,
        read: table.optional("read").map(|item| amounts(item, known)).transpose()?,
    };
    table.finish()?;
    Ok((mixture, Some(import)))
}

impl WrittenImport {
    /// Lets a window that is the rest of the run begin where the trunk is: `step = "80%"` and a
    /// window of `"20%"` are each rounded to the nearest step and may come to one too many.
    pub(crate) fn round_with(&mut self, windows: &[Window], clock: Clock) {
        let (Some(step), Some(share)) = (&mut self.step, self.share) else { return };
        let overlaps = |window: &Window| {
            let Span::Share(rest) = window.span else { return false };
            share.0 + rest.0 <= Ppm::ONE.0 && step.value + window.steps == clock.steps() + 1
        };
        if windows.iter().any(overlaps) {
            step.value -= 1;
        }
    }
}

fn step(item: &Item<'_>, known: &Known<'_>) -> Result<(Span, Placed<u64>), Problem> {
    let span: Span = item.quantity("a duration in quotes, such as \"90%\"")?;
    let (step, of) = (known.clock.steps_of(span), known.clock.steps());
    if !(1..of).contains(&step) {
        let text = format!(
            "`step` \"{span}\" is step {} of {}, expected one between the first and the last",
            thousands(step),
            thousands(of)
        );
        return Err(item.problem(text).with_hint(format!(
            "write 1 to {} steps, or a share above 0% and below 100%",
            thousands(of - 1)
        )));
    }
    Ok((span, Placed { value: step, line: item.line() }))
}

fn amounts(
    item: Item<'_>,
    known: &Known<'_>,
) -> Result<Placed<BTreeMap<SourceName, Amount>>, Problem> {
    let line = item.line();
    let mut amounts = BTreeMap::new();
    for (key, item) in item.table()?.named() {
        let facts = &known.sources.facts;
        let Some(source) = facts.keys().find(|source| source.as_str() == key.value) else {
            let name = key.value;
            if facts.values().any(|facts| facts.domain.as_str() == name) {
                let text = format!("`read` names `{name}`, which is a domain, expected sources");
                return Err(item.problem(text).with_hint("say it of each of its sources"));
            }
            let text = format!("`read` names `{name}`, which is no source of this study");
            let nearest = nearest(&name, facts.keys().map(SourceName::as_str));
            return Err(item.problem(text).with_hint(match nearest {
                Some(nearest) => format!("write `{nearest}`"),
                None => format!(
                    "leave `{name}` out: what was read of sources the study does not have changes \
                     nothing in it"
                ),
            }));
        };
        known.sources.refuse_unseen(&Share::Source(source.clone()), &item, "`read`")?;
        amounts.insert(source.clone(), amount(item)?);
    }
    Ok(Placed { value: amounts, line })
}

fn amount(item: Item<'_>) -> Result<Amount, Problem> {
    if !item.is_table() {
        let expected = "tokens in quotes, such as \"700M\", or a table such as { epochs = 1.5 }";
        return item.quantity(expected).map(Amount::Tokens);
    }
    let mut table = item.table()?;
    let epochs = table.required("epochs", "how often it was read, such as 1.5")?;
    table.finish()?;
    let millionths = |epochs: f64| (epochs * 1e6).round();
    let exact = |epochs: f64| {
        // As for proportions: a decimal of 6 places is close to a whole number of millionths.
        (0.0..=1e9).contains(&epochs) && (epochs * 1e6 - millionths(epochs)).abs() < 1e-3
    };
    let expected = "a number from 0 with at most 6 decimals, such as 1.5";
    Ok(Amount::Epochs(millionths(epochs.number(exact, expected)?) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trunk_and_a_window_that_are_the_whole_run_are_not_a_step_too_many() {
        // 1,002.9 steps of 64 tokens: 80 % are 802.3 of them, 20 % are 200.6.
        let clock = Clock { budget: Tokens(64_186), batch: 1, context: 64 };
        let step = |share: u32, windows: &[Span]| {
            let steps = clock.steps_of(Span::Share(Ppm(share)));
            let from = Placed { value: PathBuf::new(), line: 1 };
            let (share, read) = (Some(Ppm(share)), None);
            let step = Some(Placed { value: steps, line: 2 });
            let mut import = WrittenImport { from, step, share, saved: false, read };
            let window = |&span: &Span| Window { span, steps: clock.steps_of(span) };
            import.round_with(&windows.iter().map(window).collect::<Vec<_>>(), clock);
            import.step.unwrap().value
        };
        assert_eq!((clock.steps(), clock.steps_of(Span::Share(Ppm(200_000)))), (1002, 201));
        assert_eq!(step(800_000, &[Span::Share(Ppm(100_000)), Span::Share(Ppm(200_000))]), 801);
        assert_eq!(step(800_000, &[Span::Share(Ppm(100_000))]), 802);
        assert_eq!(step(800_000, &[Span::Steps(201)]), 802);
        assert_eq!(step(801_000, &[Span::Share(Ppm(200_000))]), 803);
    }

    #[test]
    fn amounts_are_the_nearest_whole_sequences() {
        let tokens = |tokens| Amount::Tokens(Tokens(tokens)).sequences(1_000, 64);
        assert_eq!([tokens(0), tokens(31), tokens(32), tokens(95), tokens(96)], [0, 0, 1, 1, 2]);
        let epochs = |millionths| Amount::Epochs(millionths).sequences(7, 64);
        // 7 sequences: half an epoch is 3.5 of them.
        assert_eq!([epochs(0), epochs(499_999), epochs(500_000)], [0, 3, 4]);
        assert_eq!([epochs(1_000_000), epochs(2_500_000)], [7, 18]);
        // A trillion tokens, exactly.
        assert_eq!(Amount::Tokens(Tokens(1_000_000_000_001)).sequences(1, 1), 1_000_000_000_001);
    }
}
