//! Every refusal of a prepared folder, as the command line shows it.

use std::fs;

use sparkjoy_base::sealed;

use super::*;

/// A prepared source and the path of its first shard.
fn prepared() -> (Place, SourceFiles, PathBuf) {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..60));
    let source = place.source(&["*.jsonl"], 200_000);
    place.prepare(&source).unwrap();
    let shard = place.out().join("train-00000.shard");
    (place, source, shard)
}

fn alter(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    write_atomic(path, &bytes).unwrap();
}

/// What opening says after the first shard was altered.
fn opening(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let (place, _, shard) = prepared();
    alter(&shard, change);
    place.shown(&Corpus::open(&place.out()).expect_err("it was opened"))
}

/// Makes header and checksums of an altered shard consistent again, as a forger would.
fn reseal(bytes: &mut [u8]) {
    let tokens = u64::from_le_bytes(bytes[24 + 8..40].try_into().unwrap()) as usize;
    let payload = tokens * usize::from(bytes[12]);
    let table = 128 + payload;
    for (i, block) in bytes[128..table].to_vec().chunks(65536).enumerate() {
        let sum = xxhash_rust::xxh3::xxh3_64(block).to_le_bytes();
        bytes[table + 8 * i..][..8].copy_from_slice(&sum);
    }
    let footer = bytes.len() - 32;
    let hash = crate::shard::shard_hash(&bytes[..128], &bytes[table..footer]);
    bytes[footer..].copy_from_slice(&hash);
}

