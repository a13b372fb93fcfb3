//! Reads `[mixtures.*]`: proportions over sources and domains, as written.

use std::collections::BTreeMap;

use sparkjoy_base::toml_file::Item;
use sparkjoy_base::{DomainName, Ppm, Problem, SourceName};

use super::shares::{Share, proportion, sum_to_one, undefined};
use super::sources::{Sources, bad_name};

/// A mixture as written: shares of sources and of whole domains, which sum to one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WrittenMixture {
    /// Who gets how much.
    pub(crate) shares: Vec<(Share, Ppm)>,
    pub(crate) line: usize,
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
        SourceName::new(&key.value).map_err(|e| bad_name(file, key.line, &e))?;
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
            .ok_or_else(|| undefined(&item, &what, &key.value, sources.names()))?;
        sources.refuse_unseen(&share, &item, &what)?;
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

/// Which source or domain a name is.
pub(super) fn share(name: &str, sources: &Sources) -> Option<Share> {
    for (source, facts) in &sources.facts {
        if source.as_str() == name {
            return Some(Share::Source(source.clone()));
        }
        if facts.domain.as_str() == name {
            return Some(Share::Domain(facts.domain.clone()));
        }
    }
    None
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
