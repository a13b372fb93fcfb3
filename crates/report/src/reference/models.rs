//! Models to compare a study with: what they cost to train, and what they score.
//!
//! Those that ship are public facts, in `open-models.csv`, which names its sources. A user's own
//! stand in a file of the same form.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use csv::StringRecord;
use sparkjoy_base::{Place, Problem, nearest, read_to_string};
use sparkjoy_study::Plan;

const SHIPPED: &str = include_str!("open-models.csv");
/// Columns before those of tasks.
const FIRST: [&str; 3] = ["model", "params_b", "tokens_t"];

/// A model that was trained elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainedModel {
    /// Its name.
    pub name: String,
    /// Parameters.
    pub parameters: f64,
    /// Tokens it was trained on.
    pub tokens: f64,
    /// By task or average.
    pub(crate) scores: BTreeMap<String, OtherScore>,
}

/// What a model scores, as its table has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OtherScore {
    /// A part of 1; an average with guessing at 0 may be below 0.
    pub(crate) value: f64,
    /// Examples before each row, where the table says how many.
    pub(crate) shots: Option<usize>,
}

/// Training FLOPs by the usual rule, 6 for each parameter and token.
///
/// # Source
///
/// Kaplan et al. 2020, "Scaling Laws for Neural Language Models", arXiv 2001.08361, section 2.1.
pub(crate) fn training_flops(parameters: f64, tokens: f64) -> f64 {
    6.0 * parameters * tokens
}

/// The open models that ship.
pub(crate) fn open_models() -> Vec<TrainedModel> {
    parse(Path::new("open-models.csv"), SHIPPED).expect("the data file is tested")
}

/// Reads a user's own models: a CSV file with the columns `model`, `params_b` (10⁹), `tokens_t`
/// (10¹²) and one for each task or average, 0 to 1; empty where unknown.
///
/// - `plan`: the study.
///
/// # Errors
///
/// What is wrong with the file, and where; also if the study is scored on none of its columns.
pub fn read_models(file: &Path, plan: &Plan) -> Result<Vec<TrainedModel>, Problem> {
    let text = read_to_string(file)
        .map_err(|error| Problem::new(error.to_string()).with_hint_of(&error))?;
    let models = parse(file, &text)?;
    let Some(tasks) = &plan.evaluation.tasks else {
        let problem = Place::whole(file).problem("the study is scored on no task to compare on");
        return Err(problem.with_hint("name `tasks` in `[evaluation]`, and run the study again"));
    };
    let selection = &tasks.selection;
    let mut known: Vec<String> = selection.tasks.iter().map(|task| task.name.clone()).collect();
    for suite in &selection.suites {
        known.push(suite.name.clone());
        let categories = suite.categories.iter();
        known.extend(categories.map(|category| format!("{}: {}", suite.name, category.name)));
    }
    let scored: BTreeSet<&str> =
        models.iter().flat_map(|model| model.scores.keys()).map(String::as_str).collect();
    if known.iter().any(|name| scored.contains(name.as_str())) {
        return Ok(models);
    }
    let names: Vec<String> = scored.iter().map(|name| format!("`{}`", shown(name))).collect();
    let found = if names.is_empty() { "no score".to_owned() } else { names.join(", ") };
    let text = format!("found {found}, expected a score on a task of the study");
    let known = || known.iter().map(String::as_str);
    let meant = scored.iter().find_map(|name| nearest(name, known()));
    let problem = Place::whole(file).problem(text).with_hint("give it `tasks` in `[evaluation]`");
    Err(problem.meant_or_known(meant.as_deref(), known()))
}

