//! What the processor offers, for reports; nothing is decided here.

use crate::Precision;
use crate::kernel::Kernel;

/// A set of instructions that matters to this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstructionSet {
    /// Its usual name.
    pub name: &'static str,
    /// Whether this processor has it.
    pub present: bool,
}

/// The names of the kernels this machine can run, fastest first.
pub fn kernels() -> Vec<&'static str> {
    Kernel::all(Precision::Bf16).into_iter().map(Kernel::name).collect()
}

/// The kernel that engines of this precision use on this machine.
pub fn kernel_of(precision: Precision) -> &'static str {
    Kernel::best(precision).name()
}

/// The sets of instructions that kernels are, or could be, written for.
pub fn instruction_sets() -> Vec<InstructionSet> {
    #[cfg(target_arch = "x86_64")]
    let sets = vec![
        ("AVX2", is_x86_feature_detected!("avx2")),
        ("FMA", is_x86_feature_detected!("fma")),
        ("AVX-512", is_x86_feature_detected!("avx512f")),
        ("AVX-512 bf16", is_x86_feature_detected!("avx512bf16")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let sets = Vec::new();
    sets.into_iter().map(|(name, present)| InstructionSet { name, present }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_has_the_portable_kernel_and_it_is_the_last_resort() {
        assert_eq!(kernels().last(), Some(&"portable"));
        for precision in [Precision::Bf16, Precision::Fp32] {
            assert!(kernels().contains(&kernel_of(precision)), "{precision}");
        }
    }
}
