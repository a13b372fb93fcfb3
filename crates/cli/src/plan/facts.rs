//! The numbers of a plan as they are shown: sums over branches, costs, what is done.

use std::collections::BTreeMap;

use serde::Serialize;
use sparkjoy_answers::{Checked, Power};
use sparkjoy_base::{DomainName, Fingerprint, SourceName, Tokens};
use sparkjoy_jobs::{ChangedSetting, JobKind, JobRun, JobState, PlannedJob};
use sparkjoy_mix::{MixError, Mixture};
use sparkjoy_nn::Throughput;
use sparkjoy_study::{Branch, Effort, Plan, SourceTokens, TimeEstimate, TreeCost};

use super::memory::Memory;

/// Everything `plan` shows.
#[derive(Debug, Serialize)]
pub(super) struct Facts<'a> {
    pub(super) fingerprint: Fingerprint,
    pub(super) tokens_per_step: u64,
    pub(super) flops_per_step: u128,
    /// What this machine makes of the model.
    pub(super) speed: Throughput,
    pub(super) cost: TreeCost,
    pub(super) memory: Memory,
    /// Training of the tree that is not done yet.
    pub(super) left: Effort,
    /// Seconds on this machine: of everything, and of what is not done yet.
    pub(super) time: TimeEstimate,
    pub(super) time_left: TimeEstimate,
    /// The mixtures of the study, then those that removals make of them.
    pub(super) mixtures: Vec<(String, &'a Mixture)>,
    /// The trunk to the end, then each branch that does not keep its mixture.
    pub(super) columns: Vec<Column>,
    /// Branches, replicates together.
    pub(super) groups: Vec<Group<'a>>,
    pub(super) trunk_state: JobsDone,
    /// Every job by the name `run --job` takes, each after those it needs.
    pub(super) jobs: Vec<Job>,
    /// The plan itself, every number of it.
    pub(super) plan: &'a Plan,
    /// Its minimum detectable effects.
    pub(super) power: Option<Power>,
    /// Whether items of its tasks stand in its training text, where it has tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contamination: Option<Checked>,
    /// What `run` would refuse before its first step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<Refused>,
    /// Settings that make what was trained before under this name unusable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) changed: Vec<ChangedSetting>,
}

/// Why a study cannot be run as it is, and what to do.
#[derive(Debug, Serialize)]
pub(super) struct Refused {
    pub(super) text: String,
    pub(super) hint: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Job {
    #[serde(flatten)]
    pub(super) planned: PlannedJob,
    /// Bytes of memory it takes at its peak, where it trains.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
    pub(super) state: JobState,
}

/// Branches that differ in nothing but the replicate.
#[derive(Debug, Serialize)]
pub(super) struct Group<'a> {
    pub(super) label: String,
    /// The names of the branches.
    pub(super) names: Vec<String>,
    pub(super) window: &'a str,
    /// Of each branch.
    pub(super) steps: u64,
    /// Of all replicates together.
    pub(super) effort: Effort,
    pub(super) replicates: usize,
    /// Tokens of the window read for the first time, and those read before.
    pub(super) fresh: u64,
    pub(super) repeated: u64,
    pub(super) state: JobsDone,
    /// Scoring of their ends, on held-out text and on tasks.
    pub(super) scoring: JobsDone,
}

/// What is read in a whole run, trunk and window together.
#[derive(Debug, Serialize)]
pub(super) struct Column {
    pub(super) label: String,
    pub(super) window: String,
    pub(super) sources: BTreeMap<SourceName, Read>,
    pub(super) domains: BTreeMap<DomainName, u64>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Read {
    pub(super) tokens: u64,
    pub(super) epochs: f64,
}

/// How far some jobs have come.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct JobsDone {
    pub(super) jobs: usize,
    pub(super) done: usize,
    pub(super) begun: usize,
}

