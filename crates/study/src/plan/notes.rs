//! What the user should know before spending a second: not wrong, but not free either.

use std::fmt;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Ppm, SourceName, Tokens, counted, thousands};
use sparkjoy_data::{OnlyWhole, TrainedOn};
use sparkjoy_eval::{COVERED_PERCENT, LEAST, RUN};

/// More epochs of a source than this teach a model little that is new.
///
/// # Source
///
/// Muennighoff et al. 2023, arXiv:2305.16264: up to 4 epochs are worth nearly as much as as many
/// fresh tokens, then their worth falls off.
pub const EPOCHS_WORTH_READING: f64 = 4.0;

/// A remark of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Note {
    /// A source is read more often than is known to help.
    Repeated {
        /// The source.
        source: SourceName,
        /// The branch that reads it most often.
        branch: String,
        /// How often, trunk included.
        epochs: f64,
    },
    /// No mixture that is trained on draws from a source.
    UnusedSource {
        /// The source.
        source: SourceName,
    },
    /// Sources that nothing may train on.
    Unseen {
        /// They.
        sources: Vec<SourceName>,
    },
    /// Neither the trunk nor a question uses a mixture.
    UnusedMixture {
        /// The mixture.
        mixture: String,
    },
    /// The budget is not a whole number of steps.
    LeftOver {
        /// Tokens of the budget that are never trained on.
        tokens: Tokens,
    },
    /// One data order per branch.
    OneReplicate,
    /// So few data orders that an objective decides little.
    FewReplicates {
        /// How many.
        replicates: u32,
    },
    /// Sources without text: the study can be planned, not run.
    Declared {
        /// They.
        sources: Vec<SourceName>,
    },
    /// Scoring on tasks is work of its own.
    Tasks {
        /// Tasks of each model.
        tasks: usize,
        /// Branches and steps of the trunk.
        models: usize,
        /// Items of each task at most.
        limit: Option<u64>,
    },
    /// Tokens before the trunk was imported that no source of the study accounts for.
    ReadElsewhere {
        /// They.
        tokens: Tokens,
    },
    /// A trunk trained elsewhere read its sources in an order that is not known.
    OtherOrder {
        /// The sources it did not read to their end, with the part of each that it read.
        sources: Vec<(SourceName, Ppm)>,
    },
    /// A trunk trained elsewhere comes without the state of its optimizer.
    FreshMoments {
        /// The imported step.
        first: u64,
        /// Branches that start there.
        begins_here: usize,
    },
    /// A trunk trained elsewhere does not say which tokenizer it was trained with.
    TokenizerDeclared,
    /// A trunk trained elsewhere may have read held-out text.
    MayHaveRead {
        /// Sources it has read under names of this study, whose text was perhaps another.
        sources: Vec<SourceName>,
    },
    /// Held-out text of a source stands in training text.
    Leaked {
        /// What was found.
        found: TrainedOn,
        /// Whether the study names the source as one of which that may be so.
        named: bool,
    },
    /// Some held-out text was compared as a whole alone.
    OnlyWhole {
        /// How much.
        found: OnlyWhole,
    },
    /// A source holds out much less than is to be scored.
    LittleHeldOut {
        /// The source.
        source: SourceName,
        /// Its held-out tokens.
        tokens: Tokens,
        /// What is asked for.
        asked: Tokens,
    },
    /// A file of a source has changed since it was prepared.
    Changed {
        /// The source.
        source: SourceName,
        /// The first such file.
        file: String,
    },
    /// A removal is a replacement too.
    Refilled {
        /// Who gets the freed share, as written.
        refill: String,
    },
}

impl Note {
    /// Whether it says what the search for held-out text found, or could not find.
    pub fn is_of_check(&self) -> bool {
        matches!(self, Self::Leaked { .. } | Self::OnlyWhole { .. } | Self::MayHaveRead { .. })
    }
}

/// A source that nothing draws from.
fn unused_source(source: &SourceName, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "source `{source}` is defined but nothing that is trained draws from it; its held-out text \
         counts among all other sources (general), unless `[sources.{source}]` says `unseen = true`: \
         then it is reported by itself"
    )
}

fn few_replicates(replicates: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "`[objective]` is decided by {replicates} replicates: where a window truly gains, three choose \
         one in about half of simulated studies, five in about 80 % \
         (docs/results/decisions.md); `replicates = 5` in `[training]` decides more, so do fewer arms"
    )
}

/// Sources that nothing may train on.
fn unseen(sources: &[SourceName], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let names: Vec<String> = sources.iter().map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    write!(
        f,
        "unseen: {names}; nothing trains on this text, and what branches do to it is reported by \
         itself"
    )
}

