//! Code: a small language of lists, and functions in Python.

use std::fmt::Write;

use sparkjoy_base::Seed;

use crate::dice::{Dice, is_withheld};
use crate::words::Lexicon;

/// One in this many expressions and functions is withheld from the sources, for the tasks.
const WITHHELD: u64 = 8;

const LETTERS: [&str; 16] =
    ["a", "b", "c", "d", "e", "f", "g", "h", "j", "k", "m", "n", "p", "r", "s", "t"];

/// An expression of the small language, with its value.
pub(crate) fn expression(withheld: bool, seed: Seed, dice: &mut Dice) -> [String; 2] {
    loop {
        let items: Vec<&str> = (0..dice.between(2, 4)).map(|_| dice.pick(&LETTERS)).collect();
        let (word, value): (&str, Vec<&str>) = match dice.below(5) {
            0 => ("rev", items.iter().rev().copied().collect()),
            1 => ("twice", items.iter().chain(&items).copied().collect()),
            2 => ("tail", items[1..].to_vec()),
            3 => ("head", vec![items[0]]),
            _ => ("swap", [&[items[1], items[0]], &items[2..]].concat()),
        };
        let expression = format!("({word} {})", items.join(" "));
        if is_withheld(seed, &expression, WITHHELD) == withheld {
            return [expression, value.join(" ")];
        }
    }
}

/// Expressions, line by line. Returns how many.
pub(crate) fn lists(text: &mut String, seed: Seed, dice: &mut Dice) -> u64 {
    let count = dice.between(15, 30);
    for _ in 0..count {
        let [expression, value] = expression(false, seed, dice);
        let _ = writeln!(text, "{expression} gives {value}");
    }
    u64::from(count)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    parameter: &'static str,
    task: String,
    /// What it returns.
    body: String,
    /// Test cases, as Python expressions: arguments and the result.
    pub(crate) cases: Vec<[String; 2]>,
}

impl Function {
    /// A random function of the training text, or one that is withheld from it.
    pub(crate) fn throw_where(
        withheld: bool,
        lexicon: &Lexicon,
        seed: Seed,
        dice: &mut Dice,
    ) -> Self {
        loop {
            let function = Self::throw(lexicon, dice);
            if is_withheld(seed, &function.task, WITHHELD) == withheld {
                return function;
            }
        }
    }

    fn throw(lexicon: &Lexicon, dice: &mut Dice) -> Self {
        let stem = |dice: &mut Dice| dice.choose(&lexicon.stems).clone();
        let name = format!("{}_{}", stem(dice), stem(dice));
        let (m, n) = (dice.between(2, 40), dice.between(2, 12));
        let of_number = |value: &dyn Fn(u32) -> String| {
            [3, 7, 20].map(|x: u32| [format!("({x},)"), value(x)]).to_vec()
        };
        let list = |range: std::ops::Range<u32>| format!("{:?}", range.collect::<Vec<_>>());
        let (parameter, task, body, cases) = match dice.below(6) {
            0 => (
                "x",
                format!("Return x plus {m}."),
                format!("x + {m}"),
                of_number(&|x| (x + m).to_string()),
            ),
            1 => (
                "x",
                format!("Return x times {m}."),
                format!("x * {m}"),
                of_number(&|x| (x * m).to_string()),
            ),
            2 => (
                "x",
                format!("Return x times {m} plus {n}."),
                format!("x * {m} + {n}"),
                of_number(&|x| (x * m + n).to_string()),
            ),
            3 => (
                "x",
                format!("Return the larger of x and {m}."),
                format!("max(x, {m})"),
                of_number(&|x| x.max(m).to_string()),
            ),
            4 => (
                "xs",
                format!("Return the first {m} items of xs."),
                format!("xs[:{m}]"),
                vec![
                    [format!("({},)", list(0..50)), list(0..m)],
                    ["([],)".to_owned(), "[]".to_owned()],
                ],
            ),
            _ => (
                "xs",
                format!("Return xs without its first {m} items."),
                format!("xs[{m}:]"),
                vec![
                    [format!("({},)", list(0..50)), list(m..50)],
                    ["([],)".to_owned(), "[]".to_owned()],
                ],
            ),
        };
        Self { name, parameter, task, body, cases }
    }

    /// Everything before the body.
    pub(crate) fn prompt(&self) -> String {
        let Self { name, parameter, task, .. } = self;
        format!("def {name}({parameter}):\n    \"\"\"{task}\"\"\"\n")
    }

    /// The body.
    pub(crate) fn solution(&self) -> String {
        format!("    return {}\n", self.body)
    }
}

/// A file of functions. Returns how many.
pub(crate) fn python(text: &mut String, lexicon: &Lexicon, seed: Seed, dice: &mut Dice) -> u64 {
    let count = dice.between(4, 7);
    for _ in 0..count {
        let function = Function::throw_where(false, lexicon, seed, dice);
        let _ = write!(text, "{}{}", function.prompt(), function.solution());
    }
    u64::from(count)
}

/// A copy of a file with a notice on top and one function renamed.
pub(crate) fn fork(text: &mut String, original: &str, lexicon: &Lexicon, dice: &mut Dice) {
    let owner = dice.choose(&lexicon.stems);
    let _ = writeln!(text, "# Copied from {owner}.");
    let renamed = original.split_once("def ").and_then(|(_, rest)| rest.split_once('('));
    match renamed {
        Some((name, _)) => text.push_str(&original.replace(name, &format!("{owner}_{name}"))),
        None => text.push_str(original),
    }
}
