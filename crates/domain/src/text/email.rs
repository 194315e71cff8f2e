//! Email addresses: the one validator of the API, the command line and the mailer.

use super::TextError;
use crate::id::UserId;

/// Domain of the addresses of erased users.
const ERASED_DOMAIN: &str = "@erased.invalid";

/// Maximum bytes of an address (RFC 5321, section 4.5.3.1.3, without the angle brackets).
const MAX_BYTES: u32 = 254;

/// Minimum bytes of an address, as stated in error messages.
const MIN_BYTES: u32 = 3;

/// Maximum bytes of the part before the `@` (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// An email address in its normal form: lower case, the domain in ASCII (IDNA). Spellings that
/// differ in case, or in Unicode and `xn--` form of the domain, are the same address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(from = "super::StoredText", into = "String")
)]
pub struct Email(String);

impl Email {
    /// Accepts addresses that a mail server without SMTPUTF8 can deliver to: a dot-atom of ASCII
    /// characters (RFC 5321) and a domain of at least two labels. Quoted local parts and address
    /// literals are rejected.
    ///
    /// # Errors
    /// [`TextError::Length`] for more than 254 characters, otherwise [`TextError::NotAnEmail`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        match normal_form(text) {
            Some(address) if address.len() <= MAX_BYTES as usize => Ok(Self(address)),
            None if text.chars().count() <= MAX_BYTES as usize => Err(TextError::NotAnEmail),
            _ => Err(TextError::Length { min: MIN_BYTES, max: MAX_BYTES }),
        }
    }

    /// Returns a stored address without checking it again.
    pub fn restore(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the address in its normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the address that replaces an erased user's. Nobody can own it: the domain `invalid`
    /// receives no email (RFC 6761).
    pub(crate) fn of_erased(user: UserId) -> Self {
        Self(format!("erased-{user}{ERASED_DOMAIN}"))
    }

    /// Returns `true` if the address has the form that replaces an erased user's.
    pub fn is_of_erased(&self) -> bool {
        self.0.ends_with(ERASED_DOMAIN)
    }
}

/// Domain of email addresses in its normal form: lower case, in ASCII (IDNA).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailDomain(String);

impl EmailDomain {
    /// Accepts the domains that email addresses can have.
    ///
    /// # Errors
    /// [`TextError::NotAnEmail`] for a text that cannot follow the `@` of an address.
    pub fn new(text: &str) -> Result<Self, TextError> {
        ascii_domain(text).map(Self).ok_or(TextError::NotAnEmail)
    }

    /// Returns `true` if the address is one of this domain; addresses of subdomains are not.
    pub fn is_of(&self, email: &Email) -> bool {
        email.0.rsplit_once('@').is_some_and(|(_, domain)| domain == self.0)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

fn normal_form(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    if local.len() > MAX_LOCAL_BYTES || !is_dot_atom(local) {
        return None;
    }
    let domain = ascii_domain(domain)?;
    Some(format!("{}@{domain}", local.to_ascii_lowercase()))
}

/// Returns `true` if the text is a dot-atom of RFC 5321: words of `atext` with single dots between
/// them.
fn is_dot_atom(text: &str) -> bool {
    let is_atext =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    text.split('.').all(|word| !word.is_empty() && word.bytes().all(is_atext))
}

/// Returns the domain in ASCII and lower case, if it has only letters, digits and hyphens and ends
/// in a name.
fn ascii_domain(domain: &str) -> Option<String> {
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let (_, top) = domain.rsplit_once('.')?;
    let is_name = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A top-level domain of digits would be an IP address.
    let is_domain =
        domain.split('.').all(is_name) && !top.bytes().all(|byte| byte.is_ascii_digit());
    is_domain.then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let email = Email::new(text).ok();
        assert_eq!(email.as_ref().map(Email::as_str), expected, "{text:?}");
    }

    #[test]
    fn equivalent_spellings_are_one_address() {
        check("Ada@Example.org", Some("ada@example.org"));
        check("ada@example.ORG", Some("ada@example.org"));
        check("ada@Bücher.example", Some("ada@xn--bcher-kva.example"));
        check("ada@bu\u{308}cher.example", Some("ada@xn--bcher-kva.example"));
        check("ada@XN--BCHER-KVA.example", Some("ada@xn--bcher-kva.example"));
        check("ada@例え。テスト", Some("ada@xn--r8jz45g.xn--zckzah"));
        check("ada@ｅｘａｍｐｌｅ.org", Some("ada@example.org"));
        check("a!#$%&'*+-/=?^_`{|}~b.c@x.org", Some("a!#$%&'*+-/=?^_`{|}~b.c@x.org"));
    }

    #[test]
    fn undeliverable_addresses_are_rejected() {
        for text in [
            "",
            "@",
            "a@",
            "@b.org",
            "ab",
            "a b@c.org",
            "a@b c.org",
            "a@b.org\n",
            " a@b.org",
            "a@b@c.org",
            "mailto:a@x.org",
            "mailto:a@x",
            "a@x..org",
            "a@x.org.",
            "a@.x.org",
            ".a@x.org",
            ".a@x",
            "a.@x.org",
            "a..b@x.org",
            "a@-",
            "a@-x.org",
            "a@x-.org",
            "a@x_y.org",
            "a@localhost",
            "a@1.2.3.4",
            "a@[1.2.3.4]",
            "\"a b\"@x.org",
            "a(b)@x.org",
            "a,b@x.org",
            "<a@x.org>",
            "Ada <a@x.org>",
            "é@x.org",
            "ａ@x.org",
            "a＠x.org",
            "a@x.org\0",
            "a@x\u{200B}.o\u{202E}rg",
            "a@xn--a.org",
            "a@x.org?subject=b",
            "a@x.org:25",
            "a@x.org,b@y.org",
            "a;b@x.org",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn lengths_are_counted_after_normalization() {
        check(&format!("{}@x.org", "İ".repeat(120)), None);
        check(&format!("{}@x.org", "a".repeat(65)), None);
        assert!(Email::new(&format!("{}@x.org", "a".repeat(64))).is_ok());
        let domain = format!("{0}.{0}.{0}", "d".repeat(62));
        let longest = format!("{}@{domain}.org", "a".repeat(254 - domain.len() - 5));
        assert_eq!(longest.len(), 254);
        assert!(Email::new(&longest).is_ok());
        check(&format!("a{longest}"), None);
        // Short as typed, too long after the labels are converted to ASCII.
        check(&format!("a@{}.org", "ü.".repeat(60).trim_end_matches('.')), None);
        check(&format!("a@{}.org", "d".repeat(64)), None);
    }
}
