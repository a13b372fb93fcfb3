//! Reads all training text of a source once, on all threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use sparkjoy_base::SourceName;
use sparkjoy_data::{Corpus, DataError, Part, Text, TokenRange, Tokenizer};

use crate::error::JobError;
use crate::watcher::{Event, Watcher};

/// Tokens that a thread reads before it takes the next stretch: some hundredths of a second.
const STRETCH_TOKENS: u64 = 1 << 20;

/// One reader of documents; one per thread.
pub(crate) trait Reader {
    /// What it has found in some documents.
    type Found: Send;

    /// Reads the next piece of a document, cut between any two characters.
    fn read(&mut self, piece: &str);

    /// Ends a document.
    fn end_document(&mut self);

    /// What was found since the last call.
    fn take(&mut self) -> Self::Found;
}

/// Reads a source's training text, stretch by stretch on all threads.
///
/// - `looked_for`: what progress says that the text is searched for.
/// - `append`: is passed what was found in each stretch, in their order.
///
/// # Errors
///
/// [`JobError::Interrupted`] when it is told to stop; tokens that are not as written.
pub(crate) fn walk<R: Reader>(
    corpus: &Corpus,
    tokenizer: &Tokenizer,
    threads: usize,
    (looked_for, watcher): (&'static str, &mut Watcher<'_>),
    reader: impl Fn() -> R + Sync,
    mut append: impl FnMut(R::Found),
) -> Result<(), JobError> {
    let stretches = corpus.token_ranges(Part::Train, STRETCH_TOKENS);
    let (of, stop) = (corpus.text_bytes(Part::Train), watcher.stop());
    let mut progress = TextProgress { looked_for, source: corpus.name(), bytes: 0, of };
    progress.tell(0, watcher);
    // Where a stretch went wrong, nobody needs begin another.
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..threads.max(1) {
            let (sender, stretches, next, failed) = (sender.clone(), &stretches, &next, &failed);
            let reader = &reader;
            scope.spawn(move || {
                let mut reader = reader();
                while !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(stretch) = stretches.get(number) else { return };
                    let read = read(corpus, stretch, tokenizer, &mut reader, stop);
                    failed.fetch_or(read.is_err(), Ordering::Relaxed);
                    let result = read.map(|bytes| (bytes, reader.take()));
                    if sender.send((number, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        // What comes early waits for what stands before it.
        let (mut early, mut taken) = (BTreeMap::new(), 0);
        for (number, result) in results {
            let (bytes, in_stretch) = result?;
            progress.tell(bytes, watcher);
            early.insert(number, in_stretch);
            while let Some(next) = early.remove(&taken) {
                append(next);
                taken += 1;
            }
        }
        let whole = taken == stretches.len() && !stop.load(Ordering::Relaxed);
        if whole { Ok(()) } else { Err(JobError::Interrupted) }
    })
}

/// Reads the documents of a stretch; returns the bytes of their text.
fn read(
    corpus: &Corpus,
    stretch: &TokenRange,
    tokenizer: &Tokenizer,
    reader: &mut impl Reader,
    stop: &AtomicBool,
) -> Result<u64, DataError> {
    let mut bytes = 0;
    corpus.read_documents(stretch, tokenizer, |text| {
        match text {
            Text::Piece(piece) => {
                reader.read(piece);
                bytes += piece.len() as u64;
            }
            Text::End => reader.end_document(),
        }
        !stop.load(Ordering::Relaxed)
    })?;
    Ok(bytes)
}

struct TextProgress<'a> {
    looked_for: &'static str,
    source: &'a SourceName,
    bytes: u64,
    of: u64,
}

impl TextProgress<'_> {
    fn tell(&mut self, more: u64, watcher: &mut Watcher<'_>) {
        self.bytes += more;
        let Self { looked_for, source, bytes, of } = *self;
        watcher.tell(Event::Checking { looked_for, source, text_bytes: bytes, of });
    }
}
