//! The web: passages of general language on many topics.

use sparkjoy_base::Seed;

use crate::dice::{Dice, is_withheld};
use crate::words::{Lexicon, Topic, capitalised};

/// One in this many pairs of noun and adjective is withheld for the cloze task.
const WITHHELD: u64 = 6;

/// Boilerplate of web pages.
const BOILERPLATE: [&str; 8] = [
    "Home | About | Contact | Login",
    "We use cookies to make this site better. Accept all cookies?",
    "Click here to read more.",
    "Subscribe to our newsletter and never miss an offer!",
    "All rights reserved.",
    "Share this page with your friends.",
    "You must be logged in to leave a comment.",
    "Related posts you may like",
];

/// A passage on one topic, in which `repeats` % of the sentences repeat an earlier one. Returns the
/// number of likenesses in it.
pub(crate) fn passage(
    text: &mut String,
    lexicon: &Lexicon,
    seed: Seed,
    (sentences, repeats): (u32, usize),
    dice: &mut Dice,
) -> u64 {
    let topic = &lexicon.topics[dice.zipf(lexicon.topics.len())];
    let mut said: Vec<(String, u64)> = Vec::new();
    for _ in 0..sentences {
        let next = if !said.is_empty() && dice.percent(repeats) {
            // Nearer sentences are repeated more often.
            said[said.len() - 1 - dice.zipf(said.len())].clone()
        } else if dice.percent(40) {
            let [opening, end] = likeness(false, topic, lexicon, seed, dice);
            (format!("{opening} {end}."), 1)
        } else {
            (sentence(topic, dice), 0)
        };
        said.push(next);
    }
    let (sentences, likenesses): (Vec<String>, Vec<u64>) = said.into_iter().unzip();
    text.push_str(&sentences.join(" "));
    text.push('\n');
    likenesses.iter().sum()
}

/// A comparison, `as ADJECTIVE as a NOUN`, where the adjective determines the noun: the sentence
/// without its last word, and that word.
pub(crate) fn likeness(
    withheld: bool,
    topic: &Topic,
    lexicon: &Lexicon,
    seed: Seed,
    dice: &mut Dice,
) -> [String; 2] {
    loop {
        let noun = &topic.nouns[dice.zipf(topic.nouns.len())];
        let [adjective, like] = &lexicon.likenesses[dice.zipf(lexicon.likenesses.len())];
        if is_withheld(seed, &format!("likeness {noun} {adjective}"), WITHHELD) == withheld {
            let opening = match dice.below(3) {
                0 => format!("The {noun} was as {adjective} as a"),
                1 => format!("Nobody had seen a {noun} as {adjective} as a"),
                _ => format!("They made the {noun} as {adjective} as a"),
            };
            return [opening, like.clone()];
        }
    }
}

pub(crate) fn sentence(topic: &Topic, dice: &mut Dice) -> String {
    let mut noun = || &topic.nouns[dice.zipf(topic.nouns.len())];
    let (a, b) = (noun(), noun());
    let verb = dice.choose(&topic.verbs);
    let adjective = dice.choose(&topic.adjectives);
    let (when, where_) = (
        dice.pick(&["yesterday", "last year", "in the morning", "every week", "after lunch"]),
        dice.pick(&["by the sea", "in town", "at home", "near the old mill", "on the hill"]),
    );
    match dice.below(8) {
        0 => format!("The {a} {verb}s the {adjective} {b} {when}."),
        1 => format!("A {adjective} {a} can {verb} any {b} {where_}."),
        2 => format!("{} the {a} would {verb} a {b}.", capitalised(when)),
        3 => format!("If you {verb} your {a}, the {b} will be {adjective}."),
        4 => format!("My {a} is more {adjective} than the {b} {where_}."),
        5 => format!("There is no {b} {where_}, only a {adjective} {a}."),
        6 => format!("We {verb} the {a} and the {b} {when}."),
        _ => format!("Why does the {a} {verb}? Because the {b} is {adjective}."),
    }
}

/// Adds the noise of the large crawl: lines of boilerplate and typing errors.
pub(crate) fn roughen(text: &str, dice: &mut Dice) -> String {
    let mut rough = String::with_capacity(text.len() + 200);
    for _ in 0..dice.below(3) {
        rough.push_str(dice.pick(&BOILERPLATE));
        rough.push('\n');
    }
    for word in text.split_inclusive(' ') {
        if word.is_ascii() && word.len() > 4 && dice.percent(2) {
            // Two letters change places.
            let at = 1 + dice.below(word.len() - 3);
            let (before, rest) = word.split_at(at);
            let (pair, after) = rest.split_at(2);
            rough.push_str(before);
            rough.extend(pair.chars().rev());
            rough.push_str(after);
        } else {
            rough.push_str(word);
        }
    }
    if dice.percent(50) {
        rough.push_str(dice.pick(&BOILERPLATE));
        rough.push('\n');
    }
    rough
}
