//! Sequences of one document, and questions about one passage, are one item.

use std::collections::BTreeMap;

use sparkjoy_answers::*;
use sparkjoy_eval::HeldOutScore;
use sparkjoy_kit::known::{self, noise};

/// Documents of a source, and sequences of each.
const DOCUMENTS: u64 = 10;
const LENGTH: u64 = 20;

/// The width of the first interval on all sources where sequences of a document are alike.
///
/// - `document`: the number recorded of a sequence; none where none is recorded.
fn width(document: impl Fn(u64) -> Option<u64>) -> (f64, Vec<HeldOutText>) {
    let plan = known::plan();
    let of = |branch: &sparkjoy_study::Branch| {
        let score = |source: &sparkjoy_base::SourceName| {
            let nats = |sequence: u64| {
                let document = sequence / LENGTH;
                // What a branch changes depends on the document alone.
                let change = noise(&format!("{} {source} {document}", branch.label));
                let own = noise(&format!("{} {source} {sequence}", branch.name));
                100.0 + change + 0.05 * own
            };
            let sequences = 0..DOCUMENTS * LENGTH;
            HeldOutScore {
                source: source.clone(),
                ordinals: sequences.clone().collect(),
                nats: sequences.clone().map(nats).collect(),
                bytes: sequences.clone().map(|_| 100).collect(),
                documents: sequences.filter_map(&document).collect(),
            }
        };
        Some(plan.sources.keys().map(|source| (source.clone(), score(source))).collect())
    };
    let branches = plan.branches.len();
    let results = Results {
        held_out: plan.branches.iter().map(of).collect(),
        scorecards: vec![None; branches],
        items: vec![BTreeMap::new(); branches],
        ..Results::default()
    };
    let answers = answers(&plan, results);
    let effect = answers.questions[0].arms[0].cells[0].as_ref().unwrap().effect.as_ref().unwrap();
    (effect.high - effect.low, answers.held_out.clone())
}

#[test]
fn sequences_of_a_document_do_not_make_an_interval_narrow() {
    let (alone, texts) = width(Some);
    assert_eq!(texts[0].documents, Some((DOCUMENTS * LENGTH) as usize));
    let (together, texts) = width(|sequence| Some(sequence / LENGTH));
    assert_eq!((texts[0].sequences, texts[0].documents), (200, Some(10)));
    // Items that are twenty alike are worth a twentieth: √20 = 4.5 times as wide.
    assert!((3.5..7.0).contains(&(together / alone)), "{together} {alone}");
    let (unknown, texts) = width(|_| None);
    assert_eq!(texts[0].documents, None);
    assert!((unknown - alone).abs() < 1e-12, "each sequence is an item where nothing is known");
}
