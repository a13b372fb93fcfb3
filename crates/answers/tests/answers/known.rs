//! What is said about tasks, where the truth is known: each finding where it is true, and none of
//! it where it is nearly true.

use sparkjoy_stats::holm;

use sparkjoy_answers::*;
use sparkjoy_kit::known::{Read, answers, edited, of, plan, truth};
use sparkjoy_study::{Branch, Role};

/// The same, but for one thing asked for.
fn but<'a>(
    task: &'a str,
    level: impl Fn(&dyn Fn(&str) -> bool) -> f64 + 'a,
) -> impl Fn(u64, &Read, &str) -> f64 + 'a {
    move |window, read, what| match read {
        Read::Without(without) if what == task => level(&|name| !without.contains(name)),
        _ => truth(window, read, what),
    }
}

fn said(answer: &Answer, kind: FindingKind) -> Vec<&str> {
    let of = answer.findings.iter().filter(|finding| finding.kind == kind);
    of.map(|finding| finding.text.as_str()).collect()
}

/// What is said of a kind, cost and held-out text aside.
fn on_tasks(answer: &Answer) -> String {
    let is_it = |finding: &&Finding| match finding.kind {
        FindingKind::Cost | FindingKind::Ranking | FindingKind::Recommendation => false,
        _ => !finding.text.contains("in bits per byte, each with"),
    };
    let line = |finding: &Finding| format!("{:?}: {}", finding.kind, finding.text);
    answer.findings.iter().filter(is_it).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn windows_are_told_by_what_each_task_gains_and_pays() {
    let answers = answers(&truth);
    insta::assert_snapshot!(on_tasks(&answers.questions[0]), @r"
    Effect: `cloze` falls with 10%, 20%, 40%; most with 40%, −10.3 points (95 % interval −15.2 to −5.8).
    Effect: `programs` gains with 10%, 20%, 40%; most with 10%, +30.0 points (95 % interval +23.1 to +37.2).
    Effect: `word-problems` gains with 10%, 20%, 40%; most with 40%, +34.9 points (95 % interval +27.5 to +42.5). 20% gains distinguishably less: the longer one adds +10.0 points (95 % interval +5.8 to +14.6).
    Front: Longer windows trade one for another: from 10% to 40% better: `word-problems` +14.9 points (95 % interval +9.6 to +20.6); worse: `cloze` −6.8 points (95 % interval −10.4 to −3.4).
    Front: On the Pareto front of targeted gain against general price: `10%`; every other arm is beaten in both.
    Null: Not distinguishable from nothing on tasks, with the changes that would have been seen in four of five studies: 3 of 12 accuracies (2.0 to 2.7 points); 3 of 12 bits per byte of right answers (0.0098 to 0.0188 bits per byte).
    ");
}

#[test]
fn removals_are_told_by_what_each_task_misses_and_what_it_is_rid_of() {
    let answers = answers(&truth);
    insta::assert_snapshot!(on_tasks(&answers.questions[1]), @r"
    Harmful: `rumours` does harm: without it (its share going to all other sources) the model does better: `facts` +11.9 points (95 % interval +7.2 to +17.2). The room alone does not explain it: without `code` and `forks`, which frees no less, `facts` gains distinguishably less, by +11.3 points (95 % interval +6.7 to +16.6).
    Redundant: `code` and `forks` stand in for each other: `programs` −24.8 points (95 % interval −31.5 to −18.1) without both, +0.8 points (95 % interval −0.6 to +2.2) without `code` alone, 0.0 points (95 % interval −1.4 to +1.5) without `forks` alone; own text of `code` +0.1493 bits per byte (95 % interval +0.1444 to +0.1541) without both, +0.0284 bits per byte (95 % interval +0.0249 to +0.0319) without it alone, own text of `forks` +0.1517 bits per byte (95 % interval +0.1460 to +0.1574) without both, +0.0310 bits per byte (95 % interval +0.0281 to +0.0338) without it alone. Each alone costs distinguishably less than half of what both cost. Without one alone no task and no other text is distinguishably worse.
    Idle: Not seen to be missed, own text aside: `− decoy`: no task and no other text is distinguishably worse. Losses of 1.9 to 5.1 points, of 0.0096 to 0.0170 bits per byte on right answers, of 0.0061 bits per byte on other text would have been seen in four of five studies.
    Effect: `− sums` with its share going to all other sources: its own text is missed, +0.1503 bits per byte (95 % interval +0.1461 to +0.1545); everything else is not distinguishably changed, −0.0001 bits per byte (95 % interval −0.0017 to +0.0016); on tasks, worse: `word-problems` −19.6 points (95 % interval −25.9 to −13.6).
    Effect: `− decoy` with its share going to all other sources: its own text is missed, +0.1489 bits per byte (95 % interval +0.1438 to +0.1541); everything else is not distinguishably changed, −0.0009 bits per byte (95 % interval −0.0031 to +0.0013).
    Effect: `− rumours` with its share going to all other sources: its own text is missed, +0.1501 bits per byte (95 % interval +0.1458 to +0.1543); everything else is not distinguishably changed, −0.0013 bits per byte (95 % interval −0.0025 to −0.0001); on tasks, better: `facts` +11.9 points (95 % interval +7.2 to +17.2).
    Effect: `− code` with its share going to all other sources: its own text is missed, +0.0284 bits per byte (95 % interval +0.0249 to +0.0319); everything else is not distinguishably changed, −0.0001 bits per byte (95 % interval −0.0009 to +0.0008).
    Effect: `− forks` with its share going to all other sources: its own text is missed, +0.0310 bits per byte (95 % interval +0.0281 to +0.0338); everything else is not distinguishably changed, −0.0008 bits per byte (95 % interval −0.0029 to +0.0014).
    Effect: `− code − forks` with its share going to all other sources: its own text is missed, +0.1505 bits per byte (95 % interval +0.1463 to +0.1546); everything else is not distinguishably changed, +0.0002 bits per byte (95 % interval −0.0018 to +0.0022); on tasks, worse: `programs` −24.8 points (95 % interval −31.5 to −18.1).
    Effect: `upsampled` against base, same 20% window on tasks, worse: `cloze` −5.7 points (95 % interval −9.2 to −2.9); better: `programs` +29.9 points (95 % interval +22.9 to +37.1), `word-problems` +24.9 points (95 % interval +18.5 to +31.8).
    Null: Not distinguishable from nothing on tasks, with the changes that would have been seen in four of five studies: 22 of 28 accuracies (1.5 to 5.1 points); 22 of 28 bits per byte of right answers (0.0084 to 0.0202 bits per byte).
    ");
}

#[test]
fn where_one_of_two_is_missed_as_much_as_both_they_do_not_stand_in() {
    let truth = but("programs", |is_in| if is_in("code") { 0.60 } else { 0.35 });
    let removal = &answers(&truth).questions[1];
    // Their texts say so by themselves: about programs nothing is said.
    let [text] = said(removal, FindingKind::Redundant)[..] else { panic!("{removal:?}") };
    assert!(text.contains("own text of `code`") && !text.contains("programs"), "{text}");
}

#[test]
fn where_losses_add_up_they_do_not_stand_in_though_only_both_are_marked() {
    let mut only_both = 0;
    for loss in [0.006, 0.008, 0.010, 0.012, 0.014] {
        let lost = |is_in: &dyn Fn(&str) -> bool| {
            loss * f64::from(u8::from(!is_in("code")) + u8::from(!is_in("forks")))
        };
        let truth = but("programs", |is_in| 0.60 - lost(is_in));
        let removal = &answers(&truth).questions[1];
        let marked = |label: &str| {
            let arm = removal.arms.iter().position(|arm| arm.label == label).unwrap();
            let programs = removal.tasks.iter().filter(|task| task.task == "programs");
            let mut cells = programs.filter_map(|task| task.cells[arm].as_ref());
            cells.any(|cell| cell.verdict == Verdict::Worse)
        };
        only_both +=
            usize::from(marked("− code − forks") && !marked("− code") && !marked("− forks"));
        let said = said(removal, FindingKind::Redundant).join("\n");
        assert!(!said.contains("programs"), "{loss}: {said}");
    }
    assert!(only_both > 0, "marks alone tell losses that add up from twins");
}

#[test]
fn a_text_that_another_source_teaches_a_little_of_is_no_twin() {
    let truth =
        |window: u64, read: &Read, what: &str| match read {
            Read::Without(without)
                if ["code", "forks"].contains(&what) && without.contains(what) =>
            {
                if without.len() == 2 { 0.95 } else { 0.90 }
            }
            Read::Without(_) if what == "programs" => 0.60,
            _ => truth(window, read, what),
        };
    let removal = &answers(&truth).questions[1];
    assert_eq!(said(removal, FindingKind::Redundant), Vec::<&str>::new());
}

#[test]
fn what_helps_no_more_than_can_be_told_is_no_harm() {
    let truth = but("facts", |is_in| if is_in("rumours") { 0.300 } else { 0.304 });
    let removal = &answers(&truth).questions[1];
    assert_eq!(said(removal, FindingKind::Harmful), Vec::<&str>::new());
    // It is one of those nothing else misses.
    let [idle] = said(removal, FindingKind::Idle)[..] else { panic!("{removal:?}") };
    assert!(idle.contains("`− decoy`, `− rumours`: no task"), "{idle}");
}

#[test]
fn what_any_removal_does_as_well_is_room_and_not_harm() {
    // Without the decoy facts gain nearly as much.
    let truth = but("facts", |is_in| match (is_in("rumours"), is_in("decoy")) {
        (true, true) => 0.30,
        (true, false) => 0.417,
        _ => 0.42,
    });
    let removal = &answers(&truth).questions[1];
    let harm = said(removal, FindingKind::Trade);
    assert_eq!(harm.len(), 2);
    for text in harm {
        assert!(text.contains("is better left out") && text.contains("gains no less"), "{text}");
        assert!(!text.contains("does harm"), "{text}");
    }
}

#[test]
fn what_another_task_misses_is_no_harm() {
    // Without the rumours facts gain, and programs are lost.
    let truth = |window: u64, read: &Read, what: &str| match read {
        Read::Without(without) if without.contains("rumours") && what == "programs" => 0.10,
        _ => truth(window, read, what),
    };
    let removal = &answers(&truth).questions[1];
    assert_eq!(said(removal, FindingKind::Harmful), Vec::<&str>::new());
    let [trade] = said(removal, FindingKind::Trade)[..] else { panic!("{removal:?}") };
    assert!(trade.contains("one thing for another") && trade.contains("worse: "), "{trade}");
}

#[test]
fn without_another_removal_as_large_harm_is_not_told_from_room() {
    let (from, to) = (
        "remove = [\"sums\", \"decoy\", \"rumours\", \"code\", \"forks\", [\"code\", \"forks\"]]",
        "remove = [\"sums\", \"rumours\"]",
    );
    let answers = of(&edited(&[(from, to)]), &truth, "", |_| true);
    let [_] = said(&answers.questions[1], FindingKind::Harmful)[..] else { panic!("one") };
    // Sums free as much, and no fact misses them.
    assert!(said(&answers.questions[1], FindingKind::Harmful)[0].contains("without `sums`"));
    let alone = of(&edited(&[(from, "remove = [\"rumours\"]")]), &truth, "", |_| true);
    let [harm] = said(&alone.questions[1], FindingKind::Trade)[..] else { panic!("one") };
    assert!(harm.ends_with("is not told: no other removal frees as much."), "{harm}");
}

#[test]
fn where_nothing_is_missed_nothing_is_called_spare() {
    let truth = |_: u64, read: &Read, what: &str| match read {
        Read::Without(without) if without.contains(what) => 0.95,
        _ => 0.50,
    };
    let answers = answers(&truth);
    for kind in
        [FindingKind::Harmful, FindingKind::Trade, FindingKind::Redundant, FindingKind::Idle]
    {
        assert_eq!(said(&answers.questions[1], kind), Vec::<&str>::new(), "{kind:?}");
    }
}

/// p of the cells of a family, before and after correction, with their verdicts.
fn family(answer: &Answer, measure: Measure) -> Vec<(f64, f64, Verdict)> {
    let tasks = answer.tasks.iter().filter(|task| task.measure == measure);
    let cells = tasks.flat_map(|task| task.cells.iter().zip(&answer.arms));
    let tested = cells.filter(|(_, arm)| arm.role != Role::AgainstBase);
    let p = |cell: &Comparison| Some((cell.effect.as_ref()?.p, cell.adjusted_p?, cell.verdict));
    tested.filter_map(|(cell, _)| p(cell.as_ref()?)).collect()
}

#[test]
fn right_answers_and_their_bits_are_families_of_their_own() {
    let answers = answers(&truth);
    let removal = &answers.questions[1];
    for measure in [Measure::Accuracy, Measure::GoldBitsPerByte] {
        let family = family(removal, measure);
        // The whole mixture and six removals on four tasks; a removal against the base is a sum.
        assert_eq!(family.len(), 7 * 4, "{measure:?}");
        let p: Vec<f64> = family.iter().map(|(p, ..)| *p).collect();
        for (expected, (_, adjusted, verdict)) in holm(&p).into_iter().zip(&family) {
            assert!((adjusted - expected).abs() < 1e-15);
            assert_eq!(*verdict == Verdict::NotSignificant, expected > 0.05);
        }
    }
    // More right answers are better, more bits are worse.
    let whole = removal.arms.iter().position(|arm| arm.role == Role::Whole).unwrap();
    for task in removal.tasks.iter().filter(|task| task.task == "word-problems") {
        let cell = task.cells[whole].as_ref().unwrap();
        assert_eq!(cell.verdict, Verdict::Better, "{:?}", task.measure);
        assert_eq!(cell.difference.mean < 0.0, task.measure == Measure::GoldBitsPerByte);
    }
    // Held-out text is corrected as if there were no task.
    let effects = |arm: &ArmAnswer| {
        let cells = arm.cells[1..3]
            .iter()
            .flatten()
            .map(|cell| (cell.effect.as_ref().unwrap().p, cell.adjusted_p));
        cells.collect::<Vec<_>>()
    };
    let tested = removal.arms.iter().filter(|arm| arm.role != Role::AgainstBase);
    let text: Vec<(f64, Option<f64>)> = tested.flat_map(effects).collect();
    let p: Vec<f64> = text.iter().map(|(p, _)| *p).collect();
    let adjusted: Vec<Option<f64>> = holm(&p).into_iter().map(Some).collect();
    assert_eq!(text.iter().map(|(_, p)| *p).collect::<Vec<_>>(), adjusted);
}

#[test]
fn a_mark_on_a_task_is_never_taken_back_by_a_branch_that_was_missing() {
    let plan = plan();
    let whole = of(&plan, &truth, "", |_| true);
    let is_scored = |branch: &Branch| branch.replicate != 3 || !branch.name.contains("decoy");
    let part = of(&plan, &truth, "", is_scored);
    assert_eq!(part.missing.len(), 1, "{:?}", part.missing);
    let cells = |answers: &Answers| -> Vec<Option<Verdict>> {
        let tasks = answers.questions.iter().flat_map(|answer| &answer.tasks);
        let cells = tasks.flat_map(|task| &task.cells);
        cells.map(|cell| cell.as_ref().map(|cell| cell.verdict)).collect()
    };
    let (part, whole) = (cells(&part), cells(&whole));
    let marked = |verdict: &Verdict| matches!(verdict, Verdict::Better | Verdict::Worse);
    let kept = part.iter().zip(&whole).filter(|(part, _)| part.as_ref().is_some_and(marked));
    assert!(kept.clone().count() > 20 && kept.clone().all(|(part, whole)| part == whole));
}

#[test]
fn a_task_that_no_model_solves_shows_nothing_and_could_have_shown_nobody_knows_what() {
    let truth = |window: u64, read: &Read, what: &str| match what {
        "programs" => -1.0,
        _ => truth(window, read, what),
    };
    let removal = &answers(&truth).questions[1];
    let programs = removal.tasks.iter().find(|task| task.task == "programs").unwrap();
    assert_eq!(programs.measure, Measure::Accuracy);
    for cell in programs.cells.iter().flatten().filter(|cell| cell.adjusted_p.is_some()) {
        assert_eq!((cell.verdict, cell.detectable), (Verdict::NotSignificant, None));
    }
}

#[test]
fn one_replicate_marks_no_task() {
    let plan = edited(&[("replicates = 5", "replicates = 1")]);
    let answers = of(&plan, &truth, "", |_| true);
    let cells = answers.questions.iter().flat_map(|answer| &answer.tasks);
    let mut cells = cells.flat_map(|task| task.cells.iter().flatten());
    assert!(cells.all(|cell| cell.verdict == Verdict::NotSignificant));
}

#[test]
fn where_nothing_differs_few_studies_mark_a_task_or_find_anything() {
    // Two removals and both together, whose losses on programs add up; all else is the same.
    let plan = edited(&[
        ("replicates = 5", "replicates = 3"),
        (
            "[[questions]]\nask = \"duration\"\nmixture = \"upsampled\"\nwindows = [\"10%\", \"20%\", \"40%\"]\n",
            "",
        ),
        (
            "[\"sums\", \"decoy\", \"rumours\", \"code\", \"forks\", [\"code\", \"forks\"]]",
            "[\"code\", \"forks\", [\"code\", \"forks\"]]",
        ),
    ]);
    let truth = |_: u64, read: &Read, what: &str| match read {
        Read::Without(without) if what == "programs" => 0.60 - 0.02 * without.len() as f64,
        _ => 0.50,
    };
    let studies = 100;
    let mut wrong = [0; 4];
    for study in 0..studies {
        let answers = of(&plan, &truth, &study.to_string(), |_| true);
        let removal = &answers.questions[0];
        let marked = |measure: Measure| {
            let tasks = removal
                .tasks
                .iter()
                .filter(|task| task.measure == measure && task.task != "programs");
            let mut cells = tasks.flat_map(|task| task.cells.iter().flatten());
            cells.any(|cell| matches!(cell.verdict, Verdict::Better | Verdict::Worse))
        };
        let found = [
            marked(Measure::Accuracy),
            marked(Measure::GoldBitsPerByte),
            !said(removal, FindingKind::Redundant).is_empty(),
            [FindingKind::Harmful, FindingKind::Trade]
                .iter()
                .any(|kind| !said(removal, *kind).is_empty()),
        ];
        for (wrong, found) in wrong.iter_mut().zip(found) {
            *wrong += usize::from(found);
        }
    }
    // 5 % and two standard errors of 100 studies.
    assert!(wrong.iter().all(|&wrong| wrong <= 9), "{wrong:?} of {studies}");
}
