//! The numbers of a plan as they are shown: sums over branches, costs, what is done.

use std::collections::BTreeMap;

use serde::Serialize;
use sparkjoy_base::{DomainName, Fingerprint, SourceName, Tokens};
use sparkjoy_lab::{Account, Branch, JobState, Plan, TreeCost};
use sparkjoy_mix::{MixError, Mixture};
use sparkjoy_nn::Throughput;

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
    /// Training steps of the tree that are not taken yet.
    pub(super) steps_left: u64,
    /// The mixtures of the study, then those that removals make of them.
    pub(super) mixtures: Vec<(String, &'a Mixture)>,
    /// The trunk to the end, then each branch that does not keep its mixture.
    pub(super) columns: Vec<Column>,
    /// Branches, replicates together.
    pub(super) groups: Vec<Group<'a>>,
    pub(super) trunk_state: Progress,
    /// Every job by the name `run --job` takes, each after those it needs.
    pub(super) jobs: Vec<Job>,
    /// The plan itself, every number of it.
    pub(super) plan: &'a Plan,
}

/// A job and how far it is.
#[derive(Debug, Serialize)]
pub(super) struct Job {
    pub(super) name: String,
    pub(super) state: JobState,
}

/// Branches that differ in nothing but the replicate.
#[derive(Debug, Serialize)]
pub(super) struct Group<'a> {
    pub(super) label: &'a str,
    pub(super) window: &'a str,
    pub(super) steps: u64,
    pub(super) replicates: usize,
    /// Tokens of the window read for the first time, and those read before.
    pub(super) fresh: u64,
    pub(super) repeated: u64,
    pub(super) state: Progress,
}

/// What is read in a whole run, trunk and window together.
#[derive(Debug, Serialize)]
pub(super) struct Column {
    pub(super) label: String,
    pub(super) window: String,
    pub(super) sources: BTreeMap<SourceName, Read>,
    pub(super) domains: BTreeMap<DomainName, u64>,
}

/// What is read of one source.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Read {
    pub(super) tokens: u64,
    pub(super) epochs: f64,
}

/// How far some jobs have come.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Progress {
    pub(super) jobs: usize,
    pub(super) done: usize,
    pub(super) begun: usize,
}

impl<'a> Facts<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        states: Vec<(String, JobState)>,
        speed: Throughput,
        memory: Memory,
    ) -> Result<Self, MixError> {
        let jobs = states.iter().cloned().map(|(name, state)| Job { name, state }).collect();
        let states: BTreeMap<String, JobState> = states.into_iter().collect();
        let trunk = states.iter().filter(|(name, _)| name.starts_with("trunk"));
        Ok(Self {
            fingerprint: plan.fingerprint(),
            tokens_per_step: plan.tokens_per_step().0,
            flops_per_step: plan.shape.flops(plan.batch),
            speed,
            cost: plan.cost(),
            memory,
            steps_left: steps_left(plan, &states),
            mixtures: mixtures(plan),
            columns: columns(plan)?,
            groups: groups(plan, &states),
            trunk_state: Progress::of(trunk.map(|(_, state)| *state)),
            jobs,
            plan,
        })
    }

    /// Seconds for some steps on this machine.
    pub(super) fn seconds(&self, steps: u64) -> f64 {
        (steps * self.tokens_per_step) as f64 / self.speed.tokens_per_second
    }

    /// FLOPs of some steps.
    pub(super) fn flops(&self, steps: u64) -> f64 {
        self.flops_per_step as f64 * steps as f64
    }
}

impl Progress {
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

/// Training steps that jobs in these states still take.
fn steps_left(plan: &Plan, states: &BTreeMap<String, JobState>) -> u64 {
    let left = |name: &str, from: u64, to: u64| match states.get(name) {
        Some(JobState::Done) => 0,
        Some(JobState::Begun { step }) => to - step,
        Some(JobState::Missing) | None => to - from,
    };
    let points = plan.branch_points();
    let starts = std::iter::once(0).chain(points.iter().copied());
    let trunk = starts.zip(&points).map(|(from, &to)| left(&format!("trunk-{to}"), from, to));
    let ends = plan.branches.iter().map(|b| (b, b.from_step + b.window_steps));
    let branches = ends.map(|(branch, end)| left(&branch.name, branch.from_step, end));
    trunk.chain(branches).sum()
}

fn groups<'a>(plan: &'a Plan, states: &BTreeMap<String, JobState>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for branches in together(plan) {
        let first = branches[0];
        let sum = |count: fn(&Account) -> Tokens| first.accounts.values().map(|a| count(a).0).sum();
        let states = branches.iter().filter_map(|b| states.get(&b.name).copied());
        groups.push(Group {
            label: &first.label,
            window: &first.window,
            steps: first.window_steps,
            replicates: branches.len(),
            fresh: sum(|account| account.fresh),
            repeated: sum(|account| account.repeated),
            state: Progress::of(states),
        });
    }
    groups
}

/// The branches of a plan in its order, those that differ only in their replicate together.
fn together(plan: &Plan) -> Vec<Vec<&Branch>> {
    let mut groups: Vec<Vec<&Branch>> = Vec::new();
    for branch in &plan.branches {
        let same = |group: &&mut Vec<&Branch>| {
            let first = group[0];
            (&first.label, first.from_step, first.window_steps)
                == (&branch.label, branch.from_step, branch.window_steps)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(branch),
            None => groups.push(vec![branch]),
        }
    }
    groups
}

fn mixtures(plan: &Plan) -> Vec<(String, &Mixture)> {
    let mut mixtures: Vec<_> = plan.mixtures.iter().map(|(name, m)| (name.clone(), m)).collect();
    for branch in &plan.branches {
        let mixture = &branch.spec.phases[0].mixture;
        if mixtures.iter().all(|(_, known)| *known != mixture) {
            mixtures.push((branch.label.clone(), mixture));
        }
    }
    mixtures
}

/// Whole runs, the shortest window first.
fn columns(plan: &Plan) -> Result<Vec<Column>, MixError> {
    let base = &plan.trunk.phases[0].mixture;
    let mut columns = vec![trunk_to_the_end(plan)?];
    let mut groups = together(plan);
    groups.sort_by_key(|branches| (branches[0].window_steps, &branches[0].label));
    for branches in groups {
        let branch = branches[0];
        if branch.spec.phases[0].mixture != *base {
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
    let order = plan.trunk.order()?;
    let ledger = order.ledger_at(order.slots());
    let context = plan.shape.context as u64;
    let read = plan.sources.iter().map(|(name, source)| {
        let drawn = ledger.drawn(name);
        let epochs = drawn as f64 / source.supply.sequences as f64;
        (name.clone(), Read { tokens: drawn * context, epochs })
    });
    Ok(Column::new(plan, "base", "0%", read.collect()))
}

impl Column {
    fn new(plan: &Plan, label: &str, window: &str, sources: BTreeMap<SourceName, Read>) -> Self {
        let mut domains = BTreeMap::new();
        for (name, source) in &plan.sources {
            let tokens = sources.get(name).map_or(0, |read| read.tokens);
            *domains.entry(source.domain.clone()).or_default() += tokens;
        }
        Self { label: label.to_owned(), window: window.to_owned(), sources, domains }
    }
}
