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
mod finding;
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
use sparkjoy_stats::{Effect, holm, student};

use crate::executor::{Scored, Scores, branch_folder};
use crate::{Arm, Ask, Effort, LabError, Options, Plan, QuestionPlan, Role, Setting};

pub use computed::Computed;
pub(crate) use computed::mixed;
pub use finding::{Finding, FindingKind};
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
    /// How sure intervals and marks are, 0.95 unless the study says otherwise.
    pub confidence: f64,
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
    /// What the numbers say, in sentences.
    pub findings: Vec<Finding>,
    /// Arms that no other arm beats in both targeted gain and general price.
    pub front: Vec<usize>,
    /// The arm to choose, where the question has one and the numbers tell it.
    pub recommended: Option<usize>,
    /// Arms whose effect is distinguishable, best first.
    pub ranking: Vec<usize>,
    /// What could not be compared, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// What the question cost.
    pub cost: QuestionCost,
    /// For a transfer: the number of the question that is transferred, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
    /// For a transfer: where it was asked before, then everywhere else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
}

/// What could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Which of [`Answer::arms`].
    pub arm: usize,
    /// What is missing: `math`, `arc-easy`.
    pub what: String,
    /// Why, in words.
    pub why: String,
}

/// What one question costs, shared runs counted in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionCost {
    /// The trunk as far as its last branch point, and every branch of the question.
    pub tree: Effort,
    /// The same branches, each trained from the first step.
    pub in_full: Effort,
}

/// What a number is about: everything, a domain or a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Its kind and name.
    #[serde(flatten)]
    pub what: What,
    /// Its share of the trunk's mixture; none where it is not the same for all arms.
    pub base: Option<Ppm>,
    /// Its share of the mixture asked about; none where there are several.
    pub upsampled: Option<Ppm>,
}

/// The kind and name of a [`Scope`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "lowercase")]
pub enum What {
    /// All sources.
    All,
    /// The sources an arm is about: those it gives more than its control, for removals the removed
    /// ones. Plain mean.
    Targeted,
    /// All other sources. Plain mean.
    General,
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
    /// Its place on the question's axis: share of the run for windows and starts, share of the
    /// What it is for.
    pub role: Role,
    /// mixture for additions; none where arms are names.
    pub at: Option<f64>,
    /// Who gets the freed share of a removal, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refill: Option<String>,
    /// The sources it gives more than its control; for removals the removed ones.
    pub targets: BTreeSet<SourceName>,
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
    /// The same over replicates and items, with intervals; none with a single replicate.
    pub effect: Option<Effect>,
    /// p after Holm's correction over the question; none where the comparison is not among those
    /// that are tested together.
    pub adjusted_p: Option<f64>,
    /// The least true difference, either way, that this comparison would have found in four of
    /// five studies.
    pub detectable: Option<f64>,
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
        confidence: CONFIDENCE,
        cost: cost(plan),
        computed,
        missing: unscored.map(|(branch, _)| branch.name.clone()).collect(),
        missing_tasks: Vec::new(),
        tasks_without_file: BTreeSet::new(),
        trunk: Vec::new(),
        questions: plan.questions.iter().map(|question| answer(plan, question, scores)).collect(),
    }
}

/// How sure intervals and marks are.
const CONFIDENCE: f64 = 0.95;

fn cost(plan: &Plan) -> Cost {
    let cost = plan.cost();
    Cost { tree: cost.tree.tokens, in_full: cost.in_full.tokens }
}

fn answer(plan: &Plan, question: &QuestionPlan, scores: &[Option<BitsPerByte>]) -> Answer {
    let scopes = scopes(plan, question);
    let mut controls: Vec<(&[usize], Control)> = Vec::new();
    let mut arms = Vec::new();
    for arm in &question.arms {
        let targets = arm.targets.clone();
        let known = controls.iter().position(|(branches, _)| *branches == arm.controls);
        let control = known.unwrap_or_else(|| {
            let nothing = BTreeSet::new();
            let values = |scope: &Scope| match scope.what {
                What::Targeted | What::General => None,
                _ => values(&members(plan, &scope.what, &nothing), &arm.controls, scores),
            };
            let cells = scopes.iter().map(|scope| values(scope).map(Spread::of)).collect();
            controls.push((&arm.controls, Control { label: arm.control_label.clone(), cells }));
            controls.len() - 1
        });
        let compare = |scope: &Scope| {
            let members = members(plan, &scope.what, &targets);
            comparison(&members, arm, scores)
        };
        let cells = scopes.iter().map(compare).collect();
        arms.push(ArmAnswer {
            label: arm.label.clone(),
            role: arm.role,
            at: arm.at,
            refill: arm.refill.clone(),
            targets,
            control,
            cells,
        });
    }
    let mut answer = Answer {
        ask: question.ask,
        mixture: question.mixture.clone(),
        replicates: plan.replicates,
        scopes,
        controls: controls.into_iter().map(|(_, control)| control).collect(),
        arms,
        tasks: Vec::new(),
        findings: Vec::new(),
        front: Vec::new(),
        recommended: None,
        ranking: Vec::new(),
        gaps: Vec::new(),
        cost: question_cost(plan, question),
        of: question.of,
        settings: question.settings.clone(),
    };
    judge(&mut answer);
    answer
}

