//! A source as a study declares it, and its input files.
//!
//! Listing reads folders, not files. It determines the order of documents: training files first,
//! then held-out ones, each sorted by the path relative to the root of the source. So neither the
//! machine nor the order of a folder listing can change a token.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{FileError, Ppm, Problem, SourceName};

use crate::kinds::{self, TEXT_HINT, kind_of};
use crate::row_text::Rows;
use crate::{DataError, Part};

/// What to do with a document that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnBadDocument {
    /// Stop with file and line.
    Refuse,
    /// Count it and go on.
    Skip,
}

/// Where a source's held-out text comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Validation {
    /// Separate files (globs, relative to the same folder).
    Files(Vec<String>),
    /// This share of the documents, chosen by the hash of their content.
    Split(Ppm),
    /// All its text: nothing trains on it.
    All,
}

/// The text of one source.
///
/// The kind of a file follows from its extension, after `.gz` or `.zst` is taken off: `.jsonl`,
/// `.jsonlines`, `.ndjson` and `.json` hold one JSON object a line, `.parquet` a text column, and
/// one of prose or programs is one document of plain text. Nothing else is read: it is left out of
/// folders and globs, with READMEs and licences, and refused where it is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFiles {
    /// Its name.
    pub name: SourceName,
    /// Files, folders (read to the bottom, hidden files left out) or globs, relative to `root`.
    pub paths: Vec<String>,
    /// The folder that paths are relative to. Not part of any fingerprint.
    pub root: PathBuf,
    /// Which rows are read, and what their text is.
    #[serde(rename = "text_field")]
    pub rows: Rows,
    /// What to do with a broken document.
    pub on_bad_document: OnBadDocument,
    /// Its held-out text.
    pub validation: Validation,
}

/// Number and size of the input files of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSummary {
    /// Files found.
    pub files: u64,
    /// Their bytes as stored (compressed).
    pub stored_bytes: u64,
}

/// Finds a source's files, held-out ones included, without reading them.
///
/// # Errors
///
/// [`DataError::Problem`] for a path that stands for no file and a file that is both trained on and
/// held out, [`FileError`] for a folder that cannot be listed.
pub fn scan(source: &SourceFiles) -> Result<SourceSummary, DataError> {
    let inputs = list(source)?;
    Ok(SourceSummary {
        files: inputs.len() as u64,
        stored_bytes: inputs.iter().map(|input| input.stamp.size).sum(),
    })
}

/// Compression of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Plain,
    Gzip,
    Zstd,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    JsonLines(Compression),
    Parquet,
    Text(Compression),
}

/// Size and times of a file. If they are unchanged, its content is assumed to be unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// Bytes as stored.
    pub(crate) size: u64,
    /// Last change of the content, nanoseconds since 1970.
    pub(crate) modified_ns: i64,
    /// Last change of content or inode; cannot be set by `touch`.
    pub(crate) changed_ns: i64,
}

impl Stamp {
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
        Self {
            size: metadata.len(),
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// One file of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// Path relative to the root, as messages and manifest show it.
    pub(crate) name: String,
    /// Where it is opened.
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) stamp: Stamp,
    /// The part of its documents; `None` if the hash of each document decides.
    pub(crate) part: Option<Part>,
}

/// All files of a source in reading order.
pub(crate) fn list(source: &SourceFiles) -> Result<Vec<Input>, DataError> {
    match &source.validation {
        Validation::Split(_) => find(source, &source.paths, None),
        Validation::All => find(source, &source.paths, Some(Part::Validation)),
        Validation::Files(globs) => {
            let mut inputs = find(source, &source.paths, Some(Part::Train))?;
            let held_out = find(source, globs, Some(Part::Validation))?;
            let trained: BTreeSet<&Path> = inputs.iter().map(|i| i.path.as_path()).collect();
            if let Some(twice) = held_out.iter().find(|i| trained.contains(i.path.as_path())) {
                let text = format!(
                    "source `{}`: `{}` is both trained on and held out, expected one of them",
                    source.name,
                    twice.path.display()
                );
                let hint = "name the training files with a glob that leaves the held-out ones out";
                return Err(Problem::new(text).with_hint(hint).into());
            }
            inputs.extend(held_out);
            Ok(inputs)
        }
    }
}

