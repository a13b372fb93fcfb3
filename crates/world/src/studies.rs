//! The studies that are asked in a world, as the files a user could have written.

use sparkjoy_base::Seed;

/// One question, for the first minutes: some five million tokens in all.
pub const QUICKSTART: &str = include_str!("quickstart.toml");

/// Every question there is.
pub const FULL: &str = include_str!("full.toml");

/// A study with its name and seed filled in, ready to lie beside the text of its world.
///
/// - `programs`: whether it asks for the task whose programs are run.
pub fn study(text: &str, Seed(seed): Seed, programs: bool) -> String {
    let text = text.replace("{seed}", &seed.to_string());
    if programs { text } else { text.replace(", \"programs.toml\"", "") }
}
