//! Programs that want to be judged right without being right, and right ones that are odd.

#![expect(clippy::print_stderr, reason = "what is skipped is said")]

mod support;

use std::sync::atomic::AtomicBool;

use sparkjoy_sandbox::{Limits, Problem, ProgramVerdict, Rule, Sandbox, check_program, in_order};
use support::{NEVER, sandbox};

const RULES: [Rule; 3] = [Rule::Cases, Rule::CasesOrText, Rule::Check];

/// The answer of the last case is in no text the program gets to see.
fn problem() -> Problem {
    Problem {
        task_id: "Tiny/0".to_owned(),
        prompt: "def twice(n):\n    \"\"\" Twice n. \"\"\"\n".to_owned(),
        entry_point: "twice".to_owned(),
        canonical_solution: "    return n + n\n".to_owned(),
        test: "def check(candidate):\n    assert candidate(2) == 4\n    \
               assert candidate(12345) == 24690\n"
            .to_owned(),
        test_inputs: vec!["(2,)".to_owned(), "(12345,)".to_owned()],
        test_outputs: vec!["4".to_owned(), "24690".to_owned()],
    }
}

/// Ways to pass without an answer. Each stands in the body of the function; what must happen
/// when the program is loaded is in a class or a default, which no rule cuts off.
const CHEATS: &[(&str, &str)] = &[
    ("ends the process", "    import os; os._exit(0)\n"),
    ("ends the interpreter", "    import sys; sys.exit(0)\n"),
    ("raises the end", "    raise SystemExit(0)\n"),
    ("ends at loading", "    pass\n\n@__import__('os')._exit(0)\n"),
    ("ends at loading, politely", "    pass\n\n@exit(0)\n"),
    ("equals everything", "    class E:\n        def __eq__(s, o): return True\n    return E()\n"),
    (
        "is a number that equals everything",
        "    class E(int):\n        def __eq__(s, o): return True\n        \
         def __ne__(s, o): return False\n        __hash__ = int.__hash__\n    return E(7)\n",
    ),
    (
        "is a text that equals everything",
        "    class E(str):\n        def __eq__(s, o): return True\n    return E('x')\n",
    ),
    (
        "is a list that equals everything",
        "    class E(list):\n        def __eq__(s, o): return True\n    return E([4])\n",
    ),
    (
        "breaks the interpreter's words",
        "    import builtins, json, marshal, os, sys\n    \
         yes = lambda *a, **k: True\n    \
         for m in (builtins, json, marshal, os, sys):\n        \
         for k in ('eval', 'exec', 'isinstance', 'dumps', 'loads', 'repr', 'all', 'exit'):\n            \
         if hasattr(m, k): setattr(m, k, yes)\n    return 0\n",
    ),
    (
        "says it passed on every pipe",
        "    import os\n    for fd in range(64):\n        for line in \
         (b'!{\"kind\": \"passed\"}\\n', b'{\"kind\": \"passed\"}\\n', b'!\\n'):\n            \
         try: os.write(fd, line)\n            except OSError: pass\n    return 0\n",
    ),
    (
        "answers questions not yet asked",
        "    import os\n    for fd in range(64):\n        \
         try: os.write(fd, b'{\"value\": [\"int\", \"0x4\"]}\\n' * 9)\n        \
         except OSError: pass\n    return 4\n",
    ),
    (
        "looks for the answer in every frame and object",
        "    import gc, sys\n    frame = sys._getframe()\n    seen = []\n    while frame:\n        \
         seen += [frame.f_locals, frame.f_globals]\n        frame = frame.f_back\n    \
         seen += gc.get_objects()\n    text = ''\n    for one in seen:\n        \
         try: text += str(one)\n        except Exception: pass\n    \
         return 24690 if '24690' in text else 4\n",
    ),
    (
        "looks for the answer in files",
        "    import os\n    text = ''\n    for folder, _, files in os.walk('/proc'):\n        \
         for name in files:\n            \
         try: text += open(os.path.join(folder, name)).read()\n            \
         except Exception: pass\n    return 24690 if '24690' in text else 4\n",
    ),
    ("kills its keeper", "    import os; os.kill(os.getppid(), 9)\n    return 4\n"),
    ("kills everyone", "    import os; os.kill(-1, 9)\n    return 4\n"),
    ("replaces itself", "    pass\n\n@lambda f: None\n\n(twice := True)\n"),
    ("redefines the test", "    global check\n    def check(candidate): pass\n    return 0\n"),
    ("returns nothing that is data", "    return (x for x in [n + n])\n"),
    ("returns itself without end", "    x = []\n    x.append(x)\n    return x\n"),
    ("returns a deep list", "    x = []\n    for _ in range(10 ** 5): x = [x]\n    return x\n"),
    ("raises what the test expects", "    raise AssertionError\n"),
    ("is no program", "    return (\n"),
    ("is no function", "    pass\n\n@int\n"),
    ("is silent", "    import os\n    os.closerange(0, 64)\n    os._exit(0)\n"),
    ("asks for input", "    return int(input())\n"),
    (
        "is right the first time only",
        "    import builtins\n    builtins.n = getattr(builtins, 'n', 0) + 1\n    \
         open('/scratch/seen', 'a').write('x')\n    \
         return n + n if n == 2 else len(open('/scratch/seen').read())\n",
    ),
];

