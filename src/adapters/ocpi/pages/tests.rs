//! Servers that page in both ways, refuse, wander off and never end.

use std::fs;

use super::*;
use crate::adapters::io::http_tests::{Asked, answer, answer_with, serve_asked};
use crate::domain::Timestamp;

/// Remembers notes.
#[derive(Default)]
struct Notes(std::sync::Mutex<Vec<String>>);

impl Observer for Notes {
    fn stage(&self, _: &str, _: Unit, _: Option<u64>) {}

    fn advance(&self, _: u64) {}

    fn note(&self, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

const TOKEN: &str = "t0ken-of-ours";

fn location(number: u64) -> String {
    format!(
        "{{\"country_code\": \"LI\", \"party_id\": \"ABC\", \"id\": \"L{number}\", \"coordinates\": {{\"latitude\": \"47.10\"}}}}"
    )
}

/// A page of an envelope.
fn page(headers: &[(&str, &str)], numbers: impl Iterator<Item = u64>) -> Vec<u8> {
    let data: Vec<String> = numbers.map(location).collect();
    let body =
        format!("{{\"data\": [{}], \"status_code\": 1000, \"timestamp\": \"2026-07-01T00:00:00Z\"}}", data.join(", "));
    let length = body.len().to_string();
    answer_with("200 OK", &[headers, &[("Content-Length", &length)]].concat(), body.as_bytes())
}

/// Fetches from a path of this server; returns the file, or what is told, with the requests and the notes.
fn fetch(
    path: &str,
    encoding: Option<bool>,
    answer: impl Fn(&Asked) -> Vec<u8> + Send + 'static,
) -> (Result<String, String>, Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("cpo.json");
    let (url, requests) = serve_asked(answer);
    let url = format!("{url}{path}");
    let http = Http::with_pauses(vec![Duration::from_millis(1); 2]);
    let vintage_of: &dyn Fn(&Path) -> Option<Timestamp> = &|_| None;
    let archive = Archive { source: "cpo", keep: 2, vintage_of };
    let (token, pace, notes) = (Some(TOKEN), Duration::ZERO, Notes::default());
    let pages = OcpiPages {
        http: &http,
        url: &url,
        token,
        token_is_base64: encoding,
        page_size: 100,
        pace,
        input: &input,
        archive,
    };
    let told = pages.fetch(&notes);
    let requests = requests.lock().unwrap().clone();
    let notes = notes.0.lock().unwrap().clone();
    (told.map(|_| fs::read_to_string(&input).unwrap()).map_err(|error| error.to_string()), requests, notes)
}

/// The file with these locations.
fn file(numbers: impl Iterator<Item = u64>) -> String {
    format!("[\n{}\n]\n", numbers.map(location).collect::<Vec<_>>().join(",\n"))
}

#[test]
fn the_next_page_is_found_in_any_header() {
    let cases = [
        (r#"<https://h/l?offset=50>; rel="next""#, Some("https://h/l?offset=50")),
        (r#"<https://h/1>; rel="prev", </l?a=1,2>; title=x; REL=next"#, Some("/l?a=1,2")),
        (r#"<https://h/1>; rel="last""#, None),
        (r#"<https://h/2>; title="next, please; \" <x>"; rel="next""#, Some("https://h/2")),
        (r#"<https://h/1>; title="rel=next", <https://h/2>; rel="prev""#, None),
        ("nonsense", None),
    ];
    for (header, expected) in cases {
        assert_eq!(next_link(header).as_deref(), expected, "{header}");
    }
    assert_eq!(with_query("http://h/l?limit=9&a=b", &[("offset", 5), ("limit", 3)]), "http://h/l?a=b&offset=5&limit=3");
}

#[test]
fn pages_follow_links_and_offsets() {
    let by_link = |asked: &Asked| {
        let offset: u64 = asked.query("offset").map_or(0, |offset| offset.parse().unwrap());
        let next = format!("<?offset={}>; rel=\"next\"", offset + 50);
        let headers = [("Link", next.as_str()), ("X-Total-Count", "120")];
        page(if offset < 100 { &headers } else { &headers[1..] }, offset..(offset + 50).min(120))
    };
    let by_offset = |asked: &Asked| {
        let number = |name| asked.query(name).map(|text| text.parse::<u64>().unwrap());
        let (offset, limit) = (number("offset").unwrap_or(0), number("limit").unwrap_or(40).min(40));
        page(&[("X-Total-Count", "120"), ("X-Limit", "40")], offset..(offset + limit).min(120))
    };
    let (told, requests, _) = fetch("/locations", None, by_link);
    assert_eq!((told, requests.len()), (Ok(file(0..120)), 3));
    let (told, requests, notes) = fetch("/locations?date_from=2020-01-01", None, by_offset);
    assert_eq!((told, notes), (Ok(file(0..120)), vec![]));
    let paths: Vec<&str> = requests.iter().filter_map(|head| head.split(' ').nth(1)).collect();
    let path = "/locations?date_from=2020-01-01";
    assert_eq!(paths, [path.to_owned(), format!("{path}&offset=40&limit=40"), format!("{path}&offset=80&limit=40")]);
    assert!(requests.iter().all(|head| head.contains(&format!("authorization: Token {TOKEN}"))), "{requests:?}");

    // The next page in a header of its own.
    let two_headers = |asked: &Asked| match asked.query("offset") {
        None => page(&[("Link", "</first>; rel=\"first\""), ("Link", "<?offset=5>; rel=\"next\"")], 0..5),
        _ => page(&[], 5..7),
    };
    assert_eq!(fetch("/locations", None, two_headers).0, Ok(file(0..7)));

    // A list that moved: a record comes twice, and one fewer than was promised.
    let moved = |asked: &Asked| match asked.query("offset") {
        None => page(&[("X-Total-Count", "9")], 0..5),
        Some("5") => page(&[("X-Total-Count", "9")], 4..7),
        _ => page(&[("X-Total-Count", "9")], 0..0),
    };
    let told = fetch("/locations", None, moved).0.unwrap_err();
    assert!(told.ends_with("/locations answers 8 locations where it speaks of 9; the input stays as it is"), "{told}");

    // No page, and no envelope.
    assert_eq!(fetch("/l", None, |_| page(&[], 0..0)).0, Ok("[]\n".to_owned()));
    assert_eq!(fetch("/l", None, |_| answer("200 OK", format!("[{}]", location(1)).as_bytes())).0, Ok(file(1..2)));
}

#[test]
fn versions_lead_to_the_locations_of_the_newest() {
    let (told, requests, _) = fetch("/ocpi/versions", None, |asked| {
        let data = |data: &str| answer("200 OK", format!("{{\"status_code\": 1000, \"data\": {data}}}").as_bytes());
        match asked.path.as_str() {
            "/ocpi/versions" => data(
                r#"[{"version": "2.1.1", "url": "/ocpi/2.1.1"}, {"version": "2.2.1", "url": "2.2.1"}, {"version": "3.0", "url": "/3"}, {"version": "2.0", "url": "/2"}]"#,
            ),
            "/ocpi/2.2.1" => data(
                r#"{"version": "2.2.1", "endpoints": [{"identifier": "locations", "role": "RECEIVER", "url": "/no"}, {"identifier": "tokens", "url": "/no"}, {"identifier": "locations", "role": "SENDER", "url": "/ocpi/cpo/2.2.1/locations"}]}"#,
            ),
            "/ocpi/cpo/2.2.1/locations" => page(&[], 1..3),
            _ => answer("404 Not Found", b""),
        }
    });
    assert_eq!((told, requests.len()), (Ok(file(1..3)), 3));
    let told =
        fetch("/v", None, |_| answer("200 OK", br#"{"data": [{"version": "2.0", "url": "/x"}], "status_code": 1000}"#))
            .0;
    assert!(told.unwrap_err().ends_with("/v answers versions without one from 2.1.1 to 2.x"));
}

#[test]
fn the_token_is_written_as_the_server_wants_it_and_shown_to_no_other() {
    let base64 = format!("Token {}", STANDARD.encode(TOKEN));
    let wanted = base64.clone();
    let newer = move |asked: &Asked| {
        if asked.header("authorization") == Some(&wanted) { page(&[], 0..2) } else { answer("401 Unauthorized", b"") }
    };
    let (told, requests, _) = fetch("/l", None, newer.clone());
    assert_eq!((told, requests.len()), (Ok(file(0..2)), 2));
    let (told, requests, _) = fetch("/l", Some(true), newer.clone());
    assert_eq!((told, requests.len()), (Ok(file(0..2)), 1));
    let (told, requests, _) = fetch("/l", Some(false), newer);
    assert!(told.unwrap_err().ends_with("/l answers 401: it wants to know who asks") && requests.len() == 1);

    let (other, other_requests) = serve_asked(|_| page(&[], 2..4));
    let (told, _, _) = fetch("/l", None, move |_| page(&[("Link", &format!("<{other}/l>; rel=\"next\""))], 0..2));
    assert_eq!(told, Ok(file(0..4)));
    let heads = other_requests.lock().unwrap();
    assert!(heads.len() == 1 && !heads[0].contains("authorization"), "{heads:?}");
}

#[test]
fn what_a_server_says_is_wrong_is_told() {
    let told = |body: &'static str| fetch("/l", None, move |_| answer("200 OK", body.as_bytes())).0.unwrap_err();
    for (text, says) in [
        (
            r#"{"status_code": 2001, "status_message": "Invalid \"x\""}"#,
            "/l answers status_code 2001: Invalid \\\"x\\\"",
        ),
        (
            r#"{"status_code": 2001, "status_message": "Unknown t0ken-of-ours, dDBrZW4tb2Ytb3Vycw=="}"#,
            "/l answers status_code 2001: Unknown (key), (key)",
        ),
        (r#"{"status_code": 3000, "data": []}"#, "/l answers status_code 3000"),
        (r#"{"status_code": 1000}"#, "/l answers an envelope without data"),
        (r#"{"status_code": 1000, "data": 5}"#, "/l answers data that are no list of locations"),
        ("<html>", "/l answers no JSON: expected value at line 1 column 1"),
        ("[{}", "/l answers JSON that breaks off: EOF while parsing a list at line 1 column 3"),
    ] {
        let told = told(text);
        assert!(told.ends_with(says), "{told}\n{says}");
    }
    let (told, _, _) = fetch("/l", None, |_| page(&[("Link", "</l>; rel=\"next\"")], 0..2));
    assert!(told.unwrap_err().ends_with("/l answers a next page that was there before; its pages have no end"));
    let endless = |asked: &Asked| page(&[("Link", &format!("<?offset={}>; rel=\"next\"", asked.before))], 0..2);
    let (told, requests, _) = fetch("/l", None, endless);
    assert_eq!(requests.len(), 2);
    assert!(
        told.unwrap_err()
            .ends_with("/l answers a page without a new location that names a next one; its pages have no end")
    );
}

#[test]
fn what_is_there_is_neither_replaced_by_nothing_nor_mixed_with_what_an_earlier_call_left() {
    let folder = tempfile::tempdir().unwrap();
    let (input, left) = (folder.path().join("cpo.json"), folder.path().join("cpo.json.part.json"));
    fs::write(&input, file(0..2)).unwrap();
    fs::write(folder.path().join("cpo.json.part"), "a download that broke off").unwrap();
    fs::write(&left, "{}").unwrap();
    let seen = left.clone();
    let (url, _) = serve_asked(move |asked| {
        assert!(!seen.exists(), "it would describe other bytes than those that come");
        page(&[], 0..if asked.before == 1 { 3 } else { 0 })
    });
    let http = Http::with_pauses(Vec::new());
    let fetch = || {
        let archive = Archive { source: "cpo", keep: 0, vintage_of: &|_| None };
        let (url, input) = (url.as_str(), input.as_path());
        let pages = OcpiPages {
            http: &http,
            url,
            token: None,
            token_is_base64: None,
            page_size: 9,
            pace: Duration::ZERO,
            input,
            archive,
        };
        pages.fetch(&Notes::default()).map_err(|error| error.to_string())
    };
    let told = fetch().unwrap_err();
    assert!(told.contains(" has no location at all where it had some before; "), "{told}");
    assert_eq!(fs::read_to_string(&input).unwrap(), file(0..2));
    fetch().unwrap();
    assert_eq!(fs::read_to_string(&input).unwrap(), file(0..3));
    fs::remove_file(&input).unwrap();
    fetch().unwrap();
    assert_eq!(fs::read_to_string(&input).unwrap(), "[]\n");
}
