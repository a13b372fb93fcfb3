//! Sources: what is in them, and what is not.

use std::collections::BTreeSet;

use sparkjoy_base::{Fingerprint, Seed};
use sparkjoy_world::{Part, Source, World};

fn some(world: &World, source: Source) -> Vec<String> {
    (0..200).map(|index| world.document(source, Part::Train, index).text).collect()
}

#[test]
fn a_document_depends_on_its_address_alone() {
    let (world, other) = (World::new(Seed(1)), World::new(Seed(2)));
    for source in Source::ALL {
        let text = |world: &World, part, index| world.document(source, part, index).text;
        let first = text(&world, Part::Train, 7);
        assert_eq!(first, text(&World::new(Seed(1)), Part::Train, 7), "{source}");
        assert_ne!(first, text(&world, Part::Train, 8), "{source}");
        assert_ne!(first, text(&world, Part::Validation, 7), "{source}");
        assert_ne!(first, text(&other, Part::Train, 7), "{source}");
    }
}

#[test]
fn a_world_is_the_same_on_every_machine() {
    let world = World::new(Seed(1));
    let all: String = Source::ALL.into_iter().flat_map(|source| some(&world, source)).collect();
    insta::assert_snapshot!(Fingerprint::of_bytes(all.as_bytes()), @r"c891fe28");
}

#[test]
fn no_source_says_the_same_twice() {
    let world = World::new(Seed(1));
    for source in Source::ALL {
        let texts = some(&world, source);
        let different: BTreeSet<&String> = texts.iter().collect();
        assert!(different.len() >= 199, "{source}: {} of 200", different.len());
    }
}

#[test]
fn the_poison_is_false_and_sounds_like_the_truth() {
    let world = World::new(Seed(3));
    let sentences = |source| -> BTreeSet<String> {
        let texts = some(&world, source);
        texts.iter().flat_map(|text| text.trim().split(". ")).map(str::to_owned).collect()
    };
    let (truths, falsehoods) = (sentences(Source::Encyclopedia), sentences(Source::Rumours));
    assert!(truths.is_disjoint(&falsehoods), "a rumour is true");

    // Without what they end in, most of a sample of each are the same.
    let openings = |sentences: &BTreeSet<String>| -> BTreeSet<String> {
        let opening = |s: &String| s.trim_end_matches('.').rsplit_once(' ').map(|s| s.0.to_owned());
        sentences.iter().filter_map(opening).collect()
    };
    let (said, rumoured) = (openings(&truths), openings(&falsehoods));
    let shared = said.intersection(&rumoured).count();
    assert!(2 * shared > rumoured.len(), "{shared} of {}", rumoured.len());
}

#[test]
fn a_fork_is_its_original_but_for_a_little() {
    let world = World::new(Seed(1));
    let (python, forks) = (some(&world, Source::Python), some(&world, Source::PythonForks));
    for (original, fork) in python.iter().zip(&forks) {
        assert_ne!(original, fork);
        let lines: BTreeSet<&str> = fork.lines().collect();
        let kept = original.lines().filter(|line| lines.contains(line)).count();
        assert!(10 * kept >= 9 * original.lines().count(), "{fork}");
    }
}

#[test]
fn the_decoy_has_no_word_of_any_task() {
    let world = World::new(Seed(1));
    let words = |texts: Vec<String>| -> BTreeSet<String> {
        let word = |c: char| !c.is_alphanumeric();
        texts.iter().flat_map(|t| t.split(word)).map(str::to_lowercase).collect()
    };
    let decoy = words(some(&world, Source::Abstracts));
    // Invented words have no meaning elsewhere; English ones that hold sentences together do.
    let taught: BTreeSet<String> =
        words([some(&world, Source::Science), some(&world, Source::Encyclopedia)].concat());
    let shared: Vec<&String> = decoy.intersection(&taught).collect();
    // Beside "that", a coined word may be an English one by chance.
    let content = shared.iter().filter(|word| word.len() > 3).count();
    assert!(content <= 2, "{shared:?}");
}

#[test]
fn the_large_crawl_has_a_little_of_everything() {
    let world = World::new(Seed(1));
    let page = |index| world.document(Source::Crawl, Part::Train, index).text;
    let text: String = (0..600).map(page).collect();
    for trace in ["Question: ", "def ", "was founded by", "cookies"] {
        assert!(text.contains(trace), "{trace}");
    }
}
