//! What of a Rust file is code: comments, strings and characters are blanked out.

/// `source` with the inside of comments, strings and character literals replaced by spaces. Lines
/// and columns stay where they are.
pub(crate) fn only(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = end_of_text(bytes, at);
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).expect("whole characters were replaced by ASCII")
}

/// `source` without the inside of its strings and character literals: the lines stay, the columns
/// do not. Expected texts may be as wide as what they expect.
pub(crate) fn without_strings(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = end_of_text(bytes, at).max(at + 1);
        let is_text = end > at + 1 && bytes[at] != b'/';
        out.extend(bytes[at..end].iter().filter(|&&byte| !is_text || byte == b'\n'));
        at = end;
    }
    String::from_utf8(out).expect("whole characters were left out")
}

/// The end of the comment or literal that begins at `at`; `at` itself if none does.
fn end_of_text(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let after_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => at + until(rest, b"\n"),
        [b'/', b'*', ..] => at + until(rest, b"*/"),
        [b'r', b'"' | b'#', ..] if !after_name => raw_string(bytes, at, at),
        [b'b', b'r', b'"' | b'#', ..] if !after_name => raw_string(bytes, at, at + 1),
        [b'"', ..] => at + 1 + quoted(&rest[1..], b'"'),
        [b'\'', b'\\', ..] => at + 1 + quoted(&rest[1..], b'\''),
        [b'\'', b'"' | b'/', b'\'', ..] => at + 3,
        _ => at,
    }
}

/// The length up to and including `end`, or all of it.
fn until(text: &[u8], end: &[u8]) -> usize {
    text.windows(end.len()).position(|w| w == end).map_or(text.len(), |p| p + end.len())
}

/// The length up to and including the closing `quote`, minding backslashes.
fn quoted(text: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while at < text.len() && text[at] != quote {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

/// The end of the raw string whose `r` is at `r`; `at` if it is a raw name.
fn raw_string(bytes: &[u8], at: usize, r: usize) -> usize {
    let hashes = bytes[r + 1..].iter().take_while(|&&b| b == b'#').count();
    if bytes.get(r + 1 + hashes) != Some(&b'"') {
        return at; // `r#match` is a name.
    }
    let open = r + hashes + 2;
    let close: Vec<u8> = std::iter::once(b'"').chain((0..hashes).map(|_| b'#')).collect();
    open + until(&bytes[open..], &close)
}

/// Whether `word` stands in `line` as a word of its own, not as a part of a longer name.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(in_name) && !line[at + word.len()..].starts_with(in_name)
    })
}

#[test]
fn comments_and_literals_are_not_code() {
    let source = concat!(
        "let a = \"unsafe \\\" {\"; // unsafe\n",
        "let b = r#\"unsafe \" {\"#; /* unsafe */ let c = '\"';\n",
        "let d = br#\"unsafe \" {\"#; let r#match = 1;\n",
        "unsafe { e }"
    );
    let code = only(source);
    assert_eq!(code.matches("unsafe").count(), 1, "{code}");
    assert_eq!(code.lines().count(), 4);
    assert_eq!(code.len(), source.len());
    assert!(code.contains("let c ="), "{code}");
}

#[test]
fn a_string_has_no_width() {
    let source = "let text = \"a\nlong one\"; // a comment\n";
    assert_eq!(without_strings(source), "let text = \n; // a comment\n");
}

#[test]
fn a_lifetime_is_no_character() {
    assert!(only("fn f<'a>(x: &'a str) { unsafe {} }").contains("unsafe"));
}

#[test]
fn a_word_is_not_a_part_of_a_name() {
    assert!(has_word("unsafe { x }", "unsafe"));
    assert!(!has_word("unsafe_code = 1", "unsafe"));
}
