//! Ways to damage a file, by chance that is the same each time.

use crate::random::Random;

/// A way to damage a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// One bit is another.
    Bit,
    /// Its end is missing.
    Cut,
    /// Two blocks have changed places.
    Swap,
    /// One decimal digit is another.
    Digit,
    /// It is empty.
    Empty,
    /// A line is missing.
    Line,
}

impl Damage {
    pub(super) const ALL: [Self; 6] =
        [Self::Bit, Self::Cut, Self::Swap, Self::Digit, Self::Empty, Self::Line];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bit => "a bit changed",
            Self::Cut => "cut off",
            Self::Swap => "two blocks swapped",
            Self::Digit => "a digit changed",
            Self::Empty => "emptied",
            Self::Line => "a line removed",
        }
    }

    /// The damaged bytes; none where these cannot be damaged so.
    pub(super) fn of(self, bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
        if bytes.is_empty() {
            return None;
        }
        let mut damaged = bytes.to_vec();
        match self {
            Self::Bit => damaged[place(bytes, random)] ^= 1 << random.below(8),
            Self::Cut => damaged.truncate(random.below(bytes.len())),
            Self::Empty => damaged.clear(),
            Self::Swap => {
                let half = bytes.len() / 2;
                let size = (1 + random.below(64)).min(half);
                if half == 0 {
                    return None;
                }
                let (left, right) = damaged.split_at_mut(half);
                let from = random.below(half - size + 1);
                let to = random.below(right.len() - size + 1);
                left[from..from + size].swap_with_slice(&mut right[to..to + size]);
            }
            Self::Digit => {
                let digits: Vec<usize> =
                    (0..bytes.len()).filter(|&at| bytes[at].is_ascii_digit()).collect();
                let at = *digits.get(random.below(digits.len().max(1)))?;
                damaged[at] = b'0' + (bytes[at] - b'0' + 1 + random.below(9) as u8) % 10;
            }
            Self::Line => {
                let lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
                let left_out = random.below(lines.len());
                let left = lines.iter().enumerate().filter(|(index, _)| *index != left_out);
                damaged = left.flat_map(|(_, line)| *line).copied().collect();
            }
        }
        (damaged != bytes).then_some(damaged)
    }
}

/// What readers may stumble over.
const TOKENS: [&[u8]; 18] = [
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\\ud800",
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"18446744073709551616",
    b"9223372036854775807",
    b"0.00000000001",
    b"[[[[[[[[",
    b"{\"\":",
    b"\"",
    b"null",
    b"../..",
    b"\xf4\x8f\xbf\xbf",
];

/// Changes bytes a few times, in ways that a reader may not expect.
pub(super) fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut now = bytes.to_vec();
    for _ in 0..=random.below(3) {
        let at = if now.is_empty() { 0 } else { place(&now, random) };
        match random.below(6) {
            0 => {
                let token = TOKENS[random.below(TOKENS.len())];
                now.splice(at..at, token.iter().copied());
            }
            1 => {
                // In place of a word or a number.
                let is_end = |byte: &u8| !byte.is_ascii_alphanumeric();
                let end = now[at..].iter().position(is_end).map_or(at, |length| at + length);
                let token = TOKENS[random.below(TOKENS.len())];
                now.splice(at..end, token.iter().copied());
            }
            2 => {
                let end = (at + 1 + random.below(200)).min(now.len());
                let block = now[at.min(end)..end].to_vec();
                let times = 1 + random.below(20);
                now.splice(at..at, block.repeat(times));
            }
            3 => {
                let extreme = [0, 1, 0x7f, 0x80, 0xff][random.below(5)];
                let end = (at + [1, 2, 4, 8][random.below(4)]).min(now.len());
                now[at.min(end)..end].fill(extreme);
            }
            _ => {
                let damage = Damage::ALL[random.below(Damage::ALL.len())];
                now = damage.of(&now, random).unwrap_or(now);
            }
        }
    }
    now
}

/// A place in bytes: every other time near their beginning or end, where headers and footers are.
fn place(bytes: &[u8], random: &mut Random) -> usize {
    let near = bytes.len().min(256);
    match random.below(4) {
        0 => random.below(near),
        1 => bytes.len() - 1 - random.below(near),
        _ => random.below(bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_damage_changes_something_or_nothing_is_damaged() {
        let mut random = Random(7);
        let text = b"{\"a\":1}\n{\"b\":27}\n{\"c\":3}\n";
        for damage in Damage::ALL {
            for _ in 0..200 {
                let damaged = damage.of(text, &mut random);
                assert!(damaged.is_none_or(|it| it != text), "{}", damage.name());
                assert_eq!(damage.of(b"", &mut random), None);
            }
        }
        let digits = |bytes: &[u8]| bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        let other = Damage::Digit.of(text, &mut random).unwrap();
        assert_eq!((other.len(), digits(&other)), (text.len(), digits(text)));
        assert_eq!(Damage::Line.of(text, &mut random).unwrap().split(|&b| b == b'\n').count(), 3);
        assert_eq!(Damage::Digit.of(b"no digit", &mut random), None);
    }

    #[test]
    fn the_same_seed_mutates_the_same_way() {
        let [one, two] = [Random(1), Random(1)].map(|mut random| {
            (0..300).map(|_| mutate(b"{\"text\": \"one 1 two\"}", &mut random)).collect::<Vec<_>>()
        });
        assert_eq!(one, two);
        assert!(mutate(b"", &mut Random(1)).len() < 10_000);
    }
}
