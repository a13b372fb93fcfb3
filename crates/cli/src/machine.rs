//! What this machine has, as far as the system tells.

use std::path::Path;
use std::{env, fs};

use serde::Serialize;

/// Bytes of main memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MainMemory {
    pub(crate) total: u64,
    /// What programs can still take.
    pub(crate) free: u64,
    /// What of other programs was put on the disk.
    pub(crate) swapped: u64,
    /// Whether a control group (a container, a service) may take less than the machine has.
    pub(crate) limited: bool,
}

/// The main memory that this process may take; `None` where there is no `/proc/meminfo` to read.
pub(crate) fn memory() -> Option<MainMemory> {
    let memory = parse(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    Some(within_groups(memory, &groups, Path::new("/sys/fs/cgroup")))
}

/// Memory as far as the control groups leave it, from the innermost to the outermost.
///
/// # Source
///
/// `memory.max`, `memory.current` and `memory.stat` of control groups, version 2: `cgroup-v2.rst`
/// of the kernel's documentation.
fn within_groups(mut memory: MainMemory, groups: &str, root: &Path) -> MainMemory {
    let Some(own) = groups.lines().find_map(|line| line.strip_prefix("0::/")) else {
        return memory;
    };
    for group in Path::new(own).ancestors() {
        let folder = root.join(group);
        let text = |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_default();
        let number = |file: &str| text(file).trim().parse::<u64>().ok();
        // Where there is no limit, the file says `max`.
        let (Some(most), Some(taken)) = (number("memory.max"), number("memory.current")) else {
            continue;
        };
        // Read files are counted, but given up when memory is asked for.
        let stat = text("memory.stat");
        let cached = value(&stat, "inactive_file", ' ').and_then(|bytes| bytes.parse().ok());
        let free = most.saturating_sub(taken.saturating_sub(cached.unwrap_or(0)));
        memory.limited |= most < memory.total;
        memory.total = memory.total.min(most);
        memory.free = memory.free.min(free);
    }
    memory
}

/// The machine's cores, whoever may use them; `None` where there is no `/proc/cpuinfo`.
pub(crate) fn cores() -> Option<usize> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    Some(text.lines().filter(|line| line.starts_with("processor")).count()).filter(|&n| n > 0)
}

/// The driver of a GPU that is there, by the places where drivers say so.
pub(crate) fn gpu() -> Option<&'static str> {
    let places = [
        ("/proc/driver/nvidia/version", "NVIDIA"),
        ("/dev/nvidia0", "NVIDIA"),
        ("/dev/kfd", "AMD"),
    ];
    places.into_iter().find(|(path, _)| Path::new(path).exists()).map(|(_, name)| name)
}

fn parse(text: &str) -> Option<MainMemory> {
    let bytes = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib * 1024)
    };
    Some(MainMemory {
        total: bytes("MemTotal")?,
        free: bytes("MemAvailable")?,
        swapped: bytes("SwapTotal").zip(bytes("SwapFree")).map_or(0, |(all, free)| all - free),
        limited: false,
    })
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
        let memory = MainMemory { total: 2 << 20, free: 1 << 20, swapped: 0, limited: false };
        assert_eq!(parse(text), Some(memory));
        let swap = format!("{text}SwapTotal: 512 kB\nSwapFree: 128 kB\n");
        assert_eq!(parse(&swap).unwrap().swapped, 384 << 10);
        assert_eq!(parse("MemTotal: 2048 kB\n"), None);
    }

    #[test]
    fn the_tightest_control_group_is_what_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            sparkjoy_base::write_atomic(&path, text.as_bytes()).unwrap();
        };
        write("a/memory.max", "1000\n");
        write("a/memory.current", "900\n");
        write("a/memory.stat", "anon 400\ninactive_file 500\n");
        write("a/b/memory.max", "max\n");
        write("a/b/memory.current", "900\n");
        let all = MainMemory { total: 4000, free: 3000, swapped: 0, limited: false };
        let tight = MainMemory { total: 1000, free: 600, swapped: 0, limited: true };
        assert_eq!(within_groups(all, "0::/a/b\n", root.path()), tight);
        assert_eq!(within_groups(all, "0::/\n", root.path()), all);
        assert_eq!(within_groups(all, "7:memory:/x\n", root.path()), all);
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
