// A viewer, who may read and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, openProduct, start, startProduct } from './harness.mjs';

let engine;

/** The product on an engine that this file can reach: no action makes a viewer yet. */
async function productOnEngine() {
  engine = await start(build('example', 'dynamodb'), []);
  const product = await startProduct('--dynamodb-url', engine.url);
  const stop = async () => {
    await product.stop();
    await engine.stop();
  };
  return { ...product, stop };
}

const { visit } = openProduct({ product: productOnEngine });

async function makeViewer(tenant, user) {
  const answer = await fetch(engine.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.UpdateItem',
      authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
      'x-amz-date': '20260101T000000Z',
    },
    body: JSON.stringify({
      TableName: 'edge-crm',
      Key: { pk: { S: `${tenant}:members` }, sk: { S: user } },
      UpdateExpression: 'SET #role = :viewer',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#role': 'role' },
      ExpressionAttributeValues: { ':viewer': { S: 'viewer' } },
    }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

for (const javaScriptEnabled of [true, false]) {
  test(`a viewer reads, and is offered nothing that changes anything, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, visit({ javaScriptEnabled }, async (visitor) => {
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
      const answer = await visitor.goto(path);
      assert.equal(answer.status(), 403, path);
      await page.getByRole('heading', { name: 'This is not open to you' }).waitFor();
      await page.getByRole('link', { name: 'Go to contacts' }).click();
      await visitor.at(list);
    }
    await visitor.goto(`${list}?q=nobody`);
    await visitor.canGoOn();
  }));

  test(`who becomes a viewer while a form is open is told so and loses no input, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, visit({ javaScriptEnabled }, async (visitor) => {
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
