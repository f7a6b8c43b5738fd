// What the script adds: results without a page load, safe retries, input that is kept.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openProduct, until } from './harness.mjs';

const { visit } = openProduct();

const ADA = { name: 'Ada Lovelace', email: 'ada@example.com' };
const GRACE = { name: 'Grace Hopper', email: 'grace@example.com' };
const CONNECTION = 'Connection problem. Please check your internet and try again.';

/** A promise, and the function that fulfills it. */
function gate() {
  let open;
  const opened = new Promise((resolve) => { open = resolve; });
  return { open, opened };
}

/** Loses the next `count` responses, after the server has done the work. */
async function loseResponses(page, action, count) {
  let lost = 0;
  await page.route(`**/actions/${action}`, async (route) => {
    if (lost === count) return route.continue();
    lost += 1;
    await route.fetch();
    await route.abort('connectionreset');
  });
}

const keys = (visitor) => new Set(visitor.sent.map(({ key }) => key));

test('while a contact is being created the button is disabled and shows it', visit({}, async (visitor) => {
  const { page } = visitor;
  const { open, opened } = gate();
  await page.route('**/actions/create-contact', async (route) => {
    await opened;
    await route.continue();
  });
  await visitor.openAddForm();
  await visitor.fill(ADA);
  await visitor.submit().click();
  await visitor.reads('Creating…');
  assert(await visitor.submit().isDisabled());
  await page.locator('#email').press('Enter');
  assert.equal(await visitor.form().getAttribute('aria-busy'), 'true');
  open();
  await visitor.reads('Contact created!');
  assert(await visitor.submit().isEnabled());
  assert.equal(await visitor.submit().textContent(), 'Create Contact');
  assert.equal(visitor.sent.length, 1);
}));

test('a new contact joins the list without a reload, and the form is ready for the next', visit({}, async (visitor) => {
  const { page } = visitor;
  await visitor.addContact('First');
  await visitor.openAddForm();
  await page.evaluate(() => { window.sameDocument = true; });
  await visitor.fill({ ...ADA, company: 'Engines', notes: 'x' });
  await visitor.submit().click();
  await visitor.reads('Contact created!');
  await visitor.sees('Ada Lovelace', 'First');
  await visitor.reads('Contacts (2)');
  assert.deepEqual(await visitor.values('name', 'email', 'company', 'notes'), ['', '', '', '']);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'name');

  await visitor.fill(GRACE);
  await page.keyboard.press('Enter');
  await visitor.sees('Grace Hopper', 'Ada Lovelace', 'First');
  assert.equal(keys(visitor).size, 2);
  assert(await page.evaluate(() => window.sameDocument));

  // The script renders rows exactly as the server does.
  const rows = () => page.locator('[data-rows]').evaluate((list) => [...list.querySelectorAll('*')].map((element) => {
    const attributes = [...element.attributes].map(({ name, value }) => `${name}=${value}`).sort();
    return [element.tagName, ...attributes, element.children.length ? '' : element.textContent.trim()].join(' ');
  }));
  const made = await rows();
  await page.reload();
  assert.deepEqual(made, await rows());
}));

test('a contact that is already in the list is replaced, not added again', visit({}, async (visitor) => {
  const ada = await visitor.addContact('Ada Lovelace');
  await visitor.addContact('Grace Hopper');
  // The replayed response to a form that was already sent, perhaps from another tab.
  const response = { ok: true, data: { ...ada, company: 'Engines' }, revalidated: [], requestId: 'r' };
  await visitor.page.route('**/actions/create-contact', (route) => route.fulfill({ json: response }));
  await visitor.openAddForm();
  await visitor.fill(ADA);
  await visitor.submit().click();
  await visitor.reads('Contact created!');
  await visitor.sees('Grace Hopper', 'Ada Lovelace');
  await visitor.reads('Engines');
  await visitor.reads('Contacts (2)');
}));

