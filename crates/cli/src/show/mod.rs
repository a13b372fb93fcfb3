//! `show`: a look inside what sparkjoy has written, and models of others.

mod batch;
mod checkpoint;
mod diverged;
mod model;
mod prepared;
mod run;
mod source;

use sparkjoy_data::{Corpus, Part, Tokenizer};

use crate::args::{Place, ShowTarget};
use crate::failure::Failure;

/// Shows what lies at a path. What it is, is told by what it is called or holds.
///
/// # Errors
///
/// [`Failure::Unknown`] if it is nothing of ours; what reading it meets.
pub(crate) fn show(what: &ShowTarget, place: &Place) -> Result<(), Failure> {
    let path = what.path.as_path();
    let (name, extension) = (path.file_name(), path.extension());
    let is = |text: &str| extension.is_some_and(|e| e == text);
    let diverged = name.is_some_and(|n| n.to_string_lossy().starts_with("diverged-"));
    if is("toml") && path.is_file() {
        batch::show(what, place)
    } else if is("json") && diverged {
        diverged::show(path, what.rows, place)
    } else if path.join("state.json").is_file() {
        checkpoint::show(path, place.output())
    } else if path.join("run.json").is_file() {
        run::show(path, place.output())
    } else if source::is_one(path) {
        source::show(path, what.rows, place)
    } else if model::is_one(path) {
        model::show(path, place.output())
    } else {
        Err(Failure::Unknown { path: path.to_owned() })
    }
}

/// The text of one training sequence.
fn text_of(
    corpus: &Corpus,
    tokenizer: &Tokenizer,
    context: usize,
    ordinal: u64,
) -> Result<String, Failure> {
    let mut tokens = vec![0; context];
    corpus.read(Part::Train, ordinal, &mut tokens)?;
    Ok(tokenizer.decode(&tokens))
}

/// The beginning of a text on one line: `width` characters, line breaks as `⏎`.
fn excerpt(text: &str, width: usize) -> String {
    let mut characters = text.chars().map(|c| match c {
        '\n' => '⏎',
        c if c.is_control() => ' ',
        c => c,
    });
    let mut line: String = characters.by_ref().take(width).collect();
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_line_and_says_that_it_ends_early() {
        assert_eq!(excerpt("a\nb\tc", 5), "a⏎b c");
        assert_eq!(excerpt("naïve text", 5), "naïve…");
    }
}
