//! Comparisons that are significant in one question and not in another.

use sparkjoy_answers::{Measure, SplitScope, SplitVerdict, What};

/// A sentence for each, without a full stop.
pub fn split_verdicts(split: &[SplitVerdict]) -> Vec<String> {
    let sentence = |SplitVerdict { of, significant, not }: &SplitVerdict| {
        let of = match of {
            SplitScope::Text(What::Targeted) => "the targeted effect".to_owned(),
            SplitScope::Text(What::Unseen) => "the effect on unseen text".to_owned(),
            SplitScope::Text(_) => "the general effect".to_owned(),
            SplitScope::Task(task, Measure::GoldBitsPerByte) => {
                format!("the bits per byte of `{task}`")
            }
            SplitScope::Task(task, _) => format!("the effect on `{task}`"),
        };
        format!(
            "ONE COMPARISON, TWO VERDICTS: {of} of `{}` is significant in question {} and not in \
             question {} (there `{}`): branches and control are the same, and p is corrected with \
             the other comparisons of each question",
            significant.1, significant.0, not.0, not.1
        )
    };
    split.iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_questions_are_named() {
        let split = |of| SplitVerdict {
            of,
            significant: (2, "20%".to_owned()),
            not: (1, "web at 0.4".to_owned()),
        };
        let split = [
            split(SplitScope::Text(What::General)),
            split(SplitScope::Text(What::Unseen)),
            split(SplitScope::Task("piqa".to_owned(), Measure::Accuracy)),
        ];
        insta::assert_snapshot!(split_verdicts(&split).join("\n"), @"
        ONE COMPARISON, TWO VERDICTS: the general effect of `20%` is significant in question 2 and not in question 1 (there `web at 0.4`): branches and control are the same, and p is corrected with the other comparisons of each question
        ONE COMPARISON, TWO VERDICTS: the effect on unseen text of `20%` is significant in question 2 and not in question 1 (there `web at 0.4`): branches and control are the same, and p is corrected with the other comparisons of each question
        ONE COMPARISON, TWO VERDICTS: the effect on `piqa` of `20%` is significant in question 2 and not in question 1 (there `web at 0.4`): branches and control are the same, and p is corrected with the other comparisons of each question
        ");
    }
}
