//! Reads a condition as it is written. Whatever the text, the result is a condition or a message;
//! the depth of parentheses is bounded.

use std::iter::Peekable;
use std::str::Chars;

use super::{Comparison, Condition, Filter, Operand};

/// The most parentheses and `not`s within each other.
const DEPTH_MAX: usize = 64;

impl Filter {
    /// Reads a condition.
    ///
    /// # Errors
    ///
    /// What was found, what was expected, and at which character, from 1.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            words: Words { rest: text.chars().peekable(), at: 1 },
            next: Word { at: 1, kind: Kind::End },
            fields: Vec::new(),
        };
        parser.step()?;
        let condition = parser.any(0)?;
        if parser.next.kind != Kind::End {
            return Err(parser.unexpected("`and`, `or` or the end"));
        }
        Ok(Self { text: text.to_owned(), fields: parser.fields, condition })
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Field(String),
    Text(String),
    Int(i128),
    Float(f64),
    True,
    False,
    Null,
    And,
    Or,
    Not,
    Open,
    Close,
    Compare(Comparison),
    End,
}

struct Word {
    /// Its first character, from 1.
    at: usize,
    kind: Kind,
}

/// A text cut into words.
struct Words<'a> {
    rest: Peekable<Chars<'a>>,
    /// The next character, from 1.
    at: usize,
}

impl Words<'_> {
    fn char(&mut self) -> Option<char> {
        self.at += 1;
        self.rest.next()
    }

    fn while_is(&mut self, first: char, is: impl Fn(char) -> bool) -> String {
        let mut word = String::from(first);
        while let Some(&c) = self.rest.peek().filter(|c| is(**c)) {
            self.char();
            word.push(c);
        }
        word
    }

    fn next(&mut self) -> Result<Word, String> {
        while self.rest.peek().is_some_and(|c| c.is_whitespace()) {
            self.char();
        }
        let at = self.at;
        let Some(first) = self.char() else { return Ok(Word { at, kind: Kind::End }) };
        let kind = match first {
            '(' => Kind::Open,
            ')' => Kind::Close,
            '=' | '!' | '<' | '>' => {
                let equal = self.rest.next_if_eq(&'=').is_some();
                self.at += usize::from(equal);
                Kind::Compare(match (first, equal) {
                    ('=', true) => Comparison::Equal,
                    ('!', true) => Comparison::Unequal,
                    ('<', true) => Comparison::LessOrEqual,
                    ('<', false) => Comparison::Less,
                    ('>', true) => Comparison::GreaterOrEqual,
                    ('>', false) => Comparison::Greater,
                    ('=', _) => return Err(found(at, "`=`", "`==`")),
                    _ => return Err(found(at, "`!`", "`not`, or `!=`")),
                })
            }
            '"' | '\'' => Kind::Text(self.quoted(first, at)?),
            '`' => Kind::Field(self.quoted(first, at)?),
            _ if first.is_ascii_digit() || first == '-' || first == '.' => {
                let is = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
                number(&self.while_is(first, is), at)?
            }
            _ if first.is_alphanumeric() || first == '_' => {
                let is = |c: char| c.is_alphanumeric() || "_.-".contains(c);
                let word = self.while_is(first, is);
                match &*word {
                    "and" => Kind::And,
                    "or" => Kind::Or,
                    "not" => Kind::Not,
                    "true" => Kind::True,
                    "false" => Kind::False,
                    "null" => Kind::Null,
                    _ => Kind::Field(word),
                }
            }
            '&' => return Err(found(at, "`&`", "`and`")),
            '|' => return Err(found(at, "`|`", "`or`")),
            _ => return Err(found(at, &format!("`{first}`"), "a field, a value or `(`")),
        };
        Ok(Word { at, kind })
    }

    /// What stands up to the next `quote`. A character after `\` is taken as it is.
    fn quoted(&mut self, quote: char, at: usize) -> Result<String, String> {
        let mut text = String::new();
        loop {
            match self.char() {
                Some(c) if c == quote => return Ok(text),
                Some('\\') => match self.char() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(c) => text.push(c),
                    None => {}
                },
                Some(c) => text.push(c),
                None => return Err(format!("character {at}: {quote} opens and does not close")),
            }
        }
    }
}

