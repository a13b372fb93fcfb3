//! Rules about crates: they depend downwards only, and every dependency is a written decision.

use std::collections::{BTreeMap, BTreeSet};

use super::{Text, assert_tidy, repository};

/// Which crate may name which, top to bottom: the drawing of ARCHITECTURE.md.
const MAY_DEPEND_ON: [(&str, &[&str]); 17] = [
    ("base", &[]),
    ("mix", &["base"]),
    ("spec", &["base", "mix"]),
    ("data", &["base"]),
    ("nn", &["base", "spec"]),
    ("sandbox", &["base"]),
    ("stats", &[]),
    ("world", &["base"]),
    ("train", &["base", "mix", "spec", "data", "nn"]),
    ("eval", &["base", "spec", "data", "sandbox"]),
    ("study", &["base", "mix", "spec", "data", "nn", "train", "eval"]),
    ("answers", &["base", "mix", "stats", "eval", "study"]),
    ("kit", &["base", "eval", "study", "answers"]),
    ("jobs", &["base", "mix", "spec", "data", "nn", "train", "eval", "study", "answers"]),
    ("draft", &["base", "mix", "spec", "data", "nn", "eval", "study"]),
    ("report", &["base", "spec", "train", "study", "answers", "jobs"]),
    (
        "cli",
        &[
            "base", "mix", "spec", "data", "nn", "train", "eval", "study", "answers", "jobs",
            "draft", "report", "world",
        ],
    ),
];

/// What the tests of a crate may name besides: models for what scores any, and the test kit.
const TESTS_MAY_DEPEND_ON: [(&str, &[&str]); 5] = [
    ("eval", &["nn", "train"]),
    ("answers", &["kit"]),
    ("draft", &["kit"]),
    ("jobs", &["kit"]),
    ("report", &["kit"]),
];

/// The dependencies a manifest names.
struct Manifest {
    /// The crate's folder, `jobs`.
    name: String,
    /// What the crate itself uses.
    uses: BTreeSet<String>,
    /// What only its tests and benchmarks use.
    tests_use: BTreeSet<String>,
}

/// The manifests among `texts`, of the crates under `crates/`. Packages further down are not ours
/// to ship: benchmarks build them to compare with.
fn manifests(texts: &[Text]) -> Vec<Manifest> {
    texts
        .iter()
        .filter_map(|text| {
            let name = text.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
            if name.contains('/') {
                return None;
            }
            let table: toml::Table = text.content.parse().expect("cargo has read it");
            let names = |keys: &[&str]| {
                let tables = keys.iter().filter_map(|key| table.get(*key)?.as_table());
                tables.flat_map(|t| t.keys().cloned()).collect()
            };
            Some(Manifest {
                name: name.to_owned(),
                uses: names(&["dependencies", "build-dependencies"]),
                tests_use: names(&["dev-dependencies"]),
            })
        })
        .collect()
}

/// The crate behind a dependency, if it is one of ours.
fn our_crate(dependency: &str) -> Option<&str> {
    dependency.strip_prefix("sparkjoy-")
}

fn upwards(manifest: &Manifest) -> Vec<String> {
    let all: BTreeMap<_, _> = MAY_DEPEND_ON.into_iter().collect();
    let Some(allowed) = all.get(manifest.name.as_str()) else {
        return vec![format!("crate `{}` is not in ARCHITECTURE.md's drawing", manifest.name)];
    };
    let below: BTreeSet<_> =
        allowed.iter().flat_map(|a| all[a].iter().chain([a])).copied().collect();
    let tests: BTreeMap<_, _> = TESTS_MAY_DEPEND_ON.into_iter().collect();
    let for_tests = tests.get(manifest.name.as_str()).copied().unwrap_or_default();
    let below: BTreeSet<_> = below.into_iter().chain(for_tests.iter().copied()).collect();
    let complain = |name: &str, allowed: &dyn std::fmt::Debug| {
        format!("crate `{}` depends on `{name}`; ARCHITECTURE.md allows {allowed:?}", manifest.name)
    };
    let used = manifest.uses.iter().filter_map(|d| our_crate(d));
    let tested = manifest.tests_use.iter().filter_map(|d| our_crate(d));
    used.filter(|name| !allowed.contains(name))
        .map(|name| complain(name, allowed))
        .chain(tested.filter(|name| !below.contains(name)).map(|name| complain(name, &below)))
        .collect()
}

/// Dependencies without a line in the table of `decisions`.
fn undecided(manifest: &Manifest, decisions: &str) -> Vec<String> {
    let all = manifest.uses.union(&manifest.tests_use);
    all.filter(|name| our_crate(name).is_none())
        .filter(|name| {
            !decisions.lines().any(|l| l.starts_with('|') && l.contains(&format!("`{name}`")))
        })
        .map(|name| {
            format!("crate `{}` uses `{name}`; docs/decisions.md does not say why", manifest.name)
        })
        .collect()
}

#[cfg(test)]
fn made_up(name: &str, content: &str) -> Manifest {
    manifests(&[Text::made_up(&format!("crates/{name}/Cargo.toml"), content)]).remove(0)
}

#[test]
fn crates_depend_only_downwards() {
    let found = manifests(&repository());
    assert_eq!(found.len(), MAY_DEPEND_ON.len(), "a crate more or less than the drawing has");
    assert_tidy(&found.iter().flat_map(upwards).collect::<Vec<_>>());

    let sideways = made_up("nn", "[dependencies]\nsparkjoy-data.workspace = true\n");
    assert_eq!(
        upwards(&sideways),
        ["crate `nn` depends on `data`; ARCHITECTURE.md allows [\"base\", \"spec\"]"]
    );
    let test_only = made_up("base", "[dev-dependencies]\nsparkjoy-jobs.workspace = true\n");
    assert_eq!(upwards(&test_only).len(), 1);
    let further_down = made_up("cli", "[dev-dependencies]\nsparkjoy-eval.workspace = true\n");
    assert!(upwards(&further_down).is_empty());
    assert_eq!(upwards(&made_up("utils", "")).len(), 1);
}

#[test]
fn every_dependency_is_a_written_decision() {
    let texts = repository();
    let decisions = texts.iter().find(|t| t.path == "docs/decisions.md").expect("it is kept");
    let found = manifests(&texts);
    assert_tidy(&found.iter().flat_map(|m| undecided(m, &decisions.content)).collect::<Vec<_>>());

    let manifest = made_up("jobs", "[dependencies]\nserde = \"1\"\nleftpad = \"1\"\n");
    let complaints = undecided(&manifest, "| `serde` | files |\nwe do not want `leftpad`\n");
    assert_eq!(complaints, ["crate `jobs` uses `leftpad`; docs/decisions.md does not say why"]);
}
