//! What is done is not run again, what was interrupted continues, and nothing shows it.

use std::time::Duration;

use sparkjoy_jobs::{JobError, JobState, job_states, timings};

use crate::tiny::Tiny;

#[test]
fn a_study_interrupted_at_any_step_ends_in_the_same_bytes() {
    let whole = Tiny::new();
    let steps = whole.finish().steps;
    let expected = whole.results();
    assert!(steps > 60, "{steps} steps");

    for (patience, save_every) in
        [(1, Duration::from_hours(1)), (7, Duration::ZERO), (50, Duration::from_hours(1))]
    {
        let tiny = Tiny::new();
        let (mut taken, mut continued) = (0, Vec::new());
        loop {
            let (result, seen) = tiny.run_saving(None, Some(patience), save_every);
            taken += seen.steps;
            continued.extend(seen.continued);
            match result {
                Ok(()) => break,
                Err(JobError::Interrupted) => assert_eq!(seen.steps, patience),
                Err(error) => panic!("{error}"),
            }
        }
        assert!(patience > 32 || continued[0] == patience as u64, "{continued:?}");
        assert_eq!(taken, steps, "no step is lost or taken twice, patience {patience}");
        let found = tiny.results();
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (path, bytes) in &expected {
            assert!(found[path] == *bytes, "`{}` differs, patience {patience}", path.display());
        }
    }
}

#[test]
fn what_is_done_is_not_run_again() {
    let tiny = Tiny::new();
    let first = tiny.finish();
    assert!(first.jobs.iter().all(|(_, done)| !done));
    assert_eq!(first.tokens_left.last(), Some(&0));
    assert!(first.tokens_left.windows(2).all(|pair| pair[0] == pair[1] + 96), "96 tokens a step");
    assert_eq!(first.scored.len(), tiny.plan.branches.len());

    let before = tiny.results();
    let second = tiny.finish();
    assert!(second.jobs.iter().all(|(_, done)| *done));
    assert_eq!((second.steps, second.saved, second.scored.len()), (0, 0, 0));
    assert!(tiny.results() == before);
}

#[test]
fn jobs_run_one_by_one_give_what_one_command_gives() {
    let whole = Tiny::new();
    whole.finish();
    let tiny = Tiny::new();
    let states = || job_states(&tiny.plan, &tiny.runs()).unwrap();
    for (job, state) in states() {
        assert_eq!(state, JobState::Missing, "{job}");
        tiny.run(Some(&job), None).0.unwrap_or_else(|error| panic!("{job}: {error}"));
        let after = states().into_iter().find(|(name, _)| *name == job);
        assert_eq!(after, Some((job, JobState::Done)));
    }
    assert!(tiny.results() == whole.results());
}

#[test]
fn a_job_that_was_stopped_says_where_it_goes_on() {
    let tiny = Tiny::new();
    let (result, seen) = tiny.run(None, Some(5));
    assert!(matches!(result, Err(JobError::Interrupted)));
    assert_eq!((seen.stopped, seen.saved), (vec![("trunk-32".to_owned(), 5)], 0));
    let states = job_states(&tiny.plan, &tiny.runs()).unwrap();
    assert_eq!(states[0], ("trunk-32".to_owned(), JobState::Begun { step: 5 }));
    assert_eq!(timings(&tiny.plan, &tiny.runs())["trunk-32"].steps, 5);
    tiny.finish();
    let times = timings(&tiny.plan, &tiny.runs());
    assert_eq!(times["trunk-32"].steps, 32);
    assert_eq!(times.len(), states.len());
}

#[test]
fn a_new_window_reuses_every_run_the_study_had() {
    let tiny = Tiny::new();
    tiny.finish();
    let branches = tiny.plan.branches.len();
    let longer = crate::tiny::STUDY.replace("[\"10%\", \"20%\"]", "[\"10%\", \"20%\", \"30%\"]");
    let longer = tiny.changed(&longer);
    let seen = longer.finish();
    let (done, fresh): (Vec<_>, Vec<_>) = seen.jobs.into_iter().partition(|(_, done)| *done);
    assert!(done.len() >= 2 * branches);
    assert!(fresh.iter().all(|(job, _)| job.contains("30pct") || job == "trunk-28"), "{fresh:?}");
}
