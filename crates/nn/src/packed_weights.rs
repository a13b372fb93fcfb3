//! The weight matrices, packed as right factors for the forward and the backward pass, once per
//! step.

use crate::Shape;
use crate::aligned::{Aligned, Rest, lines_of};
use crate::element::Element;
use crate::gemm;
use crate::kernel::{InstructionSet, PackedRight, Right, packed_len};
use crate::mpt::Mpt;

/// A weight matrix: the embedding, or one of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matrix {
    Embedding,
    Wqkv(usize),
    OutProj(usize),
    UpProj(usize),
    DownProj(usize),
}

impl Matrix {
    /// Its index in the order of [`Matrix::all`].
    fn index(self) -> usize {
        match self {
            Self::Embedding => 0,
            Self::Wqkv(block) => 1 + 4 * block,
            Self::OutProj(block) => 2 + 4 * block,
            Self::UpProj(block) => 3 + 4 * block,
            Self::DownProj(block) => 4 + 4 * block,
        }
    }

    /// Every matrix of a shape.
    fn all(shape: &Shape) -> impl Iterator<Item = Self> {
        let block = |i| [Self::Wqkv(i), Self::OutProj(i), Self::UpProj(i), Self::DownProj(i)];
        [Self::Embedding].into_iter().chain((0..shape.layers).flat_map(block))
    }

    /// Rows (outputs) and columns (inputs).
    pub(crate) fn size(self, shape: &Shape) -> (usize, usize) {
        let d = shape.width;
        match self {
            Self::Embedding => (shape.vocab, d),
            Self::Wqkv(_) => (3 * d, d),
            Self::OutProj(_) => (d, d),
            Self::UpProj(_) => (4 * d, d),
            Self::DownProj(_) => (d, 4 * d),
        }
    }

    /// Its range in the flat weights.
    pub(crate) fn range(self, shape: &Shape) -> std::ops::Range<usize> {
        match self {
            Self::Embedding => shape.embedding(),
            Self::Wqkv(i) => shape.block(i).wqkv,
            Self::OutProj(i) => shape.block(i).out_proj,
            Self::UpProj(i) => shape.block(i).up_proj,
            Self::DownProj(i) => shape.block(i).down_proj,
        }
    }
}

/// Values (of f32) of one packed matrix in both directions, on any instruction set: `x·Wᵀ`, then
/// `dy·W`.
fn matrix_lens<E: Element>(matrix: Matrix, shape: &Shape) -> [usize; 2] {
    let (n, k) = matrix.size(shape);
    [lines_of::<E>(gemm::packed_len_max(k, n)), lines_of::<E>(gemm::packed_len_max(n, k))]
}

/// Values (of f32) of all packed weights.
pub(crate) fn weights_len<E: Element>(shape: &Shape) -> usize {
    Matrix::all(shape).flat_map(|matrix| matrix_lens::<E>(matrix, shape)).sum()
}

#[derive(Debug)]
pub(crate) struct PackedWeights {
    values: Aligned,
    /// Where the buffers of each matrix for `x·Wᵀ` and for `dy·W` begin.
    starts: Vec<[usize; 2]>,
}

impl PackedWeights {
    /// Allocates the buffers; nothing is packed yet.
    pub(crate) fn new<E: Element>(shape: &Shape) -> Self {
        let mut end = 0;
        let mut next = |len| {
            end += len;
            end - len
        };
        let starts = Matrix::all(shape)
            .map(|matrix| matrix_lens::<E>(matrix, shape).map(&mut next))
            .collect();
        Self { values: Aligned::new(end), starts }
    }

    /// Packs all weights; those for the backward pass only if `back`.
    pub(crate) fn pack<E: Element>(
        &mut self,
        isa: InstructionSet,
        shape: &Shape,
        weights: &[f32],
        back: bool,
    ) {
        let mut rest = Rest(self.values.values_mut());
        for matrix in Matrix::all(shape) {
            let (n, k) = matrix.size(shape);
            let data = &weights[matrix.range(shape)];
            let forward = Right::Across { data, column: k };
            gemm::pack::<f32, E>(isa, forward, (k, n), rest.take(gemm::packed_len_max(k, n)));
            let buffer = rest.take(gemm::packed_len_max(n, k));
            if back {
                gemm::pack::<f32, E>(isa, Right::Along { data, row: k }, (n, k), buffer);
            }
        }
    }

    /// `Wᵀ`, the right factor of `x·Wᵀ`.
    pub(crate) fn forward<E: Element>(
        &self,
        isa: InstructionSet,
        shape: &Shape,
        matrix: Matrix,
    ) -> PackedRight<'_, E> {
        let (n, k) = matrix.size(shape);
        self.factor(isa, self.starts[matrix.index()][0], (k, n))
    }

    /// `W`, the right factor of `dy·W`.
    pub(crate) fn back<E: Element>(
        &self,
        isa: InstructionSet,
        shape: &Shape,
        matrix: Matrix,
    ) -> PackedRight<'_, E> {
        self.factor(isa, self.starts[matrix.index()][1], matrix.size(shape))
    }

    fn factor<E: Element>(
        &self,
        isa: InstructionSet,
        start: usize,
        (rows, columns): (usize, usize),
    ) -> PackedRight<'_, E> {
        let len = packed_len::<E>(isa, rows, columns);
        let values = &self.values.values()[start..][..lines_of::<E>(len)];
        let data = &bytemuck::cast_slice(values)[..len];
        PackedRight { data, rows, columns, first: 0, column: 0 }
    }
}
