//! Weights, gradients and the arena in one, and what is computed with them.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sparkjoy_base::Seed;

use crate::arena::{Layout, Views};
use crate::attention::alibi_slopes;
use crate::forward::Model;
use crate::gemm::{self, Right};
use crate::head::{self, Input, Scratch};
use crate::kernel::{Kernel, Size, Store};
use crate::parallel::{VALUES, tree_sum};
use crate::{Compute, Optimizer, Shape, ShapeError, init};

/// Model weights, gradients and the activation arena.
///
/// # Guarantees
///
/// - The same bits for any number of threads, on one [kernel](Engine::kernel).
/// - Allocates when made; a step allocates nothing.
#[derive(Debug)]
pub struct Engine {
    shape: Shape,
    microbatch: usize,
    kernel: Kernel,
    pool: ThreadPool,
    slopes: Vec<f32>,
    weights: Vec<f32>,
    gradients: Vec<f32>,
    arena: Vec<f32>,
}

/// The engine taken apart for one microbatch.
struct Parts<'a> {
    model: Model<'a>,
    views: Views<'a>,
    gradients: &'a mut [f32],
}

impl Engine {
    /// Allocates everything once. `batch`: sequences per step. Weights are zero.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] for a shape, batch or number of threads that cannot be.
    pub fn new(shape: Shape, batch: usize, compute: Compute) -> Result<Self, ShapeError> {
        Self::with_kernel(shape, batch, compute, Kernel::best())
    }

    /// The same on a kernel of choice, to compare kernels.
    pub(crate) fn with_kernel(
        shape: Shape,
        batch: usize,
        compute: Compute,
        kernel: Kernel,
    ) -> Result<Self, ShapeError> {
        shape.check()?;
        let threads = compute.threads;
        for (what, found) in [("batch", batch), ("threads", threads)] {
            if found == 0 {
                return Err(ShapeError::TooSmall { what, found, least: 1 });
            }
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("nn-{i}"))
            .build()
            .map_err(|_| ShapeError::Threads { threads })?;
        let microbatch = shape.microbatch(batch);
        let parameters = shape.parameters() as usize;
        Ok(Self {
            shape,
            microbatch,
            kernel,
            pool,
            slopes: alibi_slopes(shape.heads),
            weights: vec![0.0; parameters],
            gradients: vec![0.0; parameters],
            arena: vec![0.0; Layout::new(&shape, microbatch).total()],
        })
    }

    /// Draws initial weights.
    ///
    /// # Guarantees
    ///
    /// A tensor's values depend on the seed, its name and its shape, and on nothing else.
    pub fn init(&mut self, seed: Seed) {
        init::draw(&self.shape, seed, &mut self.weights);
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The name of the instructions in use: `avx512`, `avx2` or `portable`.
    pub fn kernel(&self) -> &'static str {
        self.kernel.name()
    }

    /// Flat weights, laid out as [`Shape::tensors`].
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Flat weights.
    pub fn weights_mut(&mut self) -> &mut [f32] {
        &mut self.weights
    }

    /// Flat gradients of the last [`Engine::loss_and_gradients`].
    pub fn gradients(&self) -> &[f32] {
        &self.gradients
    }

    /// Mean loss over a batch and its gradients.
    ///
    /// - `tokens`: `[B × T]`, row-major.
    /// - `losses`: `[B]`, out: mean nats per target of each sequence (T − 1 targets).
    ///
    /// Returns the mean of `losses`. Any number of sequences will do; they pass in microbatches.
    ///
    /// # Panics
    ///
    /// If the lengths do not fit or a token is not below the vocabulary.
    pub fn loss_and_gradients(&mut self, tokens: &[u32], losses: &mut [f64]) -> f64 {
        let (t, vocab) = (self.shape.context, self.shape.vocab);
        assert_eq!(tokens.len(), losses.len() * t, "tokens of another number of sequences");
        self.check(tokens);
        let targets = (losses.len() * (t - 1)) as f32;
        let scale = 1.0 / targets;
        self.gradients.fill(0.0);
        let microbatch = self.microbatch;
        for (tokens, losses) in tokens.chunks(microbatch * t).zip(losses.chunks_mut(microbatch)) {
            self.with_parts(t, |Parts { model, mut views, gradients }| {
                model.forward(tokens, &mut views);
                let n = tokens.len();
                let rows = head::rows(n, vocab) * vocab;
                let (input, mut scratch, nats, narrow) =
                    head_arrays(&model, &mut views, tokens, rows);
                let dtable = &mut gradients[model.shape.embedding()];
                let (kernel, outputs) = (model.kernel, (narrow, dtable));
                head::forward_backward(kernel, input, scale, &mut scratch, nats, outputs);
                for (loss, nats) in losses.iter_mut().zip(nats.chunks_exact(t)) {
                    *loss = nats.iter().map(|&nats| f64::from(nats)).sum::<f64>() / (t - 1) as f64;
                }
                model.backward(tokens, &mut views, gradients);
            });
        }
        losses.iter().sum::<f64>() / losses.len() as f64
    }

