//! What the tests share.

pub(crate) mod database;
pub(crate) mod demo;
pub(crate) mod snapshot;
pub(crate) mod town;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The built binary, with an environment that names no database.
pub(crate) fn poimill() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_poimill"));
    command.env_remove("DATABASE_URL").env_remove("RUST_LOG");
    command
}

/// The folder of real extracts, where there is one.
pub(crate) fn real_data() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("POIMILL_DATA").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// Says that a test which needs real extracts did not run.
pub(crate) fn skipped(test: &str) {
    tell(&format!("{test} needs the real extracts; set POIMILL_DATA to their folder"));
}

/// Says that a test which needs a server or a reader did not run; a failure where everything is required.
pub(crate) fn required_or_skipped(test: &str, why: &str) {
    assert!(std::env::var_os("POIMILL_TEST_REQUIRE_ALL").is_none(), "{test}: {why}, and nothing may be skipped here");
    tell(&format!("{test}: {why}"));
}

/// Names a skipped test on stderr; not through `eprintln!`, which the test runner hides.
pub(crate) fn tell(skipped: &str) {
    writeln!(std::io::stderr(), "skipped: {skipped}").expect("stderr is open");
}
