//! Registers in their own layouts, with invented rows: the German one, the French schema, the whole American file.

use super::{read, read_bytes};

const BNETZA: &str = r#"
encoding = "windows-1252"
decimal_comma = true
id = { hash = ["Betreiber", "Straße", "Hausnummer", "Postleitzahl", "Ort", "Breitengrad", "Längengrad"] }
lon = "Längengrad"
lat = "Breitengrad"

[tags]
amenity = { value = "charging_station" }
operator = "Betreiber"
"addr:street" = "Straße"
"addr:housenumber" = "Hausnummer"
"addr:postcode" = { column = "Postleitzahl", pad = 5 }
"addr:city" = "Ort"
"addr:country" = { value = "DE" }
start_date = { column = "Inbetriebnahmedatum", as = "date", format = "%d.%m.%Y" }
capacity = { column = "Anzahl Ladepunkte", as = "integer", min = 1 }
"charging_station:output" = { column = "Nennleistung Ladeeinrichtung [kW]", as = "kw" }

[[connectors]]
repeat = 2
power = { column = "P{n} [kW]", as = "kw" }
type = { column = "Steckertypen{n}", split = ",", map = "plugs" }

[lookups.plugs]
"AC Steckdose Typ 2" = "type2_socket"
"AC Kupplung Typ 2" = "type2_cable"
"AC Schuko" = "schuko"
"DC Kupplung Combo" = "ccs2"
"DC CHAdeMO" = "chademo"
"#;

#[test]
fn the_german_register_is_read_behind_its_ten_lines() {
    let preamble = "Ladesäulenregister der Bundesnetzagentur;;;;\r\n;;;;\r\n\"Stand: 1. Mai, alle\r\nAngaben\";;;;\r\n"
        .to_owned()
        + &"Hinweis\r\n".repeat(6);
    let header = "Betreiber;Straße;Hausnummer;Postleitzahl;Ort;Breitengrad;Längengrad;Inbetriebnahmedatum;\
        Nennleistung Ladeeinrichtung [kW];Anzahl Ladepunkte;Steckertypen1;P1 [kW];Public Key1;Steckertypen2;P2 [kW];Public Key2";
    let rows = [
        "Stadtwerke Öd GmbH;Hauptstraße;5a;01067;Öd;51,05;13,74;02.09.2015;44;2;AC Steckdose Typ 2, AC Schuko;22;;AC Steckdose Typ 2;22;",
        "Strom & Söhne;Am Ring;1;1067;Öd;51,06;13,75;31.04.2019;150150;2;DC Kupplung Combo, AC Kupplung Typ 2;150;;DC CHAdeMO, Zauberstecker;50,5;",
        "Strom & Söhne;Am Ring;2;1067;Öd;51.06;13,75;;22;1;AC Steckdose Typ 2;22;;;;",
        "Strom & Söhne;Am Ring;3;1067;Öd;51,06;13,75;;22;1;AC Steckdose Typ 2;22;;;",
    ];
    let text = format!("{preamble}{header}\r\n{}\r\n", rows.join("\r\n"));
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
    let told = read_bytes(&bytes, BNETZA).unwrap();
    let tags: Vec<String> = told.tags().iter().map(|tags| tags.split_once(": ").unwrap().1.to_owned()).collect();
    assert_eq!(
        tags,
        [
            "addr:city=Öd addr:country=DE addr:housenumber=5a addr:postcode=01067 addr:street=Hauptstraße \
             amenity=charging_station capacity=2 charging_station:output=44 kW operator=Stadtwerke Öd GmbH \
             start_date=2015-09-02",
            "addr:city=Öd addr:country=DE addr:housenumber=1 addr:postcode=01067 addr:street=Am Ring \
             amenity=charging_station capacity=2 operator=Strom & Söhne",
        ]
    );
    let connectors: Vec<String> =
        told.connectors().iter().map(|all| all.split_once(": ").unwrap().1.to_owned()).collect();
    assert_eq!(
        connectors,
        [
            "type2_socket 22kW, schuko ac_single, type2_socket 22kW",
            "ccs2 dc 150kW, type2_cable, chademo dc 50.5kW, unknown",
        ]
    );
    assert_eq!(
        told.findings(),
        [
            "implausible_value charging_station:output 150150",
            "unreadable_value start_date 31.04.2019",
            "unknown_code connectors.type Zauberstecker",
        ]
    );
    let rejects: Vec<String> = told
        .rejects()
        .iter()
        .map(|told| told.split_whitespace().filter(|word| word.len() != 16).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        rejects,
        [
            "14 invalid_position: its lat is `51.06`, which is no number",
            "15 line 15 wrong_column_count: it has 15 columns, and the header has 16",
        ]
    );
}

