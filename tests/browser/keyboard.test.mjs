// Everything works with the keyboard alone, with the script and without.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crawl, fillOrganization, startPaths } from './crawl.mjs';
import { resetLink } from './forms/steps.mjs';
import { openProduct, until } from './harness.mjs';

const { visit } = openProduct();

/** A visitor who uses only the keyboard. */
class Keys {
  constructor(visitor) {
    this.visitor = visitor;
    this.page = visitor.page;
  }

  press(...keys) {
    return keys.reduce((done, key) => done.then(() => this.page.keyboard.press(key)), Promise.resolve());
  }

  /** The element that has the focus: its accessible name, its tag, and whether the focus is
   *  visible. */
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

  /** Presses Tab until the element with this name has the focus. The focus must be visible on the
   *  way. */
  async tabTo(name, key = 'Tab') {
    const passed = [];
    for (let presses = 0; presses < 60; presses += 1) {
      await this.press(key);
      const focus = await this.focus();
      if (focus.tag !== 'body') assert(focus.visible, `the focus on "${focus.name}" is visible at ${this.page.url()}`);
      if (focus.name === name) return passed;
      passed.push(focus.name);
    }
    return assert.fail(`no way to "${name}" at ${this.page.url()}, only to ${[...new Set(passed)]}`);
  }

