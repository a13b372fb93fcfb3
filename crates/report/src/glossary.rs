//! The words of the page.

use maud::{Markup, html};

const WORDS: [(&str, &str); 24] = [
    (
        "arm",
        "One comparison of a question: branches against their control, replicate by replicate.",
    ),
    (
        "bits per byte",
        "How many bits a model needs to tell each byte of held-out text, given what stands before \
         it. Less is better, and it does not depend on the tokenizer.",
    ),
    (
        "branch",
        "A run that leaves the trunk (or another branch) at a checkpoint and ends on a mixture of \
         its own.",
    ),
    ("checkpoint", "Everything that is needed to continue a run bit for bit."),
    (
        "control",
        "A branch with the same window, learning-rate curve and replicate on the mixture that is \
         compared with.",
    ),
    ("domain", "A group of sources. Its score is the plain mean of its sources' scores."),
    ("epoch", "One reading of a whole source."),
    (
        "fingerprint",
        "A hash of everything that determines numbers. Equal fingerprints mean equal numbers.",
    ),
    ("general", "The sources a comparison is not about; plain mean."),
    ("held out", "Text that no run is trained on."),
    (
        "harm",
        "A task is significantly better without a source, and significantly more so than without \
         any other source of at least its share.",
    ),
    (
        "Holm",
        "A correction of p for asking several things at once: the chance that any of a family of \
         tests finds a difference where there is none stays below the level. A question has up to \
         three families: held-out text, accuracy on tasks, and bits per byte of correct answers; so the \
         chance that any of the three is wrong somewhere is at most three times the level.",
    ),
    ("interval", "The differences that the data do not speak against."),
    (
        "minimum detectable effect",
        "The least true difference that a comparison would find significant with 80 % power.",
    ),
    ("mixture", "The share of each source in what is read."),
    (
        "not significant",
        "Noise alone could look like this. It does not mean that there is no difference.",
    ),
    (
        "Pareto front",
        "The arms that no other arm beats both in what they gain and in what they cost elsewhere.",
    ),
    (
        "redundant",
        "Sources that stand in for each other: without all of them a task is significantly worse, \
         without one of them it is not, and the loss without each of n is significantly less than \
         1/n of the loss without all.",
    ),
    ("refill", "Who gets the share that a removal frees."),
    (
        "replicate",
        "The same branch with another data order. Branch and control of one replicate share their \
         order.",
    ),
    (
        "targeted",
        "The sources a comparison is about: those that get more than in the control, for a removal \
         those that are removed; plain mean.",
    ),
    ("trunk", "The run on the base mixture that all branches leave; it is trained once."),
    (
        UNSEEN,
        "Sources that nothing trains on, as the study says; plain mean. They are neither in all \
         sources nor in general, and their tests are a family of their own.",
    ),
    ("window", "The last stretch of a run, where the branches differ."),
];

const UNSEEN: &str = "unseen";

/// The words with what they mean. `has_unseen`: whether the study has unseen text.
pub(crate) fn section(has_unseen: bool) -> Markup {
    let words = WORDS.iter().filter(|(word, _)| *word != UNSEEN || has_unseen);
    html! {
        section #words aria-labelledby="words-h" {
            h2 #words-h { "Words" }
            dl.words {
                @for (word, meaning) in words {
                    div { dt { (word) } dd { (meaning) } }
                }
            }
        }
    }
}
