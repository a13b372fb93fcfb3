//! Running other programs: shown before, timed after, a failure named.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Why a task ended early, as one sentence for the developer.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// The cargo that started us.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// Runs a program in the root, its output where ours goes.
///
/// # Errors
///
/// [`Failed`] with the command line if it cannot start or says it failed.
pub(crate) fn run(program: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let line = format!("{name} {}", arguments.join(" "));
    eprintln!("\n==> {line}");
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .status()
        .map_err(|e| Failed(format!("cannot start `{line}`: {e}")))?;
    eprintln!("==> {line}: {:.1} s", start.elapsed().as_secs_f64());
    if status.success() { Ok(()) } else { Err(Failed(format!("`{line}` failed ({status})"))) }
}
