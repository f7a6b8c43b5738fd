// With valid and with invalid input, every form leads to the same stored state with the script and
// without it. The list of forms is complete.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { crawl, fillOrganization, startPaths } from './crawl.mjs';
import { FORMS, formsOn } from './forms.mjs';
import { confirmationLink, resetLink } from './forms/steps.mjs';
import { Visitor, startBrowser } from './harness.mjs';
import { changed, emails, startProductOnEngine } from './table.mjs';

/** One product for each mode, each with its own table, so that the tables can be compared. */
const modes = [{ javaScriptEnabled: true }, { javaScriptEnabled: false }].map((options) => ({ options }));

before(async () => {
  const browser = await startBrowser();
  for (const mode of modes) mode.running = { product: await startProductOnEngine(), browser };
});

after(async () => {
  await modes[0].running?.browser.close();
  for (const { running } of modes) await running?.product.stop();
});

/** Runs `work` in both modes at once. Returns the result of each. */
function inBothModes(work) {
  return Promise.all(modes.map(async ({ running, options }) => {
    const visitor = await Visitor.enter(running, options);
    try {
      const result = await work(visitor, running);
      assert.deepEqual(visitor.consoleErrors, [], 'errors in the console');
      return result;
    } catch (error) {
      error.message = `${visitor.script ? 'with' : 'without'} JavaScript, at ${visitor.page.url()}: ${error.message}`;
      throw error;
    } finally {
      await visitor.context.close();
    }
  }));
}

/** The errors that the form shows, and its input. */
async function readErrors(form) {
  await form.locator('.summary').waitFor();
  return form.evaluate((node) => {
    const text = (element) => element.textContent.trim().replace(/\s+/g, ' ');
    const fields = [...node.querySelectorAll('input:not([type=hidden]), select, textarea')];
    return {
      isError: document.title.startsWith('Error: '),
      summary: [...node.querySelectorAll('.summary :is(h2, p, li)')].map(text),
      differing: [...node.querySelectorAll('tr.differs')].map((row) => [...row.cells].map(text)),
      fields: Object.fromEntries(fields.map((field) => {
        const described = (field.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean);
        const says = described.map((id) => text(document.getElementById(id)));
        return [field.name, { value: field.value, wrong: field.getAttribute('aria-invalid'), says }];
      })),
    };
  });
}

/** Sends the form with the invalid input. Returns the errors that it shows. */
async function sendInvalid(visitor, { form, refused }) {
  const action = form.split(': ')[1];
  const sent = visitor.page.locator(`form[action="/actions/${action}"]`);
  for (const [name, value] of Object.entries(refused.fields)) await sent.locator(`[name=${name}]`).fill(value);
  await sent.locator('button').last().click();
  return readErrors(sent);
}

/** Checks that the form shows the expected errors. */
function assertErrors(errors, { fields, message, messages = {}, conflict }) {
  assert(errors.isError, 'the title starts with "Error: "');
  const wrong = Object.entries(errors.fields).filter(([, field]) => field.wrong).map(([name, { says }]) => [name, says.at(-1)]);
  assert.deepEqual(Object.fromEntries(wrong), messages);
  if (message) assert(errors.summary.includes(message), `${errors.summary}`);
  if (conflict) assert.deepEqual(errors.differing.map(([name]) => name), conflict);
  for (const [name, value] of Object.entries(fields)) {
    const kept = errors.fields[name]?.value;
    // A password is never sent back. With the script, the page and its input stay.
    if (!/password/i.test(name)) assert.equal(kept, value, `the input in ${name}`);
  }
}