fn parse(file: &Path, text: &str) -> Result<Vec<TrainedModel>, Problem> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut rows = reader.records().map(|record| record.expect("memory holds whole text"));
    let header = rows.next().unwrap_or_default();
    if header.iter().take(3).ne(FIRST) {
        let begin: Vec<&str> = header.iter().take(3).collect();
        let found = shown(&begin.join(","));
        return Err(at(file, text, &header)
            .problem(format!("found `{found}`, expected `{}` to begin the header", FIRST.join(",")))
            .with_hint("add a first line such as `model,params_b,tokens_t,mmlu,arc_easy`"));
    }
    let columns = columns(file, text, &header)?;
    let mut models: Vec<TrainedModel> = Vec::new();
    for row in rows {
        let place = || at(file, text, &row);
        if row.len() != header.len() {
            let (found, expected) = (row.len(), header.len());
            return Err(place()
                .problem(format!("found {found} columns, expected {expected} as in the header"))
                .with_hint(
                    "leave a cell empty where a score is unknown; quote names with commas",
                ));
        }
        let name = row[0].to_owned();
        if name.is_empty() || models.iter().any(|model| model.name == name) {
            return Err(place()
                .problem(format!("found `{}`, expected the name of another model", shown(&name)))
                .with_hint("give each model a name of its own"));
        }
        let size = |column: usize, unit: &str| {
            let is_size = |value: &f64| value.is_finite() && *value > 0.0;
            f64::from_str(&row[column]).ok().filter(is_size).ok_or_else(|| {
                place()
                    .problem(format!(
                        "`{}`: found `{}`, expected a number above 0",
                        FIRST[column],
                        shown(&row[column])
                    ))
                    .with_hint(format!("write {unit}"))
            })
        };
        let parameters = 1e9 * size(1, "billions of parameters, `6.74` for 6.74 billion")?;
        let tokens = 1e12 * size(2, "trillions of training tokens, `0.3` for 300 billion")?;
        let mut scores = BTreeMap::new();
        for ((task, shots), cell) in columns.iter().zip(row.iter().skip(FIRST.len())) {
            if cell.is_empty() {
                continue;
            }
            let value = f64::from_str(cell).ok().filter(|value| (-1.0..=1.0).contains(value));
            let value = value.ok_or_else(|| {
                place()
                    .problem(format!("`{task}`: found `{}`, expected a score, 0 to 1", shown(cell)))
                    .with_hint("write `0.452` for 45.2 %, and nothing where it is unknown")
            })?;
            scores.insert(task.clone(), OtherScore { value, shots: *shots });
        }
        models.push(TrainedModel { name, parameters, tokens, scores });
    }
    Ok(models)
}

/// The beginning of a cell, which may hold anything.
fn shown(cell: &str) -> String {
    let begin: String = cell.chars().take(40).collect();
    let rest = if begin.len() < cell.len() { "…" } else { "" };
    format!("{}{rest}", begin.escape_debug())
}

/// The columns of tasks with their examples: `arc_easy`, `arc_easy@10`.
fn columns(
    file: &Path,
    text: &str,
    header: &StringRecord,
) -> Result<Vec<(String, Option<usize>)>, Problem> {
    let mut columns: Vec<(String, Option<usize>)> = Vec::new();
    for cell in header.iter().skip(FIRST.len()) {
        let (name, shots) = match cell.split_once('@') {
            None => (cell, Some(None)),
            Some((name, shots)) => (name, shots.parse().ok().map(Some)),
        };
        let is_new = !name.is_empty() && columns.iter().all(|(known, _)| known != name);
        let Some(shots) = shots.filter(|_| is_new) else {
            return Err(at(file, text, header)
                .problem(format!(
                    "found the column `{}`, expected the name of another task",
                    shown(cell)
                ))
                .with_hint("write `arc_easy`, or `arc_easy@10` where 10 examples were shown"));
        };
        columns.push((name.to_owned(), shots));
    }
    Ok(columns)
}

/// The line of a row. The reader's own is where it began to look, before comments and empty lines.
fn at(file: &Path, text: &str, row: &StringRecord) -> Place {
    let (byte, line) = row.position().map_or((0, 1), |at| (at.byte(), at.line()));
    let rest = text.get(byte as usize..).unwrap_or_default();
    let is_skipped = |line: &&str| line.trim().is_empty() || line.starts_with('#');
    Place::line(file, line as usize + rest.lines().take_while(is_skipped).count())
}

#[cfg(test)]
mod tests {
    use sparkjoy_base::Hint;
    use sparkjoy_kit::HEAD;

    use super::*;

    #[test]
    fn what_ships_parses_and_costs_six_flops_for_each_parameter_and_token() {
        let models = open_models();
        assert_eq!(models.len(), 16);
        let llama = models.iter().find(|model| model.name == "Llama 2 7B").unwrap();
        assert_eq!((llama.parameters, llama.tokens), (6.74e9, 2e12));
        let flops = training_flops(llama.parameters, llama.tokens);
        assert!((flops / 8.088e22 - 1.0).abs() < 1e-12, "{flops}");
        assert_eq!(llama.scores["mmlu"], OtherScore { value: 0.45811, shots: Some(5) });
        assert!(models.iter().all(|model| model.scores.len() == 32), "a score is missing");
    }

