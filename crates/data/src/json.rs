//! The text field of one JSON line, borrowed where it has no escapes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Fault, quoted};
use crate::row_text::{Cell, Message, Plan};

/// Fields listed in a message about a missing one.
const FIELDS_SHOWN: usize = 8;
/// Objects within each other that a survey looks into.
const DEPTH_SURVEYED: usize = 4;

/// Opens files of some editors, and lines of files that were joined; RFC 8259 section 8.1 lets a
/// reader pass over it.
pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The document on `line`; `None` for a row that is not read.
///
/// What Python writes and reads though it is no JSON (`NaN`, `Infinity`, halves of surrogate pairs)
/// is passed over beside the text.
///
/// # Errors
///
/// A [`Fault`] for bytes that are not UTF-8, a line that is not one JSON object, and an object
/// whose text is missing, repeated or not a string, or holds half of a surrogate pair.
pub(crate) fn document<'a>(line: &'a [u8], plan: &Plan<'_>) -> Result<Option<Cow<'a, str>>, Fault> {
    let line = std::str::from_utf8(line).map_err(|error| Fault::not_utf8(line, error))?;
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let broken = |e: serde_json::Error| {
        let message = e.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let text = format!("broken JSON at column {}: {message}", e.column());
        Fault::new(text, "write one JSON object a line")
    };
    let error = match strict(line, plan, false) {
        Ok(found) => return found,
        Err(error) => error,
    };
    let replaced = |by| {
        let line = as_json(line, by);
        let found = strict(&line, plan, true);
        found.map(|found| found.map(|text| text.map(Cow::into_owned)))
    };
    match (replaced(*b"fffd"), replaced(*b"0020")) {
        (Ok(Ok(one)), Ok(Ok(other))) if one != other => {
            let fields = plan.fields.iter().enumerate();
            let fields: Vec<&str> =
                fields.filter(|(place, _)| plan.is_text(*place)).map(|(_, field)| *field).collect();
            Err(Fault::new(
                format!(
                    "{} holds half of a surrogate pair (`\\ud800` to `\\udfff`), which is no \
                     character",
                    quoted(&fields)
                ),
                "write it as U+FFFD (in Python `text.encode(\"utf-16\", \"surrogatepass\")\
                 .decode(\"utf-16\", \"replace\")`)",
            ))
        }
        (Ok(found), _) => found.map(|text| text.map(Cow::Owned)),
        // As the line stands there.
        (Err(_), _) => Err(broken(error)),
    }
}

/// The document of the object on `line`, which is JSON.
///
/// - `python`: whether a negative zero stands for what is no number.
fn strict<'a>(
    line: &'a str,
    plan: &Plan<'_>,
    python: bool,
) -> serde_json::Result<Result<Option<Cow<'a, str>>, Fault>> {
    let mut parser = serde_json::Deserializer::from_str(line);
    let cells = vec![Cell::Missing; plan.fields.len()];
    let mut row = Row { plan, python, cells, others: Vec::new(), twice: None };
    let wanted: Vec<(usize, &str)> = plan.fields.iter().copied().enumerate().collect();
    Object { row: &mut row, wanted: &wanted, within: "" }.deserialize(&mut parser)?;
    parser.end()?;
    let Row { cells, others, twice, .. } = row;
    if let Some(place) = twice {
        let field = plan.fields[place];
        let text = format!("field `{field}` stands there twice, expected once");
        return Ok(Err(Fault::of_document(text)));
    }
    Ok(plan.document(cells, |field| {
        let text = format!("no field `{field}`, found {}", quoted(&others));
        Fault::new(text, "name the field that holds the text with `text_field`")
    }))
}

