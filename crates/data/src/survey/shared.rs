//! Documents that several sources have, or one has twice: what one holds out another may train on.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sparkjoy_base::{Ppm, SourceName};

use super::Measured;
use super::measure::DocumentRead;
use crate::Validation;

/// Held-out documents of a source that stand in training text, among those read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// The source that holds them out.
    pub source: SourceName,
    /// The sources that train on them.
    pub within: BTreeSet<SourceName>,
    /// How many.
    pub documents: u64,
    /// Of how many that it holds out.
    pub of_documents: u64,
}

/// Gives sources one share to hold out where one would train on what the other holds out: which
/// documents a share holds out follows from their text alone.
pub(super) fn hold_out_alike(all: &mut [Measured]) {
    // The group of each source, named by one of its members.
    let mut groups: Vec<usize> = (0..all.len()).collect();
    for (at, leak) in leaks(all) {
        for &other in &leak.within {
            if share(&all[at]).is_some() && share(&all[other]).is_some() {
                let [from, to] = [groups[other], groups[at]];
                groups.iter_mut().filter(|it| **it == from).for_each(|it| *it = to);
            }
        }
    }
    for at in 0..all.len() {
        let members = (0..all.len()).filter(|&other| groups[other] == groups[at]);
        let most = members.filter_map(|other| share(&all[other])).max();
        let (Some(most), Some(own)) = (most, share(&all[at])) else { continue };
        let measured = &mut all[at];
        // Text must be left to train on.
        if most > own && measured.train.held_out(most).0 <= measured.train.bytes * 3 / 4 {
            measured.source.files.validation = Validation::Split(most);
            measured.divide();
        }
    }
}

/// What is still trained on: so much of a source that a study is refused for it.
pub(super) fn trained_on(all: &[Measured]) -> Vec<Shared> {
    let name = |at: usize| all[at].source.files.name.clone();
    leaks(all)
        .into_iter()
        .map(|(at, Leak { within, documents, of_documents })| Shared {
            source: name(at),
            within: within.into_iter().map(name).collect(),
            documents,
            of_documents,
        })
        .collect()
}

/// Held-out documents of a source that stand in training text.
struct Leak {
    within: BTreeSet<usize>,
    documents: u64,
    of_documents: u64,
}

/// The leaks of sources, by their places, that are large enough to be refused.
fn leaks(all: &[Measured]) -> Vec<(usize, Leak)> {
    let mut trains: BTreeMap<u64, BTreeSet<usize>> = BTreeMap::new();
    for (at, measured) in all.iter().enumerate() {
        let share = share(measured);
        let trained = |it: &&DocumentRead| share.is_none_or(|share| !it.is_held_out(share));
        for document in measured.train.documents_read.iter().filter(trained) {
            trains.entry(document.words).or_default().insert(at);
        }
    }
    let leak = |(at, measured): (usize, &Measured)| {
        let (of, share) = match share(measured) {
            Some(share) => (&measured.train, share),
            None => (&measured.held_out, Ppm::ONE),
        };
        let own = || of.documents_read.iter().filter(|it| it.is_held_out(share));
        let found: Vec<&DocumentRead> = own().filter(|it| trains.contains_key(&it.words)).collect();
        let bytes: u64 = found.iter().map(|it| it.bytes).sum();
        let refused = bytes > 0 && 1000 * bytes >= own().map(|it| it.bytes).sum();
        let leak = || Leak {
            within: found.iter().flat_map(|it| trains[&it.words].clone()).collect(),
            documents: found.len() as u64,
            of_documents: own().count() as u64,
        };
        refused.then(|| (at, leak()))
    };
    all.iter().enumerate().filter_map(leak).collect()
}

/// The share of its documents that a source holds out; none where it holds out files.
fn share(measured: &Measured) -> Option<Ppm> {
    match measured.source.files.validation {
        Validation::Split(share) => Some(share),
        _ => None,
    }
}
