//! Which instructions computed what is compared.

use serde::{Deserialize, Serialize};

/// Branches that the same kernels computed in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computed {
    /// The kernels, that of the trunk's first step first.
    pub kernels: Vec<String>,
    /// The branches, in the plan's order.
    pub branches: Vec<String>,
}

/// A sentence where rounding is part of some difference, nothing where one kernel computed all.
pub fn mixed(computed: &[Computed]) -> Option<String> {
    if computed.iter().all(|group| group.kernels.len() == 1) && computed.len() < 2 {
        return None;
    }
    let of = |group: &Computed| {
        let branches = match computed {
            [_] => "every branch".to_owned(),
            _ => group.branches.join(", "),
        };
        format!("{} ({branches})", group.kernels.join(" then "))
    };
    Some(format!(
        "KERNELS: not one set of instructions computed all that is compared, and each rounds in its \
         own way, so a difference may hold rounding besides data: {}",
        computed.iter().map(of).collect::<Vec<_>>().join("; ")
    ))
}
