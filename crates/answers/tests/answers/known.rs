//! Findings where the truth is known: each where it is true, and none where it is nearly true.
#![expect(clippy::float_cmp, reason = "what is compared is one number, copied")]

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

fn arm(answer: &Answer, label: &str) -> usize {
    let is_it = |arm: &ArmAnswer| arm.label == label && arm.role == Role::Answer;
    answer.arms.iter().position(is_it).unwrap_or_else(|| panic!("no arm {label}"))
}

fn labels<'a>(answer: &'a Answer, arms: &[usize]) -> Vec<&'a str> {
    arms.iter().map(|&arm| answer.arms[arm].label.as_str()).collect()
}

fn redundant(answer: &Answer) -> Vec<&Redundancy> {
    let of = answer.findings.iter().filter_map(|finding| match finding {
        Finding::Redundant(redundancy) => Some(redundancy),
        _ => None,
    });
    of.collect()
}

/// Tasks that show redundancy.
fn redundant_on(answer: &Answer) -> Vec<&str> {
    let evidence = redundant(answer).into_iter().flat_map(|finding| &finding.evidence);
    evidence.filter_map(|loss| loss.task.as_deref()).collect()
}

fn harmful(answer: &Answer) -> Vec<&Harm> {
    let of = answer.findings.iter().filter_map(|finding| match finding {
        Finding::Harmful(harm) => Some(harm),
        _ => None,
    });
    of.collect()
}

fn trades(answer: &Answer) -> Vec<&Harm> {
    let of = answer.findings.iter().filter_map(|finding| match finding {
        Finding::Trade(harm) => Some(harm),
        _ => None,
    });
    of.collect()
}

fn without_loss(answer: &Answer) -> Vec<&NoLoss> {
    let of = answer.findings.iter().filter_map(|finding| match finding {
        Finding::NoLoss(finding) => Some(finding),
        _ => None,
    });
    of.collect()
}

/// Mean and interval in points, to a tenth.
fn points(effect: &Effect) -> [f64; 3] {
    [effect.mean, effect.low, effect.high].map(|share| (1000.0 * share).round() / 10.0)
}

/// The same in bits per byte, to four places.
fn bits(effect: &Effect) -> [f64; 3] {
    [effect.mean, effect.low, effect.high].map(|bits| (10_000.0 * bits).round() / 10_000.0)
}

/// As precise as it is shown: a tenth of a point, four places of bits per byte.
fn shown(measure: Option<Measure>, value: f64) -> f64 {
    let places = if measure == Some(Measure::Accuracy) { 1000.0 } else { 10_000.0 };
    (places * value).round() / places
}

fn on_tasks(tasks: &[TaskEffect]) -> Vec<(&str, [f64; 3])> {
    tasks.iter().map(|task| (task.task.as_str(), points(&task.tested.effect))).collect()
}

#[test]
fn windows_are_compared_on_each_task_they_raise_or_lower() {
    let answers = answers(&truth);
    let answer = &answers.questions[0];
    let all = ["10%", "20%", "40%"];
    let found = answer.findings.iter().filter_map(|finding| match finding {
        Finding::TaskOverWindows(finding) => Some(finding),
        _ => None,
    });
    let found: Vec<&TaskOverWindows> = found.collect();
    let of = |finding: &TaskOverWindows| {
        assert_eq!(labels(answer, &finding.arms), all);
        let family = finding.task.tested.family;
        // Three windows on four tasks.
        assert_eq!((family.of, family.comparisons), (FamilyKind::Accuracy, 12));
        assert!(finding.task.tested.adjusted_p <= 0.05);
        let most = answer.arms[finding.most].label.as_str();
        let TaskEffect { task, tested, .. } = &finding.task;
        (task.clone(), tested.verdict, most, points(&tested.effect))
    };
    let expected = [
        ("cloze".to_owned(), Verdict::Worse, "40%", [-10.3, -15.2, -5.8]),
        ("programs".to_owned(), Verdict::Better, "10%", [30.0, 23.1, 37.2]),
        ("word-problems".to_owned(), Verdict::Better, "40%", [34.9, 27.5, 42.5]),
    ];
    assert_eq!(found.iter().map(|finding| of(finding)).collect::<Vec<_>>(), expected);
    assert!(found[0].shorter.is_none() && found[1].shorter.is_none());
    let shorter = found[2].shorter.as_ref().unwrap();
    assert_eq!(labels(answer, &[shorter.arm, shorter.rival]), ["40%", "20%"]);
    assert_eq!(points(shorter.effect.as_ref().unwrap()), [10.0, 5.8, 14.6]);
    assert!(shorter.significant && shorter.family.of == FamilyKind::Single);
}

