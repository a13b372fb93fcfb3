//! `world`: text of an invented world, as much as is wanted.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use sparkjoy_base::{Seed, bytes};
use sparkjoy_world::{Source, World};

use crate::failure::Failure;
use crate::output::say;

/// Writes a world and says what lies where.
///
/// # Errors
///
/// What the disk says; a folder that holds another world; an interruption.
pub(crate) fn write(folder: &Path, seed: u64, size: u64, stop: &AtomicBool) -> Result<(), Failure> {
    World::new(Seed(seed)).write(folder, size, stop)?;
    let folder = folder.display();
    say(&format!(
        "wrote {folder}: {} of text from {} sources (text/), 6 tasks (tasks/, tasks.toml, \
         programs.toml), and what is true of them (truth.json)",
        bytes(size),
        Source::ALL.len()
    ));
    Ok(())
}
