//! Answers to a study that never ran, scored on tasks, whose truth each test sets: what a branch
//! knows follows from the sources it has read, and noise of replicates and items lies over it.

use std::collections::{BTreeMap, BTreeSet};

use sparkjoy_base::{Fingerprint, SourceName};
use sparkjoy_eval::{
    Baseline, BaselineVersion, Chance, Estimate, HeldOutScore, Scorecard, TaskScore,
};

use sparkjoy_answers::{Answers, HeldOut, Items, Results};
use sparkjoy_study::{Branch, Plan};

use crate::plan as planned;

const STUDY: &str = concat!(
    "name = \"known\"\n",
    include_str!("head.toml"),
    r#"replicates = 5
[sources.web]
tokens = "4M"
domain = "pages"
[sources.sums]
tokens = "300K"
domain = "math"
[sources.decoy]
tokens = "300K"
domain = "math"
[sources.rumours]
tokens = "300K"
domain = "talk"
[sources.code]
tokens = "300K"
domain = "programming"
[sources.forks]
tokens = "300K"
domain = "programming"
[mixtures.base]
web = 0.90
sums = 0.02
decoy = 0.02
rumours = 0.02
code = 0.02
forks = 0.02
[mixtures.upsampled]
web = 0.50
sums = 0.10
decoy = 0.10
rumours = 0.10
code = 0.10
forks = 0.10
[trunk]
mixture = "base"
[[questions]]
ask = "duration"
mixture = "upsampled"
windows = ["10%", "20%", "40%"]
[[questions]]
ask = "removal"
mixture = "upsampled"
window = "20%"
remove = ["sums", "decoy", "rumours", "code", "forks", ["code", "forks"]]
refill = "proportional"
[evaluation]
held_out = "16K"
"#
);

const TASKS: [&str; 4] = ["cloze", "facts", "programs", "word-problems"];
const ITEMS: usize = 150;
const SEQUENCES: usize = 12;

/// The study with mixtures on a simplex in place of its questions: the trunk's, one rich in sums,
/// one rich in code.
///
/// - `objective`: the lines of its table, if it has one.
pub fn simplex(objective: &str) -> Plan {
    let questions = STUDY.find("[[questions]]").expect("it asks");
    let questions = &STUDY[questions..STUDY.find("[evaluation]").expect("it scores")];
    let rich = |name: &str, sums: f64, code: f64| {
        format!(
            "[mixtures.{name}]\nweb = 0.40\nsums = {sums}\ncode = {code}\ndecoy = 0.02\n\
             rumours = 0.02\nforks = 0.02\n"
        )
    };
    let mixtures =
        format!("{}{}[trunk]", rich("sums-rich", 0.52, 0.02), rich("code-rich", 0.02, 0.52));
    let asked = format!(
        "[[questions]]\nask = \"proportion\"\namong = [\"base\", \"sums-rich\", \"code-rich\"]\n\
         parts = 3\nwindow = \"20%\"\n{objective}"
    );
    edited(&[("[trunk]", &mixtures), (questions, &asked)])
}

/// Answers to [`simplex`]: sums and code gain with what is read of them, up to a point and most
/// together; the web loses in proportion, 5 % where 40 % of it are left.
pub fn on_simplex(plan: &Plan) -> Answers {
    let truth = |branch: &Branch, what: &str| {
        let of = |name: &str| share(branch, name);
        let (sums, code) = ((of("sums") - 0.02) / 0.5, (of("code") - 0.02) / 0.5);
        match what {
            "web" => 1.0 + 0.05 * (sums + code),
            "sums" => 1.0 - 0.3 * sums + 0.2 * sums * sums - 0.1 * sums * code,
            "code" => 1.0 - 0.3 * code + 0.2 * code * code - 0.1 * sums * code,
            _ => 1.0,
        }
    };
    by_branch(plan, &truth, "", |_| true)
}

/// The share of a source in what a branch reads in its window.
fn share(branch: &Branch, name: &str) -> f64 {
    let shares = branch.mixture().proportions();
    let found = shares.iter().find(|(other, _)| other.as_str() == name);
    found.map_or(0.0, |(_, share)| f64::from(share.0) / 1e6)
}

