//! Runs code of a library on bytes from outside. A panic in it is an error with its words, not the
//! end of the program.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What `run` returns.
///
/// # Errors
///
/// The words of the panic in it. Nothing that `run` has changed may be used then.
pub(crate) fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET: Once = Once::new();
    // The default hook would print the panic and where it is in the library's source.
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                usual(panic);
            }
        }));
    });
    let before = GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    GUARDED.set(before);
    result.map_err(|panic| words(&*panic))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|&text| text.to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("its reader gave up ({})", text.as_deref().unwrap_or("without a word"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        assert_eq!(guarded(|| 3), Ok(3));
        let at = std::hint::black_box(7);
        let said = guarded(|| [1, 2][at]).unwrap_err();
        assert!(said.contains("index out of bounds: the len is 2 but the index is 7"), "{said}");
        let nested = guarded(|| guarded(|| panic!("inner")).is_err());
        assert_eq!(nested, Ok(true));
        assert!(!GUARDED.get());
    }
}
