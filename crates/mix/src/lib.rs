//! Says which sequence of which source stands at every step and row.
//!
//! Arithmetic only: this crate reads no file, clock, environment or thread, and no float takes
//! part in choosing a sequence. Two machines with the same sources, seed and phases compute the
//! same order, at any slot, in any order of asking, for any number of ranks.

// What clippy.toml bans here it bans for good.
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
pub use source::Supply;