impl<'a> Facts<'a> {
    /// - `jobs`: each with its state.
    pub(super) fn new(
        plan: &'a Plan,
        jobs: Vec<(PlannedJob, JobState)>,
        speed: Throughput,
        memory: Memory,
    ) -> Result<Self, MixError> {
        let jobs: Vec<Job> = jobs
            .into_iter()
            .map(|(planned, state)| {
                let trains = matches!(planned.kind, JobKind::Train { .. });
                Job { memory: trains.then_some(memory.run), planned, state }
            })
            .collect();
        let trunk = trains(&jobs).filter(|job| matches!(job.planned.run, JobRun::Trunk(_)));
        let left = left(plan, &jobs);
        let time_left = plan.time(left, to_score(plan, &jobs), speed);
        Ok(Self {
            fingerprint: plan.fingerprint(),
            tokens_per_step: plan.tokens_per_step().0,
            flops_per_step: plan.shape.flops(plan.batch),
            speed,
            cost: plan.cost(),
            memory,
            left,
            time: plan.whole_time(speed),
            time_left,
            mixtures: mixtures(plan),
            columns: columns(plan)?,
            groups: groups(plan, &jobs),
            trunk_state: JobsDone::of(trunk.map(|job| job.state)),
            jobs,
            plan,
            power: None,
            contamination: None,
            refused: None,
            changed: Vec::new(),
        })
    }

    /// Seconds for some training on this machine.
    pub(super) fn seconds(&self, effort: Effort) -> f64 {
        self.plan.time(effort, std::iter::empty(), self.speed).training
    }
}

impl JobsDone {
    fn of(states: impl Iterator<Item = JobState>) -> Self {
        let mut progress = Self::default();
        for state in states {
            progress.jobs += 1;
            match state {
                JobState::Missing => {}
                JobState::Begun { .. } => progress.begun += 1,
                JobState::Done => progress.done += 1,
            }
        }
        progress
    }
}

fn trains(jobs: &[Job]) -> impl Iterator<Item = &Job> {
    jobs.iter().filter(|job| matches!(job.planned.kind, JobKind::Train { .. }))
}

/// Branches that are not scored on held-out text.
fn to_score<'a>(plan: &'a Plan, jobs: &[Job]) -> impl Iterator<Item = &'a Branch> {
    let scores = jobs.iter().filter(|job| job.planned.kind == JobKind::Score);
    let left = scores.filter(|job| job.state != JobState::Done);
    left.filter_map(|job| match job.planned.run {
        JobRun::Branch(branch) => Some(&plan.branches[branch]),
        JobRun::Trunk(_) | JobRun::None => None,
    })
}

/// Training that jobs in these states still take.
fn left(plan: &Plan, jobs: &[Job]) -> Effort {
    trains(jobs).fold(Effort::default(), |sum, job| {
        let JobKind::Train { from, to } = job.planned.kind else { return sum };
        let steps = match job.state {
            JobState::Done => 0,
            JobState::Begun { step } => to - step,
            JobState::Missing => to - from,
        };
        let spec = match job.planned.run {
            JobRun::Trunk(trunk) => &plan.trunks[trunk].spec,
            JobRun::Branch(branch) => &plan.branches[branch].spec,
            JobRun::None => return sum,
        };
        Effort {
            steps: sum.steps + steps,
            tokens: Tokens(sum.tokens.0 + steps * spec.tokens_per_step()),
            flops: sum.flops + u128::from(steps) * spec.model.flops(plan.batch),
        }
    })
}

