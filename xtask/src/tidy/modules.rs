//! Rules about modules: those of the upper crates import each other in one direction only.
//!
//! ARCHITECTURE.md draws the modules of these crates in lines such as `study: base, plan, resolve`:
//! a module may use those on its left. Deeper down, siblings must not import each other in a
//! circle.

use std::collections::{BTreeMap, BTreeSet};

use super::code::only;
use super::{Text, assert_tidy, repository};

/// The crates whose modules are drawn.
const DRAWN: [&str; 5] = ["spec", "study", "jobs", "answers", "report"];

/// A file of a crate as a module.
struct Module {
    /// `["resolve", "question", "tree"]` for `src/resolve/question/tree.rs`; empty for `lib.rs`.
    path: Vec<String>,
    /// Its code without comments, literals and tests.
    code: String,
}

/// The modules of a crate, its tests left out.
fn modules(texts: &[Text], name: &str) -> Vec<Module> {
    let folder = format!("crates/{name}/src/");
    let of = |text: &Text| {
        let file = text.path.strip_prefix(&folder)?.strip_suffix(".rs")?;
        let mut path: Vec<String> = file.split('/').map(str::to_owned).collect();
        if matches!(path.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            path.pop();
        }
        let is_test = |part: &String| part == "tests" || part.ends_with("_tests");
        if path.iter().any(is_test) || path.first().is_some_and(|first| first == "testing") {
            return None;
        }
        let code = only(&text.content);
        let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
        Some(Module { path, code })
    };
    texts.iter().filter_map(of).collect()
}

/// The paths that follow each `prefix::` of some code: `a::{b, c::d}` gives `[a, b]`, `[a, c, d]`.
fn paths(code: &str, prefix: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let start = format!("{prefix}::");
    for (at, _) in code.match_indices(&start) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        expand(&code[at + start.len()..], &[], &mut found);
    }
    found
}

/// Reads one path, or a list of them in braces, and returns what comes behind.
fn expand<'a>(code: &'a str, before: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let code = code.trim_start();
    if let Some(mut inside) = code.strip_prefix('{') {
        loop {
            inside = inside.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            match inside.strip_prefix('}') {
                Some(rest) => return rest,
                None if inside.is_empty() => return inside,
                None => {
                    let rest = expand(inside, before, found);
                    // What cannot be read is skipped, so that this ends.
                    inside = if rest.len() < inside.len() {
                        rest
                    } else {
                        inside.get(1..).unwrap_or_default()
                    };
                }
            }
        }
    }
    let end = code.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(code.len());
    let (name, rest) = code.split_at(end);
    if name.is_empty() {
        return rest;
    }
    let path: Vec<String> = before.iter().cloned().chain([name.to_owned()]).collect();
    if let Some(rest) = rest.strip_prefix("::") {
        return expand(rest, &path, found);
    }
    found.push(path);
    match rest.trim_start().strip_prefix("as ") {
        Some(rest) => rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
        None => rest,
    }
}

/// What the crate's root offers under a name of its own: the name and where it comes from.
fn offered(modules: &[Module]) -> BTreeMap<String, Vec<String>> {
    let names: BTreeSet<&String> = modules.iter().filter_map(|m| m.path.first()).collect();
    let mut offered = BTreeMap::new();
    for root in modules.iter().filter(|module| module.path.is_empty()) {
        for statement in root.code.split(';') {
            let Some((_, used)) = statement.split_once("use ") else { continue };
            let mut found = Vec::new();
            expand(used, &[], &mut found);
            for path in found.into_iter().filter(|path| names.contains(&path[0])) {
                let name = path.last().expect("a path has a name").clone();
                offered.insert(name, path);
            }
        }
    }
    offered
}

/// Every import of one module by another, as absolute paths.
fn imports(modules: &[Module]) -> Vec<(Vec<String>, Vec<String>)> {
    let offered = offered(modules);
    let mut edges = Vec::new();
    for module in modules.iter().filter(|module| !module.path.is_empty()) {
        let mut used = paths(&module.code, "crate");
        for path in paths(&module.code, "super") {
            let ups = 1 + path.iter().take_while(|part| *part == "super").count();
            let Some(left) = module.path.len().checked_sub(ups) else { continue };
            let rest = path.into_iter().skip_while(|part| part == "super");
            used.push(module.path[..left].iter().cloned().chain(rest).collect());
        }
        for path in used.into_iter().filter(|path| !path.is_empty()) {
            let path = offered.get(&path[0]).filter(|_| path.len() == 1).cloned().unwrap_or(path);
            edges.push((module.path.clone(), path));
        }
    }
    edges
}

/// The drawn order of a crate's modules, from ARCHITECTURE.md.
fn drawn(architecture: &str, name: &str) -> Option<Vec<String>> {
    let line = architecture.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))?;
    Some(line.split(", ").map(|module| module.trim().to_owned()).collect())
}

