//! The vaccine table of an installation: the one that `IRIS_VACCINES` names, else the one that was loaded into the data folder, else
//! the one that ships with IRIS.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use iris_audit::{Action, Outcome};
use iris_immunization::Vaccines;
use iris_kernel::Fault;
use serde_json::{Value, json};

use crate::application::{Application, failure};
use crate::command::Failure;
use crate::config::{Config, read_bounded};

/// Name of a loaded table in the data folder.
const TABLE_FILE: &str = "vaccines.txt";
/// Name under which a table is written before it takes that one's place.
const NEW_FILE: &str = "vaccines.txt.new";

/// A file that the setting `IRIS_VACCINES` names, read.
#[derive(Clone, Debug)]
pub struct VaccineFile {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub table: Vaccines,
}

/// Where the table in use is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the file that the setting names; nothing is loaded beside it.
    Setting(PathBuf),
    /// In this data folder, once one was loaded.
    Folder(PathBuf),
}

/// What a loaded table that is not as it should be means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damaged {
    /// No start: a server with another table than the one it was told to use would code doses wrongly.
    Refused,
    /// Nothing, because it is about to be replaced; until then the table that ships with IRIS stands in.
    Replaced,
}

/// The table to begin with, and where it is kept.
///
/// # Errors
/// A table was loaded into the data folder and is not as it should be, with every fault of it, unless it is about to be replaced.
pub(crate) fn in_use(config: &Config, folder: &Path, damaged: Damaged) -> Result<(Vaccines, Place), Failure> {
    if let Some(VaccineFile { path, table }) = &config.vaccines {
        return Ok((table.clone(), Place::Setting(path.clone())));
    }
    let (path, place) = (folder.join(TABLE_FILE), Place::Folder(folder.to_owned()));
    if !path.try_exists().map_err(|error| failure(&path.display().to_string(), &error))? {
        return Ok((shipped()?, place));
    }
    match (read(&path), damaged) {
        (Ok((_, table)), _) => Ok((table, place)),
        (Err(_), Damaged::Replaced) => Ok((shipped()?, place)),
        (Err(faults), Damaged::Refused) => {
            let what =
                format!("{} (`iris vaccines reset` goes back to the table that ships with IRIS)", path.display());
            Err(wrong(&what, &faults))
        }
    }
}

fn shipped() -> Result<Vaccines, Failure> {
    Vaccines::shipped().map_err(|faults| wrong("the table that ships with IRIS", &faults))
}

/// What `iris vaccines check` says.
///
/// # Errors
/// Every fault of the table with its line.
pub(crate) fn check(file: &Path) -> Result<Value, Failure> {
    read(file).map(|(_, table)| told(&table)).map_err(|faults| wrong(&file.display().to_string(), &faults))
}

impl Application {
    /// Puts the table of a file in the place of the one in use, in this process and for the next.
    ///
    /// # Errors
    /// Every fault of the table; a setting that names another; what could not be written. The table in use stays then.
    pub(crate) fn vaccines_load(&self, file: &Path) -> Result<Value, Failure> {
        let folder = self.vaccines_folder()?;
        let (text, table) = read(file).map_err(|faults| wrong(&file.display().to_string(), &faults))?;
        self.vaccines_replace(table, || keep(folder, &text))
    }

    /// Goes back to the table that ships with IRIS, in this process and for the next.
    ///
    /// # Errors
    /// A setting that names another; a file that cannot be removed. The table in use stays then.
    pub(crate) fn vaccines_reset(&self) -> Result<Value, Failure> {
        let folder = self.vaccines_folder()?;
        self.vaccines_replace(shipped()?, || forget(folder))
    }

    fn vaccines_folder(&self) -> Result<&Path, Failure> {
        match &self.vaccines_place {
            Place::Folder(folder) => Ok(folder),
            Place::Setting(path) => {
                let path = path.display();
                let what = format!("IRIS_VACCINES names the table to use, {path}; change that file and start again");
                Err(Failure::new(what))
            }
        }
    }

    fn vaccines_replace(&self, table: Vaccines, keep: impl FnOnce() -> io::Result<()>) -> Result<Value, Failure> {
        let result = told(&table);
        let counts = format!("vaccine table: edition {}, {} vaccines", table.edition(), table.vaccines().len());
        self.record(Action::ConfigChange, Outcome::Success, &counts)?;
        if let Err(error) = self.vaccines.replace(table, keep) {
            let stays = format!("{counts}: it could not be kept, and the table before it stays");
            self.record(Action::ConfigChange, Outcome::Error, &stays)?;
            return Err(failure("the vaccine table cannot be kept in the data folder", &error));
        }
        Ok(result)
    }
}

/// Reads a table, and keeps its text.
///
/// # Errors
/// Every fault with its line, or that the file cannot be read.
pub(crate) fn read(path: &Path) -> Result<(String, Vaccines), Vec<Fault>> {
    let text = read_bounded(path).map_err(|what| vec![Fault::new("", what)])?;
    let table = Vaccines::parse(&text)?;
    Ok((text, table))
}

fn wrong(what: &str, faults: &[Fault]) -> Failure {
    Failure::with_faults(format!("{what}: this is no vaccine table as it should be"), faults)
}

fn told(table: &Vaccines) -> Value {
    let products: usize = table.vaccines().iter().map(|vaccine| vaccine.products.len()).sum();
    json!({
        "edition": table.edition(),
        "source": table.source(),
        "vaccines": table.vaccines().len(),
        "manufacturers": table.manufacturers().len(),
        "products": products,
    })
}

/// Writes the table so that whoever starts next finds the old one or the new one, never a part.
fn keep(folder: &Path, text: &str) -> io::Result<()> {
    let new = folder.join(NEW_FILE);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, folder.join(TABLE_FILE))?;
    File::open(folder)?.sync_all()
}

/// Removes the table that was loaded, if one was.
fn forget(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(TABLE_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::open(folder)?.sync_all(),
    }
}
