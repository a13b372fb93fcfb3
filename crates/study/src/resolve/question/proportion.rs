//! A `proportion` question: mixtures side by side, between two, or on a simplex.

use sparkjoy_base::toml_file::Placed;
use sparkjoy_base::{Ppm, Problem};
use sparkjoy_mix::Mixture;

use super::continuation::NamedMixture;
use super::expand::plan;
use super::tree::BranchTree;
use crate::plan::{Arm, Ask, QuestionPlan, Simplex};
use crate::resolve::mixtures::blended;
use crate::written::{Blend, Corners, Rate, Window};

impl BranchTree<'_> {
    pub(super) fn proportion(
        &mut self,
        mixtures: &[Placed<Blend>],
        corners: Option<&Corners>,
        window: &Placed<Window>,
        rate: Rate,
    ) -> Result<QuestionPlan, Problem> {
        if let Some(corners) = corners {
            self.refuse_equal(&corners.mixtures)?;
        }
        let base = self.base();
        let (mut arms, mut unchanged) = (Vec::new(), Vec::new());
        let mut blends: Vec<(String, Mixture)> = Vec::new();
        for blend in mixtures {
            let (tested, label, at) = self.blend(&blend.value);
            let composition = corners.map(|corners| blend.value.composition(corners));
            let composition = composition.unwrap_or_default();
            if corners.is_some() {
                if let Some((twin, _)) = blends.iter().find(|(_, it)| *it == tested.mixture) {
                    let text = format!(
                        "blends `{twin}` and `{label}` of `among` draw the same: its mixtures lie \
                         on one line, or differ too little"
                    );
                    let hint = "name mixtures that differ in what they upsample; between two, \
                                `between` with `shares` asks along the line";
                    return Err(self.study.problem(blend.line, text).with_hint(hint));
                }
                blends.push((label.clone(), tested.mixture.clone()));
            }
            // A point of the simplex that is the trunk's mixture is its control: nothing to train.
            if corners.is_some() && tested.mixture == base.mixture {
                unchanged.push(composition);
                continue;
            }
            let against = (&tested, self.continuation(&tested, window, rate));
            let control = (&base, self.continuation(&base, window, rate));
            let arm = Arm { at, composition, ..self.arm(label, against, control)? };
            arms.push(self.checked(arm, &tested.label, blend.line)?);
        }
        let simplex = corners.map(|Corners { mixtures, parts }| Simplex {
            corners: mixtures.iter().map(|corner| corner.value.clone()).collect(),
            parts: *parts,
            unchanged,
        });
        Ok(QuestionPlan { simplex, ..plan(Ask::Proportion, None, arms) })
    }

    /// Refuses corners of a simplex that are one mixture.
    fn refuse_equal(&self, corners: &[Placed<String>]) -> Result<(), Problem> {
        for (place, corner) in corners.iter().enumerate() {
            let mixture = &self.mixtures[&corner.value];
            let twin = corners[..place].iter().find(|c| self.mixtures[&c.value] == *mixture);
            if let Some(twin) = twin {
                let text = format!(
                    "mixtures `{}` and `{}` of `among` draw the same, expected mixtures that \
                     differ",
                    twin.value, corner.value
                );
                return Err(self.study.problem(corner.line, text));
            }
        }
        Ok(())
    }

    /// A mixture or a blend, its label as an arm, and its place where it lies between two.
    fn blend(&self, blend: &Blend) -> (NamedMixture, String, Option<f64>) {
        match blend {
            Blend::Whole(name) => (self.named_mixture(name), name.clone(), None),
            Blend::Between { first, second, share } => {
                let percent = share.to_string().replace(' ', "");
                let rest = Ppm::ONE.0 - share.0;
                let parts = [(first, rest), (second, share.0)]
                    .map(|(name, part)| (&self.mixtures[name], u64::from(part)));
                let mixture = blended(&parts);
                let label = format!("{percent} {second}, else {first}");
                let name = format!("{first}-to-{second}-{percent}");
                let at = f64::from(share.0) / f64::from(Ppm::ONE.0);
                // At its end it is the second mixture itself, and so are its runs.
                let tested = match *share {
                    Ppm::ONE => self.named_mixture(second),
                    _ => NamedMixture { name, label: label.clone(), mixture },
                };
                (tested, label, Some(at))
            }
            Blend::Among { parts, of } => {
                let weighed: Vec<(&Mixture, u64)> = parts
                    .iter()
                    .map(|(name, part)| (&self.mixtures[name], (*part).into()))
                    .collect();
                let mixture = blended(&weighed);
                let each = |show: &dyn Fn(&str, u32) -> String, between: &str| {
                    let parts = parts.iter().map(|(name, part)| show(name, *part));
                    parts.collect::<Vec<_>>().join(between)
                };
                let name = each(&|name, part| format!("{name}-{part}of{of}"), ".");
                let label = each(&|name, part| format!("{} {name}", fraction(part, *of)), " + ");
                (NamedMixture { name, label: label.clone(), mixture }, label, None)
            }
        }
    }
}

/// `2/3`, in lowest terms.
fn fraction(part: u32, of: u32) -> String {
    let common = (1..=part).rev().find(|n| part.is_multiple_of(*n) && of.is_multiple_of(*n));
    let common = common.unwrap_or(1);
    format!("{}/{}", part / common, of / common)
}
