//! From rows to token sequences, exactly as LLM Foundry makes them.
//!
//! ```text
//! preamble  = prompt, then each example: (example delimiter) prelimiter context delimiter answer
//! context   = (example delimiter) prelimiter context delimiter, without white space at the end
//! sequence  = encode(preamble) ++ encode(context) ++ encode(answer)
//! ```
//!
//! The three are encoded apart, so that no token reaches over a seam, and cut off on the left where
//! they are longer than the model can read. Padding, which the original adds, changes no score.
//!
//! # Source
//!
//! `llmfoundry/eval/datasets/in_context_learning_evaluation.py`, v0.6 to v0.22; code evaluation:
//! `InContextLearningCodeEvalDataset` of mosaicml/composer v0.20.

mod options;
mod text;

use rayon::prelude::*;
use serde::Serialize;
use sparkjoy_base::{Place, Problem, thousands};
use sparkjoy_data::{ModelEncoder, ModelTokenizer};

use crate::dataset::{Dataset, PlacedRow, Row};
use crate::few_shot::FewShot;
use crate::{EvalError, Task, TaskKind};
use text::Writer;

/// A token sequence whose last `scored` tokens are scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// At most as many as the model can read.
    pub tokens: Vec<u32>,
    /// At least one, and at least one fewer than there are.
    pub scored: usize,
}

/// What the model is asked to do for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Say how likely the scored tokens are.
    Score {
        /// One per choice; language modelling has one.
        sequences: Vec<Sequence>,
    },
    /// Continue a prompt.
    Generate {
        /// What to continue.
        prompt: Vec<u32>,
        /// Tokens at most; together with the prompt no more than the model can read.
        max_new: usize,
        /// The reference answer after the prompt, for bits per byte.
        gold: Sequence,
    },
}

/// One row, ready for the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its row in the file, from 0.
    pub index: usize,
    /// Its category, if the task goes by it.
    pub category: Option<String>,
    /// What to do.
    pub work: Work,
    /// Which choice is right; 0 where there is no choice.
    pub gold: usize,
    /// UTF-8 bytes of the correct answer as it is scored, with the space before it.
    pub gold_bytes: u64,
    /// Prompt tokens cut off on the left, at most over the choices.
    pub truncated: usize,
}

/// Tokens the original allows beyond the longest reference, where answers are reasoned or programs.
const BUFFER: usize = 10;

/// Makes the items of a task, in the order of its rows.
///
/// - `asked`: which rows, ascending; none for all of them.
///
/// # Guarantees
///
/// The same task, rows, tokenizer and context give the same items, on any number of threads.
///
/// # Errors
///
/// [`EvalError::Row`] for the first row that cannot be asked: its answer alone fills the context,
/// nothing stands before its answer, or its options cannot be told apart; and for a file whose
/// longest answer (or program) leaves no space for a prompt. Where the space for a prompt is
/// exactly 0, the original keeps the whole prompt by a slip of its slice, and its model then
/// refuses the sequence; here the row is refused.
///
/// # Panics
///
/// If the rows are not those of the task.
pub fn items(
    task: &Task,
    rows: &Dataset,
    tokenizer: &ModelTokenizer,
    context: usize,
    asked: Option<&[usize]>,
) -> Result<Vec<Item>, EvalError> {
    let is_asked = |row: usize| asked.is_none_or(|asked| asked.binary_search(&row).is_ok());
    let mut items = Vec::with_capacity(rows.rows.len());
    for group in rows.groups(task) {
        let maker = Maker::new(task, rows, tokenizer, context, &group)?;
        let examples = examples(task, rows, &group);
        let made: Vec<Result<Item, Problem>> = group
            .par_iter()
            .zip(examples)
            .filter(|(i, _)| is_asked(**i))
            .map_init(|| tokenizer.encoder(), |encoder, (&i, shown)| maker.item(i, &shown, encoder))
            .collect();
        for item in made {
            items.push(item?);
        }
    }
    items.sort_by_key(|item| item.index);
    Ok(items)
}

/// The texts of one item, as a person reads them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskedTexts {
    /// What stands before the answers: one text, or one for each context of a schema.
    pub prompts: Vec<String>,
    /// What is scored behind it: one text, or one for each choice.
    pub answers: Vec<String>,
    /// Further answers that count as right.
    pub aliases: Vec<String>,
}

