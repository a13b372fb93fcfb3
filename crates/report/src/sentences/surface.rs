//! What a surface over the mixtures of a simplex predicts.

use std::fmt::Write;

use sparkjoy_answers::{
    Answer, Decision, Finding, GainUnit, Predicted, Spot, Surface, SurfaceOptimum, SurfaceShape,
};
use sparkjoy_base::{SourceName, percent};

use super::arms::label;
use super::decision::{number, plain, size, span};

/// The surface behind a decision of this answer; none where there is none.
pub(crate) fn surface_of(answer: &Answer) -> Option<(&Decision, &Surface)> {
    answer.findings.iter().find_map(|finding| match finding {
        Finding::Decision(decision) => Some((&**decision, decision.surface.as_ref()?)),
        _ => None,
    })
}

/// Where the objective is predicted to be highest, and what to do about it.
pub(super) fn surface(answer: &Answer, decision: &Decision, surface: &Surface) -> String {
    let shape = match surface.fitted.gain.shape {
        SurfaceShape::Linear => "linear",
        SurfaceShape::Quadratic => "quadratic",
    };
    let measured = surface.compositions.len() + surface.unchanged.len();
    let off = size(surface.fitted.error, decision.unit);
    let by = format!("By a {shape} surface over {measured} mixtures,");
    let error = format!("The surface misses a mixture that it is not fitted to by {off}.");
    let Some(top) = &surface.fitted.optimum else {
        return format!("{by} a guard is predicted to break everywhere. {error}");
    };
    let ranges = ranges(surface, top);
    if !top.is_determined() {
        return format!(
            "{by} where the objective is highest is not determined (intervals of the shares: \
             {ranges}): train more replicates{}. {error}",
            match surface.fitted.gain.shape {
                SurfaceShape::Linear => ", or more blends (larger `parts`)",
                SurfaceShape::Quadratic => "",
            }
        );
    }
    let at = match top.spot {
        Spot::Base => "at the trunk's mixture itself".to_owned(),
        Spot::Candidate(place) => {
            format!("at {}, which was trained", label(answer, decision.candidates[place].arm))
        }
        Spot::New => format!("at {}", composition(surface, top)),
    };
    let mut text =
        format!("{by} the objective is highest {at} (intervals of the shares: {ranges})");
    if top.spot == Spot::Base {
        return format!("{text}: no blend is predicted to be better. {error}");
    }
    let _ = write!(text, ": predicted {}", predicted(&top.gain, decision.unit));
    for ((loss, of), margin) in top.losses.iter().zip(&decision.guards).zip(&surface.fitted.margins)
    {
        let (loss, margin) = (predicted(loss, of.unit), plain(*margin, of.unit));
        let _ = write!(text, "; predicted loss of {} {loss}, margin {margin}", of.name);
    }
    text.push('.');
    if !decision.guards.is_empty() {
        let guards = if decision.guards.len() == 1 { "the guard holds" } else { "all guards hold" };
        let _ = write!(text, " Probability that {guards} there: {}.", percent(top.hold));
    }
    if top.spot == Spot::New {
        let within = if decision.guards.is_empty() { "" } else { " within the margins" };
        let rival = match top.rival {
            Some(place) => {
                let name = label(answer, decision.candidates[place].arm);
                format!("{name}, the best measured{within}")
            }
            None => "the trunk's mixture".to_owned(),
        };
        let better = percent(top.better);
        let _ = write!(text, " Probability of being better than {rival}: {better}.");
    }
    let without: Vec<String> = surface
        .corners
        .iter()
        .zip(&top.composition)
        .filter(|(_, share)| **share == 0.0)
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    if !without.is_empty() {
        let _ = write!(text, " It lies on the edge without {}.", without.join(" and "));
    }
    let _ = write!(text, " {error}");
    if let Some(next) = &surface.next {
        let name = &next.name;
        let _ = if next.is_in_study {
            write!(
                text,
                " It is mixture `{name}` of the study: what a question with it in `mixtures` \
                 measures goes before this prediction."
            )
        } else {
            write!(
                text,
                " No run was trained there: add `[mixtures.{name}]` from below to the study, name \
                 it in `mixtures` of a `proportion` question beside the best measured, and run \
                 again."
            )
        };
    }
    text
}

/// `20 % base + 50 % math-rich`: what has a share.
pub(crate) fn composition(surface: &Surface, top: &SurfaceOptimum) -> String {
    let named = surface.corners.iter().zip(&top.composition);
    let shown = named.filter(|(_, share)| **share > 0.0);
    let shown = shown.map(|(name, share)| format!("{} {name}", whole_percent(*share)));
    shown.collect::<Vec<_>>().join(" + ")
}

