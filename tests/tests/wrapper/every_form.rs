//! The limits in the HTML of every form are those of the action's input.

use edge_crm_tests::prepared::Prepared;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A field that a user fills in.
struct Field<'a> {
    tag: &'a str,
    attributes: &'a str,
}

impl Field<'_> {
    fn attribute(&self, name: &str) -> Option<&str> {
        let start = format!(" {name}=\"");
        let value = self.attributes.split_once(&start)?.1;
        value.split_once('"').map(|(value, _)| value)
    }

    fn is_required(&self) -> bool {
        self.attributes.split(' ').any(|word| word == "required")
    }
}

/// The fields of the form that posts to the action.
fn fields<'a>(page: &'a str, action: &str) -> Vec<Field<'a>> {
    let start = format!("action=\"/actions/{action}\"");
    let Some((_, form)) = page.split_once(&start) else {
        return Vec::new();
    };
    let form = form.split("</form>").next().unwrap_or_default();
    let tags = form.split('<').skip(1).filter_map(|element| {
        let (element, _) = element.split_once('>')?;
        let (tag, attributes) = element.split_at(element.find(' ')?);
        Some(Field { tag, attributes })
    });
    tags.filter(|field| ["input", "textarea", "select"].contains(&field.tag))
        .filter(|field| field.attribute("type") != Some("hidden"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_has_the_limits_of_its_input() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut compared = 0;
    for prepared in Prepared::all().await {
        let action = prepared.name;
        let body = &document["paths"][format!("/actions/{action}")]["post"]["requestBody"];
        let schema = &body["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let copy = prepared.copy().await;
        let mut event = prepared.event();
        // A sample whose fields are all missing but those that name a record.
        let sample: Value = serde_json::from_str(event["body"].as_str().unwrap_or("{}"))
            .unwrap_or_else(|_| json!({}));
        let kept = ["id", "userId", "token"].map(|name| (name, sample[name].clone()));
        let kept = kept
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_str()?)));
        let kept: Vec<_> = kept
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        event["body"] = json!(kept.join("&"));
        event["isBase64Encoded"] = json!(false);
        event["headers"]["content-type"] = json!("application/x-www-form-urlencoded");
        event["headers"]["accept"] = json!("text/html");
        let page = copy.send(&event).await.text;
        for field in fields(&page, action) {
            let name = field.attribute("name").unwrap();
            let property = &schema["properties"][name];
            assert!(property.is_object(), "{action}: the input has no {name}");
            let kind = field.attribute("type").unwrap_or_default();
            let is_cut_off = field.tag == "textarea" || ["password", "tel"].contains(&kind);
            let max = field
                .attribute("maxlength")
                .map(|max| json!(max.parse::<u64>().unwrap()));
            let expected = property.get("maxLength").filter(|_| !is_cut_off).cloned();
            assert_eq!(max, expected, "{action}: maxlength of {name}");
            let names = schema["required"].as_array();
            let is_required = names.is_some_and(|names| names.contains(&json!(name)));
            // Without an account, an invitation is accepted with a name too.
            let is_exempt = action == "accept-invite";
            assert!(
                is_exempt || field.is_required() == is_required,
                "{action}: required {name}"
            );
            compared += 1;
        }
    }
    assert!(compared > 25, "{compared} fields");
}
