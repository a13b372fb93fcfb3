//! What a prepared source holds, and what its identity depends on.

use std::fs;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::PrepareProgress;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Compressed as `zstd --long=27` does.
fn zstd_long(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_document_comes_back_on_its_side_and_in_order() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..120));
    place.write("b.jsonl", &json_lines(120..200));
    let corpus = place.prepare(&place.source(&["*.jsonl"], 200_000)).unwrap();
    let (train, held) = (documents(&corpus, Part::Train), documents(&corpus, Part::Validation));
    assert_eq!(train.len() as u64, corpus.documents(Part::Train));
    assert_eq!(held.len() as u64, corpus.documents(Part::Validation));
    assert!(held.len() > 20 && train.len() > 100, "{} and {}", held.len(), train.len());
    let expected = |mine: &[String]| -> Vec<String> {
        (0..200).map(text).filter(|text| mine.contains(text)).collect()
    };
    assert_eq!(train, expected(&train));
    assert_eq!(held, expected(&held));
    let bytes: usize = train.iter().map(String::len).sum();
    assert_eq!(corpus.text_bytes(Part::Train), bytes as u64);
    corpus.verify().unwrap();
}

#[test]
fn validation_files_are_held_out_whole() {
    let place = Place::new();
    place.write("web.train.jsonl", &json_lines(0..50));
    place.write("web.val.jsonl", &json_lines(50..60));
    let validation = Validation::Files(vec!["*.val.jsonl".into()]);
    let source = SourceFiles { validation, ..place.source(&["*.train.jsonl"], 0) };
    let corpus = place.prepare(&source).unwrap();
    assert_eq!(documents(&corpus, Part::Train), (0..50).map(text).collect::<Vec<_>>());
    assert_eq!(documents(&corpus, Part::Validation), (50..60).map(text).collect::<Vec<_>>());
}

#[test]
fn a_sequence_may_span_shards_and_the_rest_is_left() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..60));
    let corpus = place.prepare(&place.source(&["a.jsonl"], 100_000)).unwrap();
    assert!(corpus.shards(Part::Train).len() > 3);
    let all = tokens(&corpus, Part::Train);
    for context in [7, 100, 1000] {
        let sequences = corpus.sequences(Part::Train, context);
        assert_eq!(sequences as usize, all.len() / context);
        for ordinal in 0..sequences {
            let mut sequence = vec![0; context];
            corpus.read(Part::Train, ordinal, &mut sequence).unwrap();
            assert_eq!(sequence, all[ordinal as usize * context..][..context]);
        }
    }
}

#[test]
fn the_folder_is_the_same_for_any_number_of_threads() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..100));
    place.write("b/c.txt", text(5).as_bytes());
    place.write("b/d.jsonl.gz", &gzip(&json_lines(100..150)));
    let source = place.source(&["a.jsonl", "b"], 200_000);
    let one = place.root().join("one");
    prepare(&source, &one, 1).unwrap();
    for threads in [2, 3, 8] {
        let many = place.root().join(format!("many-{threads}"));
        prepare(&source, &many, threads).unwrap();
        assert_eq!(files(&many), files(&one), "{threads} threads");
    }
}

#[test]
fn packing_and_block_size_do_not_reach_a_token() {
    let lines = json_lines(0..80);
    let (first, rest) = lines.split_at(lines.len() / 3);
    let packed: [(&str, Vec<u8>); 6] = [
        ("x.jsonl", lines.clone()),
        ("x.ndjson", lines[..lines.len() - 1].to_vec()),
        ("x.json.gz", gzip(&lines)),
        ("x.jsonl.gz", [gzip(first), gzip(rest)].concat()),
        ("x.jsonl.zst", zstd_long(&lines)),
        ("y.jsonl.zst", [zstd_long(first), zstd_long(rest)].concat()),
    ];
    let mut seen = Vec::new();
    for (name, bytes) in packed {
        let place = Place::new();
        place.write(name, &bytes);
        let source = place.source(&["*"], 200_000);
        let fingerprints = |corpus: Corpus| {
            (corpus.fingerprint(Part::Train), corpus.fingerprint(Part::Validation))
        };
        seen.push((name, fingerprints(place.prepare(&source).unwrap())));

        let stop = AtomicBool::new(false);
        let options = PrepareOptions { threads: 1, stop: &stop, progress: &|_| {} };
        let folder = place.root().join("usual");
        let usual = crate::prepare(&source, tokenizer(), &folder, &options).unwrap();
        assert_eq!(usual.shards(Part::Train).len(), 1);
        seen.push(("one large shard", fingerprints(usual)));
    }
    let first = seen[0].1;
    assert!(seen.iter().all(|s| s.1 == first), "{seen:?}");
}

