//! What a study with an objective can decide, as a person reads it.

use std::fmt::Write;

use sparkjoy_answers::{DecidableGuard, GainUnit, Needed, Power};
use sparkjoy_base::{counted, percent};
use sparkjoy_report::{Table, sentences, wrap};

use super::tables::{fold, section};

/// Characters of a line of what is decided about.
const LABEL: usize = 20;

/// A table of what each question can decide, then where its noise comes from; nothing without an
/// objective.
pub(super) fn render(power: &Power) -> String {
    let more = format!("with {}\nreplicates", power.more_replicates);
    let mut table =
        Table::new(["<", "margin", "needs\nat least", "<as planned", &more, "with half\nthe arms"]);
    let decided = || power.questions.iter().filter_map(|it| Some((it.ask, it.decision.as_ref()?)));
    for (ask, decision) in decided() {
        let ask = format!("{ask:?}").to_lowercase();
        let asked = format!("{ask}, {}", counted(decision.arms as u64, "arm"));
        table.row([&asked, "", "", "", "", ""]);
        let gain = fold(&format!("gain in {}", decision.objective), LABEL);
        table.row(cells(&gain, String::new(), decision.gain.as_ref(), decision.unit, ""));
        for DecidableGuard { of, margin, needs } in &decision.guards {
            let state = needs.as_ref().map_or("", |needs| state(*margin, needs));
            let margin = sentences::amount_as_written(*margin, of.unit);
            let guard = fold(&format!("guard {}", of.name), LABEL);
            table.row(cells(&guard, margin, needs.as_ref(), of.unit, state));
        }
    }
    let mut text = String::new();
    if decided().next().is_none() {
        return text;
    }
    let title = format!(
        "what the study can decide with {} replicates, at 80 % power and {} confidence",
        power.replicates,
        percent(power.confidence)
    );
    section(&mut text, &title, &table);
    let source = format!(
        "needs at least: the least gain that is significant, the least margin that a guard without \
         any loss is shown to keep, by the noise of replicates alone; that of held-out documents \
         comes on top; {}",
        sentences::noise_source(power)
    );
    let is_unknown = decided().any(|(_, decision)| {
        decision.gain.is_none() || decision.guards.iter().any(|guard| guard.needs.is_none())
    });
    let tasks = if is_unknown { "; on tasks (–) the noise is not known before" } else { "" };
    let _ = writeln!(text, "{}", wrap(&format!("{source}{tasks}")).join("\n"));
    text
}

fn cells(
    what: &str,
    margin: String,
    needs: Option<&Needed>,
    unit: GainUnit,
    state: &str,
) -> [String; 6] {
    let dash = || "–".to_owned();
    let amount = |of: [f64; 2]| sentences::amounts_between(of, unit);
    let cell = |of: fn(&Needed) -> Option<[f64; 2]>| needs.and_then(of).map_or_else(dash, amount);
    [
        format!("  {}", what.replace('\n', "\n  ")),
        margin,
        cell(|needs| Some(needs.planned)),
        state.to_owned(),
        cell(|needs| Some(needs.with_more_replicates)),
        cell(|needs| needs.with_half_the_arms),
    ]
}

/// Whether a guard of this margin can be shown to hold as planned.
fn state(margin: f64, needs: &Needed) -> &'static str {
    let [low, high] = needs.planned;
    if margin >= high {
        "can be shown"
    } else if margin >= low {
        "if noise is small"
    } else {
        "cannot be shown"
    }
}

#[cfg(test)]
mod tests {
    use sparkjoy_answers::{Decidable, DetectableIn, GuardedMeasure};
    use sparkjoy_study::Ask;

    use super::*;

    #[test]
    fn a_study_says_which_guards_it_can_show_and_what_would_change_it() {
        let needs = |planned: [f64; 2]| Needed {
            planned,
            with_more_replicates: planned.map(|it| 0.5 * it),
            with_half_the_arms: Some(planned.map(|it| 0.75 * it)),
        };
        let guard = |name: &str, unit, margin, needs| {
            let of = GuardedMeasure { name: name.to_owned(), unit };
            DecidableGuard { of, margin, needs }
        };
        let percent =
            |name, margin, planned| guard(name, GainUnit::Percent, margin, Some(needs(planned)));
        let decision = Decidable {
            arms: 4,
            objective: "math, code".to_owned(),
            unit: GainUnit::Percent,
            gain: Some(needs([0.05, 1.5])),
            guards: vec![
                percent("web", 0.5, [0.9, 0.9]),
                percent("wiki", 0.5, [0.02, 0.72]),
                percent("code", 1.0, [0.02, 0.72]),
                guard("arc", GainUnit::Points, 2.0, None),
            ],
        };
        let question = |decision| DetectableIn {
            ask: Ask::Duration,
            comparisons: 8,
            scopes: vec![],
            decision,
        };
        let power = |questions| Power {
            replicates: 3,
            more_replicates: 5,
            confidence: 0.95,
            pairs: 12,
            questions,
        };
        assert_eq!(render(&power(vec![question(None)])), "");
        let text = render(&power(vec![question(None), question(Some(decision))]));
        insta::assert_snapshot!(anstream::adapter::strip_str(&text), @"
        what the study can decide with 3 replicates, at 80 % power and 95 % confidence

                                margin           needs  as planned                 with 5       with half
                                              at least                         replicates        the arms
        duration, 4 arms
          gain in math, code            0.05 to 1.50 %                     0.03 to 0.75 %  0.04 to 1.12 %
          guard web              0.5 %          0.90 %  cannot be shown            0.45 %          0.68 %
          guard wiki             0.5 %  0.02 to 0.72 %  if noise is small  0.01 to 0.36 %  0.01 to 0.54 %
          guard code               1 %  0.02 to 0.72 %  can be shown       0.01 to 0.36 %  0.01 to 0.54 %
          guard arc           2 points               –                                  –               –
        needs at least: the least gain that is significant, the least margin that a guard without any loss
          is shown to keep, by the noise of replicates alone; that of held-out documents comes on top; by
          the standard deviation of 12 scored pairs; on tasks (–) the noise is not known before
        ");
    }
}
