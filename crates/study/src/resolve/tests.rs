//! What a plan promises, on a study small enough to count by hand.

use super::*;
use crate::plan::{Branch, Note, SourceTokens};
use crate::testing::{Case, cases, edited, plan, shown};
use sparkjoy_base::Tokens;

/// A run of 1,953 steps of 8 sequences of 64 tokens.
const GOOD: &str = concat!(
    include_str!("../../testdata/small.toml"),
    r#"[sources.blogs]
tokens = "4M"
domain = "web"
[sources.news]
tokens = "1M"
domain = "web"
[sources.proofs]
tokens = "300K"
domain = "math"
max_epochs = 0.7
[sources.puzzles]
tokens = "100K"
domain = "math"
max_epochs = 0.8
[sources.recipes]
tokens = "50K"
domain = "code"
[mixtures.base]
web = 0.80
math = 0.15
code = 0.05
[mixtures.upsampled]
web = 0.40
math = 0.40
code = 0.20
[trunk]
mixture = "base"
[[questions]]
ask = "duration"
mixture = "upsampled"
windows = ["10%", "20%"]
[[questions]]
ask = "removal"
mixture = "upsampled"
window = "10%"
remove = ["puzzles", "web"]
refill = "proportional"
[evaluation]
held_out = "16K"
"#
);

fn good() -> Plan {
    plan(GOOD).unwrap()
}

#[test]
fn an_unseen_source_is_drawn_by_nothing_and_changes_no_run() {
    let essays = "[sources.essays]\ntokens = \"9M\"\ndomain = \"web\"\nunseen = true\n";
    let with = plan(&with_source(essays)).unwrap();
    let good = good();
    // Its domain draws from the other sources alone.
    assert_eq!((&with.mixtures, &with.trunks), (&good.mixtures, &good.trunks));
    assert_eq!((&with.branches, &with.questions), (&good.branches, &good.questions));
    let named = |plan: &Plan| plan.unseen().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(named(&with), ["essays"]);
    assert_eq!(with.seen().count(), good.sources.len());
    let note = Note::Unseen { sources: vec![SourceName::new("essays").unwrap()] };
    assert!(with.notes.contains(&note), "{:?}", with.notes);
    assert!(!with.notes.iter().any(|note| matches!(note, Note::UnusedSource { .. })));
    // What is compared is another thing; without such a source plans are the bytes they were.
    // Share of `web` by tokens, so a source more of it is drawn from unless it is unseen.
    let unmarked = plan(&with_source(&essays.replace("unseen = true\n", ""))).unwrap();
    assert_ne!(unmarked.mixtures, good.mixtures);
    assert_ne!(with.fingerprint(), unmarked.fingerprint());
    assert!(!serde_json::to_string(&good).unwrap().contains("unseen"));
    // Each source of a domain is each that something may train on.
    let add = "[[questions]]\nask = \"addition\"\nadd = [\"web\", [\"web\", \"math\"]]\n\
               add_each = [\"web\"]\nshares = [0.9]\nwindows = [\"10%\"]\n[evaluation]";
    let more = plan(&edited(&with_source(essays), "[evaluation]", add)).unwrap();
    let arms = &more.questions.last().unwrap().arms;
    assert_eq!(arms.len(), 4);
    let essays = SourceName::new("essays").unwrap();
    assert!(arms.iter().all(|arm| !arm.targets.contains(&essays)));
    assert!(more.branches.iter().all(|b| !b.mixture().proportions().contains_key(&essays)));
}

/// The good study with another source.
fn with_source(source: &str) -> String {
    edited(GOOD, "[mixtures.base]", &format!("{source}[mixtures.base]"))
}

fn changed(from: &str, to: &str) -> Plan {
    plan(&edited(GOOD, from, to)).unwrap()
}

fn branch<'a>(plan: &'a Plan, name: &str) -> &'a Branch {
    plan.branches.iter().find(|branch| branch.name == name).unwrap_or_else(|| {
        let names: Vec<_> = plan.branches.iter().map(|b| &b.name).collect();
        panic!("no branch `{name}` in {names:?}")
    })
}

fn shares(mixture: &Mixture) -> Vec<(&str, u32)> {
    mixture.proportions().iter().map(|(name, part)| (name.as_str(), part.0)).collect()
}

