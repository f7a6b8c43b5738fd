//! The form that `form.html` renders. Every form of the product uses it, so all report errors,
//! carry an idempotency key and work with the script in the same way.

use crate::conflict::Conflict;
use crate::fields::{FieldSpec, ROLES};
use crate::layout::PageFrame;
use action::{FormState, Role, TENANT_FIELD, USER_FIELD};

/// The constant part of a form.
pub(crate) struct FormSpec {
    /// The action it posts to.
    pub(crate) action: &'static str,
    /// The label of its button.
    pub(crate) submit: &'static str,
    /// The label of its button while the request is under way.
    pub(crate) pending: &'static str,
    /// The message of the script if the response has none.
    pub(crate) failed: &'static str,
    /// What the script does after success: `merge` the record into the list, `go` to the next
    /// page, or `enter` the organization that the user has signed in to.
    pub(crate) success: &'static str,
    pub(crate) fields: &'static [FieldSpec],
}

/// A form and its state.
pub(crate) struct Form<'a> {
    pub(crate) spec: &'static FormSpec,
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) hidden: Vec<(&'static str, String)>,
    state: &'a FormState,
    /// Whether it is about the user's account, so that it is the same in all organizations of the user.
    of_account: bool,
    /// The user who sees the page, if it is about the user's account and the user is known.
    user: Option<&'a str>,
    pub(crate) problem: Option<FormProblem<'a>>,
    pub(crate) conflict: Option<Conflict>,
    /// The page that the script goes to after success. If the script needs one and none is known,
    /// the form works without the script.
    pub(crate) next: Option<String>,
    /// The target of the Cancel link.
    pub(crate) cancel: Option<String>,
    /// The page with a fresh form that shows the stored record.
    pub(crate) edit: Option<String>,
    /// The CSS class of its button.
    pub(crate) button_class: &'static str,
}

/// A field, its value and its error.
pub(crate) struct Field<'a> {
    pub(crate) spec: &'static FieldSpec,
    pub(crate) value: &'a str,
    pub(crate) error: Option<&'a str>,
    /// The highest role to offer.
    pub(crate) max_role: Role,
}

/// The errors of the last submit, for the summary above the fields.
pub(crate) struct FormProblem<'a> {
    pub(crate) message: Option<&'a str>,
    /// Each error with its field, in the order of the form, then errors that belong to no visible
    /// field.
    pub(crate) fields: Vec<(Option<&'static str>, &'a str)>,
    /// The page of the record that already has the unique value.
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
            state,
            of_account: false,
            user: None,
            problem: problem(spec, state),
            conflict: None,
            next: None,
            cancel: None,
            edit: None,
            // A form without fields only asks for a confirmation, mostly of a deletion.
            button_class: if spec.fields.is_empty() && spec.success != "enter" {
                "danger"
            } else {
                ""
            },
        }
    }

    /// Adds a hidden field.
    pub(crate) fn hidden(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.hidden.push((name, value.into()));
        self
    }

    /// Makes it a form about the account of this user, if it is known who that is.
    pub(crate) fn of_account(self, user: Option<&'a str>) -> Self {
        Self {
            of_account: true,
            user,
            ..self
        }
    }

    /// Sets the page after success and the target of the Cancel link.
    pub(crate) fn next_and_cancel(mut self, next: Option<String>, cancel: Option<String>) -> Self {
        self.next = next;
        self.cancel = cancel;
        self
    }

    /// Makes the button that of the main action of the page, though the form has no fields.
    pub(crate) fn primary(self) -> Self {
        Self {
            button_class: "",
            ..self
        }
    }

    /// Makes the button inconspicuous: it deletes nothing and is not the main action of the page.
    pub(crate) fn quiet(self) -> Self {
        Self {
            button_class: "quiet",
            ..self
        }
    }

    /// Sets the page with a fresh form that shows the stored record.
    pub(crate) fn edit_path(mut self, path: Option<String>) -> Self {
        self.edit = path;
        self
    }

    /// Offers the roles up to this one.
    pub(crate) fn roles_up_to(mut self, max_role: Role) -> Self {
        for field in &mut self.fields {
            field.max_role = max_role;
        }
        self
    }

    /// Links the error summary to the record that already has the unique value.
    pub(crate) fn existing(mut self, link: Option<String>) -> Self {
        if let Some(problem) = &mut self.problem {
            problem.existing = link;
        }
        self
    }

    /// The hidden field that says whose form it is: the tenant's, or the user's if it is about the account.
    /// A refused form stays the form of the page that it was sent from.
    pub(crate) fn owner_field<'b>(
        &'b self,
        frame: &'b PageFrame<'_>,
    ) -> Option<(&'static str, &'b str)> {
        let tenant = frame.layout.map(|layout| layout.tenant.as_str());
        let (name, of_page) = match self.of_account {
            true => (USER_FIELD, self.user),
            false => (TENANT_FIELD, tenant),
        };
        let sent_from = self.state.values.get(name).map(String::as_str);
        sent_from.or(of_page).map(|owner| (name, owner))
    }

    /// The page's title. After a refusal it starts with "Error: ", so that a screen reader says it
    /// first (WCAG technique G199).
    pub(crate) fn title(&self, title: &str) -> String {
        if self.problem.is_some() {
            format!("Error: {title}")
        } else {
            title.to_owned()
        }
    }

    /// Whether the script handles the form.
    pub(crate) fn is_enhanced(&self) -> bool {
        self.next.is_some() || self.spec.success != "go"
    }
}

impl Field<'_> {
    /// The options of a `select`: the value, the label, and whether it is selected.
    pub(crate) fn options(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let offered = ROLES.into_iter().filter(|(role, _)| *role <= self.max_role);
        offered.map(|(role, words)| (role.as_str(), words, role.as_str() == self.value))
    }

    /// The ids for `aria-describedby`: the hint, then the error.
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
        // A password is never sent back to the browser: the user types it again.
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
    // "Invalid input" adds nothing to a list of the invalid fields.
    let message = state.error.as_deref().filter(|_| fields.is_empty());
    (message.is_some() || !fields.is_empty() || state.signed_out).then_some(FormProblem {
        message: message.filter(|_| !state.signed_out),
        fields,
        existing: None,
        signed_out: state.signed_out,
    })
}
