//! The answers to studies that never ran, whose figures or whose truth the tests set.

#[cfg(test)]
mod clusters;
#[cfg(test)]
mod decision;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod invented;
#[cfg(test)]
mod known;
#[cfg(test)]
mod simplex;
#[cfg(test)]
mod transfer;
