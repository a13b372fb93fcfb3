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
    error: `a.jsonl` line 3: byte 11 is not UTF-8: 0xe9 is `é` in Latin-1, which `iconv -f LATIN1 -t UTF-8 FILE > NEW` converts
    hint: convert the file to UTF-8: `iconv -f LATIN1 -t UTF-8 FILE > NEW`, or set on_bad_document = "skip" to count and leave out such documents
    "#);
    insta::assert_snapshot!(said("a.txt", b"caf\xe9"), @r#"
    error: `a.txt` (one document): byte 4 is not UTF-8: 0xe9 is `é` in Latin-1, which `iconv -f LATIN1 -t UTF-8 FILE > NEW` converts
    hint: convert the file to UTF-8: `iconv -f LATIN1 -t UTF-8 FILE > NEW`, or set on_bad_document = "skip" to count and leave out such documents
    "#);
}

#[test]
fn text_in_two_bytes_a_letter_and_lines_without_line_feeds_are_named() {
    let lines = String::from_utf8(json_lines(0..5)).unwrap();
    let wide =
        |order: fn(u16) -> [u8; 2]| -> Vec<u8> { lines.encode_utf16().flat_map(order).collect() };
    insta::assert_snapshot!(said("a.jsonl", &wide(u16::to_le_bytes)), @"
    error: `a.jsonl` is UTF-16LE text, expected UTF-8: `iconv -f UTF-16LE -t UTF-8 a.jsonl > NEW`
    hint: convert it: `iconv -f UTF-16LE -t UTF-8 a.jsonl > NEW`, and name the new file
    ");
    insta::assert_snapshot!(said("a.txt", &wide(u16::to_be_bytes)), @"
    error: `a.txt` is UTF-16BE text, expected UTF-8: `iconv -f UTF-16BE -t UTF-8 a.txt > NEW`
    hint: convert it: `iconv -f UTF-16BE -t UTF-8 a.txt > NEW`, and name the new file
    ");
    let returns = lines.replace('\n', "\r");
    insta::assert_snapshot!(said("a.jsonl", returns.as_bytes()), @r"
    error: `a.jsonl` ends its lines with CR alone, expected LF: `tr '\r' '\n' < a.jsonl > NEW`
    hint: convert it: `tr '\r' '\n' < a.jsonl > NEW`, and name the new file
    ");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(returns.as_bytes()).unwrap();
    insta::assert_snapshot!(said("a.jsonl.gz", &gz.finish().unwrap()), @r"
    error: `a.jsonl.gz` ends its lines with CR alone, expected LF: `gzip -dc a.jsonl.gz | tr '\r' '\n' > NEW`
    hint: convert it: `gzip -dc a.jsonl.gz | tr '\r' '\n' > NEW`, and name the new file
    ");
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
    error: `plain.jsonl.zst` is not compressed, whatever its name says: it begins as JSON
    hint: take the last extension off its name
    ");
    insta::assert_snapshot!(said("noise.jsonl.zst", b"neither"), @r"
    error: `noise.jsonl.zst` is not a whole zstd file: Unknown frame descriptor (0 B of text came before)
    hint: check it with `zstd --test --long=27 noise.jsonl.zst` and copy it again
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

/// A bit that flips makes other text, and so a fault of a document, before its checksum is read.
#[test]
fn a_fault_in_a_damaged_file_is_the_damage() {
    let stored = || flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    let mut gz = stored();
    gz.write_all(&json_lines(0..500)).unwrap();
    let mut gz = gz.finish().unwrap();
    let at = gz.windows(8).position(|window| window == b"\"text\":\"").unwrap();
    gz[at + 6] ^= 1;
    insta::assert_snapshot!(said("a.jsonl.gz", &gz), @r"
    error: `a.jsonl.gz` is not a whole gzip file: corrupt gzip stream does not have a matching checksum (81.1 KiB of text came before)
    hint: check it with `gzip --test a.jsonl.gz` and copy it again
    ");
    let place = Place::new();
    place.write("a.jsonl.gz", &gz);
    let source = place.source(&["a.jsonl.gz"], 100_000);
    let error = crate::sample_documents(&source, sparkjoy_base::Seed(1), 1000).unwrap_err();
    assert!(error.to_string().contains("is not a whole gzip file"), "{error}");

    let mut twice = stored();
    twice.write_all(&gz).unwrap();
    insta::assert_snapshot!(said("b.jsonl.gz", &twice.finish().unwrap()), @r"
    error: `b.jsonl.gz` is packed twice: unpacked it is gzip again, expected text
    hint: unpack it: `gzip -dc b.jsonl.gz | gzip -d > NEW`, and name the new file
    ");
    let zst = zstd::encode_all(&zstd::encode_all(&b"text"[..], 1).unwrap()[..], 1).unwrap();
    insta::assert_snapshot!(said("c.txt.zst", &zst), @r"
    error: `c.txt.zst` is packed twice: unpacked it is zstd again, expected text
    hint: unpack it: `zstd -dc c.txt.zst | zstd -d > NEW`, and name the new file
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
        rows: Rows::of_field(text_field),
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
    hint: name held-out files with text
    "#);
}

#[test]
fn a_larger_split_is_proposed_only_if_it_is_larger_and_can_help() {
    let hint = |documents: usize, ppm| {
        // The first documents whose hash is past every share in question.
        let late =
            (0..).filter(|&i| crate::encode::millionth(crate::encode::hash(&text(i))) > 400_000);
        let lines: Vec<u8> = late.take(documents).flat_map(|i| json_lines(i..i + 1)).collect();
        let place = Place::new();
        place.write("a.jsonl", &lines);
        let said = place.refusal(&place.source(&["a.jsonl"], ppm));
        said.split("hint: ").nth(1).unwrap().to_owned()
    };
    assert!(hint(5, 10_000).starts_with("raise the split, for example `holdout = \"5%\"`"));
    assert!(hint(5, 100_000).starts_with("raise the split, for example `holdout = \"20%\"`"));
    assert!(hint(1, 100_000).starts_with("split the document into several"));
}

#[test]
fn a_gzip_file_may_end_in_zeros_and_have_members() {
    let gzip = |bytes: &[u8]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    };
    let (one, two) = (gzip(&json_lines(0..50)), gzip(&json_lines(50..90)));
    let zeros = vec![0; 300_000];
    let place = Place::new();
    for (i, file) in
        [[&one[..], &two].concat(), [&one[..], &two, &zeros].concat()].iter().enumerate()
    {
        let name = format!("{i}.jsonl.gz");
        place.write(&name, file);
        let source = place.source(&[&name], 100_000);
        let corpus = prepare(&source, &place.root().join(format!("out-{i}")), 2).unwrap();
        assert_eq!(corpus.documents(Part::Train) + corpus.documents(Part::Validation), 90);
    }
    let said = said("a.jsonl.gz", &[&one[..], b"\0\0no member of the file"].concat());
    assert!(said.contains("`a.jsonl.gz` is not a whole gzip file: invalid gzip header"), "{said}");
}

#[test]
fn a_zstd_window_past_the_bound_is_named() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.window_log(30).unwrap();
    encoder.write_all(&json_lines(0..50)).unwrap();
    insta::assert_snapshot!(said("a.jsonl.zst", &encoder.finish().unwrap()), @r"
    error: `a.jsonl.zst` needs a zstd window of more than 128 MiB, the most that is read
    hint: pack it again with a smaller one: `zstd -dc --long=31 a.jsonl.zst | zstd --long=27 -o NEW.zst`
    ");
}

#[test]
fn a_line_that_unpacks_past_the_bound_is_refused_on_the_way() {
    let place = Place::new();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(b"{\"text\": \"").unwrap();
    for _ in 0..100 {
        encoder.write_all(&vec![b'a'; 1 << 20]).unwrap();
    }
    place.write("a.jsonl.zst", &encoder.finish().unwrap());
    let source = place.source(&["a.jsonl.zst"], 100_000);
    let input = &crate::source::list(&source).unwrap()[0];
    let sizes = Sizes { document_bytes_max: 4 << 20, ..Sizes::USUAL };
    let error = crate::blocks::read(0, input, &Rows::default(), &sizes, |_| true).unwrap_err();
    let said = place.shown(&error);
    assert!(said.contains("line 1: longer than 4.0 MiB, the most a document may have"), "{said}");
}

#[test]
fn a_byte_order_mark_is_no_part_of_plain_text() {
    let place = Place::new();
    place.write("a.txt", "\u{feff}one text".as_bytes());
    place.write("b.txt", "another text".as_bytes());
    let held_out = Validation::Files(vec!["b.txt".to_owned()]);
    let source = SourceFiles { validation: held_out, ..place.source(&["a.txt"], 0) };
    assert_eq!(documents(&place.prepare(&source).unwrap(), Part::Train), ["one text"]);
}

#[test]
fn a_path_takes_in_only_what_is_text_by_its_kind() {
    let place = Place::new();
    place.write("web/a.jsonl", &json_lines(0..40));
    place.write("web/b.jsonlines", &json_lines(40..50));
    for name in ["README.md", "LICENSE", "_SUCCESS", "a.csv", "a.mds", "notes"] {
        place.write(&format!("web/{name}"), b"not a record");
    }
    let refusal = |paths: &[&str]| place.refusal(&place.source(paths, 300_000));
    insta::assert_snapshot!(refusal(&["web/*.csv"]), @r"
    error: source `web`: `web/a.csv` is not read: `.csv` is no kind of text that is known
    hint: name text: JSON Lines (`.jsonl`), Parquet, or plain text by its extension (`.txt` is one document)
    ");
    insta::assert_snapshot!(refusal(&["web/a.mds"]), @r"
    error: source `web`: `web/a.mds` is not read: `.mds` is no kind of text that is known
    hint: name text: JSON Lines (`.jsonl`), Parquet, or plain text by its extension (`.txt` is one document)
    ");
    let corpus = place.prepare(&place.source(&["web", "web/*"], 300_000)).unwrap();
    assert_eq!(corpus.documents(Part::Train) + corpus.documents(Part::Validation), 50);
    // A README that is named is meant.
    let named = place.source(&["web/README.md", "web/a.jsonl"], 300_000);
    let corpus = prepare(&named, &place.root().join("named"), 1).unwrap();
    assert_eq!(corpus.documents(Part::Train) + corpus.documents(Part::Validation), 41);
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let place = Place::new();
    let path = place.write("x", b"").with_file_name("a.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let error = place.prepare(&place.source(&["a.jsonl"], 100_000)).unwrap_err();
    assert!(error.to_string().ends_with("a.jsonl`: it is a pipe, expected a file"), "{error}");
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
