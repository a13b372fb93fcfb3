//! The port to language models: what `eval` asks of one, whoever computes it.

use std::error::Error;
use std::fmt;

use sparkjoy_base::Hint;

use crate::Promise;

/// The names of the instruction sets of our own engine and decoder. No other program may use them.
pub const OUR_KERNELS: [&str; 4] = ["avx512bf16", "avx512", "avx2", "portable"];

/// What a language model says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageModelInfo {
    /// Rows of its vocabulary: every token is below it, and logits have as many elements.
    pub vocab: usize,
    /// Tokens per sequence it was made for.
    pub context: usize,
    /// What computes it: `avx512`, `torch-2.15.0-cuda`. Recorded beside results, in no fingerprint.
    pub kernel: String,
    /// What it promises of its numbers.
    pub promise: Promise,
}

/// A token sequence whose last tokens are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoredSequence<'a> {
    /// All tokens.
    pub tokens: &'a [u32],
    /// How many at the end are scored: fewer than there are, since each is predicted from those
    /// before it.
    pub scored: usize,
}

/// Score of one token: its negative log-likelihood, and whether it was the argmax.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenScore {
    /// −ln p of the token.
    pub nats: f32,
    /// Whether no other token was likelier, nor one of a lower id as likely.
    pub greedy: bool,
}

/// Tokens to continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prompt<'a> {
    /// Its tokens, at least one.
    pub tokens: &'a [u32],
    /// New tokens at most.
    pub most: usize,
    /// How many times to continue it.
    pub samples: usize,
}

/// What a model was asked so far and what it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Computed {
    /// Tokens that went through the model.
    pub tokens: u64,
    /// Sequences that were scored or written.
    pub sequences: u64,
    /// Tokens of these sequences, had each been computed by itself.
    pub separate_tokens: u64,
}

/// Chooses the next token of a text, or none to end it.
///
/// Gets the index of the prompt, which of its samples, and the logits of the next token, `[vocab]`.
pub type ChooseToken<'a> = dyn FnMut(usize, usize, &[f32]) -> Option<u32> + Send + 'a;

/// A language model that can be scored.
///
/// Tokens are ids below [`LanguageModelInfo::vocab`]; whoever calls has the tokenizer. A model
/// computes; prompts, the choice of tokens and the judgement of answers are the caller's.
///
/// # Guarantees
///
/// An implementor keeps the [`Promise`] of its [`LanguageModelInfo`]. With [`Promise::SameBits`]
/// the numbers of a group depend on the sequences of that group and on what was remembered, not on
/// the other groups of the call.
///
/// # Errors
///
/// Every call fails if the model cannot be reached or read, or gives what cannot be its answer.
///
/// # Panics
///
/// Every call may panic if it is handed what its parameters exclude: a token that is not below the
/// vocabulary, a sequence that is scored from its first token on, an empty prompt.
pub trait LanguageModel {
    /// What it says of itself.
    fn info(&self) -> &LanguageModelInfo;

    /// What it was asked so far.
    fn computed(&self) -> Computed;

    /// Loss of each target of whole sequences, in nats: of every token but the first.
    ///
    /// - `context`: tokens per sequence, at least 2.
    /// - `tokens`: `[sequences × context]`, row-major.
    ///
    /// Returns `[sequences × (context − 1)]`.
    ///
    /// # Errors
    ///
    /// As the trait says.
    fn losses(&mut self, context: usize, tokens: &[u32]) -> Result<Vec<f32>, LanguageModelError>;

    /// Announces tokens that many sequences begin with, in place of those announced before, so that
    /// they can be computed once. None: nothing is common.
    ///
    /// # Errors
    ///
    /// As the trait says.
    fn remember(&mut self, tokens: &[u32]) -> Result<(), LanguageModelError>;

    /// Scores the last tokens of sequences. Those of a group share a beginning, such as the prompt
    /// of several answers.
    ///
    /// Returns the scores of each scored token, by group and sequence.
    ///
    /// # Errors
    ///
    /// As the trait says.
    fn score(
        &mut self,
        groups: &[Vec<ScoredSequence<'_>>],
    ) -> Result<Vec<Vec<Vec<TokenScore>>>, LanguageModelError>;

    /// Continues every prompt until `choose` ends it or it has as many tokens as it may: then
    /// `choose` is not asked again.
    ///
    /// # Errors
    ///
    /// As the trait says.
    fn generate(
        &mut self,
        prompts: &[Prompt<'_>],
        choose: &mut ChooseToken<'_>,
    ) -> Result<(), LanguageModelError>;
}

/// Why a language model gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageModelError {
    why: String,
    hint: Option<String>,
    stopped: bool,
}

impl LanguageModelError {
    /// An error and what to do about it.
    pub fn new(why: impl Into<String>, hint: Option<String>) -> Self {
        Self { why: why.into(), hint, stopped: false }
    }

    /// It was told to stop while it was asked.
    pub fn stopped() -> Self {
        Self { why: "interrupted".to_owned(), hint: None, stopped: true }
    }

    /// Whether nothing is wrong but that it was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// An error of what lies behind the model, such as its files.
    pub fn of(error: &impl Hint) -> Self {
        Self::new(error.to_string(), error.hint())
    }
}

impl fmt::Display for LanguageModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Error for LanguageModelError {}

impl Hint for LanguageModelError {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}
