// Links into another organization, forms in old tabs, messages in the address, and words that fit the
// place where they stand. With the script and without. `PICTURES=/some/folder` saves screenshots.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { token } from './crawl.mjs';
import { Visitor, openProduct, until } from './harness.mjs';

const { visit, running } = openProduct();

async function picture(visitor, name) {
  if (!process.env.PICTURES) return;
  for (const [look, width, colorScheme] of [['desktop', 1200, 'light'], ['phone', 375, 'light'], ['dark', 1200, 'dark']]) {
    await visitor.page.setViewportSize({ width, height: 800 });
    await visitor.page.emulateMedia({ colorScheme });
    await visitor.page.screenshot({ path: join(process.env.PICTURES, `${name}-${look}.png`), fullPage: true });
  }
  await visitor.page.setViewportSize({ width: 1200, height: 800 });
  await visitor.page.emulateMedia({ colorScheme: 'light' });
}

/** Makes the visitor a member of a second organization, in a session of the first. Returns its path. */
async function joinAnother(visitor) {
  const { email, password } = visitor.account;
  const owner = await Visitor.enter(visitor.running);
  await owner.signUp({ organization: 'Beta Works' });
  const { link } = await owner.act('invite-member', { email, role: 'member' });
  await owner.addContact('Zoe');
  await owner.context.close();
  await visitor.act('accept-invite', { token: token(link), name: '', password });
  await visitor.act('switch-organization', { tenant: visitor.list.split('/')[2] });
  return owner.list.replace('/contacts', '');
}

for (const javaScriptEnabled of [true, false]) {
  describe(javaScriptEnabled ? 'with the script' : 'without the script', () => {
    test('a link into another organization offers to switch, and leads to its page', visit({ javaScriptEnabled }, async (visitor) => {
      const { page } = visitor;
      const other = await joinAnother(visitor);
      await visitor.goto(`${other}/contacts?q=zo`);
      await visitor.reads('This page is in another of your organizations');
      await visitor.loaded();
      await picture(visitor, `switch-${javaScriptEnabled}`);
      await page.getByRole('button', { name: 'Switch organization' }).click();
      await visitor.at(`${other}/contacts?q=zo`);
      await visitor.sees('Zoe');
      // And no further than to the list from the page that was not wanted.
      await visitor.goto(visitor.list);
      await page.getByRole('link', { name: 'Cancel' }).click();
      await visitor.at(`${other}/contacts`);
    }));

    test('forms of the account work in a tab from before a switch', visit({ javaScriptEnabled }, async (visitor) => {
      const { page, context, account } = visitor;
      const other = await joinAnother(visitor);
      const settings = visitor.list.replace('contacts', 'settings');
      await visitor.goto(settings);
      const tab = await context.newPage();
      await visitor.goto(settings, tab);
      await tab.getByRole('button', { name: 'Switch to Beta Works' }).click();
      await tab.getByRole('heading', { name: 'Contacts (' }).waitFor();
      await page.getByLabel('Name').fill('Another Name');
      await page.getByRole('button', { name: 'Save profile' }).click();
      await visitor.reads('Profile updated!');
      assert(page.url().startsWith(`${visitor.url}${other}/settings`), page.url());
      await page.getByLabel('Current password').fill(account.password);
      await page.getByLabel('New password').fill('quite another password');
      await page.getByRole('button', { name: 'Change password' }).click();
      await visitor.reads('Password changed!');
      assert.equal(await page.getByLabel('Name').inputValue(), 'Another Name');
      // A third tab, from before both.
      await visitor.goto(`${other}/settings`, tab);
      await visitor.act('switch-organization', { tenant: visitor.list.split('/')[2] });
      await tab.getByRole('button', { name: 'Sign out everywhere' }).click();
      await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
    }));

    test('Enter in the address bar after a refused form leads to the form', visit({ javaScriptEnabled: false }, async (visitor) => {
      const { page } = visitor;
      await visitor.openAddForm();
      await visitor.fill({ name: 'Ada', email: 'wrong' });
      await visitor.submit().click();
      await visitor.at('/actions/create-contact');
      await visitor.goto('/actions/create-contact');
      await visitor.at(`${visitor.list}/new`);
      await page.getByRole('heading', { name: 'Add Contact' }).waitFor();
    }));

    test('pages of errors keep the navigation', visit({ javaScriptEnabled }, async (visitor) => {
      const { page } = visitor;
      await visitor.goto(`${visitor.list}/`);
      await visitor.at(visitor.list);
      await visitor.goto('/nowhere');
      await visitor.reads('Page not found');
      await picture(visitor, `not-found-${javaScriptEnabled}`);
      assert.equal(await page.getByText('Sign in').count(), 0);
      await page.getByRole('link', { name: 'Settings' }).click();
      await page.getByRole('heading', { name: 'Settings' }).waitFor();
      await visitor.goto(visitor.list.replace('contacts', 'audit?action=a%20b'));
      await visitor.reads('Unknown action', page.locator('.field'));
      assert.equal(await page.locator('#action').inputValue(), 'a b');
      await picture(visitor, `filter-${javaScriptEnabled}`);
      await page.locator('#action').fill('sign-up');
      await page.getByRole('button', { name: 'Filter' }).click();
      await page.locator('.record').first().waitFor();
    }));
  });
}

