//! A language model worker around our own decoder: what `docs/engines.md` asks for, in Rust.
//!
//! `decoder_worker FOLDER`, where the folder is a checkpoint or a Hugging Face MPT model.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use sparkjoy_spec::{LanguageModel, Prompt, ScoredSequence};
use sparkjoy_train::ModelFolder;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or("usage: decoder_worker FOLDER")?;
    let folder = ModelFolder::open(Path::new(&folder))?;
    let mut model = folder.language_model(16, 1);
    let info = model.info();
    let hello = json!({
        "reply": "hello", "version": 1, "vocab": info.vocab, "context": info.context,
        "kernel": format!("decoder-worker-{}", info.kernel), "promise": info.promise,
    });
    send(&hello, &[])?;
    while let Some((header, arrays)) = receive()? {
        let number = |key: &str| header[key].as_u64().unwrap_or_default() as usize;
        match header["call"].as_str() {
            Some("losses") => {
                let nats = model.losses(number("context"), &arrays)?;
                send(&json!({ "reply": "losses" }), &floats(&nats))?;
            }
            Some("remember") => {
                model.remember(&arrays)?;
                send(&json!({ "reply": "remember" }), &[])?;
            }
            Some("score") => score(&mut model, (number("groups"), number("sequences")), &arrays)?,
            Some("generate") => generate(&mut model, number("prompts"), &arrays)?,
            _ => send(&json!({ "reply": "error", "error": format!("no call: {header}") }), &[])?,
        }
    }
    Ok(())
}

fn score(
    model: &mut dyn LanguageModel,
    (groups, sequences): (usize, usize),
    arrays: &[u32],
) -> Result<()> {
    let (sizes, rest) = arrays.split_at(groups);
    let (lengths, rest) = rest.split_at(sequences);
    let (scored, mut tokens) = rest.split_at(sequences);
    let mut all = lengths.iter().zip(scored).map(|(&length, &scored)| {
        let (own, rest) = tokens.split_at(length as usize);
        tokens = rest;
        ScoredSequence { tokens: own, scored: scored as usize }
    });
    let groups: Vec<Vec<_>> =
        sizes.iter().map(|&size| all.by_ref().take(size as usize).collect()).collect();
    let scores = model.score(&groups)?.concat().concat();
    let nats: Vec<f32> = scores.iter().map(|score| score.nats).collect();
    let greedy = scores.iter().map(|score| u8::from(score.greedy));
    send(&json!({ "reply": "score" }), &floats(&nats).into_iter().chain(greedy).collect::<Vec<_>>())
}

/// One row of logits at a time: our decoder asks for each token by itself.
fn generate(model: &mut dyn LanguageModel, prompts: usize, arrays: &[u32]) -> Result<()> {
    let (lengths, rest) = arrays.split_at(prompts);
    let (most, rest) = rest.split_at(prompts);
    let (samples, mut tokens) = rest.split_at(prompts);
    let mut requests = Vec::new();
    for ((&length, &most), &samples) in lengths.iter().zip(most).zip(samples) {
        let (own, rest) = tokens.split_at(length as usize);
        tokens = rest;
        requests.push(Prompt { tokens: own, most: most as usize, samples: samples as usize });
    }
    let mut failed = None;
    model.generate(&requests, &mut |prompt, sample, logits| {
        let row = || -> Result<Option<u32>> {
            let mut bytes = Vec::new();
            bytes.extend((prompt as u32).to_le_bytes());
            bytes.extend((sample as u32).to_le_bytes());
            bytes.extend(floats(logits));
            send(&json!({ "reply": "logits", "rows": 1 }), &bytes)?;
            let (_, tokens) = receive()?.ok_or("the input ended inside a text")?;
            Ok(tokens.first().copied().filter(|&token| token != u32::MAX))
        };
        row().unwrap_or_else(|error| {
            failed = Some(error);
            None
        })
    })?;
    match failed {
        Some(error) => Err(error),
        None => send(&json!({ "reply": "generate" }), &[]),
    }
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn send(header: &Value, arrays: &[u8]) -> Result<()> {
    let header = header.to_string();
    let mut output = io::stdout().lock();
    output.write_all(b"sjw1")?;
    output.write_all(&(header.len() as u32).to_le_bytes())?;
    output.write_all(&(arrays.len() as u64).to_le_bytes())?;
    output.write_all(header.as_bytes())?;
    output.write_all(arrays)?;
    Ok(output.flush()?)
}

/// Reads a message: its header and its arrays, one after another; nothing at the end of the input.
fn receive() -> Result<Option<(Value, Vec<u32>)>> {
    let mut input = io::stdin().lock();
    let mut prefix = [0; 16];
    match input.read_exact(&mut prefix) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let header = u32::from_le_bytes(prefix[4..8].try_into()?);
    let arrays = u64::from_le_bytes(prefix[8..].try_into()?);
    let mut bytes = vec![0; header as usize];
    input.read_exact(&mut bytes)?;
    let mut words = vec![0; arrays as usize];
    input.read_exact(&mut words)?;
    let words = words.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
    Ok(Some((serde_json::from_slice(&bytes)?, words)))
}
