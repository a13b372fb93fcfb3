//! Sentences of hand-made findings, on the arms of the invented study.

use sparkjoy_answers::*;
use sparkjoy_kit::invented;

use super::*;

fn effect(mean: f64, low: f64, high: f64) -> Effect {
    let (standard_error, freedom) = ((high - low) / 8.6, 2.0);
    let (replicate_error, item_error) = (standard_error, 0.0);
    Effect { mean, standard_error, replicate_error, item_error, freedom, low, high, p: 0.001 }
}

fn family(of: FamilyKind, comparisons: usize) -> Family {
    Family { of, comparisons }
}

fn tested([mean, low, high]: [f64; 3], verdict: Verdict) -> Tested {
    Tested {
        effect: effect(mean, low, high),
        adjusted_p: if verdict == Verdict::NotSignificant { 0.4 } else { 0.004 },
        family: family(FamilyKind::HeldOut, 4),
        detectable: Some(0.0265),
        verdict,
    }
}

fn on_task(task: &str, measure: Measure, interval: [f64; 3], verdict: Verdict) -> TaskEffect {
    TaskEffect { task: task.to_owned(), measure, tested: tested(interval, verdict) }
}

fn contrast([arm, rival]: [usize; 2], [mean, low, high]: [f64; 3], significant: bool) -> Contrast {
    let p = if significant { 0.0004 } else { 0.43 };
    Contrast {
        arm,
        rival,
        difference: mean,
        effect: Some(effect(mean, low, high)),
        p,
        adjusted_p: p,
        family: family(FamilyKind::Single, 1),
        significant,
    }
}

/// The windows `10%` and `20%`.
fn windows() -> Answer {
    invented::answers().questions.remove(0)
}

/// `upsampled`, `− puzzles` against `upsampled`, `− puzzles` against base.
fn removals() -> Answer {
    invented::answers().questions.remove(1)
}

#[expect(clippy::needless_pass_by_value, reason = "each finding is made where it is said")]
fn says(answer: &Answer, finding: Finding) -> String {
    sentence(answer, &finding)
}

#[test]
fn what_is_missing_is_counted() {
    let answer = windows();
    let one = says(&answer, Finding::Incomplete { missing: 1, of: 2 });
    assert_eq!(one, "1 of 2 comparisons is missing; what follows is about the others.");
    let single = says(&answer, Finding::SingleReplicate);
    assert!(single.ends_with("no difference is significant, and nothing is ranked."), "{single}");
}

#[test]
fn the_largest_gain_comes_with_its_cost_and_what_was_not_tried() {
    let answer = windows();
    let longest = LargestGain {
        arm: 1,
        targeted: tested([-0.101, -0.109, -0.092], Verdict::Better),
        general: Some(tested([0.104, 0.092, 0.116], Verdict::Worse)),
        net: Some(effect(0.021, 0.012, 0.03)),
        at_end: true,
        enough: None,
        lesser: Some(contrast([0, 1], [0.044, 0.039, 0.049], true)),
        next: vec![0.3, 0.4],
    };
    insta::assert_snapshot!(says(&answer, Finding::LargestGain(Box::new(longest.clone()))), @"Largest targeted gain: the last 20%, the longest window tried: 0.1010 bits per byte [0.0920, 0.1090]. On all other sources (general): worse by 0.1040 [0.0920, 0.1160]. On text as the base mixture draws it (net): worse by 0.0210 [0.0120, 0.0300]. `10%` gains significantly less, by 0.0440 bits per byte [0.0390, 0.0490] (p < 0.001, not corrected). To try next: 30% and 40%.");
    let short = in_short(&answer, &Finding::LargestGain(Box::new(longest.clone())));
    insta::assert_snapshot!(short, @"Largest targeted gain: the last 20%, the longest window tried: 0.1010 bits per byte [0.0920, 0.1090]; on all other sources worse by 0.1040 [0.0920, 0.1160]; on text as the base mixture draws it worse by 0.0210 [0.0120, 0.0300].");
    let inside = LargestGain {
        arm: 0,
        general: Some(tested([0.0017, -0.0084, 0.0117], Verdict::NotSignificant)),
        net: None,
        at_end: false,
        enough: Some(contrast([1, 0], [0.004, -0.001, 0.009], false)),
        lesser: None,
        next: vec![0.05],
        ..longest
    };
    insta::assert_snapshot!(says(&answer, Finding::LargestGain(Box::new(inside))), @"Largest targeted gain: the last 10%: 0.1010 bits per byte [0.0920, 0.1090]. On all other sources (general): worse by 0.0017 [−0.0084, 0.0117] (not significant after Holm; an effect of 0.0265 or more would have been detected with 80 % power). `20%` is not significantly below it: worse by 0.0040 bits per byte [−0.0010, 0.0090] (p 0.430, not corrected). To try next: 5%.");
    let family = family(FamilyKind::HeldOut, 4);
    insta::assert_snapshot!(says(&answer, Finding::NoGain { family }), @"No window has a significant targeted gain (after Holm over 4 comparisons).");
}