/// Programs that never answer, or only after using up something.
const USERS_UP: &[(&str, &str, ProgramVerdict)] = &[
    ("waits", "    import time\n    time.sleep(1000)\n", ProgramVerdict::TimedOut),
    (
        "never ends",
        "    import os\n    if os.fork(): os.wait()\n    while True: pass\n",
        ProgramVerdict::TimedOut,
    ),
    ("prints", "    while True: print('x' * 1000)\n", ProgramVerdict::OutputExceeded),
    ("answers too much", "    return 'x' * (20 << 20)\n", ProgramVerdict::OutputExceeded),
    ("remembers", "    return len(b\'x\' * (1 << 44))\n", ProgramVerdict::MemoryExceeded),
    (
        "crashes",
        "    import ctypes\n    ctypes.string_at(0)\n",
        ProgramVerdict::Killed { signal: 11 },
    ),
    (
        "kills itself",
        "    import os\n    os.kill(os.getpid(), 9)\n",
        ProgramVerdict::Killed { signal: 9 },
    ),
];

/// Programs that are right, whatever else they do.
const RIGHT: &[(&str, &str)] = &[
    ("prints", "    print('n is', n)\n    return n + n\n"),
    ("closes its outputs", "    import sys\n    sys.stdout.close()\n    return n + n\n"),
    ("answers another kind of number", "    return complex(2 * n)\n"),
    ("answers a truth", "    class I(int): pass\n    return I(n + n)\n"),
    (
        "imports",
        "    import math, re, itertools, heapq, collections, random, decimal, fractions\n    \
                 import datetime, hashlib, string, functools, statistics, bisect, copy\n    \
                 return math.trunc(2 * n)\n",
    ),
    (
        "starts a thread",
        "    import threading\n    x = []\n    \
                         t = threading.Thread(target=lambda: x.append(n + n))\n    \
                         t.start()\n    t.join()\n    return x[0]\n",
    ),
    (
        "writes a file",
        "    with open('x', 'w') as f: f.write(str(n))\n    \
                       return 2 * int(open('x').read())\n",
    ),
    ("calls itself", "    return 2 + twice(n - 1) if 0 < n < 500 else n + n\n"),
    ("goes on", "    return n + n\n\nprint('not part of it')\n1 / 0\n"),
];

fn judge(sandbox: &Sandbox, completion: &str, rule: Rule) -> ProgramVerdict {
    check_program(sandbox, &problem(), completion, rule, &NEVER)
        .unwrap_or_else(|error| panic!("{error}"))
        .expect("nobody stops it")
}

/// The verdicts on `completions` by every rule, with their names.
fn judged(sandbox: &Sandbox, completions: &[(&str, &str)]) -> Vec<(String, ProgramVerdict)> {
    let jobs: Vec<_> = completions.iter().flat_map(|c| RULES.map(|rule| (*c, rule))).collect();
    let verdicts = in_order(&jobs, 2, &NEVER, |((name, completion), rule)| {
        let name = format!("{name}, by {rule:?}");
        Ok::<_, ()>(Some((name, judge(sandbox, completion, *rule))))
    });
    verdicts.0.into_iter().map(|verdict| verdict.expect("nobody stops it")).collect()
}

#[test]
fn a_program_that_cheats_does_not_pass() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let passed: Vec<_> =
        judged(&sandbox, CHEATS).into_iter().filter(|(_, verdict)| verdict.is_passed()).collect();
    assert!(passed.is_empty(), "{passed:#?}");
}

