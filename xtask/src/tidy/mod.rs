//! The rules of the house, as tests.
//!
//! Each rule is a pure function from text to complaints, so that each is also tested to complain
//! about a violation made up for it.

mod code;
mod crates;
mod files;
mod modules;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::root;

/// A text file of the repository.
pub(crate) struct Text {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) content: String,
}

impl Text {
    /// Made-up files for the tests of the rules.
    pub(crate) fn made_up(path: &str, content: &str) -> Self {
        Self { path: path.to_owned(), content: content.to_owned() }
    }
}

/// What programs made.
const NOT_OURS: [&str; 5] = [".git", "target", "runs", "prepared", ".venv"];

/// Every UTF-8 file under the root, sorted by path.
pub(crate) fn repository() -> Vec<Text> {
    let mut texts = Vec::new();
    walk(root(), &mut texts);
    assert!(texts.len() > 20, "the repository was not found at {}", root().display());
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    texts
}

fn walk(folder: &Path, texts: &mut Vec<Text>) {
    let entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("cannot read {}: {e}", folder.display()))
        .map(|entry| entry.expect("an entry of a readable folder").path())
        .collect();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if NOT_OURS.contains(&name.as_ref()) {
            continue;
        }
        if path.is_dir() {
            walk(&path, texts);
        } else if let Ok(content) = fs::read_to_string(&path) {
            let relative = path.strip_prefix(root()).expect("walked from the root");
            texts.push(Text { path: relative.to_string_lossy().into_owned(), content });
        }
    }
}

/// Fails with all complaints at once, one a line.
pub(crate) fn assert_tidy(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The Python programs whose path holds `part`, sorted.
pub(crate) fn python_programs(part: &str) -> Vec<String> {
    let texts = repository().into_iter().map(|text| text.path);
    let python = |path: &String| Path::new(path).extension().is_some_and(|e| e == "py");
    texts.filter(|path| path.contains(part) && python(path)).collect()
}
