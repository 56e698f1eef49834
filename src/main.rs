//! The poimill command.

fn main() {}