fn question_cost(plan: &Plan, question: &QuestionPlan) -> QuestionCost {
    let cost = plan.question_cost(question);
    QuestionCost { tree: cost.tree, in_full: cost.in_full }
}

/// Corrects for all comparisons that are tested together, and says what they are worth.
///
/// Tested together are the arms' effects on what they are about and on everything else.
fn judge(answer: &mut Answer) {
    let tested: Vec<usize> = (0..answer.scopes.len())
        .filter(|&scope| matches!(answer.scopes[scope].what, What::Targeted | What::General))
        .collect();
    let cells = answer.arms.iter_mut().flat_map(|arm| {
        let cells = arm.cells.iter_mut().enumerate();
        cells.filter(|(scope, _)| tested.contains(scope)).filter_map(|(_, cell)| cell.as_mut())
    });
    let mut cells: Vec<&mut Comparison> = cells.filter(|cell| cell.effect.is_some()).collect();
    let p: Vec<f64> = cells.iter().flat_map(|cell| &cell.effect).map(|effect| effect.p).collect();
    for (cell, adjusted) in cells.iter_mut().zip(holm(&p)) {
        cell.adjusted_p = Some(adjusted);
        cell.verdict = Verdict::of(cell.difference.mean, adjusted, CONFIDENCE);
    }
}

/// Everything first, then the targeted and all other sources, then the domains, then the sources,
/// each sorted by name.
fn scopes(plan: &Plan, question: &QuestionPlan) -> Vec<Scope> {
    let mut what = vec![What::All, What::Targeted, What::General];
    for (name, source) in &plan.sources {
        what.push(What::Domain { name: source.domain.clone() });
        what.push(What::Source { domain: source.domain.clone(), name: name.clone() });
    }
    what.sort();
    what.dedup();
    let base = &plan.trunk.phases[0].mixture;
    let upsampled = question.mixture.as_ref().map(|name| &plan.mixtures[name]);
    let scope = |what| {
        let fixed = !matches!(what, What::Targeted | What::General);
        let share = |mixture| fixed.then(|| share(plan, &what, mixture));
        let (base, upsampled) = (share(base), upsampled.and_then(share));
        Scope { what, base, upsampled }
    };
    what.into_iter().map(scope).collect()
}

fn share(plan: &Plan, what: &What, mixture: &Mixture) -> Ppm {
    let members = members(plan, what, &BTreeSet::new());
    let parts = members.into_iter().filter_map(|name| mixture.proportions().get(name));
    Ppm(parts.map(|ppm| ppm.0).sum())
}

/// The sources a scope is about.
fn members<'a>(plan: &'a Plan, what: &What, targets: &BTreeSet<SourceName>) -> Vec<&'a SourceName> {
    let is_in = |name: &SourceName, domain: &DomainName| match what {
        What::All => true,
        What::Targeted => targets.contains(name),
        What::General => !targets.contains(name),
        What::Domain { name } => name == domain,
        What::Source { name: only, .. } => name == only,
    };
    let sources = plan.sources.iter().filter(|(name, source)| is_in(name, &source.domain));
    sources.map(|(name, _)| name).collect()
}

/// Bits per byte of each branch on some sources, or nothing if one of them is not scored.
fn values(
    members: &[&SourceName],
    branches: &[usize],
    scores: &[Option<BitsPerByte>],
) -> Option<Vec<f64>> {
    let of_branch = |&branch: &usize| {
        let by_source = scores[branch].as_ref()?;
        let values: Option<Vec<f64>> =
            members.iter().map(|name| by_source.get(*name).copied()).collect();
        let values = values?;
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    branches.iter().map(of_branch).collect()
}

fn comparison(
    members: &[&SourceName],
    arm: &Arm,
    scores: &[Option<BitsPerByte>],
) -> Option<Comparison> {
    assert_eq!(arm.branches.len(), arm.controls.len(), "replicates of `{}` are paired", arm.label);
    let branch = values(members, &arm.branches, scores)?;
    let control = values(members, &arm.controls, scores)?;
    Some(Comparison::of(branch, control))
}

impl Comparison {
    /// One value per replicate, without a verdict.
    fn of(branch: Vec<f64>, control: Vec<f64>) -> Self {
        let difference: Vec<f64> = branch.iter().zip(&control).map(|(b, c)| b - c).collect();
        let effect = student(&difference, CONFIDENCE);
        let verdict = match effect {
            Some(_) => Verdict::NotTested,
            None => Verdict::NotDistinguishable,
        };
        Self {
            effect,
            branch: Spread::of(branch),
            control: Spread::of(control),
            difference: Spread::of(difference),
            adjusted_p: None,
            detectable: None,
            verdict,
        }
    }
}

impl Answer {
    /// The question in words.
    pub fn title(&self) -> String {
        let on = self.mixture.as_ref().map_or_else(String::new, |name| format!(" on `{name}`"));
        match self.ask {
            Ask::Duration => format!("How long should the last phase{on} be?"),
            Ask::Removal => format!("What is each source worth in the last phase{on}?"),
            Ask::Addition => format!("What is more of a source worth in the last phase{on}?"),
            Ask::Proportion => "Which mixture should the last phase be on?".to_owned(),
            Ask::Timing => format!("When should the phase{on} come?"),
            Ask::Stability => format!("Does the gain of the phase{on} stay?"),
            Ask::Transfer => "Does the answer hold elsewhere?".to_owned(),
        }
    }
}