#[test]
fn longer_windows_trade_one_task_for_another() {
    let answers = answers(&truth);
    let answer = &answers.questions[0];
    let trade = answer.findings.iter().find_map(|finding| match finding {
        Finding::LongerWindows(finding) => Some(finding),
        _ => None,
    });
    let trade = trade.unwrap();
    assert_eq!(labels(answer, &[trade.shortest, trade.longest]), ["10%", "40%"]);
    let of = |tasks: &[TaskContrast]| -> Vec<(String, [f64; 3], usize)> {
        let of = |on: &TaskContrast| {
            let Contrast { effect, family, significant, .. } = &on.contrast;
            assert!(significant);
            (on.task.clone(), points(effect.as_ref().unwrap()), family.comparisons)
        };
        tasks.iter().map(of).collect()
    };
    assert_eq!(of(&trade.better), [("word-problems".to_owned(), [14.9, 9.6, 20.6], 4)]);
    assert_eq!(of(&trade.worse), [("cloze".to_owned(), [-6.8, -10.4, -3.4], 4)]);
    // 10 % gains most and costs least, but not significantly more than each other one in both.
    assert_eq!(answer.front, [0, 1, 2]);
    assert!(!answer.findings.iter().any(|finding| matches!(finding, Finding::Front { .. })));
}

/// Measure, comparisons without a difference, tested ones, and minimum detectable effects.
fn nulls(answer: &Answer) -> Vec<(Measure, usize, usize, [f64; 2])> {
    let nulls = answer.findings.iter().find_map(|finding| match finding {
        Finding::NotSignificantOnTasks { by_measure } => Some(by_measure),
        _ => None,
    });
    let of = |nulls: &TaskNulls| {
        let Detectable { low, high, .. } = nulls.detectable.clone().unwrap();
        let range = [low, high].map(|least| shown(Some(nulls.measure), least));
        (nulls.measure, nulls.not_significant, nulls.tested, range)
    };
    nulls.unwrap().iter().map(of).collect()
}

#[test]
fn what_is_not_significant_is_counted_with_what_would_have_been_detected() {
    let answers = answers(&truth);
    let [accuracy, gold] = nulls(&answers.questions[0]).try_into().unwrap();
    assert_eq!(accuracy, (Measure::Accuracy, 3, 12, [0.020, 0.027]));
    assert_eq!(gold, (Measure::GoldBitsPerByte, 3, 12, [0.0098, 0.0188]));
    let [accuracy, gold] = nulls(&answers.questions[1]).try_into().unwrap();
    assert_eq!(accuracy, (Measure::Accuracy, 22, 28, [0.015, 0.051]));
    assert_eq!(gold, (Measure::GoldBitsPerByte, 22, 28, [0.0084, 0.0202]));
}

#[test]
fn a_source_that_teaches_false_facts_is_harmful() {
    let answers = answers(&truth);
    let removal = &answers.questions[1];
    let [harm] = harmful(removal)[..] else { panic!("{removal:?}") };
    assert_eq!(harm.arm, arm(removal, "− rumours"));
    assert_eq!(on_tasks(&harm.better), [("facts", [11.9, 7.2, 17.2])]);
    assert!(harm.worse.is_empty());
    let rival = harm.rival.as_ref().unwrap();
    assert_eq!(rival.contrast.rival, arm(removal, "− code − forks"));
    assert_eq!(points(rival.contrast.effect.as_ref().unwrap()), [11.3, 6.7, 16.6]);
    assert_eq!((rival.task.as_str(), rival.contrast.family.of), ("facts", FamilyKind::Harm));
    assert!(rival.contrast.significant && trades(removal).is_empty());
}

