//! What each question compares.

use std::collections::{BTreeMap, BTreeSet};

use sparkjoy_base::toml_file::Placed;
use sparkjoy_base::{Ppm, Problem, SourceName};
use sparkjoy_mix::Mixture;

use super::continuation::{Continuation, NamedMixture, place};
use super::tree::BranchTree;
use crate::plan::{Arm, Ask, QuestionPlan, Role, Setting};
use crate::resolve::mixtures::{Named, weights};
use crate::written::{Chosen, Question, Rate, Refill, Share, Size, Window, quoted};

impl BranchTree<'_> {
    /// Expands the study's questions.
    pub(crate) fn questions(&mut self) -> Result<Vec<QuestionPlan>, Problem> {
        let mut plans: Vec<QuestionPlan> = Vec::new();
        for question in &self.study.questions {
            let plan = match question {
                Question::Transfer { of, models, mixtures } => {
                    let first = plans[of.value].clone();
                    self.transfer(of.value, first, models, mixtures)?
                }
                question => self.expand(question)?,
            };
            plans.push(plan);
        }
        Ok(plans)
    }

    fn expand(&mut self, question: &Question) -> Result<QuestionPlan, Problem> {
        match question {
            Question::Duration { mixture, windows, rate } => self.duration(mixture, windows, *rate),
            Question::Removal { mixture, window, remove, refill, rate } => {
                self.removal(mixture, (window, *rate), remove, refill)
            }
            Question::Addition { mixture, add, shares, windows, rate } => {
                self.addition(mixture, (add, shares), windows, *rate)
            }
            Question::Proportion { mixtures, corners, window, rate } => {
                self.proportion(mixtures, corners.as_ref(), window, *rate)
            }
            Question::Timing { mixture, window, starts } => self.timing(mixture, window, starts),
            Question::Stability { mixture, window, then } => self.stability(mixture, window, then),
            Question::Transfer { .. } => unreachable!("no transfer is transferred"),
        }
    }

    fn duration(
        &mut self,
        mixture: &Placed<String>,
        windows: &[Placed<Window>],
        rate: Rate,
    ) -> Result<QuestionPlan, Problem> {
        let (tested, base) = (self.named_mixture(&mixture.value), self.base());
        let mut arms = Vec::new();
        for window in windows {
            let against = (&tested, self.continuation(&tested, window, rate));
            let control = (&base, self.continuation(&base, window, rate));
            let label = window.value.span.to_string();
            let arm = self.arm(label, against, control)?;
            let arm = Arm { at: Some(self.share(window.value.steps)), ..arm };
            arms.push(self.checked(arm, &tested.label, mixture.line)?);
        }
        Ok(plan(Ask::Duration, Some(mixture), arms))
    }

    fn removal(
        &mut self,
        mixture: &Placed<String>,
        (window, rate): (&Placed<Window>, Rate),
        remove: &[Placed<Chosen>],
        refills: &[Placed<Refill>],
    ) -> Result<QuestionPlan, Problem> {
        let (full, base) = (self.named_mixture(&mixture.value), self.base());
        // Where sources are removed from the base mixture itself, the full mixture is the base and
        // one comparison says all.
        let full_is_base = full.mixture == base.mixture;
        let continuation =
            |tested: &NamedMixture, tree: &Self| tree.continuation(tested, window, rate);
        let mut arms = Vec::new();
        if !full_is_base {
            let (full, base) =
                ((&full, continuation(&full, self)), (&base, continuation(&base, self)));
            arms.push(Arm { role: Role::Whole, ..self.arm(full.0.label.clone(), full, base)? });
        }
        for removal in remove {
            let names = format!("− {}", removal.value.names.join(" − "));
            let mut under: Vec<(&Refill, NamedMixture, Arm)> = Vec::new();
            for refill in refills {
                let several = refills.len() > 1;
                let tested = self.without(&mixture.value, removal, (refill, several))?;
                let label = if several {
                    format!("{names}, refill {}", taker(&refill.value))
                } else {
                    names.clone()
                };
                let mut arm = |control: &NamedMixture, role| {
                    let against = (&tested, continuation(&tested, self));
                    let control = (control, continuation(control, self));
                    let arm = self.arm(label.clone(), against, control)?;
                    let refill = Some(taker(&refill.value).to_owned());
                    let targets = self.removed(&mixture.value, &removal.value);
                    let removes = removal.value.names.clone();
                    let arm = Arm { role, removes, refill, targets, ..arm };
                    self.checked(arm, &tested.label, removal.line)
                };
                let answer = arm(&full, Role::Answer)?;
                let against_base =
                    if full_is_base { None } else { Some(arm(&base, Role::AgainstBase)?) };
                // What several refill rules do apart is seen between them.
                let known = under.iter().find(|(_, other, _)| other.mixture == tested.mixture);
                if let Some((first, ..)) = known {
                    let text = format!(
                        "after removing {}, refill `{}` and refill `{}` give the same mixture, \
                         expected rules that differ",
                        quoted(&removal.value.names),
                        taker(first),
                        taker(&refill.value)
                    );
                    return Err(self.study.problem(refill.line, text));
                }
                let apart = under.first().map(|(_, _, with_first)| Arm {
                    role: Role::Refill,
                    controls: with_first.branches.clone(),
                    control_label: with_first.label.clone(),
                    ..answer.clone()
                });
                under.push((&refill.value, tested, answer.clone()));
                arms.push(answer);
                arms.extend(against_base);
                arms.extend(apart);
            }
        }
        Ok(plan(Ask::Removal, Some(mixture), arms))
    }

    fn addition(
        &mut self,
        mixture: &Placed<String>,
        (add, shares): (&[Placed<Chosen>], &[Placed<Ppm>]),
        windows: &[Placed<Window>],
        rate: Rate,
    ) -> Result<QuestionPlan, Problem> {
        let base = self.named_mixture(&mixture.value);
        let mut arms = Vec::new();
        for added in add {
            for share in shares {
                let tested = self.with(&base, added, share)?;
                for window in windows {
                    let names = added.value.names.join(" + ");
                    let mut label = format!("+ {names}");
                    if shares.len() > 1 {
                        label = format!("{label} {}", share.value.to_string().replace(' ', ""));
                    }
                    if windows.len() > 1 {
                        label = format!("{label}, {} window", window.value.span);
                    }
                    let against = (&tested, self.continuation(&tested, window, rate));
                    let control = (&base, self.continuation(&base, window, rate));
                    let arm = self.arm(label, against, control)?;
                    let targets = self.added(&added.value).into_keys().collect();
                    // A curve needs one axis: over budgets where there are several, else shares.
                    let at = if windows.len() > 1 {
                        self.share(window.value.steps)
                    } else {
                        f64::from(share.value.0) / f64::from(Ppm::ONE.0)
                    };
                    let adds = added.value.names.clone();
                    let arm = Arm { at: Some(at), adds, targets, ..arm };
                    arms.push(self.checked(arm, &tested.label, share.line)?);
                }
            }
        }
        Ok(plan(Ask::Addition, Some(mixture), arms))
    }

    /// The window at each place, the trunk's mixture after it to the end of the run; then each
    /// place against the last.
    fn timing(
        &mut self,
        mixture: &Placed<String>,
        window: &Placed<Window>,
        starts: &[Placed<Window>],
    ) -> Result<QuestionPlan, Problem> {
        let (tested, base) = (self.named_mixture(&mixture.value), self.base());
        let steps = self.study.training.clock.steps();
        let mut arms: Vec<Arm> = Vec::new();
        for start in starts {
            let span = start.value.span.to_string();
            let continuation = |tested: &NamedMixture| {
                let continuation =
                    Continuation::at(tested, window, (start.value.steps, &span), steps);
                match steps - start.value.steps - window.value.steps {
                    0 => continuation,
                    rest => continuation.then(&base, rest, None),
                }
            };
            let (against, control) =
                ((&tested, continuation(&tested)), (&base, continuation(&base)));
            let arm = self.arm(format!("at {span}"), against, control)?;
            let arm = Arm { at: Some(self.share(start.value.steps)), ..arm };
            arms.push(self.checked(arm, &tested.label, mixture.line)?);
        }
        let last = arms.last().expect("a question has a start").clone();
        let places: Vec<Arm> = arms[..arms.len() - 1]
            .iter()
            .map(|arm| Arm {
                role: Role::Place,
                controls: last.branches.clone(),
                control_label: format!("the same window {}", last.label),
                ..arm.clone()
            })
            .collect();
        arms.extend(places);
        Ok(plan(Ask::Timing, Some(mixture), arms))
    }

    /// The window alone, then with more and more of the trunk's mixture behind it. The longest
    /// continuation ends where the run does.
    fn stability(
        &mut self,
        mixture: &Placed<String>,
        window: &Placed<Window>,
        then: &[Placed<Window>],
    ) -> Result<QuestionPlan, Problem> {
        let (tested, base) = (self.named_mixture(&mixture.value), self.base());
        let steps = self.study.training.clock.steps();
        let longest = then.last().expect("a question has a continuation").value.steps;
        let from = steps - window.value.steps - longest;
        let place = place(from, steps);
        let mut continuations =
            [&tested, &base].map(|e| Continuation::at(e, window, (from, &place), steps));
        let mut arms = Vec::new();
        let mut done = 0;
        for rest in std::iter::once(None).chain(then.iter().map(Some)) {
            let (label, after) = match rest {
                None => ("at its end".to_owned(), 0),
                Some(rest) => {
                    let span = rest.value.span.to_string();
                    let more = rest.value.steps - done;
                    continuations =
                        continuations.map(|continuation| continuation.on(&base, more, &span));
                    done = rest.value.steps;
                    (format!("{span} later"), done)
                }
            };
            let [against, control] = continuations.clone();
            let arm = self.arm(label, (&tested, against), (&base, control))?;
            let arm = Arm { at: Some(self.share(after)), ..arm };
            arms.push(self.checked(arm, &tested.label, mixture.line)?);
        }
        Ok(plan(Ask::Stability, Some(mixture), arms))
    }

    /// The same question elsewhere, beside where it was asked.
    fn transfer(
        &mut self,
        of: usize,
        first: QuestionPlan,
        models: &[Placed<Size>],
        mixtures: &[Placed<String>],
    ) -> Result<QuestionPlan, Problem> {
        let question = self.study.questions[of].clone();
        let model = &self.study.model;
        let own = model.size();
        let here = match (&first.mixture, mixtures.is_empty()) {
            (Some(mixture), false) => format!("{own}, {mixture}"),
            _ => own.to_string(),
        };
        let mut plan = QuestionPlan {
            ask: Ask::Transfer,
            mixture: first.mixture.clone(),
            arms: Vec::new(),
            of: Some(of + 1),
            settings: Vec::new(),
            simplex: None,
        };
        let mut add = |label: String, arms: Vec<Arm>| {
            let begin = plan.arms.len();
            // Only what answers the question has a rank that could hold or not.
            let arms = arms.into_iter().filter(|arm| arm.role == Role::Answer);
            plan.arms.extend(arms.enumerate().map(|(place, arm)| Arm {
                label: format!("{}: {label}", arm.label),
                same_as: Some(place),
                ..arm
            }));
            plan.settings.push(Setting { label, arms: (begin..plan.arms.len()).collect() });
        };
        add(here, first.arms);
        for size in models {
            let arms = self.on_size(size, |tree| tree.expand(&question))?.arms;
            add(size.value.to_string(), arms);
        }
        for mixture in mixtures {
            let other = about(&question, mixture);
            add(format!("{own}, {}", mixture.value), self.expand(&other)?.arms);
        }
        Ok(plan)
    }

    /// One comparison, its runs grown.
    pub(super) fn arm(
        &mut self,
        label: String,
        (tested, continuation): (&NamedMixture, Continuation),
        (base, control): (&NamedMixture, Continuation),
    ) -> Result<Arm, Problem> {
        let control_label = format!("{}, same {} window", base.label, continuation.window());
        Ok(Arm {
            label,
            role: Role::Answer,
            at: None,
            composition: Vec::new(),
            removes: Vec::new(),
            refill: None,
            adds: Vec::new(),
            window_steps: continuation.phases[0].steps,
            same_as: None,
            targets: gaining(&tested.mixture, &base.mixture),
            branches: self.grow(&continuation)?,
            controls: self.grow(&control)?,
            control_label,
        })
    }

    pub(super) fn continuation(
        &self,
        tested: &NamedMixture,
        window: &Placed<Window>,
        rate: Rate,
    ) -> Continuation {
        Continuation::last(tested, window, self.study.training.clock.steps(), rate)
    }

    fn share(&self, steps: u64) -> f64 {
        steps as f64 / self.study.training.clock.steps() as f64
    }

    pub(super) fn named_mixture(&self, name: &str) -> NamedMixture {
        let mixture = self.mixtures[name].clone();
        NamedMixture { name: name.to_owned(), label: name.to_owned(), mixture }
    }

    pub(super) fn base(&self) -> NamedMixture {
        self.named_mixture(&self.study.trunk.value)
    }

    fn without(
        &self,
        mixture: &str,
        removal: &Placed<Chosen>,
        (refill, several): (&Placed<Refill>, bool),
    ) -> Result<NamedMixture, Problem> {
        let full = self.named(mixture);
        let rest = full.without(self.study, removal, refill)?;
        let (names, taker) = (&removal.value.names, taker(&refill.value));
        Ok(NamedMixture {
            name: format!("{mixture}-minus-{}-to-{taker}", names.join("+")),
            label: if several {
                format!("{mixture} − {}, refill {taker}", names.join(" − "))
            } else {
                format!("{mixture} − {}", names.join(" − "))
            },
            mixture: rest,
        })
    }

    fn removed(&self, mixture: &str, removal: &Chosen) -> BTreeSet<SourceName> {
        self.named(mixture).removed(removal).expect("what cannot be removed was refused before")
    }

    fn named<'n>(&'n self, name: &'n str) -> Named<'n> {
        Named { name, mixture: &self.mixtures[name], sources: self.sources }
    }

    fn with(
        &self,
        base: &NamedMixture,
        added: &Placed<Chosen>,
        share: &Placed<Ppm>,
    ) -> Result<NamedMixture, Problem> {
        let names = &added.value.names;
        let Some(mixture) = self.named(&base.name).with(&self.added(&added.value), share.value)
        else {
            let text = format!(
                "adding {} at a share of {} leaves nothing for the rest of mixture `{}`",
                quoted(names),
                share.value,
                base.name
            );
            return Err(self.study.problem(share.line, text));
        };
        let percent = share.value.to_string().replace(' ', "");
        Ok(NamedMixture {
            name: format!("{}-plus-{}-{percent}", base.name, names.join("+")),
            label: format!("{} + {} {percent}", base.label, names.join(" + ")),
            mixture,
        })
    }

    /// The sources of what is added, each with its weight: a domain's sources share as they do in a
    /// mixture, sources named side by side by their tokens.
    fn added(&self, added: &Chosen) -> BTreeMap<SourceName, u64> {
        if let [Share::Domain(domain)] = &added.shares[..] {
            return weights(domain, self.study, self.sources);
        }
        let inside = |name: &SourceName, share: &Share| match share {
            Share::Source(source) => source == name,
            Share::Domain(domain) => self.sources[name].domain == *domain,
        };
        let chosen = self.sources.iter().filter(|(_, source)| !source.unseen);
        let chosen = chosen.filter(|(name, _)| added.shares.iter().any(|s| inside(name, s)));
        chosen.map(|(name, source)| (name.clone(), source.tokens.0)).collect()
    }

    /// Refuses a comparison of a run with itself.
    pub(super) fn checked(&self, arm: Arm, mixture: &str, line: usize) -> Result<Arm, Problem> {
        if arm.branches != arm.controls {
            return Ok(arm);
        }
        let text = format!(
            "mixture `{mixture}` changes nothing against its control ({}): both draw the same",
            arm.control_label
        );
        Err(self.study.problem(line, text).with_hint("ask about another mixture"))
    }
}

