//! How fast something grows, over the last stretch of time only.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A rate looks back this far: long enough to be calm, short enough to notice a busy machine.
const OVER: Duration = Duration::from_secs(20);
/// Samples closer than this to the one before are not kept.
const APART: Duration = Duration::from_millis(200);

/// A count that grows, and when it was how much.
#[derive(Debug, Default)]
pub struct RecentThroughput {
    count: u64,
    samples: VecDeque<(Instant, u64)>,
}

impl RecentThroughput {
    /// Counts `more` things, done at `now`.
    pub fn add(&mut self, more: u64, now: Instant) {
        self.reach(self.count + more, now);
    }

    /// The count is `count` at `now`.
    pub fn reach(&mut self, count: u64, now: Instant) {
        self.count = count;
        while self.samples.len() > 1 && now - self.samples[1].0 >= OVER {
            self.samples.pop_front();
        }
        if self.samples.back().is_none_or(|(before, _)| now - *before >= APART) {
            self.samples.push_back((now, count));
        }
    }

    /// Things a second; `None` before there are two samples.
    pub fn per_second(&self) -> Option<f64> {
        let ((start, first), (end, last)) = (self.samples.front()?, self.samples.back()?);
        let seconds = (*end - *start).as_secs_f64();
        (seconds > 0.0 && last > first).then(|| (last - first) as f64 / seconds)
    }

    /// Seconds until `left` more things are done.
    pub fn seconds_for(&self, left: u64) -> Option<f64> {
        self.per_second().map(|rate| left as f64 / rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_stretch_counts() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rate = RecentThroughput::default();
        rate.add(0, at(0));
        assert_eq!(rate.per_second(), None);
        rate.add(1000, at(10));
        assert_eq!(rate.per_second(), Some(100.0));
        for second in 11..100 {
            rate.add(10, at(second));
        }
        assert_eq!(rate.per_second(), Some(10.0));
        assert_eq!(rate.seconds_for(50), Some(5.0));
    }
}