fn groups<'a>(plan: &'a Plan, jobs: &[Job]) -> Vec<Group<'a>> {
    let state = |branch: &Branch| {
        trains(jobs).find(|job| job.planned.name == branch.name).map(|job| job.state)
    };
    let scoring = |group: &[&Branch]| {
        let is_one = |job: &&Job| match job.planned.run {
            JobRun::Branch(branch) => {
                group.iter().any(|other| other.name == plan.branches[branch].name)
            }
            JobRun::Trunk(_) | JobRun::None => false,
        };
        let scores = |job: &&Job| !matches!(job.planned.kind, JobKind::Train { .. });
        JobsDone::of(jobs.iter().filter(scores).filter(is_one).map(|job| job.state))
    };
    let mut groups: Vec<Group<'a>> = Vec::new();
    for branches in plan.groups() {
        let first = branches[0];
        let sum =
            |count: fn(&SourceTokens) -> Tokens| first.accounts.values().map(|a| count(a).0).sum();
        let steps = first.window_steps * branches.len() as u64;
        groups.push(Group {
            label: label(plan, first),
            names: branches.iter().map(|branch| branch.name.clone()).collect(),
            window: &first.window,
            steps: first.window_steps,
            effort: Effort {
                steps,
                tokens: Tokens(steps * first.spec.tokens_per_step()),
                flops: u128::from(steps) * first.spec.model.flops(plan.batch),
            },
            replicates: branches.len(),
            fresh: sum(|account| account.fresh),
            repeated: sum(|account| account.repeated),
            state: JobsDone::of(branches.iter().filter_map(|branch| state(branch))),
            scoring: scoring(&branches),
        });
    }
    groups
}

/// What a branch is called, with the model it is of where that is not the study's own.
fn label(plan: &Plan, branch: &Branch) -> String {
    match branch.trunk {
        0 => branch.label.clone(),
        other => format!("{} ({})", branch.label, plan.trunks[other].label),
    }
}

fn mixtures(plan: &Plan) -> Vec<(String, &Mixture)> {
    let mut mixtures: Vec<_> = plan.mixtures.iter().map(|(name, m)| (name.clone(), m)).collect();
    for branch in &plan.branches {
        let mixture = branch.mixture();
        if mixtures.iter().all(|(_, known)| *known != mixture) {
            mixtures.push((branch.label.clone(), mixture));
        }
    }
    mixtures
}

/// Whole runs, the shortest window first.
fn columns(plan: &Plan) -> Result<Vec<Column>, MixError> {
    let base = &plan.trunk().phases[0].mixture;
    let mut columns = vec![trunk_to_the_end(plan)?];
    let mut groups = plan.groups();
    groups.sort_by_key(|branches| (branches[0].window_steps, &branches[0].label));
    for branches in groups {
        let branch = branches[0];
        // Of another size it reads the same.
        let reads_more = branch.spec.phases.iter().any(|phase| phase.mixture != *base);
        if branch.trunk == 0 && branch.compared && reads_more {
            let accounts = branch.accounts.iter();
            let read = accounts.map(|(name, account)| {
                let tokens = account.trunk.0 + account.branch.0;
                (name.clone(), Read { tokens, epochs: account.epochs })
            });
            columns.push(Column::new(plan, &branch.label, &branch.window, read.collect()));
        }
    }
    Ok(columns)
}

/// What the run would read without any branch.
fn trunk_to_the_end(plan: &Plan) -> Result<Column, MixError> {
    let order = plan.trunk().order()?;
    let ledger = order.ledger_at(order.slots());
    let context = plan.shape.context as u64;
    let read = plan.seen().map(|(name, source)| {
        let drawn = ledger.drawn(name);
        let epochs = drawn as f64 / source.identity.sequences as f64;
        (name.clone(), Read { tokens: drawn * context, epochs })
    });
    Ok(Column::new(plan, "base", "0%", read.collect()))
}

impl Column {
    fn new(plan: &Plan, label: &str, window: &str, sources: BTreeMap<SourceName, Read>) -> Self {
        let mut domains = BTreeMap::new();
        for (name, source) in plan.seen() {
            let tokens = sources.get(name).map_or(0, |read| read.tokens);
            *domains.entry(source.domain.clone()).or_default() += tokens;
        }
        Self { label: label.to_owned(), window: window.to_owned(), sources, domains }
    }
}
