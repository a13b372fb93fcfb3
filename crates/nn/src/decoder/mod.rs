//! Inference: scores of given tokens, and new tokens.
//!
//! Nothing is padded. The new tokens of a pass, from all its sequences, are the rows of the same
//! products; only attention knows which sequence a row belongs to. A beginning that several
//! sequences share is computed once.

mod attention;
mod cache;
mod forest;
mod generate;
mod pass;
#[cfg(test)]
mod tests;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sparkjoy_spec::{Computed, ScoredSequence, TokenScore};

use self::cache::Cache;
use self::forest::{Path, PrefixTree, forest};
use self::pass::{Arrays, Rooted, Weights, summary};
use crate::kernel::InstructionSet;
use crate::mpt::Mpt;
use crate::packed_weights::PackedWeights;
use crate::{Precision, Shape, ShapeError, alibi_slopes};

/// Approximate rows of a pass: enough for efficient products, few enough that a pass stays in
/// cache.
const ROWS: usize = 1024;

/// Computes log-likelihoods of tokens, and logits for new ones, in fp32.
///
/// # Guarantees
///
/// The bits of a score depend on the sequences of its group and on the remembered beginning, not on
/// the other groups and not on the number of threads.
#[derive(Debug)]
pub struct Decoder {
    weights: Weights,
    pool: ThreadPool,
    arrays: Arrays,
    /// The tokens of the remembered beginning; their cache is the first of `caches`.
    remembered: Vec<u32>,
    caches: Vec<Cache>,
    computed: Computed,
}

impl Decoder {
    /// Copies the weights, laid out as [`Shape::tensors`].
    ///
    /// # Errors
    ///
    /// [`ShapeError`] for an impossible shape or number of threads.
    ///
    /// # Panics
    ///
    /// If the number of weights is not that of the shape.
    pub fn new(shape: Shape, weights: &[f32], threads: usize) -> Result<Self, ShapeError> {
        Self::with_instructions(shape, weights, threads, InstructionSet::best(Precision::Fp32))
    }

