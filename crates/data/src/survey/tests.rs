//! Folders as users have them.

use std::fmt::Write;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;
use crate::{Tokenizer, sample_documents, scan};
use sparkjoy_base::{Hint, Seed, write_atomic};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_atomic(&path, content.as_ref()).unwrap();
    }

    /// `count` short documents as plain text files.
    fn texts(&self, folder: &str, extension: &str, count: usize) {
        for i in 0..count {
            self.write(&format!("{folder}/{i}.{extension}"), format!("document {i} of {folder}\n"));
        }
    }

    fn survey(&self) -> Survey {
        let survey = survey(self.0.path(), &AtomicBool::new(false)).unwrap();
        for source in &survey.sources {
            // What it names is what it counted, and can be read.
            assert_eq!(scan(&source.files).unwrap().files, source.file_count, "{source:?}");
            assert!(!sample_documents(&source.files, Seed(1), 1 << 20).unwrap().is_empty());
            assert!(source.held_out_bytes > 0 && source.text_bytes > 0, "{source:?}");
        }
        survey
    }

    /// One line for each source, one for each reason.
    fn shown(&self) -> String {
        let survey = self.survey();
        let mut text = String::new();
        for source in &survey.sources {
            let SourceFiles { name, paths, rows, validation, .. } = &source.files;
            let text_field = rows.shown();
            let files = source.file_count;
            let held_out = match validation {
                Validation::Files(paths) => paths.join(" "),
                Validation::Split(share) => share.to_string(),
                Validation::All => unreachable!("a folder does not say so"),
            };
            let domain = &source.domain;
            let _ = writeln!(
                text,
                "{domain}/{name} {files}: {} | {held_out} | {text_field}",
                paths.join(" ")
            );
        }
        for LeftOut { why, files, shown } in &survey.left_out {
            let root = self.0.path().display().to_string();
            let shown = shown.join(" ").replace(&root, "…");
            let _ = writeln!(text, "- {why}: {files} ({shown})");
        }
        text
    }
}

/// `count` records with their text in `field`.
fn records(field: &str, count: usize) -> String {
    let line = |i| format!("{{\"id\": \"{i}\", \"{field}\": \"record number {i} of some\"}}\n");
    (0..count).map(line).collect()
}

