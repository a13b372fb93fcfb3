//! Proposals for sizes of every kind, each written down and planned as it would be run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sparkjoy_base::{Key, Ppm, Purpose};
use sparkjoy_data::{
    BLANK_LINE, Broken, MESSAGE, OnBadDocument, RowText, Rows, SourceFiles, Template, Validation,
};

use super::*;
use sparkjoy_kit::shown;

/// A machine as the measurements in docs/results know it, and one a hundred times slower.
const SPEEDS: [f64; 2] = [4e11, 4e9];

fn source(name: &str, domain: &str, tokens: u64, exact: bool) -> MeasuredSource {
    let files = SourceFiles {
        name: SourceName::new(name).unwrap(),
        paths: vec![format!("{name}.jsonl")],
        root: PathBuf::from("corpora"),
        rows: Rows::default(),
        on_bad_document: OnBadDocument::Refuse,
        validation: Validation::Split(Ppm(10_000)),
    };
    let found = SurveyedSource {
        domain: DomainName::new(domain).unwrap(),
        file_count: 1,
        text_bytes: 3 * tokens,
        documents: tokens / 300 + 2,
        held_out_bytes: tokens / 30 + 3_000,
        held_out_documents: 100,
        whole: exact,
        broken: None,
        files,
    };
    let sized = sized(&found, tokens, tokens / 100 + 1_000, exact);
    MeasuredSource { found, sized }
}

fn sized_sources(sources: &[MeasuredSource]) -> Vec<SizedSource> {
    sources.iter().map(|source| source.sized.clone()).collect()
}

/// Proposes, writes and plans, leaving out what is too small; `None` where nothing is left.
fn planned(
    mut sources: Vec<MeasuredSource>,
    speed: f64,
) -> Option<(Vec<MeasuredSource>, Proposal, Plan)> {
    loop {
        match propose(&sized_sources(&sources), speed) {
            Err(Refusal::TooLittle { .. }) => return None,
            Err(Refusal::TooSmall { names, .. } | Refusal::HoldOutTooLittle { names, .. }) => {
                assert!(!names.is_empty(), "nothing to leave out");
                sources.retain(|source| !names.contains(&source.sized.name));
                if sources.len() < 2 {
                    return None;
                }
            }
            Ok(proposal) => {
                let file = PathBuf::from("study.toml");
                let named = text::Named::new("corpora".as_ref(), &file).unwrap();
                let vocab = proposal.rung.vocab;
                let text = text::write(&named, &sources, &proposal, vocab, Some(60.0));
                let plan = plan(&file, &text, &sources, vocab);
                let plan = plan.unwrap_or_else(|e| panic!("{}\n{text}", shown(Err(e))));
                return Some((sources, proposal, plan));
            }
        }
    }
}

/// Numbers that follow from a seed.
fn random(seed: u64, index: u64) -> u64 {
    let address = [seed.to_le_bytes(), index.to_le_bytes()].concat();
    Key::new(Seed(seed), Purpose::TokenizerSample, &[&address]).words()[0]
}

#[test]
fn whatever_the_sizes_the_plan_is_accepted_and_no_cap_is_broken() {
    let mut accepted = 0;
    for seed in 0..150 {
        let count = 2 + random(seed, 0) % 12;
        let sources = (0..count).map(|i| {
            // Twelve orders of magnitude, a source anywhere in them.
            let exponent = (random(seed, 100 + i) % 12_000) as f64 / 1000.0;
            let domain = format!("d{}", random(seed, 200 + i) % 4);
            source(&format!("s{i}"), &domain, 10_f64.powf(exponent) as u64, i % 2 == 0)
        });
        let speed = SPEEDS[(seed % 2) as usize];
        let Some((sources, proposal, plan)) = planned(sources.collect(), speed) else { continue };
        accepted += 1;
        for mixture in [&proposal.base, &proposal.upsampled] {
            assert_eq!(mixture.values().map(|part| part.0).sum::<u32>(), 1_000_000);
            assert_eq!(mixture.len(), sources.len());
        }
        for source in &sources {
            let epochs = most_epochs(&plan, &source.sized.name);
            assert!(epochs <= MAX_EPOCHS, "seed {seed}: {} {epochs}", source.sized.name);
        }
        let share = |mixture: &BTreeMap<SourceName, Ppm>| -> u32 {
            proposal.bulk.iter().map(|name| mixture[name].0).sum()
        };
        assert!(share(&proposal.upsampled) <= share(&proposal.base), "seed {seed}");
    }
    assert!(accepted > 100, "{accepted} of 150 could be planned");
}

