//! The first 128 bytes of a shard.

use std::path::Path;

use sparkjoy_base::{Fingerprint, Problem};

use super::{BLOCK_BYTES, FOOTER_BYTES};
use crate::Part;
use crate::error::{altered_shard, bad_shard, prepare_again};

/// Length of the header.
pub(crate) const HEADER_BYTES: usize = 128;

const MAGIC: [u8; 8] = *b"SJSHARD\n";
const MAGIC_SHOWN: &str = "SJSHARD";
const VERSION: u32 = 1;

/// What a shard says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) part: Part,
    /// Place in the part, from 0.
    pub(crate) number: u64,
    /// Tokens of the part before this shard.
    pub(crate) first_token: u64,
    pub(crate) tokens: u64,
    pub(crate) documents: u64,
    pub(crate) text_bytes: u64,
    pub(crate) vocab: u32,
    pub(crate) end_of_text: u32,
    pub(crate) tokenizer: Fingerprint,
}

impl Header {
    /// Bytes of a token: 2 where every id fits, else 4.
    pub(crate) fn width(&self) -> usize {
        if self.vocab <= 1 << 16 { 2 } else { 4 }
    }

    /// Bytes of all tokens, `None` past what a file can have.
    pub(crate) fn payload_bytes(&self) -> Option<u64> {
        self.tokens.checked_mul(self.width() as u64)
    }

    /// Bytes of the whole file, `None` past what a file can have.
    pub(crate) fn file_bytes(&self) -> Option<u64> {
        let payload = self.payload_bytes()?;
        let table = payload.div_ceil(BLOCK_BYTES as u64) * 8;
        payload.checked_add(table)?.checked_add((HEADER_BYTES + FOOTER_BYTES) as u64)
    }

    pub(crate) fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(12, &[self.width() as u8, self.part as u8]);
        put(16, &self.number.to_le_bytes());
        put(24, &self.first_token.to_le_bytes());
        put(32, &self.tokens.to_le_bytes());
        put(40, &self.documents.to_le_bytes());
        put(48, &self.text_bytes.to_le_bytes());
        put(56, &self.vocab.to_le_bytes());
        put(60, &self.end_of_text.to_le_bytes());
        put(64, &(BLOCK_BYTES as u64).to_le_bytes());
        put(72, self.tokenizer.as_bytes());
        out
    }

    /// Reads a header; the hash over it is checked by the caller.
    ///
    /// # Errors
    ///
    /// Another format or version, or a field no version 1 shard can have.
    pub(crate) fn parse(bytes: &[u8; HEADER_BYTES], path: &Path) -> Result<Self, Problem> {
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        if bytes[..8] != MAGIC {
            let text = format!(
                "`{}` is not a shard: it starts with `{}`, expected `{MAGIC_SHOWN}`",
                path.display(),
                bytes[..8].escape_ascii()
            );
            return Err(Problem::new(text).with_hint(prepare_again(path)));
        }
        if u32_at(8) != VERSION {
            let found = u32_at(8);
            let problem =
                bad_shard(path, format!("has format version {found}, expected {VERSION}"));
            if found < VERSION {
                return Err(problem);
            }
            let folder = path.parent().unwrap_or(path).display();
            return Err(problem.with_hint(format!(
                "use a newer sparkjoy, or remove `{folder}` and run `sparkjoy prepare` again"
            )));
        }
        let header = Self {
            part: if bytes[13] == 0 { Part::Train } else { Part::Validation },
            number: u64_at(16),
            first_token: u64_at(24),
            tokens: u64_at(32),
            documents: u64_at(40),
            text_bytes: u64_at(48),
            vocab: u32_at(56),
            end_of_text: u32_at(60),
            tokenizer: Fingerprint::from_hash(bytes[72..104].try_into().expect("32 bytes")),
        };
        // Whatever is not said by the fields is fixed: width, part byte, block size and padding.
        if header.to_bytes() != *bytes {
            let expected = "one of format version 1";
            return Err(altered_shard(path, "its header", "inconsistent", expected));
        }
        Ok(header)
    }
}
