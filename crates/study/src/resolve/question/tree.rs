//! The branches of a plan as they are found, each planned once.

use std::collections::BTreeMap;

use sparkjoy_base::toml_file::Placed;
use sparkjoy_base::{Fingerprint, Problem, Seed, SourceName};
use sparkjoy_mix::{Ledger, MixError, Mixture, Order, Phase};
use sparkjoy_spec::{Anneal, RunSpec, Shape, Start};

use super::continuation::Continuation;
use crate::plan::accounts;
use crate::plan::{Branch, PlanSource, QuestionPlan, Trunk};
use crate::resolve::import::before_import;
use crate::resolve::{check_shape, sources_of};
use crate::written::{Rate, Size, Study};

/// The branches of a plan as they are found.
pub(crate) struct BranchTree<'a> {
    pub(super) study: &'a Study,
    pub(super) sources: &'a BTreeMap<SourceName, PlanSource>,
    pub(super) mixtures: &'a BTreeMap<String, Mixture>,
    /// The study's own, then those of other model sizes.
    trunks: Vec<Root>,
    /// The trunk that branches grow on at the moment.
    current: usize,
    branches: Vec<Branch>,
    by_spec: BTreeMap<Fingerprint, usize>,
}

/// A trunk, ready to be branched from.
struct Root {
    trunk: Trunk,
    /// First part of the names of its branches: nothing for the study's own.
    prefix: String,
    identity: Fingerprint,
    order: Order,
}

impl<'a> BranchTree<'a> {
    /// A trunk without branches.
    pub(crate) fn new(
        study: &'a Study,
        sources: &'a BTreeMap<SourceName, PlanSource>,
        mixtures: &'a BTreeMap<String, Mixture>,
        trunk: &RunSpec,
    ) -> Result<Self, Problem> {
        let order = trunk.order();
        let order = order.map_err(|why| unordered(study, study.trunk.line, "the trunk", &why))?;
        let identity = trunk.fingerprint();
        let trunk = Trunk {
            name: "trunk".to_owned(),
            label: study.model.size().to_string(),
            spec: trunk.clone(),
        };
        let root = Root { trunk, prefix: String::new(), identity, order };
        Ok(Self {
            study,
            sources,
            mixtures,
            trunks: vec![root],
            current: 0,
            branches: vec![],
            by_spec: BTreeMap::new(),
        })
    }

    /// The trunks, and the branches sorted so that none comes before the one it goes
    /// on from; the questions with their indices moved along.
    pub(crate) fn sorted(
        self,
        mut questions: Vec<QuestionPlan>,
    ) -> (Vec<Trunk>, Vec<Branch>, Vec<QuestionPlan>) {
        let mut numbered: Vec<(usize, Branch)> = self.branches.into_iter().enumerate().collect();
        // The order of versions before: it is that of reports.
        let key = |branch: &Branch| {
            let name = branch.former_name.as_ref().unwrap_or(&branch.name);
            (branch.trunk, branch.from_step, name.clone())
        };
        numbered.sort_by_cached_key(|(_, branch)| key(branch));
        let mut moved = vec![0; numbered.len()];
        for (new, (old, _)) in numbered.iter().enumerate() {
            moved[*old] = new;
        }
        for arm in questions.iter_mut().flat_map(|question| &mut question.arms) {
            for index in arm.branches.iter_mut().chain(&mut arm.controls) {
                *index = moved[*index];
            }
        }
        let mut branches: Vec<Branch> = numbered.into_iter().map(|(_, branch)| branch).collect();
        for branch in &mut branches {
            branch.after = branch.after.map(|after| moved[after]);
        }
        for arm in questions.iter().flat_map(|question| &question.arms) {
            for &index in arm.branches.iter().chain(&arm.controls) {
                branches[index].compared = true;
            }
        }
        number_groups(&mut branches, self.study.training.own_trunks);
        let trunks = self.trunks.into_iter().map(|root| root.trunk).collect();
        (trunks, branches, questions)
    }

