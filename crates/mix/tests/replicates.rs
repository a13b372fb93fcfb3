//! Replicates: other orders of the same data, shared by all branches of one replicate.

use std::collections::BTreeSet;

use crate::study::{branch, ledger, phase, read_of, source};

/// What replicate `replicate` reads of `web`, whose first 400 of 1,000 its trunk has read.
fn web(replicate: u32, web: u32, slots: u64) -> Vec<(u64, u64)> {
    let sources = vec![source("web", 1_000), source("math", 200)];
    let mixed = phase(&[("web", web), ("math", 1_000_000 - web)], slots);
    read_of(&branch(replicate, sources, ledger(&[("web", 400)]), mixed).unwrap(), "web")
}

#[test]
fn replicates_read_the_same_rest_each_in_an_order_of_its_own() {
    let rests = [0, 1, 2, 3].map(|replicate| web(replicate, 700_000, 1_000)[..600].to_vec());
    let distinct: BTreeSet<_> = rests.iter().collect();
    assert_eq!(distinct.len(), 4);
    let sets = rests.each_ref().map(|rest| rest.iter().collect::<BTreeSet<_>>());
    assert!(sets.iter().all(|set| set.len() == 600 && *set == sets[0]));
    assert!(sets[0].iter().all(|&&(epoch, _)| epoch == 0));
}

#[test]
fn replicates_go_on_to_epochs_of_their_own() {
    let epochs = [0, 1, 2, 3].map(|replicate| {
        let read = web(replicate, 990_000, 1_700);
        assert!(read[600..1_600].iter().all(|&(epoch, _)| epoch == 1));
        read[600..1_600].to_vec()
    });
    assert_eq!(epochs.iter().collect::<BTreeSet<_>>().len(), 4);
}

#[test]
fn branches_of_one_replicate_share_the_order_of_every_source() {
    for replicate in 0..3 {
        let (branch, control) = (web(replicate, 300_000, 2_500), web(replicate, 900_000, 2_500));
        assert!(branch.len() > 740);
        assert_eq!(branch[..], control[..branch.len()], "replicate {replicate}");
    }
}
