// Everything by keyboard alone, with the script and without: no mouse, no touch.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crawl, furnish, startsOf } from './crawl.mjs';
import { resetLink } from './forms/steps.mjs';
import { openProduct, until } from './harness.mjs';

const { visit } = openProduct();

/** A visitor's hands on the keyboard. */
class Keys {
  constructor(visitor) {
    this.visitor = visitor;
    this.page = visitor.page;
  }

  press(...keys) {
    return keys.reduce((done, key) => done.then(() => this.page.keyboard.press(key)), Promise.resolve());
  }

  /** What has the focus: its role for a person, its name, and whether the focus can be seen. */
  async focus() {
    await this.visitor.loaded();
    return this.page.evaluate(() => {
      const element = document.activeElement;
      const label = element.labels?.[0]?.firstChild.textContent;
      const labelledBy = (element.getAttribute('aria-labelledby') ?? '').split(' ').filter(Boolean).map((id) => document.getElementById(id).textContent);
      const name = label ?? element.getAttribute('aria-label') ?? (labelledBy.join(' ') || element.textContent);
      const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
      const { top, bottom, left, right } = element.getBoundingClientRect();
      return {
        name: name.trim().replace(/\s+/g, ' '),
        tag: element.localName,
        stop: element.dataset.stop,
        visible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && outlineColor !== 'rgba(0, 0, 0, 0)'
          && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
      };
    });
  }

  /** Presses Tab until the focus is on what goes by this name, seeing it on each stop. */
  async tabTo(name, key = 'Tab') {
    const passed = [];
    for (let presses = 0; presses < 60; presses += 1) {
      await this.press(key);
      const focus = await this.focus();
      if (focus.tag !== 'body') assert(focus.visible, `the focus on "${focus.name}" can be seen at ${this.page.url()}`);
      if (focus.name === name) return passed;
      passed.push(focus.name);
    }
    return assert.fail(`no way to "${name}" at ${this.page.url()}, only to ${[...new Set(passed)]}`);
  }

  async into(fields) {
    for (const [name, value] of Object.entries(fields)) {
      await this.tabTo(name);
      await this.press('Control+a');
      await this.page.keyboard.type(value);
    }
  }

  async follow(name) {
    await this.tabTo(name);
    await this.press('Enter');
  }

  /** The first heading of the page that is there now. */
  async lands(heading) {
    await this.page.getByRole('heading', { name: heading, level: 1 }).waitFor();
  }

  /** A message that a screen reader says. */
  async hears(words) {
    await this.page.getByRole('status').filter({ hasText: words, visible: true }).waitFor();
  }
}

/** After a refusal the next Tab leads to the first message, and Enter from there into the field. */
async function correct(keys, message, field) {
  await keys.page.locator('.summary').waitFor();
  assert.match(await keys.page.title(), /^Error: /);
  await until('the focus on the summary', () => keys.page.evaluate(() => document.activeElement.className === 'summary'));
  await keys.follow(message);
  await until(`the focus in ${field}`, async () => (await keys.visitor.page.evaluate(() => document.activeElement.id)) === field);
}

