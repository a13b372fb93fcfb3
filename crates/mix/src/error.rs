//! Errors in a mixture, a source or a phase.

use sparkjoy_base::{Hint, Ppm, SourceName, thousands};

/// An invalid mixture, source or order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MixError {
    /// A mixture without sources.
    #[error("the mixture names no source, expected at least one")]
    NoSources,
    /// A listed source has proportion 0.
    #[error("source `{source_name}` has proportion 0, expected more than 0")]
    ZeroProportion {
        /// The source.
        source_name: SourceName,
    },
    /// Proportions do not sum to one.
    #[error("proportions sum to {sum}, expected exactly 100 %")]
    Sum {
        /// The sum found; saturates at 32 bits.
        sum: Ppm,
    },
    /// A mixture names a source that does not exist.
    #[error(
        "the mixture of phase {phase} names source `{source_name}`, {}",
        expected_one_of(known)
    )]
    UnknownSource {
        /// Number of the phase, as in [`Order::new`](crate::Order::new).
        phase: u64,
        /// The name found.
        source_name: SourceName,
        /// The names there are.
        known: Vec<SourceName>,
    },
    /// Two sources have the same name.
    #[error("source `{source_name}` is given more than once, expected one source per name")]
    DuplicateSource {
        /// The name.
        source_name: SourceName,
    },
    /// A source without sequences.
    #[error("source `{source_name}` has 0 sequences, expected at least 1")]
    EmptySource {
        /// The source.
        source_name: SourceName,
    },
    /// A phase without slots.
    #[error("phase {phase} has 0 sequences, expected at least 1")]
    EmptyPhase {
        /// Number of the phase, as in [`Order::new`](crate::Order::new).
        phase: u64,
    },
    /// A listed source gets no sequence of a phase: a comparison without it would be empty.
    #[error(
        "source `{source_name}` has proportion {proportion} but gets none of the {} sequences of \
         phase {phase}",
        thousands(*slots)
    )]
    Starved {
        /// Number of the phase, as in [`Order::new`](crate::Order::new).
        phase: u64,
        /// The source.
        source_name: SourceName,
        /// Its proportion.
        proportion: Ppm,
        /// Sequences of the phase.
        slots: u64,
    },
    /// Ledger and phases together exceed the range in which counts are exact.
    #[error("source `{source_name}` could be drawn up to {drawn} times, expected at most 2^60")]
    TooLong {
        /// The source.
        source_name: SourceName,
        /// Its count in the opening ledger plus all slots of all phases.
        drawn: u128,
    },
}

/// ``expected one of `code`, `math`, `web` ``
fn expected_one_of(names: &[SourceName]) -> String {
    if names.is_empty() {
        return "but there are no sources".to_owned();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("expected one of {}", quoted.join(", "))
}

/// Parts per million as the decimal a study file holds: `0.03`.
fn decimal(parts: u32) -> String {
    let text = format!("{}.{:06}", parts / Ppm::ONE.0, parts % Ppm::ONE.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Hint for MixError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSources => "add a source with proportion 1 to the mixture".to_owned(),
            Self::ZeroProportion { source_name } => format!(
                "delete the line of `{source_name}`: a mixture lists only the sources it uses"
            ),
            Self::Sum { sum } if sum.0 < Ppm::ONE.0 => format!(
                "add the missing {} to one of the proportions: nothing is normalised silently",
                decimal(Ppm::ONE.0 - sum.0)
            ),
            Self::Sum { sum } => format!(
                "take {} from the proportions: nothing is normalised silently",
                decimal(sum.0 - Ppm::ONE.0)
            ),
            Self::UnknownSource { source_name, .. } => format!(
                "correct the name in the mixture, or define `{source_name}` among the sources"
            ),
            Self::DuplicateSource { source_name } => {
                format!("rename or delete one of the sources called `{source_name}`")
            }
            Self::EmptySource { source_name } => format!(
                "give `{source_name}` at least one context length of text, or take it out of the \
                 study"
            ),
            Self::EmptyPhase { .. } => {
                "lengthen the phase to at least one step, or take it out".to_owned()
            }
            Self::Starved { source_name, .. } => format!(
                "lengthen the phase, raise the proportion of `{source_name}`, or take it out of \
                 the mixture"
            ),
            Self::TooLong { .. } => {
                "check the token budget and the counts of the opening ledger".to_owned()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> SourceName {
        SourceName::new(name).unwrap()
    }

    /// The text and the hint, as the command line shows them.
    fn shown(error: &MixError) -> String {
        format!("{error}\n{}", error.hint().unwrap())
    }

    #[test]
    fn every_mistake_says_what_was_found_and_what_to_type() {
        insta::assert_snapshot!(shown(&MixError::NoSources), @r"
        the mixture names no source, expected at least one
        add a source with proportion 1 to the mixture
        ");
        insta::assert_snapshot!(shown(&MixError::ZeroProportion { source_name: name("math") }), @r"
        source `math` has proportion 0, expected more than 0
        delete the line of `math`: a mixture lists only the sources it uses
        ");
        insta::assert_snapshot!(shown(&MixError::Sum { sum: Ppm(970_000) }), @r"
        proportions sum to 97 %, expected exactly 100 %
        add the missing 0.03 to one of the proportions: nothing is normalised silently
        ");
        insta::assert_snapshot!(shown(&MixError::Sum { sum: Ppm(1_000_001) }), @r"
        proportions sum to 100.0001 %, expected exactly 100 %
        take 0.000001 from the proportions: nothing is normalised silently
        ");
        let known = vec![name("code"), name("math")];
        let unknown = MixError::UnknownSource { phase: 1, source_name: name("maths"), known };
        insta::assert_snapshot!(shown(&unknown), @r"
        the mixture of phase 1 names source `maths`, expected one of `code`, `math`
        correct the name in the mixture, or define `maths` among the sources
        ");
        let unknown =
            MixError::UnknownSource { phase: 0, source_name: name("web"), known: Vec::new() };
        insta::assert_snapshot!(shown(&unknown), @r"
        the mixture of phase 0 names source `web`, but there are no sources
        correct the name in the mixture, or define `web` among the sources
        ");
        insta::assert_snapshot!(shown(&MixError::DuplicateSource { source_name: name("web") }), @r"
        source `web` is given more than once, expected one source per name
        rename or delete one of the sources called `web`
        ");
        insta::assert_snapshot!(shown(&MixError::EmptySource { source_name: name("web") }), @r"
        source `web` has 0 sequences, expected at least 1
        give `web` at least one context length of text, or take it out of the study
        ");
        insta::assert_snapshot!(shown(&MixError::EmptyPhase { phase: 1 }), @r"
        phase 1 has 0 sequences, expected at least 1
        lengthen the phase to at least one step, or take it out
        ");
        let starved = MixError::Starved {
            phase: 1,
            source_name: name("math"),
            proportion: Ppm(120),
            slots: 1_024,
        };
        insta::assert_snapshot!(shown(&starved), @r"
        source `math` has proportion 0.012 % but gets none of the 1,024 sequences of phase 1
        lengthen the phase, raise the proportion of `math`, or take it out of the mixture
        ");
        let too_long = MixError::TooLong { source_name: name("web"), drawn: 1 << 64 };
        insta::assert_snapshot!(shown(&too_long), @r"
        source `web` could be drawn up to 18446744073709551616 times, expected at most 2^60
        check the token budget and the counts of the opening ledger
        ");
    }
}
