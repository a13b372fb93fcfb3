//! Documents read back range by range.

use super::*;
use crate::{Text, TokenRange};

/// The documents that begin in a range.
fn read(corpus: &Corpus, range: &TokenRange) -> Vec<String> {
    let (mut documents, mut document) = (Vec::new(), String::new());
    let take = |text: Text<'_>| {
        match text {
            Text::Piece(piece) => document.push_str(piece),
            Text::End => documents.push(std::mem::take(&mut document)),
        }
        true
    };
    corpus.read_documents(range, tokenizer(), take).unwrap();
    assert_eq!(document, "", "the last document has its end");
    documents
}

#[test]
fn stretches_of_any_length_hold_every_document_once_and_in_order() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..60));
    let corpus = place.prepare(&place.source(&["*.jsonl"], 200_000)).unwrap();
    for part in Part::BOTH {
        let expected = documents(&corpus, part);
        assert!(corpus.shards(part).len() > 1 && expected.len() > 5);
        for tokens in [1, 2, 7, 50, 333, 1 << 20] {
            let token_ranges = corpus.token_ranges(part, tokens);
            let found: Vec<String> =
                token_ranges.iter().flat_map(|range| read(&corpus, range)).collect();
            assert_eq!(found, expected, "{part:?}, {tokens} tokens");
        }
    }
}

#[test]
fn a_long_document_comes_in_pieces_of_whole_characters() {
    let place = Place::new();
    let text = "où ça — ".repeat(40_000);
    place.write("a.txt", text.as_bytes());
    place.write("b.txt", b"held out");
    let validation = Validation::Files(vec!["b.txt".to_owned()]);
    let source = SourceFiles { validation, ..place.source(&["a.txt"], 0) };
    let stop = AtomicBool::new(false);
    let options = PrepareOptions { threads: 1, stop: &stop, progress: &|_| {} };
    let corpus = crate::prepare(&source, tokenizer(), &place.out(), &options).unwrap();
    let [whole] = corpus.token_ranges(Part::Train, 1 << 20).try_into().unwrap();
    assert_eq!(read(&corpus, &whole), [text]);

    let mut pieces = 0;
    let first_alone = |_: Text<'_>| {
        pieces += 1;
        false
    };
    corpus.read_documents(&whole, tokenizer(), first_alone).unwrap();
    assert_eq!(pieces, 1, "it was told to stop");
    let later = corpus.token_ranges(Part::Train, 1000);
    assert!(later.len() > 100 && later[1..].iter().all(|s| read(&corpus, s).is_empty()));
}