#[test]
fn a_part_nearly_as_large_as_the_one_that_gives_way_is_named() {
    let two = |web: u64, domains: [&str; 2]| {
        let sources = vec![
            source("crawl", domains[0], web, true),
            source("books", domains[1], 500_000_000, true),
        ];
        planned(sources, SPEEDS[0]).unwrap().1
    };
    let apart = two(600_000_000, ["web", "books"]);
    assert_eq!(apart.nearly_bulk.as_deref(), Some("books"));
    let said = text::near_tie(&apart).unwrap();
    assert!(said.starts_with("`books` is nearly as large as `web`, so size"), "{said}");
    assert_eq!(two(600_000_000, ["web"; 2]).nearly_bulk.as_deref(), Some("books"));
    // Of equals, the one that gives way is not the other.
    let equal = two(500_000_000, ["web"; 2]);
    assert_ne!(equal.bulk.iter().next().unwrap().as_str(), equal.nearly_bulk.unwrap());
    assert_eq!(two(700_000_000, ["web", "books"]).nearly_bulk, None);
}

#[test]
fn without_caps_the_bulk_falls_to_forty_percent_and_the_others_rise_alike() {
    let sources = vec![
        source("crawl", "web", 600_000_000, true),
        source("books", "books", 200_000_000, true),
        source("gsm", "math", 50_000_000, true),
        source("proofs", "math", 150_000_000, true),
    ];
    let (_, proposal, plan) = planned(sources, SPEEDS[0]).unwrap();
    let share = |name: &str| {
        let name = SourceName::new(name).unwrap();
        (proposal.base[&name].0, proposal.upsampled[&name].0)
    };
    assert_eq!(share("crawl"), (600_000, 240_000));
    assert_eq!(share("books"), (200_000, 380_000));
    assert_eq!(share("gsm"), (50_000, 95_000));
    assert_eq!(share("proofs"), (150_000, 285_000));
    assert!(proposal.capped.is_empty() && proposal.lifted.is_empty());
    assert!(!proposal.by_text, "an hour does not read a billion tokens");
    assert_eq!(proposal.removals, ["books", "gsm", "proofs"]);
    assert_eq!(proposal.nearly_bulk, None);
    assert_eq!(plan.questions.len(), 2);
}

#[test]
fn what_would_be_read_too_often_gives_its_share_to_those_below_their_limit() {
    let sources = vec![
        source("crawl", "web", 40_000_000, true),
        source("gsm", "math", 40_000, true),
        source("code", "code", 1_000_000, true),
    ];
    let (_, proposal, plan) = planned(sources, SPEEDS[0]).unwrap();
    let [gsm, code] = ["gsm", "code"].map(|name| SourceName::new(name).unwrap());
    assert!(proposal.capped.contains(&gsm) && !proposal.capped.contains(&code));
    let factor = |name: &SourceName| {
        f64::from(proposal.upsampled[name].0) / f64::from(proposal.base[name].0)
    };
    assert!(factor(&code) > factor(&gsm) && factor(&gsm) >= 1.0);
    let epochs = most_epochs(&plan, &gsm);
    assert!((3.0..=4.0).contains(&epochs), "{epochs}");
}

#[test]
fn more_text_and_more_time_make_a_larger_model() {
    let of = |tokens: u64, speed: f64| {
        let sources = [("a", "web"), ("b", "math")];
        let sources: Vec<MeasuredSource> =
            sources.map(|(name, domain)| source(name, domain, tokens / 2, true)).into();
        propose(&sized_sources(&sources), speed).unwrap()
    };
    let sizes = [100_000, 3_000_000, 10_000_000, 100_000_000, 10_000_000_000];
    let parameters = sizes.map(|tokens| of(tokens, SPEEDS[0]).rung.shape().parameters());
    assert!(parameters.is_sorted() && parameters[0] < 200_000, "{parameters:?}");
    assert!((1_000_000..12_000_000).contains(&parameters[4]), "{parameters:?}");
    assert!(of(100_000, SPEEDS[0]).by_text);
    let slow = of(10_000_000_000, SPEEDS[1]);
    assert!(slow.rung.shape().parameters() < parameters[4] && !slow.by_text);
}

