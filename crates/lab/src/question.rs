//! Expands questions into branches and the controls they need.
//!
//! A control keeps everything of its branch but the mixture: window, learning-rate curve,
//! replicate. Runs that two questions need are one run, found by what determines their numbers.

use std::collections::BTreeMap;

use sparkjoy_base::{Fingerprint, SourceName};
use sparkjoy_mix::{MixError, Mixture, Order, Phase};
use sparkjoy_train::{RunSpec, Start};

use crate::LabError;
use crate::account::accounts;
use crate::mixtures::Named;
use crate::plan::{Arm, Ask, Branch, PlanSource, QuestionPlan, supplies};
use crate::problem::Problem;
use crate::study::{Placed, Question, Refill, Removal, Study, Window};

/// The branches of a plan as they are found.
pub(crate) struct Tree<'a> {
    study: &'a Study,
    sources: &'a BTreeMap<SourceName, PlanSource>,
    mixtures: &'a BTreeMap<String, Mixture>,
    trunk: &'a RunSpec,
    trunk_identity: Fingerprint,
    trunk_order: Order,
    branches: Vec<Branch>,
    by_spec: BTreeMap<Fingerprint, usize>,
}

/// A mixture to finish a run on.
struct Ending {
    /// First part of the names of its branches.
    name: String,
    /// What it is called in tables.
    label: String,
    mixture: Mixture,
}

impl<'a> Tree<'a> {
    /// A trunk without branches.
    pub(crate) fn new(
        study: &'a Study,
        sources: &'a BTreeMap<SourceName, PlanSource>,
        mixtures: &'a BTreeMap<String, Mixture>,
        trunk: &'a RunSpec,
    ) -> Result<Self, LabError> {
        let trunk_order =
            order(trunk).map_err(|why| study.problem(study.trunk.line, mix("the trunk", why)))?;
        Ok(Self {
            study,
            sources,
            mixtures,
            trunk,
            trunk_identity: trunk.fingerprint(),
            trunk_order,
            branches: vec![],
            by_spec: BTreeMap::new(),
        })
    }

    /// Expands the study's questions.
    pub(crate) fn questions(&mut self) -> Result<Vec<QuestionPlan>, LabError> {
        let study = self.study;
        study
            .questions
            .iter()
            .map(|question| match question {
                Question::Duration { mixture, windows } => self.duration(mixture, windows),
                Question::Removal { mixture, window, remove, refill } => {
                    self.removal(mixture, window, remove, refill)
                }
            })
            .collect()
    }

    /// The branches sorted by the step they start at, then by name, and the questions with their
    /// indices moved along.
    pub(crate) fn sorted(
        self,
        mut questions: Vec<QuestionPlan>,
    ) -> (Vec<Branch>, Vec<QuestionPlan>) {
        let mut numbered: Vec<(usize, Branch)> = self.branches.into_iter().enumerate().collect();
        numbered.sort_by(|(_, a), (_, b)| (a.from_step, &a.name).cmp(&(b.from_step, &b.name)));
        let mut moved = vec![0; numbered.len()];
        for (new, (old, _)) in numbered.iter().enumerate() {
            moved[*old] = new;
        }
        for arm in questions.iter_mut().flat_map(|question| &mut question.arms) {
            for index in arm.branches.iter_mut().chain(&mut arm.controls) {
                *index = moved[*index];
            }
        }
        (numbered.into_iter().map(|(_, branch)| branch).collect(), questions)
    }

    fn duration(
        &mut self,
        mixture: &Placed<String>,
        windows: &[Placed<Window>],
    ) -> Result<QuestionPlan, LabError> {
        let (ending, base) = (self.ending(&mixture.value), self.base());
        let mut arms = Vec::new();
        for window in windows {
            let branches = self.grow(&ending, window)?;
            let controls = self.grow(&base, window)?;
            let label = window.value.span.to_string();
            let control_label = control_label(&base, window);
            let arm = Arm { label, branches, controls, control_label };
            arms.push(self.checked(arm, &ending.label, mixture.line)?);
        }
        Ok(QuestionPlan { ask: Ask::Duration, mixture: mixture.value.clone(), arms })
    }

