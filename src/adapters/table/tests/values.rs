//! Values: each way to take one, and what cannot be read.

use super::{read, repeated};

type Texts<'a> = &'a [&'a str];

/// A tag `t` of one column, for each of these cells; then the findings.
fn cells(take: &str, cells: &[&str]) -> (Vec<String>, Vec<String>) {
    let rows = repeated(cells.len(), |n| format!("{n};1;2;{}\n", cells[n]));
    let mapping = format!("id = 'id'\nlon = 'lon'\nlat = 'lat'\ndelimiter = ';'\ntags = {{ t = {take} }}");
    let told = read(&format!("id;lon;lat;c\n{rows}"), &mapping);
    let value = |feature: &crate::domain::Feature| feature.tags.get("t").unwrap_or("-").to_owned();
    (told.features.iter().map(value).collect(), told.findings())
}

#[test]
fn a_text_is_read_as_it_is_said_to_be_or_is_a_finding() {
    let cases: [(&str, Texts<'_>, Texts<'_>, Texts<'_>); 16] = [
        ("'c'", &[" a  b ", ""], &["a  b", "-"], &[]),
        (
            "{ column = 'c', as = 'kw' }",
            &[
                "22",
                "3.70",
                "1000",
                "0.05",
                "0",
                "-5",
                "150150150.0",
                "2222.0",
                "2.2222222222222224e+41",
                "3,7",
                "22 kW",
                "fast",
                "",
            ],
            &["22 kW", "3.7 kW", "1000 kW", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"],
            &[
                "implausible_value t 0.05",
                "implausible_value t 0",
                "implausible_value t -5",
                "implausible_value t 150150150.0",
                "implausible_value t 2222.0",
                "implausible_value t 2.2222222222222224e+41",
                "unreadable_value t 3,7",
                "unreadable_value t 22 kW",
                "unreadable_value t fast",
            ],
        ),
        ("{ column = 'c', as = 'w_to_kw' }", &["22000", "22"], &["22 kW", "-"], &["implausible_value t 22"]),
        (
            "{ column = 'c', as = 'kw', max = 43, min = 1 }",
            &["43", "44", "0.5"],
            &["43 kW", "-", "-"],
            &["implausible_value t 44", "implausible_value t 0.5"],
        ),
        ("{ column = 'c', as = 'kw', strip = ['kW'] }", &["22 kW", "11kW"], &["22 kW", "11 kW"], &[]),
        ("{ column = 'c', as = 'integer' }", &["4", "4.0", "4.5"], &["4", "4", "-"], &["unreadable_value t 4.5"]),
        ("{ column = 'c', as = 'number', min = 0 }", &["1e2", "-1"], &["100", "-"], &["implausible_value t -1"]),
        ("{ column = 'c', as = 'boolean' }", &["1", "FALSE", "ja"], &["yes", "no", "-"], &["unreadable_value t ja"]),
        (
            "{ column = 'c', as = 'date', format = '%d.%m.%Y' }",
            &["02.09.2015", "2015", "01.01.1900"],
            &["2015-09-02", "-", "-"],
            &["unreadable_value t 2015", "implausible_value t 01.01.1900"],
        ),
        (
            "{ column = 'c', map = { Open = 'yes', shut = 'no', Unknown = '' } }",
            &["Open", "SHUT", "unknown", "ajar"],
            &["yes", "no", "-", "-"],
            &["unknown_code t ajar"],
        ),
        ("{ column = 'c', map = { A = '1', a = '2' } }", &["A", "a"], &["1", "2"], &[]),
        ("{ column = 'c', map = { A = '1' }, else = 'other' }", &["A", "x", ""], &["1", "other", "-"], &[]),
        ("{ column = 'c', missing = ['n/a', '0'] }", &["n/a", "0", "00"], &["-", "-", "00"], &[]),
        ("{ column = 'c', split = ',', prefix = '<', suffix = '>' }", &["a, b,,a"], &["<a>;<b>"], &[]),
        ("{ column = 'c', split = ',', item = 2 }", &["a,b,c", "a"], &["b", "-"], &[]),
        (
            "{ column = 'c', pad = 5 }",
            &["2139", "901", "90210", "M9B 9", "9", "902101"],
            &["02139", "00901", "90210", "M9B 9", "-", "-"],
            &["unreadable_value t 9", "unreadable_value t 902101"],
        ),
    ];
    for (take, texts, values, findings) in cases {
        let (told, found) = cells(take, texts);
        assert_eq!(told, values, "{take}");
        assert_eq!(found, findings, "{take}");
    }
}

#[test]
fn a_value_may_come_from_several_columns() {
    let header = "id,lon,lat,a,b,c\n";
    let rows = "1,1,2,x,y,3\n2,1,2,,y,\n3,1,2,-,,4\n4,1,2,,,many\n";
    let mapping = "id = 'id'\nlon = 'lon'\nlat = 'lat'\nmissing = ['-']\n[tags]\n\
        joined = { columns = ['a', 'b'], join = '/' }\nfirst = { first = ['a', 'b'] }\n\
        sum = { sum = ['c', 'id'] }\nalways = { value = 'so' }";
    let told = read(&format!("{header}{rows}"), mapping);
    assert_eq!(
        told.tags(),
        [
            "1: always=so first=x joined=x/y sum=4",
            "2: always=so first=y joined=y sum=2",
            "3: always=so sum=7",
            "4: always=so",
        ]
    );
    assert_eq!(told.findings(), ["unreadable_value sum many"]);
}

#[test]
fn rows_are_wanted_by_what_their_columns_say() {
    let rows = "id,lon,lat,fuel,open\n1,1,2,ELEC,1\n2,1,2,LPG,true\n3,1,2,,0\n,1,2,CNG,\n";
    let cases = [
        ("where = { fuel = 'ELEC' }", vec!["1 2"], 3),
        ("where = { fuel = ['ELEC', 'LPG'] }", vec!["1 2", "2 3"], 2),
        ("where = { fuel = { not = ['LPG', 'CNG'] } }", vec!["1 2", "3 4"], 2),
        ("where = { open = true }", vec!["1 2", "2 3"], 2),
        ("where = { open = false }", vec!["3 4"], 3),
        ("where = { open = { not = false }, fuel = 'LPG' }", vec!["2 3"], 3),
        ("where = { fuel = '' }", vec!["3 4"], 3),
    ];
    for (wanted, lines, left_out) in cases {
        let told = read(rows, &format!("{wanted}\nid = 'id'\nlon = 'lon'\nlat = 'lat'"));
        assert_eq!(
            (told.lines(), told.extracted.left_out.total()),
            (lines.iter().map(|l| (*l).to_owned()).collect(), left_out),
            "{wanted}"
        );
    }
}

#[test]
fn weekdays_become_opening_hours() {
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let header = days.map(|day| format!(",{day} a,{day} b")).concat();
    let mapping = "id = 'id'\nlon = 'lon'\nlat = 'lat'\n[tags]\nopening_hours = { from = '{day} a', to = '{day} b', \
        always = 'h24', days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] }";
    let week = |hours: &str, days: usize| format!("{}{}", format!(",{hours}").repeat(days), ",,".repeat(7 - days));
    let rows = [
        format!("1,1,2,0{}", week("08:00,18:00", 5)),
        format!("2,1,2,1{}", week("", 0)),
        format!("3,1,2,{}", week("", 0)),
        format!("4,1,2,1{}", week("06:00,00:00", 1)),
        format!("5,1,2,0{}", week("08:00,late", 1)),
        format!("6,1,2,perhaps{}", week("08:00,18:00", 1)),
    ];
    let told = read(&format!("id,lon,lat,h24{header}\n{}\n", rows.join("\n")), mapping);
    assert_eq!(told.tags(), ["1: opening_hours=Mo-Fr 08:00-18:00", "2: opening_hours=24/7", "3:", "4:", "5:", "6:"]);
    assert_eq!(
        told.findings(),
        [
            "implausible_value opening_hours always 1, and 06:00-00:00, -, -, -, -, -, -",
            "unreadable_value opening_hours always 0, and 08:00-late, -, -, -, -, -, -",
            "unreadable_value opening_hours perhaps",
        ]
    );
}

#[test]
fn connectors_come_from_groups_of_columns_and_lists_in_them() {
    let header = "id,lon,lat,t1,p1,n1,t2,p2,n2\n";
    let mapping = "id = 'id'\nlon = 'lon'\nlat = 'lat'\n[[connectors]]\nrepeat = 2\n\
        type = { column = 't{n}', split = '+', map = { T2 = 'type2_socket', CCS = 'ccs2', F = 'schuko' } }\n\
        power = { column = 'p{n}', split = '+' }\ncount = { column = 'n{n}', split = '+' }";
    let cases = [
        ("T2,22,2,CCS,150,1", "type2_socket 22kW x2, ccs2 dc 150kW x1", vec![]),
        ("T2,22,,,,", "type2_socket 22kW", vec![]),
        ("T2+CCS,22+50,1+2,,,", "type2_socket 22kW x1, ccs2 dc 50kW x2", vec![]),
        ("T2+CCS,50,,,,", "type2_socket, ccs2 dc 50kW", vec![]), // of which the strongest gives that much
        ("T2+F,22,,,,", "type2_socket 22kW, schuko ac_single", vec![]),
        ("T2+CCS,,4,,,", "type2_socket, ccs2 dc", vec!["unreadable_value connectors.count 4"]),
        ("T2+CCS,1+2+3,,,,", "type2_socket, ccs2 dc", vec!["unreadable_value connectors.power 1 kW;2 kW;3 kW"]),
        ("T2,22,0,CCS,50,", "ccs2 dc 50kW", vec![]),
        ("XYZ,22,,,,", "unknown 22kW", vec!["unknown_code connectors.type XYZ"]),
        (",22,,,,", "unknown 22kW", vec![]),
        (
            "T2,fast,many,,,",
            "type2_socket",
            vec!["unreadable_value connectors.power fast", "unreadable_value connectors.count many"],
        ),
        (
            "T2,5000,1.5,,,",
            "type2_socket",
            vec!["implausible_value connectors.power 5000", "unreadable_value connectors.count 1.5"],
        ),
        (",,,,,", "", vec![]),
    ];
    for (row, connectors, findings) in cases {
        let told = read(&format!("{header}a,1,2,{row}\n"), mapping);
        assert_eq!(told.connectors(), [format!("a: {connectors}")], "{row}");
        assert_eq!(told.findings(), findings, "{row}");
    }
    let mapping = "id = 'id'\nlon = 'lon'\nlat = 'lat'\n[[connectors]]\n\
        type = { column = 't', vocabulary = 'ocpi' }\nevse_id = { column = 'e', split = ';' }\nvoltage = 'v'\namperage = 'a'\n\
        current = { column = 'c', map = { AC3 = 'ac_three', DC = 'dc' } }";
    let told = read("id,lon,lat,t,e,v,a,c\n1,1,2,CHADEMO,DE*A*E1;DE*A*E2,400,125,DC\n2,1,2,FLUX,,40000,32,\n", mapping);
    assert_eq!(told.connectors(), ["1: chademo dc 400V 125A DE*A*E1 DE*A*E2", "2: unknown 32A"]);
    assert_eq!(told.findings(), ["unknown_code connectors.type FLUX", "implausible_value connectors.voltage 40000"]);
}

#[test]
fn a_decimal_comma_is_one_everywhere_and_a_point_is_then_none() {
    let mapping =
        "decimal_comma = true\nid = 'id'\nlon = 'lon'\nlat = 'lat'\ntags = { p = { column = 'p', as = 'kw' } }";
    let told = read("id;lon;lat;p\n1;9,5;47,1;3,7\n2;9;47;3.7\n", mapping);
    assert_eq!(told.points(), ["1 9.5 47.1", "2 9 47"]);
    assert_eq!(told.tags(), ["1: p=3.7 kW", "2:"]);
    assert_eq!(told.findings(), ["unreadable_value p 3.7"]);
    let mapping =
        "id = 'id'\nlon = { column = 'at', split = ',', item = 2 }\nlat = { column = 'at', split = ',', item = 1 }";
    assert_eq!(read("id;at\n1;47.1, 9.5\n", mapping).points(), ["1 9.5 47.1"]);
}

#[test]
fn a_record_states_its_date_licence_and_row() {
    let mapping = "id = 'id'\nlon = 'lon'\nlat = 'lat'\nupdated = 'at'";
    let told = read("id,lon,lat,at,x\n1,1,2,2015-09-02 11:28:16,\n2,1,2,0000-00-00,y\n3,1,2,,\n", mapping);
    let times: Vec<Option<String>> = told.features.iter().map(|f| f.update_time.map(|at| at.to_string())).collect();
    assert_eq!(times, [Some("2015-09-02T11:28:16Z".to_owned()), None, None]);
    assert_eq!(told.findings(), ["unreadable_value update_time 0000-00-00"]);
    assert_eq!(told.extracted.vintage.map(|at| at.to_string()).as_deref(), Some("2015-09-02T11:28:16Z"));
    assert_eq!(told.extracted.attribution.as_deref(), Some("we"));
    assert_eq!(told.features[0].license.as_deref(), Some("CC0-1.0"));
    assert_eq!(&*told.features[0].raw, r#"{"at":"2015-09-02 11:28:16","id":"1","lat":"2","lon":"1"}"#);
    assert_eq!(told.extracted.inputs.len(), 1);
}
