//! The shortest paths or globs that match exactly some files.

use std::collections::BTreeSet;
use std::path::Path;

use sparkjoy_base::Ppm;

use crate::source::{Input, SourceFiles, Validation, list};

/// Names `wanted` as a folder, as globs, or one by one: never a file more, never one less.
///
/// - `like`: a source with the root that paths are relative to.
/// - `others`: further files below the root that a folder or glob could take in.
pub(super) fn paths(like: &SourceFiles, wanted: &[&Input], others: &[&str]) -> Vec<String> {
    let names: Vec<String> = wanted.iter().map(|input| input.name.clone()).collect();
    if let [_] = names[..] {
        return names;
    }
    let folder = shared_folder(&names);
    let inside = |name: &str| folder.is_empty() || name.starts_with(&format!("{folder}/"));
    if !others.iter().any(|name| inside(name)) {
        return vec![if folder.is_empty() { ".".to_owned() } else { folder }];
    }
    let candidates = [globs(&folder, &names, false), globs(&folder, &names, true)];
    let means = |paths: &Vec<String>| {
        let source = SourceFiles {
            paths: paths.clone(),
            // Any share: only the files are asked for.
            validation: Validation::Split(Ppm(1)),
            ..like.clone()
        };
        list(&source).is_ok_and(|found| {
            let found: BTreeSet<&Path> = found.iter().map(|input| input.path.as_path()).collect();
            let real = wanted.iter().filter_map(|input| input.path.canonicalize().ok());
            let real: BTreeSet<_> = real.collect();
            found.len() == real.len() && real.iter().all(|path| found.contains(path.as_path()))
        })
    };
    candidates.into_iter().flatten().find(means).unwrap_or(names)
}

/// The innermost folder that all names lie in; empty for the root.
fn shared_folder(names: &[String]) -> String {
    let mut shared: Vec<&str> = names[0].split('/').collect();
    shared.pop();
    for name in &names[1..] {
        let same = shared.iter().zip(name.split('/')).take_while(|(a, b)| **a == *b).count();
        shared.truncate(same);
    }
    shared.join("/")
}

/// A glob per extension, in the folder or anywhere below it; then one for what all names begin and
/// end with.
fn globs(folder: &str, names: &[String], below: bool) -> Vec<Vec<String>> {
    let escaped = glob::Pattern::escape(folder);
    let before = if escaped.is_empty() { String::new() } else { format!("{escaped}/") };
    let between = if below { "**/" } else { "" };
    let files: Vec<&str> =
        names.iter().map(|name| name.rsplit('/').next().unwrap_or(name)).collect();
    let extensions: BTreeSet<String> = files.iter().map(|file| extension(file)).collect();
    let by_extension =
        extensions.iter().map(|e| format!("{before}{between}*{}", glob::Pattern::escape(e)));
    let (start, end) = around(&files);
    let (start, end) = (glob::Pattern::escape(&start), glob::Pattern::escape(&end));
    vec![by_extension.collect(), vec![format!("{before}{between}{start}*{end}")]]
}

/// The extension with its compression: `.jsonl.zst`, `.py`.
fn extension(file: &str) -> String {
    let (stem, last) = file.rsplit_once('.').unwrap_or((file, ""));
    match stem.rsplit_once('.') {
        Some((_, inner)) if ["gz", "zst"].contains(&last.to_lowercase().as_str()) => {
            format!(".{inner}.{last}")
        }
        _ => format!(".{last}"),
    }
}

/// What all names begin with and, after that, end with.
fn around(files: &[&str]) -> (String, String) {
    let common = |a: &str, b: &str| -> usize {
        let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b);
        same.map(|(c, _)| c.len_utf8()).sum()
    };
    let first = files[0];
    let start = files.iter().map(|file| common(first, file)).min().unwrap_or(0);
    let back = |text: &str| text.chars().rev().collect::<String>();
    let rest = files.iter().map(|file| back(&file[start..]));
    let end = rest.map(|rest| common(&back(&first[start..]), &rest)).min().unwrap_or(0);
    (first[..start].to_owned(), first[first.len() - end..].to_owned())
}
