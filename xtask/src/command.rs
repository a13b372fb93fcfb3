//! Running other programs: shown before, timed after, a failure named.

use std::fs::{File, remove_file, rename};
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
    run_in(root(), program, arguments, None)
}

/// The same with variables of the environment.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn run_with(
    program: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<(), Failed> {
    let assignments = environment.iter().map(|(name, value)| format!("{name}={value}"));
    let assignments: Vec<String> = assignments.collect();
    let assignments = assignments.iter().map(String::as_str);
    let program = program.to_string_lossy();
    let all: Vec<&str> = assignments.chain([&*program]).chain(arguments.iter().copied()).collect();
    run(Path::new("env"), &all)
}

/// Runs a program in a folder, its output to a file beside it if one is named.
///
/// # Errors
///
/// As [`run`], and if the file cannot be written.
pub(crate) fn run_in(
    folder: &Path,
    program: &Path,
    arguments: &[&str],
    output: Option<&str>,
) -> Result<(), Failed> {
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let line = format!("{name} {}", arguments.join(" "));
    eprintln!("\n==> {line}");
    let start = Instant::now();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    // Beside, then renamed: a program that fails must not cost the file it would have made.
    let files = output.map(|name| (folder.join(format!("{name}.partial")), folder.join(name)));
    if let Some((partial, _)) = &files {
        command.stdout(File::create(partial).map_err(|e| unwritten(partial, &e))?);
    }
    let status = command.status().map_err(|e| Failed(format!("cannot start `{line}`: {e}")))?;
    eprintln!("==> {line}: {:.1} s", start.elapsed().as_secs_f64());
    if let Some((partial, whole)) = &files {
        let end = if status.success() { rename(partial, whole) } else { remove_file(partial) };
        end.map_err(|e| unwritten(whole, &e))?;
    }
    if status.success() { Ok(()) } else { Err(Failed(format!("`{line}` failed ({status})"))) }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failed {
    Failed(format!("cannot write `{}`: {error}", path.display()))
}

/// The released program, built.
///
/// # Errors
///
/// [`Failed`] if it does not build.
pub(crate) fn program() -> Result<PathBuf, Failed> {
    run(&cargo(), &["build", "--release", "--bin", "sparkjoy"])?;
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| "target".into(), PathBuf::from);
    Ok(root().join(target).join("release/sparkjoy"))
}

/// The path that `cargo … --no-run` prints of the program it has built.
///
/// # Errors
///
/// [`Failed`] if it does not build.
pub(crate) fn built(arguments: &[&str]) -> Result<String, Failed> {
    let line = format!("cargo {}", arguments.join(" "));
    let output = Command::new(cargo()).args(arguments).current_dir(root()).output();
    let output = output.map_err(|e| Failed(format!("cannot start `{line}`: {e}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let path = said.lines().rev().find(|line| line.trim_start().starts_with("Executable"));
    let path = path.and_then(|line| line.rsplit_once('(')?.1.strip_suffix(')'));
    // Cargo shortens a path below the root.
    path.map(|path| root().join(path).to_string_lossy().into_owned())
        .ok_or_else(|| Failed(format!("`{line}` failed:\n{said}")))
}