#[test]
fn two_sources_that_teach_the_same_are_redundant() {
    let answers = answers(&truth);
    let removal = &answers.questions[1];
    let [found] = redundant(removal)[..] else { panic!("{removal:?}") };
    assert_eq!(found.all, arm(removal, "− code − forks"));
    assert_eq!(labels(removal, &found.each), ["− code", "− forks"]);
    assert!(found.no_loss_alone && !found.subsets && found.part == 0.5);
    let [programs, own] = &found.evidence[..] else { panic!("{found:?}") };
    assert_eq!(programs.task.as_deref(), Some("programs"));
    let all = |of: &dyn Fn(&Effect) -> [f64; 3], effects: &[Effect]| -> Vec<[f64; 3]> {
        effects.iter().map(of).collect()
    };
    assert_eq!(all(&points, &programs.all), [[-24.8, -31.5, -18.1]]);
    assert_eq!(all(&points, &programs.alone), [[0.8, -0.6, 2.2], [0.0, -1.4, 1.5]]);
    assert_eq!(all(&bits, &own.all), [[0.1493, 0.1444, 0.1541], [0.1517, 0.1460, 0.1574]]);
    assert_eq!(all(&bits, &own.alone), [[0.0284, 0.0249, 0.0319], [0.0310, 0.0281, 0.0338]]);
    for loss in [programs, own] {
        assert_eq!(loss.p, loss.less[0].p.max(loss.less[1].p), "all parts must pass");
        assert_eq!((loss.family.of, loss.family.comparisons), (FamilyKind::Redundancy, 2));
        assert!(loss.adjusted_p <= 0.05);
    }
}

#[test]
fn a_source_that_teaches_nothing_has_no_measurable_loss() {
    let answers = answers(&truth);
    let removal = &answers.questions[1];
    let [found] = without_loss(removal)[..] else { panic!("{removal:?}") };
    assert_eq!(labels(removal, &found.arms), ["− decoy"]);
    let ranges = found.detectable.iter().map(|least| {
        (least.measure, [least.low, least.high].map(|value| shown(least.measure, value)))
    });
    let expected = [
        (Some(Measure::Accuracy), [0.019, 0.051]),
        (Some(Measure::GoldBitsPerByte), [0.0096, 0.0170]),
        (None, [0.0061, 0.0061]),
    ];
    assert_eq!(ranges.collect::<Vec<_>>(), expected);
}

#[test]
fn each_removal_has_its_effect_on_its_own_text_on_other_text_and_on_tasks() {
    let answers = answers(&truth);
    let removal = &answers.questions[1];
    let effects = removal.findings.iter().filter_map(|finding| match finding {
        Finding::Effect(effect) => Some(effect),
        _ => None,
    });
    let of = |effect: &ArmEffect| {
        let mean = |tested: &Option<Tested>| Some(bits(&tested.as_ref()?.effect)[0]);
        let names = |tasks: &[TaskEffect]| -> Vec<String> {
            tasks.iter().map(|task| task.task.clone()).collect()
        };
        (
            removal.arms[effect.arm].label.as_str(),
            mean(&effect.targeted),
            mean(&effect.general),
            [names(&effect.worse).join(" "), names(&effect.better).join(" ")],
        )
    };
    let tasks = |worse: &str, better: &str| [worse.to_owned(), better.to_owned()];
    let expected = [
        ("− sums", Some(0.1503), Some(-0.0001), tasks("word-problems", "")),
        ("− decoy", Some(0.1489), Some(-0.0009), tasks("", "")),
        ("− rumours", Some(0.1501), Some(-0.0013), tasks("", "facts")),
        ("− code", Some(0.0284), Some(-0.0001), tasks("", "")),
        ("− forks", Some(0.0310), Some(-0.0008), tasks("", "")),
        ("− code − forks", Some(0.1505), Some(0.0002), tasks("programs", "")),
        ("upsampled", None, None, tasks("cloze", "programs word-problems")),
    ];
    assert_eq!(effects.map(of).collect::<Vec<_>>(), expected);
}

#[test]
fn where_one_of_two_costs_as_much_as_both_they_do_not_stand_in() {
    let truth = but("programs", |is_in| if is_in("code") { 0.60 } else { 0.35 });
    let removal = &answers(&truth).questions[1];
    // Their own texts show it; programs do not.
    let [found] = redundant(removal)[..] else { panic!("{removal:?}") };
    let [own] = &found.evidence[..] else { panic!("{found:?}") };
    assert_eq!((own.task.as_ref(), own.all.len()), (None, 2));
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
        assert!(!redundant_on(removal).contains(&"programs"), "{loss}");
    }
    assert!(only_both > 0, "verdicts alone tell losses that add up from redundancy");
}

#[test]
fn partial_overlap_is_no_redundancy() {
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
    assert_eq!(redundant(removal), Vec::<&Redundancy>::new());
}

