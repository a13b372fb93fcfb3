//! Numbers as people read them.

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

/// `40M`, `1.5M`, `999.9B`: an exact count where it is round, else rounded to four digits or so.
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
    // Only a fraction's zeros may go: `10.50` is 10.5.
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

/// `2 h 55 min`, `3 min 20 s`, `4.2 s`: the two largest units.
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

#[cfg(test)]
mod tests {
    use super::*;

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
