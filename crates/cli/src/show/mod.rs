//! `show`: a look inside what sparkjoy has written, and models of others.

mod batch;
mod checkpoint;
mod diverged;
mod item;
mod model;
mod prepared;
mod run;
mod source;

use sparkjoy_base::printable;
use sparkjoy_data::{Corpus, Part, Tokenizer};

use crate::args::{Place, ShowTarget};
use crate::failure::Failure;

pub(crate) use checkpoint::by_number as checkpoint_by_number;

/// Shows what lies at a path. What it is, is told by what it is called or holds.
///
/// # Errors
///
/// [`Failure::Unknown`] if it is nothing of ours; what reading it meets.
pub(crate) fn show(what: &ShowTarget, place: &Place) -> Result<(), Failure> {
    if let Some(item) = &what.item {
        return item::show(what, item, place);
    }
    let path = &checkpoint::by_number(&what.path)?;
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
    } else if path.exists() {
        Err(Failure::Unknown { path: path.clone() })
    } else {
        Err(Failure::NotThere { path: path.clone() })
    }
}

/// What stands for the end of a document in a text that is shown.
const END_OF_DOCUMENT: &str = "<|endoftext|>";

/// The text of one training sequence, [`END_OF_DOCUMENT`] behind each document that ends in it.
fn text_of(
    corpus: &Corpus,
    tokenizer: &Tokenizer,
    context: usize,
    ordinal: u64,
) -> Result<String, Failure> {
    let mut tokens = vec![0; context];
    corpus.read(Part::Train, ordinal, &mut tokens)?;
    let documents = tokens.split(|&id| id == tokenizer.end_of_text());
    let texts: Vec<String> = documents.map(|ids| tokenizer.decode(ids)).collect();
    Ok(texts.join(END_OF_DOCUMENT))
}

/// What the signs of an excerpt stand for, where it has some.
fn legend<'a>(mut texts: impl Iterator<Item = &'a String>) -> &'static str {
    if texts.any(|text| text.contains(END_OF_DOCUMENT)) {
        "\n⏎ a line break, ∎ the end of a document\n"
    } else {
        ""
    }
}

/// The beginning of a text on one line: `width` characters, line breaks as `⏎`, ends of documents
/// as `∎`, and what nobody sees as an escape.
fn excerpt(text: &str, width: usize) -> String {
    let text = text.replace(END_OF_DOCUMENT, " ∎ ").replace('\n', "⏎").replace('\t', " ");
    let shown = printable(&text).into_owned();
    let shown = shown.chars().fold(String::new(), |mut shown, c| {
        if is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        shown
    });
    let mut characters = shown.chars();
    let mut line: String = characters.by_ref().take(width).collect();
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

/// Whether a character takes no place: words that look alike differ in it.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
        || matches!(c, '\u{61c}' | '\u{180e}' | '\u{e0000}'..='\u{e007f}')
}

/// A text over several lines, set in by two: `most` of them, and `…` where there is more.
fn passage(text: &str, most: usize) -> String {
    const WIDTH: usize = 96;
    let whole: Vec<char> = excerpt(text, usize::MAX).chars().collect();
    let lines = whole.chunks(WIDTH).map(|line| format!("  {}", line.iter().collect::<String>()));
    let mut shown: Vec<String> = lines.take(most).collect();
    if whole.len() > WIDTH * most
        && let Some(last) = shown.last_mut()
    {
        last.push('…');
    }
    shown.join("\n")
}

/// Lines of the text of each of some rows: one by itself is shown in full.
fn lines_each(rows: usize) -> usize {
    if rows == 1 { usize::MAX / 1000 } else { 4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_line_and_says_that_it_ends_early() {
        assert_eq!(excerpt("a\nb\tc", 5), "a⏎b c");
        assert_eq!(excerpt("naïve text", 5), "naïve…");
        // An escape, a turned direction, no width, a mark.
        let hidden = "a\u{7}b\u{202e}c\u{200b}d\u{feff}e";
        assert_eq!(excerpt(hidden, 99), r"a\u{7}b\u{202e}c\u{200b}d\u{feff}e");
        assert_eq!(excerpt("one<|endoftext|>two", 12), "one ∎ two");
        let text = "a".repeat(95) + "\nb" + &"c".repeat(100);
        let [first, second] = ["a".repeat(95) + "⏎", "b".to_owned() + &"c".repeat(95)];
        assert_eq!(passage(&text, 2), format!("  {first}\n  {second}…"));
        assert_eq!(passage(&text, lines_each(1)), format!("  {first}\n  {second}\n  ccccc"));
    }
}
