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

/// The table to begin with, and where it is kept.
///
/// # Errors
/// A table was loaded into the data folder and is not as it should be, with every fault of it: a server with another table than
/// the one it was told to use would code doses wrongly.
pub(crate) fn in_use(config: &Config, folder: &Path) -> Result<(Vaccines, Place), Failure> {
    if let Some(VaccineFile { path, table }) = &config.vaccines {
        return Ok((table.clone(), Place::Setting(path.clone())));
    }
    let (path, place) = (folder.join(TABLE_FILE), Place::Folder(folder.to_owned()));
    if !path.try_exists().map_err(|error| failure(&path.display().to_string(), &error))? {
        let shipped = Vaccines::shipped();
        return Ok((shipped.map_err(|faults| wrong("the table that ships with IRIS", &faults))?, place));
    }
    let (_, table) = read(&path).map_err(|faults| {
        wrong(&format!("{} (without this file the table that ships with IRIS is used)", path.display()), &faults)
    })?;
    Ok((table, place))
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
        let folder = match &self.vaccines_place {
            Place::Folder(folder) => folder,
            Place::Setting(path) => {
                let path = path.display();
                let what = format!("IRIS_VACCINES names the table to use, {path}; change that file and start again");
                return Err(Failure::new(what));
            }
        };
        let (text, table) = read(file).map_err(|faults| wrong(&file.display().to_string(), &faults))?;
        let result = told(&table);
        let counts = format!("vaccine table: edition {}, {} vaccines", table.edition(), table.vaccines().len());
        self.record(Action::ConfigChange, Outcome::Success, &counts)?;
        if let Err(error) = self.vaccines.replace(table, || keep(folder, &text)) {
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