const IRVE: &str = r#"
id = "id_pdc_itinerance"
geometry = "coordonneesXY"
updated = "date_maj"
missing = ["Non concerné"]

[tags]
man_made = { value = "charge_point" } # a row per charging point; those of a station come together
operator = { first = ["nom_operateur", "nom_amenageur"] }
network = "nom_enseigne"
name = "nom_station"
"ref:EU:EVSE" = "id_pdc_itinerance"
"ref:EU:EVSE:pool" = "id_station_itinerance"
"addr:full" = "adresse_station"
"addr:country" = { value = "FR" }
fee = { column = "gratuit", map = { true = "no", false = "yes", 1 = "no", 0 = "yes" } }
access = { column = "condition_acces", map = { "Accès libre" = "yes", "Accès réservé" = "permit" } }
opening_hours = "horaires"
"payment:credit_cards" = { column = "paiement_cb", as = "boolean" }
start_date = { column = "date_mise_en_service", as = "date" }

[[connectors]]
when = { prise_type_ef = true }
type = { value = "type_e" }

[[connectors]]
when = { prise_type_2 = true, cable_t2_attache = { not = true } }
type = { value = "type2_socket" }
power = "puissance_nominale"

[[connectors]]
when = { prise_type_2 = true, cable_t2_attache = true }
type = { value = "type2_cable" }
power = "puissance_nominale"

[[connectors]]
when = { prise_type_combo_ccs = true }
type = { value = "ccs2" }
power = "puissance_nominale"
"#;

#[test]
fn the_french_schema_has_a_row_per_charging_point_and_a_column_per_plug() {
    let told = read(
        "nom_amenageur,nom_operateur,nom_enseigne,id_station_itinerance,nom_station,adresse_station,coordonneesXY,\
         id_pdc_itinerance,puissance_nominale,prise_type_ef,prise_type_2,prise_type_combo_ccs,gratuit,paiement_cb,\
         condition_acces,horaires,date_mise_en_service,date_maj,cable_t2_attache\n\
         Mairie,,Réseau,FRXXXP1,Gare,\"1 rue de la Gare, Ville\",\"[2.35, 48.85]\",FRXXXE11,22,true,TRUE,false,false,true,Accès libre,24/7,2020-01-02,2024-05-06,FALSE\n\
         Mairie,Op,Réseau,FRXXXP1,Gare,,\"[2.35, 48.85]\",FRXXXE12,22000,0,1,1,1,0,Sur rendez-vous,Mo-Fr,,2024-05-06,1\n\
         Mairie,Op,Réseau,FRXXXP1,Gare,,48.85,Non concerné,22,0,1,0,1,0,,,,,\n",
        IRVE,
    );
    assert_eq!(
        told.tags()[0],
        "FRXXXE11: access=yes addr:country=FR addr:full=1 rue de la Gare, Ville fee=no man_made=charge_point name=Gare \
         network=Réseau opening_hours=24/7 operator=Mairie payment:credit_cards=yes ref:EU:EVSE=FRXXXE11 \
         ref:EU:EVSE:pool=FRXXXP1 start_date=2020-01-02"
            .replace("fee=no", "fee=yes")
    );
    assert_eq!(told.connectors(), ["FRXXXE11: type_e ac_single, type2_socket 22kW", "FRXXXE12: type2_cable, ccs2 dc"],);
    assert_eq!(
        told.findings(),
        [
            "unknown_code access Sur rendez-vous",
            "implausible_value connectors.power 22000",
            "implausible_value connectors.power 22000",
        ]
    );
    assert_eq!(told.rejects.len(), 1);
}

