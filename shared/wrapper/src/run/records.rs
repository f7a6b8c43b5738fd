//! The audit records of a commit: one in each organisation whose data it changes.

use crate::Failure;
use crate::run::attempt::Call;
use crate::run::audit::{AuditEntry, AuditUser};
use crate::run::chain;
use action::{
    Action, Caller, Commit, Context, Found, Key, MembershipRecord, Operation, SessionChange,
    TenantId, UserId, secret_fields,
};
use std::collections::BTreeMap;

impl<A: Action> Call<'_, A> {
    /// The commit's writes with the new heads of the audit chains, and the writes of the audit records.
    pub(crate) fn audit_operations(
        &self,
        context: &Context<Caller<A::Permission>>,
        commit: &Commit<A::Output>,
        found: &Found,
    ) -> Result<Vec<Operation>, Failure> {
        check_audited(commit)?;
        let Some(subject) = commit.subject() else {
            return Ok(chain::with_heads(
                commit.operations(),
                found,
                &BTreeMap::new(),
            ));
        };
        let user = self.audit_user(commit, found);
        let entry = AuditEntry {
            action: A::NAME,
            subject,
            user,
            trust: &self.trust,
            request: self.request,
            input: serde_json::to_value(&self.input).map_err(|error| {
                Failure::unknown(format!("an input cannot be audited: {error}"))
            })?,
            secrets: secret_fields::<A>(),
            at: context.now,
        };
        let mut entries = vec![(entry.clone(), chain::link(commit, found)?)];
        for (subject, role) in commit.other_subjects() {
            let user = entry.user.clone().map(|user| AuditUser {
                role: *role,
                ..user
            });
            let other = AuditEntry {
                subject,
                user,
                ..entry.clone()
            };
            entries.push((other, chain::link_of_other(commit, subject, found)?));
        }
        let (mut heads, mut records) = (BTreeMap::new(), Vec::new());
        for (entry, link) in entries {
            let written = entry.write(link.as_ref());
            heads.extend(link.and_then(|link| link.head).zip(written.hash));
            records.extend(written.operations);
        }
        let mut operations = chain::with_heads(commit.operations(), found, &heads);
        operations.extend(records);
        Ok(operations)
    }

    /// The user who acts, with the name and the email of now.
    fn audit_user(&self, commit: &Commit<A::Output>, found: &Found) -> Option<AuditUser> {
        let live = self.live.as_ref();
        // A user who signs in may still have a session of another user or organisation.
        let (tenant, id, role) = match commit.session() {
            SessionChange::Open(grant) | SessionChange::Replace(grant) => {
                (&grant.tenant, &grant.user, grant.role)
            }
            SessionChange::Unchanged | SessionChange::Close | SessionChange::EndOthers(_) => {
                let actor = &live?.actor;
                (&actor.tenant, &actor.user, actor.role)
            }
        };
        let own = live.filter(|live| live.actor.user == *id);
        let membership = own.map(|live| live.membership.clone());
        let membership = membership.or_else(|| membership_of(commit, found, tenant, id));
        let (name, email) = membership.map_or((None, None), |membership| {
            (membership.name, membership.email)
        });
        Some(AuditUser {
            id: id.clone(),
            role,
            name,
            email,
        })
    }
}

/// The membership of a user who signs in: as it was read, or as the commit writes it.
fn membership_of<T>(
    commit: &Commit<T>,
    found: &Found,
    tenant: &TenantId,
    user: &UserId,
) -> Option<MembershipRecord> {
    let key = Key::membership(tenant, user);
    if let Some(item) = found.stored(&key) {
        return MembershipRecord::read(item);
    }
    let written = commit
        .operations()
        .iter()
        .find_map(|operation| match operation {
            Operation::Put { key: at, item, .. } if *at == key => item.as_object(),
            _ => None,
        });
    written.and_then(MembershipRecord::read)
}

/// Refuses a commit that writes an entity of an organisation in whose audit it has no record.
fn check_audited<T>(commit: &Commit<T>) -> Result<(), Failure> {
    let others = commit.other_subjects().iter().map(|(subject, _)| subject);
    let subjects = others.chain(commit.subject());
    let tenants: Vec<_> = subjects.map(|subject| subject.tenant.as_str()).collect();
    let writes = commit.operations().iter();
    let writes = writes.filter(|operation| !matches!(operation, Operation::Check { .. }));
    let entities = writes.filter_map(|operation| operation.key().tag());
    for tag in entities {
        let tenant = tag.split(':').next().unwrap_or_default();
        if !tenants.contains(&tenant) {
            let text = format!("{tag} is written without an audit record in its organisation");
            return Err(Failure::unknown(text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use action::{Entity, Role, Subject, Version};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Thing {
        id: String,
    }

    impl Entity for Thing {
        const RESOURCE: &'static str = "things";

        fn id(&self) -> &str {
            &self.id
        }

        fn version(&self) -> Version {
            Version::FIRST
        }
    }

    #[test]
    fn a_commit_that_writes_an_entity_has_a_record_in_its_organisation() {
        let [acme, beta] = ["acme", "beta"].map(|slug| TenantId::parse(slug).unwrap());
        let thing = Thing { id: "1".to_owned() };
        let subject = |tenant| Subject::entity::<Thing>(tenant, "1");
        let own = Commit::new(subject(&acme), ()).put(&acme, &thing, None);
        assert!(check_audited(&own).is_ok());
        let other = own.put(&beta, &thing, None);
        assert!(check_audited(&other).is_err());
        assert!(check_audited(&other.also_about(subject(&beta), Role::Member)).is_ok());
        let none = Commit::outside(()).put(&acme, &thing, None);
        assert!(check_audited(&none).is_err());
        // A condition writes nothing.
        let checked = Commit::new(subject(&acme), ()).require(&beta, &thing);
        assert!(check_audited(&checked).is_ok());
    }
}
