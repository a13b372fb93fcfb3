//! Task files: TOML to tasks and suites.
//!
//! What ships with the program is read by the same code as what users write.

use std::path::Path;

use sparkjoy_base::Problem;
use sparkjoy_base::toml_file::{Form, Item, Mistake, TomlTable};
use sparkjoy_sandbox::Rule;

use crate::suite::{Category, Suite};
use crate::task::{
    Aggregation, Baselines, ChoiceRule, Delimiters, FewShotRule, Format, Generation, MatchRule,
    Sampling, Task, TaskKind,
};

/// How a task file speaks to its author.
static FORM: Form = Form {
    name: "the task file",
    whole_keys: false,
    hint: |mistake, place| {
        let (file, line) = (place.file.display(), place.line.unwrap_or(1));
        Some(match mistake {
            Mistake::Syntax { .. } => format!("correct line {line} of `{file}`"),
            Mistake::UnknownKey { key, nearest: Some(nearest) } => {
                format!("write `{nearest}` for `{key}`, or take the line out")
            }
            Mistake::UnknownKey { key, nearest: None } => format!("take `{key}` out of `{file}`"),
            Mistake::MissingKey { key } => {
                format!("write `{key} = …` there; `docs/tasks.md` explains every key")
            }
            Mistake::WrongType { key } => {
                format!("correct `{key}`; `docs/tasks.md` explains every key")
            }
            Mistake::OutOfRange { key } => format!("correct `{key}` in line {line} of `{file}`"),
            Mistake::UnknownWord { key, nearest, known } => {
                format!("write `{key} = \"{}\"`", nearest.unwrap_or(known[0]))
            }
        })
    },
};

/// What a task file declares. Each thing comes with the line it begins on.
pub(crate) struct Definitions {
    pub(crate) tasks: Vec<(Task, usize)>,
    pub(crate) suite: Option<(Suite, usize)>,
}

/// Reads the text of a task file; `file` is how messages call it.
pub(crate) fn read(file: &Path, text: &str) -> Result<Definitions, Problem> {
    let mut root = TomlTable::root(&FORM, file, text)?;
    let suite = root.optional("suite").map(suite).transpose()?;
    let mut tasks = Vec::new();
    if let Some(items) = root.optional("tasks") {
        for item in items.list("tables, each begun by `[[tasks]]`")? {
            let line = item.line();
            tasks.push((task(item)?, line));
        }
    }
    root.finish()?;
    Ok(Definitions { tasks, suite })
}

fn suite(item: Item<'_>) -> Result<(Suite, usize), Problem> {
    let line = item.line();
    let mut table = item.table()?;
    let name = name(&mut table)?;
    table.rename(format!("suite `{name}`"));
    let mut categories = Vec::new();
    let tables = "tables, each begun by `[[suite.categories]]`";
    for item in table.required("categories", tables)?.filled_list(tables)? {
        let mut table = item.table()?;
        let name = self::name(&mut table)?;
        table.rename(format!("category `{name}`"));
        let tasks = table.required("tasks", "a list of names of tasks")?;
        let tasks = tasks.strings("a list of names of tasks")?;
        table.finish()?;
        categories.push(Category { name, tasks });
    }
    table.finish()?;
    Ok((Suite { name, categories }, line))
}

fn name(table: &mut TomlTable<'_>) -> Result<String, Problem> {
    let expected = "a name in quotes: letters, digits, `-`, `_` and `.`";
    let item = table.required("name", expected)?;
    let name = item.string(expected)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(fits) {
        return Err(item.out_of_range(format!("`{name}`"), expected));
    }
    Ok(name.to_owned())
}

const TYPES: [&str; 5] = ["language-modeling", "multiple-choice", "schema", "generation", "code"];

fn task(item: Item<'_>) -> Result<Task, Problem> {
    let mut table = item.table()?;
    let name = name(&mut table)?;
    table.rename(format!("task `{name}`"));
    let word = table.required("type", "a kind of task")?.choice(&TYPES)?;
    table.rename(format!("task `{name}` of type `{word}`"));
    let paths = "a path in quotes, or a list of them";
    let files = table.required("files", paths)?.strings(paths)?;
    let rows = match table.optional("rows") {
        Some(item) => Some(item.whole(1, "a number of rows")?),
        None => None,
    };
    // A program follows its prompt without a seam; everything else is set off by a space.
    let continuation = text_or(&mut table, "continuation_delimiter", by_word(word, "", " "))?;
    let kind = kind(&mut table, word)?;
    let few_shot = few_shot(&mut table, &kind)?;
    let task = Task {
        name,
        files,
        rows,
        few_shot,
        prompt: text_or(&mut table, "prompt", "")?,
        delimiters: Delimiters {
            continuation,
            example: text_or(&mut table, "example_delimiter", "\n")?,
            prelimiter: text_or(&mut table, "prelimiter", "")?,
        },
        format: format(&mut table, &kind)?,
        aggregation: aggregation(&mut table, &kind)?,
        baselines: Baselines {
            v03: share(&table.required("baseline", BASELINE)?)?,
            dclm_2025: table.optional("baseline_dclm_2025").as_ref().map(share).transpose()?,
        },
        kind,
    };
    if task.prompt.contains("{subject}") && !task.by_category() {
        let text = format!(
            "the `prompt` of task `{}` speaks of `{{subject}}`, but its rows need no category",
            task.name
        );
        return Err(table.problem(text).with_hint(
            "set `aggregation = \"subcategories\"`, or write the subject into the prompt",
        ));
    }
    table.finish()?;
    Ok(task)
}