/// The files that match `paths`, each once, sorted by relative path.
fn find(
    source: &SourceFiles,
    paths: &[String],
    part: Option<Part>,
) -> Result<Vec<Input>, DataError> {
    let mut found = Vec::new();
    for pattern in paths {
        refuse_address(pattern)?;
        let (name, root) = (&source.name, source.root.display());
        let shown =
            |path: &Path| path.strip_prefix(&source.root).unwrap_or(path).display().to_string();
        let (mut files, literal) = (Vec::new(), source.root.join(pattern));
        for path in matches(&source.root, pattern)? {
            walk(&path, &mut BTreeSet::new(), &mut files)?;
        }
        let why = match &files[..] {
            // A file that is named is read if it can be.
            [(path, _)] if *path == literal => vec![kinds::not_text(path)],
            _ => kinds::left_out(&files.iter().map(|(path, _)| path.as_path()).collect::<Vec<_>>()),
        };
        let first =
            files.iter().zip(&why).find_map(|((path, _), why)| Some((shown(path), why.clone()?)));
        let mut keep = why.iter().map(Option::is_none);
        files.retain(|_| keep.next().expect("one for each"));
        if files.is_empty() {
            let text = format!("source `{name}`: no files match `{pattern}` in `{root}`");
            return Err(match first {
                Some((path, why)) => {
                    let text = format!("source `{name}`: `{path}` is not read: {why}");
                    Problem::new(text).with_hint(TEXT_HINT)
                }
                None => Problem::new(text).with_hint(format!(
                    "check the path against `ls {root}`, or name another folder with `--data`"
                )),
            }
            .into());
        }
        found.append(&mut files);
    }
    if paths.is_empty() {
        let name = &source.name;
        let text = format!("source `{name}` lists no files, expected at least one path or glob");
        let hint = format!("give source `{name}` a `path`, for example \"web/*.jsonl.zst\"");
        return Err(Problem::new(text).with_hint(hint).into());
    }

    let mut inputs = Vec::with_capacity(found.len());
    for (path, stamp) in found {
        // Resolved, so that `a/x` and `./a/x` and a link to it are one file.
        let real = path.canonicalize().map_err(FileError::at("read", &path))?;
        let name = path.strip_prefix(&source.root).unwrap_or(&path).to_string_lossy().into_owned();
        let kind = kind_of(&path);
        inputs.push(Input { name, path: real, kind, stamp, part });
    }
    inputs.sort_by(|a, b| a.name.cmp(&b.name));
    let mut seen = BTreeSet::new();
    inputs.retain(|input| seen.insert(input.path.clone()));
    Ok(inputs)
}

/// Refuses an address where a path of this machine is expected.
pub(crate) fn refuse_address(path: &str) -> Result<(), Problem> {
    let Some((scheme, _)) = path.split_once("://") else { return Ok(()) };
    let copy = match scheme {
        "s3" => format!("aws s3 sync {path} data"),
        "gs" => format!("gcloud storage cp -r {path} data"),
        "hf" => "hf download --repo-type dataset NAME --local-dir data".to_owned(),
        _ => format!("curl -O {path}"),
    };
    Err(Problem::new(format!("`{path}` is an address, expected a path on this machine"))
        .with_hint(format!("copy it here first, for example with `{copy}`")))
}

/// An existing path is taken literally; anything else is a glob.
fn matches(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, DataError> {
    let literal = root.join(pattern);
    match fs::metadata(&literal) {
        Ok(_) => return Ok(vec![literal]),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(FileError::at("read", &literal)(e).into()),
    }
    let bad = |e: glob::PatternError| {
        Problem::new(format!("`{pattern}` is not a glob: {} (character {})", e.msg, e.pos))
            .with_hint("put `[` and `]` around characters meant literally: `[*]`")
    };
    // Parsed alone first, so that the position in an error is one in the text of the user.
    glob::Pattern::new(pattern).map_err(bad)?;
    let full = if Path::new(pattern).is_absolute() {
        pattern.to_owned()
    } else {
        format!("{}/{pattern}", glob::Pattern::escape(&root.to_string_lossy()))
    };
    let options = glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..glob::MatchOptions::new()
    };
    let mut paths = Vec::new();
    for entry in glob::glob_with(&full, options).map_err(bad)? {
        paths.push(entry.map_err(|e| {
            let path = e.path().to_owned();
            FileError::at("read", &path)(e.into())
        })?);
    }
    Ok(paths)
}

