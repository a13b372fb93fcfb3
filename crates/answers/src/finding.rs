//! Typed findings: what the numbers of an answer say, as data.
//!
//! A finding holds what was compared, the effect with its interval and p, the p after correction,
//! what it was compared with, and which comparisons were corrected together. An arm is an index
//! into [`Answer::arms`](crate::Answer::arms). `report` makes sentences of findings.

use serde::{Deserialize, Serialize};
use sparkjoy_stats::{Agreement, Effect};

use crate::{Decision, Measure, RemovalDecision, Verdict, What};

/// One thing that the numbers of a question say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Finding {
    /// Comparisons of which a replicate is not scored yet.
    Incomplete {
        /// How many.
        missing: usize,
        /// Of how many.
        of: usize,
    },
    /// One replicate: the noise is unknown, so nothing is significant.
    SingleReplicate,
    /// A comparison that cannot be made from the scores that are there.
    NotCompared {
        /// Which of [`Answer::gaps`](crate::Answer::gaps).
        gap: usize,
    },
    /// Which arm to choose under the study's objective.
    Decision(Box<Decision>),
    /// What to do with what a removal takes out.
    RemovalDecision(Box<RemovalDecision>),
    /// Nothing is decided, because something that the objective names is not scored.
    NotMeasured {
        /// What it is.
        what: String,
    },
    /// A removal whose own text is all that the objective names.
    OwnTextAlone {
        /// The arm.
        arm: usize,
    },
    /// The largest targeted gain along an axis, and what it costs.
    LargestGain(Box<LargestGain>),
    /// Where in the run the window gains most.
    BestPlace(BestPlace),
    /// No arm has a significant targeted gain.
    NoGain {
        /// The comparisons that were corrected together.
        family: Family,
    },
    /// A source without which a task is better, more than its freed share explains, and no task is
    /// worse.
    Harmful(Harm),
    /// A source without which a task is better, but the freed share may explain it, or another
    /// task is worse.
    Trade(Harm),
    /// Sources that stand in for each other.
    Redundant(Redundancy),
    /// Removals without a measurable loss on any task or on other text.
    NoLoss(NoLoss),
    /// What an arm changes.
    Effect(ArmEffect),
    /// How much of a gain is left after more training on the trunk's mixture.
    Persistence(Persistence),
    /// A task over windows of several lengths.
    TaskOverWindows(TaskOverWindows),
    /// The longest window against the shortest, task by task.
    LongerWindows(LongerWindows),
    /// Arms that no other arm significantly beats in both targeted gain and general cost, where
    /// one is beaten.
    Front {
        /// The arms.
        arms: Vec<usize>,
        /// Arms that were compared.
        of: usize,
    },
    /// Arms with a significant targeted effect in order, with the contrasts of neighbours.
    Ranking(Ranking),
    /// Whether the ranking of the first setting holds in another one.
    Transfer(Transfer),
    /// What arms do to text that nothing trains on.
    Unseen {
        /// Each arm.
        effects: Vec<ScopeEffect>,
    },
    /// Comparisons of held-out text without a significant difference.
    NotSignificant {
        /// Them.
        comparisons: Vec<ScopeEffect>,
    },
    /// How many comparisons on tasks show no significant difference.
    NotSignificantOnTasks {
        /// One per measure with such a comparison.
        by_measure: Vec<TaskNulls>,
    },
    /// What the question costs; the numbers are in [`Answer::cost`](crate::Answer::cost).
    Cost {
        /// FLOPs of every run in full, as a multiple of those of the tree.
        times: f64,
    },
}

/// Comparisons that were corrected together by Holm's method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// What they compare.
    pub of: FamilyKind,
    /// How many; 1 is a test that was not corrected.
    pub comparisons: usize,
}

/// What the comparisons of a [`Family`] compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FamilyKind {
    /// Each arm with its control on held-out text, targeted and general.
    HeldOut,
    /// Each arm with its control on unseen text.
    Unseen,
    /// Each arm with its control in accuracy on tasks, or in the average of a category.
    Accuracy,
    /// Each arm with its control in bits per byte of the correct answers of tasks.
    GoldBitsPerByte,
    /// Two arms, by themselves: not corrected, so that it errs towards a difference.
    Single,
    /// Each removal that improves a task with its rival.
    Harm,
    /// Groups of sources with their parts, over tasks and their own text.
    Redundancy,
    /// Neighbours of a ranking.
    Neighbours,
    /// The longest with the shortest window, in accuracy of all tasks.
    WindowAccuracy,
    /// The same in bits per byte of the correct answers.
    WindowGoldBitsPerByte,
    /// The first setting of a transfer with each of the others.
    Settings,
}

