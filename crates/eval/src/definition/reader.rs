//! Reads TOML values one by one, so that every complaint can name its line.

use std::borrow::{Borrow, Cow};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{DefinitionError, DefinitionProblem, nearest};

/// The file being read.
#[derive(Clone, Copy)]
struct Source<'i> {
    file: &'i Path,
    text: &'i str,
}

impl Source<'_> {
    fn line(&self, at: usize) -> usize {
        1 + self.text.as_bytes().iter().take(at).filter(|&&b| b == b'\n').count()
    }

    fn problem(&self, line: usize, problem: DefinitionProblem) -> DefinitionError {
        DefinitionError { file: self.file.to_owned(), line, problem: Box::new(problem) }
    }
}

/// A table whose keys are taken one by one; what is left in the end is unknown.
pub(super) struct Table<'i> {
    source: Source<'i>,
    /// How messages call it.
    name: String,
    line: usize,
    entries: DeTable<'i>,
    known: Vec<&'static str>,
}

impl<'i> Table<'i> {
    /// Parses the file into its root table.
    pub(super) fn root(file: &'i Path, text: &'i str) -> Result<Self, DefinitionError> {
        let source = Source { file, text };
        let entries = DeTable::parse(text).map_err(|error| {
            let line = source.line(error.span().map_or(0, |span| span.start));
            let message = error.message().to_owned();
            source.problem(line, DefinitionProblem::Syntax { message })
        })?;
        let name = "the task file".to_owned();
        Ok(Self { source, name, line: 1, entries: entries.into_inner(), known: Vec::new() })
    }

    /// Calls it something better, once its name is read.
    pub(super) fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }

    /// Takes a key that may be absent.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<Item<'i>> {
        self.known.push(key);
        let (name, value) = self.entries.remove_entry(key)?;
        let line = self.source.line(name.span().start);
        Some(Item { source: self.source, key, line, value: value.into_inner() })
    }

    /// Takes a key that must be there; `expected` says what it should hold.
    pub(super) fn required(
        &mut self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<Item<'i>, DefinitionError> {
        self.optional(key).ok_or_else(|| {
            // A misspelt key is a better explanation than an absent one.
            let misspelt = self.entries.keys().find(|&k| {
                let written: &str = k.borrow();
                nearest(written, [key]).is_some()
            });
            if let Some(written) = misspelt {
                return self.unknown(written);
            }
            let table = self.name.clone();
            self.problem(DefinitionProblem::MissingKey { key, table, expected })
        })
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Result<(), DefinitionError> {
        let unknown = self.entries.iter().map(|(key, _)| key).min_by_key(|key| key.span().start);
        unknown.map_or(Ok(()), |key| Err(self.unknown(key)))
    }

    /// A problem of the table as a whole.
    pub(super) fn problem(&self, problem: DefinitionProblem) -> DefinitionError {
        self.problem_at(self.line, problem)
    }

    /// A problem of one of its lines.
    pub(super) fn problem_at(&self, line: usize, problem: DefinitionProblem) -> DefinitionError {
        self.source.problem(line, problem)
    }

    fn unknown(&self, written: &Spanned<Cow<'i, str>>) -> DefinitionError {
        let key: &str = written.borrow();
        let problem = DefinitionProblem::UnknownKey {
            key: key.to_owned(),
            table: self.name.clone(),
            nearest: nearest(key, self.known.iter().copied()),
            known: self.known.clone(),
        };
        self.problem_at(self.source.line(written.span().start), problem)
    }
}

/// One value under its key.
pub(super) struct Item<'i> {
    source: Source<'i>,
    key: &'static str,
    line: usize,
    value: DeValue<'i>,
}

