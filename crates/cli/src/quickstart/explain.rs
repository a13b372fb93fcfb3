//! A plan in two lines, and answers without their tables.

use std::fmt::Write;

use sparkjoy_answers::{Answers, Finding};
use sparkjoy_base::{quantity, thousands};
use sparkjoy_report::{sentences, wrap};
use sparkjoy_study::Plan;

/// What is going to happen, and what it spares.
pub(super) fn plan(plan: &Plan) -> [String; 2] {
    let cost = plan.cost();
    let (branches, replicates) = (plan.branches.len(), plan.replicates);
    [
        format!(
            "One model of {} parameters is trained on mostly web text (the trunk); {branches} \
             branches start at late checkpoints of it and finish on other mixtures, each in \
             {replicates} orders of reading. Branches that differ only in the mixture are compared.",
            thousands(cost.parameters)
        ),
        format!(
            "That is {} tokens of training instead of {}, had every branch been trained from the \
             start; `sparkjoy plan` shows every number.",
            quantity(cost.tree.tokens.0),
            quantity(cost.in_full.tokens.0)
        ),
    ]
}

/// What each question came to, in sentences.
pub(super) fn answers(answers: &Answers) -> String {
    let mut text = String::new();
    for answer in &answers.questions {
        let _ = writeln!(text, "\n{}\n", sentences::title(answer));
        let said =
            answer.findings.iter().filter(|finding| !matches!(finding, Finding::Cost { .. }));
        for finding in said {
            for line in wrap(&format!("- {}", sentences::sentence(answer, finding))) {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    text
}
