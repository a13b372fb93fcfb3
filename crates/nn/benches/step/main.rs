//! Times whole training steps, or prints what each of a few shapes takes.
//!
//! - `cargo bench -p sparkjoy-nn --bench step` prints tokens per second of every shape.
//! - `… -- shapes` prints the shapes as JSON, one a line: the only list of them.
//! - `… -- serve SHAPE THREADS PRECISION` times one step per line read from standard input, which
//!   is how `compare.py` alternates with other engines.
//! - `… -- ceiling THREADS` measures the machine's most, likewise per line.
//! - `… -- products SHAPE THREADS` prints how near each product of a step comes to it.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

mod ceiling;

use std::io::BufRead;
use std::time::Instant;

use serde_json::json;
use sparkjoy_base::Seed;
use sparkjoy_nn::{Compute, Engine, Optimizer, ProductSpeed, measure_products};
use sparkjoy_spec::{OptimizerKind, Precision, Shape};

use crate::ceiling::Ceiling;

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
const CASES: [Case; 6] = [
    case("1M", [4, 128, 4, 4096, 256, 32]),
    case("2M", [6, 128, 4, 4096, 256, 32]),
    case("4M", [6, 192, 6, 4096, 256, 32]),
    case("10M", [6, 256, 8, 8192, 256, 16]),
    case("40M", [8, 512, 8, 8192, 512, 4]),
    case("125M", [12, 768, 12, 50_368, 1024, 2]),
];

impl Case {
    fn tokens(&self) -> usize {
        self.batch * self.shape.context
    }

    fn flops(&self) -> u64 {
        u64::try_from(self.shape.flops(self.batch as u64)).expect("a shape of this file")
    }

    fn json(&self) -> serde_json::Value {
        let Shape { layers, width, heads, context, vocab, .. } = self.shape;
        json!({
            "name": self.name, "layers": layers, "width": width, "heads": heads, "vocab": vocab,
            "context": context, "batch": self.batch, "tokens": self.tokens(),
            "flops": self.flops(),
        })
    }
}

struct Run {
    engine: Engine,
    optimizer: Optimizer,
    tokens: Vec<u32>,
    losses: Vec<f64>,
}

impl Run {
    fn new(case: &Case, compute: Compute) -> Self {
        let mut engine = Engine::new(case.shape, case.batch, compute).expect("a shape that works");
        engine.init(Seed(17));
        let lion = OptimizerKind::LionW { lr: 3e-4, betas: [0.9, 0.95], weight_decay: 1.2e-4 };
        let optimizer = Optimizer::new(lion, engine.weights().len());
        let tokens = (0..case.tokens()).map(|i| (i * 7919 % case.shape.vocab) as u32).collect();
        Self { engine, optimizer, tokens, losses: vec![0.0; case.batch] }
    }

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

/// Says what `answer` does, once per line of standard input.
fn serve(ready: &serde_json::Value, mut answer: impl FnMut() -> serde_json::Value) {
    println!("ready {ready}");
    for _ in std::io::stdin().lock().lines() {
        println!("{}", answer());
    }
}

fn serve_steps(name: &str, threads: &str, precision: &str) {
    let case = CASES.iter().find(|case| case.name == name).expect("a known shape");
    let precision = match precision {
        "bf16" => Precision::Bf16,
        "fp32" => Precision::Fp32,
        other => panic!("precision is `{other}`, expected `bf16` or `fp32`"),
    };
    let threads = threads.parse().expect("a number of threads");
    let mut run = Run::new(case, Compute { precision, recompute: false, threads });
    run.step();
    let ready = json!({ "kernel": run.engine.instruction_set().to_string(), "case": case.json() });
    serve(&ready, || run.step().into());
}

/// The products of a step in bf16 with their shares of a ceiling measured before and after.
fn print_products(name: &str, threads: &str) {
    let case = CASES.iter().find(|case| case.name == name).expect("a known shape");
    let threads: usize = threads.parse().expect("a number of threads");
    let compute = Compute { precision: Precision::Bf16, recompute: false, threads };
    let before = Ceiling::measure(threads);
    let products = measure_products(case.shape, case.batch, compute);
    let after = Ceiling::measure(threads);
    let ceiling = before.bf16.zip(after.bf16).map(|(before, after)| f64::midpoint(before, after));
    let share = |gflops: f64| match ceiling {
        Some(ceiling) => format!("{:5.1} %", 100.0 * gflops / ceiling),
        None => "unknown".to_owned(),
    };
    println!("\nproducts of a step of {name} in bf16, {threads} threads, packing included");
    println!(
        "{:18} {:>22} {:>9} {:>8}  of ceiling",
        "", "rows × columns × terms", "GFLOP", "GFLOP/s"
    );
    let (mut flops, mut seconds) = (0.0, 0.0);
    for ProductSpeed { name, size: [m, n, k], flops: of, flops_per_second } in products {
        let gflops = flops_per_second / 1e9;
        let size = format!("{m} × {n} × {k}");
        println!("{name:18} {size:>22} {:9.1} {gflops:8.1}  {}", of / 1e9, share(gflops));
        flops += of;
        seconds += of / flops_per_second;
    }
    let gflops = flops / seconds / 1e9;
    println!("{:18} {:>22} {:9.1} {gflops:8.1}  {}", "together", "", flops / 1e9, share(gflops));
}

fn print_all() {
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    println!("shape  threads  kernel    tokens/s   GFLOP/s");
    for case in &CASES {
        let compute = Compute { precision: Precision::Bf16, recompute: false, threads };
        let mut run = Run::new(case, compute);
        run.step();
        let seconds = median((0..5).map(|_| run.step()).collect());
        println!(
            "{:5}  {threads:7}  {:8}  {:8.0}  {:8.1}",
            case.name,
            run.engine.instruction_set(),
            case.tokens() as f64 / seconds,
            case.flops() as f64 / seconds / 1e9,
        );
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", name, threads, precision] => serve_steps(name, threads, precision),
        ["ceiling", threads] => {
            let threads = threads.parse().expect("a number of threads");
            serve(&json!({}), || json!(Ceiling::measure(threads)));
        }
        ["products", name, threads] => print_products(name, threads),
        ["shapes"] => CASES.iter().for_each(|case| println!("{}", case.json())),
        _ => print_all(),
    }
}
