//! What a file holds, by its name: one rule for a folder that is surveyed and a path that is
//! written by hand.

use std::collections::BTreeSet;
use std::path::Path;

use crate::source::{Compression, Kind};

/// What to do about a file that is not read.
pub(crate) const TEXT_HINT: &str = "name text: JSON Lines (`.jsonl`), Parquet, or plain text by \
     its extension (`.txt` is one document)";

/// Why a README is left out.
const GOES_WITH_DATA: &str = "goes with data (a README, a licence, a list)";

/// Extensions of text that is read as plain text: prose and programs. What is not here may be
/// anything, and is not taken.
const TEXT_EXTENSIONS: [&str; 54] = [
    "txt", "text", "md", "markdown", "rst", "tex", "org", "adoc", "html", "htm", "xml", "srt",
    "py", "pyi", "rs", "c", "h", "cc", "cpp", "cxx", "hh", "hpp", "cs", "java", "js", "jsx", "mjs",
    "ts", "tsx", "go", "rb", "php", "swift", "kt", "scala", "hs", "ml", "mli", "lean", "v", "jl",
    "r", "lua", "pl", "pm", "sh", "bash", "sql", "css", "ex", "exs", "clj", "el", "f90",
];

/// Stems of files that accompany data.
const COMPANIONS: [&str; 14] = [
    "readme",
    "license",
    "licence",
    "copying",
    "notice",
    "citation",
    "changelog",
    "authors",
    "contributing",
    "dataset_info",
    "dataset_infos",
    "state",
    "metadata",
    "manifest",
];

/// Whether a file goes with data (a README, a licence, a list of checksums).
pub(crate) fn is_companion(name: &str) -> bool {
    let lower = name.to_lowercase();
    let stem = lower.split('.').next().unwrap_or_default();
    COMPANIONS.contains(&stem)
        || ["license-", "readme-", "readme_"].iter().any(|start| stem.starts_with(start))
        || ["sha256", "sha256sums", "md5", "md5sums"].iter().any(|sums| lower.ends_with(sums))
}

/// The last extension in lower case, `.gz` and `.zst` taken off; nothing where there is none.
pub(crate) fn extension(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let inner = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
    let (stem, extension) = inner.rsplit_once('.')?;
    (!stem.is_empty()).then(|| extension.to_owned())
}

/// Whether a file of this extension is read as one document of plain text.
pub(crate) fn is_text(extension: &str) -> bool {
    TEXT_EXTENSIONS.contains(&extension)
}

/// Why a file is not read, unless it holds text by its extension.
pub(crate) fn not_text(path: &Path) -> Option<String> {
    let file = file_name(path);
    let extension = extension(&file);
    match kind_of(path) {
        Kind::JsonLines(_) | Kind::Parquet => None,
        Kind::Text(_) if extension.as_deref().is_some_and(is_text) => None,
        Kind::Text(_) if is_companion(&file) => Some(GOES_WITH_DATA.to_owned()),
        Kind::Text(_) => Some(match extension {
            Some(extension) => format!("`.{extension}` is no kind of text that is known"),
            None => "no file extension".to_owned(),
        }),
    }
}

/// Why each of `paths`, which were found and not named, is left out; `None` for those that are
/// read. A README that stands beside text of its own kind could only be left out file by file.
pub(crate) fn left_out(paths: &[&Path]) -> Vec<Option<String>> {
    let beside = |path: &Path| (path.parent().map(Path::to_owned), extension(&file_name(path)));
    let goes_with_data = |path: &Path| is_companion(&file_name(path));
    let texts = paths.iter().filter(|path| not_text(path).is_none() && !goes_with_data(path));
    let places: BTreeSet<_> = texts.map(|path| beside(path)).collect();
    let why = |path: &&Path| {
        let plain = matches!(kind_of(path), Kind::Text(Compression::Plain));
        let alone = !plain || !places.contains(&beside(path));
        not_text(path)
            .or_else(|| (goes_with_data(path) && alone).then(|| GOES_WITH_DATA.to_owned()))
    };
    paths.iter().map(why).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What a file holds, by its extension.
pub(crate) fn kind_of(path: &Path) -> Kind {
    let extension = |p: &Path| {
        p.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
    };
    let (compression, inner) = match extension(path).as_str() {
        "gz" => (Compression::Gzip, path.with_extension("")),
        "zst" => (Compression::Zstd, path.with_extension("")),
        _ => (Compression::Plain, path.to_owned()),
    };
    match extension(&inner).as_str() {
        "jsonl" | "jsonlines" | "ndjson" | "json" => Kind::JsonLines(compression),
        "parquet" if compression == Compression::Plain => Kind::Parquet,
        _ => Kind::Text(compression),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_with_data_is_told_from_data() {
        for name in ["README.md", "LICENSE", "license-apache.txt", "x.jsonl.sha256", "Readme.TXT"] {
            assert!(is_companion(name), "{name}");
        }
        for name in ["reading.md", "a.txt", "state-of-the-art.txt", "licensed.txt"] {
            assert!(!is_companion(name), "{name}");
        }
        assert_eq!(extension("a.tar.gz").as_deref(), Some("tar"));
        assert_eq!(extension(".hidden"), None);
        assert_eq!(extension("Makefile"), None);
    }

    #[test]
    fn the_extension_says_what_a_file_holds() {
        for (name, kind) in [
            ("a.jsonl", Kind::JsonLines(Compression::Plain)),
            ("a.train.JSON.gz", Kind::JsonLines(Compression::Gzip)),
            ("a.ndjson.zst", Kind::JsonLines(Compression::Zstd)),
            ("a.parquet", Kind::Parquet),
            ("a.tex", Kind::Text(Compression::Plain)),
            ("README", Kind::Text(Compression::Plain)),
            ("a.txt.gz", Kind::Text(Compression::Gzip)),
        ] {
            assert_eq!(kind_of(Path::new(name)), kind, "{name}");
        }
    }

    #[test]
    fn what_is_found_is_read_if_it_is_text_by_its_kind() {
        let why = |paths: &[&str]| {
            let paths: Vec<&Path> = paths.iter().map(Path::new).collect();
            left_out(&paths).iter().map(Option::is_some).collect::<Vec<bool>>()
        };
        let paths = ["a/x.jsonl", "a/README.md", "a/LICENSE", "a/_SUCCESS", "a/b.csv", "a/c.mds"];
        assert_eq!(why(&paths), [false, true, true, true, true, true]);
        assert_eq!(why(&["a/README.md", "a/b.md", "b/README.md"]), [false, false, true]);
        assert_eq!(why(&["a/metadata.json", "a/b.json"]), [true, false]);
        assert_eq!(why(&["a/b.jsonlines", "a/b.txt.gz"]), [false, false]);
    }
}
