//! What the local stack needs to know from `template.yaml`: the functions and their routes.

use crate::Routes;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The functions and routes of a SAM template. A function goes by the name of its binary.
#[derive(Debug)]
pub struct Template {
    /// Every function's binary.
    pub functions: Vec<String>,
    /// The distribution's cache behaviours, each leading to its origin's function.
    pub routes: Routes<String>,
}

/// Why a template is of no use here.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Not YAML, or not of the expected shape: correct the line it names.
    #[error("template.yaml cannot be read: {0}")]
    Unreadable(String),
    /// Something that another part refers to is not there: add it or correct the reference.
    #[error("template.yaml: {0}")]
    Missing(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    r#type: String,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    properties: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Distribution {
    origins: Vec<Origin>,
    #[serde(default)]
    cache_behaviors: Vec<Behavior>,
    default_cache_behavior: DefaultBehavior,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Origin {
    id: String,
    domain_name: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Behavior {
    path_pattern: String,
    target_origin_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DefaultBehavior {
    target_origin_id: String,
}

impl Template {
    /// Reads a template whose intrinsics are in their long form (`Fn::GetAtt: […]`).
    ///
    /// # Errors
    /// [`TemplateError`], when it is unreadable or a route leads to no function.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let document: Document =
            serde_saphyr::from_str(text).map_err(|e| TemplateError::Unreadable(e.to_string()))?;
        let binaries = binaries(&document)?;
        let distribution = distribution(document.resources)?;
        let function = |origin: &String| function_of(origin, &distribution.origins, &binaries);
        let routes = Routes::new(
            distribution
                .cache_behaviors
                .iter()
                .map(|b| (b.path_pattern.clone(), b.target_origin_id.clone())),
            distribution.default_cache_behavior.target_origin_id.clone(),
        )
        .try_map(function)?;
        Ok(Self {
            functions: binaries.into_values().collect(),
            routes,
        })
    }
}

/// Logical id to binary, of every function.
fn binaries(document: &Document) -> Result<BTreeMap<String, String>, TemplateError> {
    let functions = document
        .resources
        .iter()
        .filter(|(_, r)| r.r#type == "AWS::Serverless::Function");
    functions
        .map(|(id, resource)| {
            let binary = resource
                .metadata
                .pointer("/BuildProperties/Binary")
                .and_then(Value::as_str);
            let binary =
                binary.ok_or_else(|| TemplateError::Missing(format!("{id} names no binary")))?;
            Ok((id.clone(), binary.to_owned()))
        })
        .collect()
}

fn distribution(resources: BTreeMap<String, Resource>) -> Result<Distribution, TemplateError> {
    let mut properties = resources
        .into_values()
        .find(|r| r.r#type == "AWS::CloudFront::Distribution")
        .ok_or_else(|| TemplateError::Missing("there is no distribution".to_owned()))?
        .properties;
    let config = properties["DistributionConfig"].take();
    serde_json::from_value(config)
        .map_err(|e| TemplateError::Unreadable(format!("the distribution: {e}")))
}

/// The function whose URL is the domain name of the origin called `id`.
fn function_of(
    id: &str,
    origins: &[Origin],
    binaries: &BTreeMap<String, String>,
) -> Result<String, TemplateError> {
    origins
        .iter()
        .find(|origin| origin.id == id)
        .and_then(|origin| url_resource(&origin.domain_name))
        .and_then(|resource| binaries.get(resource.strip_suffix("Url")?))
        .cloned()
        .ok_or_else(|| TemplateError::Missing(format!("origin {id} is no function's URL")))
}

/// The resource of the first `Fn::GetAtt: [resource, FunctionUrl]` within `value`. SAM calls the
/// URL of `SomeFunction` [`SomeFunctionUrl`](https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html).
fn url_resource(value: &Value) -> Option<&str> {
    match value {
        Value::Object(map) => match map
            .get("Fn::GetAtt")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
        {
            Some([resource, attribute]) if attribute == "FunctionUrl" => resource.as_str(),
            _ => map.values().find_map(url_resource),
        },
        Value::Array(values) => values.iter().find_map(url_resource),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn ours() -> Template {
        Template::parse(crate::TEMPLATE).unwrap()
    }

    #[test]
    fn each_action_has_its_own_function() {
        let template = ours();
        for name in template
            .functions
            .iter()
            .filter(|f| !["pages", "list-contacts", "get-contact"].contains(&f.as_str()))
        {
            assert_eq!(template.routes.target(&format!("/actions/{name}")), name);
        }
        assert_eq!(template.routes.target("/actions/unknown"), "pages");
    }

    #[test]
    fn uncached_pages_come_before_the_cached_views() {
        let template = ours();
        let expected = [
            ("/t/acme/contacts", "list-contacts"),
            (
                "/t/acme/contacts/0198c5d2-7a00-7000-8000-000000000001",
                "get-contact",
            ),
            ("/t/acme/contacts/new", "pages"),
            (
                "/t/acme/contacts/0198c5d2-7a00-7000-8000-000000000001/edit",
                "pages",
            ),
            (
                "/t/acme/contacts/0198c5d2-7a00-7000-8000-000000000001/delete",
                "pages",
            ),
            ("/sign-in", "pages"),
            ("/sign-up", "pages"),
            ("/assets/app-0a1b2c.css", "pages"),
            ("/", "pages"),
            ("/no-such-page", "pages"),
        ];
        for (path, function) in expected {
            assert_eq!(template.routes.target(path), function, "{path}");
        }
    }

    #[test]
    fn every_function_is_reachable() {
        let template = ours();
        let reachable: BTreeSet<_> = template.routes.targets().collect();
        assert_eq!(reachable, template.functions.iter().collect());
    }

    #[test]
    fn a_route_to_nowhere_is_refused() {
        let broken =
            crate::TEMPLATE.replace("TargetOriginId: get-contact", "TargetOriginId: nowhere");
        let error = Template::parse(&broken).unwrap_err();
        assert_eq!(
            error.to_string(),
            "template.yaml: origin nowhere is no function's URL"
        );
    }
}
