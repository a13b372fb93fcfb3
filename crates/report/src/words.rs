//! Sentences of the laboratory on the page: what stands in backticks there is a name.

use maud::{Markup, html};

/// A sentence with its names set as code.
pub(crate) fn rich(text: &str) -> Markup {
    let pieces: Vec<&str> = text.split('`').collect();
    // A backtick without its partner is a backtick.
    if pieces.len().is_multiple_of(2) {
        return html! { (text) };
    }
    html! {
        @for (index, piece) in pieces.into_iter().enumerate() {
            @if index % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_and_nothing_else_is_markup() {
        let shown = |text| rich(text).into_string();
        assert_eq!(shown("on `a<b>`, not `c`"), "on <code>a&lt;b&gt;</code>, not <code>c</code>");
        assert_eq!(shown("one ` alone"), "one ` alone");
    }
}
