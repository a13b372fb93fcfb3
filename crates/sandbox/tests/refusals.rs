//! What is said where nothing can be run, and what holds without protection.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "what is skipped is said")]
#![cfg(target_os = "linux")]

#[path = "support/runs.rs"]
mod runs;
mod support;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use runs::{printed, run};
use sparkjoy_base::Hint;
use sparkjoy_sandbox::{Exit, Interpreter, Limits, Protection, Sandbox, SandboxError};
use support::{launcher, sandbox};

fn interpreter() -> Option<Interpreter> {
    let found = Interpreter::find("python3");
    if let Err(error) = &found {
        eprintln!("SKIPPED: {error}");
    }
    found.ok()
}

fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("launcher");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A sandbox with another launcher.
fn with(launcher: &Path) -> Option<Result<Sandbox, SandboxError>> {
    let interpreter = interpreter()?;
    loop {
        let (limits, interpreter) = (Limits::default(), interpreter.clone());
        let sandbox = Sandbox::new(interpreter, launcher, Protection::Full, limits);
        match sandbox {
            // A process that another test is starting still holds the file open.
            Err(SandboxError::NoLauncher { source, .. })
                if source.kind() == ErrorKind::ExecutableFileBusy => {}
            sandbox => return Some(sandbox),
        }
    }
}

/// The error of a sandbox with another launcher.
fn refused(launcher: &Path) -> Option<SandboxError> {
    Some(with(launcher)?.expect_err("this is no launcher"))
}

/// What `program` prints in a sandbox whose launcher is executed by the shell line `before`.
fn printed_behind(before: &str, program: &str) -> Option<String> {
    let _ = sandbox(Limits::default())?;
    let folder = tempfile::tempdir().unwrap();
    let text = format!("#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n{before}\n");
    let launcher =
        script(folder.path(), &text.replace("{launcher}", &launcher().to_string_lossy()));
    let run = run(&with(&launcher)?.unwrap(), program);
    assert_eq!(run.exit, Exit::Exited(0), "{}", String::from_utf8_lossy(&run.errors));
    Some(printed(&run))
}

#[test]
fn what_is_mounted_below_a_readable_folder_is_read_only() {
    let folder = Path::new("/usr/lib/os-release");
    if !Path::new("/usr/bin/unshare").exists() || !Path::new("/usr/lib/tmpfiles.d").is_dir() {
        eprintln!("SKIPPED: no {}", folder.display());
        return;
    }
    // Without Landlock, a writable mount would be all it takes; so the flag itself is looked at.
    let user = if rustix::process::geteuid().is_root() { "" } else { "-Ur" };
    let before = format!(
        "exec unshare {user} -m sh -c 'mount -t tmpfs inner \"$0\" && \
         mkdir \"$0/a b\" && mount -t tmpfs inmost \"$0/a b\" && exec \"$@\"' \
         /usr/lib/tmpfiles.d {launcher} \"$@\"",
        launcher = "{launcher}"
    );
    let program = "
import os
for folder in ('/usr/lib', '/usr/lib/tmpfiles.d', '/usr/lib/tmpfiles.d/a b'):
    print(os.stat(folder).st_dev, bool(os.statvfs(folder).f_flag & os.ST_RDONLY))
";
    let Some(said) = printed_behind(&before, program) else { return };
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split(' ').collect()).collect();
    assert!(lines.iter().all(|line| line[1] == "True"), "{said}");
    assert!(lines[0][0] != lines[1][0] && lines[1][0] != lines[2][0], "mounts are there: {said}");
}

#[test]
fn no_inherited_file_is_open_whatever_its_number() {
    let high = "
import os, resource
high = 70_000
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (high + 1, high + 1))
except ValueError:
    high = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1
os.dup2(2, high, inheritable=True)
os.execv(os.environ[\"L\"], [\"confine\"] + sys.argv[1:])
";
    let high = high.trim().replace("import os,", "import os, sys,");
    let before = format!("L={{launcher}} exec python3 -c '{high}' \"$@\"");
    let program = "
import os
def is_open(number):
    try: os.fstat(number)
    except OSError: return False
    return True
print([number for number in range(1 << 20) if is_open(number)])
";
    let Some(said) = printed_behind(&before, program) else { return };
    assert_eq!(said, "[0, 1, 2]\n");
}

#[test]
fn a_machine_without_namespaces_is_refused_with_the_reason() {
    // A namespace that allows no further ones is such a machine.
    let folder = tempfile::tempdir().unwrap();
    let inner = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\"";
    let text = format!(
        "#!/bin/sh\nPATH=/usr/bin:/bin exec unshare -Ur sh -c '{inner}' {} \"$@\"\n",
        launcher().display()
    );
    let Some(_) = sandbox(Limits::default()) else { return };
    if !Path::new("/usr/bin/unshare").exists() {
        eprintln!("SKIPPED: no /usr/bin/unshare");
        return;
    }
    let Some(error) = refused(&script(folder.path(), &text)) else { return };
    let said = error.to_string();
    assert!(matches!(error, SandboxError::Refused { .. }), "{said}");
    assert!(said.starts_with("this machine cannot confine programs: no user "), "{said}");
    assert!(error.hint().unwrap().contains("--unprotected-code"));
}

#[test]
fn the_missing_layer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let report = r#"sandbox-refused {"layer": "seccomp", "reason": "not built in"}"#;
    let text = format!("#!/bin/sh\necho '{report}' >&2\nexit 125\n");
    let Some(error) = refused(&script(folder.path(), &text)) else { return };
    assert_eq!(
        error.to_string(),
        "this machine cannot confine programs: no seccomp (not built in)"
    );
}