    fn removal(
        &mut self,
        mixture: &Placed<String>,
        window: &Placed<Window>,
        remove: &[Placed<Removal>],
        refill: &Placed<Refill>,
    ) -> Result<QuestionPlan, LabError> {
        let (full, base) = (self.ending(&mixture.value), self.base());
        let full_runs = self.grow(&full, window)?;
        let base_runs = self.grow(&base, window)?;
        let against_full = control_label(&full, window);
        let against_base = control_label(&base, window);
        // Where sources are removed from the base mixture itself, the full mixture is the base and
        // one comparison says all.
        let full_is_base = full.mixture == base.mixture;
        let mut arms = Vec::new();
        if !full_is_base {
            let (branches, controls) = (full_runs.clone(), base_runs.clone());
            let (label, control_label) = (full.label.clone(), against_base.clone());
            arms.push(Arm { label, branches, controls, control_label });
        }
        for removal in remove {
            let ending = self.without(&mixture.value, removal, refill)?;
            let runs = self.grow(&ending, window)?;
            let arm = |controls: &[usize], control_label: &str| {
                let arm = Arm {
                    label: format!("− {}", removal.value.names.join(" − ")),
                    branches: runs.clone(),
                    controls: controls.to_vec(),
                    control_label: control_label.to_owned(),
                };
                self.checked(arm, &ending.label, removal.line)
            };
            arms.push(arm(&full_runs, &against_full)?);
            if !full_is_base {
                arms.push(arm(&base_runs, &against_base)?);
            }
        }
        Ok(QuestionPlan { ask: Ask::Removal, mixture: mixture.value.clone(), arms })
    }

    fn ending(&self, name: &str) -> Ending {
        let mixture = self.mixtures[name].clone();
        Ending { name: name.to_owned(), label: name.to_owned(), mixture }
    }

    fn base(&self) -> Ending {
        self.ending(&self.study.trunk.value)
    }

    fn without(
        &self,
        mixture: &str,
        removal: &Placed<Removal>,
        refill: &Placed<Refill>,
    ) -> Result<Ending, LabError> {
        let full = Named { name: mixture, mixture: &self.mixtures[mixture], sources: self.sources };
        let rest = full.without(&removal.value, &refill.value).map_err(|problem| {
            let line = match problem {
                Problem::RefillRemoved { .. } => refill.line,
                _ => removal.line,
            };
            self.study.problem(line, problem)
        })?;
        let (names, taker) = (&removal.value.names, taker(&refill.value));
        Ok(Ending {
            name: format!("{mixture}-minus-{}-to-{taker}", names.join("+")),
            label: format!("{mixture} − {}", names.join(" − ")),
            mixture: rest,
        })
    }

    /// One run per replicate that ends on a mixture, each planned once.
    fn grow(&mut self, ending: &Ending, window: &Placed<Window>) -> Result<Vec<usize>, LabError> {
        (0..self.study.training.replicates).map(|r| self.branch(ending, window, r)).collect()
    }

    fn branch(
        &mut self,
        ending: &Ending,
        window: &Placed<Window>,
        replicate: u32,
    ) -> Result<usize, LabError> {
        let clock = self.study.training.clock;
        let window_steps = window.value.steps;
        let from_step = clock.steps() - window_steps;
        let slots = window_steps * clock.batch;
        let spec = RunSpec {
            replicate,
            supplies: supplies(&ending.mixture, self.sources),
            opening: self.trunk_order.ledger_at(from_step * clock.batch),
            first_phase: 1,
            phases: vec![Phase { mixture: ending.mixture.clone(), slots }],
            first_step: from_step,
            start: Start::Branch { run: self.trunk_identity },
            ..self.trunk.clone()
        };
        let identity = spec.fingerprint();
        if let Some(&index) = self.by_spec.get(&identity) {
            return Ok(index);
        }
        let span = window.value.span.to_string();
        let name = self.unique(
            &format!("{}-{}", ending.name, span.replace(',', "").replace(' ', "-")),
            replicate,
        );
        let closing = order(&spec)
            .map_err(|why| self.study.problem(window.line, mix(&format!("branch `{name}`"), why)))?
            .ledger_at(slots);
        let accounts =
            accounts(self.sources, &ending.mixture, &spec.opening, &closing, clock.context);
        let label = ending.label.clone();
        let branch = Branch {
            name,
            label,
            window: span,
            window_steps,
            replicate,
            from_step,
            spec,
            accounts,
        };
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

    /// Refuses a comparison of a run with itself.
    fn checked(&self, arm: Arm, mixture: &str, line: usize) -> Result<Arm, LabError> {
        if arm.branches != arm.controls {
            return Ok(arm);
        }
        let (mixture, control) = (mixture.to_owned(), arm.control_label);
        Err(self.study.problem(line, Problem::ChangesNothing { mixture, control }))
    }
}

/// Who gets the share of what is removed, as written.
fn taker(refill: &Refill) -> &str {
    match refill {
        Refill::Domain => "domain",
        Refill::Proportional => "proportional",
        Refill::Source(name) => name.as_str(),
    }
}

fn control_label(control: &Ending, window: &Placed<Window>) -> String {
    format!("{}, same {} window", control.label, window.value.span)
}

fn mix(what: &str, why: MixError) -> Problem {
    Problem::Mix { what: what.to_owned(), why }
}

/// The reading order of a run.
fn order(spec: &RunSpec) -> Result<Order, MixError> {
    let (supplies, opening) = (spec.supplies.clone(), spec.opening.clone());
    Order::new(spec.seed, spec.replicate, supplies, opening, spec.first_phase, spec.phases.clone())
}
