//! The part of a batch that a rank of a distributed run takes.

use std::ops::Range;

/// The slots of `batch` that rank `rank` of `world` takes.
///
/// # Guarantees
///
/// The ranges of all ranks are disjoint, contiguous in rank order and together the batch; their
/// lengths differ by at most one. If there are more ranks than slots, the last ranks get none.
///
/// # Panics
///
/// Unless `rank < world`.
pub fn rank_slots(batch: Range<u64>, rank: u64, world: u64) -> Range<u64> {
    assert!(rank < world, "rank {rank} of a world of {world}");
    let slots = batch.end.saturating_sub(batch.start);
    let (each, extra) = (slots / world, slots % world);
    // The first `extra` ranks take one more.
    let start_of = |rank: u64| batch.start + rank * each + rank.min(extra);
    start_of(rank)..start_of(rank + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranks_share_a_batch_evenly_and_without_gaps(
            start in 0..1_u64 << 60, slots in 0..2_000_u64, world in 1..3_000_u64,
        ) {
            let batch = start..start + slots;
            let mut next = batch.start;
            for rank in 0..world {
                let part = rank_slots(batch.clone(), rank, world);
                prop_assert_eq!(part.start, next);
                let length = part.end - part.start;
                prop_assert!((slots / world..=slots.div_ceil(world)).contains(&length));
                next = part.end;
            }
            prop_assert_eq!(next, batch.end);
        }
    }

    #[test]
    fn a_world_larger_than_the_batch_leaves_its_last_ranks_idle() {
        let lengths = [0, 1, 2, 3].map(|rank| rank_slots(10..12, rank, 4).count());
        assert_eq!(lengths, [1, 1, 0, 0]);
    }

    #[test]
    #[should_panic(expected = "rank 2 of a world of 2")]
    fn a_rank_outside_its_world_is_our_mistake() {
        let _ = rank_slots(0..10, 2, 2);
    }
}
