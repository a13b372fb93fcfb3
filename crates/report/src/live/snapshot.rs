//! What is known at a moment, in parts, so that only parts that change are sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::live::tail::Tail;

/// Every part by its name: `about`, `tree`, `progress`, `doing`, `failing`, `trouble`, `run/NAME`.
pub(crate) type Parts = BTreeMap<String, Arc<RawValue>>;

/// All that pages are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) parts: Parts,
    /// Curves that pages look at, by run.
    pub(crate) curves: BTreeMap<String, Arc<Tail>>,
    /// All runs, in the order of the tree.
    pub(crate) runs: Arc<[String]>,
}

/// Puts a value among the parts.
pub(crate) fn put<T: Serialize>(parts: &mut Parts, name: impl Into<String>, value: &T) {
    let json = serde_json::value::to_raw_value(value).expect("plain data has a JSON form");
    parts.insert(name.into(), Arc::from(json));
}

/// What has changed: new parts, and names of parts that are gone as nothing. None where nothing
/// has.
pub(crate) fn changes(before: &Parts, now: &Parts) -> Option<String> {
    let changed = now
        .iter()
        .filter(|(name, part)| before.get(*name).is_none_or(|before| before.get() != part.get()));
    let mut all: BTreeMap<&str, Option<&RawValue>> =
        changed.map(|(name, part)| (name.as_str(), Some(&**part))).collect();
    all.extend(
        before.keys().filter(|name| !now.contains_key(*name)).map(|name| (name.as_str(), None)),
    );
    (!all.is_empty()).then(|| serde_json::to_string(&all).expect("plain data has a JSON form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_sent() {
        let mut before = Parts::new();
        put(&mut before, "run/a", &1);
        put(&mut before, "run/b", &2);
        put(&mut before, "run/c", &3);
        let mut now = before.clone();
        assert_eq!(changes(&before, &now), None);
        put(&mut now, "run/b", &5);
        now.remove("run/c");
        assert_eq!(changes(&before, &now).unwrap(), r#"{"run/b":5,"run/c":null}"#);
        assert_eq!(changes(&Parts::new(), &before).unwrap().matches("run/").count(), 3);
    }
}
