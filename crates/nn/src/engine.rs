//! The engine: weights, gradients and activations, and the training step on them.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sparkjoy_base::Seed;

use crate::aligned::Aligned;
use crate::arena::{Layout, Views};
use crate::attention::{self, Heads, alibi_slopes};
use crate::element::{Bf16, Element};
use crate::forward::Model;
use crate::kernel::{InstructionSet, Left, Size, Store};
use crate::mpt::Mpt;
use crate::packed_weights::{self, Matrix, PackedWeights};
use crate::parallel::{Scratch, VALUES, tree_sum};
use crate::{Compute, Optimizer, OptimizerKind, Precision, Shape, ShapeError, gemm, head, init};

/// Model weights, gradients and the activation arena.
///
/// # Guarantees
///
/// - The same bits for any number of threads, with and without recomputation, on one
///   [instruction set](Engine::instruction_set).
/// - All memory is allocated by [`Engine::new`]; a step allocates nothing.
#[derive(Debug)]
pub struct Engine {
    shape: Shape,
    microbatch: usize,
    compute: Compute,
    isa: InstructionSet,
    pool: ThreadPool,
    slopes: Vec<f32>,
    weights: Aligned,
    gradients: Aligned,
    arena: Aligned,
    packed: PackedWeights,
    /// Which packed copies are those of the current weights.
    fresh: Fresh,
    scratch: Scratch,
}

/// Packed copies of the weights that are up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fresh {
    None,
    Forward,
    Both,
}

/// Borrowed parts of the engine for one microbatch.
struct Parts<'a, E> {
    model: Model<'a>,
    views: Views<'a, E>,
    gradients: &'a mut [f32],
}

/// Calls a generic method with the element type of this engine's precision.
macro_rules! in_precision {
    ($engine:ident.$method:ident($($argument:expr),*)) => {
        match $engine.compute.precision {
            Precision::Bf16 => $engine.$method::<Bf16>($($argument),*),
            Precision::Fp32 => $engine.$method::<f32>($($argument),*),
        }
    };
}

impl Engine {
    /// Allocates all memory. Weights are zero.
    ///
    /// - `batch`: sequences per step.
    ///
    /// # Errors
    ///
    /// [`ShapeError`] for an impossible shape, batch or number of threads.
    pub fn new(shape: Shape, batch: usize, compute: Compute) -> Result<Self, ShapeError> {
        Self::with_instructions(shape, batch, compute, InstructionSet::best(compute.precision))
    }

