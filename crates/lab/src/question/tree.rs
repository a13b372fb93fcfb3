//! The branches of a plan as they are found, each planned once.

use std::collections::BTreeMap;

use sparkjoy_base::{Fingerprint, SourceName};
use sparkjoy_mix::{MixError, Mixture, Order, Phase};
use sparkjoy_nn::Shape;
use sparkjoy_train::{Anneal, RunSpec, Start};

use super::course::Course;
use crate::LabError;
use crate::account::accounts;
use crate::import::TrunkProblem;
use crate::plan::{Branch, PlanSource, QuestionPlan, Trunk, supplies};
use crate::problem::Problem;
use crate::study::{Placed, Rate, Size, Study};

/// The branches of a plan as they are found.
pub(crate) struct Tree<'a> {
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
    /// None for the study's own.
    other: Option<Trunk>,
    spec: RunSpec,
    identity: Fingerprint,
    order: Order,
}

impl<'a> Tree<'a> {
    /// A trunk without branches.
    pub(crate) fn new(
        study: &'a Study,
        sources: &'a BTreeMap<SourceName, PlanSource>,
        mixtures: &'a BTreeMap<String, Mixture>,
        trunk: &RunSpec,
    ) -> Result<Self, LabError> {
        let order = trunk.order();
        let order = order.map_err(|why| study.problem(study.trunk.line, mix("the trunk", why)))?;
        let identity = trunk.fingerprint();
        let root = Root { other: None, spec: trunk.clone(), identity, order };
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

    /// The trunks of other sizes, and the branches sorted so that none comes before the one it goes
    /// on from; the questions with their indices moved along.
    pub(crate) fn sorted(
        self,
        mut questions: Vec<QuestionPlan>,
    ) -> (Vec<Trunk>, Vec<Branch>, Vec<QuestionPlan>) {
        let mut numbered: Vec<(usize, Branch)> = self.branches.into_iter().enumerate().collect();
        let key = |branch: &Branch| (branch.trunk, branch.from_step, branch.name.clone());
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
        let others = self.trunks.into_iter().filter_map(|root| root.other).collect();
        (others, branches, questions)
    }

    /// Does something on a trunk of another model size.
    pub(super) fn on_size<T>(
        &mut self,
        size: &Placed<Size>,
        grow: impl FnOnce(&mut Self) -> Result<T, LabError>,
    ) -> Result<T, LabError> {
        let Size { layers, width, heads } = size.value;
        let own = &self.trunks[0].spec;
        let shape = Shape { layers, width, heads, ..*own.model.shape() };
        shape.check().map_err(|why| self.study.problem(size.line, Problem::Shape(why)))?;
        let known = self.trunks.iter().position(|root| *root.spec.model.shape() == shape);
        let before = self.current;
        self.current = match known {
            Some(known) => known,
            None if matches!(own.start, Start::Imported { .. }) => {
                let problem = Problem::Trunk(TrunkProblem::OtherSize);
                return Err(self.study.problem(size.line, problem));
            }
            None => {
                let spec = RunSpec { model: shape.into(), ..own.clone() };
                let trunk = Trunk {
                    name: format!("l{layers}-w{width}-h{heads}"),
                    label: size.value.to_string(),
                    spec: spec.clone(),
                };
                let order = self.trunks[0].order.clone();
                let identity = spec.fingerprint();
                self.trunks.push(Root { other: Some(trunk), spec, identity, order });
                self.trunks.len() - 1
            }
        };
        let result = grow(self);
        self.current = before;
        result
    }

    /// One run per replicate that takes a course, each planned once.
    pub(super) fn grow(&mut self, course: &Course) -> Result<Vec<usize>, LabError> {
        let replicates = 0..self.study.training.replicates;
        replicates.map(|replicate| self.branch(course, replicate)).collect()
    }

    /// A run to the end of a course, after the runs it goes on from.
    fn branch(&mut self, course: &Course, replicate: u32) -> Result<usize, LabError> {
        let mut after = None;
        for legs in 1..=course.legs.len() {
            after = Some(self.leg(course, legs, after, replicate)?);
        }
        Ok(after.expect("a course has a leg"))
    }

    /// The run over the first `legs` of a course; `after`: the run over all of them but the last.
    fn leg(
        &mut self,
        course: &Course,
        legs: usize,
        after: Option<usize>,
        replicate: u32,
    ) -> Result<usize, LabError> {
        let clock = self.study.training.clock;
        let root = &self.trunks[self.current];
        let Some(since) = course.from.checked_sub(root.spec.first_step) else {
            let problem = TrunkProblem::before_import(course.from, &root.spec);
            return Err(self.study.problem(course.line, Problem::Trunk(problem)));
        };
        let (legs, rest) = (&course.legs[..legs], course.legs.len() - legs);
        let last = &legs[legs.len() - 1];
        let phase = |mixture: &Mixture, steps: u64| Phase {
            mixture: mixture.clone(),
            slots: steps * clock.batch,
        };
        let phases: Vec<Phase> = legs.iter().map(|leg| phase(&leg.mixture, leg.steps)).collect();
        let to = course.from + legs.iter().map(|leg| leg.steps).sum::<u64>();
        let from_step = to - last.steps;
        let spec = RunSpec {
            replicate,
            supplies: supplies(phases.iter().map(|phase| &phase.mixture), self.sources),
            opening: root.order.ledger_at(since * clock.batch),
            first_phase: 1,
            phases,
            first_step: course.from,
            start: Start::Branch { run: root.identity },
            anneal: (course.rate == Rate::Decay).then_some(Anneal { from: course.from, to }),
            ..root.spec.clone()
        };
        let identity = spec.fingerprint();
        if let Some(&index) = self.by_spec.get(&identity) {
            return Ok(index);
        }
        let size = root.other.as_ref().map_or_else(String::new, |other| format!("{}-", other.name));
        let name = self.unique(&format!("{size}{}", last.name), replicate);
        let order = spec.order();
        let order = order.map_err(|why| {
            self.study.problem(course.line, mix(&format!("branch `{name}`"), why))
        })?;
        let (opening, closing) = (
            order.ledger_at(order.slots() - last.steps * clock.batch),
            order.ledger_at(order.slots()),
        );
        let accounts = accounts(self.sources, &last.mixture, &opening, &closing, clock.context);
        let branch = Branch {
            name,
            // What comes before what follows is named by the window.
            label: course.label.clone(),
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
        debug_assert!(rest == 0 || course.rate == Rate::Trunk, "what is followed does not anneal");
        self.branches.push(branch);
        self.by_spec.insert(identity, self.branches.len() - 1);
        Ok(self.branches.len() - 1)
    }

    /// Two mixtures may have names that read alike once a removal is added; a number tells them
    /// apart.
    fn unique(&self, stem: &str, replicate: u32) -> String {
        let plain = format!("{stem}-r{replicate}");
        let numbered = (2..).map(|n| format!("{stem}-r{replicate}-{n}"));
        std::iter::once(plain)
            .chain(numbered)
            .find(|name| self.branches.iter().all(|branch| branch.name != *name))
            .expect("numbers do not end")
    }
}

fn mix(what: &str, why: MixError) -> Problem {
    Problem::Mix { what: what.to_owned(), why }
}
