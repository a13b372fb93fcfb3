//! Generation of new tokens, many sequences at a time.

use std::collections::BTreeMap;
use std::iter::Peekable;

use sparkjoy_spec::Prompt;

use super::cache::Cache;
use super::forest::{PrefixTree, forest};
use super::pass::{self, Rooted};
use super::{Decoder, ROWS};

/// Approximate limit for the caches of all sequences generated at once, in bytes.
const CACHES: usize = 1 << 30;
/// The most sequences generated at once: more do not make products faster.
const SEQUENCES: usize = 64;

/// A sequence being generated.
#[derive(Clone, Copy)]
struct Writing {
    prompt: usize,
    sample: usize,
    /// Its last token, not computed yet.
    last: u32,
    /// Tokens generated so far.
    written: usize,
    /// The cache of its prompt.
    base: usize,
    /// The cache of its own tokens.
    own: usize,
}

/// The caches that are not in use.
struct Free {
    /// For prompts.
    bases: Vec<usize>,
    /// For generated tokens.
    owns: Vec<usize>,
    /// Number of sequences that continue the prompt in a cache, by cache.
    users: BTreeMap<usize, usize>,
    /// The most sequences generated at once.
    most: usize,
}

impl Free {
    /// Frees the cache of a prompt when no sequence continues it any more.
    fn leave(&mut self, base: usize) {
        let users = self.users.get_mut(&base).expect("a cache in use is known");
        *users -= 1;
        if *users == 0 {
            self.users.remove(&base);
            self.bases.push(base);
        }
    }
}

