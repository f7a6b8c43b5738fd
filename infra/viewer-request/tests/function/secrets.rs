//! The secrets that a deployment fills in: which are accepted, and which one is sent.

use crate::support::*;
use viewer_request::{FunctionError, SOURCE, Settings, ViewerRequest};

const PAGE: &str = "/t/acme/contacts";
const SHARED: &str = "acme|owner|html|";

#[test]
fn invalid_settings_are_refused() {
    let with = |cookie: &str, secrets: &str, in_use: &str| {
        let settings = Settings {
            cookie: cookie.to_owned(),
            secrets: secrets.to_owned(),
            in_use: in_use.to_owned(),
        };
        ViewerRequest::new(SOURCE, &settings).map(drop)
    };
    let good = "k".repeat(96);
    for bad in ["'", "\"", "\\", "\n", "\r", " ", "é", "\u{2028}", "${"] {
        for secrets in [format!("{good}{bad}"), format!("{good}.{good}{bad}")] {
            assert_eq!(with("session", &secrets, "A"), Err(FunctionError::Secrets));
        }
    }
    let short = &good[..95];
    for secrets in [
        short,
        "",
        "k",
        &format!("{good}."),
        &format!("{good}.{short}"),
    ] {
        assert_eq!(with("session", secrets, "A"), Err(FunctionError::Secrets));
    }
    let two = format!("{good}.{good}");
    for (secrets, in_use) in [
        (&good, "B"),
        (&two, "C"),
        (&two, ""),
        (&format!("{two}.{good}"), "A"),
    ] {
        assert_eq!(
            with("session", secrets, in_use),
            Err(FunctionError::Secrets)
        );
    }
    for name in ["", "a b", "a'", "a;", "a=", "é"] {
        assert_eq!(with(name, &good, "A"), Err(FunctionError::CookieName));
    }
    for (secrets, in_use) in [(&good, "A"), (&two, "A"), (&two, "B")] {
        assert_eq!(with("session", secrets, in_use), Ok(()));
    }
}

#[test]
fn the_secret_in_use_is_sent_and_both_sign_sessions() {
    for (in_use, sent) in [("A", ORIGIN), ("B", OTHER_ORIGIN)] {
        let settings = Settings {
            in_use: in_use.to_owned(),
            ..settings("session", Some(PREVIOUS))
        };
        let function = ViewerRequest::new(SOURCE, &settings).unwrap();
        for key in [KEY, PREVIOUS] {
            let cookie = format!("session={}", signed(key));
            let event = event(
                "GET",
                PAGE,
                &[("cookie", &cookie), ("x-crm-secret", "forged")],
            );
            assert_eq!(shared_by(&function, &event).as_deref(), Some(SHARED));
            let request = forwarded(&function, &event);
            assert_eq!(header(&request, "x-crm-secret"), [sent]);
        }
    }
}

#[test]
fn what_a_deployment_has_not_filled_in_is_not_a_key() {
    use hmac::{Hmac, KeyInit, Mac};
    let reference = format!(
        "{{{{resolve:secretsmanager:{}:SecretString}}}}",
        "a".repeat(96)
    );
    let given = secret(KEY, ORIGIN);
    for unfilled in ["", "undefined", "null", &reference, &KEY[..40]] {
        let source = SOURCE.replace("${Secrets}", &format!("{unfilled}.{given}"));
        let function = ViewerRequest::new(&source, &settings("session", None)).unwrap();
        let claims = format!("1.{}.acme.{ID}.owner.{}", "s".repeat(43), now() + 60);
        let cut = unfilled.get(..unfilled.len().saturating_sub(64)).unwrap();
        for guess in ["", unfilled, cut] {
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(guess.as_bytes()).unwrap();
            mac.update(format!("session\n{claims}").as_bytes());
            let signature = base64::Engine::encode(
                &base64::prelude::BASE64_URL_SAFE_NO_PAD,
                mac.finalize().into_bytes(),
            );
            let cookie = format!("session={claims}.{signature}");
            let event = event("GET", PAGE, &[("cookie", &cookie)]);
            assert_eq!(shared_by(&function, &event), None, "{guess:?}");
            let request = forwarded(&function, &event);
            assert_eq!(header(&request, "x-crm-secret"), Vec::<&str>::new());
        }
        let cookie = format!("session={}", signed(KEY));
        let event = event("GET", PAGE, &[("cookie", &cookie)]);
        assert_eq!(shared_by(&function, &event).as_deref(), Some(SHARED));
    }
}
