//! Invented records, one of each shape, and the features they become.

use serde_json::{Value, json};

use crate::domain::{Connector, ConnectorType, Current, Feature, RecordId};

/// A compact record, as today's export writes it.
pub(super) fn compact() -> Value {
    json!({
        "IsRecentlyVerified": true, "DateLastVerified": "2026-01-02T03:04:05Z",
        "MediaItems": [{"ID": 1, "User": {"Username": "someone"}}], "UserComments": [{"UserName": "someone", "Comment": "ok"}],
        "ID": 700_001, "UUID": "U-1", "DataProviderID": 1, "OperatorID": 9001, "OperatorsReference": "LI*ABC*E1", "UsageTypeID": 5,
        "UsageCost": "CHF 0.45/kWh",
        "AddressInfo": {"ID": 5, "Title": " Mühle ", "AddressLine1": "Mühlegasse 3", "Town": "Neudorf", "Postcode": "9999", "CountryID": 130,
            "Latitude": 47.123_456_788_443_62, "Longitude": 9.5, "ContactTelephone1": "+423 000 00 00", "RelatedURL": "https://example.org",
            "DistanceUnit": 0},
        "Connections": [
            {"ID": 1, "ConnectionTypeID": 33, "StatusTypeID": 50, "LevelID": 3, "PowerKW": 150, "CurrentTypeID": 30, "Quantity": 2},
            {"ID": 2, "ConnectionTypeID": 1036, "LevelID": 2, "Amps": 32, "Voltage": 400, "PowerKW": 22, "CurrentTypeID": 20},
        ],
        "NumberOfPoints": 3, "GeneralComments": "Behind the mill.", "StatusTypeID": 50, "DateLastStatusUpdate": "2026-01-02T03:04:05Z",
        "DateCreated": "2020-01-01T00:00:00Z", "SubmissionStatusTypeID": 200
    })
}

/// A verbose record, as the API answers.
pub(super) fn verbose() -> Value {
    json!({
        "DataProvider": {"WebsiteURL": "http://example.org", "IsOpenDataLicensed": true, "License": " Free for all. ", "DateLastImported": "2026-01-01T00:00:00Z",
            "ID": 2, "Title": "Registry of Examples"},
        "OperatorInfo": {"ID": 9002, "Title": "Sample Power", "IsPrivateIndividual": false},
        "UsageType": {"ID": 6, "Title": "Private - For Staff, Visitors or Customers"},
        "StatusType": {"ID": 75, "Title": "Partly Operational (Mixed)", "IsOperational": true},
        "SubmissionStatus": {"ID": 100, "IsLive": true}, "UserComments": null, "PercentageSimilarity": null,
        "ID": 700_002, "UUID": "U-2", "ParentChargePointID": null, "DataProviderID": 2, "DataProvidersReference": "R-17", "OperatorID": null,
        "UsageTypeID": null, "UsageCost": "Free",
        "AddressInfo": {"ID": 6, "Title": "Town Hall", "AddressLine1": "12 Main St", "AddressLine2": "Level 2", "Town": "Springfield", "StateOrProvince": "OR",
            "CountryID": 2, "Country": {"ID": 2, "ISOCode": "US", "Title": "United States"}, "Latitude": 45.5, "Longitude": -122.5,
            "AccessComments": "24/7", "ContactEmail": "hall@example.org", "Distance": 0.4, "DistanceUnit": 2},
        "Connections": [{"ID": 3, "ConnectionTypeID": null, "ConnectionType": {"ID": 27, "Title": "NACS / Tesla Supercharger"}, "Reference": "US*XYZ*E9",
            "StatusType": null, "CurrentType": {"ID": 30}, "Amps": null, "PowerKW": 250.0, "Quantity": 8}],
        "StatusTypeID": null, "SubmissionStatusTypeID": null, "DateLastStatusUpdate": null, "DateCreated": "2021-05-06T07:08:09Z"
    })
}

/// A record as mongoexport writes it.
pub(super) fn mongo() -> Value {
    json!({
        "_id": {"$oid": "000000000000000000000001"}, "ID": {"$numberInt": "700003"}, "DataProviderID": 1, "OperatorID": 1,
        "AddressInfo": {"Title": "Quay", "Latitude": {"$numberDouble": "0.0"}, "Longitude": 0, "Distance": null},
        "Connections": null, "StatusTypeID": 150, "DateLastStatusUpdate": {"$date": "2020-04-06T04:01:00.5Z"},
        "SubmissionStatusTypeID": 100, "SpatialPosition": {"type": "Point", "coordinates": [0, 0]}
    })
}

/// A feature with these tags and nothing else.
pub(super) fn feature(id: &str, lon: f64, lat: f64, tags: &[(&str, &str)]) -> Feature {
    let always = [("amenity", "charging_station"), ("ref:ocm", id)];
    Feature {
        raw: "".into(),
        ..Feature::point(RecordId::new(id), lon, lat, always.iter().chain(tags).copied().collect())
    }
}

