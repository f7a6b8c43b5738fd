//! The initials and the color that stand for a person in lists.

/// The first letters of the first and the last word. `app.js` computes the same.
pub(crate) fn initials(name: &str) -> String {
    let mut letters = name
        .split_whitespace()
        .filter_map(|word| word.chars().next());
    let first = letters.next();
    let last = letters.next_back();
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

/// One of eight colors, from the random end of the id. `app.js` computes the same.
pub(crate) fn tone(id: &str) -> u32 {
    id.chars()
        .next_back()
        .and_then(|c| c.to_digit(16))
        .unwrap_or(0)
        % 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_those_of_the_first_and_the_last_word() {
        assert_eq!(initials("Ada King Lovelace"), "AL");
        assert_eq!(initials(" émile "), "É");
        assert_eq!(initials("محمد علي"), "مع");
        assert_eq!(initials(""), "");
    }
}
