//! A serializer for compact JSON that stops at a number of bytes. It writes the same text as `serde_json`, faster for
//! short texts: those without escapes, which most are, are looked at eight bytes at a time and copied at once.

use std::fmt::{self, Display, Write as _};

use serde::Serialize;
use serde::ser::{
    Error as _, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// Why a value was not written: it has no JSON form, with the reason, or (`None`) the text would be longer than the limit.
///
/// It is returned by every step, so it has the size of a pointer.
#[derive(Debug)]
#[allow(clippy::box_collection, reason = "errors are rare, and a text would be three times as large")]
pub(super) struct JsonError(pub(super) Option<Box<String>>);

impl JsonError {
    const TOO_LARGE: Self = Self(None);
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref().map_or("the JSON is longer than the limit", |reason| reason))
    }
}

impl std::error::Error for JsonError {}

impl serde::ser::Error for JsonError {
    fn custom<T: Display>(message: T) -> Self {
        Self(Some(Box::new(message.to_string())))
    }
}

type Done = Result<(), JsonError>;

/// Appends JSON to a buffer, which has `most` bytes at most afterwards.
pub(super) struct JsonWriter<'o> {
    pub(super) out: &'o mut Vec<u8>,
    pub(super) most: usize,
}

impl JsonWriter<'_> {
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) -> Done {
        if self.out.len().saturating_add(bytes.len()) > self.most {
            return Err(JsonError::TOO_LARGE);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn byte(&mut self, byte: u8) -> Done {
        if self.out.len() >= self.most {
            return Err(JsonError::TOO_LARGE);
        }
        self.out.push(byte);
        Ok(())
    }

    /// A text in quotes, and a colon behind them if it is a name.
    fn quoted<const IS_NAME: bool>(&mut self, text: &str) -> Done {
        let length = text.len() + 2 + usize::from(IS_NAME);
        if !is_plain(text.as_bytes()) {
            self.byte(b'"')?;
            self.escaped(text.as_bytes())?;
        } else if self.out.len().saturating_add(length) > self.most {
            return Err(JsonError::TOO_LARGE);
        } else {
            self.out.reserve(length);
            self.out.push(b'"');
            self.out.extend_from_slice(text.as_bytes());
        }
        if IS_NAME { self.bytes(b"\":") } else { self.byte(b'"') }
    }

    /// A text in quotes.
    fn text(&mut self, text: &str) -> Done {
        self.quoted::<false>(text)
    }

    /// The name of a member.
    fn name(&mut self, name: &str) -> Done {
        self.quoted::<true>(name)
    }

    fn within_quotes(&mut self, text: &str) -> Done {
        if is_plain(text.as_bytes()) { self.bytes(text.as_bytes()) } else { self.escaped(text.as_bytes()) }
    }

    /// A text with the escapes that JSON requires, and no others.
    fn escaped(&mut self, mut text: &[u8]) -> Done {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        while let Some(at) = text.iter().position(|byte| needs_escape(*byte)) {
            let (plain, rest) = text.split_at(at);
            self.bytes(plain)?;
            let Some((byte, rest)) = rest.split_first() else { break };
            match byte {
                b'"' => self.bytes(b"\\\"")?,
                b'\\' => self.bytes(b"\\\\")?,
                0x08 => self.bytes(b"\\b")?,
                0x09 => self.bytes(b"\\t")?,
                0x0A => self.bytes(b"\\n")?,
                0x0C => self.bytes(b"\\f")?,
                0x0D => self.bytes(b"\\r")?,
                control => {
                    let digit = |number: u8| DIGITS[usize::from(number & 15)];
                    self.bytes(&[b'\\', b'u', b'0', b'0', digit(control >> 4), digit(*control)])?;
                }
            }
            text = rest;
        }
        self.bytes(text)
    }

    fn unsigned(&mut self, number: u64) -> Done {
        self.bytes(itoa::Buffer::new().format(number).as_bytes())
    }

    fn signed(&mut self, number: i64) -> Done {
        self.bytes(itoa::Buffer::new().format(number).as_bytes())
    }

    /// Something rare, as `serde_json` writes it.
    fn rare(&mut self, value: &impl Serialize) -> Done {
        let text = serde_json::to_vec(value).map_err(JsonError::custom)?;
        self.bytes(&text)
    }

    fn named(&mut self, name: &str, bracket: u8) -> Done {
        self.byte(b'{')?;
        self.name(name)?;
        self.byte(bracket)
    }
}

/// Whether a byte may not be in a JSON text as it is.
#[inline]
fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether a text needs no escapes.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        if has_escape(u64::from_le_bytes(*word)) {
            return false;
        }
        rest = after;
    }
    if rest.is_empty() {
        return true;
    }
    // the last word overlaps the one before it
    if let Some(word) = text.last_chunk::<8>() {
        return !has_escape(u64::from_le_bytes(*word));
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        return !has_escape(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)));
    }
    !text.iter().any(|byte| needs_escape(*byte))
}