#[test]
fn a_truncated_shard_is_refused_when_opened() {
    insta::assert_snapshot!(opening(|bytes| bytes.truncate(300)), @r"
    error: shard `HERE/out/train-00000.shard` has 300 bytes, expected 710
    hint: remove its folder (`rm -r HERE/out`) and run `sparkjoy prepare` again
    ");
    insta::assert_snapshot!(opening(|bytes| bytes.truncate(100)), @r"
    error: shard `HERE/out/train-00000.shard` has 100 bytes, expected 160
    hint: remove its folder (`rm -r HERE/out`) and run `sparkjoy prepare` again
    ");
    insta::assert_snapshot!(opening(Vec::clear), @r"
    error: shard `HERE/out/train-00000.shard` has 0 bytes, expected 160
    hint: remove its folder (`rm -r HERE/out`) and run `sparkjoy prepare` again
    ");
    insta::assert_snapshot!(opening(|bytes| bytes.push(0)), @r"
    error: shard `HERE/out/train-00000.shard` has 711 bytes, expected 710
    hint: remove its folder (`rm -r HERE/out`) and run `sparkjoy prepare` again
    ");
}

/// Peers row 11: a count is bounded by the file before anything is made of it.
#[test]
fn a_count_no_file_can_have_is_refused() {
    for count in [u64::MAX, u64::MAX / 2, 1 << 62, 1 << 40] {
        let said = opening(|bytes| {
            bytes[32..40].copy_from_slice(&count.to_le_bytes());
        });
        assert!(said.contains(" bytes, expected "), "{said}");
    }
}

#[test]
fn a_foreign_file_is_refused() {
    insta::assert_snapshot!(opening(|bytes| bytes[..8].copy_from_slice(b"\x93NUMPY\x01\0")), @r"
    error: `HERE/out/train-00000.shard` is not a shard: it starts with `\x93NUMPY\x01\x00`, expected `SJSHARD`
    hint: remove its folder (`rm -r HERE/out`) and run `sparkjoy prepare` again
    ");
}

#[test]
fn a_newer_version_is_refused() {
    insta::assert_snapshot!(opening(|bytes| bytes[8] = 2), @r"
    error: shard `HERE/out/train-00000.shard` has format version 2, expected 1
    hint: use a newer sparkjoy, or remove `HERE/out` and run `sparkjoy prepare` again
    ");
}

#[test]
fn every_altered_byte_of_header_and_table_is_found_when_opening() {
    let (place, _, shard) = prepared();
    let whole = fs::read(&shard).unwrap();
    let table = whole.len() - 32 - 8;
    for at in (0..128).chain(table..whole.len()) {
        alter(&shard, |bytes| bytes[at] ^= 0x10);
        assert!(Corpus::open(&place.out()).is_err(), "byte {at}");
        write_atomic(&shard, &whole).unwrap();
    }
    Corpus::open(&place.out()).unwrap();
}

#[test]
fn an_altered_token_is_found_when_it_is_read() {
    let (place, _, shard) = prepared();
    let size = fs::metadata(&shard).unwrap().len() as usize;
    for at in [128, 200, size - 41] {
        let whole = fs::read(&shard).unwrap();
        alter(&shard, |bytes| bytes[at] ^= 1);
        let corpus = Corpus::open(&place.out()).unwrap();
        let error = corpus.read(Part::Train, 0, &mut [0; 4]).unwrap_err();
        assert!(error.to_string().contains("is altered: bytes 128 to "), "{error}");
        assert!(corpus.verify().is_err());
        write_atomic(&shard, &whole).unwrap();
    }
    alter(&shard, |bytes| bytes[200] ^= 1);
    let corpus = Corpus::open(&place.out()).unwrap();
    let said = place.shown(&corpus.verify().unwrap_err());
    insta::assert_snapshot!(said, @r"
    error: shard `HERE/out/train-00000.shard` is altered: bytes 128 to 670 have checksum 09885e522a617d61, expected fe4c72d642c66ae5
    hint: remove its folder (`rm -r HERE/out`) and run `sparkjoy prepare` again
    ");
}

#[test]
fn only_the_blocks_that_are_touched_are_checked() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..4000));
    let stop = AtomicBool::new(false);
    let options = PrepareOptions { threads: 2, stop: &stop, progress: &|_| {} };
    let source = place.source(&["a.jsonl"], 10_000);
    let corpus = crate::prepare(&source, tokenizer(), &place.out(), &options).unwrap();
    let shard = &corpus.shards(Part::Train)[0];
    assert!(shard.stored_bytes > 3 * 65536, "{} bytes", shard.stored_bytes);
    // The third block: tokens 65,536 to 98,303 of two bytes each.
    alter(&shard.path, |bytes| bytes[128 + 2 * 65536 + 100] ^= 1);
    let corpus = Corpus::open(&place.out()).unwrap();
    let read = |ordinal| corpus.read(Part::Train, ordinal, &mut [0; 1024]);
    assert!((0..64).all(|ordinal| read(ordinal).is_ok()));
    assert!(read(64).is_err() && read(95).is_err() && read(64).is_err());
    assert!(read(96).is_ok());
}

#[test]
fn a_shard_that_is_cut_off_while_it_is_open_is_named() {
    let (place, _, shard) = prepared();
    let corpus = Corpus::open(&place.out()).unwrap();
    corpus.read(Part::Train, 0, &mut [0; 4]).unwrap();
    let file = fs::File::options().write(true).open(&shard).unwrap();
    file.set_len(200).unwrap();
    let error = corpus.read(Part::Train, 0, &mut [0; 4]).unwrap_err();
    insta::assert_snapshot!(place.shown(&error), @r"
    error: shard `HERE/out/train-00000.shard` has 200 bytes, expected 710
    hint: remove its folder (`rm -r HERE/out`) and run `sparkjoy prepare` again
    ");
}

/// Peers row 20: ids of another width or vocabulary are never handed out.
#[test]
fn a_token_outside_the_vocabulary_is_refused() {
    let (place, _, shard) = prepared();
    alter(&shard, |bytes| {
        bytes[140..142].copy_from_slice(&300_u16.to_le_bytes());
        reseal(bytes);
    });
    accept_hash(&place, &shard);
    let corpus = Corpus::open(&place.out()).unwrap();
    let error = corpus.read(Part::Train, 0, &mut [0; 4]).unwrap_err();
    insta::assert_snapshot!(place.shown(&error), @r"
    error: shard `HERE/out/train-00000.shard` holds token 300 at bytes 128 to 670, expected ids below 300
    hint: remove its folder (`rm -r HERE/out`) and run `sparkjoy prepare` again
    ");
}

/// Peers row 20: the frequency of end-of-text is that of documents.
#[test]
fn a_shard_with_a_document_end_too_many_is_refused() {
    let (place, _, shard) = prepared();
    let end = tokenizer().end_of_text() as u16;
    alter(&shard, |bytes| {
        bytes[140..142].copy_from_slice(&end.to_le_bytes());
        reseal(bytes);
    });
    accept_hash(&place, &shard);
    let error = Corpus::open(&place.out()).unwrap().verify().unwrap_err();
    insta::assert_snapshot!(place.shown(&error), @r"
    error: shard `HERE/out/train-00000.shard` is altered: its count of end-of-text tokens is 4, expected 3, one after each document
    hint: remove its folder (`rm -r HERE/out`) and run `sparkjoy prepare` again
    ");
}

#[test]
fn verifying_finds_a_shard_forged_along_with_its_manifest() {
    let (place, _, shard) = prepared();
    alter(&shard, |bytes| {
        bytes[140] ^= 1;
        reseal(bytes);
    });
    accept_hash(&place, &shard);
    let error = Corpus::open(&place.out()).unwrap().verify().unwrap_err();
    assert!(error.to_string().contains("the fingerprint of its part"), "{error}");
}

/// Writes the shard's own hash into the manifest.
fn accept_hash(place: &Place, shard: &Path) {
    let bytes = fs::read(shard).unwrap();
    let hash = sparkjoy_base::Fingerprint::from_hash(*bytes.last_chunk::<32>().unwrap());
    alter(&place.out().join("source.json"), |manifest| {
        let mut value: serde_json::Value = serde_json::from_slice(manifest).unwrap();
        value["parts"]["train"]["shards"][0]["hash"] = hash.hex().into();
        value.as_object_mut().unwrap().remove("seal");
        *manifest = sealed(&serde_json::to_vec(&value).unwrap(), b"");
    });
}

#[test]
fn a_whole_shard_in_the_wrong_place_is_refused() {
    let (place, _, shard) = prepared();
    let second = fs::read(shard.with_file_name("train-00001.shard")).unwrap();
    let first = fs::read(&shard).unwrap();
    write_atomic(&shard, &second).unwrap();
    let error = Corpus::open(&place.out()).unwrap_err();
    let said = place.shown(&error);
    assert!(said.contains("its place is train shard 1 from token"), "{said}");

    // From another source of the same tokenizer: everything fits but the hash.
    let other = Place::new();
    other.write("a.jsonl", &json_lines(60..120));
    other.prepare(&other.source(&["*.jsonl"], 200_000)).unwrap();
    copy_shard(&other, &shard);
    let said = place.shown(&Corpus::open(&place.out()).unwrap_err());
    assert!(said.contains("is altered: its hash is "), "{said}");
    write_atomic(&shard, &first).unwrap();
    Corpus::open(&place.out()).unwrap();
}

fn copy_shard(from: &Place, to: &Path) {
    write_atomic(to, &fs::read(from.out().join("train-00000.shard")).unwrap()).unwrap();
}

#[test]
fn a_shard_of_another_tokenizer_is_refused() {
    let (place, source, shard) = prepared();
    let stop = AtomicBool::new(false);
    let options = PrepareOptions { threads: 1, stop: &stop, progress: &|_| {} };
    let other = place.root().join("other");
    prepare_sized(&source, &bpe("other words "), &other, &options, &TINY).unwrap();
    write_atomic(&shard, &fs::read(other.join("train-00000.shard")).unwrap()).unwrap();
    let said = place.shown(&Corpus::open(&place.out()).unwrap_err());
    assert!(
        said.starts_with("error: shard `HERE/out/train-00000.shard` holds tokens of tokenizer ")
    );
    assert!(said.ends_with("run `sparkjoy prepare` again"), "{said}");
}

#[test]
fn a_missing_shard_is_named() {
    let (place, _, shard) = prepared();
    fs::remove_file(shard).unwrap();
    insta::assert_snapshot!(place.shown(&Corpus::open(&place.out()).unwrap_err()), @r"
    error: shard `HERE/out/train-00000.shard` is missing, expected 710 bytes
    hint: remove its folder (`rm -r HERE/out`) and run `sparkjoy prepare` again
    ");
}

#[test]
fn a_folder_without_done_is_not_opened() {
    let (place, _, _) = prepared();
    fs::remove_file(place.out().join("DONE")).unwrap();
    insta::assert_snapshot!(place.shown(&Corpus::open(&place.out()).unwrap_err()), @r"
    error: `HERE/out` is not a whole prepared source: no `DONE`
    hint: run `sparkjoy prepare` with the study: it continues
    ");
}

#[test]
fn a_manifest_that_cannot_be_read_is_refused() {
    for (bytes, message) in [
        (&b"{"[..], "is cut off: it ends after 1 B, within its JSON"),
        (
            b"{\"version\": 2}",
            "is not a manifest this version can read: format version 2 found, expected 1",
        ),
        (
            b"{\"version\": 1}",
            "is not a manifest this version can read: missing field `settings` at line 1 column 14",
        ),
    ] {
        let (place, _, _) = prepared();
        write_atomic(&place.out().join("source.json"), bytes).unwrap();
        let said = place.shown(&Corpus::open(&place.out()).unwrap_err());
        let expected = format!(
            "error: `HERE/out/source.json` {message}\n\
             hint: remove its folder (`rm -r HERE/out`) and run `sparkjoy prepare` again"
        );
        assert_eq!(said, expected);
    }
}

#[test]
fn a_folder_made_with_other_settings_is_refused() {
    let (place, source, _) = prepared();
    let other = SourceFiles { validation: Validation::Split(Ppm(10_000)), ..source.clone() };
    insta::assert_snapshot!(place.refusal(&other), @r"
    error: `HERE/out` was prepared with validation from `a split of 20 %`, expected `a split of 1 %`
    hint: remove it (`rm -r HERE/out`), or keep it and prepare elsewhere with `--prepared`
    ");
    let other = SourceFiles { rows: Rows::of_field("content"), ..source.clone() };
    insta::assert_snapshot!(place.refusal(&other), @r"
    error: `HERE/out` was prepared with text_field `text`, expected `content`
    hint: remove it (`rm -r HERE/out`), or keep it and prepare elsewhere with `--prepared`
    ");
    let other = SourceFiles { on_bad_document: OnBadDocument::Skip, ..source.clone() };
    insta::assert_snapshot!(place.refusal(&other), @r"
    error: `HERE/out` was prepared with on_bad_document `refuse`, expected `skip`
    hint: remove it (`rm -r HERE/out`), or keep it and prepare elsewhere with `--prepared`
    ");
    let other = SourceFiles { name: SourceName::new("code").unwrap(), ..source };
    insta::assert_snapshot!(place.refusal(&other), @r"
    error: `HERE/out` was prepared with source `web`, expected `code`
    hint: remove it (`rm -r HERE/out`), or keep it and prepare elsewhere with `--prepared`
    ");
}

#[test]
fn input_that_changed_is_refused_by_file() {
    let (place, source, _) = prepared();
    let added = place.write("b.jsonl", &json_lines(60..70));
    insta::assert_snapshot!(place.refusal(&source), @r"
    error: `HERE/out` was prepared from other text: file `b.jsonl` is new (2 files found, expected 1)
    hint: remove it (`rm -r HERE/out`), or keep it and prepare elsewhere with `--prepared`
    ");
    fs::remove_file(added).unwrap();
    place.prepare(&source).unwrap();
    place.write("a.jsonl", &json_lines(0..61));
    let said = place.refusal(&source);
    assert!(said.contains("file `a.jsonl` has fingerprint "), "{said}");
    fs::remove_file(place.root().join("in/a.jsonl")).unwrap();
    let said = place.refusal(&source);
    assert!(said.contains("no files match `*.jsonl`"), "{said}");
}

#[test]
fn a_file_less_or_on_the_other_side_is_refused() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..20));
    place.write("b.jsonl", &json_lines(20..40));
    place.write("c.jsonl", &json_lines(40..60));
    let given = |train: &[&str], held: &[&str]| SourceFiles {
        validation: Validation::Files(held.iter().map(|&h| h.to_owned()).collect()),
        ..place.source(train, 0)
    };
    place.prepare(&given(&["a.jsonl", "b.jsonl"], &["c.jsonl"])).unwrap();
    insta::assert_snapshot!(place.refusal(&given(&["a.jsonl"], &["c.jsonl"])), @r"
    error: `HERE/out` was prepared from other text: file `b.jsonl` is gone (2 files found, expected 3)
    hint: remove it (`rm -r HERE/out`), or keep it and prepare elsewhere with `--prepared`
    ");
    insta::assert_snapshot!(place.refusal(&given(&["a.jsonl"], &["b.jsonl", "c.jsonl"])), @r"
    error: `HERE/out` was prepared from other text: file `b.jsonl` is held out now, expected trained on
    hint: remove it (`rm -r HERE/out`), or keep it and prepare elsewhere with `--prepared`
    ");
}

#[test]
fn touched_files_of_the_same_bytes_are_the_same_source() {
    let (place, source, shard) = prepared();
    let before = fs::read(&shard).unwrap();
    place.write("a.jsonl", &json_lines(0..60));
    let manifest = fs::read(place.out().join("source.json")).unwrap();
    place.prepare(&source).unwrap();
    assert_ne!(fs::read(place.out().join("source.json")).unwrap(), manifest, "times are noted");
    assert_eq!(fs::read(&shard).unwrap(), before);
}

/// Reads a shard by the offsets of `docs/formats.md`, with nothing of the crate's own reader.
#[test]
fn a_shard_is_laid_out_as_the_formats_say() {
    let (place, _, path) = prepared();
    let bytes = fs::read(path.with_file_name("train-00001.shard")).unwrap();
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let corpus = Corpus::open(&place.out()).unwrap();
    let shards = corpus.shards(Part::Train);
    assert_eq!(bytes[..8], *b"SJSHARD\n");
    assert_eq!((u32_at(8), bytes[12], bytes[13], &bytes[14..16]), (1, 2, 0, &[0, 0][..]));
    assert_eq!((u64_at(16), u64_at(24)), (1, shards[0].tokens));
    assert_eq!((u64_at(32), u64_at(40)), (shards[1].tokens, shards[1].documents));
    assert_eq!((u64_at(48), u32_at(56)), (shards[1].text_bytes, 300));
    assert_eq!((u32_at(60), u64_at(64)), (tokenizer().end_of_text(), 65_536));
    assert_eq!(bytes[72..104], *tokenizer().fingerprint().as_bytes());
    assert_eq!(bytes[104..128], [0; 24]);
    let table = 128 + 2 * shards[1].tokens as usize;
    assert_eq!(bytes.len(), table + 8 + 32);
    let words: Vec<u32> = bytes[128..table]
        .chunks(2)
        .map(|id| u32::from(u16::from_le_bytes(id.try_into().unwrap())))
        .collect();
    let all = tokens(&corpus, Part::Train);
    assert_eq!(words, all[shards[0].tokens as usize..][..words.len()]);
    assert_eq!(u64_at(table), xxhash_rust::xxh3::xxh3_64(&bytes[128..table]));
    let hash = blake3::hash(&[&bytes[..128], &bytes[table..table + 8]].concat());
    assert_eq!(bytes[table + 8..], *hash.as_bytes());

    let mut hasher = blake3::Hasher::new_derive_key("sparkjoy 2026-11 tokens of a part v1");
    hasher.update(tokenizer().fingerprint().as_bytes());
    for token in &all {
        hasher.update(&token.to_le_bytes());
    }
    assert_eq!(corpus.fingerprint(Part::Train).as_bytes(), hasher.finalize().as_bytes());
}