    /// Does something on a trunk of another model size.
    pub(super) fn on_size<T>(
        &mut self,
        size: &Placed<Size>,
        grow: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let Size { layers, width, heads } = size.value;
        let own = &self.trunks[0].trunk.spec;
        let shape = Shape { layers, width, heads, ..*own.model.shape() };
        check_shape(self.study, &shape, size.line)?;
        let known = self.trunks.iter().position(|root| *root.trunk.spec.model.shape() == shape);
        let before = self.current;
        self.current = match known {
            Some(known) => known,
            None if matches!(own.start, Start::Imported { .. }) => {
                let text = "a trunk of another size is asked for, but the study's trunk was trained \
                            elsewhere";
                let hint = "write a study of its own for each size, each with its own `from`; or \
                            leave `from` out, and all trunks are trained here";
                return Err(self.study.problem(size.line, text).with_hint(hint));
            }
            None => {
                let prefix = format!("l{layers}-w{width}-h{heads}-");
                let trunk = Trunk {
                    name: format!("{prefix}trunk"),
                    label: size.value.to_string(),
                    spec: RunSpec { model: shape.into(), ..own.clone() },
                };
                let order = self.trunks[0].order.clone();
                let identity = trunk.spec.fingerprint();
                self.trunks.push(Root { trunk, prefix, identity, order });
                self.trunks.len() - 1
            }
        };
        let result = grow(self);
        self.current = before;
        result
    }

    /// One run per replicate that takes a continuation, each planned once.
    pub(super) fn grow(&mut self, continuation: &Continuation) -> Result<Vec<usize>, Problem> {
        let replicates = 0..self.study.training.replicates;
        let before = self.current;
        let mut branches = Vec::new();
        for replicate in replicates {
            if self.study.training.own_trunks {
                self.current = self.trunk_of(before, replicate, continuation.line)?;
            }
            branches.push(self.branch(continuation, replicate)?);
        }
        self.current = before;
        Ok(branches)
    }

    /// The trunk of a replicate: one like `first`, of another seed.
    fn trunk_of(&mut self, first: usize, replicate: u32, line: usize) -> Result<usize, Problem> {
        let own = &self.trunks[first];
        let spec = RunSpec {
            seed: Seed(own.trunk.spec.seed.0.wrapping_add(u64::from(replicate))),
            ..own.trunk.spec.clone()
        };
        if let Some(known) = self.trunks.iter().position(|root| root.trunk.spec == spec) {
            return Ok(known);
        }
        if matches!(spec.start, Start::Imported { .. }) {
            let text = "`trunks` asks for several, but the study's trunk was trained elsewhere";
            let hint = "leave `trunks` out, or write a study for each trunk";
            return Err(self.study.problem(line, text).with_hint(hint));
        }
        let prefix = format!("{}t{}-", own.prefix, replicate + 1);
        let trunk = Trunk {
            name: format!("{prefix}trunk"),
            label: format!("{}, seed {}", own.trunk.label, spec.seed.0),
            spec,
        };
        let order = trunk.spec.order();
        let order = order.map_err(|why| unordered(self.study, line, &trunk.name, &why))?;
        let identity = trunk.spec.fingerprint();
        self.trunks.push(Root { trunk, prefix, identity, order });
        Ok(self.trunks.len() - 1)
    }

    /// A run to the end of a continuation, after the runs it goes on from.
    fn branch(&mut self, continuation: &Continuation, replicate: u32) -> Result<usize, Problem> {
        let mut after = None;
        for count in 1..=continuation.phases.len() {
            after = Some(self.phase(continuation, count, after, replicate)?);
        }
        Ok(after.expect("a continuation has a phase"))
    }

