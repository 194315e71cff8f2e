//! Letters as files in a folder: what happens where there is no mail server.

use std::path::PathBuf;

use async_trait::async_trait;
use foretell_domain::id::UserId;
use foretell_ports::mail::{Letter, MailError, Mailer};
use tokio::io::AsyncWriteExt as _;

use crate::template::Templates;

/// Puts letters into a folder, as files `<id>.eml` that mail programs can open. A letter that is sent again replaces
/// itself.
pub struct OutboxMailer {
    folder: PathBuf,
    templates: Templates,
}

impl OutboxMailer {
    /// Puts letters into this folder, which is made with the first of them.
    pub const fn new(folder: PathBuf, templates: Templates) -> Self {
        Self { folder, templates }
    }

    /// Writes the file under another name first, so that nobody sees half a letter.
    async fn put(&self, id: UserId, letter: &[u8]) -> std::io::Result<()> {
        tokio::fs::create_dir_all(&self.folder).await?;
        let (unfinished, file) = (self.folder.join(format!(".{id}")), self.folder.join(format!("{id}.eml")));
        let mut written = tokio::fs::File::create(&unfinished).await?;
        written.write_all(letter).await?;
        written.sync_all().await?;
        tokio::fs::rename(unfinished, file).await
    }
}

#[async_trait]
impl Mailer for OutboxMailer {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let written = self.templates.write(letter)?.formatted();
        let put = self.put(UserId::from_u128(letter.id), &written).await;
        put.map_err(|error| MailError::Unsent(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use foretell_domain::text::{Email, UserName};
    use foretell_ports::mail::LetterContent;

    use super::*;

    #[tokio::test]
    async fn a_letter_becomes_one_file_however_often_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let templates = Templates::load("post@foretell.example", "Foretell", None).unwrap();
        let mailer = OutboxMailer::new(folder.path().join("outbox"), templates);
        let (to, name) = (Email::new("ada@example.org").unwrap(), UserName::new("Ada").unwrap());
        let letter = Letter { id: 7, to, name, content: LetterContent::Welcome };
        mailer.send(&letter).await.unwrap();
        mailer.send(&letter).await.unwrap();
        let files: Vec<_> =
            std::fs::read_dir(folder.path().join("outbox")).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        assert_eq!(files[0].file_name(), "00000000-0000-0000-0000-000000000007.eml");
        let text = std::fs::read_to_string(files[0].path()).unwrap();
        assert!(text.contains("To: Ada <ada@example.org>"), "{text}");
    }
}
