//! Prints the tables of `docs/results/statistics.md`: coverage, false positives, power.

#[path = "../tests/coverage/study.rs"]
mod study;

use std::io::{self, Write};

use sparkjoy_stats::detectable;
use study::{CONDITIONS, coverage, false_positives};

const STUDIES: usize = 2_000;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "| studies | R | interval | p > 5 % | replicates resampled | their BCa | both resampled |"
    )?;
    writeln!(out, "|:--|--:|--:|--:|--:|--:|--:|")?;
    for condition in CONDITIONS {
        for replicates in [2, 3, 4, 5, 8] {
            let found = coverage(condition, replicates, STUDIES, condition.items <= 50);
            let percent = |share: f64| format!("{:.1}", 100.0 * share);
            let both = if condition.items <= 50 { percent(found.naive_both) } else { "–".into() };
            writeln!(
                out,
                "| {} | {replicates} | {} | {} | {} | {} | {both} |",
                condition.name,
                percent(found.percentile),
                percent(found.p),
                percent(found.naive),
                percent(found.naive_bca),
            )?;
            out.flush()?;
        }
    }
    writeln!(out, "\n| studies | R | 4 comparisons | 12 | 40 |\n|:--|--:|--:|--:|--:|")?;
    for condition in CONDITIONS.iter().filter(|condition| condition.items <= 50) {
        for replicates in [2, 3, 5] {
            let wrong = [4, 12, 40].map(|comparisons| {
                let wrong = false_positives(*condition, replicates, comparisons, STUDIES / 2);
                format!("{:.1}", 100.0 * wrong)
            });
            writeln!(out, "| {} | {replicates} | {} |", condition.name, wrong.join(" | "))?;
            out.flush()?;
        }
    }
    writeln!(out, "\n| R | alone | of 4 | of 8 | of 20 |\n|--:|--:|--:|--:|--:|")?;
    for replicates in [2_u8, 3, 4, 5, 8, 12] {
        let sizes = [1, 4, 8, 20].map(|comparisons| {
            let errors = detectable(f64::from(replicates) - 1.0, study::CONFIDENCE, comparisons);
            format!("{:.1}", errors / f64::from(replicates).sqrt())
        });
        writeln!(out, "| {replicates} | {} |", sizes.join(" | "))?;
    }
    Ok(())
}
