//! The parts of the page, read back as HTML: what is shown, what is escaped, what is drawn.

use std::collections::BTreeMap;

use maud::Markup;
use scraper::{Html, Selector};
use sparkjoy_base::SourceName;
use sparkjoy_spec::StepRecord;

use super::detail::Detail;
use super::picture::{Doing, Failing, Picture, RunPicture, State};
use super::progress::StudyProgress;
use super::subject::Trouble;
use super::tail::Tail;
use super::tree::{About, Group, Run, Tree, TrunkNode};
use super::view::View;
use super::{lanes, study};

/// A name that would be markup if it were taken for that.
const NAME: &str = "<img src=x onerror=alert(1)> & \"sums\"";

fn picture(state: State, step: u64) -> RunPicture {
    RunPicture { state, step, from: 0, to: 100, scores: (0, 1), doing: None, remark: None }
}

/// A trunk, and a branch of two replicates from its step 60 on.
fn tree() -> Tree {
    let run = |id: &str, from, to| Run {
        id: id.to_owned(),
        folder: "nowhere".into(),
        from,
        to,
        tokens_per_step: 10,
        flops_per_step: 1e6,
    };
    let replicates = ["a-r0", "a-r1"];
    let (trunk, points) = ("trunk".to_owned(), vec![60]);
    Tree {
        steps: 100,
        trunks: vec![TrunkNode { run: trunk.clone(), from: 0, to: 60, points }],
        groups: vec![Group {
            trunk,
            after: None,
            label: NAME.to_owned(),
            window: "40%".to_owned(),
            from: 60,
            to: 100,
            control: true,
            runs: replicates.map(str::to_owned).into(),
        }],
        runs: vec![run("trunk", 0, 60), run("a-r0", 60, 100), run("a-r1", 60, 100)],
    }
}

fn pictures(of_first: State) -> BTreeMap<String, RunPicture> {
    let all = [
        ("trunk", picture(State::Done, 60)),
        ("a-r0", picture(of_first, 80)),
        ("a-r1", picture(State::Missing, 60)),
    ];
    all.map(|(run, picture)| (run.to_owned(), picture)).into()
}

fn doing() -> Doing {
    Doing {
        job: NAME.to_owned(),
        run: "a-r0".to_owned(),
        process: 7,
        what: "training".to_owned(),
        part: Some((20, 40)),
        tokens_per_second: Some(38_200.4),
        training: true,
    }
}

/// What a part holds; it must have no mistake a browser would forgive, and no markup of names.
fn parsed(part: &Markup) -> Html {
    let html = Html::parse_fragment(&part.0);
    assert_eq!(html.errors, Vec::<String>::new(), "{}", part.0);
    assert!(html.select(&Selector::parse("img, script, [style]").unwrap()).next().is_none());
    html
}

fn texts(html: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    let found = html.select(&selector);
    found.map(|element| element.text().collect()).collect()
}

#[test]
fn the_overview_says_how_far_all_is_and_what_runs() {
    let tree = tree();
    let picture =
        Picture { runs: pictures(State::Running), doing: vec![doing()], failing: Vec::new() };
    let progress = StudyProgress::new(&tree, &[], &picture);
    let html = parsed(&study::overview(NAME, &tree, &progress, &picture.doing));
    assert_eq!(texts(&html, ".figures b"), ["57 %", "0.0 s", "38.2K tok/s", "800", "0 of 0"]);
    assert_eq!(texts(&html, ".legend li"), ["▶ 1 running", "✓ 1 done", "○ 1 not begun"]);
    let now = format!("▶ {NAME} training · 20 of 40 steps · 38.2K tok/s process 7");
    assert_eq!(texts(&html, ".now li"), [now]);
    let title = study::title(Some(&about()), Some(&progress));
    assert_eq!(title, format!("57 % {NAME} · sparkjoy"));
}

fn about() -> About {
    let (name, plan) = (NAME.to_owned(), "0123".to_owned());
    About { name, plan, branches: 2, parameters: 24_670, sources: 3 }
}

#[test]
fn where_nothing_runs_the_page_says_what_to_type() {
    let tree = tree();
    let picture = Picture { runs: pictures(State::Failed), doing: Vec::new(), failing: Vec::new() };
    let progress = StudyProgress::new(&tree, &[], &picture);
    let html = parsed(&study::overview(NAME, &tree, &progress, &[]));
    let now =
        format!("Nothing is running. sparkjoy run {NAME} continues, and tries again what failed.");
    assert_eq!(texts(&html, ".now li"), [now]);
    let head = parsed(&study::head("study.toml", Some(&about())));
    assert_eq!(texts(&head, "h1"), [NAME]);
}

#[test]
fn what_failed_says_why_and_what_to_do() {
    let failing = Failing {
        job: "a-r0".to_owned(),
        run: "a-r0".to_owned(),
        error: format!("diverged on `crawl` {NAME}"),
        hint: Some("lower `lr`".to_owned()),
        rows: vec![NAME.to_owned()],
    };
    let tree = tree();
    let html = parsed(&study::failing(&tree, &[failing]));
    assert_eq!(texts(&html, "a[data-run='1']"), ["a-r0"]);
    assert_eq!(texts(&html, ".error"), [format!("diverged on crawl {NAME}")]);
    assert_eq!(
        (texts(&html, ".error code"), texts(&html, ".hint")),
        (vec!["crawl".to_owned()], vec!["lower lr".to_owned()],)
    );
    assert_eq!(texts(&html, ".batch li"), [NAME]);
    assert_eq!(texts(&parsed(&study::failing(&tree, &[])), "section:not([hidden])").len(), 0);
    let trouble = Trouble { error: NAME.to_owned(), hint: None };
    assert_eq!(texts(&parsed(&study::trouble(Some(&trouble))), ".error"), [NAME]);
}

