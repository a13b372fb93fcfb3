//! Text as words, one after the other, with hashes of the last few that roll along.

use sparkjoy_data::TextHash;

use super::{LEAST, RUN};

/// Words that may have ended before [`Words::last`] is asked for the words up to an earlier one.
pub(super) const BACK: usize = 32;
/// Words whose places are kept: a power of two above those that can be asked for.
const KEPT: usize = 64;
/// Bytes of words that are kept before the oldest are dropped.
const KEPT_BYTES: usize = 1 << 16;
/// A longer word is cut: what runs on so long is no word, and memory is bounded.
const LONGEST: usize = 255;

// FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/: a byte at a time, in the pass that finds the
// words. What it says is checked against the words.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The factor between a word and the next in the hash of several; odd, so that no word is lost.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
const STEP_RUN: u64 = power(RUN);
const STEP_LEAST: u64 = power(LEAST);

const fn power(exponent: usize) -> u64 {
    let (mut product, mut i) = (1_u64, 0);
    while i < exponent {
        product = product.wrapping_mul(STEP);
        i += 1;
    }
    product
}

/// ASCII letters and digits in lower case; 0 for what stands between words.
const ASCII: [u8; 256] = {
    let (mut table, mut byte) = ([0; 256], 0_u8);
    while byte < 0x80 {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// The words of a text that comes in pieces.
#[derive(Debug)]
pub(super) struct Words {
    /// The last words, each with a space behind it.
    text: Vec<u8>,
    /// Of the words before them.
    dropped: TextHash,
    /// Where the word being read begins in `text`.
    begin: usize,
    hash: u64,
    count: usize,
    /// Where the last words begin in `text`, by their number modulo [`KEPT`].
    starts: [usize; KEPT],
    /// Their hashes; 0 before the first word.
    hashes: [u64; KEPT],
    /// Of the last [`RUN`] words.
    run: u64,
    /// Of the last [`LEAST`] words.
    least: u64,
}

impl Words {
    pub(super) fn new() -> Self {
        Self {
            text: Vec::with_capacity(2 * KEPT_BYTES),
            dropped: TextHash::default(),
            begin: 0,
            hash: OFFSET,
            count: 0,
            starts: [0; KEPT],
            hashes: [0; KEPT],
            run: 0,
            least: 0,
        }
    }

    /// Words read since the text began.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// A hash of the last [`RUN`] words; says nothing before there are as many.
    pub(super) fn run(&self) -> u64 {
        self.run
    }

    /// A hash of the last [`LEAST`] words; says nothing before there are as many.
    pub(super) fn least(&self) -> u64 {
        self.least
    }

    /// `n` words, at most [`RUN`], with a space between two: the last ones but for the `back`
    /// behind them, fewer than [`BACK`]. Called between words.
    pub(super) fn last(&self, n: usize, back: usize) -> &[u8] {
        let end = match back {
            0 => self.text.len(),
            _ => self.starts[(self.count - back) % KEPT],
        };
        &self.text[self.starts[(self.count - back - n) % KEPT]..end - 1]
    }

    /// Reads the next piece of the text. `on_word` is told of every word that ends in it.
    pub(super) fn read(&mut self, piece: &str, on_word: &mut impl FnMut(&Self)) {
        let bytes = piece.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let from = at;
            let mut hash = self.hash;
            while at < bytes.len() && ASCII[bytes[at] as usize] != 0 {
                hash = (hash ^ u64::from(ASCII[bytes[at] as usize])).wrapping_mul(PRIME);
                at += 1;
            }
            if self.text.len() - self.begin + (at - from) > LONGEST {
                self.cut(&bytes[from..at], on_word);
            } else {
                self.hash = hash;
                self.text.extend(bytes[from..at].iter().map(|&byte| ASCII[byte as usize]));
            }
            match bytes.get(at) {
                None => return,
                Some(byte) if byte.is_ascii() => {
                    self.end_word(on_word);
                    at += 1;
                }
                Some(_) => {
                    let c = piece[at..].chars().next().expect("a character begins here");
                    self.other(c, on_word);
                    at += c.len_utf8();
                }
            }
        }
    }

    /// Forgets the text, which has ended: the next piece begins another. Returns a hash of all its
    /// words, if it has any.
    pub(super) fn clear(&mut self) -> Option<u128> {
        self.dropped.add(&self.text);
        let hash = self.dropped.take();
        let hash = (self.count > 0).then_some(hash);
        self.text.clear();
        (self.begin, self.count, self.run, self.least) = (0, 0, 0, 0);
        self.hashes = [0; KEPT];
        hash
    }

    /// A character beyond ASCII.
    fn other(&mut self, c: char, on_word: &mut impl FnMut(&Self)) {
        if !c.is_alphanumeric() {
            return self.end_word(on_word);
        }
        let alone = is_a_word(c);
        if alone || self.text.len() - self.begin >= LONGEST {
            self.end_word(on_word);
        }
        for lower in c.to_lowercase() {
            self.take(lower.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if alone {
            self.end_word(on_word);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(PRIME);
            self.text.push(byte);
        }
    }

    /// Takes letters that make the word longer than words are.
    #[cold]
    fn cut(&mut self, letters: &[u8], on_word: &mut impl FnMut(&Self)) {
        for &letter in letters {
            if self.text.len() - self.begin >= LONGEST {
                self.end_word(on_word);
            }
            self.take(&[ASCII[letter as usize]]);
        }
    }

    /// Ends the word being read, if there is one.
    pub(super) fn end_word(&mut self, on_word: &mut impl FnMut(&Self)) {
        if self.text.len() == self.begin {
            return;
        }
        self.text.push(b' ');
        let hash = self.hash;
        let leaving = |n: usize| self.hashes[self.count.wrapping_sub(n) % KEPT];
        // Σ hash(word) · STEP^(words behind it), over the last words.
        self.run = (self.run.wrapping_mul(STEP).wrapping_add(hash))
            .wrapping_sub(leaving(RUN).wrapping_mul(STEP_RUN));
        self.least = (self.least.wrapping_mul(STEP).wrapping_add(hash))
            .wrapping_sub(leaving(LEAST).wrapping_mul(STEP_LEAST));
        self.starts[self.count % KEPT] = self.begin;
        self.hashes[self.count % KEPT] = hash;
        self.count += 1;
        (self.begin, self.hash) = (self.text.len(), OFFSET);
        on_word(self);
        if self.text.len() > KEPT_BYTES {
            self.forget();
        }
    }

    /// Drops all but the last words.
    fn forget(&mut self) {
        let kept = self.count.min(RUN + BACK);
        let from = self.starts[(self.count - kept) % KEPT];
        self.dropped.add(&self.text[..from]);
        self.text.drain(..from);
        self.begin -= from;
        for back in 1..=kept {
            self.starts[(self.count - back) % KEPT] -= from;
        }
    }
}

/// Whether a character of a script that sets no spaces counts as a word of its own: Thai to Lao,
/// Burmese, Khmer, Chinese, Japanese.
fn is_a_word(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x2e80..=0x312f | 0x31a0..=0x9fff
        | 0xf900..=0xfaff | 0x20000..=0x3ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(pieces: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let mut words = Words::new();
        let mut on_word =
            |words: &Words| found.push(String::from_utf8(words.last(1, 0).to_vec()).unwrap());
        for piece in pieces {
            words.read(piece, &mut on_word);
        }
        words.end_word(&mut on_word);
        found
    }

    #[test]
    fn words_are_letters_and_digits_in_lower_case() {
        let text =
            "Don't  PANIC:\n\tthe_answer is 42.5, \u{201c}N\u{e4}chste\u{201d} \u{c9}t\u{e9}!";
        let expected = [
            "don",
            "t",
            "panic",
            "the",
            "answer",
            "is",
            "42",
            "5",
            "n\u{e4}chste",
            "\u{e9}t\u{e9}",
        ];
        assert_eq!(words(&[text]), expected);
        assert_eq!(words(&["  ... "]), [""; 0]);
        // A word may be cut anywhere between two characters.
        assert_eq!(words(&["N\u{e4}", "ch", "st", "e.", "", " T", "ag"]), ["n\u{e4}chste", "tag"]);
    }

    #[test]
    fn characters_of_scripts_without_spaces_are_words() {
        assert_eq!(words(&["GPT\u{6a21}\u{578b}x"]), ["gpt", "\u{6a21}", "\u{578b}", "x"]);
    }

    #[test]
    fn an_endless_word_is_cut_the_same_however_it_comes() {
        let long = "Ab1".repeat(300);
        let whole = words(&[&long]);
        assert_eq!(whole.iter().map(String::len).collect::<Vec<_>>(), [255, 255, 255, 135]);
        assert_eq!(whole, words(&[&long[..100], &long[100..301], &long[301..]]));
    }

    #[test]
    fn a_hash_depends_on_the_last_words_alone() {
        let hashes = |text: &str| {
            let (mut words, mut last) = (Words::new(), (0, 0));
            words.read(text, &mut |words: &Words| last = (words.run(), words.least()));
            last
        };
        let tail = "a b c d e f g h i j k l m ";
        // Long enough that the first words are forgotten.
        let long = format!("{} {tail}", "word ".repeat(20_000));
        assert_eq!(hashes(tail), hashes(&long));
        assert_ne!(hashes(tail).0, hashes(&tail.replace('a', "z")).0);
        assert_eq!(hashes(tail).1, hashes(&tail.replace('a', "z")).1);
        assert_ne!(hashes(tail).1, hashes(&tail.replace("l m", "m l")).1);
    }
}
