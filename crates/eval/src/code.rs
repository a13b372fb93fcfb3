//! Runs the programs a model wrote.

use sparkjoy_sandbox::{check_program, in_order};

use crate::dataset::Row;
use crate::judge::Sample;
use crate::prompt::Item;
use crate::session::Session;
use crate::{EvalError, TaskKind};

/// Which of the programs pass, by item and sample; nothing if it was told to stop.
///
/// - `texts`: the model's continuations, by item and sample.
///
/// # Errors
///
/// [`EvalError::Sandbox`] if programs cannot be run or a problem cannot be judged. Nothing a
/// program does is an error.
pub(crate) fn samples(
    session: &Session<'_>,
    items: &[&Item],
    texts: Vec<Vec<String>>,
) -> Result<Option<Vec<Vec<Sample>>>, EvalError> {
    let TaskKind::Code(sampling) = &session.task.kind else {
        unreachable!("only tasks of programs are run")
    };
    let sandbox = session.sandbox.expect("programs are only asked for where they can be run");
    let programs: Vec<(&Item, &String)> = items
        .iter()
        .zip(&texts)
        .flat_map(|(item, texts)| texts.iter().map(|t| (*item, t)))
        .collect();
    let run = |&(item, text): &(&Item, &String)| {
        let Row::Code(problem) = &session.rows.rows[item.index].row else {
            unreachable!("a task of programs has problems")
        };
        check_program(sandbox, problem, text, sampling.rule, session.stop)
    };
    let verdicts = in_order(&programs, session.threads, session.stop, run)?;
    let passed: Option<Vec<bool>> =
        verdicts.into_iter().map(|verdict| verdict.map(|verdict| verdict.is_passed())).collect();
    let Some(passed) = passed else { return Ok(None) };
    let mut passed = passed.into_iter();
    let mut sample = |text| Sample { text, passed: passed.next().expect("one verdict a program") };
    let of_item = |texts: Vec<String>| texts.into_iter().map(&mut sample).collect();
    Ok(Some(texts.into_iter().map(of_item).collect()))
}
