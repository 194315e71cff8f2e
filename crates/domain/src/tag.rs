//! Tags: short labels of posts.

use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

use crate::text::{TextError, normalize, one_line};

/// Maximum number of tags of one post.
pub const MAX_TAGS: usize = 10;

/// Maximum characters of a tag.
const MAX_CHARS: u32 = 30;

/// A tag in lower case, with single spaces between words. Tags that differ only in case and spaces
/// are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Tag(String);

impl Tag {
    /// Normalizes a new tag and accepts 1 to 30 characters, counted in lower case.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        // Checked before the spaces are joined, so that line breaks are rejected as in other texts.
        let text = one_line(text, 1, u32::MAX).map_err(|error| match error {
            TextError::Length { .. } => TextError::Length { min: 1, max: MAX_CHARS },
            error => error,
        })?;
        let words: Vec<_> = text.split_whitespace().collect();
        let lower_case = normalize(&words.join(" ").to_lowercase());
        one_line(&lower_case, 1, MAX_CHARS).map(Self)
    }

    /// Returns a stored tag without checking it again.
    pub fn restore(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the normal form of the tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reason why a set of tags is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TagsError {
    /// More than [`MAX_TAGS`] tags.
    #[error("a post has at most {MAX_TAGS} tags")]
    TooMany,
    /// Two tags are equal, ignoring case and spaces.
    #[error("tags must be distinct")]
    Repeated {
        /// Position of the second tag.
        index: usize,
    },
}

/// The tags of one post: at most [`MAX_TAGS`], distinct, in the order of their characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Tags(BTreeSet<Tag>);

impl Tags {
    /// Creates a set of these tags.
    ///
    /// # Errors
    /// [`TagsError::TooMany`], [`TagsError::Repeated`].
    pub fn new(tags: impl IntoIterator<Item = Tag>) -> Result<Self, TagsError> {
        let mut distinct = BTreeSet::new();
        for (index, tag) in tags.into_iter().enumerate() {
            if index == MAX_TAGS {
                return Err(TagsError::TooMany);
            }
            if !distinct.insert(tag) {
                return Err(TagsError::Repeated { index });
            }
        }
        Ok(Self(distinct))
    }

    /// Iterates over the tags in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Tag> {
        self.0.iter()
    }

    /// Returns `true` if the set contains this tag.
    pub fn contains(&self, tag: &Tag) -> bool {
        self.0.contains(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, TextError>) {
        assert_eq!(
            Tag::new(text).as_ref().map(Tag::as_str),
            expected.as_ref().copied(),
            "{text:?}"
        );
    }

    #[test]
    fn tags_are_normalized() {
        const LENGTH: TextError = TextError::Length { min: 1, max: 30 };
        check("Rust", Ok("rust"));
        check("  Prediction  Markets\u{3000}", Ok("prediction markets"));
        check("ÉLECTION 選挙", Ok("élection 選挙"));
        check(&"é".repeat(30), Ok(&"é".repeat(30)));
        check(&"é".repeat(31), Err(LENGTH));
        // One character that becomes two in lower case.
        check(&"İ".repeat(16), Err(LENGTH));
        check("", Err(LENGTH));
        check("E\u{301}te\u{301}", Ok("été"));
        check("  ", Err(TextError::Unreadable));
        check("a\0b", Err(TextError::Unreadable));
        check("a\u{200B}b", Err(TextError::Unreadable));
        check("a\nb", Err(TextError::LineBreak));
    }

    #[test]
    fn tags_of_a_post_are_few_and_distinct() {
        let tags = |texts: &[&str]| Tags::new(texts.iter().map(|text| Tag::new(text).unwrap()));
        let ten = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        assert_eq!(tags(&ten).unwrap().iter().len(), 10);
        assert_eq!(tags(&[&ten[..], &["k"]].concat()), Err(TagsError::TooMany));
        assert_eq!(tags(&["a", "b", "A "]), Err(TagsError::Repeated { index: 2 }));
        assert_eq!(tags(&["b", "a"]), tags(&["a", "b"]));
        assert!(tags(&["a"]).unwrap().contains(&Tag::new("A").unwrap()));
    }
}
