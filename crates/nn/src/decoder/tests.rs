//! The decoder against the engine, which computes whole sequences one by one.

use sparkjoy_spec::Prompt;

use super::*;
use crate::{Compute, Engine};

const SHAPE: Shape =
    Shape { layers: 2, width: 48, heads: 3, context: 160, vocab: 130, clip_qkv: Some(1.5) };

fn engine() -> Engine {
    let mut engine = Engine::new(SHAPE, 1, Compute::exact(1)).unwrap();
    crate::tests::fill(&mut engine);
    engine
}

fn decoder(threads: usize, isa: InstructionSet) -> Decoder {
    Decoder::with_instructions(SHAPE, engine().weights(), threads, isa).unwrap()
}

fn best() -> InstructionSet {
    InstructionSet::best(Precision::Fp32)
}

/// Tokens that look like nothing in particular.
fn tokens(n: usize, salt: usize) -> Vec<u32> {
    (0..n).map(|i| ((i * i * 31 + i * 7 + salt * 57) % SHAPE.vocab) as u32).collect()
}

fn joined(parts: &[&[u32]]) -> Vec<u32> {
    parts.concat()
}

/// −ln p and whether it is the first of the largest, from the engine's logits.
fn expected(engine: &mut Engine, sequence: ScoredSequence<'_>) -> Vec<(f64, bool)> {
    let n = sequence.tokens.len();
    let logits = engine.logits(&sequence.tokens[..n - 1]);
    (n - sequence.scored..n)
        .map(|i| {
            let row = &logits[(i - 1) * SHAPE.vocab..i * SHAPE.vocab];
            let sum: f64 = row.iter().map(|&l| f64::from(l).exp()).sum();
            let token = sequence.tokens[i] as usize;
            (sum.ln() - f64::from(row[token]), best_of(row) == token as u32)
        })
        .collect()
}

fn best_of(row: &[f32]) -> u32 {
    let best = (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a)));
    best.unwrap() as u32
}

/// Groups of every kind: a prompt with answers of one and of many tokens, answers that begin
/// alike, one that is the beginning of another, prompts that differ, long and short ones.
fn sequences() -> Vec<Vec<(Vec<u32>, usize)>> {
    let (prompt, long) = (tokens(30, 1), tokens(120, 2));
    let answers =
        [tokens(1, 3), tokens(5, 4), joined(&[&tokens(5, 4)[..3], &[7, 9]]), tokens(2, 4)];
    let mut groups = vec![
        answers.iter().map(|answer| (joined(&[&prompt, answer]), answer.len())).collect(),
        answers.iter().map(|answer| (joined(&[&long, answer]), answer.len())).collect(),
        answers
            .iter()
            .map(|answer| (joined(&[&long[answer.len()..], answer]), answer.len()))
            .collect(),
        vec![(vec![3, 4], 1)],
        vec![(tokens(160, 9), 159)],
        vec![(vec![5, 6, 7], 1), (vec![5, 6, 8], 1), (vec![5, 9, 7], 2)],
    ];
    groups.extend((0..40).map(|i| vec![(tokens(60 + i, i), 3)]));
    groups
}

fn borrowed(groups: &[Vec<(Vec<u32>, usize)>]) -> Vec<Vec<ScoredSequence<'_>>> {
    groups
        .iter()
        .map(|group| {
            group
                .iter()
                .map(|(tokens, scored)| ScoredSequence { tokens, scored: *scored })
                .collect()
        })
        .collect()
}

#[test]
fn scores_are_those_of_whole_sequences_one_by_one() {
    let groups = sequences();
    let groups = borrowed(&groups);
    let mut engine = engine();
    for isa in InstructionSet::all(Precision::Fp32) {
        let scores = decoder(2, isa).score(&groups);
        assert_eq!(scores.len(), groups.len());
        for (group, scores) in groups.iter().zip(&scores) {
            for (&sequence, scores) in group.iter().zip(scores) {
                let expected = expected(&mut engine, sequence);
                assert_eq!(scores.len(), expected.len());
                for (score, (nats, greedy)) in scores.iter().zip(expected) {
                    let off = (f64::from(score.nats) - nats).abs();
                    assert!(off < 2e-5, "{} {score:?} {nats}", isa.name());
                    assert_eq!(score.greedy, greedy, "{}", isa.name());
                }
            }
        }
    }
}

#[test]
fn what_is_remembered_changes_no_score_and_is_not_computed_again() {
    let beginning = tokens(75, 5);
    let answers: Vec<Vec<u32>> =
        (0..30).map(|i| joined(&[&beginning, &tokens(1 + i % 9, i), &[1, 2]])).collect();
    let groups: Vec<Vec<ScoredSequence<'_>>> =
        answers.iter().map(|tokens| vec![ScoredSequence { tokens, scored: 2 }]).collect();
    for isa in InstructionSet::all(Precision::Fp32) {
        let mut plain = decoder(1, isa);
        let expected = plain.score(&groups);
        let mut decoder = decoder(1, isa);
        decoder.remember(&beginning);
        let scores = decoder.score(&groups);
        for (score, expected) in
            scores.iter().flatten().flatten().zip(expected.iter().flatten().flatten())
        {
            assert!((score.nats - expected.nats).abs() < 2e-5, "{score:?} {expected:?}");
        }
        let saved = plain.computed().tokens - decoder.computed().tokens;
        assert_eq!(saved, 29 * 75, "{}", isa.name());
        assert_eq!(decoder.computed().separate_tokens, plain.computed().separate_tokens);

        // Something else is not taken for it.
        let other = tokens(80, 6);
        let sequence = vec![vec![ScoredSequence { tokens: &other, scored: 4 }]];
        assert_eq!(decoder.score(&sequence), plain.score(&sequence));
        // Nor is what would have to be scored inside of it.
        let inside = vec![vec![ScoredSequence { tokens: &beginning, scored: 4 }]];
        assert_eq!(decoder.score(&inside), plain.score(&inside));
    }
}

