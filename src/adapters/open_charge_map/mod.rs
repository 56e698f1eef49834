//! Open Charge Map dumps as a source.
