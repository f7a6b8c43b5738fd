// The forms about projects, members and the audit. `../forms.mjs` describes the fields.
import { token } from '../crawl.mjs';
import { OTHER, addProject, at, confirm, invite, inviteAndJoin, inviteToSecondOrganization, openBeside, press } from './steps.mjs';

export const ORGANIZATION = [
  {
    form: '/t/{tenant}/projects: create-project',
    before: (visitor) => openBeside(visitor, at(visitor, '/projects'), 'Add Project'),
    refused: { fields: { name: ' ' }, messages: { name: 'Name is required' } },
    send: async (visitor) => {
      await visitor.fill({ name: 'Second turbine' });
      await press(visitor, 'Create Project');
      await visitor.reads('Project created!');
    },
  },
  {
    form: '/t/{tenant}/projects/new: create-project',
    before: (visitor) => visitor.goto(at(visitor, '/projects/new')),
    refused: { fields: { name: '' }, messages: { name: 'Name is required' } },
    send: async (visitor) => {
      await visitor.fill({ name: 'Second turbine' });
      await press(visitor, 'Create Project');
      await visitor.reads('Project created!');
    },
  },
  {
    form: '/t/{tenant}/projects/{id}/edit: rename-project',
    before: async (visitor) => {
      const { id } = await addProject(visitor);
      await visitor.goto(at(visitor, `/projects/${id}/edit`));
    },
    refused: { fields: { name: '' }, messages: { name: 'Name is required' } },
    send: async (visitor) => {
      await visitor.fill({ name: 'Third turbine' });
      await press(visitor, 'Rename Project');
      await visitor.reads('Project renamed!');
    },
  },
  {
    form: '/t/{tenant}/projects/{id}/edit: archive-project',
    before: async (visitor) => {
      await addProject(visitor);
      await visitor.goto(at(visitor, '/projects'));
      await visitor.page.getByRole('link', { name: 'Edit Turbine' }).click();
    },
    send: async (visitor) => {
      await press(visitor, 'Archive Project');
      await visitor.reads('Project archived!');
    },
  },
  {
    form: '/t/{tenant}/projects/{id}/edit: restore-project',
    before: async (visitor) => {
      const { id } = await addProject(visitor);
      await visitor.act('archive-project', { id });
      await visitor.goto(at(visitor, `/projects/${id}/edit`));
    },
    send: async (visitor) => {
      await press(visitor, 'Restore Project');
      await visitor.reads('Project restored!');
    },
  },
  {
    form: '/t/{tenant}/members: invite-member',
    emails: 1,
    before: async (visitor) => {
      await confirm(visitor);
      await openBeside(visitor, at(visitor, '/members'), 'Invite');
    },
    refused: { fields: { email: 'no email' }, messages: { email: 'Invalid email format' } },
    send: async (visitor) => {
      await visitor.fill({ email: 'bob@example.com' });
      await visitor.form().locator('[name=role]').selectOption('admin');
      await press(visitor, 'Invite');
      await visitor.reads('Invited!');
    },
  },
  {
    form: '/t/{tenant}/members/invite: invite-member',
    emails: 1,
    before: async (visitor) => {
      await confirm(visitor);
      await visitor.goto(at(visitor, '/members/invite'));
    },
    refused: { fields: { email: '' }, messages: { email: 'Invalid email format' } },
    send: async (visitor) => {
      await visitor.fill({ email: `invited.${visitor.account.email}` });
      await press(visitor, 'Invite');
      await visitor.reads('Invited!');
    },
  },
  {
    form: '/t/{tenant}/members/{id}/edit: change-role',
    before: async (visitor) => {
      await inviteAndJoin(visitor, 'member');
      await visitor.goto(at(visitor, '/members'));
      await visitor.page.getByRole('link', { name: 'Edit Other Person' }).click();
    },
    send: async (visitor) => {
      await visitor.page.locator('[name=role]').selectOption('viewer');
      await press(visitor, 'Change role');
      await visitor.reads('Role changed!');
    },
  },
  {
    form: '/t/{tenant}/members/{id}/edit: change-role',
    about: 'of the last owner',
    before: async (visitor) => {
      await visitor.goto(at(visitor, '/members'));
      await visitor.page.getByRole('link', { name: 'Edit Test Person' }).click();
      await visitor.page.locator('[name=role]').selectOption('viewer');
    },
    refused: { fields: {}, action: 'change-role', message: 'An organization needs an owner: make somebody else an owner first' },
  },
  {
    form: '/t/{tenant}/members/{id}/edit: remove-member',
    before: async (visitor) => {
      await inviteAndJoin(visitor, 'member');
      await visitor.goto(at(visitor, '/members'));
      await visitor.page.getByRole('link', { name: 'Edit Other Person' }).click();
    },
    send: async (visitor) => {
      await visitor.page.locator('summary').click();
      await press(visitor, 'Remove');
      await visitor.reads('Member removed!');
    },
  },
  {
    form: '/t/{tenant}/members/{id}/edit: remove-member',
    about: 'of an invitation that was not accepted',
    before: async (visitor) => {
      const { id } = await invite(visitor);
      await visitor.goto(at(visitor, `/members/${id}/edit`));
    },
    send: async (visitor) => {
      await visitor.page.locator('summary').click();
      await press(visitor, 'Withdraw invitation');
      await visitor.reads('Invitation withdrawn!');
    },
  },
  {
    form: '/t/{tenant}/members/leave: remove-member',
    before: async (visitor) => {
      const link = await inviteToSecondOrganization(visitor);
      const { tenant } = await visitor.act('accept-invite', { token: token(link), name: '', password: visitor.account.password });
      await visitor.goto(`/t/${tenant}/members`);
      await visitor.page.getByRole('link', { name: 'Leave this organization' }).click();
    },
    send: async (visitor) => {
      await press(visitor, 'Leave');
      await visitor.reads('You have left the organization.');
    },
  },
  {
    form: '/t/{tenant}/members/leave: remove-member',
    about: 'of the last owner',
    before: (visitor) => visitor.goto(at(visitor, '/members/leave')),
    refused: { fields: {}, message: 'An organization needs an owner: make somebody else an owner first' },
  },
  {
    form: '/accept-invite: accept-invite',
    emails: 1,
    before: async (visitor) => {
      const { link } = await invite(visitor);
      await visitor.context.clearCookies();
      await visitor.goto(link);
    },
    refused: { fields: { name: '', password: 'short' }, messages: { name: 'Name is required', password: 'Password must be at least 8 characters' } },
    send: async (visitor) => {
      await visitor.fill(OTHER);
      await press(visitor, 'Join');
      await visitor.reads('No contacts yet');
    },
  },
  {
    form: '/accept-invite: accept-invite',
    about: 'for an email that has an account',
    before: async (visitor) => {
      const link = await inviteToSecondOrganization(visitor);
      await visitor.context.clearCookies();
      await visitor.goto(link);
    },
    send: async (visitor) => {
      await visitor.fill({ password: visitor.account.password });
      await press(visitor, 'Join');
      await visitor.reads('No contacts yet');
    },
  },
  {
    form: '/t/{tenant}/audit: filter',
    readOnly: true,
    before: async (visitor) => {
      await visitor.addContact('Ada Lovelace');
      await visitor.goto(at(visitor, '/audit'));
    },
    send: async (visitor) => {
      await visitor.page.getByLabel('Action').fill('create-contact');
      await press(visitor, 'Filter');
      await visitor.page.getByRole('link', { name: 'Clear' }).waitFor();
    },
  },
  {
    form: '/t/{tenant}/settings/organization: rename-organization',
    before: async (visitor) => {
      await visitor.goto(at(visitor, '/settings'));
      await visitor.page.getByRole('link', { name: 'Rename this organization' }).click();
    },
    refused: { fields: { name: 'Win at http://evil.example' }, messages: { name: 'Please leave out the link' } },
    send: async (visitor) => {
      await visitor.fill({ name: 'Renamed' });
      await press(visitor, 'Rename');
      await visitor.reads('Organization renamed!');
    },
  },
  {
    form: '/new-organization: create-organization',
    before: async (visitor) => {
      await visitor.goto(at(visitor, '/settings'));
      await visitor.page.getByRole('link', { name: 'New organization' }).click();
    },
    refused: { fields: { name: '' }, messages: { name: 'Name is required' } },
    send: async (visitor) => {
      await visitor.fill({ name: `Another of ${visitor.account.organization}` });
      await press(visitor, 'Create organization');
      await visitor.reads('No contacts yet');
    },
  },
  {
    form: '/new-organization: create-organization',
    about: 'by a user who has left the last one',
    before: async (visitor) => {
      await inviteAndJoin(visitor, 'owner');
      await visitor.goto(at(visitor, '/members/leave'));
      await press(visitor, 'Leave');
      await visitor.reads('You have left the organization.');
      await visitor.fill({ email: visitor.account.email, password: visitor.account.password });
      await press(visitor, 'Sign in');
      await visitor.reads('You belong to no organization');
    },
    refused: { fields: { name: ' ' }, messages: { name: 'Name is required' } },
    send: async (visitor) => {
      await visitor.fill({ name: `Own of ${visitor.account.organization}` });
      await press(visitor, 'Create organization');
      await visitor.reads('No contacts yet');
    },
  },
];
