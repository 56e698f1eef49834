//! OCPI location feeds as a source.

mod source;

pub use source::Ocpi;
