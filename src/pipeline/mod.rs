//! The verbs.

mod error;
pub mod ports;
pub mod tabulate;
pub mod transform;

pub use error::RunError;
