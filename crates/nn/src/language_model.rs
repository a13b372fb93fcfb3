//! Our decoder as a [`LanguageModel`].

use std::fmt;

use sparkjoy_base::Hint;
use sparkjoy_spec::{
    ChooseToken, Computed, LanguageModel, LanguageModelError, LanguageModelInfo, Promise, Prompt,
    ScoredSequence, TokenScore,
};

use crate::{Compute, Decoder, Engine, Precision, Shape, ShapeError, instruction_set_of};

/// Writes weights into a buffer laid out as [`Shape::tensors`].
type ReadWeights<'a> = Box<dyn FnMut(&mut [f32]) -> Result<(), LanguageModelError> + 'a>;

/// A model whose weights are read when a call first needs them.
///
/// Losses of whole sequences are computed by an [`Engine`], everything else by a [`Decoder`]. Only
/// one of them is in memory; a call that needs the other reads the weights again.
pub struct LazyModel<'a> {
    shape: Shape,
    batch: usize,
    threads: usize,
    info: LanguageModelInfo,
    read: ReadWeights<'a>,
    loaded: Loaded,
    remembered: Vec<u32>,
    /// What decoders before the one loaded have computed.
    before: Computed,
}

enum Loaded {
    Nothing,
    Engine(Box<Engine>),
    Decoder(Box<Decoder>),
}

impl<'a> LazyModel<'a> {
    /// A model of this shape; nothing is read yet.
    ///
    /// - `batch`: sequences whose losses are computed at a time, at most.
    /// - `read`: writes the weights, laid out as [`Shape::tensors`].
    pub fn new<E: Hint>(
        shape: Shape,
        batch: usize,
        threads: usize,
        mut read: impl FnMut(&mut [f32]) -> Result<(), E> + 'a,
    ) -> Self {
        let info = LanguageModelInfo {
            vocab: shape.vocab,
            context: shape.context,
            kernel: instruction_set_of(Precision::Fp32).to_owned(),
            promise: Promise::SameBits,
        };
        Self {
            shape,
            batch,
            threads,
            info,
            read: Box::new(move |weights| read(weights).map_err(|e| LanguageModelError::of(&e))),
            loaded: Loaded::Nothing,
            remembered: Vec::new(),
            before: Computed::default(),
        }
    }

    /// The engine for sequences of `context` tokens.
    fn engine(&mut self, context: usize) -> Result<&mut Engine, LanguageModelError> {
        if !matches!(&self.loaded, Loaded::Engine(engine) if engine.shape().context == context) {
            self.unload();
            // Nothing is computed again where there is no backward pass: this only saves memory.
            let compute = Compute { recompute: true, ..Compute::exact(self.threads) };
            let shape = Shape { context, ..self.shape };
            let mut engine = Engine::new(shape, self.batch, compute).map_err(impossible)?;
            (self.read)(engine.weights_mut())?;
            self.loaded = Loaded::Engine(Box::new(engine));
        }
        match &mut self.loaded {
            Loaded::Engine(engine) => Ok(engine),
            _ => unreachable!("loaded above"),
        }
    }

    fn decoder(&mut self) -> Result<&mut Decoder, LanguageModelError> {
        if !matches!(self.loaded, Loaded::Decoder(_)) {
            self.unload();
            let mut weights = vec![0.0; self.shape.parameters() as usize];
            (self.read)(&mut weights)?;
            let decoder = Decoder::new(self.shape, &weights, self.threads);
            let mut decoder = decoder.map_err(impossible)?;
            decoder.remember(&self.remembered);
            self.loaded = Loaded::Decoder(Box::new(decoder));
        }
        match &mut self.loaded {
            Loaded::Decoder(decoder) => Ok(decoder),
            _ => unreachable!("loaded above"),
        }
    }

    fn unload(&mut self) {
        self.before = self.computed();
        self.loaded = Loaded::Nothing;
    }
}

/// A shape or a number of threads that cannot be.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn impossible(error: ShapeError) -> LanguageModelError {
    LanguageModelError::of(&error)
}

impl fmt::Debug for LazyModel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyModel").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl LanguageModel for LazyModel<'_> {
    fn info(&self) -> &LanguageModelInfo {
        &self.info
    }

    fn computed(&self) -> Computed {
        let Loaded::Decoder(decoder) = &self.loaded else { return self.before };
        let (before, now) = (self.before, decoder.computed());
        Computed {
            tokens: before.tokens + now.tokens,
            sequences: before.sequences + now.sequences,
            separate_tokens: before.separate_tokens + now.separate_tokens,
        }
    }

    fn losses(&mut self, context: usize, tokens: &[u32]) -> Result<Vec<f32>, LanguageModelError> {
        let mut nats = vec![0.0; tokens.len() / context * (context - 1)];
        self.engine(context)?.losses(tokens, &mut nats);
        Ok(nats)
    }

    fn remember(&mut self, tokens: &[u32]) -> Result<(), LanguageModelError> {
        tokens.clone_into(&mut self.remembered);
        if let Loaded::Decoder(decoder) = &mut self.loaded {
            decoder.remember(tokens);
        }
        Ok(())
    }

    fn score(
        &mut self,
        groups: &[Vec<ScoredSequence<'_>>],
    ) -> Result<Vec<Vec<Vec<TokenScore>>>, LanguageModelError> {
        Ok(self.decoder()?.score(groups))
    }

    fn generate(
        &mut self,
        prompts: &[Prompt<'_>],
        choose: &mut ChooseToken<'_>,
    ) -> Result<(), LanguageModelError> {
        self.decoder()?.generate(prompts, choose);
        Ok(())
    }
}