/// A trunk that was trained elsewhere. `sources`: see [`Note::MayHaveRead`].
fn may_have_read(sources: &[SourceName], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(
        "the trunk may have read text that this study holds out: it was trained elsewhere, and \
         what it read was not searched",
    )?;
    if sources.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = sources.iter().map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    write!(f, "; nothing says that what it read as {names} is the text of this study")
}

/// Held-out text that is looked for as a whole alone.
fn only_whole(found: &OnlyWhole, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let OnlyWhole { source, few_words, common, beyond, of_documents, tokens, of_tokens } = found;
    let share = 100.0 * *tokens as f64 / (*of_tokens).max(1) as f64;
    let few = format!("have fewer than {LEAST} words");
    let common_why = format!(
        "repeat themselves or are made of what stands often in held-out text (in runs of {RUN} \
         words)"
    );
    let beyond_why = "are beyond the text whose words are kept in memory".to_owned();
    let reasons = [(few_words, few), (common, common_why), (beyond, beyond_why)];
    let reasons: Vec<String> = reasons
        .iter()
        .filter(|(count, _)| **count > 0)
        .map(|(count, why)| format!("{} {why}", thousands(**count)))
        .collect();
    write!(
        f,
        "{} of {} held out by source `{source}` ({share:.1} % of its held-out tokens) were looked \
         for in training text as a whole alone, not among other words or in parts: {}",
        thousands(few_words + common + beyond),
        counted(*of_documents, "document"),
        reasons.join("; ")
    )
}