fn number(word: &str, at: usize) -> Result<Kind, String> {
    if let Ok(whole) = word.parse() {
        return Ok(Kind::Int(whole));
    }
    let float = word.parse().ok().filter(|float: &f64| float.is_finite());
    float.map(Kind::Float).ok_or_else(|| found(at, &format!("`{word}`"), "a number"))
}

fn found(at: usize, found: &str, expected: &str) -> String {
    format!("character {at}: found {found}, expected {expected}")
}

struct Parser<'a> {
    words: Words<'a>,
    next: Word,
    fields: Vec<String>,
}

impl Parser<'_> {
    /// Takes the next word.
    fn step(&mut self) -> Result<Word, String> {
        let following = self.words.next()?;
        Ok(std::mem::replace(&mut self.next, following))
    }

    fn takes(&mut self, kind: &Kind) -> Result<bool, String> {
        let is = self.next.kind == *kind;
        if is {
            self.step()?;
        }
        Ok(is)
    }

    fn unexpected(&self, expected: &str) -> String {
        let shown = match &self.next.kind {
            Kind::End => "the end".to_owned(),
            Kind::Field(name) => format!("`{name}`"),
            Kind::Text(text) => format!("{text:?}"),
            Kind::Int(value) => value.to_string(),
            Kind::Float(value) => value.to_string(),
            Kind::True => "`true`".to_owned(),
            Kind::False => "`false`".to_owned(),
            Kind::Null => "`null`".to_owned(),
            Kind::And => "`and`".to_owned(),
            Kind::Or => "`or`".to_owned(),
            Kind::Not => "`not`".to_owned(),
            Kind::Open => "`(`".to_owned(),
            Kind::Close => "`)`".to_owned(),
            Kind::Compare(_) => "a comparison".to_owned(),
        };
        found(self.next.at, &shown, expected)
    }

    fn any(&mut self, depth: usize) -> Result<Condition, String> {
        let mut parts = vec![self.all(depth)?];
        while self.takes(&Kind::Or)? {
            parts.push(self.all(depth)?);
        }
        Ok(Condition::Any(parts))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, String> {
        let mut parts = vec![self.one(depth)?];
        while self.takes(&Kind::And)? {
            parts.push(self.one(depth)?);
        }
        Ok(Condition::All(parts))
    }

    fn one(&mut self, depth: usize) -> Result<Condition, String> {
        if depth == DEPTH_MAX {
            let at = self.next.at;
            return Err(format!("character {at}: more than {DEPTH_MAX} conditions in each other"));
        }
        if self.takes(&Kind::Not)? {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.takes(&Kind::Open)? {
            let inner = self.any(depth + 1)?;
            if !self.takes(&Kind::Close)? {
                return Err(self.unexpected("`and`, `or` or `)`"));
            }
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Condition, String> {
        let left = self.operand()?;
        let Kind::Compare(comparison) = self.next.kind else {
            return Err(self.unexpected("==, !=, <, <=, > or >="));
        };
        let at = self.step()?.at;
        let right = self.operand()?;
        match (left, right) {
            (Some(left), Some(right)) => Ok(Condition::Compare(left, comparison, right)),
            (Some(Operand::Field(field)), None) | (None, Some(Operand::Field(field))) => {
                let null = Condition::Null(field);
                match comparison {
                    Comparison::Equal => Ok(null),
                    Comparison::Unequal => Ok(Condition::Not(Box::new(null))),
                    _ => Err(format!("character {at}: null is compared by `==` or `!=` only")),
                }
            }
            _ => Err(format!("character {at}: null is compared with a field only")),
        }
    }

    /// A side of a comparison; `None` for `null`.
    fn operand(&mut self) -> Result<Option<Operand>, String> {
        let operand = match &self.next.kind {
            Kind::Null => None,
            Kind::True => Some(Operand::Bool(true)),
            Kind::False => Some(Operand::Bool(false)),
            Kind::Int(value) => Some(Operand::Int(*value)),
            Kind::Float(value) => Some(Operand::Float(*value)),
            Kind::Text(text) => Some(Operand::Text(text.clone())),
            Kind::Field(name) => {
                let known = self.fields.iter().position(|field| field == name);
                let index = known.unwrap_or(self.fields.len());
                if known.is_none() {
                    self.fields.push(name.clone());
                }
                Some(Operand::Field(index))
            }
            _ => return Err(self.unexpected("a field, a string, a number or a condition")),
        };
        self.step()?;
        Ok(operand)
    }
}
