//! Decisions under an objective, where the truth is known.

use sparkjoy_answers::{
    Answers, Decidable, Decision, Fate, Finding, GuardState, HeldOut, RemovalDecision, power,
};
use sparkjoy_base::SourceName;
use sparkjoy_eval::HeldOutScore;
use sparkjoy_kit::known;
use sparkjoy_stats::{detectable, showable};
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
    // A gain that is significant and less than the margin is no reason to drop.
    let wide = self::plan("targets = { sums = 1, code = 1 }\nmargin = \"20%\"");
    let wide = known::of(&wide, &known::traded, "", |_| true);
    assert_eq!(removal(&wide, "− rumours").unwrap().fate, Fate::NotNeeded);
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

#[test]
fn before_the_run_it_is_said_what_an_objective_can_decide() {
    let plan = plan("targets = { sums = 1 }\nguards = { web = \"0.5%\" }");
    let found = power(&plan, &vec![None; plan.branches.len()]).unwrap();
    let [duration, removal] = [0, 1].map(|at| found.questions[at].decision.clone().unwrap());
    // The sums are nothing to judge their own removal by.
    assert_eq!((duration.arms, removal.arms), (3, 5));
    let close = |found: [f64; 2], errors: f64, replicates: f64| {
        for (found, noise) in found.into_iter().zip([0.01, 0.28]) {
            let expected = errors * noise / replicates.sqrt();
            assert!((found / expected - 1.0).abs() < 1e-9, "{found}, expected {expected}");
        }
    };
    let gain = duration.gain.clone().unwrap();
    close(gain.planned, detectable(4.0, 0.95, 3), 5.0);
    close(gain.with_more_replicates, detectable(9.0, 0.95, 3), 10.0);
    close(gain.with_half_the_arms.unwrap(), detectable(4.0, 0.95, 2), 5.0);
    // Windows are tested in their order, removals are corrected for each other.
    let guard = |decision: &Decidable| decision.guards[0].needs.clone().unwrap().planned;
    close(guard(&duration), showable(4.0, 0.95, 1), 5.0);
    close(guard(&removal), showable(4.0, 0.95, 5), 5.0);
    let without = power(&known::plan(), &vec![None; plan.branches.len()]);
    assert!(without.unwrap().questions.iter().all(|it| it.decision.is_none()));
}

#[test]
fn what_an_objective_can_decide_follows_from_the_noise_of_its_measures() {
    let plan = plan("targets = { sums = 3, code = 1 }\nguards = { decoy = \"9%\" }");
    let arms = &plan.questions[0].arms;
    let is_scored = |at| arms.iter().any(|a| a.branches.contains(&at) || a.controls.contains(&at));
    let score = |at: usize| {
        let branch = &plan.branches[at];
        let is_arm = arms.iter().any(|arm| arm.branches.contains(&at));
        let off = if is_arm { 0.01 * (f64::from(branch.replicate) - 2.0) } else { 0.0 };
        // What a replicate loses on one it gains on the other, three times as much.
        let level = |name: &str| match name {
            "sums" | "decoy" => 1.0 + off,
            "code" => 1.0 - 3.0 * off,
            _ => 1.0,
        };
        let of = |source: &SourceName| HeldOutScore {
            source: source.clone(),
            ordinals: vec![0],
            nats: vec![level(source.as_str()) * std::f64::consts::LN_2],
            bytes: vec![1],
            documents: vec![0],
        };
        plan.sources.keys().map(|source| (source.clone(), of(source))).collect::<HeldOut>()
    };
    let scores: Vec<Option<HeldOut>> =
        (0..plan.branches.len()).map(|at| is_scored(at).then(|| score(at))).collect();
    let decision = power(&plan, &scores).unwrap().questions[0].decision.clone().unwrap();
    assert!(decision.gain.unwrap().planned[1] < 1e-9, "their weighted mean has no noise");
    // −2, −1, 0, 1, 2 % deviate by √2.5 %.
    let [low, high] = decision.guards[0].needs.clone().unwrap().planned;
    let expected = showable(4.0, 0.95, 1) * 2.5_f64.sqrt() / 5.0_f64.sqrt();
    assert!((low / expected - 1.0).abs() < 1e-9 && (low - high).abs() < 1e-12, "{low} {expected}");
}
