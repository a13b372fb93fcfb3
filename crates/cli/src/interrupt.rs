//! Ctrl-C: the first asks to save and stop, the second stops at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Exit code of a command that was interrupted and has saved.
pub(crate) const EXIT_CODE: u8 = 130;

/// A flag that the first SIGINT or SIGTERM sets. The second ends the process on the spot, which
/// loses nothing that was saved: files are written beside and renamed.
pub(crate) fn flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The order matters: the first handler sees the flag as the previous signal left it.
        flag::register_conditional_shutdown(signal, EXIT_CODE.into(), Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .expect("SIGINT and SIGTERM can be handled");
    }
    stop
}