/// `line` as JSON, as long as it was: halves of surrogate pairs as the character `half` says in
/// hexadecimal, `NaN` as a negative zero (which stands nowhere else then), `Infinity` as the
/// largest number.
fn as_json(line: &str, half: [u8; 4]) -> String {
    let mut bytes = line.as_bytes().to_vec();
    let unit = |bytes: &[u8], at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let (mut at, mut in_string) = (0, false);
    while at < bytes.len() {
        let numbers = [(&b"NaN"[..], "-0 "), (b"Infinity", "1.79e308")];
        let number = numbers.into_iter().find(|(word, _)| bytes[at..].starts_with(word));
        at += match (bytes[at], in_string, number) {
            (b'"', ..) => {
                in_string = !in_string;
                1
            }
            (b'\\', true, _) => match (unit(&bytes, at), unit(&bytes, at + 6)) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
                (Some(0xd800..=0xdfff), _) => {
                    bytes[at + 2..at + 6].copy_from_slice(&half);
                    6
                }
                _ => 2,
            },
            (_, false, Some((word, number))) => {
                bytes[at..at + word.len()].copy_from_slice(number.as_bytes());
                word.len()
            }
            (b'-', false, _) if bytes.get(at + 1) == Some(&b'0') => {
                let ends = |byte: &u8| b",]} \t\r".contains(byte);
                let length = bytes[at..].iter().position(ends).unwrap_or(1);
                let number = std::str::from_utf8(&bytes[at..at + length]).map(str::parse::<f64>);
                if number == Ok(Ok(0.0)) {
                    bytes[at] = b' ';
                }
                length
            }
            _ => 1,
        };
    }
    String::from_utf8(bytes).expect("ASCII was written over ASCII")
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    List,
    Object,
    Null,
    Bool,
    Number,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::List => "an array",
            Self::Object => "an object",
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
        }
    }
}

fn kind(value: &RawValue) -> Kind {
    match value.get().as_bytes()[0] {
        b'"' => Kind::Text,
        b'[' => Kind::List,
        b'{' => Kind::Object,
        b'n' => Kind::Null,
        b't' | b'f' => Kind::Bool,
        _ => Kind::Number,
    }
}

/// A field of an object, as a survey sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Bytes of a string.
    Text(usize),
    /// A list of messages.
    Messages,
    /// What else is there.
    Other(&'static str),
}

/// The fields of the object on `line`, in their order, those of objects within it by their paths;
/// `None` for another line.
pub(crate) fn fields(line: &[u8]) -> Option<Vec<(String, Found)>> {
    let line = std::str::from_utf8(line).ok()?;
    let line = as_json(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line), *b"fffd");
    let mut all = Vec::new();
    let object: Fields<'_> = serde_json::from_str(&line).ok()?;
    flatten("", &object, DEPTH_SURVEYED, &mut all);
    Some(all)
}

fn flatten(within: &str, object: &Fields<'_>, depth: usize, all: &mut Vec<(String, Found)>) {
    for (name, value) in &object.0 {
        let path = format!("{within}{name}");
        let found = match kind(value) {
            Kind::Text => Found::Text(value.get().len() - 2),
            Kind::List => {
                let first = serde_json::from_str(value.get()).ok();
                let first = first.and_then(|items: Vec<&RawValue>| items.first().copied());
                match first.map(message) {
                    Some(Ok(Ok(_))) => Found::Messages,
                    _ => Found::Other("an array"),
                }
            }
            Kind::Object if depth > 1 => {
                if let Ok(inner) = serde_json::from_str(value.get()) {
                    flatten(&format!("{path}."), &inner, depth - 1, all);
                }
                Found::Other("an object")
            }
            other => Found::Other(other.words()),
        };
        all.push((path, found));
    }
}

/// An object in the order it is written in.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: de::Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        struct Each<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Each<'a> {
            type Value = Fields<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        parser.deserialize_map(Each(PhantomData))
    }
}

