//! A task and a model: asks for the results that are missing.

use std::sync::atomic::{AtomicBool, Ordering};

use sparkjoy_base::Seed;
use sparkjoy_data::ModelTokenizer;
use sparkjoy_sandbox::Sandbox;
use sparkjoy_spec::{LanguageModel, ScoredSequence};

use crate::code::{Tried, samples};
use crate::dataset::Dataset;
use crate::generation::{End, GenerationRequest, generate};
use crate::judge::{ItemResult, Response, judge};
use crate::next_token::Choice;
use crate::prompt::{Item, Sequence, Work};
use crate::{EvalError, Task, TaskKind};

/// Tokens handed to the model at a time, about: results are passed on after each of these.
const CHUNK: usize = 1 << 15;
/// Prompts continued at a time.
const PROMPTS: usize = 128;
/// The shortest common beginning worth keeping.
const COMMON: usize = 16;

/// A language model and its tokenizer.
pub struct TokenizedModel<'a> {
    /// The model.
    pub model: &'a mut dyn LanguageModel,
    /// Its tokenizer.
    pub tokenizer: &'a ModelTokenizer,
}

/// A task ready to be asked.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// Its definition.
    pub task: &'a Task,
    /// Its rows.
    pub rows: &'a Dataset,
    /// All its items, whether wanted or not: what they have in common is computed once.
    pub items: &'a [Item],
    /// Draws the tokens of sampled texts.
    pub seed: Seed,
    /// Where programs are run; needed by tasks that run them.
    pub sandbox: Option<&'a Sandbox>,
    /// Programs run at a time.
    pub threads: usize,
    /// Set to stop after the results at hand.
    pub stop: &'a AtomicBool,
}

/// Asks for the wanted items, in this order, and passes their results on as they come.
///
/// - `wanted`: which of the session's items.
///
/// Returns whether all are answered: not so if it was told to stop.
///
/// # Guarantees
///
/// An item's result has the same bits whichever other items are wanted, on any number of threads,
/// if the model promises [`SameBits`](sparkjoy_spec::Promise::SameBits).
///
/// # Errors
///
/// [`EvalError`] for a model that fails or gives no number, or a task that cannot run its programs;
/// what `pass_on` says.
pub fn answer<E: From<EvalError>>(
    tokenized: &mut TokenizedModel<'_>,
    session: &Session<'_>,
    wanted: &[usize],
    mut pass_on: impl FnMut(Vec<ItemResult>) -> Result<(), E>,
) -> Result<bool, E> {
    tokenized.model.remember(common_beginning(session.items)).map_err(EvalError::from)?;
    let mut left = wanted;
    while !left.is_empty() {
        if session.stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let count = chunk(session.items, left);
        let (now, later) = left.split_at(count);
        let items: Vec<&Item> = now.iter().map(|&i| &session.items[i]).collect();
        let ItemResponses { responses, error } = ask(tokenized, session, &items)?;
        let results = items
            .iter()
            .zip(responses)
            .filter_map(|(item, response)| Some((item, response?)))
            .map(|(item, response)| judge(session.task, session.rows, item, &response))
            .collect::<Result<Vec<_>, EvalError>>()?;
        let whole = results.len() == items.len();
        pass_on(results)?;
        if let Some(error) = error {
            return Err(error.into());
        }
        if !whole {
            return Ok(false);
        }
        left = later;
    }
    Ok(true)
}

/// The longest beginning of all prompts, short of the last token of the shortest.
fn common_beginning(items: &[Item]) -> &[u32] {
    let prompts = || items.iter().flat_map(prompts_of);
    let Some(first) = prompts().next() else { return &[] };
    let alike = |prompt: &[u32]| {
        let both = first.iter().zip(prompt).take_while(|(a, b)| a == b).count();
        both.min(prompt.len().saturating_sub(1))
    };
    let common = prompts().map(alike).min().unwrap_or(0);
    if common < COMMON { &[] } else { &first[..common] }
}

/// What comes before the scored or written tokens.
fn prompts_of(item: &Item) -> impl Iterator<Item = &[u32]> {
    let unscored = |sequence: &'_ Sequence| sequence.tokens.len() - sequence.scored;
    let (sequences, prompt) = match &item.work {
        Work::Score { sequences } => (sequences.as_slice(), None),
        Work::Generate { prompt, gold, .. } => (std::slice::from_ref(gold), Some(&prompt[..])),
    };
    sequences.iter().map(move |s| &s.tokens[..unscored(s)]).chain(prompt)
}

