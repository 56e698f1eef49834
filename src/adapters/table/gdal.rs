//! GDAL: rows of every other vector format, reprojected to WGS 84.

use std::path::Path;
use std::sync::Once;

use gdal::Dataset;
use gdal::errors::GdalError;
use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};
use gdal::vector::{FieldValue, LayerAccess, OwnedFeatureIterator, OwnedLayer};
use serde_json::{Map, Number, Value};

use super::error::TableError;
use super::geometry::of_wkb;
use super::objects::Object;

/// The column in which the number of a feature stands, unless there is another of this name.
const FID: &str = "fid";

/// What a layer says of its rows.
pub(super) struct Look {
    pub(super) names: Vec<String>,
    pub(super) driver: String,
    pub(super) has_geometry: bool,
    pub(super) rows: Option<u64>,
}

/// The rows of a layer, in order.
pub(super) struct GdalRows<'a> {
    path: &'a Path,
    features: OwnedFeatureIterator,
    names: Vec<String>,
    transform: Option<CoordTransform>,
    /// How many there are, as far as the format knows.
    expected: Option<u64>,
    rows: u64,
}

/// Keeps GDAL from writing what it returns to stderr as well.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| gdal::config::set_error_handler(|_, _, _| ()));
}

fn open(path: &Path, layer: Option<&str>) -> Result<(OwnedLayer, Look), TableError> {
    quiet();
    let failed = |source| TableError::Gdal { path: path.to_owned(), source };
    let dataset = Dataset::open(path).map_err(failed)?;
    let driver = dataset.driver().long_name();
    let names: Vec<String> = dataset.layers().map(|layer| layer.name()).collect();
    let layer = match layer {
        Some(name) if names.iter().any(|known| known == name) => dataset.into_layer_by_name(name).map_err(failed)?,
        None if names.len() == 1 => dataset.into_layer(0).map_err(failed)?,
        _ => return Err(TableError::Layer { path: path.to_owned(), known: names.join(", ") }),
    };
    let mut names: Vec<String> = layer.defn().fields().map(|field| field.name()).collect();
    if !names.iter().any(|name| name == FID) {
        names.push(FID.to_owned());
    }
    let has_geometry = layer.defn().geom_fields().next().is_some();
    let rows = layer.try_feature_count();
    Ok((layer, Look { names, driver, has_geometry, rows }))
}

/// Looks at a layer without reading it.
///
/// # Errors
///
/// When GDAL cannot open the file, or it has several layers and none is named.
pub(super) fn look(path: &Path, layer: Option<&str>) -> Result<Look, TableError> {
    open(path, layer).map(|(_, look)| look)
}

impl<'a> GdalRows<'a> {
    /// Opens a layer; `crs` is that of its positions, where the mapping knows better than the file.
    ///
    /// # Errors
    ///
    /// As [`look`], and when the coordinate system is not known.
    pub(super) fn open(path: &'a Path, layer: Option<&str>, crs: Option<&str>) -> Result<Self, TableError> {
        let (layer, Look { names, rows, .. }) = open(path, layer)?;
        let failed = |source| TableError::Gdal { path: path.to_owned(), source };
        // What the mapping says is applied to every format behind the reader.
        let stated = layer.spatial_ref().filter(|_| crs.is_none());
        let transform = stated.map(|stated| transform(stated).map_err(failed)).transpose()?;
        Ok(Self { path, features: layer.owned_features(), names, transform, expected: rows, rows: 0 })
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    ///
    /// When GDAL cannot read on.
    pub(super) fn next(&mut self) -> Result<Option<Object>, TableError> {
        let failed = |source| TableError::Gdal { path: self.path.to_owned(), source };
        let Some(feature) = (&mut self.features).next() else {
            // GDAL tells the end and a failure in the same way.
            return match self.expected {
                Some(expected) if expected > self.rows => {
                    Err(TableError::Cut { path: self.path.to_owned(), line: self.rows })
                }
                _ => Ok(None),
            };
        };
        self.rows += 1;
        let mut values = Map::new();
        if let Some(fid) = feature.fid() {
            values.insert(FID.to_owned(), fid.into());
        }
        for (at, name) in self.names.iter().enumerate().take(feature.field_count()) {
            // What was never set is told from null only by its text: as a number it would be 0.
            let is_set = feature.field_as_string(at).map_err(failed)?.is_some_and(|text| !text.is_empty());
            let field = if is_set { feature.field(at).map_err(failed)? } else { None };
            values.insert(name.clone(), field.map_or(Value::Null, value));
        }
        let geometry = feature.geometry_by_index(0).ok().map(|geometry| {
            let mut geometry = geometry.clone();
            if let Some(transform) = &self.transform {
                let moved = geometry.transform_inplace(transform);
                moved.map_err(|error| format!("its geometry cannot be reprojected: {error}"))?;
            }
            of_wkb(&geometry.wkb().map_err(|error| format!("its geometry cannot be read: {error}"))?)
        });
        Ok(Some(Object { place: format!("row {}", self.rows), line: None, values, id: None, geometry }))
    }
}

fn value(value: FieldValue) -> Value {
    let float = |number| Number::from_f64(number).map_or(Value::Null, Value::Number);
    match value {
        FieldValue::IntegerValue(number) => number.into(),
        FieldValue::Integer64Value(number) => number.into(),
        FieldValue::RealValue(number) => float(number),
        FieldValue::StringValue(text) => text.into(),
        FieldValue::IntegerListValue(numbers) => numbers.into(),
        FieldValue::Integer64ListValue(numbers) => numbers.into(),
        FieldValue::RealListValue(numbers) => numbers.into_iter().map(float).collect(),
        FieldValue::StringListValue(texts) => texts.into(),
        FieldValue::DateValue(date) => date.to_string().into(),
        FieldValue::DateTimeValue(instant) => instant.to_rfc3339().into(),
    }
}

/// From a coordinate system to longitude and latitude in WGS 84.
fn transform(mut stated: SpatialRef) -> Result<CoordTransform, GdalError> {
    let mut wgs_84 = SpatialRef::from_epsg(4326)?;
    wgs_84.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    stated.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    CoordTransform::new(&stated, &wgs_84)
}

/// From a coordinate system by its name, e.g. `EPSG:2056`.
pub(super) fn transform_from(crs: &str) -> Result<CoordTransform, GdalError> {
    quiet();
    transform(SpatialRef::from_definition(crs)?)
}