#[test]
fn many_sources_are_removed_by_domain() {
    let sources: Vec<MeasuredSource> = (0..14)
        .map(|i| source(&format!("s{i}"), &format!("d{}", i % 3), 5_000_000 + i, true))
        .collect();
    let (_, proposal, _) = planned(sources, SPEEDS[0]).unwrap();
    assert_eq!(proposal.removals.len(), 2, "{:?}", proposal.removals);
    assert!(proposal.removals.iter().all(|name| name.starts_with('d')));
}

#[test]
fn too_little_text_says_how_much_is_needed() {
    let sources = [source("a", "a", 700, true), source("b", "b", 700, true)];
    let refused = propose(&sized_sources(&sources), SPEEDS[0]).unwrap_err();
    let Refusal::TooLittle { tokens: 1400, needed } = refused else { panic!("{refused:?}") };
    // What is said to be enough is.
    let half = needed / 2 + 1;
    let sources = vec![source("a", "a", half, true), source("b", "b", half, true)];
    assert!(planned(sources, SPEEDS[0]).is_some());
}

#[test]
fn so_much_is_scored_that_intervals_rest_on_enough_documents() {
    let held_out = |documents: &[u64]| {
        let sources = documents.iter().zip(["a", "b", "c"]).map(|(&documents, name)| {
            let mut source = source(name, name, 9_000_000, true);
            source.sized.held_documents = documents;
            source
        });
        let proposal = propose(&sized_sources(&sources.collect::<Vec<_>>()), SPEEDS[0]).unwrap();
        (proposal.held_out.0, proposal.rung.context as u64)
    };
    let (usual, context) = held_out(&[3_000, 3_000]);
    assert_eq!((usual, context), (16_000, 256));
    // Of 50 documents, each of seven sequences, 62 sequences are of 36 or more.
    assert_eq!(held_out(&[50, 3_000]).0, usual);
    let (more, _) = held_out(&[40, 3_000]);
    let [sequences, all] = [more / context, 91_000 / context].map(|it| it as f64);
    let documents = 40.0 * (1.0 - (1.0 - sequences / all).powf(all / 40.0));
    assert!(more > usual && documents >= 36.0, "{more}: {documents}");
    // Where there are fewer, no amount helps.
    assert_eq!(held_out(&[12, 3_000]).0, usual);
}

/// Sources with something to say about each, and the text of their draft.
fn written() -> (Vec<MeasuredSource>, String) {
    let mut sources = vec![
        source("code", "code", 1_234_567, false),
        source("gsm", "math", 30_000, true),
        source("web", "web", 9_000_000, true),
    ];
    let paths = ["web/a b.jsonl", "web/\"c\".jsonl"].map(str::to_owned).to_vec();
    sources[2].found.files.paths = paths;
    sources[2].found.files.validation = Validation::Files(vec!["web/a.val.jsonl".to_owned()]);
    sources[0].found.files.rows = Rows::of_field("content");
    let fields = vec!["instruction".to_owned(), "out\\\"put".to_owned()];
    let separator = BLANK_LINE.to_owned();
    sources[1].found.files.rows =
        Rows::of(RowText::Fields { fields, separator: separator.clone() });
    let template = Template::of_message(MESSAGE).unwrap();
    let messages = RowText::Messages { field: "doc.turns".to_owned(), template, separator };
    sources[2].found.files.rows = Rows { lines: true, ..Rows::of(messages) };
    sources[0].found.files.on_bad_document = OnBadDocument::Skip;
    let first = "`code.jsonl` line 3: no field `content`".to_owned();
    sources[0].found.broken = Some(Broken { documents: 2, of: 40, first });
    let proposal = propose(&sized_sources(&sources), SPEEDS[0]).unwrap();
    let named = text::Named::new("corpora".as_ref(), "study.toml".as_ref()).unwrap();
    let text = text::write(&named, &sources, &proposal, 4096, Some(1234.0));
    (sources, text)
}