#[test]
fn a_front_of_all_windows_is_said_so() {
    let answer = windows();
    let one = says(&answer, Finding::Front { arms: vec![0], of: 2 });
    insta::assert_snapshot!(one, @"On the Pareto front of targeted gain and general cost: `10%`. 1 of 2 windows is significantly beaten in both by another one (after Holm).");
    let neighbours = vec![contrast([0, 1], [0.0, 0.0, 0.0], false)];
    let ranking = Finding::Ranking(Ranking { arms: vec![0, 1], neighbours });
    insta::assert_snapshot!(says(&answer, ranking), @"By targeted gain: `10%`, not significantly different from `20%` (neighbours compared, not corrected).");
}

#[test]
fn harm_is_compared_with_the_best_other_removal() {
    let answer = removals();
    let points = |mean: f64| [mean, mean - 0.05, mean + 0.05];
    let facts = on_task("facts", Measure::Accuracy, points(0.177), Verdict::Better);
    let sums = on_task("sums", Measure::GoldBitsPerByte, [0.02, 0.01, 0.03], Verdict::Worse);
    let rival = |significant| TaskContrast {
        task: "facts".to_owned(),
        measure: Measure::Accuracy,
        contrast: Contrast {
            family: family(FamilyKind::Harm, 3),
            ..contrast([1, 1], points(0.113), significant)
        },
    };
    let harm = Harm { arm: 1, better: vec![facts], worse: vec![], rival: Some(rival(true)) };
    insta::assert_snapshot!(says(&answer, Finding::Harmful(harm.clone())), @"Removing `puzzles` significantly improves `facts`: +17.7 points [+12.7, +22.7] (after Holm), more than removing any other source of at least its share (`facts` +11.3 points [+6.3, +16.3] more than without `puzzles`, p < 0.001 after Holm over 3 comparisons).");
    let shared = Harm { rival: Some(rival(false)), ..harm.clone() };
    insta::assert_snapshot!(says(&answer, Finding::Trade(shared)), @"Removing `puzzles` significantly improves `facts`: +17.7 points [+12.7, +22.7] (after Holm), but not significantly more than removing `puzzles`, which frees at least as much: `facts` +11.3 points [+6.3, +16.3] more (p 0.430 after Holm over 3 comparisons). The freed share may explain the gain.");
    let alone = Harm { rival: None, ..harm.clone() };
    insta::assert_snapshot!(says(&answer, Finding::Trade(alone)), @"Removing `puzzles` significantly improves `facts`: +17.7 points [+12.7, +22.7] (after Holm). No other removal frees as much, so the freed share may explain the gain.");
    let trade = Harm { worse: vec![sums], ..harm };
    insta::assert_snapshot!(says(&answer, Finding::Trade(trade)), @"Removing `puzzles` significantly improves `facts`: +17.7 points [+12.7, +22.7] (after Holm), and makes worse: correct answers of `sums` worse by 0.0200 bits per byte [0.0100, 0.0300].");
}

