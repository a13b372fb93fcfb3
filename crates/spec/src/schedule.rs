//! The learning rate as a pure function of the tokens trained on.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The shape of the learning-rate curve; lengths are in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ScheduleKind {
    /// The paper's.
    InverseSqrt {
        /// Linear warmup.
        warmup: u64,
        /// Time scale.
        scale: u64,
        /// Linear cooldown to zero at the end.
        cooldown: u64,
    },
    /// Warmup, constant, linear decay to zero.
    WarmupStableDecay {
        /// Linear warmup.
        warmup: u64,
        /// Linear decay at the end.
        decay: u64,
    },
    /// Warmup, then half a cosine to `floor`.
    Cosine {
        /// Linear warmup.
        warmup: u64,
        /// Final factor.
        floor: f64,
    },
    /// Warmup, then a line to `floor`.
    Linear {
        /// Linear warmup.
        warmup: u64,
        /// Final factor.
        floor: f64,
    },
    /// Warmup, then constant.
    Constant {
        /// Linear warmup.
        warmup: u64,
    },
}

/// A learning-rate curve over a run of `total` tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its shape.
    pub kind: ScheduleKind,
    /// Tokens of the whole run.
    pub total: u64,
}

impl Schedule {
    /// The factor on the peak rate when `tokens` have been trained on before this step.
    ///
    /// The first step of a run that warms up has factor 0. Where warmup and the end overlap, the
    /// end begins when the warmup is over; past `total` the last factor stays.
    ///
    /// # Source
    ///
    /// `inv_sqrt_with_warmup` of llm-foundry with both final factors 0.
    pub fn factor(&self, tokens: u64) -> f64 {
        let warmup = match self.kind {
            ScheduleKind::InverseSqrt { warmup, .. }
            | ScheduleKind::WarmupStableDecay { warmup, .. }
            | ScheduleKind::Cosine { warmup, .. }
            | ScheduleKind::Linear { warmup, .. }
            | ScheduleKind::Constant { warmup } => warmup,
        };
        if tokens < warmup {
            return tokens as f64 / warmup as f64;
        }
        match self.kind {
            ScheduleKind::InverseSqrt { scale, cooldown, .. } => {
                let scale = scale as f64;
                let curve = |tokens: u64| 1.0 / (((tokens - warmup) as f64 + scale) / scale).sqrt();
                let start = self.end(warmup, cooldown);
                if tokens < start || cooldown == 0 {
                    curve(tokens.min(start))
                } else {
                    curve(start) * (1.0 - share(tokens - start, cooldown))
                }
            }
            ScheduleKind::WarmupStableDecay { decay, .. } => {
                let start = self.end(warmup, decay);
                if tokens < start || decay == 0 { 1.0 } else { 1.0 - share(tokens - start, decay) }
            }
            ScheduleKind::Cosine { floor, .. } => {
                floor + (1.0 - floor) * 0.5 * (1.0 + (PI * self.progress(tokens, warmup)).cos())
            }
            ScheduleKind::Linear { floor, .. } => {
                1.0 + (floor - 1.0) * self.progress(tokens, warmup)
            }
            ScheduleKind::Constant { .. } => 1.0,
        }
    }

    /// Where an end of `length` tokens begins.
    fn end(&self, warmup: u64, length: u64) -> u64 {
        self.total.saturating_sub(length).max(warmup)
    }

    /// How much of the run after its warmup is done, 0 to 1.
    fn progress(&self, tokens: u64, warmup: u64) -> f64 {
        share(tokens - warmup, self.total.saturating_sub(warmup))
    }
}

/// `part / whole`, at most 1; 1 of nothing.
fn share(part: u64, whole: u64) -> f64 {
    if part >= whole { 1.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_length_is_ever_divided_by_when_it_is_zero() {
        let kinds = [
            ScheduleKind::InverseSqrt { warmup: 0, scale: 10, cooldown: 0 },
            ScheduleKind::WarmupStableDecay { warmup: 0, decay: 0 },
            ScheduleKind::Cosine { warmup: 0, floor: 0.1 },
            ScheduleKind::Linear { warmup: 100, floor: 0.1 },
            ScheduleKind::Constant { warmup: 0 },
        ];
        for kind in kinds {
            let schedule = Schedule { kind, total: 100 };
            for tokens in [0, 1, 99, 100, 1000] {
                let factor = schedule.factor(tokens);
                assert!((0.0..=1.0).contains(&factor), "{kind:?} at {tokens}: {factor}");
            }
        }
    }

    #[test]
    fn kinds_read_as_they_are_written_in_a_study() {
        let text = r#"{"kind":"warmup-stable-decay","warmup":3,"decay":4}"#;
        let kind: ScheduleKind = serde_json::from_str(text).unwrap();
        assert_eq!(kind, ScheduleKind::WarmupStableDecay { warmup: 3, decay: 4 });
        assert!(serde_json::from_str::<ScheduleKind>(r#"{"kind":"constant","warm":3}"#).is_err());
    }
}
