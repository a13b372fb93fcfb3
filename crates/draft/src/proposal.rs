//! What a study of some sources could look like: model, budget, mixtures, what to remove.
//!
//! Arithmetic over sizes. It proposes what its own plan accepts: every source is drawn in every
//! window and none is read too often in any branch.

use std::collections::{BTreeMap, BTreeSet};

use sparkjoy_base::{DomainName, Ppm, SourceName, Tokens};
use sparkjoy_spec::Shape;

use sparkjoy_study::apportion;

/// Epochs a source may be read at most: repeated up to four times, text is worth about as much as
/// new text (arXiv 2305.16264).
pub(super) const MAX_EPOCHS: f64 = 4.0;
/// What is left of them for counts that are exact, and for those scaled from a sample.
const EPOCHS: f64 = 3.8;
const EPOCHS_ABOUT: f64 = 3.2;
/// Epochs of everything that the budget may come to; twice for the smallest model, which is there
/// for text that is little.
const PASSES: [u64; 2] = [2, 1];
/// What is left of the bulk's share in the upsampled mixture. The paper's: all web text fell from
/// 71 to 30 %.
const BULK_KEEPS: f64 = 0.4;
/// The share of the largest part from which on another one is nearly as large.
const NEARLY: f64 = 0.8;
/// Documents of each source to be scored: intervals about fewer than 30 are unsure, and a sample of
/// sequences may be of fewer than expected.
const SCORED_DOCUMENTS: f64 = 36.0;
/// Times the usual number of held-out tokens that are scored at most for that.
const MORE: u64 = 8;
/// Sequences of each source that the shortest window should draw.
const DRAWN: f64 = 4.0;
/// Sequences a source must have: fewer are read twice where they are drawn as rarely as possible.
const SEQUENCES: u64 = 48;
/// Sequences the shortest window of the smallest study has.
const WINDOW: u64 = 128;
/// Seconds a study should take, and the part of them that is training; the rest is scoring.
const SECONDS: f64 = 3600.0;
const TRAINING: f64 = 0.7;
/// Tokens per parameter below which a model is too large for its text or its time.
const TOKENS_PER_PARAMETER: u64 = 3;
/// Removals at most: each costs three branches.
const REMOVALS: usize = 6;
pub(super) const REPLICATES: u64 = 3;
/// The window of the removals, in percent.
pub(super) const REMOVAL_WINDOW: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rung {
    pub(super) layers: usize,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) context: usize,
    pub(super) batch: u64,
    pub(super) vocab: u32,
    /// Windows of the duration question, in percent, the shortest first.
    pub(super) windows: &'static [u64],
    /// Held-out tokens scored per source, where that is of enough documents.
    held_out: u64,
}

const fn rung(sizes: [usize; 3], context: usize, batch: u64, vocab: u32, held_out: u64) -> Rung {
    let [layers, width, heads] = sizes;
    // Five percent of little text is nothing.
    let windows: &[u64] = if context < 128 { &[10, 20, 30] } else { &[5, 10, 20, 30] };
    Rung { layers, width, heads, context, batch, vocab, windows, held_out }
}

/// From the smallest model to the largest; the third is that of `studies/real-text.toml`.
pub(super) const LADDER: [Rung; 6] = [
    rung([2, 64, 2], 64, 8, 512, 2_000),
    rung([3, 96, 3], 128, 8, 2048, 8_000),
    rung([4, 128, 4], 256, 16, 4096, 16_000),
    rung([4, 192, 6], 256, 16, 4096, 16_000),
    rung([6, 256, 8], 256, 16, 8192, 16_000),
    rung([6, 320, 10], 256, 16, 8192, 16_000),
];

impl Rung {
    /// The model's shape.
    pub(super) fn shape(&self) -> Shape {
        let Self { layers, width, heads, context, .. } = *self;
        let vocab = (self.vocab as usize).next_multiple_of(128);
        Shape { layers, width, heads, context, vocab, clip_qkv: None }
    }

    /// Tokens per step.
    fn step(&self) -> u64 {
        self.batch * self.context as u64
    }

    /// Training tokens of the whole tree for each of the budget.
    fn tree(&self, removals: usize) -> f64 {
        let windows: u64 = self.windows.iter().sum();
        let branches = 2 * REPLICATES * windows + REPLICATES * REMOVAL_WINDOW * removals as u64;
        ((100 - self.windows[0]) + branches) as f64 / 100.0
    }