    /// Like [`Engine::new`], with a given instruction set, to compare instruction sets.
    pub(crate) fn with_instructions(
        shape: Shape,
        batch: usize,
        compute: Compute,
        isa: InstructionSet,
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
        let Lengths { arena, packed: _, scratch } = Lengths::new(isa, &shape, batch, compute);
        let packed = match precision {
            Precision::Bf16 => PackedWeights::new::<Bf16>(&shape),
            Precision::Fp32 => PackedWeights::new::<f32>(&shape),
        };
        Ok(Self {
            shape,
            microbatch: shape.microbatch(batch),
            compute,
            isa,
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
    /// The values of a tensor depend only on the seed, its name and its shape.
    pub fn init(&mut self, seed: Seed) {
        self.fresh = Fresh::None;
        init::draw(&self.shape, seed, self.weights.values_mut());
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The name of the instruction set in use: `avx512bf16`, `avx512`, `avx2` or `portable`.
    pub fn instruction_set(&self) -> &'static str {
        self.isa.name()
    }

    /// Flat weights, laid out as [`Shape::tensors`].
    pub fn weights(&self) -> &[f32] {
        self.weights.values()
    }

    /// Flat weights, to be changed.
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
    /// Returns the mean of `losses`. Any number of sequences is allowed; they are computed in
    /// microbatches.
    ///
    /// # Panics
    ///
    /// If the lengths do not match or a token is not below the vocabulary.
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
                    buffers: gemm::PackBuffers { left: views.pack_left, right: views.pack_right },
                    threads: model.scratch,
                };
                let nats = &mut views.nats[..n];
                let dtable = &mut gradients[model.shape.embedding()];
                let outputs = (&mut views.narrow[..n * model.shape.width], dtable);
                head::forward_backward(model.isa, input, scale, &mut scratch, nats, outputs);
                for (loss, nats) in losses.iter_mut().zip(nats.chunks_exact(t)) {
                    *loss = nats.iter().map(|&nats| f64::from(nats)).sum::<f64>() / (t - 1) as f64;
                }
                model.backward(tokens, &mut views, gradients);
            });
        }
        losses.iter().sum::<f64>() / losses.len() as f64
    }

    /// Loss of each target, without gradients.
    ///
    /// - `nats`: `[B × (T − 1)]`, out: nats of each target.
    ///
    /// # Panics
    ///
    /// If the lengths do not match or a token is not below the vocabulary.
    pub fn losses(&mut self, tokens: &[u32], nats: &mut [f32]) {
        let t = self.shape.context;
        assert_eq!(tokens.len() / t * (t - 1), nats.len(), "losses for another number of targets");
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
                head::forward(model.isa, input, views.logits, nats, model.scratch);
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
            gemm::product(model.isa, size, factors, Store::Replace, model.scratch);
        });
        logits
    }

    /// Packs the weights if they have changed since they were packed.
    fn pack<E: Element>(&mut self, wanted: Fresh) {
        if self.fresh < wanted {
            let Self { pool, packed, isa, shape, weights, .. } = self;
            let back = wanted == Fresh::Both;
            pool.install(|| packed.pack::<E>(*isa, shape, weights.values(), back));
            self.fresh = wanted;
        }
    }

    /// Scales the gradients so that their global L2 norm is at most `max_norm`.
    ///
    /// Returns the norm before scaling.
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

    /// Takes an optimizer step with the current gradients and learning rate `lr`.
    ///
    /// # Panics
    ///
    /// If the optimizer was made for another number of parameters.
    pub fn update(&mut self, optimizer: &mut Optimizer, lr: f64) {
        self.fresh = Fresh::None;
        let Self { isa, weights, gradients, .. } = self;
        let (weights, gradients) = (weights.values_mut(), gradients.values());
        self.pool.install(|| optimizer.step(*isa, weights, gradients, lr));
    }

    /// Runs `work` on the threads of this engine, with arrays for sequences of `context` tokens.
    fn with_parts<E: Element, R: Send>(
        &mut self,
        context: usize,
        work: impl FnOnce(Parts<'_, E>) -> R + Send,
    ) -> R {
        let shape = Shape { context, ..self.shape };
        let recompute = self.compute.recompute;
        let layout = Layout::new::<E>(self.isa, &self.shape, self.microbatch, recompute);
        let model = Model {
            isa: self.isa,
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

    /// Panics, naming the token, if one is not below the vocabulary.
    fn check(&self, tokens: &[u32]) {
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= self.shape.vocab) {
            panic!("token {token} is not below the vocabulary of {}", self.shape.vocab);
        }
    }
}

impl Model<'_> {
    fn head_input<'a, E: Element>(
        &'a self,
        hidden: &'a [E],
        tokens: &'a [u32],
    ) -> head::Input<'a, E> {
        head::Input {
            hidden: &hidden[..tokens.len() * self.shape.width],
            table: self.packed.forward(self.isa, self.shape, Matrix::Embedding),
            table_back: self.packed.back(self.isa, self.shape, Matrix::Embedding),
            tokens,
            context: self.shape.context,
        }
    }
}

/// Lengths, in values of f32, of the memory beside weights and gradients.
struct Lengths {
    arena: usize,
    packed: usize,
    scratch: usize,
}

impl Lengths {
    fn new(isa: InstructionSet, shape: &Shape, batch: usize, compute: Compute) -> Self {
        match compute.precision {
            Precision::Bf16 => Self::of::<Bf16>(isa, shape, batch, compute),
            Precision::Fp32 => Self::of::<f32>(isa, shape, batch, compute),
        }
    }

    fn of<E: Element>(isa: InstructionSet, shape: &Shape, batch: usize, compute: Compute) -> Self {
        let &Shape { context: t, heads: h, width, .. } = shape;
        let layout = Layout::new::<E>(isa, shape, shape.microbatch(batch), compute.recompute);
        let heads = attention::scratch_len::<E>(Heads { t, h, k: width / h });
        Self {
            arena: layout.total::<E>(),
            packed: packed_weights::weights_len::<E>(shape),
            scratch: heads.max(gemm::scratch_len()),
        }
    }
}

/// Bytes an [`Engine`] and its optimizer allocate on this machine for a batch of `batch` sequences.
///
/// # Guarantees
///
/// Exact, up to a few KiB of bookkeeping and the stacks of the threads (tested).
pub fn memory(shape: &Shape, batch: usize, optimizer: OptimizerKind, compute: Compute) -> u64 {
    let Lengths { arena, packed, scratch } =
        Lengths::new(InstructionSet::best(compute.precision), shape, batch, compute);
    let moments = 4 * shape.parameters() * optimizer.moments().len() as u64;
    moments
        + 2 * Aligned::bytes(shape.parameters() as usize)
        + Aligned::bytes(arena)
        + Aligned::bytes(packed)
        + compute.threads as u64 * Aligned::bytes(scratch)
}
