//! The model without its way back: scores of given tokens, and new ones.
//!
//! Nothing is padded. The new tokens of a pass, of however many sequences, are the rows of the same
//! products; only attention knows which sequence a row belongs to. What several sequences have in
//! common at their beginning is computed once.

mod attention;
mod cache;
mod forest;
mod generate;
mod pass;
#[cfg(test)]
mod tests;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use self::cache::Cache;
use self::forest::{Path, Tree, forest};
use self::pass::{Arrays, Rooted, Weights, summary};
use crate::kernel::Kernel;
use crate::mpt::Mpt;
use crate::packed::Packed;
use crate::{Precision, Shape, ShapeError, alibi_slopes};

pub use generate::Prompt;

/// Rows of a pass, about: enough to keep products busy, few enough that a pass stays in cache.
const ROWS: usize = 1024;

/// Computes log-likelihoods of tokens and draws new ones, in fp32.
///
/// # Guarantees
///
/// The numbers of a sequence depend on the sequences it was handed over with as one group and on
/// what was remembered, not on the other groups and not on the number of threads.
#[derive(Debug)]
pub struct Decoder {
    weights: Weights,
    pool: ThreadPool,
    arrays: Arrays,
    /// The tokens all sequences are expected to begin with, and their cache at the first place.
    remembered: Vec<u32>,
    caches: Vec<Cache>,
    computed: Computed,
}

/// What was asked of a decoder so far and what it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Computed {
    /// Tokens that went through the model.
    pub tokens: u64,
    /// Sequences that were scored or written.
    pub sequences: u64,
    /// Tokens of these sequences, had each been computed by itself.
    pub separate_tokens: u64,
}

/// A token sequence whose last tokens are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scored<'a> {
    /// All tokens.
    pub tokens: &'a [u32],
    /// How many at the end are scored: fewer than there are, since each is foretold from those
    /// before it.
    pub scored: usize,
}

/// How well one token was foretold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenScore {
    /// −ln p of the token.
    pub nats: f32,
    /// Whether no other token was likelier, nor one of a lower id as likely.
    pub greedy: bool,
}

impl Decoder {
    /// Takes over the weights, laid out as [`Shape::tensors`].
    ///
    /// # Errors
    ///
    /// [`ShapeError`] for a shape or number of threads that cannot be.
    ///
    /// # Panics
    ///
    /// If there are more or fewer weights than the shape has.
    pub fn new(shape: Shape, weights: &[f32], threads: usize) -> Result<Self, ShapeError> {
        Self::with_kernel(shape, weights, threads, Kernel::best(Precision::Fp32))
    }