const AFDC: &str = r#"
id = "ID"
lon = "Longitude"
lat = "Latitude"
updated = { column = "Updated At", format = "%Y-%m-%d %H:%M:%S UTC" }
where = { "Fuel Type Code" = "ELEC", "Access Code" = { not = "private" } }

[tags]
amenity = { value = "charging_station" }
name = "Station Name"
network = { column = "EV Network", missing = ["Non-Networked"] }
"addr:street" = "Street Address"
"addr:city" = "City"
"addr:state" = "State"
"addr:postcode" = { column = "ZIP", pad = 5 }
"addr:country" = "Country"
phone = "Station Phone"
website = "EV Network Web"
operational_status = { column = "Status Code", map = { E = "operational", P = "planned", T = "out_of_order" } }
access = { column = "Access Code", map = { public = "yes" } }
opening_hours = { column = "Access Days Time", map = { "24 hours daily" = "24/7" }, else = "" }
"access:comments" = "Access Days Time"
charge = "EV Pricing"
fee = { column = "EV Pricing", map = { Free = "no" }, else = "" }
capacity = { sum = ["EV Level1 EVSE Num", "EV Level2 EVSE Num", "EV DC Fast Count"], as = "integer", min = 1 }
start_date = { column = "Open Date", as = "date" }
"ref:afdc" = "ID"

[[connectors]]
type = { column = "EV Connector Types", split = " ", map = { J1772 = "type1", J1772COMBO = "ccs1", CHADEMO = "chademo", TESLA = "nacs", NEMA520 = "nema", NEMA515 = "nema", NEMA1450 = "nema" } }
"#;

#[test]
fn the_whole_american_file_lists_its_plugs_in_one_column() {
    let told = read(
        "Fuel Type Code,Station Name,Street Address,City,State,ZIP,Station Phone,Status Code,Access Days Time,\
         EV Level1 EVSE Num,EV Level2 EVSE Num,EV DC Fast Count,EV Network,EV Network Web,Latitude,Longitude,ID,\
         Updated At,Open Date,EV Connector Types,Country,Access Code,EV Pricing\n\
         ELEC,Town Hall,1 Main St,Salem,MA,1970,,E,24 hours daily,,4,2,Volta,,42.5,-70.9,11,2022-01-15 10:11:12 UTC,2012-08-01,\"CHADEMO J1772 J1772COMBO\",US,public,Free\n\
         ELEC,Depot,,Salem,OR,97301,,T,Dealership hours,,,,Non-Networked,,44.9,-123.0,12,soon,,J1772 FLUX,US,public,$0.30\n\
         LPG,Gas,,Salem,OR,97301,,E,,,,,,,44.9,-123.0,13,,,,US,public,\n\
         ELEC,Yard,,Salem,OR,97301,,E,,,1,,,,44.9,-123.0,14,,,,US,private,\n",
        AFDC,
    );
    assert_eq!(
        told.tags(),
        [
            "11: access=yes access:comments=24 hours daily addr:city=Salem addr:country=US addr:postcode=01970 \
             addr:state=MA addr:street=1 Main St amenity=charging_station capacity=6 charge=Free fee=no name=Town Hall \
             network=Volta opening_hours=24/7 operational_status=operational ref:afdc=11 start_date=2012-08-01",
            "12: access=yes access:comments=Dealership hours addr:city=Salem addr:country=US addr:postcode=97301 \
             addr:state=OR amenity=charging_station charge=$0.30 name=Depot operational_status=out_of_order ref:afdc=12",
        ]
    );
    assert_eq!(told.connectors(), ["11: chademo dc, type1 ac_single, ccs1 dc", "12: type1 ac_single, unknown"]);
    assert_eq!(told.findings(), ["unreadable_value update_time soon", "unknown_code connectors.type FLUX"]);
    assert_eq!(told.extracted.left_out.total(), 2);
    assert_eq!(told.features[0].update_time.map(|at| at.to_string()).as_deref(), Some("2022-01-15T10:11:12Z"));
}
