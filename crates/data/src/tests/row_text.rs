//! Rows as people have them: nested fields, several fields, messages, conditions, lines of text; as
//! JSON Lines and as Parquet.

use std::sync::Arc;

use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type,
};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::row_text::{BLANK_LINE, Cell, MESSAGE, Plan};
use crate::{Fault, Filter, LeftOutRows, RowText, Template, json as lines};

fn fields(names: &[&str]) -> Rows {
    let fields = names.iter().map(|&name| name.to_owned()).collect();
    Rows::of(RowText::Fields { fields, separator: BLANK_LINE.to_owned() })
}

fn messages(field: &str, template: &str) -> Rows {
    let template = Template::of_message(template).unwrap();
    let separator = BLANK_LINE.to_owned();
    Rows::of(RowText::Messages { field: field.to_owned(), template, separator })
}

fn with(condition: &str, rows: Rows) -> Rows {
    Rows { filter: Some(Filter::parse(condition).unwrap()), ..rows }
}

/// What is made of one line.
fn said(line: &str, rows: &Rows) -> Result<Option<String>, String> {
    let found = lines::document(line.as_bytes(), &Plan::new(rows));
    found.map(|text| text.map(Into::into)).map_err(|fault| format!("{fault}; {}", fault.fix))
}

fn read(line: &str, rows: &Rows) -> String {
    said(line, rows).unwrap().unwrap()
}

/// The documents of a file, both parts together, sorted; and the rows that are left out.
fn prepared(name: &str, bytes: &[u8], rows: &Rows, bad: OnBadDocument) -> (Vec<String>, Corpus) {
    let place = Place::new();
    place.write(name, bytes);
    let source = place.source(&[name], 300_000);
    let source = SourceFiles { rows: rows.clone(), on_bad_document: bad, ..source };
    let corpus = place.prepare(&source).unwrap();
    let mut all = documents(&corpus, Part::Train);
    all.extend(documents(&corpus, Part::Validation));
    all.sort();
    (all, corpus)
}

#[test]
fn a_dotted_path_names_a_field_in_a_field() {
    let line =
        r#"{"id": 1, "doc": {"lang": "en", "text": "a\nb", "n": {"text": "c"}}, "a.b": "d"}"#;
    assert_eq!(read(line, &Rows::of_field("doc.text")), "a\nb");
    assert_eq!(read(line, &Rows::of_field("doc.n.text")), "c");
    assert_eq!(read(line, &Rows::of_field("a.b")), "d", "a name with a dot is a name as well");
    for (field, expected) in [
        (
            "doc",
            "`doc` is an object, expected a string; name a field in it, for example \
             `text_field = \"doc.lang\"`",
        ),
        (
            "doc.body",
            "no field `doc.body`, found `id`, `doc.lang`, `doc.text`, `doc.n`, `a.b`; name the \
             field that holds the text with `text_field`",
        ),
        (
            "id.text",
            "no field `id.text`, found `id`, `doc`, `a.b`; name the field that holds the text \
             with `text_field`",
        ),
    ] {
        assert_eq!(said(line, &Rows::of_field(field)).unwrap_err(), expected);
    }
    let twice = r#"{"doc": {"text": "a"}, "doc.text": "b"}"#;
    let error = said(twice, &Rows::of_field("doc.text")).unwrap_err();
    assert!(error.starts_with("field `doc.text` stands there twice"), "{error}");
}

