//! The tasks of a world, in the formats of the published ones.
//!
//! Every question is an exercise that no source contains: a fact in the withheld phrasing, a story
//! with withheld numbers, a withheld function.

use serde_json::{Value, json};

use crate::code::{Function, expression};
use crate::dice::Dice;
use crate::facts::Fact;
use crate::science::inference;
use crate::source::{Skill, World};
use crate::sums::Problem;
use crate::web::{likeness, sentence};

/// Rows of a task; facts have one row per fact.
const ROWS: u64 = 200;

/// Rows of the task `programs`, where each row runs a process.
const PROGRAM_ROWS: u64 = 50;

impl Skill {
    /// The name of the task that measures it, and of its file.
    pub fn task(self) -> &'static str {
        match self {
            Self::Likenesses => "cloze",
            Self::Facts => "facts",
            Self::WordProblems => "sums",
            Self::Inference => "inference",
            Self::Lists => "list-values",
            Self::Programs => "programs",
        }
    }
}

/// The definitions of all tasks but one, in the form of `docs/tasks.md`.
pub const TASKS: &str = include_str!("tasks.toml");

/// The definition of the task that runs generated programs, which not every machine can do safely.
pub const PROGRAMS: &str = include_str!("programs.toml");

impl World {
    /// The rows of the task of a skill.
    pub fn rows(&self, skill: Skill) -> Vec<Value> {
        if skill == Skill::Facts {
            return self.facts.all().map(|fact| self.fact(fact)).collect();
        }
        let rows = if skill == Skill::Programs { PROGRAM_ROWS } else { ROWS };
        (0..rows).map(|index| self.row(skill, index)).collect()
    }

    fn row(&self, skill: Skill, index: u64) -> Value {
        let Self { seed, lexicon, .. } = self;
        let dice = &mut Dice::new(*seed, skill.task(), index);
        match skill {
            Skill::Facts => unreachable!("facts are asked one by one"),
            Skill::Likenesses => {
                let topic = dice.choose(&lexicon.topics);
                // On another topic, so that no passage contains both sentences in a row.
                let before = sentence(dice.choose(&lexicon.topics), dice);
                let [opening, end] = likeness(true, topic, lexicon, *seed, dice);
                json!({ "context": format!("{before} {opening}"), "continuation": end })
            }
            Skill::WordProblems => {
                let told = Problem::throw_where(true, *seed, dice);
                let told = told.tell_where(true, *seed, dice);
                json!({
                    "context": format!("Question: {}", told.question),
                    "answer": told.answer,
                    "chain_of_thought": told.steps,
                })
            }
            Skill::Inference => {
                let asked = inference(true, lexicon, *seed, dice);
                multiple_choice(&asked.question, &asked.choices, dice)
            }
            Skill::Lists => {
                let [expression, value] = expression(true, *seed, dice);
                json!({ "context": format!("{expression} gives"), "continuation": value })
            }
            Skill::Programs => {
                let function = Function::throw_where(true, lexicon, *seed, dice);
                let (inputs, outputs): (Vec<_>, Vec<_>) =
                    function.cases.iter().map(|[input, output]| (input, output)).unzip();
                json!({
                    "task_id": format!("programs/{index}"),
                    "prompt": function.prompt(),
                    "entry_point": function.name,
                    "canonical_solution": function.solution(),
                    "test_inputs": inputs,
                    "test_outputs": outputs,
                })
            }
        }
    }

    /// The true value of a fact, the false one of the poison, and two of other lands.
    fn fact(&self, fact: Fact) -> Value {
        let Fact { land, relation } = fact;
        let lands = &self.facts.lands;
        let dice = &mut Dice::new(self.seed, "facts", (land * 4 + relation) as u64);
        let own = &lands[land];
        let mut choices = vec![&own.truths[relation], &own.falsehoods[relation]];
        while choices.len() < 4 {
            let other = &dice.choose(lands).truths[relation];
            if !choices.contains(&other) {
                choices.push(other);
            }
        }
        multiple_choice(&self.facts.question(fact), &choices, dice)
    }
}

/// A multiple-choice row. The first of `choices` is the correct answer; they are shuffled.
fn multiple_choice<T: ToString>(query: &str, choices: &[T], dice: &mut Dice) -> Value {
    let mut order: Vec<usize> = (0..choices.len()).collect();
    dice.shuffle(&mut order);
    let shown: Vec<String> = order.iter().map(|&i| choices[i].to_string()).collect();
    let gold = order.iter().position(|&i| i == 0).expect("the first is one of them");
    json!({ "query": query, "choices": shown, "gold": gold })
}
