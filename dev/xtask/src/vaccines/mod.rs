//! `cargo xtask vaccines PATH`: turns CDC's vaccine tables into the compact table that `contexts/immunization` ships.
//!
//! CDC publishes CVX (vaccines), MVX (manufacturers), product names and vaccine groups as XML and the packages on sale (NDC) as
//! text; they are works of the US government and in the public domain. Only the facts are kept: codes, names, states and how many
//! packages are sold. What people call the vaccines besides comes from a list of our own. The output is sorted, so that a new edition shows as a small difference.

mod source;
mod table;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use source::Source;

/// Where the made table stands in the tree.
const TARGET: &str = "contexts/immunization/tables/vaccines.txt";
/// What people call vaccines besides what CDC's tables say.
const WORDS: &str = include_str!("../../tables/vaccine-words.txt");
/// The file by which the folder of CDC's tables is known.
const MARK: &str = "cvx.xml";
/// How deep below the given folder CDC's tables may lie.
const DEPTH_MAX: usize = 4;

/// Runs the command.
///
/// # Errors
/// Wrong arguments, a file that is missing or is not what it should be, or a value that the table cannot hold.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), String> {
    let [path] = args else {
        return Err(
            "usage: cargo xtask vaccines ARCHIVE-OR-FOLDER (with cvx.xml, mvx.xml, tradename.xml, vac2vg.xml, \
                    NDC_Unit_sale.txt)"
                .to_owned(),
        );
    };
    let target = root.join(TARGET);
    fs::write(&target, made_from(Path::new(path))?).map_err(|e| format!("{}: {e}", target.display()))
}

/// The table made from an archive or a folder.
fn made_from(path: &Path) -> Result<String, String> {
    if path.is_dir() {
        return table::written(&Source::read(&folder_of(path)?, WORDS)?);
    }
    let unpacked = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
    let tar = Command::new("tar").arg("xf").arg(path).arg("-C").arg(unpacked.path()).status();
    match tar {
        Ok(status) if status.success() => table::written(&Source::read(&folder_of(unpacked.path())?, WORDS)?),
        Ok(status) => Err(format!("{}: tar ended with {status}", path.display())),
        Err(error) => Err(format!("tar cannot be run: {error}")),
    }
}

/// The folder at or below `top` that holds CDC's tables.
fn folder_of(top: &Path) -> Result<PathBuf, String> {
    let mut level = vec![top.to_path_buf()];
    for _ in 0..DEPTH_MAX {
        if let Some(found) = level.iter().find(|folder| folder.join(MARK).is_file()) {
            return Ok(found.clone());
        }
        let mut below = Vec::new();
        for folder in &level {
            for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
                let path = entry.map_err(|e| format!("{}: {e}", folder.display()))?.path();
                if path.is_dir() {
                    below.push(path);
                }
            }
        }
        below.sort();
        level = below;
    }
    Err(format!("{}: there is no {MARK} in it", top.display()))
}
