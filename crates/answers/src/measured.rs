//! Gains of an arm in what an objective names: above 0 is better, in percent of the control's bits
//! per byte or in points of accuracy.

use std::collections::{BTreeMap, BTreeSet};

use sparkjoy_base::SourceName;
use sparkjoy_stats::Numbered;
use sparkjoy_study::{Arm, Measured, Plan};

use crate::held_out::{Text, members};
use crate::tasks::Tasks;
use crate::{Measure, What};

/// Numbers what strata are about, so that arms share the noise of what they are scored on.
#[derive(Default)]
pub(crate) struct Numbers(BTreeMap<(Measure, String, usize), usize>);

impl Numbers {
    fn of(&mut self, measure: Measure, name: &str, part: usize) -> usize {
        let next = self.0.len();
        *self.0.entry((measure, name.to_owned(), part)).or_insert(next)
    }
}

/// Gains of an arm, by strata whose weights sum to 1; none where something is not scored, or
/// nothing is left.
///
/// - `without`: sources whose own text does not count.
pub(crate) fn gains(
    (text, tasks): (Text<'_>, &Tasks),
    of: &Measured,
    arm: &Arm,
    without: &BTreeSet<SourceName>,
    numbers: &mut Numbers,
) -> Option<Vec<Numbered>> {
    let sources = match of {
        Measured::Task { name } => return of_task((Measure::Accuracy, name), tasks, arm, numbers),
        Measured::Bits { name } => {
            return of_task((Measure::GoldBitsPerByte, name), tasks, arm, numbers);
        }
        Measured::Average { name } => {
            return of_task((Measure::Average, name), tasks, arm, numbers);
        }
        _ => text_of(text.plan, of, without)?,
    };
    let strata = text.percent(&sources, arm)?;
    let named = sources.iter().zip(strata);
    let numbered = named.map(|((name, _), stratum)| {
        (numbers.of(Measure::GoldBitsPerByte, &format!("text of {name}"), 0), stratum)
    });
    weighed(numbered.collect())
}

/// The sources that a measure of text is about, with their weights; none for a measure of tasks.
///
/// - `without`: as in [`gains`].
pub(crate) fn text_of<'a>(
    plan: &'a Plan,
    of: &'a Measured,
    without: &BTreeSet<SourceName>,
) -> Option<Vec<(&'a SourceName, f64)>> {
    let alike = |what: &What| -> Vec<(&SourceName, f64)> {
        let members = members(plan, what, &BTreeSet::new());
        members.into_iter().map(|name| (name, 1.0)).collect()
    };
    let mut sources = match of {
        Measured::Source { name } => vec![(name, 1.0)],
        Measured::Domain { name } => alike(&What::Domain { name: name.clone() }),
        Measured::Unseen => alike(&What::Unseen),
        Measured::Mixture { name } => {
            let shares = plan.mixtures.get(name)?.proportions();
            shares.iter().map(|(name, share)| (name, f64::from(share.0))).collect()
        }
        Measured::Task { .. } | Measured::Bits { .. } | Measured::Average { .. } => return None,
    };
    sources.retain(|(name, _)| !without.contains(*name));
    Some(sources)
}

fn of_task(
    (measure, name): (Measure, &str),
    tasks: &Tasks,
    arm: &Arm,
    numbers: &mut Numbers,
) -> Option<Vec<Numbered>> {
    let strata = tasks.gains((measure, name), arm)?;
    let numbered = strata.into_iter().enumerate();
    let numbered = numbered.map(|(part, stratum)| (numbers.of(measure, name, part), stratum));
    weighed(numbered.collect())
}

/// The same with weights that sum to 1; none of none.
fn weighed(mut strata: Vec<Numbered>) -> Option<Vec<Numbered>> {
    let sum: f64 = strata.iter().map(|(_, stratum)| stratum.weight).sum();
    for (_, stratum) in &mut strata {
        stratum.weight /= sum;
    }
    (!strata.is_empty()).then_some(strata)
}
