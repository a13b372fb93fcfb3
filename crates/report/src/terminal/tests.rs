//! The report on the figures of `answers/invented.rs`, as it is read.

use sparkjoy_answers::{Computed, HeldOutText};
use sparkjoy_kit::invented::{answers, answers_with_unseen, unfinished};
use sparkjoy_kit::known;

use super::*;
use crate::report_csv;

#[test]
fn unseen_text_has_a_column_and_a_line_that_says_what_it_is() {
    let mut answers = answers_with_unseen();
    answers.questions.truncate(1);
    let text = report_text(&answers);
    let part = |from: &str, to: &str| {
        let (from, to) = (text.find(from).unwrap(), text.find(to).unwrap());
        text[from..to].to_owned()
    };
    insta::assert_snapshot!(part("- On unseen", "- Not significant"), @"
    - On unseen text (`laws`, `poems`), after Holm over 2 comparisons: significantly worse: `10%` 0.0217
      bits per byte [0.0165, 0.0268], `20%` 0.0217 bits per byte [0.0165, 0.0268].
    ");
    insta::assert_snapshot!(part("targeted: `", "base, same 20%"), @"
    targeted: `proofs`, `puzzles`; general: all other sources; unseen: `laws`, `poems`, which nothing
      trains on

    control, ± deviation of 3 replicates       all     unseen        law       math        web
                                               bpb        bpb        bpb        bpb        bpb
                                          ↓ better   ↓ better   ↓ better   ↓ better   ↓ better
    base, same 10% window                   0.9100     1.2100     1.2100     0.8600     1.0100
                                           ±0.0100    ±0.0100    ±0.0100    ±0.0100    ±0.0100
    ");
    let table =
        text.split("window, % base → upsampled").skip(1).find(|table| table.contains(" unseen "));
    let rows: Vec<&str> = table.unwrap().lines().skip(3).take(2).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    10% against base, same 10% window             +0.0217*             +0.0217              −0.0733
                                       [+0.0165, +0.0268]   [+0.0165, +0.0268]   [−0.0785, −0.0682]
    ");
    assert!(text.contains("\nunseen: text that nothing trains on"), "{text}");
}

#[test]
fn a_terminal_shows_controls_then_differences_with_their_errors() {
    insta::assert_snapshot!(report_text(&answers()), @"
    invented · plan 29fde71e
    FEW DOCUMENTS: the held-out text of 3 sources is from fewer than 30 documents, so intervals about it
      are wide or unsure (more `held_out` or `holdout` helps): blogs (1), proofs (1), puzzles (1)
    training: 1.54M tokens for the tree, 7.68M for every branch in full: 80.0 % saved
    numbers: held-out bits per byte, lower is better; a domain is the plain mean of its sources, `all`
      the plain mean of all sources
    Δ: branch − control of the same replicate, mean of 3, with its 95 % interval over replicates and
      items; in the columns `targeted` (what a comparison is about) and `general` (all other sources) *
      marks what is significant after Holm's correction and ~ what is not, with a false * in at most 5 %
      of questions; what has no mark is not tested and not ranked; an interval is about other orders of
      these training documents and other items of this kind, on this trunk: other documents or another
      trunk may differ by more

    How long should the last phase on `upsampled` be?

    - Largest targeted gain: the last 10%: 0.0733 bits per byte [0.0682, 0.0785]. On all other sources
      (general): worse by 0.0017 [−0.0084, 0.0117] (not significant after Holm; an effect of 0.0265 or
      more would have been detected with 80 % power). On text as the base mixture draws it (net): better
      by 0.0108 [0.0018, 0.0199]. To try next: 5% and 15%.
    - By targeted gain: `10%`, not significantly different from `20%` (neighbours compared, not
      corrected).
    - Not significant (after Holm over 4 comparisons), in bits per byte, each with its minimum
      detectable effect at 80 % power: `20%` general worse by 0.0017 (0.0265).
    - Alone, this question takes 1.38M tokens and 2.7 × 10¹³ FLOPs of training. Every run in full would
      take 6.14M tokens and 1.2 × 10¹⁴ FLOPs, 4.4 times as much.

    targeted: `proofs`, `puzzles`; general: all other sources

    control, ± deviation of 3 replicates       all       math        web
                                               bpb        bpb        bpb
                                          ↓ better   ↓ better   ↓ better
    base, same 10% window                   0.9100     0.8600     1.0100
                                           ±0.0100    ±0.0100    ±0.0100
    base, same 20% window                   0.9100     0.8600     1.0100
                                           ±0.0100    ±0.0100    ±0.0100

    window, % base → upsampled                        all             targeted              general

                                          Δ bpb, ↓ better      Δ bpb, ↓ better      Δ bpb, ↓ better
    10% against base, same 10% window             −0.0483              −0.0733*             +0.0017~
                                       [−0.0551, −0.0416]   [−0.0785, −0.0682]   [−0.0084, +0.0117]
    20% against base, same 20% window             −0.0483              −0.0733*             +0.0017~
                                       [−0.0551, −0.0416]   [−0.0785, −0.0682]   [−0.0084, +0.0117]

    window, % base → upsampled                       math                  web
                                                  20 → 50              80 → 50
                                          Δ bpb, ↓ better      Δ bpb, ↓ better
    10% against base, same 10% window             −0.0733              +0.0017
                                       [−0.0785, −0.0682]   [−0.0084, +0.0117]
    20% against base, same 20% window             −0.0733              +0.0017
                                       [−0.0785, −0.0682]   [−0.0084, +0.0117]

    What is each source worth in the last phase on `upsampled`?

    - `− puzzles` (share to the rest of its domain): own text significantly worse by 0.0750 bits per
      byte [0.0750, 0.0750]; other text better by 0.0050 [0.0000, 0.0100], not significant (after Holm).
    - Not significant (after Holm over 4 comparisons), in bits per byte, each with its minimum
      detectable effect at 80 % power: `upsampled` against base, same 10% window general worse by 0.0017
      (0.0265); `− puzzles` general better by 0.0050 (0.0131).
    - Alone, this question takes 921.6K tokens and 1.8 × 10¹³ FLOPs of training. Every run in full would
      take 4.61M tokens and 9.0 × 10¹³ FLOPs, 5.0 times as much.

    targeted: `proofs`, `puzzles` in `upsampled`; else the source that a row names; general: all other
      sources

    control, ± deviation of 3 replicates       all       math        web
                                               bpb        bpb        bpb
                                          ↓ better   ↓ better   ↓ better
    base, same 10% window                   0.9100     0.8600     1.0100
                                           ±0.0100    ±0.0100    ±0.0100
    upsampled, same 10% window              0.8617     0.7867     1.0117
                                           ±0.0127    ±0.0120    ±0.0140

    mixture, % base → upsampled                 all             targeted              general

                                    Δ bpb, ↓ better      Δ bpb, ↓ better      Δ bpb, ↓ better
    against base, same 10% window
      upsampled                             −0.0483              −0.0733*             +0.0017~
                                 [−0.0551, −0.0416]   [−0.0785, −0.0682]   [−0.0084, +0.0117]
      − puzzles                             −0.0267              −0.0233              −0.0283
                                 [−0.0303, −0.0231]   [−0.0285, −0.0182]   [−0.0312, −0.0255]
    against upsampled, same 10% window
      − puzzles                             +0.0217              +0.0750*             −0.0050~
                                 [+0.0184, +0.0250]   [+0.0750, +0.0750]    [−0.0100, 0.0000]

    mixture, % base → upsampled                math                  web
                                            20 → 50              80 → 50
                                    Δ bpb, ↓ better      Δ bpb, ↓ better
    against base, same 10% window
      upsampled                             −0.0733              +0.0017
                                 [−0.0785, −0.0682]   [−0.0084, +0.0117]
      − puzzles                             −0.0408              +0.0017
                                 [−0.0460, −0.0357]   [+0.0002, +0.0031]
    against upsampled, same 10% window
      − puzzles                             +0.0325               0.0000
                                 [+0.0325, +0.0325]   [−0.0099, +0.0099]
    ");
}

#[test]
fn what_is_missing_is_said_first() {
    let text = report_text(&unfinished("upsampled-10pct-r1"));
    insta::assert_snapshot!(text.split("\n\n").next().unwrap(), @"
    invented · plan 29fde71e
    INCOMPLETE: 1 of 15 branches is not scored: `upsampled-10pct-r1`; every comparison that needs one of
      them is missing
    FEW DOCUMENTS: the held-out text of 3 sources is from fewer than 30 documents, so intervals about it
      are wide or unsure (more `held_out` or `holdout` helps): blogs (1), proofs (1), puzzles (1)
    training: 1.54M tokens for the tree, 7.68M for every branch in full: 80.0 % saved
    numbers: held-out bits per byte, lower is better; a domain is the plain mean of its sources, `all`
      the plain mean of all sources
    Δ: branch − control of the same replicate, mean of 3, with its 95 % interval over replicates and
      items; in the columns `targeted` (what a comparison is about) and `general` (all other sources) *
      marks what is significant after Holm's correction and ~ what is not, with a false * in at most 5 %
      of questions; what has no mark is not tested and not ranked; an interval is about other orders of
      these training documents and other items of this kind, on this trunk: other documents or another
      trunk may differ by more
    ");
    // Three columns of a control, five of each of three comparisons.
    let (_, text) = text.split_once("training:").unwrap();
    let missing = text.matches("missing ").count() + text.matches("missing\n").count();
    assert_eq!(missing, 3 + 3 * 5, "{text}");
}

#[test]
fn no_line_is_wider_than_a_terminal() {
    for text in [report_text(&answers()), report_text(&unfinished("base-20pct-r2"))] {
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
}

#[test]
fn csv_holds_every_number_of_the_answers() {
    let answers = unfinished("base-20pct-r2");
    let csv = report_csv(&answers);
    let lines: Vec<&str> = csv.lines().collect();
    insta::assert_snapshot!(lines[..10].join("\n"), @r#"
    question,ask,mixture,arm,control,scope,name,measure,statistic,branch_value,control_value,difference,verdict
    1,duration,upsampled,10%,"base, same 10% window",all,,bpb,replicate 0,0.8493333333333334,0.8999999999999999,-0.05066666666666653,
    1,duration,upsampled,10%,"base, same 10% window",all,,bpb,replicate 1,0.8609999999999999,0.91,-0.049000000000000155,
    1,duration,upsampled,10%,"base, same 10% window",all,,bpb,replicate 2,0.8746666666666667,0.92,-0.04533333333333334,
    1,duration,upsampled,10%,"base, same 10% window",all,,bpb,mean,0.8616666666666667,0.91,-0.04833333333333334,not-tested
    1,duration,upsampled,10%,"base, same 10% window",all,,bpb,standard deviation,0.01267981773440682,0.010000000000000064,0.0027284509239574404,
    1,duration,upsampled,10%,"base, same 10% window",all,,bpb,standard error of replicates,0.007320696182235169,0.005773502691896295,0.0015752718754175115,
    1,duration,upsampled,10%,"base, same 10% window",all,,bpb,min,0.8493333333333334,0.8999999999999999,-0.05066666666666653,
    1,duration,upsampled,10%,"base, same 10% window",all,,bpb,max,0.8746666666666667,0.92,-0.04533333333333334,
    1,duration,upsampled,10%,"base, same 10% window",all,,bpb,standard error,,,0.0015752718754175293,
    "#);
    // 3 + 12 lines for each whole comparison, one for each missing one; eight scopes.
    let arms = answers.questions.iter().flat_map(|question| &question.arms);
    let missing = arms.clone().filter(|arm| arm.cells[0].is_none()).count();
    assert_eq!((arms.clone().count(), missing), (5, 1));
    assert_eq!(lines.len(), 1 + 8 * (4 * 15 + 1));
}

#[test]
fn instruction_sets_are_named_where_rounding_is_part_of_a_difference() {
    let of = |kernels: &[&str], branches: &[&str]| Computed {
        kernels: kernels.iter().map(ToString::to_string).collect(),
        branches: branches.iter().map(ToString::to_string).collect(),
    };
    let text = |computed: &[Computed]| {
        let answers = Answers { computed: computed.to_vec(), ..answers() };
        let lines = report_text(&answers);
        let note = lines.lines().skip_while(|line| !line.starts_with("ROUNDING"));
        note.take_while(|line| !line.starts_with("training")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(text(&[]), "");
    assert_eq!(text(&[of(&["avx512"], &["base-10pct-r0", "upsampled-10pct-r0"])]), "");
    let two = [of(&["avx512"], &["base-10pct-r0"]), of(&["avx2"], &["upsampled-10pct-r0"])];
    insta::assert_snapshot!(text(&two), @"
    ROUNDING: several instruction sets or engines computed what is compared, and each rounds
      differently, so a difference may include rounding: avx512 (base-10pct-r0); avx2
      (upsampled-10pct-r0)
    FEW DOCUMENTS: the held-out text of 3 sources is from fewer than 30 documents, so intervals about it
      are wide or unsure (more `held_out` or `holdout` helps): blogs (1), proofs (1), puzzles (1)
    ");
    // Of a branch whose checkpoint was removed nobody knows.
    let gone = [of(&["avx512"], &["base-10pct-r0"]), of(&[], &["upsampled-10pct-r0"])];
    assert_eq!(text(&gone), "");
    let lines = report_text(&Answers { computed: gone.to_vec(), ..answers() });
    let note = lines.lines().skip_while(|line| !line.starts_with("CHECKPOINTS GONE"));
    insta::assert_snapshot!(note.take(3).collect::<Vec<_>>().join("\n"), @"
    CHECKPOINTS GONE: of 1 branch it is not known what computed them, so a difference may include
      rounding, and nothing tells whether their training losses are as they were: upsampled-10pct-r0
    FEW DOCUMENTS: the held-out text of 3 sources is from fewer than 30 documents, so intervals about it
    ");
    // All alike, but not to the bit what one machine would have made of them.
    insta::assert_snapshot!(text(&[of(&["avx512", "avx2"], &["base-10pct-r0"])]), @"
    ROUNDING: several instruction sets or engines computed what is compared, and each rounds
      differently, so a difference may include rounding: avx512 then avx2 (every branch)
    FEW DOCUMENTS: the held-out text of 3 sources is from fewer than 30 documents, so intervals about it
      are wide or unsure (more `held_out` or `holdout` helps): blogs (1), proofs (1), puzzles (1)
    ");
}

#[test]
fn intervals_that_rest_on_few_documents_are_named() {
    let text = |source: &str, documents| HeldOutText {
        source: sparkjoy_base::SourceName::new(source).unwrap(),
        sequences: 200,
        documents,
    };
    let held_out = vec![
        text("laws", Some(30)),
        text("proofs", Some(29)),
        text("tales", Some(1)),
        text("web", None),
    ];
    let lines = report_text(&Answers { held_out, ..answers() });
    let notes = lines.lines().skip_while(|line| !line.starts_with("FEW"));
    let notes: Vec<&str> = notes.take_while(|line| !line.starts_with("training")).collect();
    insta::assert_snapshot!(notes.join("\n"), @"
    FEW DOCUMENTS: the held-out text of 2 sources is from fewer than 30 documents, so intervals about it
      are wide or unsure (more `held_out` or `holdout` helps): proofs (29), tales (1)
    OLD SCORES: an earlier version scored held-out text and did not record its documents; sequences of
      one document are taken for independent, so intervals may be too narrow
    ");
}

#[test]
fn harm_and_redundancy_are_said_before_any_number_and_tasks_are_marked() {
    let answers = known::answers(&known::truth);
    let text = report_text(&answers);
    let (head, _) = text.split_once("training:").unwrap();
    let first: Vec<&str> = head.lines().filter(|line| !line.starts_with("  ")).collect();
    assert_eq!(first.len(), 4, "{head}");
    assert!(
        first[1]
            .starts_with("HARM: Removing `rumours` significantly improves `facts`: +11.9 points"),
        "{head}"
    );
    assert!(first[2].starts_with("REDUNDANT: `code` and `forks` stand in"), "{head}");
    assert!(first[3].starts_with("FEW DOCUMENTS: the held-out text of 6 sources"), "{head}");
    let families = text.lines().skip_while(|line| !line.starts_with("tasks:")).take(3);
    insta::assert_snapshot!(families.collect::<Vec<_>>().join("\n"), @r"
    tasks: marked * and ~ in the same way, in two families of their own: accuracy (categories of several
      tasks in place of these), and bits per byte of the correct answers; there is a false * in at most
      5 % of questions in each family, in at most 15 % in any of the three
    ");
    let (_, duration) = text.split_once("Accuracy on tasks, Δ in percentage points:\n\n").unwrap();
    // It goes on below itself.
    let table = duration.split("Correct answers of tasks").next().unwrap();
    let marks = |task: &str, mark: char| {
        let rows = table.lines().filter(|line| line.starts_with(task));
        rows.map(|row| row.matches(mark).count()).sum::<usize>()
    };
    assert_eq!((marks("cloze", '*'), marks("word-problems", '*'), marks("facts", '~')), (3, 3, 3));
    let csv = report_csv(&answers);
    let mut means = csv.lines().filter(|line| line.contains(",task,cloze,accuracy,mean,"));
    assert!(means.next().is_some_and(|line| line.starts_with("1,") && line.ends_with(",worse")));
}

#[test]
fn a_decision_is_said_with_its_reasons_and_has_a_table() {
    let objective = "[objective]\ntargets = { sums = 1, code = 1 }\nguards = { web = \"3%\" }\n\
                     margin = \"2%\"\n[evaluation]";
    let plan = known::edited(&[("[evaluation]", objective)]);
    let answers = known::of(&plan, &known::traded, "", |_| true);
    let decides =
        |finding: &&Finding| matches!(finding, Finding::Decision(_) | Finding::RemovalDecision(_));
    let said: Vec<String> = answers
        .questions
        .iter()
        .flat_map(|answer| {
            let all = answer.findings.iter().filter(decides);
            all.map(|it| wrap(&format!("- {}", sentences::sentence(answer, it))).join("\n"))
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @"
    - Use the last `20%`: the objective (sums, code) improves by +11.89 % [+11.71, +12.07]; the guard
      holds. Probability of being the best with guards that hold: 99.7 %. To try next: 15% and 30%.
      `40%` is not allowed: the guard of web is broken (loss +3.94 % [+3.56, +4.31], margin 3 %).
    - `sums` is not needed: without it the objective changes by +0.20 % [−0.45, +0.86], less than the
      margin of 2 % in both directions. Its own text, which does not count here: −13.68 % [−14.16,
      −13.20].
    - `decoy` is not needed: without it the objective changes by +0.25 % [−0.15, +0.66], less than the
      margin of 2 % in both directions. Its own text, which does not count here: +0.12 % [−0.45, +0.68].
    - Drop `rumours`: without it the objective changes by +9.29 % [+8.93, +9.64], and all guards hold.
      Its own text, which does not count here: −0.01 % [−0.48, +0.46].
    - Keep `code`: without it the objective changes by −9.05 % [−9.57, −8.53]. Its own text, which does
      not count here: −8.99 % [−9.39, −8.59].
    - `forks` is not needed: without it the objective changes by +0.18 % [−0.19, +0.55], less than the
      margin of 2 % in both directions. Its own text, which does not count here: −0.11 % [−0.42, +0.21].
    - Keep `code` and `forks`: without it the objective changes by −8.95 % [−9.25, −8.65]. Its own text,
      which does not count here: −4.64 % [−5.10, −4.17].
    ");
    let short = answers.questions[0].findings.iter().find(decides);
    let short = short.map(|it| sentences::in_short(&answers.questions[0], it)).unwrap();
    assert!(short.starts_with("Use the last `20%`:"), "{short}");
    assert!(
        short.ends_with(
            "`40%` is not allowed: the guard of web is broken (loss +3.94 % \
                             [+3.56, +4.31], margin 3 %)."
        ),
        "{short}"
    );
    let tables = answers.questions.iter().filter_map(decision_table).map(|table| table.plain());
    insta::assert_snapshot!(tables.collect::<Vec<_>>().join("\n"), @"
    window                             gain, ↑ better  probability          loss, ↓ better  chosen
                                        the objective  of the best                     web
    10%                     +11.26 % [+11.12, +11.40]        0.2 %  +0.84 % [+0.35, +1.32]  less
                                                                                     holds
    20%                     +11.89 % [+11.71, +12.07]       99.7 %  +1.85 % [+1.40, +2.29]  chosen
                                                                                     holds
    40%                     +14.13 % [+13.95, +14.31]        0.1 %  +3.94 % [+3.56, +4.31]  not allowed
                                                                                    broken
    none (trunk's mixture)                                     0 %

    without                 gain, ↑ better          loss, ↓ better  decision
                                                               web
    − sums          +0.20 % [−0.45, +0.86]  −0.04 % [−0.68, +0.60]  not needed
                                                             holds
    − decoy         +0.25 % [−0.15, +0.66]  −0.18 % [−0.40, +0.03]  not needed
                                                             holds
    − rumours       +9.29 % [+8.93, +9.64]  −0.02 % [−0.43, +0.39]  drop
                                                             holds
    − code          −9.05 % [−9.57, −8.53]  −0.03 % [−0.69, +0.63]  keep
                                                             holds
    − forks         +0.18 % [−0.19, +0.55]  +0.03 % [−0.37, +0.42]  not needed
                                                             holds
    − code − forks  −8.95 % [−9.25, −8.65]  +0.11 % [−0.32, +0.54]  keep
                                                             holds
    ");
}
