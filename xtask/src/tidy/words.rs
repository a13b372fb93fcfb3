//! The field's terms: rejected words stay out of code, documents and everything a user reads, and
//! a general name belongs to one type.

use std::collections::BTreeMap;
use std::path::Path;

use super::Text;
#[cfg(test)]
use super::{assert_tidy, repository};

/// History, and this table.
const EXEMPT: [&str; 3] = ["CHANGELOG.md", "docs/decisions.md", "xtask/src/tidy/words.rs"];

/// Rejected words in lower case, and what to write instead. Words of a phrase are separated by one
/// space. Names are split at `_` and before capitals first, so `slab` also rejects `SLAB_ROWS` and
/// `PackedSlab`.
const REJECTED: [(&str, &str); 62] = [
    ("foretold", "predicted"),
    ("foretell", "predict"),
    ("foretells", "predicts"),
    ("distinguishable", "significant"),
    ("distinguishably", "significantly"),
    ("four of five", "80 % power"),
    ("could be seen", "minimum detectable effect"),
    ("could have been seen", "would have been detected with 80 % power"),
    ("could have seen", "minimum detectable effect"),
    ("would have been seen", "would have been detected with 80 % power"),
    ("sight", "power analysis"),
    ("eased", "tail-corrected"),
    ("room", "freed share, space, buffer, or crate"),
    ("rooms", "buffers, or crates"),
    ("kernel of choice", "a given instruction set"),
    ("on a kernel", "on an instruction set"),
    ("on one kernel", "on one instruction set"),
    ("on another kernel", "on another instruction set"),
    ("another kernel", "another instruction set"),
    ("with kernel", "with an instruction set"),
    ("kernel of", "instruction set of"),
    ("patch", "tile, or block"),
    ("patches", "tiles, or blocks"),
    ("slab", "block, or pack buffer"),
    ("slabs", "blocks, or pack buffers"),
    ("panel", "block"),
    ("panels", "blocks"),
    ("ending", "mixture of the last phase; extension of a file; exit of a process"),
    ("endings", "mixtures of the last phase; extensions of files"),
    ("course", "schedule of a phase"),
    ("courses", "schedules of a phase"),
    ("leg", "phase"),
    ("legs", "phases"),
    ("supply", "source"),
    ("supplies", "sources"),
    ("stock", "source"),
    ("stocks", "sources"),
    ("card", "scores, or scorecard"),
    ("cards", "scores"),
    ("pulse", "heartbeat"),
    ("sign of life", "heartbeat"),
    ("is missed", "significant loss without it"),
    ("not missed", "no measurable loss without it"),
    ("be missed", "significant loss without it"),
    ("right answer", "correct answer, or answer likelihood"),
    ("right answers", "correct answers, or answer likelihood"),
    ("gain and price", "gain (targeted) and cost (general)"),
    ("price", "cost"),
    ("prices", "costs"),
    ("leave it late", "branches start at late checkpoints"),
    ("leaves it late", "branches start at late checkpoints"),
    ("below zero is better", "compared with the control of the same replicate"),
    ("nothing is certain", "say what p is"),
    ("on paper", "is divided into ranges"),
    ("is nobody's", "is undefined"),
    ("missed by nobody", "best-effort"),
    ("tell of", "say which"),
    ("stands beside it", "is given with it"),
    ("by a hair", "just"),
    ("room alone", "the freed share"),
    ("own text aside", "say which sources"),
    ("of course", "delete it"),
];

/// Type names that are rejected as they are, and what to write instead.
const REJECTED_TYPES: [(&str, &str); 6] = [
    ("Kernel", "InstructionSet"),
    ("Sign", "Heartbeat"),
    ("Account", "a name such as SourceTokens"),
    ("Counted", "a state of a source, not another type"),
    ("Surveyed", "SurveyedSource"),
    ("Eased", "TailCorrected"),
];

