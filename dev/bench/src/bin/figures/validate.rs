//! Reading, validating and extracting search values, on one core.

use std::io::Read;
use std::path::Path;
use std::time::Instant;

use iris_fhir::Resource;
use iris_kernel::Timestamp;
use iris_search::extract;
use iris_validation::Valid;

use crate::Outcome;
use crate::report::{Report, thousands};

pub(crate) fn measure(report: &mut Report, data: &Path) -> Outcome<()> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(data.join("synthea"))? {
        let mut text = Vec::new();
        bzip2::read::BzDecoder::new(std::fs::File::open(entry?.path())?).read_to_end(&mut text)?;
        let bundle = Resource::parse(text)?;
        for entry in bundle.root().get("entry").into_iter().flat_map(|entries| entries.items()) {
            if let Some(resource) = entry.get("resource") {
                texts.push(resource.raw().to_vec());
            }
        }
    }
    let bytes: usize = texts.iter().map(Vec::len).sum();
    let count = texts.len();
    let start = Instant::now();
    let parsed = texts.into_iter().map(Resource::parse).collect::<Result<Vec<_>, _>>()?;
    let parse = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut terms = 0;
    for resource in &parsed {
        terms += extract(resource, Timestamp(0)).terms.len();
    }
    let extraction = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let valid = parsed.into_iter().filter(|resource| Valid::check(resource.clone()).is_ok()).count();
    let validation = start.elapsed().as_secs_f64();
    let rate = |seconds: f64| count as f64 / seconds;
    let measured = format!(
        "{}/s of {count}, {valid} valid (parse {}/s, extract {}/s, {} terms each, {} B each)",
        thousands(rate(validation)),
        thousands(rate(parse)),
        thousands(rate(extraction)),
        terms / count,
        bytes / count
    );
    report.note("validation on one core, Synthea", "8,000/s structural", measured);
    Ok(())
}
