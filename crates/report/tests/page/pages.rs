//! Pages of invented studies: what stands on them, and what must never.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::Document;
use scraper::{Html, Selector};
use sparkjoy_answers::{Answers, Finding, Harm, NoLoss, Redundancy, Verdict, What};
use sparkjoy_jobs::{branch_folder, trunk_folder};
use sparkjoy_kit::known;
use sparkjoy_report::{Drawing, Provenance, Report, Table, TrainedModel, page};
use sparkjoy_study::{Plan, Role};

use crate::{invented, studies};

const SIMPLEX: &str = "[objective]\ntargets = { sums = 1, code = 1 }\nguards = { web = \"2%\" }\n";

fn drawn(study: &str, plan: &Plan, answers: &Answers) -> (String, Vec<Drawing>) {
    drawn_beside(study, plan, answers, &[])
}

pub(crate) fn drawn_beside(
    study: &str,
    plan: &Plan,
    answers: &Answers,
    models: &[TrainedModel],
) -> (String, Vec<Drawing>) {
    let provenance = Provenance {
        version: "0.1.0".to_owned(),
        cpu: Some("Invented <CPU> & more".to_owned()),
        system: None,
        threads: 2,
    };
    let times = invented::times(plan);
    let runs = tempfile::tempdir().unwrap();
    // Two runs have come some way.
    for (run, steps) in [
        (trunk_folder(plan.trunk(), runs.path()), 1..=40),
        (
            branch_folder(&plan.branches[0], runs.path()),
            plan.branches[0].from_step + 1..=plan.branches[0].from_step + 20,
        ),
    ] {
        let line = |step: u64| {
            format!(
                "{{\"step\":{step},\"loss\":5.5,\"grad_norm\":1.0,\"lr\":0.1,\"tokens\":{{}},\
                 \"losses\":{{}}}}\n"
            )
        };
        std::fs::create_dir_all(&run).unwrap();
        std::fs::write(run.join("metrics.jsonl"), steps.map(line).collect::<String>()).unwrap();
    }
    let mut truth = Table::new(["<task", "<built in"]);
    truth.row(["sums", "better <"]);
    page(&Report {
        plan,
        answers,
        study,
        times: &times,
        provenance: &provenance,
        runs: runs.path(),
        truth: Some(&(truth, "1 agrees".to_owned())),
        models,
    })
}

/// Every study of the tests, by name, with its page.
fn pages() -> BTreeMap<&'static str, (Plan, String, Vec<Drawing>)> {
    let mut pages = BTreeMap::new();
    let mut draw = |name, study: &str, plan: Plan, answers: &Answers| {
        let (html, drawings) = drawn(study, &plan, answers);
        if let Some(folder) = std::env::var_os("PAGES") {
            let path = std::path::Path::new(&folder).join(name);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("report.html"), &html).unwrap();
            for drawing in &drawings {
                std::fs::write(path.join(&drawing.file), &drawing.svg).unwrap();
            }
        }
        pages.insert(name, (plan, html, drawings));
    };
    let plan = known::simplex(SIMPLEX);
    let answers = known::on_simplex(&plan);
    draw("simplex", "# on a simplex", plan, &answers);
    let mut put = |name, (study, plan): (String, Plan), missing: &str, tasks: bool| {
        let mut answers = invented::answers(&plan, missing);
        if tasks {
            answers = invented::with_tasks(answers);
        }
        draw(name, &study, plan, &answers);
    };
    put("whole", studies::seven(), "", false);
    put("hostile", studies::seven(), "upsampled-10pct-r1", true);
    put("once", studies::once(), "", false);
    put("large", studies::large(), "", false);
    put("scored", studies::scored(), "", true);
    pages
}

pub(crate) fn select<'a>(html: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    html.select(&Selector::parse(selector).unwrap()).collect()
}