test('input typed while a request is under way is kept', visit({}, async (visitor) => {
  const { open, opened } = gate();
  await visitor.page.route('**/actions/create-contact', async (route) => {
    await opened;
    await route.continue();
  });
  await visitor.openAddForm();
  await visitor.fill(ADA);
  await visitor.submit().click();
  await visitor.reads('Creating…');
  await visitor.fill(GRACE);
  open();
  await visitor.reads('Contact created!');
  assert.deepEqual(await visitor.values('name', 'email'), ['Grace Hopper', 'grace@example.com']);
  await visitor.submit().click();
  await visitor.sees('Grace Hopper', 'Ada Lovelace');
}));

test('a message disappears after three seconds', visit({}, async (visitor) => {
  const { page } = visitor;
  const message = page.getByText('Contact created!').filter({ visible: true });
  const lasts = async () => {
    await message.waitFor();
    const shown = Date.now();
    await message.waitFor({ state: 'detached' });
    return Date.now() - shown;
  };
  await visitor.openAddForm();
  await visitor.fill(ADA);
  await visitor.submit().click();
  assert((await lasts()) > 2000);

  await visitor.goto(`${visitor.list}/new`);
  await visitor.fill(GRACE);
  await visitor.submit().click();
  assert((await lasts()) > 2000);
  await visitor.at(visitor.list); // Otherwise a reload would show it again.
}));

