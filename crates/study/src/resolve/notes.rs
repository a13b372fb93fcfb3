//! Finds what is worth a note in a finished plan.

use std::collections::BTreeSet;

use sparkjoy_base::{SourceName, Tokens};

use super::Plan;
use crate::plan::{EPOCHS_WORTH_READING, Note};
use crate::resolve::import;
use crate::resolve::question::taker;
use crate::written::{Blend, Question, Study};

/// Replicates from which on an objective mostly decides (docs/results/decisions.md).
const ENOUGH: u32 = 5;

/// The notes of a plan, in the order they are shown.
pub(super) fn notes(study: &Study, plan: &Plan) -> Vec<Note> {
    let declared: Vec<SourceName> =
        plan.sources.iter().filter(|(_, s)| s.declared).map(|(name, _)| name.clone()).collect();
    let declared = (!declared.is_empty()).then_some(Note::Declared { sources: declared });
    let left_over = Tokens(plan.budget.0 - plan.steps * plan.tokens_per_step().0);
    let left_over = (left_over.0 > 0).then_some(Note::LeftOver { tokens: left_over });
    let one_replicate = (plan.replicates == 1).then_some(Note::OneReplicate);

    let few = plan.objective.is_some() && plan.replicates < ENOUGH;
    let few = few.then_some(Note::FewReplicates { replicates: plan.replicates });

    let first = declared.into_iter().chain(left_over).chain(one_replicate).chain(few);
    let mut notes: Vec<Note> = first.collect();
    notes.extend(plan.evaluation.tasks.as_ref().map(|asked| Note::Tasks {
        tasks: asked.selection.tasks.len(),
        models: plan.compared().count() + asked.at.len(),
        limit: asked.limit,
    }));
    notes.extend(import::notes(plan));
    notes.extend(refilled(study));
    notes.extend(repeated(plan));
    let unseen: Vec<SourceName> = plan.unseen().cloned().collect();
    notes.extend((!unseen.is_empty()).then_some(Note::Unseen { sources: unseen }));
    notes.extend(unused(study, plan));
    notes
}

fn refilled(study: &Study) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    for question in &study.questions {
        if let Question::Removal { refill, .. } = question {
            for refill in refill {
                let note = Note::Refilled { refill: taker(&refill.value).to_owned() };
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
    }
    notes
}

/// Per source, the branch that reads it most often, if that is often.
fn repeated(plan: &Plan) -> Vec<Note> {
    let most = |source: &SourceName| {
        let read = plan.branches.iter().filter_map(|b| Some((b.accounts.get(source)?.epochs, b)));
        // The first of equals: replicates read equally often.
        let most = read.reduce(|most, next| if next.0 > most.0 { next } else { most })?;
        let (epochs, branch) = most;
        (epochs > EPOCHS_WORTH_READING).then(|| Note::Repeated {
            source: source.clone(),
            branch: branch.name.clone(),
            epochs,
        })
    };
    plan.sources.keys().filter_map(most).collect()
}

fn unused(study: &Study, plan: &Plan) -> Vec<Note> {
    let asked = study.questions.iter().flat_map(asked_about);
    let used: BTreeSet<&String> = asked.chain([&study.trunk.value]).collect();
    let mixtures = plan.mixtures.keys().filter(|name| !used.contains(name));
    let mixtures = mixtures.map(|mixture| Note::UnusedMixture { mixture: mixture.clone() });

    let read = plan.sources_read();
    let sources = plan.seen().filter(|(name, _)| !read.contains(name));
    let sources = sources.map(|(source, _)| Note::UnusedSource { source: source.clone() });
    sources.chain(mixtures).collect()
}

/// The mixtures a question names.
fn asked_about(question: &Question) -> Vec<&String> {
    match question {
        Question::Duration { mixture, .. }
        | Question::Removal { mixture, .. }
        | Question::Addition { mixture, .. }
        | Question::Timing { mixture, .. }
        | Question::Stability { mixture, .. } => vec![&mixture.value],
        Question::Proportion { mixtures, .. } => {
            let named = mixtures.iter().flat_map(|blend| match &blend.value {
                Blend::Whole(name) => vec![name],
                Blend::Between { first, second, .. } => vec![first, second],
                Blend::Among { parts, .. } => parts.iter().map(|(name, _)| name).collect(),
            });
            named.collect()
        }
        Question::Transfer { mixtures, .. } => mixtures.iter().map(|m| &m.value).collect(),
    }
}
