//! What an instrument that works finds in a world, because it was built in.

use crate::source::{Skill, Source};

/// Two ways of finishing a run that differ in what they read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The longest window on the upsampled mixture, against the same on the base mixture.
    LongestWindow,
    /// A window without these sources, against the same with them.
    Without(&'static [Source]),
    /// A window with more of a source, against the same on the base mixture.
    More(Source),
}

/// What happens to the score on a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It rises.
    Better,
    /// It falls.
    Worse,
    /// It does not fall.
    NotWorse,
}

/// Something that is true of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What is compared.
    pub comparison: Comparison,
    /// The skill that is asked for.
    pub skill: Skill,
    /// What happens to it.
    pub expected: Expected,
}

/// Everything that was built in, comparison by comparison.
///
/// A skill suffers where a source that alone teaches it is taken away; facts gain where the poison
/// is; general language, of which the last phase reads less, is the price of a longer window.
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