impl Decoder {
    /// Continues every prompt until `choose` ends it or it has as many tokens as allowed.
    ///
    /// - `choose`: gets the index of the prompt, the index of the sample and the logits of its next
    ///   token, `[V]`; returns the next token, or `None` to end the sequence.
    ///
    /// # Panics
    ///
    /// If a prompt is empty or a token is not below the vocabulary.
    pub fn generate(
        &mut self,
        prompts: &[Prompt<'_>],
        mut choose: impl FnMut(usize, usize, &[f32]) -> Option<u32> + Send,
    ) {
        for prompt in prompts {
            assert!(!prompt.tokens.is_empty(), "a first token has no prediction");
            self.check(prompt.tokens);
        }
        let asked = |(_, p): &(usize, &Prompt<'_>)| p.samples > 0 && p.most > 0;
        let mut waiting = prompts.iter().enumerate().filter(asked).peekable();
        let mut free = self.make_caches(prompts);
        let mut writing: Vec<Writing> = Vec::new();
        while !writing.is_empty() || waiting.peek().is_some() {
            let begun = self.admit(&mut waiting, writing.len(), &mut free);
            let rows = self.write_pass(prompts, &writing, &begun);
            writing = self.decide(prompts, (writing, begun, rows), &mut free, &mut choose);
        }
        self.caches.truncate(usize::from(!self.remembered.is_empty()));
    }

    /// Number of tokens of a prompt that are remembered.
    fn skip(&self, prompt: &[u32]) -> usize {
        let skip = self.remembered.len();
        if prompt.len() > skip && prompt.starts_with(&self.remembered) { skip } else { 0 }
    }

    /// Makes caches for as many sequences as are generated at once.
    fn make_caches(&mut self, prompts: &[Prompt<'_>]) -> Free {
        let longest = |f: fn(&Prompt<'_>) -> usize| prompts.iter().map(f).max().unwrap_or(0);
        let (prompt, most) = (longest(|p| p.tokens.len()), longest(|p| p.most));
        let shape = *self.shape();
        let bytes = Cache::bytes(&shape, prompt) + Cache::bytes(&shape, most);
        let sequences = (CACHES / bytes.max(1)).clamp(1, SEQUENCES);
        // All samples of a prompt are generated together, even if there are more.
        let owns = sequences.max(longest(|p| p.samples));
        let mut make = |count: usize, tokens| {
            let first = self.caches.len();
            self.caches.extend((0..count).map(|_| Cache::new(&shape, tokens)));
            (first..first + count).collect()
        };
        let (bases, owns) = (make(sequences, prompt), make(owns, most));
        Free { bases, owns, users: BTreeMap::new(), most: sequences }
    }

    /// Starts as many of the waiting prompts as caches are free, each with its cache.
    fn admit<'a>(
        &mut self,
        waiting: &mut Peekable<impl Iterator<Item = (usize, &'a Prompt<'a>)>>,
        writing: usize,
        free: &mut Free,
    ) -> Vec<(usize, usize)> {
        let (mut begun, mut sequences, mut rows) = (Vec::new(), writing, 0);
        while let Some((index, prompt)) = waiting.peek()
            && (sequences == 0 || sequences + prompt.samples <= free.most)
            && rows < ROWS
            && let Some(base) = free.bases.pop()
        {
            sequences += prompt.samples;
            rows += prompt.tokens.len() - self.skip(prompt.tokens);
            self.caches[base].clear();
            free.users.insert(base, prompt.samples);
            begun.push((*index, base));
            self.computed.sequences += prompt.samples as u64;
            self.computed.separate_tokens += (prompt.samples * prompt.tokens.len()) as u64;
            waiting.next();
        }
        begun
    }

    /// Computes the last token of each sequence and the prompts that begin; returns the row that
    /// predicts the next token of each, in this order.
    fn write_pass(
        &mut self,
        prompts: &[Prompt<'_>],
        writing: &[Writing],
        begun: &[(usize, usize)],
    ) -> Vec<usize> {
        let remembered = usize::from(!self.remembered.is_empty());
        let skips: Vec<usize> = begun.iter().map(|&(i, _)| self.skip(prompts[i].tokens)).collect();
        let single = |tokens: &[u32]| forest(&[tokens]).0.remove(0);
        let mut trees: Vec<PrefixTree> = writing.iter().map(|w| single(&[w.last])).collect();
        trees.extend(begun.iter().zip(&skips).map(|(&(i, _), &s)| single(&prompts[i].tokens[s..])));
        // The remembered beginning is in the first cache.
        let past = |skip: usize| 0..remembered.min(skip);
        let mut pasts: Vec<Vec<usize>> = writing
            .iter()
            .map(|w| past(self.skip(prompts[w.prompt].tokens)).chain([w.base, w.own]).collect())
            .collect();
        pasts.extend(skips.iter().map(|&skip| past(skip).collect()));
        let keeps = writing.iter().map(|w| w.own).chain(begun.iter().map(|&(_, base)| base));
        let rooted: Vec<Rooted<'_>> = trees
            .iter()
            .zip(&pasts)
            .zip(keeps)
            .map(|((tree, past), keep)| Rooted { tree, past, keep: Some(keep) })
            .collect();
        self.pass(&rooted);
        let last = |end: &mut usize, tree: &PrefixTree| {
            *end += tree.tokens.len();
            Some(*end - 1)
        };
        trees.iter().scan(0, last).collect()
    }

    /// Asks `choose` for the next token of every sequence; returns the sequences that continue.
    fn decide(
        &mut self,
        prompts: &[Prompt<'_>],
        (writing, begun, rows): (Vec<Writing>, Vec<(usize, usize)>, Vec<usize>),
        free: &mut Free,
        choose: &mut (impl FnMut(usize, usize, &[f32]) -> Option<u32> + Send),
    ) -> Vec<Writing> {
        let mut going_on = Vec::new();
        let mut end_of_prompts = rows.iter().skip(writing.len());
        let mut asked: Vec<Writing> = writing;
        let mut asked_rows: Vec<usize> = rows[..asked.len()].to_vec();
        for ((prompt, base), row) in begun.into_iter().zip(end_of_prompts.by_ref()) {
            for sample in 0..prompts[prompt].samples {
                let own = free.owns.pop().expect("as many caches as sequences");
                self.caches[own].clear();
                asked.push(Writing { prompt, sample, last: 0, written: 0, base, own });
                asked_rows.push(*row);
            }
        }
        let mut chosen = Vec::with_capacity(asked.len());
        let Self { weights, arrays, pool, .. } = self;
        let vocab = weights.shape.vocab;
        pool.install(|| {
            pass::logits(weights, arrays, &asked_rows, |first, logits| {
                for (writing, logits) in asked[first..].iter().zip(logits.chunks_exact(vocab)) {
                    chosen.push(choose(writing.prompt, writing.sample, logits));
                }
            });
        });
        for (writing, token) in asked.into_iter().zip(chosen) {
            let written = writing.written + usize::from(token.is_some());
            self.computed.separate_tokens += u64::from(token.is_some());
            match token {
                Some(last) if written < prompts[writing.prompt].most => {
                    going_on.push(Writing { last, written, ..writing });
                }
                _ => {
                    free.owns.push(writing.own);
                    free.leave(writing.base);
                }
            }
        }
        going_on
    }
}
