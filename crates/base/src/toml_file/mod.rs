//! TOML files that people write, read value by value so that every problem has its line.
//!
//! A derived deserializer loses the place of a value inside a tagged table and stops at "unknown
//! field". Here a key that nobody took is a problem with its line and the known key nearest to
//! it, so that a misspelt one never leaves a default in force.

mod item;
#[cfg(test)]
mod tests;

use std::borrow::{Borrow, Cow};
use std::fmt::Display;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use self::item::Item;
use crate::{Place, Problem, nearest};

/// How a kind of file speaks to its author.
#[derive(Debug)]
pub struct Form {
    /// What the whole file is called: `the study`.
    pub name: &'static str,
    /// Whether a key is called by the whole way to it, `training.budget`, or by itself.
    pub whole_keys: bool,
    /// What to type after a mistake at a place, if there is something to say.
    pub hint: fn(&Mistake<'_>, &Place) -> Option<String>,
}

/// What the reader itself refuses. Each kind of file has hints of its own for it.
#[derive(Debug)]
pub enum Mistake<'a> {
    /// Not TOML.
    Syntax {
        /// The line it stands on.
        line: &'a str,
    },
    /// A key that nobody reads.
    UnknownKey {
        /// The key.
        key: &'a str,
        /// The known key that looks most like it.
        nearest: Option<&'a str>,
    },
    /// A key that must be there.
    MissingKey {
        /// The key.
        key: &'a str,
    },
    /// A value of the wrong type.
    WrongType {
        /// Its key.
        key: &'a str,
    },
    /// A value of the right type that does not fit.
    OutOfRange {
        /// Its key.
        key: &'a str,
    },
    /// A word that is none of the known ones.
    UnknownWord {
        /// Its key.
        key: &'a str,
        /// The known word that looks most like it.
        nearest: Option<&'a str>,
        /// All known words.
        known: &'a [&'static str],
    },
}

/// A value and the line it stands on.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Its line, from 1.
    pub line: usize,
}

/// The file being read.
#[derive(Clone, Copy)]
pub struct Source<'i> {
    form: &'static Form,
    path: &'i Path,
    text: &'i str,
}

impl Source<'_> {
    fn line_at(&self, byte: usize) -> usize {
        1 + self.text.as_bytes().iter().take(byte).filter(|&&b| b == b'\n').count()
    }

    /// A problem at a line of this file.
    pub fn problem(&self, line: usize, text: impl Into<String>) -> Problem {
        Place::line(self.path, line).problem(text)
    }

    /// A value of the right type that does not fit.
    pub fn out_of_range(
        &self,
        line: usize,
        key: &str,
        found: impl Display,
        expected: &str,
    ) -> Problem {
        let text = format!("`{key}` is {found}, expected {expected}");
        self.mistake(line, text, &Mistake::OutOfRange { key })
    }

    /// A key that must be there. `table`: what has none.
    pub fn missing(&self, line: usize, table: &str, key: &str, expected: &str) -> Problem {
        let text = format!("{table} has no `{key}`, expected {expected}");
        self.mistake(line, text, &Mistake::MissingKey { key })
    }

    fn mistake(&self, line: usize, text: String, mistake: &Mistake<'_>) -> Problem {
        let place = Place::line(self.path, line);
        let hint = (self.form.hint)(mistake, &place);
        Problem { hint, ..place.problem(text) }
    }
}

/// A table whose keys are taken one by one; what is left in the end is unknown.
pub struct TomlTable<'i> {
    source: Source<'i>,
    /// How it is called in messages: `` `model` ``.
    name: String,
    /// What stands before its keys in messages: `model.`.
    path: String,
    line: usize,
    entries: DeTable<'i>,
    known: Vec<&'static str>,
}

impl<'i> TomlTable<'i> {
    /// Parses a file into its root table.
    ///
    /// # Errors
    ///
    /// Text that is no TOML.
    pub fn root(form: &'static Form, path: &'i Path, text: &'i str) -> Result<Self, Problem> {
        let source = Source { form, path, text };
        let entries = DeTable::parse(text).map_err(|error| {
            let line = source.line_at(error.span().map_or(0, |span| span.start));
            let written = text.lines().nth(line - 1).unwrap_or_default();
            source.mistake(line, error.message().to_owned(), &Mistake::Syntax { line: written })
        })?;
        let (name, path) = (form.name.to_owned(), String::new());
        Ok(Self { source, name, path, line: 1, entries: entries.into_inner(), known: vec![] })
    }

