//! The answers: each branch against its control, replicate by replicate.
//!
//! Numbers are held-out bits per byte, lower is better. A source's figure is that of its sampled
//! text; a domain's is the plain mean over its sources, and the figure for all is the plain mean
//! over all sources, since the source is the unit of mixing and of removal: a domain does not
//! weigh more for having more held-out text. Unseen sources, which nothing may train on, have a
//! figure of their own and are in no other.
//!
//! A difference is always branch − control of the same replicate, which read their sources in the
//! same order. A comparison of which any replicate is missing is missing as a whole; it is never
//! computed from fewer.
//!
//! What is tested together, and has a verdict, are the effects of a question's arms on the sources
//! they are about and on all others, on unseen text, and on tasks (see `judge`); everything else
//! has its interval and no verdict. What the verdicts and further contrasts say comes out as typed
//! findings (`findings`); no sentence is made here.

mod answer;
mod clusters;
mod compare;
mod comparison;
mod computed;
mod contamination;
mod decidable;
mod decision;
mod doubtful;
mod finding;
mod findings;
mod gap;
mod held_out;
mod judge;
mod measured;
mod noise;
mod power;
mod results;
mod scope;
mod split;
mod spread;
mod tasks;

use std::collections::BTreeSet;

use sparkjoy_base::Ppm;
use sparkjoy_mix::Mixture;

use sparkjoy_study::{Plan, QuestionPlan};

use compare::Scale;
use doubtful::doubtful;
use held_out::{Text, members};
use tasks::Tasks;

pub use answer::{Answer, Answers, ArmAnswer, Control, Cost, Holds, QuestionCost};
pub use comparison::Comparison;
pub use computed::{Computed, is_mixed};
pub use contamination::{Checked, CheckedSource, CheckedTask, FoundItem, LEAST_WORDS};
pub use decidable::{Decidable, DecidableGuard, Needed};
pub use decision::{
    Candidate, Decision, Fate, GainUnit, GuardedMeasure, PredictedMixture, RemovalDecision, Surface,
};
pub use doubtful::DoubtfulTask;
pub use finding::{
    ArmEffect, BestPlace, Contrast, Detectable, Family, FamilyKind, Finding, Harm, Held,
    LargestGain, LongerWindows, NoLoss, Order, Persistence, Ranking, Redundancy, ScopeEffect,
    SharedLoss, TaskContrast, TaskEffect, TaskNulls, TaskOverWindows, Tested, Transfer,
};
pub use gap::{Cause, Gap};
pub use held_out::{FEW_DOCUMENTS, HeldOut, HeldOutText};
pub use power::{DetectableIn, DetectableScope, Power, power};
pub use results::Results;
pub use scope::{Scope, What};
pub use sparkjoy_eval::{AnsweredBefore, Tied};
pub use sparkjoy_stats::{
    Agreement, CurveShape, Effect, GuardState, Guarded, Judged, Optimum, Polynomial, Predicted,
    Spot, SurfaceOptimum, SurfaceShape,
};
pub use split::{SplitScope, SplitVerdict};
pub use spread::{Spread, Verdict};
pub use tasks::{Items, Measure, TaskAnswer, TrunkPoint, TrunkScore};

/// Computes the answers from what is scored.
pub fn answers(plan: &Plan, results: Results) -> Answers {
    let Results { held_out, scorecards, items, trunk, computed, contamination } = results;
    let mut answers = compare(plan, &held_out, &Tasks::new(&scorecards, items), computed);
    if plan.evaluation.tasks.is_some() {
        let compared = plan.branches.iter().zip(&scorecards).filter(|(branch, _)| branch.compared);
        let without = compared.filter(|(_, scorecard)| scorecard.is_none());
        answers.missing_tasks = without.map(|(branch, _)| branch.name.clone()).collect();
    }
    answers.trunk = trunk.iter().map(|(step, scorecard)| tasks::trunk(*step, scorecard)).collect();
    answers.contamination = contamination;
    let missing = scorecards.iter().flatten().flat_map(|scorecard| &scorecard.missing);
    answers.doubtful = doubtful(scorecards.iter().flatten().chain(trunk.iter().map(|(_, s)| s)));
    answers.tasks_without_file = missing.map(|missing| missing.task.clone()).collect();
    answers
}

