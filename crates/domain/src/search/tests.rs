//! Tests of search queries.

use proptest::prelude::*;

use super::*;

/// Returns the alternatives as text: words of a phrase joined by `_`, excluded ones after a
/// `!`.
fn shown(text: &str) -> String {
    let phrase = |phrase: &Phrase| phrase.words().join("_");
    let alternative = |alternative: &Alternative| {
        let wanted = alternative.wanted.iter().map(phrase);
        let unwanted = alternative.unwanted.iter().map(|unwanted| format!("!{}", phrase(unwanted)));
        wanted.chain(unwanted).collect::<Vec<_>>().join(" ")
    };
    let query = SearchQuery::parse(text).unwrap();
    query.alternatives().iter().map(alternative).collect::<Vec<_>>().join(" | ")
}

#[test]
fn words_phrases_or_and_minus_are_parsed() {
    for (text, expected) in [
        ("Rain tomorrow", "rain tomorrow"),
        ("\"rain tomorrow\" noon", "rain_tomorrow noon"),
        ("rain or snow", "rain | snow"),
        ("rain OR snow -hail", "rain | snow !hail"),
        ("rain -\"heavy snow\"", "rain !heavy_snow"),
        ("half-time", "half_time"),
        ("\"or\"", "or"),
        ("rain \"unclosed quote", "rain unclosed_quote"),
        ("rain\"snow\"", "rain snow"),
        ("or rain or", "rain"),
        ("Ünïcode ÄÖ", "ünïcode äö"),
        ("-rain", ""),
        ("--rain snow", "snow !rain"),
        ("- \"\" ( ) * : ^", ""),
        ("NEAR(rain, 5)", "near_rain 5"),
        ("東京 雨", "東_京 雨"),
        ("a b c d e f g h i", "a b c d e f g h i"),
        ("\"a b c d e f g h i\"", "a_b_c_d_e_f_g_h i"),
        ("x -\"a b c d e f g h i\"", "x !a_b_c_d_e_f_g_h"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn unsearchable_query_is_rejected() {
    let long = "x".repeat(501);
    for (text, expected) in [
        ("", SearchError::Length { max: 500 }),
        ("   ", SearchError::Length { max: 500 }),
        (&long, SearchError::Length { max: 500 }),
        ("a\0b", SearchError::Unreadable),
        (&"w ".repeat(33), SearchError::TooManyWords { max: 32 }),
    ] {
        assert_eq!(SearchQuery::parse(text), Err(expected), "{text}");
    }
}

#[test]
fn phrases_have_at_most_64_words() {
    let query = SearchQuery::parse(&"一二三四五六七八九十".repeat(50)).unwrap();
    assert_eq!(query.words().count(), 40, "repeated phrases are removed");
    let text: String = ('\u{4e00}'..).take(500).collect();
    assert_eq!(SearchQuery::parse(&text).unwrap().words().count(), MAX_PHRASE_WORDS);
}

#[test]
fn repeated_terms_and_alternatives_are_removed() {
    for (text, expected) in [
        ("rain or ".repeat(31) + "rain", "rain"),
        ("rain Rain RAIN snow rain".to_owned(), "rain snow"),
        ("rain -hail -hail or rain -hail".to_owned(), "rain !hail"),
        ("e\u{301}t\u{e9} \u{e9}te\u{301}".to_owned(), "\u{e9}t\u{e9}"),
    ] {
        assert_eq!(shown(&text), expected, "{text}");
    }
}

/// Returns the substrings as text: required ones in brackets, excluded ones after a `!`.
fn parts(text: &str) -> String {
    let query = SearchQuery::parse(text).unwrap();
    let shown = query.parts().iter().map(|parts| {
        let wanted = parts.wanted.iter().map(|part| format!("[{part}]"));
        let unwanted = parts.unwanted.iter().map(|part| format!("![{part}]"));
        wanted.chain(unwanted).collect::<String>()
    });
    shown.collect::<Vec<_>>().join(" | ")
}

#[test]
fn parts_have_no_quotes_and_no_repetitions() {
    for (text, expected) in [
        ("Apple iphon", "[apple][iphon]"),
        ("\"heavy  snow\" hai", "[heavy snow][hai]"),
        ("\"unclosed sno", "[unclosed sno]"),
        ("東京 雨", "[東京][雨]"),
        ("iphone phon one", "[iphone]"),
        ("rai -\"Heavy Snow\" or fo", "[rai]![heavy snow] | [fo]"),
        ("50% & half_of", "[half_of][50%]"),
        ("%", "[%]"),
        ("-rain", ""),
        ("Mu\u{308}lle", "[mülle]"),
    ] {
        assert_eq!(parts(text), expected, "{text}");
    }
    assert_eq!(parts(&"a".repeat(101)), "", "too long to be searched as a substring");
    assert_eq!(parts(&format!("rain -{}", "a".repeat(101))), "", "too long to be excluded");
    let many: Vec<_> = (0..32).map(|number| format!("w{number}")).collect();
    assert_eq!(SearchQuery::parse(&many.join(" or ")).unwrap().parts().len(), MAX_PARTS);
}

proptest! {
    #[test]
    fn any_text_is_parsed(query in ".{0,60}") {
        if let Ok(query) = SearchQuery::parse(&query) {
            for alternative in query.alternatives() {
                prop_assert!(!alternative.wanted.is_empty());
                let phrases = alternative.wanted.iter().chain(&alternative.unwanted);
                for word in phrases.flat_map(Phrase::words) {
                    prop_assert!(!word.is_empty());
                }
            }
        }
    }
}
