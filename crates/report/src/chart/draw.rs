//! The pieces figures are drawn with: axes, marks, text that knows its width.
//!
//! Places are in units of the figure (CSS pixels at its natural size), x to the right, y down,
//! written with one decimal, so that the same figures are the same bytes.

use maud::{Markup, html};

use crate::scale::{Scale, Tick};

/// A place as it is written.
pub(crate) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    let short = text.strip_suffix(".0").unwrap_or(&text);
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// A line from one point to another.
pub(crate) fn line(class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Markup {
    html! { line class=(class) x1=(px(x1)) y1=(px(y1)) x2=(px(x2)) y2=(px(y2)) {} }
}

/// A line through points.
pub(crate) fn path(class: &str, points: &[(f64, f64)]) -> Markup {
    html! { path class=(class) d=(along(points)) {} }
}

/// The closed outline through points.
pub(crate) fn area(class: &str, points: &[(f64, f64)]) -> Markup {
    html! { path class=(class) d={ (along(points)) "Z" } {} }
}

/// The same as the value of an attribute.
pub(crate) fn along(points: &[(f64, f64)]) -> String {
    let step = |(index, (x, y)): (usize, &(f64, f64))| {
        format!("{}{} {}", if index == 0 { 'M' } else { 'L' }, px(*x), px(*y))
    };
    points.iter().enumerate().map(step).collect()
}

pub(crate) fn rect(class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) -> Markup {
    html! { rect class=(class) x=(px(x)) y=(px(y)) width=(px(width)) height=(px(height)) {} }
}

/// Text whose baseline begins (or, as its class says, ends or is centred) at a point.
pub(crate) fn text(class: &str, (x, y): (f64, f64), content: &str) -> Markup {
    html! { text class=(class) x=(px(x)) y=(px(y)) { (content) } }
}

/// The same on what is drawn already, which stays visible around it.
pub(crate) fn text_over(class: &str, at: (f64, f64), content: &str) -> Markup {
    html! { (text(&format!("{class} halo"), at, content)) (text(class, at, content)) }
}

/// The forms of points, told apart without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Circle,
    Square,
    Triangle,
    Diamond,
}

/// A point of some form; `class` gives stroke and fill.
pub(crate) fn mark(form: Form, class: &str, (x, y): (f64, f64), size: f64) -> Markup {
    let class = format!("mark {class}");
    match form {
        Form::Circle => html! { circle class=(class) cx=(px(x)) cy=(px(y)) r=(px(size)) {} },
        Form::Square => rect(&class, (x - 0.9 * size, y - 0.9 * size), (1.8 * size, 1.8 * size)),
        Form::Triangle => {
            let (w, h) = (1.15 * size, 0.95 * size);
            area(&class, &[(x, y - h), (x + w, y + h), (x - w, y + h)])
        }
        Form::Diamond => {
            let s = 1.25 * size;
            area(&class, &[(x, y - s), (x + s, y), (x, y + s), (x - s, y)])
        }
    }
}

/// A place for a label beside a point: the first of `offsets` at which it stays inside and is free;
/// `taken` then holds it too. The label's baseline begins there.
///
/// - `wide`: how wide it is, in letters 11 high.
/// - `inside`, `taken`: left, top, right and bottom.
pub(crate) fn beside<'a>(
    (x, y): (f64, f64),
    wide: f64,
    offsets: impl IntoIterator<Item = &'a (f64, f64)>,
    inside: [f64; 4],
    taken: &mut Vec<[f64; 4]>,
) -> Option<(f64, f64)> {
    let found = offsets.into_iter().find_map(|(dx, dy)| {
        let block = [x + dx, y + dy - 11.0, x + dx + wide, y + dy + 3.0];
        let fits = block[0] >= inside[0]
            && block[1] >= inside[1]
            && block[2] <= inside[2]
            && block[3] <= inside[3];
        let free = taken.iter().all(|other| {
            block[2] < other[0] || other[2] < block[0] || block[3] < other[1] || other[3] < block[1]
        });
        (fits && free).then_some(block)
    })?;
    taken.push(found);
    Some((found[0], found[3] - 3.0))
}

/// The space that a point takes.
pub(crate) fn around((x, y): (f64, f64)) -> [f64; 4] {
    [x - 6.0, y - 6.0, x + 6.0, y + 6.0]
}

/// An interval drawn upright, with ends.
pub(crate) fn whisker(class: &str, x: f64, low: f64, high: f64) -> Markup {
    let class = format!("whisker {class}");
    html! {
        (line(&class, (x, low), (x, high)))
        (line(&class, (x - 3.0, low), (x + 3.0, low)))
        (line(&class, (x - 3.0, high), (x + 3.0, high)))
    }
}

