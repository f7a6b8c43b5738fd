use super::*;
use serde_json::{Value, json};

const MAX: u64 = 5;

#[derive(Clone, Debug, Default, serde::Deserialize, Serialize, PartialEq, Validate, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct Sample {
    #[validate(length(min = 1, max = MAX), custom(function = visible))]
    name: Text,
    #[serde(deserialize_with = "optional")]
    #[validate(length(max = MAX), custom(function = visible))]
    company: Option<Text>,
    #[serde(deserialize_with = "optional")]
    #[validate(
        length(max = MAX),
        custom(function = visible_lines, message = "Notes contain invisible characters")
    )]
    notes: Option<Lines>,
    #[validate(length(min = 1))]
    old_password: Secret,
    #[serde(flatten)]
    #[validate(nested)]
    inner: Inner,
}

#[derive(Clone, Debug, Default, serde::Deserialize, Serialize, PartialEq, Validate, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
struct Inner {
    #[validate(nested)]
    version: Parsed<crate::Version>,
    #[serde(deserialize_with = "optional")]
    #[validate(nested)]
    user_id: Option<Parsed<crate::UserId>>,
}

const VALID: &[(&str, &str)] = &[("name", "Ada"), ("version", "1"), ("oldPassword", "x")];

fn parse(fields: &[(&str, &str)]) -> Result<Sample, FieldErrors> {
    let all = VALID.iter().chain(fields);
    let fields = all.map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    read(&fields.collect()).map_err(|error| match error {
        InputError::Invalid(errors) => errors,
        InputError::Unreadable(error) => panic!("{error}"),
    })
}

fn messages(fields: &[(&str, &str)]) -> Value {
    json!(parse(fields).unwrap_err())
}

#[test]
fn every_field_that_is_wrong_has_a_message() {
    let wrong = [
        ("name", ""),
        ("company", "too long"),
        ("notes", "a\u{202e}b"),
        ("oldPassword", ""),
        ("version", "0"),
        ("userId", "x"),
    ];
    assert_eq!(
        messages(&wrong),
        json!({
            "name": "Name is required",
            "company": "Company too long",
            "notes": "Notes contain invisible characters",
            "oldPassword": "Password is required",
            "version": "Invalid version",
            "userId": "Invalid id",
        })
    );
}

#[test]
fn a_rule_over_several_fields_has_its_message_beside_one_of_them() {
    fn one_of_two(pair: &Pair) -> Result<(), validator::ValidationError> {
        match (&pair.first_name, &pair.nickname) {
            (None, None) => Err(validator::ValidationError::new("first_name")),
            (Some(first), _) if first.as_str() == "too long" => {
                Err(validator::ValidationError::new("first_name"))
            }
            _ => Ok(()),
        }
    }
    #[derive(Validate)]
    #[validate(schema(function = one_of_two, skip_on_field_errors = false))]
    struct Pair {
        #[validate(length(max = MAX))]
        first_name: Option<Text>,
        #[validate(length(max = MAX))]
        nickname: Option<Text>,
    }
    let messages = |first: Option<&str>, nick: Option<&str>| {
        let pair = Pair {
            first_name: first.map(Text::from),
            nickname: nick.map(Text::from),
        };
        pair.validate()
            .map_err(|errors| json!(field_errors(&errors)))
    };
    assert_eq!(
        messages(None, None),
        Err(json!({ "firstName": "Invalid name" }))
    );
    assert_eq!(messages(None, Some("Ada")), Ok(()));
    // An error of the field itself says more.
    let both = json!({ "firstName": "Name too long", "nickname": "Nickname too long" });
    assert_eq!(messages(Some("too long"), Some("too long")), Err(both));
}

#[test]
fn a_missing_field_is_an_empty_one() {
    let errors = match read::<Sample>(&BTreeMap::new()) {
        Err(InputError::Invalid(errors)) => errors,
        other => panic!("{other:?}"),
    };
    let names: Vec<_> = errors.keys().collect();
    assert_eq!(names, ["name", "oldPassword", "version"]);
}

#[test]
fn text_is_trimmed_and_a_blank_optional_one_is_absent() {
    let sent = [
        ("name", "\u{feff} Zoë\u{200b} "),
        ("company", " \u{200d} "),
        ("notes", "a\r\nb\rc"),
        ("oldPassword", " as sent "),
        ("version", " 7 "),
        ("userId", "\u{200b}"),
    ];
    let input = parse(&sent).unwrap();
    assert_eq!(input.name.as_str(), "Zoë");
    assert_eq!(input.company, None);
    assert_eq!(input.notes, Some(Lines::from("a\nb\nc")));
    assert_eq!(input.old_password.reveal(), " as sent ");
    assert_eq!(input.inner.version.get().unwrap().get(), 7);
    assert_eq!(input.inner.user_id, None);
}

#[test]
fn names_in_any_script_pass_and_hidden_reordering_does_not() {
    let texts = ["محمد", "שרה", "می‌خو", "👩‍💻", "Zoë", "李小龍", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"];
    for text in texts {
        assert_eq!(visible(&Text::from(text)), Ok(()), "{text:?}");
    }
    let texts = [
        "A\u{202e}d",
        "A\u{200b}d",
        "A\u{0}d",
        "A\nd",
        "A\u{2066}d",
        "A\u{1f3f4}\u{e0041}",
    ];
    for text in texts {
        assert_eq!(
            messages(&[("name", text)]),
            json!({ "name": "Name contains invisible characters" }),
            "{text:?}"
        );
    }
}

#[test]
fn a_length_counts_characters_and_a_line_break_once() {
    assert!(parse(&[("name", "ééééé"), ("notes", "a\r\nb\r\nc")]).is_ok());
    let errors = messages(&[("name", "éééééé"), ("notes", "a\r\nb\r\nc\r\n\u{200b}d")]);
    assert_eq!(
        errors,
        json!({ "name": "Name too long", "notes": "Notes too long" })
    );
}

#[test]
fn no_secret_is_serialised_printed_or_in_an_error() {
    let input = parse(&[("oldPassword", "hunter2")]).unwrap();
    assert_eq!(json!(input)["oldPassword"], "[redacted]");
    assert!(!format!("{input:?}").contains("hunter2"));
    #[derive(Validate)]
    struct Short {
        #[validate(length(max = MAX))]
        password: Secret,
    }
    let errors = Short {
        password: "hunter2".into(),
    }
    .validate()
    .unwrap_err();
    assert!(!format!("{errors:?} {errors}").contains("hunter2"));
    assert_eq!(
        json!(field_errors(&errors)),
        json!({ "password": "Password too long" })
    );
}

#[test]
fn the_schema_has_the_limits_beside_the_types() {
    let schema = json!(schemars::schema_for!(Sample));
    let properties = &schema["properties"];
    assert_eq!(properties["name"]["minLength"], 1);
    assert_eq!(properties["name"]["maxLength"], MAX);
    assert_eq!(properties["company"]["type"], json!(["string", "null"]));
    assert_eq!(properties["company"]["maxLength"], MAX);
    assert_eq!(properties["version"]["minimum"], 1);
    assert_eq!(properties["oldPassword"]["writeOnly"], true);
    assert_eq!(schema.get("$defs"), None, "{schema:#}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,300}|.{0,300}") {
        let fields: Vec<_> = ["name", "company", "notes", "version", "userId", "oldPassword"]
            .iter()
            .map(|name| (*name, text.as_str()))
            .collect();
        let _ = parse(&fields);
        let trimmed = Text::from(text.as_str());
        proptest::prop_assert_eq!(Text::from(trimmed.as_str()), trimmed);
    }
}