/// The sums of a plan are exact at every limit of what a study may ask for.
#[test]
fn the_largest_study_is_planned() {
    let large = [
        ("layers = 2", "layers = 1024"),
        ("width = 32", "width = 65536"),
        ("heads = 4", "heads = 512"),
        ("context = 64", "context = 1048576"),
        ("budget = \"1M\"", "budget = \"1000T\""),
        ("replicates = 2", "replicates = 1000"),
        ("tokens = \"4M\"", "tokens = \"1000T\""),
        ("tokens = \"1M\"", "tokens = \"1000T\""),
        ("tokens = \"300K\"", "tokens = \"1000T\""),
        ("tokens = \"100K\"", "tokens = \"1000T\""),
        ("tokens = \"50K\"", "tokens = \"1000T\""),
    ];
    let text = large.iter().fold(GOOD.to_owned(), |text, (from, to)| edited(&text, from, to));
    let plan = plan(&text).unwrap();
    let cost = plan.cost();
    assert_eq!(plan.branches.len(), 6 * 1000);
    assert!(cost.tree.flops > u128::from(cost.tree.tokens.0));
    // The trunk of 10^15 tokens as far as the 10 % window, to the nearest step.
    let off = cost.trunk.tokens.0.abs_diff(Tokens::MOST.0 / 10 * 9);
    assert!(off <= 2 * plan.tokens_per_step().0, "{}", cost.trunk.tokens);
}

#[test]
fn every_mistake_says_what_was_found_what_was_expected_and_where() {
    let cases = cases(include_str!("../../testdata/bad-plans.txt"));
    assert!(cases.len() > 10, "only {} cases were read", cases.len());
    for Case { from, to, expected } in cases {
        assert_eq!(shown(plan(&edited(GOOD, &from, &to)).map(drop)), expected, "{from} -> {to}");
    }
}

#[test]
fn the_precision_is_part_of_every_runs_identity() {
    let (bf16, fp32) = (good(), changed("batch = ", "precision = \"fp32\"\nbatch = "));
    assert_ne!(bf16.trunk().fingerprint(), fp32.trunk().fingerprint());
    for (a, b) in bf16.branches.iter().zip(&fp32.branches) {
        assert_eq!(a.name, b.name);
        assert_ne!(a.spec.fingerprint(), b.spec.fingerprint(), "{}", a.name);
    }
}

#[test]
fn a_domains_share_goes_to_its_sources_by_their_tokens() {
    let plan = good();
    assert_eq!(
        shares(&plan.mixtures["base"]),
        [
            ("blogs", 640_000),
            ("news", 160_000),
            ("proofs", 112_500),
            ("puzzles", 37_500),
            ("recipes", 50_000)
        ]
    );
}

#[test]
fn a_domains_share_goes_as_the_study_weighs_it() {
    let weighed = changed("[trunk]", "[domains.web]\nblogs = 0.3\nnews = 0.7\n[trunk]");
    assert_eq!(shares(&weighed.mixtures["base"])[..2], [("blogs", 240_000), ("news", 560_000)]);
}

#[test]
fn every_branch_has_a_control_that_differs_in_the_mixture_alone() {
    let plan = good();
    for arm in plan.questions.iter().flat_map(|question| &question.arms) {
        assert_eq!((arm.branches.len(), arm.controls.len()), (2, 2));
        for (replicate, (&branch, &control)) in arm.branches.iter().zip(&arm.controls).enumerate() {
            let (branch, control) = (&plan.branches[branch], &plan.branches[control]);
            assert_eq!((branch.replicate, control.replicate), (replicate as u32, replicate as u32));
            let mut spec = branch.spec.clone();
            assert_ne!(spec.phases, control.spec.phases, "{} changes nothing", branch.name);
            spec.phases.clone_from(&control.spec.phases);
            spec.supplies.clone_from(&control.spec.supplies);
            assert_eq!(spec, control.spec, "{} against {}", branch.name, control.name);
            assert_eq!(branch.window_steps, control.window_steps);
        }
    }
}

