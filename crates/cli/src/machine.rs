//! What this machine has, as far as the system tells.

use std::path::Path;
use std::{env, fs};

use serde::Serialize;

/// Bytes of main memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MainMemory {
    /// All of it.
    pub(crate) total: u64,
    /// What programs can still take.
    pub(crate) free: u64,
}

/// The main memory; `None` where there is no `/proc/meminfo` to read.
pub(crate) fn memory() -> Option<MainMemory> {
    parse(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn parse(text: &str) -> Option<MainMemory> {
    let bytes = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib * 1024)
    };
    Some(MainMemory { total: bytes("MemTotal")?, free: bytes("MemAvailable")? })
}

/// The processor's name; `None` where there is no `/proc/cpuinfo` that has it.
pub(crate) fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    Some(value(&text, "model name", ':')?.to_owned())
}

/// The system: its distribution where it has one, else its kind, and the architecture.
pub(crate) fn system() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = value(&text, "PRETTY_NAME", '=').map(|name| name.trim_matches('"'));
    format!("{}, {}", name.unwrap_or(env::consts::OS), env::consts::ARCH)
}

/// What stands behind a key on the first line that begins with it.
fn value<'a>(text: &'a str, key: &str, separator: char) -> Option<&'a str> {
    let pairs = text.lines().filter_map(|line| line.split_once(separator));
    let value =
        pairs.filter(|(found, _)| found.trim() == key).map(|(_, value)| value.trim()).next();
    value.filter(|value| !value.is_empty())
}

/// Bytes free to us on the disk of a folder, or of the nearest folder above it that exists.
pub(crate) fn disk_free(folder: &Path) -> Option<u64> {
    let folder = std::path::absolute(folder).ok()?;
    let existing = folder.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    Some(disk.f_bavail * disk.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_counts_what_the_system_can_drop() {
        let text = "MemTotal:  2048 kB\nMemFree:  1 kB\nMemAvailable:   1024 kB\n";
        assert_eq!(parse(text), Some(MainMemory { total: 2 << 20, free: 1 << 20 }));
        assert_eq!(parse("MemTotal: 2048 kB\n"), None);
    }

    #[test]
    fn a_key_is_found_whatever_stands_around_it() {
        let text = "processor : 0\nmodel name\t: A CPU @ 2 GHz: fast\nPRETTY_NAME=\"Some OS 13\"\n";
        assert_eq!(value(text, "model name", ':'), Some("A CPU @ 2 GHz: fast"));
        assert_eq!(value(text, "PRETTY_NAME", '='), Some("\"Some OS 13\""));
        assert_eq!(value("model name :\n", "model name", ':'), None);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_on_the_disk_of_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        assert!(disk_free(&folder.path().join("runs/of/later")).unwrap() > 0);
    }
}
