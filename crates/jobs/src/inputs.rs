//! What a plan was made of, and whether it still is.

use sparkjoy_base::SourceName;
use sparkjoy_data::{Corpus, Part, Tokenizer};
use sparkjoy_study::{Plan, Study};

use crate::error::JobError;
use crate::execution_error::ExecutionError;

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
    /// [`ExecutionError::Tokenizer`], [`ExecutionError::Declared`], [`ExecutionError::Corpus`]; if
    /// held-out text cannot be sampled.
    pub(crate) fn check(&self) -> Result<(), JobError> {
        let Self { plan, tokenizer, .. } = *self;
        let (found, expected) = (tokenizer.fingerprint(), plan.trunk().tokenizer);
        if found != expected {
            return Err(ExecutionError::Tokenizer { found, expected }.into());
        }
        for (name, source) in &plan.sources {
            let Some(held_out) = source.held_out.filter(|_| !source.declared) else {
                return Err(ExecutionError::Declared { source_name: name.clone() }.into());
            };
            let corpus = self.found(name);
            for (part, words, expected) in [
                (Part::Train, "training", source.identity.fingerprint),
                (Part::Validation, "held-out", held_out),
            ] {
                let found = corpus.map(|corpus| corpus.fingerprint(part));
                if found != Some(expected) {
                    return Err(ExecutionError::Corpus {
                        source_name: name.clone(),
                        part: words,
                        found: found.map_or_else(|| "missing".to_owned(), |f| f.to_string()),
                        expected: expected.to_string(),
                    }
                    .into());
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