#[test]
fn a_gain_that_is_not_significant_is_no_harm() {
    let truth = but("facts", |is_in| if is_in("rumours") { 0.300 } else { 0.304 });
    let removal = &answers(&truth).questions[1];
    assert_eq!(harmful(removal), Vec::<&Harm>::new());
    // It is one of those without a measurable loss.
    let [found] = without_loss(removal)[..] else { panic!("{removal:?}") };
    assert_eq!(labels(removal, &found.arms), ["− decoy", "− rumours"]);
}

#[test]
fn a_gain_that_another_removal_has_too_is_freed_share_and_not_harm() {
    // Without the decoy facts gain nearly as much.
    let truth = but("facts", |is_in| match (is_in("rumours"), is_in("decoy")) {
        (true, true) => 0.30,
        (true, false) => 0.417,
        _ => 0.42,
    });
    let removal = &answers(&truth).questions[1];
    assert_eq!(harmful(removal), Vec::<&Harm>::new());
    let trades = trades(removal);
    let arms: Vec<usize> = trades.iter().map(|trade| trade.arm).collect();
    assert_eq!(labels(removal, &arms), ["− decoy", "− rumours"]);
    for trade in trades {
        let rival = trade.rival.as_ref().unwrap();
        assert!(!rival.contrast.significant && trade.worse.is_empty(), "{trade:?}");
    }
}

#[test]
fn a_source_that_another_task_needs_is_no_harm() {
    // Without the rumours facts gain, and programs are lost.
    let truth = |window: u64, read: &Read, what: &str| match read {
        Read::Without(without) if without.contains("rumours") && what == "programs" => 0.10,
        _ => truth(window, read, what),
    };
    let removal = &answers(&truth).questions[1];
    assert_eq!(harmful(removal), Vec::<&Harm>::new());
    let [trade] = trades(removal)[..] else { panic!("{removal:?}") };
    let tasks = |tasks: &[TaskEffect]| tasks.iter().map(|t| t.task.clone()).collect::<Vec<_>>();
    assert_eq!(
        (tasks(&trade.better), tasks(&trade.worse)),
        (vec!["facts".into()], vec!["programs".into()])
    );
}

#[test]
fn without_another_removal_as_large_harm_is_not_told_from_the_freed_share() {
    let (from, to) = (
        "remove = [\"sums\", \"decoy\", \"rumours\", \"code\", \"forks\", [\"code\", \"forks\"]]",
        "remove = [\"sums\", \"rumours\"]",
    );
    let answers = of(&edited(&[(from, to)]), &truth, "", |_| true);
    let removal = &answers.questions[1];
    let [harm] = harmful(removal)[..] else { panic!("one") };
    // Sums free as much, and no fact needs them.
    assert_eq!(harm.rival.as_ref().unwrap().contrast.rival, arm(removal, "− sums"));
    let alone = of(&edited(&[(from, "remove = [\"rumours\"]")]), &truth, "", |_| true);
    assert_eq!(harmful(&alone.questions[1]), Vec::<&Harm>::new());
    let [trade] = trades(&alone.questions[1])[..] else { panic!("one") };
    assert!(trade.rival.is_none() && trade.worse.is_empty());
}

#[test]
fn where_no_loss_is_significant_nothing_is_called_redundant() {
    let truth = |_: u64, read: &Read, what: &str| match read {
        Read::Without(without) if without.contains(what) => 0.95,
        _ => 0.50,
    };
    let answers = answers(&truth);
    let removal = &answers.questions[1];
    assert!(harmful(removal).is_empty() && trades(removal).is_empty(), "{removal:?}");
    assert!(redundant(removal).is_empty() && without_loss(removal).is_empty(), "{removal:?}");
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
fn correct_answers_and_their_bits_are_families_of_their_own() {
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
    // More correct answers are better, more bits are worse.
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
fn a_task_that_no_model_solves_shows_nothing_and_its_detectable_effect_is_unknown() {
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
            !redundant(removal).is_empty(),
            !(harmful(removal).is_empty() && trades(removal).is_empty()),
        ];
        for (wrong, found) in wrong.iter_mut().zip(found) {
            *wrong += usize::from(found);
        }
    }
    // 5 % and two standard errors of 100 studies.
    assert!(wrong.iter().all(|&wrong| wrong <= 9), "{wrong:?} of {studies}");
}