/// The answers from scores, one element per branch of the plan.
fn compare(
    plan: &Plan,
    scores: &[Option<HeldOut>],
    tasks: &Tasks,
    computed: Vec<Computed>,
) -> Answers {
    let compared = plan.branches.iter().zip(scores).filter(|(branch, _)| branch.compared);
    let unscored = compared.filter(|(_, score)| score.is_none());
    let mut scale = Scale::new(plan);
    let answer = |question| answer(question, Text { plan, scores }, tasks, &mut scale);
    let questions: Vec<Answer> = plan.questions.iter().map(answer).collect();
    Answers {
        study: plan.name.clone(),
        plan: plan.fingerprint(),
        branches: plan.compared().count(),
        confidence: plan.evaluation.confidence,
        own_trunks: plan.own_trunks(),
        cost: cost(plan),
        computed,
        held_out: held_out::texts(scores),
        missing: unscored.map(|(branch, _)| branch.name.clone()).collect(),
        missing_tasks: Vec::new(),
        tasks_without_file: BTreeSet::new(),
        contamination: None,
        doubtful: Vec::new(),
        trunk: Vec::new(),
        split: judge::split_verdicts(&plan.questions, &questions),
        questions,
    }
}

fn cost(plan: &Plan) -> Cost {
    let cost = plan.cost();
    Cost { tree: cost.tree.tokens, in_full: cost.in_full.tokens }
}

fn answer(question: &QuestionPlan, text: Text<'_>, tasks: &Tasks, scale: &mut Scale) -> Answer {
    let plan = text.plan;
    let scopes = scopes(plan, question);
    let mut controls: Vec<(&[usize], Control)> = Vec::new();
    let (mut arms, mut gaps) = (Vec::new(), Vec::new());
    for (index, arm) in question.arms.iter().enumerate() {
        let known = controls.iter().position(|(branches, _)| *branches == arm.controls);
        let control = known.unwrap_or_else(|| {
            let cells = scopes.iter().map(|scope| text.control(&scope.what, &arm.controls));
            let control = Control { label: arm.control_label.clone(), cells: cells.collect() };
            controls.push((&arm.controls, control));
            controls.len() - 1
        });
        let cells = scopes.iter().map(|scope| match text.comparison(&scope.what, arm, scale) {
            Ok(cell) => cell,
            Err(why) => {
                if let What::Source { name, .. } = &scope.what {
                    gaps.push(Gap { arm: index, what: name.to_string(), why });
                }
                None
            }
        });
        arms.push(ArmAnswer {
            label: arm.label.clone(),
            role: arm.role,
            at: arm.at,
            refill: arm.refill.clone(),
            targets: arm.targets.clone(),
            control,
            cells: cells.collect(),
        });
    }
    let task_answers = tasks.answers(question, scale, &mut gaps);
    let cost = plan.question_cost(question);
    let mut answer = Answer {
        ask: question.ask,
        mixture: question.mixture.clone(),
        replicates: plan.replicates,
        scopes,
        controls: controls.into_iter().map(|(_, control)| control).collect(),
        arms,
        tasks: task_answers,
        findings: Vec::new(),
        front: Vec::new(),
        largest_gain: None,
        ranking: Vec::new(),
        gaps,
        cost: QuestionCost { tree: cost.tree, in_full: cost.in_full },
        of: question.of,
        settings: question.settings.clone(),
        holds: Vec::new(),
        unseen: plan.unseen().cloned().collect(),
    };
    let families = judge::judge(&mut answer, plan.evaluation.confidence);
    findings::conclude(&mut answer, question, families, (text, tasks), scale);
    answer
}

/// Everything first, then the targeted, all other and the unseen sources, then the domains, then
/// the sources, each sorted by name.
fn scopes(plan: &Plan, question: &QuestionPlan) -> Vec<Scope> {
    let mut what = vec![What::All, What::Targeted, What::General];
    what.extend(plan.unseen().next().map(|_| What::Unseen));
    for (name, source) in &plan.sources {
        what.push(What::Domain { name: source.domain.clone() });
        what.push(What::Source { domain: source.domain.clone(), name: name.clone() });
    }
    what.sort();
    what.dedup();
    let base = &plan.trunk().phases[0].mixture;
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
