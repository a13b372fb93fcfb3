//! Types and functions that all crates share: names, token counts, fingerprints, random keys,
//! number formats, files that are written atomically, and TOML files that people write.
//!
//! This crate knows no mixture and no tensor.

mod file;
mod fingerprint;
mod hint;
mod key;
mod name;
mod problem;
mod quantity;
mod seal;
mod show;
pub mod toml_file;

pub use file::{
    AtomicFile, FileError, create_folder, is_done, mark_done, metadata, open, read, read_at_most,
    read_if_there, read_to_string, sweep, sync_folder, write_atomic,
};
pub use fingerprint::{Fingerprint, apart};
pub use hint::Hint;
pub use key::{Key, Purpose, Seed};
pub use name::{DomainName, NameError, SourceName};
pub use problem::{Place, Problem, did_you_mean, nearest};
pub use quantity::{Ppm, QuantityError, Span, Tokens};
pub use seal::{Opened, no_seal, open_seal, sealed};
pub use show::{
    about, bytes, counted, duration, exact, minus_sign, number, percent, percentage_points, power,
    printable, printable_name, quantity, scientific, signed, thousands,
};
