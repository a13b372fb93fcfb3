//! The paper's study, against the figures of the paper.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::plan::Branch;
use crate::testing::plan;

fn paper() -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies/paper-7b.toml");
    plan(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Tokens of the whole run per domain, in billions to one decimal.
fn billions(plan: &Plan, branch: &Branch) -> [String; 4] {
    let mut tokens: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, account) in &branch.accounts {
        let domain = plan.sources[name].domain.as_str();
        *tokens.entry(domain).or_default() += account.trunk.0 + account.branch.0;
    }
    ["large-cc", "small-cc", "domain-specific", "code"]
        .map(|domain| format!("{:.1}", tokens[domain] as f64 / 1e9))
}

fn branch<'a>(plan: &'a Plan, name: &str) -> &'a Branch {
    plan.branches.iter().find(|branch| branch.name == name).unwrap()
}

#[test]
fn the_papers_token_table_comes_out_figure_by_figure() {
    let plan = paper();
    assert_eq!(plan.steps, 254_313);
    let table = [
        ("base-10pct-r0", ["343.5", "367.0", "71.7", "217.8"]),
        ("upsampled-5pct-r0", ["326.3", "363.6", "85.6", "224.4"]),
        ("upsampled-10pct-r0", ["309.2", "360.3", "99.5", "231.0"]),
        ("upsampled-20pct-r0", ["274.8", "353.6", "127.4", "244.2"]),
        ("upsampled-30pct-r0", ["240.4", "346.9", "155.2", "257.5"]),
    ];
    for (name, expected) in table {
        assert_eq!(billions(&plan, branch(&plan, name)), expected, "{name}");
    }
    for window in ["5pct", "20pct", "30pct"] {
        let control = branch(&plan, &format!("base-{window}-r0"));
        assert_eq!(billions(&plan, control), table[0].1, "a control reads the base mixture");
    }
}

#[test]
fn the_papers_windows_start_where_its_steps_say() {
    let plan = paper();
    let steps = |name: &str| branch(&plan, name).window_steps;
    assert_eq!(
        ["5pct", "10pct", "20pct", "30pct"].map(|w| steps(&format!("upsampled-{w}-r0"))),
        [12_716, 25_431, 50_863, 76_294]
    );
    assert_eq!(plan.branch_points(), [178_019, 203_450, 228_882, 241_597]);
    assert_eq!(branch(&plan, "upsampled-20pct-r0").spec.first_step, 203_450);
}

#[test]
fn the_papers_removal_keeps_the_shares_of_the_domains() {
    let plan = paper();
    let name = "upsampled-minus-math-web.math-papers.math-textbooks.math-code-to-domain-10pct-r0";
    let without = branch(&plan, name);
    let mut shares: BTreeMap<&str, u32> = BTreeMap::new();
    for (name, account) in &without.accounts {
        assert_eq!(
            account.proportion == 0,
            name.as_str().starts_with("math") || name.as_str().starts_with("crawl-20")
        );
        *shares.entry(plan.sources[name].domain.as_str()).or_default() += account.proportion;
    }
    assert_eq!(
        shares.into_iter().collect::<Vec<_>>(),
        [("code", 350_000), ("domain-specific", 350_000), ("large-cc", 0), ("small-cc", 300_000)]
    );
    let labels: Vec<_> = plan.questions[1]
        .arms
        .iter()
        .map(|arm| (arm.label.as_str(), arm.control_label.as_str()))
        .collect();
    let math = "− math-web − math-papers − math-textbooks − math-code";
    assert_eq!(
        labels,
        [
            ("upsampled", "base, same 10% window"),
            (math, "upsampled, same 10% window"),
            (math, "base, same 10% window"),
        ]
    );
}

#[test]
fn the_papers_tree_costs_a_fraction_of_its_runs_in_full() {
    let plan = paper();
    let cost = plan.cost();
    assert_eq!(plan.branches.len(), 9);
    assert_eq!(plan.shape.vocab, 100_352);
    assert_eq!(format!("{:.2}", cost.parameters as f64 / 1e9), "6.85");
    // Trunk to 95 %, twice 65 % of windows and once 10 %, against nine runs, or six where the
    // base mixture is trained only once.
    assert_eq!(cost.tree.steps, 241_597 + 2 * 165_304 + 25_431);
    assert_eq!(format!("{:.2} {:.2}", cost.saving, cost.saving_controls_once), "3.83 2.55");
    assert_eq!(cost.in_full.steps, 9 * 254_313);
    // A window of 10 % costs a tenth of a run.
    let index = plan.branches.iter().position(|b| b.name == "upsampled-10pct-r0").unwrap();
    let full = cost.in_full.flops / 9;
    assert_eq!(format!("{:.2}", full as f64 / cost.branches[index].flops as f64), "10.00");
}

#[test]
fn the_papers_notes_are_what_it_leaves_open() {
    let notes: Vec<String> = paper().notes.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(notes.join("\n"), @r"
    18 sources are declared by size: this study can be planned, not run
    the last 593.9K tokens of the budget are less than a step and unused
    one replicate: no noise floor, so no difference can be told from chance
    what a removal frees goes to the rest of its domain: its answer is what a source is worth over what takes its place
    ");
}
