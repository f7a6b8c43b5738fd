//! The organisation: members and permissions, projects, mail, audit.

mod accepting;
mod accounts;
mod audit_chain;
mod audit_file;
mod audit_names;
mod audit_page;
mod authority;
mod bounds;
mod devices;
mod former;
mod growth;
mod invitations;
mod links;
mod mail;
mod members;
mod password_resets;
mod passwords;
mod permission_table;
mod permissions;
mod projects;
mod refused;
mod rejoining;
mod sessions;
mod settings;
mod switching;
mod tenants;
