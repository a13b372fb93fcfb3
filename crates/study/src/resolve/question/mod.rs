//! Expands questions into branches and the controls they need.
//!
//! A control keeps everything of its branch but the mixture: window, learning-rate curve,
//! replicate. Runs that two questions need are one run, found by what determines their numbers; a
//! run that begins like another one goes on from its end.

mod continuation;
mod expand;
mod proportion;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use self::expand::taker;
pub(crate) use self::tree::BranchTree;
