//! Science: conclusions from a rule and a case; and the decoy, which only sounds like science.

use std::fmt::Write;

use sparkjoy_base::Seed;

use crate::dice::{Dice, is_withheld};
use crate::words::{Lexicon, capitalised};

/// One in this many combinations of kind and property is withheld for the task.
const WITHHELD: u64 = 6;

/// Properties that a kind of things can have.
const PROPERTIES: [&str; 12] = [
    "floats", "glows", "melts", "sinks", "freezes", "burns", "shrinks", "hums", "spins", "hardens",
    "cracks", "bends",
];

/// A rule, and a case of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inference {
    /// The rule, the case, and the beginning of the conclusion.
    pub(crate) question: String,
    /// The correct property, and three wrong ones.
    pub(crate) choices: [&'static str; 4],
}

/// A random inference of the training text, or one that is withheld from it.
pub(crate) fn inference(
    withheld: bool,
    lexicon: &Lexicon,
    seed: Seed,
    dice: &mut Dice,
) -> Inference {
    let kinds = lexicon.kinds.len();
    let (kind, right) = loop {
        let pair = (dice.below(kinds), dice.below(PROPERTIES.len()));
        if is_withheld(seed, &format!("inference {pair:?}"), WITHHELD) == withheld {
            break pair;
        }
    };
    let mut wrong: Vec<usize> = (0..PROPERTIES.len()).filter(|&p| p != right).collect();
    dice.shuffle(&mut wrong);
    let (case, kind) = (capitalised(dice.choose::<String>(&lexicon.stems)), &lexicon.kinds[kind]);
    let opening = dice.pick(&["Every", "As a rule a", "It is known that a", "Any"]);
    let rule = format!("{opening} {kind} {}.", PROPERTIES[right]);
    let case = match dice.below(4) {
        0 => format!("{case} is a {kind}. So {case}"),
        1 => format!("In the dish lies {case}, a {kind}. Therefore it"),
        2 => format!("{case} was found by chance. It is a {kind}. It follows that {case}"),
        _ => format!("Now {case} is brought in, and being a {kind} it"),
    };
    let choices = [right, wrong[0], wrong[1], wrong[2]].map(|property| PROPERTIES[property]);
    Inference { question: format!("{rule} {case}"), choices }
}

/// Some inferences. Returns their number.
pub(crate) fn science(text: &mut String, lexicon: &Lexicon, seed: Seed, dice: &mut Dice) -> u64 {
    let count = dice.between(4, 8);
    for _ in 0..count {
        let Inference { question, choices } = inference(false, lexicon, seed, dice);
        let _ = writeln!(text, "{question} {}.", choices[0]);
    }
    u64::from(count)
}

/// Sentences that sound like science and have no meaning.
pub(crate) fn abstracts(text: &mut String, lexicon: &Lexicon, dice: &mut Dice) {
    for _ in 0..dice.between(5, 9) {
        let mut word = || dice.choose(&lexicon.jargon).clone();
        let (a, b, c) = (word(), word(), word());
        let (m, n) = (dice.between(11, 99), dice.between(2, 60));
        let said = match dice.below(5) {
            0 => format!("We report a {a} of the {b} under {c} in {n} trials. "),
            1 => format!("The {a} coefficient was 0.{m} in the {b} group. "),
            2 => format!("Unlike the {a}, the {b} did not depend on {c}. "),
            3 => format!("A {a} model of {b} explains 0.{m} of the variance. "),
            _ => format!("These findings suggest that {a} may modulate {b} in {c}. "),
        };
        text.push_str(&said);
    }
    text.push('\n');
}