/// The texts that an item of a task is asked with, before they are tokens. Answers have the space
/// before them that most tokenizers need.
///
/// - `index`: its row, from 0.
///
/// # Errors
///
/// Options that cannot be told apart.
///
/// # Panics
///
/// If the rows are not those of the task, or there is no such row.
pub fn asked_texts(task: &Task, rows: &Dataset, index: usize) -> Result<AskedTexts, EvalError> {
    let groups = rows.groups(task);
    let group = groups.iter().find(|group| group.contains(&index)).expect("a row is in a group");
    let place = group.iter().position(|&row| row == index).expect("it was just found");
    let shown = examples(task, rows, group).swap_remove(place);
    let writer = Writer { task, file: &rows.file, prefix_space: true };
    let row = &rows.rows[index];
    let preamble = writer.preamble(row, &shown)?;
    let contexts = writer.contexts(row, &preamble)?;
    let aliases = match &row.row {
        Row::Generation { aliases, .. } => aliases.clone(),
        _ => Vec::new(),
    };
    Ok(AskedTexts {
        prompts: contexts.into_iter().map(|context| format!("{preamble}{context}")).collect(),
        answers: writer.scored(row),
        aliases,
    })
}

/// The examples of each row of a group. Drawn one row after the other, as in the original.
pub(crate) fn examples<'a>(
    task: &Task,
    rows: &'a Dataset,
    group: &[usize],
) -> Vec<Vec<&'a PlacedRow>> {
    let shots = task.few_shot.shots;
    if let Some(fixed) = &rows.examples {
        let of = |&i: &usize| {
            let same = |e: &&PlacedRow| e.category == rows.rows[i].category;
            fixed.rows.iter().filter(same).take(shots).collect()
        };
        return group.iter().map(of).collect();
    }
    if shots == 0 {
        return vec![Vec::new(); group.len()];
    }
    let mut few_shot = FewShot::new(task.few_shot.seed, group.len(), shots);
    let row = |i: usize| &rows.rows[group[i]];
    group.iter().map(|_| few_shot.draw().into_iter().map(row).collect()).collect()
}

/// What all items of a group have in common.
struct Maker<'a> {
    writer: Writer<'a>,
    rows: &'a Dataset,
    context: usize,
    /// Tokens that are kept free for what the model generates.
    answer_tokens: usize,
    /// Tokens it may generate.
    max_new: usize,
}

impl<'a> Maker<'a> {
    fn new(
        task: &'a Task,
        rows: &'a Dataset,
        tokenizer: &ModelTokenizer,
        context: usize,
        group: &[usize],
    ) -> Result<Self, Problem> {
        let writer = Writer { task, file: &rows.file, prefix_space: needs_space(tokenizer)? };
        let mut maker = Self { writer, rows, context, answer_tokens: 0, max_new: 0 };
        let refuse = |what, tokens: usize| {
            let text = format!(
                "the longest {what} has {} tokens, expected it to leave space in the model's context \
                 of {}",
                thousands(tokens as u64),
                thousands(context as u64)
            );
            Err(Place::whole(&rows.file).problem(text).with_hint(SHORTER))
        };
        match &task.kind {
            TaskKind::Generation(generation) => {
                let buffer = if generation.cot_delimiter.is_empty() { 0 } else { BUFFER };
                let longest = longest(tokenizer, rows, group, |row| maker.writer.answers(row))?;
                maker.answer_tokens = longest + buffer;
                maker.max_new = maker.answer_tokens.max(1);
                if maker.answer_tokens >= context {
                    return refuse("answer", maker.answer_tokens);
                }
            }
            TaskKind::Code(_) => {
                let prompt =
                    longest(tokenizer, rows, group, |row| vec![program(row).0.to_owned()])?;
                let rest = longest(tokenizer, rows, group, |row| vec![program(row).1.to_owned()])?;
                if prompt >= context {
                    return refuse("prompt", prompt);
                }
                maker.max_new = (rest + BUFFER).min(context - prompt);
                maker.answer_tokens = maker.max_new;
            }
            _ => {}
        }
        Ok(maker)
    }

