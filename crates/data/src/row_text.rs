//! How a row becomes a document: which fields are its text, and which rows are read.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sparkjoy_base::bytes;

use crate::error::{Absence, Fault};
use crate::filter::{Filter, Scalar};
use crate::prepare::Sizes;

/// What stands between fields and between messages, unless a study says otherwise.
pub const BLANK_LINE: &str = "\n\n";
/// How one message is written, unless a study says otherwise.
pub const MESSAGE: &str = "{role}: {content}";
/// The parts of a message that its template may name.
const OF_MESSAGE: [&str; 2] = ["role", "content"];

/// The text of a row, and which rows are read.
///
/// Its JSON form is the name of the field where nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Rows {
    /// What the text of a JSON object or a Parquet row is. Fields are dotted paths: `doc.text`.
    pub text: RowText,
    /// Whether each line of plain text is a document; otherwise a file is one.
    pub lines: bool,
    /// The condition on the rows that are read.
    pub filter: Option<Filter>,
}

/// What the text of a row is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowText {
    /// A field.
    Field(String),
    /// Several fields; those that are empty are left out.
    Fields {
        /// Their names, in the order of the text.
        fields: Vec<String>,
        /// What stands between two of them.
        separator: String,
    },
    /// Fields in a text.
    Template(Template),
    /// A list of messages: objects with `role` and `content`, or with `from` and `value`.
    Messages {
        /// The field that holds the list.
        field: String,
        /// How a message is written, with `{role}` and `{content}`.
        template: Template,
        /// What stands between two messages.
        separator: String,
    },
}

/// The JSON form of [`Rows`].
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Usual(String),
    Other(Box<Other>),
}

#[derive(Serialize, Deserialize)]
struct Other {
    text: RowText,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    lines: bool,
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    filter: Option<Filter>,
}

impl From<Written> for Rows {
    fn from(written: Written) -> Self {
        match written {
            Written::Usual(field) => Self::of_field(field),
            Written::Other(other) => {
                let Other { text, lines, filter } = *other;
                Self { text, lines, filter }
            }
        }
    }
}

impl From<Rows> for Written {
    fn from(rows: Rows) -> Self {
        match rows {
            Rows { text: RowText::Field(field), lines: false, filter: None } => Self::Usual(field),
            Rows { text, lines, filter } => Self::Other(Box::new(Other { text, lines, filter })),
        }
    }
}

impl Rows {
    /// Every row, its text in `field`.
    pub fn of_field(field: impl Into<String>) -> Self {
        Self::of(RowText::Field(field.into()))
    }

    /// Every row, its text as said.
    pub fn of(text: RowText) -> Self {
        Self { text, lines: false, filter: None }
    }

    /// Whether only a field is named, as in every study before there was more to say.
    pub(crate) fn is_usual(&self) -> bool {
        matches!(self, Self { text: RowText::Field(_), lines: false, filter: None })
    }

    /// The line of a study that says what the text is; none where it is `text`, or a template.
    pub fn line(&self) -> Option<String> {
        // JSON escapes as TOML does.
        let quoted = |text: &String| serde_json::Value::from(text.as_str()).to_string();
        match &self.text {
            RowText::Field(field) if field == "text" => None,
            RowText::Field(field) => Some(format!("text_field = {}", quoted(field))),
            RowText::Fields { fields, .. } => {
                let fields: Vec<String> = fields.iter().map(quoted).collect();
                Some(format!("text_field = [{}]", fields.join(", ")))
            }
            RowText::Messages { field, .. } => Some(format!("messages = {}", quoted(field))),
            RowText::Template(_) => None,
        }
    }

    /// As a message names them.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self { text: RowText::Field(field), lines: false, filter: None } => field.clone(),
            _ => serde_json::to_string(self).expect("plain data has a JSON form"),
        }
    }
}

/// The field is `text`.
impl Default for Rows {
    fn default() -> Self {
        Self::of_field("text")
    }
}

