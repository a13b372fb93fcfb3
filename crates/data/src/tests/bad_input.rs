//! Every refusal of input, as the command line shows it.

use std::fs;
use std::io::Write as _;

use sparkjoy_base::FileError;

use super::*;

fn testdata(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/parquet");
    fs::read(folder.join(format!("{name}.parquet"))).unwrap()
}

/// What is said about one file of these bytes.
fn said(name: &str, bytes: &[u8]) -> String {
    let place = Place::new();
    place.write(name, bytes);
    let said = place.refusal(&place.source(&[name], 100_000));
    assert!(!place.out().join("DONE").exists());
    said
}

/// Three good lines around a bad one.
fn around(bad: &[u8]) -> Vec<u8> {
    [&json_lines(0..2)[..], bad, b"\n", &json_lines(2..3)].concat()
}

#[test]
fn a_broken_json_line_is_named_by_file_and_line() {
    insta::assert_snapshot!(said("a.jsonl", &around(br#"{"text": "abc"#)), @r#"
    error: `a.jsonl` line 3: broken JSON at column 13: EOF while parsing a string
    hint: write one JSON object a line, or set on_bad_document = "skip" to count and leave out such documents
    "#);
}

#[test]
fn a_missing_text_field_lists_the_fields_there_are() {
    insta::assert_snapshot!(said("a.jsonl", &around(br#"{"id": 1, "content": "x"}"#)), @r#"
    error: `a.jsonl` line 3: no field `text`, found `id`, `content`
    hint: name the field that holds the text with `text_field`, or set on_bad_document = "skip" to count and leave out such documents
    "#);
}

#[test]
fn a_text_field_of_another_type_is_named() {
    insta::assert_snapshot!(said("a.jsonl", &around(br#"{"text": ["x"]}"#)), @r#"
    error: `a.jsonl` line 3: `text` is an array, expected a string
    hint: fix the document, or set on_bad_document = "skip" to count and leave out such documents
    "#);
}

#[test]
fn a_repeated_text_field_is_named() {
    insta::assert_snapshot!(said("a.jsonl", &around(br#"{"text": "x", "text": "y"}"#)), @r#"
    error: `a.jsonl` line 3: field `text` stands there twice, expected once
    hint: fix the document, or set on_bad_document = "skip" to count and leave out such documents
    "#);
}

#[test]
fn bytes_that_are_not_utf8_are_named_in_lines_and_in_plain_text() {
    insta::assert_snapshot!(said("a.jsonl", &around(b"{\"text\": \"\xe9\"}")), @r#"
    error: `a.jsonl` line 3: byte 11 is not UTF-8
    hint: convert the file to UTF-8 (`iconv -t UTF-8`), or set on_bad_document = "skip" to count and leave out such documents
    "#);
    insta::assert_snapshot!(said("a.txt", b"caf\xe9"), @r#"
    error: `a.txt` (one document): byte 4 is not UTF-8
    hint: convert the file to UTF-8 (`iconv -t UTF-8`), or set on_bad_document = "skip" to count and leave out such documents
    "#);
}

#[test]
fn a_document_past_the_bound_is_refused_in_every_kind_of_file() {
    let long = "x".repeat(6000);
    insta::assert_snapshot!(said("a.jsonl", &around(format!("{{\"text\":\"{long}\"}}").as_bytes())), @r"
    error: `a.jsonl` line 3: longer than 4.9 KiB, the most a document may have
    hint: split the document, or leave the file out
    ");
    insta::assert_snapshot!(said("a.txt", long.as_bytes()), @r"
    error: `a.txt` (one document): longer than 4.9 KiB, the most a document may have
    hint: split the document, or leave the file out
    ");
}

#[test]
fn compressed_files_that_break_off_are_refused() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&json_lines(0..50)).unwrap();
    let gz = gz.finish().unwrap();
    insta::assert_snapshot!(said("a.jsonl.gz", &gz[..gz.len() - 5]), @r"
    error: `a.jsonl.gz` is not a whole gzip file: unexpected end of file (7.9 KiB of text came before)
    hint: check it with `gzip --test a.jsonl.gz` and copy it again
    ");
    let zst = zstd::encode_all(&json_lines(0..50)[..], 1).unwrap();
    insta::assert_snapshot!(said("a.jsonl.zst", &zst[..zst.len() - 5]), @r"
    error: `a.jsonl.zst` is not a whole zstd file: incomplete frame (0 B of text came before)
    hint: check it with `zstd --test --long=27 a.jsonl.zst` and copy it again
    ");
    insta::assert_snapshot!(said("empty.jsonl.gz", b""), @r"
    error: `empty.jsonl.gz` is not a whole gzip file: the file is empty (0 B of text came before)
    hint: check it with `gzip --test empty.jsonl.gz` and copy it again
    ");
    insta::assert_snapshot!(said("plain.jsonl.zst", b"{\"text\": \"not compressed\"}"), @r"
    error: `plain.jsonl.zst` is not a whole zstd file: Unknown frame descriptor (0 B of text came before)
    hint: check it with `zstd --test --long=27 plain.jsonl.zst` and copy it again
    ");
    // Also where broken documents are skipped.
    let place = Place::new();
    place.write("a.jsonl.gz", &gz[..gz.len() - 5]);
    let skip = OnBadDocument::Skip;
    let source = SourceFiles { on_bad_document: skip, ..place.source(&["a.jsonl.gz"], 100_000) };
    assert!(place.refusal(&source).contains("is not a whole gzip file"));
}

#[test]
fn an_altered_byte_in_a_compressed_file_is_found() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&json_lines(0..50)).unwrap();
    let mut gz = gz.finish().unwrap();
    // The checksum at the end.
    let at = gz.len() - 6;
    gz[at] ^= 1;
    insta::assert_snapshot!(said("a.jsonl.gz", &gz), @r"
    error: `a.jsonl.gz` is not a whole gzip file: corrupt gzip stream does not have a matching checksum (7.9 KiB of text came before)
    hint: check it with `gzip --test a.jsonl.gz` and copy it again
    ");
}

#[test]
fn parquet_files_are_refused_by_what_is_wrong() {
    let whole = testdata("snappy");
    insta::assert_snapshot!(said("cut.parquet", &whole[..whole.len() - 5]), @r"
    error: `cut.parquet` is not a whole Parquet file, near row 1: Invalid Parquet file. Corrupt footer
    hint: copy the file again: its end or a page is missing
    ");
    let mut altered = whole.clone();
    altered[4..400].fill(0xee);
    insta::assert_snapshot!(said("altered.parquet", &altered), @r"
    error: `altered.parquet` is not a whole Parquet file, near row 1: Unexpected struct field type 14
    hint: copy the file again: its end or a page is missing
    ");
    insta::assert_snapshot!(said("null.parquet", &testdata("null")), @r#"
    error: `null.parquet` row 4: `text` is null, expected a string
    hint: fix the document, or set on_bad_document = "skip" to count and leave out such documents
    "#);
    insta::assert_snapshot!(said("binary.parquet", &testdata("binary")), @r#"
    error: `binary.parquet` row 34: byte 5 is not UTF-8
    hint: convert the file to UTF-8 (`iconv -t UTF-8`), or set on_bad_document = "skip" to count and leave out such documents
    "#);
    insta::assert_snapshot!(said("list.parquet", &testdata("list")), @r"
    error: `list.parquet`: column `text` holds lists or structs, expected strings
    hint: name the column that holds the text with `text_field`
    ");

    let place = Place::new();
    place.write("a.parquet", &whole);
    let source = |text_field: &str| SourceFiles {
        text_field: text_field.into(),
        ..place.source(&["a.parquet"], 100_000)
    };
    insta::assert_snapshot!(place.refusal(&source("content")), @r"
    error: `a.parquet` has no column `content`, found `id`, `text`
    hint: name the column that holds the text with `text_field`
    ");
    insta::assert_snapshot!(place.refusal(&source("id")), @r"
    error: `a.parquet`: column `id` holds INT64, expected strings
    hint: name the column that holds the text with `text_field`
    ");
}

#[test]
fn skipped_documents_are_counted_and_named() {
    let place = Place::new();
    place.write("a.jsonl", &around(b"{\"text\": 5}"));
    place.write("b.jsonl", &[json_lines(3..60), b"broken\n".repeat(150)].concat());
    place.write("c.txt", b"\xff");
    place.write("d.parquet", &testdata("null"));
    let skip = OnBadDocument::Skip;
    let source = SourceFiles { on_bad_document: skip, ..place.source(&["."], 100_000) };
    let corpus = place.prepare(&source).unwrap();
    assert_eq!(corpus.skipped(), 1 + 150 + 1 + 2);
    assert_eq!(corpus.skipped_shown().len(), 100);
    assert_eq!(
        corpus.skipped_shown()[..2],
        [
            "`a.jsonl` line 3: `text` is a number, expected a string",
            "`b.jsonl` line 58: broken JSON at column 1: expected value",
        ]
    );
    let documents = corpus.documents(Part::Train) + corpus.documents(Part::Validation);
    assert_eq!(documents, 60 + 48);
}

#[test]
fn blank_lines_are_no_documents() {
    let place = Place::new();
    place.write("a.jsonl", &[b"\n \r\n".to_vec(), json_lines(0..40), b"\n\n".to_vec()].concat());
    let corpus = place.prepare(&place.source(&["a.jsonl"], 300_000)).unwrap();
    assert_eq!(corpus.documents(Part::Train) + corpus.documents(Part::Validation), 40);
}

#[test]
fn a_path_that_stands_for_nothing_is_refused() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..3));
    fs::create_dir(place.root().join("in/hollow")).unwrap();
    let refusal = |paths: &[&str]| place.refusal(&place.source(paths, 100_000));
    insta::assert_snapshot!(refusal(&["a.jsonl", "b/*.jsonl"]), @r"
    error: source `web`: no files match `b/*.jsonl` in `HERE/in`
    hint: check the path against `ls HERE/in`, or name another folder with `--data`
    ");
    insta::assert_snapshot!(refusal(&["hollow"]), @r"
    error: source `web`: no files match `hollow` in `HERE/in`
    hint: check the path against `ls HERE/in`, or name another folder with `--data`
    ");
    insta::assert_snapshot!(refusal(&[]), @r#"
    error: source `web` lists no files, expected at least one path or glob
    hint: give source `web` a `path`, for example "web/*.jsonl.zst"
    "#);
    insta::assert_snapshot!(refusal(&["a[.jsonl"]), @r"
    error: `a[.jsonl` is not a glob: invalid range pattern (character 1)
    hint: put `[` and `]` around characters meant literally: `[*]`
    ");
    assert!(matches!(crate::scan(&place.source(&["b"], 1)), Err(DataError::Problem(_))));
}

#[test]
fn a_source_without_text_is_refused() {
    let place = Place::new();
    place.write("a.jsonl", b"\n\n");
    place.write("b.txt", b"");
    insta::assert_snapshot!(place.refusal(&place.source(&["*.jsonl", "*.txt"], 100_000)), @r"
    error: source `web` is empty: no text in what matches `*.jsonl`, `*.txt` in `HERE/in` (files: 2, documents skipped as broken: 0)
    hint: check that these files are the right ones
    ");
    place.write("a.jsonl", b"broken\n");
    let skip = OnBadDocument::Skip;
    let source = SourceFiles { on_bad_document: skip, ..place.source(&["*.jsonl"], 100_000) };
    insta::assert_snapshot!(place.refusal(&source), @r"
    error: source `web` is empty: no text in what matches `*.jsonl` in `HERE/in` (files: 1, documents skipped as broken: 1)
    hint: check that these files are the right ones
    ");
}

#[test]
fn a_source_with_an_empty_side_is_refused() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..30));
    place.write("none.jsonl", b"");
    insta::assert_snapshot!(place.refusal(&place.source(&["a.jsonl"], 1)), @r#"
    error: source `web` holds out none of 30 documents (a split of 0.0001 %), expected at least one
    hint: raise the split, for example `holdout = "5%"`, or name held-out files with text
    "#);
    insta::assert_snapshot!(said_by_split(1_000_000), @r#"
    error: source `web` holds out all of 30 documents (a split of 100 %), expected some to train on
    hint: lower the split, for example `holdout = "1%"`, or name held-out files
    "#);
    let validation = Validation::Files(vec!["none.jsonl".into()]);
    let source = SourceFiles { validation, ..place.source(&["a.jsonl"], 0) };
    let other = place.root().join("other");
    let error = prepare(&source, &other, 1).unwrap_err();
    insta::assert_snapshot!(place.shown(&error), @r#"
    error: source `web` holds out none of 30 documents (validation files), expected at least one
    hint: raise the split, for example `holdout = "5%"`, or name held-out files with text
    "#);
}

fn said_by_split(ppm: u32) -> String {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..30));
    place.refusal(&place.source(&["a.jsonl"], ppm))
}

#[test]
fn a_file_on_both_sides_is_refused() {
    let place = Place::new();
    place.write("web/a.jsonl", &json_lines(0..30));
    place.write("web/b.jsonl", &json_lines(30..40));
    let validation = Validation::Files(vec!["./web/b.jsonl".into()]);
    let source = SourceFiles { validation, ..place.source(&["web"], 0) };
    insta::assert_snapshot!(place.refusal(&source), @r"
    error: source `web`: `HERE/in/web/b.jsonl` is both trained on and held out, expected one of them
    hint: name the training files with a glob that leaves the held-out ones out
    ");
}

#[test]
fn an_unreadable_file_is_named() {
    let place = Place::new();
    std::os::unix::fs::symlink("loop.jsonl", place.write("x", b"").with_file_name("loop.jsonl"))
        .unwrap();
    let error = prepare(&place.source(&["loop.jsonl"], 1), &place.out(), 1).unwrap_err();
    let said = error.to_string().replace(&*place.root().to_string_lossy(), "HERE");
    insta::assert_snapshot!(said, @r"
    cannot read `HERE/in/loop.jsonl`: Too many levels of symbolic links (os error 40)
    ");
}

#[test]
fn a_forbidden_file_says_how_to_look_at_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let path = place.write("a.jsonl", &json_lines(0..3));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        eprintln!("SKIPPED a_forbidden_file_…: this user may read everything");
        return;
    }
    insta::assert_snapshot!(place.refusal(&place.source(&["a.jsonl"], 1)), @r"");
}

#[test]
fn a_full_disk_says_that_the_same_command_continues() {
    let mut full = fs::File::options().write(true).open("/dev/full").unwrap();
    let source = full.write_all(b"tokens").unwrap_err();
    let error = FileError::at("write", Path::new("prepared/web/train-00003.shard"))(source);
    insta::assert_snapshot!(Place::new().shown(&error.into()), @r"
    error: cannot write `prepared/web/train-00003.shard`: No space left on device (os error 28)
    hint: free some space and run the same command again: it continues from here
    ");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let place = Place::new();
    let path = place.write("a.jsonl", &json_lines(0..100));
    let stop = AtomicBool::new(false);
    let append = |progress: crate::PrepareProgress| {
        // Only once blocks have come: the file is then open, and far from read to its end.
        if progress.documents == 0 {
            return;
        }
        let mut file = fs::File::options().append(true).open(&path).unwrap();
        file.write_all(b"\n").unwrap();
    };
    let options = PrepareOptions { threads: 1, stop: &stop, progress: &append };
    let source = place.source(&["a.jsonl"], 200_000);
    let error = prepare_sized(&source, tokenizer(), &place.out(), &options, &TINY).unwrap_err();
    let said = place.shown(&error);
    assert!(said.starts_with("error: `a.jsonl` changed while it was read: "), "{said}");
    assert!(said.ends_with("hint: run the same command again once nothing writes to it"), "{said}");
}
