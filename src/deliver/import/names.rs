//! What Teams lets a channel be called (<https://learn.microsoft.com/microsoftteams/limits-specifications-teams>).

use std::collections::HashSet;

/// The longest name of a channel, in characters.
const LONGEST: usize = 50;
const FORBIDDEN: &str = "~#%&*{}+/\\:<>?|'\",";
/// Names that SharePoint keeps for itself; the folder of a channel's files bears its name.
const RESERVED: [&str; 12] =
    ["con", "prn", "aux", "nul", "forms", "lpt0", "lpt1", "com0", "com1", "desktop.ini", "conin$", "conout$"];

/// A name that Teams takes and `taken` does not hold yet, as near to the given one as can be. It is added to `taken`,
/// where names are in lower case.
#[expect(clippy::implicit_hasher, reason = "all callers have this one")]
pub fn channel(name: &str, taken: &mut HashSet<String>) -> String {
    let cleaned = clean(name);
    let mut unique = cleaned.clone();
    let mut count = 1;
    while !taken.insert(unique.to_lowercase()) {
        count += 1;
        let suffix = format!(" {count}");
        let kept: String = cleaned.chars().take(LONGEST - suffix.chars().count()).collect();
        unique = format!("{}{suffix}", kept.trim_end());
    }
    unique
}

/// The name without what Teams does not take.
pub fn clean(name: &str) -> String {
    let spaced: String = name
        .chars()
        .map(|letter| if FORBIDDEN.contains(letter) || letter.is_control() { ' ' } else { letter })
        .collect();
    let mut words = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    while words.contains("..") {
        words = words.replace("..", ".");
    }
    let ends = |letter: char| letter == '.' || letter.is_whitespace();
    let trimmed = words.trim_start_matches(|letter| letter == '_' || ends(letter));
    let short: String = trimmed.chars().take(LONGEST).collect();
    let short = short.trim_end_matches(ends);
    match short {
        "" => "channel".to_owned(),
        word if RESERVED.contains(&word.to_lowercase().as_str()) => format!("{word} channel"),
        word => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_become_ones_that_teams_takes() {
        for (name, expected) in [
            ("general", "general"),
            ("q&a: what/why?", "q a what why"),
            ("__init__.", "init__"),
            ("a..b...c", "a.b.c"),
            ("~#%", "channel"),
            ("CON", "CON channel"),
            (" spaced \t out ", "spaced out"),
            ("żółć", "żółć"),
        ] {
            assert_eq!(clean(name), expected, "{name}");
        }
        assert_eq!(clean(&"x".repeat(60)).chars().count(), LONGEST);
    }

    #[test]
    fn names_that_become_one_are_told_apart() {
        let mut taken = HashSet::from(["general".to_owned()]);
        let long = "y".repeat(70);
        let names: Vec<_> =
            ["a/b", "a b", "A:B", "General", &long, &long].iter().map(|name| channel(name, &mut taken)).collect();
        assert_eq!(names[..4], ["a b", "a b 2", "A B 3", "General 2"]);
        assert!(names[4] != names[5] && names[5].chars().count() == LONGEST, "{names:?}");
    }

    proptest! {
        #[test]
        fn whatever_it_is_called_teams_takes_it(name in "\\PC{0,80}") {
            let mut taken = HashSet::new();
            let cleaned = channel(&name, &mut taken);
            prop_assert!(!cleaned.trim().is_empty() && cleaned.chars().count() <= LONGEST);
            prop_assert!(!cleaned.chars().any(|letter| FORBIDDEN.contains(letter) || letter.is_control()));
            prop_assert!(!cleaned.contains("..") && !cleaned.ends_with('.') && !cleaned.starts_with(['_', '.']));
        }
    }
}
