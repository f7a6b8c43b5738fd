//! A form as the template sees it. Every form of the product is one of these, so every form
//! reports errors, carries its key and is enhanced in the same way.

use crate::conflict::Conflict;
use crate::fields::{FieldSpec, ROLES};
use crate::layout::PageFrame;
use action::{FormState, Role, TENANT_FIELD};

/// What is fixed about a form.
pub(crate) struct FormSpec {
    /// The action it posts to.
    pub(crate) action: &'static str,
    /// The words on its button, at rest and under way.
    pub(crate) submit: &'static str,
    pub(crate) pending: &'static str,
    /// What the script says where no answer says better.
    pub(crate) failed: &'static str,
    /// What the script does next: `merge` the record into the list, `go` to a page, or `enter`
    /// the organisation that was signed in to.
    pub(crate) success: &'static str,
    pub(crate) fields: &'static [FieldSpec],
}

/// A form and its state.
pub(crate) struct Form<'a> {
    pub(crate) spec: &'static FormSpec,
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) hidden: Vec<(&'static str, String)>,
    /// The organisation on whose page the form stood when it was sent, where it was.
    sent_from: Option<&'a str>,
    pub(crate) problem: Option<FormProblem<'a>>,
    pub(crate) conflict: Option<Conflict>,
    /// Where the script goes after success. The form stays a plain one where the script would
    /// need a place and none is known.
    pub(crate) next: Option<String>,
    /// Where a change of mind leads.
    pub(crate) cancel: Option<String>,
    /// Where the form is fresh, with the record as it is now.
    pub(crate) edit: Option<String>,
    /// The class of its button.
    pub(crate) button_class: &'static str,
}

/// A field, its value and its error.
pub(crate) struct Field<'a> {
    pub(crate) spec: &'static FieldSpec,
    pub(crate) value: &'a str,
    pub(crate) error: Option<&'a str>,
    /// The roles to choose from: none above the one that the user holds.
    pub(crate) max_role: Role,
}

/// What went wrong with the last submit, for the summary above the fields.
pub(crate) struct FormProblem<'a> {
    pub(crate) message: Option<&'a str>,
    /// The wrong fields in the order of the form, then what belongs to no field that shows.
    pub(crate) fields: Vec<(Option<&'static str>, &'a str)>,
    pub(crate) existing: Option<String>,
    pub(crate) signed_out: bool,
}

impl<'a> Form<'a> {
    pub(crate) fn new(spec: &'static FormSpec, state: &'a FormState) -> Self {
        let mut hidden = Vec::new();
        if !state.key.is_empty() {
            hidden.push(("idempotency_key", state.key.clone()));
        }
        Self {
            spec,
            fields: fields(spec, state),
            hidden,
            sent_from: state.values.get(TENANT_FIELD).map(String::as_str),
            problem: problem(spec, state),
            conflict: None,
            next: None,
            cancel: None,
            edit: None,
            // Without a field there is only a question, and most are about what goes.
            button_class: if spec.fields.is_empty() && spec.success != "enter" {
                "danger"
            } else {
                ""
            },
        }
    }

    /// Sends `value` along under `name`.
    pub(crate) fn hidden(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.hidden.push((name, value.into()));
        self
    }

    /// Where the script goes after success, and where a change of mind leads.
    pub(crate) fn next_and_cancel(mut self, next: Option<String>, cancel: Option<String>) -> Self {
        self.next = next;
        self.cancel = cancel;
        self
    }

    /// Its button leads to nothing that is lost, and is not the first thing to do on the page.
    pub(crate) fn quiet(self) -> Self {
        Self {
            button_class: "quiet",
            ..self
        }
    }

    /// Where the form is fresh, with the record as it is now.
    pub(crate) fn edit_path(mut self, path: Option<String>) -> Self {
        self.edit = path;
        self
    }

    /// Offers roles up to this one.
    pub(crate) fn roles_up_to(mut self, max_role: Role) -> Self {
        for field in &mut self.fields {
            field.max_role = max_role;
        }
        self
    }

    /// Links the summary to the record that has what must be unique.
    pub(crate) fn existing(mut self, link: Option<String>) -> Self {
        if let Some(problem) = &mut self.problem {
            problem.existing = link;
        }
        self
    }

    /// The field that says for which organisation the form is: the one whose page it stands on,
    /// and after a refusal still the one whose page it stood on.
    pub(crate) fn tenant_field<'b>(
        &'b self,
        frame: &'b PageFrame<'_>,
    ) -> Option<(&'static str, &'b str)> {
        let own = frame.layout.map(|layout| layout.tenant.as_str());
        self.sent_from.or(own).map(|tenant| (TENANT_FIELD, tenant))
    }

    /// The page's title, which says first that something is wrong (WCAG technique G199).
    pub(crate) fn title(&self, title: &str) -> String {
        if self.problem.is_some() {
            format!("Error: {title}")
        } else {
            title.to_owned()
        }
    }

    pub(crate) fn is_enhanced(&self) -> bool {
        self.next.is_some() || self.spec.success != "go"
    }
}

impl Field<'_> {
    /// What to choose from: the value, the words, and whether it is chosen.
    pub(crate) fn options(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let offered = ROLES.into_iter().filter(|(role, _)| *role <= self.max_role);
        offered.map(|(role, words)| (role.as_str(), words, role.as_str() == self.value))
    }

    /// The ids of what describes the field: its hint, then its error.
    pub(crate) fn described_by(&self) -> Option<String> {
        let name = self.spec.name;
        match (self.spec.hint, self.error) {
            (Some(_), Some(_)) => Some(format!("{name}-hint {name}-error")),
            (Some(_), None) => Some(format!("{name}-hint")),
            (None, Some(_)) => Some(format!("{name}-error")),
            (None, None) => None,
        }
    }
}

fn fields<'a>(spec: &FormSpec, state: &'a FormState) -> Vec<Field<'a>> {
    let field = |spec: &'static FieldSpec| Field {
        spec,
        // A password is typed again, never sent back, whatever the state holds.
        value: if spec.kind == "password" {
            ""
        } else {
            state.value(spec.name)
        },
        error: state.field_error(spec.name),
        max_role: Role::Viewer,
    };
    spec.fields.iter().map(field).collect()
}

fn problem<'a>(spec: &FormSpec, state: &'a FormState) -> Option<FormProblem<'a>> {
    let known = |name: &str| spec.fields.iter().find(|field| field.name == name);
    let shown = spec
        .fields
        .iter()
        .filter_map(|field| Some((Some(field.name), state.field_error(field.name)?)));
    let others = state
        .errors
        .iter()
        .filter(|(name, _)| known(name).is_none())
        .map(|(_, message)| (None, message.as_str()));
    let fields: Vec<_> = shown.chain(others).collect();
    // "Invalid input" adds nothing to a list of what is invalid.
    let message = state.error.as_deref().filter(|_| fields.is_empty());
    (message.is_some() || !fields.is_empty() || state.signed_out).then_some(FormProblem {
        message: message.filter(|_| !state.signed_out),
        fields,
        existing: None,
        signed_out: state.signed_out,
    })
}
