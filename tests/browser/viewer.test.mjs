// A viewer may read, and change nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openProduct } from './harness.mjs';
import { startProductOnEngine } from './table.mjs';

const { visit, running } = openProduct({ product: startProductOnEngine });

/** Makes a user a viewer, directly in the table: the product keeps the last owner an owner. */
const makeViewer = (tenant, user) => running.product.table.changeRole(tenant, user, 'viewer');

for (const javaScriptEnabled of [true, false]) {
  test(`a viewer can read and is offered no changes, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, visit({ javaScriptEnabled }, async (visitor) => {
    const { page, list } = visitor;
    const ada = await visitor.addContact('Ada Lovelace', { notes: 'Read me' });
    await makeViewer(list.split('/')[2], ada.ownerId);

    await visitor.goto(list);
    await visitor.sees('Ada Lovelace');
    await visitor.canGoOn();
    assert.equal(await page.getByText(/Add Contact|Edit|Delete/).count(), 0);
    await page.getByRole('link', { name: 'Ada Lovelace' }).click();
    await visitor.reads('Read me');
    await visitor.canGoOn();
    assert.equal(await page.getByText(/Edit|Delete/).count(), 0);

    for (const path of [`${list}/new`, `${list}/${ada.id}/edit`, `${list}/${ada.id}/delete`]) {
      const response = await visitor.goto(path);
      assert.equal(response.status(), 403, path);
      await page.getByRole('heading', { name: 'This is not open to you' }).waitFor();
      await page.getByRole('link', { name: 'Go to contacts' }).click();
      await visitor.at(list);
    }
    await visitor.goto(`${list}?q=nobody`);
    await visitor.canGoOn();
  }));

  test(`a user who becomes a viewer while a form is open gets a message and keeps the input, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, visit({ javaScriptEnabled }, async (visitor) => {
    const { ownerId } = await visitor.addContact('Ada Lovelace');
    await visitor.openAddForm();
    await visitor.fill({ name: 'Grace', email: 'grace@example.com' });
    await makeViewer(visitor.list.split('/')[2], ownerId);
    await visitor.submit().click();
    await visitor.reads('You are not allowed to do this');
    assert.deepEqual(await visitor.values('name', 'email'), ['Grace', 'grace@example.com']);
    await visitor.canGoOn();
    assert.deepEqual(await visitor.names(), ['Ada Lovelace']);
  }));
}
