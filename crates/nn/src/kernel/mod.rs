//! The inner loops, chosen once for the machine at hand.
//!
//! A [`Kernel`] multiplies a small block of rows by packed columns and runs elementwise loops with
//! the machine's widest vectors. It knows no model, starts no thread and allocates nothing; `gemm`
//! cuts large products into blocks. All `unsafe` of products lives below this module, behind
//! slices whose lengths are checked here.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
mod versions;

#[cfg(target_arch = "x86_64")]
use std::mem::MaybeUninit;

pub(crate) use versions::versions;

/// Depth of one pass over a block: 14 rows of this many values stay in half of a 32 KiB L1 cache.
#[cfg(target_arch = "x86_64")]
const DEPTH: usize = 256;
/// Columns whose packed rows of one pass stay in the L2 cache (256 KiB).
#[cfg(target_arch = "x86_64")]
const SPAN: usize = 256;
/// Packed columns are padded to a multiple of this, the widest panel.
pub(crate) const PADDING: usize = 32;
/// Columns of A at most this far apart are read where they lie.
#[cfg(target_arch = "x86_64")]
const NEAR: usize = 64;
/// The most rows of a register tile.
#[cfg(target_arch = "x86_64")]
const TILE_ROWS: usize = 14;

/// The set of instructions the inner loops are written for.
///
/// # Guarantees
///
/// On one kernel the same numbers come out whatever the number of threads; two kernels round
/// differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// 14 × 32 register tiles of AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 6 × 16 register tiles of AVX2 with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// `matrixmultiply` and what the compiler makes of plain loops.
    Portable,
}

/// The left factor of a product, `A[i, k] = data[i·row + k·column]`.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a> {
    /// Values.
    pub(crate) data: &'a [f32],
    /// Distance between rows.
    pub(crate) row: usize,
    /// Distance between columns.
    pub(crate) column: usize,
}

/// The right factor: columns in panels, each panel's rows one after another.
///
/// With panels of `w` columns, `B[k, j]` lies at `(j / w)·rows·w + k·w + j % w`.
#[derive(Clone, Copy)]
pub(crate) struct Panels<'a> {
    /// Values.
    pub(crate) data: &'a [f32],
    /// Rows of the whole packed matrix.
    pub(crate) rows: usize,
    /// Columns of the whole packed matrix.
    pub(crate) columns: usize,
    /// First row of this product.
    pub(crate) first: usize,
    /// First column of this product, where a panel begins.
    pub(crate) column: usize,
}

/// Rows, columns and depth of a product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Rows of the result.
    pub(crate) m: usize,
    /// Columns of the result.
    pub(crate) n: usize,
    /// Terms of each sum.
    pub(crate) k: usize,
}

/// Whether a product replaces what the result held or is added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// `C = A·B`.
    Replace,
    /// `C += A·B`.
    Add,
}

impl Kernel {
    /// The fastest kernel this machine can run.
    pub(crate) fn best() -> Self {
        Self::all()[0]
    }

