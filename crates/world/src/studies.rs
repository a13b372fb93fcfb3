//! Study files for a world, as a user could have written them.

use sparkjoy_base::Seed;

/// The study of `sparkjoy quickstart`: one question, about five million tokens in all.
pub const QUICKSTART: &str = include_str!("quickstart.toml");

/// A study with every kind of question.
pub const FULL: &str = include_str!("full.toml");

/// A study file with the seed filled in, for the folder of its world.
///
/// - `programs`: whether it includes the task that runs generated programs.
pub fn study(text: &str, Seed(seed): Seed, programs: bool) -> String {
    let text = text.replace("{seed}", &seed.to_string());
    if programs { text } else { text.replace(", \"programs.toml\"", "") }
}
