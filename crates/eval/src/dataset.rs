//! The rows of a task file, checked one by one.
//!
//! JSON Lines, one object a row. Rows are kept as they stand in the file: what is stripped is
//! stripped where prompts are made, because some lengths of the original count what was there
//! before. Fields a type does not read are let be: published files carry identifiers and the like.
//! Rows that say the same are kept, as in the original.

use std::path::Path;

use serde_json::{Map, Value};
use sparkjoy_base::{Fingerprint, Place, Problem, counted, read};
use sparkjoy_sandbox::{self as sandbox, Rule};

use crate::{Aggregation, EvalError, Task, TaskKind, passage};

/// A row as its type needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Language modelling.
    Language {
        /// What comes before.
        context: String,
        /// What is to follow.
        continuation: String,
    },
    /// Multiple choice.
    Choice {
        /// The question.
        query: String,
        /// The answers, two at least.
        choices: Vec<String>,
        /// Which is right.
        gold: usize,
    },
    /// Schema.
    Schema {
        /// The contexts, two at least.
        options: Vec<String>,
        /// What follows all of them.
        continuation: String,
        /// Which fits.
        gold: usize,
    },
    /// Generation.
    Generation {
        /// The question.
        context: String,
        /// The reference.
        answer: String,
        /// Other references.
        aliases: Vec<String>,
        /// The reasoning before the answer.
        chain_of_thought: Option<String>,
    },
    /// Code.
    Code(sandbox::Problem),
}

/// A row and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedRow {
    /// What it says.
    pub row: Row,
    /// Its line, from 1.
    pub line: usize,
    /// Its category, if the task goes by it.
    pub category: Option<String>,
    /// The first row that is about the same passage of text, by index; often the row itself.
    pub passage: usize,
}

/// The rows of a task.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The file that was read, from the data folder.
    pub file: String,
    /// Identity of its content.
    pub fingerprint: Fingerprint,
    /// In the order of the file; never empty.
    pub rows: Vec<PlacedRow>,
    /// Where the examples come from, if not from the rows: file and content.
    pub examples: Option<Box<Dataset>>,
}

impl Dataset {
    /// Reads the rows of `task` under the data folder.
    ///
    /// # Errors
    ///
    /// [`EvalError::NoTaskFile`] if none of its files exists, [`EvalError::File`] if it cannot be
    /// read, [`EvalError::Row`] for the first row that is not as the type needs it, or for a file
    /// that cannot be asked for (no rows, more examples than other rows).
    pub fn open(task: &Task, folder: &Path) -> Result<Self, EvalError> {
        let mut dataset = Self::first_of(&task.files, task, folder)?;
        if !task.few_shot.files.is_empty() {
            let examples = Self::first_of(&task.few_shot.files, task, folder)?;
            dataset.examples = Some(Box::new(examples));
        }
        dataset.check_shots(task)?;
        Ok(dataset)
    }

    fn first_of(files: &[String], task: &Task, folder: &Path) -> Result<Self, EvalError> {
        let Some(file) = files.iter().find(|file| folder.join(file).is_file()) else {
            let (task, tried) = (task.name.clone(), files.to_vec());
            return Err(EvalError::NoTaskFile { task, folder: folder.to_owned(), tried });
        };
        let bytes = read(&folder.join(file))?;
        Ok(Self::parse(task, file, &bytes)?)
    }

