//! The memory a run takes, against the memory there is.

use serde::Serialize;
use sparkjoy_base::bytes;
use sparkjoy_nn::Compute;
use sparkjoy_study::Plan;

use crate::machine;

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Memory {
    /// What each run takes at its peak, one run at a time.
    pub(super) run: u64,
    recompute: u64,
    /// What programs can still take of this machine, where it is known.
    free: Option<u64>,
}

impl Memory {
    /// That of a plan's runs, and of this machine.
    pub(super) fn of(plan: &Plan, compute: Compute) -> Self {
        let with = |recompute| plan.memory(compute.threads, recompute);
        let free = machine::memory().map(|memory| memory.free);
        Self { run: with(compute.recompute), recompute: with(true), free }
    }

    /// What to do where a run does not fit.
    pub(super) fn note(&self) -> Option<String> {
        let free = self.free.filter(|free| self.run > *free)?;
        let run = bytes(self.run);
        let lack = format!("a run takes {run} of memory and this machine has {} free", bytes(free));
        Some(if self.recompute <= free {
            format!("{lack}: `--recompute` brings it down to {}", bytes(self.recompute))
        } else if self.recompute < self.run {
            let least = bytes(self.recompute);
            format!("{lack}: the model does not fit, not even with `--recompute` ({least})")
        } else {
            format!("{lack}: the model does not fit")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_comes_with_the_way_out_there_is() {
        let note = |run, recompute, free| Memory { run, recompute, free }.note();
        assert_eq!(note(3 << 30, 1 << 30, None), None);
        assert_eq!(note(3 << 30, 1 << 30, Some(3 << 30)), None);
        let texts = [
            note(3 << 30, 1 << 30, Some(2 << 30)),
            note(5 << 30, 3 << 30, Some(2 << 30)),
            note(3 << 30, 3 << 30, Some(2 << 30)),
        ];
        insta::assert_snapshot!(texts.map(Option::unwrap).join("\n"), @"
        a run takes 3.0 GiB of memory and this machine has 2.0 GiB free: `--recompute` brings it down to 1.0 GiB
        a run takes 5.0 GiB of memory and this machine has 2.0 GiB free: the model does not fit, not even with `--recompute` (3.0 GiB)
        a run takes 3.0 GiB of memory and this machine has 2.0 GiB free: the model does not fit
        ");
    }
}
