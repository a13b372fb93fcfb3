//! One training step of the same model in other Rust frameworks, timed on demand.
//!
//! `peers burn|candle SHAPE` prints `ready` and JSON, then the seconds of one step for every line
//! read; `SHAPE` is a line of what the benchmark `step` prints for `shapes`. Threads: set
//! `RAYON_NUM_THREADS`. fp32 throughout: neither framework has faster bf16 on a CPU.

mod burn_step;
mod candle_step;

use std::io::BufRead;
use std::time::Instant;

use serde::Deserialize;

/// The model and the batch.
#[derive(Clone, Copy, Deserialize)]
struct Shape {
    layers: usize,
    width: usize,
    heads: usize,
    vocab: usize,
    context: usize,
    batch: usize,
}

/// LionW's constants, as in `step`.
const LR: f64 = 3e-4;
const KEEP: f64 = 1.0 - 1.2e-4;
const BETAS: [f64; 2] = [0.9, 0.95];

impl Shape {
    /// The same tokens as the other engines see.
    fn tokens(&self) -> Vec<u32> {
        (0..self.batch * self.context).map(|i| (i * 7919 % self.vocab) as u32).collect()
    }

    /// What is added to the scores, `[heads, context, context]`: ALiBi, and minus infinity for
    /// what lies ahead.
    fn bias(&self) -> Vec<f32> {
        let at = |h: usize, i: usize, j: usize| {
            let slope = (-8.0 * (h + 1) as f32 / self.heads as f32).exp2();
            if j > i { f32::NEG_INFINITY } else { -slope * (i - j) as f32 }
        };
        let t = self.context;
        (0..self.heads * t * t).map(|n| at(n / (t * t), n / t % t, n % t)).collect()
    }
}

/// Times `step` once per line. It returns the loss, so that nothing is left to be lazy about.
fn serve(kernel: &str, mut step: impl FnMut() -> f32) {
    let loss = step();
    assert!(loss.is_finite(), "the loss is {loss}");
    println!("ready {}", serde_json::json!({ "kernel": kernel, "loss": loss }));
    for _ in std::io::stdin().lock().lines() {
        let start = Instant::now();
        step();
        println!("{}", start.elapsed().as_secs_f64());
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, shape] = &words[..] else { panic!("peers burn|candle SHAPE") };
    let shape: Shape = serde_json::from_str(shape).expect("a shape as JSON");
    match name.as_str() {
        "burn" => burn_step::run(&shape),
        "candle" => candle_step::run(&shape).expect("candle computes the step"),
        other => panic!("no peer `{other}`, expected `burn` or `candle`"),
    }
}
