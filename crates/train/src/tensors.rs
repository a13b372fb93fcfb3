//! `*.safetensors`: named tensors, streamed from and into f32 buffers that exist already.
//!
//! The `safetensors` crate makes and checks the header; the data never gets a second copy in
//! memory. Our own files hold f32, and what is not exactly the tensors asked for is refused.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use sparkjoy_base::{AtomicFile, FileError};
use sparkjoy_spec::Tensor;

use crate::TrainError;
use crate::disk;

/// A header of more bytes than this is refused: 100 bytes a tensor is the rule, and each takes
/// several times that in memory.
const HEADER_BYTES_MAX: u64 = 1 << 24;

/// The types that widen to f32 without rounding.
pub(crate) const FLOATS: [Dtype; 3] = [Dtype::F32, Dtype::BF16, Dtype::F16];

/// Numbers widened at a time.
const CHUNK: usize = 1 << 18;

pub(crate) struct Source<'a> {
    pub(crate) name: String,
    /// Rows first.
    pub(crate) shape: &'a [usize],
    pub(crate) values: &'a [f32],
}

pub(crate) struct Target<'a> {
    pub(crate) name: String,
    /// Rows first.
    pub(crate) shape: &'a [usize],
    pub(crate) values: &'a mut [f32],
}

/// Cuts a flat buffer into the tensors laid out in it, their names prefixed.
pub(crate) fn sources<'a>(layout: &'a [Tensor], prefix: &str, flat: &'a [f32]) -> Vec<Source<'a>> {
    layout
        .iter()
        .map(|tensor| Source {
            name: format!("{prefix}{}", tensor.name),
            shape: &tensor.shape,
            values: &flat[tensor.offset..][..tensor.shape.iter().product()],
        })
        .collect()
}

/// The same, to read into.
pub(crate) fn targets<'a>(
    layout: &'a [Tensor],
    prefix: &str,
    mut flat: &'a mut [f32],
) -> Vec<Target<'a>> {
    layout
        .iter()
        .map(|tensor| {
            let (values, rest) =
                std::mem::take(&mut flat).split_at_mut(tensor.shape.iter().product());
            flat = rest;
            Target { name: format!("{prefix}{}", tensor.name), shape: &tensor.shape, values }
        })
        .collect()
}

