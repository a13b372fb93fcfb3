//! Computes the reading order: which sequence of which source is at each step and row.
//!
//! Integer arithmetic only: this crate reads no file, clock, environment or thread, and uses no
//! float to choose a sequence. With the same sources, seed and phases, every machine computes the
//! same order, for any slot and any number of ranks.

// The bans of clippy.toml have no exception in this crate.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

mod error;
mod floor_sum;
mod layout;
mod ledger;
mod mixture;
mod order;
mod permutation;
mod phase;
mod rank;
mod sequences;
mod source;

pub use error::MixError;
pub use ledger::Ledger;
pub use mixture::Mixture;
pub use order::{Draw, Order};
pub use phase::Phase;
pub use rank::rank_slots;
pub use source::Source;