test('a deleted row disappears at once, and comes back to its place if the server refuses', visit({}, async (visitor) => {
  const { page } = visitor;
  for (const name of ['One', 'Two', 'Three']) await visitor.addContact(name);
  const { open, opened } = gate();
  await page.route('**/actions/delete-contact', async (route) => {
    await opened;
    const refusal = { ok: false, code: 'AUTH_ERROR', error: 'Only its owner or an admin can delete this contact', fieldErrors: {}, requestId: 'r' };
    await route.fulfill({ status: 403, json: refusal });
  });
  await visitor.goto(visitor.list);
  await page.getByRole('link', { name: 'Delete Two' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await visitor.sees('Three', 'One');
  await visitor.reads('Contacts (2)');
  await visitor.reads('Deleting…');
  open();
  await visitor.reads('Only its owner or an admin can delete this contact');
  await visitor.sees('Three', 'Two', 'One');
  await visitor.reads('Contacts (3)');

  // The rest of the page still works, and so does deleting.
  await page.unroute('**/actions/delete-contact');
  await page.getByRole('link', { name: 'Delete One' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await visitor.reads('Contact deleted!');
  await visitor.sees('Three', 'Two');
  assert.deepEqual(await visitor.names(), ['Three', 'Two']);
}));

test('deleting the last contact shows the empty list', visit({}, async (visitor) => {
  await visitor.addContact('Only');
  await visitor.goto(visitor.list);
  await visitor.page.getByRole('link', { name: 'Delete Only' }).click();
  await visitor.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await visitor.reads('No contacts yet');
  await visitor.reads('Contacts (0)');
}));

test('after a lost response the request is retried, and the contact is made once', visit({}, async (visitor) => {
  await loseResponses(visitor.page, 'create-contact', 1);
  await visitor.openAddForm();
  await visitor.fill(ADA);
  await visitor.submit().click();
  await visitor.reads('Contact created!');
  await visitor.sees('Ada Lovelace');
  assert.equal(visitor.sent.length, 2);
  assert.equal(keys(visitor).size, 1);
  assert.deepEqual(await visitor.names(), ['Ada Lovelace']);
}));

test('if every response is lost the input stays, and Try Again makes the contact once', visit({}, async (visitor) => {
  const { page } = visitor;
  await loseResponses(page, 'create-contact', 3);
  await visitor.openAddForm();
  await visitor.fill(ADA);
  await visitor.submit().click();
  await visitor.reads(CONNECTION);
  assert(await visitor.submit().isEnabled());
  assert.deepEqual(await visitor.values('name', 'email'), ['Ada Lovelace', 'ada@example.com']);
  await page.getByRole('button', { name: 'Try Again' }).click();
  await visitor.reads('Contact created!');
  await visitor.sees('Ada Lovelace');
  assert.equal(await page.locator('.summary').count(), 0);
  assert.equal(visitor.sent.length, 4);
  assert.equal(keys(visitor).size, 1);
  assert.deepEqual(await visitor.names(), ['Ada Lovelace']);
}));

test('other input after a lost response is kept, and makes a second contact only when sent again', visit({}, async (visitor) => {
  await loseResponses(visitor.page, 'create-contact', 3);
  await visitor.openAddForm();
  await visitor.fill(ADA);
  await visitor.submit().click();
  await visitor.reads(CONNECTION);
  await visitor.fill(GRACE);
  await visitor.submit().click();
  await visitor.reads('This form was already sent once, and what it held then was saved.');
  assert.deepEqual(await visitor.values('name', 'email'), ['Grace Hopper', 'grace@example.com']);
  assert.deepEqual(await visitor.names(), ['Ada Lovelace']);
  await visitor.submit().click();
  await visitor.reads('Contact created!');
  assert.deepEqual(await visitor.names(), ['Grace Hopper', 'Ada Lovelace']);
}));

test('after a lost response a deletion is retried', visit({}, async (visitor) => {
  await visitor.addContact('Ada');
  await loseResponses(visitor.page, 'delete-contact', 1);
  await visitor.goto(visitor.list);
  await visitor.page.getByRole('link', { name: 'Delete Ada' }).click();
  await visitor.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await visitor.reads('Contact deleted!');
  assert.equal(visitor.sent.length, 2);
  assert.deepEqual(await visitor.names(), []);
}));

test('a form sent while offline arrives when the network is back', visit({}, async (visitor) => {
  await visitor.openAddForm();
  await visitor.fill(ADA);
  await visitor.context.setOffline(true);
  await visitor.submit().click();
  await visitor.reads('Creating…');
  await until('the first attempt', () => visitor.sent.length > 0);
  await visitor.context.setOffline(false);
  await visitor.reads('Contact created!');
  await visitor.sees('Ada Lovelace');
  assert.equal(keys(visitor).size, 1);
  assert.deepEqual(await visitor.names(), ['Ada Lovelace']);
}));

test('a user who stays offline gets a message and keeps the input', visit({}, async (visitor) => {
  await visitor.openAddForm();
  await visitor.fill(ADA);
  await visitor.context.setOffline(true);
  await visitor.submit().click();
  await visitor.reads(CONNECTION);
  assert.deepEqual(await visitor.values('name', 'email'), ['Ada Lovelace', 'ada@example.com']);
  await visitor.context.setOffline(false);
  await visitor.submit().click();
  await visitor.sees('Ada Lovelace');
  assert.deepEqual(await visitor.names(), ['Ada Lovelace']);
}));

test('a server error is shown in plain words, and Try Again uses the same key', visit({}, async (visitor) => {
  const { page } = visitor;
  await page.route('**/actions/create-contact', (route) => route.fulfill({ status: 500, contentType: 'text/html', body: '<h1>stack trace</h1>' }), { times: 1 });
  await visitor.openAddForm();
  await visitor.fill(ADA);
  await visitor.submit().click();
  await visitor.reads('Failed to create contact. Please try again.');
  assert.equal(await page.getByText('stack trace').count(), 0);
  await page.getByRole('button', { name: 'Try Again' }).click();
  await visitor.sees('Ada Lovelace');
  assert.equal(keys(visitor).size, 1);
}));

test('a part that breaks shows it, and the rest of the page still works', visit({}, async (visitor) => {
  const { page } = visitor;
  await visitor.addContact('Grace');
  await visitor.addContact('Linus');
  await page.route('**/actions/create-contact', async (route) => {
    await route.fetch();
    await route.fulfill({ json: { ok: true, data: null, revalidated: [], requestId: 'r' } });
  }, { times: 1 });
  await visitor.openAddForm();
  await visitor.fill(ADA);
  await visitor.submit().click();
  await visitor.reads('Something went wrong');
  await page.getByRole('button', { name: 'Refresh Page' }).waitFor();
  await until('the error in the console', () => visitor.consoleErrors.length === 1);
  visitor.consoleErrors.length = 0;

  await page.getByRole('link', { name: 'Delete Linus' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await visitor.sees('Grace');

  await page.getByRole('button', { name: 'Try Again' }).click();
  await visitor.sees('Ada Lovelace', 'Grace');
  assert.equal(keys({ sent: visitor.sent.filter(({ action }) => action === 'create-contact') }).size, 1);
  assert.deepEqual(await visitor.names(), ['Ada Lovelace', 'Grace']);
}));

test('a contact can be added and deleted by keyboard alone', visit({}, async (visitor) => {
  const { page } = visitor;
  const { keyboard } = page;
  const tabTo = async (selector) => {
    for (let presses = 0; presses < 30; presses += 1) {
      if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
      await keyboard.press('Tab');
    }
    assert.fail(`Tab does not lead to ${selector}`);
  };
  await visitor.goto(visitor.list);
  await keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to content');
  await keyboard.press('Enter');
  await tabTo('#name');
  await keyboard.type('Ada');
  await keyboard.press('Tab');
  await keyboard.type('not an email');
  await keyboard.press('Enter');
  await visitor.reads('There is a problem');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'summary');
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'email');
  await keyboard.press('Control+a');
  await keyboard.type('ada@example.com');
  await tabTo('[data-pending]');
  await keyboard.press('Space');
  await visitor.sees('Ada');

  await tabTo('[data-delete]');
  await keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert(await page.evaluate(() => document.activeElement.matches('[data-delete]')), 'the focus is back on the link');
  await keyboard.press('Enter');
  await tabTo('dialog .danger');
  await keyboard.press('Enter');
  await visitor.reads('No contacts yet');
  assert.deepEqual(await visitor.names(), []);
}));

describe('a page that may not be stored', () => {
  test('keeps unsent input for going back, and only for that', visit({}, async (visitor) => {
    const { page, list } = visitor;
    const { id } = await visitor.addContact('Ada');
    await visitor.openAddForm();
    await visitor.fill({ name: 'Grace', notes: 'Long notes' });
    await page.getByRole('link', { name: 'Ada', exact: true }).click();
    await visitor.at(`${list}/${id}`);
    await visitor.goBack(list);
    await until('the input', async () => (await visitor.values('name', 'notes')).join() === 'Grace,Long notes');

    await visitor.goto(`${list}/${id}`);
    await visitor.openAddForm();
    assert.deepEqual(await visitor.values('name', 'notes'), ['', '']);
  }));

  test('keeps the version of an edit, so that going back replaces nobody\'s change unseen', visit({}, async (visitor) => {
    const { id, version } = await visitor.addContact('Ada', { company: 'Before' });
    const edit = `${visitor.list}/${id}/edit`;
    await visitor.goto(edit);
    await visitor.fill({ notes: 'Mine' });
    await visitor.goto(visitor.list);
    await visitor.act('update-contact', { id, version, name: 'Ada', email: 'ada@example.com', company: 'Theirs' });
    await visitor.goBack(edit);
    await until('the input', async () => (await visitor.values('notes')).join() === 'Mine');
    await visitor.submit().click();
    await visitor.page.getByRole('heading', { name: 'Your version and theirs' }).waitFor();
    assert.equal((await visitor.contacts())[0].company, 'Theirs');
  }));

  test('forgets the input when somebody else signs in', visit({}, async (visitor) => {
    const { page, list } = visitor;
    await visitor.openAddForm();
    await visitor.fill({ name: 'A secret' });
    await visitor.goto('/sign-up');
    assert.equal(await page.evaluate(() => Object.values(sessionStorage).join().includes('A secret')), false);
    await visitor.goBack(list);
    assert.deepEqual(await visitor.values('name'), ['']);
  }));
});
