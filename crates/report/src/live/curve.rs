//! The curve of a run, thinned as it is read: never more than a thousand-odd points, however long
//! the run.

use std::collections::BTreeMap;

use sparkjoy_base::SourceName;
use sparkjoy_spec::StepRecord;

/// Points of a curve at most; beyond it, two and two become one.
const POINTS: usize = 1024;

/// A run's metrics, `width` steps to a point.
#[derive(Clone, Debug, Default)]
pub(crate) struct Curve {
    /// Steps in every point but the last.
    width: u64,
    sources: Vec<SourceName>,
    points: Vec<Point>,
    last: Option<StepRecord>,
}

/// Some consecutive steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Point {
    /// How many.
    pub(crate) steps: u64,
    /// The last of them.
    pub(crate) last_step: u64,
    /// Mean nats per token.
    pub(crate) loss: f64,
    /// The least loss of a step.
    pub(crate) least: f64,
    /// The greatest.
    pub(crate) most: f64,
    /// Learning rate of the last step.
    pub(crate) lr: f64,
    /// Mean gradient norm before clipping.
    pub(crate) grad_norm: f64,
    /// Tokens, and nats times tokens, by source.
    sources: BTreeMap<usize, (u64, f64)>,
}

impl Curve {
    /// The step after the ones before.
    pub(crate) fn add(&mut self, record: StepRecord) {
        self.width = self.width.max(1);
        if self.points.last().is_none_or(|point| point.steps >= self.width) {
            if self.points.len() == POINTS {
                self.halve();
            }
            self.points.push(Point::default());
        }
        let sources = record.losses.iter().map(|(name, loss)| {
            let at = self.sources.iter().position(|known| known == name).unwrap_or_else(|| {
                self.sources.push(name.clone());
                self.sources.len() - 1
            });
            let tokens = record.tokens.get(name).copied().unwrap_or(0);
            (at, (tokens, loss * tokens as f64))
        });
        let one = Point {
            steps: 1,
            last_step: record.step,
            loss: record.loss,
            least: record.loss,
            most: record.loss,
            lr: record.lr,
            grad_norm: record.grad_norm,
            sources: sources.collect(),
        };
        self.points.last_mut().expect("one was pushed if there was none").absorb(one);
        self.last = Some(record);
    }

    /// Two and two become one.
    fn halve(&mut self) {
        self.width *= 2;
        let mut halved: Vec<Point> = Vec::with_capacity(POINTS);
        for (index, point) in std::mem::take(&mut self.points).into_iter().enumerate() {
            match halved.last_mut() {
                Some(before) if index % 2 == 1 => before.absorb(point),
                _ => halved.push(point),
            }
        }
        self.points = halved;
    }

    /// How many points there are.
    pub(crate) fn len(&self) -> usize {
        self.points.len()
    }

    /// Steps to a point.
    pub(crate) fn width(&self) -> u64 {
        self.width
    }

    /// The last step read, whole.
    pub(crate) fn last(&self) -> Option<&StepRecord> {
        self.last.as_ref()
    }

    /// The sources met so far.
    pub(crate) fn sources(&self) -> &[SourceName] {
        &self.sources
    }

    /// The points, in the order of steps.
    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }
}

impl Point {
    fn absorb(&mut self, more: Self) {
        if self.steps == 0 {
            *self = more;
            return;
        }
        let (before, new) = (self.steps as f64, more.steps as f64);
        let mean = |a: f64, b: f64| (a * before + b * new) / (before + new);
        self.loss = mean(self.loss, more.loss);
        self.grad_norm = mean(self.grad_norm, more.grad_norm);
        self.least = self.least.min(more.least);
        self.most = self.most.max(more.most);
        (self.lr, self.last_step) = (more.lr, more.last_step);
        self.steps += more.steps;
        for (source, (tokens, nats)) in more.sources {
            let sum = self.sources.entry(source).or_default();
            *sum = (sum.0 + tokens, sum.1 + nats);
        }
    }

    /// Mean loss on a source, by its place among the curve's sources; none where no token of it
    /// was read.
    pub(crate) fn of_source(&self, source: usize) -> Option<f64> {
        let (tokens, nats) = self.sources.get(&source).copied()?;
        (tokens > 0).then(|| nats / tokens as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64, loss: f64) -> StepRecord {
        let name = SourceName::new(if step.is_multiple_of(2) { "even" } else { "odd" }).unwrap();
        StepRecord {
            step,
            loss,
            grad_norm: loss,
            lr: 0.5,
            tokens: [(name.clone(), 10)].into(),
            losses: [(name, loss)].into(),
        }
    }

    fn of(steps: u64) -> Curve {
        let mut curve = Curve::default();
        for step in 1..=steps {
            curve.add(record(step, step as f64));
        }
        curve
    }

    #[test]
    fn a_short_run_is_shown_step_by_step() {
        let curve = of(1024);
        assert_eq!((curve.len(), curve.width()), (1024, 1));
        assert!(curve.points.iter().zip(1..).all(|(point, step)| point.last_step == step));
    }

    #[test]
    fn a_million_steps_are_at_most_a_thousand_points_and_lose_neither_mean_nor_extremes() {
        let curve = of(1_000_000);
        assert!((512..=1024).contains(&curve.len()), "{}", curve.len());
        assert_eq!(curve.points.iter().map(|point| point.steps).sum::<u64>(), 1_000_000);
        assert!(curve.points[..curve.len() - 1].iter().all(|point| point.steps == curve.width));
        let first = &curve.points[0];
        let width = curve.width() as f64;
        assert_eq!((first.least, first.most), (1.0, width));
        assert!((first.loss - f64::midpoint(1.0, width)).abs() < 1e-9);
        assert_eq!(curve.last().map(|record| record.step), Some(1_000_000));
    }

    #[test]
    fn a_point_says_the_mean_of_each_source_over_its_tokens() {
        let mut curve = of(1025);
        assert_eq!(curve.width(), 2);
        curve.add(record(1026, 2.0));
        // Steps 1025 (odd, loss 1025) and 1026 (even, loss 2).
        let last = curve.points().last().unwrap();
        assert_eq!([0, 1, 2].map(|at| last.of_source(at)), [Some(1025.0), Some(2.0), None]);
        assert_eq!((curve.len(), curve.last().map(|record| record.step)), (513, Some(1026)));
    }
}
