//! The amount of text of a source: counted if it is small, else scaled from a sample.

use std::collections::BTreeSet;

use sparkjoy_base::Ppm;

use crate::blocks;
use crate::encode::{each_document, hash, millionth};
use crate::error::BadDocument;
use crate::prepare::Sizes;
use crate::row_text::Rows;
use crate::source::{Compression, Input, Kind};

/// The most text read of a source, in bytes: about a second if JSON must be parsed.
const READ: u64 = 8 << 20;
/// The most files read, spread evenly over all.
const FILES: usize = 256;
/// Sources with at most this many documents are read completely, because it must be known exactly
/// which documents are held out.
const FEW: usize = 24;
/// Enough held-out text, in bytes: what a study scores per source, at four bytes per token.
const HELD_OUT: u64 = 64_000;
/// Enough held-out documents: intervals about fewer are unsure.
const DOCUMENTS: u64 = 30;
/// The largest share that is held out for the number of documents, in percent: the rest is to
/// train on.
const MOST: u32 = 20;
/// Shares that are proposed to be held out, in percent.
const SHARES: [u32; 8] = [1, 2, 5, 10, 20, 30, 40, 50];

/// Text of some files.
#[derive(Debug, Default)]
pub(super) struct Amount {
    /// Bytes of text.
    pub(super) bytes: u64,
    /// Documents.
    pub(super) documents: u64,
    /// Whether all of it was read; else bytes and documents are scaled from what was.
    pub(super) whole: bool,
    pub(super) documents_read: Vec<DocumentRead>,
    /// Broken documents among those read, and the first of them.
    pub(super) broken: u64,
    pub(super) first_broken: Option<String>,
    /// Files that cannot be read, by index, and why.
    pub(super) unreadable: Vec<(usize, String)>,
}

/// A document that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DocumentRead {
    /// Of its text; it decides whether the document is held out.
    pub(super) hash: u64,
    /// Of its words, whatever stands between them.
    pub(super) words: u64,
    /// Its length.
    pub(super) bytes: u64,
}

impl DocumentRead {
    fn new(text: &str) -> Self {
        let mut words = String::with_capacity(text.len());
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            words.extend(word.chars().flat_map(char::to_lowercase));
            words.push(' ');
        }
        let hash_of_words = if words.is_empty() { hash(text) } else { hash(&words) };
        Self { hash: hash(text), words: hash_of_words, bytes: text.len() as u64 }
    }

    /// Whether a share of the documents that is held out holds it out.
    pub(super) fn is_held_out(&self, share: Ppm) -> bool {
        millionth(self.hash) < share.0
    }
}

/// Measures `inputs`, whose records hold their text as `rows` says.
pub(super) fn measure(inputs: &[&Input], rows: &Rows) -> Amount {
    let stored: u64 = inputs.iter().map(|input| input.stamp.size).sum();
    let picks =
        if inputs.len() <= FEW || stored <= READ { inputs.len() } else { inputs.len().min(FILES) };
    let mut amount = Amount { whole: picks == inputs.len(), ..Amount::default() };
    let mut stored_read = 0;
    for pick in 0..picks {
        let index = pick * inputs.len() / picks;
        let input = inputs[index];
        let budget = (READ / picks as u64).max(1 << 16);
        let before = amount.documents_read.len();
        match read(input, rows, budget, &mut amount) {
            Ok((stored, to_the_end)) => {
                stored_read += stored;
                amount.whole &= to_the_end;
            }
            Err(why) => {
                // What came before it broke is not used either.
                amount.documents_read.truncate(before);
                amount.unreadable.push((index, why));
            }
        }
    }
    amount.bytes = amount.documents_read.iter().map(|document| document.bytes).sum();
    amount.documents = amount.documents_read.len() as u64;
    if !amount.whole && stored_read > 0 {
        let scaled = |n: u64| (u128::from(n) * u128::from(stored) / u128::from(stored_read)) as u64;
        (amount.bytes, amount.documents) = (scaled(amount.bytes), scaled(amount.documents));
    }
    amount
}

/// Reads about `budget` bytes of text of one file: bytes read as stored, and whether that is all.
fn read(
    input: &Input,
    rows: &Rows,
    budget: u64,
    amount: &mut Amount,
) -> Result<(u64, bool), String> {
    let sizes = Sizes { block_bytes: budget.clamp(1 << 16, 1 << 20) as usize, ..Sizes::USUAL };
    let (mut bytes, mut stored) = (0, 0);
    let ended = blocks::read(0, input, rows, &sizes, |block| {
        stored = block.stored_bytes;
        let taken = each_document(&block, rows, |place, text| {
            match text {
                Ok(text) => {
                    bytes += text.len() as u64;
                    amount.documents_read.push(DocumentRead::new(&text));
                }
                Err(fault) => {
                    amount.broken += 1;
                    let bad = BadDocument { path: input.name.clone(), place, fault };
                    amount.first_broken.get_or_insert_with(|| bad.to_string());
                }
            }
            Ok(())
        });
        taken.expect("nothing is refused here");
        // A file of plain text is one document; its fingerprint costs little more.
        bytes < budget || matches!(input.kind, Kind::Text(Compression::Plain))
    });
    match ended.map_err(|error| error.to_string())? {
        Some(_) => Ok((input.stamp.size, true)),
        None => Ok((stored.min(input.stamp.size), false)),
    }
}

