//! Tests that the mail library can send to every address that the domain accepts, without SMTPUTF8.

use foretell_domain::text::Email;
use lettre::Address;
use proptest::prelude::*;

fn check(text: &str) -> Result<(), TestCaseError> {
    let Ok(email) = Email::new(text) else { return Ok(()) };
    let stored = email.as_str();
    prop_assert!(stored.parse::<Address>().is_ok(), "{text:?} became {stored:?}");
    prop_assert!(stored.is_ascii() && stored.len() <= 254);
    prop_assert_eq!(Email::new(stored), Ok(email.clone()), "not a normal form");
    prop_assert_eq!(Email::new(&stored.to_uppercase()), Ok(email.clone()));
    Ok(())
}

proptest! {
    #[test]
    fn accepted_address_can_be_sent_to(text in r"[!-~]{1,20}@[!-~]{1,20}") {
        check(&text)?;
    }

    #[test]
    fn accepted_dot_atom_can_be_sent_to(
        text in r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]{1,70}@([a-zA-Z0-9-]{1,64}\.){1,5}[a-zA-Z0-9-]{1,10}",
    ) {
        check(&text)?;
    }

    #[test]
    fn accepted_international_domain_can_be_sent_to(text in r"[a-z]{1,5}@(\PC{1,8}\.){1,3}\PC{1,8}") {
        check(&text)?;
    }
}

#[test]
fn usual_addresses_are_accepted() {
    for text in ["ada@example.org", "Ada.Lovelace+news@mail.Example.co.uk", "ada@bücher.example"] {
        let email = Email::new(text).unwrap();
        email.as_str().parse::<Address>().unwrap();
    }
}
