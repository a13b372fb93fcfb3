//! Resolves written mixtures to sources, and takes sources out of resolved ones.
//!
//! A domain's share goes to its sources in proportion to their tokens, or as the study weighs
//! them, in whole parts per million. Nothing is normalised: what comes in sums to one, and so does
//! what goes out.

use std::collections::{BTreeMap, BTreeSet};

use sparkjoy_base::toml_file::Placed;
use sparkjoy_base::{DomainName, Ppm, Problem, SourceName};
use sparkjoy_mix::Mixture;

use crate::plan::PlanSource;
use crate::resolve::apportion::apportion;
use crate::written;
use crate::written::{Refill, Share, Study, WrittenMixture, not_in_mixture};

/// The mixtures of a study, over sources alone.
pub(crate) fn mixtures(
    study: &Study,
    sources: &BTreeMap<SourceName, PlanSource>,
) -> Result<BTreeMap<String, Mixture>, Problem> {
    let resolve = |(name, written): (&String, &WrittenMixture)| {
        Ok((name.clone(), resolve(name, written, study, sources)?))
    };
    study.mixtures.iter().map(resolve).collect()
}

fn resolve(
    mixture: &str,
    written: &WrittenMixture,
    study: &Study,
    sources: &BTreeMap<SourceName, PlanSource>,
) -> Result<Mixture, Problem> {
    let mut proportions = BTreeMap::new();
    for (share, part) in &written.shares {
        match share {
            Share::Source(name) => {
                proportions.insert(name.clone(), *part);
            }
            Share::Domain(domain) => {
                proportions.extend(apportion(*part, &weights(domain, study, sources)));
            }
        }
    }
    let vanished = proportions.iter().find(|(_, part)| part.0 == 0);
    if let Some((name, _)) = vanished {
        let PlanSource { domain, tokens, .. } = &sources[name];
        let text = format!(
            "source `{name}` gets less than one part per million of mixture `{mixture}`: it holds \
             {tokens} of the tokens of domain `{domain}`"
        );
        let hint = format!("weigh the domain's sources in `[domains.{domain}]`");
        return Err(study.problem(written.line, text).with_hint(hint));
    }
    Ok(Mixture::new(proportions).expect("its shares sum to one and none is zero"))
}

/// How the share of a domain goes to its sources.
pub(crate) fn weights(
    domain: &DomainName,
    study: &Study,
    sources: &BTreeMap<SourceName, PlanSource>,
) -> BTreeMap<SourceName, u64> {
    match study.weights.get(domain) {
        Some(parts) => parts.iter().map(|(name, part)| (name.clone(), part.0.into())).collect(),
        None => sources
            .iter()
            .filter(|(_, source)| source.domain == *domain && !source.unseen)
            .map(|(name, source)| (name.clone(), source.tokens.0))
            .collect(),
    }
}

/// A mixture of the plan with its name, and the domains of its sources.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) mixture: &'a Mixture,
    pub(crate) sources: &'a BTreeMap<SourceName, PlanSource>,
}

