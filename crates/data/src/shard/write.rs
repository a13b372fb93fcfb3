//! Collects the tokens of a shard and puts it in its place.

use std::path::Path;

use sparkjoy_base::{AtomicFile, Fingerprint};
use xxhash_rust::xxh3::xxh3_64;

use super::{BLOCK_BYTES, Header, shard_hash};
use crate::DataError;

/// The tokens of a shard to be.
#[derive(Debug, Default)]
pub(crate) struct ShardBuffer {
    payload: Vec<u8>,
    pub(crate) tokens: u64,
    pub(crate) documents: u64,
    pub(crate) text_bytes: u64,
}

impl ShardBuffer {
    /// Adds one document: its tokens, end-of-text included, `width` bytes each.
    pub(crate) fn push(&mut self, tokens: &[u32], text_bytes: u64, width: usize) {
        if width == 2 {
            self.payload.extend(tokens.iter().flat_map(|&t| (t as u16).to_le_bytes()));
        } else {
            self.payload.extend(tokens.iter().flat_map(|&t| t.to_le_bytes()));
        }
        self.tokens += tokens.len() as u64;
        self.documents += 1;
        self.text_bytes += text_bytes;
    }

    /// Bytes of the tokens so far.
    pub(crate) fn bytes(&self) -> usize {
        self.payload.len()
    }

    /// Writes the shard to `path` and forgets its tokens. Returns its hash and its bytes.
    ///
    /// # Errors
    ///
    /// [`sparkjoy_base::FileError`]; nothing is then at `path`.
    pub(crate) fn commit(
        &mut self,
        path: &Path,
        header: &Header,
    ) -> Result<(Fingerprint, u64), DataError> {
        let head = header.to_bytes();
        let table: Vec<u8> =
            self.payload.chunks(BLOCK_BYTES).flat_map(|b| xxh3_64(b).to_le_bytes()).collect();
        let hash = shard_hash(&head, &table);
        let mut file = AtomicFile::create(path)?;
        for bytes in [&head[..], &self.payload, &table, &hash] {
            file.put(bytes)?;
        }
        file.commit()?;
        self.payload.clear();
        (self.tokens, self.documents, self.text_bytes) = (0, 0, 0);
        let file_bytes = header.file_bytes().expect("what is in memory has a length");
        Ok((Fingerprint::from_hash(hash), file_bytes))
    }
}
