//! The embedding: rows of a table, and their gradients.

use rayon::prelude::*;

use crate::parallel::ROWS;

/// Parts the table is cut into where gradients are scattered.
const PARTS: usize = 32;

/// `out[n] = table[tokens[n]]`.
///
/// - `table`: `[V × D]`; `out`: `[N × D]`.
pub(crate) fn forward(tokens: &[u32], table: &[f32], out: &mut [f32], d: usize) {
    out.par_chunks_mut(ROWS * d).zip(tokens.par_chunks(ROWS)).for_each(|(out, tokens)| {
        for (out, &token) in out.chunks_exact_mut(d).zip(tokens) {
            let start = token as usize * d;
            out.copy_from_slice(&table[start..start + d]);
        }
    });
}

/// `dtable[tokens[n]] += dx[n]`, tokens in order within every row.
pub(crate) fn backward(tokens: &[u32], dx: &[f32], dtable: &mut [f32], d: usize) {
    let rows = (dtable.len() / d).div_ceil(PARTS);
    dtable.par_chunks_mut(rows * d).enumerate().for_each(|(part, dtable)| {
        let mine = part * rows..part * rows + dtable.len() / d;
        for (&token, dx) in tokens.iter().zip(dx.chunks_exact(d)) {
            if mine.contains(&(token as usize)) {
                let start = (token as usize - mine.start) * d;
                for (sum, dx) in dtable[start..start + d].iter_mut().zip(dx) {
                    *sum += dx;
                }
            }
        }
    });
}
