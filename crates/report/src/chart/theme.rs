//! Colours: one table for light and dark, and the style of everything inside a figure.
//!
//! On the page colours are CSS variables, which follow the reader's setting. A figure that stands
//! alone has the light ones written in, because programs that place it in a paper know no
//! variables.
//!
//! # Source
//!
//! Hues after Okabe & Ito, "Color Universal Design" (2008), darkened or lightened until lines reach
//! 3:1 and text 4.5:1 against their background.

use std::fmt::Write;

/// Name, light, dark.
const COLOURS: [(&str, &str, &str); 13] = [
    ("ground", "#ffffff", "#15181c"),
    ("raised", "#f4f6f8", "#1e2329"),
    ("ink", "#1a1d21", "#e8eaed"),
    ("soft", "#565d66", "#a9b1bb"),
    ("line", "#8b939c", "#6d7680"),
    ("grid", "#e1e5e9", "#2c333a"),
    ("link", "#0a58a8", "#7cbcff"),
    ("better", "#0068a8", "#62b3f5"),
    ("worse", "#b84a00", "#ff9d57"),
    ("s1", "#0068a8", "#62b3f5"),
    ("s2", "#b84a00", "#ff9d57"),
    ("s3", "#00735a", "#46c9a4"),
    ("s4", "#8a3f80", "#dc9ad2"),
];

/// The style of figures. `NAME` of a colour stands as `var(--NAME)`.
const FIGURE: &str = include_str!("figure.css");

/// Declarations of all colours, light or dark.
pub(crate) fn variables(dark: bool) -> String {
    let mut css = String::new();
    for (name, light, other) in COLOURS {
        let _ = write!(css, "--{name}:{};", if dark { other } else { light });
    }
    css
}

/// The style of figures on a page that declares the variables.
pub(crate) fn on_page() -> &'static str {
    FIGURE
}

/// The style of a figure that stands alone.
pub(crate) fn alone() -> String {
    COLOURS.iter().fold(FIGURE.to_owned(), |css, (name, light, _)| {
        css.replace(&format!("var(--{name})"), light)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of WCAG 2.2.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_reaches_four_and_a_half_to_one_and_lines_three() {
        let colour = |wanted: &str| *COLOURS.iter().find(|(name, ..)| *name == wanted).unwrap();
        for ground in ["ground", "raised"] {
            let (_, light, dark) = colour(ground);
            for (name, on_light, on_dark) in COLOURS {
                let least = match name {
                    "ground" | "raised" | "grid" => continue,
                    "line" => 3.0,
                    _ => 4.5,
                };
                // Lines are drawn on the ground only.
                if name == "line" && ground == "raised" {
                    continue;
                }
                for (colour, behind) in [(on_light, light), (on_dark, dark)] {
                    let found = contrast(colour, behind);
                    assert!(found >= least, "{name} {colour} on {ground} {behind}: {found:.2}");
                }
            }
        }
    }

    #[test]
    fn a_figure_that_stands_alone_has_no_variables_left() {
        assert!(FIGURE.contains("var(--ink)"));
        assert!(!alone().contains("var("), "{}", alone());
    }
}
