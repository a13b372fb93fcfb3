//! Programs that mean harm, one per file of `programs`: each is contained, and nothing of
//! it is left.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "what is skipped is said")]
#![cfg(target_os = "linux")]

#[path = "support/runs.rs"]
mod runs;
mod support;

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use runs::{printed, run};
use sparkjoy_sandbox::{Exit, Limits, Run, in_order};
use support::{NEVER, sandbox};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs");
const PRELUDE: &str = include_str!("prelude.py");

/// A hostile program, and what must become of it.
struct Attack {
    name: String,
    program: String,
    expected: Vec<String>,
}

fn attacks() -> Vec<Attack> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let program = fs::read_to_string(path).unwrap();
        let expected = program.lines().nth(1).and_then(|line| line.strip_prefix("# expect: "));
        let expected = expected.unwrap_or_else(|| panic!("{}: expects nothing", path.display()));
        let expected = expected.split(", ").map(str::to_owned).collect();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Attack { name, program, expected }
    };
    files.iter().map(read).collect()
}

/// What became of a program, in the words of the files. A program is contained if it came to its
/// end and found no way out.
fn became(run: &Run) -> String {
    match run.exit {
        Exit::Exited(0) if printed(run).ends_with("contained\n") => "contained".to_owned(),
        Exit::Exited(code) => format!("code {code}"),
        Exit::TimedOut => "timed-out".to_owned(),
        Exit::CpuExceeded => "cpu-exceeded".to_owned(),
        Exit::MemoryExceeded => "memory-exceeded".to_owned(),
        Exit::OutputExceeded => "output-exceeded".to_owned(),
        Exit::Killed(signal) => format!("killed {signal}"),
        Exit::Stopped => "stopped".to_owned(),
    }
}

/// The processes of this machine that carry `marker` as their name.
fn processes(marker: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let names = all.filter_map(|path| fs::read_to_string(path.join("comm")).ok());
    names.filter(|name| name.trim_end() == marker).collect()
}

/// Things outside a sandbox that a program could reach without one.
struct Outside {
    folder: tempfile::TempDir,
    tcp: TcpListener,
    udp: UdpSocket,
    by_path: UnixListener,
    by_name: UnixListener,
    marker: String,
}

const SECRET: &str = "the answer is 42";

impl Outside {
    /// `number` tells apart the tests of this program.
    fn new(number: u32) -> Self {
        let marker = format!("sj{}x{number}", std::process::id());
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), SECRET).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind(tcp.local_addr().unwrap()).unwrap();
        let by_path = UnixListener::bind(folder.path().join("socket")).unwrap();
        let name = SocketAddr::from_abstract_name(&marker).unwrap();
        let by_name = UnixListener::bind_addr(&name).unwrap();
        tcp.set_nonblocking(true).unwrap();
        udp.set_nonblocking(true).unwrap();
        by_path.set_nonblocking(true).unwrap();
        by_name.set_nonblocking(true).unwrap();
        // Everybody may come in and write, so that only the sandbox keeps anybody out.
        open_to_all(folder.path(), 0o777);
        open_to_all(&folder.path().join("secret"), 0o666);
        open_to_all(&folder.path().join("socket"), 0o777);
        Self { folder, tcp, udp, by_path, by_name, marker }
    }

    fn fill_in(&self, program: &str) -> String {
        let folder = self.folder.path().display().to_string();
        program
            .replace("{secret}", &format!("{folder}/secret"))
            .replace("{outside}", &folder)
            .replace("{marker}", &self.marker)
            .replace("{parent}", &std::process::id().to_string())
            .replace("{port}", &self.tcp.local_addr().unwrap().port().to_string())
    }

    fn assert_unharmed(&self) {
        let mut names: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["secret", "socket"]);
        assert_eq!(fs::read_to_string(self.folder.path().join("secret")).unwrap(), SECRET);
        let nothing = ErrorKind::WouldBlock;
        assert_eq!(self.tcp.accept().unwrap_err().kind(), nothing, "somebody connected");
        assert_eq!(self.udp.recv(&mut [0]).unwrap_err().kind(), nothing, "something was sent");
        assert_eq!(self.by_path.accept().unwrap_err().kind(), nothing, "somebody connected");
        assert_eq!(self.by_name.accept().unwrap_err().kind(), nothing, "somebody connected");
        assert!(!Path::new("/dev/shm").join(&self.marker).exists());
        assert_eq!(processes(&self.marker), Vec::<String>::new(), "processes are left");
    }
}

fn open_to_all(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn every_hostile_program_is_contained() {
    let attacks = attacks();
    assert!(attacks.len() >= 25, "{} hostile programs", attacks.len());
    // Programs that end by themselves get all the time a busy machine needs; the others would
    // never end, so that a short time is as good as a long one.
    let patient = Limits { wall: Duration::from_mins(2), cpu_seconds: 60, ..Limits::default() };
    let Some(patient) = sandbox(patient) else { return };
    let brief = Limits { wall: Duration::from_secs(1), ..Limits::default() };
    let brief = sandbox(brief).expect("there was one before");
    let busy = Limits { wall: Duration::from_mins(2), cpu_seconds: 1, ..Limits::default() };
    let busy = sandbox(busy).expect("there was one before");
    let outside = Outside::new(0);
    let results = in_order(&attacks, 2, &NEVER, |attack| {
        let expects = |exit: &str| attack.expected.iter().any(|expected| expected == exit);
        let sandbox = match () {
            () if expects("timed-out") => &brief,
            () if expects("cpu-exceeded") || attack.name == "endless-loop-deaf" => &busy,
            () => &patient,
        };
        let program = format!("{PRELUDE}{}print(\"contained\")\n", attack.program);
        let run = run(sandbox, &outside.fill_in(&program));
        Ok::<_, ()>(Some((became(&run), run)))
    });
    let mut escaped = Vec::new();
    for (attack, result) in attacks.iter().zip(results.0) {
        let (became, run) = result.expect("nobody stops it");
        if !attack.expected.contains(&became) {
            let errors = String::from_utf8_lossy(&run.errors).into_owned();
            let said = printed(&run);
            let said = &said[said.len().saturating_sub(200)..];
            escaped.push(format!("{}: {became}: {said}{errors}", attack.name));
        }
    }
    assert!(escaped.is_empty(), "{}", escaped.join("\n"));
    outside.assert_unharmed();
    assert_eq!(patient.probe().unwrap(), brief.probe().unwrap());
}

#[test]
fn what_must_fail_inside_is_possible_outside() {
    // The means of these tests: without a sandbox, the same attempts succeed.
    let Some(_) = sandbox(Limits::default()) else { return };
    let outside = Outside::new(1);
    let program = "
import socket
assert open('{secret}').read() == 'the answer is 42'
socket.create_connection(('127.0.0.1', {port})).close()
socket.socket(socket.AF_UNIX).connect('\\0{marker}')
open('{outside}/left', 'w').close()
must_fail('a secret', open, '{secret}')
";
    let program = outside.fill_in(&format!("{PRELUDE}{program}"));
    let output = std::process::Command::new("python3").args(["-c", &program]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("escaped: a secret"), "{output:?}");
    assert!(outside.tcp.accept().is_ok());
    assert!(outside.by_name.accept().is_ok());
    assert!(outside.folder.path().join("left").exists());
}