#[test]
fn a_folder_is_read_as_people_mean_it() {
    let folder = Folder::new();
    folder.texts("web", "txt", 30);
    folder.write("web/README.md", "what this is");
    folder.write(
        "math/gsm/train.jsonl.zst",
        zstd::encode_all(records("text", 40).as_bytes(), 1).unwrap(),
    );
    folder.texts("math/Old Proofs", "tex", 20);
    folder.texts("code", "py", 25);
    folder.write("code/Makefile", "all:");
    folder.write("code/logo.png", [0_u8, 1]);
    folder.write("news.train.jsonl", records("body", 30));
    folder.write("news.val.jsonl", records("body", 3).replace("record", "held-out record"));
    folder.write("LICENSE", "free");
    folder.write(".git/config", "x");
    folder.write("empty.jsonl", "");
    insta::assert_snapshot!(folder.shown(), @"
    code/code 25: code/*.py | 10 % | text
    math/gsm 1: math/gsm/train.jsonl.zst | 20 % | text
    math/old-proofs 20: math/Old Proofs | 20 % | text
    news/news 2: news.train.jsonl | news.val.jsonl | body
    web/web 30: web/*.txt | 20 % | text
    - `.png` is no kind of text that is known: 1 (code/logo.png)
    - empty: 1 (empty.jsonl)
    - goes with data (a README, a licence, a list): 2 (LICENSE web/README.md)
    - hidden: 1 (…/.git)
    - no file extension: 1 (code/Makefile)
    ");
}

#[test]
fn what_cannot_be_used_is_said() {
    let folder = Folder::new();
    folder.write("chat/a.jsonl", "{\"messages\": [1]}\n");
    folder.write("cut/a.jsonl.gz", [0x1f_u8, 0x8b, 8, 0]);
    folder.write("lone/book.txt", "one long document");
    folder.write("latin/a.txt", b"caf\xe9");
    folder.write("list/a.json", "[\n{\"text\": \"a\"},\n{\"text\": \"b\"}\n]\n");
    folder.write("broken/a.jsonl", format!("{}{{\"text\": 5}}\n{{oops\n", records("text", 30)));
    symlink(folder.0.path().join("nowhere"), folder.0.path().join("gone")).unwrap();
    symlink(folder.0.path(), folder.0.path().join("loop")).unwrap();
    insta::assert_snapshot!(folder.shown(), @"
    broken/broken 1: broken/a.jsonl | 20 % | text
    - `cut/a.jsonl.gz` is not a whole gzip file: unexpected end of file (0 B of text came before): 1 (cut)
    - `list/a.json` is one JSON array, expected an object a line: `jq -c '.[]' list/a.json > NEW.jsonl`: 1 (list)
    - a link to nothing, or not readable: 1 (…/gone)
    - most documents cannot be used: `latin/a.txt` (one document): byte 4 is not UTF-8: 0xe9 is `é` in Latin-1, which `iconv -f LATIN1 -t UTF-8 FILE > NEW` converts: 1 (latin)
    - no field that holds a string, found `messages` (an array); `text_field` names one, `messages` a list of messages: 1 (chat)
    - one document alone, and some text must be held out: split it into files of some pages, or make it JSON Lines: 1 (lone)
    ");
    let broken = &folder.survey().sources[0];
    assert_eq!(broken.files.on_bad_document, OnBadDocument::Skip);
    assert_eq!(broken.broken.as_ref().unwrap().documents, 2);
}

#[test]
fn large_text_is_scaled_from_a_sample() {
    let folder = Folder::new();
    let line = format!("{{\"text\": \"{}\"}}\n", "some words that are all alike ".repeat(30));
    folder.write("a.jsonl", line.repeat(20_000));
    let source = &folder.survey().sources[0];
    let exact = 900 * 20_000;
    let all = source.text_bytes + source.held_out_bytes;
    assert!(!source.whole);
    assert!(all.abs_diff(exact) < exact / 50, "{all}");
    assert_eq!(source.files.validation, Validation::Split(Ppm(10_000)));
}

#[test]
fn files_are_named_exactly_however_odd_their_company() {
    let folder = Folder::new();
    folder.texts("a [x]", "txt", 20);
    folder.write("a [x]/0.txt.gz", "");
    folder.write("a [x]/notes.pdf", "%PDF");
    folder.write("b/part-0.jsonl", records("text", 20));
    folder.write("b/part-1.jsonl", records("text", 30));
    folder.write("b/other.jsonl", records("text", 30));
    insta::assert_snapshot!(folder.shown(), @"
    a-x/a-x 20: a [[]x[]]/*.txt | 20 % | text
    b/b-files 2: b/part-*.jsonl | 20 % | text
    b/other 1: b/other.jsonl | 20 % | text
    - `.pdf` is no kind of text that is known: 1 (a [x]/notes.pdf)
    - empty: 1 (a [x]/0.txt.gz)
    ");
}

/// A Parquet file of columns of strings.
fn parquet(columns: &[(&str, Vec<String>)]) -> Vec<u8> {
    let fields: Vec<String> =
        columns.iter().map(|(name, _)| format!("REQUIRED BYTE_ARRAY {name} (UTF8);")).collect();
    let schema = parse_message_type(&format!("message rows {{ {} }}", fields.concat())).unwrap();
    let mut file = SerializedFileWriter::new(Vec::new(), schema.into(), Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    for (_, values) in columns {
        let values: Vec<ByteArray> = values.iter().map(|v| ByteArray::from(v.as_str())).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    file.into_inner().unwrap()
}

#[test]
fn the_column_that_holds_the_text_is_found_whatever_it_is_called() {
    let folder = Folder::new();
    let rows = |what: &str| (0..40).map(|i| format!("{what} {i}")).collect::<Vec<_>>();
    let long = rows("a longer text than any other column has");
    folder.write("usual/0.parquet", parquet(&[("id", long.clone()), ("text", rows("short"))]));
    folder.write("known/0.parquet", parquet(&[("id", long.clone()), ("content", rows("short"))]));
    folder.write("other/0.parquet", parquet(&[("id", rows("x")), ("abstract_en", long)]));
    folder.write("cut/0.parquet", "PAR1");
    let found = folder.shown();
    let fields: Vec<&str> = found.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(fields[..3], ["content", "abstract_en", "text"], "{found}");
    assert!(found.contains("`cut/0.parquet` is not a whole Parquet file"), "{found}");
}

#[test]
fn small_sources_are_counted_as_they_are_prepared() {
    let folder = Folder::new();
    folder.write("a.jsonl", format!("{}not json\n", records("text", 300)));
    let source = &folder.survey().sources[0];
    let tokenizer = Tokenizer::cl100k();
    let (train, held_out) = count_tokens(&source.files, &tokenizer).unwrap();
    let prepared = tempfile::tempdir().unwrap();
    let options =
        crate::PrepareOptions { threads: 1, stop: &AtomicBool::new(false), progress: &|_| {} };
    let corpus = crate::prepare(&source.files, &tokenizer, prepared.path(), &options).unwrap();
    assert_eq!(train, corpus.tokens(crate::Part::Train));
    assert_eq!(held_out, corpus.tokens(crate::Part::Validation));
    assert_eq!(source.documents, corpus.documents(crate::Part::Train));
}

#[test]
fn a_source_whose_only_file_breaks_in_its_middle_is_left_out_by_name() {
    let folder = Folder::new();
    let good = gzip(&records("text", 4000));
    folder.write("good/a.jsonl", records("text", 40).replace("record", "note"));
    folder.write("cut/a.jsonl.gz", &good[..good.len() / 2]);
    let mut flipped = good.clone();
    let at = flipped.len() - 6;
    flipped[at] ^= 1;
    folder.write("flipped/a.jsonl.gz", &flipped);
    // Among others, what came before the break does not count.
    folder.write("some/part-0.jsonl.gz", &good);
    folder.write("some/part-1.jsonl.gz", &good[..good.len() / 2]);
    insta::assert_snapshot!(folder.shown(), @"
    good/good 1: good/a.jsonl | 20 % | text
    some/some 1: some/part-0.jsonl.gz | 5 % | text
    - cannot be read: `cut/a.jsonl.gz` is not a whole gzip file: incomplete deflate stream (101 KiB of text came before): 1 (cut/a.jsonl.gz)
    - cannot be read: `flipped/a.jsonl.gz` is not a whole gzip file: corrupt gzip stream does not have a matching checksum (205 KiB of text came before): 1 (flipped/a.jsonl.gz)
    - cannot be read: `some/part-1.jsonl.gz` is not a whole gzip file: incomplete deflate stream (101 KiB of text came before): 1 (some/part-1.jsonl.gz)
    ");
    let survey = folder.survey();
    let some = &survey.sources[1];
    assert!((3700..4000).contains(&some.documents), "{}", some.documents);
}

#[test]
fn what_a_file_is_follows_from_its_first_bytes() {
    let folder = Folder::new();
    folder.write("good/a.jsonl", gzip(&records("text", 40)));
    folder.write("better/a.txt.zst", gzip(&"some words\n".repeat(9)));
    folder.write("better/b.txt.zst", zstd::encode_all(&b"other words"[..], 1).unwrap());
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    folder.write("lfs/a.jsonl", pointer);
    folder.write("lfs-columns/a.parquet", pointer);
    folder.write("tokens/a.txt", b"MMIDIDX\0\0\x01\0\0\0");
    folder.write("tokens2/a.jsonl", [7_u8, 0, 200, 3, 0, 0, 9, 255]);
    folder.write("wide/a.txt", b"\xff\xfea\0b\0");
    folder.write("columns/a.jsonl", parquet(&[("text", vec!["a".to_owned()])]));
    folder.write("plain/a.jsonl.gz", records("text", 40));
    folder.write("pretty/a.json", "{\n  \"text\": \"a\"\n}\n{\n  \"text\": \"b\"\n}\n");
    folder.write("pretty2/a.json.gz", gzip("{\n  \"text\": \"a\"\n}\n{\n  \"text\": \"b\"\n}\n"));
    insta::assert_snapshot!(folder.shown(), @"
    better/better 2: better | 5 % | text
    good/good 1: good/a.jsonl | 20 % | text
    - `columns/a.jsonl` is a Parquet file under another name: 1 (columns)
    - `lfs-columns/a.parquet` is a Git LFS pointer, expected the file it stands for: `git lfs pull`: 1 (lfs-columns)
    - `lfs/a.jsonl` is a Git LFS pointer, expected the file it stands for: `git lfs pull`: 1 (lfs)
    - `plain/a.jsonl.gz` is not compressed, whatever its name says: it begins as JSON: 1 (plain)
    - `pretty/a.json` is a JSON value over many lines, expected an object a line: `jq -c '.' pretty/a.json > NEW.jsonl`: 1 (pretty)
    - `pretty2/a.json.gz` is a JSON value over many lines, expected an object a line: `gzip -dc pretty2/a.json.gz | jq -c '.' > NEW.jsonl`: 1 (pretty2)
    - `tokens2/a.jsonl` holds binary data, expected text: 1 (tokens2)
    - cannot be read: `tokens/a.txt` is an index of tokens (Megatron), expected text: 1 (tokens/a.txt)
    - cannot be read: `wide/a.txt` is UTF-16 text, expected UTF-8: `iconv -f UTF-16 -t UTF-8 wide/a.txt > NEW`: 1 (wide/a.txt)
    ");
}

#[test]
fn why_nothing_can_be_held_out_is_said() {
    let folder = Folder::new();
    let line = |text: &str| format!("{{\"text\": \"{text}\"}}\n");
    folder.write("same/a.jsonl", line("the same again").repeat(160));
    folder.write("two/a.jsonl", [line("title"), line(&"long ".repeat(900))].concat());
    // Most of it is one document.
    let small: String = (0..160).map(|i| line(&format!("{i} {}", "short ".repeat(60)))).collect();
    folder.write("huge/a.jsonl", [line(&"long ".repeat(280_000)), small].concat());
    let fields = |i| format!("{{\"text\": \"\", \"content\": \"the content of {i}\"}}\n");
    folder.write("title/a.jsonl", (0..40).map(fields).collect::<String>());
    folder.write("nested/a.jsonl", "{\"text\": {\"body\": 2}, \"n\": 1}\n".repeat(9));
    insta::assert_snapshot!(folder.shown(), @"
    huge/huge 1: huge/a.jsonl | 50 % | text
    title/title 1: title/a.jsonl | 20 % | content
    - its 160 documents are all the same text, so that none can be held out and another trained on: 1 (same)
    - its documents are so few and unequal that no share of them holds out some text and leaves enough to train on: split the longest: 1 (two)
    - no field that holds a string, found `text.body` (a number), `text` (an object), `n` (a number); `text_field` names one, `messages` a list of messages: 1 (nested)
    ");
    let survey = folder.survey();
    let huge = survey.sources.iter().find(|source| source.files.name.as_str() == "huge").unwrap();
    assert!(huge.held_out_bytes > 20_000, "{}", huge.held_out_bytes);
}

#[test]
fn the_text_of_a_row_is_found_wherever_it_is() {
    let folder = Folder::new();
    let lines = |row: &dyn Fn(usize) -> String| (0..40).map(|i| row(i) + "\n").collect::<String>();
    folder.write(
        "nested/a.jsonl",
        lines(&|i| format!(r#"{{"id": "{i}", "doc": {{"lang": "en", "text": "nested {i}"}}}}"#)),
    );
    folder.write(
        "pair/a.jsonl",
        lines(&|i| format!(r#"{{"instruction": "do {i}", "input": "", "output": "done {i}"}}"#)),
    );
    folder.write(
        "triple/a.jsonl",
        lines(&|i| format!(r#"{{"instruction": "do {i}", "input": "of", "output": "did"}}"#)),
    );
    let some = |i| if i % 4 > 0 { r#""input": "of", "# } else { "" };
    folder.write(
        "unclear/a.jsonl",
        lines(&|i| format!(r#"{{{}"instruction": "do {i}", "output": "did"}}"#, some(i))),
    );
    let turns = |name: &str| format!(r#""{name}": [{{"role": "user", "content": "say"}}]"#);
    folder.write(
        "chat/a.jsonl",
        lines(&|i| {
            format!(r#"{{"id": "{}", {}}}"#, i, turns("turns").replace("say", &format!("{i}")))
        }),
    );
    folder.write("chats/a.jsonl", lines(&|_| format!("{{{}, {}}}", turns("a"), turns("b"))));
    folder.write(
        "twofold/a.jsonl",
        lines(&|i| format!(r#"{{"a": {{"text": "a {i}"}}, "b": {{"text": "b {i}"}}}}"#)),
    );
    insta::assert_snapshot!(folder.shown(), @r#"
    chat/chat 1: chat/a.jsonl | 20 % | {"text":{"messages":{"field":"turns","template":"{role}: {content}","separator":"\n\n"}}}
    nested/nested 1: nested/a.jsonl | 20 % | doc.text
    pair/pair 1: pair/a.jsonl | 20 % | {"text":{"fields":{"fields":["instruction","output"],"separator":"\n\n"}}}
    triple/triple 1: triple/a.jsonl | 20 % | {"text":{"fields":{"fields":["instruction","input","output"],"separator":"\n\n"}}}
    - more than one field that may hold the text (`a.text`, `b.text`): name one in its source, for example `text_field = "a.text"`: 1 (twofold)
    - more than one list of messages (`a`, `b`): name one in its source, for example `messages = "a"`: 1 (chats)
    - several fields make its text, of which `input` is not in every record: name those to join in its source, for example `text_field = ["instruction", "output"]`: 1 (unclear)
    "#);
}

#[test]
fn long_lines_without_an_empty_one_look_like_documents() {
    let folder = Folder::new();
    let line = |i: usize| format!("{i} {}\n", "some words of a line ".repeat(8));
    folder.write("lines/a.txt", (0..60).map(line).collect::<String>());
    folder.write("short/a.txt", "a line of verse\n".repeat(60));
    let paragraphs = |i| format!("{}\n", line(i));
    for i in 0..20 {
        folder.write(&format!("prose/{i}.txt"), (i..i + 60).map(paragraphs).collect::<String>());
    }
    let survey = folder.survey();
    let is_lines =
        |source: &SurveyedSource| (source.files.name.to_string(), source.files.rows.lines);
    let found: Vec<_> = survey.sources.iter().map(is_lines).collect();
    assert_eq!(found, [("lines".to_owned(), true), ("prose".to_owned(), false)]);
}

#[test]
fn held_out_files_that_are_trained_on_are_left_out() {
    let folder = Folder::new();
    folder.write("odd/odd.train.jsonl", records("text", 60));
    let honest = records("text", 3).replace("record", "held-out record");
    folder.write("odd/odd.val.jsonl", [records("text", 30), honest.clone()].concat());
    folder.write("good/good.train.jsonl", records("text", 40));
    folder.write("good/good.val.jsonl", honest);
    insta::assert_snapshot!(folder.shown(), @"
    good/good 2: good/good.train.jsonl | good/good.val.jsonl | text
    odd/odd 1: odd/odd.train.jsonl | 20 % | text
    - held-out documents that stand in the training text too: 1 (odd/odd.val.jsonl)
    ");
}

#[test]
fn sources_that_share_documents_hold_out_the_same_of_them() {
    let folder = Folder::new();
    let some = |from: usize, to: usize| -> String {
        let line = |i| format!("{{\"text\": \"record number {i} of some\"}}\n");
        (from..to).map(line).collect()
    };
    folder.write("large/a.jsonl", some(0, 4000));
    folder.write("small/a.jsonl", some(3960, 4040));
    folder.write("other/a.jsonl", some(5000, 9000));
    insta::assert_snapshot!(folder.shown(), @"
    large/large 1: large/a.jsonl | 20 % | text
    other/other 1: other/a.jsonl | 5 % | text
    small/small 1: small/a.jsonl | 20 % | text
    ");
    assert_eq!(folder.survey().shared, []);
    // Held-out files are what they are; so are documents that differ in their marks alone.
    folder.write("own/own.train.jsonl", some(9000, 9100));
    folder.write("own/own.val.jsonl", some(5000, 5010) + &some(9100, 9110));
    folder.write(
        "marks/a.jsonl",
        some(10_000, 10_100) + &some(10_000, 10_100).replace(" of", ", of"),
    );
    let shared = folder.survey().shared;
    let [marks, own] = &shared[..] else { panic!("{shared:?}") };
    let names = |it: &Shared| it.within.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((marks.source.as_str(), names(marks)), ("marks", vec!["marks".to_owned()]));
    assert_eq!((own.source.as_str(), names(own)), ("own", vec!["other".to_owned()]));
    // But for those that `other` holds out too.
    assert!((6..=10).contains(&own.documents) && own.of_documents == 20, "{own:?}");
}

#[test]
fn damage_of_a_parquet_file_is_named() {
    let folder = Folder::new();
    let rows = |of: &str| (0..400).map(|i| format!("{of} {i} of some {}", i * i)).collect();
    let whole = parquet(&[("id", rows("id")), ("text", rows("row"))]);
    folder.write("good/a.jsonl", records("text", 40));
    let mut bytes = whole.clone();
    let at = whole.windows(6).position(|it| it == b"row 0 ").unwrap();
    bytes[at - 40..at + 4000].fill(0xff);
    folder.write("odd/a.parquet", &bytes);
    insta::assert_snapshot!(folder.shown(), @"
    good/good 1: good/a.jsonl | 20 % | text
    - `odd/a.parquet` is not a whole Parquet file, near row 1: dictionary index out of bounds: the len is 400 but the index is 511: 1 (odd)
    ");
}

#[test]
fn links_to_one_file_count_once() {
    let folder = Folder::new();
    folder.write("good/a.jsonl", records("text", 40));
    folder.write("odd/a-1.jsonl", records("text", 50));
    for i in 2..4 {
        symlink("a-1.jsonl", folder.0.path().join(format!("odd/a-{i}.jsonl"))).unwrap();
    }
    insta::assert_snapshot!(folder.shown(), @"
    good/good 1: good/a.jsonl | 20 % | text
    odd/odd 1: odd/a-1.jsonl | 20 % | text
    - a link to a file that counts already: 2 (odd/a-2.jsonl odd/a-3.jsonl)
    ");
}

#[test]
fn an_address_is_no_folder() {
    let error = survey(Path::new("s3://bucket/text"), &AtomicBool::new(false)).unwrap_err();
    let said = format!("{error}\nhint: {}", error.hint().unwrap());
    insta::assert_snapshot!(said, @r"
    `s3://bucket/text` is an address, expected a path on this machine
    hint: copy it here first, for example with `aws s3 sync s3://bucket/text data`
    ");
}

fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap()
}

/// Some hundred folders of changed files of every kind: surveyed without a panic, and what is found
/// in one can be read.
#[test]
fn whatever_is_changed_in_files_a_survey_does_not_panic() {
    let lines = records("text", 40);
    let rows = (0..40).map(|i| format!("row {i} of some")).collect();
    let whole: [(&str, Vec<u8>); 6] = [
        ("lines/a.jsonl", lines.clone().into_bytes()),
        ("gzip/a.jsonl.gz", gzip(&lines)),
        ("zstd/a.jsonl.zst", zstd::encode_all(lines.as_bytes(), 1).unwrap()),
        ("columns/a.parquet", parquet(&[("text", rows)])),
        (
            "deep/a.json",
            format!("{{\"a\": {}1{}, \"text\": \"x\"}}\n", "[".repeat(90), "]".repeat(90))
                .repeat(9)
                .into_bytes(),
        ),
        ("prose/a.txt", "some prose ".repeat(40).into_bytes()),
    ];
    let mut random = 1_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % below
    };
    let folder = Folder::new();
    for _ in 0..300 {
        for (name, bytes) in &whole {
            let mut bytes = bytes.clone();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                match next(5) {
                    0 => bytes[at] ^= 1 << next(8),
                    1 => bytes[at] = b"\"\\[]{},:\n\0\xffN"[next(12)],
                    2 => bytes.truncate(at + 1),
                    3 => drop(bytes.splice(at..at, *b"\\ud800")),
                    _ => drop(bytes.splice(at..at, *b"NaN")),
                }
            }
            let path = folder.0.path().join(name);
            sparkjoy_base::write_atomic(&path, &bytes).unwrap();
        }
        folder.survey();
    }
}