impl Amount {
    /// Whether at least half of the documents are broken.
    pub(super) fn mostly_broken(&self) -> bool {
        self.broken >= self.documents_read.len() as u64
    }

    /// The share of documents to hold out so that both sides have text; `None` where no share does
    /// that.
    pub(super) fn holdout(&self) -> Option<Ppm> {
        let parts = |percent: u32| Ppm(percent * 10_000);
        if !self.whole {
            let enough = |percent: &&u32| {
                let of = |n: u64| n * u64::from(**percent) / 100;
                of(self.documents) >= DOCUMENTS && of(self.bytes) >= HELD_OUT
            };
            // Twelve are expected: fewer than one in 100,000 such choices holds out none.
            let some = |percent: &&u32| self.documents * u64::from(**percent) / 100 >= 12;
            let below = SHARES.iter().filter(|percent| **percent <= MOST);
            let percent = below.clone().find(enough).or_else(|| below.clone().find(some));
            let percent = *percent.unwrap_or(&SHARES[SHARES.len() - 1]);
            return Some(parts(percent));
        }
        let documents = |percent: u32| {
            self.documents_read.iter().filter(move |it| it.is_held_out(parts(percent)))
        };
        let held = |percent: u32| documents(percent).map(|it| it.bytes).sum::<u64>();
        let enough = HELD_OUT.min(self.bytes / 20).max(1);
        let good = |percent: &u32| (enough..=self.bytes / 2).contains(&held(*percent));
        // Few documents, or one that is most of the text: the share is whatever holds out most of
        // the rest, but for that whatever holds out one.
        let below_half = |percent: &u32| (1..=self.bytes / 2).contains(&held(*percent));
        let some = |percent: &u32| (1..=self.bytes * 3 / 4).contains(&held(*percent));
        let most = |&percent: &u32| (held(percent), 100 - percent);
        let up_to_most = SHARES.into_iter().filter(|percent| *percent <= MOST && good(percent));
        let counted = up_to_most.map(|percent| (documents(percent).count() as u64, percent));
        let most_documents = |&(count, percent): &(u64, u32)| (count.min(DOCUMENTS), 100 - percent);
        let percent = counted
            .max_by_key(most_documents)
            .map(|(_, percent)| percent)
            .or_else(|| SHARES.into_iter().find(good))
            .or_else(|| (1..=50).filter(below_half).max_by_key(most))
            .or_else(|| (1..=90).find(some))?;
        Some(parts(percent))
    }

    /// Bytes and documents that a share of the documents holds out.
    pub(super) fn held_out(&self, share: Ppm) -> (u64, u64) {
        if !self.whole {
            let of = |n: u64| (u128::from(n) * u128::from(share.0) / 1_000_000) as u64;
            return (of(self.bytes), of(self.documents));
        }
        let held_out = || self.documents_read.iter().filter(|it| it.is_held_out(share));
        (held_out().map(|it| it.bytes).sum(), held_out().count() as u64)
    }

    /// Whether its documents stand in `train` too, as far as both were read: a thousandth of their
    /// text, from which on a study is refused.
    pub(super) fn stands_in(&self, train: &Self) -> bool {
        let trained: BTreeSet<_> = train.documents_read.iter().collect();
        let both = self.documents_read.iter().filter(|document| trained.contains(document));
        let both: u64 = both.map(|document| document.bytes).sum();
        let all: u64 = self.documents_read.iter().map(|document| document.bytes).sum();
        both > 0 && 1000 * both >= all
    }

    /// Documents read that can be used.
    pub(super) fn read(&self) -> u64 {
        self.documents_read.len() as u64
    }

    /// Why no share holds out some text and leaves some to train on.
    pub(super) fn why_none_held_out(&self) -> String {
        let first = self.documents_read.first();
        let same = self.documents_read.iter().all(|document| Some(document) == first);
        match self.documents_read.len() {
            1 => "one document alone, and some text must be held out: split it into files of some \
                  pages, or make it JSON Lines"
                .to_owned(),
            all if same => format!(
                "its {all} documents are all the same text, so that none can be held out and \
                 another trained on"
            ),
            _ => "its documents are so few and unequal that no share of them holds out some text \
                  and leaves enough to train on: split the longest"
                .to_owned(),
        }
    }
}
