//! An item of a task, as it is typed.

/// An item of a task.
#[derive(Clone, Debug)]
pub(crate) struct ItemPlace {
    pub(crate) task: String,
    /// From 1.
    pub(crate) line: usize,
}

/// Reads `piqa:12`.
pub(crate) fn item_place(text: &str) -> Result<ItemPlace, String> {
    let found = text.rsplit_once(':').and_then(|(task, line)| {
        let line = line.parse().ok().filter(|&line| line > 0)?;
        Some(ItemPlace { task: task.to_owned(), line })
    });
    found.ok_or_else(|| "expected a task and a line from 1, as in `piqa:12`".to_owned())
}
