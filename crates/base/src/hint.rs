//! Advice that belongs to an error but is not part of its text.

/// An error that can say what to do next.
///
/// The error text says what is wrong, where, and what was expected; the hint says what to type.
/// Only the command line prints hints, each on its own line.
pub trait Hint: std::error::Error {
    /// The next step, as one imperative sentence, or `None` if there is none.
    fn hint(&self) -> Option<String>;
}
