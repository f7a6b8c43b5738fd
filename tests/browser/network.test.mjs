// Lost connections, reloads, going back, double clicks: a contact is made once, and no input is
// lost without a message.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openProduct, startProduct, until } from './harness.mjs';

// A browser keeps a page for going back only if it may be stored. What has just changed may not, so without a
// quiet time.
const { visit } = openProduct({ product: () => startProduct('--quiet-time', '0', '--purge-budget', '1000000') });

const ADA = { name: 'Ada Lovelace', email: 'ada@example.com' };
const CONNECTION = 'Connection problem. Please check your internet and try again.';

/** Holds requests to the action until `release` is called: `before` they reach the server, or
 *  `after` it has done the work. */
async function hold(visitor, { when, action = 'create-contact' }) {
  const seen = [];
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  await visitor.page.route(`**/actions/${action}`, async (route) => {
    seen.push(route.request());
    const response = when === 'after' ? await route.fetch({ maxRedirects: 0 }) : null;
    if (seen.length === 1) seen.reached = true;
    await released;
    await (response ? route.fulfill({ response }) : route.continue()).catch(() => {}); // The browser may no longer wait for it.
  });
  return { seen, release };
}

/** Sends the request without the browser, which never sees the response or its cookies. */
async function deliver(request) {
  const response = await fetch(request.url(), {
    method: 'POST',
    headers: await request.allHeaders(),
    body: request.postData(),
    redirect: 'manual',
  });
  assert([200, 303].includes(response.status), `${response.status}`);
}

const isOnline = (visitor) => visitor.page.evaluate(() => navigator.onLine);

async function assertMadeOnce(visitor, name = ADA.name) {
  assert.deepEqual(await visitor.names(), [name]);
}

describe('going offline while a contact is being created', () => {
  for (const effect of ['before it reached the server', 'after it took effect']) {
    test(`${effect}, and coming back, makes it once`, visit({}, async (visitor) => {
      const { page, context } = visitor;
      let held = 0;
      // Chromium would complete a held request even while offline, so the test aborts it.
      await page.route('**/actions/create-contact', async (route) => {
        held += 1;
        if (effect.startsWith('after')) await deliver(route.request());
        await context.setOffline(true);
        await route.abort('internetdisconnected');
      }, { times: 1 });
      await visitor.openAddForm();
      await visitor.fill({ ...ADA, notes: 'Long notes' });
      await visitor.submit().click();
      await visitor.reads(CONNECTION);
      assert.equal(held, 1);
      assert.equal(await isOnline(visitor), false);
      assert.deepEqual(await visitor.values('name', 'email', 'notes'), [ADA.name, ADA.email, 'Long notes']);

      await page.getByRole('button', { name: 'Try Again' }).click(); // Still offline.
      await visitor.reads(CONNECTION);
      const created = visitor.reads('Contact created!');
      await context.setOffline(false);
      // An attempt that is still waiting for the network continues by itself. Then there is no
      // button.
      await page.getByRole('button', { name: 'Try Again' }).click({ timeout: 5000 }).catch(() => {});
      await created;
      await visitor.sees(ADA.name);
      assert.equal(new Set(visitor.sent.map(({ key }) => key)).size, 1, 'one key');
      await assertMadeOnce(visitor);
    }));

    for (const way of ['loading the page again', 'going back']) {
      test(`${effect}, without the script, makes it once by ${way}`, visit({ javaScriptEnabled: false }, async (visitor) => {
        const { page } = visitor;
        const form = `${visitor.list}/new`;
        await page.route('**/actions/create-contact', async (route) => {
          if (effect.startsWith('after')) await deliver(route.request());
          await route.abort('connectionreset');
        }, { times: 1 });
        await visitor.goto(form);
        await visitor.fill(ADA);
        await visitor.submit().click({ noWaitAfter: true });
        await until('the browser\'s own error page', () => page.url().startsWith('chrome-error:'));
        if (way === 'going back') {
          await visitor.goBack(form);
          assert.deepEqual(await visitor.values('name', 'email'), [ADA.name, ADA.email]);
          await visitor.submit().click();
        } else {
          await until('the reloaded page', () => resendByReload(page));
        }
        await visitor.reads('Contact created!');
        await visitor.sees(ADA.name);
        assert.equal(visitor.sent.length, 2);
        assert.equal(new Set(visitor.sent.map(({ key }) => key)).size, 1, 'one key');
        await assertMadeOnce(visitor);
      }));
    }
  }
});