/// Names so general that a second type of that name needs a more exact one.
const ONE_TYPE: [&str; 11] = [
    "Rate", "Progress", "Table", "Tree", "Asked", "Outcome", "What", "Subject", "Verdict",
    "Opened", "Stock",
];

/// Names of Rust files that say an activity or a container in place of the subject.
const REJECTED_FILES: [&str; 12] = [
    "making", "intake", "packed", "rows", "lines", "walk", "fit", "note", "board", "shelf",
    "account", "stock",
];

/// Words that are the content of a data set or a text of somebody else, by file.
const CONTENT: [(&str, &str); 3] = [
    ("crates/world/src/words.rs", "cards"),
    // A question of GSM8K.
    ("crates/eval/src/overlap/texts.rs", "legs"),
    // A method of HTTP.
    ("crates/report/src/live/guard.rs", "patch"),
];

/// Words that are the field's term except where they once named a block of a matrix or of memory.
const ONLY_IN: [(&str, &[&str]); 2] =
    [("panel", &["crates/nn/", "crates/sandbox/"]), ("panels", &["crates/nn/", "crates/sandbox/"])];

/// Keys of JSON that is hashed or lies in folders of old runs, as code writes them.
const SERIALISED: [&str; 5] =
    [".supplies", "supplies:", "\"supplies\"", "rename = \"supply\"", "rename = \"card\""];

fn is_checked(text: &Text) -> bool {
    let kinds = ["rs", "md", "toml", "py"];
    let kind = Path::new(&text.path).extension().is_some_and(|e| kinds.iter().any(|k| e == *k));
    kind && !EXEMPT.contains(&text.path.as_str())
}

/// Whether a rejected word is fine in a file.
fn is_fine(path: &str, word: &str) -> bool {
    let mut restricted = ONLY_IN.iter().filter(|(rejected, _)| *rejected == word);
    CONTENT.contains(&(path, word))
        || restricted.any(|(_, places)| !places.iter().any(|place| path.starts_with(place)))
}

/// A line without the keys of [`SERIALISED`].
fn without_keys(line: &str) -> String {
    SERIALISED.iter().fold(line.to_owned(), |line, key| line.replace(key, " "))
}

/// The words of a line in lower case, separated and surrounded by one space. Names are split at
/// `_` and before capitals.
fn words(line: &str) -> String {
    let mut words = String::from(" ");
    let mut before = ' ';
    for c in line.chars() {
        let is_letter = c.is_alphanumeric() || c == '\'';
        let begins = c.is_uppercase() && before.is_lowercase();
        if (!is_letter || begins) && !words.ends_with(' ') {
            words.push(' ');
        }
        if is_letter {
            words.extend(c.to_lowercase());
        }
        before = c;
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    words
}

/// Rejected words of a text, one complaint per line and word.
fn rejected(text: &Text) -> Vec<String> {
    let mut complaints = Vec::new();
    for (at, line) in text.content.lines().enumerate() {
        let words = words(&without_keys(line));
        for (word, instead) in REJECTED {
            if words.contains(&format!(" {word} ")) && !is_fine(&text.path, word) {
                let place = format!("{}:{}", text.path, at + 1);
                complaints.push(format!("{place}: `{word}`, write {instead}"));
            }
        }
        for (name, instead) in REJECTED_TYPES {
            if declared(line) == Some(name) {
                let place = format!("{}:{}", text.path, at + 1);
                complaints.push(format!("{place}: type `{name}`, write {instead}"));
            }
        }
    }
    complaints
}

fn declared(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line
        .split_once("pub(")
        .map_or(line, |(_, rest)| rest.split_once(") ").map_or(line, |(_, rest)| rest));
    let keywords = ["struct ", "enum ", "type ", "trait "];
    let rest = keywords.iter().find_map(|keyword| line.strip_prefix(keyword))?;
    rest.split(|c: char| !c.is_alphanumeric()).next()
}

/// General names that more than one file declares.
fn repeated(texts: &[&Text]) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let is_rust = |text: &&&Text| Path::new(&text.path).extension().is_some_and(|e| e == "rs");
    for text in texts.iter().filter(is_rust) {
        for (at, line) in text.content.lines().enumerate() {
            if let Some(name) = declared(line).filter(|name| ONE_TYPE.contains(name)) {
                places.entry(name).or_default().push(format!("{}:{}", text.path, at + 1));
            }
        }
    }
    let more_than_one = places.into_iter().filter(|(_, places)| places.len() > 1);
    more_than_one
        .map(|(name, places)| {
            format!(
                "{}: `{name}` is declared {} times, use exact names",
                places.join(", "),
                places.len()
            )
        })
        .collect()
}

