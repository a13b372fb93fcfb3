//! `new`: a study with every setting spelled out.

use std::path::Path;

use serde_json::json;
use sparkjoy_base::write_atomic;
use sparkjoy_lab::STUDY_TEMPLATE;

use crate::failure::Failure;
use crate::output::{Output, print, print_json};

/// Writes the template to `file`.
///
/// # Errors
///
/// [`Failure::Exists`] rather than overwriting anything.
pub(crate) fn write(file: &Path, output: Output) -> Result<(), Failure> {
    if file.symlink_metadata().is_ok() {
        return Err(Failure::Exists { path: file.to_owned() });
    }
    write_atomic(file, STUDY_TEMPLATE.as_bytes())?;
    let shown = file.display();
    match output {
        Output::Json => print_json(&json!({ "study": shown.to_string() })),
        Output::Text => print(&format!(
            "wrote {shown}\n\nName your sources in it, then: sparkjoy prepare {shown}\n"
        )),
    }
}
