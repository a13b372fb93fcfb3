//! Computes loss and gradients of an MPT decoder and takes optimizer steps, the same bits for any
//! number of threads.
//!
//! Letters used throughout: B sequences, T positions (context), N = B·T tokens, D width, H heads,
//! K = D / H head width, V vocabulary, L layers. Every matrix is row-major.

mod aligned;
mod arena;
mod attention;
mod backward;
mod compute;
mod decoder;
mod element;
mod embedding;
mod engine;
mod forward;
mod gelu;
mod gemm;
mod head;
mod init;
mod instructions;
mod kernel;
mod language_model;
mod math;
mod measure;
mod mpt;
mod norm;
mod optimizer;
mod packed_weights;
mod parallel;
mod products;

pub use attention::alibi_slopes;
pub use compute::Compute;
pub use decoder::Decoder;
pub use engine::{Engine, memory};
pub use instructions::{CpuFeature, cpu_features, instruction_set_of, instruction_sets};
pub use language_model::LazyModel;
pub use measure::{Throughput, measure};
pub use optimizer::Optimizer;
pub use products::{ProductSpeed, measure_products};
use sparkjoy_spec::{OptimizerKind, Precision, Shape, ShapeError};
#[cfg(test)]
use sparkjoy_spec::{Schedule, ScheduleKind};

#[cfg(test)]
mod tests;
