//! Runs work on several threads, with the results in order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Applies `work` to every item on `threads` threads. The results are in the order of the items.
///
/// After `stop` is set, or after the first error, no further item is started. The error is that of
/// the first item that has one; results of others are kept.
///
/// # Panics
///
/// If `work` does.
pub fn in_order<T, R, E>(
    items: &[T],
    threads: usize,
    stop: &AtomicBool,
    work: impl Fn(&T) -> Result<Option<R>, E> + Sync,
) -> (Vec<Option<R>>, Option<E>)
where
    T: Sync,
    R: Send,
    E: Send,
{
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let result = work(item);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    done.lock().expect("no thread panicked with it").push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread panicked with it");
    done.sort_by_key(|(at, _)| *at);
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let mut error = None;
    for (at, result) in done {
        match result {
            Ok(result) => results[at] = result,
            Err(failed) => error = error.or(Some(failed)),
        }
    }
    (results, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        let never = AtomicBool::new(false);
        let double = |item: &u32| Ok::<_, ()>(Some(item * 2));
        let (results, error) = in_order(&items, 4, &never, double);
        assert_eq!(error, None);
        assert_eq!(results, items.iter().map(|item| Some(item * 2)).collect::<Vec<_>>());
        assert_eq!(in_order(&[], 4, &never, double), (Vec::new(), None));
    }

    #[test]
    fn nothing_begins_after_a_stop() {
        let stop = AtomicBool::new(false);
        let work = |item: &u32| {
            stop.store(*item == 2, Ordering::Relaxed);
            Ok::<_, ()>(Some(*item))
        };
        let (results, error) = in_order(&[0, 1, 2, 3, 4], 1, &stop, work);
        assert_eq!((results, error), (vec![Some(0), Some(1), Some(2), None, None], None));
    }

    #[test]
    fn the_first_error_is_told_and_results_are_kept() {
        let never = AtomicBool::new(false);
        let work = |item: &u32| if *item < 2 { Ok(Some(*item)) } else { Err(*item) };
        let (results, error) = in_order(&[0, 1, 2, 3, 4], 1, &never, work);
        assert_eq!((results, error), (vec![Some(0), Some(1), None, None, None], Some(2)));
    }
}
