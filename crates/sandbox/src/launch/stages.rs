//! From the machine to an empty one: the stages of a launcher, on Linux.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal as Awaited};
use rustix::process::{self, Signal, WaitOptions};

use super::{HIDDEN_ARGUMENT, Layer, NOT_STARTED, Order, Refusal, Stage};
use super::{execute, files, filter, limits, rights};

/// Does what `order` says. Returns only to refuse.
pub(super) fn launch(order: Order) -> Refusal {
    let result = match order.stage {
        Stage::Outer => outer(order),
        Stage::Map => map(&order),
        Stage::Init => init(order),
        Stage::Inner | Stage::Bare => inner(&order),
    };
    result.unwrap_or_else(|refusal| refusal)
}

/// Leaves for new namespaces, and waits for the first process in them.
fn outer(order: Order) -> Result<Refusal, Refusal> {
    end_with_parent()?;
    let parent = process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if parent != Some(order.waits) {
        return Err(Refusal::new("parent", &"it ended before this process had begun"));
    }
    let order = Order { has_nobody: needs_nobody()?, ..order };
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
    wait_for_init(&Order { stage: Stage::Init, ..order })
}

/// Waits for the end of the first process, or kills it when told to end. Either way this process
/// ends only after the kernel has killed, and seen the end of, all processes of the namespace.
fn wait_for_init(order: &Order) -> Result<Refusal, Refusal> {
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

/// Whether the user is root, who must become somebody else: the kernel does not limit the
/// processes of root. The root of a rootless container is in truth another user already.
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

/// The number that user `inside` of this namespace has outside of it, by a table of the kernel:
/// per line the first number inside, the first outside, and how many there are.
fn outside(users: &str, inside: u32) -> Option<u32> {
    users.lines().find_map(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (first, other, count) =
            (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
        let offset = inside.checked_sub(first).filter(|offset| *offset < count)?;
        other.checked_add(offset)
    })
}

/// A namespace in which this process may do what only root may do outside.
///
/// Run by root, the namespace also gets a user who is not root, even seen from outside: the
/// kernel limits the processes of any user but root. Only root outside may set that up.
fn enter_user_namespace(order: &Order) -> Result<(), Refusal> {
    const LAYER: &str = "user namespace";
    let (user, group) = (process::geteuid(), process::getegid());
    let helper = if order.has_nobody {
        let order = Order { stage: Stage::Map, waits: std::process::id(), ..order.clone() };
        Some(again(&order, Stdio::piped())?)
    } else {
        None
    };
    unshare(CloneFlags::CLONE_NEWUSER).layer(LAYER)?;
    if let Some(mut helper) = helper {
        drop(helper.stdin.take()); // the helper's sign to begin
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

/// Outside of the namespaces: gives those of process `waits` root and nobody.
fn map(order: &Order) -> Result<Refusal, Refusal> {
    const LAYER: &str = "user namespace";
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing).layer(LAYER)?;
    let users = format!("0 0 1\n{nobody} {nobody} 1\n", nobody = rights::NOBODY);
    fs::write(format!("/proc/{}/uid_map", order.waits), &users).layer(LAYER)?;
    fs::write(format!("/proc/{}/gid_map", order.waits), &users).layer(LAYER)?;
    exit(Some(0), None)
}

/// The first process of its namespace: waits for the interpreter, and for every orphan. When it
/// ends, the kernel kills what is left.
fn init(order: Order) -> Result<Refusal, Refusal> {
    end_with_parent()?;
    // What the outer launcher waits for, programs must be able to hear.
    SigSet::all().thread_unblock().layer("signals")?;
    let inner = again(&Order { stage: Stage::Inner, ..order }, Stdio::inherit())?;
    loop {
        let reaped = process::wait(WaitOptions::empty()).layer("process namespace")?;
        let Some((pid, status)) = reaped else { continue };
        if pid.as_raw_nonzero().get().unsigned_abs() == inner.id() {
            exit(status.exit_status(), status.terminating_signal());
        }
    }
}

/// Gives up the machine, then every right over what is left.
fn inner(order: &Order) -> Result<Refusal, Refusal> {
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
    Ok(execute(order, &layers))
}

/// This program again, for the next stage.
fn again(order: &Order, stdin: Stdio) -> Result<Child, Refusal> {
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

/// Ends as a shell does: with the code of what it waited for, or 128 and its signal.
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
