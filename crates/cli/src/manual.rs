//! `completions` and `man`: what the command line says about itself, in the forms that shells and
//! `man` read.

use std::fmt::Write;
use std::path::Path;

use clap_complete::Shell;
use clap_mangen::Man;
use sparkjoy_base::write_atomic;

use crate::args::command;
use crate::failure::Failure;
use crate::output::{print, print_plain};

/// Prints the completions of a shell.
///
/// # Errors
///
/// [`Failure::Print`].
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "sparkjoy", &mut script);
    print_plain(&script)
}

/// Prints the page of the program, or writes it and one for each command into a folder.
///
/// # Errors
///
/// [`Failure::Print`]; a folder that cannot be written to.
pub(crate) fn pages(folder: Option<&Path>) -> Result<(), Failure> {
    let mut command = command();
    command.build();
    let Some(folder) = folder else {
        return print_plain(&page(&command)?);
    };
    let pages = std::iter::once(&command).chain(command.get_subcommands());
    let mut text = String::new();
    for command in pages {
        let path = folder.join(Man::new(command.clone()).get_filename());
        write_atomic(&path, &page(command)?)?;
        let _ = writeln!(text, "wrote {}", path.display());
    }
    print(&text)
}

fn page(command: &clap::Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    // A page also shows what the short help leaves out.
    let command = command.clone().mut_args(|argument| argument.hide_short_help(false));
    Man::new(command).render(&mut page).map_err(|source| Failure::Print { source })?;
    Ok(page)
}
