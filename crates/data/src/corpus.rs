//! A prepared source: the token stream of each part, read as sequences.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Problem, SourceName, apart, is_done, metadata, thousands};

use crate::DataError;
use crate::encode::ByPart;
use crate::error::{altered_hash, altered_shard, bad_shard, prepare_again};
use crate::manifest::{
    InputRecord, MANIFEST, Manifest, PartRecord, ShardRecord, load, load_any, save,
};
use crate::row_text::LeftOutRows;
use crate::shard::{Header, Shard};
use crate::source::{Input, SourceFiles, list};

/// Tokens read at a time when a whole shard is read.
const STRIDE: usize = 1 << 16;

/// A part (split) of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Text to train on.
    Train,
    /// Held-out text.
    Validation,
}

impl Part {
    pub(crate) const BOTH: [Self; 2] = [Self::Train, Self::Validation];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
        }
    }
}

/// One shard of a corpus, as `sparkjoy show` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShardInfo {
    /// The file.
    pub path: PathBuf,
    /// Tokens, end-of-text included.
    pub tokens: u64,
    /// Documents.
    pub documents: u64,
    /// Bytes of its UTF-8 text.
    pub text_bytes: u64,
    /// Bytes of the file.
    pub stored_bytes: u64,
    /// Hash over its header and checksums.
    pub hash: Fingerprint,
}

/// A prepared source.
///
/// # Guarantees
///
/// Reads only what was written: every block is checked against its checksum, and its ids against
/// the vocabulary, whenever it is read.
#[derive(Debug)]
pub struct Corpus {
    manifest: Manifest,
    parts: ByPart<OpenPart>,
}

/// The shards of one part.
#[derive(Debug, Default)]
struct OpenPart {
    shards: Vec<Shard>,
}

