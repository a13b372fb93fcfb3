//! Python programs that made our golden numbers, or that check us against the originals.
//!
//! They run in an environment of their own under `target/`, so that nobody's Python is touched
//! and a clean checkout can remake every number.

use std::path::{Path, PathBuf};

use crate::command::{Failed, cargo, program, root, run, run_in, run_with};

/// What the programs import. Pinned: golden numbers are made by a known version.
const PACKAGES: [&str; 10] = [
    "lm-eval[hf]==0.4.13",
    "numpy==2.4.6",
    "pyarrow==26.0.1",
    "safetensors==0.8.0",
    "scipy==1.17.1",
    "statsmodels==0.15.0",
    "tiktoken==0.14.0",
    "tokenizers==0.23.3",
    "torch==2.15.0",
    "transformers==5.23.0",
];

/// A program that writes golden files in its own folder.
struct Golden {
    /// The program, from the root.
    script: &'static str,
    /// The file it prints, if it prints one; the others write theirs themselves.
    prints: Option<&'static str>,
    /// Whether it reads the corpora beside the repository.
    reads_corpora: bool,
}

const fn writes(script: &'static str) -> Golden {
    Golden { script, prints: None, reads_corpora: false }
}

/// Every program under a `testdata` folder, in the order they are run.
const GOLDEN: [Golden; 10] = [
    writes("crates/data/testdata/parquet.py"),
    writes("crates/eval/testdata/few_shot.py"),
    writes("crates/eval/testdata/prompts.py"),
    writes("crates/mix/testdata/order.py"),
    writes("crates/nn/testdata/golden/model.py"),
    writes("crates/nn/testdata/golden/optimizers.py"),
    writes("crates/data/testdata/tokenizer/foreign.py"),
    writes("crates/train/testdata/models.py"),
    Golden {
        script: "crates/stats/testdata/golden.py",
        prints: Some("golden.json"),
        reads_corpora: false,
    },
    // Last, because it needs more than packages: the rank file, from the network or
    // `TIKTOKEN_CACHE_DIR`.
    Golden {
        script: "crates/data/testdata/tokenizer/cl100k.py",
        prints: Some("cl100k.json"),
        reads_corpora: true,
    },
];

pub(crate) struct Python {
    interpreter: PathBuf,
}

impl Python {
    /// Makes the environment, or finds the one made before.
    ///
    /// # Errors
    ///
    /// [`Failed`] if there is no `python3` with `venv`, or the packages cannot be fetched.
    pub(crate) fn prepare() -> Result<Self, Failed> {
        let folder = root().join("target/python");
        let interpreter = folder.join("bin/python");
        if !interpreter.is_file() {
            run(Path::new("python3"), &["-m", "venv", &folder.to_string_lossy()])?;
        }
        let install = ["-m", "pip", "install", "--quiet"];
        run(&interpreter, &[&install[..], &PACKAGES[..]].concat())?;
        Ok(Self { interpreter })
    }

    /// Runs a program, named from the root, in its own folder.
    ///
    /// # Errors
    ///
    /// [`Failed`] if it says it failed.
    pub(crate) fn run(
        &self,
        script: &str,
        arguments: &[&str],
        prints: Option<&str>,
    ) -> Result<(), Failed> {
        let (folder, name) = script.rsplit_once('/').expect("no program lies in the root");
        let all = [&[name], arguments].concat();
        run_in(&root().join(folder), &self.interpreter, &all, prints)
    }
}

/// Makes all golden files again, each beside its program.
///
/// # Errors
///
/// [`Failed`] at the first program that fails.
pub(crate) fn golden() -> Result<(), Failed> {
    let python = Python::prepare()?;
    let corpora = root().join("../shared/corpora");
    for Golden { script, prints, reads_corpora } in GOLDEN {
        if reads_corpora && !corpora.is_dir() {
            eprintln!("\nSKIPPED {script}: no corpora at {}", corpora.display());
            continue;
        }
        let corpora = corpora.to_string_lossy();
        let arguments: &[&str] = if reads_corpora { &[&corpora] } else { &[] };
        python.run(script, arguments, prints)?;
    }
    eprintln!("\n`git diff` shows which numbers changed");
    Ok(())
}

/// Checks checkpoints against transformers (made by an example, read by the library), and our
/// engine against one in plain PyTorch on the same run.
///
/// # Errors
///
/// [`Failed`] if they differ.
pub(crate) fn parity() -> Result<(), Failed> {
    let folder = root().join("target/parity");
    let folder = folder.to_string_lossy();
    let example = ["--package", "sparkjoy-train", "--example", "tiny_checkpoint"];
    run(&cargo(), &[&["run", "--release"], &example[..], &["--", &folder]].concat())?;
    let python = Python::prepare()?;
    python.run("crates/train/parity/hugging_face.py", &[&folder], None)?;
    let interpreter = python.interpreter.to_string_lossy();
    let environment = [("SPARKJOY_TORCH_PYTHON", &*interpreter)];
    let worker = ["test", "--release", "--package", "sparkjoy-eval", "--test", "worker", "pytorch"];
    run_with(&cargo(), &[&worker[..], &["--", "--nocapture"]].concat(), &environment)?;
    let engine = ["test", "--package", "sparkjoy-train", "--lib", "tests::parity"];
    run_with(&cargo(), &[&engine[..], &["--", "--nocapture"]].concat(), &environment)
}

/// Checks scores of a model on tasks against transformers and lm-evaluation-harness.
///
/// # Errors
///
/// [`Failed`] if they differ.
pub(crate) fn task_parity(model: &str, data: &str) -> Result<(), Failed> {
    let [model, data] = [absolute(model)?, absolute(data)?];
    let program = program()?;
    let folder =
        |name: &str| root().join("target/parity").join(name).to_string_lossy().into_owned();
    let (gauntlet, harness) = (folder("gauntlet"), folder("harness"));
    let ask = |tasks: &str, out: &str, more: &[&str]| {
        let arguments = ["eval", &model, "--eval-data", &data, "--tasks", tasks, "--out", out];
        run(&program, &[&arguments[..], more].concat())
    };
    let python = Python::prepare()?;
    ask("gauntlet-v0.3", &gauntlet, &["--limit", "100"])?;
    let check = "crates/eval/parity/transformers_scores.py";
    python.run(check, &[&model, &data, &gauntlet], None)?;
    ask("crates/eval/parity/harness.toml", &harness, &[])?;
    python.run("crates/eval/parity/harness.py", &[&model, &data, &harness], None)
}

/// Items per second, ours and transformers' in turn.
///
/// # Errors
///
/// [`Failed`] if either fails.
pub(crate) fn task_speed(model: &str, data: &str) -> Result<(), Failed> {
    let program = program()?.to_string_lossy().into_owned();
    let arguments = [program, absolute(model)?, absolute(data)?];
    let arguments = arguments.each_ref().map(String::as_str);
    Python::prepare()?.run("crates/eval/benches/transformers_speed.py", &arguments, None)
}

/// A path that means the same in any folder.
fn absolute(path: &str) -> Result<String, Failed> {
    match Path::new(path).canonicalize() {
        Ok(path) => Ok(path.to_string_lossy().into_owned()),
        Err(error) => Err(Failed(format!("cannot find `{path}`: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::python_programs;

    #[test]
    fn every_golden_file_can_be_made_again() {
        let mut known: Vec<&str> = GOLDEN.iter().map(|golden| golden.script).collect();
        known.sort_unstable();
        assert_eq!(python_programs("/testdata/"), known);
    }
}
