//! Evaluate: how often the matcher is right.

mod interval;

pub use interval::{Interval, wilson};
