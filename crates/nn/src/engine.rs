//! Weights, gradients and the arena in one, and what is computed with them.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sparkjoy_base::Seed;

use crate::aligned::Aligned;
use crate::arena::{Layout, Views};
use crate::attention::{self, Heads, alibi_slopes};
use crate::element::{Bf16, Element};
use crate::forward::Model;
use crate::kernel::{Kernel, Left, Size, Store};
use crate::mpt::Mpt;
use crate::packed::{self, Matrix, Packed};
use crate::parallel::{Scratch, VALUES, tree_sum};
use crate::{Compute, Optimizer, OptimizerKind, Precision, Shape, ShapeError, gemm, head, init};

/// Model weights, gradients and the activation arena.
///
/// # Guarantees
///
/// - The same bits for any number of threads, with and without recomputation, on one
///   [kernel](Engine::kernel).
/// - Allocates when made; a step allocates nothing.
#[derive(Debug)]
pub struct Engine {
    shape: Shape,
    microbatch: usize,
    compute: Compute,
    kernel: Kernel,
    pool: ThreadPool,
    slopes: Vec<f32>,
    weights: Aligned,
    gradients: Aligned,
    arena: Aligned,
    packed: Packed,
    /// What of the weights as they are is packed.
    fresh: Fresh,
    scratch: Scratch,
}

/// Which packed weights are those of the last update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fresh {
    None,
    Forward,
    Both,
}

/// The engine taken apart for one microbatch.
struct Parts<'a, E> {
    model: Model<'a>,
    views: Views<'a, E>,
    gradients: &'a mut [f32],
}

/// Runs a method for the element of this engine's precision.
macro_rules! in_precision {
    ($engine:ident.$method:ident($($argument:expr),*)) => {
        match $engine.compute.precision {
            Precision::Bf16 => $engine.$method::<Bf16>($($argument),*),
            Precision::Fp32 => $engine.$method::<f32>($($argument),*),
        }
    };
}

impl Engine {
    /// Allocates everything once. `batch`: sequences per step. Weights are zero.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] for a shape, batch or number of threads that cannot be.
    pub fn new(shape: Shape, batch: usize, compute: Compute) -> Result<Self, ShapeError> {
        Self::with_kernel(shape, batch, compute, Kernel::best(compute.precision))
    }

    /// The same on a kernel of choice, to compare kernels.
    pub(crate) fn with_kernel(
        shape: Shape,
        batch: usize,
        compute: Compute,
        kernel: Kernel,
    ) -> Result<Self, ShapeError> {
        shape.check()?;
        let Compute { threads, precision, .. } = compute;
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
        let parameters = shape.parameters() as usize;
        let Rooms { arena, packed: _, scratch } = Rooms::new(kernel, &shape, batch, compute);
        let packed = match precision {
            Precision::Bf16 => Packed::new::<Bf16>(&shape),
            Precision::Fp32 => Packed::new::<f32>(&shape),
        };
        Ok(Self {
            shape,
            microbatch: shape.microbatch(batch),
            compute,
            kernel,
            pool,
            slopes: alibi_slopes(shape.heads),
            weights: Aligned::new(parameters),
            gradients: Aligned::new(parameters),
            arena: Aligned::new(arena),
            packed,
            fresh: Fresh::None,
            scratch: Scratch::new(threads, scratch),
        })
    }

    /// Draws initial weights.
    ///
    /// # Guarantees
    ///
    /// A tensor's values depend on the seed, its name and its shape, and on nothing else.
    pub fn init(&mut self, seed: Seed) {
        self.fresh = Fresh::None;
        init::draw(&self.shape, seed, self.weights.values_mut());
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The name of the instructions in use: `avx512bf16`, `avx512`, `avx2` or `portable`.
    pub fn kernel(&self) -> &'static str {
        self.kernel.name()
    }

    /// Flat weights, laid out as [`Shape::tensors`].
    pub fn weights(&self) -> &[f32] {
        self.weights.values()
    }

