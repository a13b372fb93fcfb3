//! Whole studies, run for real on text made up here: a model of width 16, some dozens of steps.

#[cfg(test)]
mod contamination;
mod damage;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod import;
#[cfg(test)]
mod kernels;
#[cfg(test)]
mod prepare;
#[cfg(test)]
mod questions;
#[cfg(test)]
mod refuse;
#[cfg(test)]
mod resume;
mod seals;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod tiny;