    /// Reads the rows of `task` from the bytes of a file.
    pub(crate) fn parse(task: &Task, file: &str, bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
            let text = "a Git LFS pointer, expected the file it stands for";
            let hint = "run `git lfs pull` in the repository it comes from";
            return Err(Place::whole(file).problem(text).with_hint(hint));
        }
        // A byte-order mark, which some editors write.
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut rows: Vec<PlacedRow> = Vec::new();
        for (line, number) in text.split(|&b| b == b'\n').zip(1..) {
            // Many writers leave a blank line at the end.
            if line.trim_ascii().is_empty() {
                continue;
            }
            let place = Place::line(file, number);
            let (row, category) = parse_row(task, line, &place)?;
            if let Some(first) = rows.first()
                && reasons(&first.row)
                && !reasons(&row)
            {
                let expected = "a text, as in the first row";
                return Err(missing(&place, REASONING, expected));
            }
            rows.push(PlacedRow { row, line: number, category, passage: 0 });
        }
        if rows.is_empty() {
            let text = "no rows, expected a JSON object on every line";
            let hint = format!("look whether `{file}` was downloaded as a whole");
            return Err(Place::whole(file).problem(text).with_hint(hint));
        }
        passage::find(&mut rows);
        let fingerprint = Fingerprint::of_bytes(bytes);
        Ok(Self { file: file.to_owned(), fingerprint, rows, examples: None })
    }

    /// The rows of each group that is asked for by itself, by index, in the order of the file: all
    /// of them, or one group a category, sorted by name.
    pub(crate) fn groups(&self, task: &Task) -> Vec<Vec<usize>> {
        let mut indices: Vec<usize> = (0..self.rows.len()).collect();
        if task.aggregation == Aggregation::Rows {
            return vec![indices];
        }
        indices.sort_by_key(|&i| &self.rows[i].category); // Stable: rows stay in order.
        let same = |&a: &usize, &b: &usize| self.rows[a].category == self.rows[b].category;
        indices.chunk_by(same).map(<[usize]>::to_vec).collect()
    }

    /// Refuses a file with too few rows to show `shots` others before every one.
    fn check_shots(&self, task: &Task) -> Result<(), Problem> {
        let shots = task.few_shot.shots;
        if let Some(examples) = &self.examples {
            for row in &self.rows {
                let rows = examples.rows.iter().filter(|e| e.category == row.category).count();
                if rows < shots {
                    let (file, shots) = (&examples.file, counted(shots as u64, "example"));
                    let text = format!(
                        "{}{}, expected at least the {shots} that stand before every question",
                        counted(rows as u64, "row"),
                        of_category(row.category.as_deref())
                    );
                    return Err(Place::whole(file).problem(text).with_hint(format!(
                        "add rows to `{file}`, or set `shots` of the task to {rows}"
                    )));
                }
            }
            return Ok(());
        }
        for group in self.groups(task) {
            let rows = group.len();
            if rows <= shots && shots > 0 {
                let category = match task.aggregation {
                    Aggregation::Rows => None,
                    Aggregation::Subcategories => self.rows[group[0]].category.as_deref(),
                };
                let text = format!(
                    "every row is to stand behind {} of the same file, but there is only {}{}, \
                     expected more rows than examples",
                    counted(shots as u64, "example"),
                    counted(rows as u64, "row"),
                    of_category(category)
                );
                let hint = format!("set `shots` of the task to at most {}", rows - 1);
                return Err(Place::whole(&self.file).problem(text).with_hint(hint));
            }
        }
        Ok(())
    }
}

fn of_category(category: Option<&str>) -> String {
    category.map(|category| format!(" of category `{category}`")).unwrap_or_default()
}

const REASONING: &str = "chain_of_thought";

fn reasons(row: &Row) -> bool {
    matches!(row, Row::Generation { chain_of_thought: Some(_), .. })
}

fn parse_row(task: &Task, line: &[u8], place: &Place) -> Result<(Row, Option<String>), Problem> {
    let file = place.file.display();
    let problem = |text: String| place.clone().problem(text);
    let text = std::str::from_utf8(line).map_err(|error| {
        let byte = error.valid_up_to() + 1;
        problem(format!("byte {byte} is not UTF-8, expected a JSON object in UTF-8"))
            .with_hint(format!("save `{file}` as UTF-8"))
    })?;
    let no_object = |text: String| {
        problem(text).with_hint(format!(
            "write one JSON object a line in `{file}`, without line breaks inside"
        ))
    };
    let value: Value = serde_json::from_str(text)
        .map_err(|error| no_object(format!("not JSON: {}", without_line(&error.to_string()))))?;
    let Value::Object(fields) = value else {
        return Err(no_object(format!(
            "found {}, expected an object with a field for each part of the row",
            kind_of(&value)
        )));
    };
    let mut fields = Fields { fields, place };
    let category = if task.by_category() { Some(fields.filled("category")?) } else { None };
    let row = match &task.kind {
        TaskKind::LanguageModeling => Row::Language {
            context: fields.text("context")?,
            continuation: fields.filled("continuation")?,
        },
        TaskKind::MultipleChoice(_) => {
            let choices = fields.several("choices")?;
            let gold = fields.gold("choices", choices.len())?;
            Row::Choice { query: fields.text("query")?, choices, gold }
        }
        TaskKind::Schema(_) => {
            let options = fields.several("context_options")?;
            let gold = fields.gold("context_options", options.len())?;
            Row::Schema { options, continuation: fields.filled("continuation")?, gold }
        }
        TaskKind::Generation(_) => Row::Generation {
            context: fields.text("context")?,
            answer: fields.filled("answer")?,
            aliases: if fields.has("aliases") { fields.texts("aliases")? } else { Vec::new() },
            chain_of_thought: if fields.has(REASONING) {
                Some(fields.text(REASONING)?)
            } else {
                None
            },
        },
        TaskKind::Code(sampling) => Row::Code(program(&mut fields, sampling.rule)?),
    };
    Ok((row, category))
}