/// Imports that go against the drawing, and modules that it lacks.
fn against(name: &str, modules: &[Module], order: &[String]) -> Vec<String> {
    let place = |module: &str| order.iter().position(|drawn| drawn == module);
    let tops: BTreeSet<&String> = modules.iter().filter_map(|m| m.path.first()).collect();
    let lacking = tops
        .iter()
        .filter(|top| place(top).is_none())
        .map(|top| format!("crate `{name}`: ARCHITECTURE.md does not draw module `{top}`"));
    let gone = order.iter().filter(|drawn| !tops.contains(drawn)).map(|drawn| {
        format!("crate `{name}`: ARCHITECTURE.md draws `{drawn}`, which is not there")
    });
    let mut complaints: BTreeSet<String> = lacking.chain(gone).collect();
    for (from, to) in imports(modules) {
        let (Some(user), Some(used)) = (place(&from[0]), place(&to[0])) else { continue };
        if used > user {
            let from = from.join("::");
            complaints.insert(format!(
                "crate `{name}`: `{from}` uses `{}`, which ARCHITECTURE.md draws above it",
                to[0]
            ));
        }
    }
    complaints.into_iter().collect()
}

/// Siblings at any depth that import each other in a circle.
fn circles(name: &str, modules: &[Module]) -> Vec<String> {
    let mut uses: BTreeMap<(Vec<String>, String), BTreeSet<String>> = BTreeMap::new();
    let known: BTreeSet<&[String]> = modules
        .iter()
        .flat_map(|module| (1..=module.path.len()).map(|depth| &module.path[..depth]))
        .collect();
    for (from, to) in imports(modules) {
        let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        if common < from.len() && common < to.len() && known.contains(&to[..=common]) {
            let key = (from[..common].to_vec(), from[common].clone());
            uses.entry(key).or_default().insert(to[common].clone());
        }
    }
    let mut complaints = Vec::new();
    for (parent, module) in uses.keys() {
        let mut reached: BTreeSet<String> = BTreeSet::new();
        let mut next: Vec<String> =
            uses[&(parent.clone(), module.clone())].iter().cloned().collect();
        while let Some(at) = next.pop() {
            if reached.insert(at.clone()) {
                next.extend(uses.get(&(parent.clone(), at)).into_iter().flatten().cloned());
            }
        }
        if reached.contains(module) {
            let place: Vec<&String> = parent.iter().chain([module]).collect();
            let place: Vec<&str> = place.iter().map(|part| part.as_str()).collect();
            complaints.push(format!("crate `{name}`: `{}` is in a circle", place.join("::")));
        }
    }
    complaints
}

#[test]
fn modules_of_the_upper_crates_import_in_one_direction() {
    let texts = repository();
    let architecture =
        texts.iter().find(|text| text.path == "ARCHITECTURE.md").expect("it is kept");
    let mut complaints = Vec::new();
    for name in DRAWN {
        let modules = modules(&texts, name);
        match drawn(&architecture.content, name) {
            Some(order) => complaints.extend(against(name, &modules, &order)),
            None => {
                complaints.push(format!("ARCHITECTURE.md does not draw the modules of `{name}`"));
            }
        }
        complaints.extend(circles(name, &modules));
    }
    assert_tidy(&complaints);
}

#[cfg(test)]
fn made_up(files: &[(&str, &str)]) -> Vec<Module> {
    let texts = files
        .iter()
        .map(|(path, content)| Text::made_up(&format!("crates/lab/src/{path}"), content));
    modules(&texts.collect::<Vec<_>>(), "lab")
}

#[test]
fn an_import_against_the_drawing_is_found_however_it_is_written() {
    let order = ["plan".to_owned(), "resolve".to_owned()];
    let root = ("lib.rs", "mod plan;\nmod resolve;\npub use resolve::{self, Fit};\n");
    for import in [
        "use crate::resolve::Fit;",
        "use crate::{\n    error::{A, B},\n    resolve,\n};",
        "use super::resolve::Fit;",
        "use crate::Fit;",
        "fn f() { crate::resolve::fit() }",
    ] {
        let found =
            against("lab", &made_up(&[root, ("plan.rs", import), ("resolve.rs", "")]), &order);
        assert_eq!(
            found,
            ["crate `lab`: `plan` uses `resolve`, which ARCHITECTURE.md draws above it"],
            "{import}"
        );
    }
    let fine =
        made_up(&[root, ("plan.rs", "// crate::resolve"), ("resolve.rs", "use crate::plan;")]);
    assert!(against("lab", &fine, &order).is_empty());
    assert_eq!(against("lab", &fine, &order[..1]).len(), 1);
}

#[test]
fn a_circle_of_siblings_is_found_at_any_depth() {
    let files = [
        ("lib.rs", "mod words;"),
        ("words/mod.rs", "mod a;\nmod b;"),
        ("words/a.rs", "use super::b::B;"),
        ("words/b.rs", "use crate::words::a::{A};"),
    ];
    assert_eq!(circles("lab", &made_up(&files)).len(), 2);
    assert!(circles("lab", &made_up(&files[..3])).is_empty());
}
