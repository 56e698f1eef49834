//! The shim between a run and the calls that change files: how it is built, and how it is told what to do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

use crate::support::required_or_skipped;

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The process is killed before it, as by `kill -9`.
    Kill,
    /// The process is killed when half of what is written has been.
    Half,
    /// The process is killed after it.
    After,
    /// It fails with this errno.
    Fails(i32),
}

pub(super) const ENOSPC: i32 = 28;
pub(super) const EIO: i32 = 5;
pub(super) const EACCES: i32 = 13;

/// A call that changes a file of the store.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Its number in the run, from 1.
    pub(super) number: usize,
    /// As the C library calls it.
    pub(super) name: String,
    /// The file, below the folder that is watched.
    pub(super) path: String,
}

/// The built shim; `None` where there is no C compiler, after saying so.
pub(super) fn shim(test: &str) -> Option<&'static Path> {
    static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = SHIM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (made, shim) = (folder.join(format!("faults-{}.so", std::process::id())), folder.join("faults.so"));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/faults/shim.c");
        let done = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&made).arg(source).status().ok()?;
        assert!(done.success(), "the shim compiles");
        fs::rename(&made, &shim).expect("the target folder can be written to");
        Some(shim)
    });
    if built.is_none() {
        required_or_skipped(test, "there is no C compiler");
    }
    built.as_deref()
}

/// Puts the shim between a run and the files under `folder`.
pub(super) fn watched(mut command: Command, shim: &Path, folder: &Path) -> Command {
    let parent = folder.parent().expect("a folder in another").canonicalize().expect("the folder that it is in");
    let under = parent.join(folder.file_name().expect("a name"));
    command.env("LD_PRELOAD", shim).env("FAULT_UNDER", under);
    command
}

/// Has something happen at the call of this number, or, as on a full disk, at all calls from there on.
pub(super) fn faulty(mut command: Command, number: usize, how: How, on_and_on: bool) -> Command {
    let how = match how {
        How::Kill => "kill".to_owned(),
        How::Half => "half".to_owned(),
        How::After => "after".to_owned(),
        How::Fails(errno) => errno.to_string(),
    };
    command.env(if on_and_on { "FAULT_FROM" } else { "FAULT_AT" }, number.to_string()).env("FAULT_HOW", how);
    command
}

/// Has every call on paths that end so fail with this errno.
pub(super) fn refused(mut command: Command, path: &str, errno: i32) -> Command {
    command.env("FAULT_ON", path).env("FAULT_HOW", errno.to_string());
    command
}

/// Runs a command to its end and tells what it called.
pub(super) fn calls_of(mut command: Command, log: &Path, under: &Path) -> Vec<Call> {
    let done = command.env("FAULT_LOG", log).output().expect("poimill starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let under = under.canonicalize().expect("the folder that is watched");
    let call = |line: &str| {
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().expect("number, name, path");
        let (number, name, path) = (part(), part(), part());
        let path = Path::new(path).strip_prefix(&under).expect("a path under the folder").display().to_string();
        Call { number: number.parse().expect("a number"), name: name.to_owned(), path }
    };
    fs::read_to_string(log).expect("the shim is at work").lines().map(call).collect()
}
