//! Completions and man pages, tried where there is something to try them with.

mod laboratory;

use std::io::Write;
use std::process::{Command, Stdio};

use laboratory::Laboratory;

/// Whether a program can be started.
fn there(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn bash_completes_commands_flags_and_shells() {
    if !there("bash", "--version") {
        return eprintln!("SKIPPED: no `bash` on this machine");
    }
    let laboratory = Laboratory::new();
    laboratory.write("sparkjoy.bash", &laboratory.succeed("completions bash").stdout);
    let complete = |words: &str| {
        let script = format!(
            "source sparkjoy.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _sparkjoy sparkjoy \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let mut shell = Command::new("bash");
        shell.args(["--norc", "-c", &script]).current_dir(laboratory.path(""));
        laboratory.ended(&mut shell).stdout
    };
    assert_eq!(complete("sparkjoy pl"), "plan\n");
    assert_eq!(complete("sparkjoy completions f"), "fish\n");
    assert!(complete("sparkjoy run --").contains("--eval-data\n"));
}

#[test]
fn every_shell_there_is_gets_a_script() {
    let laboratory = Laboratory::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = laboratory.succeed(&format!("completions {shell}")).stdout;
        assert!(script.contains("sparkjoy") && script.contains("doctor"), "{shell}: {script}");
    }
    assert_eq!(laboratory.run("completions tcsh").code, Some(2));
}

#[test]
fn man_pages_render_without_a_warning() {
    let laboratory = Laboratory::new();
    let page = laboratory.succeed("man").stdout;
    assert!(page.contains("sparkjoy\\-plan(1)") && page.contains(".SH OPTIONS"), "{page}");
    assert!(page.contains("Folder of prepared sources"), "{page}");
    let written = laboratory.succeed("man --dir pages").stdout;
    assert!(written.contains("wrote pages/sparkjoy-plan.1"), "{written}");
    if !there("groff", "--version") {
        return eprintln!("SKIPPED: no `groff` on this machine");
    }
    for name in ["sparkjoy.1", "sparkjoy-new.1", "sparkjoy-run.1", "sparkjoy-completions.1"] {
        let text = std::fs::read(laboratory.path("pages").join(name)).unwrap();
        let mut groff = Command::new("groff");
        groff.args(["-man", "-Kutf8", "-Tutf8", "-ww", "-P-c"]);
        groff.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut groff = groff.spawn().unwrap();
        groff.stdin.take().unwrap().write_all(&text).unwrap();
        let ended = groff.wait_with_output().unwrap();
        let (shown, said) = (ended.stdout, String::from_utf8_lossy(&ended.stderr).into_owned());
        assert!(ended.status.success() && said.is_empty(), "{name}: {said}");
        assert!(String::from_utf8_lossy(&shown).contains("Print help"), "{name}");
    }
}
