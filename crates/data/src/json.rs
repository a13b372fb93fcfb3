//! The text field of one JSON line, borrowed where it has no escapes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Fault, quoted};

/// Fields listed in a message about a missing one.
const FIELDS_SHOWN: usize = 8;

/// Opens files of some editors, and lines of files that were joined; RFC 8259 section 8.1 lets a
/// reader pass over it.
pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The text of the document on `line`.
///
/// What Python writes and reads though it is no JSON (`NaN`, `Infinity`, halves of surrogate pairs)
/// is passed over beside the text.
///
/// # Errors
///
/// A [`Fault`] for bytes that are not UTF-8, a line that is not one JSON object, and an object
/// whose `field` is missing, repeated or not a string, or holds half of a surrogate pair.
pub(crate) fn text<'a>(line: &'a [u8], field: &str) -> Result<Cow<'a, str>, Fault> {
    let line = std::str::from_utf8(line).map_err(Fault::not_utf8)?;
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let broken = |e: serde_json::Error| {
        let message = e.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let text = format!("broken JSON at column {}: {message}", e.column());
        Fault { text, fix: "write one JSON object a line" }
    };
    let error = match strict(line, field) {
        Ok(found) => return found,
        Err(error) => error,
    };
    let replaced = |by| strict(&as_json(line, by), field).map(|found| found.map(Cow::into_owned));
    match (replaced(*b"fffd"), replaced(*b"0020")) {
        (Ok(Ok(one)), Ok(Ok(other))) if one != other => Err(Fault {
            text: format!(
                "`{field}` holds half of a surrogate pair (`\\ud800` to `\\udfff`), which is no \
                 character"
            ),
            fix: "write it as U+FFFD (in Python `text.encode(\"utf-16\", \"surrogatepass\")\
                  .decode(\"utf-16\", \"replace\")`)",
        }),
        (Ok(found), _) => found.map(Cow::Owned),
        // As the line stands there.
        (Err(_), _) => Err(broken(error)),
    }
}

/// The text of the object on `line`, which is JSON.
fn strict<'a>(line: &'a str, field: &str) -> serde_json::Result<Result<Cow<'a, str>, Fault>> {
    let mut parser = serde_json::Deserializer::from_str(line);
    let found = Object { field }.deserialize(&mut parser)?;
    parser.end()?;
    Ok(found)
}

/// `line` as JSON, as long as it was: halves of surrogate pairs as the character `half` says in
/// hexadecimal, what Python writes for numbers that are none as numbers.
fn as_json(line: &str, half: [u8; 4]) -> String {
    let mut bytes = line.as_bytes().to_vec();
    let unit = |bytes: &[u8], at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let (mut at, mut in_string) = (0, false);
    while at < bytes.len() {
        let number = [&b"NaN"[..], b"Infinity"].into_iter().find(|n| bytes[at..].starts_with(n));
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
            (_, false, Some(number)) => {
                bytes[at..at + number.len()].fill(b'1');
                number.len()
            }
            _ => 1,
        };
    }
    String::from_utf8(bytes).expect("ASCII was written over ASCII")
}

/// The fields of the object on `line`, in their order: the bytes of a string, or what else is
/// there; `None` for another line.
pub(crate) fn fields(line: &[u8]) -> Option<Vec<(String, Result<usize, &'static str>)>> {
    let line = std::str::from_utf8(line).ok()?;
    let line = as_json(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line), *b"fffd");
    let object: Fields<'_> = serde_json::from_str(&line).ok()?;
    let found = |value: &RawValue| match value.get().as_bytes()[0] {
        b'"' => Ok(value.get().len() - 2),
        b'[' => Err("an array"),
        b'{' => Err("an object"),
        b'n' => Err("null"),
        b't' | b'f' => Err("a boolean"),
        _ => Err("a number"),
    };
    Some(object.0.into_iter().map(|(name, value)| (name, found(value))).collect())
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

/// Reads one object and keeps one of its fields.
struct Object<'f> {
    field: &'f str,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = Result<Cow<'de, str>, Fault>;

    fn deserialize<D: de::Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        parser.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Result<Cow<'de, str>, Fault>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let field = self.field;
        let mut text = None;
        let mut twice = false;
        let mut others = Vec::new();
        while let Some(Str(key)) = map.next_key_seed(StrSeed)? {
            if key == field {
                twice |= text.replace(map.next_value_seed(ValueSeed)?).is_some();
            } else {
                map.next_value::<IgnoredAny>()?;
                if text.is_none() && others.len() < FIELDS_SHOWN {
                    others.push(key);
                }
            }
        }
        Ok(match text {
            _ if twice => Err(Fault::of_document(format!(
                "field `{field}` stands there twice, expected once"
            ))),
            Some(Value::Text(text)) => Ok(text),
            Some(Value::Other(found)) => Err(Fault::not_text(field, found)),
            None => Err(Fault {
                text: format!("no field `{field}`, found {}", quoted(&others)),
                fix: "name the field that holds the text with `text_field`",
            }),
        })
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

/// The value of the text field, or what stands there instead.
enum Value<'de> {
    Text(Cow<'de, str>),
    Other(&'static str),
}

struct ValueSeed;

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value<'de>;

    fn deserialize<D: de::Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Other("null"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Value::Other("a boolean"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Value::Other("a number"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Value::Other("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Value::Other("a number"))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other("an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other("an object"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!(fields.contains(&("text".to_owned(), Ok(1))), "{fields:?}");
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
