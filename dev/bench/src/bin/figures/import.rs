//! The import of whole patient records, and what they take on disk.

use std::path::Path;
use std::time::Instant;

use crate::Outcome;
use crate::process::{Serving, command, disk_bytes};

pub(crate) fn measure(binary: &Path, data: &Path) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let start = Instant::now();
    let output = command(binary, folder.path()).args(["import", "-o", "json"]).arg(data.join("synthea")).output()?;
    let seconds = start.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("the import failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let stored = summary["stored"].as_u64().ok_or("no count")?;
    let disk = disk_bytes(folder.path())?;
    println!(
        "import of Synthea: {stored} resources in {seconds:.1} s = {:.0}/s, searchable at the end; {:.2} KB each on disk",
        stored as f64 / seconds,
        disk as f64 / stored as f64 / 1e3
    );
    let serving = Serving::start(binary, folder.path())?;
    println!("start over it: {:.0} ms, {:.0} MB", serving.started_in.as_secs_f64() * 1e3, serving.resident_mb()?);
    serving.stop()
}
