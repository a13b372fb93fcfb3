//! Encodes documents in parallel, in input order and with bounded memory: one thread reads, several
//! encode, the caller writes.
//!
//! Each block has its own channel for its result. These channels are in a bounded queue in input
//! order. The caller waits for the oldest result, and a block is read only if the queue is not
//! full. So no sorting is needed, and memory is a few blocks per thread.

use std::sync::atomic::Ordering;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use sparkjoy_base::Fingerprint;

use crate::blocks::{Block, read};
use crate::encode::{Encoded, Rule, encode};
use crate::folder_writer::FolderWriter;
use crate::manifest::ValidationRule;
use crate::prepare::{PrepareOptions, Sizes};
use crate::row_text::Rows;
use crate::source::{Input, SourceFiles};
use crate::{DataError, Tokenizer};

/// A result for the caller.
pub(crate) enum Arrival {
    /// Documents, in input order.
    Documents(Encoded),
    /// A file has been read completely.
    FileEnd {
        /// Its index.
        file: usize,
        /// The hash of its bytes as stored.
        fingerprint: Fingerprint,
    },
}

/// A block, and the channel for its result.
struct Task {
    block: Block,
    answer: Sender<Result<Encoded, DataError>>,
}

/// An entry of the queue.
enum Awaited {
    Documents(Receiver<Result<Encoded, DataError>>),
    FileEnd { file: usize, fingerprint: Fingerprint },
    Failed(DataError),
}

/// Reads and encodes all documents that `writer` does not have yet.
///
/// # Errors
///
/// The first error in input order, independent of the timing of threads.
pub(crate) fn run(
    source: &SourceFiles,
    tokenizer: &Tokenizer,
    inputs: &[Input],
    sizes: &Sizes,
    options: &PrepareOptions<'_>,
    writer: &mut FolderWriter<'_>,
) -> Result<(), DataError> {
    let threads = options.threads.max(1);
    let first_file = writer.first_file();
    let rule = Rule {
        rows: &source.rows,
        on_bad_document: source.on_bad_document,
        split_ppm: match writer.journal.settings.validation {
            ValidationRule::Split(ppm) => ppm,
            ValidationRule::Files | ValidationRule::All => 0,
        },
        end_of_text: tokenizer.end_of_text(),
        reached: writer.journal.reached,
    };
    thread::scope(|scope| {
        // Two blocks per thread even out their different encoding times.
        let (tasks_in, tasks) = bounded::<Task>(threads);
        let (queue_in, queue) = bounded::<Awaited>(2 * threads);
        scope.spawn(move || {
            read_all(inputs, first_file, (&source.rows, sizes), &tasks_in, &queue_in);
        });
        for _ in 0..threads {
            let (tasks, rule) = (tasks.clone(), &rule);
            scope.spawn(move || {
                let mut encoder = tokenizer.encoder();
                for Task { block, answer } in tasks {
                    let input = &inputs[block.file];
                    // After an error the caller no longer receives.
                    let _ = answer.send(encode(&block, input, rule, &mut encoder));
                }
            });
        }
        drop(tasks);
        take_all(&queue, sizes, options, writer)
    })
}

/// The reading thread. Ends early if the caller no longer receives.
fn read_all(
    inputs: &[Input],
    first_file: usize,
    (rows, sizes): (&Rows, &Sizes),
    tasks: &Sender<Task>,
    queue: &Sender<Awaited>,
) {
    for (file, input) in inputs.iter().enumerate().skip(first_file) {
        let read = read(file, input, rows, sizes, |block| {
            let (answer, awaited) = bounded(1);
            queue.send(Awaited::Documents(awaited)).is_ok()
                && tasks.send(Task { block, answer }).is_ok()
        });
        let next = match read {
            Ok(None) => return,
            Ok(Some(fingerprint)) => Awaited::FileEnd { file, fingerprint },
            Err(error) => Awaited::Failed(error),
        };
        let failed = matches!(next, Awaited::Failed(_));
        if queue.send(next).is_err() || failed {
            return;
        }
    }
}

fn take_all(
    queue: &Receiver<Awaited>,
    sizes: &Sizes,
    options: &PrepareOptions<'_>,
    writer: &mut FolderWriter<'_>,
) -> Result<(), DataError> {
    let mut told = writer.progress.stored_bytes;
    (options.progress)(writer.progress);
    for awaited in queue {
        if options.stop.load(Ordering::Relaxed) {
            return Err(DataError::Interrupted);
        }
        let arrival = match awaited {
            Awaited::Failed(error) => return Err(error),
            Awaited::FileEnd { file, fingerprint } => Arrival::FileEnd { file, fingerprint },
            Awaited::Documents(answer) => {
                Arrival::Documents(answer.recv().expect("a worker answers unless it panicked")?)
            }
        };
        writer.take(arrival)?;
        if writer.progress.stored_bytes.saturating_sub(told) >= sizes.progress_bytes {
            told = writer.progress.stored_bytes;
            (options.progress)(writer.progress);
        }
    }
    (options.progress)(writer.progress);
    Ok(())
}
