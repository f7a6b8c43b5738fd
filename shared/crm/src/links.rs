//! Names that look like links. A name of a user or an organisation appears in emails to people who do not
//! know either, where it must not lead to another site.

use action::Text;
use unicode_normalization::UnicodeNormalization;
use validator::ValidationError;

/// Schemes that mail programs turn into links, even without `//`.
const SCHEMES: [&str; 9] = [
    "http:",
    "https:",
    "ftp:",
    "mailto:",
    "tel:",
    "sms:",
    "data:",
    "file:",
    "javascript:",
];

/// The top-level domains of countries: <https://www.iana.org/domains/root/db>.
const COUNTRIES: &str = " ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br \
    bs bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi \
    fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is \
    it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo \
    mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py \
    qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to \
    tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw ";

/// The top-level domains without a country that are used most, and those of examples.
const GENERIC: &str = " com net org info biz edu gov mil int app dev xyz top site online shop store club icu live \
    life world news email cloud space website tech pro mobi name link click work one fun vip blog design agency \
    digital company zone today host press buzz win bid loan men date review stream download racing party trade \
    science cam rest monster quest team lol zip mov bank cash support help center group gift money claims \
    example test invalid localhost onion рф бел укр 中国 中國 公司 网络 网址 商城 台灣 台湾 香港 한국 みんな コム भारत امارات \
    السعودية مصر ایران ישראל ไทย ελ ";

/// Refuses a name that looks like a link. For `#[validate(custom(function = not_a_link))]`.
///
/// # Errors
/// The message for the user.
pub fn not_a_link(name: &Text) -> Result<(), ValidationError> {
    match looks_like_link(name.as_str()) {
        true => Err(ValidationError::new("link").with_message("Please leave out the link".into())),
        false => Ok(()),
    }
}

/// Whether a mail program, or a reader, might take a part of the text for an address: one with a scheme, an
/// email address, or a domain.
fn looks_like_link(text: &str) -> bool {
    // Full-width letters and dots are those of ASCII in an address, and what is not shown is no part of it:
    // https://www.unicode.org/reports/tr46/#Notation
    let is_shown = |c: &char| !matches!(c, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}');
    let text = text.nfkc().filter(is_shown);
    let text: String = text.map(|c| if c == '。' { '.' } else { c }).collect();
    let lower = text.to_lowercase();
    let has_scheme = |word: &str| {
        let mut after = SCHEMES
            .iter()
            .filter_map(|scheme| word.strip_prefix(scheme));
        after.any(|after| !after.is_empty())
    };
    let mut words = lower.split(|c: char| !c.is_alphanumeric() && !":+/".contains(c));
    if lower.contains("://") || words.any(has_scheme) {
        return true;
    }
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (host, after) = rest.split_at(end);
        if is_domain(
            host.trim_matches(['.', '-']),
            after.starts_with(['/', '?', '#', '\\', ':']),
        ) {
            return true;
        }
        rest = after.strip_prefix(|_: char| true).unwrap_or_default();
    }
    false
}

/// Whether this is the domain of an address. It ends with a top-level domain in the letter case of addresses,
/// so that `St.Gallen`, `Node.js`, `Prof.Li` and `Co.KG` are none; before a path it may have any ending.
fn is_domain(host: &str, has_path: bool) -> bool {
    let labels: Vec<_> = host.split('.').collect();
    let Some((last, before)) = labels.split_last().filter(|(_, before)| !before.is_empty()) else {
        return false;
    };
    if labels.iter().any(|label| label.is_empty()) {
        return false;
    }
    if has_path && labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok()) {
        return true;
    }
    // Text in another script may follow without a space.
    let last = match last.find(|c: char| !c.is_ascii()) {
        Some(end) if end > 1 => &last[..end],
        _ => last,
    };
    let last = last.split('-').next().unwrap_or_default();
    let lower = last.to_lowercase();
    let is_upper = !host.chars().any(char::is_lowercase);
    let has_case = last == lower || is_upper || ["com", "net", "org"].contains(&lower.as_str());
    let is_word = |label: &&str| label.chars().count() > if label.is_ascii() { 2 } else { 1 };
    let listed = [GENERIC, COUNTRIES]
        .iter()
        .any(|list| list.contains(&format!(" {lower} ")));
    listed && has_case && before.iter().any(is_word)
        || labels.iter().any(|label| label.starts_with("xn--"))
        || has_path
            && last == lower
            && last.chars().count() > 1
            && last.chars().all(char::is_alphabetic)
            && before.iter().any(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_domains_look_like_links() {
        for text in [
            "Win 1000 EUR at http://evil.example/x",
            "evil.example/x",
            "HTTPS://EVIL.EXAMPLE",
            "www.evil.example",
            "Evil (www.evil.com)",
            "evil.com",
            "Go to evil.ru now!",
            "mailto:eve@evil.com",
            "eve@evil.com",
            "tel:+491234",
            "evil。com",
            "ｅｖｉｌ．ｃｏｍ",
            "sub.evil.co.uk",
            "evil.com:8080",
            "1.2.3.4/x",
            "bücher.de",
            "evil.com.",
            "\"evil.com\"",
            "javascript:alert(1)",
            "evil.xn--p1ai",
            "hxxp://evil",
            "//evil.com/pay",
            "/evil.com",
            "x/evil.com",
            "\\\\evil.com",
            "24/7.evil.com/x",
            "24/7/evil.com",
            "x:evil.com",
            "=evil.com",
            "~evil.com",
            "@evil.com",
            "#evil.com",
            "a+evil.com",
            "`evil.com`",
            "evil.com&x",
            "evil.com-x",
            "🎁evil.com",
            "evil.com🎁",
            "evil.comへ",
            "evil.com中文",
            "evil.c\u{200d}om",
            "evil\u{ad}.com",
            "例え.jp",
            "evil.рф",
            "президент.рф",
            "evil.中国",
            "evil.team",
            "evil.lol",
            "evil.zip",
            "evil.bank",
            "EVIL.RU",
            "Evil.Com",
        ] {
            assert!(looks_like_link(text), "{text}");
        }
    }

    #[test]
    fn names_of_people_and_companies_do_not() {
        for text in [
            "Acme, Inc.",
            "Müller GmbH & Co.KG",
            "Hotel St.Gallen",
            "Node.js Foundation",
            "J.R.R. Tolkien",
            "J.R.R.Tolkien",
            "Dr.Meier",
            "S.p.A.",
            "e.V.",
            "A/S Norsk",
            "24/7 Service",
            "Zoë Z.",
            "No.10",
            "Nr.5 e.K.",
            "AT&T",
            "O'Neil’s",
            "株式会社。",
            "@acme",
            "Team @ Acme",
            "Vision: 2030",
            "Ph.D. Smith",
            "1.5 Grad",
            "C#/F# Guild",
            "Yahoo!",
            "Dr.No",
            "Prof.Li",
            "Prof.Dr.Li",
            "Mrs.Do",
            "Dipl.-Ing.Ma",
            "Mag.Hu",
            "Sra.Lu",
            "M.Link",
            "J.R.Link",
            "K.Date",
            "H.Press",
            "J.Host",
            "Möbel-Meier-Co.KG",
            "Müller.AG",
            "Equinor.AS",
            "Nestlé.SA",
            "Smith.Co",
            "Toys.R.Us",
            "O.K.Club",
            "Ph.D.Club",
            "A.D.World",
            "Data: Science",
            "Tel. Aviv",
        ] {
            assert!(!looks_like_link(text), "{text}");
        }
    }
}
