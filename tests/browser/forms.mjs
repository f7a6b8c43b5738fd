// Every form of the product: where it stands, and how a person fills it. `forms.test.mjs` holds this
// list against the pages and against the list of actions.
//
// - `form`: the page and the action, as `formsOn` names them
// - `before`: makes what the form needs, without its page
// - `send`: what the person does, after which so many `letters` are sent; or it only `reads`
// - `refused`: what they get wrong first, and the messages for that
import { token } from './crawl.mjs';
import { Visitor, until } from './harness.mjs';

const OTHER = { name: 'Other Person', password: 'another long password' };

/** Somebody else, in a browser of their own that closes with the visitor's. */
async function another(visitor) {
  const other = await Visitor.enter(visitor.running, { javaScriptEnabled: visitor.script });
  visitor.context.on('close', () => other.context.close());
  return other;
}

/** Invites somebody; their id and their link. */
async function invite(visitor, role = 'member') {
  const email = `other.${visitor.account.email}`;
  const { link, id } = await visitor.act('invite-member', { email, role });
  return { id, link };
}

/** Invites somebody, who joins. */
async function joined(visitor, role) {
  const invitation = await invite(visitor, role);
  const other = await another(visitor);
  await other.act('accept-invite', { token: token(invitation.link), ...OTHER });
}

/** The visitor belongs to a second organisation, of which somebody else is the owner. */
async function belongToTwo(visitor) {
  const owner = await another(visitor);
  await owner.signUp({ email: `owner.${visitor.account.email}`, organization: `Second of ${visitor.account.organization}` });
  const { link } = await owner.act('invite-member', { email: visitor.account.email, role: 'member' });
  return link;
}

/** The link that sets a password anew, from the letter in the mailbox of the local stack. */
export async function resetLink(visitor) {
  const letters = visitor.page.locator('article', { hasText: `To ${visitor.account.email}` });
  const link = letters.locator('a[href*="/reset-password"]').first();
  await until('the letter', async () => {
    await visitor.goto('/mailbox');
    return (await link.count()) > 0;
  });
  return link.getAttribute('href');
}

const trashed = async (visitor) => {
  const { id } = await visitor.addContact('Ada Lovelace', { company: 'Engines' });
  await visitor.act('delete-contact', { id });
  return id;
};

const project = (visitor) => visitor.act('create-project', { name: 'Turbine' });

/** Follows the link to the form; with the script the form of the list stands there already. */
async function openBeside(visitor, path, name) {
  await visitor.goto(path);
  const link = visitor.page.getByRole('link', { name, exact: true });
  if (!visitor.script) return link.click();
  const details = visitor.page.locator('[data-add] details');
  if ((await details.getAttribute('open')) === null) await details.locator('summary').click();
}

const at = (visitor, rest) => visitor.list.replace('/contacts', rest);
const press = (visitor, name, within = visitor.page) => within.getByRole('button', { name, exact: true }).click();
const ADA = { name: ' Ada Lovelace ', email: 'ada@example.com', company: 'Engines', phone: '+44 20 7946 0000', notes: 'Met in London.\nLikes numbers.' };
const BAD_CONTACT = {
  fields: { name: '', email: 'no email', company: 'Kept', phone: '123456789012345678901', notes: 'Kept\nnotes' },
  messages: { name: 'Name is required', email: 'Invalid email format', phone: 'Phone too long' },
};