    fn read(text: &str, tasks: &str) -> Result<Vec<TrainedModel>, Problem> {
        let plan = format!(
            r#"name = "scored"
{HEAD}replicates = 1
[sources]
web = {{ tokens = "4M", domain = "pages" }}
math = {{ tokens = "1M", domain = "proofs" }}
[mixtures]
base = {{ web = 0.9, math = 0.1 }}
more = {{ web = 0.5, math = 0.5 }}
[trunk]
mixture = "base"
[[questions]]
ask = "duration"
mixture = "more"
windows = ["10%"]
[evaluation]
held_out = "16K"
{tasks}"#
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("models.csv");
        std::fs::write(&file, text).unwrap();
        let plan = sparkjoy_kit::plan(&plan).unwrap_or_else(|error| panic!("{error}"));
        read_models(&file, &plan).map_err(|mut problem| {
            problem.place = problem.place.map(|place| Place { file: "models.csv".into(), ..place });
            problem
        })
    }

    const TASKS: &str = "tasks = [\"mmlu\", \"piqa\"]\ndata = \"data\"\n";

    /// What is said of a file of models beside a study of two tasks.
    fn refused(text: &str) -> String {
        let problem = read(text, TASKS).unwrap_err();
        let hint = problem.hint().expect("a hint");
        format!("{problem} | {hint}")
    }

    #[test]
    fn a_bad_file_is_refused_with_line_found_and_expected() {
        let head = "# ours\nmodel,params_b,tokens_t,mmlu";
        let texts = [
            "name,params,tokens\n".to_owned(),
            String::new(),
            format!("{head},mmlu@3\n"),
            format!("{head},piqa@few\n"),
            format!("{head}\nOurs,7,1\n"),
            format!("{head}\nOurs,7,1,0.5\nOurs,7,1,0.5\n"),
            format!("{head}\nOurs,7B,1,0.5\n"),
            format!("{head}\nOurs,7,0,0.5\n"),
            format!("{head}\n\nOurs,7,1,45.2\n"),
            "model,params_b,tokens_t,mmul\nOurs,7,1,0.5\n".to_owned(),
        ];
        insta::assert_snapshot!(texts.map(|text| refused(&text)).join("\n"), @"
        `models.csv` line 1: found `name,params,tokens`, expected `model,params_b,tokens_t` to begin the header | add a first line such as `model,params_b,tokens_t,mmlu,arc_easy`
        `models.csv` line 1: found ``, expected `model,params_b,tokens_t` to begin the header | add a first line such as `model,params_b,tokens_t,mmlu,arc_easy`
        `models.csv` line 2: found the column `mmlu@3`, expected the name of another task | write `arc_easy`, or `arc_easy@10` where 10 examples were shown
        `models.csv` line 2: found the column `piqa@few`, expected the name of another task | write `arc_easy`, or `arc_easy@10` where 10 examples were shown
        `models.csv` line 3: found 3 columns, expected 4 as in the header | leave a cell empty where a score is unknown; quote names with commas
        `models.csv` line 4: found `Ours`, expected the name of another model | give each model a name of its own
        `models.csv` line 3: `params_b`: found `7B`, expected a number above 0 | write billions of parameters, `6.74` for 6.74 billion
        `models.csv` line 3: `tokens_t`: found `0`, expected a number above 0 | write trillions of training tokens, `0.3` for 300 billion
        `models.csv` line 4: `mmlu`: found `45.2`, expected a score, 0 to 1 | write `0.452` for 45.2 %, and nothing where it is unknown
        `models.csv`: found `mmul`, expected a score on a task of the study (the nearest is `mmlu`) | write `mmlu`
        ");
        let no_tasks = read(&format!("{head}\nOurs,7,1,0.5\n"), "").unwrap_err();
        assert!(no_tasks.to_string().contains("is scored on no task"), "{no_tasks}");
    }

    #[test]
    fn a_good_file_is_read_with_comments_gaps_and_examples() {
        let text = "# ours\nmodel,params_b,tokens_t,mmlu@5,other\n\"Ours, small\", 0.5 ,0.01,,0.2\n\
                    Ours,7,1,0.5,\n";
        let models = read(text, TASKS).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(models[0].name, "Ours, small");
        assert_eq!((models[0].parameters, models[0].tokens), (5e8, 1e10));
        assert_eq!(models[0].scores["other"], OtherScore { value: 0.2, shots: None });
        let mmlu = OtherScore { value: 0.5, shots: Some(5) };
        assert_eq!(models[1].scores, BTreeMap::from([("mmlu".to_owned(), mmlu)]));
    }
}
