//! Arithmetic: two steps with small numbers, as bare calculations or as word problems with
//! solutions.

use std::fmt::Write;

use sparkjoy_base::Seed;

use crate::dice::{Dice, is_withheld};
use crate::words::{NAMES, THINGS, capitalised};

/// One in this many combinations of story and numbers is withheld for the task.
const WITHHELD: u64 = 8;

/// Words for one to six found things: `a trio` is three. The source teaches these words.
const GAINS: [&str; 6] = ["a single", "a pair", "a trio", "a quartet", "a handful", "a swarm"];

/// Who takes things away, in the order of how many: a brother takes one, a sister two.
const TAKERS: [&str; 5] = ["a brother", "a sister", "a cousin", "a neighbour", "a thief"];

/// Numbers in words: each is one token together with the space before it, so that a model of a
/// million parameters can learn to copy them.
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

/// The numbers of a problem: the first count, how many are added, how many are taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    first: u32,
    more: u32,
    fewer: u32,
}

/// A word problem with its solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) question: String,
    /// `a trio is three. seven plus three is ten. a sister takes two. ten minus two is eight.`
    pub(crate) steps: String,
    pub(crate) answer: &'static str,
}

impl Problem {
    /// A random problem of the training text, or one that is withheld from it.
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

    /// The problem as a story about a person and things. Pairs of person and things are withheld
    /// too: otherwise each half of a question could be in the training text.
    pub(crate) fn tell_where(self, withheld: bool, seed: Seed, dice: &mut Dice) -> Told {
        let Self { first, more, fewer } = self;
        let (name, things) = loop {
            let (name, things) = (dice.pick(&NAMES), dice.pick(&THINGS));
            if is_withheld(seed, &format!("{name} and {things}"), WITHHELD) == withheld {
                break (name, things);
            }
        };
        let (gain, taker) = (GAINS[more as usize - 1], TAKERS[fewer as usize - 1]);
        // The first telling is so short that all of it but the number could occur in another
        // problem.
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

/// Some word problems. Returns their number.
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
