//! Numbers formatted for people, one function per kind of number; and text that is not ours.

use std::borrow::Cow;

/// From here on a number has an exponent: no table is wide enough for more digits, and no `f64` has
/// them.
const WRITTEN_OUT: f64 = 1e15;

/// `12,716`: digits in groups of three.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `40M`, `1.5M`, `999.9B`: a count in the largest unit, rounded to one or two decimals.
pub fn quantity(n: u64) -> String {
    let units = [(1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")];
    let Some((unit, name)) = units.into_iter().find(|&(unit, _)| n >= unit) else {
        return n.to_string();
    };
    if n.is_multiple_of(unit) {
        return format!("{}{name}", n / unit);
    }
    let value = n as f64 / unit as f64;
    let places = if value >= 100.0 { 1 } else { 2 };
    let text = format!("{value:.places$}");
    // Only zeros after the decimal point are dropped: `10.50` is 10.5.
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}{name}")
}

/// `1.2 GiB`: a size in binary units.
pub fn bytes(n: u64) -> String {
    let units = [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|&(unit, _)| n >= unit) {
        None => format!("{n} B"),
        Some((unit, name)) => {
            let value = n as f64 / unit as f64;
            let places = usize::from(value < 100.0);
            format!("{value:.places$} {name}")
        }
    }
}

/// `2 h 55 min`, `3 min 20 s`, `4.2 s`: seconds in the two largest units.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "–".to_owned();
    }
    if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    let (d, h, min, s) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    match (d, h, min) {
        (0, 0, 0) => format!("{s} s"),
        (0, 0, _) => format!("{min} min {s} s"),
        (0, _, _) => format!("{h} h {min} min"),
        _ => format!("{} d {h} h", thousands(d)),
    }
}

/// `about 42 min`, `about 3 h 20 min`: seconds that are estimated, so not to the last digit.
pub fn about(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "a time that is not known".to_owned();
    }
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        0 | 1 => format!("about {} s", seconds.max(1.0).ceil()),
        2..90 => format!("about {minutes} min"),
        90..2880 => {
            let tens = (minutes + 5) / 10;
            match (tens / 6, tens % 6) {
                (hours, 0) => format!("about {hours} h"),
                (hours, tens) => format!("about {hours} h {tens}0 min"),
            }
        }
        _ => format!("about {} days", thousands((minutes + 720) / 1440)),
    }
}

/// `1 task`, `2 tasks`: a count with its noun, which takes an `s` unless the count is 1.
pub fn counted(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(n))
}

fn fixed(value: f64, places: usize) -> String {
    if value.abs() < WRITTEN_OUT {
        format!("{value:.places$}")
    } else {
        format!("{value:.places$e}")
    }
}

/// `0.041`, `-3`, `1e308`: all the digits that tell a number from its neighbours.
pub fn exact(value: f64) -> String {
    if value == 0.0 || (1e-5..WRITTEN_OUT).contains(&value.abs()) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// `0.0410`, `−0.0410`: a number with some decimals. The minus is U+2212; zero has none.
///
/// Of 1e15 and more only as many digits are written, and an exponent: `1.0000e308`.
pub fn number(value: f64, places: usize) -> String {
    let text = fixed(value, places);
    if text.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0') {
        minus_sign(&text)
    } else {
        text.trim_start_matches('-').to_owned()
    }
}

/// `+0.0410`, `−0.0410`, `0.0000`: a difference with its sign.
///
/// The minus is U+2212. A value that rounds to zero has no sign.
pub fn signed(value: f64, places: usize) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    let text = format!("{sign}{}", fixed(value, places));
    if text.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0') {
        minus_sign(&text)
    } else {
        text.trim_start_matches(['+', '-']).to_owned()
    }
}

/// `+1.5`, `−1.5`: a difference of two shares in percentage points, one decimal.
pub fn percentage_points(difference: f64) -> String {
    signed(100.0 * difference, 1)
}

/// `12.5 %`, `30 %`: a share of 1 as a percentage, one decimal at most.
pub fn percent(share: f64) -> String {
    let text = fixed(100.0 * share, 1);
    format!("{} %", minus_sign(text.strip_suffix(".0").unwrap_or(&text)))
}

/// `1.5 × 10¹⁵`: a large positive number in powers of ten; anything else is `0`.
pub fn scientific(value: f64) -> String {
    if value <= 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.1e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{digits} × {}", power(exponent))
}

/// `10¹⁵`: ten to the power of a whole number, given in digits.
pub fn power(exponent: &str) -> String {
    let raised = |letter: char| match letter {
        '-' | '−' => '⁻',
        digit => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹']
            [digit.to_digit(10).unwrap_or(0) as usize],
    };
    format!("10{}", exponent.chars().map(raised).collect::<String>())
}

/// `text` with the minus sign U+2212 in place of each hyphen, for numbers that are already
/// formatted.
pub fn minus_sign(text: &str) -> String {
    text.replace('-', "−")
}

