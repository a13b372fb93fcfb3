//! The stages of the launcher on Linux.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal as Awaited};
use rustix::process::{self, Signal, WaitOptions};
use rustix::system::{setdomainname, sethostname};

use super::{HIDDEN_ARGUMENT, LaunchOrder, Layer, NOT_STARTED, Refusal, Stage};
use super::{execute, files, filter, inherited, limits, rights};

/// The host's name that a program sees.
const HOST: &[u8] = b"sandbox";

/// Runs the stage of `order`. Returns only on refusal.
pub(super) fn launch(order: LaunchOrder) -> Refusal {
    let result = match order.stage {
        Stage::Outer => outer(order),
        Stage::Map => map(&order),
        Stage::Init => init(order),
        Stage::Inner | Stage::Bare => inner(&order),
    };
    result.unwrap_or_else(|refusal| refusal)
}

/// Enters new namespaces, and waits for the first process in them.
fn outer(order: LaunchOrder) -> Result<Refusal, Refusal> {
    end_with_parent()?;
    let parent = process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if parent != Some(order.waits) {
        return Err(Refusal::new("parent", &"it ended before this process had begun"));
    }
    limits::stop_cores()?;
    let order = LaunchOrder { has_nobody: needs_nobody()?, ..order };
    enter_user_namespace(&order)?;
    for (layer, flag) in [
        ("mount namespace", CloneFlags::CLONE_NEWNS),
        ("network namespace", CloneFlags::CLONE_NEWNET),
        ("IPC namespace", CloneFlags::CLONE_NEWIPC),
        ("host name namespace", CloneFlags::CLONE_NEWUTS),
        ("process namespace", CloneFlags::CLONE_NEWPID),
    ] {
        unshare(flag).layer(layer)?;
    }
    sethostname(HOST).and_then(|()| setdomainname(HOST)).layer("host name namespace")?;
    wait_for_init(&LaunchOrder { stage: Stage::Init, ..order })
}

/// Waits for the end of the first process, or kills it on SIGTERM. In both cases this process ends
/// only after the kernel has ended all processes of the namespace.
fn wait_for_init(order: &LaunchOrder) -> Result<Refusal, Refusal> {
    const LAYER: &str = "process namespace";
    let signals: SigSet = [Awaited::SIGTERM, Awaited::SIGCHLD].into_iter().collect();
    signals.thread_block().layer(LAYER)?;
    let mut init = again(order, Stdio::inherit())?;
    loop {
        if signals.wait().layer(LAYER)? == Awaited::SIGTERM {
            init.kill().layer(LAYER)?;
        }
        if let Some(status) = init.try_wait().layer(LAYER)? {
            exit(status.code(), status.signal());
        }
    }
}

/// Whether the user is root and must become `nobody`: the kernel does not limit the number of
/// processes of root. Root of a rootless container is already another user outside.
fn needs_nobody() -> Result<bool, Refusal> {
    const LAYER: &str = "user without rights";
    if !process::geteuid().is_root() {
        return Ok(false);
    }
    let users = fs::read_to_string("/proc/self/uid_map").layer(LAYER)?;
    if outside(&users, rights::NOBODY).is_some() {
        return Ok(true);
    }
    match outside(&users, 0) {
        Some(0) | None => Err(Refusal::new(LAYER, &"root is the only user here")),
        Some(_) => Ok(false),
    }
}

/// The id outside of the namespace of user `inside`, from a table of the kernel. Each line has the
/// first id inside, the first id outside, and their number.
fn outside(users: &str, inside: u32) -> Option<u32> {
    users.lines().find_map(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (first, other, count) =
            (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
        let offset = inside.checked_sub(first).filter(|offset| *offset < count)?;
        other.checked_add(offset)
    })
}

