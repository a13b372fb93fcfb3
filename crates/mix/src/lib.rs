//! Says which sequence of which source stands at every step and row.
//!
//! Arithmetic only: this crate reads no file, clock, environment or thread, and no float takes
//! part in choosing a sequence. Two machines with the same sources, seed and phases compute the
//! same order, at any slot, in any order of asking, for any number of ranks.

mod contract;

pub use contract::{Draw, Ledger, MixError, Mixture, Order, Phase, Supply, rank_slots};
