//! Writes typed values so that equal bytes mean equal values.
//!
//! Every value begins with a byte that says what it is and ends where its own length says, so no
//! value is the beginning of another and no delimiter can be forged. Sequences, structs and maps end
//! with [`END`], which begins no value: serializers learn their length only when they are through.
//! Entries of maps are sorted; integers of every width are one class of 16 bytes, never floats.

use std::fmt;

use serde::ser::{self, Serialize};

use super::container::Container;

/// How deep values may nest before a key is refused, as in serde_json.
const DEEPEST: u16 = 128;

pub(super) const END: u8 = 0;
const UNIT: u8 = 1;
const NONE: u8 = 2;
const SOME: u8 = 3;
const FALSE: u8 = 4;
const TRUE: u8 = 5;
const INTEGER: u8 = 6;
const LARGE_INTEGER: u8 = 7;
const FLOAT: u8 = 8;
const CHAR: u8 = 9;
const TEXT: u8 = 10;
const BYTES: u8 = 11;
const SEQUENCE: u8 = 12;
const TUPLE: u8 = 13;
const STRUCT: u8 = 14;
const MAP: u8 = 15;
const VARIANT: u8 = 16;

/// Appends text with its length.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    tagged(out, TEXT, text.as_bytes());
}

fn tagged(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
}

/// Serializes one value to the end of a buffer.
pub(super) struct Encoder<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) depth: u16,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, depth: 0 }
    }

    fn integer(&mut self, value: i128) -> Result<(), Refused> {
        self.out.push(INTEGER);
        self.out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn nested<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.enter()?;
        value.serialize(&mut *self)?;
        self.depth -= 1;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Refused> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(Refused(Reason::Depth)) } else { Ok(()) }
    }

    fn open<'e>(&'e mut self, tag: u8, variant: Option<&str>) -> Result<Container<'e, 'a>, Refused> {
        self.enter()?;
        if let Some(name) = variant {
            tagged(self.out, VARIANT, name.as_bytes());
        }
        self.out.push(tag);
        Ok(Container::new(self))
    }
}

/// Implements the methods for integers whose every value fits into the one class.
macro_rules! integers {
    ($($method:ident($integer:ty)),+) => {$(
        fn $method(self, value: $integer) -> Result<(), Refused> {
            self.integer(value.into())
        }
    )+};
}

impl<'e, 'a> ser::Serializer for &'e mut Encoder<'a> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Container<'e, 'a>;
    type SerializeTuple = Container<'e, 'a>;
    type SerializeTupleStruct = Container<'e, 'a>;
    type SerializeTupleVariant = Container<'e, 'a>;
    type SerializeMap = Container<'e, 'a>;
    type SerializeStruct = Container<'e, 'a>;
    type SerializeStructVariant = Container<'e, 'a>;

    fn serialize_bool(self, value: bool) -> Result<(), Refused> {
        self.out.push(if value { TRUE } else { FALSE });
        Ok(())
    }

    integers!(
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_i128(i128),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64)
    );

    fn serialize_u128(self, value: u128) -> Result<(), Refused> {
        if let Ok(value) = i128::try_from(value) {
            return self.integer(value);
        }
        self.out.push(LARGE_INTEGER);
        self.out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Refused> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Refused> {
        if value.is_nan() {
            return Err(Refused(Reason::NotANumber));
        }
        let value = if value == 0.0 { 0.0 } else { value }; // -0.0 is equal to 0.0
        self.out.push(FLOAT);
        self.out.extend_from_slice(&value.to_bits().to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Refused> {
        self.out.push(CHAR);
        self.out.extend_from_slice(&u32::from(value).to_le_bytes());
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        text(self.out, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Refused> {
        tagged(self.out, BYTES, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Refused> {
        self.out.push(NONE);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        self.out.push(SOME);
        self.nested(value)
    }

    fn serialize_unit(self) -> Result<(), Refused> {
        self.out.push(UNIT);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Refused> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Refused> {
        tagged(self.out, VARIANT, variant.as_bytes());
        self.out.push(END);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        self.nested(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        tagged(self.out, VARIANT, variant.as_bytes());
        self.nested(value)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Container<'e, 'a>, Refused> {
        self.open(SEQUENCE, None)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Container<'e, 'a>, Refused> {
        self.open(TUPLE, None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Container<'e, 'a>, Refused> {
        self.open(TUPLE, None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Container<'e, 'a>, Refused> {
        self.open(TUPLE, Some(variant))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Container<'e, 'a>, Refused> {
        self.open(MAP, None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Container<'e, 'a>, Refused> {
        // Without its name: the type at one place of a component's arguments is always the same.
        // serde_json writes its raw values and arbitrarily precise numbers as structs around their
        // text, which keeps them exact here.
        self.open(STRUCT, None)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Container<'e, 'a>, Refused> {
        self.open(STRUCT, Some(variant))
    }
}

/// Why a value cannot be part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    NotANumber,
    Depth,
    Serialize,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "it holds a NaN, which is equal to nothing",
            Self::Depth => "it is nested deeper than 128 levels",
            Self::Serialize => "its `Serialize` returned an error",
        })
    }
}

/// The error of the encoder.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Reason);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        // The message may hold the value.
        Self(Reason::Serialize)
    }
}
