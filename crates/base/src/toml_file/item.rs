//! One value of a file, and what it may be read as.

use std::borrow::{Borrow, Cow};
use std::fmt::Display;
use std::str::FromStr;

use toml::Spanned;
use toml::de::DeValue;

use super::{Mistake, Source, TomlTable, expected};
use crate::{Problem, QuantityError, Tokens, nearest};

/// One value under its key.
///
/// `expected`, in its methods, says in words what the value should be. Each refuses a value of
/// another type, and what its own text says.
pub struct Item<'i> {
    source: Source<'i>,
    /// How its key is called in messages: `training.budget`.
    key: String,
    line: usize,
    value: DeValue<'i>,
}

impl<'i> Item<'i> {
    pub(super) fn new(
        source: Source<'i>,
        path: &str,
        key: &Spanned<Cow<'i, str>>,
        value: Spanned<DeValue<'i>>,
    ) -> Self {
        let line = source.line_at(key.span().start);
        let name: &str = key.borrow();
        Self { source, key: format!("{path}{name}"), line, value: value.into_inner() }
    }

    /// Where it stands.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The file it is in.
    pub fn source(&self) -> Source<'i> {
        self.source
    }

    /// How its key is called in messages.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A problem of this value.
    pub fn problem(&self, text: impl Into<String>) -> Problem {
        self.source.problem(self.line, text)
    }

    /// A value of the right type that does not fit.
    pub fn out_of_range(&self, found: impl Display, expected: &str) -> Problem {
        self.source.out_of_range(self.line, &self.key, found, expected)
    }

    fn wrong(&self, expected: &'static str) -> Problem {
        let found = match &self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a decimal",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let text = format!("`{}` is {found}, expected {expected}", self.key);
        self.source.mistake(self.line, text, &Mistake::WrongType { key: &self.key })
    }

    /// Whether it is a table.
    pub fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.value, DeValue::Array(_))
    }

    /// A table.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn table(self) -> Result<TomlTable<'i>, Problem> {
        let DeValue::Table(entries) = self.value else { return Err(self.wrong("a table")) };
        Ok(TomlTable::new(self.source, &self.key, self.line, entries))
    }

    /// The values of a list, each with its own line.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn list(self, expected: &'static str) -> Result<Vec<Self>, Problem> {
        let DeValue::Array(values) = self.value else { return Err(self.wrong(expected)) };
        let Self { source, key, .. } = self;
        let item = |value: Spanned<DeValue<'i>>| Self {
            source,
            key: key.clone(),
            line: source.line_at(value.span().start),
            value: value.into_inner(),
        };
        Ok(values.into_iter().map(item).collect())
    }

    /// The values of a list that has some.
    ///
    /// # Errors
    ///
    /// An empty list.
    pub fn filled_list(self, expected: &'static str) -> Result<Vec<Self>, Problem> {
        match &self.value {
            DeValue::Array(values) if values.is_empty() => {
                Err(self.out_of_range("empty", expected))
            }
            _ => self.list(expected),
        }
    }

    /// A list, or one value that stands for a list of one.
    ///
    /// # Errors
    ///
    /// None.
    pub fn one_or_more(self, expected: &'static str) -> Result<Vec<Self>, Problem> {
        match &self.value {
            DeValue::Array(_) => self.list(expected),
            _ => Ok(vec![self]),
        }
    }

    /// One text, or a list of some; none of them empty.
    ///
    /// # Errors
    ///
    /// An empty list, an empty text.
    pub fn strings(self, expected: &'static str) -> Result<Vec<String>, Problem> {
        let items = match &self.value {
            DeValue::Array(_) => self.filled_list(expected)?,
            _ => vec![self],
        };
        let text = |item: &Self| {
            let text = item.string(expected)?;
            if text.is_empty() {
                return Err(item.out_of_range("an empty text", expected));
            }
            Ok(text.to_owned())
        };
        items.iter().map(text).collect()
    }

    /// A string.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn string(&self, expected: &'static str) -> Result<&str, Problem> {
        match &self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong(expected)),
        }
    }

    /// True or false.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn boolean(&self) -> Result<bool, Problem> {
        match &self.value {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.wrong("true or false")),
        }
    }

    /// A string that has a meaning: a quantity.
    ///
    /// # Errors
    ///
    /// A string without that meaning.
    pub fn quantity<T: FromStr<Err = QuantityError>>(
        &self,
        expected: &'static str,
    ) -> Result<T, Problem> {
        let parsed = self.string(expected)?.parse();
        parsed.map_err(|why| self.problem(format!("`{}`: {why}", self.key)).with_hint_of(&why))
    }

    /// A number of bytes, in the notation of token counts.
    ///
    /// # Errors
    ///
    /// A string in no such notation.
    pub fn bytes(&self) -> Result<u64, Problem> {
        let text = self.string("a number of bytes in quotes, such as \"10M\"")?;
        text.parse().map(|tokens: Tokens| tokens.0).map_err(|_| {
            let key = &self.key;
            self.problem(format!(
                "`{key}`: `{text}` is not a number of bytes, expected something like `10M`"
            ))
        })
    }

    /// A whole number of at least `least`; `expected` says so in words.
    ///
    /// # Errors
    ///
    /// A smaller one.
    pub fn whole(&self, least: u64, expected: &'static str) -> Result<u64, Problem> {
        let DeValue::Integer(digits) = &self.value else { return Err(self.wrong(expected)) };
        match u64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) if number >= least => Ok(number),
            _ => Err(self.out_of_range(digits, expected)),
        }
    }

    /// A number that `fits`; `expected` says in words which do.
    ///
    /// # Errors
    ///
    /// One that does not.
    pub fn number(
        &self,
        fits: impl Fn(f64) -> bool,
        expected: &'static str,
    ) -> Result<f64, Problem> {
        let digits = match &self.value {
            DeValue::Float(digits) => digits.as_str(),
            DeValue::Integer(digits) if digits.radix() == 10 => digits.as_str(),
            _ => return Err(self.wrong(expected)),
        };
        let number: f64 = digits.parse().expect("TOML's numbers are numbers");
        if fits(number) { Ok(number) } else { Err(self.out_of_range(digits, expected)) }
    }

    /// One of some words.
    ///
    /// # Errors
    ///
    /// Any other.
    pub fn choice(&self, words: &[&'static str]) -> Result<&'static str, Problem> {
        let found = self.string("a word in quotes")?;
        words.iter().copied().find(|&word| word == found).ok_or_else(|| {
            let (key, nearest) = (&self.key, nearest(found, words.iter().copied()));
            let nearest = nearest.as_deref();
            let text = format!("`{key}` is `{found}`, {}", expected(nearest, words));
            let mistake = Mistake::UnknownWord { key, nearest, known: words };
            self.source.mistake(self.line, text, &mistake)
        })
    }
}
