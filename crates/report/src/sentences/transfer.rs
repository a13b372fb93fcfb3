//! Whether an order holds in another setting.

use sparkjoy_answers::{Answer, Held, Order, Transfer};

use super::amounts::{difference, p};
use super::count;

/// A setting against the first one.
pub(super) fn transfer(answer: &Answer, finding: &Transfer) -> String {
    let Transfer { setting, arms, labels, order } = finding;
    let label = |setting: usize| answer.settings.get(setting).map_or("", |at| at.label.as_str());
    let (here, there) = (label(0), label(*setting));
    match order {
        Order::NoRanking => format!(
            "There is no ranking to compare with {there}: {} significant effect with {here} (after \
             Holm), and an order needs two.",
            match arms.len() {
                0 => "no arm has a".to_owned(),
                n => format!("only {} has a", count(n, "arm")),
            }
        ),
        Order::Pair { first, other, adjusted_p, family, outcome } => {
            let pair = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>();
            let pair = pair.join(" and ");
            let numbers = format!(
                "against the second, the first is {} with {here}, {} with {there} ({})",
                difference(first),
                difference(other),
                p(*adjusted_p, *family)
            );
            match outcome {
                Held::Holds => format!("The order of {pair} holds with {there}: {numbers}."),
                Held::Reversed => {
                    format!("The order of {pair} is reversed with {there}: {numbers}.")
                }
                Held::NotSignificant => format!(
                    "No significant evidence that the order of {pair} holds with {there}: {numbers}."
                ),
            }
        }
        Order::Ranks { agreement, changed, adjusted_p, family, outcome } => {
            let name = |place: usize| {
                let at = arms.iter().position(|&arm| arm == place);
                at.map_or_else(String::new, |at| format!("`{}`", labels[at]))
            };
            let pairs: Vec<String> =
                changed.iter().map(|&[i, j]| format!("{} and {}", name(i), name(j))).collect();
            let changed = if pairs.is_empty() {
                "no pair changes its order".to_owned()
            } else {
                format!("{} change their order", pairs.join(", "))
            };
            let arms = count(arms.len(), "significant arm");
            let says = match outcome {
                Held::Holds => format!("The ranking of {arms} holds with {there}"),
                Held::Reversed => format!("The ranking of {arms} is reversed with {there}"),
                Held::NotSignificant => {
                    format!("No significant agreement of the ranking of {arms} with {there}")
                }
            };
            format!(
                "{says}: Kendall's τ {:.2} [{:.2}, {:.2}] ({}), {changed}.",
                agreement.tau,
                agreement.low,
                agreement.high,
                p(*adjusted_p, *family)
            )
            .replace('-', "−")
        }
    }
}
