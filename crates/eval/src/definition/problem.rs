//! Everything that can be wrong with a task file, as its author should read it.

use std::path::PathBuf;

use sparkjoy_base::Hint;

/// A task file that cannot be used: where, and why not.
#[derive(Debug, thiserror::Error)]
#[error("`{}` line {line}: {problem}", file.display())]
pub struct DefinitionError {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: Box<DefinitionProblem>,
}

/// What is wrong with a task file.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionProblem {
    /// Not TOML.
    #[error("{message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// A key nobody reads there.
    #[error("unknown key `{key}` in {table}, {}", nearest_of(nearest.as_deref(), known))]
    UnknownKey {
        /// The key.
        key: String,
        /// What it stands in.
        table: String,
        /// The known key that looks most like it.
        nearest: Option<String>,
        /// All keys that are read there.
        known: Vec<&'static str>,
    },
    /// A key that must be there.
    #[error("{table} has no `{key}`, expected {expected}")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// What it belongs in.
        table: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A value of the wrong kind.
    #[error("`{key}` is {found}, expected {expected}")]
    WrongType {
        /// The key.
        key: &'static str,
        /// What stands there.
        found: &'static str,
        /// What should.
        expected: &'static str,
    },
    /// A value out of its range.
    #[error("`{key}` is {found}, expected {expected}")]
    OutOfRange {
        /// The key.
        key: String,
        /// The value.
        found: String,
        /// The range.
        expected: &'static str,
    },
    /// A word that is not one of the known ones.
    #[error("`{key}` is `{found}`, {}", nearest_of(nearest.as_deref(), known))]
    UnknownChoice {
        /// The key.
        key: &'static str,
        /// The word.
        found: String,
        /// The known word that looks most like it.
        nearest: Option<String>,
        /// All known words.
        known: Vec<&'static str>,
    },
    /// A prompt about a subject the rows need not have.
    #[error("the `prompt` of task `{task}` speaks of `{{subject}}`, but its rows need no category")]
    NoSubject {
        /// The task.
        task: String,
    },
    /// Two tasks, or two suites, or one of each, of one name.
    #[error("the name `{name}` is taken by a {by}, expected another")]
    NameTaken {
        /// The name.
        name: String,
        /// Who has it: `task that comes with the program`.
        by: &'static str,
    },
    /// A suite of a task nobody defined.
    #[error("suite `{suite}` lists `{task}`, which is no task{}", did_you_mean(nearest.as_deref()))]
    UnknownTask {
        /// The suite.
        suite: String,
        /// The name it lists.
        task: String,
        /// The defined one that looks most like it.
        nearest: Option<String>,
    },
    /// A suite that counts a task twice.
    #[error("suite `{suite}` lists `{task}` twice, expected every task in one category")]
    ListedTwice {
        /// The suite.
        suite: String,
        /// The task.
        task: String,
    },
}

impl Hint for DefinitionError {
    fn hint(&self) -> Option<String> {
        let file = self.file.display();
        match &*self.problem {
            DefinitionProblem::Syntax { .. } => {
                Some(format!("correct line {} of `{file}`", self.line))
            }
            DefinitionProblem::UnknownKey { key, nearest, .. } => Some(match nearest {
                Some(nearest) => format!("write `{nearest}` for `{key}`, or take the line out"),
                None => format!("take `{key}` out of `{file}`"),
            }),
            DefinitionProblem::MissingKey { key, .. } => {
                Some(format!("write `{key} = …` there; `docs/tasks.md` explains every key"))
            }
            DefinitionProblem::WrongType { key, .. } => {
                Some(format!("correct `{key}`; `docs/tasks.md` explains every key"))
            }
            DefinitionProblem::OutOfRange { key, .. } => {
                Some(format!("correct `{key}` in line {} of `{file}`", self.line))
            }
            DefinitionProblem::UnknownChoice { key, nearest, known, .. } => {
                let word = nearest.as_deref().unwrap_or(known[0]);
                Some(format!("write `{key} = \"{word}\"`"))
            }
            DefinitionProblem::NoSubject { .. } => Some(
                "set `aggregation = \"subcategories\"`, or write the subject into the prompt"
                    .to_owned(),
            ),
            DefinitionProblem::NameTaken { name, .. } => {
                Some(format!("call yours `my-{name}`, say: scores are kept by name"))
            }
            DefinitionProblem::UnknownTask { nearest, task, .. } => Some(match nearest {
                Some(nearest) => format!("write `{nearest}` for `{task}`"),
                None => format!("define `{task}` by a `[[tasks]]` table"),
            }),
            DefinitionProblem::ListedTwice { task, .. } => {
                Some(format!("take one `{task}` out of the suite"))
            }
        }
    }
}

/// `expected one of …`, or the nearest candidate alone.
pub(crate) fn nearest_of(nearest: Option<&str>, known: &[&'static str]) -> String {
    match nearest {
        Some(nearest) => format!("the nearest known is `{nearest}`"),
        None => format!("expected one of `{}`", known.join("`, `")),
    }
}

/// ` (the nearest is …)`, if there is something to mean.
pub(crate) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (the nearest is `{name}`)")).unwrap_or_default()
}

/// The candidate most like `name`, if any is like enough to be meant.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(name, candidate);
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|&(distance, candidate)| 5 * distance <= 2 * candidate.len().max(name.len()))
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}
