//! The study that `sparkjoy new` writes: every key, each with what it means.

/// A commented study with every setting spelled out, ready to be edited.
///
/// # Guarantees
///
/// It parses, and it names every key a study may have.
pub const STUDY_TEMPLATE: &str = include_str!("template.toml");
