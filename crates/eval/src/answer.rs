//! What of a generated text is the answer, and whether it agrees with a reference.
//!
//! The original's rule asks whether the answer *starts with* a reference, so that 50 passes for 5.
//! It is kept under its name; the exact rule is judged beside it.

use crate::Generation;
use crate::text::{is_space, normalize, strip, strip_end};

/// The answer in a generated text.
pub(crate) struct Said<'a> {
    /// What follows the last delimiter; everything if there is none.
    pub(crate) text: &'a str,
    /// Whether the delimiter is there, or none is asked for.
    pub(crate) delimited: bool,
}

/// Cuts a text at the first stop string, and takes what follows the last delimiter.
///
/// # Source
///
/// `InContextLearningGenerationExactMatchAccuracy` of LLM Foundry. Its stop strings are joined to
/// a regular expression; those of the published tasks mean themselves, as all do here.
pub(crate) fn answer_of<'a>(generation: &Generation, text: &'a str) -> Said<'a> {
    let stop = generation.stop.iter().filter_map(|stop| text.find(stop.as_str())).min();
    let text = &text[..stop.unwrap_or(text.len())];
    let delimiter = generation.cot_delimiter.as_str();
    if delimiter.is_empty() {
        return Said { text, delimited: true };
    }
    match text.rfind(delimiter) {
        Some(at) => Said { text: &text[at + delimiter.len()..], delimited: true },
        None => Said { text, delimited: false },
    }
}

/// The original's rule: the answer starts with the reference.
pub(crate) fn starts_with(generation: &Generation, said: &str, reference: &str) -> bool {
    if generation.normalize {
        normalize(said).starts_with(&normalize(reference))
    } else {
        strip(said).starts_with(strip(reference))
    }
}

/// The exact rule: the answer is the reference.
///
/// A reference that is a number must be the first word of the answer, as a number: commas between
/// digits, zeros that change nothing, a sign of currency before, and a unit sign or a punctuation
/// mark behind do not count. Any other must be the answer's first line; where the task normalises,
/// both in their normal form. A text without its delimiter has no answer, and a reference that
/// normalises to nothing agrees with nothing.
pub(crate) fn agrees_exactly(generation: &Generation, said: &Said<'_>, reference: &str) -> bool {
    if !said.delimited {
        return false;
    }
    let (text, reference) = (strip(said.text), strip(reference));
    let line = strip_end(text.split('\n').next().unwrap_or_default());
    if generation.normalize {
        let reference = normalize(reference);
        return !reference.is_empty() && normalize(line) == reference;
    }
    match number(reference) {
        Some(reference) => number(text).is_some_and(|found| found == reference),
        None => line == reference,
    }
}

/// A decimal number in one form for each value: sign, digits, fraction.
type Number = (bool, String, String);

/// The number that is the first word of a text.
fn number(text: &str) -> Option<Number> {
    let is_currency = |c| matches!(c, '$' | '€' | '£' | '¥');
    let trailing = |c| matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '%' | '°') || is_currency(c);
    let (mut negative, mut rest) = (false, text);
    // A sign may stand on either side of the currency: -$5, $-5.
    for _ in 0..2 {
        if let Some(behind) = rest.strip_prefix(['-', '+', '\u{2212}']) {
            negative ^= !rest.starts_with('+');
            rest = behind;
        }
        rest = rest.trim_start_matches(is_currency).trim_start_matches(is_space);
    }
    let word = rest.split(is_space).next()?.trim_end_matches(trailing);
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let whole = without_commas(whole)?;
    if !digits(&whole) || !digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let whole = whole.trim_start_matches('0').to_owned();
    let fraction = fraction.trim_end_matches('0').to_owned();
    let is_zero = whole.is_empty() && fraction.is_empty();
    Some((negative && !is_zero, whole, fraction))
}

/// The digits, if the commas stand between groups of three.
fn without_commas(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let grouped = whole.contains(',');
    let fits = !grouped || (1..=3).contains(&first.len());
    (fits && groups.all(|group| group.len() == 3)).then(|| whole.replace(',', ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MatchRule;

    fn reasoned() -> Generation {
        Generation {
            cot_delimiter: "The answer is ".to_owned(),
            stop: vec!["\n\n".to_owned(), "Question:".to_owned()],
            normalize: false,
            rule: MatchRule::Prefix,
        }
    }

    fn plain(normalize: bool) -> Generation {
        Generation { cot_delimiter: String::new(), stop: vec![], normalize, ..reasoned() }
    }

    /// Whether it matches by the prefix rule and by the exact one.
    fn matches(generation: &Generation, text: &str, reference: &str) -> (bool, bool) {
        let said = answer_of(generation, text);
        let exact = agrees_exactly(generation, &said, reference);
        (starts_with(generation, said.text, reference), exact)
    }

    #[test]
    fn the_answer_follows_the_last_delimiter_before_the_first_stop() {
        let text = "so The answer is 3. No, The answer is 4.\n\nThe answer is 5. Question: x";
        assert_eq!(answer_of(&reasoned(), text).text, "4.");
        assert_eq!(answer_of(&reasoned(), "Question: The answer is 1").text, "");
        assert_eq!(answer_of(&plain(false), "a\n\nb").text, "a\n\nb");
    }

    #[test]
    fn fifty_starts_with_five_and_is_not_five() {
        let said = |answer: &str, reference| {
            matches(&reasoned(), &format!("The answer is {answer}"), reference)
        };
        assert_eq!(said("5", "5"), (true, true));
        assert_eq!(said("5.", "5"), (true, true));
        assert_eq!(said("50.", "5"), (true, false));
        assert_eq!(said("5.5", "5"), (true, false));
        assert_eq!(said("5/6", "5"), (true, false));
        assert_eq!(said("5 apples.", "5"), (true, true));
        assert_eq!(said("5.00", "5"), (true, true));
        assert_eq!(said("05", "5"), (false, true));
        assert_eq!(said("$5", "5"), (false, true));
        assert_eq!(said("-$ 5", "-5"), (false, true));
        assert_eq!(said("5%", "5"), (true, true));
        assert_eq!(said("1,050", "1050"), (false, true));
        assert_eq!(said("1050", "1,050"), (false, true));
        assert_eq!(said("10,50", "1050"), (false, false));
        assert_eq!(said("-5", "5"), (false, false));
        assert_eq!(said("-0", "0"), (false, true));
        assert_eq!(said("five", "5"), (false, false));
        assert_eq!(said("", "5"), (false, false));
    }

    #[test]
    fn without_its_delimiter_a_text_has_no_exact_answer() {
        assert_eq!(matches(&reasoned(), "5 it is", "5"), (true, false));
    }

    #[test]
    fn names_are_compared_line_by_line_in_their_normal_form() {
        let text = " The Onion!\nQuestion: Which";
        assert_eq!(matches(&plain(true), text, "onion"), (true, true));
        assert_eq!(matches(&plain(true), " onion skins", "Onion"), (true, false));
        assert_eq!(matches(&plain(true), " potato", "The"), (true, false));
        assert_eq!(matches(&plain(false), " Onion\nx", "Onion"), (true, true));
        assert_eq!(matches(&plain(false), " onion", "Onion"), (false, false));
    }
}
