//! From a model's response to whether it is right, item by item.

use serde::{Deserialize, Serialize};
use sparkjoy_sandbox::ProgramVerdict;
use sparkjoy_spec::TokenScore;

use crate::answer::{agrees_exactly, answer_of, starts_with};
use crate::dataset::{Dataset, Row};
use crate::metric::pass_at;
use crate::prompt::{Item, Work};
use crate::{ChoiceRule, EvalError, MatchRule, Task, TaskKind};

/// A model's response to an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// `[sequences][scored]`.
    Scored(Vec<Vec<TokenScore>>),
    /// A text, and the scored tokens of the reference.
    Generated {
        /// Its continuation of the prompt, without an end-of-text token.
        tokens: Vec<u32>,
        /// The same, decoded.
        text: String,
        /// `[scored]`.
        gold: Vec<TokenScore>,
    },
    /// Programs, run, and the scored tokens of the reference.
    Programs {
        /// `[samples]`.
        samples: Vec<Sample>,
        /// `[scored]`.
        gold: Vec<TokenScore>,
    },
}

/// One program a model wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The model's continuation of the prompt, decoded.
    pub text: String,
    /// Whether all test cases passed.
    pub passed: bool,
    /// Why not; unknown in results written before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<ProgramVerdict>,
}

/// How a model did on one item: a line of the results, enough to compare two models by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemResult {
    /// Its row in the file, from 0.
    pub index: usize,
    /// Its category, if the task goes by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The first row that is about the same passage of text, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passage: Option<usize>,
    /// 1 or 0; of programs, the estimate of pass@k for the task's first `k`.
    pub correct: f64,
    /// Which choice is right, where there is a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gold: Option<usize>,
    /// Which choice the model prefers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<usize>,
    /// The score of each choice; one entry where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<ChoiceResult>,
    /// Nats of the correct answer.
    pub gold_nats: f64,
    /// Tokens of the correct answer.
    pub gold_tokens: usize,
    /// UTF-8 bytes of the correct answer.
    pub gold_bytes: u64,
    /// Prompt tokens cut off.
    pub truncated: usize,
    /// What the model wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// The same in tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<u32>,
    /// Whether that matches the reference, by both rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<AnswerMatch>,
    /// The programs it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
}

/// A model's score of one choice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChoiceResult {
    /// Nats over its tokens.
    pub nats: f64,
    /// Its tokens.
    pub tokens: usize,
    /// Whether every token is the model's argmax.
    pub greedy: bool,
}

/// Whether an answer matches a reference, by both rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerMatch {
    /// [`MatchRule::Prefix`].
    pub prefix: bool,
    /// [`MatchRule::Exact`].
    pub exact: bool,
}

/// Judges an item.
///
/// # Errors
///
/// [`EvalError::ItemNotFinite`] if the likelihood of an answer is not a number.
///
/// # Panics
///
/// If the response is not one of the item's work, or the item not one of the task.
pub fn judge(
    task: &Task,
    rows: &Dataset,
    item: &Item,
    response: &Response,
) -> Result<ItemResult, EvalError> {
    let finite = |scores: &[TokenScore]| {
        let choice = total(scores);
        if choice.nats.is_finite() {
            return Ok(choice);
        }
        let (task, row, nats) = (task.name.clone(), item.index, choice.nats);
        Err(EvalError::ItemNotFinite { task, row, nats })
    };
    let mut result = ItemResult {
        index: item.index,
        category: item.category.clone(),
        passage: Some(rows.rows[item.index].passage).filter(|&first| first != item.index),
        correct: 0.0,
        gold: None,
        chosen: None,
        choices: Vec::new(),
        gold_nats: 0.0,
        gold_tokens: 0,
        gold_bytes: item.gold_bytes,
        truncated: item.truncated,
        generated: None,
        tokens: Vec::new(),
        verdicts: None,
        samples: Vec::new(),
    };
    let gold = match (&item.work, response) {
        (Work::Score { sequences }, Response::Scored(scores)) => {
            assert!(sequences.iter().map(|s| s.scored).eq(scores.iter().map(Vec::len)));
            result.choices = scores.iter().map(|s| finite(s)).collect::<Result<_, _>>()?;
            choose(task, item, &mut result);
            result.choices[item.gold]
        }
        (Work::Generate { gold, .. }, Response::Generated { tokens, text, gold: scores }) => {
            assert_eq!(gold.scored, scores.len());
            let matches = answer_match(task, &rows.rows[item.index].row, text);
            result.correct = f64::from(u8::from(matches.of(task)));
            result.verdicts = Some(matches);
            result.generated = Some(text.clone());
            result.tokens.clone_from(tokens);
            finite(scores)?
        }
        (Work::Generate { gold, .. }, Response::Programs { samples, gold: scores }) => {
            assert_eq!(gold.scored, scores.len());
            let TaskKind::Code(sampling) = &task.kind else {
                panic!("the task asks for no program")
            };
            assert_eq!(samples.len(), sampling.samples, "programs of `{}`", task.name);
            result.correct = pass_at(samples.len(), passed(samples), sampling.pass_at[0]);
            result.samples.clone_from(samples);
            finite(scores)?
        }
        _ => panic!("the response is not one of the work"),
    };
    (result.gold_nats, result.gold_tokens) = (gold.nats, gold.tokens);
    Ok(result)
}

