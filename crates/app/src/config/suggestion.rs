//! Suggests settings for a misspelled key.

/// Maximum number of different letters.
const MAX_TYPING_ERRORS: usize = 3;

/// Returns the keys that `key` may have been meant for: those below it if it is a section, or else
/// the most similar ones, regardless of the section.
pub(super) fn suggestions<'a>(
    key: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> impl Iterator<Item = &'a str> {
    let below = format!("{key}.");
    let of_section: Vec<_> = known.clone().filter(|known| known.starts_with(&below)).collect();
    if !of_section.is_empty() {
        return of_section.into_iter();
    }
    let differences = |known| if name(known) == name(key) { 0 } else { distance(known, key) };
    let alike = known.map(|known| (differences(known), known));
    let alike = alike.filter(|(differences, _)| *differences <= MAX_TYPING_ERRORS).min();
    alike.map_or_else(Vec::new, |(_, known)| vec![known]).into_iter()
}

/// Returns the last part of a key, without its section.
fn name(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// Returns the number of letters that must be added, removed or replaced to turn `from` into `to`
/// (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut above_left = index;
        let mut left = index + 1;
        let mut next = vec![left];
        for (other, &above) in to.chars().zip(row.iter().skip(1)) {
            let replaced = above_left + usize::from(letter != other);
            left = replaced.min(above + 1).min(left + 1);
            next.push(left);
            above_left = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_added_missing_and_other_letters() {
        let check = |from, to, expected| {
            assert_eq!(distance(from, to), expected, "{from:?} to {to:?}");
            assert_eq!(distance(to, from), expected, "{to:?} to {from:?}");
        };
        check("", "", 0);
        check("", "abc", 3);
        check("bind", "bind", 0);
        check("bind", "bnid", 2);
        check("kitten", "sitting", 3);
        check("é", "e", 1);
    }

    #[test]
    fn most_similar_key_is_suggested() {
        let known = ["server.bind", "server.workers", "writer.lanes", "writer.queue"];
        let check = |key, expected: &[&str]| {
            assert_eq!(
                suggestions(key, known.into_iter()).collect::<Vec<_>>(),
                expected,
                "{key:?}"
            );
        };
        check("server.bnid", &["server.bind"]);
        check("sever.bind", &["server.bind"]);
        check("http.bind", &["server.bind"]);
        check("bind", &["server.bind"]);
        check("writer.lane", &["writer.lanes"]);
        check("writer", &["writer.lanes", "writer.queue"]);
        check("telemetry.endpoint", &[]);
    }
}
