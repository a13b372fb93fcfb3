//! Tasks of each branch against its control, replicate by replicate.

use std::collections::{BTreeMap, BTreeSet};

use sparkjoy_base::Fingerprint;
use sparkjoy_stats::{Effect, Stratum};

use super::number::{Key, Number, Part, numbers};
use super::{Items, Measure, TaskAnswer};
use crate::clusters::Clusters;
use crate::compare::{Scale, mix, scaled};
use crate::{Cause, Comparison, Gap};
use sparkjoy_eval::Scorecard;
use sparkjoy_study::{Arm, QuestionPlan};

/// The scores of all branches of a plan on tasks.
pub(crate) struct Tasks {
    /// One element per branch; empty where it is not scored.
    numbers: Vec<BTreeMap<Key, Number>>,
    /// What is behind them, by task.
    items: Vec<BTreeMap<String, Items>>,
}

struct Compared {
    /// One element per replicate.
    branch: Vec<f64>,
    control: Vec<f64>,
    rows: Vec<(Fingerprint, usize)>,
    strata: Vec<Stratum>,
}

impl Tasks {
    /// One element per branch of the plan in each.
    pub(crate) fn new(
        scorecards: &[Option<Scorecard>],
        items: Vec<BTreeMap<String, Items>>,
    ) -> Self {
        let of =
            |scorecard: &Option<Scorecard>| scorecard.as_ref().map(numbers).unwrap_or_default();
        Self { numbers: scorecards.iter().map(of).collect(), items }
    }

    /// The same from numbers that are on no scorecard.
    #[cfg(test)]
    pub(crate) fn of_numbers(
        numbers: Vec<BTreeMap<Key, Number>>,
        items: Vec<BTreeMap<String, Items>>,
    ) -> Self {
        Self { numbers, items }
    }

    /// Every measure of every task that any branch of the question has.
    pub(crate) fn answers(
        &self,
        question: &QuestionPlan,
        scale: &mut Scale,
        gaps: &mut Vec<Gap>,
    ) -> Vec<TaskAnswer> {
        let arms = question.arms.iter();
        let asked = arms.flat_map(|arm| arm.branches.iter().chain(&arm.controls));
        let all: BTreeMap<&Key, &Number> =
            asked.flat_map(|&branch| &self.numbers[branch]).collect();
        // A category of several tasks says what they say with less noise and fewer comparisons.
        let is_category =
            |(key, number): &(&&Key, &&Number)| key.0 == Measure::Average && is_several(number);
        let categories = all.iter().filter(is_category);
        let within: BTreeSet<&str> = categories
            .flat_map(|(_, number)| number.parts.iter().map(|part| part.task.as_str()))
            .collect();
        let mut answer = |(key, number): (&Key, &Number)| {
            let cell = |(index, arm): (usize, &Arm)| match self.comparison(key, arm, scale) {
                Ok(cell) => cell,
                Err(why) => {
                    let gap = Gap { arm: index, what: key.2.clone(), why };
                    if !gaps.contains(&gap) {
                        gaps.push(gap);
                    }
                    None
                }
            };
            let cells = question.arms.iter().enumerate().map(cell).collect();
            let tested = match key.0 {
                Measure::Average => is_several(number),
                Measure::Accuracy => !within.contains(key.2.as_str()),
                Measure::GoldBitsPerByte => true,
            };
            TaskAnswer { task: key.2.clone(), measure: key.0, tested, cells }
        };
        all.into_iter().map(&mut answer).collect()
    }

    /// A weighted sum of the effects of arms on a task, item by item; none where one of them is
    /// missing, or is scored on other rows.
    ///
    /// - `arms`: weight and arm.
    pub(crate) fn combination(
        &self,
        (measure, task): (Measure, &str),
        arms: &[(f64, &Arm)],
        scale: &mut Scale,
    ) -> Option<Effect> {
        let branch = *arms.first()?.1.branches.first()?;
        let is_it = |key: &&Key| key.0 == measure && key.2 == task;
        let key = self.numbers[branch].keys().find(is_it)?;
        let mut rows = None;
        let mut parts = Vec::new();
        for (weight, arm) in arms {
            let compared = self.compare(key, arm).ok()??;
            if *rows.get_or_insert_with(|| compared.rows.clone()) != compared.rows {
                return None;
            }
            parts.push((*weight, compared.strata));
        }
        scale.effect(&mix(parts)?)
    }

    /// Gains of an arm on a task or an average: points of accuracy, or percent of the bits per byte
    /// of the correct answers; none where it is not scored.
    pub(crate) fn gains(
        &self,
        (measure, name): (Measure, &str),
        arm: &Arm,
    ) -> Option<Vec<Stratum>> {
        let is_it = |key: &&Key| key.0 == measure && key.2 == name;
        let key = self.numbers[*arm.branches.first()?].keys().find(is_it)?;
        let Compared { control, mut strata, .. } = self.compare(key, arm).ok()??;
        let factor = match measure {
            Measure::GoldBitsPerByte => {
                let control = control.iter().sum::<f64>() / control.len() as f64;
                (control > 0.0).then_some(-100.0 / control)?
            }
            Measure::Average | Measure::Accuracy => 100.0,
        };
        scaled(&mut strata, factor);
        Some(strata)
    }

    fn comparison(
        &self,
        key: &Key,
        arm: &Arm,
        scale: &mut Scale,
    ) -> Result<Option<Comparison>, Cause> {
        let compared = self.compare(key, arm)?;
        Ok(compared.map(|Compared { branch, control, strata, .. }| {
            scale.compare(branch, control, &strata)
        }))
    }