export const FORMS = [
  {
    form: '/sign-up: sign-up',
    signedOut: true,
    before: (visitor) => visitor.goto('/sign-up'),
    refused: {
      fields: { name: 'Ann', email: 'ann@', password: 'short', organization: '' },
      messages: { email: 'Invalid email format', password: 'Password must be at least 8 characters', organization: 'Organization is required' },
    },
    send: async (visitor) => {
      await visitor.fill({ name: 'Ann', email: 'sign-up@example.com', password: 'correct horse', organization: 'Signed up' });
      await press(visitor, 'Create account');
      await visitor.reads('No contacts yet');
    },
  },
  {
    form: '/sign-in: sign-in',
    before: async (visitor) => {
      await visitor.context.clearCookies();
      await visitor.goto('/sign-in');
    },
    refused: { fields: { email: 'nobody@example.com', password: 'a wrong password' }, message: 'Wrong email or password' },
    send: async (visitor) => {
      await visitor.fill({ email: visitor.account.email, password: visitor.account.password });
      await press(visitor, 'Sign in');
      await visitor.reads('No contacts yet');
    },
  },
  {
    form: 'every page: sign-out',
    before: (visitor) => visitor.goto(visitor.list),
    send: async (visitor) => {
      await press(visitor, 'Sign out');
      await visitor.at('/sign-in');
    },
  },
  {
    form: '/t/{tenant}/contacts: create-contact',
    before: async (visitor) => {
      await visitor.addContact('Grace Hopper');
      await openBeside(visitor, visitor.list, 'Add Contact');
    },
    refused: BAD_CONTACT,
    send: async (visitor) => {
      await visitor.fill(ADA);
      await press(visitor, 'Create Contact');
      await visitor.reads('Contact created!');
      await visitor.sees('Ada Lovelace', 'Grace Hopper');
    },
  },
  {
    form: '/t/{tenant}/contacts/new: create-contact',
    before: async (visitor) => {
      await visitor.addContact('Grace Hopper');
      await visitor.goto(`${visitor.list}/new`);
    },
    refused: { fields: { name: 'Grace', email: 'GRACE.hopper@example.com' }, messages: { email: 'Contact with this email already exists' } },
    send: async (visitor) => {
      await visitor.fill(ADA);
      await press(visitor, 'Create Contact');
      await visitor.reads('Contact created!');
    },
  },
  {
    form: '/t/{tenant}/contacts/{id}/edit: update-contact',
    before: async (visitor) => {
      const { id } = await visitor.addContact('Ada King', { company: 'Before', notes: 'Gone' });
      await visitor.goto(`${visitor.list}/${id}/edit`);
    },
    refused: BAD_CONTACT,
    send: async (visitor) => {
      await visitor.fill({ ...ADA, notes: '' });
      await press(visitor, 'Update Contact');
      await visitor.reads('Contact updated!');
    },
  },
  {
    form: '/t/{tenant}/contacts/{id}/edit: update-contact',
    about: 'that somebody overtook',
    before: async (visitor) => {
      const { id } = await visitor.addContact('Ada King', { company: 'Before' });
      await visitor.goto(`${visitor.list}/${id}/edit`);
      await visitor.act('update-contact', { id, version: '1', name: 'Ada King', email: 'theirs@example.com', company: 'Theirs' });
    },
    refused: { fields: { ...ADA, company: 'Mine' }, conflict: ['Name', 'Email', 'Company', 'Phone', 'Notes'] },
    send: async (visitor) => {
      await press(visitor, 'Update Contact');
      await visitor.reads('Contact updated!');
    },
  },
  {
    form: '/t/{tenant}/contacts/{id}/delete: delete-contact',
    before: async (visitor) => {
      await visitor.addContact('Ada Lovelace');
      await visitor.goto(visitor.list);
    },
    send: async (visitor) => {
      await visitor.page.getByRole('link', { name: 'Delete Ada Lovelace' }).click();
      await press(visitor, 'Delete');
      await visitor.reads('Contact deleted!');
    },
  },
  {
    form: '/t/{tenant}/contacts/{id}/delete: delete-contact',
    about: 'on its own page, of a contact that is gone',
    before: async (visitor) => {
      const { id } = await visitor.addContact('Ada Lovelace');
      await visitor.addContact('Grace Hopper');
      await visitor.goto(`${visitor.list}/${id}/delete`);
      await visitor.act('delete-contact', { id });
    },
    refused: { fields: {}, message: 'Contact not found or access denied' },
  },
  {
    form: '/t/{tenant}/contacts/{id}/delete: delete-contact',
    about: 'on its own page',
    before: async (visitor) => {
      const { id } = await visitor.addContact('Ada Lovelace');
      await visitor.goto(`${visitor.list}/${id}/delete`);
    },
    send: async (visitor) => {
      await press(visitor, 'Delete');
      await visitor.reads('Contact deleted!');
    },
  },
  {
    form: '/t/{tenant}/contacts/trash: restore-contact',
    before: async (visitor) => {
      await trashed(visitor);
      await visitor.goto(`${visitor.list}/trash`);
    },
    send: async (visitor) => {
      await press(visitor, 'Restore');
      await visitor.reads('Contact restored!');
    },
  },
  {
    form: '/t/{tenant}/contacts/trash: restore-contact',
    about: 'whose email has been taken',
    before: async (visitor) => {
      await trashed(visitor);
      await visitor.addContact('Ada Lovelace');
      await visitor.goto(`${visitor.list}/trash`);
    },
    refused: { fields: {}, messages: { email: 'Contact with this email already exists' } },
    send: async (visitor) => {
      await visitor.fill({ email: 'another@example.com' });
      await press(visitor, 'Restore Contact');
      await visitor.reads('Contact restored!');
    },
  },
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
    refused: { fields: { name: 'n'.repeat(101) }, messages: { name: 'Name too long' } },
    send: async (visitor) => {
      await visitor.fill({ name: 'Second turbine' });
      await press(visitor, 'Create Project');
      await visitor.reads('Project created!');
    },
  },
  {
    form: '/t/{tenant}/projects/{id}/edit: rename-project',
    before: async (visitor) => {
      const { id } = await project(visitor);
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
      await project(visitor);
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
      const { id } = await project(visitor);
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
    letters: 1,
    before: (visitor) => openBeside(visitor, at(visitor, '/members'), 'Invite'),
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
    letters: 1,
    before: (visitor) => visitor.goto(at(visitor, '/members/invite')),
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
      await joined(visitor, 'member');
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
      await joined(visitor, 'member');
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
    about: 'that withdraws an invitation',
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
      const link = await belongToTwo(visitor);
      await visitor.act('accept-invite', { token: token(link), name: '', password: visitor.account.password });
      const { tenant } = await visitor.act('sign-in', { email: visitor.account.email, password: visitor.account.password });
      await visitor.goto(`/t/${tenant}/settings`);
      await press(visitor, `Switch to Second of ${visitor.account.organization}`);
      await visitor.page.getByRole('link', { name: 'Members' }).click();
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
    about: 'of somebody who has an account',
    before: async (visitor) => {
      const link = await belongToTwo(visitor);
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
    form: '/t/{tenant}/settings: update-profile',
    before: (visitor) => visitor.goto(at(visitor, '/settings')),
    refused: { action: 'update-profile', fields: { name: '' }, messages: { name: 'Name is required' } },
    send: async (visitor) => {
      await visitor.page.locator('#name').fill('Ann Other');
      await press(visitor, 'Save profile');
      await visitor.reads('Profile updated!');
    },
  },
  {
    form: '/t/{tenant}/settings: change-password',
    before: (visitor) => visitor.goto(at(visitor, '/settings')),
    refused: {
      action: 'change-password',
      fields: { currentPassword: 'not the password', newPassword: 'a longer password' },
      messages: { currentPassword: 'Wrong password' },
    },
    send: async (visitor) => {
      await visitor.page.locator('#currentPassword').fill(visitor.account.password);
      await visitor.page.locator('#newPassword').fill('a longer password');
      await press(visitor, 'Change password');
      await visitor.reads('Password changed!');
    },
  },
  {
    form: '/t/{tenant}/settings: switch-organization',
    before: async (visitor) => {
      const link = await belongToTwo(visitor);
      await visitor.act('accept-invite', { token: token(link), name: '', password: visitor.account.password });
      await visitor.act('sign-in', { email: visitor.account.email, password: visitor.account.password });
      await visitor.goto(at(visitor, '/settings'));
    },
    send: async (visitor) => {
      await press(visitor, `Switch to Second of ${visitor.account.organization}`);
      await visitor.reads('No contacts yet');
    },
  },
  {
    form: '/t/{tenant}/settings: end-session',
    before: async (visitor) => {
      await visitor.act('sign-in', { email: visitor.account.email, password: visitor.account.password });
      await visitor.goto(at(visitor, '/settings'));
    },
    send: async (visitor) => {
      await visitor.page.getByRole('button', { name: /^End session/ }).click();
      await visitor.reads('Session ended!');
    },
  },
  {
    form: '/t/{tenant}/settings: sign-out-everywhere',
    before: (visitor) => visitor.goto(at(visitor, '/settings')),
    send: async (visitor) => {
      await press(visitor, 'Sign out everywhere');
      await visitor.at('/sign-in');
    },
  },
  {
    form: '/forgot-password: request-password-reset',
    letters: 1,
    before: async (visitor) => {
      await visitor.context.clearCookies();
      await visitor.goto('/sign-in');
      await visitor.page.getByRole('link', { name: /forgot/i }).click();
    },
    refused: { fields: { email: 'no email' }, messages: { email: 'Invalid email format' } },
    send: async (visitor) => {
      await visitor.fill({ email: visitor.account.email });
      await press(visitor, 'Send me a link');
      await visitor.page.locator('.told').filter({ visible: true }).waitFor();
    },
  },
  {
    form: '/reset-password: reset-password',
    before: async (visitor) => {
      await visitor.context.clearCookies();
      await visitor.act('request-password-reset', { email: visitor.account.email });
      await visitor.page.goto(await resetLink(visitor));
    },
    refused: { fields: { password: 'short' }, messages: { password: 'Password must be at least 8 characters' } },
    send: async (visitor) => {
      await visitor.fill({ password: 'an entirely new password' });
      await press(visitor, 'Set password');
      await visitor.reads('No contacts yet');
    },
  },
  {
    form: '/t/{tenant}/contacts: search',
    reads: true,
    before: async (visitor) => {
      await visitor.addContact('Ada Lovelace');
      await visitor.addContact('Grace Hopper');
      await visitor.goto(visitor.list);
    },
    send: async (visitor) => {
      await visitor.page.getByRole('searchbox').fill('LOVE');
      await press(visitor, 'Search');
      await visitor.sees('Ada Lovelace');
    },
  },
  {
    form: '/t/{tenant}/audit: filter',
    reads: true,
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
];

/** The forms on the page that is open, those in templates too: the page's path without what is
 *  particular to an organisation, and the action. A form that reads goes by its class. */
export function formsOn(page) {
  return page.evaluate(() => {
    const path = location.pathname.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, '{id}').replace(/^\/t\/[^/]+/, '/t/{tenant}');
    const roots = [document, ...[...document.querySelectorAll('template')].map((template) => template.content)];
    const forms = roots.flatMap((root) => [...root.querySelectorAll('form')]);
    return forms.map((form) => {
      const action = form.getAttribute('action').replace(/^\/actions\//, '');
      if (form.method === 'get') return `${path}: ${form.className}`;
      return `${action === 'sign-out' ? 'every page' : path}: ${action}`;
    });
  });
}
