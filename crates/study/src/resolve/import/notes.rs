//! What is worth a note about a trunk that was trained elsewhere.

use sparkjoy_base::{Ppm, SourceName, Tokens};
use sparkjoy_spec::Start;

use crate::{Note, Plan};

/// The notes of a plan about its trunk; none if it is trained here from its first step.
pub(crate) fn notes(plan: &Plan) -> Vec<Note> {
    let Some(import) = plan.import else { return Vec::new() };
    let Start::Imported { moments, .. } = plan.trunk().start else { return Vec::new() };
    let first = plan.trunk().first_step;
    let before = first * plan.tokens_per_step().0;
    let elsewhere = before.saturating_sub(plan.imported_tokens().0);
    let elsewhere = (elsewhere > 0).then_some(Note::ReadElsewhere { tokens: Tokens(elsewhere) });
    let mixed = if import.same_order { Vec::new() } else { partly_read(plan) };
    let order = (!mixed.is_empty()).then_some(Note::OtherOrder { sources: mixed });
    let begins_here = plan.branches.iter().filter(|branch| branch.from_step == first).count();
    let fresh = moments.is_none().then_some(Note::FreshMoments { first, begins_here });
    let tokenizer = (!import.tokenizer_known).then_some(Note::TokenizerDeclared);
    elsewhere.into_iter().chain(order).chain(fresh).chain(tokenizer).collect()
}

/// The sources the trunk has begun and not read to their end, with the part of each that it read.
fn partly_read(plan: &Plan) -> Vec<(SourceName, Ppm)> {
    let part = |(name, drawn): (&SourceName, u64)| {
        let in_epoch = plan.sources.get(name)?.identity.sequences;
        let parts = u128::from(drawn) * u128::from(Ppm::ONE.0) / u128::from(in_epoch);
        (drawn < in_epoch).then(|| (name.clone(), Ppm(parts as u32)))
    };
    plan.trunk().opening.iter().filter_map(part).collect()
}
