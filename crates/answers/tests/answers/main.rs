//! The answers to studies that never ran, whose figures or whose truth the tests set.

#[cfg(test)]
mod invented;
#[cfg(test)]
mod known;
