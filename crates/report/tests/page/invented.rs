//! Answers to studies that never ran. The figures are made up; how they are compared follows the
//! laboratory closely enough to look like its answers (two degrees of freedom, no items).

use std::collections::{BTreeMap, BTreeSet};

use sparkjoy_answers::{
    Answer, Answers, ArmAnswer, Checked, CheckedSource, CheckedTask, Comparison, Computed, Control,
    Cost, Effect, Family, FamilyKind, Finding, Measure, QuestionCost, Scope, Spread, TaskAnswer,
    TrunkPoint, TrunkScore, Verdict, What,
};
use sparkjoy_base::{DomainName, Fingerprint, SourceName};
use sparkjoy_jobs::JobTime;
use sparkjoy_study::{Ask, Branch, Plan, QuestionPlan, Role};

/// A number between −1 and 1 that depends on nothing but its address.
fn noise(address: &str) -> f64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    let hash = address.bytes().fold(0xCBF2_9CE4_8422_2325, mix);
    let hash = (hash ^ (hash >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (hash >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// Bits per byte of a source at the end of a branch: less where more of it was read.
fn score(plan: &Plan, branch: &Branch, name: &SourceName) -> f64 {
    let share =
        |b: &Branch| b.mixture().proportions().get(name).map_or(0.0, |p| f64::from(p.0) / 1e6);
    let parts = std::iter::successors(Some(branch), |b| b.after.map(|i| &plan.branches[i]));
    let read: f64 = parts.map(|b| share(b) * b.window_steps as f64 / plan.steps as f64).sum();
    let (r, common) = (branch.replicate, noise(&format!("{name}")));
    let shared = 0.004 * noise(&format!("{} {r}", branch.window));
    let own = 0.0015 * noise(&format!("{} {name} {r}", branch.name));
    1.1 + 0.3 * common - 0.05 * (1.0 + 300.0 * read).ln() + shared + own
}

fn spread(values: Vec<f64>) -> Spread {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let deviation = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
    let min = values.iter().copied().fold(f64::INFINITY, f64::min);
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Spread { standard_error: deviation.map(|d| d / n.sqrt()), values, mean, deviation, min, max }
}

fn comparison(branch: Vec<f64>, control: Vec<f64>) -> Comparison {
    let difference = spread(branch.iter().zip(&control).map(|(b, c)| b - c).collect());
    let effect = difference.standard_error.map(|error| {
        let (mean, t) = (difference.mean, difference.mean.abs() / error);
        let (low, high) = (mean - 4.303 * error, mean + 4.303 * error);
        let p = 1.0 - t / (2.0 + t * t).sqrt();
        Effect {
            mean,
            standard_error: error,
            replicate_error: error,
            item_error: 0.0,
            freedom: 2.0,
            low,
            high,
            p,
        }
    });
    let verdict = if effect.is_some() { Verdict::NotTested } else { Verdict::NotSignificant };
    Comparison {
        branch: spread(branch),
        control: spread(control),
        detectable: difference.standard_error.map(|error| 5.4 * error),
        difference,
        effect,
        adjusted_p: None,
        verdict,
    }
}

fn scopes(plan: &Plan) -> Vec<Scope> {
    let mut what = vec![What::All, What::Targeted, What::General];
    let domains: BTreeSet<&DomainName> = plan.sources.values().map(|s| &s.domain).collect();
    what.extend(domains.into_iter().map(|name| What::Domain { name: name.clone() }));
    let source = |(name, source): (&SourceName, &sparkjoy_study::PlanSource)| What::Source {
        domain: source.domain.clone(),
        name: name.clone(),
    };
    what.extend(plan.sources.iter().map(source));
    what.into_iter().map(|what| Scope { what, base: None, upsampled: None }).collect()
}

fn members<'a>(plan: &'a Plan, what: &What, targets: &BTreeSet<SourceName>) -> Vec<&'a SourceName> {
    let sources = plan.sources.iter().filter(|(name, source)| match what {
        What::All => true,
        What::Targeted => targets.contains(*name),
        What::General => !targets.contains(*name),
        What::Unseen => source.unseen,
        What::Domain { name: domain } => source.domain == *domain,
        What::Source { name: only, .. } => *name == only,
    });
    sources.map(|(name, _)| name).collect()
}

fn values(plan: &Plan, members: &[&SourceName], runs: &[usize], missing: &str) -> Option<Vec<f64>> {
    if members.is_empty() || runs.iter().any(|&run| plan.branches[run].name == missing) {
        return None;
    }
    let of = |&run: &usize| {
        let scores = members.iter().map(|name| score(plan, &plan.branches[run], name));
        scores.sum::<f64>() / members.len() as f64
    };
    Some(runs.iter().map(of).collect())
}

fn answer(plan: &Plan, question: &QuestionPlan, missing: &str) -> Answer {
    let scopes = scopes(plan);
    let mut controls: Vec<Control> = Vec::new();
    let mut arms = Vec::new();
    for arm in &question.arms {
        let found = controls.iter().position(|control| control.label == arm.control_label);
        let control = found.unwrap_or_else(|| {
            let nothing = BTreeSet::new();
            let cell = |scope: &Scope| {
                let members = members(plan, &scope.what, &nothing);
                values(plan, &members, &arm.controls, missing).map(spread)
            };
            let cells = scopes.iter().map(cell).collect();
            controls.push(Control { label: arm.control_label.clone(), cells });
            controls.len() - 1
        });
        let cell = |scope: &Scope| {
            let members = members(plan, &scope.what, &arm.targets);
            let branch = values(plan, &members, &arm.branches, missing)?;
            Some(comparison(branch, values(plan, &members, &arm.controls, missing)?))
        };
        let cells = scopes.iter().map(cell).collect();
        let (label, targets) = (arm.label.clone(), arm.targets.clone());
        let (role, at, refill) = (arm.role, arm.at, arm.refill.clone());
        arms.push(ArmAnswer { label, role, at, refill, targets, control, cells });
    }
    let tests = 2.0 * arms.len() as f64;
    for cell in arms.iter_mut().flat_map(|arm| &mut arm.cells[1..3]).flatten() {
        let Some(effect) = &cell.effect else { continue };
        let p = (effect.p * tests).min(1.0);
        cell.adjusted_p = Some(p);
        // Two degrees of freedom are too few for a real correction to leave anything: invented.
        cell.verdict = match cell.difference.mean {
            _ if effect.p > 0.02 => Verdict::NotSignificant,
            mean if mean < 0.0 => Verdict::Better,
            _ => Verdict::Worse,
        };
    }
    let effort = |times: u64| {
        let steps = times * plan.steps;
        let tokens = sparkjoy_base::Tokens(steps * plan.tokens_per_step().0);
        sparkjoy_study::Effort {
            steps,
            tokens,
            flops: u128::from(steps) * plan.shape.flops(plan.batch),
        }
    };
    let mut answer = Answer {
        ask: question.ask,
        mixture: question.mixture.clone(),
        replicates: plan.replicates,
        scopes,
        controls,
        arms,
        tasks: Vec::new(),
        findings: Vec::new(),
        front: Vec::new(),
        largest_gain: None,
        ranking: Vec::new(),
        gaps: Vec::new(),
        of: question.of,
        settings: question.settings.clone(),
        holds: Vec::new(),
        unseen: BTreeSet::new(),
        cost: QuestionCost { tree: effort(4), in_full: effort(12) },
    };
    rank(&mut answer, question.ask == Ask::Removal);
    answer
}

fn rank(answer: &mut Answer, removal: bool) {
    let mean =
        |arm: usize, scope: usize| Some(answer.arms[arm].cells[scope].as_ref()?.difference.mean);
    let sure = |arm: &usize| {
        let cell = answer.arms[*arm].cells[1].as_ref();
        cell.is_some_and(|cell| matches!(cell.verdict, Verdict::Better | Verdict::Worse))
    };
    let all = 0..answer.arms.len();
    let own = |arm: &usize| answer.arms[*arm].role == Role::Answer;
    let mut ranking: Vec<usize> = all.clone().filter(own).filter(sure).collect();
    ranking.sort_by(|&a, &b| mean(a, 1).unwrap_or(0.0).total_cmp(&mean(b, 1).unwrap_or(0.0)));
    if removal {
        ranking.reverse();
    }
    let beaten = |arm: usize| {
        let (gain, cost) = (mean(arm, 1), mean(arm, 2));
        all.clone()
            .any(|o| o != arm && mean(o, 1) <= gain && mean(o, 2) <= cost && mean(o, 1).is_some())
    };
    let front: Vec<usize> =
        all.clone().filter(|&arm| mean(arm, 1).is_some() && !beaten(arm)).collect();
    answer.largest_gain = (answer.ask == Ask::Duration).then(|| front.get(1).copied()).flatten();
    answer.findings = vec![
        Finding::Front { arms: front.clone(), of: answer.arms.len() },
        Finding::NoGain { family: Family { of: FamilyKind::HeldOut, comparisons: 4 } },
        Finding::Incomplete { missing: 1, of: answer.arms.len() },
    ];
    (answer.ranking, answer.front) = (ranking, front);
}

/// Answers to a plan; the branch called `missing` is not scored.
pub(crate) fn answers(plan: &Plan, missing: &str) -> Answers {
    let cost = plan.cost();
    let known = plan.branches.iter().any(|branch| branch.name == missing);
    Answers {
        study: plan.name.clone(),
        plan: plan.fingerprint(),
        branches: plan.compared().count(),
        missing: if known { vec![missing.to_owned()] } else { Vec::new() },
        missing_tasks: Vec::new(),
        tasks_without_file: BTreeSet::new(),
        doubtful: Vec::new(),
        split: Vec::new(),
        contamination: None,
        trunk: Vec::new(),
        own_trunks: false,
        confidence: 0.95,
        cost: Cost { tree: cost.tree.tokens, in_full: cost.in_full.tokens },
        computed: vec![Computed {
            kernels: vec!["avx512-bf16".to_owned()],
            branches: plan.branches.iter().map(|branch| branch.name.clone()).collect(),
        }],
        held_out: Vec::new(),
        questions: plan.questions.iter().map(|question| answer(plan, question, missing)).collect(),
    }
}

/// Tasks with names that are no names, and scores of the trunk.
pub(crate) fn with_tasks(mut answers: Answers) -> Answers {
    let names = ["<img src=x onerror=alert(1)>", "mmlu", "gsm8k & co", "gauntlet-v0.3", "arc"];
    for answer in &mut answers.questions {
        for (place, name) in names.into_iter().enumerate() {
            let measure = if place == 3 { Measure::Average } else { Measure::Accuracy };
            let cell = |arm: &ArmAnswer| {
                arm.cells[0].as_ref()?;
                let value = |side: &str, r: u32| {
                    0.3 + 0.01 * noise(&format!("{name}{}{side}{r}", arm.label))
                };
                let values = |side: &str| (0..answer.replicates).map(|r| value(side, r)).collect();
                Some(comparison(values("branch"), values("control")))
            };
            let cells = answer.arms.iter().map(cell).collect();
            answer.tasks.push(TaskAnswer {
                task: name.to_owned(),
                measure,
                tested: place != 3,
                cells,
            });
        }
        answer.arms[0].label.push_str(" <script>");
    }
    answers.trunk = [100, 500, 900]
        .map(|step| TrunkPoint {
            step,
            scores: names
                .iter()
                .map(|name| TrunkScore {
                    task: (*name).to_owned(),
                    measure: match *name {
                        "gauntlet-v0.3" => Measure::Average,
                        _ => Measure::Accuracy,
                    },
                    value: 0.25 + step as f64 * 1e-4 + 0.02 * noise(name),
                })
                .collect(),
        })
        .into();
    answers.contamination = Some(contamination());
    answers
}

/// A source with an item in it, and one that nobody looked at.
fn contamination() -> Checked {
    let task = "gsm8k & co".to_owned();
    let web = CheckedSource {
        allowed: true,
        documents: 1234,
        text_bytes: 5 << 20,
        contaminated: [(task.clone(), 2)].into(),
        examples: Vec::new(),
    };
    let name = |name| SourceName::new(name).unwrap();
    let file = "gsm8k.jsonl".to_owned();
    let rows = Fingerprint::of_bytes(b"rows");
    Checked {
        tasks: vec![CheckedTask { task, file, rows, items: 1319, too_short: 3 }],
        sources: [(name("web"), web)].into(),
        unknown: vec![name("books")],
    }
}

/// Every job of a plan, a minute each.
pub(crate) fn times(plan: &Plan) -> BTreeMap<String, JobTime> {
    let minute = JobTime { seconds: 60.0, steps: 10 };
    let branches = plan.branches.iter().map(|branch| (branch.name.clone(), minute));
    let trunks = plan.branch_points().into_iter().map(|step| (format!("trunk-{step}"), minute));
    branches.chain(trunks).collect()
}
