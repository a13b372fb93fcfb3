//! `*.safetensors`: named f32 tensors, streamed from and into buffers that exist already.
//!
//! The `safetensors` crate makes and checks the header; the data never gets a second copy in
//! memory. What is not exactly the tensors asked for is refused.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use sparkjoy_base::{AtomicFile, FileError};
use sparkjoy_nn::Tensor;

use crate::TrainError;
use crate::disk;

/// A header of more bytes than this is not one of ours: 100 bytes a tensor is the rule.
const HEADER_BYTES_MAX: u64 = 1 << 26;

/// A tensor to write.
pub(crate) struct Source<'a> {
    pub(crate) name: String,
    /// Rows first.
    pub(crate) shape: &'a [usize],
    pub(crate) values: &'a [f32],
}

/// A tensor to read.
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
    let file = File::open(path).map_err(FileError::at("read", path))?;
    let bytes = file.metadata().map_err(FileError::at("read", path))?.len();
    let mut file = BufReader::with_capacity(1 << 20, file);
    let metadata = read_header(path, &mut file, bytes)?;

    let mut wanted: BTreeMap<String, Target<'_>> =
        tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
    for name in metadata.offset_keys() {
        let info = metadata.info(&name).expect("the name comes from this header");
        let found = format!("{} {:?}", info.dtype, info.shape);
        let refuse = |name: &str, expected: String| TrainError::Tensor {
            path: path.to_owned(),
            name: name.to_owned(),
            found: found.clone(),
            expected,
        };
        let tensor = wanted.remove(&name).ok_or_else(|| refuse(&name, "no such tensor".into()))?;
        if info.dtype != Dtype::F32 || info.shape != tensor.shape {
            return Err(refuse(&name, format!("{} {:?}", Dtype::F32, tensor.shape)));
        }
        file.read_exact(bytemuck::cast_slice_mut(tensor.values))
            .map_err(FileError::at("read", path))?;
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

/// Reads and checks a header; no length is believed that the file does not have.
fn read_header(path: &Path, file: &mut impl Read, bytes: u64) -> Result<Metadata, TrainError> {
    let refuse = |source| TrainError::Header { path: path.to_owned(), source };
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|_| refuse(SafeTensorError::HeaderTooSmall))?;
    let length = u64::from_le_bytes(length);
    if length > HEADER_BYTES_MAX {
        return Err(refuse(SafeTensorError::HeaderTooLarge));
    }
    if length > bytes - 8 {
        return Err(refuse(SafeTensorError::InvalidHeaderLength));
    }
    let mut json = vec![0; length as usize];
    file.read_exact(&mut json).map_err(FileError::at("read", path))?;
    let metadata: Metadata = serde_json::from_slice(&json)
        .map_err(|e| refuse(SafeTensorError::InvalidHeaderDeserialization(e)))?;
    if 8 + length + metadata.data_len() as u64 != bytes {
        return Err(refuse(SafeTensorError::MetadataIncompleteBuffer));
    }
    Ok(metadata)
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
}
