//! Held-out text: bits per byte of sources, sequence by sequence.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{DomainName, SourceName};
use sparkjoy_eval::HeldOutScore;
use sparkjoy_stats::{Effect, Stratum};

use super::clusters::Clusters;
use super::compare::{Scale, mix, scaled};
use super::{Cause, Comparison, Spread, What};
use sparkjoy_study::{Arm, Plan, PlanSource};

/// Scores of one branch on held-out text, by source.
pub type HeldOut = BTreeMap<SourceName, HeldOutScore>;

/// Fewer held-out documents of a source than this make its intervals unsure: nominal 95 % then
/// rest on a handful of texts.
pub const FEW_DOCUMENTS: usize = 30;

/// The held-out text a source was scored on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOutText {
    /// The source.
    pub source: SourceName,
    /// Sequences that were scored.
    pub sequences: usize,
    /// Documents they are of; none for scores of versions before 0.2, whose sequences are taken
    /// for independent.
    pub documents: Option<usize>,
}

/// The scores of all branches of a plan.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) plan: &'a Plan,
    /// One element per branch; none where it is not scored.
    pub(super) scores: &'a [Option<HeldOut>],
}

/// The sources a scope is about.
pub(super) fn members<'a>(
    plan: &'a Plan,
    what: &What,
    targets: &BTreeSet<SourceName>,
) -> Vec<&'a SourceName> {
    let is_seen = |domain: &DomainName| plan.seen().any(|(_, source)| source.domain == *domain);
    let is_in = |name: &SourceName, source: &PlanSource| match what {
        What::All => !source.unseen,
        What::Targeted => targets.contains(name),
        What::General => !source.unseen && !targets.contains(name),
        What::Unseen => source.unseen,
        What::Domain { name } => source.domain == *name && !(source.unseen && is_seen(name)),
        What::Source { name: only, .. } => name == only,
    };
    let sources = plan.sources.iter().filter(|(name, source)| is_in(name, source));
    sources.map(|(name, _)| name).collect()
}

/// The held-out text of each source that is scored, sorted by name.
pub(super) fn texts(scores: &[Option<HeldOut>]) -> Vec<HeldOutText> {
    let mut texts = BTreeMap::new();
    for (source, score) in scores.iter().flatten().flatten() {
        texts.entry(source).or_insert_with(|| {
            let documents = score.documents.iter().collect::<BTreeSet<_>>().len();
            let documents = (documents > 0).then_some(documents);
            HeldOutText { source: source.clone(), sequences: score.nats.len(), documents }
        });
    }
    texts.into_values().collect()
}

