//! What happens to tasks.

use sparkjoy_stats::Effect;

use super::{Speaker, signed};
use crate::{Comparison, FindingKind, Measure, TaskAnswer, Verdict};
use sparkjoy_study::{Arm, Role};

/// Tasks that are named in one list at most.
const NAMED: usize = 6;

impl Speaker<'_> {
    /// `+31.2 points (95 % interval +25.0 to +37.4)`.
    pub(super) fn amount(&self, measure: Measure, effect: &Effect) -> String {
        let show = |value: f64| match measure {
            Measure::Accuracy => points(value),
            Measure::Average | Measure::GoldBitsPerByte => signed(value),
        };
        format!(
            "{} {} ({} interval {} to {})",
            show(effect.mean),
            unit(measure),
            self.percent(),
            show(effect.low),
            show(effect.high)
        )
    }

    /// How an arm compares on a task, where it is tested.
    pub(super) fn on_task(&self, task: usize, arm: usize) -> Option<&Comparison> {
        let cell = self.answer.tasks[task].cells[arm].as_ref()?;
        cell.adjusted_p.is_some().then_some(cell)
    }

    pub(super) fn verdict_on(&self, task: usize, arm: usize) -> Option<Verdict> {
        self.on_task(task, arm).map(|cell| cell.verdict)
    }

    /// A weighted sum of the effects of some arms on a task.
    pub(super) fn combined_on(&mut self, task: usize, arms: &[(f64, usize)]) -> Option<Effect> {
        let TaskAnswer { measure, task, .. } = &self.answer.tasks[task];
        let of = |&(weight, arm): &(f64, usize)| (weight, &self.question.arms[arm]);
        let arms: Vec<(f64, &Arm)> = arms.iter().map(of).collect();
        self.tasks.combination((*measure, task), &arms, self.scale)
    }

    /// Places of the tasks an arm changes in one direction: right answers first, bits per byte
    /// where the right answers do not say it already.
    pub(super) fn changed(&self, arm: usize, verdict: Verdict) -> Vec<usize> {
        let tasks = &self.answer.tasks;
        let is_it = |&task: &usize| self.verdict_on(task, arm) == Some(verdict);
        let all: Vec<usize> = (0..tasks.len()).filter(is_it).collect();
        let is_said = |&task: &usize| {
            let same = |&other: &usize| {
                tasks[other].task == tasks[task].task && tasks[other].measure == Measure::Accuracy
            };
            tasks[task].measure == Measure::GoldBitsPerByte && all.iter().any(same)
        };
        all.iter().copied().filter(|task| !is_said(task)).collect()
    }

    /// `` `facts` +12.3 points (…), the right answers of `sums` −0.0123 bits per byte (…)``.
    pub(super) fn list(&self, arm: usize, tasks: &[usize]) -> String {
        let one = |&task: &usize| {
            let effect = self.on_task(task, arm)?.effect.as_ref()?;
            let answer = &self.answer.tasks[task];
            Some(format!("{} {}", name(answer), self.amount(answer.measure, effect)))
        };
        let mut named: Vec<String> = tasks.iter().take(NAMED).filter_map(one).collect();
        if tasks.len() > NAMED {
            named.push(format!("and {} more", tasks.len() - NAMED));
        }
        named.join(", ")
    }

    /// ``worse: `sums` −12.3 points (…); better: `facts` …``; none where nothing changes.
    pub(super) fn both_ways(&self, arm: usize) -> Option<String> {
        let way = |verdict, word: &str| {
            let tasks = self.changed(arm, verdict);
            (!tasks.is_empty()).then(|| format!("{word}: {}", self.list(arm, &tasks)))
        };
        let ways = [way(Verdict::Worse, "worse"), way(Verdict::Better, "better")];
        let ways: Vec<String> = ways.into_iter().flatten().collect();
        (!ways.is_empty()).then(|| ways.join("; "))
    }

    /// One sentence for every arm that changes a task.
    pub(super) fn each_on_tasks(&mut self) {
        for arm in 0..self.answer.arms.len() {
            let Some(ways) = self.both_ways(arm) else { continue };
            let text = format!("`{}`{} on tasks, {ways}.", self.label(arm), self.against(arm));
            self.say(FindingKind::Effect, text);
        }
    }

    /// What an arm is compared with, where that is not what the question compares with.
    pub(super) fn against(&self, arm: usize) -> String {
        let arm = &self.answer.arms[arm];
        match arm.role {
            Role::Answer => String::new(),
            _ => format!(" against {}", self.answer.controls[arm.control].label),
        }
    }

    /// How many tests on tasks saw nothing, and what they could have seen.
    pub(super) fn nulls_of_tasks(&mut self) {
        let mut said = Vec::new();
        for (measure, what) in [
            (Measure::Average, "averages of categories"),
            (Measure::Accuracy, "accuracies"),
            (Measure::GoldBitsPerByte, "bits per byte of right answers"),
        ] {
            let tasks = self.answer.tasks.iter().filter(|task| task.measure == measure);
            let cells = tasks.flat_map(|task| task.cells.iter().flatten());
            let tested: Vec<&Comparison> = cells.filter(|cell| cell.adjusted_p.is_some()).collect();
            let is_null = |cell: &&&Comparison| cell.verdict == Verdict::NotDistinguishable;
            let nulls: Vec<&Comparison> = tested.iter().filter(is_null).copied().collect();
            if nulls.is_empty() {
                continue;
            }
            let mut text = format!("{} of {} {what}", nulls.len(), tested.len());
            if let Some(range) = seen(measure, &nulls) {
                text = format!("{text} ({range})");
            }
            said.push(text);
        }
        if !said.is_empty() {
            let text = format!(
                "Not distinguishable from nothing on tasks, with the changes that would have been \
                 seen in four of five studies: {}.",
                said.join("; ")
            );
            self.say(FindingKind::Null, text);
        }
    }
}

/// The least changes that comparisons would have seen: `2.1 to 6.3 points`; none where nothing
/// is known about it.
pub(super) fn seen(measure: Measure, cells: &[&Comparison]) -> Option<String> {
    let least =
        |fold: fn(f64, f64) -> f64| cells.iter().filter_map(|cell| cell.detectable).reduce(fold);
    let show = |value: f64| match measure {
        Measure::Accuracy => format!("{:.1}", 100.0 * value),
        Measure::Average | Measure::GoldBitsPerByte => format!("{value:.4}"),
    };
    let (low, high) = (show(least(f64::min)?), show(least(f64::max)?));
    let range = if low == high { low } else { format!("{low} to {high}") };
    Some(format!("{range} {}", unit(measure)))
}

/// `` `facts` ``, ``the right answers of `facts` ``.
pub(super) fn name(task: &TaskAnswer) -> String {
    match task.measure {
        Measure::Average | Measure::Accuracy => format!("`{}`", task.task),
        Measure::GoldBitsPerByte => format!("the right answers of `{}`", task.task),
    }
}

/// Whether an effect on a task makes it better.
pub(super) fn is_gain(measure: Measure, effect: &Effect) -> bool {
    if measure.lower_is_better() { effect.mean < 0.0 } else { effect.mean > 0.0 }
}

fn unit(measure: Measure) -> &'static str {
    match measure {
        Measure::Average => "of the average",
        Measure::Accuracy => "points",
        Measure::GoldBitsPerByte => "bits per byte",
    }
}

/// Percentage points, one place and a sign.
fn points(value: f64) -> String {
    let text = format!("{:+.1}", 100.0 * value).replace('-', "−");
    if matches!(text.as_str(), "+0.0" | "−0.0") { "0.0".to_owned() } else { text }
}