fn badly_named(text: &Text) -> Option<String> {
    let path = Path::new(&text.path);
    let stem = path.file_stem()?.to_str()?;
    let is_rust = path.extension().is_some_and(|e| e == "rs");
    (is_rust && REJECTED_FILES.contains(&stem))
        .then(|| format!("{}: name the file after its subject, not `{stem}`", text.path))
}

fn complaints(texts: &[Text]) -> Vec<String> {
    let checked: Vec<&Text> = texts.iter().filter(|text| is_checked(text)).collect();
    let mut complaints: Vec<String> = checked.iter().flat_map(|text| rejected(text)).collect();
    complaints.extend(checked.iter().filter_map(|text| badly_named(text)));
    complaints.extend(repeated(&checked));
    complaints
}

#[test]
fn rejected_words_stay_out() {
    assert_tidy(&complaints(&repository()));
}

#[test]
fn words_are_found_in_names_and_phrases() {
    let text =
        "/// Nothing foretells it in four of five studies.\nlet slab_left = PackedSlab::new();\n";
    let found = complaints(&[Text::made_up("crates/nn/src/gemm.rs", text)]);
    assert_eq!(
        found,
        [
            "crates/nn/src/gemm.rs:1: `foretells`, write predicts",
            "crates/nn/src/gemm.rs:1: `four of five`, write 80 % power",
            "crates/nn/src/gemm.rs:2: `slab`, write block, or pack buffer",
        ]
    );
    let clean = "let broom = mushroom(); // depending on unseen cardinals\n";
    assert!(rejected(&Text::made_up("crates/nn/src/gemm.rs", clean)).is_empty());
    assert_eq!(rejected(&Text::made_up("a.rs", "pub(crate) struct Kernel {\n")).len(), 1);
}

#[test]
fn a_word_may_be_fine_in_one_place_only() {
    let found = |path: &str, line: &str| rejected(&Text::made_up(path, line)).len();
    assert_eq!(found("crates/nn/src/gemm.rs", "let panel = 1;"), 1);
    assert_eq!(found("crates/report/src/chart/mod.rs", "let panel = 1;"), 0);
    assert_eq!(found("a.rs", "let supplies = spec.supplies.len();"), 1);
    assert_eq!(found("a.rs", "RunSpec { supplies: Vec::new() }"), 0);
}

#[test]
fn a_general_name_is_one_type() {
    let one = Text::made_up("a.rs", "pub struct Table {\n");
    let two = Text::made_up("b.rs", "pub(crate) enum Table {\n");
    assert!(repeated(&[&one]).is_empty());
    assert_eq!(
        repeated(&[&one, &two]),
        ["a.rs:1, b.rs:1: `Table` is declared 2 times, use exact names"]
    );
}

#[test]
fn files_are_named_after_their_subject() {
    assert!(badly_named(&Text::made_up("crates/data/src/making.rs", "")).is_some());
    assert!(badly_named(&Text::made_up("crates/data/src/shard.rs", "")).is_none());
}

#[test]
fn history_and_other_files_are_not_checked() {
    let slab = |path: &str| complaints(&[Text::made_up(path, "a slab\n")]);
    assert_eq!(slab("README.md").len(), 1);
    assert!(slab("CHANGELOG.md").is_empty());
    assert!(slab("crates/page/src/style.css").is_empty());
}
