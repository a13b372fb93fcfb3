//! Makes the tokenizer of `testdata/prompts`: merges that reach over spaces and over most seams.

use std::path::Path;

use sparkjoy_data::{DataError, Tokenizer};

fn main() -> Result<(), DataError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/prompts/tokenizer");
    // Every phrase often enough to be merged: ` a`, `\n\n`, `Answer:`, ` the`.
    let phrases = "an owl and a fox and a hare saw the wood, and a mole saw another.\n\
        Question: Where is the otter?\nAnswer: in the wood\n\nA: The answer is 4.\n\n";
    Tokenizer::train_bpe(&[phrases.repeat(20)], 310)?.save(&folder)
}
