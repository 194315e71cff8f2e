//! Text policy: normalization, length and the allowed characters of a new text.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{
    GeneralCategory, GeneralCategoryGroup, UnicodeEmoji as _, UnicodeGeneralCategory as _,
};
use unicode_script::{Script, UnicodeScript as _};

use super::TextError;

const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';
const TEXT_PRESENTATION: char = '\u{FE0E}';
const EMOJI_PRESENTATION: char = '\u{FE0F}';
const ENCLOSING_KEYCAP: char = '\u{20E3}';

/// Canonical combining class of a virama, after which joiners select the shape of a conjunct.
const VIRAMA: u8 = 9;

/// Maximum nonspacing marks in a row (UTS 39, section 5.4).
const MAX_MARKS: u32 = 4;

/// Returns the text in Normalization Form C, the form of every stored text.
pub fn normalize(text: &str) -> String {
    text.nfc().collect()
}

/// Applies the policy to a single-line text.
pub(crate) fn one_line(text: &str, min: u32, max: u32) -> Result<String, TextError> {
    if text.contains(is_line_break) {
        return Err(TextError::LineBreak);
    }
    clean(text, |_| false, min, max)
}

/// Applies the policy to a multi-line text. Carriage returns become line feeds.
pub(crate) fn multi_line(text: &str, min: u32, max: u32) -> Result<String, TextError> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    clean(&text, |c| matches!(c, '\n' | '\t'), min, max)
}

fn clean(
    text: &str,
    is_layout: impl Fn(char) -> bool,
    min: u32,
    max: u32,
) -> Result<String, TextError> {
    let normalized = normalize(text);
    check_characters(&normalized, is_layout)?;
    let trimmed = normalized.trim();
    if trimmed.is_empty() && !text.is_empty() {
        return Err(TextError::Unreadable);
    }
    if !(min as usize..=max as usize).contains(&trimmed.chars().count()) {
        return Err(TextError::Length { min, max });
    }
    let is_visible = trimmed.is_empty() || trimmed.chars().any(is_visible);
    // A mark at the start would be drawn over the text displayed before it.
    if !is_visible || trimmed.starts_with(is_mark) {
        return Err(TextError::Unreadable);
    }
    Ok(trimmed.to_owned())
}

/// Returns `true` for line breaks of any kind, as defined by Unicode (UAX 14).
fn is_line_break(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn check_characters(text: &str, is_layout: impl Fn(char) -> bool) -> Result<(), TextError> {
    let mut previous = None;
    let mut marks = 0;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if !is_layout(c) && !is_allowed(previous, c, rest.peek().copied()) {
            return Err(TextError::Unreadable);
        }
        marks = if is_nonspacing(c) { marks + 1 } else { 0 };
        if marks > MAX_MARKS {
            return Err(TextError::Unreadable);
        }
        previous = Some(c);
    }
    Ok(())
}

fn is_allowed(previous: Option<char>, c: char, next: Option<char>) -> bool {
    match c {
        ZERO_WIDTH_JOINER => previous.is_some_and(is_virama) || joins_emoji(previous, next),
        ZERO_WIDTH_NON_JOINER => {
            previous.is_some_and(is_virama) || separates_cursive(previous, next)
        }
        TEXT_PRESENTATION | EMOJI_PRESENTATION => has_presentations(previous, next),
        // Variants of ideographs, which Japanese names need.
        '\u{E0100}'..='\u{E01EF}' => previous.is_some_and(is_ideograph),
        // Variants of Mongolian letters.
        '\u{180B}'..='\u{180D}' | '\u{180F}' => {
            previous.is_some_and(|p| p.script() == Script::Mongolian && is_letter(p))
        }
        _ => !is_blank(c) && is_of_allowed_category(c),
    }
}

fn is_of_allowed_category(c: char) -> bool {
    match c.general_category() {
        // Signs drawn around the digits after them.
        GeneralCategory::Format => matches!(
            c,
            '\u{600}'
                ..='\u{605}'
                    | '\u{6DD}'
                    | '\u{70F}'
                    | '\u{890}'
                    | '\u{891}'
                    | '\u{8E2}'
                    | '\u{110BD}'
                    | '\u{110CD}'
        ),
        GeneralCategory::Control
        | GeneralCategory::Surrogate
        | GeneralCategory::PrivateUse
        | GeneralCategory::Unassigned
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator => false,
        _ => true,
    }
}

/// Returns `true` for characters of a visible category that show nothing.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{34F}' // combining grapheme joiner
            | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' // Hangul fillers
            | '\u{17B4}' | '\u{17B5}' // inherent vowels of Khmer
            | '\u{2800}' // Braille pattern without dots
            | '\u{FE00}'
            ..='\u{FE0D}' // variation selectors of symbols
            | '\u{FFFC}' // object replacement character
            | '\u{16FE4}' // filler of the Khitan script
            | '\u{1D159}' // musical null notehead
    )
}

fn is_virama(c: char) -> bool {
    canonical_combining_class(c) == VIRAMA
}

fn joins_emoji(previous: Option<char>, next: Option<char>) -> bool {
    let is_emoji = |c: char| !c.is_ascii() && c.is_emoji_char();
    previous.is_some_and(|c| c == EMOJI_PRESENTATION || is_emoji(c)) && next.is_some_and(is_emoji)
}

/// Returns `true` if a non-joiner here changes the shape of letters, as in Persian (RFC 5892,
/// appendix A.1).
fn separates_cursive(previous: Option<char>, next: Option<char>) -> bool {
    let is_cursive = |c: char| {
        matches!(
            c.script(),
            Script::Arabic
                | Script::Syriac
                | Script::Mongolian
                | Script::Nko
                | Script::Mandaic
                | Script::Adlam
                | Script::Hanifi_Rohingya
        ) || is_mark(c)
    };
    previous.is_some_and(is_cursive) && next.is_some_and(|c| is_cursive(c) && is_letter(c))
}

