//! A hash inside a JSON file over the content of the file: its seal.
//!
//! `{"a":1,"seal":"<64 hex digits>"}` and a line feed. The seal is the last field: the BLAKE3 hash
//! of all bytes before it. So a file is written in one step, and a byte that differs is noticed
//! before a number of the file is believed.

use std::path::Path;

use crate::{Fingerprint, Problem};

const KEY: &[u8] = b",\"seal\":\"";
const END: &[u8] = b"\"}\n";
/// Hex digits of a hash.
const DIGITS: usize = 64;

/// The JSON of an object with its seal.
///
/// - `within`: what it is a part of, which its seal holds for too; nothing for a whole file.
///
/// # Panics
///
/// If it is not the JSON of an object with a field.
pub fn sealed(json: &[u8], within: &[u8]) -> Vec<u8> {
    let body = json.trim_ascii_end().strip_suffix(b"}").expect("the JSON of an object");
    let body = body.trim_ascii_end();
    [body, KEY, hash(body, within).hex().as_bytes(), END].concat()
}

/// The JSON in a file that may have a seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Without the seal.
    pub json: Vec<u8>,
    /// Whether it had one: a file of an earlier version has none.
    pub has_seal: bool,
}

impl Opened {
    /// The JSON, if it had a seal.
    ///
    /// - `path`: the file.
    ///
    /// # Errors
    ///
    /// What to do about a file that has none.
    pub fn sealed_json(self, path: &Path) -> Result<Vec<u8>, Problem> {
        if self.has_seal { Ok(self.json) } else { Err(no_seal(path)) }
    }
}

/// Takes the seal off a file.
///
/// - `within`: as it was given to [`sealed`].
///
/// # Errors
///
/// A seal that is not that of the content. Its hint is the caller's.
pub fn open_seal(path: &Path, bytes: &[u8], within: &[u8]) -> Result<Opened, Problem> {
    let Some((body, seal)) = split(bytes) else {
        if bytes.windows(KEY.len()).any(|window| window == KEY) {
            let text = format!("`{}` was altered: its seal does not end it", path.display());
            return Err(Problem::new(text));
        }
        return Ok(Opened { json: bytes.to_vec(), has_seal: false });
    };
    let found = hash(body, within).hex();
    if found.as_bytes() == seal {
        return Ok(Opened { json: [body, b"}"].concat(), has_seal: true });
    }
    let seal = String::from_utf8_lossy(seal);
    let path = path.display();
    Err(Problem::new(format!("`{path}` was altered: found content {found}, its seal is {seal}")))
}

/// A file without a seal.
pub fn no_seal(path: &Path) -> Problem {
    Problem::new(format!(
        "`{}` has no seal, the hash over its content: an earlier version wrote it",
        path.display()
    ))
    .with_hint("type `sparkjoy seal STUDY` once: it checks such files against each other")
}

/// What comes before a seal, and the seal.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_suffix(END)?;
    let (rest, seal) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    Some((rest.strip_suffix(KEY)?, seal))
}

fn hash(body: &[u8], within: &[u8]) -> Fingerprint {
    let mut hasher = blake3::Hasher::new();
    // The length, so that nothing can move between the two.
    if !within.is_empty() {
        hasher.update(&(within.len() as u64).to_le_bytes()).update(within);
    }
    Fingerprint::from_hash(*hasher.update(body).finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(bytes: &[u8], within: &[u8]) -> Result<Opened, Problem> {
        open_seal(Path::new("scores.json"), bytes, within)
    }

    #[test]
    fn a_sealed_file_is_json_and_comes_back() {
        for json in [&b"{\"a\":1}"[..], b"{\n  \"a\": {}\n}\n"] {
            let file = sealed(json, b"");
            let value: serde_json::Value = serde_json::from_slice(&file).unwrap();
            assert_eq!(value["seal"].as_str().unwrap().len(), DIGITS);
            let opened = open(&file, b"").unwrap();
            assert!(opened.has_seal);
            let [found, expected]: [serde_json::Value; 2] =
                [&opened.json[..], json].map(|json| serde_json::from_slice(json).unwrap());
            assert_eq!(found, expected);
            // A part of something else is not this part.
            assert!(open(&file, b"header").is_err());
            assert!(open(&sealed(json, b"header"), b"header").unwrap().has_seal);
        }
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_noticed() {
        let file = sealed(b"{\"nats\":[0.5,1.25]}", b"");
        for at in 0..8 * file.len() {
            let mut bytes = file.clone();
            bytes[at / 8] ^= 1 << (at % 8);
            let is_believed = open(&bytes, b"").is_ok_and(|opened| opened.has_seal);
            assert!(!is_believed, "bit {at}");
        }
        for length in 0..file.len() {
            let is_believed = open(&file[..length], b"").is_ok_and(|opened| opened.has_seal);
            assert!(!is_believed, "cut at {length}");
        }
        let longer = [&file[..], b"\n"].concat();
        assert!(open(&longer, b"").unwrap_err().to_string().contains("does not end it"));
    }

    #[test]
    fn a_file_without_a_seal_says_what_to_type() {
        let opened = open(b"{\"a\":1}", b"").unwrap();
        assert_eq!(opened, Opened { json: b"{\"a\":1}".to_vec(), has_seal: false });
        let problem = opened.sealed_json(Path::new("scores.json")).unwrap_err();
        assert!(problem.hint.unwrap().contains("sparkjoy seal STUDY"));
    }
}
