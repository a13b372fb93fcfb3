//! Every operation again, as plain loops in f64: what the formulas say and nothing more.

use crate::mpt::Mpt;
use crate::{Shape, alibi_slopes};

/// LayerNorm with a weight, row by row.
pub(super) fn norm(x: &[f64], weight: &[f64]) -> Vec<f64> {
    let d = weight.len() as f64;
    let row = |x: &[f64]| -> Vec<f64> {
        let mean = x.iter().sum::<f64>() / d;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d;
        x.iter().zip(weight).map(|(x, w)| (x - mean) / (variance + 1e-5).sqrt() * w).collect()
    };
    x.chunks(weight.len()).flat_map(row).collect()
}

/// `x·Wᵀ` with `w [n × k]`.
pub(super) fn linear(x: &[f64], w: &[f64], k: usize) -> Vec<f64> {
    let dot = |x: &[f64], w: &[f64]| x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
    x.chunks(k).flat_map(|x| w.chunks(k).map(move |w| dot(x, w))).collect()
}

/// x·Φ(x), with Φ integrated from 0 by Gauss's rule on short pieces.
pub(super) fn gelu(x: f64) -> f64 {
    let pieces = 40;
    let h = x / f64::from(pieces);
    let density = |t: f64| (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let (node, outer, inner) = (0.6_f64.sqrt() / 2.0, 5.0 / 18.0, 8.0 / 18.0);
    let piece = |i: i32| {
        let middle = (f64::from(i) + 0.5) * h;
        let sides = density(middle - node * h) + density(middle + node * h);
        h * (outer * sides + inner * density(middle))
    };
    x * (0.5 + (0..pieces).map(piece).sum::<f64>())
}

/// Causal attention with ALiBi on the clamped `qkv [T × 3D]` of one sequence.
pub(super) fn attention(qkv: &[f64], t: usize, heads: usize, clip: Option<f32>) -> Vec<f64> {
    let slopes = alibi_slopes(heads);
    let clip = clip.map_or(f64::INFINITY, f64::from);
    let d = qkv.len() / t / 3;
    let k = d / heads;
    let at = |part: usize, i: usize, c: usize| qkv[i * 3 * d + part * d + c].clamp(-clip, clip);
    let mut out = vec![0.0; t * d];
    for (h, &slope) in slopes.iter().enumerate() {
        let columns = h * k..(h + 1) * k;
        for i in 0..t {
            let score = |j: usize| {
                let dot: f64 = columns.clone().map(|c| at(0, i, c) * at(1, j, c)).sum();
                dot / (k as f64).sqrt() - f64::from(slope) * (i - j) as f64
            };
            let weights: Vec<f64> = (0..=i).map(|j| score(j).exp()).collect();
            let total: f64 = weights.iter().sum();
            for c in columns.clone() {
                let sum: f64 = weights.iter().zip(0..).map(|(w, j)| w * at(2, j, c)).sum();
                out[i * d + c] = sum / total;
            }
        }
    }
    out
}

/// Mean cross-entropy of one sequence's hidden states against its next tokens.
pub(super) fn head(hidden: &[f64], table: &[f64], tokens: &[u32]) -> f64 {
    let d = hidden.len() / tokens.len();
    let logits = linear(hidden, table, d);
    let vocab = table.len() / d;
    let losses = logits.chunks(vocab).zip(&tokens[1..]).map(|(row, &target)| {
        row.iter().map(|logit| logit.exp()).sum::<f64>().ln() - row[target as usize]
    });
    losses.sum::<f64>() / (tokens.len() - 1) as f64
}

/// The loss of a whole model on one sequence.
pub(super) fn model(shape: &Shape, weights: &[f64], tokens: &[u32]) -> f64 {
    let d = shape.width;
    let table = &weights[shape.embedding()];
    let embed = |&token: &u32| table[token as usize * d..][..d].iter().copied();
    let mut x: Vec<f64> = tokens.iter().flat_map(embed).collect();
    let add = |x: &mut [f64], y: &[f64]| x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
    for i in 0..shape.layers {
        let block = shape.block(i);
        let qkv = linear(&norm(&x, &weights[block.norm_1]), &weights[block.wqkv], d);
        let attended = attention(&qkv, tokens.len(), shape.heads, shape.clip_qkv);
        add(&mut x, &linear(&attended, &weights[block.out_proj], d));
        let up = linear(&norm(&x, &weights[block.norm_2]), &weights[block.up_proj], d);
        let hidden: Vec<f64> = up.iter().map(|&up| gelu(up)).collect();
        add(&mut x, &linear(&hidden, &weights[block.down_proj], 4 * d));
    }
    head(&norm(&x, &weights[shape.norm_f()]), table, tokens)
}
