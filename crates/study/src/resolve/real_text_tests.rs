//! The study on real text, planned over sources of the sizes its corpora have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::plan::{Note, Role};
use crate::written::SourceInput;
use sparkjoy_base::Tokens;

/// Bytes of training text of each source, in thousands.
const KILOBYTES: [(&str, u64); 25] = [
    ("acl-papers", 15_852),
    ("blogs", 20_330),
    ("code-tutorials", 5_838),
    ("dc-law", 8_999),
    ("enwiki-articles", 52_004),
    ("factbook", 6_188),
    ("gov-web", 14_919),
    ("gsm8k-train", 3_820),
    ("latex-textbooks-bysa", 9_869),
    ("medquad", 21_974),
    ("ms-dev-docs", 14_983),
    ("novels-100", 36_013),
    ("oa-stm-articles", 4_859),
    ("openstax-humanities", 29_622),
    ("openstax-math", 12_572),
    ("openstax-science", 24_700),
    ("planetmath", 18_719),
    ("podcast-transcripts", 32_002),
    ("rfcs-peps-proposals", 24_993),
    ("scitldr-abstracts", 2_625),
    ("stacks-project", 15_984),
    ("terms-of-service", 10_001),
    ("tldr-pages", 3_325),
    ("word-problems-train", 593),
    ("wordset-dictionary", 8_001),
];

fn study() -> Study {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies/real-text.toml");
    Study::open(&path, None).unwrap()
}

fn planned(study: &Study) -> Plan {
    let sizes: BTreeMap<&str, u64> = KILOBYTES.into();
    let context = study.model.context as u64;
    let source = |name: &SourceName| {
        // A vocabulary of 4,096 takes about a token for three bytes.
        let tokens = Tokens(sizes[name.as_str()] * 1000 / 3);
        let fingerprint = Fingerprint::of_bytes(name.as_str().as_bytes());
        let facts = &study.sources.facts[name];
        PlanSource {
            domain: facts.domain.clone(),
            identity: Source { name: name.clone(), fingerprint, sequences: tokens.0 / context },
            tokens,
            declared: false,
            max_epochs: facts.max_epochs.as_ref().map(|cap| cap.value),
            held_out: Some(fingerprint),
            unseen: facts.unseen,
        }
    };
    let sources = study.sources().keys().map(|name| (name.clone(), source(name))).collect();
    Plan::resolve(study, sources, 4096, Fingerprint::of_bytes(b"bpe")).unwrap()
}

#[test]
fn the_study_on_real_text_starves_and_repeats_nothing() {
    let plan = planned(&study());
    let read = plan.branches.iter().flat_map(|branch| &branch.accounts);
    let most = read.map(|(_, account)| account.epochs).fold(0.0, f64::max);
    assert!(most > 0.0 && most < 1.0, "{most} epochs");
    assert!(plan.notes.iter().all(|note| !matches!(note, Note::Repeated { .. })));
    // Every source the shortest control names, it draws at least once.
    let control = plan.branches.iter().find(|branch| branch.name == "base-5pct-r0").unwrap();
    assert_eq!(control.accounts.len(), 24);
    assert!(control.accounts.values().all(|account| account.branch.0 > 0));
}

#[test]
fn the_study_on_real_text_asks_what_it_should() {
    let plan = planned(&study());
    let parameters = plan.cost().parameters;
    assert!((1_000_000..=3_000_000).contains(&parameters), "{parameters} parameters");
    // Two mixtures at four windows, four removals under two refills, four additions; what two
    // questions need is there once.
    assert_eq!((plan.replicates, plan.branches.len()), (3, 3 * (2 * 4 + 4 * 2 + 4)));
    let arms = |question: usize, role: Role| {
        let arms = plan.questions[question].arms.iter().filter(|arm| arm.role == role);
        arms.map(|arm| arm.label.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(arms(0, Role::Answer), ["5%", "10%", "20%", "30%"]);
    assert_eq!(
        arms(1, Role::Refill),
        [
            "− planetmath, refill domain",
            "− gsm8k-train − word-problems-train, refill domain",
            "− oa-stm-articles, refill domain",
            "− rfcs-peps-proposals, refill domain"
        ]
    );
    assert_eq!(
        arms(2, Role::Answer),
        ["+ code-tutorials", "+ ms-dev-docs", "+ rfcs-peps-proposals", "+ tldr-pages"]
    );
}

#[test]
fn the_study_on_real_text_finds_its_files() {
    let corpora: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    if !corpora.is_dir() {
        eprintln!("SKIPPED the_study_on_real_text_finds_its_files: no {}", corpora.display());
        return;
    }
    for input in study().sources().values() {
        let SourceInput::Files(files) = input else { panic!("{input:?} has no files") };
        let held_out: &[_] = match &files.validation {
            sparkjoy_data::Validation::Files(held_out) => held_out,
            sparkjoy_data::Validation::All => &[],
            other @ sparkjoy_data::Validation::Split(_) => {
                panic!("{}: {other:?} in place of held-out files", files.name)
            }
        };
        for path in files.paths.iter().chain(held_out) {
            let path = files.root.join(path);
            assert!(path.is_file(), "{} is not there", path.display());
        }
    }
}
