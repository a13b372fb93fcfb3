//! Opens and reads a shard, each block checked whenever it is read.
//!
//! Opening checks the length and the hash over header and checksums. So a truncated, foreign or
//! exchanged file is found before a token is read, and opening takes the same time for any size.
//! Tokens are read with the blocks they lie in, and each block is held against its checksum. So an
//! altered token is never returned, and a file that is cut off while it is in use is an error: as
//! memory it would end the program.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sparkjoy_base::{FileError, Fingerprint, Problem, thousands};
use xxhash_rust::xxh3::xxh3_64;

use super::{BLOCK_BYTES, FOOTER_BYTES, HEADER_BYTES, Header, shard_hash};
use crate::DataError;
use crate::error::{altered_hash, bad_shard};

/// One open shard.
///
/// The file is opened for each read: a source of terabytes has more shards than a process may have
/// files.
#[derive(Debug)]
pub(crate) struct Shard {
    path: PathBuf,
    header: Header,
    hash: Fingerprint,
    payload_bytes: usize,
    file_bytes: u64,
    /// The checksum of each block.
    checksums: Vec<u64>,
}

impl Shard {
    /// Opens a shard.
    ///
    /// # Errors
    ///
    /// A file of another length, format or version, or that is altered;
    /// [`sparkjoy_base::FileError`] if it cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let file = sparkjoy_base::open(path)?;
        let unread = |error| FileError::at("read", path)(error);
        let found = file.metadata().map_err(unread)?.len();
        let least = (HEADER_BYTES + FOOTER_BYTES) as u64;
        if found < least {
            return Err(wrong_length(path, found, least).into());
        }
        let mut head = [0; HEADER_BYTES];
        file.read_exact_at(&mut head, 0).map_err(unread)?;
        let header = Header::parse(&head, path)?;
        // Bounded by the length of the file before anything is made of it.
        let file_bytes = header.file_bytes().unwrap_or(u64::MAX);
        if found != file_bytes {
            return Err(wrong_length(path, found, file_bytes).into());
        }
        let payload_bytes = header.payload_bytes().expect("the file has more bytes") as usize;
        let mut table = vec![0; 8 * payload_bytes.div_ceil(BLOCK_BYTES)];
        file.read_exact_at(&mut table, (HEADER_BYTES + payload_bytes) as u64).map_err(unread)?;
        let mut footer = [0; FOOTER_BYTES];
        file.read_exact_at(&mut footer, file_bytes - FOOTER_BYTES as u64).map_err(unread)?;
        let hash = Fingerprint::from_hash(shard_hash(&head, &table));
        if hash.as_bytes() != &footer {
            let what = "the hash of its header and checksums";
            return Err(altered_hash(path, what, hash, Fingerprint::from_hash(footer)).into());
        }
        let (words, _) = table.as_chunks::<8>();
        let checksums = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let path = path.to_owned();
        Ok(Self { path, header, hash, payload_bytes, file_bytes, checksums })
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
        self.file_bytes
    }

    /// Reads the tokens from `first` on into `tokens`.
    ///
    /// # Errors
    ///
    /// A block that is not as written, a file that was cut off.
    ///
    /// # Panics
    ///
    /// If the shard ends before.
    pub(crate) fn read(&self, first: u64, tokens: &mut [u32]) -> Result<(), DataError> {
        let width = self.header.width();
        let start = first as usize * width;
        let end = start + tokens.len() * width;
        assert!(end <= self.payload_bytes, "{} tokens from {first} on", tokens.len());
        let file = sparkjoy_base::open(&self.path)?;
        let (mut rest, mut bytes) = (tokens, vec![0; BLOCK_BYTES]);
        for block in start / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES) {
            let begin = block * BLOCK_BYTES;
            let length = BLOCK_BYTES.min(self.payload_bytes - begin);
            let bytes = &mut bytes[..length];
            file.read_exact_at(bytes, (HEADER_BYTES + begin) as u64)
                .map_err(|error| self.unread(&file, error))?;
            self.check(block, bytes)?;
            let wanted = &bytes[start.saturating_sub(begin)..length.min(end - begin)];
            let (here, later) = rest.split_at_mut(wanted.len() / width);
            decode(wanted, width, here);
            rest = later;
        }
        Ok(())
    }

    /// Why a block could not be read.
    fn unread(&self, file: &File, error: io::Error) -> DataError {
        match file.metadata() {
            Ok(found) if found.len() < self.file_bytes => {
                wrong_length(&self.path, found.len(), self.file_bytes).into()
            }
            _ => FileError::at("read", &self.path)(error).into(),
        }
    }

    /// Checks the bytes of a block.
    fn check(&self, block: usize, bytes: &[u8]) -> Result<(), Problem> {
        let (found, expected) = (xxh3_64(bytes), self.checksums[block]);
        let from = (HEADER_BYTES + block * BLOCK_BYTES) as u64;
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
        let (found, vocab) = (self.largest(bytes), self.header.vocab);
        if found >= vocab {
            let what = format!("holds token {found} at {}, expected ids below {vocab}", place());
            return Err(bad_shard(&self.path, what));
        }
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

fn wrong_length(path: &Path, found: u64, expected: u64) -> Problem {
    let (found, expected) = (thousands(found), thousands(expected));
    bad_shard(path, format!("has {found} bytes, expected {expected}"))
}

/// Ids of `width` bytes as tokens, as many as there is space for.
fn decode(bytes: &[u8], width: usize, tokens: &mut [u32]) {
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
}