/// How many of the items to take at once.
fn chunk(items: &[Item], left: &[usize]) -> usize {
    let mut tokens = 0;
    let fits = |&&i: &&usize| match &items[i].work {
        Work::Score { sequences } => {
            tokens += sequences.iter().map(|sequence| sequence.tokens.len()).sum::<usize>();
            tokens <= CHUNK
        }
        Work::Generate { .. } => true,
    };
    let count = left.iter().take_while(fits).count().max(1);
    match &items[left[0]].work {
        Work::Score { .. } => count,
        Work::Generate { .. } => count.min(PROMPTS),
    }
}

/// What became of some items.
struct ItemResponses {
    /// By item; none of those it did not come to.
    responses: Vec<Option<Response>>,
    /// Why it did not, unless it was told to stop.
    error: Option<EvalError>,
}

impl From<Vec<Option<Response>>> for ItemResponses {
    fn from(responses: Vec<Option<Response>>) -> Self {
        Self { responses, error: None }
    }
}

/// The model's responses to some items.
fn ask(
    tokenized: &mut TokenizedModel<'_>,
    session: &Session<'_>,
    items: &[&Item],
) -> Result<ItemResponses, EvalError> {
    let groups: Vec<Vec<ScoredSequence<'_>>> = items
        .iter()
        .map(|item| match &item.work {
            Work::Score { sequences } => sequences.iter().map(scored).collect(),
            Work::Generate { gold, .. } => vec![scored(gold)],
        })
        .collect();
    let scores = tokenized.model.score(&groups)?;
    let prompts: Vec<(usize, &[u32], usize)> = items
        .iter()
        .filter_map(|item| match &item.work {
            Work::Score { .. } => None,
            Work::Generate { prompt, max_new, .. } => Some((item.index, &prompt[..], *max_new)),
        })
        .collect();
    if prompts.is_empty() {
        let responses: Vec<_> = scores.into_iter().map(|s| Some(Response::Scored(s))).collect();
        return Ok(responses.into());
    }
    let golds = scores.into_iter().map(|mut group| group.remove(0));
    let Some(written) = texts(tokenized, session, &prompts)? else { return Ok(Vec::new().into()) };
    let decode = |tokens: &Vec<u32>| tokenized.tokenizer.decode(tokens);
    if let TaskKind::Code(_) = &session.task.kind {
        let texts = written.iter().map(|texts| texts.iter().map(decode).collect()).collect();
        let Tried { samples, error } = samples(session, items, texts);
        let response = |(samples, gold)| Some(Response::Programs { samples: samples?, gold });
        return Ok(ItemResponses {
            responses: samples.into_iter().zip(golds).map(response).collect(),
            error,
        });
    }
    let response = |(mut texts, gold): (Vec<Vec<u32>>, _)| {
        let tokens = texts.remove(0);
        Some(Response::Generated { text: decode(&tokens), tokens, gold })
    };
    let responses: Vec<_> = written.into_iter().zip(golds).map(response).collect();
    Ok(responses.into())
}

fn scored(sequence: &Sequence) -> ScoredSequence<'_> {
    ScoredSequence { tokens: &sequence.tokens, scored: sequence.scored }
}

/// The model's continuations of prompts: the tokens of each text; nothing if it was told to stop.
///
/// - `prompts`: item, tokens, and the most tokens to write.
fn texts(
    tokenized: &mut TokenizedModel<'_>,
    session: &Session<'_>,
    prompts: &[(usize, &[u32], usize)],
) -> Result<Option<Vec<Vec<Vec<u32>>>>, EvalError> {
    let &Session { task, seed, stop, .. } = session;
    let (samples, choice, end) = match &task.kind {
        TaskKind::Code(sampling) => {
            let choice = match f64::from(sampling.temperature) {
                0.0 => Choice::Greedy,
                temperature => Choice::Drawn { temperature, top_p: f64::from(sampling.top_p) },
            };
            (sampling.samples, choice, End::Program(sampling.rule))
        }
        TaskKind::Generation(generation) => (1, Choice::Greedy, End::Texts(&generation.stop)),
        _ => unreachable!("only these kinds are continued"),
    };
    let request = GenerationRequest { task: &task.name, prompts, samples, choice, end, seed, stop };
    Ok(generate(tokenized.model, tokenized.tokenizer, &request)?)
}
