//! Transform: turn features into records, one at a time.
