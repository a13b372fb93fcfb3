//! The search against a slow and obvious one, and the questions people hide.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn item(whole: &str) -> ItemTexts {
    ItemTexts { whole: whole.to_owned(), alone: Vec::new() }
}

/// `from..to` as words.
fn numbers(range: std::ops::Range<usize>) -> String {
    range.fold(String::new(), |all, i| format!("{all}w{i} "))
}

fn search(index: &OverlapIndex, documents: &[&str]) -> Vec<Overlap> {
    let mut search = Search::new(index);
    for document in documents {
        search.read(document);
        search.end_document();
    }
    search.take().overlaps(index)
}

fn found(items: &[ItemTexts], documents: &[&str]) -> Vec<usize> {
    let index = OverlapIndex::new(items);
    search(&index, documents).into_iter().map(|overlap| overlap.item).collect()
}

fn split(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The definition, read aloud.
fn stands(item: &ItemTexts, documents: &[String]) -> bool {
    let documents: Vec<Vec<String>> = documents.iter().map(|text| split(text)).collect();
    let there = |run: &[String]| documents.iter().any(|d| d.windows(run.len()).any(|w| w == run));
    let covered = |text: &String, least: usize| {
        let words = split(text);
        if words.len() < least {
            return false;
        }
        let n = words.len().min(RUN);
        let mut covered = BTreeSet::new();
        for from in 0..=words.len() - n {
            if there(&words[from..from + n]) {
                covered.extend(from..from + n);
            }
        }
        100 * covered.len() as u64 >= COVERED_PERCENT * words.len() as u64
    };
    covered(&item.whole, LEAST) || item.alone.iter().any(|part| covered(part, RUN))
}

/// Texts of so few words that runs of 13 meet, with what may stand between words.
fn text(words: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let word = prop_oneof![20 => Just("a"), 2 => Just("B"), 1 => Just("é")];
    let space = prop_oneof![Just(" "), Just("\n"), Just(", "), Just(" — ")];
    proptest::collection::vec((word, space), words)
        .prop_map(|words| words.into_iter().flat_map(|(word, space)| [word, space]).collect())
}

proptest! {
    #[test]
    fn what_is_found_is_what_the_definition_says(
        wholes in proptest::collection::vec((text(0..40), text(0..30)), 1..8),
        documents in proptest::collection::vec(text(0..60), 0..6),
        cut in 0..7_usize,
    ) {
        let items: Vec<ItemTexts> = wholes
            .into_iter()
            .map(|(whole, part)| ItemTexts { whole, alone: vec![part] })
            .collect();
        let expected: Vec<usize> =
            (0..items.len()).filter(|&i| stands(&items[i], &documents)).collect();
        let index = OverlapIndex::new(&items);
        // The documents in two stretches, and the first in pieces.
        let mut found = Found::default();
        let mut search = Search::new(&index);
        for (i, document) in documents.iter().enumerate() {
            if i == cut {
                found.append(search.take());
            }
            let middle = document.floor_char_boundary(document.len() / 2);
            search.read(&document[..middle]);
            search.read(&document[middle..]);
            search.end_document();
        }
        found.append(search.take());
        let overlaps = found.overlaps(&index);
        prop_assert_eq!(overlaps.iter().map(|o| o.item).collect::<Vec<_>>(), expected);
        for overlap in overlaps {
            // A named document holds it by itself, if any does.
            for &document in overlap.first.iter().filter(|_| overlap.documents > 0) {
                let alone = &documents[document as usize..][..1];
                prop_assert!(stands(&items[overlap.item], alone));
            }
            let holds = |d: &&String| stands(&items[overlap.item], &[(*d).clone()]);
            let holders = documents.iter().filter(holds);
            prop_assert_eq!(overlap.documents, holders.count() as u64);
        }
    }
}

const QUESTION: &str = "A train leaves at noon, and a second train leaves an hour later at twice \
                        the speed; when does it catch up with the first?";

#[test]
fn a_planted_question_is_found_whatever_its_case_punctuation_and_line_breaks() {
    let shouted = QUESTION.to_uppercase().replace(['.', ',', ';', '?'], " -- ");
    let reflowed = QUESTION.replace(' ', "\n  ");
    let within = format!("Before it. {QUESTION} Behind it.");
    for document in [QUESTION, &shouted, &reflowed, &within] {
        assert_eq!(found(&[item(QUESTION)], &["nothing", document]), [0], "{document}");
    }
    let other = QUESTION.replace("second", "other").replace("hour", "age");
    assert!(found(&[item(QUESTION)], &[&other]).is_empty());
}

#[test]
fn four_fifths_of_the_words_are_enough_and_less_are_not() {
    let item = [item(&numbers(0..100))];
    assert_eq!(found(&item, &[&numbers(0..80)]), [0]);
    assert!(found(&item, &[&numbers(0..79)]).is_empty());
    // Twelve words here and there cover nothing.
    assert_eq!(found(&item, &[&numbers(0..67), &numbers(70..83)]), [0]);
    assert!(found(&item, &[&numbers(0..67), &numbers(70..82)]).is_empty());
}

#[test]
fn no_run_reaches_from_one_document_into_the_next() {
    let [item, halves] = [numbers(0..20), numbers(0..10)];
    assert!(found(&[self::item(&item)], &[&halves, &numbers(10..20)]).is_empty());
    assert_eq!(found(&[self::item(&item)], &[&format!("{halves} {}", numbers(10..20))]), [0]);
}

#[test]
fn an_item_shorter_than_a_run_must_stand_there_whole() {
    let items = [item(&numbers(0..8)), item(&numbers(0..12))];
    assert_eq!(found(&items, &[&numbers(0..11)]), [0]);
    assert_eq!(found(&items, &[&numbers(0..12)]), [0, 1]);
    assert!(found(&items, &[&numbers(1..12)]).is_empty());
}

#[test]
fn an_item_of_few_words_is_too_short_to_tell() {
    let index = OverlapIndex::new(&[item(&numbers(0..7)), item(&numbers(0..8)), item("")]);
    assert_eq!(index.too_short(), [0, 2]);
    let found = search(&index, &[&numbers(0..8)]);
    assert_eq!(found.iter().map(|o| o.item).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_part_by_itself_counts_from_a_run_on() {
    let texts = |part: usize| ItemTexts { whole: numbers(100..140), alone: vec![numbers(0..part)] };
    assert_eq!(found(&[texts(12), texts(13)], &[&numbers(0..13)]), [1]);
}

#[test]
fn what_is_found_says_how_much_and_where() {
    let index = OverlapIndex::new(&[item(&numbers(0..100)), item(&numbers(200..220))]);
    let (first, last) = (numbers(0..90), numbers(50..100));
    let overlaps = search(&index, &["", &first, &last, &first, &first, &first]);
    let beginning = "w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 …".to_owned();
    let expected = Overlap {
        item: 0,
        covered: 100,
        words: 100,
        beginning,
        documents: 4,
        first: vec![1, 3, 4],
    };
    assert_eq!(overlaps, [expected]);
    // Spread over documents of which none holds enough by itself.
    let spread = search(&index, &["", &last, &numbers(0..50)]);
    assert_eq!((spread[0].covered, spread[0].documents), (100, 0));
    assert_eq!(spread[0].first, [1, 2]);
}

#[test]
fn a_document_in_parts_stands_in_passages_and_not_in_sentences() {
    let index = OverlapIndex::of_documents([numbers(0..300), numbers(400..520)].into_iter());
    let in_pieces = |words: usize| {
        let mut search = Search::new(&index);
        for from in (0..300).step_by(words) {
            search.read(&format!("before {} behind", numbers(from..from + words)));
            search.end_document();
        }
        search.read(&numbers(400..520));
        search.end_document();
        search.take()
    };
    let found = in_pieces(60);
    // All documents of what stands in parts alone, and none of what stands in one.
    let in_parts = found.in_parts(&index);
    assert_eq!(
        in_parts.iter().map(|o| (o.item, &o.first[..])).collect::<Vec<_>>(),
        [(0, &[0, 1, 2, 3, 4][..])]
    );
    assert_eq!(found.overlaps(&index)[0].first, [0, 1, 2]);
    let mut parts = Found::default();
    parts.append(in_pieces(50));
    assert_eq!(parts.in_parts(&index), []);
    // Stretches know of passages together.
    parts.append(found);
    assert_eq!(parts.in_parts(&index)[0].first, [7, 8, 9, 10, 11]);
}

#[test]
fn the_hash_of_all_words_knows_no_case_no_space_and_no_length() {
    // So long that its first words are dropped from memory.
    let long = numbers(0..20_000);
    let other = long.to_uppercase().replace(' ', " -\n");
    assert_eq!(hash_of_words(&long), hash_of_words(&other));
    let index = OverlapIndex::new(&[]);
    let mut search = Search::new(&index);
    for piece in other.split_inclusive('3') {
        search.read(piece);
    }
    assert_eq!(search.end_document(), hash_of_words(&long));
    assert_eq!(search.end_document(), None);
    assert_eq!(hash_of_words(" ...\n"), None);
    let ways = ["a b", "ab", "a", "b a", &long[..long.len() / 2], &long];
    let hashes: BTreeSet<_> = ways.into_iter().map(hash_of_words).collect();
    assert_eq!(hashes.len(), ways.len());
    assert_ne!(hash_of_words(&long), hash_of_words(&long.replace("w0 ", "z0 ")));
}

#[test]
fn runs_of_many_documents_and_documents_that_repeat_themselves_tell_no_copy() {
    let found = |documents: Vec<String>, text: &str| {
        let index = OverlapIndex::of_documents(documents.into_iter());
        let of_item = |overlap: Overlap| (overlap.item, overlap.covered);
        let found = search(&index, &[text]).into_iter().map(of_item).collect::<Vec<_>>();
        (found, index.common().len())
    };
    let licence = numbers(0..52);
    assert_eq!(found(vec![licence.clone(); 3], &licence), (vec![(0, 52), (1, 52), (2, 52)], 0));
    assert_eq!(found(vec![licence.clone(); 9], &licence), (vec![], 9));
    // What is a document's own tells it all the same.
    let own = |i: usize| numbers(1000 * i..1000 * i + 300);
    let documents = (1..10).map(|i| own(i) + &licence).collect();
    assert_eq!(found(documents, &own(4)), (vec![(3, 300)], 0));
    // Too little of these is their own.
    let documents = (1..10).map(|i| numbers(1000 * i..1000 * i + 100) + &licence).collect();
    assert_eq!(found(documents, &numbers(4000..4100)), (vec![], 9));
    // A short one must stand there whole, so all its runs must be its own.
    let documents = (1..10).map(|i| numbers(0..14) + &numbers(100 * i..100 * i + 36)).collect();
    assert_eq!(found(documents, &(numbers(0..14) + &numbers(400..436))), (vec![], 9));
    let refrain = numbers(0..26).repeat(8);
    assert_eq!(found(vec![refrain.clone()], &refrain), (vec![], 1));
    assert_eq!(found(vec!["0 ".repeat(20)], &"0 ".repeat(20)), (vec![], 1));
}

#[test]
fn a_short_document_is_looked_for_as_a_whole_within_others() {
    let documents = [7, 8, 12, 13, 40].map(|words| numbers(100 * words..101 * words));
    let index = OverlapIndex::of_documents(documents.iter().cloned());
    assert_eq!((index.too_short(), index.common()), (&[0][..], &[][..]));
    for (item, document) in documents.iter().enumerate().skip(1) {
        let within = format!("Before. {} Behind.", document.to_uppercase());
        let found = search(&index, &[&within]);
        assert_eq!(found.iter().map(|overlap| overlap.item).collect::<Vec<_>>(), [item]);
    }
    // Texts from one template have as much in common: the whole is asked for.
    assert_eq!(search(&index, &[&numbers(1200..1211), &numbers(4000..4039)]), []);
}