/// An interval drawn lying, with ends.
pub(crate) fn lying(class: &str, y: f64, low: f64, high: f64) -> Markup {
    let class = format!("whisker {class}");
    html! {
        (line(&class, (low, y), (high, y)))
        (line(&class, (low, y - 3.0), (low, y + 3.0)))
        (line(&class, (high, y - 3.0), (high, y + 3.0)))
    }
}

/// Grid lines and numbers of an upright axis, from `left` to `right`.
pub(crate) fn upright(scale: &Scale, left: f64, right: f64) -> Markup {
    html! {
        @for Tick { at, label, zero, .. } in scale.ticks() {
            (line(if zero { "zero" } else { "grid" }, (left, at), (right, at)))
            (text("num soft end", (left - 6.0, at + 4.0), &label))
        }
    }
}

/// Grid lines and numbers of a lying axis, from `top` to `bottom`; numbers that would touch the one
/// before are left out.
pub(crate) fn level(scale: &Scale, top: f64, bottom: f64) -> Markup {
    let mut free = f64::NEG_INFINITY;
    let ticks = scale.ticks().into_iter().map(|tick| {
        let half = width(&tick.label, 11.0) / 2.0;
        let shown = tick.at - half > free + 6.0;
        if shown {
            free = tick.at + half;
        }
        (tick, shown)
    });
    html! {
        @for (Tick { at, label, zero, .. }, shown) in ticks {
            (line(if zero { "zero" } else { "grid" }, (at, top), (at, bottom)))
            @if shown { (text("num soft mid", (at, bottom + 16.0), &label)) }
        }
    }
}

/// About how wide text is, in units of the figure, on the wide side for usual fonts.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let of = |letter: char| match letter {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | '.' | ',' | ':' | ';' | '|' | '\'' | '(' | ')'
        | ' ' | '[' | ']' => 0.36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.92,
        'A'..='Z' => 0.70,
        _ if letter.is_ascii() => 0.575,
        // Wide scripts take a square each.
        '\u{1100}'.. if letter as u32 >= 0x2E80 => 1.0,
        _ => 0.62,
    };
    text.chars().map(of).sum::<f64>() * size
}

/// Text that fits into a width: its middle gives way to an ellipsis, since names differ at their
/// ends.
pub(crate) fn fit(content: &str, size: f64, space: f64) -> String {
    if width(content, size) <= space {
        return content.to_owned();
    }
    let letters: Vec<char> = content.chars().collect();
    let cut = |keep: usize| {
        let head = keep.div_ceil(2);
        let tail = keep - head;
        let start: String = letters[..head].iter().collect();
        let end: String = letters[letters.len() - tail..].iter().collect();
        format!("{}…{}", start.trim_end(), end.trim_start())
    };
    let fitting = (0..letters.len()).rev().map(cut).find(|cut| width(cut, size) <= space);
    fitting.unwrap_or_else(|| "…".to_owned())
}

/// Text on two lines at most, broken at a space or after a hyphen where one line is too narrow.
pub(crate) fn two_lines(content: &str, size: f64, space: f64) -> Vec<String> {
    if width(content, size) <= space {
        return vec![content.to_owned()];
    }
    // A first line that is nearly empty, such as a sign alone, helps nobody.
    let fits = |at: &usize| (space / 4.0..=space).contains(&width(&content[..*at], size));
    let breaks = content.match_indices([' ', '-']).map(|(at, sign)| at + sign.len());
    match breaks.rev().find(fits) {
        Some(at) => vec![content[..at].trim_end().to_owned(), fit(&content[at..], size, space)],
        None => vec![fit(content, size, space)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_one_decimal_and_no_negative_zero() {
        assert_eq!([px(1.25), px(-0.01), px(3.0)], ["1.2", "0", "3"]);
    }

    #[test]
    fn a_long_name_loses_its_middle_and_stays_in_its_space() {
        let name = "a-source-with-quite-a-long-name-of-2026";
        let short = fit(name, 12.0, 120.0);
        assert!(short.starts_with("a-sou") && short.ends_with("2026"), "{short}");
        assert!(width(&short, 12.0) <= 120.0);
        assert_eq!(fit("math", 12.0, 120.0), "math");
        assert_eq!(two_lines("upsampled against base", 12.0, 110.0), ["upsampled", "against base"]);
        assert_eq!(
            two_lines("− encyclopedia-of-2026", 12.0, 110.0),
            ["− encyclopedia-", "of-2026"]
        );
    }

    #[test]
    fn text_cannot_close_its_element() {
        let shown = text("", (0.0, 0.0), "<script>&").into_string();
        assert_eq!(shown, r#"<text class="" x="0" y="0">&lt;script&gt;&amp;</text>"#);
    }
}