/// What the three records above become.
pub(super) fn expected() -> Vec<Feature> {
    let compact_tags = [
        ("access", "yes"),
        ("addr:city", "Neudorf"),
        ("addr:country", "LI"),
        ("addr:housenumber", "3"),
        ("addr:postcode", "9999"),
        ("addr:street", "Mühlegasse"),
        ("authentication:none", "yes"),
        ("capacity", "3"),
        ("charge", "CHF 0.45/kWh"),
        ("description", "Behind the mill."),
        ("fee", "yes"),
        ("name", "Mühle"),
        ("operational_status", "operational"),
        ("operator:ocm", "9001"),
        ("phone", "+423 000 00 00"),
        ("ref", "LI*ABC*E1"),
        ("ref:EU:EVSE", "LIABCE1"),
        ("website", "https://example.org"),
    ];
    let verbose_tags = [
        ("access", "customers"),
        ("addr:city", "Springfield"),
        ("addr:country", "US"),
        ("addr:full", "12 Main St, Level 2"),
        ("addr:housenumber", "12"),
        ("addr:state", "OR"),
        ("addr:street", "Main St"),
        ("charge", "Free"),
        ("email", "hall@example.org"),
        ("fee", "no"),
        ("name", "Town Hall"),
        ("opening_hours", "24/7"),
        ("operational_status", "partial"),
        ("operator", "Sample Power"),
        ("operator:ocm", "9002"),
        ("ref:provider:2", "R-17"),
    ];
    let ccs = Connector {
        current: Some(Current::Dc),
        power_kw: Some(150.0),
        count: Some(2),
        ..Connector::of(ConnectorType::Ccs2)
    };
    let type2 = Connector {
        current: Some(Current::AcThree),
        power_kw: Some(22.0),
        voltage_v: Some(400.0),
        amperage_a: Some(32.0),
        ..Connector::of(ConnectorType::Type2Cable)
    };
    let nacs = Connector {
        current: Some(Current::Dc),
        power_kw: Some(250.0),
        count: Some(8),
        evse_ids: vec!["USXYZE9".into()],
        ..Connector::of(ConnectorType::Nacs)
    };
    vec![
        Feature {
            connectors: vec![ccs, type2],
            update_time: Some("2026-01-02T03:04:05Z".parse().unwrap()),
            raw: concat!(
                r#"{"AddressInfo":{"AddressLine1":"Mühlegasse 3","ContactTelephone1":"+423 000 00 00","CountryID":130,"ID":5,"#,
                r#""Latitude":47.12345678844362,"Longitude":9.5,"Postcode":"9999","RelatedURL":"https://example.org","Title":" Mühle ","Town":"Neudorf"},"#,
                r#""Connections":[{"ConnectionTypeID":33,"CurrentTypeID":30,"ID":1,"LevelID":3,"PowerKW":150,"Quantity":2,"StatusTypeID":50},"#,
                r#"{"Amps":32,"ConnectionTypeID":1036,"CurrentTypeID":20,"ID":2,"LevelID":2,"PowerKW":22,"Voltage":400}],"#,
                r#""DataProviderID":1,"DateCreated":"2020-01-01T00:00:00Z","DateLastStatusUpdate":"2026-01-02T03:04:05Z","#,
                r#""GeneralComments":"Behind the mill.","ID":700001,"NumberOfPoints":3,"OperatorID":9001,"OperatorsReference":"LI*ABC*E1","#,
                r#""StatusTypeID":50,"SubmissionStatusTypeID":200,"UUID":"U-1","UsageCost":"CHF 0.45/kWh","UsageTypeID":5}"#,
            )
            .into(),
            ..feature("700001", 9.5, 47.123_456_788_443_62, &compact_tags)
        },
        Feature {
            connectors: vec![nacs],
            update_time: Some("2021-05-06T07:08:09Z".parse().unwrap()),
            license: Some("Free for all.".into()),
            raw: concat!(
                r#"{"AddressInfo":{"AccessComments":"24/7","AddressLine1":"12 Main St","AddressLine2":"Level 2","ContactEmail":"hall@example.org","#,
                r#""Country":{"ID":2,"ISOCode":"US","Title":"United States"},"CountryID":2,"ID":6,"Latitude":45.5,"Longitude":-122.5,"#,
                r#""StateOrProvince":"OR","Title":"Town Hall","Town":"Springfield"},"#,
                r#""Connections":[{"ConnectionType":{"ID":27,"Title":"NACS / Tesla Supercharger"},"CurrentType":{"ID":30},"ID":3,"PowerKW":250.0,"#,
                r#""Quantity":8,"Reference":"US*XYZ*E9"}],"#,
                r#""DataProvider":{"ID":2,"IsOpenDataLicensed":true,"License":" Free for all. ","Title":"Registry of Examples","WebsiteURL":"http://example.org"},"#,
                r#""DataProviderID":2,"DataProvidersReference":"R-17","DateCreated":"2021-05-06T07:08:09Z","ID":700002,"#,
                r#""OperatorInfo":{"ID":9002,"IsPrivateIndividual":false,"Title":"Sample Power"},"#,
                r#""StatusType":{"ID":75,"IsOperational":true,"Title":"Partly Operational (Mixed)"},"#,
                r#""SubmissionStatus":{"ID":100,"IsLive":true},"UUID":"U-2","UsageCost":"Free","#,
                r#""UsageType":{"ID":6,"Title":"Private - For Staff, Visitors or Customers"}}"#,
            )
            .into(),
            ..feature("700002", -122.5, 45.5, &verbose_tags)
        },
        Feature {
            update_time: Some("2020-04-06T04:01:00.5Z".parse().unwrap()),
            raw: concat!(
                r#"{"AddressInfo":{"Latitude":0.0,"Longitude":0,"Title":"Quay"},"DataProviderID":1,"#,
                r#""DateLastStatusUpdate":"2020-04-06T04:01:00.5Z","ID":700003,"OperatorID":1,"StatusTypeID":150,"SubmissionStatusTypeID":100}"#,
            )
            .into(),
            ..feature("700003", 0.0, 0.0, &[("name", "Quay"), ("operational_status", "planned")])
        },
    ]
}