/** Reloads the page, so that the browser sends the form again. Returns nothing if the browser's
 *  error page is not attached yet, so that the caller tries again. */
function resendByReload(page) {
  const tooSoon = (error) => {
    if (!error.message.includes('Not attached to an active page')) throw error;
  };
  return page.reload({ waitUntil: 'commit' }).then(() => true, tooSoon);
}

for (const javaScriptEnabled of [true, false]) {
  const when = { javaScriptEnabled };
  describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test('loading the page again after success makes no second contact', visit(when, async (visitor) => {
      await visitor.openAddForm();
      await visitor.fill(ADA);
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      for (let times = 0; times < 3; times += 1) await visitor.page.reload();
      await visitor.sees(ADA.name);
      assert.equal(visitor.sent.length, 1);
      await assertMadeOnce(visitor);
    }));

    test('loading the page again after success on the form\'s own page makes no second contact', visit(when, async (visitor) => {
      await visitor.goto(`${visitor.list}/new`);
      await visitor.fill(ADA);
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      await visitor.page.reload();
      await visitor.sees(ADA.name);
      await visitor.goBack(`${visitor.list}/new`);
      await visitor.page.reload();
      assert.deepEqual(await visitor.values('name'), [''], 'the form is empty, for the next contact');
      await visitor.page.goForward({ waitUntil: 'commit' });
      await visitor.sees(ADA.name);
      assert.equal(visitor.sent.length, 1);
      await assertMadeOnce(visitor);
    }));

    // Without the script, nothing can remove the page from Chromium's back/forward cache.
    if (javaScriptEnabled) test('going back after signing out shows no contacts', visit(when, async (visitor) => {
      const { page } = visitor;
      await visitor.openAddForm();
      await visitor.fill(ADA);
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      await visitor.goto(visitor.list);
      await visitor.sees(ADA.name);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await visitor.at('/sign-in');
      await page.goBack({ waitUntil: 'commit' });
      await visitor.at(`/sign-in?return_to=${visitor.list}`);
      assert(!(await page.content()).includes(ADA.name));
    }));

    test('loading the page again while the contact is being made makes it once', visit(when, async (visitor) => {
      const { page } = visitor;
      const { seen, release } = await hold(visitor, { when: 'after' });
      await visitor.openAddForm();
      await visitor.fill(ADA);
      await visitor.submit().click({ noWaitAfter: true });
      await until('the contact', async () => (await visitor.contacts()).length === 1);
      assert(seen.length > 0);
      const reloaded = page.reload({ waitUntil: 'commit' }).catch(() => {}); // The response may come first.
      release();
      await reloaded;
      await until('a page with a heading', async () => (await page.locator('h1').count()) > 0);
      await visitor.goto(visitor.list);
      await visitor.sees(ADA.name);
      await assertMadeOnce(visitor);
    }));

    test('a refused form that is reloaded and then corrected makes one contact', visit(when, async (visitor) => {
      const { page } = visitor;
      await visitor.openAddForm();
      await visitor.fill({ ...ADA, email: 'no email' });
      await visitor.submit().click();
      await page.locator('.summary').waitFor();
      await page.reload(); // Without the script the browser sends the form again.
      if (javaScriptEnabled) await visitor.openAddForm();
      else {
        await page.locator('.summary').waitFor();
        assert.deepEqual(await visitor.values('name', 'email'), [ADA.name, 'no email']);
      }
      assert.deepEqual(await visitor.names(), []);
      await visitor.fill(ADA);
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      await assertMadeOnce(visitor);
    }));

    test('pressing Enter and clicking at the same time makes one contact', visit(when, async (visitor) => {
      const { page } = visitor;
      const { release } = await hold(visitor, { when: 'before' });
      await visitor.openAddForm();
      await visitor.fill(ADA);
      const { x, y } = await visitor.submit().boundingBox();
      await page.locator('#email').press('Enter', { noWaitAfter: true });
      await page.mouse.click(x + 5, y + 5);
      await page.mouse.dblclick(x + 5, y + 5);
      release();
      await visitor.reads('Contact created!');
      await visitor.sees(ADA.name);
      assert.equal(new Set(visitor.sent.map(({ key }) => key)).size, 1);
      await assertMadeOnce(visitor);
    }));

    test('the same contact entered in two tabs is made once, and the second tab shows an error', visit(when, async (visitor) => {
      const { page, context } = visitor;
      const other = await context.newPage();
      const form = `${visitor.list}/new`;
      await visitor.goto(form);
      await visitor.goto(form, other);
      await visitor.fill(ADA);
      await visitor.fill(ADA, other);
      await Promise.all([visitor.submit().click(), visitor.submit(other).click()]);
      const outcome = (tab) => tab.getByText(/Contact created!|Contact with this email already exists/).filter({ visible: true }).first();
      const messages = await Promise.all([outcome(page).textContent(), outcome(other).textContent()]);
      assert.deepEqual(messages.sort(), ['Contact created!', 'Contact with this email already exists']);
      await assertMadeOnce(visitor);
    }));

    test('a tab that is closed and restored with its form makes no second contact', visit(when, async (visitor) => {
      const { page, context } = visitor;
      const form = `${visitor.list}/new`;
      const saved = await (await visitor.goto(form)).text();
      await visitor.fill(ADA);
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      const [{ key }] = visitor.sent;
      await page.close();

      // A browser restores the stored page with its key, and the input.
      const restored = await context.newPage();
      await restored.route(`**${form}`, (route) => route.fulfill({ body: saved, contentType: 'text/html' }));
      await visitor.goto(form, restored);
      await visitor.fill(ADA, restored);
      await visitor.submit(restored).click();
      await visitor.reads('Contact created!', restored);
      assert.deepEqual(visitor.sent.map((sent) => sent.key), [key, key]);
      await assertMadeOnce(visitor);
    }));
  });
}

