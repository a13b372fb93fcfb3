//! An item of an evaluation: what the model was asked, what it answered, and the verdict.

use std::fmt::Write;

use sparkjoy_base::{counted, number, thousands};
use sparkjoy_eval::{ChoiceResult, ProgramVerdict, Sample};
use sparkjoy_jobs::{AnsweredItem, answered_items};
use sparkjoy_report::{Table, wrap};

use super::{excerpt, lines_each, passage};
use crate::args::{Place, ShowTarget};
use crate::failure::Failure;
use crate::item_place::ItemPlace;
use crate::output::{Output, print, print_json};

/// Shows what a model answered to an item, once for each way in which it was asked.
pub(super) fn show(what: &ShowTarget, item: &ItemPlace, place: &Place) -> Result<(), Failure> {
    if !what.path.exists() {
        return Err(Failure::NotThere { path: what.path.clone() });
    }
    let data = what.tasks.data(None).ok_or(Failure::NoEvalData)?;
    let items = answered_items(&what.path, &item.task, item.line, &data)?;
    match place.output() {
        Output::Json => print_json(&items),
        Output::Text => print(&items.iter().map(render).collect::<Vec<_>>().join("\n")),
    }
}

fn render(item: &AnsweredItem) -> String {
    let AnsweredItem { task, line, shots, rule, context, file, asked, result } = item;
    let mut text = format!(
        "line {line} of task {task} · {} · {} · rule: {rule} · context {}\n{}\n",
        verdict(item),
        counted(*shots as u64, "shot"),
        thousands(*context as u64),
        file.display()
    );
    if result.truncated > 0 {
        let cut = thousands(result.truncated as u64);
        let _ = writeln!(text, "the first {cut} tokens of the prompt did not fit and were cut off");
    }
    // The contexts of a schema differ in little.
    for (number, prompt) in asked.prompts.iter().enumerate() {
        let which = match asked.prompts.len() {
            1 => String::new(),
            _ => format!(" {}", number + 1),
        };
        let _ = write!(text, "\nprompt{which}\n{}\n", block(prompt));
    }
    if result.choices.is_empty() {
        let nats = number(result.gold_nats, 3);
        let tokens = counted(result.gold_tokens as u64, "token");
        let right = asked.answers.iter().chain(&asked.aliases).map(|answer| block(answer));
        let right = right.collect::<Vec<_>>().join("\n");
        let _ = write!(text, "\ncorrect answer ({nats} nats, {tokens})\n{right}\n");
    } else {
        let _ = write!(text, "\n{}", choices(item).text());
    }
    if let Some(written) = &result.generated {
        let _ = write!(text, "\nwritten by the model\n{}\n", block(written));
        if let Some(verdicts) = result.verdicts {
            let says = |is: bool| if is { "yes" } else { "no" };
            let _ = writeln!(
                text,
                "\nstarts with the answer: {}; is the answer: {}",
                says(verdicts.prefix),
                says(verdicts.exact)
            );
        }
    }
    for (number, sample) in result.samples.iter().enumerate() {
        let ended = wrap(&format!("program {}: {}", number + 1, ended(sample))).join("\n");
        let _ = write!(text, "\n{ended}\n{}\n", block(&sample.text));
    }
    text
}

fn verdict(item: &AnsweredItem) -> String {
    let result = &item.result;
    match result.samples.len() {
        0 if result.correct > 0.5 => "right".to_owned(),
        0 => "wrong".to_owned(),
        n => {
            let passed = result.samples.iter().filter(|sample| sample.passed).count();
            format!("{passed} of {n} programs passed")
        }
    }
}

/// Each choice with its likelihood; the one that is taken has the least of what the rule compares.
fn choices(item: &AnsweredItem) -> Table {
    let AnsweredItem { asked, result, .. } = item;
    let mut table = Table::new(["<", "nats", "tokens", "nats/token", "<", "<answer"]);
    for (i, choice) in result.choices.iter().enumerate() {
        let ChoiceResult { nats, tokens, greedy } = *choice;
        let marks = [
            (result.chosen == Some(i), "taken"),
            (result.gold == Some(i), "right"),
            (greedy && result.gold.is_none(), "first choice of the model"),
        ];
        let marks = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark);
        let answer = &asked.answers[i.min(asked.answers.len() - 1)];
        table.row([
            (i + 1).to_string(),
            number(nats, 3),
            thousands(tokens as u64),
            number(nats / tokens as f64, 3),
            marks.collect::<Vec<_>>().join(", "),
            excerpt(answer.trim(), 40),
        ]);
    }
    table
}

