//! Rules about single files: size, width, openers, and words that must not stay.

use std::path::Path;

use super::code::{has_word, only, without_strings};
use super::{Text, assert_tidy, repository};

const LINES: usize = 600;
const COLUMNS: usize = 100;

/// Where `unsafe` may stand: kernels, and the mapping of files that never change.
const UNSAFE: [&str; 1] = ["crates/nn/"];

/// Marks of what is unfinished or silenced. `#[expect(…, reason = …)]` is what to write instead.
const UNFINISHED: [&str; 6] =
    ["#[allow(", "#![allow(", "#[ignore", "todo!", "unimplemented!", "dbg!"];

fn is_rust(text: &Text) -> bool {
    Path::new(&text.path).extension().is_some_and(|extension| extension == "rs")
}

fn too_long(text: &Text) -> Option<String> {
    let lines = text.content.lines().count();
    (is_rust(text) && lines > LINES)
        .then(|| format!("{} has {lines} lines, more than {LINES}; split it by subject", text.path))
}

/// Strings do not count: a text that a test expects is as wide as it is.
fn too_wide(text: &Text) -> Vec<String> {
    if !is_rust(text) {
        return Vec::new();
    }
    let wide = |(at, line): (usize, &str)| {
        let columns = line.chars().count();
        (columns > COLUMNS)
            .then(|| format!("{}:{}: {columns} columns, more than {COLUMNS}", text.path, at + 1))
    };
    without_strings(&text.content).lines().enumerate().filter_map(wide).collect()
}

fn without_opener(text: &Text) -> Option<String> {
    (is_rust(text) && !text.content.starts_with("//! "))
        .then(|| format!("{}: opens without `//!`, say what the file is for", text.path))
}

fn unfinished(text: &Text) -> Vec<String> {
    let code = if is_rust(text) { only(&text.content) } else { String::new() };
    let marks = |(at, line): (usize, &str)| {
        let mark = UNFINISHED.into_iter().find(|mark| line.contains(mark))?;
        Some(format!("{}:{}: `{mark}` must not stay", text.path, at + 1))
    };
    code.lines().enumerate().filter_map(marks).collect()
}

fn unsafe_outside(text: &Text) -> Vec<String> {
    if !is_rust(text) || UNSAFE.iter().any(|place| text.path.starts_with(place)) {
        return Vec::new();
    }
    let complain = |(at, line): (usize, &str)| {
        has_word(line, "unsafe")
            .then(|| format!("{}:{}: `unsafe` is allowed in {UNSAFE:?} only", text.path, at + 1))
    };
    only(&text.content).lines().enumerate().filter_map(complain).collect()
}

/// Folders of somebody's machine. Written in two halves, so that this file is clean itself.
fn machine_path(text: &Text) -> Vec<String> {
    let homes = [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/")];
    let complain = |(at, line): (usize, &str)| {
        let home = homes.into_iter().find(|home| line.contains(home))?;
        Some(format!("{}:{}: `{home}` is a path of one machine", text.path, at + 1))
    };
    text.content.lines().enumerate().filter_map(complain).collect()
}

#[test]
fn no_file_is_too_long() {
    assert_tidy(&repository().iter().filter_map(too_long).collect::<Vec<_>>());
    let at = |lines| too_long(&Text::made_up("crates/report/src/text.rs", &"\n".repeat(lines)));
    assert_eq!(at(600), None);
    assert_eq!(
        at(612).unwrap(),
        "crates/report/src/text.rs has 612 lines, more than 600; split it by subject"
    );
}

#[test]
fn no_line_is_too_wide() {
    assert_tidy(&repository().iter().flat_map(too_wide).collect::<Vec<_>>());
    let at = |columns| too_wide(&Text::made_up("a.rs", &format!("//!\n{}", "é".repeat(columns))));
    assert!(at(100).is_empty());
    assert_eq!(at(101), ["a.rs:2: 101 columns, more than 100"]);
}

#[test]
fn every_file_says_what_it_is_for() {
    assert_tidy(&repository().iter().filter_map(without_opener).collect::<Vec<_>>());
    assert!(without_opener(&Text::made_up("a.rs", "//! The plan.\n")).is_none());
    assert!(without_opener(&Text::made_up("a.rs", "use std::fs;\n")).is_some());
    assert!(without_opener(&Text::made_up("a.md", "# Title\n")).is_none());
}

#[test]
fn nothing_unfinished_or_silenced_stays() {
    assert_tidy(&repository().iter().flat_map(unfinished).collect::<Vec<_>>());
    for mark in UNFINISHED {
        let code = format!("//! A file.\n{mark}\n// {mark}\n");
        let complaints = unfinished(&Text::made_up("a.rs", &code));
        assert_eq!(complaints, [format!("a.rs:2: `{mark}` must not stay")]);
    }
}

#[test]
fn unsafe_stays_where_it_is_allowed() {
    assert_tidy(&repository().iter().flat_map(unsafe_outside).collect::<Vec<_>>());
    let at = |path| unsafe_outside(&Text::made_up(path, "//! A file.\nunsafe { x() }\n"));
    assert!(at("crates/nn/src/attention.rs").is_empty());
    assert_eq!(at("crates/mix/src/order.rs").len(), 1);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    assert_tidy(&repository().iter().flat_map(machine_path).collect::<Vec<_>>());
    let line = format!("data = \"{}me/ada/corpora\"\n", "/ho");
    assert_eq!(machine_path(&Text::made_up("study.toml", &line)).len(), 1);
}
