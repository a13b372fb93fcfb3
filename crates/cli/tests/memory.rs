//! The memory a plan predicts is the memory a run takes.

mod laboratory;

use std::fs;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use laboratory::Laboratory;

/// Bytes of a process's own memory: without mapped files, which the system drops when it must.
fn own_memory(process: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

/// The most memory a command has held, looked at every few milliseconds: what a run allocates it
/// keeps.
fn peak(laboratory: &Laboratory, arguments: &str) -> u64 {
    let mut command = laboratory.command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    let mut peak = 0;
    while child.try_wait().expect("it is ours").is_none() {
        peak = peak.max(own_memory(&child).unwrap_or(0));
        sleep(Duration::from_millis(3));
    }
    assert!(child.wait().expect("it is ours").success(), "{arguments}");
    peak
}

/// A model of 10 million parameters: some 100 MB, so that the program itself does not count.
fn laboratory() -> Laboratory {
    let laboratory = Laboratory::new();
    laboratory.edit("layers = 1\nwidth = 32", "layers = 4\nwidth = 448");
    laboratory.edit("20_480", "2_048");
    laboratory.edit(r#"["10%", "25%"]"#, r#"["25%", "50%"]"#);
    laboratory.succeed("prepare study.toml");
    laboratory
}

#[test]
fn a_run_takes_the_memory_that_its_plan_predicts() {
    if !cfg!(target_os = "linux") {
        eprintln!("SKIPPED: only Linux tells a process's own memory without its mapped files");
        return;
    }
    let laboratory = laboratory();
    for flags in ["--threads 2", "--threads 2 --recompute"] {
        let plan = laboratory.succeed(&format!("plan study.toml --json {flags}")).stdout;
        let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
        let predicted = plan["memory"]["run"].as_f64().expect("a number");
        let jobs = plan["jobs"].as_array().expect("jobs");
        // A trunk, a branch, which reads a checkpoint, and its score.
        for name in ["trunk-4", "upsampled-50pct-r0", "upsampled-50pct-r0-score"] {
            assert!(jobs.iter().any(|job| job["name"] == name), "no job {name} in {jobs:?}");
            let taken = peak(&laboratory, &format!("run study.toml --job {name} {flags}")) as f64;
            let ratio = taken / predicted;
            let least = if name.ends_with("score") { 0.0 } else { 0.95 };
            assert!((least..1.05).contains(&ratio), "{name}: {taken} of {predicted} bytes");
        }
        fs::remove_dir_all(laboratory.path("runs")).expect("runs");
    }
}