    /// Flat weights.
    pub fn weights_mut(&mut self) -> &mut [f32] {
        self.fresh = Fresh::None;
        self.weights.values_mut()
    }

    /// Flat gradients of the last [`Engine::loss_and_gradients`].
    pub fn gradients(&self) -> &[f32] {
        self.gradients.values()
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
        assert_eq!(
            tokens.len(),
            losses.len() * self.shape.context,
            "tokens of another number of sequences"
        );
        self.check(tokens);
        in_precision!(self.loss_and_gradients_as(tokens, losses))
    }

    fn loss_and_gradients_as<E: Element>(&mut self, tokens: &[u32], losses: &mut [f64]) -> f64 {
        let t = self.shape.context;
        let scale = 1.0 / (losses.len() * (t - 1)) as f32;
        self.pack::<E>(Fresh::Both);
        self.gradients.values_mut().fill(0.0);
        let microbatch = self.microbatch;
        for (tokens, losses) in tokens.chunks(microbatch * t).zip(losses.chunks_mut(microbatch)) {
            self.with_parts(t, |Parts { model, mut views, gradients }: Parts<'_, E>| {
                model.forward(tokens, &mut views);
                let (input, n) = (model.head_input(views.normal_f, tokens), tokens.len());
                let mut scratch = head::Scratch {
                    logits: views.logits,
                    dlogits: views.dlogits,
                    slab: gemm::Slab { left: views.slab_left, right: views.slab_right },
                    threads: model.scratch,
                };
                let nats = &mut views.nats[..n];
                let dtable = &mut gradients[model.shape.embedding()];
                let outputs = (&mut views.narrow[..n * model.shape.width], dtable);
                head::forward_backward(model.kernel, input, scale, &mut scratch, nats, outputs);
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
        let t = self.shape.context;
        assert_eq!(tokens.len() / t * (t - 1), nats.len(), "room for another number of targets");
        assert_eq!(tokens.len() % t, 0, "tokens of whole sequences");
        self.check(tokens);
        in_precision!(self.losses_as(tokens, nats));
    }

    fn losses_as<E: Element>(&mut self, tokens: &[u32], nats: &mut [f32]) {
        let (t, microbatch) = (self.shape.context, self.microbatch);
        self.pack::<E>(Fresh::Forward);
        let parts = tokens.chunks(microbatch * t).zip(nats.chunks_mut(microbatch * (t - 1)));
        for (tokens, out) in parts {
            self.with_parts(t, |Parts { model, mut views, .. }: Parts<'_, E>| {
                model.forward(tokens, &mut views);
                let input = model.head_input(views.normal_f, tokens);
                let nats = &mut views.nats[..tokens.len()];
                head::forward(model.kernel, input, views.logits, nats, model.scratch);
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
        in_precision!(self.logits_as(tokens))
    }

    fn logits_as<E: Element>(&mut self, tokens: &[u32]) -> Vec<f32> {
        let (n, v, d) = (tokens.len(), self.shape.vocab, self.shape.width);
        let mut logits = vec![0.0; n * v];
        self.pack::<E>(Fresh::Forward);
        self.with_parts(n, |Parts { model, mut views, .. }: Parts<'_, E>| {
            model.forward(tokens, &mut views);
            let input = model.head_input(views.normal_f, tokens);
            let left = Left::Along { data: input.hidden, row: d };
            let size = Size { m: n, n: v, k: d };
            let factors = (left, input.table, &mut logits[..]);
            gemm::product(model.kernel, size, factors, Store::Replace, model.scratch);
        });
        logits
    }

    /// Packs the weights if they have changed since.
    fn pack<E: Element>(&mut self, wanted: Fresh) {
        if self.fresh < wanted {
            let Self { pool, packed, kernel, shape, weights, .. } = self;
            let back = wanted == Fresh::Both;
            pool.install(|| packed.pack::<E>(*kernel, shape, weights.values(), back));
            self.fresh = wanted;
        }
    }

    /// Global L2 norm of the gradients, and scales them so that it is at most `max_norm`.
    ///
    /// Returns the norm before.
    ///
    /// # Source
    ///
    /// `torch.nn.utils.clip_grad_norm_`: the factor is `min(1, max_norm / (norm + 1e-6))`.
    pub fn clip_gradients(&mut self, max_norm: Option<f32>) -> f64 {
        let gradients = self.gradients.values_mut();
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
        self.fresh = Fresh::None;
        let Self { kernel, weights, gradients, .. } = self;
        let (weights, gradients) = (weights.values_mut(), gradients.values());
        self.pool.install(|| optimizer.step(*kernel, weights, gradients, lr));
    }

    /// Runs `work` on the threads of this engine, with arrays for sequences of `context` tokens.
    fn with_parts<E: Element, R: Send>(
        &mut self,
        context: usize,
        work: impl FnOnce(Parts<'_, E>) -> R + Send,
    ) -> R {
        let shape = Shape { context, ..self.shape };
        let recompute = self.compute.recompute;
        let layout = Layout::new::<E>(self.kernel, &self.shape, self.microbatch, recompute);
        let model = Model {
            kernel: self.kernel,
            shape: &shape,
            recompute,
            weights: self.weights.values(),
            packed: &self.packed,
            slopes: &self.slopes,
            scratch: &self.scratch,
        };
        let views = layout.cut(self.arena.values_mut());
        let parts = Parts { model, views, gradients: self.gradients.values_mut() };
        self.pool.install(|| work(parts))
    }

    /// Tokens index the embedding: one that is too large is our mistake, and is named.
    fn check(&self, tokens: &[u32]) {
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= self.shape.vocab) {
            panic!("token {token} is not below the vocabulary of {}", self.shape.vocab);
        }
    }
}

impl Model<'_> {
    /// What the head reads.
    fn head_input<'a, E: Element>(
        &'a self,
        hidden: &'a [E],
        tokens: &'a [u32],
    ) -> head::Input<'a, E> {
        head::Input {
            hidden: &hidden[..tokens.len() * self.shape.width],
            table: self.packed.forward(self.kernel, self.shape, Matrix::Embedding),
            table_back: self.packed.back(self.kernel, self.shape, Matrix::Embedding),
            tokens,
            context: self.shape.context,
        }
    }
}