/// Enters a user namespace in which this process has the rights of root.
///
/// If root runs it, the namespace also gets a user who is not root outside, because the kernel
/// limits the number of processes of every user but root. Only root outside can map this user.
fn enter_user_namespace(order: &LaunchOrder) -> Result<(), Refusal> {
    const LAYER: &str = "user namespace";
    let (user, group) = (process::geteuid(), process::getegid());
    let helper = if order.has_nobody {
        let order = LaunchOrder { stage: Stage::Map, waits: std::process::id(), ..order.clone() };
        Some(again(&order, Stdio::piped())?)
    } else {
        None
    };
    unshare(CloneFlags::CLONE_NEWUSER).layer(LAYER)?;
    if let Some(mut helper) = helper {
        drop(helper.stdin.take()); // tells the helper to begin
        let status = helper.wait().layer(LAYER)?;
        if !status.success() {
            return Err(Refusal::new(LAYER, &"root may not map users here"));
        }
    } else {
        fs::write("/proc/self/setgroups", "deny").layer(LAYER)?;
        fs::write("/proc/self/uid_map", format!("0 {} 1", user.as_raw())).layer(LAYER)?;
        fs::write("/proc/self/gid_map", format!("0 {} 1", group.as_raw())).layer(LAYER)?;
    }
    Ok(())
}

/// Runs outside of the namespaces: maps root and `nobody` into those of process `waits`.
fn map(order: &LaunchOrder) -> Result<Refusal, Refusal> {
    const LAYER: &str = "user namespace";
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing).layer(LAYER)?;
    let users = format!("0 0 1\n{nobody} {nobody} 1\n", nobody = rights::NOBODY);
    fs::write(format!("/proc/{}/uid_map", order.waits), &users).layer(LAYER)?;
    fs::write(format!("/proc/{}/gid_map", order.waits), &users).layer(LAYER)?;
    exit(Some(0), None)
}

/// The first process of its namespace: waits for the interpreter and for orphans. When it ends, the
/// kernel kills the other processes.
fn init(order: LaunchOrder) -> Result<Refusal, Refusal> {
    end_with_parent()?;
    // The outer launcher blocked these signals; programs must receive them.
    SigSet::all().thread_unblock().layer("signals")?;
    let inner = again(&LaunchOrder { stage: Stage::Inner, ..order }, Stdio::inherit())?;
    loop {
        let reaped = process::wait(WaitOptions::empty()).layer("process namespace")?;
        let Some((pid, status)) = reaped else { continue };
        if pid.as_raw_nonzero().get().unsigned_abs() == inner.id() {
            exit(status.exit_status(), status.terminating_signal());
        }
    }
}

/// Builds the file system, sets limits, drops all rights and executes the interpreter.
fn inner(order: &LaunchOrder) -> Result<Refusal, Refusal> {
    let open = inherited()?;
    files::build(order)?;
    process::setsid().layer("session")?;
    limits::set(&order.limits)?;
    limits::set_processes(&order.limits)?;
    rights::drop_all(order.has_nobody)?;
    let mut layers = vec!["namespaces", "limits", "no rights"];
    if files::restrict(order)? {
        layers.push("Landlock");
    }
    filter::apply()?;
    layers.push("seccomp");
    Ok(execute(order, &open, &layers))
}

/// Starts this program again, for the next stage.
fn again(order: &LaunchOrder, stdin: Stdio) -> Result<Child, Refusal> {
    let next = serde_json::to_string(order).layer("order")?;
    let program = std::env::current_exe().layer("launcher")?;
    let mut command = Command::new(program);
    command.arg(HIDDEN_ARGUMENT).arg(next).stdin(stdin);
    if order.stage == Stage::Map {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    }
    command.spawn().layer("launcher")
}

fn end_with_parent() -> Result<(), Refusal> {
    process::set_parent_process_death_signal(Some(Signal::KILL)).layer("signal of the parent's end")
}

/// Exits like a shell: with the code of the process it waited for, or 128 plus its signal.
fn exit(code: Option<i32>, signal: Option<i32>) -> ! {
    std::process::exit(code.or(signal.map(|signal| 128 + signal)).unwrap_or(NOT_STARTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_outside_are_found() {
        let machine = "         0          0 4294967295\n";
        assert_eq!((outside(machine, 0), outside(machine, 65_534)), (Some(0), Some(65_534)));
        let alone = "0 1000 1\n";
        assert_eq!((outside(alone, 0), outside(alone, 65_534)), (Some(1000), None));
        let container = "0 1000 1\n1 100000 65536\n";
        assert_eq!(outside(container, 65_534), Some(165_533));
    }
}
