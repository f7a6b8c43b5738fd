// What a member does with contacts: the same with and without JavaScript.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openProduct, until } from './harness.mjs';

const { visit } = openProduct();

const TOO_LONG = 'Phone too long: it has 21 characters; 20 fit, and an extension';

for (const javaScriptEnabled of [true, false]) {
  const options = { javaScriptEnabled };
  describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test('a contact is added, found, edited and deleted', visit(options, async (visitor) => {
      const { page, list } = visitor;
      await visitor.addContact('Grace Hopper', { company: 'Navy' });
      await visitor.openAddForm();
      await visitor.canGoOn();
      await visitor.fill({ name: 'Ada Lovelace', email: 'ada@example.com', company: 'Analytical Engines', phone: '+44 20 7946 0000', notes: 'Met in London.\nLikes numbers.' });
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      await visitor.sees('Ada Lovelace', 'Grace Hopper');
      await visitor.reads('Contacts (2)');
      await visitor.canGoOn();

      await page.getByRole('searchbox').fill('ANALYTICAL');
      await page.getByRole('button', { name: 'Search' }).click();
      await visitor.at(`${list}?q=ANALYTICAL`);
      await visitor.sees('Ada Lovelace');
      await page.getByRole('link', { name: 'Clear' }).click();
      await visitor.sees('Ada Lovelace', 'Grace Hopper');

      await page.getByRole('link', { name: 'Edit Ada Lovelace' }).click();
      await visitor.canGoOn();
      assert.deepEqual(await visitor.values('name', 'company', 'notes'), ['Ada Lovelace', 'Analytical Engines', 'Met in London.\nLikes numbers.']);
      await visitor.fill({ name: 'Ada King', company: '' });
      await visitor.submit().click();
      await visitor.reads('Contact updated!');
      await page.getByRole('heading', { name: 'Ada King' }).waitFor();
      await visitor.canGoOn();
      const [ada] = await visitor.contacts();
      assert.equal(ada.name, 'Ada King');
      assert.equal(ada.company, null);
      assert.equal(ada.version, 2);

      await page.getByRole('link', { name: 'Delete' }).click();
      await visitor.reads("Delete Ada King? It stays in the trash for 30 days");
      await visitor.canGoOn();
      await page.getByRole('button', { name: 'Delete' }).click();
      await visitor.reads('Contact deleted!');
      await visitor.sees('Grace Hopper');
      assert.deepEqual(await visitor.names(), ['Grace Hopper']);
    }));

    test('an empty list shows a message and how to begin', visit(options, async (visitor) => {
      await visitor.goto(visitor.list);
      await visitor.reads('No contacts yet');
      await visitor.reads('Add your first contact on the left.');
      await visitor.reads('Contacts (0)');
      await visitor.openAddForm();
      await visitor.fill({ name: 'First', email: 'first@example.com' });
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      assert.equal(await visitor.page.getByText('No contacts yet').count(), 0);
    }));

    test('a search without results shows a message and leads back', visit(options, async (visitor) => {
      await visitor.addContact('Ada Lovelace');
      await visitor.goto(`${visitor.list}?q=nobody`);
      await visitor.reads('No contacts match “nobody”');
      await visitor.page.getByRole('link', { name: 'Show all contacts' }).click();
      await visitor.sees('Ada Lovelace');
    }));

    test('a contact with a phone number needs no email', visit(options, async (visitor) => {
      const { page, list } = visitor;
      await visitor.openAddForm();
      await visitor.fill({ name: 'Grace', phone: '+1 (555) 123-4567 ext. 890' });
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      const row = page.locator('[data-rows] .row').filter({ hasText: 'Grace' }).first();
      await row.getByText('+1 (555) 123-4567 ext. 890').waitFor();
      await row.getByRole('link', { name: 'Grace', exact: true }).click();
      const phone = page.getByRole('link', { name: '+1 (555) 123-4567 ext. 890' });
      assert.equal(await phone.getAttribute('href'), 'tel:+15551234567;ext=890');
      assert.equal(await page.locator('a[href^="mailto:"]').count(), 0);
      await page.goto(new URL(`${list}?q=grace+5551234567`, page.url()).href);
      await page.locator('[data-rows] .row').first().waitFor();
    }));

    test('errors are shown beside the fields, the summary links to them, and the input stays', visit(options, async (visitor) => {
      const { page } = visitor;
      await visitor.openAddForm();
      await visitor.fill({ email: 'not an email', company: 'Kept Ltd', phone: '123456789012345678901', notes: 'Kept\nnotes' });
      await visitor.submit().click();
      const summary = page.locator('.summary');
      await summary.getByRole('heading', { name: 'There is a problem' }).waitFor();
      assert.deepEqual(await summary.locator('li').allTextContents(), ['Name is required', 'Invalid email format', TOO_LONG]);
      for (const [name, message] of [['name', 'Name is required'], ['email', 'Invalid email format'], ['phone', TOO_LONG]]) {
        const field = page.locator(`#${name}`);
        assert.equal(await field.getAttribute('aria-invalid'), 'true');
        assert.equal(await page.locator(`#${await field.getAttribute('aria-describedby')}`).textContent(), message);
      }
      assert.match(await page.title(), /^Error: /);
      assert.deepEqual(await visitor.values('email', 'company', 'notes'), ['not an email', 'Kept Ltd', 'Kept\nnotes']);

      await summary.getByRole('link', { name: 'Invalid email format' }).click();
      await until('the focus in the field', () => page.locator('#email').evaluate((field) => field.matches(':focus, :target')));
      await visitor.fill({ name: 'Ada', email: 'ada@example.com', phone: '' });
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      const [ada] = await visitor.contacts();
      assert.deepEqual([ada.email, ada.company, ada.notes], ['ada@example.com', 'Kept Ltd', 'Kept\nnotes']);
    }));

    test('a taken email leads to the contact that has it', visit(options, async (visitor) => {
      await visitor.addContact('Ada Lovelace');
      await visitor.openAddForm();
      await visitor.fill({ name: 'Another Ada', email: 'ADA.lovelace@example.com' });
      await visitor.submit().click();
      await visitor.page.locator('.summary').getByText('Contact with this email already exists').waitFor();
      assert.deepEqual(await visitor.values('name'), ['Another Ada']);
      await visitor.page.getByRole('link', { name: 'View the existing contact' }).click();
      await visitor.page.getByRole('heading', { name: 'Ada Lovelace' }).waitFor();
      assert.deepEqual(await visitor.names(), ['Ada Lovelace']);
    }));

    test('a double click makes one contact', visit(options, async (visitor) => {
      const { page } = visitor;
      // The response to the first click is delayed, so that the form is still there for the second.
      let release;
      const released = new Promise((resolve) => { release = resolve; });
      await page.route('**/actions/create-contact', async (route) => {
        const response = await route.fetch({ maxRedirects: 0 });
        await released;
        await route.fulfill({ response }).catch(() => {}); // The browser may no longer wait for it.
      });
      await visitor.openAddForm();
      await visitor.fill({ name: 'Ada', email: 'ada@example.com' });
      const { x, y } = await visitor.submit().boundingBox();
      await page.mouse.click(x + 5, y + 5);
      await until('the contact', async () => (await visitor.contacts()).length === 1);
      await page.mouse.click(x + 5, y + 5);
      if (!visitor.script) await until('the second request', () => visitor.sent.length === 2);
      release();
      await visitor.reads('Contact created!');
      await visitor.sees('Ada');
      assert.equal(visitor.sent.length, visitor.script ? 1 : 2);
      assert.equal(new Set(visitor.sent.map(({ key }) => key)).size, 1);
      assert.deepEqual(await visitor.names(), ['Ada']);
    }));

    test('going back to the form and sending it again makes no second contact', visit(options, async (visitor) => {
      const form = `${visitor.list}/new`;
      await visitor.goto(form);
      await visitor.fill({ name: 'Ada', email: 'ada@example.com' });
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      await visitor.goBack(form);
      assert(await visitor.submit().isEnabled());
      assert.equal(await visitor.submit().textContent(), 'Create Contact');
      // The browser shows the old form or a fresh one. Neither makes a second contact.
      await visitor.fill({ name: 'Ada', email: 'ada@example.com' });
      await visitor.submit().click();
      await until('a response', async () => (await visitor.page.getByText('Contact created!').filter({ visible: true }).count())
        || (await visitor.page.locator('.summary').count()));
      assert.deepEqual(await visitor.names(), ['Ada']);
    }));

    test('deleting asks for confirmation, and Cancel keeps the contact', visit(options, async (visitor) => {
      await visitor.addContact('Ada');
      await visitor.goto(visitor.list);
      await visitor.page.getByRole('link', { name: 'Delete Ada' }).click();
      await visitor.reads("Delete Ada? It stays in the trash for 30 days");
      await visitor.page.getByText('Cancel').click();
      await visitor.page.getByText("It stays in the trash for 30 days").waitFor({ state: 'detached' });
      assert.deepEqual(await visitor.names(), ['Ada']);
      assert.deepEqual(visitor.sent, []);
    }));

    test('a conflicting edit shows both versions, and saving again replaces the other one', visit(options, async (visitor) => {
      const { page } = visitor;
      const { id } = await visitor.addContact('Ada', { company: 'Before' });
      const edit = `${visitor.list}/${id}/edit`;
      const other = await visitor.context.newPage();
      await visitor.goto(edit);
      await visitor.goto(edit, other);
      await visitor.fill({ company: 'Theirs' }, other);
      await visitor.submit(other).click();
      await visitor.reads('Contact updated!', other);

      await visitor.fill({ company: 'Mine', notes: 'Mine too' });
      await visitor.submit().click();
      await page.getByRole('heading', { name: 'Your version and theirs' }).waitFor();
      const differing = await page.locator('tr.differs').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
      assert.deepEqual(differing, [['Company', 'Mine', 'Theirs'], ['Notes', 'Mine too', '–']]);
      assert.deepEqual(await visitor.values('company', 'notes'), ['Mine', 'Mine too']);
      await visitor.canGoOn();
      assert.equal((await visitor.contacts())[0].company, 'Theirs');

      await visitor.submit().click();
      await visitor.reads('Contact updated!');
      const [ada] = await visitor.contacts();
      assert.deepEqual([ada.company, ada.notes, ada.version], ['Mine', 'Mine too', 3]);
    }));

    test('a session that ends while a form is open loses no input', visit(options, async (visitor) => {
      const { page, context } = visitor;
      await visitor.openAddForm();
      await visitor.fill({ name: 'Ada', email: 'ada@example.com', notes: 'Long notes' });
      await context.clearCookies();
      await visitor.submit().click();
      await visitor.reads('Your session has ended.');
      assert.deepEqual(await visitor.values('name', 'email', 'notes'), ['Ada', 'ada@example.com', 'Long notes']);

      const [tab] = await Promise.all([context.waitForEvent('page'), page.getByRole('link', { name: 'Sign in again in a new tab' }).click()]);
      await visitor.fill({ email: visitor.account.email, password: visitor.account.password }, tab);
      await visitor.submit(tab).click();
      await tab.waitForURL(`**${visitor.list}`);
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      const [ada] = await visitor.contacts();
      assert.deepEqual([ada.name, ada.notes], ['Ada', 'Long notes']);
    }));

    test('input never becomes markup', visit(options, async (visitor) => {
      const name = '<img src=x onerror=alert(1)> & "Ada"';
      await visitor.openAddForm();
      await visitor.fill({ name, email: 'ada@example.com', company: '<b>Co</b>' });
      await visitor.submit().click();
      await visitor.reads('Contact created!');
      await visitor.sees(name);
      await visitor.reads('<b>Co</b>');
      await visitor.page.getByRole('link', { name, exact: true }).click();
      await visitor.page.getByRole('heading', { name }).waitFor();
    }));
  });
}

