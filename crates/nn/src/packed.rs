//! Every matrix of the model packed as a right factor in both directions, once per step.

use crate::Shape;
use crate::aligned::{Aligned, Rest, lines_of};
use crate::element::Element;
use crate::gemm;
use crate::kernel::{Kernel, Panels, Right, packed_len};
use crate::mpt::Mpt;

/// Which matrix: the embedding, or one of a block's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matrix {
    Embedding,
    Wqkv(usize),
    OutProj(usize),
    UpProj(usize),
    DownProj(usize),
}

impl Matrix {
    /// Where it is among all, in order.
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

    /// Where it lies among the weights.
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

/// Room for one matrix in both directions, on any kernel: `x·Wᵀ`, then `dy·W`.
fn rooms<E: Element>(matrix: Matrix, shape: &Shape) -> [usize; 2] {
    let (n, k) = matrix.size(shape);
    [lines_of::<E>(gemm::room(k, n)), lines_of::<E>(gemm::room(n, k))]
}

/// Values (of f32) the packed weights take.
pub(crate) fn room<E: Element>(shape: &Shape) -> usize {
    Matrix::all(shape).flat_map(|matrix| rooms::<E>(matrix, shape)).sum()
}

/// The packed weights.
#[derive(Debug)]
pub(crate) struct Packed {
    values: Aligned,
    /// Where each matrix's room for `x·Wᵀ` and for `dy·W` begins.
    starts: Vec<[usize; 2]>,
}

impl Packed {
    /// Room, nothing packed.
    pub(crate) fn new<E: Element>(shape: &Shape) -> Self {
        let mut end = 0;
        let mut next = |room| {
            end += room;
            end - room
        };
        let starts =
            Matrix::all(shape).map(|matrix| rooms::<E>(matrix, shape).map(&mut next)).collect();
        Self { values: Aligned::new(end), starts }
    }

    /// Packs all weights; those of the way back only if `back`.
    pub(crate) fn pack<E: Element>(
        &mut self,
        kernel: Kernel,
        shape: &Shape,
        weights: &[f32],
        back: bool,
    ) {
        let mut rest = Rest(self.values.values_mut());
        for matrix in Matrix::all(shape) {
            let (n, k) = matrix.size(shape);
            let data = &weights[matrix.range(shape)];
            let forward = Right::Across { data, column: k };
            gemm::pack::<f32, E>(kernel, forward, (k, n), rest.take(gemm::room(k, n)));
            let room = rest.take(gemm::room(n, k));
            if back {
                gemm::pack::<f32, E>(kernel, Right::Along { data, row: k }, (n, k), room);
            }
        }
    }

    /// `Wᵀ`, the right factor of `x·Wᵀ`.
    pub(crate) fn forward<E: Element>(
        &self,
        kernel: Kernel,
        shape: &Shape,
        matrix: Matrix,
    ) -> Panels<'_, E> {
        let (n, k) = matrix.size(shape);
        self.panels(kernel, self.starts[matrix.index()][0], (k, n))
    }

    /// `W`, the right factor of `dy·W`.
    pub(crate) fn back<E: Element>(
        &self,
        kernel: Kernel,
        shape: &Shape,
        matrix: Matrix,
    ) -> Panels<'_, E> {
        self.panels(kernel, self.starts[matrix.index()][1], matrix.size(shape))
    }

    fn panels<E: Element>(
        &self,
        kernel: Kernel,
        start: usize,
        (rows, columns): (usize, usize),
    ) -> Panels<'_, E> {
        let len = packed_len::<E>(kernel, rows, columns);
        let room = &self.values.values()[start..][..lines_of::<E>(len)];
        let data = &bytemuck::cast_slice(room)[..len];
        Panels { data, rows, columns, first: 0, column: 0 }
    }
}
