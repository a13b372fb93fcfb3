//! Stretches of the run and places in it.

use sparkjoy_base::toml_file::{Item, Placed, TomlTable};
use sparkjoy_base::{Problem, Span, thousands};

use super::{Known, Window};

/// What to write for a window that leaves no trunk.
const SHORTER: &str = "write a shorter window, such as \"30%\": a branch starts from a trunk that is trained before it";

impl Known<'_> {
    /// The length under `window`.
    pub(super) fn window(&self, table: &mut TomlTable<'_>) -> Result<Placed<Window>, Problem> {
        self.length(&table.required("window", "the length of the phase, such as \"10%\"")?)
    }

    /// One or more lengths under `key`, no two of them the same number of steps.
    pub(super) fn windows(
        &self,
        table: &mut TomlTable<'_>,
        key: &'static str,
        expected: &'static str,
    ) -> Result<Vec<Placed<Window>>, Problem> {
        let items = table.required(key, expected)?;
        let (file, line) = (items.source(), items.line());
        let mut windows: Vec<Placed<Window>> = Vec::new();
        for item in items.one_or_more(expected)? {
            let window = self.length(&item)?;
            let twin = windows.iter().find(|other| other.value.steps == window.value.steps);
            if let Some(twin) = twin {
                return Err(item.problem(format!(
                    "windows `{}` and `{}` are both {} steps, expected different ones",
                    twin.value.span,
                    window.value.span,
                    thousands(window.value.steps)
                )));
            }
            windows.push(window);
        }
        if windows.is_empty() {
            return Err(file.out_of_range(line, &format!("questions.{key}"), "empty", expected));
        }
        Ok(windows)
    }

    fn length(&self, item: &Item<'_>) -> Result<Placed<Window>, Problem> {
        let span: Span = item.quantity("a duration in quotes, such as \"10%\"")?;
        let (steps, of) = (self.clock.steps_of(span), self.clock.steps());
        if steps == 0 {
            let text = format!(
                "window `{span}` is less than half a step of {} tokens, expected at least one",
                self.clock.step()
            );
            return Err(Problem { hint: span.meant_share(), ..item.problem(text) });
        }
        if steps >= of {
            let problem = item.problem(self.whole_run(&span.to_string(), steps));
            return Err(problem.with_hint(SHORTER));
        }
        Ok(Placed { value: Window { span, steps }, line: item.line() })
    }

    /// What is wrong with a window that leaves no trunk. `window`: as written.
    pub(super) fn whole_run(&self, window: &str, steps: u64) -> String {
        let (steps, of) = (thousands(steps), thousands(self.clock.steps()));
        format!("window `{window}` is {steps} of the run's {of} steps, expected fewer than all")
    }
}
