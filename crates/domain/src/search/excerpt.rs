//! Excerpts: the first match in a text, marked, with some text around it.
//!
//! The work is linear in the text, and a text is read only as far as needed.

use std::collections::VecDeque;
use std::ops::Range;

use super::fold::{self, Fold};
use super::{SearchLanguage, SearchQuery};

/// Maximum text before the first mark, in bytes.
const BEFORE: usize = 60;
/// Maximum length of an excerpt, in bytes.
const SHOWN: usize = 240;

/// Marks the first matches in a text.
pub(super) fn excerpt<'a>(
    query: &SearchQuery,
    text: &'a str,
    language: SearchLanguage,
) -> Vec<(&'a str, bool)> {
    let text = fold::first_chars(text, fold::INDEXED_CHARS);
    let mut scan = Scan::default();
    let mut marks = scan.phrases(query, text, language);
    if marks.is_empty() {
        marks = scan.parts(query, text);
    }
    window(text, &marks)
}

/// A search for matches, which counts its steps: bytes and words compared.
#[derive(Debug, Default)]
struct Scan {
    steps: usize,
}

impl Scan {
    /// Returns the required phrases within the window around the first of them, in the order of
    /// their ends.
    fn phrases(
        &mut self,
        query: &SearchQuery,
        text: &str,
        language: SearchLanguage,
    ) -> Vec<Range<usize>> {
        let wanted = query.alternatives().iter().flat_map(|alternative| &alternative.wanted);
        let phrases: Vec<_> = wanted.map(|phrase| phrase.stems(language)).collect();
        let longest = phrases.iter().map(Vec::len).max().unwrap_or_default();
        let may_differ = !language.keeps_first_letter();
        let is_first =
            |c: char| phrases.iter().any(|words| words.iter().any(|word| word.starts_with(c)));
        let mut marks: Vec<Range<usize>> = Vec::new();
        let mut end = text.len();
        // The last words, and the query words that they match.
        let mut last: VecDeque<(Range<usize>, Option<String>)> = VecDeque::with_capacity(longest);
        for range in fold::word_ranges(text) {
            self.steps += range.len();
            if range.start > end {
                break;
            }
            let word = text.get(range.clone()).unwrap_or_default();
            let first = word.chars().next().and_then(|c| fold::lower(c).next());
            let can_match = may_differ || first.is_some_and(is_first);
            let word = (can_match && word.len() <= fold::LONGEST_WORD)
                .then(|| language.stem(fold::folded(word)));
            if last.len() == longest {
                last.pop_front();
            }
            last.push_back((range, word));
            for phrase in &phrases {
                self.steps += 1;
                let Some(skipped) = last.len().checked_sub(phrase.len()) else { continue };
                let mut tail = last.iter().skip(skipped);
                if phrase
                    .iter()
                    .all(|word| tail.next().is_some_and(|(_, last)| last.as_ref() == Some(word)))
                {
                    if marks.is_empty() {
                        end = last.get(skipped).map_or(end, |(range, _)| range.start + SHOWN);
                    }
                    marks.extend(last.iter().skip(skipped).map(|(range, _)| range.clone()));
                }
            }
        }
        marks
    }

    /// Returns the substrings as typed, ignoring case.
    fn parts(&mut self, query: &SearchQuery, text: &str) -> Vec<Range<usize>> {
        let parts: Vec<&str> =
            query.parts().iter().flat_map(|part| &part.wanted).map(String::as_str).collect();
        if parts.is_empty() {
            return Vec::new();
        }
        let folded = Fold::new(text);
        self.steps += text.len();
        let mut marks = Vec::new();
        for part in parts {
            self.steps += folded.text().len();
            // The search of the standard library is linear in both.
            let found = folded.text().match_indices(part).next();
            marks.extend(found.map(|(at, _)| at));
        }
        let Some(first) = marks.iter().min().copied() else { return Vec::new() };
        let near = folded.slice(first, SHOWN);
        let parts = query.parts().iter().flat_map(|part| &part.wanted);
        let found = parts.flat_map(|part| near.match_indices(part.as_str()));
        found.map(|(at, part)| folded.original(first + at..first + at + part.len())).collect()
    }
}

/// Returns the text around the first mark, with all marks in it.
fn window<'a>(text: &'a str, marks: &[Range<usize>]) -> Vec<(&'a str, bool)> {
    let marks = merged(marks);
    let Some(first) = marks.first().cloned() else { return Vec::new() };
    let begin = fold::floor_boundary(text, first.start.saturating_sub(BEFORE));
    let end = fold::floor_boundary(text, (begin + SHOWN).max(first.end).min(text.len()));
    // Words are not cut, unless they are longer than the excerpt.
    let begin =
        match text.get(begin..first.start).and_then(|before| before.find(char::is_whitespace)) {
            Some(blank) if begin > 0 => begin + blank,
            _ => begin,
        };
    let (mut parts, mut shown) = (Vec::new(), begin);
    for mark in marks {
        if mark.end > end {
            break;
        }
        parts.push((text.get(shown..mark.start).unwrap_or_default(), false));
        parts.push((text.get(mark.clone()).unwrap_or_default(), true));
        shown = mark.end;
    }
    parts.push((text.get(shown..end).unwrap_or_default(), false));
    parts.retain(|(part, _)| !part.is_empty());
    parts
}

