//! "Did you mean ...?": the known word that is most like an unknown one.

/// Comparing costs the product of both lengths, and a longer word is no typing error.
const LONGEST: usize = 64;

/// The nearest of some words, or nothing where none is near. Upper and lower case are alike.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_ascii_lowercase();
    known
        .into_iter()
        .map(|candidate| (similarity(&word, &candidate.to_ascii_lowercase()), candidate))
        .filter_map(|(similarity, candidate)| Some((similarity?, candidate)))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, nearest)| nearest)
}

/// Jaro-Winkler favours long words with another ending, Damerau-Levenshtein short ones with swapped letters.
fn similarity(word: &str, candidate: &str) -> Option<f64> {
    let prefix = strsim::jaro_winkler(word, candidate);
    let edits = strsim::normalized_damerau_levenshtein(word, candidate);
    (prefix > 0.8 || edits > 0.6).then_some(prefix.max(edits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_recognised_and_nonsense_is_not() {
        let known = ["tenant_id", "team_id", "fetch_all_teams", "hostedContents"];
        for (word, expected) in [
            ("tennant_id", Some("tenant_id")),
            ("Fetch_All_Team", Some("fetch_all_teams")),
            ("hostedcontent", Some("hostedContents")),
            ("xyzzy", None),
            (&"team_id".repeat(100_000), None),
        ] {
            assert_eq!(nearest(word, known), expected);
        }
    }
}
