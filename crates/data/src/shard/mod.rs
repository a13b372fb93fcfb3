//! One immutable token file of one source. The format is `docs/formats.md`, section 1.

mod header;
mod open;
mod write;

pub(crate) use header::{HEADER_BYTES, Header};
pub(crate) use open::Shard;
pub(crate) use write::ShardBuffer;

/// Bytes that share a checksum.
pub(crate) const BLOCK_BYTES: usize = 1 << 16;

/// Bytes at the end: the hash of header and table.
pub(crate) const FOOTER_BYTES: usize = 32;

/// The hash that names a shard: of its header and its table of checksums.
pub(crate) fn shard_hash(header: &[u8], table: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(header);
    hasher.update(table);
    *hasher.finalize().as_bytes()
}
