//! What of a row would give it away.

use super::RUN;
use crate::dataset::{Dataset, Row};
use crate::text::strip;

/// The texts of an item that are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemTexts {
    /// The question as the model is asked it, with the correct answer behind it where the question
    /// alone says little.
    pub whole: String,
    /// Parts that give the item away by themselves, if they are at least a run long.
    pub alone: Vec<String>,
}

/// The texts that are looked for, of each row of a task.
///
/// - Language modelling and schemas: the right context, then what follows it.
/// - Multiple choice: the query, then the right choice; a question by itself, too, because other
///   choices often stand between it and the answer.
/// - Generation: the question. Whoever has read it has most likely read its answer.
/// - Code: the prompt with its solution, and either of them: the prompt names the problem, the
///   solution solves it.
///
/// Wrong choices, other references, reasoning and tests are not looked for. Nor are examples that a
/// file shows before every question: what all rows begin with is part of none, from a run on.
pub fn item_texts(dataset: &Dataset) -> Vec<ItemTexts> {
    let mut all: Vec<ItemTexts> = dataset.rows.iter().map(|row| texts(&row.row)).collect();
    let preamble = preamble(&all).to_owned();
    for text in
        all.iter_mut().flat_map(|ItemTexts { whole, alone }| alone.iter_mut().chain([whole]))
    {
        if let Some(rest) = text.strip_prefix(&preamble) {
            *text = bare(rest).to_owned();
        }
    }
    all
}

/// What all texts begin with, in whole words; nothing where that is shorter than a run.
fn preamble(all: &[ItemTexts]) -> &str {
    let [first, others @ ..] = all else { return "" };
    let mut common = first.whole.as_str();
    for other in others {
        let same = common.bytes().zip(other.whole.bytes()).take_while(|(a, b)| a == b).count();
        common = &common[..common.floor_char_boundary(same)];
    }
    let common = &common[..common.rfind(char::is_whitespace).map_or(0, |at| at + 1)];
    let is_run = !others.is_empty() && common.split_whitespace().count() >= RUN;
    if is_run { common } else { "" }
}

fn texts(row: &Row) -> ItemTexts {
    match row {
        Row::Language { context, continuation } => joined(context, continuation, Vec::new()),
        Row::Schema { options, continuation, gold } => {
            joined(&options[*gold], continuation, Vec::new())
        }
        Row::Choice { query, choices, gold } => {
            let query = bare(query);
            let alone = question(query).map(str::to_owned).into_iter().collect();
            joined(query, &choices[*gold], alone)
        }
        Row::Generation { context, .. } => {
            ItemTexts { whole: bare(context).to_owned(), alone: Vec::new() }
        }
        Row::Code(problem) => {
            let (prompt, solution) = (&problem.prompt, &problem.canonical_solution);
            joined(prompt, solution, vec![prompt.clone(), solution.clone()])
        }
    }
}

fn joined(before: &str, after: &str, alone: Vec<String>) -> ItemTexts {
    ItemTexts { whole: format!("{before} {after}"), alone }
}

/// A question without the labels that only a task file puts around it.
fn bare(text: &str) -> &str {
    let mut text = strip(text);
    for label in ["Question:", "Q:"] {
        text = text.strip_prefix(label).unwrap_or(text);
    }
    for label in ["Answer:", "A:"] {
        text = text.strip_suffix(label).unwrap_or(text);
    }
    strip(text)
}

/// What is asked, without the options it is asked with; nothing where the query is no question but
/// the beginning of its answer.
fn question(query: &str) -> Option<&str> {
    match query.split_once("\n(A) ") {
        Some((question, _)) => Some(question),
        None => query.ends_with('?').then_some(query),
    }
}

#[cfg(test)]
mod tests {
    use sparkjoy_base::Fingerprint;
    use sparkjoy_sandbox::Problem;

    use super::*;
    use crate::dataset::PlacedRow;

    fn choice(query: &str) -> ItemTexts {
        let choices = vec!["no".to_owned(), "the moon".to_owned()];
        texts(&Row::Choice { query: query.to_owned(), choices, gold: 1 })
    }

    #[test]
    fn labels_and_options_of_a_query_are_not_part_of_its_question() {
        let asked = choice("Question: What shines at night?\nAnswer:");
        assert_eq!(asked.whole, "What shines at night? the moon");
        assert_eq!(asked.alone, ["What shines at night?"]);
        let lettered = choice("Question: The light of the night is\n(A) no (B) the moon");
        assert_eq!(lettered.whole, "The light of the night is\n(A) no (B) the moon the moon");
        assert_eq!(lettered.alone, ["The light of the night is"]);
    }

    #[test]
    fn the_beginning_of_a_sentence_gives_nothing_away_without_its_end() {
        let begun = choice("The light of the night is");
        assert_eq!(begun.whole, "The light of the night is the moon");
        assert!(begun.alone.is_empty());
    }

    #[test]
    fn a_problem_is_given_away_by_prompt_or_solution() {
        let texts = texts(&Row::Code(Problem {
            task_id: "1".to_owned(),
            prompt: "def f():".to_owned(),
            entry_point: "f".to_owned(),
            canonical_solution: "return 1".to_owned(),
            test: "assert f() == 1".to_owned(),
            test_inputs: Vec::new(),
            test_outputs: Vec::new(),
        }));
        assert_eq!(texts.whole, "def f(): return 1");
        assert_eq!(texts.alone, ["def f():", "return 1"]);
    }

    #[test]
    fn a_schema_is_its_right_context_and_what_follows() {
        let options = vec!["Ann".to_owned(), "Bea".to_owned()];
        let row = Row::Schema { options, continuation: "won.".to_owned(), gold: 1 };
        assert_eq!(texts(&row).whole, "Bea won.");
    }

    /// The whole texts of rows with these contexts.
    fn wholes(contexts: &[String]) -> Vec<String> {
        let rows = contexts.iter().map(|context| PlacedRow {
            row: Row::Generation {
                context: context.clone(),
                answer: "1".to_owned(),
                aliases: Vec::new(),
                chain_of_thought: None,
            },
            line: 1,
            category: None,
            passage: 0,
        });
        let dataset = Dataset {
            file: "f.jsonl".to_owned(),
            fingerprint: Fingerprint::of_bytes(b""),
            rows: rows.collect(),
            examples: None,
        };
        item_texts(&dataset).into_iter().map(|texts| texts.whole).collect()
    }

    #[test]
    fn examples_before_every_question_are_part_of_none() {
        let shown = "Q: How many legs have three cats and one bird together in all? A: 14\n\n";
        let asked = |question: &str| format!("{shown}Q: {question}\nA:");
        let found = wholes(&[asked("Two cats?"), asked("Two birds?"), asked("Ten cats?")]);
        assert_eq!(found, ["Two cats?", "Two birds?", "Ten cats?"]);
        // A few words that all begin with are theirs.
        let few = ["What is a cat?", "What is a bird?"].map(str::to_owned);
        assert_eq!(wholes(&few), few);
        // One row has all of it in common with itself.
        let one = [asked("Two cats?")];
        assert_eq!(wholes(&one), [bare(&one[0])]);
    }
}
