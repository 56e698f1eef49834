//! An observer that remembers.

use std::sync::{Mutex, PoisonError};

use crate::pipeline::ports::{Observer, Unit};

/// Stages and notes, in order.
#[derive(Debug, Default)]
pub struct MemoryObserver(Mutex<Vec<String>>);

impl MemoryObserver {
    /// What was told, in order.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, what: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.to_owned());
    }
}

impl Observer for MemoryObserver {
    fn stage(&self, name: &str, _: Unit, _: Option<u64>) {
        self.tell(name);
    }

    fn advance(&self, _: u64) {}

    fn note(&self, message: &str) {
        self.tell(message);
    }
}
