//! One plain loop, compiled for every set of instructions.

/// Declares `fn name(kernel: Kernel, …)` that runs `body(…)`, an `#[inline(always)]` function of
/// plain Rust, compiled with the vector instructions of `kernel`.
///
/// The body is the same on every kernel and never fuses a product with a sum by itself, so that
/// its results are the same on all of them.
macro_rules! versions {
    ($(
        $(#[$doc:meta])*
        $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:path;
    )*) => {$(
        $(#[$doc])*
        #[cfg_attr(
            target_arch = "x86_64",
            expect(unsafe_code, reason = "calls a function compiled for detected instructions")
        )]
        $vis fn $name(kernel: $crate::kernel::Kernel, $($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? { $body($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? { $body($($arg),*) }
                match kernel {
                    $crate::kernel::Kernel::Avx512 => {
                        // SAFETY: `Kernel::all` lists Avx512 only where these features are.
                        return unsafe { avx512($($arg),*) };
                    }
                    $crate::kernel::Kernel::Avx2 => {
                        // SAFETY: `Kernel::all` lists Avx2 only where these features are.
                        return unsafe { avx2($($arg),*) };
                    }
                    $crate::kernel::Kernel::Portable => {}
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            let $crate::kernel::Kernel::Portable = kernel;
            $body($($arg),*)
        }
    )*};
}
pub(crate) use versions;
