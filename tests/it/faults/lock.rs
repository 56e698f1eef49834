//! The lock: what a second run says of the first, whatever the lock file says.

use std::fs;
use std::process::Stdio;

use crate::kill::{signal, wait_for_the_lock, whole};
use crate::support::demo::Demo;

/// Larger than any process id that Linux gives (2²² at most).
const NOBODY: u32 = 4_194_305;

#[test]
fn a_second_run_is_told_who_holds_the_lock_as_far_as_it_is_known() {
    let demo = Demo::after_one_night();
    let first = demo.latest_id();
    let mut holder = demo.night(2).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("poimill starts");
    wait_for_the_lock(&demo, &holder);
    signal(&holder, "STOP");
    let lock = demo.store().join("demo/.lock");
    let own = fs::read(&lock).expect("the lock file");
    let told = format!("({})", String::from_utf8_lossy(&own).trim());
    assert!(told.starts_with(&format!("(process {}, since 2", holder.id())), "{told}");

    let gone = format!("process {NOBODY}, since 2026-01-01T00:00:00Z\n");
    let of_gone = format!("(which is not known: store/demo/.lock names process {NOBODY}, which does not run here; ");
    let unknown = "(which is not known: store/demo/.lock does not say; ";
    let long = vec![b'x'; 1 << 20];
    let cases: [(&[u8], &str); 8] = [
        (&own, &told),
        (b"", "(it has just begun)"),
        (gone.as_bytes(), &of_gone),
        (b"\xff\xfe\x00", unknown),
        (b"process 1", unknown),
        (b"process one, since ever", unknown),
        (b"process 1, since \x1b[31mred\x07", unknown),
        (&long, unknown),
    ];
    for (content, message) in cases {
        fs::write(&lock, content).expect("the lock file can be written to");
        let second = demo.run(2, &[]);
        assert!(second.code == 6 && second.err.contains(message), "{message}: {second:?}");
        assert!(second.err.contains("another run of pipeline `demo` is at work") && second.err.len() < 400);
        assert_eq!(fs::read(&lock).unwrap(), content, "the lock file is the holder's");
    }
    assert_eq!(whole(&demo), first);

    // The system takes the lock from a process that ends; what the file says of it does not matter.
    fs::write(&lock, &own).expect("the lock file can be written to");
    signal(&holder, "KILL");
    holder.wait().expect("it ends");
    assert_eq!(demo.run(2, &[]).code, 0);
    assert_ne!(whole(&demo), first);
}

#[test]
fn a_lock_file_that_cannot_be_one_is_told() {
    let demo = Demo::new();
    fs::create_dir_all(demo.store().join("demo/.lock")).expect("a folder");
    let told = demo.run(1, &[]);
    assert!(told.code == 1 && told.err.contains("cannot write store/demo/.lock; check"), "{told:?}");
    assert!(!demo.latest().exists());
}
