//! What factors of products are stored as: fp32, or bfloat16 in half the memory.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{
    GatherBuffer, InstructionSet, LANES, Left, PackedRight, Size, Store, Tile, plain, portable,
    tiles,
};
#[cfg(target_arch = "x86_64")]
use crate::kernel::{avx2, avx512};

/// The brain float: the upper half of an fp32, 8 bits of significand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct Bf16(u16);

impl From<f32> for Bf16 {
    /// Rounds to nearest, ties to even. Every NaN that arithmetic makes stays one.
    #[inline(always)]
    fn from(value: f32) -> Self {
        let bits = value.to_bits();
        let half = 0x7fff + (bits >> 16 & 1);
        Self((bits.wrapping_add(half) >> 16) as u16)
    }
}

/// A factor of a product. Sums are fp32 whatever it is.
pub(crate) trait Element: Pod + Default + Send + Sync + From<f32> {
    /// Values that a register tile multiplies at once, one after another along the sum: together
    /// they take four bytes. Packed factors keep such groups side by side.
    const GROUP: usize;

    /// The value, exactly.
    fn value(self) -> f32;

    /// Rows of a register tile: blocks of a multiple of this many rows waste nothing.
    fn tile_rows(isa: InstructionSet) -> usize;

    /// Columns of a column block of a packed matrix with `columns` columns.
    fn block_columns(isa: InstructionSet, columns: usize) -> usize;

    /// Whether `isa` leaves products to a crate that packs its left factor by itself.
    fn packs_by_itself(isa: InstructionSet) -> bool;

    /// `C (+)= A·B` for a block. The lengths have been checked.
    fn multiply(
        isa: InstructionSet,
        size: Size,
        factors: (Left<'_, Self>, PackedRight<'_, Self>),
        result: (&mut [f32], usize),
        store: Store,
        gather: &mut GatherBuffer<'_>,
    );

    /// Computes a register tile.
    fn tile(isa: InstructionSet, tile: Tile<'_, Self>);

    /// Rounds rows that follow each other along the sum and puts their groups side by side; zeros
    /// for a second row that is missing.
    fn interleave<S: Becomes<Self>>(first: &[S], second: Option<&[S]>, out: &mut [Self]);

    /// The groups of [`LANES`] rows, from as many values of two columns that follow each other;
    /// where a group is one value, the first is all.
    fn group(first: &[Self], second: &[Self]) -> [u32; LANES];
}

/// Something that is packed as `E`: itself, or fp32 that is rounded.
pub(crate) trait Becomes<E>: Copy + Send + Sync + Into<E> {}

impl<S: Copy + Send + Sync + Into<E>, E> Becomes<E> for S {}

impl Element for f32 {
    const GROUP: usize = 1;

    #[inline(always)]
    fn value(self) -> f32 {
        self
    }

    fn tile_rows(isa: InstructionSet) -> usize {
        match isa {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512Bf16 | InstructionSet::Avx512 => 14,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => 6,
            InstructionSet::Portable => 8,
        }
    }

    fn block_columns(isa: InstructionSet, columns: usize) -> usize {
        match isa {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512Bf16 | InstructionSet::Avx512 => 32,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => 16,
            // The crate packs by itself and is best given whole rows.
            InstructionSet::Portable => columns,
        }
    }

    fn packs_by_itself(isa: InstructionSet) -> bool {
        isa == InstructionSet::Portable
    }

    fn multiply(
        isa: InstructionSet,
        size: Size,
        factors: (Left<'_, f32>, PackedRight<'_, f32>),
        result: (&mut [f32], usize),
        store: Store,
        gather: &mut GatherBuffer<'_>,
    ) {
        if Self::packs_by_itself(isa) {
            return portable::multiply(size, factors, result, store);
        }
        let tile = (Self::tile_rows(isa), Self::block_columns(isa, size.n));
        tiles(isa, size, factors, result, (store, gather), (isa, tile));
    }

