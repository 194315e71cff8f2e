//! Email templates: the built-in ones, or those of the operator.

use std::path::Path;

use foretell_domain::id::UserId;
use foretell_ports::mail::{DecisionText, EmailContent, MailError, OutgoingEmail};
use lettre::Message;
use lettre::message::{Mailbox, MultiPart};
use minijinja::{Environment, Value, context};
use thiserror::Error;

/// Names and texts of the built-in templates. The first line of a text is the subject.
const BUILT_IN: [(&str, &str); 4] = [
    ("welcome.txt", include_str!("../templates/welcome.txt")),
    ("welcome.html", include_str!("../templates/welcome.html")),
    ("decision.txt", include_str!("../templates/decision.txt")),
    ("decision.html", include_str!("../templates/decision.html")),
];

/// Renders emails.
pub struct Templates {
    environment: Environment<'static>,
    from: Mailbox,
    site: String,
}

/// Reason why the templates cannot be used.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// The sender is not of the form `name <local@domain>` or `local@domain`.
    #[error("the sender is not an email address: {0}")]
    Sender(String),
    /// A template file cannot be read.
    #[error("the template {0} cannot be read")]
    Unreadable(String, #[source] std::io::Error),
    /// A template has a syntax error or uses an unknown name.
    #[error("the template {0} is broken")]
    Broken(String, #[source] minijinja::Error),
}

impl Templates {
    /// Loads the templates of a folder, with the built-in ones as defaults. `from` is the sender
    /// address; `site` is the name of the server in emails.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn load(from: &str, site: &str, folder: Option<&Path>) -> Result<Self, TemplateError> {
        let from = from.parse().map_err(|_| TemplateError::Sender(from.to_owned()))?;
        let mut environment = Environment::new();
        for (name, built_in) in BUILT_IN {
            let text = read_over(folder, name, built_in)?;
            let added = environment.add_template_owned(name, text);
            added.map_err(|error| TemplateError::Broken(name.to_owned(), error))?;
        }
        let templates = Self { environment, from, site: site.to_owned() };
        templates.try_all()?;
        Ok(templates)
    }

    /// Renders one email of each kind, so that errors in templates are found at startup.
    fn try_all(&self) -> Result<(), TemplateError> {
        let user = context! { site => &self.site, name => "Ada", market => "A market", cancelled => false,
        options => Vec::<Value>::new() };
        for (name, _) in BUILT_IN {
            let written =
                self.environment.get_template(name).and_then(|template| template.render(&user));
            written.map_err(|error| TemplateError::Broken(name.to_owned(), error))?;
        }
        Ok(())
    }

    /// Renders an email.
    ///
    /// # Errors
    /// [`MailError::Unwritten`].
    pub(crate) fn write(&self, email: &OutgoingEmail) -> Result<Message, MailError> {
        let (kind, facts) = self.facts(email);
        let text = self.render(&format!("{kind}.txt"), &facts)?;
        let html = self.render(&format!("{kind}.html"), &facts)?;
        let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
        let to = email.to.as_str().parse();
        let to = to.map_err(|error: lettre::address::AddressError| {
            MailError::Refused(error.to_string())
        })?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(one_line(email.name.as_str())), to))
            .subject(subject.trim())
            .message_id(Some(self.message_id(email.id)))
            .multipart(MultiPart::alternative_plain_html(text.trim_start().to_owned(), html));
        message.map_err(unwritten)
    }

    fn facts(&self, email: &OutgoingEmail) -> (&'static str, Value) {
        let (site, name) = (&self.site, one_line(email.name.as_str()));
        match &email.content {
            EmailContent::Welcome => ("welcome", context! { site, name }),
            EmailContent::Decision { market, decision } => {
                let market = one_line(market.as_str());
                let (cancelled, options) = match decision {
                    DecisionText::Cancelled => (true, Vec::new()),
                    DecisionText::Resolved(options) => {
                        (false, options.iter().map(option_facts).collect())
                    }
                };
                ("decision", context! { site, name, market, cancelled, options })
            }
        }
    }

    fn render(&self, name: &str, facts: &Value) -> Result<String, MailError> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(facts))
            .map_err(unwritten)
    }

    /// Returns the `Message-ID` of an email, the same on every node.
    fn message_id(&self, id: u128) -> String {
        format!("<{}@{}>", UserId::from_u128(id), self.from.email.domain())
    }
}

