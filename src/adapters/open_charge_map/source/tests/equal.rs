//! What must be equal: one place in every shape, and one record with other volatile fields.

use std::collections::BTreeSet;

use super::*;
use crate::domain::{Connector, Current, ObjectKind, RecordId, Tags};

/// One place as a verbose record.
fn verbose_place() -> Value {
    json!({
        "DataProvider": {"ID": 1, "Title": "Us", "License": "CC BY", "IsOpenDataLicensed": true},
        "OperatorInfo": {"ID": 9001, "Title": "Example Charging"},
        "UsageType": {"ID": 5, "Title": "Public - Pay At Location", "IsPayAtLocation": true},
        "StatusType": {"ID": 75, "Title": "Partly Operational (Mixed)", "IsOperational": true},
        "SubmissionStatus": {"ID": 200, "IsLive": true, "Title": "Submission Published"},
        "ID": 7, "UUID": "U-7", "DataProviderID": 1, "OperatorID": 9001, "OperatorsReference": "LI*ABC*E1", "UsageTypeID": 5,
        "AddressInfo": {
            "ID": 3, "Title": "Mill, \"old\"", "AddressLine1": "Mühlegasse 3", "AddressLine2": null, "Town": "Neudorf",
            "StateOrProvince": "North", "Postcode": "9999", "CountryID": 130,
            "Country": {"ID": 130, "ISOCode": "LI", "Title": "Liechtenstein"}, "Latitude": 47.125, "Longitude": 9.5,
            "ContactTelephone1": "+423 000", "ContactEmail": "mill@example.org", "AccessComments": "24/7",
            "RelatedURL": "https://example.org"
        },
        "Connections": [
            {"ID": 1, "ConnectionTypeID": 1036, "ConnectionType": {"ID": 1036, "Title": "Type 2 (Tethered Connector) "},
                "LevelID": 2, "PowerKW": 22, "CurrentTypeID": 20, "CurrentType": {"ID": 20, "Title": "AC (Three-Phase)"}},
            {"ID": 2, "ConnectionTypeID": 33, "ConnectionType": {"ID": 33, "Title": "CCS (Type 2)"}, "LevelID": 3, "PowerKW": 50,
                "CurrentTypeID": 30, "CurrentType": {"ID": 30, "Title": "DC"}, "Quantity": 2},
        ],
        "NumberOfPoints": 3, "GeneralComments": "Behind the mill.", "StatusTypeID": 75,
        "DateLastStatusUpdate": "2026-01-20T03:04:05Z", "DateCreated": "2020-01-31T00:00:00Z", "SubmissionStatusTypeID": 200
    })
}

/// The same without the objects that numbers stand for; their keys are there or not.
fn compact_place(with_nulls: bool) -> Value {
    fn strip(value: &mut Value, with_nulls: bool) {
        let objects = [
            "DataProvider",
            "OperatorInfo",
            "UsageType",
            "StatusType",
            "SubmissionStatus",
            "Country",
            "ConnectionType",
            "CurrentType",
        ];
        match value {
            Value::Object(fields) => {
                for (key, value) in fields.iter_mut() {
                    if objects.contains(&key.as_str()) {
                        *value = Value::Null;
                    }
                    strip(value, with_nulls);
                }
                fields.retain(|_, value| with_nulls || !value.is_null());
            }
            Value::Array(items) => items.iter_mut().for_each(|item| strip(item, with_nulls)),
            _ => {}
        }
    }
    let mut place = verbose_place();
    strip(&mut place, with_nulls);
    place
}

/// The same with keys in camel case, as Newtonsoft's resolver writes them.
fn camel_case(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| {
                let capitals = key.chars().take_while(char::is_ascii_uppercase).count();
                let lowered = if capitals == key.len() { capitals } else { capitals.saturating_sub(1).max(1) };
                (key[..lowered].to_lowercase() + &key[lowered..], camel_case(value))
            })
            .collect(),
        Value::Array(items) => items.iter().map(camel_case).collect(),
        plain => plain.clone(),
    }
}

