//! Round trips of accepted values through text and serde, for any text or number.

use foretell_domain::id::{BetId, TransferId};
use foretell_domain::market::{MAX_FEE_BPS, MarketTexts};
use foretell_domain::money::{Amount, Balance, Currency};
use foretell_domain::password;
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_domain::tag::Tag;
use foretell_domain::text::{
    Appearance, AvatarUrl, Category, CommentContent, Email, KeyName, MarketDescription, MarketName,
    Memo, OptionName, PostContent, PostTitle, UserName, normalize,
};
use foretell_domain::time::Timestamp;
use foretell_domain::webhook::WebhookUrl;
use proptest::prelude::*;

/// Characters that often break text handling: joiners, marks, directions, expanding cases,
/// controls.
const HOSTILE: &[char] = &[
    '\0',
    '\t',
    '\n',
    '\r',
    '\u{B}',
    ' ',
    '"',
    '\'',
    '\\',
    '<',
    '@',
    '.',
    '/',
    ':',
    '%',
    '#',
    '0',
    'a',
    'I',
    'm',
    '\u{7F}',
    '\u{85}',
    '\u{A0}',
    '\u{AD}',
    'ß',
    'é',
    'İ',
    'ı',
    'ſ',
    'ǆ',
    '\u{300}',
    '\u{301}',
    '\u{307}',
    '\u{34F}',
    'ς',
    'Σ',
    'а',
    'е',
    '\u{5D0}',
    '\u{61C}',
    '\u{645}',
    '\u{958}',
    '\u{94D}',
    '\u{915}',
    '\u{1100}',
    '\u{1161}',
    '\u{11A8}',
    '\u{115F}',
    '\u{180B}',
    '\u{1E9E}',
    '\u{1FB3}',
    '\u{200B}',
    '\u{200C}',
    '\u{200D}',
    '\u{200E}',
    '\u{2028}',
    '\u{2029}',
    '\u{202E}',
    '\u{2066}',
    '\u{2069}',
    '\u{20E3}',
    '\u{212B}',
    '\u{2800}',
    '\u{3000}',
    '\u{3002}',
    '東',
    '가',
    '\u{3164}',
    '\u{E000}',
    '\u{FB01}',
    '\u{FDFA}',
    '\u{FE0E}',
    '\u{FE0F}',
    '\u{FEFF}',
    '\u{FF20}',
    '\u{FF21}',
    '\u{FFFC}',
    '\u{FFFD}',
    '\u{FFFE}',
    '\u{1D15E}',
    '\u{1F1E9}',
    '\u{1F3F4}',
    '\u{1F3FD}',
    '\u{1F469}',
    '\u{1F680}',
    '\u{2F800}',
    '\u{E0041}',
    '\u{E0100}',
    '\u{10FFFF}',
];

/// Returns texts of hostile characters, of any characters, and of both.
fn hostile_text() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(HOSTILE);
    let mixed = prop_oneof![3 => hostile, 1 => any::<char>(), 2 => prop::char::range('a', 'z')];
    prop::collection::vec(mixed, 0..60).prop_map(String::from_iter)
}

