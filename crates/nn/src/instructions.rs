//! Instruction sets of this machine, by name, for reports.

use crate::Precision;
use crate::kernel::InstructionSet;

/// An extension of the processor's instructions that this crate uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuFeature {
    /// Its usual name.
    pub name: &'static str,
    /// Whether this processor has it.
    pub present: bool,
}

/// The names of the instruction sets that engines can use on this machine, fastest first.
pub fn instruction_sets() -> Vec<&'static str> {
    InstructionSet::all(Precision::Bf16).into_iter().map(InstructionSet::name).collect()
}

/// The name of the instruction set that engines of this precision use on this machine.
pub fn instruction_set_of(precision: Precision) -> &'static str {
    InstructionSet::best(precision).name()
}

/// The extensions that instruction sets are made of, and whether this processor has them.
pub fn cpu_features() -> Vec<CpuFeature> {
    #[cfg(target_arch = "x86_64")]
    let sets = vec![
        ("AVX2", is_x86_feature_detected!("avx2")),
        ("FMA", is_x86_feature_detected!("fma")),
        ("AVX-512", is_x86_feature_detected!("avx512f")),
        ("AVX-512 bf16", is_x86_feature_detected!("avx512bf16")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let sets = Vec::new();
    sets.into_iter().map(|(name, present)| CpuFeature { name, present }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_has_the_portable_instruction_set_and_it_is_the_last() {
        assert_eq!(instruction_sets().last(), Some(&"portable"));
        for precision in [Precision::Bf16, Precision::Fp32] {
            assert!(instruction_sets().contains(&instruction_set_of(precision)), "{precision}");
        }
    }
}
