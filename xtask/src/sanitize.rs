//! The engine's tests under AddressSanitizer: its `unsafe` reads and writes through pointers.

use std::process::Command;

use crate::command::{self, Failed, cargo, root};

/// Runs them; minutes, so not part of `ci`.
///
/// The sanitizer's runtime comes with the toolchain, but its flag is open to this compiler only
/// when told to take unstable flags. Loops of the test of memory count allocations, which the
/// sanitizer multiplies, so that only the library's tests are run.
///
/// # Errors
///
/// [`Failed`] if a test fails, an access is wrong, or the host's name cannot be read.
pub(crate) fn run() -> Result<(), Failed> {
    let version = Command::new("rustc").arg("-vV").output();
    let version = version.map_err(|e| Failed(format!("cannot start `rustc`: {e}")))?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let Some(host) = version.lines().find_map(|line| line.strip_prefix("host: ")) else {
        return Err(Failed("`rustc -vV` names no host".to_owned()));
    };
    let folder = root().join("target/sanitize");
    let folder = folder.to_string_lossy();
    let test = ["test", "--package", "sparkjoy-nn", "--lib", "--target", host];
    let environment = [("RUSTC_BOOTSTRAP", "1"), ("RUSTFLAGS", "-Zsanitizer=address")];
    command::run_with(&cargo(), &[&test[..], &["--target-dir", &folder]].concat(), &environment)
}