#[test]
fn every_page_is_html_without_a_mistake() {
    for (name, (_, html, _)) in pages() {
        let parsed = Html::parse_document(&html);
        assert_eq!(parsed.errors, Vec::<String>::new(), "{name}");
        let ids: Vec<&str> = select(&parsed, "[id]").iter().filter_map(|e| e.attr("id")).collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len(), "{name}: an identifier stands twice");
        for link in select(&parsed, "a[href]") {
            let target =
                link.attr("href").unwrap().strip_prefix('#').expect("links stay on the page");
            assert!(distinct.contains(target), "{name}: #{target} is nowhere");
        }
        for attribute in ["aria-labelledby", "aria-describedby"] {
            for element in select(&parsed, &format!("[{attribute}]")) {
                assert!(distinct.contains(element.attr(attribute).unwrap()), "{name}: {attribute}");
            }
        }
    }
}

#[test]
fn names_and_texts_never_become_markup() {
    let (_, html, drawings) = &pages()["hostile"];
    let parsed = Html::parse_document(html);
    assert!(select(&parsed, "script, img, iframe, object, embed, form").is_empty());
    let own =
        |e: &scraper::ElementRef<'_>| e.value().attrs().any(|(name, _)| name.starts_with("on"));
    assert!(!select(&parsed, "*").iter().any(own), "an element handles events");
    assert!(!html.contains("<script"));
    assert!(
        html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; "),
        "the study is not verbatim"
    );
    for drawing in drawings {
        let document = Document::parse(&drawing.svg).unwrap();
        assert!(
            document.descendants().all(|node| !node.has_tag_name("script")),
            "{}",
            drawing.file
        );
    }
}

#[test]
fn nothing_comes_from_elsewhere_and_nothing_is_too_large() {
    for (name, (_, html, drawings)) in pages() {
        let parsed = Html::parse_document(&html);
        assert!(select(&parsed, "[src], [srcset], [poster], [background]").is_empty(), "{name}");
        let links = select(&parsed, "[href]").into_iter().filter_map(|e| e.attr("href"));
        let outside = links.filter(|link| !link.starts_with('#') && *link != "data:,");
        assert_eq!(outside.collect::<Vec<_>>(), Vec::<&str>::new(), "{name}");
        for text in std::iter::once(&html).chain(drawings.iter().map(|d| &d.svg)) {
            for from in ["url(", "@import", "http:", "https:"] {
                let found = text.replace("http://www.w3.org/2000/svg", "").contains(from);
                assert!(!found, "{name}: `{from}`");
            }
        }
        assert!(html.len() < 2_000_000, "{name}: {} bytes", html.len());
    }
}

#[test]
fn figures_say_what_they_show_and_have_their_table() {
    for (name, (_, html, _)) in pages() {
        let parsed = Html::parse_document(&html);
        let drawings = select(&parsed, "svg");
        assert!(!drawings.is_empty());
        for svg in drawings {
            assert_eq!(svg.attr("role"), Some("img"), "{name}");
            let first: Vec<_> =
                svg.children().filter_map(scraper::ElementRef::wrap).take(2).collect();
            assert_eq!([first[0].value().name(), first[1].value().name()], ["title", "desc"]);
            assert!(first[1].text().collect::<String>().len() > 20, "{name}: nothing is described");
        }
        for figure in select(&parsed, "figure") {
            let caption = Selector::parse("figcaption").unwrap();
            assert_eq!(figure.select(&caption).count(), 1, "{name}");
        }
        let heads = select(&parsed, "th").len();
        assert_eq!(select(&parsed, "th[scope=col], th[scope=row]").len(), heads, "{name}");
        assert_eq!(select(&parsed, "table").len(), select(&parsed, "table > caption").len());
    }
}

#[test]
fn headings_come_in_order_and_landmarks_are_there() {
    for (name, (_, html, _)) in pages() {
        let parsed = Html::parse_document(&html);
        let levels: Vec<u32> = select(&parsed, "h1, h2, h3, h4")
            .iter()
            .map(|heading| heading.value().name()[1..].parse().unwrap())
            .collect();
        assert_eq!(levels[0], 1, "{name}");
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{name}");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: {levels:?}");
        for landmark in ["header", "nav[aria-label]", "main#main", "a.skip[href='#main']"] {
            assert_eq!(select(&parsed, landmark).len(), 1, "{name}: {landmark}");
        }
    }
}