/// Peers row 10, first half.
#[test]
fn a_renamed_file_of_the_same_bytes_keeps_its_identity() {
    let place = Place::new();
    let path = place.write("a.jsonl", &json_lines(0..40));
    let source = place.source(&["*.jsonl"], 200_000);
    let before = place.prepare(&source).unwrap().fingerprint(Part::Train);
    fs::rename(&path, path.with_file_name("renamed.jsonl")).unwrap();

    let shard = place.out().join("train-00000.shard");
    let written = fs::metadata(&shard).unwrap().modified().unwrap();
    assert_eq!(place.prepare(&source).unwrap().fingerprint(Part::Train), before);
    assert_eq!(fs::metadata(&shard).unwrap().modified().unwrap(), written, "nothing was redone");
    let manifest = fs::read_to_string(place.out().join("source.json")).unwrap();
    assert!(manifest.contains("\"renamed.jsonl\"") && !manifest.contains("\"a.jsonl\""));

    let elsewhere = prepare(&source, &place.root().join("again"), 1).unwrap();
    assert_eq!(elsewhere.fingerprint(Part::Train), before);
}

/// Peers row 10, second half.
#[test]
fn other_bytes_of_the_same_name_and_size_are_another_source() {
    let place = Place::new();
    let path = place.write("a.jsonl", &json_lines(0..40));
    let source = place.source(&["*.jsonl"], 200_000);
    let before = place.prepare(&source).unwrap();
    let altered = String::from_utf8(json_lines(0..40)).unwrap().replace("document", "manuscri");
    let size = fs::metadata(&path).unwrap().len();
    place.write("a.jsonl", altered.as_bytes());
    assert_eq!(fs::metadata(&path).unwrap().len(), size);

    let refusal = place.refusal(&source);
    assert!(
        refusal.starts_with(
            "error: `HERE/out` was prepared from other text: file `a.jsonl` has fingerprint "
        ),
        "{refusal}"
    );
    let elsewhere = prepare(&source, &place.root().join("again"), 1).unwrap();
    assert_ne!(elsewhere.fingerprint(Part::Train), before.fingerprint(Part::Train));
    before.verify().unwrap();
}

/// Peers row 17.
#[test]
fn every_token_of_every_shard_is_reachable() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..100));
    let corpus = place.prepare(&place.source(&["a.jsonl"], 100_000)).unwrap();
    for part in [Part::Train, Part::Validation] {
        let shards = corpus.shards(part);
        assert_eq!(shards.iter().map(|s| s.tokens).sum::<u64>(), corpus.tokens(part));
        assert_eq!(shards.iter().map(|s| s.documents).sum::<u64>(), corpus.documents(part));
        assert_eq!(shards.iter().map(|s| s.text_bytes).sum::<u64>(), corpus.text_bytes(part));
        for shard in &shards {
            assert_eq!(fs::metadata(&shard.path).unwrap().len(), shard.stored_bytes);
        }
    }
    assert_eq!(corpus.sequences(Part::Train, 1), corpus.tokens(Part::Train));
}

#[test]
fn duplicates_fall_on_the_same_side() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..50));
    place.write("b.jsonl", &json_lines(0..50));
    let corpus = place.prepare(&place.source(&["*.jsonl"], 300_000)).unwrap();
    let (train, held) = (documents(&corpus, Part::Train), documents(&corpus, Part::Validation));
    assert_eq!(train.len() + held.len(), 100);
    assert!(held.len() > 10);
    assert!(held.iter().all(|text| !train.contains(text)));
}

#[test]
fn special_token_text_in_a_document_does_not_end_it() {
    let place = Place::new();
    place.write("a.txt", b"before <|endoftext|> after");
    place.write("b.txt", b"second");
    place.write("val/c.txt", b"third");
    let validation = Validation::Files(vec!["val".into()]);
    let source = SourceFiles { validation, ..place.source(&["*.txt"], 0) };
    let corpus = place.prepare(&source).unwrap();
    assert_eq!(documents(&corpus, Part::Train), ["before <|endoftext|> after", "second"]);
    corpus.verify().unwrap();
}

