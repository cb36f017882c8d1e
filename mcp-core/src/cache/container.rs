//! Sequences, structs and maps on their way into a key.

use serde::ser::{self, Serialize};

use super::encode::{END, Encoder, Refused, text};

/// A sequence, tuple, struct or map that is being written.
pub(super) struct Container<'e, 'a> {
    encoder: &'e mut Encoder<'a>,
    /// Where its content begins.
    start: usize,
    /// Of a map: where each entry begins.
    entries: Vec<usize>,
}

impl<'e, 'a> Container<'e, 'a> {
    pub(super) fn new(encoder: &'e mut Encoder<'a>) -> Self {
        Self { start: encoder.out.len(), encoder, entries: Vec::new() }
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        value.serialize(&mut *self.encoder)
    }

    fn close(self) {
        self.encoder.out.push(END);
        self.encoder.depth -= 1;
    }

    /// Brings the entries of a map into the order of their encoded keys.
    fn sort(&mut self) {
        let out = &mut *self.encoder.out;
        let ends = self.entries.iter().skip(1).copied().chain([out.len()]);
        let mut entries: Vec<&[u8]> =
            self.entries.iter().zip(ends).map(|(&begin, end)| &out[begin..end]).collect();
        // A key ends itself, so comparing whole entries compares the keys first.
        if !entries.is_sorted() {
            entries.sort_unstable();
            let sorted = entries.concat();
            out.truncate(self.start);
            out.extend_from_slice(&sorted);
        }
    }
}

/// Implements the traits of what consists of values alone.
macro_rules! values {
    ($($kind:ident::$value:ident),+) => {$(
        impl ser::$kind for Container<'_, '_> {
            type Ok = ();
            type Error = Refused;

            fn $value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
                self.value(value)
            }

            fn end(self) -> Result<(), Refused> {
                self.close();
                Ok(())
            }
        }
    )+};
}

values!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// Implements the traits of what consists of names and values.
macro_rules! fields {
    ($($kind:ident),+) => {$(
        impl ser::$kind for Container<'_, '_> {
            type Ok = ();
            type Error = Refused;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Refused> {
                text(self.encoder.out, name);
                self.value(value)
            }

            fn end(self) -> Result<(), Refused> {
                self.close();
                Ok(())
            }
        }
    )+};
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Container<'_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        self.entries.push(self.encoder.out.len());
        self.value(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.value(value)
    }

    fn end(mut self) -> Result<(), Refused> {
        self.sort();
        self.close();
        Ok(())
    }
}
