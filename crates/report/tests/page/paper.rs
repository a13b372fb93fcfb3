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
    let run = &plan.branches[plan.questions[0].arms[0].branches[0]];
    let tokens = run.spec.last_step() * plan.tokens_per_step().0;
    let flops = sparkjoy_base::scientific(6.0 * (plan.shape.parameters() * tokens) as f64);
    let branch = format!("{}, {} (", run.label, run.window);
    let at = points.iter().find(|at| at.starts_with(&branch)).unwrap();
    assert!(at.ends_with(&format!("at {flops} FLOPs.")), "{at} {flops}");
    let labels = texts(&html, "#flops svg text");
    assert!(labels.iter().any(|label| label == "Llama 1 7B"), "{labels:?}");
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
    insta::assert_snapshot!(by_window, @"
    By category, laid out as Table 5 of the paper: % ± standard deviation over replicates
    mixture and window | gauntlet-v0.3 ↑ better
    base, 5% | 29.77 ± 0.62
    upsampled, 5% | 29.97 ± 0.19
    base, 10% | 29.86 ± 0.53
    upsampled, 10% | 30.39 ± 0.46
    base, 20% | 30.15 ± 0.86
    upsampled, 20% | 29.45 ± 0.42
    base, 30% | 30.05 ± 0.35
    upsampled, 30% | 29.31 ± 0.44

    By task, laid out as Table 6 of the paper: % ± standard deviation over replicates
    score | base, 5% | upsampled, 5% | base, 10% | upsampled, 10% | base, 20% | upsampled, 20% | base, 30% | upsampled, 30%
    <img src=x onerror=alert(1)>, ↑ better | 29.85 ± 0.70 | 30.36 ± 0.19 | 30.43 ± 0.52 | 29.89 ± 0.55 | 29.76 ± 0.82 | 29.97 ± 0.69 | 30.01 ± 0.77 | 29.73 ± 0.21
    mmlu, ↑ better | 30.15 ± 0.77 | 29.60 ± 0.37 | 30.12 ± 0.40 | 29.90 ± 0.70 | 30.67 ± 0.31 | 29.97 ± 0.24 | 30.13 ± 0.55 | 29.72 ± 0.53
    gsm8k & co, ↑ better | 29.83 ± 0.57 | 29.54 ± 0.46 | 30.34 ± 0.49 | 29.77 ± 0.62 | 30.29 ± 0.91 | 29.66 ± 0.73 | 29.99 ± 0.89 | 29.65 ± 0.36
    arc, ↑ better | 30.43 ± 0.83 | 29.80 ± 0.81 | 29.67 ± 0.47 | 29.34 ± 0.27 | 29.69 ± 0.86 | 30.50 ± 0.44 | 30.40 ± 0.51 | 30.10 ± 0.24
    ");
    let removed = laid_out(&html, "#q2", "With and without");
    insta::assert_snapshot!(removed, @"
    With and without each source, laid out as Table 7 of the paper: % ± standard deviation over replicates
    score | base, 10% | upsampled, 10% | upsampled − word-problems, refill proportional, 10% | upsampled − word-problems, refill letters, 10% | upsampled − proofs, refill proportional, 10% | upsampled − proofs, refill letters, 10% | upsampled − encyclopedia, refill proportional, 10% | upsampled − encyclopedia, refill letters, 10% | upsampled − code − blogs, refill proportional, 10% | upsampled − code − blogs, refill letters, 10%
    gauntlet-v0.3, ↑ better | 29.93 ± 0.41 | 29.90 ± 0.61 | 29.32 ± 0.49 | 29.91 ± 0.32 | 29.68 ± 0.46 | 29.55 ± 0.68 | 30.02 ± 0.47 | 30.07 ± 0.84 | 30.82 ± 0.14 | 29.58 ± 0.12
    <img src=x onerror=alert(1)>, ↑ better | 30.17 ± 0.67 | 30.10 ± 0.56 | 30.54 ± 0.56 | 29.73 ± 0.79 | 30.54 ± 0.22 | 29.62 ± 0.53 | 29.97 ± 0.34 | 29.55 ± 0.45 | 30.04 ± 0.66 | 30.44 ± 0.71
    mmlu, ↑ better | 29.73 ± 0.70 | 29.85 ± 0.30 | 29.97 ± 0.83 | 30.08 ± 0.84 | 29.94 ± 0.74 | 29.49 ± 0.63 | 29.71 ± 0.44 | 29.97 ± 0.38 | 29.64 ± 0.52 | 30.35 ± 0.72
    gsm8k & co, ↑ better | 29.88 ± 0.74 | 29.90 ± 0.30 | 29.82 ± 0.74 | 30.51 ± 0.61 | 29.80 ± 0.82 | 29.84 ± 0.88 | 30.63 ± 0.50 | 30.26 ± 1.06 | 29.75 ± 0.58 | 30.42 ± 0.23
    arc, ↑ better | 30.06 ± 0.92 | 29.86 ± 0.76 | 29.93 ± 0.47 | 30.44 ± 0.32 | 29.87 ± 0.55 | 30.03 ± 0.37 | 30.18 ± 0.73 | 29.94 ± 0.75 | 30.07 ± 0.27 | 29.97 ± 0.30
    ");
    // The paper's own numbers have the same form, and stand behind everything of the study.
    let paper = laid_out(&html, "#paper", "The paper's scores");
    insta::assert_snapshot!(paper, @"
    The paper's scores by category, %: Tables 5 and 6
    upsampled | Gauntlet core average ↑ better | Language understanding ↑ better | Reading comprehension ↑ better
    0 % | 35.37 | 61.52 | 37.02
    5 % | 37.63 | 61.05 | 41.23
    10 % | 38.46 | 60.41 | 43.35
    20 % | 39.32 | 60.08 | 45.45
    30 % | 38.89 | 60.35 | 42.50

    The paper's scores by task, %: Tables 5 and 6
    benchmark | 0 % | 5 % | 10 % | 20 % | 30 %
    MMLU (5-shot), ↑ better | 35.69 | 40.20 | 43.19 | 42.59 | 41.78
    GSM8K (8-shot), ↑ better | 14.71 | 16.98 | 20.47 | 22.97 | 24.56
    HumanEval (pass@1), ↑ better | 17.23 | 18.50 | 20.39 | 23.40 | 24.17

    The paper's scores with and without math, %: Table 7
    benchmark | no upsampling | 10 % with math | 10 % without math
    MMLU (5-shot), ↑ better | 35.69 | 43.19 | 29.71
    GSM8K (8-shot), ↑ better | 14.71 | 20.47 | 11.37
    HumanEval (pass@1), ↑ better | 17.23 | 20.39 | 21.15
    Gauntlet core average (v0.3), ↑ better | 35.37 | 38.46 | 32.54
    ");
    assert_eq!(laid_out(&html, "section:not(#paper)", "The paper's scores"), "");
}

#[test]
fn without_tasks_domains_and_sources_take_their_place() {
    let (study, plan) = studies::seven();
    let answers = invented::answers(&plan, "");
    let html = Html::parse_document(&drawn_beside(&study, &plan, &answers, &[]).0);
    let by_category = laid_out(&html, "#q4", "By category");
    insta::assert_snapshot!(by_category, @"
    By category, laid out as Table 5 of the paper: held-out bits per byte ± standard deviation over replicates
    mixture and window | all sources ↓ better | large-cc ↓ better | math ↓ better | programs ↓ better | small-cc ↓ better
    base, 10% | 1.1491 ± 0.0006 | 1.0856 ± 0.0008 | 1.1878 ± 0.0003 | 1.1616 ± 0.0010 | 1.1360 ± 0.0008
    upsampled, 10% | 1.1366 ± 0.0005 | 1.1191 ± 0.0007 | 1.1353 ± 0.0005 | 1.1296 ± 0.0010 | 1.1502 ± 0.0007
    math, 10% | 1.1377 ± 0.0002 | 1.1045 ± 0.0001 | 1.1227 ± 0.0005 | 1.1749 ± 0.0010 | 1.1507 ± 0.0002
    ");
}
