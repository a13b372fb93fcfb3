//! Mixtures on a simplex, where the truth between them is known.

use sparkjoy_answers::{Answers, Decision, Finding, Spot, Surface, SurfaceShape};
use sparkjoy_base::Ppm;
use sparkjoy_kit::known;

const OBJECTIVE: &str = "[objective]\ntargets = { sums = 1, code = 1 }\n";

fn decision(answers: &Answers) -> Option<&Decision> {
    answers.questions[0].findings.iter().find_map(|finding| match finding {
        Finding::Decision(decision) => Some(&**decision),
        _ => None,
    })
}

fn answered(guards: &str) -> Answers {
    known::on_simplex(&known::simplex(&format!("{OBJECTIVE}{guards}")))
}

fn surface(answers: &Answers) -> &Surface {
    decision(answers).and_then(|decision| decision.surface.as_ref()).expect("a surface")
}

/// The gain in percent that is built in.
fn truth(at: &[f64]) -> f64 {
    let (sums, code) = (at[1], at[2]);
    let one = |own: f64| 30.0 * own - 20.0 * own * own + 10.0 * sums * code;
    f64::midpoint(one(sums), one(code))
}

#[test]
fn a_blend_that_was_not_trained_is_predicted_to_be_best() {
    let answers = answered("");
    let surface = surface(&answers);
    assert_eq!(surface.corners, ["base", "sums-rich", "code-rich"]);
    // The trunk's mixture is a corner: nine are trained, and there the gain is exactly 0.
    assert_eq!(
        (surface.compositions.len(), &surface.unchanged[..]),
        (9, &[vec![1.0, 0.0, 0.0]][..])
    );
    let fitted = &surface.fitted;
    assert!(fitted.gain.at(&surface.unchanged[0]).abs() < 1e-9);
    assert_eq!(fitted.gain.shape, SurfaceShape::Quadratic);
    let top = fitted.optimum.as_ref().unwrap();
    // Halves of both gain 12.5 %.
    assert!((top.gain.mean - 12.5).abs() < 0.5, "{top:?}");
    assert!((truth(&top.composition) - 12.5).abs() < 0.2, "{top:?}");
    assert_eq!((top.spot, top.edge), (Spot::New, true));
    let next = surface.next.as_ref().unwrap();
    let shares = next.mixture.proportions();
    assert_eq!(
        (next.name.as_str(), shares.values().map(|part| part.0).sum()),
        ("predicted", 1_000_000)
    );
    assert!(!next.is_in_study);
    let of = |name: &str| shares.iter().find(|(other, _)| other.as_str() == name).unwrap().1;
    assert_eq!(*of("web"), Ppm(400_000));
    // What is chosen is one of those that were trained.
    let decision = decision(&answers).unwrap();
    assert!(decision.chosen.is_some_and(|arm| arm < 9), "{decision:?}");
    // Once the study has that mixture it is not proposed anew.
    let mut plan = known::simplex(OBJECTIVE);
    plan.mixtures.insert("half".to_owned(), next.mixture.clone());
    let again = known::on_simplex(&plan);
    let again = self::surface(&again).next.as_ref().unwrap();
    assert_eq!((again.name.as_str(), again.is_in_study), ("half", true));
}

#[test]
fn a_guard_keeps_the_predicted_blend_near_the_trunks_mixture() {
    // Less than 2 %: three fifths of the trunk's mixture.
    let answers = answered("guards = { web = \"2%\" }\n");
    let surface = surface(&answers);
    let top = surface.fitted.optimum.as_ref().unwrap();
    assert!((top.composition[0] - 0.6).abs() < 0.09, "{top:?}");
    assert!(top.losses[0].mean < 2.0 && top.losses[0].high > top.losses[0].mean, "{top:?}");
    assert!(top.hold > 0.5 && !top.edge, "{top:?}");
    assert_eq!(surface.fitted.margins, [2.0]);
    let rival = &surface.compositions[top.rival.unwrap()];
    assert!(rival[0] > 0.6, "{rival:?}");
    assert!(top.better > 0.9, "{top:?}");
}

#[test]
fn a_guard_that_holds_nowhere_leaves_the_trunks_mixture() {
    let answers = answered("guards = { web = \"0.01%\" }\n");
    let surface = surface(&answers);
    let top = surface.fitted.optimum.as_ref().unwrap();
    assert_eq!((top.spot, top.rival, &surface.next), (Spot::Base, None, &None));
    assert_eq!(decision(&answers).unwrap().chosen, None);
}

#[test]
fn without_an_objective_nothing_is_fitted() {
    assert_eq!(decision(&known::on_simplex(&known::simplex(""))), None);
}

#[test]
fn a_surface_survives_its_json() {
    let answers = answered("guards = { web = \"2%\" }\n");
    let json = serde_json::to_string(&answers).unwrap();
    assert_eq!(serde_json::from_str::<Answers>(&json).unwrap(), answers);
}