#[test]
fn redundancy_names_the_part_it_was_tested_against() {
    let answer = removals();
    let loss = |n: usize, task: Option<&str>| SharedLoss {
        task: task.map(str::to_owned),
        measure: task.map(|_| Measure::Accuracy),
        all: vec![effect(-0.248, -0.315, -0.181); if task.is_some() { 1 } else { n }],
        alone: vec![effect(0.008, -0.006, 0.022); n],
        less: vec![effect(0.132, 0.1, 0.2); n],
        p: 0.001,
        adjusted_p: 0.002,
        family: family(FamilyKind::Redundancy, 2),
    };
    let both = Redundancy {
        all: 1,
        each: vec![1, 1],
        part: 0.5,
        subsets: false,
        evidence: vec![loss(2, Some("programs")), loss(2, None)],
        no_loss_alone: true,
    };
    insta::assert_snapshot!(says(&answer, Finding::Redundant(both.clone())), @"`puzzles` and `puzzles` stand in for each other: `programs` −24.8 points [−31.5, −18.1] without both, +0.8 points [−0.6, +2.2] without `puzzles` alone, +0.8 points [−0.6, +2.2] without `puzzles` alone; own text of `puzzles` better by 0.2480 bits per byte [0.1810, 0.3150] without both, worse by 0.0080 [−0.0060, 0.0220] without it alone, own text of `puzzles` better by 0.2480 bits per byte [0.1810, 0.3150] without both, worse by 0.0080 [−0.0060, 0.0220] without it alone. Each loss alone is significantly less than half of the loss without both (p 0.002 after Holm over 2 comparisons). Without one alone no other text is significantly worse.");
    let three = Redundancy {
        each: vec![1, 1, 1],
        part: 1.0 / 3.0,
        evidence: vec![loss(3, Some("programs"))],
        no_loss_alone: false,
        ..both
    };
    insta::assert_snapshot!(says(&answer, Finding::Redundant(three)), @"`puzzles`, `puzzles` and `puzzles` stand in for each other: `programs` −24.8 points [−31.5, −18.1] without all three, +0.8 points [−0.6, +2.2] without `puzzles` alone, +0.8 points [−0.6, +2.2] without `puzzles` alone, +0.8 points [−0.6, +2.2] without `puzzles` alone. Each loss alone is significantly less than a third of the loss without all three (p 0.002 after Holm over 2 comparisons). One of them may be of no use at all: no removal of some but not all of them was compared.");
}

#[test]
fn no_measurable_loss_has_its_minimum_detectable_effects() {
    let answer = removals();
    let least = |measure, low, high| Detectable { measure, low, high };
    let finding = NoLoss {
        arms: vec![1],
        tasks: true,
        detectable: vec![
            least(Some(Measure::Accuracy), 0.019, 0.051),
            least(Some(Measure::GoldBitsPerByte), 0.0096, 0.017),
            least(None, 0.0061, 0.0061),
        ],
    };
    insta::assert_snapshot!(says(&answer, Finding::NoLoss(finding)), @"No measurable loss without: `puzzles`. No task and no other text is significantly worse (after Holm). Minimum detectable losses at 80 % power: 1.9 to 5.1 points, 0.0096 to 0.0170 bits per byte on correct answers and 0.0061 bits per byte on other text.");
}

#[test]
fn an_effect_names_text_and_tasks_with_their_verdicts() {
    let answer = removals();
    let effect = ArmEffect {
        arm: 1,
        targeted: Some(tested([0.075, 0.07, 0.08], Verdict::Worse)),
        general: Some(tested([-0.005, -0.01, 0.0], Verdict::NotSignificant)),
        better: vec![],
        worse: vec![on_task("sums", Measure::Accuracy, [-0.196, -0.259, -0.136], Verdict::Worse)],
    };
    insta::assert_snapshot!(says(&answer, Finding::Effect(effect)), @"`− puzzles` (share to the rest of its domain): own text significantly worse by 0.0750 bits per byte [0.0700, 0.0800]; other text better by 0.0050 [0.0000, 0.0100], not significant; significantly worse tasks: `sums` −19.6 points [−25.9, −13.6] (after Holm).");
    let windows = windows();
    let gain = ArmEffect {
        arm: 0,
        targeted: Some(tested([-0.101, -0.109, -0.092], Verdict::Better)),
        general: Some(tested([0.104, 0.092, 0.116], Verdict::Worse)),
        better: vec![],
        worse: vec![],
    };
    insta::assert_snapshot!(says(&windows, Finding::Effect(gain)), @"`10%`: targeted significantly better by 0.1010 bits per byte [0.0920, 0.1090]; general significantly worse by 0.1040 [0.0920, 0.1160] (after Holm).");
}

