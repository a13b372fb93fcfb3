//! Tests of whole runs: tiny, but with the real mixture, shards, engine and disk.

pub(crate) mod crash;
mod folder;
mod format;
mod import;
mod kernels;
mod model_folder;
mod parity;
mod process;
mod refusals;
mod resume;
mod tiny;