/// Writes `tensors` in their order.
pub(crate) fn write(path: &Path, tensors: &[Source<'_>]) -> Result<(), FileError> {
    let mut file = AtomicFile::create(path)?;
    let header = header(tensors);
    disk::put(&mut file, &(header.len() as u64).to_le_bytes())?;
    disk::put(&mut file, &header)?;
    for tensor in tensors {
        disk::put(&mut file, bytemuck::cast_slice(tensor.values))?;
    }
    disk::commit(file)
}

fn header(tensors: &[Source<'_>]) -> Vec<u8> {
    let mut end = 0;
    let described = tensors.iter().map(|tensor| {
        let start = end;
        end += size_of_val(tensor.values);
        let info = TensorInfo {
            dtype: Dtype::F32,
            shape: tensor.shape.to_vec(),
            data_offsets: (start, end),
        };
        (tensor.name.clone(), info)
    });
    // transformers refuses a file that does not say which framework its layout is.
    let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let metadata = Metadata::new(Some(about), described.collect())
        .expect("tensors laid end to end with their own sizes are valid");
    let mut json = serde_json::to_vec(&metadata).expect("names and numbers have a JSON form");
    // Spaces up to a multiple of 8, so that the data can be mapped as floats.
    json.resize(json.len().next_multiple_of(8), b' ');
    json
}

/// Reads exactly `tensors`, in whatever order the file has them.
pub(crate) fn read(path: &Path, tensors: Vec<Target<'_>>) -> Result<(), TrainError> {
    let mut file = open(path)?;
    let mut wanted: BTreeMap<String, Target<'_>> =
        tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
    for (name, info) in file.tensors() {
        let refuse = |name: &str, expected: String| TrainError::Tensor {
            path: path.to_owned(),
            name: name.to_owned(),
            found: described(&info),
            expected,
        };
        let tensor = wanted.remove(&name).ok_or_else(|| refuse(&name, "no such tensor".into()))?;
        if info.dtype != Dtype::F32 || info.shape != tensor.shape {
            return Err(refuse(&name, format!("{} {:?}", Dtype::F32, tensor.shape)));
        }
        file.read(&info, tensor.values)?;
    }
    match wanted.into_values().next() {
        None => Ok(()),
        Some(missing) => Err(TrainError::Tensor {
            path: path.to_owned(),
            found: "no such tensor".to_owned(),
            expected: format!("{} {:?}", Dtype::F32, missing.shape),
            name: missing.name,
        }),
    }
}

/// Shows the tensors of a file that holds exactly the layout under each prefix, one at a time, in
/// that order.
pub(crate) fn each(
    path: &Path,
    layout: &[Tensor],
    prefixes: &[&str],
    see: &mut impl FnMut(&str, &[f32]) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let mut file = open(path)?;
    let mut infos: BTreeMap<String, TensorInfo> = file.tensors().into_iter().collect();
    let refuse = |name, found, expected| {
        Err(TrainError::Tensor { path: path.to_owned(), name, found, expected })
    };
    let mut values = Vec::new();
    for prefix in prefixes {
        for tensor in layout {
            let name = format!("{prefix}{}", tensor.name);
            let expected = format!("{} {:?}", Dtype::F32, tensor.shape);
            let Some(info) = infos.remove(&name) else {
                return refuse(name, "no such tensor".to_owned(), expected);
            };
            if info.dtype != Dtype::F32 || info.shape != tensor.shape {
                return refuse(name, described(&info), expected);
            }
            values.resize(info.shape.iter().product(), 0.0);
            file.read(&info, &mut values)?;
            see(&name, &values)?;
        }
    }
    match infos.into_iter().next() {
        None => Ok(()),
        Some((name, info)) => refuse(name, described(&info), "no such tensor".to_owned()),
    }
}

fn open(path: &Path) -> Result<TensorFile, TrainError> {
    TensorFile::open(path).map_err(|error| match error {
        OpenError::Header(source) => TrainError::Header { path: path.to_owned(), source },
        OpenError::File(error) => error.into(),
    })
}

/// `F32 [2, 3]`.
pub(crate) fn described(info: &TensorInfo) -> String {
    format!("{} {:?}", info.dtype, info.shape)
}

/// Why a file of tensors cannot be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// It cannot be read.
    File(FileError),
    /// Its header is broken.
    Header(SafeTensorError),
}

/// A file of tensors, its header read and checked.
#[derive(Debug)]
pub(crate) struct TensorFile {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    /// Where the data begins, in bytes.
    data: u64,
}

impl TensorFile {
    /// Reads and checks a header; no length is believed that the file does not have.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let unread = |error| OpenError::File(FileError::at("read", path)(error));
        let mut file = sparkjoy_base::open(path).map_err(OpenError::File)?;
        let bytes = file.metadata().map_err(unread)?.len();
        let mut length = [0; 8];
        file.read_exact(&mut length)
            .map_err(|_| OpenError::Header(SafeTensorError::HeaderTooSmall))?;
        let length = u64::from_le_bytes(length);
        if length > HEADER_BYTES_MAX {
            return Err(OpenError::Header(SafeTensorError::HeaderTooLarge));
        }
        if length > bytes - 8 {
            return Err(OpenError::Header(SafeTensorError::InvalidHeaderLength));
        }
        let mut json = vec![0; length as usize];
        file.read_exact(&mut json).map_err(unread)?;
        let metadata: Metadata = serde_json::from_slice(&json)
            .map_err(|e| OpenError::Header(SafeTensorError::InvalidHeaderDeserialization(e)))?;
        let data = 8 + length;
        if data.checked_add(metadata.data_len() as u64) != Some(bytes) {
            return Err(OpenError::Header(SafeTensorError::MetadataIncompleteBuffer));
        }
        Ok(Self { path: path.to_owned(), file, metadata, data })
    }

    /// Its tensors, in the order of their data.
    pub(crate) fn tensors(&self) -> Vec<(String, TensorInfo)> {
        let info = |name: &str| self.metadata.info(name).expect("the name comes from this header");
        self.metadata
            .offset_keys()
            .into_iter()
            .map(|name| (name.clone(), info(&name).clone()))
            .collect()
    }

    /// Reads one of its tensors, widened to f32, which is exact for all of [`FLOATS`].
    ///
    /// # Panics
    ///
    /// If `values` is not as long as the tensor, or its type is none of [`FLOATS`].
    pub(crate) fn read(&mut self, info: &TensorInfo, values: &mut [f32]) -> Result<(), FileError> {
        assert_eq!(info.shape.iter().product::<usize>(), values.len(), "space for the tensor");
        let unread = FileError::at("read", &self.path);
        let start = self.data + info.data_offsets.0 as u64;
        let widen: fn(u16) -> f32 = match info.dtype {
            Dtype::F32 => {
                return self
                    .file
                    .seek(SeekFrom::Start(start))
                    .and_then(|_| self.file.read_exact(bytemuck::cast_slice_mut(values)))
                    .map_err(unread);
            }
            Dtype::BF16 => |bits| f32::from_bits(u32::from(bits) << 16),
            Dtype::F16 => f32_of_f16,
            other => unreachable!("{other} is refused before it is read"),
        };
        let mut halves = vec![0_u16; values.len().min(CHUNK)];
        let mut read = || {
            self.file.seek(SeekFrom::Start(start))?;
            for values in values.chunks_mut(CHUNK) {
                let halves = &mut halves[..values.len()];
                self.file.read_exact(bytemuck::cast_slice_mut(halves))?;
                for (value, &bits) in values.iter_mut().zip(&*halves) {
                    *value = widen(bits);
                }
            }
            Ok(())
        };
        read().map_err(unread)
    }

    /// Whether one of its tensors has exactly these values, to the bit.
    pub(crate) fn holds(&mut self, info: &TensorInfo, values: &[f32]) -> Result<bool, FileError> {
        let mut part = vec![0.0; values.len().min(CHUNK)];
        let (mut start, bytes) = (info.data_offsets.0, info.dtype.bitsize() / 8);
        for values in values.chunks(CHUNK) {
            let end = start + values.len() * bytes;
            let info = TensorInfo {
                shape: vec![values.len()],
                data_offsets: (start, end),
                ..info.clone()
            };
            let part = &mut part[..values.len()];
            self.read(&info, part)?;
            if !part.iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits()) {
                return Ok(false);
            }
            start = end;
        }
        Ok(true)
    }
}

