//! The texts of a prompt, before they are tokens.

use std::borrow::Cow;

use sparkjoy_base::{Place, Problem};

use super::options::take_apart;
use crate::dataset::{PlacedRow, Row};
use crate::text::{strip, strip_end};
use crate::{Format, Task, TaskKind};

/// Writes the texts of one task's rows.
pub(super) struct Writer<'a> {
    pub(super) task: &'a Task,
    /// The file of the rows, for messages.
    pub(super) file: &'a str,
    /// Whether scored answers get a space before them.
    pub(super) prefix_space: bool,
}

impl Writer<'_> {
    /// The task's prompt and the examples.
    pub(super) fn preamble(
        &self,
        row: &PlacedRow,
        examples: &[&PlacedRow],
    ) -> Result<String, Problem> {
        // MMLU's subjects are file names: `high_school_biology`.
        let subject = row.category.as_deref().unwrap_or_default().replace('_', " ");
        let mut text = self.task.prompt.replace("{subject}", &subject);
        for example in examples {
            let example = self.example(example, &text)?;
            text.push_str(&example);
        }
        Ok(text)
    }

    /// A row with its answer, to stand behind `preceding`.
    fn example(&self, row: &PlacedRow, preceding: &str) -> Result<String, Problem> {
        let delimiters = &self.task.delimiters;
        if let Row::Schema { options, continuation, gold } = &row.row {
            // The prelimiter stands before the delimiter here, and behind it everywhere else.
            let example = if preceding.is_empty() { "" } else { &delimiters.example };
            let (before, option) = (&delimiters.prelimiter, &options[*gold]);
            let (delimiter, continuation) = (&delimiters.continuation, strip(continuation));
            return Ok(format!("{before}{example}{option}{delimiter}{continuation}"));
        }
        let question = self.question(row, preceding)?;
        Ok(match &row.row {
            Row::Choice { choices, gold, .. } => question + &choices[*gold],
            Row::Language { continuation, .. } => question + strip(continuation),
            Row::Generation { answer, chain_of_thought, .. } => {
                let reasoning = chain_of_thought.as_deref().map(strip);
                question + &self.reasoned(reasoning, strip(answer))
            }
            Row::Code(_) | Row::Schema { .. } => unreachable!("code has no examples"),
        })
    }

    /// Everything of a row up to its answer.
    fn question(&self, row: &PlacedRow, preceding: &str) -> Result<String, Problem> {
        let delimiters = &self.task.delimiters;
        let context = match &row.row {
            Row::Choice { query, choices, .. } => match self.task.format {
                Format::AsWritten => Cow::Borrowed(strip(query)),
                Format::LetteredLines => {
                    let parts = take_apart(strip(query), choices.len());
                    Cow::Owned(parts.map_err(|found| self.no_options(row, found))?)
                }
            },
            Row::Language { context, .. } | Row::Generation { context, .. } => {
                Cow::Borrowed(strip(context))
            }
            Row::Code(problem) => Cow::Borrowed(problem.prompt.as_str()),
            Row::Schema { .. } => unreachable!("a schema has several contexts"),
        };
        let example = if preceding.is_empty() { "" } else { &delimiters.example };
        let (before, delimiter) = (&delimiters.prelimiter, &delimiters.continuation);
        Ok(format!("{example}{before}{context}{delimiter}"))
    }

    /// Options that cannot be told from the question. `found`: how many ways there are to try.
    fn no_options(&self, row: &PlacedRow, found: &str) -> Problem {
        let text = format!(
            "there is {found} to tell the options of `query` from its question, expected \
             `Question: …`, then `(A) …`, `(B) …` and so on in a line of their own"
        );
        let hint = "correct the row, or set `format = \"as-written\"` in the task";
        Place::line(self.file, row.line).problem(text).with_hint(hint)
    }

    /// What stands between the preamble and the answer: one text, or one per option of a schema.
    pub(super) fn contexts(&self, row: &PlacedRow, preamble: &str) -> Result<Vec<String>, Problem> {
        let delimiters = &self.task.delimiters;
        let Row::Schema { options, .. } = &row.row else {
            let mut question = self.question(row, preamble)?;
            // A prompt that ends in a space would break the token it belongs to. Programs are kept
            // as they are: their white space means something.
            if !matches!(self.task.kind, TaskKind::Code(_)) {
                question.truncate(strip_end(&question).len());
            }
            return Ok(vec![question]);
        };
        let before = &delimiters.prelimiter;
        let context = |option: &String| {
            if preamble.is_empty() {
                // No delimiter at all: LLM Foundry's rule.
                return format!("{before}{option}");
            }
            let example = &delimiters.example;
            format!("{before}{example}{option}{}", strip_end(&delimiters.continuation))
        };
        Ok(options.iter().map(context).collect())
    }

    /// The answers as they are scored.
    pub(super) fn scored(&self, row: &PlacedRow) -> Vec<String> {
        match &row.row {
            Row::Language { continuation, .. } | Row::Schema { continuation, .. } => {
                vec![self.spaced(strip(continuation))]
            }
            Row::Choice { choices, .. } => choices.iter().map(|c| self.spaced(c)).collect(),
            Row::Generation { answer, chain_of_thought, .. } => {
                let reasoning = chain_of_thought.as_deref().map(strip);
                vec![self.spaced(&self.reasoned(reasoning, strip(answer)))]
            }
            Row::Code(problem) => vec![problem.canonical_solution.clone()],
        }
    }

    /// All references of a row, each with the reasoning, as they stand in the file: their length
    /// bounds what is generated.
    pub(super) fn answers(&self, row: &Row) -> Vec<String> {
        let Row::Generation { answer, aliases, chain_of_thought, .. } = row else {
            unreachable!("the rows are those of the task")
        };
        let all = std::iter::once(answer).chain(aliases);
        all.map(|answer| self.reasoned(chain_of_thought.as_deref(), answer)).collect()
    }

    fn spaced(&self, answer: &str) -> String {
        let space = if self.prefix_space && !answer.starts_with(' ') { " " } else { "" };
        format!("{space}{answer}")
    }

    fn reasoned(&self, reasoning: Option<&str>, answer: &str) -> String {
        let TaskKind::Generation(generation) = &self.task.kind else {
            unreachable!("the rows are those of the task")
        };
        match reasoning {
            Some(reasoning) => format!("{reasoning}{}{answer}", generation.cot_delimiter),
            None => answer.to_owned(),
        }
    }
}
