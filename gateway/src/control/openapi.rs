//! The `OpenAPI` document of the control API, generated from its endpoints.

use std::sync::OnceLock;

use http::StatusCode;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::api::{Content, Endpoint, JSON, JSON_LINES, name_of};
use super::error::ErrorBody;

/// Where the document is served, without the control token.
pub(super) const PATH: &str = "/openapi.json";

/// The document, indented.
pub(crate) fn document() -> &'static str {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    DOCUMENT.get_or_init(|| format!("{:#}\n", of(&super::endpoints())))
}

fn of(endpoints: &[Endpoint]) -> Value {
    let mut generator = SchemaSettings::openapi3().into_generator();
    let error = generator.subschema_for::<ErrorBody>();
    let mut paths = Map::new();
    for endpoint in endpoints {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.as_str().to_lowercase()] = operation(endpoint, &mut generator);
    }
    let schemas: Map<String, Value> = generator.take_definitions(true).into_iter().collect();
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Conclave control API",
            "version": "1",
            "description": "Realms at run time, their data, clocks and faults, for tests against a Conclave gateway.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "Refused": { "description": "The request was refused, and changed nothing.", "content": { JSON: { "schema": error } } },
            },
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "`control_token`, where it is configured." } },
        },
        "security": [{}, { "token": [] }],
    })
}

fn operation(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let in_path = endpoint
        .path
        .split('/')
        .filter_map(name_of)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let parameters: Vec<Value> = in_path.collect();
    let mut answer =
        json!({ "description": if endpoint.status == StatusCode::NO_CONTENT { "Done." } else { "The result." } });
    if let Some(content) = content(&endpoint.returns, generator) {
        answer["content"] = content;
    }
    let mut operation = json!({
        "operationId": endpoint.operation,
        "summary": endpoint.summary,
        "responses": { endpoint.status.as_str(): answer, "default": { "$ref": "#/components/responses/Refused" } },
    });
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(content) = content(&endpoint.takes, generator) {
        let required = !matches!(endpoint.takes, Content::OptionalJson(_));
        operation["requestBody"] = json!({ "required": required, "content": content });
    }
    operation
}

fn content(content: &Content, generator: &mut SchemaGenerator) -> Option<Value> {
    match content {
        Content::Nothing => None,
        Content::Lines => Some(json!({ JSON_LINES: { "schema": { "type": "string" } } })),
        Content::Json(schema) | Content::OptionalJson(schema) => Some(json!({ JSON: { "schema": schema(generator) } })),
    }
}
