//! Text of the audited studies: documents with words of their own, dealt to two sources by chance.

use crate::random::Random;

/// A study of two sources alike: one is upsampled.
pub(super) const STUDY: &str = r#"name = "audit"
seed = SEED
data = "text"

[tokenizer]
kind = "bpe"
vocab = 512

[model]
layers = 1
width = 32
heads = 2
context = 64

[training]
budget = "96K"
batch = 8
optimizer = { kind = "lionw", lr = 3e-3, betas = [0.9, 0.95], weight_decay = 1e-4 }
schedule = { kind = "inverse-sqrt", warmup = "10 steps", scale = "10 steps", cooldown = "0" }
grad_clip = 1.0
replicates = 5

[sources.one]
path = "one.jsonl"
domain = "one"
holdout = "20%"

[sources.two]
path = "two.jsonl"
domain = "two"
holdout = "20%"

[mixtures.base]
one = 0.5
two = 0.5

[mixtures.more-of-one]
one = 0.9
two = 0.1

[trunk]
mixture = "base"

[[questions]]
ask = "duration"
mixture = "more-of-one"
windows = ["20%", "40%"]

[evaluation]
held_out = "32K"
"#;

/// Documents in all.
const DOCUMENTS: usize = 400;
/// Pieces of a document.
const PIECES: usize = 6;
/// Words of a piece.
const WORDS: usize = 60;
/// Words of the language, and words that a document likes.
const LANGUAGE: usize = 600;
const LIKED: usize = 25;

/// The JSON Lines of the two sources.
///
/// - `whole`: whole documents are dealt, else their pieces.
pub(super) fn sources(seed: u64, whole: bool) -> [String; 2] {
    let mut random = Random(seed);
    let mut sources = [String::new(), String::new()];
    for _ in 0..DOCUMENTS {
        let liked: Vec<usize> = (0..LIKED).map(|_| random.below(LANGUAGE)).collect();
        let pieces: Vec<String> = (0..PIECES).map(|_| piece(&liked, &mut random)).collect();
        if whole {
            add(&mut sources[random.below(2)], &pieces.join(" "));
            continue;
        }
        for piece in pieces {
            add(&mut sources[random.below(2)], &piece);
        }
    }
    sources
}

/// Half of the words are liked ones, the others any.
fn piece(liked: &[usize], random: &mut Random) -> String {
    let word = |_| {
        let any = random.below(LANGUAGE);
        word(if random.below(2) == 0 { any } else { liked[random.below(LIKED)] })
    };
    (0..WORDS).map(word).collect::<Vec<_>>().join(" ")
}

/// A word of two or three syllables.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 10] = ["ba", "do", "ki", "lu", "me", "no", "ra", "si", "tu", "ve"];
    let syllable = |power: usize| SYLLABLES[number / power % 10];
    format!("{}{}{}", syllable(1), syllable(10), if number < 100 { "" } else { syllable(100) })
}

fn add(source: &mut String, text: &str) {
    source.push_str("{\"text\":\"");
    source.push_str(text);
    source.push_str("\"}\n");
}
