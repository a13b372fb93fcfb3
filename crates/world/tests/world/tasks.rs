//! Tasks: right, well-formed, and nowhere in the text.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use sparkjoy_base::Seed;
use sparkjoy_world::{Part, Skill, Source, World};

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_else(|| panic!("no {field} in {row}"))
}

/// What a model would have to have read to know the answer: the question with its answer, or the
/// question where the answer is its own work.
fn exercise(skill: Skill, row: &Value) -> String {
    match skill {
        Skill::Facts | Skill::Inference => {
            let gold = row["gold"].as_u64().unwrap() as usize;
            format!("{} {}", text(row, "query"), row["choices"][gold].as_str().unwrap())
        }
        Skill::Likenesses => {
            // What stands before is about something else.
            let (_, sentence) = text(row, "context").rsplit_once(['.', '?']).unwrap();
            format!("{} {}", sentence.trim(), text(row, "continuation"))
        }
        Skill::Lists => format!("{} {}\n", text(row, "context"), text(row, "continuation")),
        Skill::WordProblems => text(row, "context").to_owned(),
        // Whatever it is called.
        Skill::Programs => text(row, "prompt").split_once('(').unwrap().1.to_owned(),
    }
}

#[test]
fn no_exercise_stands_in_the_text() {
    for seed in [1, 2] {
        let world = World::new(Seed(seed));
        let all: String = Source::ALL
            .into_iter()
            .flat_map(|source| (0..400).map(move |index| (source, index)))
            .map(|(source, index)| world.document(source, Part::Train, index).text)
            .collect();
        for skill in Skill::ALL {
            for row in world.rows(skill) {
                let exercise = exercise(skill, &row);
                assert!(!all.contains(&exercise), "{exercise}");
            }
        }
    }
}

#[test]
fn every_fact_can_be_learned_in_other_words() {
    let world = World::new(Seed(1));
    let said: String =
        (0..1500).map(|i| world.document(Source::Encyclopedia, Part::Train, i).text).collect();
    for row in world.rows(Skill::Facts) {
        let choice = |i: usize| row["choices"][i].as_str().unwrap();
        let gold = row["gold"].as_u64().unwrap() as usize;
        let query = text(&row, "query");
        let land = said.split_whitespace().find(|word| {
            word.starts_with(char::is_uppercase)
                && query.split(' ').any(|w| w == *word)
                && !["The", "In", "Every", "Boats", "Children", "Traders", "Merchants"]
                    .contains(word)
        });
        let land = land.expect("the land is written about");
        let about = |sentence: &&str| sentence.contains(land);
        let told = said.split(['.', '\n']).filter(about);
        assert!(told.into_iter().any(|s| s.ends_with(choice(gold))), "{query} {}", choice(gold));
    }
}

#[test]
fn worked_steps_lead_to_the_answer() {
    let numbers = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
    ];
    let value = |word: &str| (0..).zip(numbers).find(|(_, n)| *n == word).unwrap().0;
    for row in World::new(Seed(1)).rows(Skill::WordProblems) {
        let steps = text(&row, "chain_of_thought");
        let mut last = None;
        for step in steps.trim_end_matches('.').split(". ") {
            if let [a, sign, b, "is", c] = step.split(' ').collect::<Vec<_>>()[..] {
                let sign: i32 = if sign == "plus" { 1 } else { -1 };
                assert_eq!(value(a) + sign * value(b), value(c), "{step}");
                assert!(last.is_none_or(|last| last == a), "{steps}");
                last = Some(c);
            }
        }
        assert_eq!(last, row["answer"].as_str(), "{steps}");
    }
}

#[test]
fn the_right_choice_is_anywhere_and_only_once() {
    let world = World::new(Seed(1));
    for skill in [Skill::Facts, Skill::Inference] {
        let rows = world.rows(skill);
        let mut places = [0; 4];
        for row in &rows {
            let choices = row["choices"].as_array().unwrap();
            let gold = row["gold"].as_u64().unwrap() as usize;
            assert_eq!(choices.len(), 4);
            assert_eq!(choices.iter().filter(|choice| **choice == choices[gold]).count(), 1);
            places[gold] += 1;
        }
        // A quarter of 200 or more, give or take four standard deviations.
        assert!(places.iter().all(|&count| count * 4 + 100 > rows.len()), "{places:?}");
        assert!(places.iter().all(|&count| count * 4 < rows.len() + 100), "{places:?}");
    }
}

#[test]
fn solutions_pass_their_own_tests() {
    let mut program = String::new();
    for row in World::new(Seed(1)).rows(Skill::Programs) {
        program += text(&row, "prompt");
        program += text(&row, "canonical_solution");
        let lists = ["test_inputs", "test_outputs"].map(|field| row[field].as_array().unwrap());
        for (input, output) in lists[0].iter().zip(lists[1]) {
            let (input, output) = (input.as_str().unwrap(), output.as_str().unwrap());
            let name = text(&row, "entry_point");
            writeln!(program, "assert {name}(*{input}) == {output}").unwrap();
        }
    }
    let python = Command::new("python3").arg("-").stdin(Stdio::piped()).spawn();
    let Ok(mut python) = python else {
        eprintln!("SKIPPED solutions_pass_their_own_tests: no python3");
        return;
    };
    python.stdin.take().unwrap().write_all(program.as_bytes()).unwrap();
    assert!(python.wait().unwrap().success());
}
