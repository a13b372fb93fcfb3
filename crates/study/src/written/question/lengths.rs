//! Stretches of the run and places in it.

use sparkjoy_base::Span;

use super::super::reader::{Item, Placed, Table};
use super::{Known, Window};
use crate::StudyError;
use crate::problem::Problem;

impl Known<'_> {
    /// The length under `window`.
    pub(super) fn window(&self, table: &mut Table<'_>) -> Result<Placed<Window>, StudyError> {
        self.length(&table.required("window", "the length of the phase, such as \"10%\"")?)
    }

    /// One or more lengths under `key`, no two of them the same number of steps.
    pub(super) fn windows(
        &self,
        table: &mut Table<'_>,
        key: &'static str,
        expected: &'static str,
    ) -> Result<Vec<Placed<Window>>, StudyError> {
        let items = table.required(key, expected)?;
        let (file, line) = (items.source(), items.line());
        let mut windows: Vec<Placed<Window>> = Vec::new();
        for item in items.one_or_more(expected)? {
            let window = self.length(&item)?;
            let twin = windows.iter().find(|other| other.value.steps == window.value.steps);
            if let Some(twin) = twin {
                return Err(item.problem(Problem::WindowTwice {
                    first: twin.value.span.to_string(),
                    second: window.value.span.to_string(),
                    steps: window.value.steps,
                }));
            }
            windows.push(window);
        }
        if windows.is_empty() {
            let (key, found) = (format!("questions.{key}"), "empty".to_owned());
            return Err(file.problem(line, Problem::OutOfRange { key, found, expected }));
        }
        Ok(windows)
    }

    fn length(&self, item: &Item<'_>) -> Result<Placed<Window>, StudyError> {
        let span: Span = item.quantity("a duration in quotes, such as \"10%\"")?;
        let (steps, of) = (self.clock.steps_of(span), self.clock.steps());
        let window = span.to_string();
        if steps == 0 {
            let step = self.clock.step();
            return Err(item.problem(Problem::WindowEmpty { window, step }));
        }
        if steps >= of {
            return Err(item.problem(Problem::WindowWhole { window, steps, of }));
        }
        Ok(Placed { value: Window { span, steps }, line: item.line() })
    }
}
