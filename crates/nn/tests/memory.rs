//! Memory is known before the run, and a step allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use sparkjoy_base::Seed;
use sparkjoy_nn::{Compute, Engine, Optimizer, memory};
use sparkjoy_spec::{OptimizerKind, Precision, Shape};

/// The system's allocator, counting.
struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: passes every call on as it came; counting touches atomics only.
#[expect(unsafe_code, reason = "an allocator is an unsafe trait")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Relaxed);
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Relaxed);
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// One test, so that no other allocates meanwhile.
#[test]
fn an_engine_takes_what_its_shape_says_and_a_step_takes_nothing() {
    let shape =
        Shape { layers: 2, width: 64, heads: 4, context: 128, vocab: 512, clip_qkv: Some(6.0) };
    let kinds = [
        OptimizerKind::LionW { lr: 1e-3, betas: [0.9, 0.95], weight_decay: 1e-4 },
        OptimizerKind::AdamW { lr: 1e-3, betas: [0.9, 0.95], eps: 1e-8, weight_decay: 0.1 },
    ];
    let computes = [
        Compute::exact(2),
        Compute { precision: Precision::Bf16, recompute: false, threads: 2 },
        Compute { precision: Precision::Bf16, recompute: true, threads: 1 },
    ];
    let cases = kinds.into_iter().flat_map(|kind| computes.map(|compute| (kind, compute)));
    for ((kind, compute), batch) in cases.flat_map(|case| [1, 3, 40].map(|batch| (case, batch))) {
        let before = BYTES.load(Relaxed);
        let mut engine = Engine::new(shape, batch, compute).unwrap();
        let mut optimizer = Optimizer::new(kind, engine.weights().len());
        let taken = (BYTES.load(Relaxed) - before) as u64;
        let said = memory(&shape, batch, kind, compute);
        // The thread pool's queues; those of the engine before may only now be freed.
        assert!(taken.abs_diff(said) < 64 << 10, "{taken} bytes taken, {said} predicted");

        engine.init(Seed(1));
        let tokens = vec![3; batch * shape.context];
        let mut losses = vec![0.0; batch];
        let mut step = || {
            engine.loss_and_gradients(&tokens, &mut losses);
            engine.clip_gradients(Some(1.0));
            engine.update(&mut optimizer, 1e-3);
        };
        step();
        let calls = CALLS.load(Relaxed);
        for _ in 0..4 {
            step();
        }
        // The pool's queue of incoming work takes a block for every few dozen of them.
        let calls = CALLS.load(Relaxed) - calls;
        assert!(calls <= 4, "{calls} allocations in four steps of {batch}");
    }
}