    /// Loss of each target without gradients: `nats` is `[B × (T − 1)]`.
    ///
    /// # Panics
    ///
    /// If the lengths do not fit or a token is not below the vocabulary.
    pub fn losses(&mut self, tokens: &[u32], nats: &mut [f32]) {
        let (t, vocab) = (self.shape.context, self.shape.vocab);
        assert_eq!(tokens.len() / t * (t - 1), nats.len(), "room for another number of targets");
        assert_eq!(tokens.len() % t, 0, "tokens of whole sequences");
        self.check(tokens);
        let microbatch = self.microbatch;
        let parts = tokens.chunks(microbatch * t).zip(nats.chunks_mut(microbatch * (t - 1)));
        for (tokens, out) in parts {
            self.with_parts(t, |Parts { model, mut views, .. }| {
                model.forward(tokens, &mut views);
                let rows = head::rows(tokens.len(), vocab) * vocab;
                let (input, mut scratch, nats, _) = head_arrays(&model, &mut views, tokens, rows);
                head::forward(model.kernel, input, &mut scratch, nats);
                for (out, nats) in out.chunks_exact_mut(t - 1).zip(nats.chunks_exact(t)) {
                    out.copy_from_slice(&nats[..t - 1]);
                }
            });
        }
    }

    /// Logits of one sequence of at most T tokens: `[tokens.len() × V]`.
    ///
    /// # Panics
    ///
    /// If there is no token, more than T, or one that is not below the vocabulary.
    pub fn logits(&mut self, tokens: &[u32]) -> Vec<f32> {
        assert!((1..=self.shape.context).contains(&tokens.len()), "1 to T tokens");
        self.check(tokens);
        let (n, v, d) = (tokens.len(), self.shape.vocab, self.shape.width);
        let mut logits = vec![0.0; n * v];
        self.with_parts(n, |Parts { model, mut views, .. }| {
            model.forward(tokens, &mut views);
            let hidden = &views.normal[2 * model.shape.layers * n * d..][..n * d];
            let table = &model.weights[model.shape.embedding()];
            let right = Right { data: table, row: 1, column: d };
            let table = gemm::pack(model.kernel, right, (d, v), views.across);
            let size = Size { m: n, n: v, k: d };
            gemm::rows_by_panels(model.kernel, size, (hidden, table, &mut logits), Store::Replace);
        });
        logits
    }

    /// Global L2 norm of the gradients, and scales them so that it is at most `max_norm`.
    ///
    /// Returns the norm before.
    ///
    /// # Source
    ///
    /// `torch.nn.utils.clip_grad_norm_`: the factor is `min(1, max_norm / (norm + 1e-6))`.
    pub fn clip_gradients(&mut self, max_norm: Option<f32>) -> f64 {
        let gradients = &mut self.gradients;
        self.pool.install(|| {
            let square = |part: &[f32]| part.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
            let norm = tree_sum(gradients, &square).sqrt();
            let factor = max_norm.map_or(1.0, |max| f64::from(max) / (norm + 1e-6)).min(1.0) as f32;
            if factor < 1.0 {
                gradients.par_chunks_mut(VALUES).for_each(|part| {
                    for gradient in part {
                        *gradient *= factor;
                    }
                });
            }
            norm
        })
    }

    /// One optimizer step with the last gradients.
    ///
    /// # Panics
    ///
    /// If the optimizer was made for another number of parameters.
    pub fn update(&mut self, optimizer: &mut Optimizer, lr: f64) {
        let Self { kernel, weights, gradients, .. } = self;
        self.pool.install(|| optimizer.step(*kernel, weights, gradients, lr));
    }

    /// Runs `work` on the threads of this engine, with arrays for sequences of `context` tokens.
    fn with_parts<R: Send>(
        &mut self,
        context: usize,
        work: impl FnOnce(Parts<'_>) -> R + Send,
    ) -> R {
        let shape = Shape { context, ..self.shape };
        let views = Layout::new(&self.shape, self.microbatch).cut(&mut self.arena);
        let (weights, slopes) = (&self.weights[..], &self.slopes[..]);
        let model = Model { kernel: self.kernel, shape: &shape, weights, slopes };
        let parts = Parts { model, views, gradients: &mut self.gradients };
        self.pool.install(|| work(parts))
    }

    /// Tokens index the embedding: one that is too large is our mistake, and is named.
    fn check(&self, tokens: &[u32]) {
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= self.shape.vocab) {
            panic!("token {token} is not below the vocabulary of {}", self.shape.vocab);
        }
    }
}

/// What the head reads and writes: its input, scratch, the losses, and the gradient of its input.
fn head_arrays<'a>(
    model: &Model<'a>,
    views: &'a mut Views<'_>,
    tokens: &'a [u32],
    logits: usize,
) -> (Input<'a>, Scratch<'a>, &'a mut [f32], &'a mut [f32]) {
    let (n, d) = (tokens.len(), model.shape.width);
    let input = Input {
        hidden: &views.normal[2 * model.shape.layers * n * d..][..n * d],
        table: &model.weights[model.shape.embedding()],
        tokens,
        context: model.shape.context,
    };
    let scratch = Scratch {
        logits: &mut views.logits[..logits],
        across: views.across,
        back: views.back,
        slab: views.pack,
    };
    (input, scratch, &mut views.nats[..n], &mut views.narrow[..n * d])
}