#[test]
fn a_group_has_the_same_bits_alone_and_among_others_on_any_threads() {
    let groups = sequences();
    let groups = borrowed(&groups);
    for isa in InstructionSet::all(Precision::Fp32) {
        let together = decoder(1, isa).score(&groups);
        assert_eq!(decoder(3, isa).score(&groups), together, "{}", isa.name());
        let mut alone = decoder(1, isa);
        for (group, together) in groups.iter().zip(&together) {
            let scores = alone.score(std::slice::from_ref(group));
            assert_eq!(scores[0], *together, "{}", isa.name());
        }
    }
}

#[test]
fn each_beginning_is_computed_once() {
    let (prompt, answers) = (tokens(100, 1), [[1_u32, 2, 3], [1, 2, 4], [5, 6, 7]]);
    let all: Vec<Vec<u32>> = answers.iter().map(|answer| joined(&[&prompt, answer])).collect();
    let group = all.iter().map(|tokens| ScoredSequence { tokens, scored: 3 }).collect();
    let mut decoder = decoder(1, best());
    decoder.score(&[group]);
    // The last token of each is predicted, not computed.
    let expected = Computed { tokens: 100 + 2 + 2, sequences: 3, separate_tokens: 3 * 103 };
    assert_eq!(decoder.computed(), expected);
}

/// Greedy continuations by whole sequences.
fn greedy(engine: &mut Engine, prompt: &[u32], most: usize, end: u32) -> Vec<u32> {
    let mut all = prompt.to_vec();
    while all.len() < prompt.len() + most {
        let logits = engine.logits(&all);
        let next = best_of(&logits[(all.len() - 1) * SHAPE.vocab..]);
        all.push(next);
        if next == end {
            break;
        }
    }
    all.split_off(prompt.len())
}

#[test]
fn greedy_tokens_are_those_of_whole_sequences_one_by_one() {
    let mut engine = engine();
    let beginning = tokens(70, 8);
    // More than are written at once, of all lengths, some of one token at most.
    let prompts: Vec<Vec<u32>> = (0..SEQUENCES_AND_MORE)
        .map(|i| {
            let own = tokens(1 + i % 40, i);
            if i % 3 == 0 { own } else { joined(&[&beginning, &own]) }
        })
        .collect();
    let most = |i: usize| 1 + i * 7 % 23;
    let end = 77;
    let expected: Vec<Vec<u32>> =
        prompts.iter().enumerate().map(|(i, p)| greedy(&mut engine, p, most(i), end)).collect();
    assert!(
        expected.iter().enumerate().any(|(i, tokens)| tokens.len() < most(i)),
        "some end early"
    );
    for (isa, remembered) in
        InstructionSet::all(Precision::Fp32).into_iter().flat_map(|k| [(k, false), (k, true)])
    {
        let mut decoder = decoder(2, isa);
        if remembered {
            decoder.remember(&beginning);
        }
        let asked: Vec<Prompt<'_>> = prompts
            .iter()
            .enumerate()
            .map(|(i, tokens)| Prompt { tokens, most: most(i), samples: 1 })
            .collect();
        let mut written: Vec<Vec<u32>> = vec![Vec::new(); prompts.len()];
        decoder.generate(&asked, |prompt, sample, logits| {
            assert_eq!(sample, 0);
            if written[prompt].last() == Some(&end) {
                return None;
            }
            let next = best_of(logits);
            written[prompt].push(next);
            Some(next)
        });
        assert_eq!(written, expected, "{} remembered: {remembered}", isa.name());
    }
}

const SEQUENCES_AND_MORE: usize = 150;

#[test]
fn samples_of_a_prompt_go_their_own_ways_from_one_computation() {
    let mut engine = engine();
    let prompt = tokens(50, 3);
    let mut decoder = decoder(2, best());
    let samples = 80;
    let mut written: Vec<Vec<u32>> = vec![Vec::new(); samples];
    let mut wrong: Vec<f32> = Vec::new();
    decoder.generate(&[Prompt { tokens: &prompt, most: 4, samples }], |_, sample, logits| {
        // Every sample takes another token each time: all distributions must be its own.
        let sequence = joined(&[&prompt, &written[sample]]);
        let expected = engine.logits(&sequence);
        let expected = &expected[(sequence.len() - 1) * SHAPE.vocab..];
        let off = logits.iter().zip(expected).map(|(a, b)| (a - b).abs());
        wrong.extend(off.filter(|off| *off > 2e-5));
        let next = (sample * 3 + written[sample].len()) as u32 % SHAPE.vocab as u32;
        written[sample].push(next);
        Some(next)
    });
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(written.iter().all(|tokens| tokens.len() == 4));
    assert_eq!(decoder.computed().tokens, 50 + 80 * 3);
}

#[test]
#[should_panic(expected = "a first token has no prediction")]
fn a_first_token_cannot_be_scored() {
    decoder(1, best()).score(&[vec![ScoredSequence { tokens: &[1, 2], scored: 2 }]]);
}
