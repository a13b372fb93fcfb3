//! Reads TOML values one by one, so that every complaint can name its line.
//!
//! A derived deserializer loses the place of a value inside a tagged table and stops at "unknown
//! field"; here a key nobody took is an error with its line and the known key nearest to it.

use std::borrow::{Borrow, Cow};
use std::path::Path;
use std::str::FromStr;

use sparkjoy_base::{QuantityError, Tokens};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::Problem;
use crate::{StatedProblem, StudyError};

/// A value and the line it stands on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed<T> {
    /// The value.
    pub(crate) value: T,
    /// Its line, from 1.
    pub(crate) line: usize,
}

/// The file being read.
#[derive(Clone, Copy)]
pub(crate) struct Source<'i> {
    path: &'i Path,
    text: &'i str,
}

impl<'i> Source<'i> {
    /// Parses the file into its root table.
    pub(crate) fn root(path: &'i Path, text: &'i str) -> Result<Table<'i>, StudyError> {
        let source = Self { path, text };
        let entries = DeTable::parse(text).map_err(|error| {
            let line = source.line(error.span().map_or(0, |span| span.start));
            let message = error.message().to_owned();
            source.problem(line, Problem::Syntax { message })
        })?;
        let name = "the study".to_owned();
        Ok(Table {
            source,
            name,
            path: String::new(),
            line: 1,
            entries: entries.into_inner(),
            known: vec![],
        })
    }

    fn line(&self, at: usize) -> usize {
        1 + self.text.as_bytes().iter().take(at).filter(|&&b| b == b'\n').count()
    }

    /// A problem of this file.
    pub(crate) fn problem(&self, line: usize, problem: Problem) -> StudyError {
        StudyError::from(Box::new(StatedProblem { file: self.path.to_owned(), line, problem }))
    }
}

/// A table whose keys are taken one by one; what is left in the end is unknown.
pub(crate) struct Table<'i> {
    source: Source<'i>,
    /// How it is called in messages: `` `[model]` ``.
    name: String,
    /// The keys that lead here, each with a dot behind it.
    path: String,
    line: usize,
    entries: DeTable<'i>,
    known: Vec<&'static str>,
}

impl<'i> Table<'i> {
    /// Where it starts.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// The file it is in.
    pub(crate) fn source(&self) -> Source<'i> {
        self.source
    }

    /// Takes a key that may be absent.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<Item<'i>> {
        self.known.push(key);
        let (name, value) = self.entries.remove_entry(key)?;
        Some(self.item(&name, value))
    }

    /// Takes a key that must be there; `expected` says what it should hold.
    pub(crate) fn required(
        &mut self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<Item<'i>, StudyError> {
        self.optional(key).ok_or_else(|| {
            // A misspelt key is a better explanation than an absent one.
            let misspelt = self.entries.keys().find(|&k| {
                let written: &str = k.borrow();
                nearest(written, [key]).is_some()
            });
            if let Some(written) = misspelt {
                return self.unknown(written);
            }
            let (key, table) = (key.to_owned(), self.name.clone());
            self.source.problem(self.line, Problem::MissingKey { key, table, expected })
        })
    }

    /// All keys, where the user chooses them: a name each, in the order of the file.
    pub(crate) fn named(self) -> Vec<(Placed<String>, Item<'i>)> {
        let Self { source, path, entries, .. } = self;
        let mut items: Vec<_> = entries.into_iter().collect();
        items.sort_by_key(|(key, _)| key.span().start);
        let place = |(key, value): (Spanned<_>, Spanned<DeValue<'i>>)| {
            let item = item(source, &path, &key, value);
            let key: &str = key.borrow();
            (Placed { value: key.to_owned(), line: item.line }, item)
        };
        items.into_iter().map(place).collect()
    }

    /// Refuses what nobody took.
    pub(crate) fn finish(self) -> Result<(), StudyError> {
        let unknown = self.entries.iter().map(|(key, _)| key).min_by_key(|key| key.span().start);
        unknown.map_or(Ok(()), |key| Err(self.unknown(key)))
    }

    fn unknown(&self, written: &Spanned<Cow<'i, str>>) -> StudyError {
        let key: &str = written.borrow();
        let problem = Problem::UnknownKey {
            key: key.to_owned(),
            table: self.name.clone(),
            nearest: nearest(key, self.known.iter().copied()),
            known: self.known.iter().map(|&k| k.to_owned()).collect(),
        };
        self.source.problem(self.source.line(written.span().start), problem)
    }

    fn item(&self, key: &Spanned<Cow<'i, str>>, value: Spanned<DeValue<'i>>) -> Item<'i> {
        item(self.source, &self.path, key, value)
    }
}

fn item<'i>(
    source: Source<'i>,
    path: &str,
    key: &Spanned<Cow<'i, str>>,
    value: Spanned<DeValue<'i>>,
) -> Item<'i> {
    let line = source.line(key.span().start);
    let name: &str = key.borrow();
    Item { source, key: format!("{path}{name}"), line, value: value.into_inner() }
}