    fn new(source: Source<'i>, key: &str, line: usize, entries: DeTable<'i>) -> Self {
        let path = if source.form.whole_keys { format!("{key}.") } else { String::new() };
        Self { source, name: format!("`{key}`"), path, line, entries, known: vec![] }
    }

    /// Where it starts.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The file it is in.
    pub fn source(&self) -> Source<'i> {
        self.source
    }

    /// Calls it something better, once its name is read.
    pub fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// A problem of the table as a whole.
    pub fn problem(&self, text: impl Into<String>) -> Problem {
        self.source.problem(self.line, text)
    }

    /// Takes a key that may be absent.
    pub fn optional(&mut self, key: &'static str) -> Option<Item<'i>> {
        self.known.push(key);
        let (name, value) = self.entries.remove_entry(key)?;
        Some(Item::new(self.source, &self.path, &name, value))
    }

    /// Takes a key that must be there; `expected` says what it should hold.
    ///
    /// # Errors
    ///
    /// No such key, or one so like it that it must be meant.
    pub fn required(
        &mut self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<Item<'i>, Problem> {
        self.optional(key).ok_or_else(|| {
            // A misspelt key is a better explanation than an absent one.
            let misspelt = self.entries.keys().find(|&k| {
                let written: &str = k.borrow();
                nearest(written, [key]).is_some()
            });
            match misspelt {
                Some(written) => self.unknown(written),
                None => self.source.missing(self.line, &self.name, key, expected),
            }
        })
    }

    /// Refuses a key that is none of these before anything is read: what else is wrong may follow
    /// from it.
    ///
    /// # Errors
    ///
    /// The first such key.
    pub fn only(&mut self, keys: &[&'static str]) -> Result<(), Problem> {
        self.known = keys.to_vec();
        let is_unknown = |key: &&Spanned<Cow<'i, str>>| {
            let written: &str = (*key).borrow();
            !keys.contains(&written)
        };
        let unknown = self.entries.keys().filter(is_unknown).min_by_key(|key| key.span().start);
        unknown.map_or(Ok(()), |key| Err(self.unknown(key)))
    }

    /// All keys, where the user chooses them: a name each, in the order of the file.
    pub fn named(self) -> Vec<(Placed<String>, Item<'i>)> {
        let Self { source, path, entries, .. } = self;
        let mut items: Vec<_> = entries.into_iter().collect();
        items.sort_by_key(|(key, _)| key.span().start);
        let place = |(key, value): (Spanned<_>, Spanned<DeValue<'i>>)| {
            let item = Item::new(source, &path, &key, value);
            let key: &str = key.borrow();
            (Placed { value: key.to_owned(), line: item.line() }, item)
        };
        items.into_iter().map(place).collect()
    }

    /// Refuses what nobody took.
    ///
    /// # Errors
    ///
    /// The first key that is left.
    pub fn finish(self) -> Result<(), Problem> {
        let unknown = self.entries.iter().map(|(key, _)| key).min_by_key(|key| key.span().start);
        unknown.map_or(Ok(()), |key| Err(self.unknown(key)))
    }

    fn unknown(&self, written: &Spanned<Cow<'i, str>>) -> Problem {
        let key: &str = written.borrow();
        let nearest = nearest(key, self.known.iter().copied());
        let nearest = nearest.as_deref();
        let expected = expected(nearest, &self.known);
        let text = format!("unknown key `{key}` in {}, {expected}", self.name);
        let line = self.source.line_at(written.span().start);
        self.source.mistake(line, text, &Mistake::UnknownKey { key, nearest })
    }
}

/// The known word that was meant, else all that are known.
fn expected(nearest: Option<&str>, known: &[&str]) -> String {
    match (nearest, known) {
        (Some(name), _) => format!("the nearest known is `{name}`"),
        (None, []) => "expected none".to_owned(),
        (None, [only]) => format!("expected `{only}`"),
        (None, known) => format!("expected one of `{}`", known.join("`, `")),
    }
}
