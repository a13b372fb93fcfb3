//! Asks a model for what is missing of a task.

use std::sync::atomic::{AtomicBool, Ordering};

use sparkjoy_base::Seed;
use sparkjoy_data::ModelTokenizer;
use sparkjoy_nn::{Decoder, Scored};
use sparkjoy_sandbox::Sandbox;

use crate::code::samples;
use crate::draw::Choice;
use crate::judge::{ItemResult, Outcome, judge};
use crate::prompt::{Item, Sequence, Work};
use crate::rows::Dataset;
use crate::write::{Asked, End, write};
use crate::{EvalError, Task, TaskKind};

/// Tokens handed to the model at a time, about: results are passed on after each of these.
const CHUNK: usize = 1 << 15;
/// Prompts that are gone on from at a time.
const PROMPTS: usize = 128;
/// The shortest common beginning worth keeping.
const COMMON: usize = 16;

/// A model that can be asked, and its words.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The model.
    pub decoder: &'a mut Decoder,
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
/// An item's result has the same bits whichever other items are wanted, on any number of threads.
///
/// # Errors
///
/// [`EvalError`] for a model that gives no number or a task that cannot run its programs; what
/// `pass_on` says.
pub fn answer<E: From<EvalError>>(
    subject: &mut Subject<'_>,
    session: &Session<'_>,
    wanted: &[usize],
    mut pass_on: impl FnMut(Vec<ItemResult>) -> Result<(), E>,
) -> Result<bool, E> {
    subject.decoder.remember(common_beginning(session.items));
    let mut left = wanted;
    while !left.is_empty() {
        if session.stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let count = chunk(session.items, left);
        let (now, later) = left.split_at(count);
        let items: Vec<&Item> = now.iter().map(|&i| &session.items[i]).collect();
        let Some(outcomes) = ask(subject, session, &items)? else { return Ok(false) };
        let results = items
            .iter()
            .zip(outcomes)
            .map(|(item, outcome)| judge(session.task, session.rows, item, &outcome))
            .collect::<Result<Vec<_>, EvalError>>()?;
        pass_on(results)?;
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

/// What the model says to some items; nothing if it was told to stop meanwhile.
fn ask(
    subject: &mut Subject<'_>,
    session: &Session<'_>,
    items: &[&Item],
) -> Result<Option<Vec<Outcome>>, EvalError> {
    let groups: Vec<Vec<Scored<'_>>> = items
        .iter()
        .map(|item| match &item.work {
            Work::Score { sequences } => sequences.iter().map(scored).collect(),
            Work::Generate { gold, .. } => vec![scored(gold)],
        })
        .collect();
    let scores = subject.decoder.score(&groups);
    let prompts: Vec<(usize, &[u32], usize)> = items
        .iter()
        .filter_map(|item| match &item.work {
            Work::Score { .. } => None,
            Work::Generate { prompt, max_new, .. } => Some((item.index, &prompt[..], *max_new)),
        })
        .collect();
    if prompts.is_empty() {
        return Ok(Some(scores.into_iter().map(Outcome::Scored).collect()));
    }
    let golds = scores.into_iter().map(|mut group| group.remove(0));
    let Some(written) = texts(subject, session, &prompts) else { return Ok(None) };
    let decode = |tokens: &Vec<u32>| subject.tokenizer.decode(tokens);
    if let TaskKind::Code(_) = &session.task.kind {
        let texts = written.iter().map(|texts| texts.iter().map(decode).collect()).collect();
        let Some(samples) = samples(session, items, texts)? else { return Ok(None) };
        let outcome = |(samples, gold)| Outcome::Programs { samples, gold };
        return Ok(Some(samples.into_iter().zip(golds).map(outcome).collect()));
    }
    let outcome = |(mut texts, gold): (Vec<Vec<u32>>, _)| {
        let tokens = texts.remove(0);
        Outcome::Generated { text: decode(&tokens), tokens, gold }
    };
    Ok(Some(written.into_iter().zip(golds).map(outcome).collect()))
}

fn scored(sequence: &Sequence) -> Scored<'_> {
    Scored { tokens: &sequence.tokens, scored: sequence.scored }
}

/// Has the model go on from prompts: the tokens of each text; nothing if it was told to stop.
///
/// - `prompts`: item, tokens, and the most tokens to write.
fn texts(
    subject: &mut Subject<'_>,
    session: &Session<'_>,
    prompts: &[(usize, &[u32], usize)],
) -> Option<Vec<Vec<Vec<u32>>>> {
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
        _ => unreachable!("only these kinds are asked to go on"),
    };
    let asked = Asked { task: &task.name, prompts, samples, choice, end, seed, stop };
    write(subject.decoder, subject.tokenizer, &asked)
}
