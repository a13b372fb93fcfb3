//! The README's commands do what it says: each is one the program takes, and the two that set
//! everything up are the ones that are run.

mod laboratory;

use std::fs;
use std::path::{Path, PathBuf};

use laboratory::Laboratory;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The commands of the blocks that are for a shell, comments left out.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let mut commands = Vec::new();
    let mut blocks = readme.split("```");
    while let (Some(_), Some(block)) = (blocks.next(), blocks.next()) {
        let Some(block) = block.strip_prefix("sh\n") else { continue };
        let lines = block.lines().map(|line| line.split(" #").next().unwrap_or(line).trim());
        commands.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    commands
}

#[test]
fn one_command_runs_the_main_job_and_one_passes_the_tests() {
    let commands = commands();
    let cargo: Vec<&String> = commands.iter().filter(|c| c.starts_with("cargo ")).collect();
    assert_eq!(
        cargo,
        [
            "cargo run --release --bin sparkjoy -- quickstart",
            "cargo xtask ci",
            "cargo install --path crates/cli"
        ]
    );
    let check = fs::read_to_string(root().join(".ci/run")).unwrap();
    let run: Vec<&str> = check.lines().filter(|line| line.contains("cargo")).collect();
    assert_eq!(run, ["exec cargo xtask ci"], "the check runs the README's test command alone");
}

#[test]
fn every_command_is_one_the_program_takes() {
    let laboratory = Laboratory::new();
    let mut seen = 0;
    for command in commands() {
        let words = command.strip_prefix("cargo run --release --bin sparkjoy -- ");
        let Some(words) = words.or_else(|| command.strip_prefix("sparkjoy ")) else { continue };
        // Options and the number of arguments are checked before help is shown.
        let subcommand = words.split(' ').next().unwrap();
        let help = laboratory.succeed(&format!("{subcommand} --help")).stdout;
        for option in words.split(' ').filter(|word| word.starts_with("--")) {
            assert!(help.contains(option), "`{command}`: `{option}` is not in its help");
        }
        seen += 1;
    }
    assert!(seen >= 5, "the README shows {seen} commands");
}

#[test]
fn a_folder_of_text_becomes_a_report_by_the_commands_for_your_data() {
    let laboratory = Laboratory::new();
    fs::remove_file(laboratory.path("study.toml")).unwrap();
    let sources = [("web", "a page about the sea and the hills"), ("math", "two and two is four")];
    for (name, text) in sources {
        let folder = laboratory.path(&format!("DIR/{name}"));
        fs::create_dir_all(&folder).unwrap();
        for file in 0..40 {
            let many = (0..120)
                .map(|n| format!("{text} {} {}\n", n * (file + 3) % 101, n * n % (file + 97)));
            fs::write(folder.join(format!("{file}.txt")), many.collect::<String>()).unwrap();
        }
    }
    let own: Vec<String> =
        commands().into_iter().filter(|command| command.starts_with("sparkjoy ")).collect();
    let new = own.iter().find(|command| command.starts_with("sparkjoy new")).unwrap();
    assert_eq!(Some(new), own.first());
    // As they stand there, one after the other.
    let shown = own.iter().map(|command| {
        let words = command.strip_prefix("sparkjoy ").unwrap();
        let words = words.replace(" study.toml", " study.toml --threads 2");
        (command.split(' ').nth(1).unwrap(), laboratory.succeed(&words).stdout)
    });
    let shown: Vec<(&str, String)> = shown.collect();
    let commands: Vec<&str> = shown.iter().map(|(command, _)| *command).collect();
    assert_eq!(commands, ["new", "plan", "run", "report"]);
    assert!(shown[1].1.contains("jobs, with the tokens"), "{}", shown[1].1);
    assert_eq!(shown[2].1, shown[3].1, "`run` ends with what `report` prints");
}
