//! The text field of one JSON line, borrowed where it has no escapes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use crate::error::{Fault, quoted};

/// Fields listed in a message about a missing one.
const FIELDS_SHOWN: usize = 8;

/// The text of the document on `line`.
///
/// # Errors
///
/// A [`Fault`] for bytes that are not UTF-8, a line that is not one JSON object, and an object
/// whose `field` is missing, repeated or not a string.
pub(crate) fn text<'a>(line: &'a [u8], field: &str) -> Result<Cow<'a, str>, Fault> {
    let line = std::str::from_utf8(line).map_err(Fault::not_utf8)?;
    // A byte order mark opens files of some editors, and lines of files that were joined; RFC 8259
    // section 8.1 lets a reader pass over it.
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    let mut parser = serde_json::Deserializer::from_str(line);
    let broken = |e: serde_json::Error| {
        let message = e.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let text = format!("broken JSON at column {}: {message}", e.column());
        Fault { text, fix: "write one JSON object a line" }
    };
    let found = Object { field }.deserialize(&mut parser).map_err(broken)?;
    parser.end().map_err(broken)?;
    found
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
    fn every_fault_says_what_was_found() {
        for (line, expected) in [
            (&br#"{"text": "abc"#[..], "broken JSON at column 13: EOF while parsing a string"),
            (b"[1]", "broken JSON at column 0: invalid type: sequence, expected a JSON object"),
            (b"plain", "broken JSON at column 1: expected value"),
            (br#"{"text": "a"} x"#, "broken JSON at column 15: trailing characters"),
            (br#"{"text": "\ud800"}"#, "broken JSON at column 17: unexpected end of hex escape"),
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