/// A text with fields in braces; `{{` and `}}` are braces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
    fields: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The index of a field.
    Field(usize),
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl Template {
    /// Reads a template of the fields of a row.
    ///
    /// # Errors
    ///
    /// A brace that does not close, or without a partner; no field at all.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut template = Self { text: text.to_owned(), pieces: Vec::new(), fields: Vec::new() };
        let (mut rest, mut literal) = (text, String::new());
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            let closed = rest.split_once('}').filter(|(name, _)| !name.contains('{'));
            let (true, Some((name, after))) = (brace == "{", closed) else {
                return Err(format!(
                    "`{brace}` without a partner (`{brace}{brace}` is a brace in the text)"
                ));
            };
            rest = after;
            template.pieces.push(Piece::Text(std::mem::take(&mut literal)));
            let known = template.fields.iter().position(|field| field == name);
            template.pieces.push(Piece::Field(known.unwrap_or(template.fields.len())));
            if known.is_none() {
                template.fields.push(name.to_owned());
            }
        }
        literal.push_str(rest);
        template.pieces.push(Piece::Text(literal));
        if template.fields.is_empty() {
            return Err("no field in braces, expected one such as `{instruction}`".to_owned());
        }
        Ok(template)
    }

    /// Reads a template of a message.
    ///
    /// # Errors
    ///
    /// As [`Template::parse`]; another field than `role` and `content`, or no `content`.
    pub fn of_message(text: &str) -> Result<Self, String> {
        let template = Self::parse(text)?;
        let other = template.fields.iter().find(|field| !OF_MESSAGE.contains(&field.as_str()));
        if let Some(other) = other {
            return Err(format!("a message has no `{other}`, expected `{{role}}`, `{{content}}`"));
        }
        if !template.fields.iter().any(|field| field == "content") {
            return Err("no `{content}`, expected the text of the message".to_owned());
        }
        Ok(template)
    }

    /// As it is written in a study.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn write<'t>(&self, out: &mut Document, field: impl Fn(usize) -> &'t str) -> Result<(), Fault> {
        for piece in &self.pieces {
            out.push(match piece {
                Piece::Text(text) => text,
                Piece::Field(index) => field(*index),
            })?;
        }
        Ok(())
    }
}

/// A document being put together. It is no longer than one may be, however often a field repeats.
#[derive(Default)]
struct Document(String);

impl Document {
    fn push(&mut self, text: &str) -> Result<(), Fault> {
        let most = Sizes::USUAL.document_bytes_max;
        if self.0.len() + text.len() > most {
            let most = bytes(most as u64);
            let text = format!("longer than {most}, the most a document may have");
            return Err(Fault::of_document(text));
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// A message: who says it, and what.
pub(crate) type Message<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The value of a field, as far as it is looked at.
#[derive(Clone, Debug)]
pub(crate) enum Cell<'a> {
    Missing,
    Null,
    Bool(bool),
    Int(i128),
    /// Not a number for what Python writes as `NaN`.
    Float(f64),
    Text(Cow<'a, str>),
    Messages(Result<Vec<Message<'a>>, Fault>),
    /// Whether it is one of objects.
    List {
        of_objects: bool,
    },
    /// A field of it that holds a string.
    Object {
        string: Option<String>,
    },
}

impl Cell<'_> {
    fn scalar(&self) -> Scalar<'_> {
        match self {
            Self::Missing | Self::Null => Scalar::Null,
            Self::Float(value) if value.is_nan() => Scalar::Null,
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Int(value) => Scalar::Int(*value),
            Self::Float(value) => Scalar::Float(*value),
            Self::Text(text) => Scalar::Text(text.as_bytes()),
            Self::Messages(_) | Self::List { .. } | Self::Object { .. } => Scalar::Other,
        }
    }

    /// What it is, for a message about something that is no text.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::Messages(_) | Self::List { .. } => "an array",
            Self::Object { .. } => "an object",
        }
    }

    /// Why it is no text.
    fn no_text(&self, field: &str) -> Fault {
        let fault = Fault::not_text(field, self.kind());
        let fix = match self {
            Self::Null => return Fault { absence: Some(Absence::Null), ..fault },
            Self::List { of_objects: true } => format!(
                "for a list of messages type `messages = \"{field}\"` in place of `text_field`"
            ),
            Self::Object { string: Some(inner) } => {
                format!("name a field in it, for example `text_field = \"{field}.{inner}\"`")
            }
            _ => return fault,
        };
        Fault { fix: fix.into(), ..fault }
    }

    fn text<'s>(&'s self, field: &str) -> Result<&'s str, Fault> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(other.no_text(field)),
        }
    }
}

/// The fields that are read of each row, and what is made of them.
pub(crate) struct Plan<'r> {
    rows: &'r Rows,
    /// The fields to read, each once: their places in it are those of the cells of a row.
    pub(crate) fields: Vec<&'r str>,
    /// The places of the fields of the text.
    text: Vec<usize>,
    /// The places of the fields of the filter.
    filter: Vec<usize>,
}

