//! Which rows of a source are read: a condition on their fields, `score >= 3 and lang == "en"`.

mod parse;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// A condition on the fields of a row.
///
/// Comparisons (`==`, `!=`, `<`, `<=`, `>`, `>=`) of fields, strings, numbers, `true`, `false` and
/// `null`, joined by `and`, `or`, `not` and parentheses. A field that is missing is null. A
/// comparison with a null is false; only `== null` and `!= null` ask for one. Values of different
/// types differ, and neither is less.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Filter {
    text: String,
    fields: Vec<String>,
    condition: Condition,
}

/// Conditions that are written alike are the same one.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Filter {}

impl TryFrom<String> for Filter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        filter.text
    }
}

/// A condition, or a part of one. Its depth is bounded where it is parsed.
#[derive(Clone, Debug)]
enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    Null(usize),
    Compare(Operand, Comparison, Operand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A side of a comparison.
#[derive(Clone, Debug)]
enum Operand {
    /// The index of a field.
    Field(usize),
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
}

/// The value of a field, as a condition sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    /// Also a field that is missing, and a number that is none.
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(&'a [u8]),
    /// A list or an object: it differs from everything.
    Other,
}

impl Filter {
    /// As it is written in a study.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The fields it asks for, each once.
    pub(crate) fn fields(&self) -> &[String] {
        &self.fields
    }

    /// Whether a row is read. `value`: of the field at an index of [`Filter::fields`].
    pub(crate) fn keeps<'a>(&'a self, value: &dyn Fn(usize) -> Scalar<'a>) -> bool {
        self.condition.holds(value)
    }
}

impl Condition {
    fn holds<'a>(&'a self, value: &dyn Fn(usize) -> Scalar<'a>) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(value)),
            Self::All(parts) => parts.iter().all(|part| part.holds(value)),
            Self::Not(part) => !part.holds(value),
            Self::Null(field) => matches!(value(*field), Scalar::Null),
            Self::Compare(left, comparison, right) => {
                compare(left.scalar(value), *comparison, right.scalar(value))
            }
        }
    }
}

impl Operand {
    fn scalar<'a>(&'a self, value: &dyn Fn(usize) -> Scalar<'a>) -> Scalar<'a> {
        match self {
            Self::Field(field) => value(*field),
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Int(value) => Scalar::Int(*value),
            Self::Float(value) => Scalar::Float(*value),
            Self::Text(value) => Scalar::Text(value.as_bytes()),
        }
    }
}

fn compare(left: Scalar<'_>, comparison: Comparison, right: Scalar<'_>) -> bool {
    if let (Scalar::Null, _) | (_, Scalar::Null) = (left, right) {
        return false;
    }
    let order = order(left, right);
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::Unequal => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    }
}

/// The order of two values of one type.
fn order(left: Scalar<'_>, right: Scalar<'_>) -> Option<Ordering> {
    match (left, right) {
        (Scalar::Bool(left), Scalar::Bool(right)) => Some(left.cmp(&right)),
        (Scalar::Text(left), Scalar::Text(right)) => Some(left.cmp(right)),
        (Scalar::Int(left), Scalar::Int(right)) => Some(left.cmp(&right)),
        (Scalar::Int(left), Scalar::Float(right)) => (left as f64).partial_cmp(&right),
        (Scalar::Float(left), Scalar::Int(right)) => left.partial_cmp(&(right as f64)),
        (Scalar::Float(left), Scalar::Float(right)) => left.partial_cmp(&right),
        _ => None,
    }
}
