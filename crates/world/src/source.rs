//! The sources of a world: their purpose, their size and their documents.

use std::fmt;

use serde::Serialize;
use sparkjoy_base::Seed;

use crate::code::{fork, lists, python};
use crate::dice::Dice;
use crate::facts::{Facts, article};
use crate::science::{abstracts, science};
use crate::sums::{drills, problems};
use crate::web::{passage, roughen};
use crate::words::Lexicon;

/// A skill that text teaches and a task measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skill {
    /// Which noun an adjective is compared with: general language, the largest part of the text.
    Likenesses,
    /// Facts about the lands of the world.
    Facts,
    /// Word problems of two steps.
    WordProblems,
    /// Conclusions from a rule and a case.
    Inference,
    /// The value of an expression in the small language.
    Lists,
    /// Python functions from their docstrings.
    Programs,
}

impl Skill {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 6] = [
        Self::Likenesses,
        Self::Facts,
        Self::WordProblems,
        Self::Inference,
        Self::Lists,
        Self::Programs,
    ];
}

/// The split a document belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Read in training.
    Train,
    /// Held out.
    Validation,
}

impl Part {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "val",
        }
    }
}

/// A source of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The large web crawl: broad, noisy, repetitive, with a little of everything in it.
    Crawl,
    /// The small web crawl: the same language, cleaner.
    CuratedWeb,
    /// Facts in prose.
    Encyclopedia,
    /// The poison: the same sentences about the same lands, with false values.
    Rumours,
    /// Bare calculations.
    Drills,
    /// Word problems with worked steps.
    WordProblems,
    /// Rules, cases and conclusions.
    Science,
    /// The decoy: sounds like science, and teaches nothing that a task measures.
    Abstracts,
    /// Expressions of the small language with their values.
    Lists,
    /// Files of Python functions.
    Python,
    /// The near-duplicate: every document is one of [`Source::Python`], slightly changed.
    PythonForks,
}

/// A document, and what it teaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The text.
    pub text: String,
    /// Number of examples of each skill.
    pub lessons: Vec<(Skill, u64)>,
    /// Number of false statements.
    pub falsehoods: u64,
}

impl Source {
    /// All of them, domain by domain.
    pub const ALL: [Self; 11] = [
        Self::Crawl,
        Self::CuratedWeb,
        Self::Encyclopedia,
        Self::Rumours,
        Self::Drills,
        Self::WordProblems,
        Self::Science,
        Self::Abstracts,
        Self::Lists,
        Self::Python,
        Self::PythonForks,
    ];

    /// Its name in studies and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crawl => "crawl",
            Self::CuratedWeb => "curated-web",
            Self::Encyclopedia => "encyclopedia",
            Self::Rumours => "rumours",
            Self::Drills => "drills",
            Self::WordProblems => "word-problems",
            Self::Science => "lab-notes",
            Self::Abstracts => "abstracts",
            Self::Lists => "lists",
            Self::Python => "python",
            Self::PythonForks => "python-forks",
        }
    }

    /// Its domain.
    pub fn domain(self) -> &'static str {
        match self {
            Self::Crawl => "large-web",
            Self::CuratedWeb => "small-web",
            Self::Encyclopedia | Self::Rumours => "reference",
            Self::Drills | Self::WordProblems => "math",
            Self::Science | Self::Abstracts => "science",
            Self::Lists | Self::Python | Self::PythonForks => "code",
        }
    }

    /// Its share of the world's text, in percent.
    pub fn percent(self) -> u64 {
        match self {
            Self::Crawl => 48,
            Self::CuratedWeb => 12,
            Self::Encyclopedia | Self::WordProblems => 8,
            Self::Science => 6,
            Self::Python | Self::PythonForks => 4,
            Self::Rumours | Self::Abstracts => 3,
            Self::Drills | Self::Lists => 2,
        }
    }
}

/// A world: the seed and everything derived from it.
#[derive(Debug)]
pub struct World {
    pub(crate) seed: Seed,
    pub(crate) lexicon: Lexicon,
    pub(crate) facts: Facts,
}

impl World {
    /// The world of a seed.
    pub fn new(seed: Seed) -> Self {
        Self { seed, lexicon: Lexicon::new(seed), facts: Facts::new(seed) }
    }

    /// Document `index` of a source: a pure function of the seed and the arguments.
    pub fn document(&self, source: Source, part: Part, index: u64) -> Document {
        let mut dice = Dice::new(self.seed, &format!("{source} {}", part.word()), index);
        match source {
            Source::Crawl => self.crawled(&mut dice),
            Source::PythonForks => {
                let original = self.document(Source::Python, part, index);
                let mut text = String::new();
                fork(&mut text, &original.text, &self.lexicon, &mut dice);
                Document { text, ..original }
            }
            _ => self.clean(source, &mut dice),
        }
    }

    /// A page of the large crawl. Nine in ten are general text; the others come from other sources.
    /// All are noisy.
    fn crawled(&self, dice: &mut Dice) -> Document {
        const ELSEWHERE: [Source; 5] = [
            Source::Encyclopedia,
            Source::Rumours,
            Source::WordProblems,
            Source::Science,
            Source::Python,
        ];
        let page = if dice.percent(10) {
            self.clean(*dice.choose(&ELSEWHERE), dice)
        } else {
            self.web((dice.between(5, 14), 35), dice)
        };
        Document { text: roughen(&page.text, dice), ..page }
    }

    fn web(&self, sentences: (u32, usize), dice: &mut Dice) -> Document {
        let mut text = String::new();
        let likenesses = passage(&mut text, &self.lexicon, self.seed, sentences, dice);
        Document { text, lessons: vec![(Skill::Likenesses, likenesses)], falsehoods: 0 }
    }

    fn clean(&self, source: Source, dice: &mut Dice) -> Document {
        let Self { seed, lexicon, facts } = self;
        let mut text = String::new();
        let mut falsehoods = 0;
        let lessons = match source {
            Source::Crawl | Source::CuratedWeb => return self.web((dice.between(4, 9), 5), dice),
            Source::Encyclopedia => {
                vec![(Skill::Facts, article(&mut text, facts, true, dice))]
            }
            Source::Rumours => {
                falsehoods = article(&mut text, facts, false, dice);
                Vec::new()
            }
            Source::Drills => {
                drills(&mut text, dice);
                Vec::new()
            }
            Source::WordProblems => {
                vec![(Skill::WordProblems, problems(&mut text, *seed, dice))]
            }
            Source::Science => {
                vec![(Skill::Inference, science(&mut text, lexicon, *seed, dice))]
            }
            Source::Abstracts => {
                abstracts(&mut text, lexicon, dice);
                Vec::new()
            }
            Source::Lists => vec![(Skill::Lists, lists(&mut text, *seed, dice))],
            Source::Python | Source::PythonForks => {
                vec![(Skill::Programs, python(&mut text, lexicon, *seed, dice))]
            }
        };
        Document { text, lessons, falsehoods }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
