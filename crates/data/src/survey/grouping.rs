//! Groups files into sources, by folders and names.
//!
//! Nothing is read. A folder is a source. A folder of folders is a domain, and each folder in it a
//! source. Files of records (JSON Lines, Parquet) in one folder are separate sources if their names
//! differ, and shards of one source if only the numbers differ.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{FileName, Split, file_name, is_neutral, slug, split_of};

/// More files than this with different names in one folder are taken as shards of one source.
const MANY: usize = 16;

/// A text file: its folders, name and kind.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// The folders above it, outermost first, below the root.
    pub(super) folders: Vec<String>,
    /// Its own name.
    pub(super) file: String,
    /// Whether it holds many documents.
    pub(super) records: bool,
}

/// Files that make one source: indices of what was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// A name that no other group has.
    pub(super) name: String,
    /// Its domain. Only the single source of a domain may have the same name.
    pub(super) domain: String,
    /// Files to train on.
    pub(super) train: Vec<usize>,
    /// Files that are held out.
    pub(super) validation: Vec<usize>,
    /// Files of a test split, which are not used.
    pub(super) test: Vec<usize>,
}

/// Groups `files`, sorted by domain and name. `root`: what a source is called that lies at the top.
pub(super) fn group(files: &[Placed], root: &str) -> Vec<Group> {
    let read: Vec<Reading> = files.iter().map(Reading::of).collect();
    let skip = shared(&read);
    // By domain and source as they are written; `None` where a source is its own domain.
    let mut groups: BTreeMap<(Option<String>, String), Vec<usize>> = BTreeMap::new();
    let mut tops: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (index, file) in read.iter().enumerate() {
        tops.entry(file.folders.get(skip).map(String::as_str)).or_default().push(index);
    }
    for (top, members) in tops {
        let found = within(top, &members, &read, skip);
        // What lies loose beside named sources shares their domain.
        let domain = top.filter(|_| found.len() > 1).map(str::to_owned);
        for (source, files) in found {
            let domain = if source.is_some() { top.map(str::to_owned) } else { domain.clone() };
            let name = source.unwrap_or_else(|| top.unwrap_or(root).to_owned());
            groups.entry((domain, name)).or_default().extend(files);
        }
    }
    named(groups, &read)
}

/// A file with the words of its place read.
struct Reading {
    folders: Vec<String>,
    name: FileName,
    records: bool,
}

impl Reading {
    fn of(file: &Placed) -> Self {
        let mut name = file_name(&file.file);
        let mut folders = Vec::new();
        for (depth, folder) in file.folders.iter().enumerate() {
            let lower = folder.to_lowercase();
            if let Some(split) = split_of(&lower) {
                name.split = name.split.or(Some(split));
            } else if depth == 0 || !is_neutral(&lower) {
                folders.push(folder.clone());
            }
        }
        Self { folders, name, records: file.records }
    }
}

/// Number of top folders that all files share, minus one if no other folder distinguishes them.
fn shared(files: &[Reading]) -> usize {
    let Some(first) = files.first() else { return 0 };
    let common = files.iter().skip(1).fold(first.folders.len(), |common, file| {
        let same = file.folders.iter().zip(&first.folders).take_while(|(a, b)| a == b).count();
        same.min(common)
    });
    let deepest = files.iter().map(|file| file.folders.len()).max().unwrap_or(0);
    if common == deepest { common.saturating_sub(1) } else { common }
}

/// The sources among `members`, which lie in one folder at the top; a source without a name is the
/// folder itself.
fn within(
    top: Option<&str>,
    members: &[usize],
    files: &[Reading],
    skip: usize,
) -> BTreeMap<Option<String>, Vec<usize>> {
    let mut sources: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
    let below = |index: usize| files[index].folders.get(skip + 1);
    let folders: BTreeSet<&String> = members.iter().filter_map(|&index| below(index)).collect();
    // Folders with names that only count (years, hashes, `aa` to `zz`) are not sources.
    let split = top.is_some()
        && (1..=MANY).contains(&folders.len())
        && !folders.iter().all(|name| name.len() <= 2 || is_neutral(&name.to_lowercase()));
    let (deep, direct): (Vec<usize>, Vec<usize>) =
        members.iter().partition(|&&index| split && below(index).is_some());
    for index in deep {
        sources.entry(below(index).cloned()).or_default().push(index);
    }
    let families = families(&direct, files);
    let many = if top.is_some() { MANY } else { 4 * MANY };
    let apart = families.len() <= many && (families.len() > 1 || top.is_none() || split);
    for (family, members) in families {
        let name = family.filter(|_| apart);
        sources.entry(name).or_default().extend(members);
    }
    sources
}

