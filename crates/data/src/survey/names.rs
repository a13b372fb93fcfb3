//! Information from names of files and folders: the split, the shard and the name of a corpus.

/// Which part of a corpus a file says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Split {
    Train,
    Validation,
    Test,
}

/// Information from the name of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    /// The name without extensions and without the word that says which part it is.
    pub(super) stem: String,
    /// The stem without the numbers that tell shards of one corpus apart; may be empty.
    pub(super) family: String,
    /// The part it says it is.
    pub(super) split: Option<Split>,
}

/// Words that are not the name of a corpus.
const NEUTRAL: [&str; 16] = [
    "data", "text", "texts", "raw", "corpus", "dataset", "default", "files", "json", "jsonl",
    "parquet", "txt", "part", "shard", "chunk", "of",
];

/// Which part a word stands for.
pub(super) fn split_of(word: &str) -> Option<Split> {
    match word {
        "train" | "training" => Some(Split::Train),
        "val" | "valid" | "validation" | "heldout" | "dev" => Some(Split::Validation),
        "test" | "eval" => Some(Split::Test),
        _ => None,
    }
}

/// Whether a word is not the name of a corpus.
pub(super) fn is_neutral(word: &str) -> bool {
    NEUTRAL.contains(&word) || is_number(word)
}

/// Whether a word only counts: digits, or a long hash.
fn is_number(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    digits == word.len() || (word.len() >= 8 && digits > 0 && is_hex(word))
}

fn is_hex(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What the name of a file says.
pub(super) fn file_name(name: &str) -> FileName {
    let lower = name.to_lowercase();
    let inner = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
    let inner = inner.rsplit_once('.').map_or(inner, |(stem, _)| stem);
    let mut words: Vec<&str> =
        inner.split(['.', '-', '_', ' ']).filter(|word| !word.is_empty()).collect();
    // `gsm8k.train`, `train-00000-of-00001`, `val_gsm8k`: the last word that is no number, else
    // the first. One word only: a corpus may be called `gsm8k-train`.
    let last = words.iter().rposition(|word| !is_number(word) && *word != "of");
    let mut ends = [last, Some(0)].into_iter().flatten();
    let marked = ends.find_map(|at| Some((at, split_of(words.get(at)?)?)));
    if let Some((at, _)) = marked {
        words.remove(at);
    }
    let family: Vec<&str> = words.iter().copied().filter(|word| !is_neutral(word)).collect();
    FileName {
        stem: words.join("-"),
        family: family.join("-"),
        split: marked.map(|(_, split)| split),
    }
}

/// A name as sources may have one: `a-z`, `0-9`, `-` and `_`, 48 at most; nothing where nothing
/// is left.
pub(super) fn slug(name: &str) -> Option<String> {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    // Leaves space for a suffix that distinguishes equal names, up to 64 characters.
    slug.truncate(48);
    let slug = slug.trim_matches(['-', '_']);
    (!slug.is_empty()).then(|| slug.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_part_and_which_shard_a_file_is() {
        use Split::{Test, Train, Validation};
        for (name, stem, family, split) in [
            ("blogs.train.jsonl.zst", "blogs", "blogs", Some(Train)),
            ("blogs.val.jsonl.zst", "blogs", "blogs", Some(Validation)),
            ("gsm8k-train.train.jsonl.zst", "gsm8k-train", "gsm8k-train", Some(Train)),
            ("train-00000-of-00002.parquet", "00000-of-00002", "", Some(Train)),
            ("novels-100.val.jsonl", "novels-100", "novels", Some(Validation)),
            ("val_math.json.gz", "math", "math", Some(Validation)),
            ("c4_0012.jsonl", "c4-0012", "c4", None),
            ("part-3.jsonl", "part-3", "", None),
            ("3f2a9c01d4.jsonl", "3f2a9c01d4", "", None),
            ("My Notes.TXT", "my-notes", "my-notes", None),
            ("test.jsonl", "", "", Some(Test)),
            ("latest.txt", "latest", "latest", None),
        ] {
            let expected = FileName { stem: stem.into(), family: family.into(), split };
            assert_eq!(file_name(name), expected, "{name}");
        }
    }

    #[test]
    fn a_slug_is_a_name_a_source_may_have() {
        for (name, slugged) in [
            ("Web Pages", Some("web-pages")),
            ("v1.5", Some("v1-5")),
            ("_x_", Some("x")),
            ("Übung", Some("bung")),
            ("数学", None),
            ("", None),
        ] {
            assert_eq!(slug(name).as_deref(), slugged, "{name}");
            assert!(slugged.is_none_or(|name| sparkjoy_base::SourceName::new(name).is_ok()));
        }
        assert_eq!(slug(&"long ".repeat(40)).unwrap().len(), 48);
    }
}