impl Named<'_> {
    fn domain(&self, source: &SourceName) -> &DomainName {
        &self.sources[source].domain
    }

    /// The sources of this mixture that a removal takes out.
    ///
    /// # Errors
    ///
    /// A name this mixture does not draw from: the comparison would compare nothing.
    pub(crate) fn removed<'c>(
        &self,
        removal: &'c written::Chosen,
    ) -> Result<BTreeSet<SourceName>, &'c str> {
        let mut removed = BTreeSet::new();
        for (name, share) in removal.names.iter().zip(&removal.shares) {
            let before = removed.len();
            removed.extend(
                self.mixture
                    .proportions()
                    .keys()
                    .filter(|source| match share {
                        Share::Source(name) => *source == name,
                        Share::Domain(domain) => self.domain(source) == domain,
                    })
                    .cloned(),
            );
            if removed.len() == before {
                return Err(name);
            }
        }
        Ok(removed)
    }

    /// This mixture without the sources that `removal` names; `refill` says who gets their share.
    ///
    /// The result differs from this mixture in two ways at once, and so does what a model learns
    /// from it: the removed sources are gone, and there is more of those that take their place.
    /// The removal of the math subsets in the paper has the same twofold effect.
    ///
    /// # Errors
    ///
    /// Nothing to remove, nothing left, or nobody to take the freed share.
    pub(crate) fn without(
        &self,
        study: &Study,
        removal: &Placed<written::Chosen>,
        refill: &Placed<Refill>,
    ) -> Result<Mixture, Problem> {
        let problem = |text: String| study.problem(removal.line, text);
        let removed = self.removed(&removal.value);
        let removed = removed.map_err(|name| problem(not_in_mixture(name, self.name)))?;
        let mut left: BTreeMap<SourceName, Ppm> = self.mixture.proportions().clone();
        left.retain(|name, _| !removed.contains(name));
        let mut freed: BTreeMap<&DomainName, u32> = BTreeMap::new();
        for name in &removed {
            *freed.entry(self.domain(name)).or_default() += self.mixture.proportions()[name].0;
        }
        let freed_in_all = Ppm(freed.values().sum());
        let gains: Vec<BTreeMap<SourceName, Ppm>> = match &refill.value {
            Refill::Proportional | Refill::Domain if left.is_empty() => {
                let (removed, mixture) = (written::quoted(&removal.value.names), self.name);
                let text = format!("removing {removed} leaves nothing of mixture `{mixture}`");
                return Err(problem(text));
            }
            Refill::Proportional => vec![apportion(freed_in_all, &as_weights(left.iter()))],
            Refill::Source(name) if removed.contains(name) => {
                let text =
                    format!("refill `{name}`: it is itself removed, expected another source");
                return Err(study.problem(refill.line, text));
            }
            Refill::Source(name) => vec![BTreeMap::from([(name.clone(), freed_in_all)])],
            Refill::Domain => freed
                .iter()
                .map(|(&domain, &share)| {
                    let takers = left.iter().filter(|(name, _)| self.domain(name) == domain);
                    let takers = as_weights(takers);
                    if takers.is_empty() {
                        let text = self.nobody(domain, &removed);
                        return Err(problem(text).with_hint("ask with `refill = \"proportional\"`"));
                    }
                    Ok(apportion(Ppm(share), &takers))
                })
                .collect::<Result<_, _>>()?,
        };
        for (name, gain) in gains.into_iter().flatten() {
            left.entry(name).or_default().0 += gain.0;
        }
        Ok(Mixture::new(left).expect("what is freed is given away"))
    }

    /// This mixture with `share` given to what is added; all others shrink in proportion to
    /// their shares. What is there already gets `share` in all, not `share` more.
    ///
    /// # Errors
    ///
    /// If nothing of this mixture would be left.
    pub(crate) fn with(&self, added: &BTreeMap<SourceName, u64>, share: Ppm) -> Option<Mixture> {
        let others: Vec<(&SourceName, &Ppm)> = self
            .mixture
            .proportions()
            .iter()
            .filter(|(name, _)| !added.contains_key(*name))
            .collect();
        let rest = Ppm::ONE.0.checked_sub(share.0).filter(|&rest| rest > 0)?;
        if others.is_empty() {
            return None;
        }
        let mut parts = apportion(Ppm(rest), &as_weights(others.into_iter()));
        parts.extend(apportion(share, added));
        parts.retain(|_, part| part.0 > 0);
        Some(Mixture::new(parts).expect("what is added takes what the others give"))
    }

    /// What is wrong with a removal that leaves nobody of a domain to take its share.
    fn nobody(&self, domain: &DomainName, removed: &BTreeSet<SourceName>) -> String {
        let gone = removed.iter().find(|name| self.domain(name) == domain);
        format!(
            "refill `domain`: removing `{}` leaves no source of domain `{domain}` in mixture `{}` to \
             take its share",
            gone.expect("only a removal frees a share"),
            self.name
        )
    }
}

/// A blend of mixtures, each with its weight: at least one weight is above zero.
///
/// # Guarantees
///
/// Each source is within one part per million of its exact share, and the sum is exactly one.
pub fn blended(parts: &[(&Mixture, u64)]) -> Mixture {
    let mut weights: BTreeMap<SourceName, u64> = BTreeMap::new();
    for (mixture, weight) in parts {
        for (name, part) in mixture.proportions() {
            *weights.entry(name.clone()).or_default() += u64::from(part.0) * weight;
        }
    }
    let mut parts = apportion(Ppm::ONE, &weights);
    parts.retain(|_, part| part.0 > 0);
    Mixture::new(parts).expect("apportioned parts sum to one")
}

fn as_weights<'a>(
    parts: impl Iterator<Item = (&'a SourceName, &'a Ppm)>,
) -> BTreeMap<SourceName, u64> {
    parts.map(|(name, part)| (name.clone(), u64::from(part.0))).collect()
}