    /// Every kernel this machine can run, fastest first.
    pub(crate) fn all() -> Vec<Self> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let fused = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
            if fused && wide {
                kernels.push(Self::Avx512);
            }
            if fused {
                kernels.push(Self::Avx2);
            }
        }
        kernels.push(Self::Portable);
        kernels
    }

    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    /// Rows of a register tile: blocks of a multiple of this many rows waste nothing.
    pub(crate) fn tile_rows(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => 14,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => 6,
            Self::Portable => 8,
        }
    }

    /// Columns of a packed panel of a matrix with `columns` columns.
    pub(crate) fn panel(self, columns: usize) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => 32,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => 16,
            // The crate packs by itself and is best given whole rows.
            Self::Portable => columns,
        }
    }

    /// One block: `C (+)= A·B`, `C[i, j] = c[i·row_c + j]`.
    ///
    /// # Panics
    ///
    /// If a slice is too short for the size.
    pub(crate) fn multiply(
        self,
        size: Size,
        a: Left<'_>,
        b: Panels<'_>,
        (c, row_c): (&mut [f32], usize),
        store: Store,
    ) {
        let Size { m, n, k } = size;
        if m == 0 || n == 0 || k == 0 {
            return;
        }
        assert!(a.data.len() > (m - 1) * a.row + (k - 1) * a.column, "left factor too short");
        assert!(n <= row_c && c.len() >= (m - 1) * row_c + n, "result too short");
        assert!(b.column + n <= b.columns && b.first + k <= b.rows, "right factor too small");
        assert!(b.data.len() >= packed_len(b.rows, b.columns, self), "right factor too short");
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => self.tiles(size, a, b, (c, row_c), store, avx512::tile),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => self.tiles(size, a, b, (c, row_c), store, avx2::tile),
            Self::Portable => portable::multiply(size, a, b, (c, row_c), store),
        }
    }

    /// Cuts a block into register tiles.
    #[cfg(target_arch = "x86_64")]
    fn tiles(
        self,
        Size { m, n, k }: Size,
        a: Left<'_>,
        b: Panels<'_>,
        (c, row_c): (&mut [f32], usize),
        store: Store,
        tile: impl Fn(Tile<'_>),
    ) {
        let (rows, width) = (self.tile_rows(), self.panel(n));
        let gathers = a.column > NEAR;
        let mut packed = [MaybeUninit::uninit(); TILE_ROWS * DEPTH];
        // Where A must be gathered, gather it once: then all columns are one span.
        let span = if gathers { n } else { SPAN };
        for k0 in (0..k).step_by(DEPTH) {
            let depth = DEPTH.min(k - k0);
            let replace = k0 == 0 && store == Store::Replace;
            for span0 in (0..n).step_by(span) {
                for i in (0..m).step_by(rows) {
                    let high = rows.min(m - i);
                    let mut left = Left { data: &a.data[i * a.row + k0 * a.column..], ..a };
                    if gathers {
                        let data = gather(left, (high, depth), &mut packed);
                        left = Left { data, row: 1, column: high };
                    }
                    for j in (span0..n.min(span0 + span)).step_by(width) {
                        let start = (b.column + j) * b.rows + (b.first + k0) * width;
                        tile(Tile {
                            rows: high,
                            columns: width.min(n - j),
                            depth,
                            a: left,
                            b: &b.data[start..start + depth * width],
                            c: &mut c[i * row_c + j..],
                            row_c,
                            replace,
                        });
                    }
                }
            }
        }
    }
}

/// One register tile: `rows × columns` values of the result, summed over `depth`.
#[cfg(target_arch = "x86_64")]
struct Tile<'a> {
    rows: usize,
    columns: usize,
    depth: usize,
    a: Left<'a>,
    b: &'a [f32],
    c: &'a mut [f32],
    row_c: usize,
    replace: bool,
}

#[cfg(target_arch = "x86_64")]
impl Tile<'_> {
    /// The bounds every tile relies on when it leaves slices for pointers.
    fn check(&self, width: usize) {
        let Self { rows, columns, depth, a, b, c, row_c, .. } = self;
        assert!(*rows > 0 && *depth > 0 && (1..=width).contains(columns));
        assert!(a.data.len() > (rows - 1) * a.row + (depth - 1) * a.column);
        assert!(b.len() >= depth * width);
        assert!(c.len() >= (rows - 1) * row_c + columns);
    }
}

/// Copies `rows × depth` values of the left factor so that a tile reads them in order.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "a buffer that is written before it is read")]
fn gather<'a>(
    a: Left<'_>,
    (rows, depth): (usize, usize),
    packed: &'a mut [MaybeUninit<f32>],
) -> &'a [f32] {
    assert_eq!(a.row, 1, "columns that lie apart are rows that lie close");
    let packed = &mut packed[..rows * depth];
    for (k, out) in packed.chunks_exact_mut(rows).enumerate() {
        let start = k * a.column;
        out.write_copy_of_slice(&a.data[start..start + rows]);
    }
    // SAFETY: `rows` divides the length, so the loop has written every value.
    unsafe { packed.assume_init_ref() }
}

/// Values a packed `rows × columns` matrix takes.
pub(crate) fn packed_len(rows: usize, columns: usize, kernel: Kernel) -> usize {
    columns.next_multiple_of(kernel.panel(columns)) * rows
}
