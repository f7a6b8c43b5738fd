//! Headers, cookies and query strings as the function sees them: one field for each name, which lists
//! the values of duplicates.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html>

use rquickjs::object::Property;
use rquickjs::{Array, Ctx, Object, Result};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The fields by name.
pub(crate) type Fields<'a> = BTreeMap<Cow<'a, str>, Field<'a>>;

/// The values of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) value: Cow<'a, str>,
    /// The attributes after the value in a response's `Set-Cookie`.
    pub(crate) attributes: Option<String>,
    /// Every value, including the first, if there are several.
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

    /// The values that are forwarded if the function returned this field for the field `input`. If
    /// `multiValue` is unchanged, a changed `value` replaces the first value. If `multiValue` is
    /// changed too, `value` is ignored.
    pub(crate) fn values(&self, input: Option<&Field<'_>>) -> Vec<&Field<'a>> {
        if self.multi_value.is_empty() {
            return vec![self];
        }
        let mut values: Vec<_> = self.multi_value.iter().collect();
        let first_changed = input.is_some_and(|input| {
            input.multi_value == self.multi_value && input.value != self.value
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

/// Groups the pairs by name.
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

/// Splits `name=value` at the first `=` without decoding. Text without `=` is a name.
pub(crate) fn pair(text: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (Cow::Borrowed(name), Cow::Borrowed(value))
}

/// The fields as `name=value` pairs, joined by `separator`.
pub(crate) fn join(fields: &Fields<'_>, input: &Fields<'_>, separator: &str) -> String {
    let pairs = fields.iter().flat_map(|(name, field)| {
        let values = field.values(input.get(name));
        values
            .into_iter()
            .map(move |single| format!("{name}={}", single.value))
    });
    pairs.collect::<Vec<_>>().join(separator)
}

/// The fields as a JavaScript object.
pub(crate) fn write<'js>(ctx: &Ctx<'js>, fields: &Fields<'_>) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    for (name, field) in fields {
        // Defines the property, because setting `__proto__` would set the prototype.
        let property = Property::from(field.write(ctx)?);
        let property = property.writable().enumerable().configurable();
        object.prop(name.as_ref(), property)?;
    }
    Ok(object)
}

/// The fields in the property `name` of what the function returned; none if it is absent.
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
