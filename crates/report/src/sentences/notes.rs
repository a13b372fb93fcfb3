//! Notes on a whole study: instruction sets, power, scores that cannot be compared.

use sparkjoy_answers::{
    Cause, Computed, DetectableIn, DetectableScope, FEW_DOCUMENTS, HeldOutText, Power, What,
    is_mixed,
};
use sparkjoy_base::percent;

use super::count;

/// Why scores cannot be compared, without a full stop.
pub fn cause(cause: &Cause) -> String {
    match cause {
        Cause::OtherSequences { branch, than, source } => {
            format!("`{branch}` is scored on other sequences of `{source}` than `{than}`")
        }
        Cause::OtherRows => "branch and control are scored on other rows".to_owned(),
        Cause::MissingItems { task } => {
            format!("results of some items of `{task}` are not there")
        }
        Cause::OtherItems { task } => format!("results of `{task}` are not of the same items"),
    }
}

/// How many branches are not scored, and which, replicates together. `how`: `""`, `" on tasks"`.
pub fn not_scored(missing: &[String], of: usize, how: &str) -> String {
    /// Branches, else kinds of branches, that are named at most.
    const NAMED: usize = 4;
    let (n, are) = (missing.len(), if missing.len() == 1 { "is" } else { "are" });
    let text = format!("{n} of {of} branches {are} not scored{how}");
    if n <= NAMED {
        return format!("{text}: `{}`", missing.join("`, `"));
    }
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for name in missing {
        let kind = without_replicate(name);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    let mut named: Vec<String> =
        kinds.iter().take(NAMED).map(|(kind, count)| format!("`{kind}` ({count})")).collect();
    if let more @ 1.. = kinds.len().saturating_sub(NAMED) {
        named.push(count(more, "more kind"));
    }
    format!("{text}: {}", named.join(", "))
}

/// `upsampled-10pct` of `upsampled-10pct-r1`.
fn without_replicate(name: &str) -> &str {
    let (kind, replicate) = name.rsplit_once("-r").unwrap_or((name, ""));
    if replicate.starts_with(|c: char| c.is_ascii_digit()) { kind } else { name }
}

/// Says that rounding is part of some difference; none where one instruction set computed all.
pub fn instruction_sets(computed: &[Computed]) -> Option<String> {
    if !is_mixed(computed) {
        return None;
    }
    let known = computed.iter().filter(|group| !group.kernels.is_empty());
    let of = |group: &Computed| {
        let branches = match computed {
            [_] => "every branch".to_owned(),
            _ => group.branches.join(", "),
        };
        format!("{} ({branches})", group.kernels.join(" then "))
    };
    Some(format!(
        "ROUNDING: several instruction sets or engines computed what is compared, and each rounds \
         differently, so a difference may include rounding: {}",
        known.map(of).collect::<Vec<_>>().join("; ")
    ))
}

/// Says of which branches nobody knows what computed them; none where that is known of all.
pub fn unknown_instruction_sets(computed: &[Computed]) -> Option<String> {
    let unknown = computed.iter().find(|group| group.kernels.is_empty())?;
    Some(format!(
        "CHECKPOINTS GONE: of {} it is not known what computed them, so a difference may include \
         rounding, and nothing tells whether their training losses are as they were: {}",
        count(unknown.branches.len(), "branch"),
        unknown.branches.join(", ")
    ))
}

/// Warns of sources whose intervals rest on few documents; none where no source does.
pub fn few_documents(texts: &[HeldOutText]) -> Option<String> {
    let few = |text: &&HeldOutText| text.documents.is_some_and(|n| n < FEW_DOCUMENTS);
    let few: Vec<String> = texts
        .iter()
        .filter(few)
        .map(|text| format!("{} ({})", text.source, text.documents.unwrap_or_default()))
        .collect();
    (!few.is_empty()).then(|| {
        format!(
            "FEW DOCUMENTS: the held-out text of {} is from fewer than {FEW_DOCUMENTS} documents, so \
             intervals about it are wide or unsure (more `held_out` or `holdout` helps): {}",
            count(few.len(), "source"),
            few.join(", ")
        )
    })
}

/// Says that scores of an earlier version do not know which document a sequence is of.
pub fn unknown_documents(texts: &[HeldOutText]) -> Option<String> {
    texts.iter().any(|text| text.documents.is_none()).then(|| {
        "OLD SCORES: an earlier version scored held-out text and did not record its documents; \
         sequences of one document are taken for independent, so intervals may be too narrow"
            .to_owned()
    })
}

/// The power analysis of a study: of the questions that no objective decides, and what changes it;
/// none where there are none.
pub fn power(power: &Power) -> Vec<String> {
    let percent_of = |[low, high]: [f64; 2]| {
        if low < high {
            format!("{:.2} to {:.2} %", 100.0 * low, 100.0 * high)
        } else {
            format!("{:.2} %", 100.0 * low)
        }
    };
    let ask = |question: &DetectableIn| format!("{:?}", question.ask).to_lowercase();
    let open: Vec<&DetectableIn> =
        power.questions.iter().filter(|question| question.decision.is_none()).collect();
    if open.is_empty() {
        return Vec::new();
    }
    let questions = open.iter().map(|question| {
        let scope = |scope: &DetectableScope| {
            let what = if scope.what == What::Targeted { "targeted" } else { "general" };
            let (least, alone) = (percent_of(scope.least), percent_of(scope.alone));
            format!("{what} {least} of bits per byte ({alone} in one alone)")
        };
        format!(
            "in `{}` ({} corrected together) {}",
            ask(question),
            count(question.comparisons, "comparison"),
            question.scopes.iter().map(scope).collect::<Vec<_>>().join(", ")
        )
    });
    // Parts are the same in every scope: its noise stays.
    let changes = open.iter().filter_map(|question| {
        let scope = question.scopes.first()?;
        let half = scope
            .with_half_the_arms
            .map_or_else(String::new, |part| format!(", with half the arms {:.0} %", 100.0 * part));
        let more = 100.0 * scope.with_more_replicates;
        Some(format!("`{}` {more:.0} %{half}", ask(question)))
    });
    vec![
        format!(
            "minimum detectable effect with {} replicates, at 80 % power and {} confidence: {}; {}",
            power.replicates,
            percent(power.confidence),
            questions.collect::<Vec<_>>().join("; "),
            noise_source(power)
        ),
        format!(
            "with {} replicates that falls to: {}",
            power.more_replicates,
            changes.collect::<Vec<_>>().join("; ")
        ),
    ]
}

/// Where the noise of a power analysis comes from, without a full stop.
pub fn noise_source(power: &Power) -> String {
    match power.pairs {
        0 => {
            "no pair of branch and control is scored yet: standard deviations of a difference from \
              0.01 to 0.28 % are assumed, as other studies have shown"
                .to_owned()
        }
        n => format!("by the standard deviation of {}", count(n, "scored pair")),
    }
}
