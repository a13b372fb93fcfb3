//! Commands that are typed as one argument: `--engine` and `--worker`.

/// A command: its program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine(Vec<String>);

impl CommandLine {
    pub(crate) fn into_argv(self) -> Vec<String> {
        self.0
    }

    /// Splits what was typed as a shell does, without its variables and patterns.
    ///
    /// - `placeholder`: what one of the arguments must hold.
    fn parse(typed: &str, placeholder: &str) -> Result<Self, String> {
        let Some(argv) = shlex::split(typed) else {
            return Err("a quote is opened and not closed".to_owned());
        };
        if argv.iter().skip(1).any(|argument| argument.contains(placeholder)) {
            return Ok(Self(argv));
        }
        Err(format!(
            "no argument holds `{placeholder}`, expected `PROGRAM ARGUMENTS {placeholder}`"
        ))
    }
}

/// The command of `--engine`.
pub(crate) fn engine(typed: &str) -> Result<CommandLine, String> {
    CommandLine::parse(typed, "{job}")
}

/// The command of `--worker`.
pub(crate) fn worker(typed: &str) -> Result<CommandLine, String> {
    CommandLine::parse(typed, "{model}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_as_a_shell_splits_it() {
        let command = engine("'my python' engine.py --job={job} \"a b\"").unwrap();
        assert_eq!(command.into_argv(), ["my python", "engine.py", "--job={job}", "a b"]);
    }

    #[test]
    fn a_command_that_cannot_work_is_refused_before_anything_is_read() {
        let refused = ["python 'engine.py {job}", "python engine.py", "", "{job}"];
        let errors = refused.map(|typed| engine(typed).unwrap_err());
        insta::assert_snapshot!(errors.join("\n"), @"
        a quote is opened and not closed
        no argument holds `{job}`, expected `PROGRAM ARGUMENTS {job}`
        no argument holds `{job}`, expected `PROGRAM ARGUMENTS {job}`
        no argument holds `{job}`, expected `PROGRAM ARGUMENTS {job}`
        ");
        assert!(worker("python worker.py {job}").is_err());
    }
}
