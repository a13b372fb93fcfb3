//! What a study is to decide by: what should get better, and what must not get worse.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{DomainName, SourceName};

/// What should get better, what must not get worse, and what data costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// What should get better.
    pub targets: Vec<Target>,
    /// What must not get worse.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<Guard>,
    /// What an epoch of a source costs, in the unit of the objective.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub costs: BTreeMap<SourceName, f64>,
    /// A change of the objective below this does not matter; none where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
}

/// Something that should get better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// What is measured.
    pub of: Measured,
    /// Its weight in the mean; weights need not sum to 1.
    pub weight: f64,
}

/// Something that must not get worse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// What is measured.
    pub of: Measured,
    /// How much it may lose at most, in its own unit.
    pub margin: f64,
}

/// What can be measured of a branch against its control.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Measured {
    /// Held-out text of a source.
    Source {
        /// Its name.
        name: SourceName,
    },
    /// The mean over the sources of a domain.
    Domain {
        /// Its name.
        name: DomainName,
    },
    /// Held-out text in the proportions of a mixture.
    Mixture {
        /// Its name.
        name: String,
    },
    /// The mean over the unseen sources.
    Unseen,
    /// Accuracy of a task.
    Task {
        /// Its name.
        name: String,
    },
    /// Bits per byte of the correct answers of a task.
    Bits {
        /// Its name.
        name: String,
    },
    /// The average of a suite (`suite`) or of one of its categories (`suite: category`).
    Average {
        /// Its name.
        name: String,
    },
}

/// What differences of a measure are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Hundredths of the control's bits per byte.
    Percent,
    /// Hundredths of all items.
    Points,
}

impl Objective {
    /// `math (weight 2), code`: the targets, with weights where they differ.
    pub fn targets_in_words(&self) -> String {
        let first = self.targets.first().map_or(1.0, |target| target.weight);
        let differ = self.targets.iter().any(|target| (target.weight - first).abs() > 1e-12);
        let word = |Target { of, weight }: &Target| {
            if differ { format!("{of} (weight {weight})") } else { of.to_string() }
        };
        self.targets.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}

/// The targets, then what may get worse by how much.
impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.targets_in_words())?;
        for Guard { of, margin } in &self.guards {
            let unit = match of.unit() {
                Unit::Percent => "%",
                Unit::Points => "points",
            };
            write!(f, "; {of} may lose {margin} {unit}")?;
        }
        Ok(())
    }
}

impl Measured {
    /// The unit of its differences.
    pub fn unit(&self) -> Unit {
        match self {
            Self::Task { .. } | Self::Average { .. } => Unit::Points,
            _ => Unit::Percent,
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source { name } => write!(f, "{name}"),
            Self::Domain { name } => write!(f, "{name}"),
            Self::Mixture { name } => write!(f, "text in the proportions of {name}"),
            Self::Task { name } | Self::Average { name } => f.write_str(name),
            Self::Unseen => f.write_str("unseen text"),
            Self::Bits { name } => write!(f, "correct answers of {name}"),
        }
    }
}
