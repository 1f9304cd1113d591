//! Mails as files, for trying things out on one's own machine: nobody gets anything.

use std::path::{Path, PathBuf};

use iris_identity::messages::{Mail, Mailer, SendError, Sending};

use crate::letter::Sender;
use crate::tls::NotStarted;

/// Writes each mail to `<id>.eml` in a folder.
pub struct MailFolder {
    folder: PathBuf,
    from: Sender,
}

impl MailFolder {
    /// Makes the folder where there is none. Blocks.
    ///
    /// # Errors
    /// [`NotStarted`]
    pub fn new(folder: &Path, from: Sender) -> Result<Self, NotStarted> {
        std::fs::create_dir_all(folder).map_err(|error| NotStarted(format!("{}: {error}", folder.display())))?;
        Ok(Self { folder: folder.to_owned(), from })
    }

    async fn write(&self, mail: &Mail) -> Result<(), SendError> {
        let letter = self.from.letter(mail)?.formatted();
        let later = |error: std::io::Error| SendError::Later(format!("the folder for mails: {error}"));
        let (path, part) =
            (self.folder.join(format!("{}.eml", mail.id)), self.folder.join(format!("{}.part", mail.id)));
        // Whoever watches the folder sees whole mails only.
        tokio::fs::write(&part, letter).await.map_err(later)?;
        tokio::fs::rename(&part, &path).await.map_err(later)
    }
}

impl Mailer for MailFolder {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(self.write(mail))
    }
}