fn option_facts((name, basis_points): &(foretell_domain::text::OptionName, u16)) -> Value {
    let (whole, rest) = (basis_points / 100, basis_points % 100);
    let percent = if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:02}") };
    context! { name => one_line(name.as_str()), percent }
}

/// Removes line breaks: one in a header would start another header.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn read_over(folder: Option<&Path>, name: &str, built_in: &str) -> Result<String, TemplateError> {
    let Some(folder) = folder else { return Ok(built_in.to_owned()) };
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(built_in.to_owned()),
        Err(error) => Err(TemplateError::Unreadable(name.to_owned(), error)),
    }
}

fn unwritten(error: impl std::fmt::Display) -> MailError {
    MailError::Unwritten(error.to_string())
}

#[cfg(test)]
mod tests {
    use foretell_domain::text::{Email, MarketName, OptionName, UserName};

    use super::*;

    fn email(name: &str, content: EmailContent) -> OutgoingEmail {
        let (to, name) = (Email::new("ada@example.org").unwrap(), UserName::restore(name));
        OutgoingEmail { id: 7, to, name, content }
    }

    fn decided(decision: DecisionText) -> EmailContent {
        EmailContent::Decision { market: MarketName::new("Rain <at> noon?").unwrap(), decision }
    }

    fn written(templates: &Templates, email: &OutgoingEmail) -> String {
        let written = templates.write(email).unwrap().formatted();
        // Lines that end in `=` continue on the next line.
        String::from_utf8(written).unwrap().replace("=\r\n", "").replace("=3D", "=")
    }

    fn built_in() -> Templates {
        Templates::load("Foretell <post@foretell.example>", "Foretell", None).unwrap()
    }

    #[test]
    fn email_has_headers_and_both_bodies() {
        let email = email("Ada", EmailContent::Welcome);
        let text = written(&built_in(), &email);
        for part in [
            "From: Foretell <post@foretell.example>",
            "To: Ada <ada@example.org>",
            "Subject: Welcome to Foretell",
            "Message-ID: <00000000-0000-0000-0000-000000000007@foretell.example>",
            "Content-Type: text/plain",
            "Content-Type: text/html",
            "Hello Ada,",
            "<p>Hello Ada,</p>",
        ] {
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
    }

    #[test]
    fn user_text_is_escaped_in_headers_and_bodies() {
        let resolved =
            decided(DecisionText::Resolved(vec![(OptionName::new("<b>Yes</b>").unwrap(), 6_250)]));
        let text = written(&built_in(), &email("Eve\nBcc: all@example.org", resolved));
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("Subject: Resolved: Rain <at> noon?"), "{head}");
        assert!(!head.lines().any(|line| line.starts_with("Bcc:")), "{head}");
        assert!(body.contains("<li>&lt;b&gt;Yes&lt;&#x2f;b&gt;: 62.50 %</li>"), "{body}");
        assert!(body.contains("  <b>Yes</b>: 62.50 %"), "{body}");
    }

    #[test]
    fn cancelled_market_has_its_own_text() {
        let text = written(&built_in(), &email("Ada", decided(DecisionText::Cancelled)));
        assert!(text.contains("Subject: Cancelled: Rain <at> noon?"), "{text}");
        assert!(text.contains("was cancelled."), "{text}");
    }

    #[test]
    fn operator_template_replaces_built_in_one() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("welcome.txt"),
            "Servus bei {{ site }}\n\nServus {{ name }}!\n",
        )
        .unwrap();
        let load = || Templates::load("post@foretell.example", "Foretell", Some(folder.path()));
        let text = written(&load().unwrap(), &email("Ada", EmailContent::Welcome));
        assert!(
            text.contains("Subject: Servus bei Foretell") && text.contains("Servus Ada!"),
            "{text}"
        );
        assert!(
            text.contains("<p>Hello Ada,</p>"),
            "what the operator has not is built in: {text}"
        );
        std::fs::write(folder.path().join("decision.html"), "{% if %}").unwrap();
        assert!(matches!(load(), Err(TemplateError::Broken(name, _)) if name == "decision.html"));
    }

    #[test]
    fn sender_without_email_address_is_rejected() {
        let refused = Templates::load("Foretell", "Foretell", None).map(drop);
        assert!(matches!(refused, Err(TemplateError::Sender(_))), "{refused:?}");
    }
}