for (const javaScriptEnabled of [true, false]) {
  describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test('an account, a contact and all that is done to it', visit({ javaScriptEnabled, signedIn: false }, async (visitor) => {
      const { page } = visitor;
      const keys = new Keys(visitor);
      await visitor.goto('/');
      await keys.follow('Create an account');
      await keys.lands('Create your account');
      await keys.into({ 'Your name': 'Ann', Email: `keys-${javaScriptEnabled}@example.com`, Password: 'short', Organization: `Keys ${javaScriptEnabled}` });
      await keys.press('Enter');
      await correct(keys, 'Password must be at least 8 characters', 'password');
      await page.keyboard.type('correct horse');
      await keys.press('Enter');
      await keys.lands('Contacts (0)');

      await openForm(keys, 'Add Contact');
      await keys.into({ Name: 'Ada Lovelace', Email: 'no email', Company: 'Engines' });
      await keys.press('Enter');
      await correct(keys, 'Invalid email format', 'email');
      await keys.press('Control+a');
      await page.keyboard.type('ada@example.com');
      await keys.tabTo('Create Contact');
      await keys.press('Space');
      await keys.hears('Contact created!');
      await keys.lands('Contacts (1)');

      await keys.tabTo('Search contacts', 'Shift+Tab');
      await page.keyboard.type('engines');
      await keys.press('Enter');
      await page.waitForURL('**?q=engines');
      await keys.follow('Ada Lovelace');
      await keys.lands('Ada Lovelace');
      await keys.follow('Edit');
      await keys.lands('Edit Contact');
      await keys.into({ Name: 'Ada King' });
      await keys.press('Enter');
      await keys.hears('Contact updated!');
      await keys.lands('Ada King');

      await keys.follow('Delete');
      if (javaScriptEnabled) await throughDialog(keys);
      else {
        await keys.lands('Delete Contact');
        await keys.follow('Delete');
      }
      await keys.hears('Contact deleted!');
      await keys.lands('Contacts (0)');
      await keys.follow('Trash');
      await keys.lands('Trash');
      await keys.follow('Restore');
      await keys.hears('Contact restored!');
      await keys.follow('Sign out');
      await keys.lands('Sign in');
    }));

    test('projects, members and settings', visit({ javaScriptEnabled }, async (visitor) => {
      const { page } = visitor;
      const keys = new Keys(visitor);
      await visitor.goto(visitor.list);
      await keys.follow('Projects');
      await keys.lands('Projects (0)');
      await openForm(keys, 'Add Project');
      await keys.into({ Name: 'Turbine' });
      await keys.press('Enter');
      await keys.hears('Project created!');
      await keys.follow('Edit Turbine');
      await keys.lands('Edit Project');
      await keys.follow('Archive Project');
      await keys.hears('Project archived!');

      await keys.follow('Members');
      await keys.lands('Members (1)');
      await openForm(keys, 'Invite');
      await keys.into({ Email: `invited.${visitor.account.email}` });
      await keys.tabTo('Role');
      await page.keyboard.type('Admin');
      await keys.follow('Invite');
      await keys.hears('Invited!');
      assert.equal(await page.locator('[name=role]').inputValue(), 'admin');
      await keys.tabTo('Role');
      await keys.press('ArrowUp');
      await keys.follow('Change role');
      await keys.hears('Role changed!');
      await keys.follow(`Edit invited.${visitor.account.email}`);
      await keys.lands(`invited.${visitor.account.email}`);
      assert.equal(await page.locator('[name=role]').inputValue(), 'member');
      await keys.tabTo('Withdraw invitation');
      await keys.press('Enter');
      await keys.follow('Withdraw invitation');
      await keys.hears('Invitation withdrawn!');

      await keys.follow('Settings');
      await keys.lands('Settings');
      await keys.into({ 'Current password': visitor.account.password, 'New password': 'a longer password' });
      await keys.press('Enter');
      await keys.hears('Password changed!');
      await keys.follow('Sign out everywhere');
      await keys.lands('Sign in');
    }));

    test('a new password by the link of a letter', visit({ javaScriptEnabled }, async (visitor) => {
      const keys = new Keys(visitor);
      await visitor.context.clearCookies();
      await visitor.goto('/forgot-password');
      await keys.into({ Email: visitor.account.email });
      await keys.press('Enter');
      await until('the answer', () => new URL(visitor.page.url()).hash !== '');
      await visitor.page.goto(await resetLink(visitor));
      await keys.into({ 'New password': 'an entirely new password' });
      await keys.follow('Set password');
      await keys.lands('Contacts (0)');
    }));

    test('on every page Tab goes through all there is, in the order of the page, and back', visit({ javaScriptEnabled }, async (visitor) => {
      const { page } = visitor;
      const keys = new Keys(visitor);
      await furnish(visitor);
      const pages = await crawl(visitor, startsOf(visitor.list), async (path) => {
        const expected = await stops(page);
        const visited = async (key, times) => {
          const order = [];
          while (order.length < times) {
            await keys.press(key);
            const focus = await keys.focus();
            assert(focus.visible, `the focus on ${focus.tag} after ${order} by ${key} can be seen at ${path}`);
            order.push(focus.stop);
          }
          return order;
        };
        const last = expected.length - 1;
        assert.deepEqual(await visited('Tab', last + 1), expected, path);
        assert.deepEqual(await visited('Shift+Tab', last), expected.slice(0, last).reverse(), path);
      }, 1);
      assert(pages.length > 10, `${pages}`);
    }));
  });
}

/** Numbers everything on the page that can be used, in its order. */
function stops(page) {
  return page.evaluate(() => {
    const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')];
    const usable = all.filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled);
    return usable.map((element, number) => {
      element.dataset.stop = number;
      return String(number);
    });
  });
}

/** The form beside a list; without the script a page of its own. */
async function openForm(keys, name) {
  await keys.tabTo(name);
  const isOpen = keys.visitor.script && (await keys.page.locator('[data-add] details').getAttribute('open')) !== null;
  if (!isOpen) await keys.press('Enter');
  await keys.visitor.submit().waitFor();
}

/** Asked whether to delete: the dialog keeps the focus, Escape closes it and gives the focus back. */
async function throughDialog(keys) {
  const { page } = keys;
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  for (let presses = 0; presses < 6; presses += 1) {
    await keys.press(presses < 3 ? 'Tab' : 'Shift+Tab');
    // The browser's own controls are the only way out; the page behind is none.
    assert(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest('dialog')), 'the focus stays in the dialog');
  }
  await keys.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal((await keys.focus()).name, 'Delete', 'the focus is back where it was');
  await keys.press('Enter');
  await dialog.waitFor();
  if ((await keys.focus()).name !== 'Delete') await keys.tabTo('Delete');
  await keys.press('Enter');
}