    /// Tokens that the budget may come to by time, on a machine of so many FLOPs a second.
    fn affordable(&self, flops_per_second: f64, removals: usize) -> u64 {
        let per_token = self.shape().flops(1) as f64 / self.context as f64;
        (flops_per_second / per_token * SECONDS * TRAINING / self.tree(removals)) as u64
    }

    /// The least budget whose shortest window is long enough to be drawn from.
    fn least(&self) -> u64 {
        (WINDOW * 100 / self.windows[0]).next_multiple_of(self.batch) * self.context as u64
    }
}

/// A source as far as a proposal must know it.
#[derive(Clone, Debug)]
pub(super) struct SizedSource {
    pub(super) name: SourceName,
    pub(super) domain: DomainName,
    pub(super) tokens: u64,
    pub(super) held_out: u64,
    /// Documents of held-out text.
    pub(super) held_documents: u64,
    /// Whether they were counted; else they are scaled from a sample.
    pub(super) exact: bool,
}

impl SizedSource {
    fn epochs(&self) -> f64 {
        if self.exact { EPOCHS } else { EPOCHS_ABOUT }
    }
}

/// A study that could be run.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    pub(super) rung: Rung,
    /// Held-out tokens scored per source.
    pub(super) held_out: Tokens,
    /// Tokens of the whole run.
    pub(super) budget: Tokens,
    /// Whether text is what limits the budget; else time.
    pub(super) by_text: bool,
    /// Times the budget reads everything there is.
    pub(super) passes: f64,
    pub(super) base: BTreeMap<SourceName, Ppm>,
    pub(super) upsampled: BTreeMap<SourceName, Ppm>,
    /// The domain of each source.
    pub(super) domains: BTreeMap<SourceName, DomainName>,
    /// The sources that give up their share.
    pub(super) bulk: BTreeSet<SourceName>,
    /// The domain they are, where they are a whole one among several.
    pub(super) bulk_domain: Option<DomainName>,
    /// Sources whose upsampled share their epochs keep down.
    pub(super) capped: BTreeSet<SourceName>,
    /// The domain or source that is nearly as large as the bulk, if there is one.
    pub(super) nearly_bulk: Option<String>,
    /// Sources whose base share is more than their size, so that every window draws from them.
    pub(super) lifted: BTreeSet<SourceName>,
    /// Sources or domains to remove.
    pub(super) removals: Vec<String>,
}

impl Proposal {
    /// What is raised, by domain where a domain is raised whole, and what gives way.
    pub(super) fn goals(&self) -> (Vec<String>, String) {
        let of_domain = |domain: &DomainName| -> Vec<&SourceName> {
            let all = self.domains.iter().filter(|(_, other)| *other == domain);
            all.map(|(name, _)| name).collect()
        };
        let mut raised: Vec<String> = Vec::new();
        for (name, domain) in &self.domains {
            let is_raised = |name: &&SourceName| !self.bulk.contains(*name);
            if self.bulk.contains(name) {
                continue;
            }
            let whole = of_domain(domain).iter().all(is_raised);
            let goal = if whole { domain.to_string() } else { name.to_string() };
            if !raised.contains(&goal) {
                raised.push(goal);
            }
        }
        let first = self.bulk.first().map(ToString::to_string).unwrap_or_default();
        (raised, self.bulk_domain.as_ref().map_or(first, ToString::to_string))
    }
}

/// Why nothing can be proposed, or not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// All text together is too little.
    TooLittle { tokens: u64, needed: u64 },
    /// These are too small beside the others, or at all; without them, something may be proposed.
    TooSmall { names: Vec<SourceName>, needed: u64 },
    /// These are large enough and hold out fewer tokens than `needed`, one sequence.
    HoldOutTooLittle { names: Vec<SourceName>, needed: u64 },
}

