//! The calls of a language model as messages, and what is checked of their answers.

use sparkjoy_spec::{
    ChooseToken, Computed, LanguageModel, LanguageModelError, LanguageModelInfo, Prompt,
    ScoredSequence, TokenScore,
};

use super::message::{Call, END, LARGEST_LOGITS, Reply, encode, expect_bytes, f32s, u32s};
use super::{Fault, Worker};

/// Nats by which rounding may put a score out of its range.
const ROUNDING: f32 = 0.01;
/// More than a token costs any model that is sound, in nats: logits of a hundred are a lot.
const MOST_NATS: f32 = 10_000.0;

impl LanguageModel for Worker<'_> {
    fn info(&self) -> &LanguageModelInfo {
        &self.info
    }

    /// What it computes once for several sequences is its own affair, and is not counted.
    fn computed(&self) -> Computed {
        self.computed
    }

    fn losses(&mut self, context: usize, tokens: &[u32]) -> Result<Vec<f32>, LanguageModelError> {
        assert_eq!(tokens.len() % context, 0, "tokens of whole sequences");
        self.check(tokens);
        let sequences = tokens.len() / context;
        let targets = sequences * (context - 1);
        self.sound(|worker| {
            worker.process.send(encode(&Call::Losses { sequences, context }, &[tokens]));
            let bytes = worker.answer("losses", 4 * targets)?;
            let nats = f32s(&bytes);
            nats.iter().enumerate().map(|(i, &nats)| likely("loss", i, nats)).collect()
        })
    }

    fn remember(&mut self, tokens: &[u32]) -> Result<(), LanguageModelError> {
        self.check(tokens);
        self.sound(|worker| {
            worker.process.send(encode(&Call::Remember { tokens: tokens.len() }, &[tokens]));
            worker.answer("remember", 0)?;
            Ok(())
        })
    }

    fn score(
        &mut self,
        groups: &[Vec<ScoredSequence<'_>>],
    ) -> Result<Vec<Vec<Vec<TokenScore>>>, LanguageModelError> {
        let sequences: Vec<ScoredSequence<'_>> = groups.iter().flatten().copied().collect();
        for sequence in &sequences {
            assert!(sequence.scored < sequence.tokens.len(), "nothing predicts a first token");
            self.check(sequence.tokens);
        }
        let sizes: Vec<u32> = groups.iter().map(|group| group.len() as u32).collect();
        let lengths: Vec<u32> = sequences.iter().map(|s| s.tokens.len() as u32).collect();
        let scored: Vec<u32> = sequences.iter().map(|s| s.scored as u32).collect();
        let tokens: Vec<u32> = sequences.iter().flat_map(|s| s.tokens).copied().collect();
        let call =
            Call::Score { groups: groups.len(), sequences: sequences.len(), tokens: tokens.len() };
        let count: usize = sequences.iter().map(|s| s.scored).sum();
        let scores = self.sound(|worker| {
            worker.process.send(encode(&call, &[&sizes, &lengths, &scored, &tokens]));
            let bytes = worker.answer("score", 5 * count)?;
            let (nats, greedy) = bytes.split_at(4 * count);
            let all = f32s(nats).into_iter().zip(greedy).enumerate();
            all.map(|(i, (nats, &greedy))| worker.token_score(i, nats, greedy)).collect()
        })?;
        self.count(sequences.len(), tokens.len());
        let mut scores: std::vec::IntoIter<TokenScore> = Vec::into_iter(scores);
        let mut of = |s: &ScoredSequence<'_>| scores.by_ref().take(s.scored).collect();
        Ok(groups.iter().map(|group| group.iter().map(&mut of).collect()).collect())
    }

    fn generate(
        &mut self,
        prompts: &[Prompt<'_>],
        choose: &mut ChooseToken<'_>,
    ) -> Result<(), LanguageModelError> {
        for prompt in prompts {
            assert!(!prompt.tokens.is_empty(), "nothing predicts a first token");
            self.check(prompt.tokens);
        }
        let each = |f: fn(&Prompt<'_>) -> usize| prompts.iter().map(|p| f(p) as u32).collect();
        let lengths: Vec<u32> = each(|p| p.tokens.len());
        let (most, samples): (Vec<u32>, Vec<u32>) = (each(|p| p.most), each(|p| p.samples));
        let tokens: Vec<u32> = prompts.iter().flat_map(|p| p.tokens).copied().collect();
        let call = Call::Generate { prompts: prompts.len(), tokens: tokens.len() };
        let mut texts = Texts::new(prompts);
        let written = self.sound(|worker| {
            worker.process.send(encode(&call, &[&lengths, &most, &samples, &tokens]));
            while let Some(rows) = worker.logits(&texts)? {
                let mut answers = Vec::with_capacity(rows.texts.len());
                for (&(prompt, sample), logits) in
                    rows.texts.iter().zip(rows.logits.chunks_exact(worker.info.vocab))
                {
                    texts.ask(prompt, sample)?;
                    let token = choose(prompt, sample, logits);
                    texts.take(prompt, sample, token.is_some());
                    answers.push(token.unwrap_or(END));
                }
                let call = Call::Tokens { rows: answers.len() };
                worker.process.send(encode(&call, &[&answers]));
            }
            Ok(texts.written)
        })?;
        let sequences: usize = prompts.iter().map(|p| p.samples).sum();
        let read: usize = prompts.iter().map(|p| p.samples * p.tokens.len()).sum();
        self.count(sequences, read + written);
        Ok(())
    }
}

/// The next tokens of some texts.
struct Rows {
    /// Prompt and sample of each.
    texts: Vec<(usize, usize)>,
    /// `[rows × vocab]`
    logits: Vec<f32>,
}

impl Worker<'_> {
    /// The arrays of the answer to a call.
    fn answer(&mut self, name: &str, bytes: usize) -> Result<Vec<u8>, Fault> {
        let (reply, announced) = self.header()?;
        if reply.name() != name {
            return Err(Fault::lie(format!("answered `{}`, expected `{name}`", reply.name())));
        }
        expect_bytes(announced, bytes as u64)?;
        self.receive(bytes)
    }

    /// The next logits; nothing if every text is at its end.
    fn logits(&mut self, texts: &Texts) -> Result<Option<Rows>, Fault> {
        let (reply, announced) = self.header()?;
        let rows = match reply {
            Reply::Generate {} => {
                expect_bytes(announced, 0)?;
                return texts.all_ended().map(|()| None);
            }
            Reply::Logits { rows } => rows,
            other => {
                let why = format!("answered `{}`, expected `logits` or `generate`", other.name());
                return Err(Fault::lie(why));
            }
        };
        let vocab = self.info.vocab as u64;
        let most = texts.open().min((LARGEST_LOGITS / (4 * vocab)).max(1));
        if !(1..=most).contains(&rows) {
            return Err(Fault::lie(format!("sends {rows} rows of logits, expected 1 to {most}")));
        }
        expect_bytes(announced, rows * (8 + 4 * vocab))?;
        let rows = rows as usize;
        let bytes = self.receive(rows * (8 + 4 * self.info.vocab))?;
        let (indices, logits) = bytes.split_at(8 * rows);
        let indices = u32s(indices);
        let (prompt, sample) = indices.split_at(rows);
        let pair = |(&prompt, &sample): (&u32, &u32)| (prompt as usize, sample as usize);
        let logits = f32s(logits);
        if let Some(at) = logits.iter().position(|logit| !logit.is_finite()) {
            let (row, token) = (at / self.info.vocab, at % self.info.vocab);
            let why = format!(
                "says the logit of token {token} in row {row} is {}, expected a finite number",
                logits[at]
            );
            return Err(Fault::lie(why));
        }
        Ok(Some(Rows { texts: prompt.iter().zip(sample).map(pair).collect(), logits }))
    }

    fn token_score(&self, index: usize, nats: f32, greedy: u8) -> Result<TokenScore, Fault> {
        let nats = likely("score", index, nats)?;
        let greedy = match greedy {
            0 => false,
            1 => true,
            other => {
                return Err(Fault::lie(format!(
                    "says `greedy` {index} is {other}, expected 0 or 1"
                )));
            }
        };
        let even = (self.info.vocab as f32).ln();
        if greedy && nats > even + ROUNDING {
            let why = format!(
                "says token {index} is the likeliest at {nats} nats; that of a vocabulary of {} has \
                 at most {even}",
                self.info.vocab
            );
            return Err(Fault::lie(why));
        }
        Ok(TokenScore { nats, greedy })
    }

    fn count(&mut self, sequences: usize, tokens: usize) {
        self.computed.sequences += sequences as u64;
        self.computed.tokens += tokens as u64;
        self.computed.separate_tokens += tokens as u64;
    }

    /// A token that is too large is our mistake, and is named.
    fn check(&self, tokens: &[u32]) {
        let vocab = self.info.vocab;
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= vocab) {
            panic!("token {token} is not below the vocabulary of {vocab}");
        }
    }
}