#[test]
fn a_run_that_moves_changes_its_own_row_of_the_tree_and_no_other() {
    let tree = tree();
    let list = parsed(&lanes::list(&tree));
    let before = lanes::states(&tree, &pictures(State::Missing));
    let now = lanes::states(&tree, &pictures(State::Running));
    assert_eq!(before.len(), 3, "the trunk, the step, the branch");
    for ((name, before), (_, now)) in before.iter().zip(&now) {
        parsed(now);
        let place = Selector::parse(&format!("#{name}")).unwrap();
        assert!(list.select(&place).next().is_some(), "{name} has a place");
        assert_eq!(before.0 == now.0, name == "tree-00000", "{name}");
    }
    let row = parsed(&now[2].1);
    assert_eq!(texts(&row, ".label"), [format!("{NAME} 40%control")]);
    let link = Selector::parse("a.run").unwrap();
    let labels: Vec<&str> = row.select(&link).filter_map(|link| link.attr("aria-label")).collect();
    assert_eq!(labels[0], format!("{NAME} 40%, replicate 0, control: running, step 80 of 100"));
    let filled = row.select(&Selector::parse("rect.filled.running").unwrap()).next().unwrap();
    // The steps before the first branch take a quarter of the width; 20 of 40 steps are done.
    assert_eq!((filled.attr("x"), filled.attr("width")), (Some("25.000%"), Some("37.500%")));
}

fn tail(steps: u64) -> Tail {
    let mut tail = Tail::new("nowhere".as_ref());
    let name = SourceName::new("crawl").unwrap();
    for step in 1..=steps {
        tail.curve.add(StepRecord {
            step,
            loss: 8.0 / step as f64,
            grad_norm: 1.5,
            lr: 3.2e-4,
            tokens: [(name.clone(), 10)].into(),
            losses: [(name.clone(), 2.0)].into(),
        });
    }
    tail
}

fn detail(view: &View, tail: &Tail, beside: Option<&Tail>) -> Vec<Html> {
    let tree = tree();
    let picture = RunPicture { doing: Some(doing()), ..picture(State::Running, 40) };
    let beside = beside.map(|tail| (2, tail));
    let detail = Detail { tree: &tree, view, run: 1, picture: &picture, tail, beside };
    let parts = detail.parts();
    assert_eq!(
        parts.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["run", "curves", "numbers"]
    );
    parts.iter().map(|(_, part)| parsed(part)).collect()
}

#[test]
fn a_run_shows_its_facts_its_curves_and_their_numbers() {
    let shown = detail(&View::default(), &tail(40), None);
    assert_eq!(texts(&shown[0], "#run-state"), ["▶ running, training"]);
    let facts = ["40 of 100", "38.2K tok/s", "0.200", "1.500", "3.20e−4", "0 of 1"];
    assert_eq!(texts(&shown[0], "dd"), facts);
    assert_eq!(texts(&shown[0], "button[aria-pressed=true]"), ["Follow what runs", "All steps"]);
    assert_eq!(texts(&shown[1], "figcaption b"), ["2.000"]);
    let said = texts(&shown[1], "svg[id] desc, desc#loss-d");
    assert!(
        said.contains(&"loss of a-r0: 8.000 at step 1, 0.200 at step 40.".to_owned()),
        "{said:?}"
    );
    assert_eq!(texts(&shown[1], "desc").len(), 4, "loss, rate, norm, one source");
    assert_eq!(texts(&shown[2], "tbody tr").len(), 20);
    assert_eq!(texts(&shown[2], "tbody tr:last-child"), ["400.2003.20e−41.5002.000"]);
}

#[test]
fn a_view_chooses_steps_and_a_run_to_compare_with() {
    let last = super::view::Last::Tenth;
    let view = View { run: Some(1), beside: Some(2), last, narrow: true };
    let shown = detail(&view, &tail(1000), Some(&tail(1000)));
    assert_eq!(texts(&shown[0], "button[aria-pressed=true]"), ["Last tenth"]);
    assert_eq!(texts(&shown[0], "option[selected]"), ["a-r0", "a-r1"]);
    let note = &texts(&shown[1], "figcaption .soft")[0];
    let wanted = "nats per token; the bold line is the mean over 3 steps; dashed: a-r1";
    assert_eq!(note, wanted);
    let said = &texts(&shown[1], "desc")[0];
    assert!(said.starts_with("loss of a-r0: 0.009 at step 900, 0.008 at step 1,000."), "{said}");
    assert!(said.contains("loss of a-r1: "), "{said}");
}

#[test]
fn a_run_without_metrics_says_so() {
    let shown = detail(&View::default(), &tail(0), None);
    assert_eq!(texts(&shown[1], "#curves"), ["No metrics have been read yet."]);
    assert_eq!(texts(&shown[2], "details:not([hidden])").len(), 0);
}
