// Signing up, in and out, and the pages that follow.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openProduct } from './harness.mjs';

const { visit } = openProduct();

for (const javaScriptEnabled of [true, false]) {
  const stranger = { javaScriptEnabled, signedIn: false };
  const member = { javaScriptEnabled };
  const email = (name) => `${name}-${javaScriptEnabled}@example.com`;

  describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test('signing up leads to the empty list of a new organization', visit(stranger, async (visitor) => {
      const { page } = visitor;
      await visitor.goto('/');
      await visitor.at('/sign-in');
      await visitor.canGoOn();
      await page.getByRole('link', { name: 'Create an account' }).click();
      await visitor.canGoOn();
      await visitor.fill({ name: 'Ada', email: email('up'), password: 'correct horse', organization: `Ada & Co ${javaScriptEnabled}` });
      await visitor.submit().click();
      await visitor.at(`/t/ada-co-${javaScriptEnabled}/contacts`);
      await visitor.reads('No contacts yet');
      await visitor.reads(`Ada & Co ${javaScriptEnabled}`);
      await visitor.canGoOn();
    }));

    test('errors of a sign-up are shown beside the fields, and the password is not sent back', visit(stranger, async (visitor) => {
      const { page } = visitor;
      await visitor.goto('/sign-up');
      await visitor.fill({ name: 'Ada', email: 'ada@', password: 'short' });
      const [response] = await Promise.all([page.waitForResponse('**/actions/sign-up'), visitor.submit().click()]);
      assert.equal(response.status(), 400);
      await page.locator('.summary').waitFor();
      const messages = await page.locator('.summary li').allTextContents();
      assert.deepEqual(messages, ['Invalid email format', 'Password must be at least 8 characters', 'Organization is required']);
      for (const name of ['email', 'password', 'organization']) await page.locator(`#${name}-error`).waitFor();
      assert.deepEqual(await visitor.values('name', 'email'), ['Ada', 'ada@']);
      assert(!(await response.text()).includes('short'));
      await visitor.canGoOn();
    }));

    test('an email that has an account cannot sign up again', visit(member, async (visitor) => {
      await visitor.context.clearCookies();
      await visitor.goto('/sign-up');
      await visitor.fill({ ...visitor.account, name: 'Somebody else', email: visitor.account.email.toUpperCase() });
      await visitor.submit().click();
      await visitor.page.locator('.summary').getByText('An account with this email already exists').waitFor();
      assert.deepEqual(await visitor.values('name'), ['Somebody else']);
    }));

    test('signing in leads to the page that required it', visit(member, async (visitor) => {
      const { page, list, account } = visitor;
      await visitor.addContact('Ada Lovelace');
      await visitor.addContact('Grace Hopper');
      await visitor.context.clearCookies();
      await visitor.goto(`${list}?q=ada`);
      assert.match(page.url(), /\/sign-in\?return_to=/);
      await visitor.fill({ email: account.email, password: 'a wrong password' });
      await visitor.submit().click();
      await visitor.reads('Wrong email or password');
      assert.deepEqual(await visitor.values('email'), [account.email]);
      await visitor.canGoOn();
      await visitor.fill({ password: account.password });
      await visitor.submit().click();
      await visitor.at(`${list}?q=ada`);
      await visitor.sees('Ada Lovelace');
    }));

    test('signing in never leads to another site', visit(member, async (visitor) => {
      for (const target of ['https://evil.example/', '//evil.example/', '/\\evil.example']) {
        await visitor.context.clearCookies();
        await visitor.goto(`/sign-in?return_to=${encodeURIComponent(target)}`);
        await visitor.fill({ email: visitor.account.email, password: visitor.account.password });
        await visitor.submit().click();
        await visitor.at(visitor.list);
      }
    }));

    test('signing out ends the session, here and in other tabs', visit(member, async (visitor) => {
      const { page, list } = visitor;
      await visitor.goto(list);
      const cookies = await visitor.context.cookies();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await visitor.at('/sign-in');
      await visitor.canGoOn();
      await visitor.goto(list);
      assert.match(page.url(), /\/sign-in\?return_to=/);
      // For two minutes, until its token expires, the old cookie opens cached pages. This one is
      // not cached.
      await visitor.context.addCookies(cookies);
      await visitor.goto(`${list}/new`);
      assert.match(page.url(), /\/sign-in\?return_to=/);
    }));

    test('a missing page shows an error and leads on', visit(member, async (visitor) => {
      const { page, list } = visitor;
      const missing = '01970000-0000-7000-8000-000000000000';
      for (const path of ['/nothing', '/t/somebody-else/contacts', `${list}/${missing}`, `${list}/${missing}/edit`, `${list}/x/delete`]) {
        const response = await visitor.goto(path);
        assert.equal(response.status(), 404, path);
        await visitor.canGoOn();
        await page.getByRole('link', { name: 'Go to contacts' }).click();
        await visitor.at(list);
      }
    }));
  });
}