/// Values of f32 that an engine allocates beside weights and gradients.
struct Rooms {
    arena: usize,
    packed: usize,
    /// Of each thread.
    scratch: usize,
}

impl Rooms {
    fn new(kernel: Kernel, shape: &Shape, batch: usize, compute: Compute) -> Self {
        match compute.precision {
            Precision::Bf16 => Self::of::<Bf16>(kernel, shape, batch, compute),
            Precision::Fp32 => Self::of::<f32>(kernel, shape, batch, compute),
        }
    }

    fn of<E: Element>(kernel: Kernel, shape: &Shape, batch: usize, compute: Compute) -> Self {
        let &Shape { context: t, heads: h, width, .. } = shape;
        let layout = Layout::new::<E>(kernel, shape, shape.microbatch(batch), compute.recompute);
        let heads = attention::scratch_room::<E>(Heads { t, h, k: width / h });
        Self {
            arena: layout.total::<E>(),
            packed: packed::room::<E>(shape),
            scratch: heads.max(gemm::scratch_room()),
        }
    }
}

/// Bytes an [`Engine`] and its optimizer allocate on this machine for a batch of `batch` sequences.
///
/// # Guarantees
///
/// Exact, up to a few KiB of bookkeeping and the stacks of the threads (tested).
pub fn memory(shape: &Shape, batch: usize, optimizer: OptimizerKind, compute: Compute) -> u64 {
    let Rooms { arena, packed, scratch } =
        Rooms::new(Kernel::best(compute.precision), shape, batch, compute);
    let moments = 4 * shape.parameters() * optimizer.moments().len() as u64;
    moments
        + 2 * Aligned::bytes(shape.parameters() as usize)
        + Aligned::bytes(arena)
        + Aligned::bytes(packed)
        + compute.threads as u64 * Aligned::bytes(scratch)
}
