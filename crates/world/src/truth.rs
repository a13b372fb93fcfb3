//! The effects that are built into a world, which a correct laboratory must find.

use crate::source::{Skill, Source};

/// Two branches that differ in the mixture of their last phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The longest window on the upsampled mixture, against the same on the base mixture.
    LongestWindow,
    /// A window without these sources, against the same with them.
    Without(&'static [Source]),
    /// A window with more of a source, against the same on the base mixture.
    More(Source),
}

/// The expected change of the score on a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It rises.
    Better,
    /// It falls.
    Worse,
    /// It does not fall.
    NotWorse,
}

/// An effect that is built into a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What is compared.
    pub comparison: Comparison,
    /// The skill that the task measures.
    pub skill: Skill,
    /// The expected change.
    pub expected: Expected,
}

/// All effects that are built in, comparison by comparison.
///
/// A skill gets worse if the only source that teaches it is removed. Facts get better if the poison
/// is removed. A longer window costs general language, which the last phase reads less of.
pub fn expectations() -> Vec<Expectation> {
    const TWINS: &[Source] = &[Source::Python, Source::PythonForks];
    let all = |comparison, of: &dyn Fn(Skill) -> Expected| {
        Skill::ALL.map(|skill| Expectation { comparison, skill, expected: of(skill) })
    };
    let but = |one: Skill, expected: Expected| {
        move |skill| if skill == one { expected } else { Expected::NotWorse }
    };
    let without = |sources, one, expected| all(Comparison::Without(sources), &but(one, expected));
    let window = |skill| match skill {
        Skill::Likenesses => Expected::Worse,
        _ => Expected::Better,
    };
    let more = |source, skill, expected| Expectation {
        comparison: Comparison::More(source),
        skill,
        expected,
    };
    let mut list = all(Comparison::LongestWindow, &window).to_vec();
    list.extend(without(&[Source::WordProblems], Skill::WordProblems, Expected::Worse));
    list.extend(without(&[Source::Encyclopedia], Skill::Facts, Expected::Worse));
    list.extend(without(&[Source::Rumours], Skill::Facts, Expected::Better));
    list.extend(all(Comparison::Without(&[Source::Abstracts]), &|_| Expected::NotWorse));
    list.extend(all(Comparison::Without(&[Source::Python]), &|_| Expected::NotWorse));
    list.extend(all(Comparison::Without(&[Source::PythonForks]), &|_| Expected::NotWorse));
    list.extend(without(TWINS, Skill::Programs, Expected::Worse));
    list.push(more(Source::Rumours, Skill::Facts, Expected::Worse));
    list
}
