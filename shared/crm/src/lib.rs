//! The domain: contacts, projects, accounts, organisations and members, and the rules their fields follow.
//!
//! It knows no AWS and no HTTP: everything here is a value or a pure function.

mod account;
mod contact;
mod member;
mod organization;
mod password;
mod project;
mod return_to;
mod text;
mod trash;
mod people;
mod timeline;

pub use account::{Account, Belonging, PublicUser, SignedIn};
pub use contact::{
    CONTACT_NOT_FOUND, Contact, ContactDetails, ContactId, ContactRef, DUPLICATE_EMAIL, PAGE_SIZE,
    search,
};
pub use member::Member;
pub use organization::{Organization, slug, slugs};
pub use password::{Password, PasswordAttempt, PasswordHash};
pub use project::{PROJECT_NOT_FOUND, Project, ProjectId, ProjectRef, is_active};
pub use return_to::ReturnTo;
pub use text::{Company, Email, InvalidText, Name, Notes, OrganizationName, Phone, fold};
pub use trash::{Restoration, TRASH_DAYS, TrashedContact, can_be_restored};
pub use people::People;
pub use timeline::Event;
