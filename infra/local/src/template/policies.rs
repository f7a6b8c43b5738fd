//! Reads the CloudFront policies of a template.

use super::{Resources, TemplateError};
use crate::edge::{CachePolicy, Selection, Selections, Ttl, managed_origin_request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// Which names a policy selects. Each kind of value has its own names for these two fields.
#[derive(Deserialize)]
struct Choice {
    #[serde(
        alias = "HeaderBehavior",
        alias = "CookieBehavior",
        alias = "QueryStringBehavior"
    )]
    behavior: String,
    #[serde(default, alias = "Headers", alias = "Cookies", alias = "QueryStrings")]
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Choices {
    headers_config: Choice,
    cookies_config: Choice,
    query_strings_config: Choice,
    #[serde(default)]
    enable_accept_encoding_gzip: bool,
    #[serde(default)]
    enable_accept_encoding_brotli: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CachePolicyConfig {
    #[serde(rename = "MinTTL")]
    min_ttl: u32,
    #[serde(rename = "DefaultTTL")]
    default_ttl: u32,
    #[serde(rename = "MaxTTL")]
    max_ttl: u32,
    parameters_in_cache_key_and_forwarded_to_origin: Choices,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResponseHeadersPolicyConfig {
    remove_headers_config: Option<RemoveHeadersConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemoveHeadersConfig {
    items: Vec<RemovedHeader>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemovedHeader {
    header: String,
}

/// The cache policy with this id: a managed policy, or a resource of the template.
///
/// # Errors
/// [`TemplateError`] if the policy is unknown or unreadable.
pub(super) fn cache(id: &Value, resources: &Resources) -> Result<CachePolicy, TemplateError> {
    if let Some(id) = id.as_str() {
        return CachePolicy::managed(id).ok_or_else(|| unknown("cache policy", id));
    }
    let config: CachePolicyConfig = config(
        id,
        resources,
        "AWS::CloudFront::CachePolicy",
        "CachePolicyConfig",
    )?;
    let parameters = config.parameters_in_cache_key_and_forwarded_to_origin;
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Ok(CachePolicy {
        gzip: parameters.enable_accept_encoding_gzip,
        brotli: parameters.enable_accept_encoding_brotli,
        key: selections(parameters)?,
        ttl: Ttl {
            min: seconds(config.min_ttl),
            default: seconds(config.default_ttl),
            max: seconds(config.max_ttl),
        },
    })
}

/// What the origin request policy with this id forwards; nothing if there is no policy.
///
/// # Errors
/// [`TemplateError`] if the policy is unknown or unreadable.
pub(super) fn origin_request(
    id: &Value,
    resources: &Resources,
) -> Result<Selections, TemplateError> {
    match id {
        Value::Null => Ok(Selections::default()),
        Value::String(id) => {
            managed_origin_request(id).ok_or_else(|| unknown("origin request policy", id))
        }
        reference => selections(config(
            reference,
            resources,
            "AWS::CloudFront::OriginRequestPolicy",
            "OriginRequestPolicyConfig",
        )?),
    }
}

/// The headers, in lower case, that the response headers policy with this id removes; none if there
/// is no policy.
///
/// # Errors
/// [`TemplateError`] if the policy is unknown or unreadable.
pub(super) fn removed_headers(
    id: &Value,
    resources: &Resources,
) -> Result<Vec<String>, TemplateError> {
    match id {
        Value::Null => return Ok(Vec::new()),
        Value::String(id) => return Err(unknown("response headers policy", id)),
        _ => {}
    }
    let config: ResponseHeadersPolicyConfig = config(
        id,
        resources,
        "AWS::CloudFront::ResponseHeadersPolicy",
        "ResponseHeadersPolicyConfig",
    )?;
    let items = config.remove_headers_config.map(|removed| removed.items);
    Ok(items
        .into_iter()
        .flatten()
        .map(|item| item.header.to_ascii_lowercase())
        .collect())
}

fn unknown(kind: &str, id: &str) -> TemplateError {
    TemplateError::Missing(format!("the managed {kind} {id} is not known here"))
}

/// The property `name` of the resource that `reference` refers to.
fn config<T: DeserializeOwned>(
    reference: &Value,
    resources: &Resources,
    r#type: &str,
    name: &str,
) -> Result<T, TemplateError> {
    let id = reference.get("Ref").and_then(Value::as_str);
    let id = id.unwrap_or_default();
    let resource = resources.get(id).filter(|r| r.r#type == r#type);
    let resource =
        resource.ok_or_else(|| TemplateError::Missing(format!("{id:?} is not an {}", r#type)))?;
    T::deserialize(&resource.properties[name])
        .map_err(|e| TemplateError::Unreadable(format!("{id}: {e}")))
}

fn selections(choices: Choices) -> Result<Selections, TemplateError> {
    Ok(Selections {
        headers: selection(choices.headers_config)?.map(|name| name.to_ascii_lowercase()),
        cookies: selection(choices.cookies_config)?,
        queries: selection(choices.query_strings_config)?,
    })
}

fn selection(choice: Choice) -> Result<Selection, TemplateError> {
    match choice.behavior.as_str() {
        "none" => Ok(Selection::None),
        "whitelist" => Ok(Selection::Only(choice.names)),
        "all" | "allViewer" => Ok(Selection::All),
        "allExcept" => Ok(Selection::AllExcept(choice.names)),
        other => Err(TemplateError::Missing(format!(
            "the behaviour {other} of a policy is not known here"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_unknown_managed_policy_is_an_error() {
        let resources = Resources::new();
        let id = json!("00000000-0000-0000-0000-000000000000");
        assert!(cache(&id, &resources).is_err());
        assert!(origin_request(&id, &resources).is_err());
        assert!(removed_headers(&id, &resources).is_err());
        assert!(cache(&Value::Null, &resources).is_err());
        assert!(cache(&json!({"Ref": "Nothing"}), &resources).is_err());
    }

    #[test]
    fn without_policies_nothing_is_forwarded_or_removed() {
        let resources = Resources::new();
        let forwarded = origin_request(&Value::Null, &resources).unwrap();
        assert_eq!(forwarded, Selections::default());
        assert!(
            removed_headers(&Value::Null, &resources)
                .unwrap()
                .is_empty()
        );
    }
}