describe('every form', () => {
  for (const [number, entry] of FORMS.entries()) {
    const { form, about, refused, send } = entry;
    test(`${form}${about ? `, ${about}` : ''}`, async () => {
      const [scripted, plain] = await inBothModes(async (visitor, { product }) => {
        const state = async () => ({ table: await product.table.settled(), emails: await emails(product) });
        await visitor.signUp({ email: `ann-${number}@example.com`, organization: `Organization ${number}` });
        if (entry.signedOut) await visitor.context.clearCookies();
        await entry.before(visitor);
        const states = [await state()];
        let errors = null;
        if (refused) {
          errors = await sendInvalid(visitor, entry);
          assertErrors(errors, refused);
          states.push(await state());
        }
        if (send) await send(visitor);
        states.push(await state());
        const shown = await visitor.page.evaluate(() => [document.title, document.querySelector('h1').textContent]);
        return { errors, shown, states };
      });
      for (const step of scripted.states.slice(1).keys()) {
        const done = [scripted, plain].map(({ states: { [step]: from, [step + 1]: to } }) => ({
          stored: changed(from.table, to.table),
          sent: to.emails.slice(0, to.emails.length - from.emails.length),
        }));
        assert.deepEqual(done[0], done[1], 'both modes store and send the same');
        const [{ stored, sent }] = done;
        if (refused && step === 0) {
          assert.deepEqual(stored.filter(({ key }) => !key.startsWith('#refused:')), [], 'a refused form stores nothing');
          assert.deepEqual(sent, [], 'a refused form sends no email');
        } else if (send) {
          assert.equal(stored.length > 0, !entry.readOnly, 'only a form that is not read-only stores something');
          assert.equal(sent.length, entry.emails ?? 0, 'the number of emails');
        }
      }
      assert.deepEqual(withoutPasswords(scripted.errors), withoutPasswords(plain.errors), 'both modes show the same errors');
      assert.deepEqual(scripted.shown, plain.shown, 'both modes lead to the same page');
    });
  }
});

/** Leaves out passwords: they stay in a page that stays, and are never sent back in a new one. */
function withoutPasswords(errors) {
  if (!errors) return errors;
  const fields = Object.entries(errors.fields).map(([name, field]) => [name, /password/i.test(name) ? { ...field, value: '' } : field]);
  return { ...errors, fields: Object.fromEntries(fields) };
}

/** The actions of the product, from a table that another test compares with the code. */
function actions() {
  const permissions = readFileSync(new URL('../../docs/permissions.md', import.meta.url), 'utf8');
  const [, table] = /## Actions\n(.*?)## Views/s.exec(permissions);
  return [...table.matchAll(/^\| `(.+?)` \|/gm)].map(([, action]) => action);
}

describe('the list of forms', () => {
  const tried = [...new Set(FORMS.map(({ form }) => form))].sort();

  test('contains exactly the forms that are on the pages', async () => {
    const [scripted, plain] = await inBothModes(async (visitor) => {
      const found = new Set();
      const look = async () => (await formsOn(visitor.page)).forEach((form) => found.add(form));
      await visitor.signUp({ email: 'everything@example.com', organization: 'Everything' });
      await fillOrganization(visitor);
      const { link } = await visitor.act('invite-member', { email: 'new@example.com', role: 'member' });
      const confirmation = await confirmationLink(visitor);
      await visitor.page.goto(confirmation);
      await look();
      await crawl(visitor, startPaths(visitor.list), look);
      await visitor.context.clearCookies();
      await crawl(visitor, ['/sign-in'], look);
      await visitor.act('request-password-reset', { email: visitor.account.email });
      for (const address of [link, await resetLink(visitor)]) {
        await visitor.page.goto(new URL(address, visitor.url).href);
        await look();
      }
      return [...found].sort();
    });
    assert.deepEqual(scripted, tried);
    assert.deepEqual(plain, tried);
  });

  test('contains a form for every action', () => {
    const sent = new Set(tried.map((form) => form.split(': ')[1]).filter((action) => !['search', 'filter'].includes(action)));
    assert.deepEqual([...sent].sort(), actions().sort());
    assert(actions().length > 20, 'the table of actions was parsed');
  });
});