impl Text<'_> {
    /// A control in a scope; none where a replicate is missing, or where the scope is another one
    /// for every arm.
    pub(super) fn control(&self, what: &What, controls: &[usize]) -> Option<Spread> {
        if matches!(what, What::Targeted | What::General) {
            return None;
        }
        let members = members(self.plan, what, &BTreeSet::new());
        self.values(&members, controls).map(Spread::of)
    }

    /// An arm in a scope; none where a replicate is missing.
    ///
    /// # Errors
    ///
    /// Why it cannot be compared although all replicates are there.
    pub(super) fn comparison(
        &self,
        what: &What,
        arm: &Arm,
        scale: &mut Scale,
    ) -> Result<Option<Comparison>, Cause> {
        let (branches, controls) = (&arm.branches, &arm.controls);
        assert_eq!(branches.len(), controls.len(), "replicates of `{}` are paired", arm.label);
        let members = members(self.plan, what, &arm.targets);
        let branch = self.values(&members, branches);
        let (Some(branch), Some(control)) = (branch, self.values(&members, controls)) else {
            return Ok(None);
        };
        let strata = self.strata(&members, arm)?;
        Ok(Some(scale.compare(branch, control, &strata)))
    }

    /// How one arm's effect differs from another's in a scope that is the same for both.
    pub(super) fn contrast(
        &self,
        what: &What,
        [one, other]: [&Arm; 2],
        scale: &mut Scale,
    ) -> Option<Effect> {
        let of = |arm: &Arm| members(self.plan, what, &arm.targets);
        let (sources, others) = (of(one), of(other));
        (sources == others).then(|| self.sum(&sources, &[(1.0, one), (-1.0, other)], scale))?
    }

    /// A weighted sum of the effects of arms on some sources; none where one of them is missing.
    ///
    /// - `arms`: weight and arm.
    pub(super) fn combination(
        &self,
        sources: &BTreeSet<SourceName>,
        arms: &[(f64, &Arm)],
        scale: &mut Scale,
    ) -> Option<Effect> {
        let members = members(self.plan, &What::Targeted, sources);
        self.sum(&members, arms, scale)
    }

    /// The effect of an arm on all sources of the trunk's mixture, weighed as it draws from them.
    pub(super) fn net(&self, arm: &Arm, scale: &mut Scale) -> Option<Effect> {
        let shares = self.plan.trunk().phases[0].mixture.proportions();
        let members: Vec<&SourceName> = shares.keys().collect();
        let all: Vec<usize> = arm.branches.iter().chain(&arm.controls).copied().collect();
        self.values(&members, &all)?;
        let mut strata = self.strata(&members, arm).ok()?;
        for (stratum, share) in strata.iter_mut().zip(shares.values()) {
            stratum.weight = f64::from(share.0);
        }
        scale.effect(&strata)
    }

    /// Gains of an arm on sources, each weighed as given, in percent of the control's bits per
    /// byte.
    pub(super) fn percent(
        &self,
        sources: &[(&SourceName, f64)],
        arm: &Arm,
    ) -> Option<Vec<Stratum>> {
        let of = |&(name, weight): &(&SourceName, f64)| {
            let controls = self.values(&[name], &arm.controls)?;
            self.values(&[name], &arm.branches)?;
            let control = controls.iter().sum::<f64>() / controls.len() as f64;
            let mut strata = self.strata(&[name], arm).ok()?;
            scaled(&mut strata, -100.0 / control);
            let mut stratum = strata.pop()?;
            stratum.weight = weight;
            (control > 0.0).then_some(stratum)
        };
        sources.iter().map(of).collect()
    }

    fn sum(
        &self,
        members: &[&SourceName],
        arms: &[(f64, &Arm)],
        scale: &mut Scale,
    ) -> Option<Effect> {
        let of = |(weight, arm): &(f64, &Arm)| {
            let all = arm.branches.iter().chain(&arm.controls).copied().collect::<Vec<_>>();
            self.values(members, &all)?;
            Some((*weight, self.strata(members, arm).ok()?))
        };
        scale.effect(&mix(arms.iter().map(of).collect::<Option<Vec<_>>>()?)?)
    }

    /// Bits per byte of each branch on some sources; none where one of them is not scored.
    pub(super) fn values(&self, members: &[&SourceName], branches: &[usize]) -> Option<Vec<f64>> {
        let of_branch = |&branch: &usize| {
            let by_source = self.scores[branch].as_ref()?;
            let score = |name: &&SourceName| Some(by_source.get(*name)?.bits_per_byte());
            let values: Vec<f64> = members.iter().map(score).collect::<Option<_>>()?;
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        branches.iter().map(of_branch).collect()
    }

    /// Sources with their sequences, all of them scored.
    fn strata(&self, members: &[&SourceName], arm: &Arm) -> Result<Vec<Stratum>, Cause> {
        let score = |branch: usize, name: &SourceName| {
            &self.scores[branch].as_ref().expect("there are values of it")[name]
        };
        let stratum = |name: &&SourceName| {
            let first = score(arm.branches[0], name);
            for &branch in arm.branches.iter().chain(&arm.controls) {
                let other = score(branch, name);
                if other.ordinals != first.ordinals || other.bytes != first.bytes {
                    let name_of = |branch: usize| self.plan.branches[branch].name.clone();
                    return Err(Cause::OtherSequences {
                        branch: name_of(branch),
                        than: name_of(arm.branches[0]),
                        source: (*name).clone(),
                    });
                }
            }
            let items = Clusters::of(&first.documents, first.nats.len());
            let bits = |&branch: &usize| {
                let nats = &score(branch, name).nats;
                let bits: Vec<f64> = nats.iter().map(|n| n / std::f64::consts::LN_2).collect();
                items.sums(&bits)
            };
            let branch: Vec<Vec<f64>> = arm.branches.iter().map(bits).collect();
            let control: Vec<Vec<f64>> = arm.controls.iter().map(bits).collect();
            let bytes: Vec<f64> = first.bytes.iter().map(|&bytes| bytes as f64).collect();
            Ok(Stratum::ratios(1.0, &branch, &control, &items.sums(&bytes)))
        };
        members.iter().map(stratum).collect()
    }
}
