// Steps that the tests of forms share.
import { token } from '../crawl.mjs';
import { Visitor, until } from '../harness.mjs';

export const OTHER = { name: 'Other Person', password: 'another long password' };

/** A second user, in their own browser context, which closes with the visitor's. */
export async function another(visitor) {
  const other = await Visitor.enter(visitor.running, { javaScriptEnabled: visitor.script });
  visitor.context.on('close', () => other.context.close());
  return other;
}

/** Invites a user. Returns their id and their link. */
export async function invite(visitor, role = 'member') {
  const email = `other.${visitor.account.email}`;
  const { link, id } = await visitor.act('invite-member', { email, role });
  return { id, link };
}

/** Invites a user, who accepts. */
export async function inviteAndJoin(visitor, role) {
  const invitation = await invite(visitor, role);
  const other = await another(visitor);
  await other.act('accept-invite', { token: token(invitation.link), ...OTHER });
}

/** Invites the visitor to a second organization, owned by another user. Returns the link. */
export async function inviteToSecondOrganization(visitor) {
  const owner = await another(visitor);
  await owner.signUp({ email: `owner.${visitor.account.email}`, organization: `Second of ${visitor.account.organization}` });
  const { link } = await owner.act('invite-member', { email: visitor.account.email, role: 'member' });
  return link;
}

/** Switches back to the visitor's own organization. */
export const openOwn = (visitor) => visitor.act('switch-organization', { tenant: visitor.list.split('/')[2] });

/** The link that resets a password, from the email in the mailbox of the local stack. */
export const resetLink = (visitor) => emailedLink(visitor, '/reset-password');

/** The link that confirms the visitor's email, or another one of theirs. */
export const confirmationLink = (visitor, email) => emailedLink(visitor, '/confirm-email', email);

/** Confirms the visitor's email. */
export async function confirm(visitor) {
  await visitor.act('confirm-email', { token: token(await confirmationLink(visitor)) });
}

async function emailedLink(visitor, path, email = visitor.account.email) {
  const emails = visitor.page.locator('article', { hasText: `To ${email}` });
  const link = emails.locator(`a[href*="${path}"]`).first();
  await until('the email', async () => {
    await visitor.goto('/mailbox');
    return (await link.count()) > 0;
  });
  return link.getAttribute('href');
}

export const addDeletedContact = async (visitor) => {
  const { id } = await visitor.addContact('Ada Lovelace', { company: 'Engines' });
  await visitor.act('delete-contact', { id });
  return id;
};

export const addProject = (visitor) => visitor.act('create-project', { name: 'Turbine' });

/** Opens the form beside a list. Without the script, a link leads to it. */
export async function openBeside(visitor, path, name) {
  await visitor.goto(path);
  const link = visitor.page.getByRole('link', { name, exact: true });
  if (!visitor.script) return link.click();
  const details = visitor.page.locator('[data-add] details');
  if ((await details.getAttribute('open')) === null) await details.locator('summary').click();
}

export const at = (visitor, rest) => visitor.list.replace('/contacts', rest);
export const press = (visitor, name, within = visitor.page) => within.getByRole('button', { name, exact: true }).click();
export const ADA = { name: ' Ada Lovelace ', email: 'ada@example.com', company: 'Engines', phone: '+44 20 7946 0000', notes: 'Met in London.\nLikes numbers.' };
export const BAD_CONTACT = {
  fields: { name: '', email: 'no email', company: 'Kept', phone: '123456789012345678901', notes: 'Kept\nnotes' },
  messages: { name: 'Name is required', email: 'Invalid email format', phone: 'Phone too long: it has 21 characters; 20 fit, and an extension' },
};
