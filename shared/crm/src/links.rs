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
    science cam rest monster quest example test invalid localhost onion ";

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

/// Whether a mail program might turn a part of the text into a link: an address with a scheme, an email
/// address, or a domain.
fn looks_like_link(text: &str) -> bool {
    // Full-width letters and dots are those of ASCII in an address:
    // https://www.unicode.org/reports/tr46/#Notation
    let text: String = text
        .nfkc()
        .map(|c| if c == '。' { '.' } else { c })
        .collect();
    let parts = text.split(|c: char| c.is_whitespace() || "()<>[]{}\"'“”‘’«»,;|".contains(c));
    text.contains("://")
        || parts
            .map(|part| part.trim_matches(['.', ':', '!', '?', '-', '*', '_']))
            .any(is_link)
}

fn is_link(part: &str) -> bool {
    let lower = part.to_lowercase();
    if lower.starts_with("www.") || SCHEMES.iter().any(|scheme| lower.starts_with(scheme)) {
        return true;
    }
    if let Some((local, domain)) = part.split_once('@') {
        return !local.is_empty()
            && domain.split('.').filter(|label| !label.is_empty()).count() > 1;
    }
    let end = part.find(['/', '?', '#', ':', '\\']).unwrap_or(part.len());
    let (host, rest) = part.split_at(end);
    is_domain(host, !rest.is_empty())
}

/// Whether this is the domain of an address. Before a path it may have any ending; otherwise it ends with a
/// top-level domain, so that `St.Gallen`, `Node.js` and `Co.KG` are none.
fn is_domain(host: &str, has_path: bool) -> bool {
    let labels: Vec<_> = host.split('.').collect();
    let is_label =
        |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    let Some((last, before)) = labels.split_last().filter(|(_, before)| !before.is_empty()) else {
        return false;
    };
    if !labels.iter().all(is_label) {
        return false;
    }
    let is_word = |label: &&str| label.chars().count() > 2;
    if has_path && labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok()) {
        return true;
    }
    let listed = |list: &str| list.contains(&format!(" {} ", last.to_lowercase()));
    let is_lower = last.chars().count() > 1 && last.chars().all(char::is_lowercase);
    listed(GENERIC)
        || listed(COUNTRIES) && before.iter().any(is_word)
        || has_path && is_lower
        || last.starts_with("xn--")
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
        ] {
            assert!(!looks_like_link(text), "{text}");
        }
    }
}
