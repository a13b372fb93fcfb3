//! What a branch reads of each source: fresh, repeated, and how many epochs in the end.
//!
//! All of it follows in closed form from the reading order; nothing is simulated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{SourceName, Tokens};
use sparkjoy_mix::{Ledger, Mixture};

use crate::plan::PlanSource;

/// What a branch (with the trunk before it) reads of one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceTokens {
    /// Proportion in the branch's mixture, ppm (0 if not named).
    pub proportion: u32,
    /// Tokens drawn in the trunk before the branch point.
    pub trunk: Tokens,
    /// Tokens drawn in the branch.
    pub branch: Tokens,
    /// Of those, read for the first time.
    pub fresh: Tokens,
    /// Of those, read before.
    pub repeated: Tokens,
    /// Epochs at the end, trunk included.
    pub epochs: f64,
}

/// The accounts of a branch: every source that it or the trunk before it draws from.
///
/// - `opening`, `closing`: sequences drawn before and after the branch.
/// - `context`: tokens per sequence.
pub(crate) fn accounts(
    sources: &BTreeMap<SourceName, PlanSource>,
    mixture: &Mixture,
    opening: &Ledger,
    closing: &Ledger,
    context: u64,
) -> BTreeMap<SourceName, SourceTokens> {
    let drawn = sources.iter().filter(|(name, _)| closing.drawn(name) > 0);
    let account = |(name, source): (&SourceName, &PlanSource)| {
        let in_epoch = source.identity.sequences;
        let (before, after) = (opening.drawn(name), closing.drawn(name));
        // The first epoch is the fresh one; a branch reads on in it where the trunk stopped.
        let fresh = after.min(in_epoch) - before.min(in_epoch);
        let tokens = |sequences: u64| Tokens(sequences * context);
        let account = SourceTokens {
            proportion: mixture.proportions().get(name).map_or(0, |part| part.0),
            trunk: tokens(before),
            branch: tokens(after - before),
            fresh: tokens(fresh),
            repeated: tokens(after - before - fresh),
            epochs: after as f64 / in_epoch as f64,
        };
        (name.clone(), account)
    };
    drawn.map(account).collect()
}
