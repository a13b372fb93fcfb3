//! Whole ways through the crate, on rows and text made up here.

mod held_out;