fn geojson(properties: &Value) -> Value {
    json!({"features": [{"id": "7", "geometry": {"type": "Point", "coordinates": [47.125, 9.5]}, "properties": properties}]})
}

/// The one feature of a dump, read with reference data that knows its provider and operator; without `raw` and line.
fn feature_of(name: &str, text: &str) -> Feature {
    let folder = tempfile::tempdir().unwrap();
    let (dump, reference) = (folder.path().join(name), folder.path().join("reference.json"));
    std::fs::write(&dump, text).unwrap();
    let data = json!({
        "Operators": [{"ID": 9001, "Title": "Example Charging"}],
        "DataProviders": [{"ID": 1, "Title": "Us", "License": "CC BY"}],
        "Countries": [{"ID": 130, "ISOCode": "LI", "Title": "Liechtenstein"}]
    });
    std::fs::write(&reference, data.to_string()).unwrap();
    let mut read = read_with(&dump, Some(&reference), &Watch::default()).unwrap();
    assert_eq!((read.features.len(), read.rejects.as_slice()), (1, [].as_slice()), "{text}");
    let feature = read.features.pop().unwrap();
    Feature { raw: "".into(), line: None, ..feature }
}

#[test]
fn one_place_is_one_feature_in_every_shape_that_can_say_it() {
    let verbose = verbose_place();
    let expected = feature_of("dump.json", &json!([verbose]).to_string());
    let ccs = Connector {
        current: Some(Current::Dc),
        power_kw: Some(50.0),
        count: Some(2),
        ..Connector::of(ConnectorType::Ccs2)
    };
    assert_eq!(expected.connectors[1], ccs);
    assert_eq!((expected.license.as_deref(), expected.findings.len()), (Some("CC BY"), 0));
    let camel = camel_case(&verbose);
    assert!(camel.to_string().contains(r#""isoCode":"LI""#) && camel.to_string().contains(r#""powerKW":50"#));
    let shapes = [
        json!([compact_place(true)]).to_string(),
        json!([compact_place(false)]).to_string(),
        compact_place(false).to_string(),
        json!([camel]).to_string(),
        camel_case(&compact_place(false)).to_string() + "\n",
        geojson(&json!({"name": "Mill", "poi": camel})).to_string(),
        json!({"data": [verbose], "status": "ok"}).to_string(),
    ];
    for text in shapes {
        assert_eq!(feature_of("any.txt", &text), expected, "{text}");
    }
}

#[test]
fn a_table_says_less_and_nothing_else() {
    let whole = feature_of("dump.json", &json!([verbose_place()]).to_string());
    let header = "ID,UUID, LocationTitle,AddressLine1,AddressLine2,Town,StateOrProvince,Postcode,Country,Latitude,Longitude,Distance,DistanceUnit,Addr_ContactTelephone1,Addr_ContactTelephone2,Addr_ContactEmail,Addr_AccessComments,Addr_GeneralComments,Addr_RelatedURL,ConnectionType,ChargerType,UsageType,NumberOfPoints,GeneralComments,DateLastConfirmed,StatusType,DateLastStatusUpdate,DateCreated";
    let row = "7,U-7,\"Mill, \"\"old\"\"\",\"Mühlegasse 3\",,Neudorf,North,\"9999\",\"Liechtenstein\",47.125,9.5,,Miles,\"+423 000\",,mill@example.org,24/7,,https://example.org,\"Type 2 (Tethered Connector) ; CCS (Type 2);\",,\"Public - Pay At Location\",3,\"Behind the mill.\",,\"Partly Operational (Mixed)\",1/20/2026 3:04:05 AM,1/31/2020 12:00:00 AM";
    let table = feature_of("dump.csv", &format!("\u{feff}{header}\r\n{row}\r\n"));
    let not_in_tables = BTreeSet::from(["operator", "operator:ocm", "ref", "ref:EU:EVSE"]);
    let tags: Tags = whole.tags.iter().filter(|(key, _)| !not_in_tables.contains(key)).collect();
    let connectors = vec![Connector::of(ConnectorType::Type2Cable), Connector::of(ConnectorType::Ccs2)];
    assert_eq!(table, Feature { tags, connectors, license: None, ..whole });
}

#[test]
fn a_plain_geojson_says_least_and_puts_latitude_first() {
    let whole = feature_of("dump.json", &json!([verbose_place()]).to_string());
    let properties = json!({
        "name": "Mill, \"old\"", "description": "Mühlegasse 3, Neudorf, Liechtenstein", "level": "3", "connectionType": "CCS (Type 2)",
        "url": "https://openchargemap.org/site/poi/details/7"
    });
    let plain = feature_of("dump.geojson", &geojson(&properties).to_string());
    let expected = Feature {
        tags: feature(
            "7",
            0.0,
            0.0,
            &[("name", "Mill, \"old\""), ("addr:full", "Mühlegasse 3, Neudorf, Liechtenstein")],
        )
        .tags,
        connectors: vec![Connector::of(ConnectorType::Ccs2)],
        license: None,
        update_time: None,
        findings: vec![Finding::replaced(FindingRule::SwappedPosition, "geometry", "47.125 9.5", "9.5 47.125")],
        ..whole
    };
    assert_eq!(plain, expected);
}

#[test]
fn fields_that_change_with_each_dump_change_nothing() {
    let volatile = |flag: bool, day: &str| {
        let mut place = verbose_place();
        place["IsRecentlyVerified"] = json!(flag);
        place["DateLastVerified"] = json!(day);
        place["LevelOfDetail"] = json!(i32::from(flag));
        place["PercentageSimilarity"] = json!(flag.then_some(99.5));
        place["UserComments"] = json!([{"UserName": day, "Comment": day, "CheckinStatusTypeID": 150}]);
        place["MediaItems"] = json!([{"ItemURL": day, "User": {"Username": day}}]);
        place["AddressInfo"]["Distance"] = json!(day.len());
        place["AddressInfo"]["DistanceUnit"] = json!(if flag { 1 } else { 2 });
        place["DataProvider"]["DateLastImported"] = json!(day);
        place
    };
    let (one, other) = (volatile(true, "2026-01-01"), volatile(false, "2026-02-02T00:00:00Z"));
    let read = |place: &Value| read_bytes(json!([place]).to_string().as_bytes()).unwrap().features;
    assert_ne!(one, other);
    assert_eq!(read(&one), read(&other));
    assert!(!read(&one)[0].raw.contains("2026-01-01"), "{}", read(&one)[0].raw);

    let mut touched = one.clone();
    touched["DateLastStatusUpdate"] = json!("2026-01-30T00:00:00Z");
    let (before, after) = (read(&one).remove(0), read(&touched).remove(0));
    assert_ne!((before.update_time, &before.raw), (after.update_time, &after.raw));
    assert_eq!(Feature { update_time: before.update_time, raw: before.raw.clone(), ..after }, before);
}

#[test]
fn a_delisted_duplicate_names_the_record_that_it_repeats() {
    let at = |id: u64, more: Value| {
        let mut record = json!({"ID": id, "AddressInfo": {"Latitude": 47.5, "Longitude": 9.5}});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record
    };
    let records = json!([
        at(1, json!({"SubmissionStatusTypeID": 200})),
        at(2, json!({"SubmissionStatusTypeID": 1001, "ParentChargePointID": 1})),
        at(3, json!({"SubmissionStatusTypeID": 1001, "AddressInfo": null, "ParentChargePointID": 1})),
        at(4, json!({"SubmissionStatusTypeID": 1010, "ParentChargePointID": 1, "StatusTypeID": 210})),
        at(5, json!({"SubmissionStatusTypeID": 1001})),
    ]);
    let read = read_bytes(records.to_string().as_bytes()).unwrap();
    let kept: Vec<_> =
        read.features.iter().map(|f| (f.id.as_str(), f.duplicate_of.as_ref().map(RecordId::as_str))).collect();
    assert_eq!(kept, [("1", None), ("2", Some("1"))]);
    assert_eq!(read.extracted.left_out.0.into_iter().collect::<Vec<_>>(), [(LeftOutRule::NotLive, 3)]);
}

#[test]
fn a_place_for_bicycles_only_is_one_unless_it_has_a_plug_of_cars() {
    let taxonomy = Taxonomy::parse(include_str!("../../../../../pipelines/categories.toml"), &["charging".to_owned()]);
    let taxonomy = taxonomy.unwrap();
    let cases = [
        (json!([12]), json!([28]), "bicycle_charging_station", 0),
        (json!([12]), json!([]), "bicycle_charging_station", 0),
        (json!([12, 5]), json!([25]), "charging_station", 0),
        (json!([12]), json!([25]), "charging_station", 1),
        (json!([10]), json!([33]), "charging_station", 0),
        (json!([]), json!([28]), "charging_station", 0),
    ];
    for (vehicles, plugs, category, findings) in cases {
        let list = |key: &str, more: &Value, ids: &Value| -> Value {
            let of = |id: &Value| {
                let mut value = more.clone();
                value[key] = id.clone();
                value
            };
            ids.as_array().unwrap().iter().map(of).collect()
        };
        let record = json!([{
            "ID": 7, "AddressInfo": {"Latitude": 47.5, "Longitude": 9.5},
            "MetadataValues": list("MetadataFieldOptionID", &json!({"MetadataFieldID": 5}), &vehicles),
            "Connections": list("ConnectionTypeID", &json!({}), &plugs),
        }]);
        let feature = read_bytes(record.to_string().as_bytes()).unwrap().features.remove(0);
        let classified = taxonomy.classify(ObjectKind::Node, &feature.tags).expect("it is a charging station");
        assert_eq!((classified.category.name.as_str(), feature.findings.len()), (category, findings), "{record}");
    }
}

#[test]
fn coordinates_that_are_words_are_told_in_the_reject() {
    let text = r#"[{"ID": 7, "AddressInfo": {"Latitude": "forty-seven", "Longitude": "9,5"}}]"#;
    let reject = read_bytes(text.as_bytes()).unwrap().rejects.remove(0);
    let message = "it has no `Longitude` and `Latitude` that are numbers; `Latitude` is `forty-seven`";
    assert_eq!(
        (reject.record_id.as_str(), reject.code, reject.message.as_str()),
        ("7", RejectCode::NoPosition, message)
    );
}

#[test]
fn imports_from_ocpi_are_compensated() {
    let record = json!([{
        "ID": 7, "DataProviderID": 38, "UsageTypeID": 4, "StatusTypeID": 100,
        "AddressInfo": {"Title": "Long Lane 4", "AddressLine1": "Long Lane 4", "CountryID": 130, "Latitude": 47.5, "Longitude": 9.5},
        "Connections": [
            {"ConnectionTypeID": 1036, "StatusTypeID": 50, "PowerKW": 22000},
            {"ConnectionTypeID": 1036, "StatusTypeID": 100, "PowerKW": 22}
        ]
    }]);
    let found = read_bytes(record.to_string().as_bytes()).unwrap().features.remove(0);
    let told: Vec<String> = found
        .findings
        .iter()
        .map(|f| {
            format!(
                "{} {} {} {}",
                f.rule,
                f.field,
                f.before.as_deref().unwrap_or("-"),
                f.after.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "power_in_watts connectors 22000 22",
            "socket_or_cable connectors type2_cable -",
            "status_of_last_point status out_of_order partial",
            "usage_of_import access 4 -",
            "country_of_operator country LI -",
            "title_is_address name Long Lane 4 -",
        ]
    );
    let tags =
        [("operational_status", Some("partial")), ("access", None), ("addr:country", Some("LI")), ("name", None)];
    for (key, expected) in tags {
        assert_eq!(found.tags.get(key), expected, "{key}");
    }
    assert_eq!(found.connectors[0].power_kw, Some(22.0));
}
