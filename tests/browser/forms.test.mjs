// Every form ends in the same stored state with the script and without it, whether it is sent
// right or wrong; and every form of the product is among those that are tried.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { crawl, furnish, startsOf } from './crawl.mjs';
import { FORMS, formsOn } from './forms.mjs';
import { resetLink } from './forms/steps.mjs';
import { Visitor, startBrowser } from './harness.mjs';
import { changed, letters, startProductOnEngine } from './table.mjs';

/** Two products with a table each, so that all that is stored can be compared. */
const modes = [{ javaScriptEnabled: true }, { javaScriptEnabled: false }].map((options) => ({ options }));

before(async () => {
  const browser = await startBrowser();
  for (const mode of modes) mode.running = { product: await startProductOnEngine(), browser };
});

after(async () => {
  await modes[0].running?.browser.close();
  for (const { running } of modes) await running?.product.stop();
});

/** Lets somebody do `work` in both modes at once, and gives what came of it in each. */
function inBoth(work) {
  return Promise.all(modes.map(async ({ running, options }) => {
    const visitor = await Visitor.enter(running, options);
    try {
      const result = await work(visitor, running);
      assert.deepEqual(visitor.complaints, [], 'errors in the console');
      return result;
    } catch (error) {
      error.message = `${visitor.script ? 'with' : 'without'} JavaScript, at ${visitor.page.url()}: ${error.message}`;
      throw error;
    } finally {
      await visitor.context.close();
    }
  }));
}

/** What the form says was wrong with it, and what it holds. */
async function told(form) {
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

/** Sends the form with what is wrong. */
async function beRefused(visitor, { form, refused }) {
  const action = form.split(': ')[1];
  const sent = visitor.page.locator(`form[action="/actions/${action}"]`);
  for (const [name, value] of Object.entries(refused.fields)) await sent.locator(`[name=${name}]`).fill(value);
  await sent.locator('button').last().click();
  return told(sent);
}

/** Checks that the person was told what they should be, and gives that back to be compared. */
function expectTold(heard, { fields, message, messages = {}, conflict }) {
  assert(heard.isError, 'the title says that something is wrong');
  const wrong = Object.entries(heard.fields).filter(([, field]) => field.wrong).map(([name, { says }]) => [name, says.at(-1)]);
  assert.deepEqual(Object.fromEntries(wrong), messages);
  if (message) assert(heard.summary.includes(message), `${heard.summary}`);
  if (conflict) assert.deepEqual(heard.differing.map(([name]) => name), conflict);
  for (const [name, value] of Object.entries(fields)) {
    const kept = heard.fields[name]?.value;
    // A password is typed again, except where the page with it is still there.
    if (!/password/i.test(name)) assert.equal(kept, value, `what was entered as ${name}`);
  }
}

describe('every form', () => {
  for (const [number, entry] of FORMS.entries()) {
    const { form, about, refused, send } = entry;
    test(`${form}${about ? `, ${about}` : ''}`, async () => {
      const [scripted, plain] = await inBoth(async (visitor, { product }) => {
        const state = async () => ({ table: await product.table.settled(), letters: await letters(product) });
        await visitor.signUp({ email: `ann-${number}@example.com`, organization: `Organization ${number}` });
        if (entry.signedOut) await visitor.context.clearCookies();
        await entry.before(visitor);
        const states = [await state()];
        let heard = null;
        if (refused) {
          heard = await beRefused(visitor, entry);
          expectTold(heard, refused);
          states.push(await state());
        }
        if (send) await send(visitor);
        states.push(await state());
        const shown = await visitor.page.evaluate(() => [document.title, document.querySelector('h1').textContent]);
        return { heard, shown, states };
      });
      for (const step of scripted.states.slice(1).keys()) {
        const done = [scripted, plain].map(({ states: { [step]: from, [step + 1]: to } }) => ({
          stored: changed(from.table, to.table),
          sent: to.letters.slice(0, to.letters.length - from.letters.length),
        }));
        assert.deepEqual(done[0], done[1], 'the same is stored and sent');
        const [{ stored, sent }] = done;
        if (refused && step === 0) {
          assert.deepEqual(stored.filter(({ key }) => !key.startsWith('#refused:')), [], 'what is refused stores nothing');
          assert.deepEqual(sent, [], 'and sends nothing');
        } else if (send) {
          assert.equal(stored.length > 0, !entry.reads, 'what is sent is stored');
          assert.equal(sent.length, entry.letters ?? 0, 'letters');
        }
      }
      assert.deepEqual(withoutPasswords(scripted.heard), withoutPasswords(plain.heard), 'the same is said');
      assert.deepEqual(scripted.shown, plain.shown, 'the same page comes after');
    });
  }
});

/** A password that was refused stays in a page that stays, and is never sent back with one. */
function withoutPasswords(heard) {
  if (!heard) return heard;
  const fields = Object.entries(heard.fields).map(([name, field]) => [name, /password/i.test(name) ? { ...field, value: '' } : field]);
  return { ...heard, fields: Object.fromEntries(fields) };
}

/** The actions that there are, from a table that a test of its own holds to the code. */
function actions() {
  const permissions = readFileSync(new URL('../../docs/permissions.md', import.meta.url), 'utf8');
  const [, table] = /## Actions\n(.*?)## Views/s.exec(permissions);
  return [...table.matchAll(/^\| `(.+?)` \|/gm)].map(([, action]) => action);
}

describe('the list of forms', () => {
  const tried = [...new Set(FORMS.map(({ form }) => form))].sort();

  test('holds every form on every page, and no other', async () => {
    const [scripted, plain] = await inBoth(async (visitor) => {
      const found = new Set();
      const look = async () => (await formsOn(visitor.page)).forEach((form) => found.add(form));
      await visitor.signUp({ email: 'everything@example.com', organization: 'Everything' });
      await furnish(visitor);
      const { link } = await visitor.act('invite-member', { email: 'new@example.com', role: 'member' });
      await crawl(visitor, startsOf(visitor.list), look);
      await visitor.context.clearCookies();
      await crawl(visitor, ['/sign-in'], look);
      await visitor.act('request-password-reset', { email: visitor.account.email });
      for (const letter of [link, await resetLink(visitor)]) {
        await visitor.page.goto(new URL(letter, visitor.url).href);
        await look();
      }
      return [...found].sort();
    });
    assert.deepEqual(scripted, tried);
    assert.deepEqual(plain, tried);
  });

  test('holds a form for every action', () => {
    const sent = new Set(tried.map((form) => form.split(': ')[1]).filter((action) => !['search', 'filter'].includes(action)));
    assert.deepEqual([...sent].sort(), actions().sort());
    assert(actions().length > 20, 'the table of actions can be read');
  });
});