/// Why a program failed.
fn ended(sample: &Sample) -> String {
    let Some(failure) = &sample.failure else {
        return if sample.passed { "passed" } else { "failed; why is not known" }.to_owned();
    };
    let kind = failure.kind();
    match failure {
        ProgramVerdict::Failed { case: Some(case), reason } => {
            format!("failed, {kind}: case {}: {reason}", case + 1)
        }
        ProgramVerdict::Failed { case: None, reason } => format!("failed, {kind}: {reason}"),
        ProgramVerdict::Killed { signal } => format!("failed, {kind}: number {signal}"),
        _ => format!("failed, {kind}"),
    }
}

/// A text with its own line breaks, set in by two.
fn block(text: &str) -> String {
    let lines = text.split('\n').map(|line| match line {
        "" => String::new(),
        line => passage(line, lines_each(1)),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use sparkjoy_eval::{AskedTexts, ItemResult};

    use super::*;

    fn item(asked: AskedTexts, result: &serde_json::Value) -> AnsweredItem {
        let mut whole = serde_json::json!({
            "index": 2, "correct": 0.0, "gold_nats": 2.5, "gold_tokens": 1, "gold_bytes": 4,
            "truncated": 0
        });
        let fields = result.as_object().expect("fields of a result").clone();
        whole.as_object_mut().expect("it is one").extend(fields);
        let result: ItemResult = serde_json::from_value(whole).expect("a result");
        AnsweredItem {
            task: "birds".to_owned(),
            line: 3,
            shots: 1,
            rule: "a rule",
            context: 2048,
            file: "results/birds-1.jsonl".into(),
            asked,
            result,
        }
    }

    fn texts(prompts: &[&str], answers: &[&str]) -> AskedTexts {
        let own = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        AskedTexts { prompts: own(prompts), answers: own(answers), aliases: Vec::new() }
    }

    #[test]
    fn a_choice_is_shown_with_every_likelihood() {
        let asked = texts(&["Q: 1?\nA: a\n\nQ: 2?\nA:"], &[" kite", " crow\u{1b}[2J"]);
        let choice = |nats: f64| serde_json::json!({ "nats": nats, "tokens": 2, "greedy": false });
        let result = serde_json::json!({
            "gold": 1, "chosen": 0, "choices": [choice(1.5), choice(2.5)], "truncated": 7
        });
        let shown = render(&item(asked, &result));
        let shown = anstream::adapter::strip_str(&shown).to_string();
        insta::assert_snapshot!(shown, @r"
        line 3 of task birds · wrong · 1 shot · rule: a rule · context 2,048
        results/birds-1.jsonl
        the first 7 tokens of the prompt did not fit and were cut off

        prompt
          Q: 1?
          A: a

          Q: 2?
          A:

            nats  tokens  nats/token         answer
        1  1.500       2       0.750  taken  kite
        2  2.500       2       1.250  right  crow\u{1b}[2J
        ");
    }

    #[test]
    fn a_program_is_shown_with_why_it_failed() {
        let asked = texts(&["def f():"], &["\n    return 1"]);
        let sample = |text: &str, passed: bool, failure: Option<serde_json::Value>| {
            let mut sample = serde_json::json!({ "text": text, "passed": passed });
            if let Some(failure) = failure {
                sample["failure"] = failure;
            }
            sample
        };
        let raised = serde_json::json!(
            { "verdict": "failed", "case": 1, "reason": "raised ValueError: no" }
        );
        let result = serde_json::json!({ "correct": 0.2, "samples": [
            sample("\n    return 1", true, None),
            sample("\n    raise", false, Some(raised)),
            sample(" x", false, Some(serde_json::json!({ "verdict": "timed_out" }))),
            sample(" y", false, Some(serde_json::json!({ "verdict": "memory_exceeded" }))),
            sample(" z", false, None),
        ] });
        insta::assert_snapshot!(render(&item(asked, &result)), @r"
        line 3 of task birds · 1 of 5 programs passed · 1 shot · rule: a rule · context 2,048
        results/birds-1.jsonl

        prompt
          def f():

        correct answer (2.500 nats, 1 token)

              return 1

        program 1: passed

              return 1

        program 2: failed, an exception: case 2: raised ValueError: no

              raise

        program 3: failed, out of time
           x

        program 4: failed, out of memory
           y

        program 5: failed; why is not known
           z
        ");
    }
}
