//! Tests of whole orders, in one binary.

mod competitors;
mod mistakes;
mod properties;
mod scale;
mod study;