/// Files by what they are called: records of one name and different numbers belong together, and
/// so does all plain text.
fn families(members: &[usize], files: &[Reading]) -> BTreeMap<Option<String>, Vec<usize>> {
    let mut families: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
    for &index in members {
        let file = &files[index];
        let family = Some(file.name.family.clone()).filter(|f| file.records && !f.is_empty());
        families.entry(family).or_default().push(index);
    }
    let whole = |(family, members): (Option<String>, Vec<usize>)| {
        let stems: BTreeSet<&str> = members.iter().map(|&i| files[i].name.stem.as_str()).collect();
        // Numbers are part of a name that has only one: `novels-100`.
        let name = match stems.first() {
            Some(&stem) if family.is_some() && stems.len() == 1 => Some(stem.to_owned()),
            _ => family,
        };
        (name, members)
    };
    families.into_iter().map(whole).collect()
}

/// Gives every group a name and a domain that mean one thing each, and its files their parts.
fn named(groups: BTreeMap<(Option<String>, String), Vec<usize>>, files: &[Reading]) -> Vec<Group> {
    let domains: BTreeSet<String> =
        groups.keys().filter_map(|(domain, _)| slug(domain.as_deref()?)).collect();
    // What a mixture's `refill` means by itself.
    let mut taken: BTreeSet<String> = ["domain", "proportional"].map(str::to_owned).into();
    let mut named = Vec::new();
    for ((domain, name), members) in groups {
        let domain = domain.map(|name| slug(&name).unwrap_or_else(|| "domain-1".to_owned()));
        let own = slug(&name).unwrap_or_else(|| "source".to_owned());
        let free = |name: &String| !taken.contains(name) && !domains.contains(name);
        let prefixed = domain.as_ref().filter(|domain| **domain != own);
        let prefixed = prefixed.map(|domain| format!("{domain}-{own}"));
        let longer = [Some(own.clone()), prefixed, Some(format!("{own}-files"))];
        let numbered = (2..).map(|n| format!("{own}-{n}"));
        let name =
            longer.into_iter().flatten().chain(numbered).find(free).expect("numbers do not end");
        taken.insert(name.clone());
        let domain = domain.unwrap_or_else(|| name.clone());
        named.push(parts(Group { name, domain, ..Group::default() }, &members, files));
    }
    named.sort_by(|a, b| (&a.domain, &a.name).cmp(&(&b.domain, &b.name)));
    named
}

