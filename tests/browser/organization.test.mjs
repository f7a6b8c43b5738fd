// The life of an organization: invitations, roles, projects, a restored contact and the audit. With
// the script and without. `PICTURES=/some/folder` saves a screenshot of every page on the way.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { confirmationLink, resetLink } from './forms/steps.mjs';
import { Visitor, openProduct, until } from './harness.mjs';

const { visit, running } = openProduct();

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'script' : 'plain';
  const screenshot = async (visitor, name) => {
    const folder = process.env.PICTURES;
    if (!folder) return;
    await visitor.loaded();
    await visitor.page.screenshot({ path: join(folder, `${name}-${how}.png`), fullPage: true });
  };

  /** The owner proves their address, so that the product sends invitations for them. */
  const confirmEmail = async (ann) => {
    await ann.page.goto(await confirmationLink(ann));
    await screenshot(ann, 'confirm-email');
    await ann.submit().click();
    await ann.reads('Email confirmed!');
  };

  /** The owner invites `email`. Returns the link that the page shows. */
  const invite = async (ann, base, email, role) => {
    await ann.goto(`${base}/members/invite`);
    await ann.fill({ email });
    await ann.form().locator('[name=role]').selectOption(role);
    await screenshot(ann, 'invite');
    await ann.submit().click();
    await ann.reads('Invited!');
    await screenshot(ann, 'invited');
    return ann.page.locator('.link a').getAttribute('href');
  };

  /** A new user follows the link and joins, in their own browser context. */
  const accept = async (link, name) => {
    const bob = await Visitor.enter(running, { javaScriptEnabled });
    await bob.page.goto(link);
    await bob.fill({ name, password: 'another long password' });
    await screenshot(bob, 'accept');
    await bob.submit().click();
    await bob.page.getByRole('heading', { name: 'Contacts (' }).waitFor();
    bob.list = new URL(bob.page.url()).pathname;
    return bob;
  };

  const changeRole = async (ann, base, name, role) => {
    await ann.goto(`${base}/members`);
    await screenshot(ann, 'members');
    await ann.page.getByRole('link', { name: `Edit ${name}` }).click();
    await ann.page.locator('[name=role]').selectOption(role);
    await screenshot(ann, 'member');
    await ann.page.getByRole('button', { name: 'Change Role' }).click();
    await ann.reads('Role changed!');
  };

  const useProject = async (ann, base) => {
    await ann.goto(`${base}/projects/new`);
    await ann.fill({ name: 'Second turbine' });
    await ann.submit().click();
    await ann.reads('Project created!');
    await ann.page.getByRole('link', { name: 'Edit Second turbine' }).click();
    await screenshot(ann, 'project');
    await ann.page.getByRole('button', { name: 'Archive Project' }).click();
    await ann.reads('Project archived!');
    await ann.page.getByText('No projects yet').waitFor();
    await ann.page.getByRole('link', { name: 'Show archived' }).click();
    await screenshot(ann, 'projects-archived');
    await ann.page.getByRole('link', { name: 'Edit Second turbine' }).click();
    await ann.page.getByRole('button', { name: 'Restore Project' }).click();
    await ann.reads('Project restored!');
    await ann.page.getByRole('link', { name: 'Edit Second turbine' }).waitFor();
  };

  describe(`an organization, ${how}`, () => {
    test('from the first invitation to the audit', visit({ javaScriptEnabled }, async (ann) => {
      const base = ann.list.replace('/contacts', '');
      await confirmEmail(ann);
      const link = await invite(ann, base, `bob-${how}@example.com`, 'member');
      await until('the email', async () => {
        await ann.goto('/mailbox');
        return (await ann.page.getByText(`bob-${how}@example.com`).count()) > 0;
      });
      await screenshot(ann, 'mailbox');
      const bob = await accept(link, 'Bob Builder');
      await bob.page.goto(link);
      await bob.canGoOn();
      await screenshot(bob, 'used-link');

      await bob.addContact('Ada');
      const [{ id }] = await bob.contacts();
      await bob.act('delete-contact', { id });
      await ann.goto(`${base}/contacts/trash`);
      await screenshot(ann, 'trash');
      await ann.page.getByRole('button', { name: 'Restore' }).click();
      await ann.reads('Contact restored!');
      await ann.page.getByText('Deleted by Bob Builder').waitFor();
      await screenshot(ann, 'contact');

      await changeRole(ann, base, 'Bob Builder', 'viewer');
      await bob.goto(`${base}/contacts/new`);
      await bob.page.getByText('You are not allowed to do this').first().waitFor();
      await bob.canGoOn();
      await screenshot(bob, 'refused');
      await useProject(ann, base);

      await ann.goto(`${base}/audit`);
      for (const words of ['invite-member', 'change-role', 'restore-contact', 'archive-project']) {
        await ann.page.getByRole('link', { name: words, exact: true }).first().waitFor();
      }
      await screenshot(ann, 'audit');
      await ann.page.getByRole('link', { name: 'change-role', exact: true }).first().click();
      await until('one record', async () => (await ann.page.locator('.results .record').count()) === 1);
      await bob.goto(`${base}/audit`);
      await bob.canGoOn();
      assert.equal(await bob.page.locator('.record').count(), 0);
      assert.deepEqual(bob.consoleErrors, []);
      await bob.context.close();
    }));

    test('settings: a new name, a new password, the sessions', visit({ javaScriptEnabled }, async (ann) => {
      const base = ann.list.replace('/contacts', '');
      await ann.goto(`${base}/settings`);
      await screenshot(ann, 'settings');
      await ann.page.locator('[name=name]').fill('Ann Other');
      await ann.page.getByRole('button', { name: /profile/i }).click();
      await ann.reads('Profile updated!');
      await ann.goto(`${base}/members`);
      await ann.reads('Ann Other');
      await ann.goto(`${base}/settings`);
      await ann.page.locator('[name=currentPassword]').fill('not the password');
      await ann.page.locator('[name=newPassword]').fill('a longer password');
      await ann.page.getByRole('button', { name: /password/i }).click();
      await ann.page.locator('.summary').waitFor();
      await screenshot(ann, 'wrong-password');
      await ann.page.locator('[name=currentPassword]').fill(ann.account.password);
      await ann.page.locator('[name=newPassword]').fill('a longer password');
      await ann.page.getByRole('button', { name: /password/i }).click();
      await ann.reads('Password changed!');
    }));

    test('a forgotten password is reset by an email', visit({ javaScriptEnabled }, async (ann) => {
      await ann.context.clearCookies();
      await ann.goto('/sign-in');
      await ann.page.getByRole('link', { name: /forgot/i }).click();
      await ann.fill({ email: ann.account.email });
      await screenshot(ann, 'forgot');
      await ann.submit().click();
      await ann.page.locator('.confirmation').filter({ visible: true }).waitFor();
      await screenshot(ann, 'forgot-sent');
      await ann.page.goto(await resetLink(ann));
      await ann.fill({ password: 'an entirely new password' });
      await screenshot(ann, 'reset');
      await ann.submit().click();
      await ann.page.getByRole('heading', { name: 'Contacts (' }).waitFor();
    }));
  });
}

test('an invited user whose session has ended gets a message and joins after signing in again', visit({}, async (ann) => {
  const bob = await Visitor.enter(running);
  await bob.signUp({ organization: 'Elsewhere' });
  const { email, password } = bob.account;
  const { link } = await ann.act('invite-member', { email, role: 'member' });
  await bob.goto(link);
  await bob.reads('You are signed in with that email.');
  await bob.context.clearCookies();
  await bob.submit().click();
  await bob.reads('Your session has ended.');

  const [tab] = await Promise.all([bob.context.waitForEvent('page'), bob.page.getByRole('link', { name: 'Sign in again in a new tab' }).click()]);
  await bob.fill({ email, password }, tab);
  await bob.submit(tab).click();
  await tab.getByRole('heading', { name: 'Contacts (' }).waitFor();
  await bob.submit().click();
  await bob.at(ann.list);
  assert.deepEqual(bob.consoleErrors, []);
  await bob.context.close();
}));
