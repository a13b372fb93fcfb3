//! Types and functions that all crates share: names, token counts, fingerprints, random keys,
//! number formats, and files that are written atomically.
//!
//! This crate knows no mixture and no tensor.

mod file;
mod fingerprint;
mod hint;
mod key;
mod name;
mod quantity;
mod show;

pub use file::{AtomicFile, FileError, is_done, mark_done, read, read_to_string, write_atomic};
pub use fingerprint::Fingerprint;
pub use hint::Hint;
pub use key::{Key, Purpose, Seed};
pub use name::{DomainName, NameError, SourceName};
pub use quantity::{Ppm, QuantityError, Span, Tokens};
pub use show::{
    bytes, counted, duration, minus_sign, percent, percentage_points, quantity, signed, thousands,
};
