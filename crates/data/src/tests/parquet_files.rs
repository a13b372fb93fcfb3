//! Parquet files as writers make them, and as nobody should.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;

/// A file of one column of strings, in row groups.
fn file(groups: &[Vec<String>], properties: WriterPropertiesBuilder) -> Vec<u8> {
    let schema = parse_message_type("message rows { REQUIRED BYTE_ARRAY text (UTF8); }").unwrap();
    let properties = Arc::new(properties.build());
    let mut file = SerializedFileWriter::new(Vec::new(), schema.into(), properties).unwrap();
    for texts in groups {
        let values: Vec<ByteArray> = texts.iter().map(|t| ByteArray::from(t.as_str())).collect();
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    file.into_inner().unwrap()
}

fn texts(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(text).collect()
}

fn encoded(encoding: Encoding) -> WriterPropertiesBuilder {
    WriterProperties::builder().set_dictionary_enabled(false).set_encoding(encoding)
}

/// Encodings in which a text column is written.
const ENCODINGS: [Encoding; 3] =
    [Encoding::PLAIN, Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY];

#[test]
fn a_row_group_without_rows_is_passed_over() {
    for empty in 0..3 {
        let mut groups = vec![texts(0..10), texts(10..20), texts(20..30)];
        groups.insert(empty, Vec::new());
        let place = Place::new();
        place.write("a.parquet", &file(&groups, WriterProperties::builder()));
        let corpus = place.prepare(&place.source(&["a.parquet"], 300_000)).unwrap();
        assert_eq!(corpus.documents(Part::Train) + corpus.documents(Part::Validation), 30);
    }
}

#[test]
fn every_encoding_gives_the_same_tokens() {
    let tokens_of = |bytes: &[u8]| {
        let place = Place::new();
        place.write("a.parquet", bytes);
        let corpus = place.prepare(&place.source(&["a.parquet"], 300_000)).unwrap();
        (tokens(&corpus, Part::Train), tokens(&corpus, Part::Validation))
    };
    let groups = [texts(0..200), texts(200..333)];
    let expected = tokens_of(&file(&groups, WriterProperties::builder()));
    for encoding in ENCODINGS {
        assert!(tokens_of(&file(&groups, encoded(encoding))) == expected, "{encoding}");
    }
}

/// Rows of a block share nothing with each other, so each is short of what a bomb would make.
#[test]
fn rows_that_repeat_one_long_value_come_a_few_at_a_time() {
    let long = "x".repeat(40_000);
    let groups = [vec![long; 500]];
    let small = file(&groups, WriterProperties::builder().set_compression(Compression::SNAPPY));
    assert!(small.len() < 20_000, "{}", small.len());
    let place = Place::new();
    let path = place.write("a.parquet", &small);
    let source = place.source(&["a.parquet"], 0);
    let input = &crate::source::list(&source).unwrap()[0];
    assert_eq!(input.path, path.canonicalize().unwrap());
    let usual = Rows::default();
    let mut rows = crate::parquet_text::ParquetText::open(input, &usual).unwrap();
    let mut read = 0;
    while let Some(block) = rows.next(100_000, 1 << 20).unwrap() {
        assert!(block.bytes.len() <= 140_000, "{}", block.bytes.len());
        read += block.ends.len();
    }
    assert_eq!(read, 500);
}

#[test]
fn a_page_of_gigabytes_is_refused_before_it_is_unpacked() {
    let whole = file(&[texts(0..50)], WriterProperties::builder().set_dictionary_enabled(false));
    // The header of the first page: its type, and its size unpacked in two bytes. Here 2 GiB.
    assert_eq!((whole[4], whole[5], whole[6], whole[9]), (0x15, 0, 0x15, 0x15));
    let bomb = [&whole[..7], &[0xfe, 0xff, 0xff, 0xff, 0x0f], &whole[9..]].concat();
    let place = Place::new();
    place.write("a.parquet", &bomb);
    insta::assert_snapshot!(place.refusal(&place.source(&["a.parquet"], 300_000)), @r"
    error: `a.parquet` is not a whole Parquet file, near row 1: a page of 2.0 GiB, expected at most 512 MiB
    hint: copy the file again: its end or a page is missing
    ");
}

/// A run of levels takes a few bytes for any number of entries.
#[test]
fn a_list_of_millions_of_entries_is_refused() {
    let schema = "message rows { REPEATED GROUP messages {
        OPTIONAL BYTE_ARRAY role (UTF8); OPTIONAL BYTE_ARRAY content (UTF8); } }";
    let schema = parse_message_type(schema).unwrap();
    let mut file = SerializedFileWriter::new(Vec::new(), schema.into(), Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    for _ in 0..2 {
        let mut column = group.next_column().unwrap().unwrap();
        let mut repeats = vec![1; 17 << 20];
        repeats[0] = 0;
        let levels = vec![1; repeats.len()];
        let writer = column.typed::<ByteArrayType>();
        writer.write_batch(&[], Some(&levels), Some(&repeats)).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    let file = file.into_inner().unwrap();
    assert!(file.len() < 100_000, "{}", file.len());
    let place = Place::new();
    place.write("a.parquet", &file);
    let template = crate::Template::of_message(crate::MESSAGE).unwrap();
    let text = crate::RowText::Messages {
        field: "messages".to_owned(),
        template,
        separator: String::new(),
    };
    let source = SourceFiles { rows: Rows::of(text), ..place.source(&["a.parquet"], 300_000) };
    insta::assert_snapshot!(place.refusal(&source), @r"
    error: `a.parquet` is not a whole Parquet file, near row 1: a row group of too many list entries, expected at most 16 million
    hint: copy the file again: its end or a page is missing
    ");
}

/// A few thousand changes of bits and bytes in files of every encoding: read, or refused with the
/// name of the file; no panic.
#[test]
fn whatever_is_changed_in_a_file_nothing_panics() {
    let mut random = 1_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % below
    };
    let place = Place::new();
    let source = place.source(&["a.parquet"], 0);
    let mut refused = 0;
    for encoding in ENCODINGS {
        let whole = file(&[texts(0..40)], encoded(encoding));
        for _ in 0..1000 {
            let mut bytes = whole.clone();
            for _ in 0..=next(2) {
                let at = next(bytes.len());
                match next(3) {
                    0 => bytes[at] ^= 1 << next(8),
                    1 => bytes[at] = [0, 0xff, 0x7f, 0x80][next(4)],
                    _ => drop(bytes.splice(at..at, [0xff; 4])),
                }
            }
            place.write("a.parquet", &bytes);
            let inputs = crate::source::list(&source).unwrap();
            let _ = crate::parquet_text::columns(&inputs[0]);
            let read = crate::blocks::read(0, &inputs[0], &Rows::default(), &TINY, |_| true);
            if let Err(error) = read {
                assert!(error.to_string().contains("`a.parquet`"), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 300, "{refused}");
}
