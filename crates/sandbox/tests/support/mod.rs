//! A sandbox for tests, or the reason why there is none.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use sparkjoy_sandbox::{Interpreter, Limits, Protection, Sandbox, SandboxError};

/// Nobody interrupts a test.
pub(crate) static NEVER: AtomicBool = AtomicBool::new(false);

/// The launcher that Cargo built beside the tests.
pub(crate) fn launcher() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_confine"))
}

/// A sandbox, or `None`, said loudly, where the machine cannot give one. That it then refuses
/// with a layer and a reason is asserted here.
pub(crate) fn sandbox(limits: Limits) -> Option<Sandbox> {
    let interpreter = match Interpreter::find("python3") {
        Ok(interpreter) => interpreter,
        Err(error @ SandboxError::NoInterpreter { .. }) => {
            eprintln!("SKIPPED: {error}");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    match Sandbox::new(interpreter, launcher(), Protection::Full, limits) {
        Ok(sandbox) => Some(sandbox),
        Err(SandboxError::Refused { layer, reason }) => {
            assert!(!layer.is_empty() && !reason.is_empty());
            eprintln!("SKIPPED: no sandbox on this machine: no {layer} ({reason})");
            None
        }
        Err(error) => panic!("{error}"),
    }
}
