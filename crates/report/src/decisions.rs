//! The table of a decision: each candidate with its gain, its probability, and its guards.

use sparkjoy_answers::{
    Answer, Candidate, Decision, Fate, Finding, GuardState, GuardedMeasure, Judged, RemovalDecision,
};
use sparkjoy_base::percent;

use crate::sentences::{amount_in, composition, noun, predicted, surface_of, value_in};
use crate::table::Table;

/// The table of a question's decision; none where there is none.
pub(crate) fn decision_table(answer: &Answer) -> Option<Table> {
    let removals: Vec<&RemovalDecision> = answer
        .findings
        .iter()
        .filter_map(|finding| match finding {
            Finding::RemovalDecision(removal) => Some(&**removal),
            _ => None,
        })
        .collect();
    if !removals.is_empty() {
        return Some(of_removals(answer, &removals));
    }
    answer.findings.iter().find_map(|finding| match finding {
        Finding::Decision(decision) => Some(of_decision(answer, decision)),
        _ => None,
    })
}

fn of_decision(answer: &Answer, decision: &Decision) -> Table {
    let first = format!("<{}", noun(answer));
    let gain = "gain, ↑ better\nthe objective".to_owned();
    let mut headers = vec![first, gain, "probability\nof the best".to_owned()];
    headers.extend(decision.guards.iter().map(guard_header));
    headers.push("<chosen".to_owned());
    let mut table = Table::new(headers).captioned(
        "The decision: gains in the objective, and losses of what is guarded against their margins",
    );
    for Candidate { arm, judged, .. } in &decision.candidates {
        let mut row = vec![
            answer.arms[*arm].label.clone(),
            amount_in(&judged.gain, decision.unit),
            percent(judged.best),
        ];
        row.extend(guards(judged, &decision.guards));
        let word = if decision.chosen == Some(*arm) {
            "chosen"
        } else if !judged.allowed {
            "not allowed"
        } else if decision.alike.contains(arm) {
            "not worse"
        } else if judged.improves {
            "less"
        } else {
            "no gain"
        };
        row.push(word.to_owned());
        table.row(row);
    }
    let mut base = vec!["none (trunk's mixture)".to_owned(), String::new(), percent(decision.base)];
    base.resize(decision.guards.len() + 4, String::new());
    table.row(base);
    table
}

/// The table of a surface: what it says where mixtures were measured, and where it is highest;
/// none where there is none.
pub(crate) fn surface_table(answer: &Answer) -> Option<Table> {
    let (decision, surface) = surface_of(answer)?;
    let fitted = &surface.fitted;
    let gain = "gain, ↑ better\nby the surface".to_owned();
    let mut headers = vec!["<mixture".to_owned(), "gain\nmeasured".to_owned(), gain];
    let losses = decision.guards.iter().map(|of| format!("{}\nby the surface", guard_header(of)));
    headers.extend(losses);
    let mut table = Table::new(headers)
        .captioned("The surface: gains and losses as it has them, beside what was measured");
    let mut row = |name: String, measured: String, at: &[f64]| {
        let losses = fitted.losses.iter().zip(&decision.guards);
        let losses = losses.map(|(loss, of)| value_in(loss.at(at), of.unit));
        let gain = value_in(fitted.gain.at(at), decision.unit);
        table.row([name, measured, gain].into_iter().chain(losses));
    };
    for (Candidate { arm, judged, .. }, at) in decision.candidates.iter().zip(&surface.compositions)
    {
        let measured = value_in(judged.gain.mean, decision.unit);
        row(answer.arms[*arm].label.clone(), measured, at);
    }
    for at in &surface.unchanged {
        row("trunk's mixture".to_owned(), value_in(0.0, decision.unit), at);
    }
    if let Some(top) = fitted.optimum.as_ref().filter(|top| top.is_determined()) {
        let losses = top.losses.iter().zip(&decision.guards);
        let losses = losses.map(|(loss, of)| predicted(loss, of.unit));
        let name = format!("highest: {}", composition(surface, top));
        let gain = predicted(&top.gain, decision.unit);
        table.row([name, String::new(), gain].into_iter().chain(losses));
    }
    Some(table)
}

fn of_removals(answer: &Answer, removals: &[&RemovalDecision]) -> Table {
    // Guards that are about a removal's own text alone are left out of it.
    let mut all: Vec<&GuardedMeasure> = Vec::new();
    for of in removals.iter().flat_map(|removal| &removal.guarded) {
        if !all.contains(&of) {
            all.push(of);
        }
    }
    let mut headers = vec!["<without".to_owned(), "gain, ↑ better".to_owned()];
    headers.extend(all.iter().map(|of| guard_header(of)));
    headers.push("<decision".to_owned());
    let mut table = Table::new(headers).captioned(
        "The decision: what each removal by itself changes in the objective, without its own text",
    );
    for removal in removals {
        let own = guards(&removal.judged, &removal.guarded);
        let of = |of: &&GuardedMeasure| {
            let place = removal.guarded.iter().position(|other| other == *of);
            place.map_or("own text".to_owned(), |place| own[place].clone())
        };
        let mut row = vec![
            answer.arms[removal.arm].label.clone(),
            amount_in(&removal.judged.gain, removal.unit),
        ];
        row.extend(all.iter().map(of));
        let word = match removal.fate {
            Fate::Keep => "keep",
            Fate::Drop => "drop",
            Fate::NotNeeded => "not needed",
            Fate::NotDecided => "not decided",
        };
        row.push(word.to_owned());
        table.row(row);
    }
    table
}

fn guard_header(of: &GuardedMeasure) -> String {
    format!("loss, ↓ better\n{}", of.name)
}

fn guards(judged: &Judged, guarded: &[GuardedMeasure]) -> Vec<String> {
    let guards = judged.guards.iter().zip(guarded);
    let shown = guards.map(|(guard, of)| {
        let state = match guard.state {
            GuardState::Holds => "holds",
            GuardState::Broken => "broken",
            GuardState::Open => "not shown",
        };
        format!("{}\n{state}", amount_in(&guard.loss, of.unit))
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use sparkjoy_kit::known;

    use super::*;

    #[test]
    fn a_place_that_is_not_determined_has_no_row() {
        let objective = "[objective]\ntargets = { sums = 1, code = 1 }\n";
        let mut answer = known::on_simplex(&known::simplex(objective)).questions.remove(0);
        let has_row = |answer: &Answer| surface_table(answer).unwrap().plain().contains("highest:");
        assert!(has_row(&answer));
        for finding in &mut answer.findings {
            if let Finding::Decision(decision) = finding {
                let surface = decision.surface.as_mut().unwrap();
                surface.fitted.optimum.as_mut().unwrap().intervals = vec![[0.0, 1.0]; 3];
            }
        }
        assert!(!has_row(&answer));
    }
}