#[test]
fn paths_are_read_back_as_they_were_found() {
    let (sources, text) = written();
    let study = Study::parse("study.toml".as_ref(), text, None).unwrap();
    for MeasuredSource { found, sized } in sources {
        let sparkjoy_study::SourceInput::Files(files) = &study.sources()[&sized.name] else {
            panic!("{} is declared by size", sized.name);
        };
        let expected = SourceFiles { root: files.root.clone(), ..found.files };
        assert_eq!(**files, expected);
    }
}

#[test]
fn a_draft_gives_its_reasons() {
    let (_, text) = written();
    let (text, _) = text.split_once("[[questions]]").unwrap();
    insta::assert_snapshot!(text, @r#"
    # A study of 3 sources: which of them is worth the last tokens of a training run, and for how long?
    # Written by `sparkjoy new --data`: every number is a proposal. `sparkjoy plan` shows what each
    # would change before a second is spent.
    #
    # A model of 2.56M parameters, 10,000,000 tokens. On this machine about 21 min: training, and
    # scoring of held-out text.
    #
    # Unknown keys are errors. Numbers with a unit stand in quotes: tokens "40M", durations "10%" or
    # "500 steps". `sparkjoy new` without `--data` writes every key there is.

    name = "study"                  # names the folder of its runs
    seed = 17                       # weights, data order and samples all follow from it
    data = "corpora"                # what source paths are relative to

    [tokenizer]
    kind = "bpe"                    # trained on the sources
    vocab = 4096                    # entries: more text carries more of them
    sample = "2M"                   # bytes of text of each source it is trained on

    [model]                         # an MPT decoder
    layers = 4                      # blocks
    width = 192                     # of the residual stream; a multiple of `heads`
    heads = 6                       # of attention
    context = 256                   # tokens per sequence

    [training]
    # The text is what limits the budget: it reads all there is about 1.0 times.
    budget = "10M"                  # tokens of the whole run: 2,441 steps
    batch = 16                      # sequences per step
    precision = "bf16"              # products of 16-bit numbers, summed in fp32
    # 4e-3 at a width of 128 was found on real text (studies/real-text.toml); wider models get less in
    # proportion. Here the width is 192.
    optimizer = { kind = "adamw", lr = 2.7e-3, betas = [0.9, 0.95], eps = 1e-8, weight_decay = 0.1 }
    schedule = { kind = "inverse-sqrt", warmup = "2%", scale = "10%", cooldown = "0" }
    grad_clip = 1.0                 # global-norm clipping
    replicates = 3                  # data orders per branch, for the error bars

    # One table per source, guessed from folders and names. Files are JSON Lines (plain, .gz, .zst),
    # Parquet or plain text.

    [sources.code]
    # about 1,200,000 tokens to train on, about 13,000 held out, 1 file
    path = "code.jsonl"
    domain = "code"
    holdout = "1%"                  # of the documents, chosen by their hash
    text_field = "content"          # no text in `text`; this one looks like it
    # 2 documents cannot be used, the first: `code.jsonl` line 3: no field `content`
    on_bad_document = "skip"        # or "refuse": stop there
    max_epochs = 4                  # refuse a plan that reads it more often

    [sources.gsm]
    # 30,000 tokens to train on, 1,300 held out, 1 file
    path = "gsm.jsonl"
    domain = "math"
    holdout = "1%"                  # of the documents, chosen by their hash
    text_field = ["instruction", "out\\\"put"] # joined by a blank line, empty ones left out
    max_epochs = 4                  # refuse a plan that reads it more often

    [sources.web]
    # 9,000,000 tokens to train on, 91,000 held out, 1 file
    path = ["web/a b.jsonl", 'web/"c".jsonl']
    domain = "web"
    validation = "web/a.val.jsonl"
    messages = "doc.turns"          # each as `{role}: {content}`, a blank line between two
    documents = "lines"             # long lines, none empty: each looks like a document; or "files"
    max_epochs = 4                  # refuse a plan that reads it more often

    # Shares of sources, or of whole domains. They sum to exactly 1; nothing is normalised.

    # By size, as they would be read without a study.
    [mixtures.base]
    code = 0.120274
    gsm = 0.002923
    web = 0.876803

    # The largest part, domain `web`, gives up some of its share, from 87.7 % to 35.1 % (to 40 % of it
    # where the others can take that much, as the paper's web text did), and all others are raised by
    # one factor.
    [mixtures.upsampled]
    code = 0.633876
    gsm = 0.015403
    web = 0.350721

    [trunk]                         # the run every branch starts from
    mixture = "base"

    # Each question compares branches with a control that differs from them in the mixture alone: same
    # window, same learning rate, same order of reading.
    "#);
}

#[test]
fn a_draft_asks_and_says_what_to_decide_by() {
    let (_, text) = written();
    let (_, text) = text.split_once("[[questions]]").unwrap();
    insta::assert_snapshot!(text, @r#"
    ask = "duration"                # how long should the last phase be?
    mixture = "upsampled"
    windows = ["5%", "10%", "20%", "30%"]
    rate = "decay"                  # the learning rate falls to 0 over the window, of branch and
    # control alike, as most last phases of today do. Without the line it follows the trunk's curve, as
    # in the paper.

    [[questions]]
    ask = "removal"                 # what is each source worth?
    mixture = "upsampled"
    window = "10%"
    # Sources, domains, or lists of them; each costs three branches.
    remove = ["code", "gsm"]
    refill = "proportional"         # who gets the freed share: all others
    rate = "decay"

    # What to decide by. Proposed: text that the upsampled mixture raises should be predicted better,
    # each part counting alike, and web, which gives way, may lose 1 % of its bits per byte at most.
    # Name what your model is for: tasks, domains, unseen sources. Without this table gains and losses
    # are shown and nothing is recommended. Five replicates decide more often than three
    # (docs/results/decisions.md).
    [objective]
    targets = { code = 1, math = 1 }
    guards = { web = "1%" }
    margin = "0.5%"                 # without a source less than this: it is not needed

    [evaluation]
    held_out = "16K"                # tokens of held-out text scored per source
    # No task is proposed: a prompt longer than the context of 256 tokens loses its beginning; `sparkjoy
    # eval` counts the items of which that is so.
    tasks = []                      # `sparkjoy eval --list` names those there are
    "#);
}

#[test]
fn every_refusal_says_what_to_do() {
    let left_out = vec![LeftOut {
        why: "`.pdf` is no kind of text that is known".to_owned(),
        files: 2,
        shown: vec!["a.pdf".to_owned(), "b.pdf".to_owned()],
    }];
    let folder = PathBuf::from("corpora");
    let refusals = [
        DraftError::Name { folder: folder.clone() },
        DraftError::NoText { folder: folder.clone(), left_out: left_out.clone() },
        DraftError::OneSource { folder: folder.clone(), name: "web".into(), left_out },
        DraftError::TooLittle { folder: folder.clone(), tokens: 1, needed: 40_960, bytes: 90_000 },
        DraftError::OneLarge {
            folder,
            name: "web".into(),
            left_out: vec![LeftOut {
                why: "fewer than 512 tokens, too few beside the other sources".to_owned(),
                files: 3,
                shown: vec!["odd".to_owned()],
            }],
            hint: "a source needs about 8.8 KiB of text".to_owned(),
        },
    ];
    let texts = refusals.map(|refusal| shown(Err(refusal))).join("\n");
    insta::assert_snapshot!(texts, @r"
    `corpora` is not UTF-8, and a study names its folder as text
    hint: rename the folder
    `corpora` holds no text that can be used (2 files: `.pdf` is no kind of text that is known)
    hint: put text there: a folder of .txt files per source, or JSON Lines (.jsonl, .gz, .zst) or Parquet with a field `text`
    `corpora` holds one source, `web`, expected two or more: with one there is nothing to mix (2 files: `.pdf` is no kind of text that is known)
    hint: sort the text into one folder (or one file of JSON Lines) per source, such as `web/`, `math/` and `code/`; sources of one file are told apart by `where` in a study
    `corpora` holds about 1 tokens to train on, expected at least 40,960
    hint: bring more text: about 87.9 KiB in all
    `corpora` holds one source that can be used, `web`, expected two or more (odd: fewer than 512 tokens, too few beside the other sources)
    hint: a source needs about 8.8 KiB of text
    ");
}
