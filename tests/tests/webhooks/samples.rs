//! Compares notifications with the vendors' documented callbacks.

use conclave_tests::ledger::callbacks::Sample;
use serde_json::{Map, Value, json};

/// Whether this is as documented.
pub fn is_as(sent: &Value, sample: &Sample) -> bool {
    let mut sent = sent.clone();
    for key in &sample.adds {
        sent.as_object_mut().unwrap().remove(key);
    }
    let same = |path: &String| at(&sent, path) == at(&sample.body, path);
    sample.same.iter().all(same) && shape(&sent) == shape(&sample.body)
}

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, part| match part.parse::<usize>() {
        Ok(index) => value.get(index),
        Err(_) => value.get(part),
    })
}

/// The members and the types of a value; of a list, those of its first item.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("text"),
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), shape(value))).collect::<Map<_, _>>().into()
        }
    }
}
