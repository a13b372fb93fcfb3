//! Files of results, each with the key of what determines it.
//!
//! A file is used only if the key in it is the key that was asked for: that a job once ended is no
//! evidence. It is written whole or not at all.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sparkjoy_base::{Problem, read_if_there, write_atomic};

use crate::error::JobError;
use crate::problem::{damaged, flawed};

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
/// A file that cannot be read back; [`Keyed::foreign`].
pub(crate) fn find<T: Keyed>(folder: &Path, asked: &T::Key) -> Result<Option<T>, JobError> {
    let path = folder.join(T::file_name(asked));
    let Some(found) = read_json::<T>(&path)? else { return Ok(None) };
    if let Some(flaw) = found.flaw() {
        return Err(flawed(&path, &flaw).into());
    }
    if found.key() == asked {
        return Ok(Some(found));
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
    Ok(write_atomic(&path, &value.json())?)
}

/// Reads a file whose name alone says what determines it; `None` if there is none.
///
/// # Errors
///
/// A file that cannot be read back.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, JobError> {
    let Some(bytes) = read_if_there(path)? else { return Ok(None) };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(why) => Err(damaged(path, &why).into()),
    }
}

/// Writes a file where [`read_json`] finds it.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), JobError> {
    Ok(write_atomic(path, &json(value))?)
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
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
        let error = |text: &str| {
            write_atomic(&path, text.as_bytes()).unwrap();
            find::<Named>(folder, &1).unwrap_err().to_string()
        };
        let other_key = error(r#"{"of":2,"value":7}"#);
        assert_eq!(other_key, foreign_results(&path).to_string());
        let torn = error(r#"{"of":1,"va"#);
        assert!(torn.starts_with(&format!("`{}` is damaged: ", path.display())), "{torn}");
    }
}
