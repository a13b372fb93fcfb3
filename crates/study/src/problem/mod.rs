//! Everything that can be wrong with a study, as its author should read it.
//!
//! The text says what was found and what was expected, in the words of the file; the place comes
//! from [`crate::StudyError`], the advice from [`Problem::hint`].

mod hint;

use sparkjoy_base::{DomainName, NameError, Ppm, QuantityError, SourceName, Tokens, thousands};
use sparkjoy_eval::EvalError;
use sparkjoy_mix::MixError;
use sparkjoy_nn::ShapeError;

use crate::resolve::Fit;
use crate::resolve::TrunkProblem;

/// What is wrong with a study.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Not TOML.
    #[error("{message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// A key nobody reads.
    #[error("unknown key `{key}` in {table}, {}", nearest_of(nearest.as_deref(), known))]
    UnknownKey {
        /// The key.
        key: String,
        /// The table it stands in.
        table: String,
        /// The known key that looks most like it.
        nearest: Option<String>,
        /// All known keys.
        known: Vec<String>,
    },
    /// A key that must be there.
    #[error("{table} has no `{key}`, expected {expected}")]
    MissingKey {
        /// The key.
        key: String,
        /// The table it belongs in.
        table: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// One value has no spread.
    #[error("one replicate where intervals are asked for, expected two or more")]
    NoIntervals,
    /// A value of the wrong kind.
    #[error("`{key}` is {found}, expected {expected}")]
    WrongType {
        /// The key.
        key: String,
        /// What stands there.
        found: &'static str,
        /// What should.
        expected: &'static str,
    },
    /// A number out of its range.
    #[error("`{key}` is {found}, expected {expected}")]
    OutOfRange {
        /// The key.
        key: String,
        /// The number.
        found: String,
        /// The range.
        expected: &'static str,
    },
    /// A word that is not one of the known ones.
    #[error("`{key}` is `{found}`, {}", nearest_of(nearest.as_deref(), known))]
    UnknownChoice {
        /// The key.
        key: String,
        /// The word.
        found: String,
        /// The known word that looks most like it.
        nearest: Option<String>,
        /// All known words.
        known: Vec<String>,
    },
    /// A quantity that cannot be read.
    #[error("`{key}`: {why}")]
    Quantity {
        /// The key.
        key: String,
        /// Why not.
        why: QuantityError,
    },
    /// A number of bytes that cannot be read.
    #[error("`{key}`: `{text}` is not a number of bytes, expected something like `10M`")]
    Bytes {
        /// The key.
        key: String,
        /// The text as written.
        text: String,
    },
    /// A name that cannot be used.
    #[error("{0}")]
    Name(NameError),
    /// Neither or both of two keys that exclude each other.
    #[error("source `{source_name}` has {found}, expected one of the two")]
    NotOneOf {
        /// The source.
        source_name: SourceName,
        /// `both `path` and `tokens``.
        found: &'static str,
    },
    /// A key about text on a source without text.
    #[error(
        "`{key}` is about text, but source `{source_name}` is declared by `tokens` and has no files"
    )]
    OnlyWithFiles {
        /// The key.
        key: &'static str,
        /// The source.
        source_name: SourceName,
    },
    /// A task or suite nobody defines.
    #[error("{why}")]
    Task {
        /// What is wrong with it.
        why: Box<EvalError>,
    },
    /// A step of the trunk that is to be scored, and is never reached.
    #[error(
        "`at` asks for step {}, expected at most {}, the last that a branch starts from: the trunk \
         is trained no further",
        thousands(*.step),
        thousands(*.last)
    )]
    NeverReached {
        /// The step.
        step: u64,
        /// The last branch point.
        last: u64,
    },
    /// One name for two things.
    #[error("`{name}` is the name of a source and of a domain, expected different names")]
    SourceIsDomain {
        /// The name.
        name: String,
    },
    /// A source named like a refill rule.
    #[error("a source cannot be called `{name}`: `refill` uses the word for a rule")]
    ReservedName {
        /// The name.
        name: SourceName,
    },
    /// A share of nothing known.
    #[error(
        "{place} names `{name}`, which is neither a source nor a domain{}",
        did_you_mean(nearest.as_deref())
    )]
    UndefinedSource {
        /// Where.
        place: String,
        /// The name.
        name: String,
        /// The defined name that looks most like it.
        nearest: Option<String>,
    },
    /// A contaminated source nobody defined.
    #[error("`contaminated` names `{name}`, which is no source{}", did_you_mean(nearest.as_deref()))]
    NoSource {
        /// The name.
        name: String,
        /// The source that looks most like it.
        nearest: Option<String>,
    },
    /// A mixture nobody defined.
    #[error("mixture `{name}` is not defined{}", did_you_mean(nearest.as_deref()))]
    UndefinedMixture {
        /// The name.
        name: String,
        /// The defined one that looks most like it.
        nearest: Option<String>,
    },
    /// A weighed domain without sources.
    #[error("no source is in domain `{domain}`{}", did_you_mean(nearest.as_deref()))]
    UndefinedDomain {
        /// The domain.
        domain: DomainName,
        /// The one that looks most like it.
        nearest: Option<String>,
    },
    /// Proportions that do not add up.
    #[error("proportions of {what} sum to {}, expected 1", decimal(*sum))]
    Sum {
        /// `mixture `base``.
        what: String,
        /// Their sum in parts per million.
        sum: u64,
    },
    /// A proportion of zero.
    #[error("`{name}` has proportion 0 in {what}, expected more than 0 or no mention")]
    Zero {
        /// The source or domain.
        name: String,
        /// `mixture `base``.
        what: String,
    },
    /// A source that gets a share by itself and through its domain.
    #[error(
        "mixture `{mixture}` names source `{source_name}` and its domain `{domain}`, expected \
         one of the two"
    )]
    NamedTwice {
        /// The mixture.
        mixture: String,
        /// The source.
        source_name: SourceName,
        /// Its domain.
        domain: DomainName,
    },
    /// A source weighed in a domain it is not in.
    #[error("source `{source_name}` is in domain `{found}`, not in `{domain}`")]
    OtherDomain {
        /// The source.
        source_name: SourceName,
        /// The domain it is in.
        found: DomainName,
        /// The domain that weighs it.
        domain: DomainName,
    },
    /// A weighed domain that leaves out a source.
    #[error("domain `{domain}` weighs its sources but not `{source_name}`, expected all of them")]
    Unweighed {
        /// The domain.
        domain: DomainName,
        /// The source.
        source_name: SourceName,
    },
    /// A share of a domain too small to reach a source.
    #[error(
        "source `{source_name}` gets less than one part per million of mixture `{mixture}`: it \
         holds {tokens} of the tokens of domain `{domain}`"
    )]
    ShareVanishes {
        /// The source.
        source_name: SourceName,
        /// Its domain.
        domain: DomainName,
        /// The mixture.
        mixture: String,
        /// Its tokens.
        tokens: Tokens,
    },
    /// A model that cannot be built.
    #[error("the model cannot be built: {0}")]
    Shape(ShapeError),
    /// A budget that does not pay for a step.
    #[error("budget {budget} is less than one step of {step} tokens (batch × context)")]
    BudgetBelowStep {
        /// The budget.
        budget: Tokens,
        /// Tokens per step.
        step: Tokens,
    },
    /// A learning-rate curve that does not fit into the run.
    #[error("warmup and cooldown take {needed} tokens, expected at most the run's {total}")]
    ScheduleTooLong {
        /// Tokens of both.
        needed: Tokens,
        /// Tokens of the run.
        total: Tokens,
    },
    /// A window of no step.
    #[error("window `{window}` is less than half a step of {step} tokens, expected at least one")]
    WindowEmpty {
        /// As written.
        window: String,
        /// Tokens per step.
        step: Tokens,
    },
    /// A window that leaves no trunk.
    #[error(
        "window `{window}` is {} of the run's {} steps, expected fewer than all",
        thousands(*steps),
        thousands(*of)
    )]
    WindowWhole {
        /// As written.
        window: String,
        /// Its steps.
        steps: u64,
        /// Steps of the run.
        of: u64,
    },
    /// A window asked about twice.
    #[error(
        "windows `{first}` and `{second}` are both {} steps, expected different ones",
        thousands(*steps)
    )]
    WindowTwice {
        /// The first.
        first: String,
        /// The one that repeats it.
        second: String,
        /// Steps of both.
        steps: u64,
    },
    /// A branch equal to its control.
    #[error(
        "mixture `{mixture}` changes nothing against its control ({control}): both draw the same"
    )]
    ChangesNothing {
        /// The mixture asked about.
        mixture: String,
        /// The control.
        control: String,
    },
    /// A removal that leaves nothing.
    #[error("removing {removed} leaves nothing of mixture `{mixture}`")]
    RemovesEverything {
        /// What is removed, each name in backticks.
        removed: String,
        /// The mixture.
        mixture: String,
    },
    /// A removal of what is not there.
    #[error("`{name}` cannot be removed: mixture `{mixture}` does not draw from it")]
    NotInMixture {
        /// The source or domain.
        name: String,
        /// The mixture.
        mixture: String,
    },
    /// One thing asked about twice.
    #[error("`{key}` names {names} twice, expected once")]
    ChosenTwice {
        /// The key.
        key: &'static str,
        /// What is named twice.
        names: String,
    },
    /// A question about sources without a source.
    #[error(
        "the question names nothing to {}: `{key}` and `{each}` are empty or absent",
        verb(key)
    )]
    NothingChosen {
        /// The key for groups.
        key: &'static str,
        /// The key for whole domains, source by source.
        each: &'static str,
    },
    /// Refill rules that come to the same.
    #[error(
        "after removing {removed}, refill `{first}` and refill `{second}` give the same mixture, \
         expected rules that differ"
    )]
    RefillsAlike {
        /// What is removed, each name in backticks.
        removed: String,
        /// The first rule.
        first: String,
        /// The one that repeats it.
        second: String,
    },
    /// A generator over something that is no domain.
    #[error("{place} names `{name}`, which is no domain{}", did_you_mean(nearest.as_deref()))]
    NotADomain {
        /// Where.
        place: String,
        /// The name.
        name: String,
        /// The domain that looks most like it.
        nearest: Option<String>,
    },
    /// A share asked about twice.
    #[error("`shares` names {share} twice, expected once")]
    ShareTwice {
        /// The share.
        share: Ppm,
    },
    /// An addition that leaves nothing of the mixture.
    #[error(
        "adding {added} at a share of {share} leaves nothing for the rest of mixture `{mixture}`"
    )]
    AddsEverything {
        /// What is added.
        added: String,
        /// Its share.
        share: Ppm,
        /// The mixture.
        mixture: String,
    },
    /// Neither or both ways to name the mixtures of a proportion question.
    #[error(
        "a `proportion` question has `mixtures`, or `between` and `shares`: expected one of the two"
    )]
    MixturesOrBetween,
    /// A window that begins too late to fit.
    #[error(
        "a window of {window} that begins at {start} ends at step {}, expected at most {}, the \
         end of the run",
        thousands(*steps),
        thousands(*of)
    )]
    WindowPastEnd {
        /// Where it begins, as written.
        start: String,
        /// Its length, as written.
        window: String,
        /// The step it would end at.
        steps: u64,
        /// Steps of the run.
        of: u64,
    },
    /// A transfer of no question.
    #[error("`of` is {number}, expected the number of a question above that is no transfer itself{}", above_this(*above))]
    TransferOf {
        /// The number.
        number: u64,
        /// How many questions are above.
        above: usize,
    },
    /// A transfer to nowhere.
    #[error("a `transfer` question names neither `models` nor `mixtures`, expected at least one")]
    TransferNowhere,
    /// A question without a mixture, asked about others.
    #[error("question {of} compares mixtures itself, so it cannot be asked about other `mixtures`")]
    TransferMixtures {
        /// The number of the question.
        of: u64,
    },
    /// A transfer to where the question was asked.
    #[error("`models` names {model}, the study's own model, expected another")]
    TransferSame {
        /// The model.
        model: String,
    },
    /// Nobody of the domain is left to take the freed share.
    #[error(
        "refill `domain`: removing `{source_name}` leaves no source of domain `{domain}` in \
         mixture `{mixture}` to take its share"
    )]
    RefillNobody {
        /// The removed source.
        source_name: SourceName,
        /// Its domain.
        domain: DomainName,
        /// The mixture.
        mixture: String,
    },
    /// The freed share would go to what is removed.
    #[error("refill `{source_name}`: it is itself removed, expected another source")]
    RefillRemoved {
        /// The source.
        source_name: SourceName,
    },
    /// Not a refill rule and not a source.
    #[error(
        "refill `{name}` is not a source, expected `domain`, `proportional` or a source{}",
        did_you_mean(nearest.as_deref())
    )]
    RefillUnknown {
        /// The word.
        name: String,
        /// The source that looks most like it.
        nearest: Option<String>,
    },
    /// A source without one whole sequence.
    #[error(
        "source `{source_name}` has {tokens} tokens, expected at least one sequence of {context}"
    )]
    TooSmall {
        /// The source.
        source_name: SourceName,
        /// Its tokens.
        tokens: u64,
        /// Tokens per sequence.
        context: usize,
    },
    /// A source read more often than allowed.
    #[error(
        "branch `{branch}` reads source `{source_name}` {epochs:.2} times, expected at most its \
         `max_epochs` {cap}: {fit}"
    )]
    TooOften {
        /// The branch.
        branch: String,
        /// The source.
        source_name: SourceName,
        /// Epochs at the end, trunk included.
        epochs: f64,
        /// The cap.
        cap: f64,
        /// What would fit.
        fit: Fit,
    },
    /// A source without its tokens.
    #[error("source `{source_name}` has not been prepared, expected its tokens")]
    NotPrepared {
        /// The source.
        source_name: SourceName,
    },
    /// A source prepared with another tokenizer.
    #[error("source `{source_name}` was prepared with another tokenizer than the study's")]
    OtherTokenizer {
        /// The source.
        source_name: SourceName,
    },
    /// A trunk trained elsewhere that does not fit.
    #[error("{0}")]
    Trunk(TrunkProblem),
    /// What the mixture's room refuses.
    #[error("{what}: {why}")]
    Mix {
        /// Which phase.
        what: String,
        /// Why.
        why: MixError,
    },
}

fn verb(key: &str) -> &'static str {
    if key == "add" { "add" } else { "remove" }
}

fn above_this(above: usize) -> String {
    match above {
        0 => " (there is none)".to_owned(),
        above => format!(" (there are {above})"),
    }
}

/// Parts per million as a decimal without needless zeros.
fn decimal(parts: u64) -> String {
    let text = format!("{}.{:06}", parts / 1_000_000, parts % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (the nearest is `{name}`)")).unwrap_or_default()
}

fn nearest_of(nearest: Option<&str>, known: &[String]) -> String {
    match (nearest, known) {
        (Some(name), _) => format!("the nearest known is `{name}`"),
        (None, []) => "expected none".to_owned(),
        (None, [only]) => format!("expected `{only}`"),
        (None, known) => format!("expected one of `{}`", known.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_source_of_another_tokenizer_is_named() {
        let source_name = SourceName::new("web").unwrap();
        let problem = Problem::OtherTokenizer { source_name };
        assert_eq!(
            problem.to_string(),
            "source `web` was prepared with another tokenizer than the study's"
        );
        assert_eq!(
            problem.hint(Path::new("studies/small.toml")).unwrap(),
            "run `sparkjoy prepare studies/small.toml`"
        );
    }
}
