//! Emails as files in a folder, for servers without an SMTP server.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use foretell_domain::id::UserId;
use foretell_domain::time::Timestamp;
use foretell_ports::mail::{MailError, Mailer, OutgoingEmail};
use tokio::io::AsyncWriteExt as _;

use crate::template::Templates;

/// Writes emails to a folder, as files `<id>.eml` that email clients can open. An email that is
/// sent again replaces its file.
pub struct OutboxMailer {
    folder: PathBuf,
    keep: Option<Duration>,
    templates: Templates,
}

impl OutboxMailer {
    /// Creates a mailer that writes to this folder, creates it when needed, and keeps emails for
    /// this long, or forever.
    pub const fn new(folder: PathBuf, keep: Option<Duration>, templates: Templates) -> Self {
        Self { folder, keep, templates }
    }

    /// Deletes the mailer's files that were written before a time. Other nodes may delete them
    /// concurrently.
    async fn delete_before(&self, limit: SystemTime) -> std::io::Result<u64> {
        let mut entries = match tokio::fs::read_dir(&self.folder).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            entries => entries?,
        };
        let mut deleted = 0;
        while let Some(entry) = entries.next_entry().await? {
            let written = match entry.metadata().await {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                metadata => metadata?.modified()?,
            };
            if written >= limit || !is_email(&entry.file_name()) {
                continue;
            }
            match tokio::fs::remove_file(entry.path()).await {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => {
                    removed?;
                    deleted += 1;
                }
            }
        }
        Ok(deleted)
    }

    /// Writes the email under a temporary name first, so that no reader sees a partial file.
    async fn put(&self, id: UserId, email: &[u8]) -> std::io::Result<()> {
        tokio::fs::create_dir_all(&self.folder).await?;
        let (unfinished, file) =
            (self.folder.join(format!(".{id}")), self.folder.join(format!("{id}.eml")));
        let mut written = tokio::fs::File::create(&unfinished).await?;
        written.write_all(email).await?;
        written.sync_all().await?;
        tokio::fs::rename(unfinished, file).await
    }
}

#[async_trait]
impl Mailer for OutboxMailer {
    async fn send(&self, email: &OutgoingEmail) -> Result<(), MailError> {
        let written = self.templates.write(email)?.formatted();
        let put = self.put(UserId::from_u128(email.id), &written).await;
        put.map_err(|error| MailError::Unsent(error.to_string()))
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, MailError> {
        let now_us = u64::try_from(now.micros()).unwrap_or(0);
        let age = |keep: Duration| Duration::from_micros(now_us).checked_sub(keep);
        let Some(limit) = self.keep.and_then(age) else { return Ok(0) };
        let deleted = self.delete_before(SystemTime::UNIX_EPOCH + limit).await;
        deleted.map_err(|error| MailError::Unpurged(error.to_string()))
    }
}

/// Returns `true` for a file of this mailer, complete or temporary: `<id>.eml` or `.<id>`.
fn is_email(name: &OsStr) -> bool {
    let id =
        name.to_str().and_then(|name| name.strip_suffix(".eml").or_else(|| name.strip_prefix('.')));
    id.is_some_and(|id| id.parse::<UserId>().is_ok())
}

#[cfg(test)]
mod tests {
    use foretell_domain::text::{Email, UserName};
    use foretell_ports::mail::EmailContent;

    use super::*;

    #[tokio::test]
    async fn purge_deletes_old_emails_only() {
        const DAY: Duration = Duration::from_hours(24);
        let folder = tempfile::tempdir().unwrap();
        let outbox = |folder: PathBuf, keep| {
            OutboxMailer::new(
                folder,
                keep,
                Templates::load("post@foretell.example", "Foretell", None).unwrap(),
            )
        };
        let now = SystemTime::UNIX_EPOCH + 1_000 * DAY;
        let [old, unfinished, new] =
            [7, 8, 9].map(|id| UserId::from_u128(id).to_string()).map(|id| format!("{id}.eml"));
        let unfinished = format!(".{}", unfinished.trim_end_matches(".eml"));
        for (name, age) in [
            (&*old, 31),
            (&*unfinished, 31),
            (&*new, 29),
            ("notes.txt", 31),
            ("mine.eml", 31),
            (".hidden", 31),
        ] {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(now - age * DAY).unwrap();
        }
        let now = Timestamp::from_micros(1_000 * 86_400 * 1_000_000);
        let purge = async |keep| outbox(folder.path().to_owned(), keep).purge(now).await.unwrap();
        assert_eq!(purge(None).await, 0, "they are kept for good");
        assert_eq!(purge(Some(2_000 * DAY)).await, 0, "longer than there is time");
        assert_eq!(purge(Some(30 * DAY)).await, 2);
        for (name, is_left) in [
            (&*old, false),
            (&*unfinished, false),
            (&*new, true),
            ("notes.txt", true),
            ("mine.eml", true),
        ] {
            assert_eq!(folder.path().join(name).exists(), is_left, "{name}");
        }
        assert_eq!(outbox(folder.path().join("missing"), Some(DAY)).purge(now).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn email_sent_twice_becomes_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let templates = Templates::load("post@foretell.example", "Foretell", None).unwrap();
        let mailer = OutboxMailer::new(folder.path().join("outbox"), None, templates);
        let (to, name) = (Email::new("ada@example.org").unwrap(), UserName::new("Ada").unwrap());
        let email = OutgoingEmail { id: 7, to, name, content: EmailContent::Welcome };
        mailer.send(&email).await.unwrap();
        mailer.send(&email).await.unwrap();
        let files: Vec<_> =
            std::fs::read_dir(folder.path().join("outbox")).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        assert_eq!(files[0].file_name(), "00000000-0000-0000-0000-000000000007.eml");
        let text = std::fs::read_to_string(files[0].path()).unwrap();
        assert!(text.contains("To: Ada <ada@example.org>"), "{text}");
    }
}
