//! A model trained elsewhere, as a run starts from it.
//!
//! All that is checked here is checked twice: when a run is planned, which names the model by its
//! numbers, and when it starts, which refuses other numbers.

use std::path::{Path, PathBuf};

use sparkjoy_base::{Fingerprint, Hint, thousands};
use sparkjoy_nn::Optimizer;
use sparkjoy_spec::{Moments, OptimizerKind, Shape, Start};

use crate::checkpoint::{Checkpoint, OPTIMIZER, entries};
use crate::content::Content;
use crate::state::TrainState;
use crate::{ModelFolder, TrainError, tensors};

/// Rows of the embedding: the plan takes them from the model, so that others come too late.
const VOCAB: &str = "vocab";
const NO_CLIP: &str = "none";

/// Why a run cannot start from a model trained elsewhere.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The model has another shape than the run.
    #[error("the model in `{}` has {field} {found}, expected {expected}", folder.display())]
    Shape {
        /// The model folder.
        folder: PathBuf,
        /// `width`, `layers` …
        field: &'static str,
        /// In its `config.json`.
        found: String,
        /// In the run.
        expected: String,
    },
    /// The moments are asked for and are not there.
    #[error("`{}` holds no `{OPTIMIZER}`{}", folder.display(), beside(other.as_deref()))]
    NoMoments {
        /// The model folder.
        folder: PathBuf,
        /// A file of another program's optimizer.
        other: Option<String>,
    },
    /// A moment is not a finite number.
    #[error("tensor `{name}` in `{}` holds a moment that is not finite", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// The numbers are not those the run was planned with.
    #[error("the {what} in `{}` are not those the run was planned with", folder.display())]
    Changed {
        /// `weights` or `moments`.
        what: &'static str,
        /// The model folder.
        folder: PathBuf,
    },
    /// No folder is given, and the run has no checkpoint yet.
    #[error("no model is given for the run to start from at step {}", thousands(*step))]
    NotGiven {
        /// The step it starts at.
        step: u64,
    },
}

fn beside(other: Option<&str>) -> String {
    other.map_or_else(String::new, |other| format!("; `{other}` is another program's"))
}

impl Hint for ImportError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Shape { field: VOCAB, .. } | Self::Changed { .. } => "the model was exchanged: \
                 `sparkjoy plan` plans with what it is now, as another run"
                .to_owned(),
            Self::Shape { field, found, .. } if found == NO_CLIP => {
                format!("leave `{field}` out of `[model]`, or start from another model")
            }
            Self::Shape { field, found, .. } => {
                format!("write `{field} = {found}` in `[model]`, or start from another model")
            }
            Self::NoMoments { other: Some(_), .. } => format!(
                "set `optimizer = \"fresh\"` in `[trunk]`: only moments written by sparkjoy \
                 (`{OPTIMIZER}`) are read"
            ),
            Self::NoMoments { other: None, .. } => format!(
                "put its `{OPTIMIZER}` beside the weights, or set `optimizer = \"fresh\"` in \
                 `[trunk]`"
            ),
            Self::NotFinite { .. } => {
                "set `optimizer = \"fresh\"` in `[trunk]`, or fetch the file again".to_owned()
            }
            Self::NotGiven { .. } => {
                "put the model back where `from` in `[trunk]` of the study says".to_owned()
            }
        })
    }
}

/// The start of a run from a model: reads every number once.
///
/// - `moments`: the optimizer whose saved state is taken along, and the steps it has taken where
///   the folder does not say so itself; `None` to begin with moments of zero.
///
/// # Errors
///
/// [`ImportError`] for moments that are not there or not finite; as [`ModelFolder::content`].
pub fn imported(
    model: &ModelFolder,
    moments: Option<(OptimizerKind, u64)>,
) -> Result<Start, TrainError> {
    let found = match moments {
        None => None,
        Some((kind, steps)) => Some(Moments {
            content: moments_content(model, kind)?,
            steps: model.optimizer_steps().unwrap_or(steps),
        }),
    };
    Ok(Start::Imported { model: model.content()?, moments: found })
}