#[test]
fn tasks_over_windows_say_which_most_and_what_a_shorter_one_lacks() {
    let answer = windows();
    let task = on_task("sums", Measure::Accuracy, [0.349, 0.275, 0.425], Verdict::Better);
    let longer = contrast([1, 0], [0.1, 0.058, 0.146], true);
    let finding =
        TaskOverWindows { arms: vec![0, 1], most: 1, task, shorter: Some(longer.clone()) };
    insta::assert_snapshot!(says(&answer, Finding::TaskOverWindows(finding)), @"`sums` significantly better with `10%`, `20%` (after Holm), most with `20%`: +34.9 points [+27.5, +42.5]. `10%` gains significantly less: the longer one adds +10.0 points [+5.8, +14.6] (p < 0.001, not corrected).");
    let on = |task: &str, contrast: Contrast| TaskContrast {
        task: task.to_owned(),
        measure: Measure::Accuracy,
        contrast,
    };
    let less = contrast([1, 0], [-0.068, -0.104, -0.034], true);
    let trade = LongerWindows {
        shortest: 0,
        longest: 1,
        better: vec![on("sums", longer)],
        worse: vec![on("cloze", less)],
        general: Some(contrast([1, 0], [0.012, 0.01, 0.014], true)),
    };
    insta::assert_snapshot!(says(&answer, Finding::LongerWindows(trade.clone())), @"Longer windows trade tasks: from `10%` to `20%`, significantly better: `sums` +10.0 points [+5.8, +14.6]; significantly worse: `cloze` −6.8 points [−10.4, −3.4], other text worse by 0.0120 bits per byte [0.0100, 0.0140] (tasks after Holm).");
    let gain = LongerWindows { worse: vec![], general: None, ..trade };
    insta::assert_snapshot!(says(&answer, Finding::LongerWindows(gain)), @"Longer windows help: from `10%` to `20%`, significantly better: `sums` +10.0 points [+5.8, +14.6]; nothing is significantly worse (tasks after Holm).");
}

#[test]
fn places_and_what_is_left_of_a_gain_are_compared_with_what_they_follow() {
    let answer = windows();
    let targeted = tested([-0.101, -0.109, -0.092], Verdict::Better);
    let place = |against_last| BestPlace { arm: 0, targeted: targeted.clone(), against_last };
    let earlier = place(tested([-0.02, -0.03, -0.01], Verdict::Better));
    insta::assert_snapshot!(says(&answer, Finding::BestPlace(earlier)), @"The window 10% is significantly better than the last place, by 0.0200 bits per byte [0.0100, 0.0300] (after Holm over 4 comparisons); targeted better by 0.1010 bits per byte [0.0920, 0.1090].");
    let left = Persistence {
        first: 0,
        last: 1,
        begin: targeted.clone(),
        end: tested([-0.05, -0.06, -0.04], Verdict::Better),
        left: 0.495,
        change: Some(contrast([1, 0], [0.051, 0.04, 0.06], true)),
    };
    insta::assert_snapshot!(says(&answer, Finding::Persistence(left)), @"49.5 % of the targeted gain is left 20%: better by 0.0500 bits per byte [0.0400, 0.0600], right after the window better by 0.1010 [0.0920, 0.1090]; the change, worse by 0.0510 bits per byte [0.0400, 0.0600], is significant (p < 0.001, not corrected).");
}