#[test]
fn a_run_that_two_questions_need_is_planned_once() {
    let names: Vec<String> = good().branches.into_iter().map(|branch| branch.name).collect();
    assert_eq!(
        names,
        [
            "base-20pct-r0",
            "base-20pct-r1",
            "upsampled-20pct-r0",
            "upsampled-20pct-r1",
            "base-10pct-r0",
            "base-10pct-r1",
            "upsampled-10pct-r0",
            "upsampled-10pct-r1",
            "upsampled-minus-puzzles-to-proportional-10pct-r0",
            "upsampled-minus-puzzles-to-proportional-10pct-r1",
            "upsampled-minus-web-to-proportional-10pct-r0",
            "upsampled-minus-web-to-proportional-10pct-r1",
        ]
    );
}

#[test]
fn each_replicate_may_have_a_trunk_of_its_own() {
    let replicates = good().replicates;
    let asked = format!("replicates = {replicates}\ntrunks = {replicates}");
    let plan = changed(&format!("replicates = {replicates}"), &asked);
    assert!(plan.own_trunks() && !good().own_trunks());
    assert_eq!(plan.trunks.len(), replicates as usize);
    // The first is that of the study without it, and so are its branches.
    assert_eq!(plan.trunks[0], good().trunks[0]);
    for branch in good().branches.iter().filter(|branch| branch.replicate == 0) {
        assert!(plan.branches.iter().any(|other| other.spec == branch.spec), "{}", branch.name);
    }
    for arm in plan.questions.iter().flat_map(|question| &question.arms) {
        for (replicate, pair) in arm.branches.iter().zip(&arm.controls).enumerate() {
            let pair = [pair.0, pair.1].map(|&index| &plan.branches[index]);
            assert!(pair.iter().all(|branch| branch.trunk == replicate), "{}", arm.label);
            assert!(pair.iter().all(|branch| branch.replicate == replicate as u32));
        }
        let first = plan.branches[arm.branches[0]].group;
        assert!(arm.branches.iter().all(|&index| plan.branches[index].group == first));
    }
    let seeds: BTreeSet<u64> = plan.trunks.iter().map(|trunk| trunk.spec.seed.0).collect();
    assert_eq!(seeds.len(), replicates as usize);
    let names: BTreeSet<&String> = plan.branches.iter().map(|branch| &branch.name).collect();
    assert_eq!(names.len(), plan.branches.len());
}

#[test]
fn a_branch_goes_on_where_the_trunk_is_at_its_first_step() {
    let plan = good();
    let base = &plan.trunk().phases[0];
    assert_eq!((plan.steps, base.slots), (1953, 1953 * 8));
    let spec = &branch(&plan, "upsampled-20pct-r1").spec;
    // 20 % of 1M tokens is 390.6 steps of 512.
    assert_eq!((spec.first_step, spec.last_step()), (1953 - 391, 1953));
    assert_eq!((spec.first_phase, spec.replicate, spec.phases.len()), (1, 1, 1));
    assert_eq!(spec.start, Start::Branch { run: plan.trunk().fingerprint() });
    let drawn: u64 = spec.opening.iter().map(|(_, drawn)| drawn).sum();
    assert_eq!(drawn, spec.first_step * 8);
}

#[test]
fn the_trunk_does_not_depend_on_what_is_asked_of_it() {
    let trunk = good().trunk().clone();
    let others = [
        ("windows = [\"10%\", \"20%\"]", "windows = [\"35%\"]"),
        ("window = \"10%\"", "window = \"15%\""),
        ("math = 0.40\ncode = 0.20", "math = 0.35\ncode = 0.25"),
        ("replicates = 2", "replicates = 3"),
        ("[trunk]", "[sources.unread]\ntokens = \"1M\"\ndomain = \"other\"\n[trunk]"),
        ("held_out = \"16K\"", "held_out = \"8K\""),
    ];
    for (from, to) in others {
        assert_eq!(changed(from, to).trunk().fingerprint(), trunk.fingerprint(), "{to}");
    }
    for (from, to) in [("seed = 17", "seed = 18"), ("tokens = \"1M\"", "tokens = \"1.1M\"")] {
        assert_ne!(changed(from, to).trunk().fingerprint(), trunk.fingerprint(), "{to}");
    }
}