/// What a file that begins with `block` is, if it is one value over many lines or one array, and
/// the program of `jq` that writes it as a value a line.
pub(crate) fn over_many_lines(block: &[u8]) -> Option<(&'static str, &'static str)> {
    let block = block.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(block).trim_ascii_start();
    let first = block.split(|&byte| byte == b'\n').next()?;
    if first.starts_with(b"[") {
        return Some(("one JSON array", ".[]"));
    }
    if !first.starts_with(b"{") {
        return None;
    }
    // A line that breaks off within a string is a broken line.
    let error = serde_json::from_slice::<IgnoredAny>(first).err()?;
    let between = error.is_eof() && !error.to_string().contains("string");
    let next = block[first.len()..].trim_ascii_start();
    (between && next.first().is_some_and(|&byte| byte != b'{'))
        .then_some(("a JSON value over many lines", "."))
}

/// A row being read.
struct Row<'de, 'p> {
    plan: &'p Plan<'p>,
    /// Whether a negative zero stands for what is no number.
    python: bool,
    /// The values of the fields of the plan, so far.
    cells: Vec<Cell<'de>>,
    /// Fields beside them, for a message.
    others: Vec<Cow<'de, str>>,
    /// A field that stands there twice.
    twice: Option<usize>,
}

impl<'de> Row<'de, '_> {
    fn put(&mut self, place: usize, value: Cell<'de>) {
        if !matches!(std::mem::replace(&mut self.cells[place], value), Cell::Missing) {
            self.twice = Some(place);
        }
    }

    /// Notes a field that is not read, while those that are have not all been seen.
    fn note(&mut self, within: &str, key: Cow<'de, str>) {
        let some_left = || self.cells.iter().any(|cell| matches!(cell, Cell::Missing));
        if self.others.len() < FIELDS_SHOWN && some_left() {
            let whole = if within.is_empty() { key } else { format!("{within}.{key}").into() };
            self.others.push(whole);
        }
    }
}

/// Reads one object, and keeps some of its fields.
struct Object<'s, 'de, 'p> {
    row: &'s mut Row<'de, 'p>,
    /// Places of the fields, and their paths from here.
    wanted: &'s [(usize, &'s str)],
    /// The path of the object.
    within: &'s str,
}

impl<'de> DeserializeSeed<'de> for Object<'_, 'de, '_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, 'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { row, wanted, within } = self;
        while let Some(Str(key)) = map.next_key_seed(StrSeed)? {
            let (mut here, mut below) = (None, Vec::new());
            for &(place, path) in wanted {
                match path.strip_prefix(&*key) {
                    Some("") => here = Some(place),
                    Some(rest) => below.extend(rest.strip_prefix('.').map(|rest| (place, rest))),
                    None => {}
                }
            }
            if here.is_none() && below.is_empty() {
                map.next_value::<IgnoredAny>()?;
                row.note(within, key);
                continue;
            }
            let path = match (below.is_empty(), within) {
                (true, _) => String::new(),
                (_, "") => key.clone().into_owned(),
                _ => format!("{within}.{key}"),
            };
            let messages = here.is_some_and(|place| row.plan.is_messages(place));
            let seed = CellSeed { row, below: &below, within: &path, messages };
            let cell = map.next_value_seed(seed)?;
            match here {
                Some(place) => row.put(place, cell),
                None if matches!(cell, Cell::Object { .. }) => {}
                None => row.note(within, key),
            }
        }
        Ok(())
    }
}

/// A JSON string, borrowed from the line if it can be.
struct Str<'de>(Cow<'de, str>);

struct StrSeed;

impl<'de> DeserializeSeed<'de> for StrSeed {
    type Value = Str<'de>;

    fn deserialize<D: de::Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        parser.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for StrSeed {
    type Value = Str<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Str(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Str(Cow::Owned(text.to_owned())))
    }
}

/// Reads the value of a field, and further fields in it.
struct CellSeed<'s, 'de, 'p> {
    row: &'s mut Row<'de, 'p>,
    /// Places of fields in it, and their paths from it.
    below: &'s [(usize, &'s str)],
    /// Its own path; empty where there are none.
    within: &'s str,
    /// Whether it is the list of messages.
    messages: bool,
}