/// How many programs passed.
pub(crate) fn passed(samples: &[Sample]) -> usize {
    samples.iter().filter(|sample| sample.passed).count()
}

fn choose(task: &Task, item: &Item, result: &mut ItemResult) {
    let rule = match &task.kind {
        TaskKind::LanguageModeling => {
            result.correct = f64::from(u8::from(result.choices[0].greedy));
            return;
        }
        TaskKind::MultipleChoice(rule) | TaskKind::Schema(rule) => *rule,
        _ => panic!("the task gives no choice"),
    };
    let chosen = likeliest(&result.choices, rule);
    result.correct = f64::from(u8::from(chosen == item.gold));
    (result.chosen, result.gold) = (Some(chosen), Some(item.gold));
}

/// The choice of least nats by the rule; of several, the first.
fn likeliest(choices: &[ChoiceResult], rule: ChoiceRule) -> usize {
    let nats = |i: usize| cost(&choices[i], rule);
    let better = |best, i| if nats(i) < nats(best) { i } else { best };
    (1..choices.len()).fold(0, better)
}

/// What the rule compares choices by: nats, or nats per token; the least is chosen.
pub(crate) fn cost(choice: &ChoiceResult, rule: ChoiceRule) -> f64 {
    match rule {
        ChoiceRule::TokenMean => choice.nats / choice.tokens as f64,
        ChoiceRule::Sum => choice.nats,
    }
}

/// Summed in f64 and in order: the same bits everywhere.
fn total(scores: &[TokenScore]) -> ChoiceResult {
    ChoiceResult {
        nats: scores.iter().map(|score| f64::from(score.nats)).sum(),
        tokens: scores.len(),
        greedy: scores.iter().all(|score| score.greedy),
    }
}

impl AnswerMatch {
    fn of(self, task: &Task) -> bool {
        match &task.kind {
            TaskKind::Generation(generation) => match generation.rule {
                MatchRule::Prefix => self.prefix,
                MatchRule::Exact => self.exact,
            },
            _ => panic!("the task asks for no text"),
        }
    }
}

fn answer_match(task: &Task, row: &Row, text: &str) -> AnswerMatch {
    let (TaskKind::Generation(generation), Row::Generation { answer, aliases, .. }) =
        (&task.kind, row)
    else {
        panic!("the task asks for no text")
    };
    let said = answer_of(generation, text);
    let references = || std::iter::once(answer).chain(aliases);
    AnswerMatch {
        prefix: references().any(|reference| starts_with(generation, said.text, reference)),
        exact: references().any(|reference| agrees_exactly(generation, &said, reference)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(nats: f64, tokens: usize) -> ChoiceResult {
        ChoiceResult { nats, tokens, greedy: false }
    }

    #[test]
    fn the_mean_favours_long_answers_and_the_sum_short_ones() {
        let choices = [choice(2.0, 1), choice(6.0, 4), choice(3.0, 2)];
        assert_eq!(likeliest(&choices, ChoiceRule::TokenMean), 1);
        assert_eq!(likeliest(&choices, ChoiceRule::Sum), 0);
    }

    #[test]
    fn of_equals_the_first_is_chosen() {
        let choices = [choice(4.0, 2), choice(2.0, 1), choice(2.0, 1)];
        assert_eq!(likeliest(&choices, ChoiceRule::TokenMean), 0);
        assert_eq!(likeliest(&choices, ChoiceRule::Sum), 1);
    }

    #[test]
    fn one_token_that_is_not_the_argmax_makes_the_choice_not_greedy() {
        let score = |greedy| TokenScore { nats: 0.5, greedy };
        assert!(total(&[score(true), score(true)]).greedy);
        assert!(!total(&[score(true), score(false), score(true)]).greedy);
        assert!((total(&[score(true), score(false)]).nats - 1.0).abs() < 1e-12);
    }
}
