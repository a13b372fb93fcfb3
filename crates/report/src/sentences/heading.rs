//! What a finding is about, in a word: the heading of its sentence.

use sparkjoy_answers::{Finding, ScopeEffect, Verdict};

/// The heading of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heading {
    /// What follows from the objective.
    Decision,
    /// The largest gain, and what it costs.
    LargestGain,
    /// A source that makes the model worse at a task.
    Harm,
    /// A gain that comes with a loss, or that the freed share may explain.
    Trade,
    /// Sources that stand in for each other.
    Redundant,
    /// Sources without a measurable loss.
    NoLoss,
    /// A difference there is.
    Effect,
    /// Differences that are not significant.
    NotSignificant,
    /// Arms in order.
    Ranking,
    /// Gain against cost.
    TradeOff,
    /// What the answer cost.
    Cost,
    /// What is missing, or must be kept in mind.
    Caution,
}

impl Heading {
    /// Of a finding.
    pub fn of(finding: &Finding) -> Self {
        match finding {
            Finding::Incomplete { .. }
            | Finding::SingleReplicate
            | Finding::NotCompared { .. }
            | Finding::NotMeasured { .. } => Self::Caution,
            Finding::Decision(_) | Finding::RemovalDecision(_) | Finding::OwnTextAlone { .. } => {
                Self::Decision
            }
            Finding::LargestGain(_) | Finding::BestPlace(_) => Self::LargestGain,
            Finding::Harmful(_) => Self::Harm,
            Finding::Trade(_) => Self::Trade,
            Finding::Redundant(_) => Self::Redundant,
            Finding::NoLoss(_) => Self::NoLoss,
            Finding::Effect(_) | Finding::Persistence(_) | Finding::TaskOverWindows(_) => {
                Self::Effect
            }
            Finding::LongerWindows(finding) => {
                if finding.better.is_empty() || finding.worse.is_empty() {
                    Self::Effect
                } else {
                    Self::TradeOff
                }
            }
            Finding::Unseen { effects } => {
                let is_null = |it: &ScopeEffect| it.tested.verdict == Verdict::NotSignificant;
                if effects.iter().all(is_null) { Self::NotSignificant } else { Self::Effect }
            }
            Finding::Front { .. } => Self::TradeOff,
            Finding::Ranking(_) | Finding::Transfer(_) => Self::Ranking,
            Finding::NoGain { .. }
            | Finding::NotSignificant { .. }
            | Finding::NotSignificantOnTasks { .. } => Self::NotSignificant,
            Finding::Cost { .. } => Self::Cost,
        }
    }

    /// As it stands before the sentence.
    pub fn word(self) -> &'static str {
        match self {
            Self::Decision => "Decision",
            Self::LargestGain => "Largest gain",
            Self::Harm => "Harm",
            Self::Trade => "Trade",
            Self::Redundant => "Redundant",
            Self::NoLoss => "No loss",
            Self::Effect => "Effect",
            Self::NotSignificant => "Not significant",
            Self::Ranking => "Ranking",
            Self::TradeOff => "Trade-off",
            Self::Cost => "Cost",
            Self::Caution => "Caution",
        }
    }
}
