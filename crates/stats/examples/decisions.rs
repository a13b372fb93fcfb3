//! Prints the table of `docs/results/decisions.md`: how often rules choose the best window.

#[path = "../tests/decisions/study.rs"]
mod study;

use std::io::{self, Write};

use study::{RULES, Rule, TRUTHS, tallies};

const STUDIES: usize = 1_000;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "| truth | R | rule | best | guard broken | nothing chosen | regret |")?;
    writeln!(out, "|:--|--:|:--|--:|--:|--:|--:|")?;
    for truth in TRUTHS {
        for replicates in [3, 5] {
            let found = tallies(truth, replicates, STUDIES);
            for (rule, found) in RULES.iter().zip(found) {
                let percent = |share: f64| format!("{:.1}", 100.0 * share);
                writeln!(
                    out,
                    "| {} | {replicates} | {} | {} | {} | {} | {:.2} |",
                    truth.name,
                    match rule {
                        Rule::Objective => "objective",
                        Rule::LargestMean => "largest mean",
                        Rule::LargestMeanWithin => "largest mean within the margin",
                        Rule::LargestSignificant => "largest significant gain",
                    },
                    percent(found.best),
                    percent(found.broken),
                    percent(1.0 - found.chosen),
                    found.regret
                )?;
            }
            out.flush()?;
        }
    }
    Ok(())
}
