//! Texts a model writes.

use std::sync::atomic::{AtomicBool, Ordering};

use sparkjoy_base::Seed;
use sparkjoy_data::ModelTokenizer;
use sparkjoy_sandbox::Rule;
use sparkjoy_spec::{LanguageModel, LanguageModelError, Prompt};

use crate::next_token::{Choice, drawn, greedy, random};

/// Tokens looked at beside those that may spell the end: a character may begin in one of them.
const MARGIN: usize = 8;

/// When a text is at its end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End<'a> {
    /// Where one of these stands in it.
    Texts(&'a [String]),
    /// Where the part that belongs to a function ends by a rule of judging programs.
    Program(Rule),
}

/// The longest text that ends a program by any rule, `\nclass`, in bytes.
const LONGEST: usize = 6;

impl End<'_> {
    fn reached(self, text: &str) -> bool {
        match self {
            Self::Texts(texts) => texts.iter().any(|end| text.contains(end.as_str())),
            Self::Program(rule) => rule.cut(text).len() < text.len(),
        }
    }

    /// Bytes that may spell it.
    fn longest(self) -> usize {
        match self {
            Self::Texts(texts) => texts.iter().map(String::len).max().unwrap_or(0),
            Self::Program(_) => LONGEST,
        }
    }
}

/// Which texts a model is to write.
pub(crate) struct GenerationRequest<'a> {
    /// Name of the task: part of the address of random numbers.
    pub(crate) task: &'a str,
    /// Each prompt's item, tokens, and the most tokens to write.
    pub(crate) prompts: &'a [(usize, &'a [u32], usize)],
    /// Texts per prompt.
    pub(crate) samples: usize,
    pub(crate) choice: Choice,
    pub(crate) end: End<'a>,
    pub(crate) seed: Seed,
    pub(crate) stop: &'a AtomicBool,
}

/// The tokens of each text, by prompt and sample, without the end-of-text token; nothing if it was
/// told to stop.
///
/// A text continues to the token that completes its end; `judge` cuts what comes after.
///
/// # Errors
///
/// The model's.
pub(crate) fn generate(
    model: &mut dyn LanguageModel,
    tokenizer: &ModelTokenizer,
    request: &GenerationRequest<'_>,
) -> Result<Option<Vec<Vec<Vec<u32>>>>, LanguageModelError> {
    let &GenerationRequest { task, prompts, samples, choice, end, seed, stop } = request;
    let mut written = vec![vec![Vec::new(); samples]; prompts.len()];
    let requests: Vec<Prompt<'_>> =
        prompts.iter().map(|&(_, tokens, most)| Prompt { tokens, most, samples }).collect();
    let tail = end.longest() + MARGIN;
    model.generate(&requests, &mut |prompt, sample, logits| {
        let text: &mut Vec<u32> = &mut written[prompt][sample];
        let recent = &text[text.len().saturating_sub(tail)..];
        if stop.load(Ordering::Relaxed) || end.reached(&tokenizer.decode(recent)) {
            return None;
        }
        let token = match choice {
            Choice::Greedy => greedy(logits),
            Choice::Drawn { temperature, top_p } => {
                let random = random(seed, task, prompts[prompt].0, sample, text.len());
                drawn(logits, temperature, top_p, random)
            }
        };
        if Some(token) == tokenizer.end_of_text() {
            return None;
        }
        text.push(token);
        Some(token)
    })?;
    Ok((!stop.load(Ordering::Relaxed)).then_some(written))
}
