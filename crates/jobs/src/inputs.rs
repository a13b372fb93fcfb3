//! What a plan was made of, and whether it still is.

use sparkjoy_base::{Fingerprint, Problem, SourceName};
use sparkjoy_data::{Corpus, Part, Tokenizer};
use sparkjoy_study::{Plan, Study};

use crate::error::JobError;
use crate::problem::AGAIN;

/// A plan and what it was made of.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The study.
    pub study: &'a Study,
    /// Its plan.
    pub plan: &'a Plan,
    /// Its sources, in any order.
    pub corpora: &'a [Corpus],
    /// The tokenizer they were encoded with.
    pub tokenizer: &'a Tokenizer,
}

impl<'a> Inputs<'a> {
    /// The tokens of a source. Call [`Inputs::check`] before.
    pub(crate) fn corpus(&self, name: &SourceName) -> &'a Corpus {
        self.found(name).expect("`check` found a corpus for every source")
    }

    fn found(&self, name: &SourceName) -> Option<&'a Corpus> {
        self.corpora.iter().find(|corpus| corpus.name() == name)
    }

    /// Refuses text other than the plan's before a second is spent on it.
    ///
    /// # Errors
    ///
    /// A tokenizer or tokens that are not the plan's, a source without text; if held-out text
    /// cannot be sampled.
    pub(crate) fn check(&self) -> Result<(), JobError> {
        let Self { plan, tokenizer, .. } = *self;
        let (found, expected) = (tokenizer.fingerprint(), plan.trunk().tokenizer);
        if found != expected {
            return Err(other_tokenizer(found, expected).into());
        }
        for (name, source) in &plan.sources {
            let Some(held_out) = source.held_out.filter(|_| !source.declared) else {
                return Err(declared(name).into());
            };
            let corpus = self.found(name);
            for (part, words, expected) in [
                (Part::Train, "training", source.identity.fingerprint),
                (Part::Validation, "held-out", held_out),
            ] {
                let found = corpus.map(|corpus| corpus.fingerprint(part));
                if found != Some(expected) {
                    return Err(other_tokens(name, words, found, expected).into());
                }
            }
            if let Some(corpus) = corpus {
                let context = plan.shape.context;
                sparkjoy_eval::sample(corpus, context, plan.seed, plan.evaluation.held_out)?;
            }
        }
        Ok(())
    }
}

/// A source without text.
fn declared(name: &SourceName) -> Problem {
    let text = "is declared by its size, expected text files to train on";
    Problem::new(format!("source `{name}` {text}"))
        .with_hint(format!("give `[sources.{name}]` a `path` and a `validation` instead of a size"))
}

/// Something else at hand than was planned with. `text`: what follows "the".
fn changed(text: &str, expected: Fingerprint) -> Problem {
    Problem::new(format!("the {text}, the plan expects {expected}"))
        .with_hint(format!("the text changed since the plan was made: {AGAIN} to plan anew"))
}

/// Tokens of a source that are not those of the plan.
///
/// - `found`: identity of the tokens at hand; none if there are none.
fn other_tokens(
    name: &SourceName,
    part: &str,
    found: Option<Fingerprint>,
    expected: Fingerprint,
) -> Problem {
    let found = found.map_or_else(|| "missing".to_owned(), |found| found.to_string());
    changed(&format!("{part} tokens of source `{name}` are {found}"), expected)
}

/// A tokenizer that is not the plan's.
fn other_tokenizer(found: Fingerprint, expected: Fingerprint) -> Problem {
    changed(&format!("tokenizer at hand is {found}"), expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparkjoy_kit::shown;

    #[test]
    fn text_that_is_not_the_plans_is_named_with_what_was_expected() {
        let name = SourceName::new("math").unwrap();
        let [found, expected] = ["found", "expected"].map(|t| Fingerprint::of_bytes(t.as_bytes()));
        let problems = [
            declared(&name),
            other_tokens(&name, "held-out", None, expected),
            other_tokenizer(found, expected),
        ];
        let texts = problems.map(|problem| shown(Err(problem))).join("\n\n");
        insta::assert_snapshot!(texts, @"
        source `math` is declared by its size, expected text files to train on
        hint: give `[sources.math]` a `path` and a `validation` instead of a size

        the held-out tokens of source `math` are missing, the plan expects a99e31b7
        hint: the text changed since the plan was made: run the same command again to plan anew

        the tokenizer at hand is 6166e496, the plan expects a99e31b7
        hint: the text changed since the plan was made: run the same command again to plan anew
        ");
    }
}