impl<'de> DeserializeSeed<'de> for CellSeed<'_, 'de, '_> {
    type Value = Cell<'de>;

    fn deserialize<D: de::Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CellSeed<'_, 'de, '_> {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Cell::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Cell::Int(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Cell::Int(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        let none = self.row.python && value == 0.0 && value.is_sign_negative();
        Ok(Cell::Float(if none { f64::NAN } else { value }))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        if !self.messages {
            let first: Option<&RawValue> = items.next_element()?;
            while items.next_element::<IgnoredAny>()?.is_some() {}
            let of_objects = first.is_some_and(|first| kind(first) == Kind::Object);
            return Ok(Cell::List { of_objects });
        }
        let (mut all, mut fault) = (Vec::new(), None);
        while let Some(raw) = items.next_element()? {
            if fault.is_none() {
                match message(raw).map_err(de::Error::custom)? {
                    Ok(message) => all.push(message),
                    Err(what) => fault = Some(format!("message {} {what}", all.len() + 1)),
                }
            }
        }
        let all = fault.map_or(Ok(all), |fault| Err(Fault::of_document(fault)));
        Ok(Cell::Messages(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let Self { row, below, within, .. } = self;
        if !below.is_empty() {
            Object { row, wanted: below, within }.visit_map(fields)?;
            return Ok(Cell::Object { string: None });
        }
        let mut string = None;
        while let Some(Str(key)) = fields.next_key_seed(StrSeed)? {
            let is_string = kind(fields.next_value()?) == Kind::Text;
            string = string.or_else(|| is_string.then(|| key.into_owned()));
        }
        Ok(Cell::Object { string })
    }
}

