//! Numbers as people write them.

/// The signs of a language: before the fraction, and between groups of three digits.
fn signs(locale: &str) -> (char, &'static str) {
    let language = locale.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let swiss = locale.to_ascii_lowercase().ends_with("-ch");
    match language.as_str() {
        "de" | "fr" | "it" if swiss => ('.', "\u{2019}"),
        "de" | "nl" | "it" | "es" | "pt" | "da" | "id" | "tr" | "el" => (',', "."),
        "fr" => (',', "\u{202f}"),
        "sv" | "nb" | "no" | "fi" | "pl" | "cs" | "sk" | "ru" | "uk" | "bg" | "hu" => (',', "\u{a0}"),
        _ => ('.', ","),
    }
}

/// With so many digits behind the point.
pub fn format(number: f64, digits: usize, locale: &str) -> String {
    let (point, group) = signs(locale);
    let plain = format!("{:.digits$}", number.abs());
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut shown = String::new();
    // What rounds to zero has no sign.
    if number < 0.0 && plain.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        shown.push('-');
    }
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            shown.push_str(group);
        }
        shown.push(digit);
    }
    if !fraction.is_empty() {
        shown.push(point);
        shown.push_str(fraction);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_the_language_does() {
        for (number, digits, locale, shown) in [
            (1_234_567.891, 2, "en-US", "1,234,567.89"),
            (1_234_567.891, 0, "en-us", "1,234,568"),
            (-1_234.5, 1, "de-DE", "-1.234,5"),
            (-0.001, 2, "", "0.00"),
            (999.0, 0, "fr", "999"),
            (1_000.0, 0, "sv-SE", "1\u{a0}000"),
            (1_000.5, 2, "de-CH", "1\u{2019}000.50"),
        ] {
            assert_eq!(format(number, digits, locale), shown);
        }
    }
}
