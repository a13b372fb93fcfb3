//! What a number is about.

use serde::{Deserialize, Serialize};
use sparkjoy_base::{DomainName, Ppm, SourceName};

/// What a number is about: everything, a domain or a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Its kind and name.
    #[serde(flatten)]
    pub what: What,
    /// Its share of the trunk's mixture; none where it is not the same for all arms.
    pub base: Option<Ppm>,
    /// Its share of the mixture asked about; none where there are several.
    pub upsampled: Option<Ppm>,
}

/// The kind and name of a [`Scope`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "lowercase")]
pub enum What {
    /// All sources but unseen ones. Plain mean.
    All,
    /// The sources an arm is about: those it gives more than its control, for removals the removed
    /// ones. Plain mean.
    Targeted,
    /// All others but unseen ones. Plain mean.
    General,
    /// The unseen sources, which nothing trains on. Plain mean.
    Unseen,
    /// The sources of a domain that something may train on; where there is none, all of its
    /// sources.
    Domain {
        /// Its name.
        name: DomainName,
    },
    /// One source.
    Source {
        /// Its domain.
        domain: DomainName,
        /// Its name.
        name: SourceName,
    },
}