#[test]
fn a_transfer_says_what_was_tested() {
    let setting =
        |label: &str| sparkjoy_study::Setting { label: label.to_owned(), arms: vec![0, 1] };
    let answer = Answer { settings: vec![setting("2 layers"), setting("4 layers")], ..windows() };
    let of = |arms: &[usize], order| {
        let labels = ["10%", "20%", "40%"].map(str::to_owned);
        let labels = arms.iter().map(|&arm| labels[arm].clone()).collect();
        Finding::Transfer(Transfer { setting: 1, arms: arms.to_vec(), labels, order })
    };
    insta::assert_snapshot!(says(&answer, of(&[0], Order::NoRanking)), @"There is no ranking to compare with 4 layers: only 1 arm has a significant effect with 2 layers (after Holm), and an order needs two.");
    insta::assert_snapshot!(says(&answer, of(&[], Order::NoRanking)), @"There is no ranking to compare with 4 layers: no arm has a significant effect with 2 layers (after Holm), and an order needs two.");
    let family = family(FamilyKind::Settings, 2);
    let pair = |outcome| Order::Pair {
        first: Box::new(contrast([0, 1], [-0.02, -0.03, -0.01], true)),
        other: Box::new(contrast([0, 1], [-0.03, -0.04, -0.02], true)),
        adjusted_p: 0.01,
        family,
        outcome,
    };
    insta::assert_snapshot!(says(&answer, of(&[0, 1], pair(Held::Holds))), @"The order of `10%` and `20%` holds with 4 layers: against the second, the first is better by 0.0200 bits per byte [0.0100, 0.0300] with 2 layers, better by 0.0300 bits per byte [0.0200, 0.0400] with 4 layers (p 0.010 after Holm over 2 comparisons).");
    let nothing = says(&answer, of(&[0, 1], pair(Held::NotSignificant)));
    assert!(nothing.starts_with("No significant evidence that the order of `10%` and `20%`"));
    let agreement = Agreement { tau: 1.0 / 3.0, low: -0.33, high: 1.0, p: 0.3 };
    let ranks = |outcome| Order::Ranks {
        agreement,
        changed: vec![[0, 2]],
        adjusted_p: 0.6,
        family,
        outcome,
    };
    let undecided = says(&answer, of(&[0, 1, 2], ranks(Held::NotSignificant)));
    insta::assert_snapshot!(undecided, @"No significant agreement of the ranking of 3 significant arms with 4 layers: Kendall's τ 0.33 [−0.33, 1.00] (p 0.600 after Holm over 2 comparisons), `10%` and `40%` change their order.");
    let held = says(&answer, of(&[0, 1, 2], ranks(Held::Holds)));
    assert!(held.starts_with("The ranking of 3 significant arms holds with 4 layers:"), "{held}");
}

#[test]
fn what_is_not_significant_has_its_minimum_detectable_effect() {
    let answer = removals();
    let general = |arm| ScopeEffect {
        arm,
        scope: What::General,
        tested: tested([0.0017, -0.0084, 0.0117], Verdict::NotSignificant),
    };
    let comparisons = vec![general(0), general(1)];
    insta::assert_snapshot!(says(&answer, Finding::NotSignificant { comparisons }), @"Not significant (after Holm over 4 comparisons), in bits per byte, each with its minimum detectable effect at 80 % power: `upsampled` against base, same 10% window general worse by 0.0017 (0.0265); `− puzzles` general worse by 0.0017 (0.0265).");
    let nulls =
        |measure, detectable| TaskNulls { measure, not_significant: 3, tested: 12, detectable };
    let least = Detectable { measure: Some(Measure::Accuracy), low: 0.02, high: 0.027 };
    let by_measure =
        vec![nulls(Measure::Accuracy, Some(least)), nulls(Measure::GoldBitsPerByte, None)];
    insta::assert_snapshot!(says(&answer, Finding::NotSignificantOnTasks { by_measure }), @"Not significant on tasks (after Holm), with the minimum detectable effects at 80 % power: 3 of 12 accuracies (2.0 to 2.7 points); 3 of 12 bits per byte of correct answers.");
    // What no score can show is not said as a number of points.
    let of_accuracy = |low, high| {
        let least = Detectable { measure: Some(Measure::Accuracy), low, high };
        let by_measure = vec![nulls(Measure::Accuracy, Some(least))];
        says(&answer, Finding::NotSignificantOnTasks { by_measure })
    };
    let partly = of_accuracy(0.198, 1.213);
    assert!(partly.ends_with("(19.8 points to more than a score can change)."), "{partly}");
    let never = of_accuracy(1.1, 1.213);
    assert!(never.ends_with("(more than a score can change)."), "{never}");
}

