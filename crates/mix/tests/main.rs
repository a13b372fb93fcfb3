//! Tests of whole orders, in one binary.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod competitors;
mod golden;
mod mistakes;
mod properties;
mod replicates;
mod scale;
mod study;
