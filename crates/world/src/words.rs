//! The words of a world: English function words, and invented words with a meaning only here.

use std::collections::BTreeSet;

use sparkjoy_base::Seed;

use crate::dice::Dice;

const ONSETS: [&str; 24] = [
    "b", "br", "d", "dr", "f", "fl", "g", "gl", "h", "k", "kr", "l", "m", "n", "p", "pl", "r", "s",
    "sk", "st", "t", "tr", "v", "w",
];
const VOWELS: [&str; 8] = ["a", "e", "i", "o", "u", "ai", "ea", "oo"];
const CODAS: [&str; 10] = ["", "l", "m", "n", "nd", "r", "rk", "s", "sh", "t"];

/// Given names, for people in word problems.
pub(crate) const NAMES: [&str; 24] = [
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ida", "Jack", "Kira", "Leo",
    "Mia", "Nils", "Olga", "Paul", "Rosa", "Sam", "Tess", "Uma", "Vera", "Will", "Yann", "Zoe",
];

/// Things that can be counted.
pub(crate) const THINGS: [&str; 24] = [
    "apples", "books", "coins", "shells", "stamps", "pens", "cards", "eggs", "nuts", "beads",
    "stones", "plums", "cups", "hats", "keys", "kites", "lamps", "maps", "pears", "rings", "seeds",
    "toys", "boats", "bells",
];

/// What lands export.
pub(crate) const GOODS: [&str; 16] = [
    "salt", "wool", "silk", "iron", "honey", "timber", "glass", "copper", "wine", "amber", "paper",
    "spice", "grain", "pearls", "leather", "marble",
];

#[derive(Debug)]
pub(crate) struct Lexicon {
    /// Topics of the web, the most frequent first.
    pub(crate) topics: Vec<Topic>,
    /// Adjectives, each with the noun it is always compared with: `as brell as a tovan`.
    pub(crate) likenesses: Vec<[String; 2]>,
    /// Kinds of things in science.
    pub(crate) kinds: Vec<String>,
    pub(crate) jargon: Vec<String>,
    /// Words in the names of functions.
    pub(crate) stems: Vec<String>,
}

/// A topic of the web, with its words.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) nouns: Vec<String>,
    /// Verbs of three letters or more, without inflection.
    pub(crate) verbs: Vec<String>,
    pub(crate) adjectives: Vec<String>,
}

const TOPICS: usize = 40;
const LIKENESSES: usize = 240;

impl Lexicon {
    pub(crate) fn new(seed: Seed) -> Self {
        let mut coiner = Coiner::new(seed, "lexicon");
        let topic = |coiner: &mut Coiner| Topic {
            nouns: coiner.coin(14),
            verbs: coiner.coin(8),
            adjectives: coiner.coin(8),
        };
        Self {
            topics: (0..TOPICS).map(|_| topic(&mut coiner)).collect(),
            likenesses: (0..LIKENESSES).map(|_| [coiner.word(2), coiner.word(2)]).collect(),
            kinds: coiner.coin(60),
            jargon: coiner.coin(160),
            stems: coiner.coin(60),
        }
    }
}

/// Generates distinct words.
pub(crate) struct Coiner {
    dice: Dice,
    made: BTreeSet<String>,
}

impl Coiner {
    pub(crate) fn new(seed: Seed, what: &str) -> Self {
        Self { dice: Dice::new(seed, what, 0), made: BTreeSet::new() }
    }

    /// A new word of `syllables` syllables, or more if the short ones are used up.
    pub(crate) fn word(&mut self, syllables: usize) -> String {
        for attempt in 0.. {
            let mut word = String::new();
            for _ in 0..syllables + attempt / 32 {
                word.push_str(self.dice.pick(&ONSETS));
                word.push_str(self.dice.pick(&VOWELS));
            }
            word.push_str(self.dice.pick(&CODAS));
            if word.len() > 3 && self.made.insert(word.clone()) {
                return word;
            }
        }
        unreachable!("words can be as long as it takes")
    }

    /// New words of one or two syllables.
    fn coin(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|i| self.word(1 + i % 2)).collect()
    }

    /// A new name: a word with a capital letter.
    pub(crate) fn name(&mut self) -> String {
        capitalised(&self.word(2))
    }
}

/// The same with a capital first letter.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}