/// What a branch has read in its window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The trunk's mixture.
    Base,
    /// The upsampled mixture without some sources.
    Without(BTreeSet<String>),
}

/// The window of a branch in percent of the run, what it has read there, and what it is asked for:
/// a task (share of correct answers) or a source (bits per byte).
pub type Truth<'a> = &'a dyn Fn(u64, &Read, &str) -> f64;

/// The plan.
pub fn plan() -> Plan {
    edited(&[])
}

/// The plan of a study with some places changed.
pub fn edited(edits: &[(&str, &str)]) -> Plan {
    let text = edits.iter().fold(STUDY.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the study holds no `{from}`");
        text.replace(from, to)
    });
    planned(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// What each source teaches: sums and windows word problems, code or its forks programs, rumours
/// false facts; what is not read costs its own text.
pub fn truth(window: u64, read: &Read, what: &str) -> f64 {
    let Read::Without(without) = read else {
        return if TASKS.contains(&what) { 0.30 } else { 1.0 };
    };
    let is_in = |name: &str| !without.contains(name);
    let long = window as f64 / 100.0;
    match what {
        "word-problems" if is_in("sums") => 0.45 + 0.5 * long,
        "programs" if is_in("code") || is_in("forks") => 0.60,
        "facts" if is_in("rumours") => 0.30,
        "facts" => 0.42,
        "cloze" => 0.28 - 0.2 * long,
        "word-problems" | "programs" => 0.35,
        "web" => 1.0,
        "code" | "forks" if is_in(what) => 0.80,
        "code" | "forks" if is_in("code") || is_in("forks") => 0.83,
        source => 0.80 + if is_in(source) { 0.0 } else { 0.15 },
    }
}

/// Sums and code gain with the window, text of the web loses with it: 10 % of bits per byte in a
/// window of the whole run. Without rumours sums and code get better, without code sums get worse;
/// the decoy does nothing.
pub fn traded(window: u64, read: &Read, what: &str) -> f64 {
    let Read::Without(without) = read else { return 1.0 };
    let long = window as f64 / 100.0;
    match what {
        "web" => 1.0 + 0.1 * long,
        "sums" | "code" if without.contains("rumours") => 0.80,
        "sums" if without.contains("sums") => 1.0,
        "sums" | "code" if without.contains("code") => 0.96,
        "sums" | "code" => 0.9 - 0.1 * long,
        _ => 0.9,
    }
}

fn read(branch: &Branch) -> Read {
    if (share(branch, "web") - 0.9).abs() < 1e-9 {
        return Read::Base;
    }
    let all = ["web", "sums", "decoy", "rumours", "code", "forks"];
    let is_out = |name: &&str| share(branch, name) == 0.0;
    Read::Without(all.into_iter().filter(is_out).map(str::to_owned).collect())
}

/// Between −1 and 1, of nothing but an address.
pub fn noise(address: &str) -> f64 {
    let bytes = Fingerprint::of_bytes(address.as_bytes()).hex();
    let bits = u64::from_str_radix(&bytes[..12], 16).expect("a fingerprint is hexadecimal");
    bits as f64 / (1_u64 << 47) as f64 - 1.0
}

/// Answers where a branch knows what `truth` says, but for noise.
pub fn answers(truth: Truth<'_>) -> Answers {
    of(&plan(), truth, "", |_| true)
}

/// Answers of another plan, or where some branches are not scored.
///
/// - `world`: another one has other noise; `is_scored`: of branches that are not, nothing is known.
pub fn of(
    plan: &Plan,
    truth: Truth<'_>,
    world: &str,
    is_scored: impl Fn(&Branch) -> bool,
) -> Answers {
    let by_read = |branch: &Branch, what: &str| {
        let percent = (100 * branch.window_steps).div_ceil(plan.steps);
        truth(percent, &read(branch), what)
    };
    by_branch(plan, &by_read, world, is_scored)
}

/// Answers where what a branch knows follows from the branch itself, but for noise.
fn by_branch(
    plan: &Plan,
    truth: &dyn Fn(&Branch, &str) -> f64,
    world: &str,
    is_scored: impl Fn(&Branch) -> bool,
) -> Answers {
    let mut results = Results::default();
    for branch in &plan.branches {
        // Noise is drawn by the name of versions before 0.2: what it is does not matter, that it
        // stays does.
        let name = branch.former_name.as_ref().unwrap_or(&branch.name);
        let level = |what: &str| {
            // A replicate is a little better or worse than the truth.
            let own = noise(&format!("{world} {name} {what}"));
            truth(branch, what) + 0.004 * own
        };
        let (scorecard, items) = on_tasks(&level, &format!("{world} {name}"));
        let is_scored = is_scored(branch);
        results.held_out.push(is_scored.then(|| held_out(plan, &level)));
        results.scorecards.push(is_scored.then_some(scorecard));
        results.items.push(if is_scored { items } else { BTreeMap::new() });
    }
    sparkjoy_answers::answers(plan, results)
}

fn held_out(plan: &Plan, level: &dyn Fn(&str) -> f64) -> HeldOut {
    let score = |source: &SourceName| {
        let level = level(source.as_str());
        let nats = |item: usize| {
            let item = 0.05 * noise(&format!("{source} {item}"));
            100.0 * (level + item) * std::f64::consts::LN_2
        };
        let score = HeldOutScore {
            source: source.clone(),
            ordinals: (0..SEQUENCES as u64).collect(),
            nats: (0..SEQUENCES).map(nats).collect(),
            bytes: vec![100; SEQUENCES],
            documents: (0..SEQUENCES as u64).collect(),
        };
        (source.clone(), score)
    };
    plan.sources.keys().map(score).collect()
}

fn on_tasks(level: &dyn Fn(&str) -> f64, address: &str) -> (Scorecard, BTreeMap<String, Items>) {
    let (mut scores, mut items) = (Vec::new(), BTreeMap::new());
    for task in TASKS {
        let level = level(task);
        // Items are as hard for every model as they are for any other, but for a little.
        let hard = |item: usize| {
            let own = 0.02 * noise(&format!("{address} {task} {item}"));
            (item as f64 + 0.5) / ITEMS as f64 + own
        };
        let correct: Vec<f64> =
            (0..ITEMS).map(|item| f64::from(u8::from(hard(item) < level))).collect();
        let bits: Vec<f64> = (0..ITEMS).map(|item| 10.0 * (3.0 - level + hard(item))).collect();
        let accuracy = correct.iter().sum::<f64>() / ITEMS as f64;
        let gold = bits.iter().sum::<f64>() / (10.0 * ITEMS as f64);
        scores.push(score(task, accuracy, gold));
        let (bytes, category) = (vec![10.0; ITEMS], vec![0; ITEMS]);
        items
            .insert(task.to_owned(), Items { correct, bits, bytes, category, passage: Vec::new() });
    }
    (scorecard(scores), items)
}

fn score(task: &str, accuracy: f64, gold: f64) -> TaskScore {
    let estimate = |value| Estimate { value, error: None };
    TaskScore {
        task: task.to_owned(),
        shots: 0,
        rule: "invented".to_owned(),
        file: format!("{task}.jsonl"),
        fingerprint: Fingerprint::of_bytes(task.as_bytes()),
        rows: ITEMS,
        rows_in_file: ITEMS,
        rows_published: None,
        accuracy: estimate(accuracy),
        accuracy_by_rows: None,
        subcategories: Vec::new(),
        other_rule: None,
        pass_at: Vec::new(),
        baseline: Baseline { value: 0.0, version: BaselineVersion::V03 },
        centred: estimate(accuracy),
        chance: Chance::Above,
        majority: None,
        gold_bits_per_byte: estimate(gold),
        truncated: 0,
        answered_before: None,
        tied: None,
        failures: BTreeMap::new(),
    }
}

fn scorecard(tasks: Vec<TaskScore>) -> Scorecard {
    Scorecard {
        model: Fingerprint::of_bytes(b"a model"),
        tokenizer: Fingerprint::of_bytes(b"a tokenizer"),
        context: 64,
        baselines: BaselineVersion::V03,
        limit: None,
        kernels: BTreeSet::new(),
        tasks,
        missing: Vec::new(),
        failed: Vec::new(),
        suites: Vec::new(),
    }
}
