//! Settings of new accounts.

use foretell_domain::money::{Amount, Currency};
use foretell_domain::registration::RegistrationPolicy;
use foretell_domain::text::EmailDomain;

use super::limits::parse_optional_amount;
use super::reader::Reader;

/// Maximum number of allowed domains.
const MAX_DOMAINS: usize = 100;

/// New accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accounts {
    /// Money that a new user receives, if any.
    pub(crate) signup_grant: Option<Amount>,
    /// People who may register by themselves.
    pub(crate) registration: RegistrationPolicy,
}

pub(super) fn read_accounts(reader: &mut Reader, currency: Option<&Currency>) -> Option<Accounts> {
    let signup_grant =
        reader.parsed("accounts.signup_grant", |text| parse_optional_amount(currency, text));
    let domains = reader.list("accounts.allowed_domains", MAX_DOMAINS, |text| {
        let domain = EmailDomain::new(text);
        domain.map_err(|_| "must be domains of email addresses, such as example.org".to_owned())
    });
    let registration =
        reader.parsed("accounts.registration", |name| policy(name, domains.as_deref()));
    Some(Accounts { signup_grant: signup_grant?, registration: registration? })
}

/// Returns the policy with this name; `None` in place of domains that are not valid.
fn policy(name: &str, domains: Option<&[EmailDomain]>) -> Result<RegistrationPolicy, String> {
    match (name, domains) {
        ("open", _) => Ok(RegistrationPolicy::Open),
        ("invite", _) => Ok(RegistrationPolicy::Invite),
        ("domains", Some([])) => Err("needs accounts.allowed_domains".to_owned()),
        ("domains", domains) => {
            Ok(RegistrationPolicy::Domains(domains.unwrap_or_default().to_vec()))
        }
        ("closed", _) => Ok(RegistrationPolicy::Closed),
        _ => Err("must be open, invite, domains or closed".to_owned()),
    }
}
