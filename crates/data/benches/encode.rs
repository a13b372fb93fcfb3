//! How many MB of text a second one thread encodes: `cargo bench -p sparkjoy-data`.
//!
//! Reads a few MB of each of four sources of the corpora beside the workspace; says so and stops
//! where there are none. Medians of alternating rounds, in MB of UTF-8 (10⁶ bytes).

#![expect(clippy::disallowed_types, reason = "a benchmark needs a clock")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops where its input is broken")]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Instant;

use sparkjoy_data::{Encoder, Tokenizer};

const BYTES: usize = 8_000_000;
const ROUNDS: usize = 7;
const VOCAB: u32 = 8_192;

const SOURCES: [(&str, &str); 4] = [
    ("English", "wiki/enwiki-articles"),
    ("markdown", "web/blogs"),
    ("code and prose", "code/rfcs-peps-proposals"),
    ("LaTeX", "math/stacks-project"),
];

/// Pangrams and proverbs: other scripts, few words.
const MULTILINGUAL: [&str; 6] = [
    "Съешь же ещё этих мягких французских булок, да выпей чаю. ",
    "いろはにほへとちりぬるを、我が世誰ぞ常ならむ。",
    "Größe allein ist kein Maß: übt, prüft, fügt zusammen. ",
    "千里之行，始于足下。学而时习之，不亦说乎？",
    "لا تؤجل عمل اليوم إلى الغد، فالوقت كالسيف. ",
    "다람쥐 헌 쳇바퀴에 타고파, 키스의 고유조건은. ",
];

fn main() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    if !corpora.is_dir() {
        println!("SKIPPED encode: no corpora at {}", corpora.display());
        return;
    }
    let mut texts: Vec<(&str, Vec<String>)> = SOURCES
        .iter()
        .map(|(name, source)| {
            (*name, documents(&corpora.join(format!("{source}.train.jsonl.zst"))))
        })
        .collect();
    let started = Instant::now();
    let sample: Vec<String> = texts.iter().flat_map(|(_, texts)| texts.clone()).collect();
    let trained = Tokenizer::train_bpe(&sample, VOCAB).unwrap();
    println!("{:.1} s to train {VOCAB} on {:.1} MB", seconds(started), megabytes(&sample));
    texts.push(("multilingual", multilingual()));

    println!("{:<16}{:>10}{:>10}", "MB/s", "cl100k", "bpe");
    let mut encoders = [Tokenizer::cl100k().encoder(), trained.encoder()];
    for (name, texts) in &texts {
        let mut speeds = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (encoder, speeds) in encoders.iter_mut().zip(&mut speeds) {
                speeds.push(speed(encoder, texts));
            }
        }
        let [cl100k, bpe] = speeds.map(median);
        println!("{name:<16}{cl100k:>10.1}{bpe:>10.1}");
    }
}

/// The first documents of a source, `BYTES` of text or a little more.
fn documents(path: &Path) -> Vec<String> {
    let lines = BufReader::new(zstd::Decoder::new(File::open(path).unwrap()).unwrap()).lines();
    let mut bytes = 0;
    lines
        .map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap())
        .map(|document| document["text"].as_str().unwrap().to_owned())
        .take_while(|text| {
            bytes += text.len();
            bytes - text.len() < BYTES
        })
        .collect()
}

fn multilingual() -> Vec<String> {
    let text: String = (0..1_000).map(|i| MULTILINGUAL[i * 7 % 11 % MULTILINGUAL.len()]).collect();
    vec![text; 20]
}

fn speed(encoder: &mut Encoder, texts: &[String]) -> f64 {
    let mut ids = Vec::new();
    let started = Instant::now();
    for text in texts {
        ids.clear();
        encoder.encode(text, &mut ids);
        std::hint::black_box(&ids);
    }
    megabytes(texts) / seconds(started)
}

fn megabytes(texts: &[String]) -> f64 {
    texts.iter().map(String::len).sum::<usize>() as f64 / 1e6
}

fn seconds(started: Instant) -> f64 {
    started.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
