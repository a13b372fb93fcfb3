//! Files of results, each with the key of what determines it.
//!
//! A file is used only if the key in it is the key that was asked for: that a job once ended is no
//! evidence. It is written whole or not at all, and with a seal (`sparkjoy_base::sealed`), which is
//! looked at before anything in it is believed.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sparkjoy_base::{Opened, Problem, no_seal, open_seal, read_if_there, sealed, write_atomic};

use crate::error::JobError;
use crate::problem::{damaged, flawed, move_away};

/// What lies in a file with its key.
pub(crate) trait Keyed: Serialize + DeserializeOwned {
    /// Everything that determines it.
    type Key: PartialEq;

    fn key(&self) -> &Self::Key;

    /// The name of the file of a key.
    fn file_name(key: &Self::Key) -> String;

    /// What is wrong with a file that has another key than was asked for. None where the name of
    /// the file does not hold the key: then what was found is outdated, and is replaced.
    fn foreign(path: &Path, found: &Self::Key, asked: &Self::Key) -> Option<Problem>;

    /// What no program of ours would have written, if there is anything. Bytes that can be read
    /// back need not make sense, and every number of a report comes from them.
    fn flaw(&self) -> Option<String> {
        None
    }

    /// The file's content.
    fn json(&self) -> Vec<u8> {
        json(self)
    }
}

/// What a folder holds for a key, if there is any.
///
/// # Errors
///
/// A file that was altered, has no seal, or cannot be read back; [`Keyed::foreign`].
pub(crate) fn find<T: Keyed>(folder: &Path, asked: &T::Key) -> Result<Option<T>, JobError> {
    let path = folder.join(T::file_name(asked));
    let Some((found, has_seal)) = read_sealed::<T>(&path)? else { return Ok(None) };
    if let Some(flaw) = found.flaw() {
        return Err(flawed(&path, &flaw).into());
    }
    if found.key() == asked {
        return if has_seal { Ok(Some(found)) } else { Err(no_seal(&path).into()) };
    }
    T::foreign(&path, found.key(), asked).map_or(Ok(None), |problem| Err(problem.into()))
}

/// Writes a value where [`find`] finds it.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn keep<T: Keyed>(folder: &Path, value: &T) -> Result<(), JobError> {
    let path = folder.join(T::file_name(value.key()));
    Ok(write_atomic(&path, &sealed(&value.json(), b""))?)
}

/// Reads a file and whether it has a seal; `None` if there is none.
///
/// # Errors
///
/// A file that was altered or cannot be read back.
pub(crate) fn read_sealed<T: DeserializeOwned>(path: &Path) -> Result<Option<(T, bool)>, JobError> {
    let Some(bytes) = read_if_there(path)? else { return Ok(None) };
    let opened = open_seal(path, &bytes, b"");
    let Opened { json, has_seal } = opened.map_err(|it| it.with_hint(move_away(path)))?;
    match serde_json::from_slice(&json) {
        Ok(value) => Ok(Some((value, has_seal))),
        Err(why) => Err(damaged(path, &why).into()),
    }
}

/// A value as compact JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data has a JSON form")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::foreign_results;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Named {
        of: u32,
        value: u32,
    }

    impl Keyed for Named {
        type Key = u32;

        fn key(&self) -> &u32 {
            &self.of
        }

        fn file_name(key: &u32) -> String {
            format!("named-{key}.json")
        }

        fn foreign(path: &Path, _: &u32, _: &u32) -> Option<Problem> {
            Some(foreign_results(path))
        }
    }

    #[test]
    fn a_file_is_used_only_if_its_key_is_the_key_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(find::<Named>(folder, &1).unwrap(), None);
        keep(folder, &Named { of: 1, value: 7 }).unwrap();
        assert_eq!(find(folder, &1).unwrap(), Some(Named { of: 1, value: 7 }));

        let path = folder.join("named-1.json");
        let error = |bytes: &[u8]| {
            write_atomic(&path, bytes).unwrap();
            find::<Named>(folder, &1).unwrap_err().to_string()
        };
        let other_key = error(&sealed(br#"{"of":2,"value":7}"#, b""));
        assert_eq!(other_key, foreign_results(&path).to_string());
        let torn = error(br#"{"of":1,"va"#);
        assert!(torn.starts_with(&format!("`{}` is damaged: ", path.display())), "{torn}");
        let mut digit = sealed(br#"{"of":1,"value":7}"#, b"");
        digit[16] = b'8';
        assert!(error(&digit).contains("was altered"));

        // Without a seal nothing is believed.
        assert!(error(br#"{"of":1,"value":7}"#).contains("has no seal"));
    }
}