/// Proposes a study of `sources` for a machine of so many FLOPs a second.
///
/// # Guarantees
///
/// Both mixtures name every source and sum to exactly one. Every source is drawn in every window.
/// None is read more than [`MAX_EPOCHS`] times in any branch of the questions asked.
///
/// # Errors
///
/// [`Refusal`] with what is missing.
pub(super) fn propose(sources: &[SizedSource], flops_per_second: f64) -> Result<Proposal, Refusal> {
    let tokens: u64 = sources.iter().map(|source| source.tokens).sum();
    let arms = (sources.len() - 1).min(REMOVALS);
    let afforded = |level: usize| LADDER[level].affordable(flops_per_second, arms);
    let fits = |level: &usize| {
        let budget = afforded(*level).min(tokens);
        budget >= TOKENS_PER_PARAMETER * LADDER[*level].shape().parameters()
    };
    let level = (1..LADDER.len()).rev().find(fits).unwrap_or(0);
    let rung = LADDER[level];
    let there = tokens * PASSES[level.min(1)];
    let least = rung.least();
    if there < least {
        let needed = least.div_ceil(PASSES[level.min(1)]);
        return Err(Refusal::TooLittle { tokens, needed });
    }
    // A machine so slow that an hour is too little gets the least there is.
    let budget = round(there.min(afforded(level)).max(least)).max(least);
    let context = rung.context as u64;
    let needed = SEQUENCES * context;
    let which = |short: fn(&SizedSource, u64) -> bool, needed| -> Vec<SourceName> {
        sources.iter().filter(|s| short(s, needed)).map(|s| s.name.clone()).collect()
    };
    let names = which(|source, needed| source.tokens < needed, needed);
    if !names.is_empty() {
        return Err(Refusal::TooSmall { names, needed });
    }
    let names = which(|source, needed| source.held_out < needed, context);
    if !names.is_empty() {
        return Err(Refusal::HoldOutTooLittle { names, needed: context });
    }

    let slots = (budget / rung.step() * rung.batch) as f64;
    let floor = DRAWN / (slots * rung.windows[0] as f64 / 100.0);
    let (shares, lifted) = by_size(sources, floor).ok_or_else(|| {
        let smallest = sources.iter().min_by_key(|source| source.tokens).expect("there are some");
        let needed = (floor * tokens as f64) as u64;
        Refusal::TooSmall { names: vec![smallest.name.clone()], needed }
    })?;
    let bulk_domain = bulk_domain(sources);
    let largest = sources.iter().max_by_key(|source| source.tokens).expect("there are some");
    let is_bulk = |source: &SizedSource| match &bulk_domain {
        Some(domain) => source.domain == *domain,
        None => source.name == largest.name,
    };
    let bulk: Vec<bool> = sources.iter().map(is_bulk).collect();
    let removals = removals(sources, &bulk);
    let limits = Limits { sources, base: &shares, bulk: &bulk, removals: &removals, slots, rung };
    let (raised, capped) = limits.raise(floor);
    let named = |shares: &[f64]| mixture(sources, shares);
    let names = |chosen: &[bool]| {
        let chosen = sources.iter().zip(chosen).filter(|(_, chosen)| **chosen);
        chosen.map(|(source, _)| source.name.clone()).collect()
    };
    Ok(Proposal {
        rung,
        held_out: Tokens(held_out(&rung, sources)),
        budget: Tokens(budget),
        by_text: there <= afforded(level),
        passes: budget as f64 / tokens as f64,
        base: named(&shares),
        upsampled: named(&raised),
        domains: sources.iter().map(|it| (it.name.clone(), it.domain.clone())).collect(),
        bulk: names(&bulk),
        nearly_bulk: nearly_bulk(sources, &bulk),
        bulk_domain,
        capped: names(&capped),
        lifted: names(&lifted),
        removals: removals.into_iter().map(|(name, _)| name).collect(),
    })
}

/// Held-out tokens to score: the rung's, or more, so that every source that has enough documents
/// is scored on enough of them.
///
/// Of `documents` of equal length, `sequences` of all that there are leave out each with a
/// probability of (1 − part)^(sequences of a document).
fn held_out(rung: &Rung, sources: &[SizedSource]) -> u64 {
    let context = rung.context as u64;
    let needed = |source: &SizedSource| {
        let all = source.held_out / context;
        let documents = source.held_documents.min(all) as f64;
        let enough = |sequences: &u64| {
            let part = *sequences as f64 / all as f64;
            documents * (1.0 - (1.0 - part).powf(all as f64 / documents)) >= SCORED_DOCUMENTS
        };
        let most = all.min(MORE * rung.held_out / context);
        (rung.held_out / context..=most).find(enough).unwrap_or(0) * context
    };
    let needed = sources.iter().map(needed).max().unwrap_or(0);
    // Two digits, upwards.
    let unit = 10_u64.pow(needed.max(10).ilog10() - 1);
    needed.div_ceil(unit).saturating_mul(unit).max(rung.held_out)
}

/// Two digits, downwards: what is measured is not known better.
fn round(tokens: u64) -> u64 {
    let unit = 10_u64.pow(tokens.max(10).ilog10() - 1);
    tokens / unit * unit
}

