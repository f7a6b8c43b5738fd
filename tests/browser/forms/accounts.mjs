// The forms about accounts: signing in and up, passwords and settings. `../forms.mjs` describes the
// fields.
import { token } from '../crawl.mjs';
import { at, confirmationLink, inviteAndJoin, inviteToSecondOrganization, openOwn, press, resetLink } from './steps.mjs';

export const ACCOUNTS = [
  {
    form: '/sign-up: sign-up',
    emails: 1,
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
      const link = await inviteToSecondOrganization(visitor);
      await visitor.act('accept-invite', { token: token(link), name: '', password: visitor.account.password });
      await openOwn(visitor);
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
    emails: 1,
    before: async (visitor) => {
      await visitor.context.clearCookies();
      await visitor.goto('/sign-in');
      await visitor.page.getByRole('link', { name: /forgot/i }).click();
    },
    refused: { fields: { email: 'no email' }, messages: { email: 'Invalid email format' } },
    send: async (visitor) => {
      await visitor.fill({ email: visitor.account.email });
      await press(visitor, 'Send me a link');
      await visitor.page.locator('.confirmation').filter({ visible: true }).waitFor();
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
    form: '/t/{tenant}/settings: send-confirmation',
    about: 'shortly after the first link',
    before: (visitor) => visitor.goto(at(visitor, '/settings')),
    send: async (visitor) => {
      await press(visitor, 'Send the link again');
      await visitor.reads('A link was sent a short time ago');
    },
  },
  {
    form: '/confirm-email: confirm-email',
    before: async (visitor) => {
      const link = await confirmationLink(visitor);
      await visitor.page.goto(link);
    },
    send: async (visitor) => {
      await press(visitor, 'Confirm my email');
      await visitor.reads('Email confirmed!');
    },
  },
  {
    form: '/t/{tenant}/settings/email: change-email',
    emails: 1,
    before: async (visitor) => {
      await visitor.goto(at(visitor, '/settings'));
      await visitor.page.getByRole('link', { name: 'Change your email' }).click();
    },
    refused: { fields: { email: 'no email', password: '' }, messages: { email: 'Invalid email format', password: 'Password is required' } },
    send: async (visitor) => {
      await visitor.fill({ email: `new.${visitor.account.email}`, password: visitor.account.password });
      await press(visitor, 'Send me a link');
      await visitor.reads('A link is on its way to the new address.');
    },
  },
  {
    form: '/t/{tenant}/settings/delete: delete-account',
    emails: 1,
    before: async (visitor) => {
      await inviteAndJoin(visitor, 'owner');
      await visitor.goto(at(visitor, '/settings'));
      await visitor.page.getByRole('link', { name: 'Delete your account' }).click();
    },
    refused: { fields: { password: 'not the password' }, messages: { password: 'Wrong password' } },
    send: async (visitor) => {
      await visitor.fill({ password: visitor.account.password });
      await press(visitor, 'Delete my account');
      await visitor.reads('Your account is deleted.');
    },
  },
];
