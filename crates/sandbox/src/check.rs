//! Checks whether a completion solves a problem of HumanEval.
//!
//! Two confined interpreters run. The worker runs the tested program. The judge knows the expected
//! answers and asks the questions. They exchange only lines of plain data, through this process. So
//! whatever a tested program does to its interpreter, it can only send answers, and the judge
//! compares these.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::SandboxError;
use crate::process::{Confined, code_or_signal, wait_for_any};
use crate::run::{SIGXCPU, STARTING};
use crate::sandbox::{Protection, Sandbox};

/// Limit for all answers of a program together, in bytes as sent.
const ANSWERS: usize = 16 << 20;
/// How much is kept of what the judge's test prints, in bytes.
const SAID: usize = 4 << 10;
/// Time for the judge itself, without waiting for answers.
const JUDGING: Duration = Duration::from_mins(1);

/// A problem of HumanEval: a row of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its name, `HumanEval/0`.
    pub task_id: String,
    /// The beginning of the program, up to the docstring of the function to complete.
    pub prompt: String,
    /// The name of that function.
    pub entry_point: String,
    /// A completion that solves it.
    pub canonical_solution: String,
    /// Defines `check(candidate)`, by rule [`Rule::Check`].
    #[serde(default)]
    pub test: String,
    /// A tuple of arguments for each case, as a Python expression, by rule [`Rule::Cases`].
    #[serde(default)]
    pub test_inputs: Vec<String>,
    /// The expected value for each case, as a Python expression or as text.
    #[serde(default)]
    pub test_outputs: Vec<String>,
}

/// How a completion is truncated and judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// LLM Foundry's: the function ends before the first line that begins with a letter, a digit,
    /// `#` or a backquote. The result of every case of `test_inputs` must equal its `test_outputs`;
    /// each case has its own process and 5 s.
    ///
    /// In the published file the canonical solutions of nine problems fail. In eight, a string such
    /// as `22` lacks its quotes and is read as a number. In `HumanEval/70` the arguments were saved
    /// after a solution had emptied them.
    ///
    /// Source: composer 0.20, `datasets/in_context_learning_evaluation.py` and `utils/eval_client`.
    Cases,
    /// [`Rule::Cases`] corrected: an answer may also equal the text of `test_outputs` itself.
    /// `HumanEval/70` still has no solution.
    CasesOrText,
    /// OpenAI's: the completion ends at the first of five stop sequences; `test` must pass in 3 s.
    ///
    /// Source: Chen et al. 2021, arXiv 2107.03374, section 3.1, and the human-eval repository.
    Check,
}

/// Whether a completion solves its problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum ProgramVerdict {
    /// All answers were correct.
    Passed,
    /// An answer was wrong or missing, an exception was raised, or the program is not valid.
    Failed {
        /// Index of the question it failed at, from 0; `None` if it failed before the first.
        case: Option<u64>,
        /// The reason, for people.
        reason: String,
    },
    /// An answer took too long.
    TimedOut,
    /// It exceeded the limit of CPU time.
    CpuExceeded,
    /// It ran out of memory.
    MemoryExceeded,
    /// It exceeded the limit of output or of answers.
    OutputExceeded,
    /// One of its processes was ended by a signal.
    Killed {
        /// The number of the signal.
        signal: i32,
    },
}

impl ProgramVerdict {
    /// Whether it solves the problem.
    pub fn is_passed(&self) -> bool {
        *self == Self::Passed
    }

    /// What kind of end it is, in a few words, for counts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed { reason, .. } if reason.starts_with("raised ") => "an exception",
            Self::Failed { reason, .. } if reason.starts_with("it ended ") => "no answer",
            Self::Failed { .. } => "a wrong answer",
            Self::TimedOut | Self::CpuExceeded => "out of time",
            Self::MemoryExceeded => "out of memory",
            Self::OutputExceeded => "too much output",
            Self::Killed { .. } => "a signal",
        }
    }
}

impl Rule {
    /// Its name in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::CasesOrText => "cases-or-text",
            Self::Check => "check",
        }
    }

    /// Limit of wall time: per answer by the rules of cases, for all answers by [`Rule::Check`].
    pub fn wall(self) -> Duration {
        match self {
            Self::Cases | Self::CasesOrText => Duration::from_secs(5),
            Self::Check => Duration::from_secs(3),
        }
    }

    /// The part of a completion that belongs to the function.
    pub fn cut(self, completion: &str) -> &str {
        let ends = |at: &usize| {
            let rest = &completion[at + 1..];
            match self {
                Self::Cases | Self::CasesOrText => {
                    rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '#' || c == '`')
                }
                Self::Check => {
                    ["class", "def", "#", "if", "print"].iter().any(|stop| rest.starts_with(stop))
                }
            }
        };
        let mut lines = completion.match_indices('\n').map(|(at, _)| at);
        lines.find(ends).map_or(completion, |end| &completion[..end])
    }
}

