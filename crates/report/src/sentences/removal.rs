//! Removals: sources that do harm, sources that stand in for each other, sources without a
//! measurable loss.

use sparkjoy_answers::{Answer, Harm, Measure, NoLoss, Redundancy, SharedLoss, TaskContrast};

use super::amounts::{amount, bits, bits_again, detectable, name, on_task, p, p_of, size, tasks};
use super::arms::{removal, removed, together};

/// ``Removing `rumours` significantly improves `facts` +11.9 points […] (after Holm)``.
fn improves(answer: &Answer, Harm { arm, better, .. }: &Harm) -> String {
    format!(
        "Removing {} significantly improves {} (after Holm)",
        removal(answer, *arm),
        match &better[..] {
            [one] => {
                let effect = &one.tested.effect;
                let by = match one.measure {
                    Measure::GoldBitsPerByte => format!(" by {}", size(effect)),
                    measure => format!(": {}", amount(measure, effect)),
                };
                format!("{}{by}", name(&one.task, one.measure))
            }
            several => format!("{} tasks: {}", several.len(), tasks(several)),
        }
    )
}

/// A source that does harm.
pub(super) fn harmful(answer: &Answer, harm: &Harm) -> String {
    let rival = harm.rival.as_ref().map_or_else(String::new, |rival| {
        let TaskContrast { task, measure, contrast } = rival;
        format!(
            ", more than removing any other source of at least its share ({} {} than without {}, {})",
            name(task, *measure),
            more(rival),
            removed(answer, contrast.rival),
            p_of(contrast)
        )
    });
    format!("{}{rival}.", improves(answer, harm))
}

/// A gain with a loss, or one that the freed share may explain.
pub(super) fn trade(answer: &Answer, harm: &Harm) -> String {
    let improves = improves(answer, harm);
    match &harm.rival {
        _ if !harm.worse.is_empty() => {
            format!("{improves}, and makes worse: {}.", tasks(&harm.worse))
        }
        Some(rival) => format!(
            "{improves}, but not significantly more than removing {}, which frees at least as much: \
             {} {} ({}). The freed share may explain the gain.",
            removed(answer, rival.contrast.rival),
            name(&rival.task, rival.measure),
            more(rival),
            p_of(&rival.contrast)
        ),
        None => format!(
            "{improves}. No other removal frees as much, so the freed share may explain the gain."
        ),
    }
}

/// `+11.3 points […] more`; of bits per byte `better by 0.0123 bits per byte […]`.
fn more(rival: &TaskContrast) -> String {
    let more = if rival.measure == Measure::GoldBitsPerByte { "" } else { " more" };
    format!("{}{more}", on_task(rival))
}

/// Sources that stand in for each other.
pub(super) fn redundant(answer: &Answer, finding: &Redundancy) -> String {
    let Redundancy { each, evidence, subsets, no_loss_alone, .. } = finding;
    let names: Vec<String> = each.iter().map(|&arm| removed(answer, arm)).collect();
    let (all, part) = match each.len() {
        2 => ("both", "half".to_owned()),
        3 => ("all three", "a third".to_owned()),
        n => ("all of them", format!("1/{n}")),
    };
    let losses: Vec<String> = evidence.iter().map(|loss| shared_loss(loss, &names, all)).collect();
    let largest = evidence.iter().max_by(|a, b| a.adjusted_p.total_cmp(&b.adjusted_p));
    let p = largest.map_or_else(String::new, |loss| p(loss.adjusted_p, loss.family));
    let mut text = format!(
        "{} stand in for each other: {}. Each loss alone is significantly less than {part} of the \
         loss without {all} ({p}).",
        together(&names),
        losses.join("; ")
    );
    if *no_loss_alone {
        let what = if answer.tasks.is_empty() { "no" } else { "no task and no" };
        text = format!("{text} Without one alone {what} other text is significantly worse.");
    }
    if each.len() > 2 && !subsets {
        text = format!(
            "{text} One of them may be of no use at all: no removal of some but not all of them was \
             compared."
        );
    }
    text
}

fn shared_loss(loss: &SharedLoss, names: &[String], all: &str) -> String {
    if let (Some(task), Some(measure)) = (&loss.task, loss.measure) {
        let together = loss.all.first().map_or_else(String::new, |effect| amount(measure, effect));
        let alone = loss.alone.iter().zip(names);
        let alone: Vec<String> = alone
            .map(|(effect, name)| format!("{} without {name} alone", amount(measure, effect)))
            .collect();
        let task = name(task, measure);
        return format!("{task} {together} without {all}, {}", alone.join(", "));
    }
    let parts = loss.all.iter().zip(&loss.alone).zip(names);
    let parts = parts.map(|((together, alone), name)| {
        format!(
            "own text of {name} {} without {all}, {} without it alone",
            bits(together),
            bits_again(alone)
        )
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// Sources without a measurable loss.
pub(super) fn no_loss(
    answer: &Answer,
    NoLoss { arms, tasks, detectable: least }: &NoLoss,
) -> String {
    let names: Vec<String> = arms.iter().map(|&arm| removal(answer, arm)).collect();
    let what = if *tasks { "No task and no" } else { "No" };
    let least: Vec<String> = least
        .iter()
        .map(|least| {
            let on = match least.measure {
                None => " on other text",
                Some(Measure::GoldBitsPerByte) => " on correct answers",
                Some(_) => "",
            };
            format!("{}{on}", detectable(least))
        })
        .collect();
    format!(
        "No measurable loss without: {}. {what} other text is significantly worse (after Holm). \
         Minimum detectable losses at 80 % power: {}.",
        names.join(", "),
        together(&least)
    )
}