    /// Like [`Decoder::new`], with a given instruction set, to compare instruction sets.
    fn with_instructions(
        shape: Shape,
        weights: &[f32],
        threads: usize,
        isa: InstructionSet,
    ) -> Result<Self, ShapeError> {
        shape.check()?;
        if threads == 0 {
            return Err(ShapeError::TooSmall { what: "threads", found: 0, least: 1 });
        }
        assert_eq!(weights.len() as u64, shape.parameters(), "weights of another shape");
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("decoder-{i}"))
            .build()
            .map_err(|_| ShapeError::Threads { threads })?;
        let mut packed = PackedWeights::new::<f32>(&shape);
        pool.install(|| packed.pack::<f32>(isa, &shape, weights, false));
        let blocks = (0..shape.layers).map(|i| shape.block(i));
        let norms = blocks.flat_map(|block| [block.norm_1, block.norm_2]).chain([shape.norm_f()]);
        let weights = Weights {
            isa,
            shape,
            packed,
            table: weights[shape.embedding()].to_vec(),
            norms: norms.flat_map(|range| weights[range].to_vec()).collect(),
            slopes: alibi_slopes(shape.heads),
        };
        Ok(Self {
            weights,
            pool,
            arrays: Arrays::new(threads),
            remembered: Vec::new(),
            caches: Vec::new(),
            computed: Computed::default(),
        })
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.weights.shape
    }

    /// The instruction set in use, as [`Engine::instruction_set`](crate::Engine::instruction_set).
    pub fn instruction_set(&self) -> &'static str {
        self.weights.isa.name()
    }

    /// The work so far.
    pub fn computed(&self) -> Computed {
        self.computed
    }

    /// Computes a beginning that many sequences share, and remembers it in place of the previous
    /// one. Later sequences that begin with it reuse its keys and values.
    ///
    /// # Panics
    ///
    /// If a token is not below the vocabulary.
    pub fn remember(&mut self, tokens: &[u32]) {
        self.check(tokens);
        self.caches.clear();
        self.remembered = tokens.to_vec();
        if tokens.is_empty() {
            return;
        }
        self.caches.push(Cache::new(self.shape(), tokens.len()));
        for part in tokens.chunks(ROWS) {
            let (trees, _) = forest(&[part]);
            self.pass(&[Rooted { tree: &trees[0], past: &[0], keep: Some(0) }]);
        }
    }

    /// Scores sequences. Sequences of a group share the computation of common beginnings, such as
    /// the prompt of several answers.
    ///
    /// Returns the scores of each scored token, by group and sequence.
    ///
    /// # Panics
    ///
    /// If a sequence is scored from its first token on, or a token is not below the vocabulary.
    pub fn score(&mut self, groups: &[Vec<ScoredSequence<'_>>]) -> Vec<Vec<Vec<TokenScore>>> {
        let planted: Vec<Planted<'_>> = groups.iter().map(|group| self.plant(group)).collect();
        let mut scores = Vec::with_capacity(groups.len());
        let mut first = 0;
        while first < planted.len() {
            let mut rows = 0;
            let fits = |planted: &&Planted<'_>| {
                rows += planted.rows();
                rows <= ROWS
            };
            // At least one, even if it is larger.
            let count = planted[first..].iter().take_while(fits).count().max(1);
            let batch = &planted[first..first + count];
            self.score_pass(batch, &mut scores);
            first += count;
        }
        scores
    }

    /// Merges the sequences of a group into a forest.
    fn plant<'a>(&mut self, group: &'a [ScoredSequence<'a>]) -> Planted<'a> {
        for sequence in group {
            assert!(sequence.scored < sequence.tokens.len(), "a first token has no prediction");
            self.check(sequence.tokens);
        }
        let skip = self.remembered.len();
        let goes_on = |s: &ScoredSequence<'_>| {
            s.tokens.starts_with(&self.remembered) && s.tokens.len() - s.scored > skip
        };
        let skip = if group.iter().all(goes_on) { skip } else { 0 };
        // Nothing follows a last token, so it is predicted but not computed.
        let inputs: Vec<&[u32]> =
            group.iter().map(|s| &s.tokens[skip..s.tokens.len() - 1]).collect();
        let (trees, paths) = forest(&inputs);
        self.computed.sequences += group.len() as u64;
        let separate: usize = group.iter().map(|s| s.tokens.len()).sum();
        self.computed.separate_tokens += separate as u64;
        Planted { group, skip, trees, paths }
    }

    fn score_pass(&mut self, batch: &[Planted<'_>], scores: &mut Vec<Vec<Vec<TokenScore>>>) {
        let past = |planted: &Planted<'_>| if planted.skip > 0 { &[0][..] } else { &[] };
        let rooted: Vec<Rooted<'_>> = batch
            .iter()
            .flat_map(|planted| {
                let root = |tree| Rooted { tree, past: past(planted), keep: None };
                planted.trees.iter().map(root)
            })
            .collect();
        self.pass(&rooted);

        // Every row that predicts a scored token, and the token: one row predicts the first token
        // of all answers to a prompt.
        let mut asked: Vec<(usize, u32)> = Vec::new();
        let mut before = 0;
        for planted in batch {
            asked.extend(planted.asked(before));
            before += planted.rows();
        }
        let mut rows: Vec<usize> = asked.iter().map(|&(row, _)| row).collect();
        rows.sort_unstable();
        rows.dedup();
        let found = self.token_scores(&rows, &asked);
        let mut found = found.into_iter();
        for planted in batch {
            let of = |s: &ScoredSequence<'_>| found.by_ref().take(s.scored).collect();
            scores.push(planted.group.iter().map(of).collect());
        }
    }

    /// The score of each asked token at its row; `rows` are all rows asked, ascending.
    fn token_scores(&mut self, rows: &[usize], asked: &[(usize, u32)]) -> Vec<TokenScore> {
        let mut by_row: Vec<Vec<(usize, u32)>> = vec![Vec::new(); rows.len()];
        for (i, &(row, token)) in asked.iter().enumerate() {
            let at = rows.binary_search(&row).expect("all rows asked are there");
            by_row[at].push((i, token));
        }
        let mut scores = vec![TokenScore { nats: 0.0, greedy: false }; asked.len()];
        let Self { weights, arrays, pool, .. } = self;
        let (isa, vocab) = (weights.isa, weights.shape.vocab);
        pool.install(|| {
            pass::logits(weights, arrays, rows, |first, logits| {
                let rows = logits.par_chunks_exact(vocab).zip(&by_row[first..]);
                let parts: Vec<Vec<(usize, TokenScore)>> = rows
                    .map(|(logits, asked)| {
                        let (best, log_sum) = summary(isa, logits);
                        let score = |token: u32| TokenScore {
                            nats: log_sum - logits[token as usize],
                            greedy: token == best,
                        };
                        asked.iter().map(|&(i, token)| (i, score(token))).collect()
                    })
                    .collect();
                for (i, score) in parts.into_iter().flatten() {
                    scores[i] = score;
                }
            });
        });
        scores
    }

    /// One pass on the threads of this decoder.
    fn pass(&mut self, trees: &[Rooted<'_>]) {
        let Self { weights, arrays, caches, pool, computed, .. } = self;
        pool.install(|| pass::run(weights, arrays, caches, trees));
        computed.tokens += trees.iter().map(|r| r.tree.tokens.len() as u64).sum::<u64>();
    }

    /// Panics, naming the token, if one is not below the vocabulary.
    fn check(&self, tokens: &[u32]) {
        let vocab = self.weights.shape.vocab;
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= vocab) {
            panic!("token {token} is not below the vocabulary of {vocab}");
        }
    }
}

/// A group of sequences with its forest.
struct Planted<'a> {
    group: &'a [ScoredSequence<'a>],
    /// Tokens at the beginning of each sequence that are remembered.
    skip: usize,
    trees: Vec<PrefixTree>,
    paths: Vec<Path>,
}

impl Planted<'_> {
    fn rows(&self) -> usize {
        self.trees.iter().map(|tree| tree.tokens.len()).sum()
    }

    /// The row that predicts each scored token, and the token; `before`: rows before this group.
    fn asked(&self, before: usize) -> Vec<(usize, u32)> {
        let starts: Vec<usize> = self
            .trees
            .iter()
            .scan(before, |end, tree| {
                *end += tree.tokens.len();
                Some(*end - tree.tokens.len())
            })
            .collect();
        let of = |(sequence, path): (&ScoredSequence<'_>, &Path)| {
            let n = sequence.tokens.len();
            let ask = |i: usize| {
                let row = path.row(&self.trees, i - 1 - self.skip);
                (starts[path.tree] + row, sequence.tokens[i])
            };
            (n - sequence.scored..n).map(ask).collect::<Vec<_>>()
        };
        self.group.iter().zip(&self.paths).flat_map(of).collect()
    }
}
