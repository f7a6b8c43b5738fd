//! The decimal digits of every script.

/// The zeros of the scripts in Unicode's basic plane; the other nine digits follow each
/// ([Nd](https://www.unicode.org/reports/tr44/#General_Category_Values)).
const ZEROS: [char; 37] = [
    '0', '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}',
    '\u{be6}', '\u{c66}', '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}',
    '\u{1040}', '\u{1090}', '\u{17e0}', '\u{1810}', '\u{1946}', '\u{19d0}', '\u{1a80}', '\u{1a90}',
    '\u{1b50}', '\u{1bb0}', '\u{1c40}', '\u{1c50}', '\u{a620}', '\u{a8d0}', '\u{a900}', '\u{a9d0}',
    '\u{a9f0}', '\u{aa50}', '\u{abf0}', '\u{ff10}',
];

/// The ASCII digit that `c` stands for; `None` if it is no decimal digit.
pub(crate) fn digit(c: char) -> Option<char> {
    let before = ZEROS.partition_point(|zero| *zero <= c);
    let zero = *ZEROS.get(before.checked_sub(1)?)?;
    char::from_digit(u32::from(c) - u32::from(zero), 10)
}

/// The digits of a text in ASCII, without everything else.
pub(crate) fn digits(text: &str) -> String {
    text.chars().filter_map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_syntax::hir::{Class, HirKind};

    #[test]
    fn the_digits_of_the_basic_plane_are_known() {
        let class = regex_syntax::parse(r"\p{Nd}").unwrap();
        let HirKind::Class(Class::Unicode(class)) = class.kind() else {
            panic!("{class:?}")
        };
        let decimals: Vec<_> = class
            .iter()
            .flat_map(|range| range.start()..=range.end())
            .filter(|c| *c <= '\u{ffff}')
            .collect();
        let known: Vec<_> = ('\0'..='\u{ffff}')
            .filter(|c| digit(*c).is_some())
            .collect();
        assert_eq!(known, decimals);
    }

    #[test]
    fn digits_are_written_in_ascii() {
        assert_eq!(digits("+٤٩ (４３３３) 6३"), "49433363");
    }
}