#[test]
fn every_question_has_its_figures() {
    let (_, html, drawings) = &pages()["whole"];
    let files: Vec<&str> = drawings.iter().map(|drawing| drawing.file.as_str()).collect();
    assert_eq!(
        files,
        [
            "q1-curves.svg",
            "q2-heat.svg",
            "q2-forest.svg",
            "q2-refills.svg",
            "q2-refill.svg",
            "q2-base.svg",
            "q3-utility.svg",
            "q3-forest.svg",
            "q4-front.svg",
            "q4-forest.svg",
            "q5-curves.svg",
            "q5-places.svg",
            "q6-curves.svg",
            "q7-transfer.svg",
            "tree.svg",
            "losses.svg",
            "q1-paper.svg",
            "q2-paper.svg",
        ]
    );
    let parsed = Html::parse_document(html);
    for file in files {
        let id = file.strip_suffix(".svg").unwrap();
        assert_eq!(select(&parsed, &format!("figure#{id}")).len(), 1, "{id}");
    }
}

#[test]
fn a_surface_is_drawn_with_what_was_measured_and_the_mixture_to_train_next() {
    let (plan, html, _) = &pages()["simplex"];
    let parsed = Html::parse_document(html);
    let drawing = "#q1-surface svg";
    // Nine measured mixtures and the trunk's, each with its number; tints, hatched where the guard
    // breaks, and the highest point.
    assert_eq!(select(&parsed, &format!("{drawing} circle.open")).len(), 9);
    assert_eq!(select(&parsed, &format!("{drawing} rect.open")).len(), 1);
    assert!(select(&parsed, &format!("{drawing} g[shape-rendering] path")).len() > 6);
    assert_eq!(select(&parsed, &format!("{drawing} path.hatch")).len(), 1);
    assert_eq!(select(&parsed, &format!("{drawing} path.pin")).len(), 1);
    let texts = select(&parsed, &format!("{drawing} text"));
    let texts: Vec<String> = texts.iter().map(|text| text.text().collect()).collect();
    for name in &plan.questions[0].simplex.as_ref().unwrap().corners {
        assert!(texts.contains(name), "{name} of {texts:?}");
    }
    assert!(texts.iter().any(|text| text.starts_with("highest +")), "{texts:?}");
    let next: String = select(&parsed, "#q1 > pre")[0].text().collect();
    assert!(next.starts_with("[mixtures.predicted]\ncode = 0."), "{next}");
    let parts = next.lines().skip(1).map(|line| line.split(" = ").nth(1).unwrap());
    let parts = parts.map(|part| part.parse::<f64>().unwrap());
    assert!((parts.sum::<f64>() - 1.0).abs() < 1e-9, "{next}");
}

#[test]
fn losses_are_drawn_of_runs_that_have_any_and_what_is_not_the_studys_stands_last() {
    let (plan, html, _) = &pages()["whole"];
    let parsed = Html::parse_document(html);
    let titles: Vec<String> =
        select(&parsed, "#losses svg > title").iter().map(|t| t.text().collect()).collect();
    let window = format!("Window {}", plan.branches[0].window);
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles[0].starts_with("Trunk: ") && titles[1].starts_with(&window), "{titles:?}");
    let names: Vec<String> =
        select(&parsed, "#losses text.small.t1").iter().map(|t| t.text().collect()).collect();
    assert_eq!(names, ["trunk", &plan.branches[0].label]);
    assert_eq!(select(&parsed, "#truth td")[0].text().collect::<String>(), "better <");
    assert!(select(&parsed, ".question #q1-paper").is_empty());
    assert_eq!(select(&parsed, "main > section:nth-last-of-type(2)#paper figure").len(), 2);
    // A phone has a drawing of its own of what it cannot make smaller.
    assert_eq!(select(&parsed, "#tree .at-narrow svg").len(), plan.trunks.len());
}

