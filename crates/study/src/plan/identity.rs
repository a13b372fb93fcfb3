//! What makes two plans the same plan.
//!
//! Labels, windows in words, names and notes are for people. A corrected label must not tell a
//! reader that the study has changed, so none of them is hashed here. What is trained is in the
//! fingerprints of the runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sparkjoy_base::{Fingerprint, SourceName};

use super::{Arm, Ask, Branch, Evaluation, Objective, Plan, QuestionPlan, Role};

#[derive(Serialize)]
struct Identity<'a> {
    /// Of this form.
    version: u32,
    study: &'a str,
    held_out: BTreeMap<&'a SourceName, Option<Fingerprint>>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    unseen: BTreeSet<&'a SourceName>,
    trunks: Vec<Fingerprint>,
    branches: Vec<BranchIdentity>,
    questions: Vec<QuestionIdentity<'a>>,
    evaluation: &'a Evaluation,
    #[serde(skip_serializing_if = "Option::is_none")]
    objective: Option<&'a Objective>,
}

#[derive(Serialize)]
struct BranchIdentity {
    run: Fingerprint,
    trunk: usize,
    after: Option<usize>,
    compared: bool,
}

#[derive(Serialize)]
struct QuestionIdentity<'a> {
    ask: Ask,
    of: Option<usize>,
    arms: Vec<ArmIdentity<'a>>,
    settings: Vec<&'a [usize]>,
}

#[derive(Serialize)]
struct ArmIdentity<'a> {
    role: Role,
    targets: &'a BTreeSet<SourceName>,
    branches: &'a [usize],
    controls: &'a [usize],
}

/// Of a whole plan.
pub(super) fn fingerprint(plan: &Plan) -> Fingerprint {
    let held_out = plan.sources.iter().map(|(name, source)| (name, source.held_out));
    Fingerprint::of_value(&Identity {
        version: 2,
        study: &plan.name,
        held_out: held_out.collect(),
        unseen: plan.unseen().collect(),
        trunks: plan.trunks.iter().map(|trunk| trunk.spec.fingerprint()).collect(),
        branches: plan.branches.iter().map(branch).collect(),
        questions: plan.questions.iter().map(question).collect(),
        evaluation: &plan.evaluation,
        objective: plan.objective.as_ref(),
    })
}

fn branch(branch: &Branch) -> BranchIdentity {
    BranchIdentity {
        run: branch.spec.fingerprint(),
        trunk: branch.trunk,
        after: branch.after,
        compared: branch.compared,
    }
}

fn question(question: &QuestionPlan) -> QuestionIdentity<'_> {
    QuestionIdentity {
        ask: question.ask,
        of: question.of,
        arms: question.arms.iter().map(arm).collect(),
        settings: question.settings.iter().map(|setting| &setting.arms[..]).collect(),
    }
}

fn arm(arm: &Arm) -> ArmIdentity<'_> {
    ArmIdentity {
        role: arm.role,
        targets: &arm.targets,
        branches: &arm.branches,
        controls: &arm.controls,
    }
}