/// A negative log-likelihood without what rounding made negative.
fn likely(what: &str, index: usize, nats: f32) -> Result<f32, Fault> {
    if (-ROUNDING..=MOST_NATS).contains(&nats) {
        return Ok(nats.max(0.0));
    }
    Err(Fault::lie(format!("says {what} {index} is {nats} nats, expected 0 to {MOST_NATS}")))
}

/// Texts being written: how many more tokens each may have.
struct Texts {
    /// By prompt and sample; none at its end.
    left: Vec<Vec<usize>>,
    /// Tokens of all of them.
    written: usize,
}

impl Texts {
    fn new(prompts: &[Prompt<'_>]) -> Self {
        Self { left: prompts.iter().map(|p| vec![p.most; p.samples]).collect(), written: 0 }
    }

    /// How many are not at their end.
    fn open(&self) -> u64 {
        self.left.iter().flatten().filter(|&&left| left > 0).count() as u64
    }

    /// Refuses a row of a text that is at its end or was never asked for.
    fn ask(&self, prompt: usize, sample: usize) -> Result<(), Fault> {
        match self.left.get(prompt).and_then(|samples| samples.get(sample)) {
            Some(1..) => Ok(()),
            Some(0) => Err(Fault::lie(format!(
                "sends logits of sample {sample} of prompt {prompt}, which is at its end"
            ))),
            None => Err(Fault::lie(format!(
                "sends logits of sample {sample} of prompt {prompt}, which was not asked for"
            ))),
        }
    }

    /// One token more, or the end.
    fn take(&mut self, prompt: usize, sample: usize, goes_on: bool) {
        let left = &mut self.left[prompt][sample];
        *left = if goes_on { *left - 1 } else { 0 };
        self.written += usize::from(goes_on);
    }

    fn all_ended(&self) -> Result<(), Fault> {
        match self.open() {
            0 => Ok(()),
            open => Err(Fault::lie(format!("says all texts are at their end, {open} are not"))),
        }
    }
}
