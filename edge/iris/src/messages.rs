//! Who carries messages, as the settings say.

use std::sync::Arc;

use iris_identity::messages::{Carriers, Mailer, Texter};
use iris_outbound::{MailFolder, SmsConfig, SmsWebhook, SmtpConfig, SmtpMailer};

use crate::application::failure;
use crate::command::Failure;
use crate::config::{MailRoute, MessageSettings};

/// Gets senders ready; nobody is connected to yet. Blocks. `base_url` is where links in mails lead.
///
/// # Errors
/// A setting that only shows to be wrong when it is used: a file that holds no certificate, a folder that cannot be made.
pub(crate) fn carriers(settings: &MessageSettings, base_url: &str) -> Result<Carriers, Failure> {
    let authorities = settings.authorities.as_ref().map(|file| file.pem.clone());
    let mailer = match (&settings.mail, &settings.from) {
        (Some(MailRoute::Smtp(server)), Some((_, from))) => {
            let config = SmtpConfig {
                host: server.host.clone(),
                port: server.port,
                security: server.security,
                login: server.login.clone(),
                authorities: authorities.clone(),
                from: from.clone(),
            };
            let mailer =
                SmtpMailer::new(config).map_err(|error| failure("IRIS_SMTP_URL: mails cannot be sent", &error))?;
            Some(Arc::new(mailer) as Arc<dyn Mailer>)
        }
        (Some(MailRoute::Folder(folder)), Some((_, from))) => {
            let folder = MailFolder::new(folder, from.clone());
            Some(Arc::new(folder.map_err(|error| failure("IRIS_MAIL_FOLDER: mails cannot be kept", &error))?) as _)
        }
        _ => None,
    };
    let texter = match &settings.sms {
        None => None,
        Some(webhook) => {
            let config = SmsConfig {
                host: webhook.host.clone(),
                port: webhook.port,
                tls: webhook.tls,
                path: webhook.path.clone(),
                token: settings.sms_token.clone(),
                authorities,
            };
            let webhook =
                SmsWebhook::new(config).map_err(|error| failure("IRIS_SMS_URL: no texts can be sent", &error))?;
            Some(Arc::new(webhook) as Arc<dyn Texter>)
        }
    };
    Ok(Carriers { mailer, texter, base_url: base_url.into() })
}