    #[inline(always)]
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(
            unused_variables,
            reason = "there is one instruction set, which cuts its own tiles"
        )
    )]
    fn tile(isa: InstructionSet, tile: Tile<'_, f32>) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512Bf16 | InstructionSet::Avx512 => avx512::tile_f32(tile),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => avx2::tile_f32(tile),
            InstructionSet::Portable => unreachable!("the crate cuts its own tiles"),
        }
    }

    #[inline(always)]
    fn interleave<S: Becomes<f32>>(first: &[S], _: Option<&[S]>, out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(first) {
            *out = (*value).into();
        }
    }

    #[inline(always)]
    fn group(first: &[f32], _: &[f32]) -> [u32; LANES] {
        let first = &first[..LANES];
        std::array::from_fn(|i| first[i].to_bits())
    }
}

impl Element for Bf16 {
    const GROUP: usize = 2;

    #[inline(always)]
    fn value(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }

    fn tile_rows(isa: InstructionSet) -> usize {
        match isa {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512Bf16 => 14,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => 12,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => 4,
            InstructionSet::Portable => plain::SIZE.0,
        }
    }

    fn block_columns(isa: InstructionSet, _: usize) -> usize {
        match isa {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512Bf16 | InstructionSet::Avx512 => 32,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => 16,
            InstructionSet::Portable => plain::SIZE.1,
        }
    }

    fn packs_by_itself(_: InstructionSet) -> bool {
        false
    }

    fn multiply(
        isa: InstructionSet,
        size: Size,
        factors: (Left<'_, Bf16>, PackedRight<'_, Bf16>),
        result: (&mut [f32], usize),
        store: Store,
        gather: &mut GatherBuffer<'_>,
    ) {
        let tile = (Self::tile_rows(isa), Self::block_columns(isa, size.n));
        tiles(isa, size, factors, result, (store, gather), (isa, tile));
    }

    #[inline(always)]
    fn tile(isa: InstructionSet, tile: Tile<'_, Bf16>) {
        match isa {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512Bf16 => avx512::tile_bf16(tile),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => avx512::tile_bf16_widened(tile),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => avx2::tile_bf16(tile),
            InstructionSet::Portable => plain::tile(tile),
        }
    }

    #[inline(always)]
    fn interleave<S: Becomes<Bf16>>(first: &[S], second: Option<&[S]>, out: &mut [Bf16]) {
        let out = out.as_chunks_mut::<2>().0.iter_mut().zip(first);
        if let Some(second) = second {
            for ((out, first), second) in out.zip(second) {
                *out = [(*first).into(), (*second).into()];
            }
        } else {
            for (out, first) in out {
                *out = [(*first).into(), Bf16::default()];
            }
        }
    }

    #[inline(always)]
    fn group(first: &[Bf16], second: &[Bf16]) -> [u32; LANES] {
        let (first, second) = (&first[..LANES], &second[..LANES]);
        // As one number, so that the compiler sees whole vectors; the first lies in front.
        std::array::from_fn(|i| {
            let (first, second) = (u32::from(first[i].0), u32::from(second[i].0));
            if cfg!(target_endian = "big") { first << 16 | second } else { second << 16 | first }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bf16_rounds_to_the_nearest_value_and_to_even_in_the_middle() {
        for (value, expected) in [
            (1.0, 1.0),
            (1.0 + 1.0 / 256.0, 1.0),
            (1.0 + 3.0 / 256.0, 1.0 + 4.0 / 256.0),
            (1.003_906_4, 1.0 + 2.0 / 256.0),
            (-2.0, -2.0),
            (0.0, 0.0),
            (f32::MAX, f32::INFINITY),
            (f32::NEG_INFINITY, f32::NEG_INFINITY),
        ] {
            assert_eq!(Bf16::from(value).value(), expected, "{value}");
        }
        assert!(Bf16::from(f32::NAN).value().is_nan());
        assert!(Bf16::from(f32::INFINITY - f32::INFINITY).value().is_nan());
    }
}
