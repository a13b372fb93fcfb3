//! The identity of content: a hash of the bytes, never of a path or a name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Digits that are shown.
const SHOWN: usize = 8;

/// A BLAKE3 hash of content, shown as its first 8 hex digits.
///
/// Two things have the same fingerprint exactly when the bytes that determine them are the same. A
/// renamed file keeps its fingerprint; an altered file of the same name and size does not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of some bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The fingerprint of the JSON form of a value.
    ///
    /// The order of the fields counts, and maps must be sorted (`BTreeMap`), so that the same value
    /// always has the same bytes.
    pub fn of_value<T: Serialize>(value: &T) -> Self {
        let json = serde_json::to_vec(value).expect("plain data has a JSON form");
        Self::of_bytes(&json)
    }

    /// A fingerprint from the 32 bytes of a BLAKE3 hash computed elsewhere, for example of a
    /// stream.
    pub fn from_hash(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// All 64 hex digits, as stored in files.
    pub fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Two fingerprints that differ, with as many digits as show it: 8 or more.
pub fn apart(found: Fingerprint, expected: Fingerprint) -> [String; 2] {
    let both = [found.hex(), expected.hex()];
    let same = both[0].bytes().zip(both[1].bytes()).take_while(|(a, b)| a == b).count();
    both.map(|hex| hex[..SHOWN.max(same + 1).min(hex.len())].to_owned())
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.hex()[..SHOWN])
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex()[..SHOWN])
    }
}

/// Text that is not 64 hex digits.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a fingerprint, expected 64 hex digits")]
pub struct NotAFingerprint {
    text: String,
}

impl TryFrom<String> for Fingerprint {
    type Error = NotAFingerprint;

    fn try_from(text: String) -> Result<Self, NotAFingerprint> {
        match blake3::Hash::from_hex(&text) {
            Ok(hash) => Ok(Self(*hash.as_bytes())),
            Err(_) => Err(NotAFingerprint { text }),
        }
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.hex()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_all_digits_and_display_shows_eight() {
        let fingerprint = Fingerprint::of_bytes(b"sparkjoy");
        let json = serde_json::to_string(&fingerprint).unwrap();
        assert_eq!(json.len(), 66);
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), fingerprint);
        assert_eq!(fingerprint.to_string(), fingerprint.hex()[..8]);
    }

    #[test]
    fn what_differs_late_is_shown_as_far_as_it_differs() {
        let one = Fingerprint::of_bytes(b"one");
        let at = |byte: usize| {
            let mut hash = *one.as_bytes();
            hash[byte] ^= 1;
            apart(one, Fingerprint::from_hash(hash)).map(|text| text.len())
        };
        assert_eq!([at(0), at(3), at(9), at(31)], [[8, 8], [8, 8], [20, 20], [64, 64]]);
    }

    #[test]
    fn a_shortened_fingerprint_is_refused() {
        let error = serde_json::from_str::<Fingerprint>("\"3f9a12bc\"").unwrap_err();
        assert!(error.to_string().contains("expected 64 hex digits"), "{error}");
    }
}
