//! What the machine can do at most: multiply-adds between registers, nothing loaded or stored.
//!
//! Shares are taken of this number, measured beside the steps: a shared machine changes its clock,
//! and a data sheet knows neither that nor what the hypervisor leaves.

use serde::Serialize;

/// The most of each kind, in GFLOP/s of all threads together; `None` without the instructions.
#[derive(Serialize)]
pub(crate) struct Ceiling {
    fp32: Option<f64>,
    pub(crate) bf16: Option<f64>,
}

impl Ceiling {
    /// Measures for about a tenth of a second each.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn measure(threads: usize) -> Self {
        Self { fp32: x86::fp32(threads), bf16: x86::bf16(threads) }
    }

    /// Unknown: no loop is written for this processor.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn measure(_threads: usize) -> Self {
        Self { fp32: None, bf16: None }
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "instructions that a processor may lack, after asking it")]
mod x86 {
    use std::arch::x86_64::{
        __m512, __m512bh, _mm512_add_ps, _mm512_dpbf16_ps, _mm512_fmadd_ps, _mm512_reduce_add_ps,
        _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps,
    };
    use std::hint::black_box;
    use std::time::Instant;

    /// Sums in flight: more than the latency of a multiply-add times its units, and with the two
    /// factors fewer than the 32 registers.
    const SUMS: usize = 24;

    /// Multiply-adds per sum.
    const ROUNDS: usize = 10_000_000;

    pub(super) fn fp32(threads: usize) -> Option<f64> {
        is_x86_feature_detected!("avx512f").then(|| {
            gflops(threads, 16, || {
                // SAFETY: the instructions were detected above.
                unsafe { fp32_loop() }
            })
        })
    }

    pub(super) fn bf16(threads: usize) -> Option<f64> {
        let known = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16");
        known.then(|| {
            gflops(threads, 32, || {
                // SAFETY: the instructions were detected above.
                unsafe { bf16_loop() }
            })
        })
    }

    /// Runs `work` on each of `threads`; one instruction is `products` multiply-adds.
    fn gflops(threads: usize, products: usize, work: impl Fn() -> f32 + Sync) -> f64 {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| black_box(work()));
            }
        });
        (2 * products * SUMS * ROUNDS * threads) as f64 / start.elapsed().as_secs_f64() / 1e9
    }

    #[target_feature(enable = "avx512f")]
    fn fp32_loop() -> f32 {
        let (a, b) = black_box((_mm512_set1_ps(1.0), _mm512_set1_ps(1.0)));
        let mut sums = [_mm512_setzero_ps(); SUMS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(a, b, *sum);
            }
        }
        total(&sums)
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    fn bf16_loop() -> f32 {
        let ones = _mm512_set1_epi32(0x3f80_3f80);
        // SAFETY: both are 64 bytes of which every pattern is a value.
        let ones: __m512bh = unsafe { std::mem::transmute(ones) };
        let (a, b) = black_box((ones, ones));
        let mut sums = [_mm512_setzero_ps(); SUMS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm512_dpbf16_ps(*sum, a, b);
            }
        }
        total(&sums)
    }

    #[target_feature(enable = "avx512f")]
    fn total(sums: &[__m512; SUMS]) -> f32 {
        let zero = _mm512_setzero_ps();
        _mm512_reduce_add_ps(sums.iter().fold(zero, |a, &b| _mm512_add_ps(a, b)))
    }
}