/// Checks each accepted text: it is in its normal form, within its limits, and is accepted again by
/// the policy, from storage and by serde.
macro_rules! check_text {
    ($text:expr, $type:ident, $max:expr) => {
        if let Ok(value) = $type::new(&$text) {
            let stored = value.as_str().to_owned();
            prop_assert_eq!(
                $type::new(&stored),
                Ok(value.clone()),
                "not a normal form: {:?}",
                stored
            );
            prop_assert_eq!(&$type::restore(stored.clone()), &value);
            prop_assert_eq!(normalize(&stored), stored.clone());
            prop_assert!((1..=$max).contains(&stored.chars().count()));
            prop_assert!(!stored.contains('\0') && stored.trim() == stored);
            #[cfg(feature = "serde")]
            {
                let json = serde_json::to_string(&value).unwrap();
                prop_assert_eq!(&serde_json::from_str::<$type>(&json).unwrap(), &value);
            }
        }
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn accepted_text_round_trips(text in hostile_text()) {
        check_text!(text, UserName, 50);
        check_text!(text, MarketName, 100);
        check_text!(text, MarketDescription, 1_000);
        check_text!(text, OptionName, 50);
        check_text!(text, Category, 40);
        check_text!(text, Memo, 200);
        check_text!(text, KeyName, 50);
        check_text!(text, PostTitle, 200);
        check_text!(text, PostContent, 50_000);
        check_text!(text, CommentContent, 5_000);
    }

    #[test]
    fn accepted_one_line_text_has_no_line_break(text in hostile_text()) {
        if let Ok(name) = OptionName::new(&text) {
            let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
            prop_assert!(!name.as_str().contains(is_break));
        }
    }

    #[test]
    fn accepted_tag_round_trips(text in hostile_text()) {
        if let Ok(tag) = Tag::new(&text) {
            prop_assert_eq!(Tag::new(tag.as_str()), Ok(tag.clone()));
            prop_assert_eq!(Tag::restore(tag.as_str()), tag.clone());
            prop_assert!((1..=30).contains(&tag.as_str().chars().count()));
        }
    }

    #[test]
    fn accepted_email_round_trips(local in "[ -~İé]{0,70}", domain in hostile_text()) {
        if let Ok(email) = Email::new(&format!("{local}@{domain}.org")) {
            let stored = email.as_str().to_owned();
            prop_assert_eq!(Email::new(&stored), Ok(email.clone()));
            prop_assert_eq!(Email::restore(stored.clone()), email);
            prop_assert!(stored.is_ascii() && stored.len() <= 254 && stored == stored.to_lowercase());
        }
    }

    #[test]
    fn accepted_url_round_trips(rest in hostile_text(), host in "[a-z0-9.\\[\\]:-]{1,12}") {
        let text = format!("https://{host}{rest}");
        if let Ok(avatar) = AvatarUrl::new(&text) {
            prop_assert_eq!(AvatarUrl::new(avatar.as_str()), Ok(avatar.clone()));
            prop_assert!(avatar.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(!avatar.as_str().contains(['"', '\'', '<', '>', '\\']));
        }
        if let Ok(url) = WebhookUrl::new(&text) {
            prop_assert_eq!(WebhookUrl::new(url.as_str()), Ok(url.clone()));
            prop_assert!(url.as_str().len() <= 500 && url.as_str().is_ascii());
        }
    }

    #[test]
    fn text_is_like_itself(text in hostile_text(), other in hostile_text()) {
        let (one, two) = (Appearance::of(&text), Appearance::of(&other));
        prop_assert!(one.is_like(&Appearance::of(&normalize(&text))));
        let spaced = format!(" {text}{} ", '\u{200B}');
        prop_assert!(one.is_like(&Appearance::of(&spaced)));
        prop_assert_eq!(one.is_like(&two), two.is_like(&one));
    }

    #[test]
    fn accepted_options_are_distinguishable(first in hostile_text(), second in hostile_text()) {
        let names = [OptionName::new(&first), OptionName::new(&second)];
        if let [Ok(first), Ok(second)] = names {
            let texts = MarketTexts::new(
                MarketName::new("Will it rain?").unwrap(),
                MarketDescription::new("At noon, on the roof.").unwrap(),
                Category::new("weather").unwrap(),
                vec![first.clone(), second.clone()],
            );
            let is_alike = Appearance::of(first.as_str()).is_like(&Appearance::of(second.as_str()));
            prop_assert_eq!(texts.is_err(), is_alike);
        }
    }

    #[test]
    fn password_normal_form_is_stable(text in hostile_text()) {
        let normal = password::normalize(&text);
        prop_assert_eq!(password::normalize(&normal), normal.clone());
        if password::check_new(&normal).is_ok() {
            prop_assert!((8..=128).contains(&normal.chars().count()));
        }
    }

    #[test]
    fn every_number_becomes_writable_time(micros in any::<i64>(), seconds in any::<i64>()) {
        let moment = Timestamp::from_micros(micros).plus_seconds(seconds);
        prop_assert!((Timestamp::MIN..=Timestamp::MAX).contains(&moment));
        prop_assert_eq!(Timestamp::from_micros(moment.micros()), moment);
        prop_assert_eq!(Timestamp::checked_from_micros(moment.micros().into()), Some(moment));
        #[cfg(feature = "serde")]
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&micros.to_string()).unwrap(), Timestamp::from_micros(micros));
    }

    #[test]
    fn amounts_round_trip_as_text(minor in 1..=i64::MAX, decimals in 0..=8_u8) {
        let currency = Currency::new("PLAY", decimals).unwrap();
        let amount = Amount::new(minor).unwrap();
        prop_assert_eq!(currency.parse_amount(&currency.display(minor).to_string()), Ok(amount));
    }

    #[test]
    fn balances_are_written_with_their_sign(minor in any::<i64>(), decimals in 0..=8_u8) {
        let currency = Currency::new("PLAY", decimals).unwrap();
        let text = currency.display(Balance::from_minor(minor).minor()).to_string();
        prop_assert_eq!(text.replace('.', "").parse::<i64>(), Ok(minor));
    }

    #[test]
    fn amount_texts_never_panic(text in hostile_text(), number in "[0-9.]{0,400}", decimals in 0..=8_u8) {
        let currency = Currency::new("PLAY", decimals).unwrap();
        prop_assert!(currency.parse_amount(&text).is_err() || text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
        if let Ok(amount) = currency.parse_amount(&number) {
            let written = currency.display(amount.minor()).to_string();
            prop_assert_eq!(currency.parse_amount(&written), Ok(amount));
        }
    }

    #[test]
    fn ids_round_trip(value in any::<u128>()) {
        let id = BetId::from_u128(value);
        prop_assert_eq!(id.to_string().parse::<BetId>(), Ok(id));
        prop_assert_eq!(BetId::from_bytes(id.to_bytes()), id);
        #[cfg(feature = "serde")]
        prop_assert_eq!(serde_json::from_str::<BetId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn id_texts_never_panic(text in hostile_text()) {
        if let Ok(id) = text.parse::<TransferId>() {
            prop_assert_eq!(id.to_string(), text.to_lowercase());
        }
    }
}

#[cfg(feature = "serde")]
proptest! {
    #[test]
    fn numbers_round_trip_through_serde(units in 0..=i64::MAX, value in 0.0..=1.0_f64, bps in 0..=MAX_FEE_BPS) {
        let shares = Shares::new(units).unwrap();
        prop_assert_eq!(serde_json::from_str::<Shares>(&serde_json::to_string(&shares).unwrap()).unwrap(), shares);
        let probability = Probability::new(value).unwrap();
        let json = serde_json::to_string(&probability).unwrap();
        prop_assert_eq!(serde_json::from_str::<Probability>(&json).unwrap().get().to_bits(), value.to_bits());
        prop_assert_eq!(serde_json::from_str::<u16>(&serde_json::to_string(&bps).unwrap()).unwrap(), bps);
    }
}
