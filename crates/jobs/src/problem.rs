//! What is wrong in more than one place: with files of results, with tasks, with the order of jobs.

use std::path::Path;

use sparkjoy_base::{Problem, no_seal};

/// What to do once the cause is gone.
pub(crate) const AGAIN: &str = "run the same command again";

/// A job that cannot begin yet. `needs`: the job that must be done before.
pub(crate) fn not_done(job: &str, needs: &str) -> Problem {
    Problem::new(format!("job `{job}` starts from what `{needs}` leaves, which is not done"))
        .with_hint(format!("run job `{needs}` first"))
}

/// A file of ours that cannot be read back.
pub(crate) fn damaged(path: &Path, why: &serde_json::Error) -> Problem {
    Problem::new(format!("`{}` is damaged: {why}", path.display())).with_hint(move_away(path))
}

/// A file of ours that reads back as something that cannot be.
pub(crate) fn flawed(path: &Path, flaw: &str) -> Problem {
    Problem::new(format!("`{}` is damaged: {flaw}", path.display())).with_hint(move_away(path))
}

/// A file of results that answers another question, though its name says otherwise.
pub(crate) fn foreign_results(path: &Path) -> Problem {
    let path_shown = path.display();
    Problem::new(format!(
        "`{path_shown}` holds results of another task, model or setting than its name says"
    ))
    .with_hint(move_away(path))
}

/// What to do about a file that can be made again.
pub(crate) fn move_away(path: &Path) -> String {
    let again = if is_of_eval(path) { "sparkjoy eval MODEL" } else { "sparkjoy run STUDY" };
    format!("move `{}` away: `{again}` makes it anew", path.display())
}

/// A file of results that an earlier version wrote without a seal.
pub(crate) fn unsealed(path: &Path) -> Problem {
    let problem = no_seal(path);
    // No study knows of it.
    if is_of_eval(path) { problem.with_hint(move_away(path)) } else { problem }
}

/// Whether it holds answers that were asked for without a study: those of a run lie in its `tasks`.
fn is_of_eval(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jsonl")
        && path.parent().is_none_or(|folder| !folder.ends_with("tasks"))
}

/// Nobody said where task files lie.
pub(crate) fn no_task_data() -> Problem {
    Problem::new("the study asks for tasks, but the folder of their files is not known").with_hint(
        "name it: `data = \"…\"` in `[evaluation]`, `--eval-data DIR`, or SPARKJOY_EVAL_DATA",
    )
}

/// No task has its file. `data`: the folder.
pub(crate) fn no_task_files(data: &Path) -> Problem {
    Problem::new(format!("no task of the study has its file in `{}`", data.display()))
        .with_hint("name another folder: `--eval-data DIR`; docs/tasks.md says what it should hold")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparkjoy_kit::shown;

    #[test]
    fn what_nobody_can_seal_is_asked_again() {
        let hint = |path: &str| unsealed(Path::new(path)).hint.unwrap();
        assert!(hint("runs/base-77c1d2e0/tasks/piqa-5b77.jsonl").contains("`sparkjoy seal STUDY`"));
        assert_eq!(
            hint("runs/evaluations/mpt-77c1d2e0/piqa-5b77.jsonl"),
            "move `runs/evaluations/mpt-77c1d2e0/piqa-5b77.jsonl` away: `sparkjoy eval MODEL` makes \
             it anew"
        );
    }

    #[test]
    fn files_that_cannot_be_used_are_named_with_what_to_do() {
        let path = Path::new("runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json");
        let why = serde_json::from_str::<u32>("{").unwrap_err();
        let problems = [
            not_done("upsampled-10pct-r1", "trunk-3600"),
            damaged(path, &why),
            foreign_results(path),
            no_task_data(),
            no_task_files(Path::new("eval")),
        ];
        let texts = problems.map(|problem| shown(Err(problem))).join("\n\n");
        insta::assert_snapshot!(texts, @r#"
        job `upsampled-10pct-r1` starts from what `trunk-3600` leaves, which is not done
        hint: run job `trunk-3600` first

        `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` is damaged: invalid type: map, expected u32 at line 1 column 0
        hint: move `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` away: `sparkjoy run STUDY` makes it anew

        `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` holds results of another task, model or setting than its name says
        hint: move `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` away: `sparkjoy run STUDY` makes it anew

        the study asks for tasks, but the folder of their files is not known
        hint: name it: `data = "…"` in `[evaluation]`, `--eval-data DIR`, or SPARKJOY_EVAL_DATA

        no task of the study has its file in `eval`
        hint: name another folder: `--eval-data DIR`; docs/tasks.md says what it should hold
        "#);
    }
}