/// Text of others in a message: what would act on a terminal, or turn the direction of the text
/// around it, is written as an escape. Line breaks stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    let acts = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if acts(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// A name that others gave, on one line: as [`printable`], line breaks too; a long one is cut.
pub fn printable_name(name: &str) -> String {
    const LONGEST: usize = 200;
    let mut characters = name.chars();
    let shown: String = characters.by_ref().take(LONGEST).collect();
    let cut = if characters.next().is_some() { "…" } else { "" };
    printable(&shown).replace('\n', "\\n") + cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line() {
        let name = format!("w\n\u{1b}[2Jhint: x{}", "y".repeat(300));
        let shown = printable_name(&name);
        assert!(shown.starts_with(r"w\n\u{1b}[2Jhint: xyyy") && shown.ends_with("yy…"), "{shown}");
        assert_eq!(printable_name("transformer.wte.weight"), "transformer.wte.weight");
    }

    #[test]
    fn an_estimate_has_no_needless_digits() {
        let shown = [0.2, 61.0, 150.0, 5400.0, 12_000.0, 14_400.0, 2_772_000_000.0].map(about);
        insta::assert_snapshot!(shown.join(", "), @"about 1 s, about 61 s, about 3 min, about 1 h 30 min, about 3 h 20 min, about 4 h, about 32,083 days");
    }

    #[test]
    fn counts_are_grouped_in_threes() {
        assert_eq!(
            [0, 999, 1000, 254_313, 1_000_000].map(thousands),
            ["0", "999", "1,000", "254,313", "1,000,000"]
        );
    }

    #[test]
    fn quantities_are_short() {
        assert_eq!(quantity(40_000_000), "40M");
        assert_eq!(quantity(1_500_000), "1.5M");
        assert_eq!(quantity(999_999_406_080), "1000B");
        assert_eq!(quantity(343_499_796_000), "343.5B");
        assert_eq!(quantity(512), "512");
        assert_eq!(quantity(100_200_000), "100.2M");
    }

    #[test]
    fn counts_have_a_noun() {
        assert_eq!(counted(1, "task"), "1 task");
        assert_eq!(counted(0, "task"), "0 tasks");
        assert_eq!(counted(1_200, "task"), "1,200 tasks");
    }

    #[test]
    fn differences_have_a_sign_unless_they_round_to_zero() {
        assert_eq!(signed(0.041, 4), "+0.0410");
        assert_eq!(signed(-0.041, 4), "−0.0410");
        assert_eq!(signed(-0.000_01, 4), "0.0000");
        assert_eq!(signed(0.000_01, 4), "0.0000");
        assert_eq!(signed(0.0, 1), "0.0");
        assert_eq!(
            [0.25, -0.25, -0.000_01].map(|value| number(value, 2)),
            ["0.25", "−0.25", "0.00"]
        );
        assert_eq!(percentage_points(-0.015), "−1.5");
        assert_eq!(percentage_points(0.3), "+30.0");
    }

    #[test]
    fn no_number_is_longer_than_a_column() {
        assert_eq!([1e308, -1e308].map(|value| number(value, 3)), ["1.000e308", "−1.000e308"]);
        assert_eq!([1e308, -1e15].map(|value| signed(value, 1)), ["+1.0e308", "−1.0e15"]);
        assert_eq!(percent(1e306), "1.0e308 %");
        assert_eq!(number(f64::INFINITY, 3), "inf");
        let values = [0.0, -1.5, 1e308, -1e-308, f64::NAN];
        assert_eq!(values.map(exact), ["0", "-1.5", "1e308", "-1e-308", "NaN"]);
        for value in [f64::MAX, f64::MIN, 9.9e14, f64::MIN_POSITIVE] {
            assert!(number(value, 4).len() < 25, "{value:e}");
        }
        assert_eq!(duration(f64::MAX), "213,503,982,334,601 d 7 h");
    }

    #[test]
    fn text_of_others_does_not_act_on_a_terminal() {
        assert_eq!(printable("web-2\nß π"), "web-2\nß π");
        assert_eq!(
            printable("a\u{1b}[2Jb\rc\u{7}\u{9b}d\u{202e}e"),
            "a\\u{1b}[2Jb\\rc\\u{7}\\u{9b}d\\u{202e}e"
        );
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(percent(0.125), "12.5 %");
        assert_eq!(percent(0.3), "30 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(-0.021), "−2.1 %");
        assert_eq!(minus_sign("-0.1 [-0.2, 0.0]"), "−0.1 [−0.2, 0.0]");
    }

    #[test]
    fn large_numbers_are_powers_of_ten() {
        let shown = [1.54e15, 0.0, 9.96e9].map(scientific);
        assert_eq!(shown, ["1.5 × 10¹⁵", "0", "1.0 × 10¹⁰"]);
    }

    #[test]
    fn sizes_and_times_use_their_largest_units() {
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(24 << 30), "24.0 GiB");
        assert_eq!(bytes(12), "12 B");
        assert_eq!(duration(4.24), "4.2 s");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(10_500.0), "2 h 55 min");
        assert_eq!(duration(90_000.0), "1 d 1 h");
    }
}
