//! What is read, and every refusal of the reader with its line.

use std::path::Path;

use super::{Form, Mistake, TomlTable};
use crate::{Hint, Place, Problem, Span};

/// A kind of file whose hints are the mistakes themselves.
const FORM: Form = Form {
    name: "the file",
    whole_keys: true,
    hint: |mistake, place| match mistake {
        Mistake::Syntax { .. } => None,
        mistake => Some(format!("{mistake:?} at {place}")),
    },
};
static WHOLE: Form = FORM;
static BARE: Form = Form { whole_keys: false, ..FORM };

fn read<T>(text: &str, read: impl FnOnce(&mut TomlTable<'_>) -> Result<T, Problem>) -> String {
    let result = TomlTable::root(&WHOLE, Path::new("my.toml"), text).and_then(|mut root| {
        read(&mut root)?;
        root.finish()
    });
    match result {
        Ok(()) => "read".to_owned(),
        Err(problem) => match problem.hint() {
            Some(hint) => format!("{problem}\nhint: {hint}"),
            None => problem.to_string(),
        },
    }
}

#[test]
fn text_that_is_no_toml_has_a_line() {
    let text = read("a = 1\nb = = 2\n", |_| Ok(()));
    assert_eq!(text, "`my.toml` line 2: extra `=`, expected nothing");
}

#[test]
fn keys_that_nobody_takes_are_refused() {
    let text = "one = 1\n\n[two]\nbudgte = 3\n";
    let two = |root: &mut TomlTable<'_>| {
        root.optional("one");
        let mut two = root.required("two", "a table")?.table()?;
        two.optional("budget");
        two.finish()
    };
    insta::assert_snapshot!(read(text, two), @r#"
    `my.toml` line 4: unknown key `budgte` in `two`, the nearest known is `budget`
    hint: UnknownKey { key: "budgte", nearest: Some("budget") } at `my.toml` line 4
    "#);
    insta::assert_snapshot!(read("[two]\nother = 1", two), @r#"
    `my.toml` line 2: unknown key `other` in `two`, expected `budget`
    hint: UnknownKey { key: "other", nearest: None } at `my.toml` line 2
    "#);
    insta::assert_snapshot!(read("[two]\nbudget = 1\n[three]", two), @r#"
    `my.toml` line 3: unknown key `three` in the file, expected one of `one`, `two`
    hint: UnknownKey { key: "three", nearest: None } at `my.toml` line 3
    "#);
    assert_eq!(read("one = 1\n[two]\nbudget = 3", two), "read");
}

#[test]
fn keys_that_must_be_there_are_asked_for() {
    let budget = |root: &mut TomlTable<'_>| root.required("budget", "a number").map(drop);
    insta::assert_snapshot!(read("other = 1", budget), @r#"
    `my.toml` line 1: the file has no `budget`, expected a number
    hint: MissingKey { key: "budget" } at `my.toml` line 1
    "#);
    insta::assert_snapshot!(read("\nbuget = 1", budget), @r#"
    `my.toml` line 2: unknown key `buget` in the file, the nearest known is `budget`
    hint: UnknownKey { key: "buget", nearest: Some("budget") } at `my.toml` line 2
    "#);
}

#[test]
fn values_are_of_the_type_that_is_asked_for() {
    let text = "text = \"a\"\nhex = 0x10\nhalf = 0.5\nyes = true\nlist = [\"a\",\n  2]\n[table]\n";
    let wrong = |key: &'static str, ask: fn(super::Item<'_>) -> Result<(), Problem>| {
        let text = read(text, |root| ask(root.required(key, "")?));
        text.lines().next().unwrap().to_owned()
    };
    let refusals = [
        wrong("text", |i| i.whole(1, "a number").map(drop)),
        wrong("hex", |i| i.number(|_| true, "a decimal").map(drop)),
        wrong("hex", |i| i.whole(17, "17 or more").map(drop)),
        wrong("half", |i| i.whole(0, "a number").map(drop)),
        wrong("half", |i| i.number(|x| x < 0.5, "less").map(drop)),
        wrong("yes", |i| i.table().map(drop)),
        wrong("text", |i| i.boolean().map(drop)),
        wrong("table", |i| i.list("a list").map(drop)),
        wrong("list", |i| i.strings("texts").map(drop)),
        wrong("text", |i| i.quantity::<Span>("").map(drop)),
        wrong("text", |i| i.bytes().map(drop)),
        wrong("text", |i| i.choice(&["b"]).map(drop)),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @"
    `my.toml` line 1: `text` is a string, expected a number
    `my.toml` line 2: `hex` is an integer, expected a decimal
    `my.toml` line 2: `hex` is 0x10, expected 17 or more
    `my.toml` line 3: `half` is a decimal, expected a number
    `my.toml` line 3: `half` is 0.5, expected less
    `my.toml` line 4: `yes` is a boolean, expected a table
    `my.toml` line 1: `text` is a string, expected true or false
    `my.toml` line 7: `table` is a table, expected a list
    `my.toml` line 6: `list` is an integer, expected texts
    `my.toml` line 1: `text`: `a` is not a duration, expected tokens (`40M`), a share of the budget (`10%`) or steps (`500 steps`)
    `my.toml` line 1: `text`: `a` is not a number of bytes, expected something like `10M`
    `my.toml` line 1: `text` is `a`, expected `b`
    ");
}

#[test]
fn lists_may_have_to_hold_something() {
    let strings = |root: &mut TomlTable<'_>| root.required("list", "")?.strings("texts");
    insta::assert_snapshot!(read("list = []", strings), @r#"
    `my.toml` line 1: `list` is empty, expected texts
    hint: OutOfRange { key: "list" } at `my.toml` line 1
    "#);
    insta::assert_snapshot!(read("list = [\"a\",\n\"\"]", strings), @r#"
    `my.toml` line 2: `list` is an empty text, expected texts
    hint: OutOfRange { key: "list" } at `my.toml` line 2
    "#);
    assert_eq!(read("list = \"a\"", strings), "read");
    let lengths = |text: &str| {
        let mut root = TomlTable::root(&WHOLE, Path::new("my.toml"), text).unwrap();
        root.required("list", "").unwrap().one_or_more("").unwrap().len()
    };
    assert_eq!([lengths("list = []"), lengths("list = 1"), lengths("list = [1, 2]")], [0, 1, 2]);
}

#[test]
fn values_are_read_as_written() {
    let text =
        "text = \"a\"\nnumber = 1_000\nhalf = 0.5\nyes = true\nspan = \"10%\"\nsize = \"2K\"";
    let mut root = TomlTable::root(&WHOLE, Path::new("my.toml"), text).unwrap();
    let mut item = |key| root.required(key, "").unwrap();
    assert_eq!(item("text").choice(&["b", "a"]).unwrap(), "a");
    assert_eq!(item("number").whole(1, "").unwrap(), 1_000);
    assert!((item("half").number(|_| true, "").unwrap() - 0.5).abs() < f64::EPSILON);
    assert!(item("yes").boolean().unwrap());
    assert_eq!(item("span").quantity::<Span>("").unwrap().to_string(), "10%");
    assert_eq!(item("size").bytes().unwrap(), 2_000);
    root.finish().unwrap();
}

#[test]
fn names_that_the_user_chooses_come_in_the_order_of_the_file() {
    let text = "[b]\nx = 1\n[a]\n";
    let root = TomlTable::root(&WHOLE, Path::new("my.toml"), text).unwrap();
    let names: Vec<_> = root.named().into_iter().map(|(key, _)| (key.value, key.line)).collect();
    assert_eq!(names, [("b".to_owned(), 1), ("a".to_owned(), 3)]);
}

#[test]
fn a_form_says_how_keys_and_tables_are_called() {
    let text = "[table]\nkey = 1\n";
    let of = |form: &'static Form| {
        let mut root = TomlTable::root(form, Path::new("my.toml"), text).unwrap();
        let mut table = root.required("table", "").unwrap().table().unwrap();
        table.rename("table `of mine`".to_owned());
        let absent = table.required("other", "a value").err().unwrap();
        let wrong = table.required("key", "").unwrap().string("a text").unwrap_err();
        (absent.to_string(), wrong.text, table.problem("it").place)
    };
    let absent = "`my.toml` line 1: table `of mine` has no `other`, expected a value".to_owned();
    let place = Some(Place::line("my.toml", 1));
    let wrong = "`table.key` is an integer, expected a text".to_owned();
    assert_eq!(of(&WHOLE), (absent.clone(), wrong, place.clone()));
    let wrong = "`key` is an integer, expected a text".to_owned();
    assert_eq!(of(&BARE), (absent, wrong, place));
}
