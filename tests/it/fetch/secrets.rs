//! Secrets: whatever goes wrong, no key, token or password is told or written.

use std::fs;
use std::path::Path;

use super::server::{Server, reply};
use crate::support::demo::{Demo, Told};

/// Part of every secret.
const MARK: &str = "s3cr3t";

/// A pipeline with a secret wherever one can be.
fn pipeline(url: &str) -> String {
    let with_user = url.replace("http://", "http://user:s3cr3t-of-user@");
    format!(
        "name = \"demo\"\n[fetch]\nattempts = 2\npause_ms = 1\n\
         [[source]]\nname = \"osm\"\nkind = \"osm_pbf\"\npath = \"in.osm.pbf\"\nurl = \"{with_user}/in.osm.pbf?key=s3cr3t-of-query\"\n\
         [[source]]\nname = \"diffs\"\nkind = \"osm_pbf\"\npath = \"town.osm.pbf\"\nchanges = \"{with_user}/updates\"\n\
         [[source]]\nname = \"ocm\"\nkind = \"open_charge_map\"\npath = \"ocm.json\"\nreference = \"ref.json\"\n\
         url = \"{with_user}/v3?key=s3cr3t-of-base\"\napi_key = {{ env = \"POIMILL_TEST_KEY\" }}\nrequests_per_s = 1000\n\
         [[source]]\nname = \"cpo\"\nkind = \"ocpi\"\npath = \"cpo.json\"\nurl = \"{with_user}/locations?key=s3cr3t-of-page\"\n\
         token = \"s3cr3t-token\"\nrequests_per_s = 1000\n\
         [[source]]\nname = \"bad\"\nkind = \"ocpi\"\npath = \"bad.json\"\nurl = \"http://user:s3cr3t-of-bad@ho st/x.json\"\n\
         token = \"s3cr3t-of-bad\"\n\
         [postgis]\nurl = \"postgresql://user:s3cr3t-of-database@127.0.0.1:1/x\"\n"
    )
}

/// Everything in a folder but the pipeline file, as one text.
fn written(folder: &Path) -> String {
    let (mut queue, mut text) = (vec![folder.to_owned()], String::new());
    while let Some(path) = queue.pop() {
        if path.is_dir() {
            queue.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.file_name().is_some_and(|name| name != "demo.toml") {
            text.push_str(&path.display().to_string());
            text.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
        }
    }
    text
}

#[test]
fn no_secret_is_told_or_written_whatever_goes_wrong() {
    for status in
        ["200 OK", "401 Unauthorized", "403 Forbidden", "404 Not Found", "429 Too Many", "500 Oops", "302 Found", "cut"]
    {
        let server = Server::new(move |asked| {
            let path = asked.path.split('?').next().unwrap_or_default();
            match status {
                "200 OK" if path == "/v3/poi" => {
                    let is_first = asked.query("greaterthanid") == Some("0");
                    reply(status, &[], if is_first { b"[{\"ID\": 1}]" } else { b"[]" })
                }
                "200 OK" => {
                    reply(status, &[("ETag", "\"one\"")], b"{\"status_code\": 1000, \"data\": [{\"id\": \"a\"}]}")
                }
                "302 Found" => reply(status, &[("Location", "ftp://u:s3cr3t@nowhere.invalid/x?s3cr3t")], b""),
                "cut" => {
                    let mut cut = reply("200 OK", &[("ETag", "\"one\"")], &[b'x'; 1000]);
                    cut.0.truncate(600);
                    cut
                }
                status => reply(status, &[], b"who is s3cr3t-token?"),
            }
        });
        let demo = Demo::new();
        demo.write("demo.toml", pipeline(&server.url).as_bytes());
        let town = crate::support::demo::fixture("night-1/town.osm.pbf");
        fs::copy(town, demo.path("town.osm.pbf")).unwrap();
        for (args, log) in [
            ("fetch demo.toml -vv", None),
            ("fetch demo.toml", Some("trace")),
            ("check demo.toml -vv", None),
            ("run demo.toml --store store -vv", None),
            ("run demo.toml --store store --dry-run", Some("trace")),
            ("run demo.toml --store store --database postgresql://u:s3cr3t-flag@127.0.0.1:1/x", Some("trace")),
        ] {
            let mut command = demo.command(args);
            command.env("POIMILL_TEST_KEY", "s3cr3t-key");
            if let Some(log) = log {
                command.env("RUST_LOG", log);
            }
            let told = Told::from(command.output().expect("poimill starts"));
            assert_ne!(told.code, 0, "{args}: not everything can work: {told:?}");
            let all = format!("{}{}{}", told.out, told.err, written(&demo.path(".")));
            let at = all.find(MARK).map(|at| all[at.saturating_sub(300)..].chars().take(400).collect::<String>());
            assert_eq!(at, None, "{status}, {args}");
        }
        // They were sent to where they belong.
        let heads = server.requests().join("\n");
        assert!(
            ["s3cr3t-key", "s3cr3t-token", "s3cr3t-of-query", "s3cr3t-of-base"]
                .iter()
                .all(|secret| heads.contains(secret))
        );
    }
}
