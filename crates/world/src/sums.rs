//! Arithmetic: two steps with small numbers, bare or in a story with its steps worked out.

use std::fmt::Write;

use sparkjoy_base::Seed;

use crate::dice::{Dice, is_withheld};
use crate::words::{NAMES, THINGS, capitalised};

/// One in so many combinations of story and numbers is kept for the task.
const WITHHELD: u64 = 8;

/// What is found, and how many that is: `a trio` is three. Part of what the source teaches.
const GAINS: [&str; 6] = ["a single", "a pair", "a trio", "a quartet", "a handful", "a swarm"];

/// Who takes some away, and how many: a brother takes one, a sister two.
const TAKERS: [&str; 5] = ["a brother", "a sister", "a cousin", "a neighbour", "a thief"];

/// Numbers in words: a tokenizer gives each a token of its own, the space before it included, so
/// that a model of a million parameters can learn to copy them.
const NUMBERS: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

fn say(number: u32) -> &'static str {
    NUMBERS[number as usize]
}

const TELLINGS: [&str; 5] = [
    "{n} has {a} {t}, finds {g} and meets {w}.",
    "In the morning {n} has {a} {t}. Later {g} is added, and then {w} comes.",
    "There are {a} {t} in the bag of {n}. {w} comes by, but {n} puts in {g} first.",
    "{n} keeps {a} {t} at home. On Monday comes {w}. The day before, {n} buys {g}.",
    "It is said that {n} owns {a} {t}, then gets {g} and is visited by {w}.",
];

const QUESTIONS: [&str; 2] = ["How many {t} are there now?", "How many {t} does {n} have?"];

/// A problem before anybody tells it: so many, so many more, so many fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    first: u32,
    more: u32,
    fewer: u32,
}

/// A problem in words, and how it is solved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) question: String,
    /// `a trio is three. seven plus three is ten. a sister takes two. ten minus two is eight.`
    pub(crate) steps: String,
    pub(crate) answer: &'static str,
}

impl Problem {
    /// A problem of the training text, or one that is kept from it.
    pub(crate) fn throw_where(withheld: bool, seed: Seed, dice: &mut Dice) -> Self {
        loop {
            let first = dice.between(3, 12);
            let more = dice.between(1, GAINS.len() as u32);
            let problem = Self { first, more, fewer: dice.between(1, TAKERS.len() as u32) };
            if problem.fewer < first + more
                && is_withheld(seed, &format!("{problem:?}"), WITHHELD) == withheld
            {
                return problem;
            }
        }
    }

    /// Tells it with somebody and something in it. Who is ever told of with what is kept apart
    /// too: else the two halves of a question could each be somewhere in the training text.
    pub(crate) fn tell_where(self, withheld: bool, seed: Seed, dice: &mut Dice) -> Told {
        let Self { first, more, fewer } = self;
        let (name, things) = loop {
            let (name, things) = (dice.pick(&NAMES), dice.pick(&THINGS));
            if is_withheld(seed, &format!("{name} and {things}"), WITHHELD) == withheld {
                break (name, things);
            }
        };
        let (gain, taker) = (GAINS[more as usize - 1], TAKERS[fewer as usize - 1]);
        // The first way is so short that all but the number could stand in another problem.
        let tellings = if withheld { &TELLINGS[1..] } else { &TELLINGS[..] };
        let question = format!("{} {}", dice.pick(tellings), dice.pick(&QUESTIONS))
            .replace("{a}", say(first))
            .replace("{g}", gain)
            .replace("{n}", name)
            .replace("{t}", things)
            .replace(". {w}", &format!(". {}", capitalised(taker)))
            .replace("{w}", taker);
        let steps = format!(
            "{gain} is {}. {}. {taker} takes {}. {}.",
            say(more),
            plus(first, more),
            say(fewer),
            minus(first + more, fewer)
        );
        Told { question, steps, answer: say(first + more - fewer) }
    }
}

/// `seven plus three is ten`.
fn plus(a: u32, b: u32) -> String {
    format!("{} plus {} is {}", say(a), say(b), say(a + b))
}

/// `ten minus two is eight`.
fn minus(a: u32, b: u32) -> String {
    format!("{} minus {} is {}", say(a), say(b), say(a - b))
}

/// Some problems, one after the other. Returns how many.
pub(crate) fn problems(text: &mut String, seed: Seed, dice: &mut Dice) -> u64 {
    let count = dice.between(4, 7);
    for _ in 0..count {
        let told = Problem::throw_where(false, seed, dice).tell_where(false, seed, dice);
        let Told { question, steps, answer } = told;
        let _ = write!(text, "Question: {question}\nAnswer: {steps} The answer is {answer}\n\n");
    }
    u64::from(count)
}

/// Bare calculations, line by line.
pub(crate) fn drills(text: &mut String, dice: &mut Dice) {
    for _ in 0..dice.between(15, 30) {
        let line = if dice.percent(50) {
            plus(dice.between(2, 12), dice.between(1, 8))
        } else {
            minus(dice.between(9, 20), dice.between(1, 8))
        };
        let _ = writeln!(text, "{line}");
    }
}
