//! Where things lie and how they are shown: what every command takes.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use clap::Args;
use sparkjoy_jobs::Places;

use crate::output::Output;

/// Where things lie and how they are shown.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Folder of the text of sources [default: the study's]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// Folder of prepared sources [default: beside the study]
    #[arg(long, value_name = "DIR", global = true, default_value = "prepared")]
    #[arg(hide_default_value = true)]
    #[arg(hide_short_help = true)]
    pub(crate) prepared: PathBuf,
    /// Folder of runs [default: `runs` beside the study]
    #[arg(long, value_name = "DIR", global = true, default_value = "runs")]
    #[arg(hide_default_value = true)]
    pub(crate) runs: PathBuf,
    /// Threads to compute with [default: all cores]
    #[arg(long, value_name = "N", global = true, value_parser = at_least_one)]
    threads: Option<NonZeroUsize>,
    /// Whether less is kept for the backward pass: an option of the commands that train.
    #[arg(skip)]
    pub(crate) recompute: bool,
    /// Print JSON for machines instead of tables
    #[arg(long, global = true)]
    json: bool,
    /// Whether a folder was named.
    #[arg(skip)]
    pub(crate) is_named: bool,
}

impl Place {
    /// The threads asked for, or one for each core.
    pub(crate) fn threads(&self) -> usize {
        let asked = self.threads.or_else(|| available_parallelism().ok());
        asked.map_or(1, NonZeroUsize::get)
    }

    /// The folders.
    pub(crate) fn places(&self, eval_data: Option<PathBuf>) -> Places {
        Places { runs: self.runs.clone(), prepared: self.prepared.clone(), eval_data }
    }

    /// Takes the folders that were not named to lie in `folder`. `is_named`: whether an option was
    /// typed.
    pub(crate) fn lie_in(&mut self, folder: &Path, is_named: impl Fn(&str) -> bool) {
        for (name, place) in [("prepared", &mut self.prepared), ("runs", &mut self.runs)] {
            if !is_named(name) {
                *place = folder.join(&*place);
            }
        }
        self.is_named = is_named("prepared") || is_named("runs");
    }

    /// How to print.
    pub(crate) fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Text }
    }
}

/// A whole number from 1.
pub(crate) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    let expected = "expected a whole number from 1, or the option left out";
    text.parse().map_err(|_| expected.to_owned())
}
