//! poimill.

pub mod adapters;
pub mod domain;
pub mod pipeline;
