//! What the tests share.

pub(crate) mod database;
pub(crate) mod snapshot;

use std::io::Write;

/// Names a skipped test on stderr; not through `eprintln!`, which the test runner hides.
pub(crate) fn tell(skipped: &str) {
    writeln!(std::io::stderr(), "skipped: {skipped}").expect("stderr is open");
}
