//! Answers held to the schemas of `/openapi.json`.

use serde_json::Value;

use super::World;

/// Everything that is wrong with an answer by the schema that the document names for it. Knows what our schemas use.
pub(super) fn faults(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        return faults(document, &document["components"]["schemas"][name], value, at);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = choices.iter().any(|choice| faults(document, choice, value, at).is_empty());
        return if fits { Vec::new() } else { vec![format!("{at}: fits none")] };
    }
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    let fits = types.contains(&name) || (name == "integer" && types.contains(&"number"));
    if !types.is_empty() && !fits {
        found.push(format!("{at}: is {name}, not {types:?}"));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        found.push(format!("{at}: {value} is no word of its list"));
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(faults(document, &schema["items"], item, &format!("{at}/{place}")));
    }
    if let (Some(members), Some(known)) = (value.as_object(), schema["properties"].as_object()) {
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(required) {
                found.push(format!("{at}/{required}: is missing"));
            }
        }
        for (name, member) in members {
            match known.get(name) {
                Some(schema) => found.extend(faults(document, schema, member, &format!("{at}/{name}"))),
                None => found.push(format!("{at}/{name}: stands in no table")),
            }
        }
    }
    found
}

impl World {
    /// Asks, and holds the answer to the schema that the document names for its status.
    pub(super) async fn shaped(&self, template: &str, path: &str, token: &str) -> Value {
        let document = self.get("/openapi.json", "").await.json();
        let answer = self.get(path, token).await.expect(200).json();
        let schema = &document["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{template}");
        assert_eq!(faults(&document, schema, &answer, ""), [""; 0], "{path}: {answer}");
        answer
    }
}
