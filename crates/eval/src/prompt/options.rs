//! Options written into a question: taken out, and written a line each.

pub(super) fn letters(count: usize) -> impl Iterator<Item = char> {
    ('A'..='Z').take(count)
}

/// `Question: …\n(A) a (B) b` as `…\nA. a\nB. b`.
///
/// # Errors
///
/// `no way` or `more than one way`: how many there are to read it so. An option may
/// begin with its own letter once more (`(A) (A) rises`): a marker right behind itself is text.
pub(super) fn take_apart(query: &str, count: usize) -> Result<String, &'static str> {
    let no_way = "no way";
    let text = query.strip_prefix("Question: ").ok_or(no_way)?;
    let markers: Vec<String> = letters(count).map(|letter| format!("({letter}) ")).collect();
    if markers.len() != count {
        return Err(no_way);
    }
    let mut ways = Vec::new();
    cut(text, 0, &markers, &mut Vec::new(), &mut ways);
    match ways.as_slice() {
        [cuts] => Ok(written(text, cuts)),
        [] => Err(no_way),
        _ => Err("more than one way"),
    }
}

/// Adds to `ways` every choice of a place for each marker from `from` on; two are enough.
fn cut(
    text: &str,
    from: usize,
    markers: &[String],
    cuts: &mut Vec<usize>,
    ways: &mut Vec<Vec<usize>>,
) {
    let Some(marker) = markers.get(cuts.len()) else {
        ways.push(cuts.clone());
        return;
    };
    let before = if cuts.is_empty() { '\n' } else { ' ' };
    for (at, _) in text[from..].match_indices(marker.as_str()) {
        let at = from + at;
        // Not `P(B) (B) x`, where the first is no marker.
        let doubled = text[..at].ends_with(&format!(" {marker}"));
        if !text[..at].ends_with(before) || doubled || ways.len() > 1 {
            continue;
        }
        cuts.push(at);
        cut(text, at + marker.len(), markers, cuts, ways);
        cuts.pop();
    }
}

/// The question up to the first cut, then what lies between the cuts, less the white space that set
/// it off.
fn written(text: &str, cuts: &[usize]) -> String {
    let mut out = text[..cuts[0] - 1].to_owned();
    for (i, letter) in letters(cuts.len()).enumerate() {
        let end = cuts.get(i + 1).map_or(text.len(), |next| next - 1);
        let option = &text[cuts[i] + "(A) ".len()..end];
        for part in ["\n", letter.encode_utf8(&mut [0; 4]), ". ", option] {
            out.push_str(part);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_stand_a_line_each() {
        let query = "Question: Which is\n\nred?\n(A) the sky (B) (blood) (C) grass? (D) sand";
        assert_eq!(
            take_apart(query, 4).unwrap(),
            "Which is\n\nred?\nA. the sky\nB. (blood)\nC. grass?\nD. sand"
        );
    }

    #[test]
    fn a_doubled_letter_is_part_of_the_option() {
        let query = "Question: It\n(A) (A) rises (B) (B) falls";
        assert_eq!(take_apart(query, 2).unwrap(), "It\nA. (A) rises\nB. (B) falls");
    }

    #[test]
    fn a_letter_in_brackets_within_a_word_is_no_marker() {
        let query = "Question: If\n(A) P(A and B) = P(A) · P(B) (B) P(A| B) = P(B| A)";
        let expected = "If\nA. P(A and B) = P(A) · P(B)\nB. P(A| B) = P(B| A)";
        assert_eq!(take_apart(query, 2).unwrap(), expected);
    }

    #[test]
    fn what_can_be_read_in_two_ways_or_none_is_refused() {
        let found = |query| take_apart(query, 3).unwrap_err();
        let twice = "Question: One\n(A) neither (B) nor (B) both (C) all";
        assert_eq!(found(twice), "more than one way");
        let first_twice = "Question: One\n(A) is\n(A) was (B) nor (C) all";
        assert_eq!(found(first_twice), "more than one way");
        for none in [
            "One\n(A) a (B) b (C) c",
            "Question: One (A) a (B) b (C) c",
            "Question: One\n(A) a (C) c (B) b",
            "Question: One\n(A) a (B) b",
        ] {
            assert_eq!(found(none), "no way", "{none}");
        }
    }
}
