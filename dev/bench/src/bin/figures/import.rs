//! The import of whole patient records, what they take on disk, and how soon a server over them listens.

use std::path::Path;
use std::time::Instant;

use crate::Outcome;
use crate::aims::Aims;
use crate::process::{Place, Serving};
use crate::report::{Report, thousands};

pub(crate) fn measure(report: &mut Report, place: &Place<'_>, aims: &Aims, data: &Path) -> Outcome<()> {
    let start = Instant::now();
    let output = place.command().args(["import", "-o", "json"]).arg(data.join("synthea")).output()?;
    let seconds = start.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("the import failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let stored = summary["stored"].as_u64().ok_or("no count")?;
    let rate = format!("{}/s ({stored} resources)", thousands(stored as f64 / seconds));
    report.note("import of Synthea, resources/s, searchable at the end", aims.import, rate);
    let each = place.bytes()? as f64 / stored as f64 / 1e3;
    report.note("disk per Synthea resource, everything included", aims.disk, format!("{each:.2} KB"));
    let serving = Serving::start(place)?;
    let ready = format!("{:.2} s, {:.0} MB", serving.started_in.as_secs_f64(), serving.resident_mb()?);
    report.note("listening over them", aims.listening, ready);
    serving.stop()
}
