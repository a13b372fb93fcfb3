//! What of a row would give it away.

use crate::rows::Row;
use crate::text::strip;

/// The texts of an item that are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemTexts {
    /// The question as the model is asked it, with the right answer behind it where the question
    /// alone says little.
    pub whole: String,
    /// Parts that give the item away by themselves, if they are at least a run long.
    pub alone: Vec<String>,
}

/// The texts of a row that are looked for.
///
/// - Language modelling and schemas: the right context, then what follows it.
/// - Multiple choice: the query, then the right choice; a question by itself, too, because other
///   choices often stand between it and the answer.
/// - Generation: the question. Whoever has read it has most likely read its answer.
/// - Code: the prompt with its solution, and either of them: the prompt names the problem, the
///   solution solves it.
///
/// Wrong choices, other references, reasoning and tests are not looked for.
pub fn item_texts(row: &Row) -> ItemTexts {
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
    use sparkjoy_sandbox::Problem;

    use super::*;

    fn choice(query: &str) -> ItemTexts {
        let choices = vec!["no".to_owned(), "the moon".to_owned()];
        item_texts(&Row::Choice { query: query.to_owned(), choices, gold: 1 })
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
        let texts = item_texts(&Row::Code(Problem {
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
        assert_eq!(item_texts(&row).whole, "Bea won.");
    }
}
