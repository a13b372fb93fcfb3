//! Reads `[sources.*]` and `[domains.*]`: where text comes from and how it is grouped.

use std::collections::BTreeMap;
use std::path::Path;

use sparkjoy_base::toml_file::{Item, Placed, Source, TomlTable};
use sparkjoy_base::{
    DomainName, NameError, Ppm, Problem, SourceName, Span, Tokens, did_you_mean, nearest,
};
use sparkjoy_data::{OnBadDocument, SourceFiles, Validation};

use super::SourceInput;
use super::shares::{Share, proportion, sum_to_one, undefined};

/// What a study says about a source besides where its sequences come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SourceFacts {
    pub(crate) domain: DomainName,
    /// Epochs it may be read at most.
    pub(crate) max_epochs: Option<Placed<f64>>,
    /// Whether nothing trains on it: all its text is held out.
    pub(crate) unseen: bool,
    pub(crate) line: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Sources {
    /// Where each one's sequences come from.
    pub(crate) inputs: BTreeMap<SourceName, SourceInput>,
    /// What else is said about each.
    pub(crate) facts: BTreeMap<SourceName, SourceFacts>,
}

impl Sources {
    /// Reads all `[sources.*]`. `root`: the folder their paths are relative to.
    pub(crate) fn read(tables: Item<'_>, root: &Path) -> Result<Self, Problem> {
        let mut all = Self { inputs: BTreeMap::new(), facts: BTreeMap::new() };
        let tables = tables.table()?;
        let (source, line) = (tables.source(), tables.line());
        for (key, item) in tables.named() {
            let name = SourceName::new(&key.value).map_err(|e| bad_name(source, key.line, &e))?;
            if ["domain", "proportional"].contains(&name.as_str()) {
                return Err(item.problem(format!(
                    "a source cannot be called `{name}`: `refill` uses the word for a rule"
                )));
            }
            let (input, facts) = one(&name, item.table()?, root)?;
            all.inputs.insert(name.clone(), input);
            all.facts.insert(name, facts);
        }
        if all.inputs.is_empty() {
            let expected = "at least one table `[sources.<name>]`";
            return Err(source.missing(line, "the study", "sources", expected));
        }
        all.one_meaning_per_name(source)?;
        Ok(all)
    }

    /// A mixture names sources and domains alike, so no name may be both, unless both mean the
    /// same: a domain that is one source.
    fn one_meaning_per_name(&self, source: Source<'_>) -> Result<(), Problem> {
        for (member, facts) in &self.facts {
            let clash = self.facts.iter().find(|(name, _)| {
                name.as_str() == facts.domain.as_str()
                    && (*name != member || self.of_domain(&facts.domain).len() > 1)
            });
            if let Some((name, facts)) = clash {
                let text = format!(
                    "`{name}` is the name of a source and of a domain, expected different names"
                );
                return Err(source.problem(facts.line, text));
            }
        }
        Ok(())
    }

    /// The names a mixture may use: sources, each followed by its domain.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.facts.iter().flat_map(|(name, facts)| [name.as_str(), facts.domain.as_str()])
    }

    /// Refuses a share of text that nothing may train on. `what`: `` mixture `base` ``.
    pub(crate) fn refuse_unseen(
        &self,
        share: &Share,
        item: &Item<'_>,
        what: &str,
    ) -> Result<(), Problem> {
        let (which, names) = match share {
            Share::Source(name) => (format!("source `{name}`, which is unseen"), vec![name]),
            Share::Domain(domain) => {
                let text = format!("domain `{domain}`, in which every source is unseen");
                (text, self.of_domain(domain))
            }
        };
        if names.iter().any(|&name| !self.facts[name].unseen) {
            return Ok(());
        }
        let text = format!("{what} names {which}: nothing may train on it");
        let tables: Vec<String> = names.iter().map(|name| format!("`[sources.{name}]`")).collect();
        Err(item.problem(text).with_hint(format!(
            "leave it out here, or take `unseen = true` out of {}",
            tables.join(", ")
        )))
    }

    /// The sources of a domain, sorted by name.
    pub(crate) fn of_domain(&self, domain: &DomainName) -> Vec<&SourceName> {
        self.facts.iter().filter(|(_, f)| f.domain == *domain).map(|(name, _)| name).collect()
    }
}