fn by_word<'a>(word: &str, code: &'a str, other: &'a str) -> &'a str {
    if word == "code" { code } else { other }
}

const BASELINE: &str = "the accuracy of guessing, at least 0 and below 1";

fn share(item: &Item<'_>) -> Result<f64, Problem> {
    item.number(|value| (0.0..1.0).contains(&value), BASELINE)
}

fn text_or(table: &mut TomlTable<'_>, key: &'static str, default: &str) -> Result<String, Problem> {
    match table.optional(key) {
        Some(item) => Ok(item.string("a text in quotes")?.to_owned()),
        None => Ok(default.to_owned()),
    }
}

fn kind(table: &mut TomlTable<'_>, word: &str) -> Result<TaskKind, Problem> {
    Ok(match word {
        "multiple-choice" => TaskKind::MultipleChoice(choice_rule(table)?),
        "schema" => TaskKind::Schema(choice_rule(table)?),
        "generation" => TaskKind::Generation(generation(table)?),
        "code" => TaskKind::Code(sampling(table)?),
        _ => TaskKind::LanguageModeling,
    })
}

fn choice_rule(table: &mut TomlTable<'_>) -> Result<ChoiceRule, Problem> {
    let Some(item) = table.optional("rule") else { return Ok(ChoiceRule::TokenMean) };
    let word = item.choice(&["token-mean", "sum"])?;
    Ok(if word == "sum" { ChoiceRule::Sum } else { ChoiceRule::TokenMean })
}

fn generation(table: &mut TomlTable<'_>) -> Result<Generation, Problem> {
    let stop = match table.optional("stop") {
        Some(item) => item.strings("a list of texts that end an answer")?,
        None => Vec::new(),
    };
    let normalize = table.required("normalize", "true or false")?.boolean()?;
    let word = table.required("rule", "`prefix` or `exact`")?.choice(&["prefix", "exact"])?;
    let rule = if word == "exact" { MatchRule::Exact } else { MatchRule::Prefix };
    Ok(Generation { cot_delimiter: text_or(table, "cot_delimiter", "")?, stop, normalize, rule })
}

fn sampling(table: &mut TomlTable<'_>) -> Result<Sampling, Problem> {
    let expected = "a number of programs of at least 1";
    let samples = table.required("samples", expected)?.whole(1, expected)? as usize;
    let expected = "numbers of programs, ascending, none above `samples`";
    let item = table.required("pass_at", expected)?;
    let (line, mut pass_at) = (item.line(), Vec::new());
    for item in item.list(expected)? {
        pass_at.push(item.whole(1, expected)? as usize);
    }
    let ascends = pass_at.is_sorted_by(|a, b| a < b);
    if !ascends || pass_at.last().is_none_or(|&k| k > samples) {
        let found = format!("{pass_at:?}");
        return Err(table.source().out_of_range(line, "pass_at", found, expected));
    }
    let expected = "a temperature of at least 0";
    let temperature = table.required("temperature", expected)?;
    let temperature = temperature.number(|t| t >= 0.0, expected)? as f32;
    let expected = "a share of at most 1, above 0";
    let top_p = table.required("top_p", expected)?;
    let top_p = top_p.number(|p| 0.0 < p && p <= 1.0, expected)? as f32;
    let rule = match table.optional("rule") {
        None => Rule::Cases,
        Some(item) => match item.choice(&["cases", "cases-or-text", "check"])? {
            "check" => Rule::Check,
            "cases-or-text" => Rule::CasesOrText,
            _ => Rule::Cases,
        },
    };
    Ok(Sampling { rule, samples, pass_at, temperature, top_p })
}

fn few_shot(table: &mut TomlTable<'_>, kind: &TaskKind) -> Result<FewShotRule, Problem> {
    let expected = match kind {
        TaskKind::Code(_) => "0: programs are asked for without examples",
        _ => "a number of examples",
    };
    let item = table.required("shots", expected)?;
    let shots = item.whole(0, expected)? as usize;
    if matches!(kind, TaskKind::Code(_)) {
        return if shots == 0 {
            Ok(FewShotRule { shots, seed: SEED, files: Vec::new() })
        } else {
            Err(item.out_of_range(shots, expected))
        };
    }
    let seed = match table.optional("few_shot_seed") {
        Some(item) => item.whole(0, "a seed")?,
        None => SEED,
    };
    let files = match table.optional("few_shot_files") {
        Some(item) => item.strings("a path in quotes, or a list of them")?,
        None => Vec::new(),
    };
    Ok(FewShotRule { shots, seed, files })
}

/// LLM Foundry's.
const SEED: u64 = 1234;

fn format(table: &mut TomlTable<'_>, kind: &TaskKind) -> Result<Format, Problem> {
    if !matches!(kind, TaskKind::MultipleChoice(_)) {
        return Ok(Format::AsWritten);
    }
    let Some(item) = table.optional("format") else { return Ok(Format::AsWritten) };
    let word = item.choice(&["as-written", "lettered-lines"])?;
    Ok(if word == "as-written" { Format::AsWritten } else { Format::LetteredLines })
}

fn aggregation(table: &mut TomlTable<'_>, kind: &TaskKind) -> Result<Aggregation, Problem> {
    if matches!(kind, TaskKind::Code(_)) {
        return Ok(Aggregation::Rows);
    }
    let Some(item) = table.optional("aggregation") else { return Ok(Aggregation::Rows) };
    let word = item.choice(&["rows", "subcategories"])?;
    Ok(if word == "rows" { Aggregation::Rows } else { Aggregation::Subcategories })
}