/// Held-out text that is trained on.
fn leaked(found: &TrainedOn, named: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let TrainedOn { source, documents, of_documents, first, .. } = found;
    let share = 100.0 * found.tokens as f64 / found.of_tokens.max(1) as f64;
    let within: Vec<String> = found.within.iter().map(|n| format!("`{n}`")).collect();
    let within = within.join(", ");
    write!(
        f,
        "HELD-OUT TEXT IS TRAINED ON: {documents} of {} held out by source `{source}` \
             ({share:.1} % of its held-out tokens) stand in the training text of {within}: \
             {first}",
        counted(*of_documents, "document")
    )?;
    for next in &found.next {
        write!(f, "; {next}")?;
    }
    let shown = 1 + found.next.len() as u64;
    if shown > 1 && *documents > shown {
        write!(f, "; and {} more", thousands(documents - shown))?;
    }
    if let Some(near) = &found.nearly {
        write!(
            f,
            "; {} of them with at least {COVERED_PERCENT} % of their words, not word for word",
            thousands(near.documents)
        )?;
        if near.of_documents < *of_documents {
            let looked_for = counted(near.of_documents, "document");
            write!(f, " (the words of {looked_for} were looked for)")?;
        }
        if near.in_parts > 0 {
            let in_parts = thousands(near.in_parts);
            write!(f, "; {in_parts} of them in parts, in several training documents together")?;
        }
    }
    f.write_str(match (named, found.counts()) {
        (true, _) => "; the study names it in `leaked`",
        (false, true) => "",
        (false, false) => "; so few meet by chance",
    })
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated { source, branch, epochs } => write!(
                f,
                "`{source}` is read {epochs:.2} times by the end of `{branch}`; past \
                 {EPOCHS_WORTH_READING} epochs repetition adds little (arXiv 2305.16264)"
            ),
            Self::UnusedSource { source } => unused_source(source, f),
            Self::Unseen { sources } => unseen(sources, f),
            Self::UnusedMixture { mixture } => {
                write!(f, "mixture `{mixture}` is defined but neither trunk nor question uses it")
            }
            Self::LeftOver { tokens } => {
                write!(f, "the last {tokens} tokens of the budget are less than a step and unused")
            }
            Self::FewReplicates { replicates } => few_replicates(*replicates, f),
            Self::OneReplicate => f.write_str(
                "one replicate: no noise floor, so no difference can be told from chance",
            ),
            Self::Declared { sources } => {
                let names: Vec<String> = sources.iter().map(|name| format!("`{name}`")).collect();
                let which = match names.as_slice() {
                    [one] => format!("source {one} is"),
                    [one, two] => format!("sources {one} and {two} are"),
                    more => format!("{} sources are", more.len()),
                };
                write!(f, "{which} declared by size: this study can be planned, not run")
            }
            Self::Tasks { tasks, models, limit } => {
                let limit = limit.map_or(String::new(), |n| format!(", {n} items of each at most"));
                write!(
                    f,
                    "{models} models are scored on {tasks} tasks{limit}; that time is in no \
                     estimate (`sparkjoy eval` measures it on one model)"
                )
            }
            Self::ReadElsewhere { tokens } => write!(
                f,
                "{tokens} of the tokens before the imported step are in no source of this study, \
                 or not declared"
            ),
            Self::OtherOrder { sources } => {
                let percent = |part: &Ppm| f64::from(part.0) / 1e4;
                let part = |(name, part)| format!("{:.0} % of `{name}`", percent(part));
                let parts: Vec<String> = sources.iter().map(|(n, p)| part((n, p))).collect();
                write!(
                    f,
                    "the trunk read its sources in an order of its own, so what is called fresh is \
                     exact in its amount only: it had read {}, and about that part of what is \
                     called fresh was probably among it",
                    parts.join(", ")
                )
            }
            Self::FreshMoments { first, begins_here } => {
                write!(f, "the optimizer begins with moments of zero at step {}", thousands(*first))?;
                match begins_here {
                    0 => f.write_str("; the trunk fills them before the first branch starts"),
                    n => write!(
                        f,
                        ", where {n} branches start: branch and control share it, but the first \
                         steps of both are rougher"
                    ),
                }
            }
            Self::TokenizerDeclared => f.write_str(
                "the trunk's folder holds no `tokenizer.json`: that it was trained with the study's \
                 tokenizer is taken on the study's word",
            ),
            Self::MayHaveRead { sources } => may_have_read(sources, f),
            Self::Leaked { found, named } => leaked(found, *named, f),
            Self::OnlyWhole { found } => only_whole(found, f),
            Self::LittleHeldOut { source, tokens, asked } => write!(
                f,
                "source `{source}` holds out {tokens} tokens, and {asked} are to be scored: all \
                 there are will be"
            ),
            Self::Changed { source, file } => write!(
                f,
                "`{file}` of source `{source}` has another size or time than when it was prepared: \
                 what is shown is of the text as it was then (`sparkjoy prepare` looks at it again)"
            ),
            Self::Refilled { refill } => {
                let taker = match refill.as_str() {
                    "domain" => "the rest of its domain".to_owned(),
                    "proportional" => "all other sources".to_owned(),
                    source => format!("`{source}`"),
                };
                write!(
                    f,
                    "what a removal frees goes to {taker}: its answer is what a source is worth \
                     over what takes its place"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sparkjoy_data::NearCopies;

    use super::*;

    #[test]
    fn every_note_reads_as_a_sentence() {
        let source = || SourceName::new("math").unwrap();
        let branch = "upsampled-30pct-r0".to_owned();
        let found = |of_tokens| TrainedOn {
            source: source(),
            documents: 1,
            of_documents: 20,
            tokens: 10,
            of_tokens,
            within: vec![source(), SourceName::new("web").unwrap()],
            first: "held-out document 3 is document 9 of web: \"text\"".into(),
            next: vec![],
            nearly: None,
        };
        let several = TrainedOn {
            documents: 9,
            next: vec!["held-out document 5 is document 2 of web: \"other\"".into()],
            ..found(25)
        };
        let near = |of_documents| {
            let nearly = NearCopies {
                documents: 1,
                tokens: 9,
                of_documents,
                of_tokens: 25,
                in_parts: u64::from(of_documents < 10),
            };
            TrainedOn { nearly: Some(nearly), ..found(25) }
        };
        let only = |few_words, common, beyond| OnlyWhole {
            source: source(),
            few_words,
            common,
            beyond,
            of_documents: 2000,
            tokens: 500,
            of_tokens: 20_000,
        };
        let notes = [
            Note::Repeated { source: source(), branch, epochs: 5.126 },
            Note::UnusedSource { source: source() },
            Note::Unseen { sources: vec![source(); 2] },
            Note::UnusedMixture { mixture: "old".into() },
            Note::LeftOver { tokens: Tokens(53_248) },
            Note::OneReplicate,
            Note::FewReplicates { replicates: 3 },
            Note::Declared { sources: vec![source()] },
            Note::Declared { sources: vec![source(); 2] },
            Note::Declared { sources: vec![source(); 18] },
            Note::Tasks { tasks: 31, models: 15, limit: None },
            Note::Tasks { tasks: 3, models: 2, limit: Some(200) },
            Note::Leaked { found: found(25), named: false },
            Note::Leaked { found: found(25), named: true },
            Note::Leaked { found: several, named: true },
            Note::Leaked { found: found(250_000), named: false },
            Note::Leaked { found: near(20), named: false },
            Note::Leaked { found: near(7), named: true },
            Note::OnlyWhole { found: only(3, 0, 0) },
            Note::OnlyWhole { found: only(1000, 20, 7) },
            Note::MayHaveRead { sources: vec![] },
            Note::MayHaveRead { sources: vec![source(), source()] },
            Note::LittleHeldOut { source: source(), tokens: Tokens(576), asked: Tokens(1_000_000) },
            Note::Changed { source: source(), file: "math/a.jsonl".into() },
            Note::Refilled { refill: "domain".into() },
            Note::Refilled { refill: "proportional".into() },
            Note::Refilled { refill: "web".into() },
        ];
        let text: Vec<String> = notes.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(text.join("\n"), @r#"
        `math` is read 5.13 times by the end of `upsampled-30pct-r0`; past 4 epochs repetition adds little (arXiv 2305.16264)
        source `math` is defined but nothing that is trained draws from it; its held-out text counts among all other sources (general), unless `[sources.math]` says `unseen = true`: then it is reported by itself
        unseen: `math`, `math`; nothing trains on this text, and what branches do to it is reported by itself
        mixture `old` is defined but neither trunk nor question uses it
        the last 53.25K tokens of the budget are less than a step and unused
        one replicate: no noise floor, so no difference can be told from chance
        `[objective]` is decided by 3 replicates: where a window truly gains, three choose one in about half of simulated studies, five in about 80 % (docs/results/decisions.md); `replicates = 5` in `[training]` decides more, so do fewer arms
        source `math` is declared by size: this study can be planned, not run
        sources `math` and `math` are declared by size: this study can be planned, not run
        18 sources are declared by size: this study can be planned, not run
        15 models are scored on 31 tasks; that time is in no estimate (`sparkjoy eval` measures it on one model)
        2 models are scored on 3 tasks, 200 items of each at most; that time is in no estimate (`sparkjoy eval` measures it on one model)
        HELD-OUT TEXT IS TRAINED ON: 1 of 20 documents held out by source `math` (40.0 % of its held-out tokens) stand in the training text of `math`, `web`: held-out document 3 is document 9 of web: "text"
        HELD-OUT TEXT IS TRAINED ON: 1 of 20 documents held out by source `math` (40.0 % of its held-out tokens) stand in the training text of `math`, `web`: held-out document 3 is document 9 of web: "text"; the study names it in `leaked`
        HELD-OUT TEXT IS TRAINED ON: 9 of 20 documents held out by source `math` (40.0 % of its held-out tokens) stand in the training text of `math`, `web`: held-out document 3 is document 9 of web: "text"; held-out document 5 is document 2 of web: "other"; and 7 more; the study names it in `leaked`
        HELD-OUT TEXT IS TRAINED ON: 1 of 20 documents held out by source `math` (0.0 % of its held-out tokens) stand in the training text of `math`, `web`: held-out document 3 is document 9 of web: "text"; so few meet by chance
        HELD-OUT TEXT IS TRAINED ON: 1 of 20 documents held out by source `math` (40.0 % of its held-out tokens) stand in the training text of `math`, `web`: held-out document 3 is document 9 of web: "text"; 1 of them with at least 80 % of their words, not word for word
        HELD-OUT TEXT IS TRAINED ON: 1 of 20 documents held out by source `math` (40.0 % of its held-out tokens) stand in the training text of `math`, `web`: held-out document 3 is document 9 of web: "text"; 1 of them with at least 80 % of their words, not word for word (the words of 7 documents were looked for); 1 of them in parts, in several training documents together; the study names it in `leaked`
        3 of 2,000 documents held out by source `math` (2.5 % of its held-out tokens) were looked for in training text as a whole alone, not among other words or in parts: 3 have fewer than 8 words
        1,027 of 2,000 documents held out by source `math` (2.5 % of its held-out tokens) were looked for in training text as a whole alone, not among other words or in parts: 1,000 have fewer than 8 words; 20 repeat themselves or are made of what stands often in held-out text (in runs of 13 words); 7 are beyond the text whose words are kept in memory
        the trunk may have read text that this study holds out: it was trained elsewhere, and what it read was not searched
        the trunk may have read text that this study holds out: it was trained elsewhere, and what it read was not searched; nothing says that what it read as `math`, `math` is the text of this study
        source `math` holds out 576 tokens, and 1M are to be scored: all there are will be
        `math/a.jsonl` of source `math` has another size or time than when it was prepared: what is shown is of the text as it was then (`sparkjoy prepare` looks at it again)
        what a removal frees goes to the rest of its domain: its answer is what a source is worth over what takes its place
        what a removal frees goes to all other sources: its answer is what a source is worth over what takes its place
        what a removal frees goes to `web`: its answer is what a source is worth over what takes its place
        "#);
    }
}