/// Shares by size, none below `floor`, and which were lifted to it; `None` where that would be
/// half of the mixture.
fn by_size(sources: &[SizedSource], floor: f64) -> Option<(Vec<f64>, Vec<bool>)> {
    let mut lifted = vec![false; sources.len()];
    loop {
        let count = lifted.iter().filter(|&&lifted| lifted).count() as f64;
        let left = 1.0 - count * floor;
        if left < 0.5 {
            return None;
        }
        let free = sources.iter().zip(&lifted).filter(|(_, lifted)| !**lifted);
        let size: f64 = free.map(|(source, _)| source.tokens as f64).sum();
        let share = |source: &SizedSource| left * source.tokens as f64 / size;
        let below: Vec<usize> =
            (0..sources.len()).filter(|&i| !lifted[i] && share(&sources[i]) < floor).collect();
        if below.is_empty() {
            let shares = sources.iter().zip(&lifted);
            let shares = shares.map(|(s, &lifted)| if lifted { floor } else { share(s) }).collect();
            return Some((shares, lifted));
        }
        for i in below {
            lifted[i] = true;
        }
    }
}

/// The largest domain, where there are several.
fn bulk_domain(sources: &[SizedSource]) -> Option<DomainName> {
    let mut sizes: BTreeMap<&DomainName, u64> = BTreeMap::new();
    for source in sources {
        *sizes.entry(&source.domain).or_default() += source.tokens;
    }
    let largest = sizes.iter().max_by_key(|(_, size)| **size).map(|(domain, _)| (*domain).clone());
    largest.filter(|_| sizes.len() > 1)
}

/// The largest part outside the bulk, a domain where the bulk is one, if it is nearly as large:
/// then size says little about which should give way.
fn nearly_bulk(sources: &[SizedSource], bulk: &[bool]) -> Option<String> {
    let parts = |is_bulk| sources.iter().zip(bulk).filter(move |(_, bulk)| **bulk == is_bulk);
    let of_bulk: u64 = parts(true).map(|(source, _)| source.tokens).sum();
    let in_domains = sources.iter().any(|source| source.domain != sources[0].domain);
    let mut others: BTreeMap<&str, u64> = BTreeMap::new();
    for (source, _) in parts(false) {
        let part = if in_domains { source.domain.as_str() } else { source.name.as_str() };
        *others.entry(part).or_default() += source.tokens;
    }
    let (name, second) = others.into_iter().max_by_key(|(_, size)| *size)?;
    (second as f64 >= NEARLY * of_bulk as f64).then(|| name.to_owned())
}

/// What is removed: each source outside the bulk, or each domain where that are fewer, with the
/// sources it means.
fn removals(sources: &[SizedSource], bulk: &[bool]) -> Vec<(String, Vec<usize>)> {
    let mut others: Vec<usize> = (0..sources.len()).filter(|&i| !bulk[i]).collect();
    let mut domains: BTreeMap<&DomainName, Vec<usize>> = BTreeMap::new();
    for &i in &others {
        domains.entry(&sources[i].domain).or_default().push(i);
    }
    let named = |i: usize| (sources[i].name.to_string(), vec![i]);
    if others.len() <= REMOVALS || domains.len() == 1 {
        others.sort_by_key(|&i| std::cmp::Reverse(sources[i].tokens));
        others.truncate(REMOVALS);
        others.sort_unstable();
        return others.into_iter().map(named).collect();
    }
    let mut domains: Vec<_> = domains.into_iter().collect();
    let size = |members: &[usize]| members.iter().map(|&i| sources[i].tokens).sum::<u64>();
    domains.sort_by_key(|(_, members)| std::cmp::Reverse(size(members)));
    domains.truncate(REMOVALS);
    domains.sort();
    domains.into_iter().map(|(domain, members)| (domain.to_string(), members)).collect()
}

/// What there is to draw from while shares are raised.
struct Limits<'a> {
    sources: &'a [SizedSource],
    base: &'a [f64],
    bulk: &'a [bool],
    removals: &'a [(String, Vec<usize>)],
    /// Sequences the whole run draws.
    slots: f64,
    rung: Rung,
}

