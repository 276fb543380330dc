//! How snapshots write what the vocabularies name, and lengths of time. Only with the feature `serde`.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Cause, Circuit, Fault, Health, INTEGER_MAX, MeterMode, Millis, Override};

macro_rules! by_name {
    ($($name:ty: $what:literal;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = alloc::string::String::deserialize(deserializer)?;
                Self::from_name(&name).ok_or_else(|| Error::invalid_value(Unexpected::Str(&name), &$what))
            }
        }
    )*};
}

by_name! {
    Cause: "why a health changed";
    Circuit: "a circuit";
    Fault: "a fault class";
    Health: "a health";
    MeterMode: "a meter's mode";
    Override: "an override";
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.get())
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let milliseconds = u64::deserialize(deserializer)?;
        if milliseconds > INTEGER_MAX {
            return Err(Error::invalid_value(Unexpected::Unsigned(milliseconds), &"at most 2^53 - 1"));
        }
        Ok(Self::new(milliseconds))
    }
}
