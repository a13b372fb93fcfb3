//! The identity of a run is the JSON of its spec. `identities.jsonl` was written by the code before
//! `spec` was a crate of its own, and never changes: a run folder of then must be opened now.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Ppm, Seed, SourceName};
use sparkjoy_mix::{Ledger, Mixture, Phase, Source};
use sparkjoy_spec::{
    Anneal, Model, Moments, OptimizerKind, Precision, RunSpec, Schedule, ScheduleKind, Shape, Start,
};

/// A line of `identities.jsonl`.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Identity {
    what: String,
    fingerprint: Fingerprint,
    /// As it is hashed.
    json: String,
}

fn shape() -> Shape {
    Shape { layers: 2, width: 64, heads: 4, context: 128, vocab: 2048, clip_qkv: None }
}

fn name(name: &str) -> SourceName {
    SourceName::new(name).unwrap()
}

fn phase(proportions: &[(&str, u32)], slots: u64) -> Phase {
    let proportions = proportions.iter().map(|&(source, ppm)| (name(source), Ppm(ppm))).collect();
    Phase { mixture: Mixture::new(proportions).unwrap(), slots }
}

fn trunk() -> RunSpec {
    let source = |text: &str, sequences| Source {
        name: name(text),
        fingerprint: Fingerprint::of_bytes(text.as_bytes()),
        sequences,
    };
    RunSpec {
        model: Model::Mpt(shape()),
        precision: Precision::Bf16,
        tokenizer: Fingerprint::of_bytes(b"tokenizer"),
        optimizer: OptimizerKind::LionW { lr: 2e-4, betas: [0.9, 0.95], weight_decay: 1e-3 },
        schedule: Schedule {
            kind: ScheduleKind::InverseSqrt { warmup: 4096, scale: 1024, cooldown: 0 },
            total: 1_000_000,
        },
        grad_clip: Some(1.0),
        batch: 8,
        seed: Seed(17),
        replicate: 0,
        supplies: vec![source("code", 900), source("math", 70), source("web", 12_345)],
        opening: Ledger::default(),
        first_phase: 0,
        phases: vec![
            phase(&[("code", 250_000), ("web", 750_000)], 400),
            phase(&[("math", 100_000), ("web", 900_000)], 160),
        ],
        first_step: 0,
        start: Start::Fresh,
        anneal: None,
    }
}

fn branch() -> RunSpec {
    RunSpec {
        replicate: 2,
        opening: Ledger::new(BTreeMap::from([(name("code"), 100), (name("web"), 300)])),
        first_phase: 1,
        phases: vec![phase(&[("code", 300_000), ("math", 700_000)], 160)],
        first_step: 50,
        start: Start::Branch { run: trunk().fingerprint() },
        ..trunk()
    }
}

fn adamw() -> OptimizerKind {
    OptimizerKind::AdamW { lr: 4e-3, betas: [0.9, 0.95], eps: 1e-8, weight_decay: 0.1 }
}

fn scheduled(kind: ScheduleKind) -> RunSpec {
    RunSpec { schedule: Schedule { kind, total: 71_680 }, optimizer: adamw(), ..trunk() }
}

fn imported(moments: Option<Moments>) -> RunSpec {
    let start = Start::Imported { model: Fingerprint::of_bytes(b"model"), moments };
    RunSpec { start, ..branch() }
}

fn specs() -> Vec<(&'static str, RunSpec)> {
    let moments = Moments { content: Fingerprint::of_bytes(b"moments"), steps: 50 };
    let clipped = Model::Mpt(Shape { clip_qkv: Some(6.1), ..shape() });
    vec![
        ("trunk, LionW, inverse square root", trunk()),
        ("AdamW, warmup-stable-decay", {
            scheduled(ScheduleKind::WarmupStableDecay { warmup: 1024, decay: 2048 })
        }),
        ("cosine", scheduled(ScheduleKind::Cosine { warmup: 1024, floor: 0.1 })),
        ("linear", scheduled(ScheduleKind::Linear { warmup: 0, floor: 0.05 })),
        ("constant", scheduled(ScheduleKind::Constant { warmup: 1024 })),
        ("fp32, clip_qkv, no clipping of gradients", {
            let precision = Precision::Fp32;
            RunSpec { model: clipped, precision, grad_clip: None, ..trunk() }
        }),
        ("branch", branch()),
        ("branch that anneals", {
            RunSpec { anneal: Some(Anneal { from: 50, to: 71 }), ..branch() }
        }),
        ("imported, optimizer fresh", imported(None)),
        ("imported with moments", imported(Some(moments))),
    ]
}

#[test]
fn identities_are_what_they_were() {
    let golden = include_str!("../testdata/identities.jsonl");
    let golden: Vec<Identity> =
        golden.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(golden.len(), specs().len());
    for ((what, spec), golden) in specs().into_iter().zip(golden) {
        assert_eq!(what, golden.what);
        assert_eq!(serde_json::to_string(&spec).unwrap(), golden.json, "{what}");
        assert_eq!(spec.fingerprint(), golden.fingerprint, "{what}");
        assert_eq!(serde_json::from_str::<RunSpec>(&golden.json).unwrap(), spec, "{what}");
    }
}