/// A problem with what `rule` judges it by.
fn program(fields: &mut Fields<'_>, rule: Rule) -> Result<sandbox::Problem, Problem> {
    let (mut test, mut test_inputs, mut test_outputs) = (String::new(), Vec::new(), Vec::new());
    match rule {
        Rule::Check => test = fields.filled("test")?,
        Rule::Cases | Rule::CasesOrText => {
            (test_inputs, test_outputs) =
                (fields.texts("test_inputs")?, fields.texts("test_outputs")?);
            let (inputs, outputs) = (test_inputs.len(), test_outputs.len());
            if inputs != outputs {
                return Err(fields.wrong(format!(
                    "{inputs} `test_inputs` and {outputs} `test_outputs`, expected as many of both"
                )));
            }
            if inputs == 0 {
                return Err(fields.empty("test_inputs"));
            }
        }
    }
    if fields.has("language") {
        let found = fields.text("language")?;
        if found != "python" {
            let text = format!("field `language` is `{found}`, expected `python`");
            let hint = "take the task out: only Python is run";
            return Err(fields.place.clone().problem(text).with_hint(hint));
        }
    }
    Ok(sandbox::Problem {
        task_id: fields.filled("task_id")?,
        prompt: fields.filled("prompt")?,
        entry_point: fields.filled("entry_point")?,
        canonical_solution: fields.filled("canonical_solution")?,
        test,
        test_inputs,
        test_outputs,
    })
}

/// The parser counts lines within the row; the row's line is known.
fn without_line(message: &str) -> String {
    message.replace(" at line 1 column ", " at column ")
}

/// What to do where the fields of a row are not those of its task.
const CORRECT: &str =
    "correct the row, or the task's `type`; `docs/tasks.md` lists the fields of each";

fn missing(place: &Place, field: &str, expected: &str) -> Problem {
    let text = format!("no field `{field}`, expected {expected}");
    place.clone().problem(text).with_hint(CORRECT)
}

struct Fields<'a> {
    fields: Map<String, Value>,
    place: &'a Place,
}

impl Fields<'_> {
    fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    fn wrong(&self, text: String) -> Problem {
        self.place.clone().problem(text).with_hint(CORRECT)
    }

    fn wrong_field(&self, field: &str, found: &str, expected: &str) -> Problem {
        self.wrong(format!("field `{field}` is {found}, expected {expected}"))
    }

    fn empty(&self, field: &str) -> Problem {
        self.wrong(format!("field `{field}` is empty, expected something to score"))
    }

    fn take(&mut self, field: &'static str, expected: &'static str) -> Result<Value, Problem> {
        self.fields.remove(field).ok_or_else(|| missing(self.place, field, expected))
    }

    fn text(&mut self, field: &'static str) -> Result<String, Problem> {
        match self.take(field, "a text")? {
            Value::String(text) => Ok(text),
            other => Err(self.wrong_field(field, kind_of(&other), "a text")),
        }
    }

    /// A text that does not vanish when stripped.
    fn filled(&mut self, field: &'static str) -> Result<String, Problem> {
        let text = self.text(field)?;
        if crate::text::strip(&text).is_empty() {
            return Err(self.empty(field));
        }
        Ok(text)
    }

    fn texts(&mut self, field: &'static str) -> Result<Vec<String>, Problem> {
        let expected = "a list of texts";
        let values = match self.take(field, expected)? {
            Value::Array(values) => values,
            other => return Err(self.wrong_field(field, kind_of(&other), expected)),
        };
        let text = |value| match value {
            Value::String(text) => Ok(text),
            other => Err(self.wrong_field(field, kind_in_list(&other), expected)),
        };
        values.into_iter().map(text).collect()
    }

    /// A list of at least two texts, none empty.
    fn several(&mut self, field: &'static str) -> Result<Vec<String>, Problem> {
        let texts = self.texts(field)?;
        if texts.len() < 2 {
            let found = counted(texts.len() as u64, "text");
            return Err(self.wrong(format!(
                "field `{field}` has {found}, expected at least 2 to choose from"
            )));
        }
        if texts.iter().any(String::is_empty) {
            return Err(self.wrong(format!(
                "field `{field}` holds an empty text, expected something to score in every one"
            )));
        }
        Ok(texts)
    }

    /// The index of one of `count` choices.
    fn gold(&mut self, choices: &'static str, count: usize) -> Result<usize, Problem> {
        let expected = "the index of a choice, from 0";
        let value = self.take("gold", expected)?;
        let Value::Number(number) = &value else {
            return Err(self.wrong_field("gold", kind_of(&value), expected));
        };
        let index = number.as_u64().and_then(|n| usize::try_from(n).ok());
        match index {
            Some(index) if index < count => Ok(index),
            _ => Err(self.wrong(format!(
                "field `gold` is {number}, expected 0 to {} as there are {count} `{choices}`",
                count - 1
            ))),
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn kind_in_list(value: &Value) -> &'static str {
    match value {
        Value::Null => "a list with a null",
        Value::Bool(_) => "a list with a truth value",
        Value::Number(_) => "a list with a number",
        Value::String(_) => "a list with a text",
        Value::Array(_) => "a list with a list",
        Value::Object(_) => "a list with an object",
    }
}
