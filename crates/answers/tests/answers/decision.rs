//! Decisions under an objective, where the truth is known.

use sparkjoy_answers::{Answers, Decision, Fate, Finding, GuardState, RemovalDecision};
use sparkjoy_kit::known;
use sparkjoy_study::Plan;

fn plan(objective: &str) -> Plan {
    known::edited(&[("[evaluation]", &format!("[objective]\n{objective}\n[evaluation]"))])
}

fn decision(answers: &Answers) -> &Decision {
    let all = answers.questions[0].findings.iter().find_map(|finding| match finding {
        Finding::Decision(decision) => Some(&**decision),
        _ => None,
    });
    all.expect("the first question is decided")
}

fn removal<'a>(answers: &'a Answers, label: &str) -> Option<&'a RemovalDecision> {
    let question = &answers.questions[1];
    question.findings.iter().find_map(|finding| match finding {
        Finding::RemovalDecision(it) if question.arms[it.arm].label == label => Some(&**it),
        _ => None,
    })
}

fn label(answers: &Answers, arm: usize) -> &str {
    &answers.questions[0].arms[arm].label
}

#[test]
fn the_largest_gain_whose_guard_holds_is_chosen() {
    let plan = plan("targets = { sums = 1, code = 1 }\nguards = { web = \"3%\" }");
    let answers = known::of(&plan, &known::traded, "", |_| true);
    let decision = decision(&answers);
    assert_eq!(decision.chosen.map(|arm| label(&answers, arm)), Some("20%"));
    let states: Vec<GuardState> =
        decision.candidates.iter().map(|it| it.judged.guards[0].state).collect();
    assert_eq!(states, [GuardState::Holds, GuardState::Holds, GuardState::Broken]);
    // 2 % of the control's 1 bit per byte, but for noise.
    let loss = &decision.candidates[1].judged.guards[0].loss;
    assert!((loss.mean - 2.0).abs() < 0.8, "{loss:?}");
    let gain = &decision.candidates[1].judged.gain;
    assert!((gain.mean - 12.0).abs() < 0.8, "{gain:?}");
    assert!(decision.candidates[1].judged.best > 0.9, "{decision:?}");
    // Between the neighbours that were tried.
    assert_eq!(decision.next, [0.15, 0.3]);
}

#[test]
fn without_guards_the_longest_window_is_chosen_and_said_to_be_the_end_of_the_grid() {
    let answers = known::of(&plan("targets = { sums = 1 }"), &known::traded, "", |_| true);
    let decision = decision(&answers);
    assert_eq!(decision.chosen.map(|arm| label(&answers, arm)), Some("40%"));
    assert!(decision.next.iter().all(|place| *place > 0.4), "{:?}", decision.next);
}

#[test]
fn the_cost_of_data_is_taken_off_its_gain() {
    // An epoch of sums costs 400: a window of 40 % reads 0.054 of one more than its control.
    let plan = plan("targets = { sums = 1 }\ncosts = { sums = 400 }");
    let answers = known::of(&plan, &known::traded, "", |_| true);
    let decision = decision(&answers);
    let costs: Vec<f64> = decision.candidates.iter().map(|it| it.cost).collect();
    assert!(costs.windows(2).all(|pair| pair[0] < pair[1]) && costs[0] > 0.0, "{costs:?}");
    assert_eq!(decision.chosen.map(|arm| label(&answers, arm)), Some("10%"));
    let gain = &decision.candidates[0].judged.gain;
    assert!((gain.mean + costs[0] - 11.0).abs() < 0.8, "{gain:?}");
    // At ten times the cost nothing is worth it.
    let plan = self::plan("targets = { sums = 1 }\ncosts = { sums = 4000 }");
    let answers = known::of(&plan, &known::traded, "", |_| true);
    assert_eq!(self::decision(&answers).chosen, None);
}

#[test]
fn nothing_is_chosen_where_no_guard_can_be_shown_to_hold() {
    let plan = plan("targets = { sums = 1 }\nguards = { web = \"0.1%\" }");
    let answers = known::of(&plan, &known::traded, "", |_| true);
    assert_eq!(decision(&answers).chosen, None);
}

#[test]
fn what_is_removed_is_kept_dropped_or_not_needed() {
    let plan = plan("targets = { sums = 1, code = 1 }\nmargin = \"2%\"\nguards = { web = \"4%\" }");
    let answers = known::of(&plan, &known::traded, "", |_| true);
    let fate = |label| removal(&answers, label).map(|it| it.fate);
    assert_eq!(fate("− rumours"), Some(Fate::Drop));
    assert_eq!(fate("− decoy"), Some(Fate::NotNeeded));
    // Without code the sums get worse; that code itself does is left out.
    assert_eq!(fate("− code"), Some(Fate::Keep));
    let code = removal(&answers, "− code").unwrap();
    assert!((code.judged.gain.mean + 8.0).abs() < 1.5, "{code:?}");
    // Without a margin nothing is shown to be not needed.
    let plan = self::plan("targets = { sums = 1, code = 1 }");
    let answers = known::of(&plan, &known::traded, "", |_| true);
    assert_eq!(removal(&answers, "− decoy").unwrap().fate, Fate::NotDecided);
}

#[test]
fn its_own_text_decides_nothing_about_a_removal() {
    let answers = known::of(&plan("targets = { sums = 1 }"), &known::traded, "", |_| true);
    assert!(removal(&answers, "− sums").is_none());
    let alone = |finding: &&Finding| matches!(finding, Finding::OwnTextAlone { .. });
    assert_eq!(answers.questions[1].findings.iter().filter(alone).count(), 1);
}

#[test]
fn without_an_objective_nothing_is_decided() {
    let answers = known::of(&known::plan(), &known::traded, "", |_| true);
    let decides =
        |finding: &Finding| matches!(finding, Finding::Decision(_) | Finding::RemovalDecision(_));
    assert!(!answers.questions.iter().any(|answer| answer.findings.iter().any(decides)));
}

#[test]
fn the_objective_is_part_of_the_plan() {
    let one = plan("targets = { sums = 1 }");
    assert_ne!(one.fingerprint(), known::plan().fingerprint());
    assert_ne!(one.fingerprint(), plan("targets = { sums = 2 }").fingerprint());
}