    /// None where a replicate has no score.
    ///
    /// # Errors
    ///
    /// Why scores that are there are not of the same items.
    fn compare(&self, key: &Key, arm: &Arm) -> Result<Option<Compared>, Cause> {
        let of = |branches: &[usize]| {
            branches.iter().map(|&branch| self.numbers[branch].get(key)).collect::<Option<Vec<_>>>()
        };
        let (Some(branch), Some(control)) = (of(&arm.branches), of(&arm.controls)) else {
            return Ok(None);
        };
        // Scores of other rows are scores of another task.
        let rows = &branch[0].rows;
        if branch.iter().chain(&control).any(|other| other.rows != *rows) {
            return Err(Cause::OtherRows);
        }
        let mut strata = Vec::new();
        for part in &branch[0].parts {
            let of = |branches: &[usize]| {
                let items = branches.iter().map(|&branch| self.items[branch].get(&part.task));
                items
                    .collect::<Option<Vec<_>>>()
                    .ok_or_else(|| Cause::MissingItems { task: part.task.clone() })
            };
            add(&mut strata, key.0, part, (&of(&arm.branches)?, &of(&arm.controls)?))?;
        }
        let values = |numbers: &[&Number]| numbers.iter().map(|n| n.value).collect::<Vec<f64>>();
        let (branch_values, control) = (values(&branch), values(&control));
        Ok(Some(Compared { branch: branch_values, control, rows: rows.clone(), strata }))
    }
}

/// Whether a number is the average of a category of several tasks.
fn is_several(number: &Number) -> bool {
    !number.core && number.parts.len() > 1
}

/// A task of an average: one stratum, or one for each of its categories.
fn add(
    strata: &mut Vec<Stratum>,
    measure: Measure,
    part: &Part,
    (branch, control): (&[&Items], &[&Items]),
) -> Result<(), Cause> {
    let first = branch[0];
    let is_other = |other: &&Items| other.bytes != first.bytes || other.category != first.category;
    if branch.iter().chain(control).any(is_other) {
        return Err(Cause::OtherItems { task: part.task.clone() });
    }
    if measure == Measure::GoldBitsPerByte {
        let passages = Clusters::of(&first.passage, first.bits.len());
        let bits = |items: &[&Items]| -> Vec<Vec<f64>> {
            items.iter().map(|items| passages.sums(&items.bits)).collect()
        };
        let bytes = passages.sums(&first.bytes);
        strata.push(Stratum::ratios(1.0, &bits(branch), &bits(control), &bytes));
        return Ok(());
    }
    let categories = first.category.iter().max().map_or(1, |last| last + 1);
    for category in 0..categories {
        let all = first.category.iter().enumerate();
        let within: Vec<usize> = all.filter(|(_, c)| **c == category).map(|(i, _)| i).collect();
        let numbers: Vec<u64> =
            within.iter().filter_map(|&i| first.passage.get(i)).copied().collect();
        let passages = Clusters::of(&numbers, within.len());
        let correct = |items: &[&Items]| -> Vec<Vec<f64>> {
            let of = |items: &&Items| {
                let values = within.iter().map(|&i| part.scale * items.correct[i]);
                passages.sums(&values.collect::<Vec<_>>())
            };
            items.iter().map(of).collect()
        };
        let (branch, control) = (correct(branch), correct(control));
        let weight = part.weight / categories as f64;
        strata.push(if passages.are_items() {
            Stratum::scores(weight, &branch, &control)
        } else {
            Stratum::ratios(weight, &branch, &control, &passages.sums(&vec![1.0; within.len()]))
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparkjoy_kit::known;

    #[test]
    fn a_category_of_several_tasks_is_tested_in_their_place_and_nothing_twice() {
        let plan = known::plan();
        let number = |tasks: &[&str], core| {
            let part = |task: &&str| Part { task: (*task).to_owned(), weight: 1.0, scale: 1.0 };
            Number { value: 0.5, rows: Vec::new(), parts: tasks.iter().map(part).collect(), core }
        };
        let all = ["alone", "one", "other", "single"];
        let averages = [
            ("suite", number(&["one", "other", "single"], true)),
            ("suite: several", number(&["one", "other"], false)),
            ("suite: of one", number(&["single"], false)),
        ];
        let averages = averages.into_iter().enumerate();
        let mut numbers: BTreeMap<Key, Number> = averages
            .map(|(place, (name, number))| ((Measure::Average, place, name.to_owned()), number))
            .collect();
        for (place, task) in all.into_iter().enumerate() {
            for measure in [Measure::Accuracy, Measure::GoldBitsPerByte] {
                numbers.insert((measure, place, task.to_owned()), number(&[task], false));
            }
        }
        let of = Items {
            correct: vec![0.0, 1.0],
            bits: vec![1.0, 2.0],
            bytes: vec![1.0; 2],
            category: vec![0; 2],
            passage: vec![0, 1],
        };
        let items = all.map(|task| (task.to_owned(), of.clone()));
        let tasks = Tasks::of_numbers(
            vec![numbers; plan.branches.len()],
            vec![BTreeMap::from(items); plan.branches.len()],
        );
        let mut gaps = Vec::new();
        let answers = tasks.answers(&plan.questions[0], &mut Scale::new(&plan), &mut gaps);
        assert_eq!(gaps, []);
        let tested = |measure: Measure| -> Vec<&str> {
            let of = answers.iter().filter(|task| task.tested && task.measure == measure);
            of.map(|task| task.task.as_str()).collect()
        };
        assert_eq!(tested(Measure::Average), ["suite: several"]);
        assert_eq!(tested(Measure::Accuracy), ["alone", "single"]);
        assert_eq!(tested(Measure::GoldBitsPerByte), all);
    }
}