#[test]
fn figures_stand_alone_in_light_colours() {
    for (name, (_, _, drawings)) in pages() {
        for Drawing { file, svg } in drawings {
            let document = Document::parse(&svg).unwrap_or_else(|e| panic!("{name} {file}: {e}"));
            assert_eq!(document.root_element().tag_name().name(), "svg");
            assert!(!svg.contains("var("), "{name} {file}: a variable nobody declares");
        }
    }
}

#[test]
fn what_is_missing_is_said_first_and_shown_as_missing() {
    let (_, html, _) = &pages()["hostile"];
    let parsed = Html::parse_document(html);
    let main = &select(&parsed, "main > section")[0];
    assert_eq!(main.attr("class"), Some("alert"));
    assert!(main.text().collect::<String>().contains("upsampled-10pct-r1"));
    assert!(!select(&parsed, "#q1 td.missing").is_empty());
    let curve = select(&parsed, "#q1-curves svg text");
    assert!(curve.iter().any(|text| text.text().eq(["missing"])), "a curve runs through a gap");
    let (_, whole, _) = &pages()["whole"];
    assert!(!whole.contains("class=\"alert\""));
}

#[test]
fn one_replicate_shows_no_interval_and_ranks_nothing() {
    let (_, html, drawings) = &pages()["once"];
    let forest = drawings.iter().find(|drawing| drawing.file == "q2-forest.svg").unwrap();
    assert!(!forest.svg.contains("significant, best first"));
    assert!(!forest.svg.contains("class=\"whisker"), "an interval of one value");
    assert!(html.contains("so that no difference is significant"));
}

#[test]
fn a_contaminated_source_is_a_caution_with_its_numbers() {
    let pages = pages();
    let cautions = |name| -> Vec<String> {
        let html = Html::parse_document(&pages[name].1);
        select(&html, "#machine .caution").iter().map(|p| p.text().collect()).collect()
    };
    let [stained, unknown] = cautions("hostile").try_into().unwrap();
    let expected = "CONTAMINATED: 2 of 1,319 items of gsm8k & co stand in the training text of source \
                    web (the study names it)";
    assert!(stained.starts_with(expected), "{stained}");
    assert!(unknown.starts_with("NOT CHECKED") && unknown.ends_with("books"), "{unknown}");
    assert_eq!(cautions("whole"), Vec::<String>::new());
}

#[test]
fn the_same_answers_are_the_same_bytes() {
    let (study, plan) = studies::seven();
    let answers = invented::with_tasks(invented::answers(&plan, ""));
    assert!(drawn(&study, &plan, &answers) == drawn(&study, &plan, &answers));
}

#[test]
fn a_forest_ranks_what_is_significant_and_nothing_else() {
    let (study, plan) = studies::seven();
    let mut answers = invented::answers(&plan, "");
    let removal = &mut answers.questions[1];
    // Neither the order of the study nor that of the effects: that of the answers.
    removal.ranking.rotate_left(2);
    let noise = removal.ranking.remove(1);
    let targeted = removal.scopes.iter().position(|scope| scope.what == What::Targeted).unwrap();
    removal.arms[noise].cells[targeted].as_mut().unwrap().verdict = Verdict::NotSignificant;
    let shown = removal.ranking.iter().chain([&noise]);
    let expected: Vec<String> = shown.map(|&arm| removal.arms[arm].label.clone()).collect();
    let answered: Vec<_> =
        removal.arms.iter().filter(|arm| arm.role == Role::Answer).cloned().collect();

    let (_, drawings) = drawn(&study, &plan, &answers);
    let forest = drawings.iter().find(|drawing| drawing.file == "q2-forest.svg").unwrap();
    let document = Document::parse(&forest.svg).unwrap();
    let titles =
        document.descendants().filter(|n| n.has_tag_name("title")).filter_map(|n| n.text());
    let rows: Vec<&str> = titles.filter(|title| expected.iter().any(|row| row == title)).collect();
    assert_eq!(rows, expected);
    let hollow = document.descendants().filter(|node| {
        node.attribute("class").is_some_and(|class| class.split(' ').any(|name| name == "open"))
    });
    let cells = answered.iter().flat_map(|arm| arm.cells[..3].iter().flatten());
    let noisy = cells.filter(|cell| cell.verdict == Verdict::NotSignificant).count();
    assert!(noisy > 0);
    assert_eq!(hollow.count(), noisy);
}

