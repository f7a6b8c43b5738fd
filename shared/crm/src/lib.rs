//! The domain: contacts, projects, accounts, organisations and members, and the rules for their
//! fields.
//!
//! It depends on neither AWS nor HTTP: everything here is a value or a pure function.

mod account;
mod confirmation;
mod contact;
mod contact_fields;
mod digits;
mod first_proof;
mod fold;
mod invitation;
mod last_organization;
mod link_token;
mod links;
mod member;
mod new_organization;
mod organization;
mod password;
mod phone;
mod project;
mod reset;
mod return_to;
mod search;
mod sent_emails;
mod settings;
mod text;
mod timeline;
mod trash;
mod user_names;

pub use account::{Account, AccountOrganization, PublicUser, SignedIn};
pub use confirmation::{
    EmailConfirmation, INVALID_CONFIRMATION_LINK, confirmation_token, invalid_confirmation_link,
};
pub use contact::{
    CONTACT_NOT_FOUND, Contact, ContactDetails, ContactId, ContactRef, DUPLICATE_EMAIL, PAGE_SIZE,
};
pub use contact_fields::ContactFields;
pub use first_proof::FirstProof;
pub use fold::fold;
pub use invitation::{InvitationClaims, PendingInvitation};
pub use last_organization::LastOrganization;
pub use link_token::LinkToken;
pub use links::not_a_link;
pub use member::{
    INVITATION_PATH, Invitation, InvitationId, MEMBER_NOT_FOUND, Member, MemberRef, MemberStatus,
    Membership, acting_member,
};
pub use new_organization::{ProvenAccount, new_organization_path};
pub use organization::{Organization, slug, slug_candidates};
pub use password::{
    MAX_PASSWORD, MIN_PASSWORD, Password, PasswordHash, WRONG_OWN_PASSWORD, new_password,
};
pub use phone::phone_number;
pub use project::{PROJECT_NOT_FOUND, Project, ProjectId, ProjectRef, is_active};
pub use reset::{INVALID_RESET_LINK, PasswordReset, ResetLink, reset_token};
pub use return_to::{NotLocal, ReturnTo};
pub use search::words;
pub use sent_emails::{EmailKind, SentEmails, SentInvitations};
pub use settings::{
    AccountSettings, MAX_SESSIONS, OrganizationChoice, SessionInfo, end_sign_in, live_sessions,
    open_sessions,
};
pub use text::{Company, Email, InvalidEmail, Name, Notes, OrganizationName, Phone};
pub use timeline::HistoryEvent;
pub use trash::{ContactRestoration, TRASH_DAYS, TrashedContact, is_restorable};
pub use user_names::{RecordedUser, UserNames};
