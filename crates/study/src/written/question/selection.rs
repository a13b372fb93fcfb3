//! What is removed or added, and whose share changes for it.

use sparkjoy_base::toml_file::{Item, Placed, TomlTable};
use sparkjoy_base::{DomainName, Problem, SourceName, nearest};

use super::super::mixture::{WrittenMixture, share};
use super::super::shares::{Share, undefined};
use super::{Chosen, Known, Refill, quoted};

const CHOICES: &str = "a list of sources, domains, or lists of them";
const REFILLS: &str = "`domain`, `proportional` or a source, which gets the freed share";

impl Known<'_> {
    /// The groups under `key`, then each source of the domains under `each` by itself.
    ///
    /// - `mixture`: where they must be drawn from, if they must.
    pub(super) fn chosen(
        &self,
        table: &mut TomlTable<'_>,
        key: &'static str,
        each: &'static str,
        mixture: Option<&Placed<String>>,
    ) -> Result<Vec<Placed<Chosen>>, Problem> {
        let (groups, domains) = (table.optional(key), table.optional(each));
        let (file, line) = (table.source(), table.line());
        let mut all: Vec<Placed<Chosen>> = Vec::new();
        let mut add = |chosen: Chosen, line: usize| {
            if all.iter().any(|other| same(&other.value, &chosen)) {
                let names = quoted(&chosen.names);
                return Err(file.problem(line, twice(key, &names)));
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
            let key = format!("questions.{key}");
            return Err(file.out_of_range(empty.line, &key, "an empty list", CHOICES));
        }
        if all.is_empty() {
            let verb = if key == "add" { "add" } else { "remove" };
            let text = format!(
                "the question names nothing to {verb}: `{key}` and `{each}` are empty or absent"
            );
            return Err(file.problem(line, text).with_hint(format!(
                "write `{key} = [\"a source\"]`, or `{each} = [\"a domain\"]`"
            )));
        }
        Ok(all)
    }

    fn group(&self, key: &'static str, items: Vec<Item<'_>>) -> Result<Chosen, Problem> {
        let mut chosen = Chosen { names: vec![], shares: vec![] };
        for item in items {
            let name = item.string("the name of a source or domain in quotes")?.to_owned();
            let share = share(&name, self.sources).ok_or_else(|| {
                undefined(&item, &format!("`{key}`"), &name, self.sources.names())
            })?;
            self.sources.refuse_unseen(&share, &item, &format!("`{key}`"))?;
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
    ) -> Result<Vec<SourceName>, Problem> {
        let name = item.string("the name of a domain in quotes")?.to_owned();
        let domains = || self.sources.facts.values().map(|facts| &facts.domain);
        let Some(domain) = domains().find(|domain| domain.as_str() == name) else {
            let nearest = nearest(&name, domains().map(DomainName::as_str));
            return Err(item
                .problem(format!("`{key}` names `{name}`, which is no domain"))
                .meant(nearest.as_deref()));
        };
        let share = Share::Domain(domain.clone());
        self.sources.refuse_unseen(&share, item, &format!("`{key}`"))?;
        let drawn = |source: &SourceName, domain: &DomainName| {
            mixture.is_none_or(|mixture| draws(&self.mixtures[&mixture.value], source, domain))
        };
        let inside = self.sources.facts.iter().filter(|(source, facts)| {
            facts.domain.as_str() == name && !facts.unseen && drawn(source, &facts.domain)
        });
        let inside: Vec<SourceName> = inside.map(|(source, _)| source.clone()).collect();
        match mixture {
            Some(mixture) if inside.is_empty() => {
                Err(item.problem(not_in_mixture(&name, &mixture.value)))
            }
            _ => Ok(inside),
        }
    }

    /// One or more refill rules.
    pub(super) fn refills(
        &self,
        table: &mut TomlTable<'_>,
    ) -> Result<Vec<Placed<Refill>>, Problem> {
        let items = table.required("refill", REFILLS)?;
        let (file, line) = (items.source(), items.line());
        let mut refills: Vec<Placed<Refill>> = Vec::new();
        for item in items.one_or_more(REFILLS)? {
            let refill = self.refill(&item)?;
            if refills.iter().any(|other| other.value == refill.value) {
                let names = format!("`{}`", item.string(REFILLS)?);
                return Err(item.problem(twice("refill", &names)));
            }
            refills.push(refill);
        }
        if refills.is_empty() {
            return Err(file.out_of_range(line, "questions.refill", "empty", REFILLS));
        }
        Ok(refills)
    }

    fn refill(&self, item: &Item<'_>) -> Result<Placed<Refill>, Problem> {
        let name = item.string("`domain`, `proportional` or a source in quotes")?;
        let mut sources = self.sources.facts.keys();
        let refill = match (name, sources.find(|source| source.as_str() == name)) {
            ("domain", _) => Refill::Domain,
            ("proportional", _) => Refill::Proportional,
            (_, Some(source)) => {
                let share = Share::Source(source.clone());
                self.sources.refuse_unseen(&share, item, "`refill`")?;
                Refill::Source(source.clone())
            }
            (_, None) => {
                let known = self.sources.facts.keys().map(SourceName::as_str);
                let nearest = nearest(name, known.chain(["domain", "proportional"]));
                let text = format!(
                    "refill `{name}` is not a source, expected `domain`, `proportional` or a source"
                );
                return Err(item.problem(text).meant(nearest.as_deref()));
            }
        };
        Ok(Placed { value: refill, line: item.line() })
    }
}

/// What is wrong with a removal of what is not there. `name`: a source or domain.
pub(crate) fn not_in_mixture(name: &str, mixture: &str) -> String {
    format!("`{name}` cannot be removed: mixture `{mixture}` does not draw from it")
}

/// What is wrong with a key that names one thing twice. `names`: as the text shows them.
pub(super) fn twice(key: &str, names: &str) -> String {
    format!("`{key}` names {names} twice, expected once")
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