#[test]
fn harm_and_redundancy_are_said_at_the_top_however_much_else_there_is_to_say() {
    let (study, plan) = studies::seven();
    let mut answers = invented::answers(&plan, "");
    let removal = &mut answers.questions[1];
    let is_answer = |arm: &usize| removal.arms[*arm].role == Role::Answer;
    let [one, other, ..] = (0..removal.arms.len()).filter(is_answer).collect::<Vec<_>>()[..] else {
        panic!("two removals");
    };
    let names = [one, other].map(|arm| {
        let targets = removal.arms[arm].targets.iter().map(ToString::to_string);
        targets.collect::<Vec<_>>().join(" and ")
    });
    for _ in 0..5 {
        let (arms, tasks, detectable) = (vec![one], false, Vec::new());
        removal.findings.push(Finding::NoLoss(NoLoss { arms, tasks, detectable }));
    }
    let (better, worse, rival) = (Vec::new(), Vec::new(), None);
    removal.findings.push(Finding::Harmful(Harm { arm: one, better, worse, rival }));
    removal.findings.push(Finding::Redundant(Redundancy {
        all: one,
        each: vec![one, other],
        part: 0.5,
        subsets: false,
        evidence: Vec::new(),
        no_loss_alone: false,
    }));
    let (html, _) = drawn(&study, &plan, &answers);
    let parsed = Html::parse_document(&html);
    for selector in ["#answers", "#q2"] {
        let text = select(&parsed, selector)[0].text().collect::<String>();
        let [one, other] = &names;
        for said in [
            format!("Harm Removing {one} "),
            format!("Redundant {one} and {other} stand in for each other"),
        ] {
            assert!(text.contains(&said), "{selector} does not say `{said}`: {text}");
        }
    }
}

#[test]
fn a_removals_heat_table_shows_which_tasks_are_marked() {
    let (study, plan) = studies::seven();
    let mut answers = invented::with_tasks(invented::answers(&plan, ""));
    let removal = &mut answers.questions[1];
    let arm = removal.arms.iter().position(|arm| arm.role == Role::Answer).unwrap();
    let mmlu = removal.tasks.iter_mut().find(|task| task.task == "mmlu").unwrap();
    for (place, cell) in mmlu.cells.iter_mut().flatten().enumerate() {
        (cell.adjusted_p, cell.verdict) = (Some(0.5), Verdict::NotSignificant);
        if place == arm {
            (cell.adjusted_p, cell.verdict) = (Some(0.01), Verdict::Worse);
        }
    }
    let shown = removal.arms.iter().filter(|arm| arm.role == Role::Answer).count();
    let tested = mmlu.cells.iter().flatten().count();
    let (html, drawings) = drawn(&study, &plan, &answers);
    let heat = drawings.iter().find(|drawing| drawing.file == "q2-heat.svg").unwrap();
    let document = Document::parse(&heat.svg).unwrap();
    let described = document.descendants().find(|node| node.has_tag_name("desc")).unwrap();
    let accuracy = described.text().unwrap().split("Δ points of accuracy").nth(1).unwrap();
    let told = accuracy.split("mmlu ").skip(1).map(|rest| rest.split(';').next().unwrap());
    let words: Vec<&str> = told.filter_map(|cell| cell.rsplit(", ").next()).collect();
    assert_eq!(words.len(), shown, "{words:?}");
    assert_eq!(words.iter().filter(|word| **word == "worse").count(), 1);
    assert_eq!(words.iter().filter(|word| **word == "not significant").count(), shown - 1);
    // The tests are in a table of their own.
    let parsed = Html::parse_document(&html);
    let tables = select(&parsed, "#q2 details table");
    let tests = tables.iter().find(|table| {
        table.text().collect::<String>().contains("The comparisons on tasks that are tested")
    });
    let rows = Selector::parse("tbody tr").unwrap();
    assert_eq!(tests.expect("a table of tests").select(&rows).count(), tested);
}