    /// The run over the first `count` phases of a continuation; `after`: the run over all of them
    /// but the last.
    fn phase(
        &mut self,
        continuation: &Continuation,
        count: usize,
        after: Option<usize>,
        replicate: u32,
    ) -> Result<usize, Problem> {
        let clock = self.study.training.clock;
        let root = &self.trunks[self.current];
        let Some(since) = continuation.from.checked_sub(root.trunk.spec.first_step) else {
            return Err(before_import(
                self.study,
                continuation.line,
                continuation.from,
                &root.trunk.spec,
            ));
        };
        let (trained, rest) = (&continuation.phases[..count], continuation.phases.len() - count);
        let last = &trained[trained.len() - 1];
        let phase = |mixture: &Mixture, steps: u64| Phase {
            mixture: mixture.clone(),
            slots: steps * clock.batch,
        };
        let phases: Vec<Phase> = trained.iter().map(|p| phase(&p.mixture, p.steps)).collect();
        let to = continuation.from + trained.iter().map(|phase| phase.steps).sum::<u64>();
        let from_step = to - last.steps;
        let spec = RunSpec {
            replicate,
            supplies: sources_of(phases.iter().map(|phase| &phase.mixture), self.sources),
            opening: root.order.ledger_at(since * clock.batch),
            first_phase: 1,
            phases,
            first_step: continuation.from,
            start: Start::Branch { run: root.identity },
            anneal: (continuation.rate == Rate::Decay)
                .then_some(Anneal { from: continuation.from, to }),
            ..root.trunk.spec.clone()
        };
        let identity = spec.fingerprint();
        if let Some(&index) = self.by_spec.get(&identity) {
            return Ok(index);
        }
        let former = self.unique(&format!("{}{}", root.prefix, last.name), replicate, |branch| {
            branch.former_name.as_ref().unwrap_or(&branch.name)
        });
        let stem = safe(&format!("{}{}", root.prefix, last.name));
        let name = self.unique(&stem, replicate, |branch| &branch.name);
        let order = spec.order();
        let order = order.map_err(|why| {
            unordered(self.study, continuation.line, &format!("branch `{name}`"), &why)
        })?;
        let (opening, closing) = (
            order.ledger_at(order.slots() - last.steps * clock.batch),
            order.ledger_at(order.slots()),
        );
        let accounts = accounts(self.sources, &last.mixture, &opening, &closing, clock.context);
        let branch = Branch {
            former_name: (former != name).then_some(former),
            name,
            group: 0,
            // What comes before what follows is named by the window.
            label: continuation.label.clone(),
            window: last.window.clone(),
            window_steps: last.steps,
            replicate,
            trunk: self.current,
            after,
            compared: false,
            from_step,
            spec,
            accounts,
        };
        debug_assert!(
            rest == 0 || continuation.rate == Rate::Trunk,
            "what is followed does not anneal"
        );
        self.branches.push(branch);
        self.by_spec.insert(identity, self.branches.len() - 1);
        Ok(self.branches.len() - 1)
    }

    /// Two mixtures may have names that read alike once a removal is added; a number tells them
    /// apart.
    fn unique(&self, stem: &str, replicate: u32, called: impl Fn(&Branch) -> &String) -> String {
        let plain = format!("{stem}-r{replicate}");
        let numbered = (2..).map(|n| format!("{stem}-r{replicate}-{n}"));
        std::iter::once(plain)
            .chain(numbered)
            .find(|name| self.branches.iter().all(|branch| called(branch) != name))
            .expect("numbers do not end")
    }
}

/// A run that cannot be ordered. `what`: which.
fn unordered(study: &Study, line: usize, what: &str, why: &MixError) -> Problem {
    study.problem(line, format!("{what}: {why}")).with_hint_of(why)
}

/// A name of letters, digits, `.`, `_` and `-` alone.
fn safe(name: &str) -> String {
    let plain = |c: char| match c {
        '+' => '.',
        c if c.is_ascii_alphanumeric() || "._-".contains(c) => c,
        _ => '_',
    };
    name.replace('%', "pct").chars().map(plain).collect()
}

/// Gives the branches that differ only in their replicate one number.
fn number_groups(branches: &mut [Branch], own_trunks: bool) {
    let mut groups: BTreeMap<Fingerprint, usize> = BTreeMap::new();
    for branch in branches {
        let mut of = RunSpec { replicate: 0, ..branch.spec.clone() };
        if own_trunks {
            // Trunks of other seeds have drawn a sequence more or less of a source.
            (of.seed, of.start, of.opening) = (Seed(0), Start::Fresh, Ledger::default());
        }
        let next = groups.len();
        branch.group = *groups.entry(of.fingerprint()).or_insert(next);
    }
}