#[test]
fn accounts_add_up_to_every_token_of_trunk_and_branch() {
    let plan = good();
    for branch in &plan.branches {
        let sum = |part: fn(&SourceTokens) -> Tokens| {
            branch.accounts.values().map(|account| part(account).0).sum::<u64>()
        };
        assert_eq!(sum(|a| a.trunk), branch.from_step * 512, "{}", branch.name);
        assert_eq!(sum(|a| a.branch), branch.window_steps * 512, "{}", branch.name);
        for (name, account) in &branch.accounts {
            assert_eq!(account.fresh.0 + account.repeated.0, account.branch.0, "{name}");
            let in_epoch = plan.sources[name].identity.sequences * 64;
            let epochs = (account.trunk.0 + account.branch.0) as f64 / in_epoch as f64;
            assert!((account.epochs - epochs).abs() < 1e-12, "{name}: {}", account.epochs);
        }
    }
}

#[test]
fn a_source_turns_from_fresh_to_repeated_when_it_is_read_through() {
    let plan = good();
    // 50K tokens of recipes are 781 sequences. The trunk reads 5 % of 1,562 steps, 625 or so; the
    // branch 20 % of 391 steps, of which the first 156 or so are new.
    let account =
        &branch(&plan, "upsampled-20pct-r0").accounts[&SourceName::new("recipes").unwrap()];
    let sequences =
        [account.trunk, account.branch, account.fresh, account.repeated].map(|t| t.0 / 64);
    assert_eq!(sequences[0] + sequences[2], 781);
    assert!(sequences[0].abs_diff(625) <= 4 && sequences[1].abs_diff(626) <= 4, "{sequences:?}");
    // A source the trunk has read through has nothing fresh left.
    let plan = changed("tokens = \"50K\"", "tokens = \"20K\"");
    let account =
        &branch(&plan, "upsampled-20pct-r0").accounts[&SourceName::new("recipes").unwrap()];
    assert_eq!((account.fresh, account.repeated), (Tokens(0), account.branch));
}

