//! The fields of a contact, as the user enters them.

use crate::phone::is_number;
use crate::{Company, ContactDetails, Email, InvalidEmail, Name, Notes, Phone, phone_number};
use action::{ActionError, Lines, Parsed, Text, optional, visible, visible_lines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

/// The fields of a contact, as the user enters them.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
#[validate(schema(function = can_be_reached, skip_on_field_errors = false))]
pub struct ContactFields {
    /// The contact's name.
    #[validate(length(min = 1, max = Name::MAX), custom(function = visible))]
    pub name: Text,
    /// The contact's email, unique in the organisation regardless of case. It may be left out if there
    /// is a phone number.
    #[serde(deserialize_with = "optional")]
    #[validate(nested)]
    pub email: Option<Parsed<Email>>,
    /// The company that the contact works for.
    #[serde(deserialize_with = "optional")]
    #[validate(length(max = Company::MAX), custom(function = visible))]
    pub company: Option<Text>,
    /// The contact's phone number, of at most 20 characters. An extension may follow, such as
    /// `ext. 543`.
    #[serde(deserialize_with = "optional")]
    #[schemars(length(max = Phone::LONGEST))]
    #[validate(custom(function = phone_number), custom(function = visible))]
    pub phone: Option<Text>,
    /// Notes, of several lines.
    #[serde(deserialize_with = "optional")]
    #[validate(
        length(max = Notes::MAX),
        custom(function = visible_lines, message = "Notes contain invisible characters")
    )]
    pub notes: Option<Lines>,
}

/// Refuses a contact without an email and without a phone number.
fn can_be_reached(fields: &ContactFields) -> Result<(), ValidationError> {
    if fields.email.is_some() || fields.phone.as_ref().is_some_and(is_number) {
        return Ok(());
    }
    Err(ValidationError::new("email").with_message(InvalidEmail.to_string().into()))
}

impl ContactFields {
    /// The details of the contact.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if the fields were not validated.
    pub fn details(&self) -> Result<ContactDetails, ActionError> {
        Ok(ContactDetails {
            name: Name::from(&self.name),
            email: self.email.as_ref().map(Parsed::get).transpose()?.cloned(),
            company: self.company.as_ref().map(Company::from),
            phone: self.phone.as_ref().map(Phone::from),
            notes: self.notes.as_ref().map(Notes::from),
        })
    }
}
