//! Every port in memory, for tests and `--dry-run`.

mod observer;
mod sink;
mod source;
mod store;

pub use observer::MemoryObserver;
pub use sink::MemorySink;
pub use source::MemorySource;
pub use store::MemoryStore;