test('without JavaScript, sending an old form again with other input makes no second contact and keeps the input', visit({ javaScriptEnabled: false }, async (visitor) => {
  const form = `${visitor.list}/new`;
  const old = await (await visitor.goto(form)).text();
  await visitor.fill({ name: 'Ada', email: 'ada@example.com' });
  await visitor.submit().click();
  await visitor.reads('Contact created!');
  // Chromium loads the page again because a cookie has changed. Other browsers restore the old
  // page, so the test does that.
  await visitor.page.route(`**${form}`, (route) => route.fulfill({ body: old, contentType: 'text/html' }));
  await visitor.goBack(form);
  await visitor.page.unroute(`**${form}`);
  assert.deepEqual(await visitor.values('idempotency_key'), [visitor.sent[0].key], 'the old page is restored');
  await visitor.fill({ name: 'Grace', email: 'grace@example.com' });
  const [response] = await Promise.all([visitor.page.waitForResponse('**/actions/create-contact'), visitor.submit().click()]);
  assert.equal(response.status(), 422);
  await visitor.reads('This form was sent before with other input, and that was saved.');
  assert.deepEqual(await visitor.values('name', 'email'), ['Grace', 'grace@example.com']);
  assert.deepEqual(await visitor.names(), ['Ada']);
  await visitor.canGoOn();

  // Sending it once more, with the fresh key of that page, makes the second contact.
  await visitor.submit().click();
  await visitor.reads('Contact created!');
  assert.deepEqual(await visitor.names(), ['Grace', 'Ada']);
}));
