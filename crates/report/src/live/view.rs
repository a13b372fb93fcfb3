//! What a browser looks at, as its address says it: `run=3&beside=5&last=half`.

/// A run, and how its curves are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct View {
    /// Its number in the order of the tree; none: whatever runs.
    pub(crate) run: Option<usize>,
    /// Number of a run to compare it with.
    pub(crate) beside: Option<usize>,
    pub(crate) last: Last,
    /// Whether the screen is a phone's.
    pub(crate) narrow: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Last {
    #[default]
    All,
    Half,
    Tenth,
}

/// A request for the parts of the page that have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) view: View,
    /// What the browser has: the server's name for itself, and the version.
    pub(crate) have: Option<(u64, u64)>,
    /// Whether it has nothing of this view yet.
    pub(crate) fresh: bool,
}

impl Last {
    /// Each with its name in an address and on the page.
    pub(crate) const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::All, "", "All steps"),
        (Self::Half, "half", "Last half"),
        (Self::Tenth, "tenth", "Last tenth"),
    ];

    pub(crate) fn part(self) -> f64 {
        match self {
            Self::All => 1.0,
            Self::Half => 0.5,
            Self::Tenth => 0.1,
        }
    }
}

impl Asked {
    /// What a query asks for; what it says wrongly is as if it were not said.
    pub(crate) fn of(query: &str) -> Self {
        let mut asked = Self::default();
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some(("run", number)) => asked.view.run = number.parse().ok(),
                Some(("beside", number)) => asked.view.beside = number.parse().ok(),
                Some(("last", name)) => {
                    let found = Last::ALL.into_iter().find(|(_, known, _)| *known == name);
                    asked.view.last = found.map_or(Last::All, |(last, ..)| last);
                }
                Some(("narrow", _)) => asked.view.narrow = true,
                Some(("fresh", _)) => asked.fresh = true,
                Some(("have", version)) => {
                    asked.have = version.split_once('-').and_then(|(server, version)| {
                        Some((server.parse().ok()?, version.parse().ok()?))
                    });
                }
                _ => {}
            }
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_looked_at_and_nonsense_says_nothing() {
        let asked = Asked::of("run=3&beside=5&last=half&narrow=1&have=7-12&fresh=1");
        let view = View { run: Some(3), beside: Some(5), last: Last::Half, narrow: true };
        assert_eq!(asked, Asked { view, have: Some((7, 12)), fresh: true });
        for query in ["", "run=-1", "run=x&beside=&last=..%2f", "have=7", "have=a-b", "&&=&a"] {
            assert_eq!(Asked::of(query), Asked::default(), "{query}");
        }
    }
}
