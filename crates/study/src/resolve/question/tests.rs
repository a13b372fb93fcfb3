//! What each question grows, and what it shares with others, on a study counted by hand.

use std::collections::BTreeSet;

use sparkjoy_spec::Anneal;

use crate::testing::plan as planned;
use crate::{Arm, Ask, Branch, Plan, Role};

/// A run of 1,000 steps of 8 sequences of 64 tokens.
const STUDY: &str = r#"name = "asked"
seed = 17
[tokenizer]
kind = "cl100k"
[model]
layers = 2
width = 32
heads = 4
context = 64
[training]
budget = "512K"
batch = 8
optimizer = { kind = "lionw", lr = 3e-4, betas = [0.9, 0.95], weight_decay = 1.2e-4 }
schedule = { kind = "inverse-sqrt", warmup = "1%", scale = "10%", cooldown = "0" }
replicates = 2
[sources.blogs]
tokens = "4M"
domain = "web"
[sources.news]
tokens = "1M"
domain = "web"
[sources.proofs]
tokens = "300K"
domain = "math"
[sources.puzzles]
tokens = "100K"
domain = "math"
[sources.recipes]
tokens = "50K"
domain = "new"
[mixtures.base]
web = 0.90
math = 0.10
[mixtures.upsampled]
web = 0.60
math = 0.40
[mixtures.mostly-math]
web = 0.20
math = 0.80
[trunk]
mixture = "base"
"#;

fn plan(questions: &str) -> Plan {
    let text = format!("{STUDY}{questions}[evaluation]\nheld_out = \"16K\"\n");
    planned(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn names<'a>(plan: &'a Plan, indices: &[usize]) -> Vec<&'a str> {
    indices.iter().map(|&index| plan.branches[index].name.as_str()).collect()
}

/// Label, first branch and first control of each arm.
fn arms(plan: &Plan, question: usize) -> String {
    let line = |arm: &Arm| {
        let (branch, control) = (names(plan, &arm.branches)[0], names(plan, &arm.controls)[0]);
        format!("{:?} | {} | {branch} | {control} | {}", arm.role, arm.label, arm.control_label)
    };
    plan.questions[question].arms.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn shares(branch: &Branch) -> Vec<u32> {
    branch.mixture().proportions().values().map(|part| part.0).collect()
}

fn branch<'a>(plan: &'a Plan, name: &str) -> &'a Branch {
    let found = plan.branches.iter().find(|branch| branch.name == name);
    found.unwrap_or_else(|| {
        panic!("no `{name}` in {:?}", plan.branches.iter().map(|b| &b.name).collect::<Vec<_>>())
    })
}

const DURATION: &str = "[[questions]]\nask = \"duration\"\nmixture = \"upsampled\"\n\
                        windows = [\"10%\", \"20%\"]\n";

