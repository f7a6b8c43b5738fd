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

/// Renders the email of a template (`invite` or `password-reset`) with its values and its link.
/// `None` if there is no such template.
#[must_use]
pub fn email(
    template: &str,
    values: &BTreeMap<String, String>,
    link: &str,
) -> Option<EmailContent> {
    let value = |name: &str| values.get(name).map_or("", String::as_str);
    let text = match template {
        "invite" => invite(value("organization"), value("inviter"), value("role")),
        "password-reset" => password_reset(value("name")),
        _ => return None,
    };
    Some(EmailContent {
        plain: PlainEmail { text: &text, link }.render().ok()?,
        html: HtmlEmail { text: &text, link }.render().ok()?,
        subject: text.subject,
    })
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
    fn a_password_reset_has_an_email_and_an_unknown_template_has_none() {
        let name = [("name".to_owned(), "Ada".to_owned())].into();
        let email = email("password-reset", &name, "https://crm.example/x").unwrap();
        assert!(email.plain.contains("Hello Ada") && email.plain.contains("30 minutes"));
        assert_eq!(super::email("other", &name, "x"), None);
    }
}
