//! What came of each trial, counted, and as a table.

use std::collections::BTreeMap;

/// What came of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TrialOutcome {
    /// Refused, and the message names the file.
    Named,
    /// Refused, and the message names no file.
    Unnamed,
    /// Nothing came of it: the result is the same.
    Harmless,
    /// The file was made again as it was.
    Repaired,
    /// Another result, and nobody was told.
    Silent,
    /// A panic, an abort, a signal.
    Panic,
    /// It took longer than the limit.
    Hang,
}

impl TrialOutcome {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Named, "refused, names the file"),
        (Self::Unnamed, "refused, names none"),
        (Self::Harmless, "harmless"),
        (Self::Repaired, "repaired"),
        (Self::Silent, "silent"),
        (Self::Panic, "panics"),
        (Self::Hang, "hangs"),
    ];

    /// Whether it must not be.
    pub(super) fn is_fault(self) -> bool {
        matches!(self, Self::Silent | Self::Panic | Self::Hang)
    }
}

/// What came of many trials, by what was tried.
#[derive(Debug, Default)]
pub(super) struct Tally {
    rows: Vec<(String, BTreeMap<TrialOutcome, usize>)>,
}

impl Tally {
    pub(super) fn add(&mut self, row: &str, outcome: TrialOutcome) {
        let at = self.rows.iter().position(|(name, _)| name == row).unwrap_or_else(|| {
            self.rows.push((row.to_owned(), BTreeMap::new()));
            self.rows.len() - 1
        });
        *self.rows[at].1.entry(outcome).or_default() += 1;
    }

    /// How many trials came out as they must not.
    pub(super) fn faults(&self) -> usize {
        let all = self.rows.iter().flat_map(|(_, counts)| counts);
        all.filter(|(outcome, _)| outcome.is_fault()).map(|(_, count)| count).sum()
    }

    /// As a table of Markdown.
    pub(super) fn table(&self, what: &str) -> String {
        let names: Vec<&str> = TrialOutcome::ALL.iter().map(|(_, name)| *name).collect();
        let mut lines = vec![
            format!("| {what} | tried | {} |", names.join(" | ")),
            format!("|:--|--:{}|", "|--:".repeat(names.len())),
        ];
        let mut sum = BTreeMap::new();
        for (name, counts) in &self.rows {
            lines.push(line(name, counts));
            for (&outcome, &count) in counts {
                *sum.entry(outcome).or_default() += count;
            }
        }
        lines.push(line("all", &sum));
        lines.join("\n") + "\n"
    }
}

fn line(name: &str, counts: &BTreeMap<TrialOutcome, usize>) -> String {
    let of = |(outcome, _)| counts.get(&outcome).copied().unwrap_or(0).to_string();
    let cells: Vec<String> = TrialOutcome::ALL.map(of).to_vec();
    format!("| {name} | {} | {} |", counts.values().sum::<usize>(), cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_counted_and_every_row_is_in_the_table() {
        let mut tally = Tally::default();
        for outcome in [TrialOutcome::Named, TrialOutcome::Named, TrialOutcome::Silent] {
            tally.add("cut", outcome);
        }
        tally.add("bit", TrialOutcome::Hang);
        assert_eq!(tally.faults(), 2);
        let table = tally.table("damage");
        assert!(table.contains("\n| cut | 3 | 2 | 0 | 0 | 0 | 1 | 0 | 0 |\n"), "{table}");
        assert!(table.contains("\n| bit | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |\n"), "{table}");
        assert!(table.ends_with("\n| all | 4 | 2 | 0 | 0 | 0 | 1 | 0 | 1 |\n"), "{table}");
    }
}
