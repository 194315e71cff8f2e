//! Emails by SMTP.

use std::time::Duration;

use async_trait::async_trait;
use foretell_ports::error::Chain;
use foretell_ports::mail::{MailError, Mailer, OutgoingEmail};
use lettre::address::Envelope;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

use crate::template::Templates;

/// Maximum duration of each step.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Encryption of the connection to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// No encryption: for a server on the same machine.
    None,
    /// Encryption by the command STARTTLS, without which nothing is sent; usual on port 587.
    StartTls,
    /// Encryption from the start; usual on port 465.
    Tls,
}

/// Connection settings of the mail server.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Host name or IP address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption.
    pub tls: TlsMode,
    /// User name and password, if the server requires them.
    pub credentials: Option<(String, SecretString)>,
}

/// Sends emails to a mail server, with a new connection for each.
pub struct SmtpMailer {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    name: ClientId,
    templates: Templates,
}

/// TLS configuration of a connection.
enum Encryption {
    None,
    StartTls(TlsParameters),
    Tls(TlsParameters),
}

/// The name of the mail server is not valid.
#[derive(Debug, Error)]
#[error("the mail server cannot be used")]
pub struct SmtpError(#[source] smtp::Error);

impl SmtpMailer {
    /// Creates a mailer; it connects when it sends an email.
    ///
    /// # Errors
    /// [`SmtpError`].
    pub fn new(settings: &SmtpSettings, templates: Templates) -> Result<Self, SmtpError> {
        let host = settings.host.clone();
        let parameters = || TlsParameters::new(host.clone()).map_err(SmtpError);
        let encryption = match settings.tls {
            TlsMode::None => Encryption::None,
            TlsMode::StartTls => Encryption::StartTls(parameters()?),
            TlsMode::Tls => Encryption::Tls(parameters()?),
        };
        let credentials = settings.credentials.as_ref();
        let credentials = credentials.map(|(name, password)| {
            Credentials::new(name.clone(), password.expose_secret().to_owned())
        });
        let (port, name) = (settings.port, ClientId::default());
        Ok(Self { host, port, encryption, credentials, name, templates })
    }

    /// Checks that the server responds and accepts the credentials.
    ///
    /// # Errors
    /// [`MailError::Unsent`].
    pub async fn check(&self) -> Result<(), MailError> {
        self.connect().await?.abort().await;
        Ok(())
    }

    /// Opens a connection with the configured encryption and authentication.
    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let tls = match &self.encryption {
            Encryption::Tls(parameters) => Some(parameters.clone()),
            Encryption::None | Encryption::StartTls(_) => None,
        };
        let server = (self.host.as_str(), self.port);
        let connect =
            AsyncSmtpConnection::connect_tokio1(server, Some(TIMEOUT), &self.name, tls, None);
        let mut connection = in_time(connect).await?.map_err(|error| unsent(&error))?;
        if let Encryption::StartTls(parameters) = &self.encryption {
            in_time(connection.starttls(parameters.clone(), &self.name))
                .await?
                .map_err(|error| unsent(&error))?;
        }
        if let Some(credentials) = &self.credentials {
            in_time(connection.auth(MECHANISMS, credentials))
                .await?
                .map_err(|error| unsent(&error))?;
        }
        Ok(connection)
    }

    /// Sends the commands of a message. A permanent error concerns the recipient or the message
    /// only from `RCPT` on; before that, it concerns the server, the account or the sender address.
    async fn transmit(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<(), MailError> {
        let mut parameters = Vec::new();
        if !message.is_ascii() && connection.server_info().supports_feature(Extension::EightBitMime)
        {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let mail = Mail::new(envelope.from().cloned(), parameters);
        in_time(connection.command(mail)).await?.map_err(|error| unsent(&error))?;
        for recipient in envelope.to() {
            let recipient = Rcpt::new(recipient.clone(), Vec::new());
            in_time(connection.command(recipient)).await?.map_err(|error| refused(&error))?;
        }
        in_time(connection.command(Data)).await?.map_err(|error| refused(&error))?;
        in_time(connection.message(message)).await?.map_err(|error| refused(&error))?;
        Ok(())
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, email: &OutgoingEmail) -> Result<(), MailError> {
        let message = self.templates.write(email)?;
        let mut connection = self.connect().await?;
        let sent = self.transmit(&mut connection, message.envelope(), &message.formatted()).await;
        // The server has already accepted or rejected the message, so its response to QUIT does not
        // matter.
        drop(in_time(connection.abort()).await);
        sent
    }
}

/// Authentication mechanisms, the preferred one first.
const MECHANISMS: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];

/// Runs a step with the timeout [`TIMEOUT`].
async fn in_time<T>(step: impl Future<Output = T>) -> Result<T, MailError> {
    let late = |_| {
        MailError::Unsent(format!("the mail server did not answer within {} s", TIMEOUT.as_secs()))
    };
    tokio::time::timeout(TIMEOUT, step).await.map_err(late)
}

/// Converts an error that does not concern the recipient.
fn unsent(error: &smtp::Error) -> MailError {
    MailError::Unsent(Chain(error).to_string())
}

/// Converts the error of a command about the recipient or the message.
fn refused(error: &smtp::Error) -> MailError {
    // 500 to 504 and 530 concern commands and authentication, 521 the whole server.
    let is_of_server = |code: u16| matches!(code, 500..=504 | 521 | 530 | 535);
    let code = error.status().map(u16::from);
    if error.is_permanent() && !code.is_some_and(is_of_server) {
        return MailError::Refused(Chain(error).to_string());
    }
    unsent(error)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use foretell_domain::text::{Email, UserName};
    use foretell_ports::mail::EmailContent;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    /// Starts a mail server that responds to one command with `answer`, and accepts all others.
    async fn server(command: &'static str, answer: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = Arc::clone(&heard);
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let greeting = if command == "greeting" { answer } else { "220 ready" };
            stream.write_all(format!("{greeting}\r\n").as_bytes()).await.unwrap();
            let (mut line, mut is_message) = (String::new(), false);
            while stream.read_line(&mut line).await.is_ok_and(|bytes| bytes > 0) {
                let text = std::mem::take(&mut line);
                let reply = match text.trim_end() {
                    "." if is_message => {
                        is_message = false;
                        if command == "." { answer } else { "250 queued" }
                    }
                    _ if is_message => continue,
                    text if text.starts_with(command) => answer,
                    text if text.starts_with("EHLO") => "250-server\r\n250 AUTH PLAIN",
                    text if text.starts_with("AUTH") => "235 welcome",
                    "DATA" => {
                        is_message = true;
                        "354 go on"
                    }
                    _ => "250 ok",
                };
                hearing.lock().unwrap().push(text.trim_end().to_owned());
                if stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
                    break;
                }
            }
        });
        (port, heard)
    }

    fn mailer(port: u16) -> SmtpMailer {
        let settings = SmtpSettings {
            host: "127.0.0.1".to_owned(),
            port,
            tls: TlsMode::None,
            credentials: Some(("us".to_owned(), SecretString::from("secret"))),
        };
        SmtpMailer::new(&settings, Templates::load("us@example.org", "Foretell", None).unwrap())
            .unwrap()
    }

    async fn sent(command: &'static str, answer: &'static str) -> Result<(), MailError> {
        let (port, _) = server(command, answer).await;
        let (to, name) = (Email::new("ada@example.org").unwrap(), UserName::new("Ada").unwrap());
        mailer(port).send(&OutgoingEmail { id: 7, to, name, content: EmailContent::Welcome }).await
    }

    #[tokio::test]
    async fn permanent_recipient_errors_are_final() {
        for (command, answer) in [
            ("RCPT", "550 5.1.1 no such user"),
            ("RCPT", "553 mailbox name not allowed"),
            ("RCPT", "556 no mail here"),
            ("DATA", "554 no valid recipients"),
            (".", "552 message too large"),
        ] {
            let sent = sent(command, answer).await;
            let Err(MailError::Refused(problem)) = &sent else {
                panic!("{command} {answer}: {sent:?}")
            };
            assert!(problem.contains(&answer[..3]), "{problem}");
        }
    }

    #[tokio::test]
    async fn other_errors_are_retryable() {
        for (command, answer) in [
            ("greeting", "554 no mail from you"),
            ("greeting", "421 too busy"),
            ("EHLO", "550 go away"),
            ("AUTH", "535 wrong password"),
            ("MAIL", "550 sender rejected"),
            ("RCPT", "421 closing"),
            ("RCPT", "450 greylisted"),
            ("RCPT", "530 authentication required"),
            (".", "451 local error"),
        ] {
            let sent = sent(command, answer).await;
            assert!(matches!(sent, Err(MailError::Unsent(_))), "{command} {answer}: {sent:?}");
        }
    }

    #[tokio::test]
    async fn accepted_message_is_sent_after_signing_in() {
        let (port, heard) = server("nothing", "").await;
        let (to, name) = (Email::new("ada@example.org").unwrap(), UserName::new("Ada").unwrap());
        let mailer = mailer(port);
        mailer
            .send(&OutgoingEmail { id: 7, to, name, content: EmailContent::Welcome })
            .await
            .unwrap();
        let heard = heard.lock().unwrap().clone();
        let expected = [
            "EHLO",
            "AUTH PLAIN",
            "MAIL FROM:<us@example.org>",
            "RCPT TO:<ada@example.org>",
            "DATA",
        ];
        assert!(
            expected.iter().zip(&heard).all(|(expected, heard)| heard.starts_with(expected)),
            "{heard:?}"
        );
    }

    #[tokio::test]
    async fn check_authenticates() {
        let (port, _) = server("AUTH", "535 wrong password").await;
        assert!(mailer(port).check().await.is_err());
        let (port, _) = server("nothing", "").await;
        mailer(port).check().await.unwrap();
    }
}
