//! Every port in memory, for tests and `--dry-run`.

mod decisions;
mod observer;
mod scratch;
mod sink;
mod source;
mod store;

pub use decisions::MemoryDecisions;
pub use observer::MemoryObserver;
pub use scratch::MemoryScratch;
pub use sink::MemorySink;
pub use source::MemorySource;
pub use store::MemoryStore;
