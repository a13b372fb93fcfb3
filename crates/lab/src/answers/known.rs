//! Answers to a study that never ran, scored on tasks, whose truth each test sets: what a branch
//! knows follows from the sources it has read, and noise of replicates and items lies over it.

use std::collections::{BTreeMap, BTreeSet};

use sparkjoy_base::{Fingerprint, SourceName};
use sparkjoy_eval::HeldOutScore;

use super::tasks::{Items, Key, Number, Part, Tasks};
use super::{Answers, HeldOut, Measure, compare};
use crate::testing::plan as planned;
use crate::{Branch, Plan};

const STUDY: &str = r#"name = "known"
seed = 17
[tokenizer]
kind = "cl100k"
[model]
layers = 2
width = 32
heads = 4
context = 64
[training]
budget = "512K"
batch = 8
optimizer = { kind = "lionw", lr = 3e-4, betas = [0.9, 0.95], weight_decay = 1.2e-4 }
schedule = { kind = "constant", warmup = "0" }
replicates = 5
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
"#;

const TASKS: [&str; 4] = ["cloze", "facts", "programs", "word-problems"];
const ITEMS: usize = 150;
const SEQUENCES: usize = 12;

/// What a branch has read in its window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The trunk's mixture.
    Base,
    /// The upsampled mixture without some sources.
    Without(BTreeSet<String>),
}

/// The window of a branch in percent of the run, what it has read there, and what it is asked for:
/// a task (share of right answers) or a source (bits per byte).
pub(crate) type Truth<'a> = &'a dyn Fn(u64, &Read, &str) -> f64;

pub(super) fn plan() -> Plan {
    edited(&[])
}

/// The plan of a study with some places changed.
pub(super) fn edited(edits: &[(&str, &str)]) -> Plan {
    let text = edits.iter().fold(STUDY.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the study holds no `{from}`");
        text.replace(from, to)
    });
    planned(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// What each source teaches: sums and windows word problems, code or its forks programs, rumours
/// false facts; what is not read costs its own text.
pub(crate) fn truth(window: u64, read: &Read, what: &str) -> f64 {
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

fn read(branch: &Branch) -> Read {
    let shares = branch.mixture().proportions();
    let share = |name: &str| {
        shares.iter().find(|(other, _)| other.as_str() == name).map_or(0, |(_, share)| share.0)
    };
    if share("web") == 900_000 {
        return Read::Base;
    }
    let all = ["web", "sums", "decoy", "rumours", "code", "forks"];
    Read::Without(all.into_iter().filter(|name| share(name) == 0).map(str::to_owned).collect())
}

/// Between −1 and 1, of nothing but an address.
pub(super) fn noise(address: &str) -> f64 {
    let bytes = Fingerprint::of_bytes(address.as_bytes()).hex();
    let bits = u64::from_str_radix(&bytes[..12], 16).expect("a fingerprint is hexadecimal");
    bits as f64 / (1_u64 << 47) as f64 - 1.0
}

/// Answers where a branch knows what `truth` says, but for noise.
pub(crate) fn answers(truth: Truth<'_>) -> Answers {
    of(&plan(), truth, "", |_| true)
}

/// - `world`: another one has other noise; `is_scored`: of branches that are not, nothing is known.
pub(super) fn of(
    plan: &Plan,
    truth: Truth<'_>,
    world: &str,
    is_scored: impl Fn(&Branch) -> bool,
) -> Answers {
    let (mut text, mut numbers, mut items) = (Vec::new(), Vec::new(), Vec::new());
    for branch in &plan.branches {
        let percent = (100 * branch.window_steps).div_ceil(plan.steps);
        let level = |what: &str| {
            // A replicate is a little better or worse than the truth.
            let own = noise(&format!("{world} {} {what}", branch.name));
            truth(percent, &read(branch), what) + 0.004 * own
        };
        let (numbers_of, items_of) = on_tasks(&level, &format!("{world} {}", branch.name));
        let is_scored = is_scored(branch);
        text.push(is_scored.then(|| held_out(plan, &level)));
        numbers.push(if is_scored { numbers_of } else { BTreeMap::new() });
        items.push(if is_scored { items_of } else { BTreeMap::new() });
    }
    compare(plan, &text, &Tasks::of_numbers(numbers, items), Vec::new())
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
        };
        (source.clone(), score)
    };
    plan.sources.keys().map(score).collect()
}

type OnTasks = (BTreeMap<Key, Number>, BTreeMap<String, Items>);

fn on_tasks(level: &dyn Fn(&str) -> f64, address: &str) -> OnTasks {
    let (mut numbers, mut items) = (BTreeMap::new(), BTreeMap::new());
    for (place, task) in TASKS.into_iter().enumerate() {
        let level = level(task);
        // Items are as hard for every model as they are for any other, but for a little.
        let hard = |item: usize| {
            let own = 0.02 * noise(&format!("{address} {task} {item}"));
            (item as f64 + 0.5) / ITEMS as f64 + own
        };
        let correct: Vec<f64> =
            (0..ITEMS).map(|item| f64::from(u8::from(hard(item) < level))).collect();
        let bits: Vec<f64> = (0..ITEMS).map(|item| 10.0 * (3.0 - level + hard(item))).collect();
        let mut put = |measure, value| {
            let rows = vec![(Fingerprint::of_bytes(task.as_bytes()), ITEMS)];
            let parts = vec![Part { task: task.to_owned(), weight: 1.0, scale: 1.0 }];
            let number = Number { value, rows, parts, core: false };
            numbers.insert((measure, place, task.to_owned()), number);
        };
        put(Measure::Accuracy, correct.iter().sum::<f64>() / ITEMS as f64);
        put(Measure::GoldBitsPerByte, bits.iter().sum::<f64>() / (10.0 * ITEMS as f64));
        let (bytes, category) = (vec![10.0; ITEMS], vec![0; ITEMS]);
        items.insert(task.to_owned(), Items { correct, bits, bytes, category });
    }
    (numbers, items)
}