/// An effect against the control, with its test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// The difference with its interval and p.
    pub effect: Effect,
    /// p after correction.
    pub adjusted_p: f64,
    /// The comparisons that were corrected together.
    pub family: Family,
    /// The minimum detectable effect at 80 % power; none where nothing varied.
    pub detectable: Option<f64>,
    /// What the test says.
    pub verdict: Verdict,
}

/// A [`Tested`] effect on a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskEffect {
    /// The task, the suite, or `suite: category`.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// The effect.
    pub tested: Tested,
}

/// A [`Tested`] effect of an arm on held-out text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScopeEffect {
    /// The arm.
    pub arm: usize,
    /// Which text: targeted, general or unseen.
    pub scope: What,
    /// The effect.
    pub tested: Tested,
}

/// The effect of an arm minus that of its rival.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// The arm.
    pub arm: usize,
    /// What it is compared with.
    pub rival: usize,
    /// The difference of their effects.
    pub difference: f64,
    /// The same over replicates and items; none where the two are about different sources, whose
    /// means are then compared by Welch's t-test.
    pub effect: Option<Effect>,
    /// Two-sided p.
    pub p: f64,
    /// p after correction.
    pub adjusted_p: f64,
    /// The comparisons that were corrected together.
    pub family: Family,
    /// Whether the difference is significant after correction.
    pub significant: bool,
}

/// A [`Contrast`] on a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskContrast {
    /// The task, the suite, or `suite: category`.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// The difference.
    pub contrast: Contrast,
}

/// The arm of an axis with the largest significant targeted gain. What it is worth is not said:
/// that depends on what the other text is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LargestGain {
    /// The arm.
    pub arm: usize,
    /// Its targeted gain.
    pub targeted: Tested,
    /// What it does to all other sources.
    pub general: Option<Tested>,
    /// What it does to all sources, weighed as the trunk's mixture draws from them. Not tested.
    pub net: Option<Effect>,
    /// Whether it is the last of the axis, so that more was not tried.
    pub at_end: bool,
    /// The least arm with a gain that is not significantly below, minus this one.
    pub enough: Option<Contrast>,
    /// The nearest lesser arm that is significantly below, minus this one.
    pub lesser: Option<Contrast>,
    /// Places of the axis to try next, as shares.
    pub next: Vec<f64>,
}

/// The place of a window that gains most, as far as tests tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestPlace {
    /// The arm of that place.
    pub arm: usize,
    /// Its targeted gain.
    pub targeted: Tested,
    /// The same place against the last one, than which it is significantly better: among those the
    /// largest gain.
    pub against_last: Tested,
}

/// A removal that improves a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Harm {
    /// The removal.
    pub arm: usize,
    /// Tasks that are better without it.
    pub better: Vec<TaskEffect>,
    /// Tasks that are worse without it.
    pub worse: Vec<TaskEffect>,
    /// It, minus the removal of at least its share that improves the task of the surest gain most;
    /// none where no other removal frees as much.
    pub rival: Option<TaskContrast>,
}

/// Sources that stand in for each other: each of them may go, all of them may not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Redundancy {
    /// The removal of all of them.
    pub all: usize,
    /// The removals of each of them.
    pub each: Vec<usize>,
    /// What the loss without one is tested against, as a share of the loss without all: 1 / n.
    pub part: f64,
    /// Whether some but not all of them were removed together too. Else, with three or more, one
    /// of them may be of no use at all.
    pub subsets: bool,
    /// What shows it.
    pub evidence: Vec<SharedLoss>,
    /// Whether without each of them alone no task and no other text is significantly worse.
    pub no_loss_alone: bool,
}

/// A loss without all of a group, against the losses without each of its parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedLoss {
    /// The task; none for held-out text of each part's own.
    pub task: Option<String>,
    /// What is measured on it.
    pub measure: Option<Measure>,
    /// Effects without all: one on a task; one per part on their own text.
    pub all: Vec<Effect>,
    /// Effects without each part alone.
    pub alone: Vec<Effect>,
    /// What is tested, for each part: the effect without it alone − part × that without all.
    pub less: Vec<Effect>,
    /// The largest p among them: each must be significant (intersection-union test).
    pub p: f64,
    /// p after correction.
    pub adjusted_p: f64,
    /// The comparisons that were corrected together.
    pub family: Family,
}

