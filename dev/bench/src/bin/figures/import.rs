//! The import of whole patient records, what they take on disk, and how soon a server over them listens.

use std::path::Path;
use std::time::Instant;

use crate::Outcome;
use crate::process::{Serving, command, disk_bytes};
use crate::report::{Report, thousands};

pub(crate) fn measure(report: &mut Report, binary: &Path, data: &Path) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let start = Instant::now();
    let output = command(binary, folder.path()).args(["import", "-o", "json"]).arg(data.join("synthea")).output()?;
    let seconds = start.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("the import failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let stored = summary["stored"].as_u64().ok_or("no count")?;
    let rate = format!("{}/s ({stored} resources)", thousands(stored as f64 / seconds));
    report.note("import of Synthea, resources/s, searchable at the end", "12,000/s", rate);
    let each = disk_bytes(folder.path())? as f64 / stored as f64 / 1e3;
    report.note("disk per Synthea resource, everything included", "1.2 KB", format!("{each:.2} KB"));
    let serving = Serving::start(binary, folder.path())?;
    let ready = format!("{:.2} s, {:.0} MB", serving.started_in.as_secs_f64(), serving.resident_mb()?);
    report.note("listening over them", "0.5 s", ready);
    serving.stop()
}