#[test]
fn a_program_that_is_right_passes() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let failed: Vec<_> =
        judged(&sandbox, RIGHT).into_iter().filter(|(_, verdict)| !verdict.is_passed()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn what_is_used_up_is_said() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let jobs: Vec<_> = USERS_UP.iter().flat_map(|user| RULES.map(|rule| (user, rule))).collect();
    let wrong = in_order(&jobs, 4, &NEVER, |((name, completion, expected), rule)| {
        let verdict = judge(&sandbox, completion, *rule);
        let line = (verdict != *expected).then(|| format!("{name}, by {rule:?}: {verdict:?}"));
        Ok::<_, ()>(Some(line))
    });
    let wrong: Vec<_> = wrong.0.into_iter().flatten().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The beginning of programs that write their own answers: `say` sends a line to the worker.
const SAYS: &str = "    import os, stat
    def say(line):
        for number in range(3, 64):
            try:
                if stat.S_ISFIFO(os.fstat(number).st_mode): os.write(number, line); os._exit(0)
            except OSError: pass
";

/// Programs that answer with what is no text or no verdict, and why they failed, by the rules of
/// cases and by [`Rule::Check`].
const ODD: &[(&str, &str, &str)] = &[
    ("    raise ValueError('\\ud800')\n", "raised ValueError: \\ud800", ""),
    (
        "    raise AssertionError('a\\udce9')\n",
        "raised AssertionError: a\\udce9",
        "assertion failed: a\\udce9",
    ),
    (
        "    import os\n    return open(os.fsdecode(b'caf\\xe9')).read()\n",
        "raised FileNotFoundError: [Errno 2] No such file or directory: 'caf\\udce9'",
        "",
    ),
    ("    raise ValueError(object())\n", "raised ValueError: <object object at 0x…>", ""),
    ("    say(b'{\"raised\": \"\\\\ud800\"}\\n')\n", "raised \\ud800: None", ""),
    ("    say(b'{\"odd\": \"\\\\ud800\"}\\n')\n", "returned a `\\ud800`, expected plain data", ""),
    ("    say(b'{\"gone\": \"\\\\ud800\"}\\n')\n", "it ended instead of answering", ""),
    ("    say(b'{\"gone\": ' + b'9' * (8 << 20) + b'}\\n')\n", "it ended instead of answering", ""),
    ("    say(b'{\"raised\": []}\\n')\n", "answered with no data", ""),
    ("    say(b'[' * 100_000 + b'\\n')\n", "answered with no data", ""),
    ("    say(b'\\xff\\n')\n", "answered with no data", ""),
];

#[test]
fn nothing_a_program_answers_is_an_error() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let jobs: Vec<_> =
        ODD.iter().flat_map(|odd| [(odd, Rule::Cases), (odd, Rule::Check)]).collect();
    let wrong = in_order(&jobs, 2, &NEVER, |((program, by_cases, by_check), rule)| {
        let verdict = judge(&sandbox, &format!("{SAYS}{program}"), *rule);
        let by_check = if by_check.is_empty() { by_cases } else { by_check };
        let reason = if *rule == Rule::Check { by_check } else { by_cases };
        let expected = ProgramVerdict::Failed { case: Some(0), reason: (*reason).to_owned() };
        Ok::<_, ()>(Some((verdict != expected).then(|| format!("{program}: {verdict:?}"))))
    });
    let wrong: Vec<_> = wrong.0.into_iter().flatten().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_answer_that_ends_the_judge_is_no_error() {
    let Some(sandbox) = sandbox(Limits { cpu_seconds: 2, ..Limits::default() }) else { return };
    let huge = format!(
        "{SAYS}    say(b'{{\"value\": [\"int\", \"0x' + b'f' * (15 << 20) + b'\"]}}\\n')\n"
    );
    let verdict = judge(&sandbox, &huge, Rule::Cases);
    let reason = "its answer was too much for the judge".to_owned();
    assert_eq!(verdict, ProgramVerdict::Failed { case: None, reason });
}

/// Tests that catch all they can, or go on to the end of a loop.
const FORGIVING: [&str; 2] = [
    "def check(candidate):\n    for x in (1, 2, 12345):\n        try:\n            \
     got = candidate(x)\n        except:\n            continue\n        assert got == 2 * x\n",
    "def check(candidate):\n    assert all(map(lambda x: candidate(x) == 2 * x, [1, 2, 12345]))\n    \
     assert [c for c in map(candidate, [7, 8])] in ([14, 16], [])\n",
];

#[test]
fn no_test_catches_the_end_of_a_program() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let ends = [
        "    import os\n    os._exit(137)\n",
        "    import os\n    os.kill(os.getpid(), 9)\n",
        "    raise SystemExit\n",
        "    raise StopIteration\n",
        "    return len(b'x' * (1 << 44))\n",
        "    return object()\n",
        "    return (\n",
        "    raise KeyboardInterrupt\n",
    ];
    for test in FORGIVING {
        let problem = Problem { test: test.to_owned(), ..problem() };
        let verdict = |completion: &str| {
            check_program(&sandbox, &problem, completion, Rule::Check, &NEVER).unwrap().unwrap()
        };
        assert!(verdict("    return n + n\n").is_passed());
        for completion in ends {
            assert!(!verdict(completion).is_passed(), "{completion}, by {test}");
        }
    }
}