/** Records each time the row of `name` appears and disappears. */
async function recordVisibility(page, name) {
  await page.evaluate((wanted) => {
    const shown = () => [...document.querySelectorAll('[data-rows] > [data-id]')].some((row) => !row.hidden && row.querySelector('.name').textContent.trim() === wanted);
    window.changes = [shown()];
    new MutationObserver(() => {
      if (shown() !== window.changes.at(-1)) window.changes.push(shown());
    }).observe(document.querySelector('main'), { subtree: true, childList: true, attributes: true });
  }, name);
  return () => page.evaluate(() => window.changes);
}

test('an added row stays, and no row flickers', visit({}, async (visitor) => {
  const { page } = visitor;
  await visitor.addContact('First');
  await visitor.openAddForm();
  const changes = await recordVisibility(page, ADA.name);
  const others = await page.locator('[data-rows] > [data-id]').elementHandle();
  await visitor.fill(ADA);
  await visitor.submit().click();
  await visitor.reads('Contact created!');
  await page.getByText('Contact created!').filter({ visible: true }).waitFor({ state: 'detached' });
  assert.deepEqual(await changes(), [false, true]);
  assert(await others.evaluate((row) => row.isConnected), 'the other rows were not replaced');
  await page.reload();
  await visitor.sees(ADA.name, 'First');
}));

