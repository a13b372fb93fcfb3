//! Conditions: what they keep, what is said of wrong ones, and that no text is too much.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Whether `condition` keeps `row`, whose fields are at the top.
fn keeps(condition: &str, row: &Value) -> bool {
    let filter = Filter::parse(condition).unwrap();
    filter.keeps(&|field| match row.get(&filter.fields()[field]) {
        None | Some(Value::Null) => Scalar::Null,
        Some(Value::Bool(value)) => Scalar::Bool(*value),
        Some(Value::Number(value)) => match value.as_i64() {
            Some(whole) => Scalar::Int(whole.into()),
            None => Scalar::Float(value.as_f64().unwrap()),
        },
        Some(Value::String(text)) => Scalar::Text(text.as_bytes()),
        Some(_) => Scalar::Other,
    })
}

#[test]
fn a_condition_means_what_it_says() {
    let row = json!({
        "score": 3, "share": 0.5, "lang": "en", "ok": true, "none": null, "tags": ["a"],
        "meta.set": "ArXiv", "a b": 1, "id": 9_007_199_254_740_993_i64,
    });
    for (condition, expected) in [
        ("score == 3", true),
        ("score != 3", false),
        ("score >= 3", true),
        ("score > 3", false),
        ("3.0 <= score", true),
        ("score < 3.5", true),
        ("share <= 0.5e0", true),
        ("share > -1", true),
        ("lang == 'en'", true),
        ("lang == \"de\"", false),
        ("lang < \"fr\"", true),
        ("ok == true", true),
        ("ok != false", true),
        ("meta.set == \"ArXiv\"", true),
        ("`a b` == 1", true),
        ("id == 9007199254740993", true),
        ("id == 9007199254740992", false),
        // `and` binds closer than `or`, `not` closer than both.
        ("score == 3 or score == 4 and lang == \"de\"", true),
        ("(score == 3 or score == 4) and lang == \"de\"", false),
        ("not score == 4 and lang == \"en\"", true),
        ("not (score == 3 and lang == \"en\")", false),
        ("not not score == 3", true),
        // Null and missing.
        ("none == null", true),
        ("gone == null", true),
        ("null == gone", true),
        ("lang == null", false),
        ("lang != null", true),
        ("gone != null", false),
        ("gone == 3", false),
        ("gone != 3", false),
        ("gone < 3", false),
        ("not gone < 3", true),
        ("none == gone", false),
        // Values of different types.
        ("score == \"3\"", false),
        ("score != \"3\"", true),
        ("lang > 3", false),
        ("tags == \"a\"", false),
        ("tags != \"a\"", true),
    ] {
        assert_eq!(keeps(condition, &row), expected, "{condition}");
    }
    assert!(keeps(r#"t == "a\"\\\n'""#, &json!({"t": "a\"\\\n'"})));
}

#[test]
fn a_wrong_condition_is_answered_with_what_was_expected_where() {
    for (condition, expected) in [
        ("", "character 1: found the end, expected a field, a string, a number or a condition"),
        ("score", "character 6: found the end, expected ==, !=, <, <=, > or >="),
        ("score = 3", "character 7: found `=`, expected `==`"),
        ("é == \"x\" && b == 1", "character 10: found `&`, expected `and`"),
        ("a == 1 || b == 1", "character 8: found `|`, expected `or`"),
        ("!a == 1", "character 1: found `!`, expected `not`, or `!=`"),
        ("a == 1 b == 2", "character 8: found `b`, expected `and`, `or` or the end"),
        ("(a == 1", "character 8: found the end, expected `and`, `or` or `)`"),
        ("a == 1)", "character 7: found `)`, expected `and`, `or` or the end"),
        ("a == \"x", "character 6: \" opens and does not close"),
        ("a == 3x", "character 6: found `3x`, expected a number"),
        ("a == -inf", "character 6: found `-inf`, expected a number"),
        ("a < null", "character 3: null is compared by `==` or `!=` only"),
        ("null == null", "character 6: null is compared with a field only"),
        ("a == #", "character 6: found `#`, expected a field, a value or `(`"),
    ] {
        assert_eq!(Filter::parse(condition).unwrap_err(), expected, "{condition}");
    }
    for deep in ["(".repeat(100_000), "not ".repeat(100_000)] {
        let error = Filter::parse(&deep).unwrap_err();
        assert!(error.ends_with("more than 64 conditions in each other"), "{error}");
    }
    let long = vec!["a == 1"; 100_000].join(" or ");
    assert!(keeps(&long, &json!({"a": 1})));
}

/// A condition of a few parts, and whether it keeps the row of `row`.
fn condition() -> impl Strategy<Value = (String, bool)> {
    let row = json!({"a": 1, "b": "x", "c": null});
    let leaf = ("[abcd]", "==|!=|<|<=|>|>=", "1|2|\"x\"|\"y\"").prop_map(move |(f, op, v)| {
        let text = format!("{f} {op} {v}");
        let (have, want) = (row.get(&f), serde_json::from_str::<Value>(&v).unwrap());
        let order = match (have, &want) {
            (Some(Value::Number(have)), Value::Number(want)) => {
                Some(have.as_i64().cmp(&want.as_i64()))
            }
            (Some(Value::String(have)), Value::String(want)) => Some(have.cmp(want)),
            _ => None,
        };
        let there = have.is_some_and(|have| !have.is_null());
        let holds = match &*op {
            "==" => order.is_some_and(Ordering::is_eq),
            "!=" => there && order.is_none_or(Ordering::is_ne),
            "<" => order.is_some_and(Ordering::is_lt),
            "<=" => order.is_some_and(Ordering::is_le),
            ">" => order.is_some_and(Ordering::is_gt),
            _ => order.is_some_and(Ordering::is_ge),
        };
        (text, holds)
    });
    leaf.prop_recursive(6, 40, 4, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 1..4);
        let joined = |parts: &[(String, bool)], by: &str| {
            parts.iter().map(|(text, _)| format!("({text})")).collect::<Vec<_>>().join(by)
        };
        prop_oneof![
            parts().prop_map(move |p| (joined(&p, " and "), p.iter().all(|part| part.1))),
            parts().prop_map(move |p| (joined(&p, " or "), p.iter().any(|part| part.1))),
            inner.clone().prop_map(|(text, holds)| (format!("not ({text})"), !holds)),
        ]
    })
}

#[test]
fn a_condition_agrees_with_its_parts_and_no_text_is_too_much() {
    let row = json!({"a": 1, "b": "x", "c": null});
    proptest!(|((text, expected) in condition(), noise in "\\PC{0,40}", at in 0_usize..200)| {
        prop_assert_eq!(keeps(&text, &row), expected, "{}", text);
        // Noise alone and within: a condition or a message that names a character of the text.
        let at = text.floor_char_boundary(at);
        for text in [noise.clone(), format!("{}{noise}{}", &text[..at], &text[at..])] {
            if let Err(message) = Filter::parse(&text) {
                let place = message.strip_prefix("character ").unwrap();
                let place: usize = place.split(':').next().unwrap().parse().unwrap();
                prop_assert!((1..=text.chars().count() + 1).contains(&place), "{}", message);
            }
        }
    });
}