/// A message: an object with `role` and `content`, or with `from` and `value`. Or what it is.
fn message(raw: &RawValue) -> serde_json::Result<Result<Message<'_>, String>> {
    if kind(raw) != Kind::Object {
        let found = kind(raw).words();
        return Ok(Err(format!("is {found}, expected an object with `role` and `content`")));
    }
    let fields: Fields<'_> = serde_json::from_str(raw.get())?;
    let text = |names: [&str; 2]| {
        let mut pairs =
            names.iter().filter_map(|name| fields.0.iter().find(|(key, _)| key == name));
        let Some((key, value)) = pairs.next() else {
            return Ok(Err(format!("has no `{}`", names[0])));
        };
        if kind(value) != Kind::Text {
            return Ok(Err(format!("has as `{key}` {}, expected a string", kind(value).words())));
        }
        let mut parser = serde_json::Deserializer::from_str(value.get());
        StrSeed.deserialize(&mut parser).map(|Str(text)| Ok(text))
    };
    let (role, content) = (text(["role", "from"])?, text(["content", "value"])?);
    Ok(role.and_then(|role| Ok((role, content?))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row_text::Rows;

    fn text<'a>(line: &'a [u8], field: &str) -> Result<Cow<'a, str>, Fault> {
        let rows = Rows::of_field(field);
        Ok(document(line, &Plan::new(&rows))?.expect("no row is left out"))
    }

    fn fault(line: &[u8]) -> String {
        text(line, "text").unwrap_err().to_string()
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let line = r#"{"id": 3, "text": "héllo", "meta": {"text": 1}}"#;
        assert!(matches!(text(line.as_bytes(), "text").unwrap(), Cow::Borrowed("héllo")));
        assert_eq!(text(br#" {"text":"a\n\u0062"} "#, "text").unwrap(), "a\nb");
        assert_eq!(text(br#"{"t\u0065xt":"escaped key"}"#, "text").unwrap(), "escaped key");
    }

    #[test]
    fn a_byte_order_mark_is_passed_over_before_the_object_only() {
        let line = "\u{feff}{\"text\": \"\u{feff}a\"}\r";
        assert_eq!(text(line.as_bytes(), "text").unwrap(), "\u{feff}a");
    }

    #[test]
    fn what_python_writes_beside_the_text_does_no_harm() {
        let deep = format!("{{\"a\": {}1{}, \"text\": \"x\"}}", "[".repeat(300), "]".repeat(300));
        for line in [
            r#"{"a": NaN, "text": "x", "b": [Infinity, -Infinity, {"c": NaN}]}"#,
            r#"{"a": 1e999, "text": "x"}"#,
            r#"{"a": "\ud800", "\udfff": 1, "text": "x"}"#,
            r#"{"a": "NaN \" NaN", "text": "x", "b": NaN}"#,
            &deep,
        ] {
            assert_eq!(text(line.as_bytes(), "text").unwrap(), "x", "{line}");
            let fields = fields(line.as_bytes()).unwrap();
            assert!(fields.contains(&("text".to_owned(), Found::Text(1))), "{fields:?}");
        }
        let line = br#"{"a": NaN, "text": "NaN Infinity \\ud800 \ud83d\ude00"}"#;
        assert_eq!(text(line, "text").unwrap(), "NaN Infinity \\ud800 \u{1f600}");
        assert_eq!(fault(br#"{"text": NaN}"#), "`text` is a number, expected a string");
        let half =
            "`text` holds half of a surrogate pair (`\\ud800` to `\\udfff`), which is no character";
        for line in
            [r#"{"text": "\ud800"}"#, r#"{"text": "\udc00\ud800"}"#, r#"{"text": "\ud83d\u0041"}"#]
        {
            assert_eq!(fault(line.as_bytes()), half);
        }
    }

    #[test]
    fn one_value_over_many_lines_is_told_from_lines() {
        let found = |text: &str| over_many_lines(text.as_bytes()).map(|(_, program)| program);
        assert_eq!(found("{\n  \"text\": \"a\"\n}\n"), Some("."));
        assert_eq!(found("{\"text\": \"a\",\n \"id\": 1}"), Some("."));
        assert_eq!(found("\u{feff}\n[\n{\"text\": \"a\"}]"), Some(".[]"));
        for lines in
            ["{\"text\": \"a\"}\n{", "{\"text\": \"a\nb\"}", "{\"a\": \n{\"a\": 1}", "", "x"]
        {
            assert_eq!(found(lines), None, "{lines}");
        }
    }

    #[test]
    fn every_fault_says_what_was_found() {
        for (line, expected) in [
            (&br#"{"text": "abc"#[..], "broken JSON at column 13: EOF while parsing a string"),
            (b"[1]", "broken JSON at column 0: invalid type: sequence, expected a JSON object"),
            (b"plain", "broken JSON at column 1: expected value"),
            (br#"{"text": "a"} x"#, "broken JSON at column 15: trailing characters"),
            (br#"{"id": 1, "content": "x"}"#, "no field `text`, found `id`, `content`"),
            (b"{}", "no field `text`, found none"),
            (br#"{"text": 5}"#, "`text` is a number, expected a string"),
            (br#"{"text": -5}"#, "`text` is a number, expected a string"),
            (br#"{"text": 0.5}"#, "`text` is a number, expected a string"),
            (br#"{"text": null}"#, "`text` is null, expected a string"),
            (br#"{"text": true}"#, "`text` is a boolean, expected a string"),
            (br#"{"text": ["a"]}"#, "`text` is an array, expected a string"),
            (br#"{"text": {"a": 1}}"#, "`text` is an object, expected a string"),
            (br#"{"text": "a", "text": "b"}"#, "field `text` stands there twice, expected once"),
            (b"{\"text\": \"a\xff\"}", "byte 12 is not UTF-8"),
            (b"{\"id\": \"\xff\", \"text\": \"a\"}", "byte 9 is not UTF-8"),
        ] {
            assert_eq!(fault(line), expected, "{}", String::from_utf8_lossy(line));
        }
    }
}