#[test]
fn an_addition_takes_its_share_from_all_others_in_proportion() {
    let plan = plan(
        "[[questions]]\nask = \"addition\"\nadd = [\"recipes\", [\"puzzles\", \"recipes\"]]\n\
         add_each = [\"math\"]\nshares = [0.3]\nwindows = [\"10%\"]\n",
    );
    insta::assert_snapshot!(arms(&plan, 0), @r"
    Answer | + recipes | base-plus-recipes-30pct-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | + puzzles + recipes | base-plus-puzzles.recipes-30pct-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | + proofs | base-plus-proofs-30pct-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | + puzzles | base-plus-puzzles-30pct-10pct-r0 | base-10pct-r0 | base, same 10% window
    ");
    // Base: blogs 720,000, news 180,000, proofs 75,000, puzzles 25,000; 70 % of each is left.
    assert_eq!(
        shares(branch(&plan, "base-plus-recipes-30pct-10pct-r0")),
        [504_000, 126_000, 52_500, 17_500, 300_000]
    );
    // What is in the mixture gets 30 % in all: the others share the rest as they did before.
    let all = shares(branch(&plan, "base-plus-proofs-30pct-10pct-r0"));
    assert_eq!((all[2], all[0] / all[1], all.iter().sum::<u32>()), (300_000, 4, 1_000_000));
    // Named side by side they share by their tokens: 100K and 50K.
    let both = shares(branch(&plan, "base-plus-puzzles.recipes-30pct-10pct-r0"));
    assert_eq!(both[3..], [200_000, 100_000]);
    let targets: Vec<usize> = plan.questions[0].arms.iter().map(|arm| arm.targets.len()).collect();
    assert_eq!(targets, [1, 2, 1, 1]);
}

#[test]
fn several_shares_or_budgets_of_an_addition_make_a_curve() {
    let curve = |more: &str| {
        let plan = plan(&format!("[[questions]]\nask = \"addition\"\nadd = [\"recipes\"]\n{more}"));
        plan.questions[0].arms.iter().map(|a| (a.label.clone(), a.at)).collect::<Vec<_>>()
    };
    assert_eq!(
        curve("shares = [0.3, 0.1]\nwindows = \"10%\"\n"),
        [("+ recipes 10%".to_owned(), Some(0.1)), ("+ recipes 30%".to_owned(), Some(0.3))]
    );
    assert_eq!(
        curve("shares = 0.3\nwindows = [\"5%\", \"10%\"]\n"),
        [
            ("+ recipes, 5% window".to_owned(), Some(0.05)),
            ("+ recipes, 10% window".to_owned(), Some(0.1))
        ]
    );
}

#[test]
fn refill_rules_stand_side_by_side_and_against_each_other() {
    let plan = plan(
        "[[questions]]\nask = \"removal\"\nmixture = \"upsampled\"\nwindow = \"10%\"\n\
         remove_each = [\"math\"]\nrefill = [\"domain\", \"proportional\"]\n",
    );
    insta::assert_snapshot!(arms(&plan, 0), @r"
    Whole | upsampled | upsampled-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | − proofs, refill domain | upsampled-minus-proofs-to-domain-10pct-r0 | upsampled-10pct-r0 | upsampled, same 10% window
    AgainstBase | − proofs, refill domain | upsampled-minus-proofs-to-domain-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | − proofs, refill proportional | upsampled-minus-proofs-to-proportional-10pct-r0 | upsampled-10pct-r0 | upsampled, same 10% window
    AgainstBase | − proofs, refill proportional | upsampled-minus-proofs-to-proportional-10pct-r0 | base-10pct-r0 | base, same 10% window
    Refill | − proofs, refill proportional | upsampled-minus-proofs-to-proportional-10pct-r0 | upsampled-minus-proofs-to-domain-10pct-r0 | − proofs, refill domain
    Answer | − puzzles, refill domain | upsampled-minus-puzzles-to-domain-10pct-r0 | upsampled-10pct-r0 | upsampled, same 10% window
    AgainstBase | − puzzles, refill domain | upsampled-minus-puzzles-to-domain-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | − puzzles, refill proportional | upsampled-minus-puzzles-to-proportional-10pct-r0 | upsampled-10pct-r0 | upsampled, same 10% window
    AgainstBase | − puzzles, refill proportional | upsampled-minus-puzzles-to-proportional-10pct-r0 | base-10pct-r0 | base, same 10% window
    Refill | − puzzles, refill proportional | upsampled-minus-puzzles-to-proportional-10pct-r0 | upsampled-minus-puzzles-to-domain-10pct-r0 | − puzzles, refill domain
    ");
    let targets: BTreeSet<_> =
        plan.questions[0].arms[1].targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, ["proofs".to_owned()].into());
}

#[test]
fn a_blend_lies_between_two_mixtures_and_its_end_is_the_second() {
    let plan = plan(&format!(
        "{DURATION}[[questions]]\nask = \"proportion\"\nbetween = [\"base\", \"upsampled\"]\n\
         shares = [0.5, 1.0]\nwindow = \"10%\"\n"
    ));
    insta::assert_snapshot!(arms(&plan, 1), @r"
    Answer | 50% upsampled, else base | base-to-upsampled-50pct-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | 100% upsampled, else base | upsampled-10pct-r0 | base-10pct-r0 | base, same 10% window
    ");
    // Halfway between 72, 18, 7.5, 2.5 % and 48, 12, 30, 10 %.
    assert_eq!(
        shares(branch(&plan, "base-to-upsampled-50pct-10pct-r0")),
        [600_000, 150_000, 187_500, 62_500]
    );
    assert_eq!(plan.questions[1].mixture, None);
}

#[test]
fn a_simplex_has_its_corners_and_all_blends_in_equal_parts() {
    let plan = plan(&format!(
        "{DURATION}[[questions]]\nask = \"proportion\"\nwindow = \"10%\"\nparts = 2\n\
         among = [\"base\", \"upsampled\", \"mostly-math\"]\n"
    ));
    // The trunk's mixture itself is the control; a corner is run once for all questions.
    insta::assert_snapshot!(arms(&plan, 1), @r"
    Answer | 1/2 base + 1/2 upsampled | base-1of2.upsampled-1of2-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | 1/2 base + 1/2 mostly-math | base-1of2.mostly-math-1of2-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | upsampled | upsampled-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | 1/2 upsampled + 1/2 mostly-math | upsampled-1of2.mostly-math-1of2-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | mostly-math | mostly-math-10pct-r0 | base-10pct-r0 | base, same 10% window
    ");
    let question = &plan.questions[1];
    let compositions: Vec<&[f64]> = question.arms.iter().map(|arm| &arm.composition[..]).collect();
    assert_eq!(
        compositions,
        [[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]]
    );
    let simplex = question.simplex.as_ref().unwrap();
    assert_eq!((simplex.corners.len(), simplex.parts), (3, 2));
    assert_eq!(simplex.unchanged, [[1.0, 0.0, 0.0]]);
    // Halfway between 72, 18, 7.5, 2.5 % and 16, 4, 60, 20 %.
    let half = branch(&plan, "base-1of2.mostly-math-1of2-10pct-r0");
    assert_eq!(shares(half), [440_000, 110_000, 337_500, 112_500]);
    // Plans without a simplex are written as before.
    let other = serde_json::to_string(&plan.questions[0]).unwrap();
    assert!(!other.contains("composition") && !other.contains("simplex"), "{other}");
}

#[test]
fn a_blend_that_is_the_trunks_mixture_is_its_control_and_thirds_sum_to_one() {
    let mixtures = "[mixtures.web-only]\nweb = 1.0\n[mixtures.mathy]\nweb = 0.8\nmath = 0.2\n";
    let question = "[[questions]]\nask = \"proportion\"\nwindow = \"10%\"\n\
                    among = [\"web-only\", \"mathy\", \"mostly-math\"]\n";
    let halves = plan(&format!("{mixtures}{question}parts = 2\n"));
    let simplex = halves.questions[0].simplex.as_ref().unwrap();
    assert_eq!(simplex.unchanged, [[0.5, 0.5, 0.0]]);
    assert_eq!(halves.questions[0].arms.len(), 5);
    // In thirds, which is what a study has that does not say, the trunk's mixture is none of them.
    let thirds = plan(&format!("{mixtures}{question}"));
    assert_eq!(thirds.questions[0].arms.len(), 10);
    assert_eq!(thirds.questions[0].simplex.as_ref().unwrap().unchanged.len(), 0);
    assert_eq!(thirds.questions[0].arms[4].label, "1/3 web-only + 1/3 mathy + 1/3 mostly-math");
    for branch in &thirds.branches {
        assert_eq!(shares(branch).iter().sum::<u32>(), 1_000_000, "{}", branch.name);
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        assert!(branch.name.chars().all(plain), "{}", branch.name);
    }
}

#[test]
fn corners_that_are_one_mixture_are_refused() {
    let text = format!(
        "{STUDY}[mixtures.twin]\nweb = 0.60\nmath = 0.40\n[[questions]]\nask = \"proportion\"\n\
         window = \"10%\"\namong = [\"base\", \"upsampled\", \"twin\"]\n\
         [evaluation]\nheld_out = \"16K\"\n"
    );
    insta::assert_snapshot!(crate::testing::shown(planned(&text).map(drop)), @"`studies/small.toml` line 48: mixtures `upsampled` and `twin` of `among` draw the same, expected mixtures that differ");
    let twin = |shares: &str| format!("[mixtures.twin]\n{shares}\n");
    let line = text.replace(&twin("web = 0.60\nmath = 0.40"), &twin("web = 0.75\nmath = 0.25"));
    insta::assert_snapshot!(crate::testing::shown(planned(&line).map(drop)), @"
    `studies/small.toml` line 48: blends `2/3 base + 1/3 upsampled` and `1/3 base + 2/3 twin` of `among` draw the same: its mixtures lie on one line, or differ too little
    hint: name mixtures that differ in what they upsample; between two, `between` with `shares` asks along the line
    ");
}

#[test]
fn a_window_that_comes_early_is_followed_by_the_trunks_mixture_to_the_end() {
    let plan = plan(&format!(
        "{DURATION}[[questions]]\nask = \"timing\"\nmixture = \"upsampled\"\nwindow = \"10%\"\n\
         starts = [\"90%\", \"30%\"]\n"
    ));
    insta::assert_snapshot!(arms(&plan, 1), @r"
    Answer | at 30% | upsampled-10pct-at-30pct-then-base-r0 | base-10pct-at-30pct-then-base-r0 | base, same 10% at 30%, then base window
    Answer | at 90% | upsampled-10pct-r0 | base-10pct-r0 | base, same 10% window
    Place | at 30% | upsampled-10pct-at-30pct-then-base-r0 | upsampled-10pct-r0 | the same window at 90%
    ");
    let whole = branch(&plan, "upsampled-10pct-at-30pct-then-base-r0");
    let window = branch(&plan, "upsampled-10pct-at-30pct-r0");
    assert_eq!(plan.branches[whole.after.unwrap()].name, window.name);
    assert_eq!((window.from_step, window.spec.last_step(), window.window_steps), (300, 400, 100));
    assert_eq!((whole.from_step, whole.spec.last_step(), whole.window_steps), (400, 1000, 600));
    // It is there to be gone on from; nobody compares its end with anything.
    assert!(whole.compared && !window.compared);
    assert_eq!(whole.spec.cut(1), window.spec);
}

#[test]
fn a_gain_is_followed_past_the_window_by_runs_that_go_on_from_each_other() {
    let plan = plan(
        "[[questions]]\nask = \"stability\"\nmixture = \"upsampled\"\nwindow = \"10%\"\n\
         then = [\"5%\", \"20%\"]\n",
    );
    insta::assert_snapshot!(arms(&plan, 0), @r"
    Answer | at its end | upsampled-10pct-at-70pct-r0 | base-10pct-at-70pct-r0 | base, same 10% at 70% window
    Answer | 5% later | upsampled-10pct-at-70pct-then-base-5pct-r0 | base-10pct-at-70pct-then-base-5pct-r0 | base, same 10% at 70%, then base for 5% window
    Answer | 20% later | upsampled-10pct-at-70pct-then-base-20pct-r0 | base-10pct-at-70pct-then-base-20pct-r0 | base, same 10% at 70%, then base for 20% window
    ");
    let last = branch(&plan, "upsampled-10pct-at-70pct-then-base-20pct-r1");
    assert_eq!((last.from_step, last.spec.last_step(), last.window_steps), (850, 1000, 150));
    let before = &plan.branches[last.after.unwrap()];
    assert_eq!(before.name, "upsampled-10pct-at-70pct-then-base-5pct-r1");
    assert_eq!(last.spec.cut(2), before.spec);
}

#[test]
fn nobody_comes_before_the_run_it_goes_on_from() {
    let plan = plan(
        "[[questions]]\nask = \"stability\"\nmixture = \"upsampled\"\nwindow = \"10%\"\n\
         then = [\"5%\", \"10%\", \"20%\"]\n[[questions]]\nask = \"timing\"\n\
         mixture = \"mostly-math\"\nwindow = \"10%\"\nstarts = [\"20%\", \"50%\", \"90%\"]\n",
    );
    for (index, branch) in plan.branches.iter().enumerate() {
        let Some(after) = branch.after else { continue };
        assert!(after < index, "{}", branch.name);
        let before = &plan.branches[after];
        assert_eq!(before.spec.last_step(), branch.from_step, "{}", branch.name);
        assert_eq!(before.replicate, branch.replicate);
        let (order, beginning) = (branch.spec.order().unwrap(), before.spec.order().unwrap());
        // The run reads on exactly where the one before it stopped.
        let slots = beginning.slots();
        assert_eq!(order.ledger_at(slots), beginning.ledger_at(slots), "{}", branch.name);
    }
}

#[test]
fn the_order_of_a_run_begins_like_that_of_the_run_it_goes_on_from() {
    let plan = plan(
        "[[questions]]\nask = \"stability\"\nmixture = \"mostly-math\"\nwindow = \"10%\"\n\
         then = [\"20%\"]\n",
    );
    let whole = branch(&plan, "mostly-math-10pct-at-70pct-then-base-20pct-r1");
    let (whole, cut) = (whole.spec.order().unwrap(), whole.spec.cut(1).order().unwrap());
    for slot in 0..cut.slots() {
        let (a, b) = (whole.sequence_at(slot), cut.sequence_at(slot));
        let name = |order: &sparkjoy_mix::Order, draw: sparkjoy_mix::Draw| {
            (order.sources()[draw.source].name.clone(), draw.epoch, draw.ordinal)
        };
        assert_eq!(name(&whole, a), name(&cut, b), "slot {slot}");
    }
}

#[test]
fn a_transferred_question_grows_on_a_trunk_of_its_own() {
    let plan = plan(&format!(
        "{DURATION}[[questions]]\nask = \"transfer\"\nof = 1\n\
         models = [{{ layers = 1, width = 16, heads = 2 }}]\n\
         mixtures = [\"mostly-math\"]\n"
    ));
    insta::assert_snapshot!(arms(&plan, 1), @r"
    Answer | 10%: 2 layers, width 32, 4 heads, upsampled | upsampled-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | 20%: 2 layers, width 32, 4 heads, upsampled | upsampled-20pct-r0 | base-20pct-r0 | base, same 20% window
    Answer | 10%: 1 layers, width 16, 2 heads | l1-w16-h2-upsampled-10pct-r0 | l1-w16-h2-base-10pct-r0 | base, same 10% window
    Answer | 20%: 1 layers, width 16, 2 heads | l1-w16-h2-upsampled-20pct-r0 | l1-w16-h2-base-20pct-r0 | base, same 20% window
    Answer | 10%: 2 layers, width 32, 4 heads, mostly-math | mostly-math-10pct-r0 | base-10pct-r0 | base, same 10% window
    Answer | 20%: 2 layers, width 32, 4 heads, mostly-math | mostly-math-20pct-r0 | base-20pct-r0 | base, same 20% window
    ");
    let settings: Vec<_> = plan.questions[1].settings.iter().map(|s| s.arms.clone()).collect();
    assert_eq!(settings, [vec![0, 1], vec![2, 3], vec![4, 5]]);
    let [_, small] = &plan.trunks[..] else { panic!("one other trunk") };
    let own = branch(&plan, "l1-w16-h2-upsampled-20pct-r0");
    assert_eq!(plan.trunk_of(own).fingerprint(), small.spec.fingerprint());
    assert_eq!(own.spec.model.shape().width, 16);
    assert_eq!(plan.branch_points(), plan.branch_points_of(1));
    // Both models read the same sequences in the same order: only the model differs.
    let here = branch(&plan, "upsampled-20pct-r0");
    assert_eq!(own.spec.opening, here.spec.opening);
}

#[test]
fn branch_and_control_decay_alike() {
    let plan = plan(
        "[[questions]]\nask = \"duration\"\nmixture = \"upsampled\"\nwindows = \"10%\"\n\
         rate = \"decay\"\n",
    );
    let anneal = Some(Anneal { from: 900, to: 1000 });
    for branch in &plan.branches {
        assert_eq!(branch.spec.anneal, anneal, "{}", branch.name);
        assert!(branch.name.contains("-decay"), "{}", branch.name);
        // From the trunk's rate in a straight line: half of it is left at half the way.
        let trunk = plan.trunk().lr(900);
        for (done, part) in [(900, 1.0), (950, 0.5), (999, 0.01)] {
            assert!((branch.spec.lr(done) / trunk - part).abs() < 1e-12, "{done}");
        }
    }
}

#[test]
fn runs_that_questions_share_are_planned_once() {
    let plan = plan(&format!(
        "{DURATION}\
         [[questions]]\nask = \"removal\"\nmixture = \"upsampled\"\nwindow = \"10%\"\n\
         remove = [\"puzzles\"]\nrefill = \"domain\"\n\
         [[questions]]\nask = \"addition\"\nadd = [\"recipes\"]\nshares = 0.2\nwindows = \"10%\"\n\
         [[questions]]\nask = \"proportion\"\nmixtures = [\"upsampled\", \"mostly-math\"]\n\
         window = \"10%\"\n\
         [[questions]]\nask = \"timing\"\nmixture = \"upsampled\"\nwindow = \"10%\"\n\
         starts = [\"70%\", \"90%\"]\n\
         [[questions]]\nask = \"stability\"\nmixture = \"upsampled\"\nwindow = \"10%\"\n\
         then = \"20%\"\n"
    ));
    let asks: Vec<Ask> = plan.questions.iter().map(|question| question.ask).collect();
    assert_eq!(asks.len(), 6);
    // Per replicate: base and upsampled at two windows, one removal, one addition, one more
    // mixture, and for the window at 70 % two runs of both; timing and stability share all of
    // theirs.
    assert_eq!(plan.branches.len(), 2 * (4 + 1 + 1 + 1 + 4));
    let identities: BTreeSet<_> = plan.branches.iter().map(|b| b.spec.fingerprint()).collect();
    assert_eq!(identities.len(), plan.branches.len());
    let uses = |name: &str| {
        let index = plan.branches.iter().position(|branch| branch.name == name).unwrap();
        let arms = |q: &crate::QuestionPlan| q.arms.iter().any(|arm| arm.controls.contains(&index));
        plan.questions.iter().filter(|question| arms(question)).count()
    };
    assert_eq!(uses("base-10pct-r0"), 5);
    for question in &plan.questions {
        let roles = |role| question.arms.iter().filter(|arm| arm.role == role).count();
        assert!(roles(Role::Answer) > 0, "{:?}", question.ask);
    }
}

#[test]
fn a_question_alone_costs_no_more_than_the_tree_and_a_chain_is_counted_once() {
    let plan = plan(
        "[[questions]]\nask = \"stability\"\nmixture = \"upsampled\"\nwindow = \"10%\"\n\
         then = [\"5%\", \"20%\"]\n",
    );
    let cost = plan.question_cost(&plan.questions[0]);
    assert_eq!(cost, plan.cost());
    // The trunk to 70 %, and 10 + 5 + 15 % of two mixtures and two replicates.
    assert_eq!(cost.tree.steps, 700 + 4 * 300);
    // In full: to 80, 85 and 100 % of the run each.
    assert_eq!(cost.in_full.steps, 4 * (800 + 850 + 1000));
    // The base mixture's three are one run per replicate.
    assert_eq!(cost.controls_once.steps, 2 * (800 + 850 + 1000) + 2 * 1000);
}
