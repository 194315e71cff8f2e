//! Appearance of a text: texts that readers cannot distinguish are alike (UTS 39).

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::confusable_detection::skeleton;

/// The skeletons of a text, which are compared with those of another.
///
/// Compatibility forms, capitals, the number of spaces, invisible characters and letters that look
/// the same in different scripts make no difference. Accents do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appearance {
    /// Skeleton of the text in lower case: finds `YES` and `yes`.
    of_lower_case: String,
    /// Skeleton of the text as it is, in lower case: finds `I` and `l`.
    as_written: String,
}

impl Appearance {
    /// Returns the appearance of a text.
    pub fn of(text: &str) -> Self {
        let text: String = text.nfkc().collect();
        Self { of_lower_case: comparable(&fold(&text)), as_written: comparable(&text) }
    }

    /// Returns `true` if readers may confuse the texts.
    pub fn is_like(&self, other: &Self) -> bool {
        self.of_lower_case == other.of_lower_case || self.as_written == other.as_written
    }
}

/// Removes the differences of case. It converts to capitals, since some letters share only a
/// capital (`ß`, `ς`).
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Returns the skeleton in lower case with single spaces.
fn comparable(text: &str) -> String {
    let skeleton = fold(&skeleton(text).collect::<String>());
    skeleton.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_found() {
        let check = |one: &str, other: &str, expected: bool| {
            let found = Appearance::of(one).is_like(&Appearance::of(other));
            assert_eq!(found, expected, "{one:?} and {other:?}");
        };
        for (one, other) in [
            ("é", "e\u{301}"),
            ("Yes", "Ye\u{200B}s"),
            ("Yes", " yes "),
            ("Yes", "YES"),
            ("Yes", "Уes"),
            ("paypal", "раураl"),
            ("Yes", "Ｙｅｓ"),
            ("Yes", "𝐘𝐞𝐬"),
            ("Will", "WiII"),
            ("Straße", "STRASSE"),
            ("Yes No", "Yes\u{A0}\u{2009}No"),
            ("❤", "❤\u{FE0F}"),
            ("ΟΔΟΣ", "οδος"),
        ] {
            check(one, other, true);
        }
        for (one, other) in
            [("e", "é"), ("Yes", "No"), ("2030", "2031"), ("雨", "雪"), ("+1", "-1"), ("a b", "ab")]
        {
            check(one, other, false);
        }
    }
}