/// Removals after which no task and no other text is significantly worse or better, in a question
/// in which another removal has a significant loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoLoss {
    /// The removals.
    pub arms: Vec<usize>,
    /// Whether tasks were scored.
    pub tasks: bool,
    /// The minimum detectable effects of their comparisons at 80 % power.
    pub detectable: Vec<Detectable>,
}

/// The minimum detectable effects of several comparisons at 80 % power.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detectable {
    /// What is measured on tasks; none for other held-out text.
    pub measure: Option<Measure>,
    /// The least of them.
    pub low: f64,
    /// The largest of them.
    pub high: f64,
}

/// What one arm changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmEffect {
    /// The arm.
    pub arm: usize,
    /// On the sources it is about; none where the question says that elsewhere.
    pub targeted: Option<Tested>,
    /// On all other sources.
    pub general: Option<Tested>,
    /// Tasks that are significantly better.
    pub better: Vec<TaskEffect>,
    /// Tasks that are significantly worse.
    pub worse: Vec<TaskEffect>,
}

/// How much of a targeted gain is left after more training on the trunk's mixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Persistence {
    /// The arm at the end of the window.
    pub first: usize,
    /// The arm after the longest continuation.
    pub last: usize,
    /// Targeted gain at the end of the window.
    pub begin: Tested,
    /// The same after the longest continuation.
    pub end: Tested,
    /// The second as a share of the first.
    pub left: f64,
    /// The last, minus the first; none where they are about different sources.
    pub change: Option<Contrast>,
}

/// The windows that change a task in one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskOverWindows {
    /// The windows.
    pub arms: Vec<usize>,
    /// The one of them that changes it most.
    pub most: usize,
    /// Its effect.
    pub task: TaskEffect,
    /// For a gain: that window, minus a shorter one. The shortest whose own gain is not
    /// significantly less, else the longest whose gain is.
    pub shorter: Option<Contrast>,
}

/// The longest window against the shortest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LongerWindows {
    /// The shortest.
    pub shortest: usize,
    /// The longest.
    pub longest: usize,
    /// Tasks on which it is significantly better, the longest minus the shortest.
    pub better: Vec<TaskContrast>,
    /// Tasks on which it is significantly worse.
    pub worse: Vec<TaskContrast>,
    /// All other text, where the difference is significant.
    pub general: Option<Contrast>,
}

/// Arms in the order of their targeted effects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// The arms, best first; for a removal, the largest loss first.
    pub arms: Vec<usize>,
    /// Each arm minus the one after it.
    pub neighbours: Vec<Contrast>,
}

/// Whether a ranking holds in another setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// Which of [`Answer::settings`](crate::Answer::settings).
    pub setting: usize,
    /// Arms with a significant targeted effect in the first setting, by their place in a setting.
    pub arms: Vec<usize>,
    /// What they are called in the question that is transferred.
    pub labels: Vec<String>,
    /// What was tested.
    pub order: Order,
}

/// The test of an order in two settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "test", rename_all = "kebab-case")]
pub enum Order {
    /// Fewer than two arms are significant in the first setting: there is no ranking to compare.
    NoRanking,
    /// The order of two arms: their difference must be significant in both settings.
    Pair {
        /// The first arm minus the second in the first setting.
        first: Box<Contrast>,
        /// The same in the other setting.
        other: Box<Contrast>,
        /// The larger of the two p (intersection-union test), after correction.
        adjusted_p: f64,
        /// The comparisons that were corrected together.
        family: Family,
        /// What it says.
        outcome: Held,
    },
    /// Rank correlation of three or more arms.
    Ranks {
        /// Kendall's τ of their targeted effects.
        agreement: Agreement,
        /// Pairs of arms whose order changes, by their place in a setting.
        changed: Vec<[usize; 2]>,
        /// p of the agreement after correction.
        adjusted_p: f64,
        /// The comparisons that were corrected together.
        family: Family,
        /// What it says.
        outcome: Held,
    },
}

/// Whether an order holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// It is significantly the same.
    Holds,
    /// It is significantly the opposite.
    Reversed,
    /// Neither is significant.
    NotSignificant,
}

/// Comparisons on tasks without a significant difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskNulls {
    /// What is measured.
    pub measure: Measure,
    /// Comparisons without a significant difference.
    pub not_significant: usize,
    /// Comparisons that were tested.
    pub tested: usize,
    /// The minimum detectable effects of the former at 80 % power, where they are known.
    pub detectable: Option<Detectable>,
}
