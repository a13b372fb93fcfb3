//! The run's clock: how tokens, shares of the budget and steps convert into each other.

use sparkjoy_base::{Span, Tokens};

/// The length of a run in its two units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) budget: Tokens,
    /// Sequences per step.
    pub(crate) batch: u64,
    /// Tokens per sequence.
    pub(crate) context: u64,
}

impl Clock {
    /// Tokens per step.
    pub(crate) fn step(self) -> Tokens {
        Tokens(self.batch * self.context)
    }

    /// Whole steps of the budget; what is left over is never trained on.
    pub(crate) fn steps(self) -> u64 {
        self.budget.0 / self.step().0
    }

    /// Tokens of all steps.
    pub(crate) fn total(self) -> Tokens {
        Tokens(self.steps() * self.step().0)
    }

    /// The nearest whole number of steps.
    pub(crate) fn steps_of(self, span: Span) -> u64 {
        span.steps(self.budget, self.step())
    }

    /// A length on the learning-rate curve. A share is a whole number of steps, so that a cooldown
    /// of `10%` begins exactly where a window of `10%` does.
    pub(crate) fn tokens_of(self, span: Span) -> u64 {
        match span {
            Span::Tokens(tokens) => tokens.0,
            Span::Share(_) | Span::Steps(_) => self.steps_of(span).saturating_mul(self.step().0),
        }
    }
}
