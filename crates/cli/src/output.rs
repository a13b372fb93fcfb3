//! What goes to standard output: data, as tables or as JSON.

use std::io::{self, ErrorKind, Write};

use anstyle::Style;
use serde::Serialize;
use sparkjoy_base::printable;

use crate::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Text,
    Json,
}

/// Headlines. Their place already says what they are; weight only helps the eye.
pub(crate) const BOLD: Style = Style::new().bold();

/// Prints text, which ends in a line break. Colours are left out where they do not belong.
///
/// # Errors
///
/// [`Failure::Print`], but not when the reader has gone: `sparkjoy plan … | head` is no mistake.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    let text = ours_alone(text);
    forgive(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// The text with what others wrote in it as escapes, where that would act on a terminal: only our
/// headlines are styled.
fn ours_alone(text: &str) -> String {
    let (begin, end) = (BOLD.render().to_string(), BOLD.render_reset().to_string());
    let plain = |text: &str| text.split(&end).map(printable).collect::<Vec<_>>().join(&end);
    text.split(&begin).map(plain).collect::<Vec<_>>().join(&begin)
}

/// Prints bytes as they are.
///
/// # Errors
///
/// As [`print`].
pub(crate) fn print_plain(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    forgive(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Prints a value as indented JSON.
///
/// # Errors
///
/// As [`print`].
pub(crate) fn print_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let mut json = serde_json::to_string_pretty(value).expect("plain data has a JSON form");
    json.push('\n');
    print_plain(json.as_bytes())
}

fn forgive(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => Err(Failure::Print { source }),
        _ => Ok(()),
    }
}

/// Prints one line for people on standard error. What others wrote in it acts on no terminal.
pub(crate) fn say(line: &str) {
    say_styled(&printable(line));
}

/// The same of a line that is in order. A terminal that is gone is not our concern.
pub(crate) fn say_styled(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_headlines_are_styled() {
        let text = format!("{BOLD}a b{BOLD:#}\n\u{1b}[31mname\u{1b}[2J\r\n");
        assert_eq!(
            ours_alone(&text),
            format!("{BOLD}a b{BOLD:#}\n\\u{{1b}}[31mname\\u{{1b}}[2J\\r\n")
        );
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure_and_a_full_disk_is() {
        assert!(forgive(Err(ErrorKind::BrokenPipe.into())).is_ok());
        let failure = forgive(Err(ErrorKind::StorageFull.into())).unwrap_err();
        assert_eq!(failure.to_string(), "cannot write to standard output");
    }
}
