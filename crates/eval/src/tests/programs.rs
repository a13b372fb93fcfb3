//! Programs that a model wrote, from the session to the results.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use sparkjoy_base::Seed;
use sparkjoy_sandbox::{Interpreter, Limits, Protection, Sandbox, SandboxError};

use super::session::{CONTEXT, engine, model, tokenizer};
use super::{rows, task};
use crate::{EvalError, ItemResult, Session, TokenizedModel, answer, items};

/// Starts the interpreter as the launcher does, and confines nothing: no program here does harm.
const LAUNCHER: &str = "#!/usr/bin/env python3
import json, os, sys
order = json.loads(sys.argv[2])
sys.stderr.write('sandbox-ready []\\n')
sys.stderr.flush()
os.chdir(os.path.dirname(sys.argv[0]))
os.execv(order['program'], [order['program'], *order['arguments']])
";

fn sandbox(folder: &Path) -> Option<Sandbox> {
    let interpreter = match Interpreter::find("python3") {
        Err(SandboxError::NoInterpreter { .. }) => return None,
        found => found.unwrap(),
    };
    let launcher = folder.join("launcher");
    std::fs::write(&launcher, LAUNCHER).unwrap();
    std::fs::set_permissions(&launcher, std::fs::Permissions::from_mode(0o755)).unwrap();
    loop {
        let (python, limits) = (interpreter.clone(), Limits::default());
        match Sandbox::new(python, &launcher, Protection::None, limits) {
            // A process that another test is starting still holds the file open.
            Err(SandboxError::NoLauncher { source, .. })
                if source.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
            made => return Some(made.unwrap()),
        }
    }
}

/// A row whose prompt opens a text that no model closes: no program is valid.
fn row(input: &str) -> String {
    format!(
        "{{\"task_id\": \"t\", \"prompt\": \"def f(n):\\n    '''\", \"entry_point\": \"f\", \
         \"canonical_solution\": \"    pass\", \"test_inputs\": [\"{input}\"], \"test_outputs\": [\"2\"]}}\n"
    )
}

#[test]
fn verdicts_are_kept_with_their_reasons_whatever_becomes_of_other_items() {
    let folder = tempfile::tempdir().unwrap();
    let Some(sandbox) = sandbox(folder.path()) else { return };
    let task = task(
        "name = \"t\"\ntype = \"code\"\nfiles = \"t.jsonl\"\nshots = 0\nbaseline = 0\nsamples = 1\n\
         pass_at = [1]\ntemperature = 0\ntop_p = 1.0",
    );
    let rows = rows(&task, &[row("(1,)"), row("(1,)"), row("(1,")].concat()).unwrap();
    let tokenizer = tokenizer();
    let items = items(&task, &rows, &tokenizer, CONTEXT, None).unwrap();
    let engine = engine(&tokenizer);
    let mut model = model(&engine, 1);
    let stop = AtomicBool::new(false);
    let session = Session {
        task: &task,
        rows: &rows,
        items: &items,
        seed: Seed(1),
        sandbox: Some(&sandbox),
        threads: 1,
        stop: &stop,
    };
    let mut tokenized = TokenizedModel { model: &mut model, tokenizer: &tokenizer };
    let mut kept: Vec<ItemResult> = Vec::new();
    let error = answer::<EvalError>(&mut tokenized, &session, &[0, 1, 2], |results| {
        kept.extend(results);
        Ok(())
    });
    // The third problem can never be judged: that is an error of its file.
    let said = error.unwrap_err().to_string();
    assert!(said.contains("test input 0 is no expression"), "{said}");
    assert_eq!(kept.iter().map(|result| result.index).collect::<Vec<_>>(), [0, 1]);
    for result in &kept {
        let line = serde_json::to_string(result).unwrap();
        assert_eq!(&serde_json::from_str::<ItemResult>(&line).unwrap(), result);
        assert!(line.contains("raised SyntaxError: "), "{line}");
        assert_eq!(result.samples[0].failure.as_ref().unwrap().kind(), "an exception");
    }
    // The program was started in this folder. Only its scratch folder is emptied between cases.
    assert!(folder.path().join("launcher").is_file());
}
