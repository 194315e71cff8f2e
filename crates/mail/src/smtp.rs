//! Letters by SMTP.

use std::time::Duration;

use async_trait::async_trait;
use foretell_ports::mail::{Letter, MailError, Mailer};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

use crate::template::Templates;

/// How long the server may take for each step.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Whether the connection to the server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Not at all: for a server on the same machine.
    None,
    /// From the command STARTTLS on, without which nothing is sent; usual on port 587.
    StartTls,
    /// From the beginning; usual on port 465.
    Tls,
}

/// How the mail server is reached.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: TlsMode,
    /// The name and password to sign in with, if it takes them.
    pub credentials: Option<(String, SecretString)>,
}

/// Sends letters to a mail server.
pub struct SmtpMailer {
    server: AsyncSmtpTransport<Tokio1Executor>,
    templates: Templates,
}

/// The mail server's name cannot be one.
#[derive(Debug, Error)]
#[error("the mail server cannot be used")]
pub struct SmtpError(#[source] lettre::transport::smtp::Error);

impl SmtpMailer {
    /// Connects with the first letter.
    ///
    /// # Errors
    /// [`SmtpError`].
    pub fn new(settings: &SmtpSettings, templates: Templates) -> Result<Self, SmtpError> {
        let host = &settings.host;
        let parameters = || TlsParameters::new(host.clone()).map_err(SmtpError);
        let tls = match settings.tls {
            TlsMode::None => Tls::None,
            TlsMode::StartTls => Tls::Required(parameters()?),
            TlsMode::Tls => Tls::Wrapper(parameters()?),
        };
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some((name, password)) = &settings.credentials {
            let password = password.expose_secret().to_owned();
            server = server.credentials(Credentials::new(name.clone(), password));
        }
        Ok(Self { server: server.build(), templates })
    }

    /// Whether the server answers and lets us in.
    ///
    /// # Errors
    /// [`MailError::Unsent`].
    pub async fn check(&self) -> Result<(), MailError> {
        match self.server.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(MailError::Unsent("the server refuses to work".to_owned())),
            Err(error) => Err(unsent(&error)),
        }
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let message = self.templates.write(letter)?;
        self.server.send(message).await.map(drop).map_err(|error| unsent(&error))
    }
}

/// An error with its causes.
fn unsent(error: &lettre::transport::smtp::Error) -> MailError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    MailError::Unsent(text)
}