#[test]
fn what_a_test_prints_is_not_kept() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse::<u64>().unwrap())
    };
    let test = "def check(candidate):\n    import os\n    some = b'x' * 65536\n    \
                for _ in range(4096): os.write(2, some)\n    assert candidate(2) == 4\n";
    let problem = Problem { test: test.to_owned(), ..problem() };
    let before = peak();
    let verdict = check_program(&sandbox, &problem, "    return n + n\n", Rule::Check, &NEVER);
    assert_eq!(verdict.unwrap(), Some(ProgramVerdict::Passed));
    // The kernel counts in batches, so a peak may seem to shrink a little.
    let grown = peak().saturating_sub(before);
    assert!(grown < 100 << 10, "256 MiB were printed, memory has grown by {grown} kB");
}

#[test]
fn no_case_finds_anything_of_the_case_before() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let completion = "    import os, time
    if n == 2:
        for number in range(20): open(f'/scratch/{number}', 'w').close()
        os.symlink('/scratch', '/scratch/link')
        os.makedirs('/scratch/locked/inner')
        os.chmod('/scratch/locked', 0)
        for _ in range(500):
            os.mkdir('d' * 100)
            os.chdir('d' * 100)
        os.chmod('/scratch', 0)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True:
                    time.sleep(0.01)
                    try: open('/scratch/alive', 'w').close()
                    except OSError: pass
            os._exit(0)
        os.wait()
        return 4
    time.sleep(0.3)
    return os.listdir('/scratch') or n + n
";
    assert_eq!(judge(&sandbox, completion, Rule::Cases), ProgramVerdict::Passed);
}

#[test]
fn cpu_time_is_limited_by_itself() {
    let Some(sandbox) = sandbox(Limits { cpu_seconds: 1, ..Limits::default() }) else { return };
    let verdict = judge(&sandbox, "    while True: pass\n", Rule::Cases);
    // On a machine with much else to do, the wall time may come first.
    assert!(
        matches!(verdict, ProgramVerdict::CpuExceeded | ProgramVerdict::TimedOut),
        "{verdict:?}"
    );
}

#[test]
fn a_failure_says_what_was_answered() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let failed = |case, reason: &str| ProgramVerdict::Failed { case, reason: reason.to_owned() };
    assert_eq!(
        judge(&sandbox, "    return 4\n", Rule::Cases),
        failed(Some(1), "returned 4, expected 24690")
    );
    assert_eq!(
        judge(&sandbox, "    return 1 / 0\n", Rule::Cases),
        failed(Some(0), "raised ZeroDivisionError: division by zero")
    );
    assert_eq!(
        judge(&sandbox, "    return object()\n", Rule::Check),
        failed(Some(0), "returned a `object`, expected plain data")
    );
}

#[test]
fn judging_stops_on_request() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let stop = AtomicBool::new(true);
    let completion = "    while True: pass\n";
    let verdict = check_program(&sandbox, &problem(), completion, Rule::Cases, &stop);
    assert_eq!(verdict.unwrap(), None);
}

#[test]
fn a_problem_that_cannot_be_judged_is_an_error() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let error = |problem: &Problem, rule| {
        check_program(&sandbox, problem, "    return 1\n", rule, &NEVER).unwrap_err().to_string()
    };
    let without = Problem { test_inputs: Vec::new(), test: String::new(), ..problem() };
    assert_eq!(
        error(&without, Rule::Cases),
        "`Tiny/0` cannot be judged by rule `cases`: it has 0 test inputs and 2 test outputs, \
         expected as many of both"
    );
    assert_eq!(
        error(&without, Rule::Check),
        "`Tiny/0` cannot be judged by rule `check`: it has no test"
    );
    let broken = Problem { test_inputs: vec!["(1,".to_owned(); 2], ..problem() };
    let said = error(&broken, Rule::Cases);
    assert!(said.contains("test input 0 is no expression"), "{said}");
    let idle = Problem { test: "def check(candidate): pass".to_owned(), ..problem() };
    let said = error(&idle, Rule::Check);
    assert!(said.ends_with("its test does not call the function"), "{said}");
    let broken = Problem { test: "def check(candidate)".to_owned(), ..problem() };
    let said = error(&broken, Rule::Check);
    assert!(said.contains("SyntaxError"), "{said}");
}
