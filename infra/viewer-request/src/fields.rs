//! Headers, cookies and query strings as the function sees them: one field a name, with the
//! values of duplicates beside the first.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html>

use rquickjs::object::Property;
use rquickjs::{Array, Ctx, Object, Result};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Names to fields.
pub(crate) type Fields<'a> = BTreeMap<Cow<'a, str>, Field<'a>>;

/// The values of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) value: Cow<'a, str>,
    /// What follows the value in a response's `Set-Cookie`.
    pub(crate) attributes: Option<String>,
    /// Every value, the first too, where there are several.
    multi_value: Vec<Field<'a>>,
}

impl<'a> Field<'a> {
    fn single(value: Cow<'a, str>) -> Self {
        Self {
            value,
            attributes: None,
            multi_value: Vec::new(),
        }
    }

    fn push(&mut self, value: Cow<'a, str>) {
        if self.multi_value.is_empty() {
            self.multi_value.push(Self::single(self.value.clone()));
        }
        self.multi_value.push(Self::single(value));
    }

    /// The values that stand after the function, where this is what it returned for `given`: a
    /// changed `value` counts only beside an unchanged `multiValue`, for the first.
    pub(crate) fn values(&self, given: Option<&Field<'_>>) -> Vec<&Field<'a>> {
        if self.multi_value.is_empty() {
            return vec![self];
        }
        let mut values: Vec<_> = self.multi_value.iter().collect();
        let first_changed = given.is_some_and(|given| {
            given.multi_value == self.multi_value && given.value != self.value
        });
        if first_changed {
            values[0] = self;
        }
        values
    }

    fn write<'js>(&self, ctx: &Ctx<'js>) -> Result<Object<'js>> {
        let object = Object::new(ctx.clone())?;
        object.set("value", self.value.as_ref())?;
        if !self.multi_value.is_empty() {
            let values = Array::new(ctx.clone())?;
            for (index, single) in self.multi_value.iter().enumerate() {
                values.set(index, single.write(ctx)?)?;
            }
            object.set("multiValue", values)?;
        }
        Ok(object)
    }

    fn read(object: &Object<'_>) -> Result<Self> {
        let singles: Option<Array<'_>> = object.get("multiValue")?;
        let singles = singles.iter().flat_map(Array::iter::<Object<'_>>);
        Ok(Self {
            value: Cow::Owned(object.get("value")?),
            attributes: object.get("attributes")?,
            multi_value: singles
                .map(|single| Self::read_single(&single?))
                .collect::<Result<_>>()?,
        })
    }

    fn read_single(object: &Object<'_>) -> Result<Self> {
        Ok(Self {
            attributes: object.get("attributes")?,
            ..Self::single(Cow::Owned(object.get("value")?))
        })
    }
}

/// The pairs as fields.
pub(crate) fn collect<'a>(
    pairs: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
) -> Fields<'a> {
    let mut fields = Fields::new();
    for (name, value) in pairs {
        match fields.get_mut(&name) {
            Some(field) => field.push(value),
            None => {
                fields.insert(name, Field::single(value));
            }
        }
    }
    fields
}

/// `name=value` split at the first `=`, nothing decoded; without one it is all name.
pub(crate) fn pair(text: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (Cow::Borrowed(name), Cow::Borrowed(value))
}

/// The fields as `name=value` pairs.
pub(crate) fn join(fields: &Fields<'_>, given: &Fields<'_>, separator: &str) -> String {
    let pairs = fields.iter().flat_map(|(name, field)| {
        let values = field.values(given.get(name));
        values
            .into_iter()
            .map(move |single| format!("{name}={}", single.value))
    });
    pairs.collect::<Vec<_>>().join(separator)
}

/// The fields as an object of the function's.
pub(crate) fn write<'js>(ctx: &Ctx<'js>, fields: &Fields<'_>) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    for (name, field) in fields {
        // Defined, not set: setting `__proto__` is something else.
        let property = Property::from(field.write(ctx)?);
        let property = property.writable().enumerable().configurable();
        object.prop(name.as_ref(), property)?;
    }
    Ok(object)
}

/// The fields that the function left under `name`; none where there is nothing.
pub(crate) fn read(object: &Object<'_>, name: &str) -> Result<Fields<'static>> {
    let Some(fields) = object.get::<_, Option<Object<'_>>>(name)? else {
        return Ok(Fields::new());
    };
    let named = fields
        .props::<rquickjs::String<'_>, Object<'_>>()
        .map(|named| {
            let (name, field) = named?;
            Ok((Cow::Owned(name.to_string()?), Field::read(&field)?))
        });
    named.collect()
}