    fn item(
        &self,
        index: usize,
        examples: &[&PlacedRow],
        encoder: &mut ModelEncoder,
    ) -> Result<Item, Problem> {
        let row = &self.rows.rows[index];
        let place = Place::line(&self.rows.file, row.line);
        let preamble = self.writer.preamble(row, examples)?;
        let mut before = Vec::new();
        encoder.begin(&mut before);
        let at = |problem: Problem| Problem { place: Some(place.clone()), ..problem };
        encoder.encode(&preamble, &mut before).map_err(at)?;
        let mut after = |before: &[u32], text: &str| {
            let mut tokens = before.to_vec();
            encoder.encode(text, &mut tokens).map_err(at)?;
            Ok(tokens)
        };

        let contexts = self.writer.contexts(row, &preamble)?;
        let answers = self.writer.scored(row);
        let gold = match &row.row {
            Row::Choice { gold, .. } | Row::Schema { gold, .. } => *gold,
            _ => 0,
        };
        // One context and several answers, or several contexts and one answer.
        let prompts: Vec<Vec<u32>> =
            contexts.iter().map(|text| after(&before, text)).collect::<Result<_, Problem>>()?;
        let answers_ids: Vec<Vec<u32>> =
            answers.iter().map(|text| after(&[], text)).collect::<Result<_, Problem>>()?;
        let (mut sequences, mut truncated) = (Vec::new(), 0);
        for i in 0..prompts.len().max(answers_ids.len()) {
            let prompt = &prompts[i.min(prompts.len() - 1)];
            let answer = &answers_ids[i.min(answers_ids.len() - 1)];
            let (sequence, cut) = join(prompt, answer, self.context, &place)?;
            sequences.push(sequence);
            truncated = truncated.max(cut);
        }
        let work = if self.max_new == 0 {
            Work::Score { sequences }
        } else {
            let space = self.context - self.answer_tokens;
            let kept = &prompts[0][prompts[0].len().saturating_sub(space)..];
            truncated = prompts[0].len() - kept.len();
            let gold = sequences.remove(0);
            Work::Generate { prompt: kept.to_vec(), max_new: self.max_new, gold }
        };
        let gold_bytes = answers[gold.min(answers.len() - 1)].len() as u64;
        let category = row.category.clone();
        Ok(Item { index, category, work, gold, gold_bytes, truncated })
    }
}

/// What to do where a text fills the model's context.
const SHORTER: &str = "leave the task out, or ask a model with a longer context (`context` in \
                       `[model]` of a study)";

/// The prompt, cut off on the left to what the answer leaves of the context, and the answer.
///
/// `place`: of the row.
fn join(
    prompt: &[u32],
    answer: &[u32],
    context: usize,
    place: &Place,
) -> Result<(Sequence, usize), Problem> {
    let scored = answer.len();
    if scored >= context {
        let text = format!(
            "the answer alone has {} tokens, expected at least one token less than the model's \
             context of {}",
            thousands(scored as u64),
            thousands(context as u64)
        );
        return Err(place.clone().problem(text).with_hint(SHORTER));
    }
    if prompt.is_empty() {
        let text = "nothing stands before the answer, expected a context of at least one token";
        let hint = "give the row a context, or the task a `prompt`";
        return Err(place.clone().problem(text).with_hint(hint));
    }
    let cut = (prompt.len() + scored).saturating_sub(context);
    Ok((Sequence { tokens: [&prompt[cut..], answer].concat(), scored }, cut))
}

/// Whether answers get a space before them: where the tokenizer has one token for ` a`.
fn needs_space(tokenizer: &ModelTokenizer) -> Result<bool, Problem> {
    let mut ids = Vec::new();
    tokenizer.encoder().encode(" a", &mut ids)?;
    Ok(ids.len() == 1)
}

/// Prompt and rest of a program, as they stand in the file.
fn program(row: &Row) -> (&str, &str) {
    let Row::Code(problem) = row else { unreachable!("the rows are those of the task") };
    (&problem.prompt, &problem.canonical_solution)
}

/// Tokens of the longest of some texts of each row, with what the tokenizer puts before a text.
fn longest(
    tokenizer: &ModelTokenizer,
    rows: &Dataset,
    group: &[usize],
    texts: impl Fn(&Row) -> Vec<String> + Sync,
) -> Result<usize, Problem> {
    let tokens = |encoder: &mut ModelEncoder, text: &String| {
        let mut ids = Vec::new();
        encoder.begin(&mut ids);
        encoder.encode(text, &mut ids)?;
        Ok(ids.len())
    };
    let of_row = |encoder: &mut ModelEncoder, &i: &usize| {
        let texts = texts(&rows.rows[i].row);
        texts.iter().try_fold(0, |most, text| Ok(tokens(encoder, text)?.max(most)))
    };
    group
        .par_iter()
        .map_init(|| tokenizer.encoder(), of_row)
        .try_reduce(|| 0, |a: usize, b| Ok(a.max(b)))
}