/// Whether one of eight bytes needs an escape.
#[inline]
fn has_escape(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    /// Has the high bit of each byte that is smaller than the limit, and perhaps that of bytes after such a one.
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(ONES * limit) & !word
    }
    let (quote, backslash) = (word ^ (ONES * 0x22), word ^ (ONES * 0x5C));
    (below(word, 0x20) | below(quote, 1) | below(backslash, 1)) & HIGH != 0
}

/// The elements of a list, or the members of an object.
pub(super) struct Compound<'w, 'o> {
    writer: &'w mut JsonWriter<'o>,
    first: bool,
    /// What is written behind the last one.
    end: &'static [u8],
}

impl<'w, 'o> Compound<'w, 'o> {
    fn new(writer: &'w mut JsonWriter<'o>, end: &'static [u8]) -> Self {
        Self { writer, first: true, end }
    }

    #[inline]
    fn separate(&mut self) -> Done {
        if std::mem::replace(&mut self.first, false) { Ok(()) } else { self.writer.byte(b',') }
    }

    #[inline]
    fn element(&mut self, value: &(impl Serialize + ?Sized)) -> Done {
        self.separate()?;
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Done {
        self.separate()?;
        self.writer.name(name)?;
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn done(self) -> Done {
        self.writer.bytes(self.end)
    }
}

impl<'w, 'o> Serializer for &'w mut JsonWriter<'o> {
    type Ok = ();
    type Error = JsonError;
    type SerializeSeq = Compound<'w, 'o>;
    type SerializeTuple = Compound<'w, 'o>;
    type SerializeTupleStruct = Compound<'w, 'o>;
    type SerializeTupleVariant = Compound<'w, 'o>;
    type SerializeMap = Compound<'w, 'o>;
    type SerializeStruct = Compound<'w, 'o>;
    type SerializeStructVariant = Compound<'w, 'o>;

    fn serialize_bool(self, value: bool) -> Done {
        self.bytes(if value { b"true" } else { b"false" })
    }

    fn serialize_i8(self, value: i8) -> Done {
        self.signed(value.into())
    }

    fn serialize_i16(self, value: i16) -> Done {
        self.signed(value.into())
    }

    fn serialize_i32(self, value: i32) -> Done {
        self.signed(value.into())
    }

    fn serialize_i64(self, value: i64) -> Done {
        self.signed(value)
    }

    fn serialize_i128(self, value: i128) -> Done {
        self.rare(&value)
    }

    fn serialize_u8(self, value: u8) -> Done {
        self.unsigned(value.into())
    }

    fn serialize_u16(self, value: u16) -> Done {
        self.unsigned(value.into())
    }

    fn serialize_u32(self, value: u32) -> Done {
        self.unsigned(value.into())
    }

    fn serialize_u64(self, value: u64) -> Done {
        self.unsigned(value)
    }

    fn serialize_u128(self, value: u128) -> Done {
        self.rare(&value)
    }

    fn serialize_f32(self, value: f32) -> Done {
        self.rare(&value)
    }

    fn serialize_f64(self, value: f64) -> Done {
        self.rare(&value)
    }

    fn serialize_char(self, value: char) -> Done {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Done {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Done {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.bytes(b"null")
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Done {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Done {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        let mut object = self.serialize_map(None)?;
        object.member(variant, value)?;
        object.done()
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Compound<'w, 'o>, JsonError> {
        self.byte(b'[')?;
        Ok(Compound::new(self, b"]"))
    }

    fn serialize_tuple(self, length: usize) -> Result<Compound<'w, 'o>, JsonError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _name: &'static str, length: usize) -> Result<Compound<'w, 'o>, JsonError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Compound<'w, 'o>, JsonError> {
        self.named(variant, b'[')?;
        Ok(Compound::new(self, b"]}"))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Compound<'w, 'o>, JsonError> {
        self.byte(b'{')?;
        Ok(Compound::new(self, b"}"))
    }

    fn serialize_struct(self, _name: &'static str, length: usize) -> Result<Compound<'w, 'o>, JsonError> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Compound<'w, 'o>, JsonError> {
        self.named(variant, b'{')?;
        Ok(Compound::new(self, b"}}"))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Done {
        self.byte(b'"')?;
        let mut pieces = Pieces { writer: &mut *self, error: None };
        if write!(pieces, "{value}").is_err() {
            return Err(pieces.error.unwrap_or_else(|| JsonError::custom("a value cannot be displayed")));
        }
        self.byte(b'"')
    }
}

/// Writes formatted text within quotes.
struct Pieces<'w, 'o> {
    writer: &'w mut JsonWriter<'o>,
    error: Option<JsonError>,
}

impl fmt::Write for Pieces<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.writer.within_quotes(text).map_err(|error| {
            self.error = Some(error);
            fmt::Error
        })
    }
}

macro_rules! lists {
    ($($kind:ident $method:ident;)*) => {
        $(impl $kind for Compound<'_, '_> {
            type Ok = ();
            type Error = JsonError;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                self.element(value)
            }

            #[inline]
            fn end(self) -> Done {
                self.done()
            }
        })*
    };
}

lists! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! objects {
    ($($kind:ident)*) => {
        $(impl $kind for Compound<'_, '_> {
            type Ok = ();
            type Error = JsonError;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
                self.member(name, value)
            }

            #[inline]
            fn end(self) -> Done {
                self.done()
            }
        })*
    };
}

objects! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = JsonError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        self.separate()?;
        key.serialize(Name { writer: &mut *self.writer })
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.writer.byte(b':')?;
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn end(self) -> Done {
        self.done()
    }
}

/// Writes the name of an object's member: a text, or something that is written as one.
struct Name<'w, 'o> {
    writer: &'w mut JsonWriter<'o>,
}

impl Name<'_, '_> {
    fn quoted(self, value: &impl Serialize) -> Done {
        self.writer.byte(b'"')?;
        value.serialize(&mut *self.writer)?;
        self.writer.byte(b'"')
    }
}

fn no_name() -> JsonError {
    JsonError::custom("key must be a string")
}

macro_rules! quoted_names {
    ($($method:ident($kind:ty))*) => {
        $(fn $method(self, value: $kind) -> Done {
            self.quoted(&value)
        })*
    };
}

impl Serializer for Name<'_, '_> {
    type Ok = ();
    type Error = JsonError;
    type SerializeSeq = Impossible<(), JsonError>;
    type SerializeTuple = Impossible<(), JsonError>;
    type SerializeTupleStruct = Impossible<(), JsonError>;
    type SerializeTupleVariant = Impossible<(), JsonError>;
    type SerializeMap = Impossible<(), JsonError>;
    type SerializeStruct = Impossible<(), JsonError>;
    type SerializeStructVariant = Impossible<(), JsonError>;

    quoted_names! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_i128(i128) serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_u128(u128)
    }

    fn serialize_f32(self, value: f32) -> Done {
        if value.is_finite() { self.quoted(&value) } else { Err(JsonError::custom("float key must be finite")) }
    }

    fn serialize_f64(self, value: f64) -> Done {
        if value.is_finite() { self.quoted(&value) } else { Err(JsonError::custom("float key must be finite")) }
    }

    fn serialize_char(self, value: char) -> Done {
        self.writer.serialize_char(value)
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Done {
        self.writer.text(value)
    }

    fn serialize_bytes(self, _value: &[u8]) -> Done {
        Err(no_name())
    }

    fn serialize_none(self) -> Done {
        Err(no_name())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        Err(no_name())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Done {
        Err(no_name())
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Done {
        self.writer.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Done {
        Err(no_name())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Self::SerializeSeq, JsonError> {
        Err(no_name())
    }

    fn serialize_tuple(self, _length: usize) -> Result<Self::SerializeTuple, JsonError> {
        Err(no_name())
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleStruct, JsonError> {
        Err(no_name())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleVariant, JsonError> {
        Err(no_name())
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Self::SerializeMap, JsonError> {
        Err(no_name())
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Self::SerializeStruct, JsonError> {
        Err(no_name())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStructVariant, JsonError> {
        Err(no_name())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Done {
        self.writer.collect_str(value)
    }
}
