//! Times whole training steps, or prints what each of a few shapes takes.
//!
//! `cargo bench -p sparkjoy-nn --bench step` prints tokens per second of every shape;
//! `… --bench step -- serve SHAPE THREADS` times one step per line read from standard input, which
//! is how `compare.py` alternates with other engines.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::io::BufRead;
use std::time::Instant;

use sparkjoy_base::Seed;
use sparkjoy_nn::{Compute, Engine, Optimizer, OptimizerKind, Shape};

/// A shape with the number of sequences per step.
struct Case {
    name: &'static str,
    shape: Shape,
    batch: usize,
}

const fn case(
    name: &'static str,
    [layers, width, heads, vocab, context, batch]: [usize; 6],
) -> Case {
    Case { name, shape: Shape { layers, width, heads, context, vocab, clip_qkv: None }, batch }
}

/// Layers, width, heads, vocabulary, context, batch.
const CASES: [Case; 4] = [
    case("2M", [6, 128, 4, 4096, 256, 32]),
    case("4M", [6, 192, 6, 4096, 256, 32]),
    case("10M", [6, 256, 8, 8192, 256, 16]),
    case("40M", [8, 512, 8, 8192, 512, 4]),
];

/// One model in training.
struct Run {
    engine: Engine,
    optimizer: Optimizer,
    tokens: Vec<u32>,
    losses: Vec<f64>,
}

impl Run {
    fn new(case: &Case, threads: usize) -> Self {
        let mut engine = Engine::new(case.shape, case.batch, Compute::exact(threads))
            .expect("a shape that works");
        engine.init(Seed(17));
        let lion = OptimizerKind::LionW { lr: 3e-4, betas: [0.9, 0.95], weight_decay: 1.2e-4 };
        let optimizer = Optimizer::new(lion, engine.weights().len());
        let count = case.batch * case.shape.context;
        let tokens = (0..count).map(|i| (i * 7919 % case.shape.vocab) as u32).collect();
        Self { engine, optimizer, tokens, losses: vec![0.0; case.batch] }
    }

    /// Seconds of one step.
    fn step(&mut self) -> f64 {
        let start = Instant::now();
        self.engine.loss_and_gradients(&self.tokens, &mut self.losses);
        self.engine.clip_gradients(Some(1.0));
        self.engine.update(&mut self.optimizer, 3e-4);
        start.elapsed().as_secs_f64()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [serve, name, threads] = &words[..]
        && serve == "serve"
    {
        let case = CASES.iter().find(|case| case.name == name).expect("a known shape");
        let mut run = Run::new(case, threads.parse().expect("a number of threads"));
        run.step();
        println!("ready {}", run.engine.kernel());
        for _ in std::io::stdin().lock().lines() {
            println!("{}", run.step());
        }
        return;
    }
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    println!("shape  threads  kernel    tokens/s   GFLOP/s");
    for case in &CASES {
        let mut run = Run::new(case, threads);
        run.step();
        let seconds = median((0..5).map(|_| run.step()).collect());
        println!(
            "{:5}  {threads:7}  {:8}  {:8.0}  {:8.1}",
            case.name,
            run.engine.kernel(),
            run.tokens.len() as f64 / seconds,
            case.shape.flops(case.batch as u64) as f64 / seconds / 1e9,
        );
    }
}
