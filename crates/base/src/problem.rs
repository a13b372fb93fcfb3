//! What is wrong with what people give the program: the place, what it says, what to type next.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use crate::Hint;

/// Where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; none where the whole file is meant.
    pub line: Option<usize>,
}

impl Place {
    /// A line of a file, counted from 1.
    pub fn line(file: impl Into<PathBuf>, line: usize) -> Self {
        Self { file: file.into(), line: Some(line) }
    }

    /// A whole file.
    pub fn whole(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), line: None }
    }

    /// A problem here, without a hint.
    pub fn problem(self, text: impl Into<String>) -> Problem {
        Problem { place: Some(self), ..Problem::new(text) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.file.display())?;
        self.line.map_or(Ok(()), |line| write!(f, " line {line}"))
    }
}

/// One thing that is wrong with a file or a setting, as its author should read it.
///
/// There is no kind of problem: nothing but a person acts on it. The check that finds it writes
/// its text and its hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is written; none where its text names what it is about.
    pub place: Option<Place>,
    /// What was found and what was expected.
    pub text: String,
    /// The next step, as one imperative sentence.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem whose text says where it is, without a hint.
    pub fn new(text: impl Into<String>) -> Self {
        Self { place: None, text: text.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the hint of what caused it, or none.
    #[must_use]
    pub fn with_hint_of(mut self, cause: &impl Hint) -> Self {
        self.hint = cause.hint();
        self
    }

    /// The same with the known name that was meant, else with the known names, twelve at most,
    /// before its hint.
    #[must_use]
    pub fn meant_or_known<'a>(
        self,
        nearest: Option<&str>,
        known: impl Iterator<Item = &'a str>,
    ) -> Self {
        if nearest.is_some() {
            return self.meant(nearest);
        }
        let known = known_names(known);
        let hint = self.hint.as_ref().map_or_else(String::new, |hint| format!("; or {hint}"));
        if known.is_empty() { self } else { self.with_hint(format!("name one of {known}{hint}")) }
    }

    /// The same with the known name that was meant, if there is one, at the end of its text and as
    /// its hint.
    #[must_use]
    pub fn meant(mut self, nearest: Option<&str>) -> Self {
        self.text.push_str(&did_you_mean(nearest));
        match nearest {
            Some(name) => self.with_hint(format!("write `{name}`")),
            None => self,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.as_ref().map_or(Ok(()), |place| write!(f, "{place}: "))?;
        f.write_str(&self.text)
    }
}

impl Error for Problem {}

impl Hint for Problem {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// ` (the nearest is …)`, if there is something that was meant.
pub fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (the nearest is `{name}`)")).unwrap_or_default()
}

/// `` `a`, `b`, `c` ``: each name once, twelve at most.
fn known_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 12;
    let mut listed: Vec<String> = Vec::new();
    for name in names.map(|name| format!("`{name}`")) {
        if !listed.contains(&name) {
            listed.push(name);
        }
    }
    if let more @ 1.. = listed.len().saturating_sub(SHOWN) {
        listed.truncate(SHOWN);
        listed.push(format!("{more} more"));
    }
    listed.join(", ")
}

/// The candidate most like `name`, if any is like enough to be meant: at most two letters in five
/// are added, left out, replaced or swapped.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(name, candidate);
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|&(distance, candidate)| 5 * distance <= 2 * candidate.len().max(name.len()))
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_where_it_is() {
        let place = Place::line("my.toml", 7);
        assert_eq!(place.problem("no such key").to_string(), "`my.toml` line 7: no such key");
        assert_eq!(Problem::new("no such task").to_string(), "no such task");
        let problem = Place::whole("rows.jsonl").problem("no rows").with_hint("add rows");
        assert_eq!(problem.to_string(), "`rows.jsonl`: no rows");
        assert_eq!(problem.hint().as_deref(), Some("add rows"));
        assert_eq!(Place::whole("rows.jsonl").problem("no rows").with_hint_of(&problem), problem);
    }

    #[test]
    fn what_was_meant_is_the_better_hint() {
        let problem = || Place::line("a", 1).problem("no `b`").with_hint("define it");
        let meant = problem().meant(Some("c"));
        assert_eq!(meant.to_string(), "`a` line 1: no `b` (the nearest is `c`)");
        assert_eq!(meant.hint.as_deref(), Some("write `c`"));
        assert_eq!(problem().meant(None), problem());
    }

    #[test]
    fn the_nearest_is_like_enough_to_be_meant() {
        let known = ["batch", "budget", "context"];
        assert_eq!(nearest("bach", known).as_deref(), Some("batch"));
        assert_eq!(nearest("bugdet", known).as_deref(), Some("budget"));
        assert_eq!(nearest("dropout", known), None);
        // Two letters of five are enough, three are not.
        assert_eq!(nearest("baxxh", known).as_deref(), Some("batch"));
        assert_eq!(nearest("bxxxh", known), None);
        assert_eq!(nearest("bach", []), None);
    }
}
