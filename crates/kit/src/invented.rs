//! Answers to a study that never ran: the figures are made up here, so that every number that
//! follows from them can be computed by hand.

use std::collections::BTreeMap;

use sparkjoy_base::Fingerprint;

use sparkjoy_eval::HeldOutScore;

use sparkjoy_answers::{Answers, Computed, HeldOut, Results};
use sparkjoy_study::{Branch, Plan};

use crate::plan as planned;

/// The study.
pub const STUDY: &str = concat!(
    "name = \"invented\"\n",
    include_str!("head.toml"),
    r#"replicates = 3
[sources.blogs]
tokens = "4M"
domain = "web"
[sources.proofs]
tokens = "300K"
domain = "math"
[sources.puzzles]
tokens = "100K"
domain = "math"
[mixtures.base]
blogs = 0.80
proofs = 0.15
puzzles = 0.05
[mixtures.upsampled]
blogs = 0.50
proofs = 0.25
puzzles = 0.25
[trunk]
mixture = "base"
[[questions]]
ask = "duration"
mixture = "upsampled"
windows = ["10%", "20%"]
[[questions]]
ask = "removal"
mixture = "upsampled"
window = "10%"
remove = ["puzzles"]
refill = "domain"
[evaluation]
held_out = "16K"
"#
);

/// The same with two sources that nothing trains on: a domain of its own, and a part of one that is
/// trained on.
pub fn study_with_unseen() -> String {
    let laws = "[sources.laws]\ntokens = \"1M\"\ndomain = \"law\"\nunseen = true\n";
    let poems = "[sources.poems]\ntokens = \"1M\"\ndomain = \"web\"\nunseen = true\n";
    STUDY.replace("[mixtures.base]", &format!("{laws}{poems}[mixtures.base]"))
}

/// The plan the figures belong to.
pub fn plan() -> Plan {
    planned(STUDY).unwrap_or_else(|error| panic!("{error}"))
}

/// Bits per byte of each branch of the plan; on the web the sources of noise are as large as the
/// effect, in mathematics they are not.
pub fn scores(plan: &Plan) -> Vec<Option<HeldOut>> {
    let of = |branch: &Branch| {
        let r = f64::from(branch.replicate);
        let (web, proofs, puzzles) = match branch.label.as_str() {
            "base" => (1.0, 0.8, 0.9),
            "upsampled" => (1.0 + 0.002 * (r - 1.0), 0.75, 0.8),
            _ => (1.0 - 0.002 * (r - 1.0), 0.74, 0.875),
        };
        let noise = 0.01 * r;
        // What nobody reads gets a little worse with every change of the mixture.
        let unseen = if branch.label == "base" { 1.2 } else { 1.22 };
        let figures = [("blogs", web), ("proofs", proofs), ("puzzles", puzzles)].into_iter();
        let figures = figures.chain(plan.unseen().map(|name| (name.as_str(), unseen)));
        let figures = figures.map(|(name, bpb)| {
            let name = sparkjoy_base::SourceName::new(name).expect("a plain name");
            let bits = bpb + noise + 0.001 * r * r * f64::from(u8::from(branch.label != "base"));
            // One sequence of one byte: nothing is known about items.
            let nats = vec![bits * std::f64::consts::LN_2];
            let source = name.clone();
            (
                name,
                HeldOutScore {
                    source,
                    ordinals: vec![0],
                    nats,
                    bytes: vec![1],
                    documents: vec![0],
                },
            )
        });
        Some(figures.collect())
    };
    plan.branches.iter().map(of).collect()
}

/// Answers without tasks.
pub fn of_text(plan: &Plan, scores: &[Option<HeldOut>], computed: Vec<Computed>) -> Answers {
    let results = Results {
        held_out: scores.to_vec(),
        scorecards: vec![None; scores.len()],
        items: vec![BTreeMap::new(); scores.len()],
        computed,
        ..Results::default()
    };
    sparkjoy_answers::answers(plan, results)
}

/// All of it computed on one machine.
fn one_kernel(plan: &Plan) -> Vec<Computed> {
    let branches = plan.branches.iter().map(|branch| branch.name.clone()).collect();
    vec![Computed { kernels: vec!["avx2".to_owned()], branches }]
}

/// All answers.
pub fn answers() -> Answers {
    let plan = plan();
    anonymous(of_text(&plan, &scores(&plan), one_kernel(&plan)))
}

/// All answers of [`study_with_unseen`].
pub fn answers_with_unseen() -> Answers {
    let plan = planned(&study_with_unseen()).unwrap_or_else(|error| panic!("{error}"));
    anonymous(of_text(&plan, &scores(&plan), one_kernel(&plan)))
}

/// The answers before one branch is scored.
pub fn unfinished(branch: &str) -> Answers {
    let plan = plan();
    let mut scores = scores(&plan);
    let index = plan.branches.iter().position(|b| b.name == branch).expect("a branch of the plan");
    scores[index] = None;
    anonymous(of_text(&plan, &scores, one_kernel(&plan)))
}

/// The plan's own identity changes with every field a plan gets; no test is about that.
fn anonymous(answers: Answers) -> Answers {
    Answers { plan: Fingerprint::of_bytes(b"plan"), ..answers }
}
