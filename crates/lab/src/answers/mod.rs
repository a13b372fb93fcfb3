//! The answers: each branch against its control, replicate by replicate.
//!
//! Numbers are held-out bits per byte, lower is better. A source's figure is that of its sampled
//! text; a domain's is the plain mean over its sources, and the figure for all is the plain mean
//! over all sources, since the source is the unit of mixing and of removal: a domain does not
//! weigh more for having more held-out text.
//!
//! A difference is always branch − control of the same replicate, which read their sources in the
//! same order. A comparison of which any replicate is missing is missing as a whole; it is never
//! computed from fewer.

mod computed;
#[cfg(test)]
pub(crate) mod invented;
mod spread;
mod tasks;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{DomainName, Fingerprint, Ppm, SourceName, Tokens};
use sparkjoy_mix::Mixture;

use crate::executor::{Scored, Scores, branch_folder};
use crate::{Arm, Ask, LabError, Options, Plan, QuestionPlan};

pub use computed::Computed;
pub(crate) use computed::mixed;
pub(crate) use spread::false_alarms;
pub use spread::{Spread, Verdict};
pub use tasks::{Measure, TaskAnswer, TrunkPoint, TrunkScore};

/// The answers of a finished (or partly finished) study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// The study.
    pub study: String,
    /// The plan they belong to.
    pub plan: Fingerprint,
    /// Branches that are compared.
    pub branches: usize,
    /// Those that are not scored yet, by name.
    pub missing: Vec<String>,
    /// Those that are to be scored on tasks and are not yet, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_tasks: Vec<String>,
    /// Tasks whose file was not there when branches were scored, by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tasks_without_file: BTreeSet<String>,
    /// The trunk's scores on tasks at the steps that were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trunk: Vec<TrunkPoint>,
    /// What the study costs.
    pub cost: Cost,
    /// What computed the scored branches; more than one kernel in all means that rounding is part
    /// of some difference.
    pub computed: Vec<Computed>,
    /// One per question, as asked.
    pub questions: Vec<Answer>,
}

/// What a study costs in training tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The tree: the trunk as far as its last branch point, once, and every branch.
    pub tree: Tokens,
    /// Every branch trained in full, from the first step to its last.
    pub in_full: Tokens,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Which question.
    pub ask: Ask,
    /// The mixture asked about; none where several are compared.
    pub mixture: Option<String>,
    /// Values behind every mean.
    pub replicates: u32,
    /// What is measured, the same for every control and arm below.
    pub scopes: Vec<Scope>,
    /// The distinct controls, in the order of the arms. How far their replicates lie apart is the
    /// noise floor.
    pub controls: Vec<Control>,
    /// The comparisons.
    pub arms: Vec<ArmAnswer>,
    /// The same on tasks, where branches are scored on some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskAnswer>,
}

/// What a number is about: everything, a domain or a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Its kind and name.
    #[serde(flatten)]
    pub what: What,
    /// Its share of the trunk's mixture.
    pub base: Ppm,
    /// Its share of the mixture asked about, where there is one.
    pub upsampled: Option<Ppm>,
}

/// The kind and name of a [`Scope`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "lowercase")]
pub enum What {
    /// All sources.
    All,
    /// The sources of a domain.
    Domain {
        /// Its name.
        name: DomainName,
    },
    /// One source.
    Source {
        /// Its domain.
        domain: DomainName,
        /// Its name.
        name: SourceName,
    },
}

/// The branches others are compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// `base, same 10% window`.
    pub label: String,
    /// Bits per byte, one element per scope; none where a replicate is missing.
    pub cells: Vec<Option<Spread>>,
}

/// One comparison, over all scopes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmAnswer {
    /// `10%`, `− math`.
    pub label: String,
    /// Which of [`Answer::controls`].
    pub control: usize,
    /// One element per scope; none where a replicate of branch or control is missing.
    pub cells: Vec<Option<Comparison>>,
}

/// A branch against its control in one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Bits per byte of the branch.
    pub branch: Spread,
    /// Bits per byte of the control.
    pub control: Spread,
    /// Branch − control of the same replicate.
    pub difference: Spread,
    /// What the difference says.
    pub verdict: Verdict,
}

/// Bits per byte of one branch, by source.
type BitsPerByte = BTreeMap<SourceName, f64>;

/// Computes the answers from what is scored.
///
/// # Errors
///
/// [`crate::ExecutionError`] if a score on disk is damaged or not of what the plan names.
pub fn answers(plan: &Plan, options: &Options<'_>) -> Result<Answers, LabError> {
    let scores = plan.branches.iter().map(|branch| {
        if !branch.compared {
            return Ok(None);
        }
        let scored = Scored::new(plan, branch);
        let scores = Scores::read(&branch_folder(branch, &options.runs), &scored)?;
        let by_source = |scores: Scores| {
            scores.held_out.iter().map(|s| (s.source.clone(), s.bits_per_byte())).collect()
        };
        Ok(scores.map(by_source))
    });
    let scores = scores.collect::<Result<Vec<_>, LabError>>()?;
    let scored = plan.branches.iter().zip(&scores).filter(|(_, score)| score.is_some());
    let computed = computed::computed(scored.map(|(branch, _)| branch), &options.runs)?;
    let mut answers = compare(plan, &scores, computed);
    let cards = tasks::cards(plan, &options.runs)?;
    if plan.evaluation.tasks.is_some() {
        let cards = plan.branches.iter().zip(&cards).filter(|(branch, _)| branch.compared);
        let without = cards.filter(|(_, card)| card.is_none());
        answers.missing_tasks = without.map(|(branch, _)| branch.name.clone()).collect();
    }
    answers.trunk = tasks::trunk(plan, &options.runs)?;
    let missing = cards.iter().flatten().flat_map(|card| &card.missing);
    answers.tasks_without_file = missing.map(|missing| missing.task.clone()).collect();
    for (answer, question) in answers.questions.iter_mut().zip(&plan.questions) {
        answer.tasks = tasks::task_answers(question, &cards);
    }
    Ok(answers)
}