#[test]
fn unseen_text_is_one_sentence_of_all_arms_by_verdict() {
    let answer = invented::answers_with_unseen().questions.remove(0);
    let effect = |arm, interval, verdict| {
        let family = family(FamilyKind::Unseen, 2);
        let tested = Tested { family, ..tested(interval, verdict) };
        ScopeEffect { arm, scope: What::Unseen, tested }
    };
    let effects = vec![
        effect(0, [0.0017, -0.0084, 0.0117], Verdict::NotSignificant),
        effect(1, [0.02, 0.012, 0.028], Verdict::Worse),
    ];
    let finding = Finding::Unseen { effects };
    assert_eq!(Heading::of(&finding), Heading::Effect);
    insta::assert_snapshot!(says(&answer, finding), @"On unseen text (`laws`, `poems`), after Holm over 2 comparisons: significantly worse: `20%` 0.0200 bits per byte [0.0120, 0.0280]; not significant: `10%` worse by 0.0017 bits per byte [−0.0084, 0.0117] (minimum detectable effect at 80 % power 0.0265).");
    let better =
        Finding::Unseen { effects: vec![effect(0, [-0.02, -0.028, -0.012], Verdict::Better)] };
    assert!(says(&answer, better).contains(": significantly better: `10%` 0.0200 bits per byte"));
    let many = vec![effect(1, [0.0017, -0.0084, 0.0117], Verdict::NotSignificant); 8];
    let many = Finding::Unseen { effects: many };
    assert_eq!(Heading::of(&many), Heading::NotSignificant);
    let said = says(&answer, many);
    assert!(said.ends_with("0.0265), and 2 more."), "{said}");
}

#[test]
fn every_question_has_its_cost_and_a_title() {
    let answer = windows();
    insta::assert_snapshot!(says(&answer, Finding::Cost { times: 4.4 }), @"Alone, this question takes 1.38M tokens and 2.7 × 10¹³ FLOPs of training. Every run in full would take 6.14M tokens and 1.2 × 10¹⁴ FLOPs, 4.4 times as much.");
    assert_eq!(title(&answer), "How long should the last phase on `upsampled` be?");
}

#[test]
fn branches_that_are_not_scored_are_counted_by_kind() {
    let names = |kinds: &[(&str, usize)]| {
        let all = kinds.iter().flat_map(|(kind, n)| (0..*n).map(move |r| format!("{kind}-r{r}")));
        all.collect::<Vec<_>>()
    };
    let texts = [
        not_scored(&names(&[("base-10pct", 1)]), 24, ""),
        not_scored(&names(&[("base-10pct", 3), ("upsampled-refill-10pct", 2)]), 24, " on tasks"),
        not_scored(&names(&[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1), ("f", 2)]), 7, ""),
    ];
    insta::assert_snapshot!(texts.join("\n"), @"
    1 of 24 branches is not scored: `base-10pct-r0`
    5 of 24 branches are not scored on tasks: `base-10pct` (3), `upsampled-refill-10pct` (2)
    7 of 7 branches are not scored: `a` (1), `b` (1), `c` (1), `d` (1), 2 more kinds
    ");
}

#[test]
fn the_sources_behind_the_column_targeted_are_named() {
    let answers = invented::answers();
    let unseen = invented::answers_with_unseen().questions;
    let all = answers.questions.iter().chain(&unseen[..1]);
    let texts: Vec<String> = all.filter_map(columns).collect();
    insta::assert_snapshot!(texts.join("\n"), @"
    targeted: `proofs`, `puzzles`; general: all other sources
    targeted: `proofs`, `puzzles` in `upsampled`; else the source that a row names; general: all other sources
    targeted: `proofs`, `puzzles`; general: all other sources; unseen: `laws`, `poems`, which nothing trains on
    ");
}
