//! Tasks by name, or by the file that defines them.

use std::path::Path;

use sparkjoy_eval::{Catalog, EvalError, Selection};

/// The tasks behind names of tasks and suites, and of files that end in `.toml`: all that such a
/// file defines.
///
/// - `folder`: what files are relative to.
///
/// # Errors
///
/// Which name is wrong, counted from 0, and why.
pub fn select_tasks<S: AsRef<str>>(
    names: &[S],
    folder: &Path,
) -> Result<Selection, (usize, EvalError)> {
    let mut catalog = Catalog::shipped();
    let mut asked: Vec<String> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let name = name.as_ref();
        if Path::new(name).extension().is_some_and(|extension| extension == "toml") {
            let (suites, tasks) = (catalog.suites().len(), catalog.tasks().len());
            catalog.read(&folder.join(name)).map_err(|why| (index, why))?;
            asked.extend(catalog.suites()[suites..].iter().map(|suite| suite.name.clone()));
            asked.extend(catalog.tasks()[tasks..].iter().map(|task| task.name.clone()));
        } else {
            catalog.choose(&[name]).map_err(|why| (index, why))?;
            asked.push(name.to_owned());
        }
    }
    catalog.choose(&asked).map_err(|why| (0, why))
}
