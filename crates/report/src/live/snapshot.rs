//! What is known at a moment, as parts of the page, so that only parts that change are sent.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use maud::{DOCTYPE, Markup, html};

use super::view::{Asked, View};

/// A part of the page: one element with its name as its `id`.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    html: Arc<str>,
    /// The version it came with.
    version: u64,
}

/// Parts by name; a part comes after the one it stands in.
pub(crate) type Parts = BTreeMap<String, Part>;

/// All that pages are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// Tells this server from the one before at the same address.
    pub(crate) server: u64,
    /// Grows with every change.
    pub(crate) version: u64,
    /// Whether there are runs to look at.
    pub(crate) planned: bool,
    pub(crate) title: String,
    /// The report, once there is one of all runs.
    pub(crate) report: Option<PathBuf>,
    /// The same for everybody.
    pub(crate) parts: Parts,
    /// What stands for a run, by what somebody looks at.
    pub(crate) views: BTreeMap<View, Parts>,
}

/// Puts a part among the others; true if it is another than before.
pub(crate) fn put(parts: &mut Parts, name: &str, html: Markup, version: u64) -> bool {
    let html = html.into_string();
    if parts.get(name).is_some_and(|before| *before.html == *html) {
        return false;
    }
    parts.insert(name.to_owned(), Part { html: html.into(), version });
    true
}

impl Snapshot {
    /// The document of what a browser lacks; none where it lacks nothing.
    pub(crate) fn lacking(&self, asked: &Asked) -> Option<String> {
        let known = asked.have.filter(|(server, _)| *server == self.server);
        let since = known.map_or(0, |(_, version)| version);
        let view = self.views.get(&asked.view);
        if asked.fresh && view.is_none() && self.planned {
            // It is being drawn; a page without it would be half empty for a moment.
            return None;
        }
        let of_view = if asked.fresh || since == 0 { 0 } else { since };
        let newer = |since: u64| move |part: &&Part| part.version > since;
        let parts = self.parts.values().filter(newer(since));
        let parts: Vec<&Part> = parts
            .chain(view.into_iter().flat_map(BTreeMap::values).filter(newer(of_view)))
            .collect();
        let document = || {
            html! {
                (DOCTYPE)
                html lang="en" {
                    head { meta charset="utf-8"; title { (self.title) } }
                    body data-have={ (self.server) "-" (self.version) }
                        data-whole[view.is_some()] {
                        @for part in &parts { (maud::PreEscaped(&*part.html)) }
                    }
                }
            }
        };
        (!parts.is_empty()).then(|| document().into_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(snapshot: &mut Snapshot, name: &str, text: &str) -> bool {
        let version = snapshot.version + 1;
        let changed = put(&mut snapshot.parts, name, html! { p id=(name) { (text) } }, version);
        snapshot.version += u64::from(changed);
        changed
    }

    fn asked(version: u64) -> Asked {
        Asked { have: Some((7, version)), ..Asked::default() }
    }

    #[test]
    fn only_what_changes_is_sent() {
        let mut snapshot = Snapshot { server: 7, ..Snapshot::default() };
        assert!(set(&mut snapshot, "a", "1") && set(&mut snapshot, "b", "2"));
        assert!(!set(&mut snapshot, "b", "2"), "the same again is no change");
        let all = snapshot.lacking(&Asked::default()).unwrap();
        assert!(all.contains(r#"<body data-have="7-2"><p id="a">1</p><p id="b">2</p></body>"#));
        assert_eq!(snapshot.lacking(&asked(2)), None);
        assert!(set(&mut snapshot, "a", "3"));
        let changed = snapshot.lacking(&asked(2)).unwrap();
        assert!(changed.contains(r#"<body data-have="7-3"><p id="a">3</p></body>"#), "{changed}");
    }

    #[test]
    fn a_server_that_was_started_again_sends_all() {
        let mut snapshot = Snapshot { server: 8, ..Snapshot::default() };
        set(&mut snapshot, "a", "1");
        assert!(snapshot.lacking(&asked(100)).is_some(), "the version is of another server");
    }

    #[test]
    fn a_view_comes_whole_to_who_has_none_of_it() {
        let mut snapshot = Snapshot { server: 7, planned: true, ..Snapshot::default() };
        set(&mut snapshot, "a", "1");
        let fresh = Asked { fresh: true, ..asked(1) };
        assert_eq!(snapshot.lacking(&fresh), None, "it is not drawn yet");
        assert_eq!(snapshot.lacking(&Asked { have: None, ..fresh.clone() }), None);
        let parts = snapshot.views.entry(View::default()).or_default();
        put(parts, "run", html! { p id="run" {} }, 1);
        assert!(snapshot.lacking(&fresh).unwrap().contains("data-whole><p id=\"run\">"));
        assert_eq!(snapshot.lacking(&asked(1)), None);
        let other = View { run: Some(3), ..View::default() };
        assert_eq!(snapshot.lacking(&Asked { view: other, ..fresh }), None);
    }
}
