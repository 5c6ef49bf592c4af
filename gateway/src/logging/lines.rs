//! Events as lines of text or JSON. Requests write one each, so the usual values are written without the formatting
//! machinery.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::answer::text;
use crate::backend::CURRENT;
use crate::config::file::LogFormat;

use super::queue::Queue;

/// Writes one line for each event, with the id of the request or call that the current task handles.
pub(super) struct Lines {
    format: LogFormat,
    queue: Arc<Queue>,
}

impl Lines {
    pub(super) fn new(format: LogFormat, queue: Arc<Queue>) -> Self {
        Self { format, queue }
    }
}

thread_local! {
    static LINE: RefCell<Line> = RefCell::default();
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let write = |line: &mut Line| {
            line.text.clear();
            match self.format {
                LogFormat::Text => line.write_text(event),
                LogFormat::Json => line.write_json(event),
            }
            self.queue.add(line.text.as_bytes());
        };
        let is_nested = LINE.with(|line| line.try_borrow_mut().map(|mut line| write(&mut line)).is_err());
        if is_nested {
            // a value that is being written logs something itself
            write(&mut Line::default());
        }
    }
}

/// A line that is being written.
#[derive(Default)]
struct Line {
    text: String,
    /// The last second that was written, and its text.
    second: (u64, String),
}

impl Line {
    /// `2026-11-30T12:00:00.000000Z  INFO request{id="…"}: target: message key=value`
    fn write_text(&mut self, event: &Event<'_>) {
        let meta = event.metadata();
        self.timestamp();
        self.text.push_str(match *meta.level() {
            Level::ERROR => " ERROR ",
            Level::WARN => "  WARN ",
            Level::INFO => "  INFO ",
            Level::DEBUG => " DEBUG ",
            Level::TRACE => " TRACE ",
        });
        let _outside_of_requests = CURRENT.try_with(|current| {
            for part in [current.kind, "{id=\"", text(&current.id), "\"}: "] {
                self.text.push_str(part);
            }
        });
        self.text.push_str(meta.target());
        self.text.push(':');
        event.record(&mut TextFields(&mut self.text));
        self.text.push('\n');
    }

    /// `{"timestamp":"…","level":"INFO","message":"…","key":"value","target":"…","span":{"id":"…","name":"request"}}`
    fn write_json(&mut self, event: &Event<'_>) {
        let meta = event.metadata();
        self.text.push_str("{\"timestamp\":\"");
        self.timestamp();
        self.text.push_str("\",\"level\":\"");
        self.text.push_str(meta.level().as_str());
        self.text.push('"');
        event.record(&mut JsonFields(&mut self.text));
        self.text.push_str(",\"target\":");
        json_string(&mut self.text, meta.target());
        let _outside_of_requests = CURRENT.try_with(|current| {
            for part in [",\"span\":{\"id\":\"", text(&current.id), "\",\"name\":\"", current.kind, "\"}"] {
                self.text.push_str(part);
            }
        });
        self.text.push_str("}\n");
    }

    /// The current time in UTC, with microseconds.
    fn timestamp(&mut self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (second, text) = &mut self.second;
        if *second != now.as_secs() || text.is_empty() {
            *second = now.as_secs();
            let whole = i64::try_from(*second).ok().and_then(|second| jiff::Timestamp::from_second(second).ok());
            *text = whole.unwrap_or_default().to_string();
            // the fraction comes before the Z
            text.pop();
        }
        self.text.push_str(text);
        self.text.push('.');
        padded(&mut self.text, now.subsec_micros(), 6);
        self.text.push('Z');
    }
}

/// A number with leading zeros.
fn padded(out: &mut String, number: u32, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

/// A whole number in decimal digits.
fn whole(out: &mut String, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut begin = digits.len();
    loop {
        begin -= 1;
        digits[begin] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(digits[begin..].iter().map(|digit| char::from(*digit)));
}

/// A number as Rust and JSON write it: `0.25`, `1.0`.
fn float(out: &mut String, value: f64) {
    /// Thousandths up to this number are exact.
    const MOST: f64 = 1e12;
    let thousandths = (value * 1000.0).round();
    // times are in thousandths; other numbers are rare
    if !(0.0..MOST).contains(&thousandths) || (thousandths / 1000.0 - value).abs() > 0.0 {
        let _infallible = write!(out, "{value:?}");
        return;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number within the bounds")]
    let thousandths = thousandths as u64;
    whole(out, thousandths / 1000);
    out.push('.');
    let fraction = u32::try_from(thousandths % 1000).unwrap_or_default();
    match (fraction % 100, fraction % 10) {
        (0, _) => padded(out, fraction / 100, 1),
        (_, 0) => padded(out, fraction / 10, 2),
        _ => padded(out, fraction, 3),
    }
}

/// Whether a text needs no escapes, in Rust or in JSON.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\')
}

fn json_string(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        // a text can always be written
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

/// Fields as ` key=value`; texts are quoted, and the message is only its text.
struct TextFields<'l>(&'l mut String);

impl TextFields<'_> {
    fn name(&mut self, field: &Field) {
        self.0.push(' ');
        self.0.push_str(field.name().strip_prefix("r#").unwrap_or(field.name()));
        self.0.push('=');
    }
}

impl Visit for TextFields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.name(field);
        float(self.0, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field);
        whole(self.0, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field);
        self.0.push_str(if value { "true" } else { "false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.record_debug(field, &format_args!("{value}"));
            return;
        }
        self.name(field);
        if is_plain(value) {
            self.0.push('"');
            self.0.push_str(value);
            self.0.push('"');
        } else {
            let _infallible = write!(self.0, "{value:?}");
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // one event is one line, whatever its message contains
            let begin = self.0.len() + 1;
            let _infallible = write!(self.0, " {value:?}");
            if self.0[begin..].contains(char::is_control) {
                let escaped: String = self.0[begin..].chars().flat_map(escaped).collect();
                self.0.truncate(begin);
                self.0.push_str(&escaped);
            }
            return;
        }
        self.name(field);
        let _infallible = write!(self.0, "{value:?}");
    }
}

/// A character without control over a terminal.
fn escaped(character: char) -> impl Iterator<Item = char> {
    let (plain, control) = if character.is_control() { (None, Some(character)) } else { (Some(character), None) };
    plain.into_iter().chain(control.into_iter().flat_map(char::escape_default))
}

/// Fields as members of an object.
struct JsonFields<'l>(&'l mut String);

impl JsonFields<'_> {
    fn name(&mut self, field: &Field) {
        self.0.push(',');
        json_string(self.0, field.name().strip_prefix("r#").unwrap_or(field.name()));
        self.0.push(':');
    }
}

impl Visit for JsonFields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.name(field);
        if value.is_finite() {
            float(self.0, value);
        } else {
            self.0.push_str("null");
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.name(field);
        let _infallible = write!(self.0, "{value}");
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field);
        whole(self.0, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field);
        self.0.push_str(if value { "true" } else { "false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        json_string(self.0, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field);
        json_string(self.0, &format!("{value:?}"));
    }
}