/// One value under its key.
pub(crate) struct Item<'i> {
    source: Source<'i>,
    /// The whole way to it: `training.budget`.
    key: String,
    line: usize,
    value: DeValue<'i>,
}

impl<'i> Item<'i> {
    /// Where it stands.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// A problem of this value.
    pub(crate) fn problem(&self, problem: Problem) -> StudyError {
        self.source.problem(self.line, problem)
    }

    /// The file it is in.
    pub(crate) fn source(&self) -> Source<'i> {
        self.source
    }

    /// The whole way to it, `training.budget`.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    fn wrong(&self, expected: &'static str) -> StudyError {
        let found = match &self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a decimal",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.problem(Problem::WrongType { key: self.key.clone(), found, expected })
    }

    /// Whether it is a table.
    pub(crate) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    /// A table. `name`: how it is called in messages.
    pub(crate) fn table(self) -> Result<Table<'i>, StudyError> {
        let DeValue::Table(entries) = self.value else { return Err(self.wrong("a table")) };
        let Self { source, key, line, .. } = self;
        let name = format!("`{key}`");
        Ok(Table { source, name, path: format!("{key}."), line, entries, known: vec![] })
    }

    /// The values of a list, each with its own line.
    pub(crate) fn list(self, expected: &'static str) -> Result<Vec<Self>, StudyError> {
        let DeValue::Array(values) = self.value else { return Err(self.wrong(expected)) };
        let Self { source, key, .. } = self;
        let item = |value: Spanned<DeValue<'i>>| Item {
            source,
            key: key.clone(),
            line: source.line(value.span().start),
            value: value.into_inner(),
        };
        Ok(values.into_iter().map(item).collect())
    }

    /// A list, or one value that stands for a list of one.
    pub(crate) fn one_or_more(self, expected: &'static str) -> Result<Vec<Self>, StudyError> {
        match &self.value {
            DeValue::Array(_) => self.list(expected),
            _ => Ok(vec![self]),
        }
    }

    /// A string.
    pub(crate) fn string(&self, expected: &'static str) -> Result<&str, StudyError> {
        match &self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong(expected)),
        }
    }

    /// A string that has a meaning: a quantity.
    pub(crate) fn quantity<T: FromStr<Err = QuantityError>>(
        &self,
        expected: &'static str,
    ) -> Result<T, StudyError> {
        let parsed = self.string(expected)?.parse();
        parsed.map_err(|why| self.problem(Problem::Quantity { key: self.key.clone(), why }))
    }

    /// A number of bytes, in the notation of token counts.
    pub(crate) fn bytes(&self) -> Result<u64, StudyError> {
        let text = self.string("a number of bytes in quotes, such as \"10M\"")?;
        let refuse = || Problem::Bytes { key: self.key.clone(), text: text.to_owned() };
        text.parse().map(|t: Tokens| t.0).map_err(|_| self.problem(refuse()))
    }

    /// A whole number of at least `least`; `expected` says so in words.
    pub(crate) fn whole(&self, least: u64, expected: &'static str) -> Result<u64, StudyError> {
        let DeValue::Integer(digits) = &self.value else { return Err(self.wrong(expected)) };
        match u64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) if number >= least => Ok(number),
            _ => Err(self.out_of_range(digits.to_string(), expected)),
        }
    }

    /// A number that `fits`; `expected` says in words which do.
    pub(crate) fn number(
        &self,
        fits: impl Fn(f64) -> bool,
        expected: &'static str,
    ) -> Result<f64, StudyError> {
        let digits = match &self.value {
            DeValue::Float(digits) => digits.as_str(),
            DeValue::Integer(digits) if digits.radix() == 10 => digits.as_str(),
            _ => return Err(self.wrong(expected)),
        };
        let number: f64 = digits.parse().expect("TOML's numbers are numbers");
        if fits(number) { Ok(number) } else { Err(self.out_of_range(digits.to_owned(), expected)) }
    }

    fn out_of_range(&self, found: String, expected: &'static str) -> StudyError {
        self.problem(Problem::OutOfRange { key: self.key.clone(), found, expected })
    }

    /// One of some words.
    pub(crate) fn choice(&self, words: &[&'static str]) -> Result<&'static str, StudyError> {
        let found = self.string("a word in quotes")?;
        words.iter().copied().find(|&word| word == found).ok_or_else(|| {
            self.problem(Problem::UnknownChoice {
                key: self.key.clone(),
                found: found.to_owned(),
                nearest: nearest(found, words.iter().copied()),
                known: words.iter().map(|&word| word.to_owned()).collect(),
            })
        })
    }
}

/// The candidate most like `name`, if any is like enough to be meant.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(name, candidate);
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|&(distance, candidate)| 5 * distance <= 2 * candidate.len().max(name.len()))
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}
