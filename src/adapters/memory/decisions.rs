//! A decisions file in memory.

use std::cell::RefCell;

use crate::pipeline::RunError;
use crate::pipeline::ports::DecisionsFile;

/// A decisions file that is nowhere on disk, under the name of the one that it stands for.
#[derive(Debug, Default)]
pub struct MemoryDecisions {
    location: String,
    text: RefCell<String>,
}

impl MemoryDecisions {
    /// A file that begins with this text.
    #[must_use]
    pub fn new(location: String, text: String) -> Self {
        Self { location, text: RefCell::new(text) }
    }

    /// What is in it now.
    #[must_use]
    pub fn text(&self) -> String {
        self.text.borrow().clone()
    }
}

impl DecisionsFile for MemoryDecisions {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn read(&self) -> Result<String, RunError> {
        Ok(self.text())
    }

    fn replace(&self, text: &str) -> Result<(), RunError> {
        text.clone_into(&mut self.text.borrow_mut());
        Ok(())
    }
}
