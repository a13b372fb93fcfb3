//! Text as Python handles it: what counts as white space, and TriviaQA's normal form of an answer.
//!
//! The task files were made, stripped and judged by Python programs. Rust's `trim` agrees with
//! `str.strip` except for four control characters, and that is where a prompt would differ.

/// Whether `str.isspace` says so: Unicode white space, and the separators U+001C to U+001F.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// `str.strip()`.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.rstrip()`.
pub(crate) fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// The normal form in which TriviaQA's answers are compared: lower case, no punctuation, no
/// articles, single spaces.
///
/// # Source
///
/// `triviaqa_evaluation.py` of the TriviaQA authors, as copied into LLM Foundry's metric.
pub(crate) fn normalize(answer: &str) -> String {
    let lower = answer.to_lowercase();
    let plain: String = lower.chars().map(|c| if is_punctuation(c) { ' ' } else { c }).collect();
    let mut words = without_articles(&plain);
    words = words.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    words
}

/// `string.punctuation` (which holds the underscore) and four kinds of quotation mark.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || matches!(c, '‘' | '’' | '´' | '`')
}

/// A space in place of every `a`, `an` and `the` between word boundaries.
fn without_articles(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        out.push_str(if matches!(word, "a" | "an" | "the") { " " } else { word });
        let next = behind.find(is_word).unwrap_or(behind.len());
        out.push_str(&behind[..next]);
        rest = &behind[next..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_of_information_are_space_to_python() {
        assert_eq!(strip("\u{1f}\u{85}\u{a0} a b\u{1c}\n"), "a b");
        assert_eq!(strip_end(" a \u{3000}\t"), " a");
        // Zero-width space and byte order mark are none, in both languages.
        assert_eq!(strip("\u{200b}a\u{feff}"), "\u{200b}a\u{feff}");
    }

    #[test]
    fn normal_forms_lose_case_articles_and_punctuation() {
        for (answer, expected) in [
            ("The  Beatles!", "beatles"),
            ("an_apple a day", "apple day"),
            ("Theatre of a-the", "theatre of"),
            ("‘Tis ´the` Rock’n’Roll", "tis rock n roll"),
            ("The", ""),
            ("anthem; A\u{1c}B", "anthem b"),
            ("ÉCLAIR", "éclair"),
        ] {
            assert_eq!(normalize(answer), expected, "{answer}");
        }
    }
}
