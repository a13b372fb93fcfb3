//! Whether an order holds elsewhere, where the truth is known.

use std::collections::BTreeMap;

use sparkjoy_answers::*;
use sparkjoy_eval::HeldOutScore;
use sparkjoy_kit::known::{edited, noise};
use sparkjoy_study::{Branch, Plan};

const REMOVE: &str =
    "[\"sums\", \"decoy\", \"rumours\", \"code\", \"forks\", [\"code\", \"forks\"]]";

/// A removal transferred to a larger model.
fn plan(remove: &str) -> Plan {
    edited(&[
        (
            "[[questions]]\nask = \"duration\"\nmixture = \"upsampled\"\nwindows = [\"10%\", \"20%\", \"40%\"]\n",
            "",
        ),
        (REMOVE, remove),
        (
            "[evaluation]",
            "[[questions]]\nask = \"transfer\"\nof = 1\n\
             models = [{ layers = 4, width = 32, heads = 4 }]\n[evaluation]",
        ),
    ])
}

/// The transfer's finding where the own text of a removed source loses what `loss` says, of a
/// source and whether the model is the larger one.
fn transferred(plan: &Plan, world: &str, loss: &dyn Fn(&str, bool) -> f64) -> (Answer, Transfer) {
    let of = |branch: &Branch| {
        let shares = branch.mixture().proportions();
        let score = |source: &sparkjoy_base::SourceName| {
            let read = shares.get(source).is_some_and(|share| share.0 > 0);
            let lost = if read { 0.0 } else { loss(source.as_str(), branch.trunk > 0) };
            let own = 0.004 * noise(&format!("{world} {} {source}", branch.name));
            let nats = |item: usize| {
                let item = 0.05 * noise(&format!("{source} {item}"));
                100.0 * (0.8 + lost + own + item) * std::f64::consts::LN_2
            };
            HeldOutScore {
                source: source.clone(),
                ordinals: (0..12).collect(),
                nats: (0..12).map(nats).collect(),
                bytes: vec![100; 12],
                documents: (0..12).collect(),
            }
        };
        Some(plan.sources.keys().map(|source| (source.clone(), score(source))).collect())
    };
    let branches = plan.branches.len();
    let results = Results {
        held_out: plan.branches.iter().map(of).collect(),
        scorecards: vec![None; branches],
        items: vec![BTreeMap::new(); branches],
        ..Results::default()
    };
    let answer = answers(plan, results).questions.remove(1);
    let found = answer.findings.iter().find_map(|finding| match finding {
        Finding::Transfer(transfer) => Some(transfer.clone()),
        _ => None,
    });
    (answer, found.expect("a setting is compared"))
}

fn outcome_of(transfer: &Transfer) -> Option<Held> {
    match transfer.order {
        Order::NoRanking => None,
        Order::Pair { outcome, .. } | Order::Ranks { outcome, .. } => Some(outcome),
    }
}

#[test]
fn arms_that_are_not_significant_have_no_ranking_to_compare() {
    let plan = plan("[\"sums\", \"decoy\"]");
    // The old claim: two arms in the same order twice, neither of them significant.
    let (answer, transfer) = transferred(&plan, "", &|_, _| 0.0);
    assert_eq!((&transfer.order, transfer.arms.len()), (&Order::NoRanking, 0));
    assert!(answer.holds.is_empty());
    // One significant arm has no order either.
    let (_, transfer) =
        transferred(&plan, "", &|source, _| if source == "sums" { 0.1 } else { 0.0 });
    assert_eq!((&transfer.order, transfer.arms.as_slice()), (&Order::NoRanking, &[0][..]));
    assert_eq!(transfer.labels, ["− sums"]);
}

#[test]
fn the_order_of_two_arms_must_be_significant_in_both_settings() {
    let plan = plan("[\"sums\", \"decoy\"]");
    let of = |here: f64, there: f64| {
        let loss = move |source: &str, larger: bool| match (source, larger) {
            ("sums", true) => 0.1 + there,
            ("sums", false) => 0.1 + here,
            _ => 0.1,
        };
        outcome_of(&transferred(&plan, "", &loss).1)
    };
    assert_eq!(of(0.05, 0.05), Some(Held::Holds));
    assert_eq!(of(0.05, -0.05), Some(Held::Reversed));
    assert_eq!(of(0.05, 0.0), Some(Held::NotSignificant));
    assert_eq!(of(0.0, 0.05), Some(Held::NotSignificant));
}

#[test]
fn a_ranking_holds_over_significant_arms_alone_with_a_corrected_p() {
    let plan = plan("[\"sums\", \"decoy\", \"rumours\", \"code\"]");
    let steps = |source: &str| match source {
        "sums" => 0.05,
        "decoy" => 0.10,
        "rumours" => 0.15,
        // Not significant: the only arm that changes its place.
        _ => 0.0,
    };
    let (answer, transfer) = transferred(&plan, "", &|source, larger| {
        if source == "code" && larger { 0.20 } else { steps(source) }
    });
    assert_eq!(transfer.arms, [0, 1, 2]);
    let Order::Ranks { agreement, changed, adjusted_p, family, outcome } = &transfer.order else {
        panic!("{transfer:?}")
    };
    assert_eq!((agreement.tau, changed.len(), *outcome), (1.0, 0, Held::Holds));
    assert_eq!((family.of, family.comparisons), (FamilyKind::Settings, 1));
    assert!(*adjusted_p >= agreement.p && *adjusted_p <= 0.05);
    let [holds] = &answer.holds[..] else { panic!("{:?}", answer.holds) };
    assert_eq!((holds.setting, &holds.arms, holds.adjusted_p), (1, &vec![0, 1, 2], *adjusted_p));

    let reversed = transferred(&plan, "", &|source, larger| match (source, larger) {
        ("code", _) => 0.0,
        (_, true) => 0.20 - steps(source),
        _ => steps(source),
    });
    assert_eq!(outcome_of(&reversed.1), Some(Held::Reversed));
    let Order::Ranks { changed, .. } = &reversed.1.order else { panic!("{reversed:?}") };
    assert_eq!(changed.len(), 3);
}

#[test]
fn where_the_arms_do_not_differ_elsewhere_few_studies_say_that_the_ranking_holds() {
    let plan = plan("[\"sums\", \"decoy\", \"rumours\"]");
    let loss = |source: &str, larger: bool| match (source, larger) {
        (_, true) | ("decoy", _) => 0.10,
        ("sums", _) => 0.05,
        _ => 0.15,
    };
    let studies = 100;
    let called = (0..studies).filter(|study| {
        let (_, transfer) = transferred(&plan, &study.to_string(), &loss);
        matches!(outcome_of(&transfer), Some(Held::Holds | Held::Reversed))
    });
    // 5 % and two standard errors of 100 studies.
    let called = called.count();
    assert!(called <= 9, "{called} of {studies}");
}
