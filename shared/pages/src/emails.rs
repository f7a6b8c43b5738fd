//! The emails of the product, as plain text and as HTML.

use askama::Template;
use std::collections::BTreeMap;

/// An email, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailContent {
    /// The subject, on one line.
    pub subject: String,
    /// The body as plain text.
    pub plain: String,
    /// The body as HTML.
    pub html: String,
}

/// The text that both versions of an email share.
struct EmailText {
    subject: String,
    paragraphs: Vec<String>,
    /// The text of the link.
    button: &'static str,
    /// The paragraphs below the link.
    after: Vec<String>,
}

#[derive(Template)]
#[template(path = "email.txt")]
struct PlainEmail<'a> {
    text: &'a EmailText,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "email.html")]
struct HtmlEmail<'a> {
    text: &'a EmailText,
    link: &'a str,
}

/// Renders the email of a template, such as `invite`, with its values and its link. The values are what
/// users typed: see [`inert`]. `None` if there is no such template.
#[must_use]
pub fn email(
    template: &str,
    values: &BTreeMap<String, String>,
    link: &str,
) -> Option<EmailContent> {
    let value = |name: &str| inert(values.get(name).map_or("", String::as_str));
    let text = match template {
        "invite" => invite(&value("organization"), &value("inviter"), &value("role")),
        "password-reset" => password_reset(&value("name")),
        "confirm-email" => confirm_email(&value("name")),
        "change-email" => change_email(&value("name")),
        "email-changed" => email_changed(&value("name"), &value("email")),
        "account-deleted" => account_deleted(&value("name")),
        _ => return None,
    };
    Some(EmailContent {
        plain: PlainEmail { text: &text, link }.render().ok()?,
        html: HtmlEmail { text: &text, link }.render().ok()?,
        subject: text.subject,
    })
}

/// A text that a user typed, on one line and without anything that a mail program makes a link of: between
/// the characters of an address it has U+2060 (word joiner), which is not shown.
fn inert(text: &str) -> String {
    let is_hidden = |c: &char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut inert = String::new();
    let mut rest = text.chars().filter(|c| !is_hidden(c)).peekable();
    while let Some(c) = rest.next() {
        inert.push(if is_break(c) { ' ' } else { c });
        let is_followed = rest.peek().is_some_and(|next| !next.is_whitespace());
        if is_followed && matches!(c, '.' | ':' | '@' | '。' | '．' | '：' | '＠') {
            inert.push('\u{2060}');
        }
    }
    inert
}

fn invite(organization: &str, inviter: &str, role: &str) -> EmailText {
    EmailText {
        subject: format!("{inviter} invites you to {organization}"),
        paragraphs: vec![format!(
            "{inviter} invites you to join {organization} on Edge CRM as {role}."
        )],
        button: "Accept the invitation",
        after: vec![
            "The link works once, within 7 days of the invitation.".to_owned(),
            "If you do not know what this is about, you can ignore this email.".to_owned(),
        ],
    }
}

fn password_reset(name: &str) -> EmailText {
    EmailText {
        subject: "Choose a new password".to_owned(),
        paragraphs: vec![
            format!("Hello {name},"),
            "somebody, probably you, asked for a new password for your account on Edge CRM."
                .to_owned(),
        ],
        button: "Choose a new password",
        after: vec![
            "The link works for 30 minutes after it was asked for.".to_owned(),
            "If it was not you, you can ignore this email: your password stays as it is."
                .to_owned(),
        ],
    }
}

fn confirm_email(name: &str) -> EmailText {
    EmailText {
        subject: "Confirm your email".to_owned(),
        paragraphs: vec![
            format!("Hello {name},"),
            "an account on Edge CRM was made with this address. Please confirm that it is yours."
                .to_owned(),
        ],
        button: "Confirm my email",
        after: vec![
            "The link works for 7 days.".to_owned(),
            "If you did not make this account, do not open the link. With \"Forgot your password?\" \
             on the sign-in page you can take the account over."
                .to_owned(),
        ],
    }
}

fn change_email(name: &str) -> EmailText {
    EmailText {
        subject: "Confirm your new email".to_owned(),
        paragraphs: vec![
            format!("Hello {name},"),
            "you asked to sign in to Edge CRM with this address from now on.".to_owned(),
        ],
        button: "Confirm my email",
        after: vec![
            "The link works for 7 days, until you change your password.".to_owned(),
            "If you did not ask for this, you can ignore this email.".to_owned(),
        ],
    }
}

fn email_changed(name: &str, email: &str) -> EmailText {
    EmailText {
        subject: "Your email was changed".to_owned(),
        paragraphs: vec![
            format!("Hello {name},"),
            format!("you now sign in to Edge CRM as {email}, and no longer with this address."),
        ],
        button: "Open Edge CRM",
        after: vec![
            "If you did not do this, ask an admin of your organization for help at once."
                .to_owned(),
        ],
    }
}

fn account_deleted(name: &str) -> EmailText {
    EmailText {
        subject: "Your account was deleted".to_owned(),
        paragraphs: vec![
            format!("Hello {name},"),
            "your account on Edge CRM was deleted, as you asked. You no longer belong to any \
             organization."
                .to_owned(),
        ],
        button: "Open Edge CRM",
        after: vec![
            "If you did not do this, ask an admin of your organization for help at once."
                .to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> BTreeMap<String, String> {
        [
            ("organization", "<Acme> & Co"),
            ("inviter", "Ada"),
            ("role", "admin"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn both_versions_contain_the_link_and_html_is_escaped() {
        let link = "https://crm.example/accept-invite?token=abc.def";
        let email = email("invite", &values(), link).unwrap();
        assert_eq!(email.subject, "Ada invites you to <Acme> & Co");
        assert!(email.plain.lines().any(|line| line == link), "{email:?}");
        assert!(email.plain.contains("join <Acme> & Co on"), "{email:?}");
        assert!(
            email.html.contains(&format!("href=\"{link}\"")),
            "{email:?}"
        );
        assert!(!email.html.contains("<Acme>"), "{email:?}");
    }

    #[test]
    fn what_a_user_typed_becomes_no_link_and_no_line() {
        let name =
            "Win 1000 EUR at http://evil.example/x\r\nBcc: eve@evil.example \u{202e}x\u{2028}y";
        for (field, template) in [
            ("organization", "invite"),
            ("inviter", "invite"),
            ("name", "password-reset"),
            ("name", "confirm-email"),
            ("name", "change-email"),
            ("name", "email-changed"),
            ("email", "email-changed"),
            ("name", "account-deleted"),
        ] {
            let values = [(field.to_owned(), name.to_owned())].into();
            let EmailContent {
                subject,
                plain,
                html,
            } = email(template, &values, "https://crm.example/").unwrap();
            for text in [&subject, &plain, &html] {
                assert!(
                    !text.contains("evil.example") && !text.contains("http://"),
                    "{text}"
                );
                assert!(!text.contains(['\r', '\u{202e}', '\u{2028}']), "{text}");
                assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
            }
            assert_eq!(subject.lines().count(), 1, "{subject}");
        }
    }

    #[test]
    fn a_password_reset_has_an_email_and_an_unknown_template_has_none() {
        let name = [("name".to_owned(), "Ada".to_owned())].into();
        let email = email("password-reset", &name, "https://crm.example/x").unwrap();
        assert!(email.plain.contains("Hello Ada") && email.plain.contains("30 minutes"));
        assert_eq!(super::email("other", &name, "x"), None);
    }
}
