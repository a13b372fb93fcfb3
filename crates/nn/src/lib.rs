//! Computes loss and gradients of an MPT decoder and takes optimizer steps, the same bits for any
//! number of threads.

mod contract;

pub use contract::{
    Engine, Optimizer, OptimizerKind, Schedule, ScheduleKind, Shape, ShapeError, Tensor,
    Throughput, measure,
};
