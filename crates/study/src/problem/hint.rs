//! What to type next.

use std::path::Path;

use sparkjoy_base::Hint;

use super::{Problem, decimal};

impl Problem {
    /// What to type next. `file`: the study.
    pub(crate) fn hint(&self, file: &Path) -> Option<String> {
        let study = file.display();
        Some(match self {
            Self::UnknownKey { nearest: Some(key), .. }
            | Self::UnknownChoice { nearest: Some(key), .. } => format!("write `{key}`"),
            Self::UndefinedSource { nearest: Some(name), .. }
            | Self::NoSource { nearest: Some(name), .. }
            | Self::UndefinedMixture { nearest: Some(name), .. }
            | Self::NotADomain { nearest: Some(name), .. }
            | Self::RefillUnknown { nearest: Some(name), .. } => format!("write `{name}`"),
            Self::UndefinedSource { nearest: None, name, .. } => {
                format!("define it in a table `[sources.{name}]`")
            }
            Self::NoSource { nearest: None, .. } => "`[sources.…]` has the names".into(),
            Self::UndefinedMixture { nearest: None, name } => {
                format!("define it in a table `[mixtures.{name}]`")
            }
            Self::UnknownKey { .. } | Self::MissingKey { .. } => {
                "`sparkjoy new` writes a study with every key explained".into()
            }
            Self::Sum { sum, .. } if *sum < 1_000_000 => {
                format!("give the missing {} to a source", decimal(1_000_000 - sum))
            }
            Self::Sum { sum, .. } => format!("take {} away", decimal(sum - 1_000_000)),
            Self::NoIntervals => {
                "write `replicates = 3` in `[training]`, or leave `confidence` away".into()
            }
            Self::Task { why } => return why.hint(),
            Self::Trunk(problem) => return problem.hint(),
            Self::NeverReached { .. } => {
                "ask for an earlier one; the branch on the trunk's mixture is scored at its end"
                    .into()
            }
            Self::Unweighed { domain, source_name } => {
                format!("add `{source_name}` to `[domains.{domain}]`, or drop the whole table")
            }
            Self::ShareVanishes { domain, .. } => {
                format!("weigh the domain's sources in `[domains.{domain}]`")
            }
            Self::MixturesOrBetween => {
                "write `mixtures = [\"a\", \"b\"]`, or `between = [\"a\", \"b\"]` with `shares = [0.5]`"
                    .into()
            }
            Self::NothingChosen { key, each } => {
                format!("write `{key} = [\"a source\"]`, or `{each} = [\"a domain\"]`")
            }
            Self::WindowPastEnd { .. } => "begin earlier, or shorten the window".into(),
            Self::TransferNowhere => {
                "write `models = [{ layers = 2, width = 64, heads = 2 }]`, or `mixtures = [\"a\"]`"
                    .into()
            }
            Self::ChangesNothing { .. } => "ask about another mixture".into(),
            Self::RefillNobody { .. } => "ask with `refill = \"proportional\"`".into(),
            Self::TooSmall { source_name, .. } => {
                format!("add text to `{source_name}`, or leave it out")
            }
            Self::NotPrepared { .. } | Self::OtherTokenizer { .. } => {
                format!("run `sparkjoy prepare {study}`")
            }
            Self::Mix { why, .. } => return why.hint(),
            _ => return None,
        })
    }
}
