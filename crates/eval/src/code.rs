//! Runs the programs a model wrote.

use sparkjoy_sandbox::{check_program, in_order};

use crate::dataset::Row;
use crate::judge::Sample;
use crate::prompt::Item;
use crate::session::Session;
use crate::{EvalError, TaskKind};

/// Programs that were run.
pub(crate) struct Tried {
    /// By item; none of an item whose programs were not all run.
    pub(crate) samples: Vec<Option<Vec<Sample>>>,
    /// Why some were not, unless it was told to stop: programs cannot be run, or a problem cannot
    /// be judged. Nothing a program does is an error.
    pub(crate) error: Option<EvalError>,
}

/// Runs programs, until it is told to stop.
///
/// - `texts`: the model's continuations, by item and sample.
pub(crate) fn samples(session: &Session<'_>, items: &[&Item], texts: Vec<Vec<String>>) -> Tried {
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
    let (verdicts, error) = in_order(&programs, session.threads, session.stop, run);
    let mut verdicts = verdicts.into_iter();
    let mut sample = |text| {
        let verdict = verdicts.next().expect("a place for each program")?;
        let passed = verdict.is_passed();
        Some(Sample { text, passed, failure: (!passed).then_some(verdict) })
    };
    let of_item = |texts: Vec<String>| {
        let samples: Vec<Option<Sample>> = texts.into_iter().map(&mut sample).collect();
        samples.into_iter().collect()
    };
    Tried { samples: texts.into_iter().map(of_item).collect(), error: error.map(EvalError::from) }
}
