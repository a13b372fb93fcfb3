//! One plain loop, compiled for every instruction set.

/// Declares `fn name(isa: InstructionSet, …)` that runs `body(…)`, an `#[inline(always)]` function
/// of plain Rust, compiled with the vector instructions of `isa`.
///
/// A body that ends in `, fused` is told whether the machine rounds a product and a sum as one:
/// there [`math::fma`](crate::math::fma) is one instruction.
macro_rules! versions {
    ($(
        $(#[$doc:meta])*
        $vis:vis fn $name:ident $(<$($g:ident: $bound:path),*>)? (
            $($arg:ident: $ty:ty),* $(,)?
        ) $(-> $ret:ty)? = $body:path $(, $fused:ident)?;
    )*) => {$(
        $(#[$doc])*
        #[cfg_attr(
            target_arch = "x86_64",
            expect(unsafe_code, reason = "calls a function compiled for detected instructions")
        )]
        $vis fn $name $(<$($g: $bound),*>)? (
            isa: $crate::kernel::InstructionSet,
            $($arg: $ty),*
        ) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
                fn avx512 $(<$($g: $bound),*>)? ($($arg: $ty),*) $(-> $ret)? {
                    $body($($arg,)* $({ let $fused = true; $fused })?)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2 $(<$($g: $bound),*>)? ($($arg: $ty),*) $(-> $ret)? {
                    $body($($arg,)* $({ let $fused = true; $fused })?)
                }
                match isa {
                    $crate::kernel::InstructionSet::Avx512Bf16
                    | $crate::kernel::InstructionSet::Avx512 => {
                        // SAFETY: `InstructionSet::all` lists Avx512 only where these features are.
                        return unsafe { avx512($($arg),*) };
                    }
                    $crate::kernel::InstructionSet::Avx2 => {
                        // SAFETY: `InstructionSet::all` lists Avx2 only where these features are.
                        return unsafe { avx2($($arg),*) };
                    }
                    $crate::kernel::InstructionSet::Portable => {}
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            let $crate::kernel::InstructionSet::Portable = kernel;
            $body($($arg,)* $({ let $fused = cfg!(target_arch = "aarch64"); $fused })?)
        }
    )*};
}
pub(crate) use versions;
