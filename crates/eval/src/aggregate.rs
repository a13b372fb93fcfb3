//! Averages over the categories of a suite, or the plain word that they are incomplete.
//!
//! The original drops a category with a missing task and goes on with a smaller average. Here an
//! average is over everything it names or it is none.

use serde::{Deserialize, Serialize};

use crate::metric::Estimate;
use crate::score::TaskScore;
use crate::suite::{Category, Suite};

/// How a model did on a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuiteScore {
    /// The suite.
    pub suite: String,
    /// Its categories, in its order.
    pub categories: Vec<CategoryScore>,
    /// The plain mean of the categories.
    pub core: Average,
}

/// How a model did on a category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CategoryScore {
    /// The category.
    pub name: String,
    /// The tasks it is an average of.
    pub tasks: Vec<String>,
    /// The plain mean of their centred scores.
    pub average: Average,
}

/// An average, if it is one of everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Average {
    /// Everything is there.
    Complete {
        /// The average. Its error counts the choice of rows, not that of tasks.
        score: Estimate,
        /// Tasks of which only a part of the rows is there.
        partial: Vec<String>,
    },
    /// Something is missing, so there is no average.
    Incomplete {
        /// The tasks without a score.
        missing: Vec<String>,
    },
}

impl Average {
    /// Tasks that are missing.
    pub fn missing(&self) -> &[String] {
        match self {
            Self::Complete { .. } => &[],
            Self::Incomplete { missing } => missing,
        }
    }
}

/// The averages of a suite over the scores there are.
///
/// # Source
///
/// `eval_gauntlet_v0.3.yaml` of LLM Foundry: equal weights of the tasks in a category and of the
/// categories in the core average, guessing subtracted, rescaled, not clamped.
pub fn average(suite: &Suite, scores: &[TaskScore]) -> SuiteScore {
    let categories: Vec<CategoryScore> = suite
        .categories
        .iter()
        .map(|category| CategoryScore {
            name: category.name.clone(),
            tasks: category.tasks.clone(),
            average: over_tasks(category, scores),
        })
        .collect();
    let averages: Vec<&Average> = categories.iter().map(|category| &category.average).collect();
    let core = over_categories(&averages);
    SuiteScore { suite: suite.name.clone(), categories, core }
}

fn over_tasks(category: &Category, scores: &[TaskScore]) -> Average {
    let (mut centred, mut partial, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for name in &category.tasks {
        match scores.iter().find(|score| score.task == *name) {
            None => missing.push(name.clone()),
            Some(score) => {
                centred.push(score.centred);
                if score.is_partial() {
                    partial.push(name.clone());
                }
            }
        }
    }
    if missing.is_empty() {
        Average::Complete { score: Estimate::mean_of(&centred), partial }
    } else {
        Average::Incomplete { missing }
    }
}

fn over_categories(averages: &[&Average]) -> Average {
    let missing: Vec<String> = averages.iter().flat_map(|a| a.missing()).cloned().collect();
    if !missing.is_empty() {
        return Average::Incomplete { missing };
    }
    let (mut scores, mut all_partial) = (Vec::new(), Vec::new());
    for average in averages {
        if let Average::Complete { score, partial } = average {
            scores.push(*score);
            all_partial.extend_from_slice(partial);
        }
    }
    Average::Complete { score: Estimate::mean_of(&scores), partial: all_partial }
}