#[test]
fn what_a_removal_frees_goes_where_refill_says() {
    let without = |refill: &str, what: &str| {
        let text = edited(GOOD, "remove = [\"puzzles\", \"web\"]", &format!("remove = [{what}]"));
        let refill = format!("refill = \"{refill}\"");
        let plan = plan(&edited(&text, "refill = \"proportional\"", &refill)).unwrap();
        let branch = plan.branches.iter().find(|b| b.name.contains("minus")).unwrap();
        let shares = shares(&branch.spec.phases[0].mixture);
        shares
            .into_iter()
            .map(|(name, part)| format!("{name} {part}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    // Upsampled: blogs 320,000, news 80,000, proofs 300,000, puzzles 100,000, recipes 200,000.
    assert_eq!(
        without("domain", "\"puzzles\""),
        "blogs 320000, news 80000, proofs 400000, recipes 200000"
    );
    assert_eq!(
        without("proportional", "\"puzzles\""),
        "blogs 355556, news 88889, proofs 333333, recipes 222222"
    );
    assert_eq!(
        without("recipes", "[\"puzzles\", \"proofs\"]"),
        "blogs 320000, news 80000, recipes 600000"
    );
    assert_eq!(
        without("domain", "[\"puzzles\", \"blogs\"]"),
        "news 400000, proofs 400000, recipes 200000"
    );
    assert_eq!(without("proportional", "\"math\""), "blogs 533334, news 133333, recipes 333333");
}

#[test]
fn a_removal_from_the_base_mixture_needs_one_comparison() {
    let text = edited(GOOD, "mixture = \"upsampled\"\nwindow =", "mixture = \"base\"\nwindow =");
    let plan = plan(&text).unwrap();
    let labels: Vec<_> = plan.questions[1].arms.iter().map(|arm| &*arm.control_label).collect();
    assert_eq!(labels, ["base, same 10% window"; 2]);
}

#[test]
fn what_is_said_to_fit_fits() {
    let longer = edited(GOOD, "windows = [\"10%\", \"20%\"]", "windows = [\"60%\"]");
    let advice = shown(plan(&longer).map(drop));
    let window = advice.split("a window of at most ").nth(1).unwrap().split(',').next().unwrap();
    let fitting = format!("windows = [\"{}\"]", window.replace(' ', ""));
    plan(&edited(GOOD, "windows = [\"10%\", \"20%\"]", &fitting)).unwrap();
    let close = window.trim_end_matches(" %").parse::<f64>().unwrap() + 0.5;
    let too_long = format!("windows = [\"{close:.2}%\"]");
    assert!(plan(&edited(GOOD, "windows = [\"10%\", \"20%\"]", &too_long)).is_err(), "{window}");
}

#[test]
fn the_budget_that_is_said_to_fit_is_the_largest() {
    for (windows, cap) in
        [("\"60%\"", "0.7"), ("\"300 steps\"", "0.4"), ("\"10%\", \"20%\"", "0.3")]
    {
        let longer =
            edited(GOOD, "windows = [\"10%\", \"20%\"]", &format!("windows = [{windows}]"));
        let longer = edited(&longer, "max_epochs = 0.7", &format!("max_epochs = {cap}"));
        let advice = shown(plan(&longer).map(drop));
        let budget = advice.split("write `budget = \"").nth(1).unwrap().split('"').next().unwrap();
        let with = |tokens: Tokens| {
            plan(&edited(&longer, "budget = \"1M\"", &format!("budget = \"{tokens}\""))).map(drop)
        };
        let budget: Tokens = budget.parse().unwrap();
        with(budget).unwrap_or_else(|error| panic!("{budget}: {error}"));
        let more = Tokens(budget.0 + budget.0 / 10);
        assert!(with(more).is_err(), "{more} fits as well as {budget}");
        let allowed = advice.split("`max_epochs = ").nth(1).unwrap().split('`').next().unwrap();
        let cap = format!("max_epochs = {cap}");
        plan(&edited(&longer, &cap, &format!("max_epochs = {allowed}"))).unwrap();
    }
}

#[test]
fn names_that_would_collide_get_a_number() {
    // One branch is `upsampled` without `puzzles`; the other is the mixture of that name.
    let text = edited(
        GOOD,
        "[trunk]",
        "[mixtures.upsampled-minus-puzzles-to-proportional]\nweb = 0.5\nmath = 0.5\n[trunk]",
    );
    let more = "[[questions]]\nask = \"duration\"\nwindows = [\"10%\"]\n\
                mixture = \"upsampled-minus-puzzles-to-proportional\"\n[evaluation]";
    let plan = plan(&edited(&text, "[evaluation]", more)).unwrap();
    branch(&plan, "upsampled-minus-puzzles-to-proportional-10pct-r0");
    branch(&plan, "upsampled-minus-puzzles-to-proportional-10pct-r0-2");
}

#[test]
fn notes_name_what_is_not_free() {
    let text = edited(GOOD, "replicates = 2", "replicates = 1");
    let text = edited(&text, "tokens = \"50K\"", "tokens = \"20K\"");
    let text = edited(
        &text,
        "[trunk]",
        "[sources.unread]\ntokens = \"1M\"\ndomain = \"other\"\n[mixtures.old]\nunread = 1\n[trunk]",
    );
    let notes: Vec<String> = plan(&text).unwrap().notes.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(notes.join("\n"), @r"
    6 sources are declared by size: this study can be planned, not run
    the last 64 tokens of the budget are less than a step and unused
    one replicate: no noise floor, so no difference can be told from chance
    what a removal frees goes to all other sources: its answer is what a source is worth over what takes its place
    `recipes` is read 4.01 times by the end of `upsampled-20pct-r0`; past 4 epochs repetition adds little (arXiv 2305.16264)
    source `unread` is defined but nothing that is trained draws from it; its held-out text counts among all other sources (general), unless `[sources.unread]` says `unseen = true`: then it is reported by itself
    mixture `old` is defined but neither trunk nor question uses it
    ");
}

#[test]
fn the_same_study_makes_the_same_plan_and_json_keeps_it() {
    let (one, other) = (good(), good());
    assert_eq!(one.fingerprint(), other.fingerprint());
    let json = serde_json::to_string(&one).unwrap();
    let read: Plan = serde_json::from_str(&json).unwrap();
    assert_eq!(read, one);
    assert_eq!(read.fingerprint(), one.fingerprint());
}

#[test]
fn the_vocabulary_is_padded_to_whole_blocks() {
    assert_eq!(good().shape.vocab, 100_352);
}