/// Reads one `[sources.<name>]`.
fn one(
    name: &SourceName,
    mut table: TomlTable<'_>,
    root: &Path,
) -> Result<(SourceInput, SourceFacts), Problem> {
    let (source, line) = (table.source(), table.line());
    let domain = table.required("domain", "the name of its domain")?;
    let domain = DomainName::new(domain.string("the name of a domain in quotes")?)
        .map_err(|e| domain.problem(e.to_string()))?;
    let max_epochs = match table.optional("max_epochs") {
        None => None,
        Some(item) => {
            let value = item.number(|x| x.is_finite() && x > 0.0, "a number above 0")?;
            Some(Placed { value, line: item.line() })
        }
    };
    let unseen = table.optional("unseen").map_or(Ok(false), |item| item.boolean())?;
    if let Some(cap) = max_epochs.as_ref().filter(|_| unseen) {
        let text = format!("`max_epochs` is about reading, but source `{name}` is unseen");
        let hint = "leave `max_epochs` out: nothing trains on the source";
        return Err(source.problem(cap.line, text).with_hint(hint));
    }
    let input = match (table.optional("path"), table.optional("tokens")) {
        (Some(path), None) => {
            let validation = validation(name, &path, &mut table, unseen)?;
            SourceInput::Files(Box::new(files(name, path, &mut table, (root, validation))?))
        }
        (None, Some(tokens)) => {
            refuse_text_keys(name, &mut table)?;
            SourceInput::Declared(tokens.quantity::<Tokens>("a number of tokens in quotes")?)
        }
        (path, _) => {
            let found = match path {
                Some(_) => "both `path` and `tokens`",
                None => "neither `path` nor `tokens`",
            };
            return Err(source.problem(line, not_one_of(name, found)));
        }
    };
    table.finish()?;
    Ok((input, SourceFacts { domain, max_epochs, unseen, line }))
}

/// Where a source's held-out text comes from. `path`: of its text.
fn validation(
    name: &SourceName,
    path: &Item<'_>,
    table: &mut TomlTable<'_>,
    unseen: bool,
) -> Result<Validation, Problem> {
    let (files, share) = (table.optional("validation"), table.optional("holdout"));
    if unseen {
        for (key, item) in [("validation", files), ("holdout", share)] {
            if let Some(item) = item {
                let text =
                    format!("`{key}` beside `unseen`: all text of source `{name}` is held out");
                let hint = format!("leave `{key}` out, and name every file in `path`");
                return Err(item.problem(text).with_hint(hint));
            }
        }
        return Ok(Validation::All);
    }
    match (files, share) {
        (Some(paths), None) => Ok(Validation::Files(strings(paths)?)),
        (None, Some(share)) => Ok(Validation::Split(holdout(&share)?)),
        (validation, _) => {
            let found = match validation {
                Some(_) => "both `validation` and `holdout`",
                None => "neither `validation` (files) nor `holdout` (a share such as \"1%\")",
            };
            Err(path.problem(not_one_of(name, found)))
        }
    }
}

/// - `root`: the folder that paths are relative to; `validation`: the held-out text.
fn files(
    name: &SourceName,
    path: Item<'_>,
    table: &mut TomlTable<'_>,
    (root, validation): (&Path, Validation),
) -> Result<SourceFiles, Problem> {
    let rows = super::row_text::rows(table)?;
    let on_bad_document = match table.optional("on_bad_document") {
        None => OnBadDocument::Refuse,
        Some(item) => match item.choice(&["refuse", "skip"])? {
            "skip" => OnBadDocument::Skip,
            _ => OnBadDocument::Refuse,
        },
    };
    Ok(SourceFiles {
        name: name.clone(),
        paths: strings(path)?,
        root: root.to_owned(),
        rows,
        on_bad_document,
        validation,
    })
}

