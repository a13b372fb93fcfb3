//! Figure 1 and Tables 5 to 7 of the paper, as a page has them of its own study.

use scraper::{ElementRef, Html, Selector};
use sparkjoy_report::read_models;

use crate::pages::{drawn_beside, select};
use crate::{invented, studies};

const OWN: &str = "model,params_b,tokens_t,mmlu@3,gauntlet-v0.3\nOurs,1,0.5,0.31,0.25\n";

fn page(own: Option<&str>) -> Html {
    let (study, plan) = studies::scored();
    let answers = invented::with_tasks(invented::answers(&plan, ""));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("models.csv");
    let models = own.map_or_else(Vec::new, |text| {
        std::fs::write(&file, text).unwrap();
        read_models(&file, &plan).unwrap_or_else(|problem| panic!("{problem}"))
    });
    Html::parse_document(&drawn_beside(&study, &plan, &answers, &models).0)
}

fn texts(html: &Html, selector: &str) -> Vec<String> {
    select(html, selector).iter().map(|of| of.text().collect()).collect()
}

#[test]
fn a_study_with_tasks_is_drawn_among_open_models() {
    let html = page(None);
    let points = texts(&html, "#flops svg g > title");
    let open: Vec<&String> = points.iter().filter(|at| at.contains("(open models)")).collect();
    assert_eq!(open.len(), 16);
    let llama = "Llama 2 7B (open models): 45.81 at 8.1 × 10²² FLOPs.";
    assert!(open.iter().any(|at| *at == llama), "{open:?}");
    let of = |kind: &str| points.iter().filter(|at| at.contains(kind)).count();
    assert_eq!(of("(trunk)"), 3);
    assert!(of("(branches)") > 10 && of("(controls)") > 2, "{points:?}");
    // The last step of a run, whatever its window: 6 N D.
    let (_, plan) = studies::scored();
    let tokens = plan.branches[0].spec.last_step() * plan.tokens_per_step().0;
    let flops = sparkjoy_base::scientific(6.0 * (plan.shape.parameters() * tokens) as f64);
    let branch = format!("{}, {} (", plan.branches[0].label, plan.branches[0].window);
    let at = points.iter().find(|at| at.starts_with(&branch)).unwrap();
    assert!(at.ends_with(&format!("at {flops} FLOPs.")), "{at} {flops}");
    let labels = texts(&html, "#flops svg text");
    assert!(labels.iter().any(|label| label == "Llama 3 8B"), "{labels:?}");
    assert!(!texts(&html, "#flops figcaption")[0].contains("Other numbers of examples"));
}

#[test]
fn models_of_the_user_stand_beside_them() {
    let html = page(Some(OWN));
    let points = texts(&html, "#flops svg g > title");
    let own: Vec<&String> = points.iter().filter(|at| at.starts_with("Ours (")).collect();
    assert_eq!(
        own,
        [
            "Ours (your models): 0.2500 at 3.0 × 10²¹ FLOPs.",
            "Ours (your models): 31.00 at 3.0 × 10²¹ FLOPs."
        ]
    );
    let caption = &texts(&html, "#flops figcaption")[0];
    assert!(caption.contains("mmlu 3 (here 5)"), "{caption}");
}

#[test]
fn a_study_without_a_shared_task_has_no_such_figure() {
    let (study, plan) = studies::seven();
    let answers = invented::answers(&plan, "");
    let html = Html::parse_document(&drawn_beside(&study, &plan, &answers, &[]).0);
    assert!(select(&html, "#flops").is_empty());
}

/// A table as lines, cells apart by a bar.
fn lines(table: ElementRef<'_>) -> String {
    let cells = Selector::parse("th, td").unwrap();
    let rows = Selector::parse("tr").unwrap();
    let caption = table.select(&Selector::parse("caption").unwrap()).next().unwrap();
    let row = |row: ElementRef<'_>| {
        let cells = row.select(&cells).map(|cell| {
            let text = cell.text().collect::<String>();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        cells.collect::<Vec<_>>().join(" | ")
    };
    let lines = table.select(&rows).map(row);
    std::iter::once(caption.text().collect()).chain(lines).collect::<Vec<String>>().join("\n")
}

fn laid_out(html: &Html, section: &str, words: &str) -> String {
    let tables = select(html, &format!("{section} table"));
    let shown = tables.into_iter().map(lines).filter(|lines| lines.starts_with(words));
    shown.collect::<Vec<_>>().join("\n\n")
}

#[test]
fn scores_are_laid_out_as_the_tables_of_the_paper() {
    let html = page(None);
    let by_window = laid_out(&html, "#q1", "By ");
    insta::assert_snapshot!(by_window, @"");
    let removed = laid_out(&html, "#q2", "With and without");
    insta::assert_snapshot!(removed, @"");
    // The paper's own numbers have the same form, and stand behind everything of the study.
    let paper = laid_out(&html, "#paper", "The paper's scores");
    insta::assert_snapshot!(paper, @"");
    assert_eq!(laid_out(&html, "section:not(#paper)", "The paper's scores"), "");
}

#[test]
fn without_tasks_domains_and_sources_take_their_place() {
    let (study, plan) = studies::seven();
    let answers = invented::answers(&plan, "");
    let html = Html::parse_document(&drawn_beside(&study, &plan, &answers, &[]).0);
    let by_category = laid_out(&html, "#q4", "By category");
    insta::assert_snapshot!(by_category, @"");
}
