//! `cargo run -p iris-bench --bin dictionary`: makes the dictionary that stored bodies are compressed with.
//!
//! It is trained with records of the demonstration clinic, which look as a clinic's records do, and with the text of the first
//! dictionary, which names what the specification's resources hold besides. Both are our own text. A trained dictionary carries
//! its entropy tables, so that a small body need not bring its own and is read without building them first.

use std::path::Path;

use iris_demo::{Day, Detail, Plan};
use iris_kernel::Tenant;

/// Where it stands.
const FILE: &str = "spine/store/src/dictionary-2.bin";
/// The text of the first one.
const TEXT: &str = "spine/store/src/dictionary.txt";
/// Bytes of the dictionary: with more, it takes longer to find a match than the match saves.
const SIZE: usize = 48 << 10;
/// Patients whose records are read.
const PATIENTS: u32 = 12;
/// Pieces that the text is cut into, and how often each is read: the records are many more.
const PIECE: usize = 900;
const STEP: usize = 600;
const TIMES: usize = 4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("no workspace")?;
    let at: Day = "2026-01-01".parse().map_err(|_| "the day of the records is no date")?;
    let plan = Plan { seed: 1, patients: PATIENTS, detail: Detail::Full, at, tenant: Tenant(1) };
    let mut samples = plan.house();
    for household in plan.households() {
        samples.extend(plan.documents(&household));
    }
    let text = std::fs::read(root.join(TEXT))?;
    let pieces = (0..text.len()).step_by(STEP).map(|start| text[start..text.len().min(start + PIECE)].to_vec());
    samples.extend(std::iter::repeat_n(pieces.collect::<Vec<_>>(), TIMES).flatten());
    let trained = zstd::dict::from_samples(&samples, SIZE)?;
    println!("{} samples, {} bytes in {FILE}", samples.len(), trained.len());
    std::fs::write(root.join(FILE), trained)?;
    Ok(())
}