/// Keys of a source with files.
const TEXT_KEYS: [&str; 9] = [
    "validation",
    "holdout",
    "text_field",
    "separator",
    "template",
    "messages",
    "documents",
    "where",
    "on_bad_document",
];

fn refuse_text_keys(name: &SourceName, table: &mut TomlTable<'_>) -> Result<(), Problem> {
    for key in TEXT_KEYS {
        if let Some(item) = table.optional(key) {
            return Err(item.problem(format!(
                "`{key}` is about text, but source `{name}` is declared by `tokens` and has no files"
            )));
        }
    }
    Ok(())
}

fn not_one_of(name: &SourceName, found: &str) -> String {
    format!("source `{name}` has {found}, expected one of the two")
}

fn strings(item: Item<'_>) -> Result<Vec<String>, Problem> {
    let expected = "a path in quotes, or a list of them";
    let items = item.one_or_more(expected)?;
    items.iter().map(|item| item.string(expected).map(str::to_owned)).collect()
}

fn holdout(item: &Item<'_>) -> Result<Ppm, Problem> {
    let expected = "a share above 0% and below 100%, such as \"1%\"";
    let written = item.string(expected)?;
    match written.parse::<Span>() {
        Ok(Span::Share(share)) if share.0 > 0 && share < Ppm::ONE => Ok(share),
        _ => Err(item.out_of_range(format!("`{written}`"), expected).with_hint(
            "write the share of documents that are held out of training, with the sign %",
        )),
    }
}

pub(super) fn bad_name(source: Source<'_>, line: usize, error: &NameError) -> Problem {
    source.problem(line, error.to_string())
}

/// How the share of a domain goes to its sources, where the study says so.
pub(crate) type DomainWeights = BTreeMap<DomainName, BTreeMap<SourceName, Ppm>>;

/// Reads all `[domains.*]`: per domain, the part of each of its sources.
pub(crate) fn weights(tables: Item<'_>, sources: &Sources) -> Result<DomainWeights, Problem> {
    let mut all = BTreeMap::new();
    let tables = tables.table()?;
    let file = tables.source();
    for (key, item) in tables.named() {
        let domain = DomainName::new(&key.value).map_err(|e| bad_name(file, key.line, &e))?;
        let members = sources.of_domain(&domain);
        if members.is_empty() {
            let domains = sources.facts.values().map(|facts| facts.domain.as_str());
            let nearest = nearest(domain.as_str(), domains);
            let meant = did_you_mean(nearest.as_deref());
            return Err(item.problem(format!("no source is in domain `{domain}`{meant}")));
        }
        let table = item.table()?;
        let line = table.line();
        let mut parts = BTreeMap::new();
        let what = format!("domain `{domain}`");
        for (key, item) in table.named() {
            let part = proportion(&item, &key.value, &what)?;
            let member = sources.facts.iter().find(|(name, _)| name.as_str() == key.value);
            match member {
                Some((name, facts)) if facts.domain == domain => {
                    sources.refuse_unseen(&Share::Source(name.clone()), &item, &what)?;
                    parts.insert(name.clone(), part);
                }
                Some((name, facts)) => {
                    let found = &facts.domain;
                    return Err(item.problem(format!(
                        "source `{name}` is in domain `{found}`, not in `{domain}`"
                    )));
                }
                None => {
                    let known = members.iter().map(|name| name.as_str());
                    return Err(undefined(&item, &what, &key.value, known));
                }
            }
        }
        sum_to_one(parts.values(), &what, (file, line))?;
        let is_missing =
            |member: &SourceName| !sources.facts[member].unseen && !parts.contains_key(member);
        if let Some(&missing) = members.iter().find(|&&member| is_missing(member)) {
            let text = format!(
                "domain `{domain}` weighs its sources but not `{missing}`, expected all of them"
            );
            return Err(file.problem(line, text).with_hint(format!(
                "add `{missing}` to `[domains.{domain}]`, or drop the whole table"
            )));
        }
        all.insert(domain, parts);
    }
    Ok(all)
}
