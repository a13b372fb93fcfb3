//! Whole studies, run for real on text made up here: a model of width 16, some dozens of steps.

mod refuse;
mod resume;
mod tiny;