/// Says which files are held out. A word such as `test` in a name counts only beside files that
/// are said to be trained on: folders of programs have tests of their own.
fn parts(mut group: Group, members: &[usize], files: &[Reading]) -> Group {
    let split = |index: usize| files[index].name.split;
    let some_train = members.iter().any(|&index| split(index) == Some(Split::Train));
    let some_plain = members.iter().any(|&index| split(index).is_none() && files[index].records);
    for &index in members {
        match split(index) {
            Some(Split::Validation) if some_train || (some_plain && files[index].records) => {
                group.validation.push(index);
            }
            Some(Split::Test) if some_train => group.test.push(index),
            _ => group.train.push(index),
        }
    }
    if group.validation.is_empty() {
        group.validation = std::mem::take(&mut group.test);
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups as `domain/name: train | validation | test`.
    fn grouped(paths: &[&str]) -> Vec<String> {
        let placed: Vec<Placed> = paths
            .iter()
            .map(|path| {
                let mut folders: Vec<String> = path.split('/').map(str::to_owned).collect();
                let file = folders.pop().unwrap();
                let records =
                    [".json", ".parquet"].iter().any(|extension| file.contains(extension));
                Placed { folders, file, records }
            })
            .collect();
        let names =
            |indices: &[usize]| indices.iter().map(|&i| paths[i]).collect::<Vec<_>>().join(" ");
        let show = |group: Group| {
            let Group { name, domain, train, validation, test } = group;
            let mut text = format!("{domain}/{name}: {}", names(&train));
            for (mark, part) in [("|", validation), ("x", test)] {
                if !part.is_empty() {
                    text = format!("{text} {mark} {}", names(&part));
                }
            }
            text
        };
        group(&placed, "root").into_iter().map(show).collect()
    }

    #[test]
    fn a_folder_is_a_source_and_a_folder_of_folders_a_domain() {
        let found = grouped(&[
            "code/a.py",
            "code/b.py",
            "math/gsm/train.jsonl.zst",
            "math/proofs/p1.txt",
            "math/proofs/deep/p2.txt",
            "web/a.txt",
            "web/b.txt",
        ]);
        assert_eq!(
            found,
            [
                "code/code: code/a.py code/b.py",
                "math/gsm: math/gsm/train.jsonl.zst",
                "math/proofs: math/proofs/p1.txt math/proofs/deep/p2.txt",
                "web/web: web/a.txt web/b.txt",
            ]
        );
    }

    #[test]
    fn files_of_records_side_by_side_are_sources_and_numbered_ones_shards() {
        assert_eq!(
            grouped(&["c4.jsonl", "wiki.jsonl.gz", "wiki-2.jsonl.gz"]),
            ["c4/c4: c4.jsonl", "wiki/wiki: wiki.jsonl.gz wiki-2.jsonl.gz"]
        );
        assert_eq!(
            grouped(&[
                "web/part-0.parquet",
                "web/part-1.parquet",
                "books/00.json",
                "books/01.json"
            ]),
            [
                "books/books: books/00.json books/01.json",
                "web/web: web/part-0.parquet web/part-1.parquet"
            ]
        );
    }

    #[test]
    fn train_and_validation_files_pair_by_name_or_by_folder() {
        assert_eq!(
            grouped(&[
                "web/blogs.train.jsonl.zst",
                "web/blogs.val.jsonl.zst",
                "web/law.train.jsonl.zst",
                "web/law.val.jsonl.zst",
                "math/gsm/train/0.jsonl",
                "math/gsm/validation/0.jsonl",
                "math/gsm/test/0.jsonl",
                "qa/train.jsonl",
                "qa/test.jsonl",
            ]),
            [
                "math/gsm: math/gsm/train/0.jsonl | math/gsm/validation/0.jsonl \
                 x math/gsm/test/0.jsonl",
                "qa/qa: qa/train.jsonl | qa/test.jsonl",
                "web/blogs: web/blogs.train.jsonl.zst | web/blogs.val.jsonl.zst",
                "web/law: web/law.train.jsonl.zst | web/law.val.jsonl.zst",
            ]
        );
    }

    #[test]
    fn tests_of_programs_are_programs() {
        assert_eq!(
            grouped(&["code/app/src/a.py", "code/app/test/b.py", "web/a.txt"]),
            ["code/app: code/app/src/a.py code/app/test/b.py", "web/web: web/a.txt"]
        );
    }

    #[test]
    fn folders_that_all_share_are_left_out() {
        assert_eq!(
            grouped(&["corpora/v1/web/a.txt", "corpora/v1/math/b.txt"]),
            ["math/math: corpora/v1/math/b.txt", "web/web: corpora/v1/web/a.txt"]
        );
        assert_eq!(grouped(&["deep/web/a.txt"]), ["web/web: deep/web/a.txt"]);
        assert_eq!(grouped(&["a.txt", "b.md"]), ["root/root: a.txt b.md"]);
    }

    #[test]
    fn no_name_means_two_things() {
        let found = grouped(&[
            "a b/x.txt",
            "A_B/x.txt",
            "a-b/x.txt",
            "math/math/x.txt",
            "math/code/x.txt",
            "code/x.txt",
            "数学/x.txt",
            "物理/x.txt",
            "domain/x.txt",
        ]);
        assert_eq!(
            found,
            [
                "a-b/a-b: a b/x.txt",
                "a-b-files/a-b-files: a-b/x.txt",
                "a_b/a_b: A_B/x.txt",
                "code/code: code/x.txt",
                "domain-files/domain-files: domain/x.txt",
                "math/math-code: math/code/x.txt",
                "math/math-files: math/math/x.txt",
                "source/source: 数学/x.txt",
                "source-files/source-files: 物理/x.txt",
            ]
        );
    }

    #[test]
    fn many_folders_side_by_side_are_shelves_of_one_source() {
        let paths: Vec<String> = (0..40)
            .map(|i| format!("code/project{}/f.py", char::from(b'A' + i)))
            .chain(["web/2023/a.txt".to_owned(), "web/2024/a.txt".to_owned()])
            .collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let found = grouped(&paths);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[1], "web/web: web/2023/a.txt web/2024/a.txt");
    }
}
