//! The files that a confined program can see: its interpreter, its libraries, a scratch folder.
//!
//! Two independent layers enforce this. The mount namespace has its own root in memory, with only
//! the readable files mounted. Landlock enforces the same rules in another part of the kernel, and
//! forbids TCP and signals to processes outside.

use std::ffi::{CString, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::fs::{Mode, StatVfsMountFlags, statvfs};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive,
    mount_change, mount_remount, unmount,
};
use rustix::process::{chdir, pivot_root, umask};

use super::{LaunchOrder, Layer, Refusal, rights};

/// Devices that are safe to expose.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];
/// Mount point of the machine's files while the new root is built.
const OLD: &str = "/old";
/// Files and folders the scratch folder may hold.
const INODES: u32 = 4_096;

/// Builds the new root and enters it. The machine's files are then no longer visible.
pub(super) fn build(order: &LaunchOrder) -> Result<(), Refusal> {
    const LAYER: &str = "mount namespace";
    umask(Mode::from_raw_mode(0o022));
    enter_empty_root().layer(LAYER)?;
    for path in order.readable.iter().map(PathBuf::as_path).chain(DEVICES.map(Path::new)) {
        show(path).map_err(|e| Refusal::new(LAYER, &format!("{}: {e}", path.display())))?;
    }
    for inner in inner_mounts(order).layer(LAYER)? {
        protect(&inner).map_err(|e| Refusal::new(LAYER, &format!("{}: {e}", inner.display())))?;
    }
    fs::create_dir_all(&order.scratch).layer(LAYER)?;
    let size = order.limits.scratch;
    let user = if order.has_nobody { rights::NOBODY } else { 0 };
    let options =
        CString::new(format!("mode=0700,uid={user},gid={user},size={size},nr_inodes={INODES}"))
            .layer(LAYER)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("scratch", &order.scratch, "tmpfs", flags, options.as_c_str()).layer(LAYER)?;
    unmount(OLD, UnmountFlags::DETACH).layer(LAYER)?;
    fs::remove_dir(OLD).layer(LAYER)?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    mount_remount("/", flags, "").layer(LAYER)?;
    chdir(&order.scratch).layer(LAYER)
}

/// Makes a file system in memory the root, with the machine's files at [`OLD`].
fn enter_empty_root() -> io::Result<()> {
    let propagation = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", propagation)?;
    // Any folder works: it is used in this namespace only, and only for the next lines.
    let base = ["/tmp", "/run", "/mnt", "/var", "/usr"];
    let base = base.into_iter().find(|base| Path::new(base).is_dir()).unwrap_or("/proc");
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("root", base, "tmpfs", flags, c"mode=0755,size=1m")?;
    let old = format!("{base}{OLD}");
    fs::create_dir(&old)?;
    pivot_root(base, old.as_str())?;
    chdir("/")?;
    Ok(())
}

/// Mounts one file or folder of the machine read-only in the new root. A link is copied; its target
/// is mounted under its own path.
fn show(path: &Path) -> io::Result<()> {
    let source = PathBuf::from(format!("{OLD}{}", path.display()));
    let kind = match fs::symlink_metadata(&source) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if kind.is_symlink() {
        return symlink(fs::read_link(&source)?, path);
    }
    if kind.is_dir() {
        fs::create_dir_all(path)?;
    } else {
        fs::File::create_new(path)?;
    }
    // A folder that contains other mounts can only be mounted together with them.
    mount_bind(&source, path).or_else(|_| mount_bind_recursive(&source, path))?;
    let mut flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | kept(path)?;
    if !kind.is_char_device() {
        flags |= MountFlags::NODEV;
    }
    mount_remount(path, flags, "")?;
    Ok(())
}

/// Places inside the readable folders where something else is mounted. It came along with the
/// folder, with its own flags.
fn inner_mounts(order: &LaunchOrder) -> io::Result<Vec<PathBuf>> {
    let mounts = fs::read(format!("{OLD}/proc/self/mountinfo"))?;
    let lines = mounts.split(|&byte| byte == b'\n');
    let places = lines.filter_map(|line| line.split(|&byte| byte == b' ').nth(4)).map(unescaped);
    let inside = |place: &PathBuf| {
        order.readable.iter().any(|folder| place != folder && place.starts_with(folder))
    };
    Ok(places.filter(inside).collect())
}

/// A path of the kernel's table, in which `\040` is a space.
fn unescaped(path: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, behind)) = rest.split_first() {
        let octal = behind
            .get(..3)
            .filter(|_| first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(octal.unwrap_or(first));
        rest = if octal.is_some() { &behind[3..] } else { behind };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// Makes an inner mount read-only, unless it is hidden by another.
fn protect(place: &Path) -> io::Result<()> {
    let read_only = || statvfs(place).map(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY));
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    let flags = match kept(place) {
        Ok(kept) => flags | kept,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    match mount_remount(place, flags, "") {
        Err(error) if !read_only()? => Err(error.into()),
        _ => Ok(()),
    }
}

/// Flags of the mount that contains `path` and that only root of the machine could remove.
fn kept(path: &Path) -> io::Result<MountFlags> {
    let has = statvfs(path)?.f_flag;
    let pairs = [
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    let kept = pairs.into_iter().filter(|(set, _)| has.contains(*set)).map(|(_, flag)| flag);
    Ok(kept.fold(MountFlags::empty(), |all, flag| all | flag))
}

/// Applies the rules of Landlock that the kernel supports. Returns whether it supports Landlock.
pub(super) fn restrict(order: &LaunchOrder) -> Result<bool, Refusal> {
    const LAYER: &str = "Landlock";
    // The newest version whose rights are all handled below; older kernels apply those they know.
    const KNOWN: ABI = ABI::V7;
    let read = AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::Execute;
    let device = AccessFs::ReadFile | AccessFs::WriteFile;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(KNOWN)))
        .and_then(|rules| rules.scope(Scope::from_all(KNOWN)))
        .and_then(Ruleset::create)
        .layer(LAYER)?;
    let scratch = AccessFs::from_all(KNOWN) & !AccessFs::Execute;
    let seen = order.readable.iter().map(|path| (path.as_path(), read));
    let devices = DEVICES.iter().map(|path| (Path::new(*path), device));
    for (path, access) in seen.chain(devices).chain([(order.scratch.as_path(), scratch)]) {
        let Ok(metadata) = fs::metadata(path) else { continue };
        let access = if metadata.is_dir() { access } else { access & AccessFs::from_file(KNOWN) };
        let folder = PathFd::new(path).layer(LAYER)?;
        rules = rules.add_rule(PathBeneath::new(folder, access)).layer(LAYER)?;
    }
    let status = rules.restrict_self().layer(LAYER)?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_the_kernel_writes_it() {
        let written = br"/usr/lib/a\040b\134040\09";
        assert_eq!(unescaped(written), Path::new(r"/usr/lib/a b\040\09"));
    }
}