#[derive(Serialize)]
struct Task<'a> {
    rule: &'static str,
    entry_point: &'a str,
    prompt: &'a str,
    test: &'a str,
    inputs: &'a [String],
    outputs: &'a [String],
}

#[derive(Serialize)]
struct Tested<'a> {
    source: String,
    entry_point: &'a str,
    /// Whether every question runs in a new process, and finds nothing of those before.
    fresh: bool,
    /// Whether no other processes but its own are in reach of the worker.
    alone: bool,
    /// The folder whose content is removed after a question.
    scratch: PathBuf,
}

/// The final message of the judge.
#[derive(Deserialize)]
struct Said {
    kind: String,
    #[serde(default)]
    why: String,
    case: Option<i64>,
}

/// Judges one completion. Returns `None` if `stop` is set before the end.
///
/// # Errors
///
/// [`SandboxError::BadProblem`] if the problem cannot be judged by `rule`; other errors if the
/// machine fails. A program cannot cause an error.
pub fn check_program(
    sandbox: &Sandbox,
    problem: &Problem,
    completion: &str,
    rule: Rule,
    stop: &AtomicBool,
) -> Result<Option<ProgramVerdict>, SandboxError> {
    let bad = |reason: String| SandboxError::BadProblem {
        task_id: problem.task_id.clone(),
        rule: rule.name(),
        reason,
    };
    let (inputs, outputs) = (&problem.test_inputs, &problem.test_outputs);
    if rule != Rule::Check && (inputs.is_empty() || inputs.len() != outputs.len()) {
        let (inputs, outputs) = (inputs.len(), outputs.len());
        return Err(bad(format!(
            "it has {inputs} test inputs and {outputs} test outputs, expected as many of both"
        )));
    }
    if rule == Rule::Check && problem.test.is_empty() {
        return Err(bad("it has no test".to_owned()));
    }
    let entry_point = problem.entry_point.as_str();
    let source = format!("{}{}", problem.prompt, rule.cut(completion));
    let alone = sandbox.protection() == Protection::Full;
    let (prompt, test) = (problem.prompt.as_str(), problem.test.as_str());
    let task = Task { rule: rule.name(), entry_point, prompt, test, inputs, outputs };

    let plain = include_str!("python/plain.py");
    let mut judge = sandbox.start(&format!("{plain}\n{}", include_str!("python/judge.py")))?;
    let mut worker = sandbox.start(&format!("{plain}\n{}", include_str!("python/worker.py")))?;
    judge.send(&line(&task));
    let (fresh, scratch) = (rule != Rule::Check, worker.scratch());
    worker.send(&line(&Tested { source, entry_point, fresh, alone, scratch }));
    match Exchange::new(sandbox, rule, inputs.len()).relay(&mut judge, &mut worker, stop)? {
        Conclusion::Stopped => Ok(None),
        Conclusion::Verdict(verdict) => Ok(Some(verdict)),
        Conclusion::Broken(reason) => Err(bad(reason)),
    }
}

fn line(message: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("text is JSON");
    line.push(b'\n');
    line
}

enum Conclusion {
    Verdict(ProgramVerdict),
    /// The problem's own code fails.
    Broken(String),
    Stopped,
}

/// The exchange of questions and answers, with its time limits.
struct Exchange<'a> {
    sandbox: &'a Sandbox,
    rule: Rule,
    started: Instant,
    /// The end of the whole exchange: time for all questions and for the judge.
    last: Instant,
    asked: Option<Instant>,
    waited: Duration,
    answered: usize,
}

impl<'a> Exchange<'a> {
    fn new(sandbox: &'a Sandbox, rule: Rule, cases: usize) -> Self {
        let questions = u32::try_from(cases.max(1)).unwrap_or(u32::MAX);
        let started = Instant::now();
        let last = started + 2 * STARTING + JUDGING + rule.wall().saturating_mul(questions);
        Self { sandbox, rule, started, last, asked: None, waited: Duration::ZERO, answered: 0 }
    }