/// Adds `path` if it is a file, everything below it if it is a folder.
///
/// - `above`: the canonical folders above; a link back to one of them is not followed.
fn walk(
    path: &Path,
    above: &mut BTreeSet<PathBuf>,
    found: &mut Vec<(PathBuf, Stamp)>,
) -> Result<(), DataError> {
    let metadata = fs::metadata(path).map_err(FileError::at("read", path))?;
    if !metadata.is_dir() {
        found.push((path.to_owned(), Stamp::of(&metadata)));
        return Ok(());
    }
    let real = path.canonicalize().map_err(FileError::at("read", path))?;
    if !above.insert(real.clone()) {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(FileError::at("read", path))? {
        let entry = entry.map_err(FileError::at("read", path))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            walk(&entry.path(), above, found)?;
        }
    }
    above.remove(&real);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(root: &Path, paths: &[&str], validation: Validation) -> SourceFiles {
        SourceFiles {
            name: SourceName::new("web").unwrap(),
            paths: paths.iter().map(|&p| p.to_owned()).collect(),
            root: root.to_owned(),
            rows: Rows::default(),
            on_bad_document: OnBadDocument::Refuse,
            validation,
        }
    }

    fn files(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            sparkjoy_base::write_atomic(&path, b"x").unwrap();
        }
    }

    fn names(source: &SourceFiles) -> Vec<String> {
        list(source).unwrap().into_iter().map(|input| input.name).collect()
    }

    #[test]
    fn files_are_sorted_and_each_is_read_once() {
        let root = tempfile::tempdir().unwrap();
        files(root.path(), &["b/2.txt", "b/10.txt", "a.txt", "b/.hidden", "b/c/d.md"]);
        std::os::unix::fs::symlink(root.path().join("b"), root.path().join("b/loop")).unwrap();
        let split = || Validation::Split(Ppm(10_000));
        let all = ["a.txt", "b/10.txt", "b/2.txt", "b/c/d.md"];
        for paths in [&["b", "a.txt"][..], &["**/*.txt", "b/c", "./a.txt", "b"], &["."]] {
            let found = names(&source(root.path(), paths, split()));
            assert_eq!(found, all, "{paths:?}");
        }
        let summary = scan(&source(root.path(), &["b"], split())).unwrap();
        assert_eq!(summary, SourceSummary { files: 3, stored_bytes: 3 });
    }

    #[test]
    fn a_root_with_glob_characters_is_taken_literally() {
        let root = tempfile::tempdir().unwrap();
        files(root.path(), &["[x]/a.txt", "[x]/we*ird.txt"]);
        let validation = || Validation::Split(Ppm(1));
        let inside = root.path().join("[x]");
        assert_eq!(names(&source(&inside, &["*.txt"], validation())), ["a.txt", "we*ird.txt"]);
        assert_eq!(names(&source(&inside, &["we*ird.txt"], validation())), ["we*ird.txt"]);
    }

    #[test]
    fn all_files_of_a_source_that_nothing_trains_on_are_held_out() {
        let root = tempfile::tempdir().unwrap();
        files(root.path(), &["a.txt", "b.txt"]);
        let inputs = list(&source(root.path(), &["*.txt"], Validation::All)).unwrap();
        assert!(inputs.iter().all(|input| input.part == Some(Part::Validation)));
        assert_eq!(inputs.len(), 2);
    }

    #[test]
    fn training_files_come_before_held_out_ones() {
        let root = tempfile::tempdir().unwrap();
        files(root.path(), &["a.val.txt", "b.train.txt"]);
        let validation = Validation::Files(vec!["*.val.txt".into()]);
        let inputs = list(&source(root.path(), &["*.train.txt"], validation)).unwrap();
        assert_eq!(inputs[0].part, Some(Part::Train));
        assert_eq!(inputs[1].part, Some(Part::Validation));
        assert_eq!(inputs[1].name, "a.val.txt");
    }
}
