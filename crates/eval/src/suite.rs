//! All tasks that can be asked for: those that ship with the program, and those of users' files.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Place, Problem, did_you_mean, nearest, read_to_string};

use crate::definition;
use crate::{EvalError, Task};

/// Tasks in categories, whose scores are averaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suite {
    /// Unique among suites and tasks.
    pub name: String,
    /// In the order of reports.
    pub categories: Vec<Category>,
}

/// Tasks that are averaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its name in reports.
    pub name: String,
    /// Names of tasks.
    pub tasks: Vec<String>,
}

/// Everything that can be asked for by name.
///
/// # Invariants
///
/// Names are unique, and every task of a suite is defined.
#[derive(Clone, Debug)]
pub struct Catalog {
    tasks: Vec<Task>,
    suites: Vec<Suite>,
    /// Who has a name.
    taken: BTreeMap<String, &'static str>,
}

/// What a user asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Every task once, in the order it was first asked for.
    pub tasks: Vec<Task>,
    /// The suites asked for.
    pub suites: Vec<Suite>,
}

const SHIPPED: [(&str, &str); 2] = [
    ("gauntlet_v0_3.toml", include_str!("suites/gauntlet_v0_3.toml")),
    ("more.toml", include_str!("suites/more.toml")),
];

impl Catalog {
    /// The Gauntlet v0.3 and the tasks beside it.
    pub fn shipped() -> Self {
        let mut catalog = Self { tasks: vec![], suites: vec![], taken: BTreeMap::new() };
        for (name, text) in SHIPPED {
            let by = ("task that comes with the program", "suite that comes with the program");
            catalog.add(Path::new(name), text, by).expect("what ships is tested");
        }
        catalog
    }

    /// Adds what a user's file declares.
    ///
    /// # Errors
    ///
    /// [`EvalError::Problem`] with the line, also where a name is taken: a task is never
    /// replaced by another of its name.
    pub fn read(&mut self, file: &Path) -> Result<(), EvalError> {
        let text = read_to_string(file)?;
        Ok(self.add(file, &text, ("task", "suite"))?)
    }

    /// Adds a file's text; `by`: what its tasks and suites are called where a name clashes.
    pub(crate) fn add(
        &mut self,
        file: &Path,
        text: &str,
        by: (&'static str, &'static str),
    ) -> Result<(), Problem> {
        let definitions = definition::read(file, text)?;
        let problem = |line, text: String| Place::line(file, line).problem(text);
        let tasks = definitions.tasks.iter().map(|(task, line)| (&task.name, *line, by.0));
        let suites = definitions.suite.iter().map(|(suite, line)| (&suite.name, *line, by.1));
        for (name, line, who) in tasks.chain(suites) {
            if let Some(&by) = self.taken.get(name) {
                let text = format!("the name `{name}` is taken by a {by}, expected another");
                let hint = format!("call yours `my-{name}`, say: scores are kept by name");
                return Err(problem(line, text).with_hint(hint));
            }
            self.taken.insert(name.clone(), who);
        }
        self.tasks.extend(definitions.tasks.into_iter().map(|(task, _)| task));
        let Some((suite, line)) = definitions.suite else { return Ok(()) };
        let mut listed = Vec::new();
        let name = &suite.name;
        for task in suite.categories.iter().flat_map(|category| &category.tasks) {
            if self.task(task).is_none() {
                let nearest = nearest(task, self.tasks.iter().map(|task| task.name.as_str()));
                let meant = did_you_mean(nearest.as_deref());
                let text = format!("suite `{name}` lists `{task}`, which is no task{meant}");
                return Err(problem(line, text).with_hint(match nearest {
                    Some(nearest) => format!("write `{nearest}` for `{task}`"),
                    None => format!("define `{task}` by a `[[tasks]]` table"),
                }));
            }
            if listed.contains(&task) {
                let text = format!(
                    "suite `{name}` lists `{task}` twice, expected every task in one category"
                );
                let hint = format!("take one `{task}` out of the suite");
                return Err(problem(line, text).with_hint(hint));
            }
            listed.push(task);
        }
        self.suites.push(suite);
        Ok(())
    }

    /// The task of this name.
    pub fn task(&self, name: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.name == name)
    }

    /// All tasks, shipped ones first.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// All suites, shipped ones first.
    pub fn suites(&self) -> &[Suite] {
        &self.suites
    }

    /// The tasks behind names of tasks and suites.
    ///
    /// # Errors
    ///
    /// [`EvalError::UnknownTask`] for a name nobody has.
    pub fn choose<S: AsRef<str>>(&self, names: &[S]) -> Result<Selection, EvalError> {
        let mut selection = Selection { tasks: vec![], suites: vec![] };
        for name in names {
            let name = name.as_ref();
            if let Some(suite) = self.suites.iter().find(|suite| suite.name == name) {
                for task in suite.categories.iter().flat_map(|category| &category.tasks) {
                    selection.add(self.task(task).expect("tasks of suites are defined"));
                }
                if !selection.suites.contains(suite) {
                    selection.suites.push(suite.clone());
                }
            } else if let Some(task) = self.task(name) {
                selection.add(task);
            } else {
                let nearest = nearest(name, self.taken.keys().map(String::as_str));
                return Err(EvalError::UnknownTask { name: name.to_owned(), nearest });
            }
        }
        Ok(selection)
    }
}

impl Selection {
    fn add(&mut self, task: &Task) {
        if !self.tasks.iter().any(|known| known.name == task.name) {
            self.tasks.push(task.clone());
        }
    }
}