  async fillIn(fields) {
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

  /** Waits for the page with this heading. */
  async seesHeading(heading) {
    await this.page.getByRole('heading', { name: heading, level: 1 }).waitFor();
  }

  /** Waits for a message that a screen reader reads out. */
  async hears(words) {
    await this.page.getByRole('status').filter({ hasText: words, visible: true }).waitFor();
  }
}

/** After a refusal, Tab leads to the first error in the summary, and Enter from there to the field. */
async function correctError(keys, message, field) {
  await keys.page.locator('.summary').waitFor();
  assert.match(await keys.page.title(), /^Error: /);
  await until('the focus on the summary', () => keys.page.evaluate(() => document.activeElement.className === 'summary'));
  await keys.follow(message);
  await until(`the focus in ${field}`, async () => (await keys.visitor.page.evaluate(() => document.activeElement.id)) === field);
}

for (const javaScriptEnabled of [true, false]) {
  describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test('an account, and a contact from its creation to the trash and back', visit({ javaScriptEnabled, signedIn: false }, async (visitor) => {
      const { page } = visitor;
      const keys = new Keys(visitor);
      await visitor.goto('/');
      await keys.follow('Create an account');
      await keys.seesHeading('Create your account');
      await keys.fillIn({ 'Your name': 'Ann', Email: `keys-${javaScriptEnabled}@example.com`, Password: 'short', Organization: `Keys ${javaScriptEnabled}` });
      await keys.press('Enter');
      await correctError(keys, 'Password must be at least 8 characters', 'password');
      await page.keyboard.type('correct horse');
      await keys.press('Enter');
      await keys.seesHeading('Contacts (0)');

      await openForm(keys, 'Add Contact');
      await keys.fillIn({ Name: 'Ada Lovelace', Email: 'no email', Company: 'Engines' });
      await keys.press('Enter');
      await correctError(keys, 'Invalid email format', 'email');
      await keys.press('Control+a');
      await page.keyboard.type('ada@example.com');
      await keys.tabTo('Create Contact');
      await keys.press('Space');
      await keys.hears('Contact created!');
      await keys.seesHeading('Contacts (1)');

      await keys.tabTo('Search contacts', 'Shift+Tab');
      await page.keyboard.type('engines');
      await keys.press('Enter');
      await page.waitForURL('**?q=engines');
      await keys.follow('Ada Lovelace');
      await keys.seesHeading('Ada Lovelace');
      await keys.follow('Edit');
      await keys.seesHeading('Edit Contact');
      await keys.fillIn({ Name: 'Ada King' });
      await keys.press('Enter');
      await keys.hears('Contact updated!');
      await keys.seesHeading('Ada King');

      await keys.follow('Delete');
      if (javaScriptEnabled) await confirmInDialog(keys);
      else {
        await keys.seesHeading('Delete Contact');
        await keys.follow('Delete');
      }
      await keys.hears('Contact deleted!');
      await keys.seesHeading('Contacts (0)');
      await keys.follow('Trash');
      await keys.seesHeading('Trash');
      await keys.follow('Restore');
      await keys.hears('Contact restored!');
      await keys.follow('Sign out');
      await keys.seesHeading('Sign in');
    }));

    test('projects, members and settings', visit({ javaScriptEnabled }, async (visitor) => {
      const { page } = visitor;
      const keys = new Keys(visitor);
      await visitor.goto(visitor.list);
      await keys.follow('Projects');
      await keys.seesHeading('Projects (0)');
      await openForm(keys, 'Add Project');
      await keys.fillIn({ Name: 'Turbine' });
      await keys.press('Enter');
      await keys.hears('Project created!');
      await keys.follow('Edit Turbine');
      await keys.seesHeading('Edit Project');
      await keys.follow('Archive Project');
      await keys.hears('Project archived!');

      await keys.follow('Members');
      await keys.seesHeading('Members (1)');
      await openForm(keys, 'Invite');
      await keys.fillIn({ Email: `invited.${visitor.account.email}` });
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
      await keys.seesHeading(`invited.${visitor.account.email}`);
      assert.equal(await page.locator('[name=role]').inputValue(), 'member');
      await keys.tabTo('Withdraw invitation');
      await keys.press('Enter');
      await keys.follow('Withdraw invitation');
      await keys.hears('Invitation withdrawn!');

      await keys.follow('Settings');
      await keys.seesHeading('Settings');
      await keys.fillIn({ 'Current password': visitor.account.password, 'New password': 'a longer password' });
      await keys.press('Enter');
      await keys.hears('Password changed!');
      await keys.follow('Sign out everywhere');
      await keys.seesHeading('Sign in');
    }));

    test('a new password by the link in an email', visit({ javaScriptEnabled }, async (visitor) => {
      const keys = new Keys(visitor);
      await visitor.context.clearCookies();
      await visitor.goto('/forgot-password');
      await keys.fillIn({ Email: visitor.account.email });
      await keys.press('Enter');
      await visitor.reads('a link is on its way');
      await visitor.page.goto(await resetLink(visitor));
      await keys.fillIn({ 'New password': 'an entirely new password' });
      await keys.follow('Set password');
      await keys.seesHeading('Contacts (0)');
    }));

    test('on every page Tab visits every control, in the order of the page, and Shift+Tab goes back', visit({ javaScriptEnabled }, async (visitor) => {
      const { page } = visitor;
      const keys = new Keys(visitor);
      await fillOrganization(visitor);
      const pages = await crawl(visitor, startPaths(visitor.list), async (path) => {
        const expected = await stops(page);
        const visited = async (key, times) => {
          const order = [];
          while (order.length < times) {
            await keys.press(key);
            const focus = await keys.focus();
            assert(focus.visible, `the focus on ${focus.tag} after ${order} by ${key} is visible at ${path}`);
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

/** Numbers the usable controls of the page, in order. */
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

/** Opens the form beside a list, which without the script is on its own page. */
async function openForm(keys, name) {
  await keys.tabTo(name);
  const isOpen = keys.visitor.script && (await keys.page.locator('[data-add] details').getAttribute('open')) !== null;
  if (!isOpen) await keys.press('Enter');
  await keys.visitor.submit().waitFor();
}

/** Confirms a deletion. The dialog keeps the focus, and Escape closes it and returns the focus. */
async function confirmInDialog(keys) {
  const { page } = keys;
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  for (let presses = 0; presses < 6; presses += 1) {
    await keys.press(presses < 3 ? 'Tab' : 'Shift+Tab');
    // Tab may leave the dialog for the browser's own controls, but not for the page behind.
    assert(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest('dialog')), 'the focus stays in the dialog');
  }
  await keys.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal((await keys.focus()).name, 'Delete', 'the focus is back on the link');
  await keys.press('Enter');
  await dialog.waitFor();
  if ((await keys.focus()).name !== 'Delete') await keys.tabTo('Delete');
  await keys.press('Enter');
}
