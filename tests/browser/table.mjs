// The product's table, seen from outside: what is stored, and what somebody changed in it.
import assert from 'node:assert/strict';
import { build, start, startProduct, until } from './harness.mjs';

/** The product on an engine that can be reached from here; its `table` is the one it writes to. */
export async function startProductOnEngine() {
  const engine = await start(build('example', 'dynamodb'), []);
  const product = await startProduct('--dynamodb-url', engine.url);
  const stop = async () => {
    await product.stop();
    await engine.stop();
  };
  return { ...product, stop, stopEngine: engine.stop, table: new Table(engine.url) };
}

/** The letters in the mailbox of the local stack, newest first. */
export async function letters({ url }) {
  const page = await (await fetch(`${url}/mailbox`)).text();
  return [...page.matchAll(/<article.*?<\/article>/gs)].map(([letter]) => withoutChance(letter.replaceAll(url, '')));
}

class Table {
  constructor(url) {
    this.url = url;
  }

  async #call(operation, request) {
    const answer = await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
        'x-amz-date': '20260101T000000Z',
      },
      body: JSON.stringify({ TableName: 'edge-crm', ...request }),
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return JSON.parse(text);
  }

  /** Every item, under its keys. */
  async items() {
    const items = new Map();
    let from;
    do {
      const page = await this.#call('Scan', { ConsistentRead: true, ExclusiveStartKey: from });
      for (const item of page.Items) {
        const { pk, sk, ...rest } = plain({ M: item });
        items.set(`${pk} ${sk}`, rest);
      }
      from = page.LastEvaluatedKey;
    } while (from);
    return items;
  }

  /** Every item, once no letter waits to be sent. */
  async settled() {
    let items;
    await until('all letters to be sent', async () => {
      items = await this.items();
      return ![...items.keys()].some((key) => key.startsWith('#mail:'));
    });
    return items;
  }

  /** Gives a member another role, past the product. */
  changeRole(tenant, user, role) {
    return this.#call('UpdateItem', {
      Key: { pk: { S: `${tenant}:members` }, sk: { S: user } },
      UpdateExpression: 'SET #role = :role',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#role': 'role' },
      ExpressionAttributeValues: { ':role': { S: role } },
    });
  }
}

/** DynamoDB's JSON as plain JSON. */
function plain(attribute) {
  const [[type, value]] = Object.entries(attribute);
  if (type === 'L') return value.map(plain);
  // The engine gives attributes in any order.
  if (type === 'M') return Object.fromEntries(Object.keys(value).sort().map((name) => [name, plain(value[name])]));
  if (type === 'N') return Number(value);
  return type === 'NULL' ? null : value;
}

/** What the edge may have kept and what is still to be revalidated or indexed, which depends on who looked
 *  at what and when, and counters of requests. */
const ASIDE = /^#(mark|rate|outbox|search|unindexed):/;

/** The items that differ, each as it was and as it is, so that two tables can be compared in which
 *  the same was done: what is made at random and when it was done are left out, and who is meant
 *  by an id is told by a number. */
export function changed(before, after) {
  const keys = [...new Set([...before.keys(), ...after.keys()])].filter((key) => !ASIDE.test(key));
  const changes = keys
    .map((key) => ({ key, was: before.get(key) ?? null, is: after.get(key) ?? null }))
    .filter(({ was, is }) => JSON.stringify(was) !== JSON.stringify(is));
  return numbered(changes);
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Ids become numbers in the order in which they first appear, in an order that no id decides. */
function numbered(changes) {
  const texts = changes.map((change) => withoutChance(JSON.stringify(change)));
  const blank = (text) => text.replace(ID, '');
  // Items that differ in nothing but their ids are told apart by age, which the ids tell.
  texts.sort((a, b) => (blank(a) < blank(b) ? -1 : blank(a) > blank(b) ? 1 : a < b ? -1 : 1));
  const numbers = new Map();
  const number = (id) => {
    if (!numbers.has(id)) numbers.set(id, `id ${numbers.size + 1}`);
    return numbers.get(id);
  };
  return texts.map((text) => JSON.parse(text.replace(ID, number)));
}

/** Without times, and without keys, tokens and hashes: anything of 22 characters (128 bits in
 *  base64) and more that is no word. One in 1,500 hashes has no digit: it has capitals inside,
 *  as no word here does. */
export function withoutChance(text) {
  return text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '(time)')
    .replace(/\$argon2[^"]+/g, '(password)')
    .replace(/:\d{10}\b/g, ':"(time)"')
    .replace(/#outbox:[0-9a-f]","\d{13}/g, '#outbox:(chance)","(time)')
    .replace(/[\w+/=-]{22,}/g, (run) => (/\d|.[A-Z]/.test(run) && !run.match(ID) ? '(chance)' : run));
}
