//! The messages between us and a worker, byte by byte: `docs/engines.md`.

use serde::{Deserialize, Serialize};
use sparkjoy_spec::Promise;

use super::Fault;

pub(super) const VERSION: u32 = 1;
/// What every message begins with.
pub(super) const MAGIC: &[u8; 4] = b"sjw1";
/// Bytes before the header: magic, length of the header, length of the arrays.
pub(super) const PREFIX: usize = 16;
/// Bytes of a header at most.
pub(super) const LARGEST_HEADER: u32 = 1 << 16;
/// The largest vocabulary and context that are believed.
pub(super) const LARGEST_SIZE: u64 = 1 << 24;
/// Bytes of the arrays of one message of logits at most, but for one row.
pub(super) const LARGEST_LOGITS: u64 = 1 << 28;
/// The token that ends a text.
pub(super) const END: u32 = u32::MAX;

/// What we ask. Numbers say how long the arrays are that follow.
#[derive(Debug, Serialize)]
#[serde(tag = "call", rename_all = "lowercase")]
pub(super) enum Call {
    /// `tokens: u32[sequences × context]`.
    Losses { sequences: usize, context: usize },
    /// `tokens: u32[tokens]`.
    Remember { tokens: usize },
    /// `sizes: u32[groups]`, `lengths: u32[sequences]`, `scored: u32[sequences]`,
    /// `tokens: u32[tokens]`.
    Score { groups: usize, sequences: usize, tokens: usize },
    /// `lengths: u32[prompts]`, `most: u32[prompts]`, `samples: u32[prompts]`,
    /// `tokens: u32[tokens]`.
    Generate { prompts: usize, tokens: usize },
    /// `tokens: u32[rows]`, the answer to logits.
    Tokens { rows: usize },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "reply", rename_all = "lowercase")]
pub(super) enum Reply {
    /// The first message; no arrays.
    Hello { version: u32, vocab: u64, context: u64, kernel: String, promise: Promise },
    /// `nats: f32[sequences × (context − 1)]`.
    Losses {},
    /// No arrays.
    Remember {},
    /// `nats: f32[scored]`, `greedy: u8[scored]`.
    Score {},
    /// `prompt: u32[rows]`, `sample: u32[rows]`, `logits: f32[rows × vocab]`.
    Logits { rows: u64 },
    /// No arrays: every text is at its end.
    Generate {},
    /// No arrays: why it cannot answer.
    Error { error: String },
}

impl Reply {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Losses {} => "losses",
            Self::Remember {} => "remember",
            Self::Score {} => "score",
            Self::Logits { .. } => "logits",
            Self::Generate {} => "generate",
            Self::Error { .. } => "error",
        }
    }
}

pub(super) fn encode(call: &Call, arrays: &[&[u32]]) -> Vec<u8> {
    let header = serde_json::to_vec(call).expect("plain data has a JSON form");
    let count: usize = arrays.iter().map(|array| array.len()).sum();
    let mut message = Vec::with_capacity(PREFIX + header.len() + 4 * count);
    message.extend(MAGIC);
    message.extend((header.len() as u32).to_le_bytes());
    message.extend((4 * count as u64).to_le_bytes());
    message.extend(header);
    message.extend(arrays.iter().copied().flatten().flat_map(|value| value.to_le_bytes()));
    message
}

/// The lengths of header and arrays; nothing if this is not the beginning of a message.
pub(super) fn lengths(prefix: &[u8]) -> Option<(u32, u64)> {
    let rest = prefix.strip_prefix(MAGIC)?;
    let (header, arrays) = rest.split_at_checked(4)?;
    Some((u32::from_le_bytes(header.try_into().ok()?), u64::from_le_bytes(arrays.try_into().ok()?)))
}

pub(super) fn u32s(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|&value| u32::from_le_bytes(value)).collect()
}

pub(super) fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect()
}

/// Holds the announced length of arrays against the one that answers the call.
pub(super) fn expect_bytes(found: u64, expected: u64) -> Result<(), Fault> {
    if found == expected {
        return Ok(());
    }
    Err(Fault::lie(format!("announces arrays of {found} bytes, expected {expected}")))
}
