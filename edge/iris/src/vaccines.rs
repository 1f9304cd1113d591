//! The vaccine table of an installation: the one that `IRIS_VACCINES` names, else the one that was loaded into the data folder, else
//! the one that ships with IRIS.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use iris_audit::{Action, Outcome};
use iris_immunization::Vaccines;
use serde_json::{Value, json};

use crate::application::{Application, failure};
use crate::command::Failure;
use crate::config::{Config, read_bounded};

/// Name of a loaded table in the data folder.
const TABLE_FILE: &str = "vaccines.txt";
/// Name under which a table is written before it takes that one's place.
const NEW_FILE: &str = "vaccines.txt.new";

/// Where the table in use is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the file that the setting names; nothing is loaded beside it.
    Setting(PathBuf),
    /// In this data folder, once one was loaded.
    Folder(PathBuf),
}

impl Place {
    /// The place in an installation with this configuration and data folder.
    #[must_use]
    pub fn of(config: &Config, folder: &Path) -> Self {
        config.vaccines.clone().map_or_else(|| Self::Folder(folder.to_owned()), Self::Setting)
    }
}

/// The table to begin with.
///
/// # Errors
/// The table that should be used cannot be read, with every fault of it: a server with another table than the one it was told to
/// use would code doses wrongly.
pub(crate) fn in_use(place: &Place) -> Result<Vaccines, Failure> {
    let path = match place {
        Place::Setting(path) => path.clone(),
        Place::Folder(folder) => folder.join(TABLE_FILE),
    };
    let found = path.try_exists().map_err(|error| failure(&path.display().to_string(), &error))?;
    if !found && matches!(place, Place::Folder(_)) {
        return Vaccines::shipped()
            .map_err(|faults| Failure::with_faults("the shipped vaccine table is wrong", &faults));
    }
    let (_, table) = read(&path).map_err(|mut wrong| {
        wrong.message = match place {
            Place::Setting(_) => format!("IRIS_VACCINES: {}", wrong.message),
            Place::Folder(_) => format!("{}; without this file the table that ships with IRIS is used", wrong.message),
        };
        wrong
    })?;
    tracing::info!(path = %path.display(), edition = table.edition(), "the vaccine table is not the shipped one");
    Ok(table)
}

/// What `iris vaccines check` says.
///
/// # Errors
/// Every fault of the table with its line.
pub(crate) fn check(file: &Path) -> Result<Value, Failure> {
    read(file).map(|(_, table)| told(&table))
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
        let (text, table) = read(file)?;
        let result = told(&table);
        let counts = format!("vaccine table: edition {}, {} vaccines", table.edition(), table.vaccines().len());
        self.record(Action::ConfigChange, Outcome::Success, &counts)?;
        keep(folder, &text).map_err(|error| failure("the vaccine table cannot be kept in the data folder", &error))?;
        self.vaccines.replace(table);
        Ok(result)
    }
}

fn read(path: &Path) -> Result<(String, Vaccines), Failure> {
    let text = read_bounded(path).map_err(|what| Failure::new(format!("{}: {what}", path.display())))?;
    let table = Vaccines::parse(&text).map_err(|faults| {
        Failure::with_faults(format!("{} is not a table of vaccines as it should be", path.display()), &faults)
    })?;
    Ok((text, table))
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