/// `base 10 to 35 %, math-rich 40 to 60 %`: the intervals of the shares.
fn ranges(surface: &Surface, top: &SurfaceOptimum) -> String {
    let named = surface.corners.iter().zip(&top.intervals);
    let shown = named.map(|(name, [low, high])| {
        format!("{name} {:.0} to {}", 100.0 * low, whole_percent(*high))
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn whole_percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// `+3.12 % [+2.05, +4.19]`.
pub(crate) fn predicted(of: &Predicted, unit: GainUnit) -> String {
    span([of.mean, of.low, of.high], unit)
}

/// `+3.12 %`: a value of the surface alone.
pub(crate) fn value_in(value: f64, unit: GainUnit) -> String {
    number(value, unit)
}

/// The mixture to train next as lines of a study; none where there is none.
pub(crate) fn next_mixture(answer: &Answer) -> Option<String> {
    let next = surface_of(answer)?.1.next.as_ref().filter(|next| !next.is_in_study)?;
    let mut text = format!("[mixtures.{}]\n", next.name);
    for (name, part) in next.mixture.proportions() {
        let _ = writeln!(text, "{} = {}", key(name), part.decimal());
    }
    Some(text)
}

/// A name as a key of TOML: a point in it would begin a table.
fn key(name: &SourceName) -> String {
    if name.as_str().contains('.') { format!("\"{name}\"") } else { name.to_string() }
}

#[cfg(test)]
mod tests {
    use sparkjoy_kit::known;

    use super::*;

    /// What is said after a change of the surface that was found.
    fn says(change: impl FnOnce(&mut Surface)) -> String {
        let objective =
            "[objective]\ntargets = { sums = 1, code = 1 }\nguards = { web = \"2%\" }\n";
        let mut answers = known::on_simplex(&known::simplex(objective));
        let answer = answers.questions.remove(0);
        let (decision, surface) = surface_of(&answer).unwrap();
        let mut changed = surface.clone();
        change(&mut changed);
        super::surface(&answer, decision, &changed)
    }

    fn top(surface: &mut Surface) -> &mut SurfaceOptimum {
        surface.fitted.optimum.as_mut().unwrap()
    }

    #[test]
    fn a_predicted_blend_has_its_guard_its_rival_and_what_to_do() {
        let new = says(|_| ());
        insta::assert_snapshot!(new, @"By a quadratic surface over 10 mixtures, the objective is highest at 58 % base + 22 % sums-rich + 20 % code-rich (intervals of the shares: base 55 to 60 %, sums-rich 15 to 25 %, code-rich 18 to 27 %): predicted +5.86 % [+5.69, +6.01]; predicted loss of web +1.98 % [+1.85, +2.10], margin 2 %. Probability that the guard holds there: 68.7 %. Probability of being better than `2/3 base + 1/3 sums-rich`, the best measured within the margins: 100 %. The surface misses a mixture that it is not fitted to by 0.07 %. No run was trained there: add `[mixtures.predicted]` from below to the study, name it in `mixtures` of a `proportion` question beside the best measured, and run again.");
    }

    #[test]
    fn what_is_trained_already_and_what_is_not_determined_is_said_so() {
        let edge = says(|surface| {
            let top = top(surface);
            (top.spot, top.rival, top.composition) =
                (Spot::Candidate(1), None, vec![0.7, 0.0, 0.3]);
            surface.next = None;
        });
        assert!(
            edge.contains("highest at `2/3 base + 1/3 code-rich`, which was trained (intervals "),
            "{edge}"
        );
        assert!(edge.contains("It lies on the edge without `sums-rich`."), "{edge}");
        assert!(!edge.contains("better than") && !edge.contains("No run was trained"), "{edge}");
        let base = says(|surface| top(surface).spot = Spot::Base);
        assert!(base.contains("at the trunk's mixture itself (intervals "), "{base}");
        assert!(base.contains("no blend is predicted to be better."), "{base}");
        let open =
            says(|surface| top(surface).intervals = vec![[0.0, 1.0], [0.0, 1.0], [0.0, 0.2]]);
        assert!(
            open.contains(
                "is not determined (intervals of the shares: base 0 to 100 %, sums-rich 0 to 100 \
                 %, code-rich 0 to 20 %): train more replicates."
            ),
            "{open}"
        );
        let linear = says(|surface| {
            surface.fitted.gain.shape = SurfaceShape::Linear;
            top(surface).intervals = vec![[0.0, 1.0]; 3];
        });
        assert!(linear.contains("or more blends (larger `parts`)."), "{linear}");
        let known = says(|surface| surface.next.as_mut().unwrap().is_in_study = true);
        assert!(known.contains("It is mixture `predicted` of the study:"), "{known}");
        assert!(!known.contains("No run was trained there"), "{known}");
        let none = says(|surface| surface.fitted.optimum = None);
        assert!(none.contains("a guard is predicted to break everywhere."), "{none}");
    }

    #[test]
    fn a_point_in_a_name_begins_no_table() {
        let of = |name: &str| key(&SourceName::new(name).unwrap());
        assert_eq!([of("a-b"), of("a.b")], ["a-b", "\"a.b\""]);
    }
}
