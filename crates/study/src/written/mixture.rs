//! Reads `[mixtures.*]`: proportions over sources and domains, as written.

use std::collections::BTreeMap;

use sparkjoy_base::{DomainName, Ppm, SourceName};

use super::reader::{Item, nearest};
use super::sources::{Sources, bad_name};
use crate::StudyError;
use crate::problem::Problem;

/// A mixture as written: shares of sources and of whole domains, which sum to one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WrittenMixture {
    /// Who gets how much.
    pub(crate) shares: Vec<(Share, Ppm)>,
    /// The line of its table.
    pub(crate) line: usize,
}

/// Who a share goes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Share {
    /// One source.
    Source(SourceName),
    /// The sources of a domain.
    Domain(DomainName),
}

/// Reads all `[mixtures.*]`.
pub(crate) fn mixtures(
    tables: Item<'_>,
    sources: &Sources,
) -> Result<BTreeMap<String, WrittenMixture>, StudyError> {
    let mut all = BTreeMap::new();
    let tables = tables.table()?;
    let file = tables.source();
    for (key, item) in tables.named() {
        // A mixture's name becomes part of a folder's name, like a source's.
        SourceName::new(&key.value).map_err(|e| bad_name(file, key.line, e))?;
        let mixture = one(&key.value, item, sources)?;
        all.insert(key.value, mixture);
    }
    Ok(all)
}

fn one(mixture: &str, item: Item<'_>, sources: &Sources) -> Result<WrittenMixture, StudyError> {
    let line = item.line();
    let what = format!("mixture `{mixture}`");
    let table = item.table()?;
    let file = table.source();
    let mut shares = Vec::new();
    for (key, item) in table.named() {
        let part = proportion(&item, &key.value, &what)?;
        let share = share(&key.value, sources).map_err(|nearest| {
            let (place, name) = (what.clone(), key.value.clone());
            item.problem(Problem::UndefinedSource { place, name, nearest })
        })?;
        if let Some((source_name, domain)) = named_twice(&share, &shares, sources) {
            let mixture = mixture.to_owned();
            return Err(item.problem(Problem::NamedTwice { mixture, source_name, domain }));
        }
        shares.push((share, part));
    }
    sum_to_one(shares.iter().map(|(_, part)| part), what).map_err(|p| file.problem(line, p))?;
    Ok(WrittenMixture { shares, line })
}

/// Which source or domain a name is, or the known name nearest to it.
pub(super) fn share(name: &str, sources: &Sources) -> Result<Share, Option<String>> {
    for (source, facts) in &sources.facts {
        if source.as_str() == name {
            return Ok(Share::Source(source.clone()));
        }
        if facts.domain.as_str() == name {
            return Ok(Share::Domain(facts.domain.clone()));
        }
    }
    let known =
        sources.facts.iter().flat_map(|(name, facts)| [name.as_str(), facts.domain.as_str()]);
    Err(nearest(name, known))
}

fn named_twice(
    share: &Share,
    before: &[(Share, Ppm)],
    sources: &Sources,
) -> Option<(SourceName, DomainName)> {
    before.iter().find_map(|(other, _)| match (share, other) {
        (Share::Source(name), Share::Domain(domain))
        | (Share::Domain(domain), Share::Source(name))
            if sources.facts[name].domain == *domain =>
        {
            Some((name.clone(), domain.clone()))
        }
        _ => None,
    })
}

/// A decimal above 0 and up to 1.
pub(super) fn proportion(item: &Item<'_>, name: &str, what: &str) -> Result<Ppm, StudyError> {
    let value = item.number(|_| true, "a decimal from 0 to 1, such as 0.25")?;
    let part = Ppm::from_decimal(value)
        .map_err(|why| item.problem(Problem::Quantity { key: item.key().to_owned(), why }))?;
    if part.0 == 0 {
        let (name, what) = (name.to_owned(), what.to_owned());
        return Err(item.problem(Problem::Zero { name, what }));
    }
    Ok(part)
}

/// Nothing is normalised: what does not sum to exactly one is refused.
pub(super) fn sum_to_one<'a>(
    parts: impl IntoIterator<Item = &'a Ppm>,
    what: String,
) -> Result<(), Problem> {
    let sum: u64 = parts.into_iter().map(|part| u64::from(part.0)).sum();
    if sum == u64::from(Ppm::ONE.0) { Ok(()) } else { Err(Problem::Sum { what, sum }) }
}