    /// The same on a kernel of choice, to compare kernels.
    fn with_kernel(
        shape: Shape,
        weights: &[f32],
        threads: usize,
        kernel: Kernel,
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
        let mut packed = Packed::new::<f32>(&shape);
        pool.install(|| packed.pack::<f32>(kernel, &shape, weights, false));
        let blocks = (0..shape.layers).map(|i| shape.block(i));
        let norms = blocks.flat_map(|block| [block.norm_1, block.norm_2]).chain([shape.norm_f()]);
        let weights = Weights {
            kernel,
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

    /// The name of the instructions in use, as [`Engine::kernel`](crate::Engine::kernel).
    pub fn kernel(&self) -> &'static str {
        self.weights.kernel.name()
    }

    /// What was computed so far.
    pub fn computed(&self) -> Computed {
        self.computed
    }

    /// Computes a beginning that many sequences have in common, once, in place of the one
    /// remembered before. Sequences that go on after it take it as it is.
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

    /// Scores sequences. Those of a group share what they have in common at their beginning, such
    /// as the prompt of several answers.
    ///
    /// Returns the scores of each scored token, by group and sequence.
    ///
    /// # Panics
    ///
    /// If a sequence is scored from its first token on, or a token is not below the vocabulary.
    pub fn score(&mut self, groups: &[Vec<Scored<'_>>]) -> Vec<Vec<Vec<TokenScore>>> {
        let planted: Vec<Planted<'_>> = groups.iter().map(|group| self.plant(group)).collect();
        let mut scores = Vec::with_capacity(groups.len());
        let mut first = 0;
        while first < planted.len() {
            let mut rows = 0;
            let fits = |planted: &&Planted<'_>| {
                rows += planted.rows();
                rows <= ROWS
            };
            // One at least, however large.
            let count = planted[first..].iter().take_while(fits).count().max(1);
            let batch = &planted[first..first + count];
            self.score_pass(batch, &mut scores);
            first += count;
        }
        scores
    }

    /// A group as a forest.
    fn plant<'a>(&mut self, group: &'a [Scored<'a>]) -> Planted<'a> {
        for sequence in group {
            assert!(sequence.scored < sequence.tokens.len(), "nothing foretells a first token");
            self.check(sequence.tokens);
        }
        let skip = self.remembered.len();
        let goes_on = |s: &Scored<'_>| {
            s.tokens.starts_with(&self.remembered) && s.tokens.len() - s.scored > skip
        };
        let skip = if group.iter().all(goes_on) { skip } else { 0 };
        // Nothing follows a last token, so it is foretold but not computed.
        let inputs: Vec<&[u32]> =
            group.iter().map(|s| &s.tokens[skip..s.tokens.len() - 1]).collect();
        let (trees, paths) = forest(&inputs);
        self.computed.sequences += group.len() as u64;
        let separate: usize = group.iter().map(|s| s.tokens.len()).sum();
        self.computed.separate_tokens += separate as u64;
        Planted { group, skip, trees, paths }
    }

    /// Scores some groups in one pass.
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

        // Every row that foretells something, and what: one row foretells the first token of all
        // answers to a prompt.
        let mut asked: Vec<(usize, u32)> = Vec::new();
        let mut before = 0;
        for planted in batch {
            asked.extend(planted.asked(before));
            before += planted.rows();
        }
        let mut rows: Vec<usize> = asked.iter().map(|&(row, _)| row).collect();
        rows.sort_unstable();
        rows.dedup();
        let found = self.foretell(&rows, &asked);
        let mut found = found.into_iter();
        for planted in batch {
            let of = |s: &Scored<'_>| found.by_ref().take(s.scored).collect();
            scores.push(planted.group.iter().map(of).collect());
        }
    }

    /// The score of each asked token at its row; `rows` are all rows asked, ascending.
    fn foretell(&mut self, rows: &[usize], asked: &[(usize, u32)]) -> Vec<TokenScore> {
        let mut by_row: Vec<Vec<(usize, u32)>> = vec![Vec::new(); rows.len()];
        for (i, &(row, token)) in asked.iter().enumerate() {
            let at = rows.binary_search(&row).expect("all rows asked are there");
            by_row[at].push((i, token));
        }
        let mut scores = vec![TokenScore { nats: 0.0, greedy: false }; asked.len()];
        let Self { weights, arrays, pool, .. } = self;
        let (kernel, vocab) = (weights.kernel, weights.shape.vocab);
        pool.install(|| {
            pass::logits(weights, arrays, rows, |first, logits| {
                let rows = logits.par_chunks_exact(vocab).zip(&by_row[first..]);
                let parts: Vec<Vec<(usize, TokenScore)>> = rows
                    .map(|(logits, asked)| {
                        let (best, log_sum) = summary(kernel, logits);
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

    /// Tokens index the embedding: one that is too large is our mistake, and is named.
    fn check(&self, tokens: &[u32]) {
        let vocab = self.weights.shape.vocab;
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= vocab) {
            panic!("token {token} is not below the vocabulary of {vocab}");
        }
    }
}

/// A group of sequences laid out to be computed.
struct Planted<'a> {
    group: &'a [Scored<'a>],
    /// Tokens at the beginning of each that are remembered.
    skip: usize,
    trees: Vec<Tree>,
    paths: Vec<Path>,
}

impl Planted<'_> {
    fn rows(&self) -> usize {
        self.trees.iter().map(|tree| tree.tokens.len()).sum()
    }

    /// The row that foretells each scored token, and the token; `before`: rows before this group.
    fn asked(&self, before: usize) -> Vec<(usize, u32)> {
        let starts: Vec<usize> = self
            .trees
            .iter()
            .scan(before, |end, tree| {
                *end += tree.tokens.len();
                Some(*end - tree.tokens.len())
            })
            .collect();
        let of = |(sequence, path): (&Scored<'_>, &Path)| {
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