#[test]
fn several_fields_are_joined() {
    let rows = fields(&["instruction", "input", "output"]);
    let line = r#"{"output": "c", "input": "b", "id": 3, "instruction": "a"}"#;
    assert_eq!(read(line, &rows), "a\n\nb\n\nc");
    let empty = r#"{"output": "c", "input": "", "instruction": "a"}"#;
    assert_eq!(read(empty, &rows), "a\n\nc", "an empty one is left out with its separator");
    let null = said(r#"{"output": "c", "input": null, "instruction": "a"}"#, &rows);
    assert_eq!(null.unwrap_err(), "`input` is null, expected a string; fix the document");
    let missing = said(r#"{"output": "c", "instruction": "a", "n": 1}"#, &rows).unwrap_err();
    assert!(missing.starts_with("no field `input`, found `n`"), "{missing}");

    let template = Template::parse("{{{q}}}\n-> {a.b} {q}").unwrap();
    let rows = Rows::of(RowText::Template(template));
    assert_eq!(read(r#"{"q": "one", "a": {"b": "two"}}"#, &rows), "{one}\n-> two one");
    for (template, expected) in [
        ("a {b", "`{` without a partner (`{{` is a brace in the text)"),
        ("a b}", "`}` without a partner (`}}` is a brace in the text)"),
        ("{a{b}}", "`{` without a partner (`{{` is a brace in the text)"),
        ("text", "no field in braces, expected one such as `{instruction}`"),
    ] {
        assert_eq!(Template::parse(template).unwrap_err(), expected, "{template}");
    }
    let other = Template::of_message("{role}: {name}").unwrap_err();
    assert_eq!(other, "a message has no `name`, expected `{role}`, `{content}`");
}

#[test]
fn messages_are_joined_by_a_template() {
    let line = r#"{"chat": {"turns": [
        {"role": "user", "content": "hi\u0021"}, {"content": "yes", "tool": [1], "role": "bot"}
    ]}}"#;
    let rows = messages("chat.turns", MESSAGE);
    assert_eq!(read(line, &rows), "user: hi!\n\nbot: yes");
    assert_eq!(read(line, &messages("chat.turns", "<{role}>{content}")), "<user>hi!\n\n<bot>yes");
    let shared = r#"{"chat": {"turns": [{"from": "human", "value": "hi"}]}}"#;
    assert_eq!(read(shared, &rows), "human: hi");
    for (turns, expected) in [
        (
            "[1]",
            "`chat.turns`: message 1 is a number, expected an object with `role` and `content`",
        ),
        (
            r#"[{"role": "a", "content": "b"}, {"role": "a"}]"#,
            "`chat.turns`: message 2 has no `content`",
        ),
        (
            r#"[{"role": "a", "content": null}]"#,
            "`chat.turns`: message 1 has as `content` null, expected a string",
        ),
        ("\"text\"", "`chat.turns` is a string, expected a list of messages"),
        ("null", "`chat.turns` is null, expected a list of messages"),
    ] {
        let line = format!("{{\"chat\": {{\"turns\": {turns}}}}}");
        let error = said(&line, &rows).unwrap_err();
        assert_eq!(error.split(';').next().unwrap(), expected);
    }
    let hint = said(r#"{"text": [{"role": "a", "content": "b"}]}"#, &Rows::default()).unwrap_err();
    assert!(hint.ends_with("type `messages = \"text\"` in place of `text_field`"), "{hint}");
}

#[test]
fn a_condition_chooses_the_rows_that_are_read() {
    let rows = with("meta.set == \"ArXiv\" and score >= 3", Rows::default());
    let line = |set: &str, score: &str| {
        format!("{{\"score\": {score}, \"text\": \"a\", \"meta\": {{\"set\": \"{set}\"}}}}")
    };
    assert_eq!(read(&line("ArXiv", "3"), &rows), "a");
    for (set, score) in [("ArXiv", "2.99"), ("Wiki", "3"), ("ArXiv", "null"), ("ArXiv", "\"3\"")] {
        assert_eq!(said(&line(set, score), &rows).unwrap(), None, "{set} {score}");
    }
    // A row that is left out may lack its text; one that is read may not.
    assert_eq!(said(r#"{"score": 1}"#, &rows).unwrap(), None);
    assert!(said(r#"{"score": 3, "meta": {"set": "ArXiv"}}"#, &rows).is_err());
    // The field may be the text itself.
    let rows = with("text != \"\"", Rows::default());
    assert_eq!(said(r#"{"text": ""}"#, &rows).unwrap(), None);
    assert_eq!(read(r#"{"text": "b"}"#, &rows), "b");
}

#[test]
fn what_python_writes_for_no_number_is_null_in_a_condition() {
    let keeps = |condition: &str, value: &str| {
        let line = format!("{{\"s\": {value}, \"text\": \"a\", \"n\": NaN}}");
        said(&line, &with(condition, Rows::default())).unwrap().is_some()
    };
    assert!(keeps("s == null", "NaN") && !keeps("s >= 0", "NaN") && !keeps("s != 1", "NaN"));
    assert!(keeps("s > 1e300", "Infinity") && keeps("s < -1e300", "-Infinity"));
    // A zero with a sign is one, also beside what is no number.
    for zero in ["-0", "-0.0", "-0e5"] {
        assert!(keeps("s == 0", zero) && !keeps("s == null", zero), "{zero}");
    }
    assert!(keeps("s == -0.5", "-0.5"));
}

#[test]
fn what_is_left_out_is_counted_by_reason_and_usual_sources_are_recorded_as_ever() {
    let mut bytes = Vec::new();
    for i in 0..60 {
        let row = match i % 6 {
            0 => json!({"score": 1, "text": text(i)}),
            1 => json!({"score": 5, "text": null}),
            2 => json!({"score": 5, "body": "x"}),
            _ => json!({"score": 5, "text": text(i)}),
        };
        serde_json::to_writer(&mut bytes, &row).unwrap();
        bytes.push(b'\n');
    }
    let rows = with("score >= 3", Rows::default());
    let (all, corpus) = prepared("a.jsonl", &bytes, &rows, OnBadDocument::Skip);
    assert_eq!(all.len(), 30);
    assert_eq!(corpus.skipped(), 20);
    assert_eq!(corpus.left_out(), LeftOutRows { filtered: 10, null: 10, missing: 10 });
    let (all, usual) = prepared("a.jsonl", &bytes, &Rows::default(), OnBadDocument::Skip);
    assert_eq!((all.len(), usual.skipped()), (40, 20));
    assert_eq!(usual.left_out(), LeftOutRows::default());
}

#[test]
fn the_form_of_a_usual_source_is_the_name_of_its_field() {
    let json = |rows: &Rows| serde_json::to_string(rows).unwrap();
    assert_eq!(json(&Rows::default()), "\"text\"");
    let others = [
        fields(&["a", "b"]),
        messages("m", MESSAGE),
        Rows::of(RowText::Template(Template::parse("{a}!").unwrap())),
        with("a == 1", Rows::default()),
        Rows { lines: true, ..Rows::default() },
    ];
    for rows in others {
        assert_eq!(serde_json::from_str::<Rows>(&json(&rows)).unwrap(), rows);
        assert!(json(&rows).starts_with('{'), "{rows:?}");
    }
    insta::assert_snapshot!(json(&with("a == 1", fields(&["a", "b"]))), @r#"{"text":{"fields":{"fields":["a","b"],"separator":"\n\n"}},"where":"a == 1"}"#);
}

#[test]
fn a_condition_that_no_row_meets_is_named() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..20));
    let source = place.source(&["a.jsonl"], 300_000);
    let none = SourceFiles { rows: with("lang == \"en\"", Rows::default()), ..source.clone() };
    insta::assert_snapshot!(place.refusal(&none), @r#"
    error: source `web` is empty: no text in what matches `a.jsonl` in `HERE/in` (files: 1, documents skipped as broken: 0, rows left out by `where`: 20)
    hint: no row has `lang == "en"`: check the condition
    "#);
    place.write("a.txt", b"plain");
    let plain = SourceFiles { paths: vec!["a.txt".into()], ..none };
    fs::remove_dir_all(place.out()).unwrap();
    insta::assert_snapshot!(place.refusal(&plain), @"
    error: `a.txt` is plain text, which has no fields for `where`
    hint: name JSON Lines or Parquet, or take `where` out of the source
    ");
}

#[test]
fn an_empty_field_beside_one_with_text_is_said() {
    let line = |i| format!("{{\"text\": \"\", \"content\": \"the content of {i}\"}}\n");
    let lines: String = (0..9).map(line).collect();
    let place = Place::new();
    place.write("a.jsonl", lines.as_bytes());
    insta::assert_snapshot!(place.refusal(&place.source(&["a.jsonl"], 300_000)), @r#"
    error: source `web` is empty: no text in what matches `a.jsonl` in `HERE/in` (files: 1, documents skipped as broken: 0)
    hint: another field holds text: type `text_field = "content"` in the source
    "#);
}

#[test]
fn each_line_of_plain_text_may_be_a_document() {
    let rows = Rows { lines: true, ..Rows::default() };
    let line = |i| format!("document {i}\r\n\n  \n");
    let text: String = (0..30).map(line).collect();
    let bytes = [b"\xef\xbb\xbf", text.as_bytes(), b"the last one"].concat();
    let (all, _) = prepared("a.txt", &bytes, &rows, OnBadDocument::Refuse);
    assert_eq!(all.len(), 31);
    assert!(all.contains(&"document 0".to_owned()) && all.contains(&"the last one".to_owned()));
    let place = Place::new();
    place.write("a.txt", b"good\nb\xe9d\n");
    let source = SourceFiles { rows, ..place.source(&["a.txt"], 300_000) };
    assert!(place.refusal(&source).starts_with("error: `a.txt` line 2: byte 2 is not UTF-8"));
}

/// Writes values of a column with their levels.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    levels: Option<&[i16]>,
    repeats: Option<&[i16]>,
) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, levels, repeats).unwrap();
    column.close().unwrap();
}

/// Rows of a struct, numbers and messages; every fifth text is null.
fn parquet_rows(count: usize) -> Vec<u8> {
    let schema = "message rows {
        REQUIRED INT64 id;
        OPTIONAL GROUP doc { OPTIONAL BYTE_ARRAY text (UTF8); REQUIRED INT32 n (INTEGER(32,false)); }
        OPTIONAL DOUBLE score;
        REQUIRED BOOLEAN good;
        OPTIONAL GROUP messages (LIST) { REPEATED GROUP list { OPTIONAL GROUP element {
            OPTIONAL BYTE_ARRAY content (UTF8); OPTIONAL BYTE_ARRAY role (UTF8); } } }
        REQUIRED BYTE_ARRAY unread; }";
    let schema = parse_message_type(schema).unwrap();
    let mut file = SerializedFileWriter::new(Vec::new(), schema.into(), Arc::default()).unwrap();
    let bytes = |text: String| ByteArray::from(text.into_bytes());
    let range = 0..count;
    let mut group = file.next_row_group().unwrap();
    column::<Int64Type>(
        &mut group,
        &(0..count as u32).map(i64::from).collect::<Vec<_>>(),
        None,
        None,
    );
    let texts: Vec<_> = range.clone().filter(|i| i % 5 > 0).map(|i| bytes(text(i))).collect();
    let levels: Vec<i16> = range.clone().map(|i| if i % 5 > 0 { 2 } else { 1 }).collect();
    column::<ByteArrayType>(&mut group, &texts, Some(&levels), None);
    column::<Int32Type>(&mut group, &vec![-1; count], Some(&vec![1; count]), None);
    let scores: Vec<f64> = range.clone().filter(|i| i % 2 > 0).map(|i| i as f64).collect();
    let levels: Vec<i16> = range.clone().map(|i| i16::from(i % 2 > 0)).collect();
    column::<DoubleType>(&mut group, &scores, Some(&levels), None);
    column::<BoolType>(
        &mut group,
        &range.clone().map(|i| i % 3 > 0).collect::<Vec<_>>(),
        None,
        None,
    );
    // Row i has i % 4 messages; the list of the first row is null.
    let (mut levels, mut repeats, mut said, mut roles) = (vec![], vec![], vec![], vec![]);
    for i in range {
        if i % 4 == 0 {
            levels.push(i16::from(i > 0));
            repeats.push(0);
        }
        for message in 0..i % 4 {
            levels.push(4);
            repeats.push(i16::from(message > 0));
            said.push(bytes(format!("word {i}.{message}")));
            roles.push(bytes(if message % 2 == 0 { "user" } else { "bot" }.to_owned()));
        }
    }
    column::<ByteArrayType>(&mut group, &said, Some(&levels), Some(&repeats));
    column::<ByteArrayType>(&mut group, &roles, Some(&levels), Some(&repeats));
    column::<ByteArrayType>(&mut group, &vec![bytes("\u{1}".into()); count], None, None);
    group.close().unwrap();
    file.into_inner().unwrap()
}

#[test]
fn columns_of_structs_lists_and_numbers_are_read_as_lines_are() {
    let file = parquet_rows(60);
    let rows = with("doc.n == 4294967295 and doc.text != null", Rows::of_field("doc.text"));
    let (all, corpus) = prepared("a.parquet", &file, &rows, OnBadDocument::Refuse);
    let mut expected: Vec<String> = (0..60).filter(|i| i % 5 > 0).map(text).collect();
    expected.sort();
    assert_eq!(all, expected);
    assert_eq!(corpus.left_out(), LeftOutRows { filtered: 12, null: 0, missing: 0 });

    let rows = Rows::of_field("doc.text");
    let (all, corpus) = prepared("a.parquet", &file, &rows, OnBadDocument::Skip);
    assert_eq!((all, corpus.skipped()), (expected, 12));

    let rows = with("score >= 30 and good == true and id != 31", messages("messages", MESSAGE));
    let (all, _) = prepared("a.parquet", &file, &rows, OnBadDocument::Refuse);
    let kept = (32..60).filter(|i| i % 2 > 0 && i % 3 > 0);
    let talk = |i: usize| {
        let one = |m| format!("{}: word {i}.{m}", if m % 2 == 0 { "user" } else { "bot" });
        (0..i % 4).map(one).collect::<Vec<_>>().join("\n\n")
    };
    let mut expected: Vec<String> = kept.map(talk).collect();
    expected.sort();
    assert_eq!(all, expected);
    // An empty list is an empty text, one that is null is none.
    let rows = messages("messages", MESSAGE);
    let (all, corpus) = prepared("a.parquet", &file, &rows, OnBadDocument::Skip);
    assert_eq!((all.len(), all.iter().filter(|text| text.is_empty()).count()), (59, 14));
    assert!(corpus.skipped_shown()[0].contains("row 1: `messages` is null"));
}

#[test]
fn columns_that_do_not_fit_are_answered_with_what_to_type() {
    let file = parquet_rows(8);
    let said = |rows: Rows| {
        let place = Place::new();
        place.write("a.parquet", &file);
        place.refusal(&SourceFiles { rows, ..place.source(&["a.parquet"], 300_000) })
    };
    let all = [
        Rows::of_field("doc"),
        Rows::of_field("messages"),
        Rows::of_field("doc.body"),
        messages("doc", MESSAGE),
        with("messages == 1", Rows::of_field("doc.text")),
        with("gone == null", Rows::of_field("doc.text")),
    ];
    insta::assert_snapshot!(all.map(said).join("\n"), @r#"
    error: `a.parquet`: column `doc` holds lists or structs, expected strings
    hint: name a field in it, for example `text_field = "doc.text"`
    error: `a.parquet`: column `messages` holds lists or structs, expected strings
    hint: for a list of messages type `messages = "messages"` in place of `text_field`
    error: `a.parquet` has no column `doc.body`, found `id`, `doc.text`, `doc.n`, `score`, `good`, `messages`, `unread`
    hint: name the column that holds the text with `text_field`
    error: `a.parquet`: column `doc` holds lists or structs, expected lists of messages
    hint: name the column of the messages with `messages`
    error: `a.parquet`: column `messages` holds lists or structs, expected strings, numbers or booleans
    hint: name a column of such values in `where`
    error: `a.parquet` has no column `gone`, found `id`, `doc.text`, `doc.n`, `score`, `good`, `messages`, `unread`
    hint: name a column of such values in `where`
    "#);
}

#[test]
fn only_the_columns_that_are_needed_are_read() {
    let mut file = parquet_rows(60);
    let reader = SerializedFileReader::new(bytes::Bytes::from(file.clone())).unwrap();
    let group = reader.metadata().row_group(0);
    // The pages of other columns may be anything.
    for column in group.columns() {
        if !["id", "doc.text"].contains(&column.column_path().string().as_str()) {
            let (start, length) = column.byte_range();
            file[start as usize..(start + length) as usize].fill(0xee);
        }
    }
    let rows = with("id >= 0 and doc.text != null", Rows::of_field("doc.text"));
    assert_eq!(prepared("a.parquet", &file, &rows, OnBadDocument::Refuse).0.len(), 48);
    let place = Place::new();
    place.write("a.parquet", &file);
    let other = SourceFiles {
        rows: with("score > 3", Rows::of_field("doc.text")),
        ..place.source(&["a.parquet"], 300_000)
    };
    assert!(place.refusal(&other).contains("is not a whole Parquet file"));
}

/// A value of a field, written as JSON.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[\\\\\"\n\u{1f600}a]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 30, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ab.]{0,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The value at a path, by the whole tree.
fn at<'v>(value: &'v Value, path: &str, all: &mut Vec<&'v Value>) {
    for (key, inner) in value.as_object().into_iter().flatten() {
        match path.strip_prefix(key.as_str()) {
            Some("") => all.push(inner),
            Some(rest) if rest.starts_with('.') => at(inner, &rest[1..], all),
            _ => {}
        }
    }
}

#[test]
fn a_field_is_the_one_of_the_whole_tree_and_no_line_is_too_much() {
    let object = prop::collection::btree_map("[ab.]{0,2}", value(), 0..5)
        .prop_map(|map| Value::Object(map.into_iter().collect()));
    proptest!(|(row in object, path in "[ab]{1,2}(\\.[ab]{1,2}){0,2}", cut in 0_usize..200)| {
        let line = row.to_string();
        let mut there = Vec::new();
        at(&row, &path, &mut there);
        let found = said(&line, &Rows::of_field(path.as_str()));
        match there[..] {
            [Value::String(text)] => prop_assert_eq!(found, Ok(Some(text.clone()))),
            [_] => prop_assert!(found.unwrap_err().contains("expected a string")),
            [] => prop_assert!(found.unwrap_err().starts_with("no field")),
            _ => prop_assert!(found.unwrap_err().contains("stands there twice")),
        }
        // Any piece of it, read in any way: a text or a fault.
        let piece = &line.as_bytes()[..cut.min(line.len())];
        for rows in [messages(&path, MESSAGE), fields(&["a", "b.a"]), with("a == 1", Rows::default())] {
            for line in [line.as_bytes(), piece] {
                let _: Result<_, Fault> = lines::document(line, &Plan::new(&rows));
            }
            let cells = vec![Cell::Null; Plan::new(&rows).fields.len()];
            let _ = Plan::new(&rows).document(cells, |_| unreachable!("none is missing"));
        }
        let _ = lines::fields(piece);
    });
}
