//! OCPI location feeds as a source.

mod pages;
mod source;

pub use pages::OcpiPages;
pub use source::Ocpi;
