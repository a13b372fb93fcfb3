//! What is removed or added, and who makes room.

use sparkjoy_base::{DomainName, SourceName};

use super::super::mixture::{Share, WrittenMixture, share};
use super::super::reader::{Item, Placed, Table, nearest};
use super::{Chosen, Known, Refill, quoted};
use crate::StudyError;
use crate::problem::Problem;

const CHOICES: &str = "a list of sources, domains, or lists of them";
const REFILLS: &str = "`domain`, `proportional` or a source, which gets the freed share";

impl Known<'_> {
    /// The groups under `key`, then each source of the domains under `each` by itself.
    ///
    /// - `mixture`: where they must be drawn from, if they must.
    pub(super) fn chosen(
        &self,
        table: &mut Table<'_>,
        key: &'static str,
        each: &'static str,
        mixture: Option<&Placed<String>>,
    ) -> Result<Vec<Placed<Chosen>>, StudyError> {
        let (groups, domains) = (table.optional(key), table.optional(each));
        let (file, line) = (table.source(), table.line());
        let mut all: Vec<Placed<Chosen>> = Vec::new();
        let mut add = |chosen: Chosen, line: usize| {
            if all.iter().any(|other| same(&other.value, &chosen)) {
                let names = quoted(&chosen.names);
                return Err(file.problem(line, Problem::ChosenTwice { key, names }));
            }
            all.push(Placed { value: chosen, line });
            Ok(())
        };
        for item in groups.map_or(Ok(vec![]), |items| items.list(CHOICES))? {
            let line = item.line();
            add(self.group(key, item.one_or_more(CHOICES)?)?, line)?;
        }
        let expected = "a list of domains in quotes";
        for item in domains.map_or(Ok(vec![]), |items| items.one_or_more(expected))? {
            for name in self.sources_of(each, &item, mixture)? {
                let shares = vec![Share::Source(name.clone())];
                add(Chosen { names: vec![name.into()], shares }, item.line())?;
            }
        }
        if let Some(empty) = all.iter().find(|chosen| chosen.value.names.is_empty()) {
            let (key, found) = (format!("questions.{key}"), "an empty list".to_owned());
            let problem = Problem::OutOfRange { key, found, expected: CHOICES };
            return Err(file.problem(empty.line, problem));
        }
        if all.is_empty() {
            return Err(file.problem(line, Problem::NothingChosen { key, each }));
        }
        Ok(all)
    }

    fn group(&self, key: &'static str, items: Vec<Item<'_>>) -> Result<Chosen, StudyError> {
        let mut chosen = Chosen { names: vec![], shares: vec![] };
        for item in items {
            let name = item.string("the name of a source or domain in quotes")?.to_owned();
            let share = share(&name, self.sources).map_err(|nearest| {
                let (place, name) = (format!("`{key}`"), name.clone());
                item.problem(Problem::UndefinedSource { place, name, nearest })
            })?;
            chosen.names.push(name);
            chosen.shares.push(share);
        }
        Ok(chosen)
    }

    /// The sources of a domain, those that a mixture draws from where one is given.
    fn sources_of(
        &self,
        key: &'static str,
        item: &Item<'_>,
        mixture: Option<&Placed<String>>,
    ) -> Result<Vec<SourceName>, StudyError> {
        let name = item.string("the name of a domain in quotes")?.to_owned();
        let domains = || self.sources.facts.values().map(|facts| facts.domain.as_str());
        if !domains().any(|domain| domain == name) {
            let (place, nearest) = (format!("`{key}`"), nearest(&name, domains()));
            return Err(item.problem(Problem::NotADomain { place, name, nearest }));
        }
        let drawn = |source: &SourceName, domain: &DomainName| {
            mixture.is_none_or(|mixture| draws(&self.mixtures[&mixture.value], source, domain))
        };
        let inside = self.sources.facts.iter().filter(|(source, facts)| {
            facts.domain.as_str() == name && drawn(source, &facts.domain)
        });
        let inside: Vec<SourceName> = inside.map(|(source, _)| source.clone()).collect();
        match mixture {
            Some(mixture) if inside.is_empty() => {
                let mixture = mixture.value.clone();
                Err(item.problem(Problem::NotInMixture { name, mixture }))
            }
            _ => Ok(inside),
        }
    }

    /// One or more refill rules.
    pub(super) fn refills(&self, table: &mut Table<'_>) -> Result<Vec<Placed<Refill>>, StudyError> {
        let items = table.required("refill", REFILLS)?;
        let (file, line) = (items.source(), items.line());
        let mut refills: Vec<Placed<Refill>> = Vec::new();
        for item in items.one_or_more(REFILLS)? {
            let refill = self.refill(&item)?;
            if refills.iter().any(|other| other.value == refill.value) {
                let names = format!("`{}`", item.string(REFILLS)?);
                return Err(item.problem(Problem::ChosenTwice { key: "refill", names }));
            }
            refills.push(refill);
        }
        if refills.is_empty() {
            let (key, found) = ("questions.refill".to_owned(), "empty".to_owned());
            return Err(file.problem(line, Problem::OutOfRange { key, found, expected: REFILLS }));
        }
        Ok(refills)
    }

    fn refill(&self, item: &Item<'_>) -> Result<Placed<Refill>, StudyError> {
        let name = item.string("`domain`, `proportional` or a source in quotes")?;
        let mut sources = self.sources.facts.keys();
        let refill = match (name, sources.find(|source| source.as_str() == name)) {
            ("domain", _) => Refill::Domain,
            ("proportional", _) => Refill::Proportional,
            (_, Some(source)) => Refill::Source(source.clone()),
            (_, None) => {
                let known = self.sources.facts.keys().map(SourceName::as_str);
                let nearest = nearest(name, known.chain(["domain", "proportional"]));
                let name = name.to_owned();
                return Err(item.problem(Problem::RefillUnknown { name, nearest }));
            }
        };
        Ok(Placed { value: refill, line: item.line() })
    }
}

/// Whether a mixture as written gives a source a share.
fn draws(mixture: &WrittenMixture, source: &SourceName, domain: &DomainName) -> bool {
    mixture.shares.iter().any(|(share, _)| match share {
        Share::Source(name) => name == source,
        Share::Domain(name) => name == domain,
    })
}

fn same(one: &Chosen, other: &Chosen) -> bool {
    let sorted = |chosen: &Chosen| {
        let mut names = chosen.names.clone();
        names.sort();
        names
    };
    sorted(one) == sorted(other)
}
