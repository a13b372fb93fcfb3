//! What a task is: data, read from TOML, that says everything about how a file is scored.
//!
//! Nothing here reads rows or knows a model. Two tasks that are equal score every model the same.

use serde::{Deserialize, Serialize};
use sparkjoy_sandbox::Rule;

/// One benchmark: where its rows are and how they are asked and judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Unique among all tasks.
    pub name: String,
    /// How the model is asked, and how its answer is judged.
    pub kind: TaskKind,
    /// Where the rows may be, from the data folder; the first that exists is read.
    pub files: Vec<String>,
    /// Rows of the file as published, where the task says so: a file with fewer is a part of it.
    pub rows: Option<u64>,
    /// The examples shown before each row.
    pub few_shot: FewShotRule,
    /// Text before everything; `{subject}` stands for the row's category.
    pub prompt: String,
    /// What joins the parts of a prompt.
    pub delimiters: Delimiters,
    /// How the query is written.
    pub format: Format,
    /// What the accuracy is a mean over.
    pub aggregation: Aggregation,
    /// What guessing scores.
    pub baselines: Baselines,
}

/// How the model is asked, and how its answer is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// Correct if every token of the continuation is the model's first choice.
    LanguageModeling,
    /// Correct if the right one of several answers is the likeliest after the query.
    MultipleChoice(ChoiceRule),
    /// Correct if the continuation is likeliest after the right one of several contexts.
    Schema(ChoiceRule),
    /// Correct if the text the model goes on with agrees with a reference answer.
    Generation(Generation),
    /// Correct if the program the model goes on with passes its tests.
    Code(Sampling),
}

impl TaskKind {
    /// Its word in a task file.
    pub fn word(&self) -> &'static str {
        match self {
            Self::LanguageModeling => "language-modeling",
            Self::MultipleChoice(_) => "multiple-choice",
            Self::Schema(_) => "schema",
            Self::Generation(_) => "generation",
            Self::Code(_) => "code",
        }
    }
}

/// What makes an answer the likeliest; ties go to the one listed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChoiceRule {
    /// Least nats per token: LLM Foundry's.
    TokenMean,
    /// Least nats in all: the likelihood itself, as MMLU's authors and lm-evaluation-harness's
    /// `acc` have it.
    Sum,
}

/// Answers in the model's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// What stands between reasoning and answer; empty where there is no reasoning.
    pub cot_delimiter: String,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Whether answers are compared in TriviaQA's normal form.
    pub normalize: bool,
    /// When an answer agrees with a reference.
    pub rule: MatchRule,
}

/// When an answer agrees with a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchRule {
    /// It starts with it: LLM Foundry's, which takes 50 for 5.
    Prefix,
    /// It is it: the same number, or the same first line.
    Exact,
}

/// How programs are drawn, and how they are counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// How a program is cut and judged.
    pub rule: Rule,
    /// Programs per problem.
    pub samples: usize,
    /// The `k` of pass@k, ascending; the first is the task's accuracy.
    pub pass_at: Vec<usize>,
    /// 0 is greedy.
    pub temperature: f32,
    /// Share of the probability that is drawn from, in (0, 1].
    pub top_p: f32,
}

/// The examples shown before each row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FewShotRule {
    /// How many.
    pub shots: usize,
    /// Seed of the choice where they come from the rows themselves.
    pub seed: u64,
    /// Another file whose first rows of the same category they are, where they do not.
    pub files: Vec<String>,
}

/// What joins the parts of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delimiters {
    /// Between context and answer.
    pub continuation: String,
    /// Between examples.
    pub example: String,
    /// Before every context.
    pub prelimiter: String,
}

/// How the query is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// As it stands in the file.
    AsWritten,
    /// `Question: …\n(A) … (B) …` is written as MMLU's authors do, an option a line.
    LetteredLines,
}

/// What the accuracy is a mean over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// Rows: every one weighs the same.
    Rows,
    /// Subcategories: each is scored by itself, with examples of its own, and weighs the same.
    Subcategories,
}

/// The accuracy of guessing, by who published it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// As published with the task.
    pub v03: f64,
    /// As corrected by DCLM, where it lists the task.
    pub dclm_2025: Option<f64>,
}

/// Which baselines to subtract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BaselineVersion {
    /// As published with the Gauntlet v0.3, or by the author of a task file.
    #[serde(rename = "v0.3")]
    V03,
    /// `eval/eval_meta_data.csv` of mlfoundations/dclm, read in 2025.
    #[serde(rename = "dclm-2025")]
    Dclm2025,
}

impl BaselineVersion {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::V03, Self::Dclm2025];

    /// Its name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::V03 => "v0.3",
            Self::Dclm2025 => "dclm-2025",
        }
    }
}

/// A baseline, and the version it was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Accuracy of guessing, in [0, 1).
    pub value: f64,
    /// Not the version asked for, if that one does not list the task.
    pub version: BaselineVersion,
}

impl Baselines {
    /// The baseline of a version, or v0.3's where that has none.
    pub fn of(&self, version: BaselineVersion) -> Baseline {
        match (version, self.dclm_2025) {
            (BaselineVersion::Dclm2025, Some(value)) => Baseline { value, version },
            _ => Baseline { value: self.v03, version: BaselineVersion::V03 },
        }
    }
}

impl Task {
    /// The rule by which an item counts as correct, as reports name it.
    pub fn rule(&self) -> &'static str {
        match &self.kind {
            TaskKind::LanguageModeling => "every token the first choice",
            TaskKind::MultipleChoice(rule) | TaskKind::Schema(rule) => match rule {
                ChoiceRule::TokenMean => "least nats per token",
                ChoiceRule::Sum => "least nats",
            },
            TaskKind::Generation(generation) => match generation.rule {
                MatchRule::Prefix => "starts with the answer",
                MatchRule::Exact => "is the answer",
            },
            TaskKind::Code(sampling) => match sampling.rule {
                Rule::Cases => "all test cases pass",
                Rule::CasesOrText => "all test cases pass, as values or as text",
                Rule::Check => "the published check passes",
            },
        }
    }

    /// Whether rows must say their category: they are scored, or given examples, by it.
    pub(crate) fn by_category(&self) -> bool {
        self.aggregation == Aggregation::Subcategories || !self.few_shot.files.is_empty()
    }
}
