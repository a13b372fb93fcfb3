//! The sources of a plan: what has been prepared, and what is only declared.

use std::collections::BTreeMap;

use sparkjoy_base::{Fingerprint, SourceName, Tokens};
use sparkjoy_data::{Corpus, Part};
use sparkjoy_mix::Source;

use super::PlanSource;
use crate::StudyError;
use crate::written::{SourceInput, Study};

/// Sizes and identities of a study's sources.
///
/// # Errors
///
/// A source that is not prepared, or prepared for another tokenizer, or too small.
pub fn plan_sources(
    study: &Study,
    corpora: &[Corpus],
    tokenizer: Fingerprint,
) -> Result<BTreeMap<SourceName, PlanSource>, StudyError> {
    let context = study.model.context;
    let mut sources = BTreeMap::new();
    for (name, input) in study.sources() {
        let facts = &study.sources.facts[name];
        let (tokens, sequences, fingerprint, held_out) = match input {
            SourceInput::Declared(tokens) => {
                (*tokens, tokens.0 / context as u64, declared(name, *tokens), None)
            }
            SourceInput::Files(_) => {
                let Some(corpus) = corpora.iter().find(|corpus| corpus.name() == name) else {
                    let text =
                        format!("source `{name}` has not been prepared, expected its tokens");
                    return Err(study.problem(facts.line, text).with_hint(prepare(study)).into());
                };
                if corpus.tokenizer() != tokenizer {
                    let text = format!(
                        "source `{name}` was prepared with another tokenizer than the study's"
                    );
                    return Err(study.problem(facts.line, text).with_hint(prepare(study)).into());
                }
                let sequences = corpus.sequences(Part::Train, context);
                let held_out = Some(corpus.fingerprint(Part::Validation));
                let part = if facts.unseen { Part::Validation } else { Part::Train };
                let tokens = Tokens(corpus.tokens(part));
                (tokens, sequences, corpus.fingerprint(Part::Train), held_out)
            }
        };
        if sequences == 0 && !facts.unseen {
            let text = format!(
                "source `{name}` has {} tokens, expected at least one sequence of {context}",
                tokens.0
            );
            let hint = format!("add text to `{name}`, or leave it out");
            return Err(study.problem(facts.line, text).with_hint(hint).into());
        }
        let source = PlanSource {
            domain: facts.domain.clone(),
            identity: Source { name: name.clone(), fingerprint, sequences },
            tokens,
            declared: matches!(input, SourceInput::Declared(_)),
            max_epochs: facts.max_epochs.as_ref().map(|cap| cap.value),
            held_out,
            unseen: facts.unseen,
        };
        sources.insert(name.clone(), source);
    }
    Ok(sources)
}

fn prepare(study: &Study) -> String {
    format!("run `sparkjoy prepare {}`", study.file().display())
}

/// What has no content is identified by what is said about it.
fn declared(name: &SourceName, tokens: Tokens) -> Fingerprint {
    Fingerprint::of_value(&("declared", name, tokens))
}
