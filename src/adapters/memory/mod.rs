//! Every port in memory, for tests and `--dry-run`.