test('a deleted row does not come back if the server agrees', visit({}, async (visitor) => {
  const { page } = visitor;
  await visitor.addContact('First');
  await visitor.addContact(ADA.name);
  await visitor.goto(visitor.list);
  const changes = await recordVisibility(page, ADA.name);
  await page.getByRole('link', { name: `Delete ${ADA.name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await visitor.reads('Contact deleted!');
  assert.deepEqual(await changes(), [true, false]);
  await page.reload();
  await visitor.sees('First');
}));

test('a deletion that fails offline brings the row back with a message, and Try Again deletes it once', visit({}, async (visitor) => {
  const { page, context } = visitor;
  await visitor.addContact(ADA.name);
  await visitor.goto(visitor.list);
  const changes = await recordVisibility(page, ADA.name);
  await context.setOffline(true);
  await page.getByRole('link', { name: `Delete ${ADA.name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await visitor.reads(CONNECTION);
  assert.deepEqual(await changes(), [true, false, true]);
  await context.setOffline(false);
  await page.getByRole('button', { name: 'Try Again' }).click();
  await visitor.reads('Contact deleted!');
  assert.deepEqual(await visitor.names(), []);
  assert.equal(new Set(visitor.sent.map(({ key }) => key)).size, 1);
}));

/** Holds the requests to the action. Returns a function that waits for the request of a number. */
async function holdEach(page, action) {
  const kept = [];
  await page.route(`**/actions/${action}`, (route) => { kept.push(route); });
  return async (number) => {
    await until(`request ${number} to ${action}`, () => kept.length > number);
    return kept[number];
  };
}

/** Responds with a 500, which the script does not retry by itself. */
const respondWith500 = (route) => route.fulfill({ status: 500, json: { ok: false } });

const NOT_DELETED = 'Failed to delete contact. Please try again.';

/** Deletes the contact of a row, or without `name` the one whose page is open. */
async function deleteContact(page, name = '') {
  await page.getByRole('link', { name: `Delete ${name}`.trim(), exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
}

describe('deleting two rows at the same time', () => {
  const deleteBoth = async (visitor, search = '') => {
    await visitor.addContact('One More');
    await visitor.addContact('One');
    await visitor.goto(visitor.list + search);
    const kept = await holdEach(visitor.page, 'delete-contact');
    await deleteContact(visitor.page, 'One');
    const first = await kept(0);
    await deleteContact(visitor.page, 'One More');
    const second = await kept(1);
    await first.continue();
    await visitor.reads('Contact deleted!');
    return { kept, second };
  };
  const emptyMessages = (visitor) => visitor.page.locator('[data-empty]').count();

  test('if the second fails during a search, the page stays, with the row and a message', visit({}, async (visitor) => {
    const { page, list } = visitor;
    const { kept, second } = await deleteBoth(visitor, '?q=one');
    await respondWith500(second);
    await visitor.reads(NOT_DELETED);
    await visitor.sees('One More');
    assert.equal(page.url(), `${visitor.url}${list}?q=one`);
    await page.getByRole('button', { name: 'Try Again' }).click();
    await (await kept(2)).continue();
    await visitor.reads('No contacts yet');
    assert(!page.url().includes('?'), 'the whole list, which may have other contacts');
    assert.deepEqual(await visitor.names(), []);
  }));

  test('if the second fails, the list does not show that it is empty', visit({}, async (visitor) => {
    const { second } = await deleteBoth(visitor);
    assert.equal(await emptyMessages(visitor), 0, 'not before the response');
    await respondWith500(second);
    await visitor.reads(NOT_DELETED);
    await visitor.sees('One More');
    assert.equal(await emptyMessages(visitor), 0);
    await visitor.reads('Contacts (1)');
  }));

  test('if both succeed, the list shows once that it is empty', visit({}, async (visitor) => {
    const { second } = await deleteBoth(visitor);
    await second.continue();
    await until('no hidden row', async () => (await visitor.page.locator('[data-rows] > [data-id]').count()) === 0);
    await visitor.reads('No contacts yet');
    assert.equal(await emptyMessages(visitor), 1);
    assert.deepEqual(await visitor.names(), []);
  }));
});

test('a contact that another user has already deleted disappears with a message', visit({}, async (visitor) => {
  const { page } = visitor;
  await visitor.addContact('First');
  const { id } = await visitor.addContact(ADA.name);
  await visitor.goto(visitor.list);
  await visitor.act('delete-contact', { id });
  await deleteContact(page, ADA.name);
  await visitor.reads('Contact not found or access denied');
  await visitor.sees('First');
  await visitor.reads('Contacts (1)');
}));

test('a deletion after the session has ended leads to a sign-in, with a message that mentions no form', visit({}, async (visitor) => {
  const { page, context, account } = visitor;
  await visitor.addContact(ADA.name);
  await visitor.goto(visitor.list);
  await context.clearCookies();
  await deleteContact(page, ADA.name);
  await visitor.reads('Your session has ended.');
  assert.doesNotMatch(await page.locator('.results .summary').textContent(), /form/);
  await visitor.sees(ADA.name);

  const [tab] = await Promise.all([context.waitForEvent('page'), page.getByRole('link', { name: 'Sign in again in a new tab' }).click()]);
  await visitor.fill({ email: account.email, password: account.password }, tab);
  await visitor.submit(tab).click();
  await tab.waitForURL(`**${visitor.list}`);
  await deleteContact(page, ADA.name);
  await visitor.reads('Contact deleted!');
  assert.deepEqual(await visitor.names(), []);
}));

test('on the contact\'s own page, a deletion under way cannot be canceled, and a failure is shown', visit({}, async (visitor) => {
  const { page, list } = visitor;
  const { id } = await visitor.addContact(ADA.name);
  await visitor.goto(`${list}/${id}`);
  const kept = await holdEach(page, 'delete-contact');
  await deleteContact(page);
  const first = await kept(0);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  assert.equal(await page.getByRole('button', { name: 'Cancel', disabled: false }).count(), 0);
  await respondWith500(first);
  await visitor.reads(NOT_DELETED);
  await page.getByRole('heading', { name: ADA.name }).waitFor();
  await page.getByRole('button', { name: 'Try Again' }).click();
  await (await kept(1)).continue();
  await visitor.reads('No contacts yet');
  assert.equal(new Set(visitor.sent.map(({ key }) => key)).size, 1);
  assert.deepEqual(await visitor.names(), []);
}));

describe('the focus after adding a contact', () => {
  const focused = (page) => page.evaluate(() => document.activeElement.id);

  for (const field of ['q', 'notes']) {
    test(`stays in ${field} if the user types there meanwhile`, visit({}, async (visitor) => {
      const { page } = visitor;
      const { release } = await hold(visitor, { when: 'before' });
      await visitor.openAddForm();
      await visitor.fill(ADA);
      await visitor.submit().click();
      await visitor.reads('Creating…');
      await page.locator(`#${field}`).pressSequentially('nav');
      release();
      await visitor.reads('Contact created!');
      await until('the form to be ready', () => visitor.submit().isEnabled());
      assert.equal(await focused(page), field);
      await page.keyboard.type('y');
      assert.equal(await page.locator(`#${field}`).inputValue(), 'navy');
    }));
  }

  test('goes to the first field, for the next contact', visit({}, async (visitor) => {
    const { page } = visitor;
    await visitor.openAddForm();
    await visitor.fill(ADA);
    await page.locator('#email').press('Enter');
    await visitor.sees(ADA.name);
    await until('the focus in the first field', async () => (await focused(page)) === 'name');
  }));
});

describe('going back to a list after changing a contact', () => {
  /** Goes back to the page of a contact that no longer exists. */
  const goBackToMissing = async (visitor, path) => {
    await visitor.goBack(path);
    await visitor.page.getByRole('link', { name: 'Go to contacts' }).waitFor();
    await visitor.loaded();
  };

  test('does not show the contact that was deleted', visit({}, async (visitor) => {
    const { page, list } = visitor;
    await visitor.addContact('First');
    const { id } = await visitor.addContact(ADA.name);
    await visitor.goto(list);
    await page.getByRole('link', { name: ADA.name, exact: true }).click();
    await visitor.at(`${list}/${id}`);
    await deleteContact(page);
    await visitor.reads('Contact deleted!');
    await goBackToMissing(visitor, `${list}/${id}`);
    await visitor.goBack(list);
    await visitor.row(ADA.name).waitFor({ state: 'detached' });
    await visitor.sees('First');
  }));

  test('shows the changed name', visit({}, async (visitor) => {
    const { page, list } = visitor;
    const { id } = await visitor.addContact(ADA.name);
    await visitor.goto(list);
    await page.getByRole('link', { name: `Edit ${ADA.name}` }).click();
    await visitor.at(`${list}/${id}/edit`);
    await visitor.fill({ name: 'Ada King' });
    await visitor.submit().click();
    await page.getByRole('heading', { name: 'Ada King' }).waitFor();
    await visitor.goBack(`${list}/${id}/edit`);
    await visitor.goBack(list);
    await visitor.row('Ada King').waitFor();
    await visitor.sees('Ada King');
  }));

  test('keeps the input in its form', visit({}, async (visitor) => {
    const { page, list } = visitor;
    const { id } = await visitor.addContact(ADA.name);
    await visitor.openAddForm();
    await visitor.fill({ name: 'Grace' });
    await page.evaluate(() => { window.sameDocument = true; });
    await page.getByRole('link', { name: ADA.name, exact: true }).click();
    await visitor.at(`${list}/${id}`);
    await deleteContact(page);
    await visitor.reads('No contacts yet');
    await goBackToMissing(visitor, `${list}/${id}`);
    const checked = page.waitForResponse((response) => response.request().method() === 'HEAD' && response.url() === visitor.url + list);
    await visitor.goBack(list);
    await checked;
    assert(await page.evaluate(() => window.sameDocument), 'the page was not loaded again');
    assert.deepEqual(await visitor.values('name'), ['Grace']);
  }));
});
