//! Lists the files of a folder, and separates text from other files by names and sizes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sparkjoy_base::FileError;

use super::names;
use crate::DataError;
use crate::source::{Compression, Input, Kind, Stamp, kind_of};

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
    let mut companions = Vec::new();
    for (path, stamp) in found {
        let relative = path.strip_prefix(root).unwrap_or(&path);
        let Some(name) = relative.to_str().map(str::to_owned) else {
            aside.add("the name is not UTF-8", &relative.to_string_lossy());
            listing.others.push(relative.to_string_lossy().into_owned());
            continue;
        };
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kind = kind_of(&path);
        let extension = names::extension(&file);
        let is_text = match kind {
            Kind::Text(_) => extension.as_deref().is_some_and(names::is_text),
            Kind::JsonLines(_) | Kind::Parquet => true,
        };
        let why = match () {
            () if !is_text && names::is_companion(&file) => Some(GOES_WITH_DATA.to_owned()),
            () if !is_text => Some(match &extension {
                Some(extension) => format!("`.{extension}` is no kind of text that is known"),
                None => "no file extension".to_owned(),
            }),
            () if stamp.size == 0 => Some("empty".to_owned()),
            () => None,
        };
        if let Some(why) = why {
            aside.add(why, &name);
            listing.others.push(name);
            continue;
        }
        let input = Input { name, path, kind, stamp, part: None };
        if names::is_companion(&file) { companions.push(input) } else { listing.inputs.push(input) }
    }
    // A README beside text of its own kind in one folder could only be left out file by file.
    let beside =
        |input: &Input| (input.path.parent().map(Path::to_owned), extension_of(&input.path));
    let places: BTreeSet<_> = listing.inputs.iter().map(&beside).collect();
    for input in companions {
        if places.contains(&beside(&input)) && matches!(input.kind, Kind::Text(Compression::Plain))
        {
            listing.inputs.push(input);
        } else {
            aside.add(GOES_WITH_DATA, &input.name);
            listing.others.push(input.name);
        }
    }
    listing.inputs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listing)
}

const GOES_WITH_DATA: &str = "goes with data (a README, a licence, a list)";

fn extension_of(path: &Path) -> Option<String> {
    names::extension(&path.file_name()?.to_string_lossy())
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
