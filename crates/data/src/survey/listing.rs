//! Lists the files of a folder, and separates text from other files by names and sizes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sparkjoy_base::FileError;

use crate::DataError;
use crate::kinds::{self, kind_of};
use crate::source::{Input, Stamp};

/// The most file names shown per reason.
const SHOWN: usize = 3;

/// Files that belong to no source, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The reason, in words.
    pub why: String,
    /// Number of files.
    pub files: u64,
    /// The first few names.
    pub shown: Vec<String>,
}

/// Files that are left out, by reason.
#[derive(Debug, Default)]
pub(super) struct Aside(BTreeMap<String, (u64, Vec<String>)>);

impl Aside {
    pub(super) fn add(&mut self, why: impl Into<String>, name: &str) {
        self.many(why, 1, name);
    }

    /// Adds `files` files under one name.
    pub(super) fn many(&mut self, why: impl Into<String>, files: u64, name: &str) {
        let (count, shown) = self.0.entry(why.into()).or_default();
        *count += files;
        if shown.len() < SHOWN {
            shown.push(name.to_owned());
        }
    }

    pub(super) fn list(self) -> Vec<LeftOut> {
        let list = self.0.into_iter();
        list.map(|(why, (files, shown))| LeftOut { why, files, shown }).collect()
    }
}

/// The files of a folder.
pub(super) struct Listing {
    /// Text files, sorted by name; [`Input::part`] is not known yet.
    pub(super) inputs: Vec<Input>,
    /// Other files, which a path to the whole folder would include.
    pub(super) others: Vec<String>,
}

/// Lists `root` recursively. Hidden files are ignored, as in the folders of a study.
pub(super) fn list_folder(root: &Path, aside: &mut Aside) -> Result<Listing, DataError> {
    let mut listing = Listing { inputs: Vec::new(), others: Vec::new() };
    // The root itself must be a folder that can be read; what lies below may be anything.
    fs::read_dir(root).map_err(FileError::at("read", root))?;
    let mut found = Vec::new();
    descend(root, &mut BTreeSet::new(), aside, &mut found);
    // Of links to one file the first by name counts, as in a study.
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    let paths: Vec<&Path> = found.iter().map(|(path, _)| path.as_path()).collect();
    let mut real = BTreeSet::new();
    for ((path, stamp), why) in found.iter().zip(kinds::left_out(&paths)) {
        let relative = path.strip_prefix(root).unwrap_or(path);
        let Some(name) = relative.to_str().map(str::to_owned) else {
            aside.add("the name is not UTF-8", &relative.to_string_lossy());
            listing.others.push(relative.to_string_lossy().into_owned());
            continue;
        };
        let mut again = || path.canonicalize().is_ok_and(|path| !real.insert(path));
        let why = why.or_else(|| (stamp.size == 0).then(|| "empty".to_owned()));
        if let Some(why) = why {
            aside.add(why, &name);
            listing.others.push(name);
        } else if again() {
            // As a study counts it: no path is changed by it.
            aside.add("a link to a file that counts already", &name);
        } else {
            let kind = kind_of(path);
            listing.inputs.push(Input {
                name,
                path: path.clone(),
                kind,
                stamp: stamp.clone(),
                part: None,
            });
        }
    }
    listing.inputs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listing)
}

/// Adds every file below `folder`, links followed.
fn descend(
    folder: &Path,
    above: &mut BTreeSet<PathBuf>,
    aside: &mut Aside,
    found: &mut Vec<(PathBuf, Stamp)>,
) {
    let shown = |path: &Path| path.display().to_string();
    let entries = folder.canonicalize().and_then(|real| Ok((real, fs::read_dir(folder)?)));
    let Ok((real, entries)) = entries else {
        return aside.add("a folder that cannot be read", &shown(folder));
    };
    // A link back to a folder above ends the walk there.
    if !above.insert(real.clone()) {
        return;
    }
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            aside.add("hidden", &shown(&path));
            continue;
        }
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => descend(&path, above, aside, found),
            Ok(metadata) if metadata.is_file() => found.push((path, Stamp::of(&metadata))),
            Ok(_) => aside.add("neither a file nor a folder", &shown(&path)),
            Err(_) => aside.add("a link to nothing, or not readable", &shown(&path)),
        }
    }
    above.remove(&real);
}
