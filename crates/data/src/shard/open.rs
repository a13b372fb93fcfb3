//! Opens and reads a shard: memory-mapped, with checks on first use.
//!
//! Opening checks the length and the hash over header and checksums. So a truncated, foreign or
//! exchanged file is found before a token is read. The tokens are checked block by block when they
//! are first read. So opening takes the same time for any size, and an altered token is never
//! returned.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::Mmap;
use sparkjoy_base::{Fingerprint, Problem, thousands};
use xxhash_rust::xxh3::xxh3_64;

use super::map::map;
use super::{BLOCK_BYTES, FOOTER_BYTES, HEADER_BYTES, Header, shard_hash};
use crate::DataError;
use crate::error::{altered_hash, bad_shard};

/// One open shard.
#[derive(Debug)]
pub(crate) struct Shard {
    path: PathBuf,
    map: Mmap,
    header: Header,
    hash: Fingerprint,
    payload_bytes: usize,
    /// One bit per block: set after its checksum and its ids were found correct.
    checked: Vec<AtomicU64>,
}

impl Shard {
    /// Opens a shard.
    ///
    /// # Errors
    ///
    /// A file of another length, format or version, or that is altered;
    /// [`sparkjoy_base::FileError`] if it cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let map = map(path)?;
        let length = |expected: u64| {
            let (found, expected) = (thousands(map.len() as u64), thousands(expected));
            bad_shard(path, format!("has {found} bytes, expected {expected}"))
        };
        let head: &[u8; HEADER_BYTES] =
            map.first_chunk().ok_or_else(|| length((HEADER_BYTES + FOOTER_BYTES) as u64))?;
        let header = Header::parse(head, path)?;
        // Bounded by the length of the file before anything is made of it.
        let expected = header.file_bytes().unwrap_or(u64::MAX);
        if map.len() as u64 != expected {
            return Err(length(expected).into());
        }
        let payload_bytes = header.payload_bytes().expect("the file has more bytes") as usize;
        let table = &map[HEADER_BYTES + payload_bytes..map.len() - FOOTER_BYTES];
        let hash = Fingerprint::from_hash(shard_hash(head, table));
        let footer: [u8; FOOTER_BYTES] = *map.last_chunk().expect("the length was checked");
        if hash.as_bytes() != &footer {
            let what = "the hash of its header and checksums";
            return Err(altered_hash(path, what, hash, Fingerprint::from_hash(footer)).into());
        }
        let words = payload_bytes.div_ceil(BLOCK_BYTES).div_ceil(64);
        let checked = std::iter::repeat_with(AtomicU64::default).take(words).collect();
        Ok(Self { path: path.to_owned(), map, header, hash, payload_bytes, checked })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The hash over header and checksums, which names the shard.
    pub(crate) fn hash(&self) -> Fingerprint {
        self.hash
    }

    /// Bytes of the file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// Reads the tokens from `first` on into `tokens`.
    ///
    /// # Errors
    ///
    /// A block that is not as written.
    ///
    /// # Panics
    ///
    /// If the shard ends before.
    pub(crate) fn read(&self, first: u64, tokens: &mut [u32]) -> Result<(), Problem> {
        let width = self.header.width();
        let start = first as usize * width;
        let end = start + tokens.len() * width;
        assert!(end <= self.payload_bytes, "{} tokens from {first} on", tokens.len());
        for block in start / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES) {
            self.check(block)?;
        }
        let bytes = &self.payload()[start..end];
        if width == 2 {
            let (ids, _) = bytes.as_chunks::<2>();
            for (token, id) in tokens.iter_mut().zip(ids) {
                *token = u16::from_le_bytes(*id).into();
            }
        } else {
            let (ids, _) = bytes.as_chunks::<4>();
            for (token, id) in tokens.iter_mut().zip(ids) {
                *token = u32::from_le_bytes(*id);
            }
        }
        Ok(())
    }

    fn payload(&self) -> &[u8] {
        &self.map[HEADER_BYTES..HEADER_BYTES + self.payload_bytes]
    }

    /// Checks a block unless it was checked before. Two threads may both check it, which is
    /// harmless.
    fn check(&self, block: usize) -> Result<(), Problem> {
        let (word, bit) = (&self.checked[block / 64], 1 << (block % 64));
        // Relaxed: the bit guards no memory, the mapped bytes never change.
        if word.load(Ordering::Relaxed) & bit != 0 {
            return Ok(());
        }
        let start = block * BLOCK_BYTES;
        let bytes = &self.payload()[start..self.payload_bytes.min(start + BLOCK_BYTES)];
        let at = HEADER_BYTES + self.payload_bytes + 8 * block;
        let expected = u64::from_le_bytes(self.map[at..at + 8].try_into().expect("8 bytes"));
        let found = xxh3_64(bytes);
        let from = (HEADER_BYTES + start) as u64;
        let to = from + bytes.len() as u64;
        let place = || format!("bytes {} to {}", thousands(from), thousands(to));
        if found != expected {
            return Err(bad_shard(
                &self.path,
                format!(
                    "is altered: {} have checksum {found:016x}, expected {expected:016x}",
                    place()
                ),
            ));
        }
        let found = self.largest(bytes);
        let vocab = self.header.vocab;
        if found >= vocab {
            let what = format!("holds token {found} at {}, expected ids below {vocab}", place());
            return Err(bad_shard(&self.path, what));
        }
        word.fetch_or(bit, Ordering::Relaxed);
        Ok(())
    }

    /// The largest id among the tokens in `bytes`.
    fn largest(&self, bytes: &[u8]) -> u32 {
        if self.header.width() == 2 {
            let (ids, _) = bytes.as_chunks::<2>();
            ids.iter().map(|id| u16::from_le_bytes(*id)).max().unwrap_or(0).into()
        } else {
            let (ids, _) = bytes.as_chunks::<4>();
            ids.iter().map(|id| u32::from_le_bytes(*id)).max().unwrap_or(0)
        }
    }
}