impl<'r> Plan<'r> {
    pub(crate) fn new(rows: &'r Rows) -> Self {
        let mut fields: Vec<&str> = Vec::new();
        let mut place = |field: &'r String| {
            let known = fields.iter().position(|known| known == field);
            known.unwrap_or_else(|| {
                fields.push(field);
                fields.len() - 1
            })
        };
        let text = match &rows.text {
            RowText::Field(field) | RowText::Messages { field, .. } => vec![place(field)],
            RowText::Fields { fields, .. } => fields.iter().map(&mut place).collect(),
            RowText::Template(template) => template.fields.iter().map(&mut place).collect(),
        };
        let filter = rows.filter.iter().flat_map(Filter::fields).map(place).collect();
        Self { rows, fields, text, filter }
    }

    /// Whether the cell at this place is the list of messages.
    pub(crate) fn is_messages(&self, place: usize) -> bool {
        matches!(self.rows.text, RowText::Messages { .. }) && self.text == [place]
    }

    /// Whether the text is one field as it stands, of every row.
    pub(crate) fn is_plain(&self) -> bool {
        self.rows.filter.is_none() && matches!(self.rows.text, RowText::Field(_))
    }

    /// Whether the field at this place is one of the text.
    pub(crate) fn is_text(&self, place: usize) -> bool {
        self.text.contains(&place)
    }

    /// The document of a row of these cells; `None` for a row that is not read.
    ///
    /// - `missing`: the fault of a row without the field of this name.
    ///
    /// # Errors
    ///
    /// A text that is missing, null or no string.
    pub(crate) fn document<'a>(
        &self,
        mut cells: Vec<Cell<'a>>,
        missing: impl FnOnce(&str) -> Fault,
    ) -> Result<Option<Cow<'a, str>>, Fault> {
        if let Some(filter) = &self.rows.filter
            && !filter.keeps(&|field| cells[self.filter[field]].scalar())
        {
            return Ok(None);
        }
        let absent = self.text.iter().find(|&&place| matches!(cells[place], Cell::Missing));
        if let Some(&place) = absent {
            let fault = missing(self.fields[place]);
            return Err(Fault { absence: Some(Absence::Missing), ..fault });
        }
        let mut out = Document::default();
        match &self.rows.text {
            RowText::Field(field) => {
                let place = self.text[0];
                return match std::mem::replace(&mut cells[place], Cell::Missing) {
                    Cell::Text(text) => Ok(Some(text)),
                    other => Err(other.no_text(field)),
                };
            }
            RowText::Fields { separator, .. } => {
                for &place in &self.text {
                    let text = cells[place].text(self.fields[place])?;
                    if !text.is_empty() && !out.0.is_empty() {
                        out.push(separator)?;
                    }
                    out.push(text)?;
                }
            }
            RowText::Template(template) => {
                let texts = self.text.iter().map(|&at| cells[at].text(self.fields[at]));
                let texts = texts.collect::<Result<Vec<_>, _>>()?;
                template.write(&mut out, |field| texts[field])?;
            }
            RowText::Messages { field, template, separator } => {
                let place = self.text[0];
                let messages = match std::mem::replace(&mut cells[place], Cell::Missing) {
                    Cell::Messages(messages) => messages.map_err(|fault| fault.within(field))?,
                    other => {
                        let found = other.kind();
                        let text = format!("`{field}` is {found}, expected a list of messages");
                        let absence = matches!(other, Cell::Null).then_some(Absence::Null);
                        return Err(Fault { absence, ..Fault::of_document(text) });
                    }
                };
                for (i, (role, content)) in messages.iter().enumerate() {
                    if i > 0 {
                        out.push(separator)?;
                    }
                    let part = |at: usize| match template.fields[at].as_str() {
                        "role" => &**role,
                        _ => &**content,
                    };
                    template.write(&mut out, part)?;
                }
            }
        }
        Ok(Some(Cow::Owned(out.0)))
    }
}

/// Rows of which there is no document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOutRows {
    /// Rows that the condition leaves out.
    pub filtered: u64,
    /// Documents skipped because their text is null.
    pub null: u64,
    /// Documents skipped because their text is not there.
    pub missing: u64,
}

impl LeftOutRows {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.filtered += other.filtered;
        self.null += other.null;
        self.missing += other.missing;
    }

    pub(crate) fn count(&mut self, fault: &Fault) {
        match fault.absence {
            Some(Absence::Null) => self.null += 1,
            Some(Absence::Missing) => self.missing += 1,
            None => {}
        }
    }
}