    /// Relays questions and answers until there is a verdict.
    fn relay(
        mut self,
        judge: &mut Confined,
        worker: &mut Confined,
        stop: &AtomicBool,
    ) -> Result<Conclusion, SandboxError> {
        loop {
            judge.pump()?;
            worker.pump()?;
            judge.keep_errors(SAID);
            while let Some(line) = judge.take_line() {
                if line.starts_with(b"!") {
                    return self.concluded(&line[1..]);
                }
                self.asked = Some(Instant::now());
                worker.send(&line[1..]);
            }
            if let Some(verdict) = self.pass_answers(judge, worker) {
                return Ok(Conclusion::Verdict(verdict));
            }
            if judge.ended().is_some() {
                let said = String::from_utf8_lossy(&judge.errors);
                return self.bad_judge(&format!("it ended without a verdict: {}", said.trim()));
            }
            if judge.output.len() > ANSWERS {
                return self.bad_judge("its test prints without end");
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(Conclusion::Stopped);
            }
            let ready = judge.layers.is_some() && worker.layers.is_some();
            if !ready && self.started.elapsed() > STARTING {
                return Err(self.sandbox.never_started());
            }
            let now = Instant::now();
            let waiting = self.asked.filter(|_| worker.layers.is_some());
            let deadline = waiting.map_or(self.last, |asked| {
                (asked + self.rule.wall().saturating_sub(self.waited)).min(self.last)
            });
            if now >= deadline {
                return Ok(Conclusion::Verdict(ProgramVerdict::TimedOut));
            }
            wait_for_any(&[judge, worker], deadline)?;
        }
    }

    /// Relays answers to the judge. Returns a verdict if the program has ended or sent too much.
    fn pass_answers(
        &mut self,
        judge: &mut Confined,
        worker: &mut Confined,
    ) -> Option<ProgramVerdict> {
        let printed = u64::try_from(worker.errors.len()).unwrap_or(u64::MAX);
        let unsent = worker.output.len();
        if printed > self.sandbox.limits().output || self.answered + unsent > ANSWERS {
            return Some(ProgramVerdict::OutputExceeded);
        }
        while let Some(line) = worker.take_line() {
            if self.rule == Rule::Check {
                self.waited += self.asked.map_or(Duration::ZERO, |asked| asked.elapsed());
            }
            self.asked = None;
            self.answered += line.len();
            judge.send(&line);
        }
        self.asked?;
        worker.ended().map(|status| match code_or_signal(status) {
            Err(signal) => by_signal(signal),
            Ok(code) => {
                let said = String::from_utf8_lossy(&worker.errors);
                let last = said.trim_end().lines().next_back().unwrap_or_default();
                let last: String = last.chars().take(200).collect();
                let reason = format!("it ended with code {code} without an answer {last}");
                ProgramVerdict::Failed { case: None, reason: reason.trim_end().to_owned() }
            }
        })
    }

    fn concluded(&self, said: &[u8]) -> Result<Conclusion, SandboxError> {
        let Ok(said) = serde_json::from_slice::<Said>(said) else {
            return self.bad_judge("it sent something else than a verdict");
        };
        let failed = |reason: String| {
            let case = said.case.and_then(|case| u64::try_from(case).ok());
            Conclusion::Verdict(ProgramVerdict::Failed { case, reason })
        };
        Ok(match said.kind.as_str() {
            "passed" => Conclusion::Verdict(ProgramVerdict::Passed),
            "broken" if self.answered == 0 => Conclusion::Broken(said.why),
            "raised" if said.why.starts_with("MemoryError") => {
                Conclusion::Verdict(ProgramVerdict::MemoryExceeded)
            }
            "gone" => match said.why.parse() {
                Ok(signal @ 1..=64) => Conclusion::Verdict(by_signal(signal)),
                _ => failed("it ended instead of answering".to_owned()),
            },
            "wrong" => failed(said.why),
            "raised" => failed(format!("raised {}", said.why)),
            "no-data" if !said.why.is_empty() => {
                failed(format!("returned a `{}`, expected plain data", said.why))
            }
            _ => failed("answered with no data".to_owned()),
        })
    }

    /// The judge gave no verdict. After an answer, however odd, that is the program's own doing: a
    /// large one can end the judge. Before the first, no program is to blame.
    fn bad_judge(&self, found: &str) -> Result<Conclusion, SandboxError> {
        if self.answered > 0 {
            let reason = "its answer was too much for the judge".to_owned();
            return Ok(Conclusion::Verdict(ProgramVerdict::Failed { case: None, reason }));
        }
        let found = format!("the judge: {found}");
        Err(SandboxError::BadLauncher { launcher: self.sandbox.launcher().to_owned(), found })
    }
}

fn by_signal(signal: i32) -> ProgramVerdict {
    if signal == SIGXCPU { ProgramVerdict::CpuExceeded } else { ProgramVerdict::Killed { signal } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_ends_where_its_rule_says() {
        let text = "    x = 1\n\n    return x\n\n@cached\n`\nif y:\nother()";
        assert_eq!(Rule::Cases.cut(text), "    x = 1\n\n    return x\n\n@cached");
        assert_eq!(Rule::Check.cut(text), "    x = 1\n\n    return x\n\n@cached\n`");
        assert_eq!(Rule::Check.cut("    a\nother()\nprint"), "    a\nother()");
        assert_eq!(Rule::Cases.cut("    a\nother()\nprint"), "    a");
        assert_eq!(Rule::Cases.cut("    a\nähnlich"), "    a\nähnlich");
        assert_eq!(Rule::Cases.cut("x\n"), "x\n");
    }
}