/// The answers from bits per byte, one element per branch of the plan.
fn compare(plan: &Plan, scores: &[Option<BitsPerByte>], computed: Vec<Computed>) -> Answers {
    let compared = plan.branches.iter().zip(scores).filter(|(branch, _)| branch.compared);
    let unscored = compared.filter(|(_, score)| score.is_none());
    Answers {
        study: plan.name.clone(),
        plan: plan.fingerprint(),
        branches: plan.compared().count(),
        cost: cost(plan),
        computed,
        missing: unscored.map(|(branch, _)| branch.name.clone()).collect(),
        missing_tasks: Vec::new(),
        tasks_without_file: BTreeSet::new(),
        trunk: Vec::new(),
        questions: plan.questions.iter().map(|question| answer(plan, question, scores)).collect(),
    }
}

fn cost(plan: &Plan) -> Cost {
    let cost = plan.cost();
    Cost { tree: cost.tree.tokens, in_full: cost.in_full.tokens }
}

fn answer(plan: &Plan, question: &QuestionPlan, scores: &[Option<BitsPerByte>]) -> Answer {
    let scopes = scopes(plan, question);
    let mut controls: Vec<(&[usize], Control)> = Vec::new();
    let mut arms = Vec::new();
    for arm in &question.arms {
        let known = controls.iter().position(|(branches, _)| *branches == arm.controls);
        let control = known.unwrap_or_else(|| {
            let values = |scope| values(plan, scope, &arm.controls, scores);
            let cells = scopes.iter().map(|scope| values(scope).map(Spread::of)).collect();
            controls.push((&arm.controls, Control { label: arm.control_label.clone(), cells }));
            controls.len() - 1
        });
        let cells = scopes.iter().map(|scope| comparison(plan, scope, arm, scores)).collect();
        arms.push(ArmAnswer { label: arm.label.clone(), control, cells });
    }
    Answer {
        ask: question.ask,
        mixture: question.mixture.clone(),
        replicates: plan.replicates,
        scopes,
        controls: controls.into_iter().map(|(_, control)| control).collect(),
        arms,
        tasks: Vec::new(),
    }
}

/// Everything first, then the domains, then the sources, each sorted by name.
fn scopes(plan: &Plan, question: &QuestionPlan) -> Vec<Scope> {
    let mut what = vec![What::All];
    for (name, source) in &plan.sources {
        what.push(What::Domain { name: source.domain.clone() });
        what.push(What::Source { domain: source.domain.clone(), name: name.clone() });
    }
    what.sort();
    what.dedup();
    let base = &plan.trunk.phases[0].mixture;
    let upsampled = question.mixture.as_ref().map(|name| &plan.mixtures[name]);
    let scope = |what| {
        let (base, upsampled) =
            (share(plan, &what, base), upsampled.map(|mixture| share(plan, &what, mixture)));
        Scope { what, base, upsampled }
    };
    what.into_iter().map(scope).collect()
}

fn share(plan: &Plan, what: &What, mixture: &Mixture) -> Ppm {
    let parts = members(plan, what).filter_map(|name| mixture.proportions().get(name));
    Ppm(parts.map(|ppm| ppm.0).sum())
}

/// The sources a scope is about.
fn members<'a>(plan: &'a Plan, what: &'a What) -> impl Iterator<Item = &'a SourceName> {
    let is_in = move |name: &SourceName, domain: &DomainName| match what {
        What::All => true,
        What::Domain { name } => name == domain,
        What::Source { name: only, .. } => name == only,
    };
    let sources = plan.sources.iter().filter(move |(name, source)| is_in(name, &source.domain));
    sources.map(|(name, _)| name)
}

/// Bits per byte of each branch in a scope, or nothing if one of them is not scored.
fn values(
    plan: &Plan,
    scope: &Scope,
    branches: &[usize],
    scores: &[Option<BitsPerByte>],
) -> Option<Vec<f64>> {
    let of_branch = |&branch: &usize| {
        let by_source = scores[branch].as_ref()?;
        let values: Option<Vec<f64>> =
            members(plan, &scope.what).map(|name| by_source.get(name).copied()).collect();
        let values = values?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    };
    branches.iter().map(of_branch).collect()
}

fn comparison(
    plan: &Plan,
    scope: &Scope,
    arm: &Arm,
    scores: &[Option<BitsPerByte>],
) -> Option<Comparison> {
    assert_eq!(arm.branches.len(), arm.controls.len(), "replicates of `{}` are paired", arm.label);
    let branch = values(plan, scope, &arm.branches, scores)?;
    let control = values(plan, scope, &arm.controls, scores)?;
    let difference = Spread::of(branch.iter().zip(&control).map(|(b, c)| b - c).collect());
    let verdict = Verdict::of(&difference);
    Some(Comparison {
        branch: Spread::of(branch),
        control: Spread::of(control),
        difference,
        verdict,
    })
}