/// Refuses a model of another shape. A context may be shorter than the model's longest.
///
/// # Errors
///
/// [`ImportError::Shape`].
pub fn check_shape(model: &ModelFolder, expected: &Shape) -> Result<(), ImportError> {
    let found = model.shape();
    let clip = |shape: &Shape| shape.clip_qkv.map_or(NO_CLIP.to_owned(), |clip| clip.to_string());
    let refuse = |field, found: String, expected: String| {
        Err(ImportError::Shape { folder: model.path().to_owned(), field, found, expected })
    };
    for (field, found, expected) in [
        ("layers", found.layers, expected.layers),
        ("width", found.width, expected.width),
        ("heads", found.heads, expected.heads),
        (VOCAB, found.vocab, expected.vocab),
    ] {
        if found != expected {
            return refuse(field, found.to_string(), expected.to_string());
        }
    }
    if found.clip_qkv != expected.clip_qkv {
        return refuse("clip_qkv", clip(found), clip(expected));
    }
    if found.context < expected.context {
        return refuse("context", found.context.to_string(), expected.context.to_string());
    }
    Ok(())
}

/// The file with the moments of a model.
fn moments_file(model: &ModelFolder) -> Result<PathBuf, TrainError> {
    let folder = model.path();
    let path = folder.join(OPTIMIZER);
    if model.step().is_some() {
        return Checkpoint::peek(folder)?.verified(OPTIMIZER);
    }
    if path.is_file() {
        return Ok(path);
    }
    let foreign = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        let extension = path.extension()?.to_str()?;
        let is_one = name.contains("optim") && ["pt", "bin", "pth"].contains(&extension);
        is_one.then(|| name.to_owned())
    };
    let other = entries(folder)?.iter().find_map(foreign);
    Err(ImportError::NoMoments { folder: folder.to_owned(), other }.into())
}

/// Identity of the moments of a model; reads all of them, a tensor at a time.
fn moments_content(model: &ModelFolder, kind: OptimizerKind) -> Result<Fingerprint, TrainError> {
    let path = moments_file(model)?;
    let layout = model.shape().tensors();
    let mut content = Content::of_moments();
    let named = Optimizer::new(kind, 0);
    let prefixes: Vec<String> =
        named.moments().iter().map(|(name, _)| format!("{name}.")).collect();
    let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
    tensors::each(&path, &layout, &prefixes, &mut |name, values| {
        check_finite(&path, name, values)?;
        content.add(values);
        Ok(())
    })?;
    Ok(content.fingerprint())
}

fn check_finite(path: &Path, name: &str, values: &[f32]) -> Result<(), ImportError> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(ImportError::NotFinite { path: path.to_owned(), name: name.to_owned() })
}

/// Reads a model, and its moments where there are any, into a state that holds neither yet.
pub(crate) fn read(
    state: &mut TrainState,
    folder: &Path,
    start: (Fingerprint, Option<Moments>),
) -> Result<(), TrainError> {
    let (expected, moments) = start;
    let model = ModelFolder::open(folder)?;
    check_shape(&model, state.engine.shape())?;
    let changed = |what| ImportError::Changed { what, folder: folder.to_owned() };

    model.read_weights(state.engine.weights_mut())?;
    let mut content = Content::of_weights(state.engine.shape());
    content.add(state.engine.weights());
    if content.fingerprint() != expected {
        return Err(changed("weights").into());
    }
    let Some(moments) = moments else { return Ok(()) };
    let path = moments_file(&model)?;
    state.read_moments(&path)?;
    let mut content = Content::of_moments();
    for (_, values) in state.optimizer.moments() {
        content.add(values);
    }
    if content.fingerprint() != moments.content {
        return Err(changed("moments").into());
    }
    state.optimizer.set_steps(moments.steps);
    Ok(())
}
