//! A checkpoint: what it is of, what it has read, and its files.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use sparkjoy_base::{bytes, thousands};
use sparkjoy_report::Table;
use sparkjoy_train::{Checkpoint, CheckpointInfo, Kernels, TrainError};

use crate::failure::Failure;
use crate::output::{Output, print, print_json};

/// The checkpoint that is meant by `RUN/step-175`, however many zeros its folder has; any other
/// path as it is.
pub(crate) fn by_number(path: &Path) -> Result<PathBuf, TrainError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let step = name.strip_prefix("step-").and_then(|digits| digits.parse::<u64>().ok());
    let (Some(step), Some(run), false) = (step, path.parent(), path.exists()) else {
        return Ok(path.to_owned());
    };
    let found = Checkpoint::at(run, step)?;
    Ok(found.map_or_else(|| path.to_owned(), |checkpoint| checkpoint.folder))
}

/// Shows a checkpoint, every file of it checked.
pub(super) fn show(folder: &Path, output: Output) -> Result<(), Failure> {
    let info = Checkpoint::open(folder)?.inspect()?;
    match output {
        Output::Json => print_json(&info),
        Output::Text => print(&render(folder, &info)),
    }
}

fn render(folder: &Path, info: &CheckpointInfo) -> String {
    let shape = &info.shape;
    let mut read = Table::new(["<source", "sequences", "tokens"]);
    for (source, sequences) in info.ledger.iter() {
        let tokens = sequences * shape.context as u64;
        read.row([source.to_string(), thousands(sequences), thousands(tokens)]);
    }
    let mut files = Table::new(["<file", "size", "<content"]);
    for (name, file) in &info.files {
        files.row([name.clone(), bytes(file.bytes), file.fingerprint.to_string()]);
    }
    format!(
        "step {} of run {} · {} parameters ({} layers, width {}, {} heads, context {})\n\
         {}\n\
         {}\n{}\nall files as they were written; transformers loads the folder as it is:\n  \
         AutoModelForCausalLM.from_pretrained(\"{}\")\n",
        thousands(info.step),
        info.run,
        thousands(info.parameters),
        shape.layers,
        shape.width,
        shape.heads,
        shape.context,
        kernels(&info.kernels),
        read.text(),
        files.text(),
        folder.display()
    )
}

/// `computed on avx512bf16 up to step 500, then avx2`.
pub(super) fn kernels(kernels: &Kernels) -> String {
    let mut text = "computed on ".to_owned();
    for (at, since) in kernels.iter().enumerate() {
        if at > 0 {
            let _ = write!(text, " up to step {}, then ", thousands(since.since));
        }
        text.push_str(&since.kernel);
    }
    text.push('\n');
    text
}