test('a message is shown once: it leaves the address, and a reload does not bring it back', visit({}, async (visitor) => {
  const { page } = visitor;
  const { id } = await visitor.addContact('Ada');
  for (const [path, text] of [
    [`${visitor.list}/${id}#contact-updated`, 'Contact updated!'],
    [`${visitor.list}?q=ada#contact-deleted`, 'Contact deleted!'],
    [visitor.list.replace('contacts', 'settings#profile-updated'), 'Profile updated!'],
    [visitor.list.replace('contacts', 'projects#project-created'), 'Project created!'],
    ['/forgot-password#link-sent', 'a link is on its way'],
  ]) {
    await visitor.goto('/nowhere');
    await visitor.goto(path);
    await visitor.reads(text);
    const shown = page.getByText(text);
    assert(await shown.evaluate((element) => element === document.activeElement), `the focus is on ${text}`);
    assert.equal(await shown.getAttribute('role'), 'status');
    await visitor.at(path.split('#')[0]);
    await page.reload();
    await page.locator('h1').waitFor();
    await visitor.loaded();
    assert.equal(await page.getByText(text).filter({ visible: true }).count(), 0, text);
  }
  // Another fragment stays in the address.
  await visitor.goto(`${visitor.list}#main`);
  await visitor.loaded();
  await visitor.at(`${visitor.list}#main`);
}));

test('after an edit the message is shown, and going back and forth does not bring it back', visit({}, async (visitor) => {
  const { page } = visitor;
  const { id } = await visitor.addContact('Ada');
  await visitor.goto(`${visitor.list}/${id}/edit`);
  await visitor.fill({ name: 'Ada Lovelace' });
  await visitor.submit().click();
  await visitor.reads('Contact updated!');
  await visitor.at(`${visitor.list}/${id}`);
  await until('the message to go', async () => await page.getByText('Contact updated!').filter({ visible: true }).count() === 0);
  await visitor.goto(visitor.list);
  await visitor.goBack(`${visitor.list}/${id}`);
  assert.equal(await page.getByText('Contact updated!').filter({ visible: true }).count(), 0);
}));

test('the link beside the search stays on one line, and the empty list says where the form is', visit({}, async (visitor) => {
  const { page } = visitor;
  await visitor.goto(visitor.list);
  await visitor.loaded();
  await visitor.reads('Add your first contact on the left.');
  await picture(visitor, 'empty');
  await page.setViewportSize({ width: 700, height: 800 });
  await visitor.reads('Add your first contact using the form above.');
  assert.equal(await page.getByText('Add your first').filter({ visible: true }).count(), 1);
  await visitor.goto(visitor.list.replace('contacts', 'projects'));
  await visitor.reads('Add your first project using the form above.');
  await page.setViewportSize({ width: 1200, height: 800 });
  await visitor.reads('Add your first project on the left.');
  for (const width of [320, 375, 480, 560, 600, 700, 900, 1200]) {
    await page.setViewportSize({ width, height: 800 });
    await visitor.goto(`${visitor.list}?q=nobody`);
    await visitor.loaded();
    const lines = await page.getByRole('link', { name: 'Clear' }).evaluate((link) => {
      const range = document.createRange();
      range.selectNodeContents(link);
      return range.getClientRects().length;
    });
    assert.equal(lines, 1, `${width} pixels`);
  }
  await page.setViewportSize({ width: 1200, height: 800 });
  await picture(visitor, 'search');
}));

test('somebody who has left and is signed in elsewhere is not asked to sign in', visit({}, async (visitor) => {
  const { page, account } = visitor;
  const owner = await Visitor.enter(running);
  await owner.signUp({ organization: 'Gamma' });
  const { link } = await owner.act('invite-member', { email: account.email, role: 'member' });
  await owner.context.close();
  await visitor.act('accept-invite', { token: token(link), name: '', password: account.password });
  await page.goto(new URL(link, visitor.url).href);
  await visitor.reads('This invitation has been accepted already.');
  assert.equal(await page.getByText(/sign in/i).count(), 0);
  await page.getByRole('link', { name: 'Go to contacts' }).click();
  await page.getByRole('heading', { name: 'Contacts (' }).waitFor();
}));