/// The value of IEEE 754 binary16: sign, 5 bits of exponent (bias 15), 10 of fraction.
fn f32_of_f16(bits: u16) -> f32 {
    let (exponent, fraction) = (bits >> 10 & 31, bits & 1023);
    let size = match exponent {
        0 => f32::from(fraction) * f32::from_bits((127 - 24) << 23),
        31 => f32::from_bits(0x7f80_0000 | u32::from(fraction) << 13),
        _ => f32::from_bits((u32::from(exponent) + 112) << 23 | u32::from(fraction) << 13),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 2] = [2, 3];
    const VALUES: [f32; 6] = [0.0, -1.5, f32::MIN_POSITIVE, 3.25, 1e30, -0.0];

    fn written() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let source = |name: &str| Source { name: name.into(), shape: &SHAPE, values: &VALUES };
        write(&path, &[source("b"), source("a")]).unwrap();
        (folder, path)
    }

    fn read_two(path: &Path, names: [&str; 2], shape: &[usize]) -> Result<[Vec<f32>; 2], String> {
        let mut values = [vec![9.0; 6], vec![9.0; 6]];
        let targets = names
            .iter()
            .zip(&mut values)
            .map(|(&name, values)| Target { name: name.into(), shape, values })
            .collect();
        let text = |e: TrainError| match e {
            TrainError::Header { source, .. } => source.to_string(),
            TrainError::Tensor { name, found, expected, .. } => {
                format!("{name}: {found}, expected {expected}")
            }
            other => other.to_string(),
        };
        read(path, targets).map_err(text).map(|()| values)
    }

    #[test]
    fn values_come_back_with_the_same_bits_in_any_order() {
        let (_folder, path) = written();
        let [a, b] = read_two(&path, ["a", "b"], &SHAPE).unwrap();
        for values in [a, b] {
            assert!(values.iter().zip(VALUES).all(|(x, y)| x.to_bits() == y.to_bits()));
        }
    }

    #[test]
    fn the_header_is_padded_and_names_its_framework() {
        let (_folder, path) = written();
        let bytes = std::fs::read(&path).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        assert_eq!(length % 8, 0);
        insta::assert_snapshot!(
            std::str::from_utf8(&bytes[8..8 + length]).unwrap().trim_end(),
            @r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[24,48]}}"#
        );
    }

    #[test]
    fn other_names_and_shapes_are_refused() {
        let (_folder, path) = written();
        let refusal = |names, shape| read_two(&path, names, shape).unwrap_err();
        assert_eq!(refusal(["a", "c"], &SHAPE), "b: F32 [2, 3], expected no such tensor");
        assert_eq!(refusal(["a", "b"], &[3, 2]), "b: F32 [2, 3], expected F32 [3, 2]");
        let (_folder, path) = written();
        let mut third = [9.0; 6];
        let mut rest = [vec![9.0; 6], vec![9.0; 6]];
        let mut targets = vec![Target { name: "c".into(), shape: &SHAPE, values: &mut third }];
        for (name, values) in ["a", "b"].into_iter().zip(&mut rest) {
            targets.push(Target { name: name.into(), shape: &SHAPE, values });
        }
        let error = read(&path, targets).unwrap_err().to_string();
        assert!(error.ends_with("found no such tensor, expected F32 [2, 3]"), "{error}");
    }

    #[test]
    fn every_half_widens_to_its_value() {
        for bits in 0..=u16::MAX {
            let (sign, exponent) = (bits >> 15, i32::from(bits >> 10 & 31));
            let fraction = f64::from(bits & 1023) / 1024.0;
            let size = match exponent {
                31 if fraction > 0.0 => f64::NAN,
                31 => f64::INFINITY,
                0 => fraction * 2_f64.powi(-14),
                _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
            };
            let expected = if sign == 1 { -size } else { size };
            let found = f64::from(f32_of_f16(bits));
            assert!(found.total_cmp(&expected).is_eq() || found.is_nan() && expected.is_nan());
            assert_eq!(found.is_sign_negative(), sign == 1, "{bits:x}");
        }
    }

    #[test]
    fn lengths_are_bounded_by_the_file_before_anything_is_allocated() {
        let (_folder, path) = written();
        let whole = std::fs::read(&path).unwrap();
        let refusal = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read_two(&path, ["a", "b"], &SHAPE).unwrap_err()
        };
        assert_eq!(refusal(&whole[..5]), "header too small");
        let mut huge = whole.clone();
        huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(refusal(&huge), "header too large");
        huge[..8].copy_from_slice(&(1_u64 << 20).to_le_bytes());
        assert_eq!(refusal(&huge), "invalid header length");
        let last = whole.len() - 1;
        assert_eq!(refusal(&whole[..last]), "incomplete metadata, file not fully covered");
    }

    #[test]
    fn a_header_of_megabytes_is_refused_before_it_is_read() {
        let (_folder, path) = written();
        let empty = |i: usize| {
            format!("\"{i}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}")
        };
        let tensors: Vec<String> = (0..320_000).map(empty).collect();
        let json = format!("{{{}}}", tensors.join(","));
        let bytes = [&(json.len() as u64).to_le_bytes()[..], json.as_bytes()].concat();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(read_two(&path, ["a", "b"], &SHAPE).unwrap_err(), "header too large");
    }

    #[test]
    fn what_is_not_a_file_is_not_read() {
        let error = read_two(Path::new("/dev/zero"), ["a", "b"], &SHAPE).unwrap_err();
        assert_eq!(error, "cannot read `/dev/zero`: it is a device, expected a file");
    }

    /// Two thousand changes of bytes, most of them in the header: values or a refusal, no panic.
    #[test]
    fn whatever_is_changed_nothing_panics() {
        let (_folder, path) = written();
        let whole = std::fs::read(&path).unwrap();
        let mut random = 1_u64;
        let mut next = |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % below
        };
        let mut refused = 0;
        for _ in 0..2000 {
            let mut bytes = whole.clone();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                match next(4) {
                    0 => bytes[at] ^= 1 << next(8),
                    1 => bytes[at] = b"0129\"[]{},:-F"[next(13)],
                    2 => bytes.truncate(at.max(1)),
                    _ => drop(bytes.splice(at..at, [b'9'; 9])),
                }
            }
            std::fs::write(&path, &bytes).unwrap();
            refused += u32::from(read_two(&path, ["a", "b"], &SHAPE).is_err());
        }
        assert!(refused > 1000, "{refused}");
    }
}
