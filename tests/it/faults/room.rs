//! Room: a store on a small disk of its own, which fills up at several points of a run.

use std::fs;
use std::process::Command;

use crate::kill::whole;
use crate::support::demo::{Demo, Told};
use crate::support::tell;

/// Puts the store on a tmpfs that has so many kB left, runs the second night, makes room, and runs it again. What was there
/// after each is copied out, because the mount is gone when the script ends. Exits with 99 where mounting is refused.
const SCRIPT: &str = r#"
store=$1 left_kb=$2; shift 2
mount -t tmpfs -o size=64m tmpfs "$store" 2>mount.err || exit 99
cp -a begins/. "$store" || exit 98
used_kb=$(df -k --output=used "$store" | tail -n 1)
mount -o "remount,size=$((used_kb + left_kb))k" "$store" || exit 98
"$@" >first.out 2>first.err; echo $? >first.code
cp -a "$store" left || exit 98
mount -o remount,size=64m "$store" || exit 98
"$@" >second.out 2>second.err; echo $? >second.code
cp -a "$store" after || exit 98
"#;

/// From a disk that takes not a byte more to one on which all but the last files find room; in kB.
const LEFT_KB: [u32; 6] = [0, 8, 24, 48, 72, 88];

#[test]
fn a_small_disk_that_fills_up_leaves_the_latest_snapshot_whole() {
    let begins = Demo::after_one_night();
    let ends = Demo::after_one_night();
    assert_eq!(ends.run(2, &[]).code, 0);
    let mut full = 0;
    for left_kb in LEFT_KB {
        let demo = Demo::new();
        crate::kill::copy(&begins.store(), &demo.path("begins"));
        fs::create_dir(demo.store()).expect("a folder");
        let run = demo.night(2);
        let mut script = Command::new("unshare");
        let as_root = fs::metadata("/proc/self").is_ok_and(|about| std::os::unix::fs::MetadataExt::uid(&about) == 0);
        script.args([if as_root { "-m" } else { "-rm" }, "sh", "-c", SCRIPT, "sh"]);
        script.current_dir(demo.path("")).env_remove("DATABASE_URL");
        script.arg(demo.store()).arg(left_kb.to_string()).arg(run.get_program()).args(run.get_args());
        let done = script.output();
        let code = done.as_ref().ok().and_then(|done| done.status.code());
        if code != Some(0) {
            // Containers often may not mount; a shim stands in for the full disk in other tests.
            assert_ne!(code, Some(98), "{done:?}");
            return tell("a_small_disk_that_fills_up_leaves_the_latest_snapshot_whole: mounting is refused here");
        }
        let read = |name: &str| fs::read_to_string(demo.path(name)).expect("the script wrote it");
        let told = Told {
            code: read("first.code").trim().parse().expect("a code"),
            out: read("first.out"),
            err: read("first.err"),
        };
        let moved = |name: &str| {
            let other = Demo::new();
            fs::remove_dir_all(other.store()).ok();
            crate::kill::copy(&demo.path(name), &other.store());
            other
        };
        let (left, after) = (moved("left"), moved("after"));
        if told.code == 0 {
            assert_eq!(whole(&left), ends.latest_id());
        } else {
            full += 1;
            let says_why = told.err.contains("because: No space left on device (os error 28)");
            let says_where = told.err.contains("cannot write store/demo/") && told.err.contains("free space");
            assert!(told.code == 1 && says_why && says_where, "{left_kb} kB: {told:?}");
            assert_eq!(whole(&left), begins.latest_id());
        }
        assert_eq!(read("second.code").trim(), "0", "{left_kb} kB: {}", read("second.err"));
        assert_eq!(after.reproducible(), ends.reproducible(), "{left_kb} kB");
    }
    assert!(full >= 4, "the disk was full {full} times");
}
