//! The nouns everyone shares and the only way to write a file.
//!
//! This crate knows no mixture and no tensor. What it holds is what every other room needs to
//! agree on: how a source is called, how many tokens a budget is, what a fingerprint is made of,
//! where randomness comes from, and how a file gets onto the disk without ever being half there.

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
pub use show::{bytes, duration, quantity, thousands};
