//! What can be wrong with a task's file, as whoever made it should read it.

use sparkjoy_base::{Hint, thousands};

/// A file of rows that cannot be used: where, and why not.
#[derive(Debug, thiserror::Error)]
#[error("`{file}`{}: {problem}", line.map(|line| format!(" line {line}")).unwrap_or_default())]
pub struct RowError {
    /// The file, from the data folder.
    pub file: String,
    /// The line, from 1; none where the whole file is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: RowProblem,
}

impl RowError {
    pub(crate) fn at(file: &str, line: usize, problem: RowProblem) -> Self {
        Self { file: file.to_owned(), line: Some(line), problem }
    }

    pub(crate) fn of_file(file: &str, problem: RowProblem) -> Self {
        Self { file: file.to_owned(), line: None, problem }
    }
}

/// What is wrong with a row, or with all of them.
#[derive(Debug, thiserror::Error)]
pub enum RowProblem {
    /// Bytes that are no text.
    #[error("byte {byte} is not UTF-8, expected a JSON object in UTF-8")]
    NotUtf8 {
        /// Which, from 1.
        byte: usize,
    },
    /// Text that is no JSON.
    #[error("not JSON: {message}")]
    NotJson {
        /// What the parser says.
        message: String,
    },
    /// JSON, but no row.
    #[error("found {found}, expected an object with a field for each part of the row")]
    NotAnObject {
        /// What stands there.
        found: &'static str,
    },
    /// A field that must be there.
    #[error("no field `{field}`, expected {expected}")]
    MissingField {
        /// The field.
        field: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// A field of the wrong kind.
    #[error("field `{field}` is {found}, expected {expected}")]
    WrongField {
        /// The field.
        field: &'static str,
        /// What stands there.
        found: &'static str,
        /// What should.
        expected: &'static str,
    },
    /// A field with nothing to score.
    #[error("field `{field}` is empty, expected something to score")]
    Empty {
        /// The field.
        field: &'static str,
    },
    /// A list with nothing to score in it.
    #[error("field `{field}` holds an empty text, expected something to score in every one")]
    EmptyInList {
        /// The field.
        field: &'static str,
    },
    /// A choice of nothing.
    #[error("field `{field}` has {}, expected at least 2 to choose from", counted(*found, "text"))]
    TooFewChoices {
        /// The field.
        field: &'static str,
        /// How many.
        found: usize,
    },
    /// No choice has this index.
    #[error("field `gold` is {found}, expected 0 to {} as there are {count} `{field}`", count - 1)]
    Gold {
        /// As written.
        found: String,
        /// The field of the choices.
        field: &'static str,
        /// How many there are.
        count: usize,
    },
    /// Inputs without outputs, or the other way round.
    #[error("{inputs} `test_inputs` and {outputs} `test_outputs`, expected as many of both")]
    UnequalTests {
        /// Inputs.
        inputs: usize,
        /// Outputs.
        outputs: usize,
    },
    /// A program we cannot run.
    #[error("field `language` is `{found}`, expected `python`")]
    Language {
        /// As written.
        found: String,
    },
    /// Options that cannot be told from the question.
    #[error(
        "there is {found} to tell the options of `query` from its question, expected `Question: …`, \
         then `(A) …`, `(B) …` and so on in a line of their own"
    )]
    NoOptions {
        /// `no way` or `more than one way`.
        found: &'static str,
    },
    /// A file with no row in it.
    #[error("no rows, expected a JSON object on every line")]
    NoRows,
    /// Too few rows to draw examples from.
    #[error(
        "every row is to stand behind {} of the same file, but there is only {}{}, expected more \
         rows than examples",
        counted(*shots, "example"),
        counted(*rows, "row"),
        of_category(category.as_deref())
    )]
    TooManyShots {
        /// Examples.
        shots: usize,
        /// Rows.
        rows: usize,
        /// Of which category, if it is scored by itself.
        category: Option<String>,
    },
    /// Too few rows in the file of examples.
    #[error(
        "{}{}, expected at least the {} that stand before every question",
        counted(*rows, "row"),
        of_category(category.as_deref()),
        counted(*shots, "example")
    )]
    TooFewExamples {
        /// Examples.
        shots: usize,
        /// Rows.
        rows: usize,
        /// Of which category.
        category: Option<String>,
    },
    /// An answer that does not leave room for anything before it.
    #[error(
        "the answer alone has {} tokens, expected at least one token less than the model's context \
         of {}",
        thousands(*tokens as u64),
        thousands(*context as u64)
    )]
    TooLong {
        /// Tokens of the answer.
        tokens: usize,
        /// Tokens the model can read.
        context: usize,
    },
    /// An answer with nothing before it, so that its first token has no probability.
    #[error("nothing stands before the answer, expected a context of at least one token")]
    NothingBefore,
    /// A file whose longest answer or prompt fills the context.
    #[error(
        "the longest {what} has {} tokens, expected it to leave room in the model's context of {}",
        thousands(*tokens as u64),
        thousands(*context as u64)
    )]
    NoRoom {
        /// `answer` or `prompt`.
        what: &'static str,
        /// Its tokens, with those kept free for it.
        tokens: usize,
        /// Tokens the model can read.
        context: usize,
    },
}

/// `1 row`, `2,000 rows`.
fn counted(count: usize, what: &str) -> String {
    format!("{} {what}{}", thousands(count as u64), if count == 1 { "" } else { "s" })
}

fn of_category(category: Option<&str>) -> String {
    category.map(|category| format!(" of category `{category}`")).unwrap_or_default()
}

impl Hint for RowError {
    fn hint(&self) -> Option<String> {
        let file = &self.file;
        Some(match &self.problem {
            RowProblem::NotUtf8 { .. } => format!("save `{file}` as UTF-8"),
            RowProblem::NotJson { .. } | RowProblem::NotAnObject { .. } => {
                format!("write one JSON object a line in `{file}`, without line breaks inside")
            }
            RowProblem::MissingField { .. }
            | RowProblem::WrongField { .. }
            | RowProblem::Empty { .. }
            | RowProblem::EmptyInList { .. }
            | RowProblem::TooFewChoices { .. }
            | RowProblem::Gold { .. }
            | RowProblem::UnequalTests { .. } => {
                "correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each"
                    .to_owned()
            }
            RowProblem::Language { .. } => "take the task out: only Python is run".to_owned(),
            RowProblem::NoOptions { .. } => {
                "correct the row, or set `format = \"as-written\"` in the task".to_owned()
            }
            RowProblem::NoRows => format!("look whether `{file}` was downloaded as a whole"),
            RowProblem::TooManyShots { rows, .. } => {
                format!("set `shots` of the task to at most {}", rows - 1)
            }
            RowProblem::TooFewExamples { rows, .. } => {
                format!("add rows to `{file}`, or set `shots` of the task to {rows}")
            }
            RowProblem::TooLong { .. } | RowProblem::NoRoom { .. } => {
                "leave the task out, or ask a model with a longer context".to_owned()
            }
            RowProblem::NothingBefore => {
                "give the row a context, or the task a `prompt`".to_owned()
            }
        })
    }
}