#[test]
fn a_large_vocabulary_takes_four_bytes_a_token() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..40));
    let (stop, tokenizer) = (AtomicBool::new(false), Tokenizer::cl100k());
    let options = PrepareOptions { threads: 1, stop: &stop, progress: &|_| {} };
    let source = place.source(&["a.jsonl"], 200_000);
    let corpus = prepare_sized(&source, &tokenizer, &place.out(), &options, &TINY).unwrap();
    corpus.verify().unwrap();
    let train = tokenizer.decode(&tokens(&corpus, Part::Train));
    let held = tokenizer.decode(&tokens(&corpus, Part::Validation));
    assert!((0..40).all(|i| train.contains(&text(i)) != held.contains(&text(i))));
    let payload: u64 = corpus.shards(Part::Train).iter().map(|s| s.stored_bytes - 168).sum();
    assert_eq!(payload, 4 * corpus.tokens(Part::Train));
}

#[test]
fn progress_ends_with_all_bytes_and_all_documents() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..100));
    let told = Mutex::new(Vec::<PrepareProgress>::new());
    let stop = AtomicBool::new(false);
    let progress = |p| told.lock().unwrap().push(p);
    let options = PrepareOptions { threads: 2, stop: &stop, progress: &progress };
    let source = place.source(&["a.jsonl"], 200_000);
    let corpus = prepare_sized(&source, tokenizer(), &place.out(), &options, &TINY).unwrap();
    let told = told.into_inner().unwrap();
    assert!(told.len() > 10);
    assert!(told.is_sorted_by_key(|p| (p.stored_bytes, p.tokens)));
    let last = told.last().unwrap();
    assert_eq!(last.stored_bytes, last.stored_bytes_total);
    assert_eq!(last.documents, 100);
    let all = |count: fn(&Corpus, Part) -> u64| {
        count(&corpus, Part::Train) + count(&corpus, Part::Validation)
    };
    assert_eq!(last.tokens, all(Corpus::tokens));
    assert_eq!(last.text_bytes, all(Corpus::text_bytes));
}

/// Written by pyarrow; `testdata/parquet.py` says how.
#[test]
fn parquet_rows_are_documents_whatever_their_encoding() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/parquet");
    for name in
        ["snappy", "zstd", "gzip", "plain", "dictionary", "large", "brotli", "lz4", "required"]
    {
        let place = Place::new();
        place.write("a.parquet", &fs::read(folder.join(format!("{name}.parquet"))).unwrap());
        place.write("val.txt", b"held out");
        let validation = Validation::Files(vec!["val.txt".into()]);
        let source = SourceFiles { validation, ..place.source(&["a.parquet"], 0) };
        let corpus = place.prepare(&source).unwrap();
        let expected: Vec<_> =
            (0..50).map(|i| format!("row {i} {}", "né ".repeat(i % 7))).collect();
        assert_eq!(documents(&corpus, Part::Train), expected, "{name}");
    }
}

#[test]
fn real_text_comes_back_document_by_document() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    if !shared.is_dir() {
        eprintln!("SKIPPED real_text_comes_back_…: no corpora in {}", shared.display());
        return;
    }
    let place = Place::new();
    let source = SourceFiles {
        root: shared.clone(),
        validation: Validation::Files(vec!["*/*.val.jsonl.zst".into()]),
        ..place.source(&["math/word-problems-train.train.jsonl.zst"], 0)
    };
    let (stop, cl100k) = (AtomicBool::new(false), Tokenizer::cl100k());
    let options = PrepareOptions { threads: 2, stop: &stop, progress: &|_| {} };
    let corpus = crate::prepare(&source, &cl100k, &place.out(), &options).unwrap();
    corpus.verify().unwrap();

    let mut held: Vec<_> = glob::glob(&format!("{}/*/*.val.jsonl.zst", shared.display()))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    held.sort();
    let train = vec![shared.join("math/word-problems-train.train.jsonl.zst")];
    for (part, files) in [(Part::Train, train), (Part::Validation, held)] {
        let mut expected = Vec::new();
        for file in files {
            let lines = zstd::decode_all(fs::File::open(file).unwrap()).unwrap();
            for line in serde_json::Deserializer::from_slice(&lines).into_iter() {
                let line: serde_json::Value = line.unwrap();
                expected.push(line["text"].as_str().unwrap().to_owned());
            }
        }
        let mut all = vec![0; corpus.tokens(part) as usize];
        corpus.read(part, 0, &mut all).unwrap();
        let mut documents: Vec<_> =
            all.split(|&t| t == cl100k.end_of_text()).map(|ids| cl100k.decode(ids)).collect();
        documents.pop();
        assert_eq!(documents.len(), expected.len());
        assert!(documents == expected, "{part:?} differs from its files");
    }
}