pub(super) fn plan(ask: Ask, mixture: Option<&Placed<String>>, arms: Vec<Arm>) -> QuestionPlan {
    let mixture = mixture.map(|mixture| mixture.value.clone());
    QuestionPlan { ask, mixture, arms, of: None, settings: Vec::new(), simplex: None }
}

/// The sources of which `mixture` holds more than `base`.
fn gaining(mixture: &Mixture, base: &Mixture) -> BTreeSet<SourceName> {
    let more =
        |name: &&SourceName| mixture.proportions().get(*name) > base.proportions().get(*name);
    mixture.proportions().keys().filter(more).cloned().collect()
}

fn about(question: &Question, other: &Placed<String>) -> Question {
    let mut question = question.clone();
    match &mut question {
        Question::Duration { mixture, .. }
        | Question::Removal { mixture, .. }
        | Question::Addition { mixture, .. }
        | Question::Timing { mixture, .. }
        | Question::Stability { mixture, .. } => *mixture = other.clone(),
        Question::Proportion { .. } | Question::Transfer { .. } => {
            unreachable!("refused where it was read")
        }
    }
    question
}

/// Who gets the share of what is removed, as written.
pub(crate) fn taker(refill: &Refill) -> &str {
    match refill {
        Refill::Domain => "domain",
        Refill::Proportional => "proportional",
        Refill::Source(name) => name.as_str(),
    }
}