impl Limits<'_> {
    /// The upsampled shares, and which sources their epochs keep down.
    fn raise(&self, floor: f64) -> (Vec<f64>, Vec<bool>) {
        let mut most: Vec<f64> = self.base.iter().map(|_| 1.0).collect();
        loop {
            let (shares, capped) = self.fill(&most, floor);
            let fits: Vec<f64> = (0..shares.len()).map(|i| self.fits(i, &shares)).collect();
            let over = |&i: &usize| shares[i] > fits[i] && shares[i] > self.base[i];
            let over: Vec<usize> = (0..shares.len()).filter(over).collect();
            if over.is_empty() {
                return (shares, capped);
            }
            // A hundredth more than needed: what one gives up raises the others, and their removal
            // then frees more for this one.
            for i in over {
                most[i] = self.base[i].max(0.99 * fits[i]);
            }
        }
    }

    /// Sequences of a source that may be drawn.
    fn may_draw(&self, i: usize) -> f64 {
        let source = &self.sources[i];
        source.epochs() * (source.tokens / self.rung.context as u64) as f64
    }

    /// The largest share of a source with which no branch reads it too often.
    fn fits(&self, i: usize, shares: &[f64]) -> f64 {
        // The run draws (1 − w)·base + w·share of its slots.
        let fits = |window: u64, refill: f64| {
            let window = window as f64 / 100.0;
            (self.may_draw(i) / self.slots - (1.0 - window) * self.base[i]) / window * refill
        };
        let windows = self.rung.windows.iter().map(|&window| fits(window, 1.0));
        let refilled = self.removals.iter().filter(|(_, removed)| !removed.contains(&i));
        let refilled = refilled.map(|(_, removed)| {
            let left = 1.0 - removed.iter().map(|&r| shares[r]).sum::<f64>();
            fits(REMOVAL_WINDOW, left)
        });
        windows.chain(refilled).fold(f64::INFINITY, f64::min)
    }

    /// Raises all others by one factor with the share the bulk frees, none past `most`; what
    /// nobody can take stays with the bulk.
    fn fill(&self, most: &[f64], floor: f64) -> (Vec<f64>, Vec<bool>) {
        let count = self.base.len();
        let bulk: f64 = (0..count).filter(|&i| self.bulk[i]).map(|i| self.base[i]).sum();
        let bulk_least: f64 = (0..count).filter(|&i| self.bulk[i]).map(|_| floor).sum();
        let target = 1.0 - (BULK_KEEPS * bulk).max(bulk_least.min(bulk));
        let mut capped = vec![false; count];
        let mut shares = self.base.to_vec();
        loop {
            let others = || (0..count).filter(|&i| !self.bulk[i]);
            let fixed: f64 = others().filter(|&i| capped[i]).map(|i| most[i]).sum();
            let free: f64 = others().filter(|&i| !capped[i]).map(|i| self.base[i]).sum();
            let factor = if free > 0.0 { (target - fixed) / free } else { 1.0 };
            for i in others() {
                shares[i] = if capped[i] { most[i] } else { factor * self.base[i] };
            }
            let over: Vec<usize> =
                others().filter(|&i| !capped[i] && shares[i] > most[i]).collect();
            if over.is_empty() {
                let left = 1.0 - others().map(|i| shares[i]).sum::<f64>();
                self.keep(left, floor, &mut shares);
                return (shares, capped);
            }
            for i in over {
                capped[i] = true;
            }
        }
    }

    /// Gives the bulk `left`, by its sources' base shares, none below `floor`.
    fn keep(&self, left: f64, floor: f64, shares: &mut [f64]) {
        let bulk: Vec<usize> = (0..shares.len()).filter(|&i| self.bulk[i]).collect();
        let mut low: BTreeSet<usize> = BTreeSet::new();
        loop {
            let least = |i: usize| floor.min(self.base[i]);
            let fixed: f64 = low.iter().map(|&i| least(i)).sum();
            let base: f64 = bulk.iter().filter(|i| !low.contains(i)).map(|&i| self.base[i]).sum();
            for &i in &bulk {
                let share = if base > 0.0 { (left - fixed) * self.base[i] / base } else { 0.0 };
                shares[i] = if low.contains(&i) { least(i) } else { share };
            }
            let below: Vec<usize> = bulk
                .iter()
                .copied()
                .filter(|&i| !low.contains(&i) && shares[i] < least(i) * (1.0 - 1e-9))
                .collect();
            if below.is_empty() {
                return;
            }
            low.extend(below);
        }
    }
}

/// Shares as parts per million that sum to exactly one.
fn mixture(sources: &[SizedSource], shares: &[f64]) -> BTreeMap<SourceName, Ppm> {
    let weight = |share: f64| (share * 1e15) as u64;
    let weights = sources.iter().zip(shares);
    apportion(Ppm::ONE, &weights.map(|(s, &share)| (s.name.clone(), weight(share))).collect())
}