impl Corpus {
    /// Opens a prepared folder, and checks that it is complete.
    ///
    /// # Errors
    ///
    /// No `DONE`; a manifest that was altered, has no seal, or is of another version; a shard that
    /// is truncated, altered, not a shard, or not the one in the manifest; sums that are not those
    /// of the shards.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        check_done(folder)?;
        Self::of(folder, load(&folder.join(MANIFEST))?)
    }

    /// Seals the manifest of a folder that an earlier version made, once all shards were read and
    /// compared with it. Returns whether there was anything to seal.
    ///
    /// # Errors
    ///
    /// As [`Corpus::open`] and [`Corpus::verify`].
    pub fn seal(folder: &Path) -> Result<bool, DataError> {
        check_done(folder)?;
        let path = folder.join(MANIFEST);
        let (manifest, has_seal) = load_any::<Manifest>(&path)?;
        if !has_seal {
            Self::of(folder, manifest.clone())?.verify()?;
            save(&path, &manifest)?;
        }
        Ok(!has_seal)
    }

    /// What a manifest says is in its folder.
    fn of(folder: &Path, manifest: Manifest) -> Result<Self, DataError> {
        let mut parts = ByPart::<OpenPart>::default();
        for part in Part::BOTH {
            parts.of_mut(part).shards = open_part(folder, part, &manifest)?;
        }
        Ok(Self { manifest, parts })
    }

    /// The source's name.
    pub fn name(&self) -> &SourceName {
        &self.manifest.settings.source
    }

    /// Fingerprint of the tokens of a part. It depends on the tokenizer and on the text in order,
    /// not on file names or the size of shards.
    pub fn fingerprint(&self, part: Part) -> Fingerprint {
        self.record(part).fingerprint
    }

    /// The tokenizer's identity.
    pub fn tokenizer(&self) -> Fingerprint {
        self.manifest.settings.tokenizer
    }

    /// Tokens of a part, end-of-text included.
    pub fn tokens(&self, part: Part) -> u64 {
        self.record(part).tokens
    }

    /// Documents of a part.
    pub fn documents(&self, part: Part) -> u64 {
        self.record(part).documents
    }

    /// Bytes of UTF-8 text of a part.
    pub fn text_bytes(&self, part: Part) -> u64 {
        self.record(part).text_bytes
    }

    /// Documents skipped as broken.
    pub fn skipped(&self) -> u64 {
        self.manifest.skipped
    }

    /// Rows of which there is no document; none where only a field is named.
    pub fn left_out(&self) -> LeftOutRows {
        let mut all = LeftOutRows::default();
        self.manifest.inputs.iter().for_each(|input| all.add(input.left_out));
        all
    }

    /// The first skipped documents: file, line and reason of each.
    pub fn skipped_shown(&self) -> &[String] {
        &self.manifest.bad
    }

    /// The file that document `number` of a part stood in, from 1; `None` where the hash of each
    /// document decided and there was more than one file.
    pub(crate) fn file_of(&self, part: Part, number: u64) -> Option<&str> {
        let inputs = &self.manifest.inputs;
        if let [only] = &inputs[..] {
            return Some(&only.file);
        }
        let mut before = 0;
        let file = inputs.iter().filter(|input| input.part == Some(part)).find(|input| {
            before += input.documents;
            number <= before
        });
        file.map(|input| input.file.as_str())
    }

    /// The first file of `source` that is not as it was when it was prepared, by size and time;
    /// `None` if there is none, or the text is not there to look at.
    pub fn changed(&self, source: &SourceFiles) -> Option<String> {
        let inputs = list(source).ok()?;
        let records = &self.manifest.inputs;
        let seen = |record: &InputRecord| (record.stamp.size, record.stamp.modified_ns);
        let same = |(record, input): (&InputRecord, &Input)| {
            record.file == input.name && seen(record) == (input.stamp.size, input.stamp.modified_ns)
        };
        let differs = records.iter().zip(&inputs).position(|pair| !same(pair));
        let shorter = records.len().min(inputs.len());
        match differs.or((records.len() != inputs.len()).then_some(shorter)) {
            None => None,
            Some(at) => inputs
                .get(at)
                .map(|input| input.name.clone())
                .or_else(|| records.get(at).map(|record| record.file.clone())),
        }
    }

    /// The shards of a part in order.
    pub fn shards(&self, part: Part) -> Vec<ShardInfo> {
        let info = |shard: &Shard| {
            let header = shard.header();
            ShardInfo {
                path: shard.path().to_owned(),
                tokens: header.tokens,
                documents: header.documents,
                text_bytes: header.text_bytes,
                stored_bytes: shard.file_bytes(),
                hash: shard.hash(),
            }
        };
        self.parts.of(part).shards.iter().map(info).collect()
    }

    /// Number of whole sequences of `context` tokens in a part; the rest is not used.
    pub fn sequences(&self, part: Part, context: usize) -> u64 {
        self.tokens(part) / context as u64
    }

    /// Reads sequence `ordinal`: tokens `ordinal·context ..` of the part into `tokens`, whose
    /// length is the context. Verifies the checksum of every block it touches.
    ///
    /// # Errors
    ///
    /// Tokens that are not as written.
    ///
    /// # Panics
    ///
    /// If the part has no such sequence.
    pub fn read(&self, part: Part, ordinal: u64, tokens: &mut [u32]) -> Result<(), DataError> {
        let context = tokens.len();
        let sequences = self.sequences(part, context);
        assert!(ordinal < sequences, "sequence {ordinal} of {sequences} in {:?}", self.name());
        let shards = &self.parts.of(part).shards;
        let mut position = ordinal * context as u64;
        let mut rest = tokens;
        // The last shard that begins at or before the position; sequences may span several.
        let first = shards.partition_point(|s| s.header().first_token <= position) - 1;
        for shard in &shards[first..] {
            let header = shard.header();
            let inside = position - header.first_token;
            let n = (header.tokens - inside).min(rest.len() as u64);
            let (here, later) = rest.split_at_mut(n as usize);
            shard.read(inside, here)?;
            position += n;
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Reads all shards and compares them with all hashes.
    ///
    /// # Errors
    ///
    /// The first thing that differs.
    pub fn verify(&self) -> Result<(), DataError> {
        for part in Part::BOTH {
            let mut digest = PartDigest::new(self.tokenizer());
            for shard in &self.parts.of(part).shards {
                digest.read(shard)?;
            }
            let (found, expected) = (digest.finish(), self.fingerprint(part));
            if found != expected {
                // A part without text has no shard.
                let shard = self.parts.of(part).shards.first();
                let path = shard.map_or(Path::new(MANIFEST), Shard::path);
                let what = "the fingerprint of its part";
                return Err(altered_hash(path, what, found, expected).into());
            }
        }
        Ok(())
    }

    /// The shards of a part in order, opened.
    pub(crate) fn opened(&self, part: Part) -> &[Shard] {
        &self.parts.of(part).shards
    }

    fn record(&self, part: Part) -> &PartRecord {
        self.manifest.parts.of(part)
    }
}

/// The name of shard `number` of a part.
pub(crate) fn shard_name(part: Part, number: u64) -> String {
    format!("{}-{number:05}.shard", part.label())
}

fn open_part(folder: &Path, part: Part, manifest: &Manifest) -> Result<Vec<Shard>, DataError> {
    let record = manifest.parts.of(part);
    let mut shards = Vec::with_capacity(record.shards.len());
    let mut first_token = 0;
    for (number, listed) in (0..).zip(&record.shards) {
        let path = folder.join(shard_name(part, number));
        if metadata(&path)?.is_none() {
            let expected = thousands(listed.stored_bytes);
            return Err(bad_shard(&path, format!("is missing, expected {expected} bytes")).into());
        }
        let shard = Shard::open(&path)?;
        check_place(&shard, part, number, first_token, manifest.settings.tokenizer)?;
        check_listed(&shard, listed)?;
        first_token += shard.header().tokens;
        shards.push(shard);
    }
    check_sums(folder, part, manifest, &shards)?;
    Ok(shards)
}

/// Refuses a manifest whose sums are not those of its shards.
fn check_sums(
    folder: &Path,
    part: Part,
    manifest: &Manifest,
    shards: &[Shard],
) -> Result<(), Problem> {
    let record = manifest.parts.of(part);
    let sum = |of: fn(&Header) -> u64| -> u128 {
        shards.iter().map(|shard| u128::from(of(shard.header()))).sum()
    };
    let mut pairs = vec![
        ("tokens", record.tokens, sum(|header| header.tokens)),
        ("documents", record.documents, sum(|header| header.documents)),
        ("bytes of text", record.text_bytes, sum(|header| header.text_bytes)),
    ];
    for (shard, listed) in shards.iter().zip(&record.shards) {
        let header = shard.header();
        pairs.extend([
            ("ids", manifest.vocab.into(), header.vocab.into()),
            ("as end of text", manifest.end_of_text.into(), header.end_of_text.into()),
            ("tokens in a shard", listed.tokens, header.tokens.into()),
            ("documents in a shard", listed.documents, header.documents.into()),
            ("bytes of text in a shard", listed.text_bytes, header.text_bytes.into()),
            ("bytes in a shard", listed.stored_bytes, shard.file_bytes().into()),
        ]);
    }
    let Some((what, said, found)) = pairs.into_iter().find(|(_, a, b)| u128::from(*a) != *b) else {
        return Ok(());
    };
    let path = folder.join(MANIFEST);
    let (file, part) = (path.display(), part.label());
    let text = format!("`{file}` says {said} {what} ({part}), its shards say {found}");
    Err(Problem::new(text).with_hint(prepare_again(&path)))
}

fn check_done(folder: &Path) -> Result<(), DataError> {
    if is_done(folder)? {
        return Ok(());
    }
    let text = format!("`{}` is not a whole prepared source: no `DONE`", folder.display());
    let hint = "run `sparkjoy prepare` with the study: it continues";
    Err(Problem::new(text).with_hint(hint).into())
}

/// Refuses a shard of another tokenizer, part or place.
pub(crate) fn check_place(
    shard: &Shard,
    part: Part,
    number: u64,
    first_token: u64,
    tokenizer: Fingerprint,
) -> Result<(), Problem> {
    let header = shard.header();
    if header.tokenizer != tokenizer {
        let [found, tokenizer] = apart(header.tokenizer, tokenizer);
        let what = format!("holds tokens of tokenizer {found}, expected {tokenizer}");
        return Err(bad_shard(shard.path(), what));
    }
    let found = (header.part, header.number, header.first_token);
    let expected = (part, number, first_token);
    if found != expected {
        let shown = |(part, number, first): (Part, u64, u64)| {
            format!("{} shard {number} from token {first}", part.label())
        };
        return Err(altered_shard(shard.path(), "its place", shown(found), shown(expected)));
    }
    Ok(())
}

/// Refuses a shard that is valid but not the one in the manifest.
fn check_listed(shard: &Shard, listed: &ShardRecord) -> Result<(), Problem> {
    if shard.hash() == listed.hash {
        return Ok(());
    }
    Err(altered_hash(shard.path(), "its hash", shard.hash(), listed.hash))
}

/// The running fingerprint of a part.
#[derive(Clone, Debug)]
pub(crate) struct PartDigest {
    hasher: blake3::Hasher,
    bytes: Vec<u8>,
}

impl PartDigest {
    pub(crate) fn new(tokenizer: Fingerprint) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("sparkjoy 2026-11 tokens of a part v1");
        hasher.update(tokenizer.as_bytes());
        Self { hasher, bytes: Vec::new() }
    }

    /// Adds tokens, as 32-bit words whatever their width on disk.
    pub(crate) fn update(&mut self, tokens: &[u32]) {
        self.bytes.clear();
        self.bytes.extend(tokens.iter().flat_map(|t| t.to_le_bytes()));
        self.hasher.update(&self.bytes);
    }

    /// Adds all tokens of a shard, checking each block and that it holds as many end-of-text tokens
    /// as documents.
    pub(crate) fn read(&mut self, shard: &Shard) -> Result<(), DataError> {
        let header = shard.header();
        let mut tokens = vec![0; STRIDE];
        let mut ends = 0;
        let mut last = header.end_of_text;
        for first in (0..header.tokens).step_by(STRIDE) {
            let n = (header.tokens - first).min(STRIDE as u64) as usize;
            shard.read(first, &mut tokens[..n])?;
            self.update(&tokens[..n]);
            ends += tokens[..n].iter().filter(|&&t| t == header.end_of_text).count() as u64;
            last = tokens[n - 1];
        }
        if ends != header.documents || last != header.end_of_text {
            let what = "its count of end-of-text tokens";
            let expected = format!("{}, one after each document", header.documents);
            return Err(altered_shard(shard.path(), what, ends, expected).into());
        }
        Ok(())
    }

    pub(crate) fn finish(&self) -> Fingerprint {
        Fingerprint::from_hash(*self.hasher.finalize().as_bytes())
    }
}
