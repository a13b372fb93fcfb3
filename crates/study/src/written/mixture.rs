//! Reads `[mixtures.*]`: proportions over sources and domains, as written.

use std::collections::BTreeMap;

use sparkjoy_base::toml_file::{Item, Source};
use sparkjoy_base::{DomainName, Ppm, Problem, SourceName, nearest};

use super::sources::{Sources, bad_name};

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
) -> Result<BTreeMap<String, WrittenMixture>, Problem> {
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

fn one(mixture: &str, item: Item<'_>, sources: &Sources) -> Result<WrittenMixture, Problem> {
    let line = item.line();
    let what = format!("mixture `{mixture}`");
    let table = item.table()?;
    let file = table.source();
    let mut shares = Vec::new();
    for (key, item) in table.named() {
        let part = proportion(&item, &key.value, &what)?;
        let share = share(&key.value, sources)
            .map_err(|nearest| undefined(&item, &what, &key.value, nearest.as_deref()))?;
        if let Some((source_name, domain)) = named_twice(&share, &shares, sources) {
            return Err(item.problem(format!(
                "{what} names source `{source_name}` and its domain `{domain}`, expected one of the \
                 two"
            )));
        }
        shares.push((share, part));
    }
    sum_to_one(shares.iter().map(|(_, part)| part), &what, (file, line))?;
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
pub(super) fn proportion(item: &Item<'_>, name: &str, what: &str) -> Result<Ppm, Problem> {
    let value = item.number(|_| true, "a decimal from 0 to 1, such as 0.25")?;
    let part =
        Ppm::from_decimal(value).map_err(|why| item.problem(format!("`{}`: {why}", item.key())))?;
    if part.0 == 0 {
        return Err(item.problem(format!(
            "`{name}` has proportion 0 in {what}, expected more than 0 or no mention"
        )));
    }
    Ok(part)
}

/// A share of something that is neither a source nor a domain. `place`: what names it.
pub(super) fn undefined(
    item: &Item<'_>,
    place: &str,
    name: &str,
    nearest: Option<&str>,
) -> Problem {
    item.problem(format!("{place} names `{name}`, which is neither a source nor a domain"))
        .with_hint(format!("define it in a table `[sources.{name}]`"))
        .meant(nearest)
}

/// Nothing is normalised: what does not sum to exactly one is refused.
///
/// `what`: `` mixture `base` ``; `place`: where its table is.
pub(super) fn sum_to_one<'a>(
    parts: impl IntoIterator<Item = &'a Ppm>,
    what: &str,
    place: (Source<'_>, usize),
) -> Result<(), Problem> {
    let one = u64::from(Ppm::ONE.0);
    let sum: u64 = parts.into_iter().map(|part| u64::from(part.0)).sum();
    if sum == one {
        return Ok(());
    }
    let text = format!("proportions of {what} sum to {}, expected 1", decimal(sum));
    Err(place.0.problem(place.1, text).with_hint(if sum < one {
        format!("give the missing {} to a source", decimal(one - sum))
    } else {
        format!("take {} away", decimal(sum - one))
    }))
}

/// Parts per million as a decimal without needless zeros.
fn decimal(parts: u64) -> String {
    let text = format!("{}.{:06}", parts / 1_000_000, parts % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
