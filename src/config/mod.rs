//! Configuration: a pipeline file and flags become typed settings. Flags beat the file, the file beats defaults; the
//! environment counts only where the file says `{ env = "NAME" }`. Unknown keys and impossible values are refused before
//! any work.

mod conflate;
mod fetch;
mod file;
mod gate;
mod layers;
mod memory;
mod secret;
mod settings;
mod sources;
#[cfg(test)]
mod tests;

pub use fetch::{FetchSettings, RetrySettings};
pub use file::ConfigError;
pub use memory::{MemoryError, memory_size};
pub use secret::Secret;
pub use settings::{Overrides, RegionSettings, Settings, shipped};
pub use sources::{SourceKind, SourceSettings};