impl<'i> Item<'i> {
    /// Where it stands.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    fn problem(&self, problem: DefinitionProblem) -> DefinitionError {
        self.source.problem(self.line, problem)
    }

    fn wrong(&self, expected: &'static str) -> DefinitionError {
        let found = match &self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a decimal",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.problem(DefinitionProblem::WrongType { key: self.key, found, expected })
    }

    /// A value of the right kind that does not fit.
    pub(super) fn out_of_range(&self, found: String, expected: &'static str) -> DefinitionError {
        let key = self.key.to_owned();
        self.problem(DefinitionProblem::OutOfRange { key, found, expected })
    }

    /// A table.
    pub(super) fn table(self) -> Result<Table<'i>, DefinitionError> {
        let DeValue::Table(entries) = self.value else { return Err(self.wrong("a table")) };
        let Self { source, key, line, .. } = self;
        Ok(Table { source, name: format!("`{key}`"), line, entries, known: Vec::new() })
    }

    /// The values of a list, each with its own line.
    pub(super) fn list(self, expected: &'static str) -> Result<Vec<Self>, DefinitionError> {
        let DeValue::Array(values) = self.value else { return Err(self.wrong(expected)) };
        let Self { source, key, .. } = self;
        let item = |value: Spanned<DeValue<'i>>| {
            let line = source.line(value.span().start);
            Item { source, key, line, value: value.into_inner() }
        };
        Ok(values.into_iter().map(item).collect())
    }

    /// The values of a list that has some.
    pub(super) fn filled_list(self, expected: &'static str) -> Result<Vec<Self>, DefinitionError> {
        match &self.value {
            DeValue::Array(values) if values.is_empty() => {
                Err(self.out_of_range("empty".to_owned(), expected))
            }
            _ => self.list(expected),
        }
    }

    /// One text, or a list of some; none of them empty.
    pub(super) fn strings(self, expected: &'static str) -> Result<Vec<String>, DefinitionError> {
        let items = match &self.value {
            DeValue::Array(_) => self.filled_list(expected)?,
            _ => vec![self],
        };
        let text = |item: &Self| {
            let text = item.string(expected)?;
            if text.is_empty() {
                return Err(item.out_of_range("an empty text".to_owned(), expected));
            }
            Ok(text.to_owned())
        };
        items.iter().map(text).collect()
    }

    /// A text.
    pub(super) fn string(&self, expected: &'static str) -> Result<&str, DefinitionError> {
        match &self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong(expected)),
        }
    }

    /// True or false.
    pub(super) fn boolean(&self) -> Result<bool, DefinitionError> {
        match &self.value {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.wrong("true or false")),
        }
    }

    /// A whole number of at least `least`; `expected` says so in words.
    pub(super) fn whole(&self, least: u64, expected: &'static str) -> Result<u64, DefinitionError> {
        let DeValue::Integer(digits) = &self.value else { return Err(self.wrong(expected)) };
        match u64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) if number >= least => Ok(number),
            _ => Err(self.out_of_range(digits.to_string(), expected)),
        }
    }

    /// A number that `fits`; `expected` says in words which do.
    pub(super) fn number(
        &self,
        fits: impl Fn(f64) -> bool,
        expected: &'static str,
    ) -> Result<f64, DefinitionError> {
        let digits = match &self.value {
            DeValue::Float(digits) => digits.as_str(),
            DeValue::Integer(digits) if digits.radix() == 10 => digits.as_str(),
            _ => return Err(self.wrong(expected)),
        };
        let number: f64 = digits.parse().expect("TOML's numbers are numbers");
        if fits(number) { Ok(number) } else { Err(self.out_of_range(digits.to_owned(), expected)) }
    }

    /// One of some words.
    pub(super) fn choice(&self, words: &[&'static str]) -> Result<&'static str, DefinitionError> {
        let found = self.string("a word in quotes")?;
        words.iter().copied().find(|&word| word == found).ok_or_else(|| {
            self.problem(DefinitionProblem::UnknownChoice {
                key: self.key,
                found: found.to_owned(),
                nearest: nearest(found, words.iter().copied()),
                known: words.to_vec(),
            })
        })
    }
}
