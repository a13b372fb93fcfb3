//! A shard that is not as it was written.

use std::path::PathBuf;

use sparkjoy_base::{Fingerprint, Hint, thousands};

/// A shard that is not what its manifest says.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// Not there.
    #[error("shard `{}` is missing, expected {} bytes", path.display(), thousands(*expected))]
    Missing {
        /// The shard.
        path: PathBuf,
        /// Bytes it had.
        expected: u64,
    },
    /// Shorter or longer than its header says.
    #[error("shard `{}` has {} bytes, expected {}", path.display(), thousands(*found), thousands(*expected))]
    Length {
        /// The shard.
        path: PathBuf,
        /// Bytes it has.
        found: u64,
        /// Bytes it must have.
        expected: u64,
    },
    /// Not a shard.
    #[error("`{}` is not a shard: it starts with {found}, expected `{expected}`", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its first 8 bytes.
        found: String,
        /// The magic of a shard.
        expected: &'static str,
    },
    /// Written by a later version.
    #[error("shard `{}` has format version {found}, expected {expected}", path.display())]
    Version {
        /// The shard.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version this program reads.
        expected: u32,
    },
    /// A header or table that does not match its hash, or the manifest.
    #[error("shard `{}` is altered: {what} is {found}, expected {expected}", path.display())]
    Altered {
        /// The shard.
        path: PathBuf,
        /// Which number or hash.
        what: &'static str,
        /// As in the file.
        found: String,
        /// As it must be.
        expected: String,
    },
    /// Tokens that do not match their checksum.
    #[error(
        "shard `{}` is altered: bytes {} to {} have checksum {found:016x}, expected {expected:016x}",
        path.display(), thousands(*from), thousands(*to)
    )]
    Block {
        /// The shard.
        path: PathBuf,
        /// First byte of the block, from the start of the file.
        from: u64,
        /// One past its last byte.
        to: u64,
        /// Checksum of the bytes.
        found: u64,
        /// Checksum in the table.
        expected: u64,
    },
    /// A token the tokenizer does not have.
    #[error(
        "shard `{}` holds token {found} at bytes {} to {}, expected ids below {vocab}",
        path.display(), thousands(*from), thousands(*to)
    )]
    Vocabulary {
        /// The shard.
        path: PathBuf,
        /// The largest token of the block.
        found: u32,
        /// First byte of the block.
        from: u64,
        /// One past its last byte.
        to: u64,
        /// The vocabulary.
        vocab: u32,
    },
    /// Tokens of another tokenizer.
    #[error("shard `{}` holds tokens of tokenizer {found}, expected {expected}", path.display())]
    Tokenizer {
        /// The shard.
        path: PathBuf,
        /// As in the shard.
        found: Fingerprint,
        /// As asked for.
        expected: Fingerprint,
    },
}

impl ShardError {
    fn path(&self) -> &PathBuf {
        match self {
            Self::Missing { path, .. }
            | Self::Length { path, .. }
            | Self::Foreign { path, .. }
            | Self::Version { path, .. }
            | Self::Altered { path, .. }
            | Self::Block { path, .. }
            | Self::Vocabulary { path, .. }
            | Self::Tokenizer { path, .. } => path,
        }
    }
}

impl Hint for ShardError {
    fn hint(&self) -> Option<String> {
        let path = self.path();
        let folder = path.parent().unwrap_or(path).display();
        Some(match self {
            Self::Version { found, expected, .. } if found > expected => {
                format!(
                    "use a newer sparkjoy, or remove `{folder}` and run `sparkjoy prepare` again"
                )
            }
            _ => format!("remove its folder (`rm -r {folder}`) and run `sparkjoy prepare` again"),
        })
    }
}