/// Returns `true` for an emoji with a textual and a pictorial form. Digits have both in keycaps
/// only.
fn has_presentations(previous: Option<char>, next: Option<char>) -> bool {
    previous.is_some_and(|c| c.is_emoji_char() && (!c.is_ascii() || next == Some(ENCLOSING_KEYCAP)))
}

fn is_ideograph(c: char) -> bool {
    c.script() == Script::Han && is_letter(c)
}

fn is_letter(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Letter
}

fn is_mark(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Mark
}

fn is_nonspacing(c: char) -> bool {
    matches!(c.general_category(), GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
}

fn is_visible(c: char) -> bool {
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter
            | GeneralCategoryGroup::Number
            | GeneralCategoryGroup::Punctuation
            | GeneralCategoryGroup::Symbol
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, TextError>) {
        assert_eq!(one_line(text, 1, 50).as_deref(), expected.as_ref().copied(), "{text:?}");
    }

    #[test]
    fn text_is_normalized_and_trimmed() {
        check("e\u{301}", Ok("é"));
        check("\u{1100}\u{1161}", Ok("가"));
        check(" \u{3000}Ada Lovelace\u{A0}", Ok("Ada Lovelace"));
    }

    #[test]
    fn length_is_counted_after_normalization() {
        assert_eq!(one_line(&"e\u{301}".repeat(50), 1, 50), Ok("é".repeat(50)));
        check(&"é".repeat(51), Err(TextError::Length { min: 1, max: 50 }));
        // One character that the normal form splits into two.
        check(&"\u{958}".repeat(26), Err(TextError::Length { min: 1, max: 50 }));
        check("", Err(TextError::Length { min: 1, max: 50 }));
        assert_eq!(one_line("  a  ", 3, 50), Err(TextError::Length { min: 3, max: 50 }));
    }

    #[test]
    fn invisible_and_control_characters_are_rejected() {
        let bare = [
            "   ",
            "\u{200B}\u{200B}",
            "\u{FEFF}",
            "\u{2060}",
            "\u{AD}",
            "\u{200E}",
            "\u{202E}",
            "\u{2066}",
            "\u{061C}",
            "\u{E000}",
            "\u{F0000}",
            "\u{FFFE}",
            "\u{FDD0}",
            "\u{10FFFF}",
            "\u{378}",
            "\u{E0041}",
            "\u{E0001}",
            "\u{FE0F}",
            "\u{E0100}",
            "\u{180E}",
            "\u{3164}",
            "\u{2800}",
            "\u{34F}",
            "\u{200D}",
            "\u{200C}",
            "\u{FFF9}",
            "\u{0}",
            "\u{7F}",
            "\u{9B}",
            "\t",
        ];
        for text in bare {
            check(text, Err(TextError::Unreadable));
            if !text.trim().is_empty() {
                check(&format!("Ye{text}s"), Err(TextError::Unreadable));
                check(&format!("{text}Yes{text}"), Err(TextError::Unreadable));
            }
        }
        check("\u{301}", Err(TextError::Unreadable));
        check("\u{301}a", Err(TextError::Unreadable));
        check(" \u{20DD}", Err(TextError::Unreadable));
        check(&format!("a{}", "\u{329}".repeat(5)), Err(TextError::Unreadable));
        check("1\u{FE0F}", Err(TextError::Unreadable));
        check("a\u{FE0F}b", Err(TextError::Unreadable));
    }

    #[test]
    fn one_line_rejects_line_breaks_of_any_kind() {
        for c in ['\n', '\r', '\u{B}', '\u{C}', '\u{85}', '\u{2028}', '\u{2029}'] {
            check(&format!("Yes{c}No"), Err(TextError::LineBreak));
            check(&format!("Yes{c}"), Err(TextError::LineBreak));
        }
    }

    #[test]
    fn multi_line_keeps_line_feeds_and_tabs() {
        let check = |text: &str, expected: Result<&str, TextError>| {
            assert_eq!(multi_line(text, 1, 50).as_deref(), expected.as_ref().copied(), "{text:?}");
        };
        check("one\r\ntwo\rthree\n\tfour\n", Ok("one\ntwo\nthree\n\tfour"));
        check("one\u{2028}two", Err(TextError::Unreadable));
        check("one\u{B}two", Err(TextError::Unreadable));
        check("one\u{202E}two", Err(TextError::Unreadable));
        check("\n\n", Err(TextError::Unreadable));
    }

    #[test]
    fn scripts_and_emoji_are_accepted() {
        let texts = [
            "Ünïcödé",
            "東京 雨",
            "서울 눈",
            "спартак матч",
            "עברית: שָׁלוֹם",
            "مرحبا بالعالم",
            "می\u{200C}خواهم",
            "क्\u{200D}ष क्\u{200C}ष",
            "ශ්\u{200D}රී ලංකා",
            "👩\u{200D}🚀 👨\u{200D}👩\u{200D}👧 ❤\u{FE0F}\u{200D}🔥 👍🏽 1\u{FE0F}\u{20E3} 🇩🇪",
            "葛\u{E0100}城",
            "ᠮᠣᠩᠭᠣᠯ\u{180B}",
            "ไทย ျမန္မာ",
            "50 % – “quoted” (a/b) & more…",
            "x² ≤ ½",
        ];
        for text in texts {
            check(text, Ok(text));
        }
    }
}