/// Sorts the marks and merges those that overlap or touch.
fn merged(marks: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut sorted = marks.to_vec();
    sorted.sort_by_key(|mark| (mark.start, mark.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for mark in sorted {
        match merged.last_mut() {
            Some(last) if mark.start <= last.end => last.end = last.end.max(mark.end),
            _ => merged.push(mark),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(query: &str, text: &str) -> String {
        shown_in("english", query, text)
    }

    fn shown_in(language: &str, query: &str, text: &str) -> String {
        let language = SearchLanguage::from_name(language).unwrap();
        let parts = excerpt(&SearchQuery::parse(query).unwrap(), text, language);
        let mark = |(part, is_found): (&str, bool)| {
            if is_found { format!("[{part}]") } else { part.to_owned() }
        };
        parts.into_iter().map(mark).collect()
    }

    #[test]
    fn excerpt_marks_words_phrases_and_parts() {
        for (query, text, expected) in [
            ("rain", "Will it Rain, or rains it?", "Will it [Rain], or [rains] it?"),
            ("ain", "Will it Rain, again?", "Will it R[ain], ag[ain]?"),
            ("snow", "Will it rain?", ""),
            ("\"heavy snow\"", "Heavy rain, heavy snow", "Heavy rain, [heavy] [snow]"),
            ("apple iphon", "The iPhone of Apple", "The [iPhone] of [Apple]"),
            ("\"ain tod\"", "Rain today", "R[ain tod]ay"),
            ("STRASSE", "İstanbul Strasse", "İstanbul [Strasse]"),
            ("stan", "İİİstanbul", "İİİ[stan]bul"),
            ("aab", "aaab", "a[aab]"),
            ("ééi", "ééİ ééiä", "[ééİ] ééiä"),
            ("school", "Two schools", "Two [schools]"),
            ("schooling", "To schools", "To [schools]"),
            ("東京 雨", "明日の東京は雨か", "明日の[東京]は[雨]か"),
            ("서울 눈", "서울에 눈이 올까", "[서울]에 [눈]이 올까"),
            ("aba", "ababa", "[aba]ba"),
            ("50%", "Above 50%?", "Above [50]%?"),
            ("%", "Above 50%?", "Above 50[%]?"),
        ] {
            assert_eq!(shown(query, text), expected, "{query} in {text}");
        }
    }

    #[test]
    fn excerpt_marks_forms_with_another_first_letter() {
        for (language, query, text, expected) in [
            ("german", "apfel", "Zwei Äpfel", "Zwei [Äpfel]"),
            ("spanish", "arbol", "Un árbol", "Un [árbol]"),
        ] {
            assert_eq!(shown_in(language, query, text), expected, "{query} in {text}");
        }
    }

    #[test]
    fn excerpt_shows_a_window_of_long_text() {
        for (query, part) in [("rain", "[rain]"), ("rai", "[rai]n")] {
            let long = format!("{} rain {}", "x ".repeat(100), "y ".repeat(5_000));
            let shown = shown(query, &long);
            assert!(shown.contains(part) && shown.len() < 320, "{shown}");
        }
    }

    /// Returns the steps of a search for matches in one text.
    fn steps(query: &str, text: &str) -> usize {
        let query = SearchQuery::parse(query).unwrap();
        let mut scan = Scan::default();
        scan.phrases(&query, text, SearchLanguage::ENGLISH);
        scan.parts(&query, text);
        scan.steps
    }

    #[test]
    fn excerpt_steps_are_linear_for_hostile_texts() {
        let a = |count: usize| "a".repeat(count);
        let words = |count: usize| "a ".repeat(count);
        let alternatives = "rain or ".repeat(31) + "rain";
        let distinct: Vec<_> = (0..32).map(|number| format!("a{number}")).collect();
        for (query, text) in [
            (a(498) + "b", a(20_000)),
            (a(99) + "b", a(20_000) + "b"),
            (format!("\"{}b\"", words(31)), words(10_000)),
            (words(32), words(10_000)),
            (alternatives, "rain ".repeat(4_000)),
            (distinct.join(" or "), words(10_000)),
            ("İ".repeat(100), "İ".repeat(10_000)),
        ] {
            let once = steps(&query, &text);
            let twice = steps(&query, &(text.clone() + &text));
            assert!(
                once <= 40 * text.len() && twice <= 2 * once + 1_000,
                "{query}: {once}, {twice}"
            );
        }
    }

    proptest! {
        #[test]
        fn excerpt_is_part_of_any_text(query in ".{0,60}", text in ".{0,400}") {
            if let Ok(query) = SearchQuery::parse(&query) {
                let parts: String = excerpt(&query, &text, SearchLanguage::ENGLISH).iter().map(|(part, _)| *part).collect();
                prop_assert!(text.contains(&parts));
            }
        }

        #[test]
        fn excerpt_marks_any_part_of_text(
            // Each ideograph of a query is a word of its own, so the substring has none.
            before in "[a-zäßéİ雨서 ]{0,300}", part in "[a-zäé]{3,20}", after in "[a-zäßé雨서 ]{0,300}",
        ) {
            let query = SearchQuery::parse(&part).unwrap();
            let text = format!("{before}{part}{after}");
            let none = SearchLanguage::from_name("none").unwrap();
            let parts = excerpt(&query, &text, none);
            // A word before it may differ from it in case only.
            let is_marked = parts.iter().any(|(found, is_found)| *is_found && fold::folded(found).contains(&part));
            prop_assert!(is_marked, "{:?}", parts);
        }
    }
}