#[test]
fn a_launcher_that_does_not_confine_is_not_relied_on() {
    let folder = tempfile::tempdir().unwrap();
    let Some(error) = refused(&script(folder.path(), "#!/bin/sh\nexit 0\n")) else { return };
    let said = error.to_string();
    assert!(said.ends_with("it said nothing, exit status: 0"), "{said}");
    let Some(error) = refused(&script(folder.path(), "#!/bin/sh\necho hello >&2\n")) else {
        return;
    };
    assert!(error.to_string().ends_with("it said `hello`"), "{error}");
    let Some(error) = refused(&folder.path().join("none")) else { return };
    assert!(error.to_string().starts_with("cannot start the launcher `"), "{error}");
}

#[test]
fn a_probe_names_the_layers() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let layers = sandbox.probe().unwrap().layers;
    for layer in ["namespaces", "limits", "no rights", "seccomp"] {
        assert!(layers.iter().any(|active| active == layer), "{layer} is not in {layers:?}");
    }
}

#[test]
fn without_protection_limits_still_hold() {
    let Some(interpreter) = interpreter() else { return };
    let bare =
        |limits| Sandbox::new(interpreter.clone(), launcher(), Protection::None, limits).unwrap();
    let patient = Limits { wall: Duration::from_mins(2), ..Limits::default() };
    let exit = |program: &str| run(&bare(patient), program).exit;
    assert_eq!(exit("while True: print('x' * 1000)"), Exit::OutputExceeded);
    assert_eq!(exit("x = b'x' * (1 << 40)"), Exit::MemoryExceeded);
    assert_eq!(exit("import sys; sys.exit(7)"), Exit::Exited(7));
    let busy = bare(Limits { cpu_seconds: 1, ..patient });
    assert_eq!(run(&busy, "while True: pass").exit, Exit::CpuExceeded);
    let brief = bare(Limits { wall: Duration::from_secs(1), ..patient });
    assert_eq!(run(&brief, "import time; time.sleep(1000)").exit, Exit::TimedOut);
    assert_eq!(brief.probe().unwrap().layers, ["limits"]);
}

#[test]
fn without_protection_what_runs_in_the_background_ends_too() {
    let Some(interpreter) = interpreter() else { return };
    let limits = Limits { wall: Duration::from_mins(2), ..Limits::default() };
    let sandbox = Sandbox::new(interpreter, launcher(), Protection::None, limits).unwrap();
    let program = "
import os, time
child = os.fork()
if child == 0:
    time.sleep(1000)
print(child)
";
    let run = run(&sandbox, program);
    assert_eq!(run.exit, Exit::Exited(0));
    let status = Path::new("/proc").join(printed(&run).trim_end()).join("status");
    // It was told to end; on a busy machine it is a moment until it has.
    let ends = |_: &u32| {
        std::thread::yield_now();
        let state = fs::read_to_string(&status).unwrap_or_default();
        state.is_empty() || state.contains("State:\tZ")
    };
    assert!((0..500_000).any(|i| ends(&i)));
}

#[test]
fn without_protection_the_scratch_folder_is_removed() {
    let Some(interpreter) = interpreter() else { return };
    let limits = Limits { wall: Duration::from_mins(2), ..Limits::default() };
    let sandbox = Sandbox::new(interpreter, launcher(), Protection::None, limits).unwrap();
    let program = "
import os
print(os.getcwd())
os.mkdir('locked')
open('locked/file', 'w').close()
os.chmod('locked', 0)
for _ in range(500):
    os.mkdir('d' * 100)
    os.chdir('d' * 100)
os.chmod('.', 0)
";
    let run = run(&sandbox, program);
    assert_eq!(run.exit, Exit::Exited(0), "{}", String::from_utf8_lossy(&run.errors));
    let folder = PathBuf::from(printed(&run).trim_end());
    assert!(folder.is_absolute() && !folder.exists());
    assert!(!folder.parent().unwrap().exists());
}
