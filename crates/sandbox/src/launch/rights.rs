//! Drops all rights of the process.

use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{
    self, CapabilitiesSecureBits, CapabilitySet, CapabilitySets, clear_ambient_capability_set,
    remove_capability_from_bounding_set,
};

use super::{Layer, Refusal};

/// The user without rights (`nobody`), inside and outside.
pub(super) const NOBODY: u32 = 65_534;

/// Drops all capabilities for good: those of this process, and those that executing a file could
/// add. First becomes `nobody`, if the namespace has this user.
pub(super) fn drop_all(has_nobody: bool) -> Result<(), Refusal> {
    const LAYER: &str = "giving up capabilities";
    clear_ambient_capability_set().layer(LAYER)?;
    // From here on root has no special rights.
    let bits = CapabilitiesSecureBits::NO_ROOT
        | CapabilitiesSecureBits::NO_ROOT_LOCKED
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED;
    thread::set_capabilities_secure_bits(bits).layer(LAYER)?;
    for bit in 0..64 {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        // The kernel numbers them without gaps; the first unknown one is the end.
        if thread::capability_is_in_bounding_set(capability).is_err() {
            break;
        }
        remove_capability_from_bounding_set(capability).layer(LAYER)?;
    }
    if has_nobody {
        become_nobody()?;
    }
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    thread::set_capabilities(None, sets).layer(LAYER)?;
    thread::set_no_new_privs(true).layer("no new privileges")
}

fn become_nobody() -> Result<(), Refusal> {
    const LAYER: &str = "user without rights";
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    thread::set_thread_groups(&[]).layer(LAYER)?;
    thread::set_thread_res_gid(group, group, group).layer(LAYER)?;
    thread::set_thread_res_uid(user, user, user).layer(LAYER)?;
    if geteuid() != user {
        return Err(Refusal::new(LAYER, &"the kernel kept the old one"));
    }
    Ok(())
}
