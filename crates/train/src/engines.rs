//! Our own implementor of the port [`Engine`]: the loop of [`run`], in this process.
//!
//! The port has two implementors, both in this crate: this one, and [`ProcessEngine`], which has
//! the steps taken by a command and checks what comes back.
//!
//! [`ProcessEngine`]: crate::ProcessEngine

use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_spec::{Engine, Job, Observer, Outcome, Promise};

use crate::{RunRequest, TrainError, run};

/// Trains in this process.
#[derive(Clone, Copy, Debug)]
pub struct LocalEngine<'a> {
    /// The sources that specs name, in any order.
    pub corpora: &'a [Corpus],
    /// The tokenizer the sources were encoded with.
    pub tokenizer: &'a Tokenizer,
    /// Threads that compute; any number gives the same bits.
    pub threads: usize,
    /// As in [`RunRequest::recompute`].
    pub recompute: bool,
}

impl Engine for LocalEngine<'_> {
    type Error = TrainError;

    fn promise(&self) -> Promise {
        Promise::SameBits
    }

    fn run(&mut self, job: Job<'_>, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
        let Self { corpora, tokenizer, threads, recompute } = *self;
        let Job { spec, folder, start_from, target, keep } = job;
        let request = RunRequest {
            spec,
            corpora,
            tokenizer,
            folder,
            start_from,
            target,
            keep,
            threads,
            recompute,
        };
        run(request, observer)
    }
}
