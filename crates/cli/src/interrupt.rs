//! Ctrl-C: the first asks to save and stop, the second stops at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

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

/// The same, and the process ends by itself some seconds after the first signal, whatever it is
/// doing then: for commands that only read text and write files that continue.
pub(crate) fn flag_that_ends() -> Arc<AtomicBool> {
    let stop = flag();
    let asked = Arc::clone(&stop);
    thread::spawn(move || {
        while !asked.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(100));
        }
        thread::sleep(Duration::from_secs(5));
        std::process::exit(EXIT_CODE.into());
    });
    stop
}
