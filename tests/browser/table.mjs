// The product's table: reads what is stored, and compares two tables.
import assert from 'node:assert/strict';
import { build, start, startProduct, until } from './harness.mjs';

/** Starts the product on a database engine that tests can reach. `table` is the product's table. */
export async function startProductOnEngine() {
  const engine = await start(build('example', 'dynamodb'), []);
  const product = await startProduct('--dynamodb-url', engine.url);
  const stop = async () => {
    await product.stop();
    await engine.stop();
  };
  return { ...product, stop, stopEngine: engine.stop, table: new Table(engine.url) };
}

/** The emails in the mailbox of the local stack, newest first. */
export async function emails({ url }) {
  const page = await (await fetch(`${url}/mailbox`)).text();
  return [...page.matchAll(/<article.*?<\/article>/gs)].map(([email]) => withoutRandom(email.replaceAll(url, '')));
}

class Table {
  constructor(url) {
    this.url = url;
  }

  async #call(operation, request) {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
        'x-amz-date': '20260101T000000Z',
      },
      body: JSON.stringify({ TableName: 'edge-crm', ...request }),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text);
  }

  /** Every item, by its key. */
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

  /** Every item, after all stored emails have been sent. */
  async settled() {
    let items;
    await until('all emails to be sent', async () => {
      items = await this.items();
      return ![...items.keys()].some((key) => key.startsWith('#mail:'));
    });
    return items;
  }

  /** Changes a member's role directly in the table. */
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

/** Turns DynamoDB's JSON into plain JSON. */
function plain(attribute) {
  const [[type, value]] = Object.entries(attribute);
  if (type === 'L') return value.map(plain);
  // The engine returns attributes in any order.
  if (type === 'M') return Object.fromEntries(Object.keys(value).sort().map((name) => [name, plain(value[name])]));
  if (type === 'N') return Number(value);
  return type === 'NULL' ? null : value;
}

/** Items that depend on timing and on page views, of other organisations too: marks, rate counters, the outbox,
 *  the purges that were bought, and the search index. */
const IGNORED = /^#(edge|mark|outbox|purges|rate|search|unindexed):/;

/** The items that changed, each with its old and its new value. Two tables in which the same was
 *  done give the same result: times and random values are left out, and ids are replaced by
 *  numbers. */
export function changed(before, after) {
  const keys = [...new Set([...before.keys(), ...after.keys()])].filter((key) => !IGNORED.test(key));
  const changes = keys
    .map((key) => ({ key, was: before.get(key) ?? null, is: after.get(key) ?? null }))
    .filter(({ was, is }) => JSON.stringify(was) !== JSON.stringify(is));
  return numbered(changes);
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Replaces ids by numbers, in the order of their first appearance in the sorted changes. */
function numbered(changes) {
  const texts = changes.map((change) => withoutRandom(JSON.stringify(change)));
  const blank = (text) => text.replace(ID, '');
  // Sorted without ids, which are random. Items that differ only in ids are sorted by age: the ids
  // begin with a time.
  texts.sort((a, b) => (blank(a) < blank(b) ? -1 : blank(a) > blank(b) ? 1 : a < b ? -1 : 1));
  const numbers = new Map();
  const number = (id) => {
    if (!numbers.has(id)) numbers.set(id, `id ${numbers.size + 1}`);
    return numbers.get(id);
  };
  return texts.map((text) => JSON.parse(text.replace(ID, number)));
}

/** Replaces times, keys, tokens and hashes. A run of 22 characters (128 bits in base64) or more is
 *  random if it has a digit, or a capital that is not its first character: one in 1,500 hashes has
 *  no digit, and no word here has a capital inside. */
export function withoutRandom(text) {
  return text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '(time)')
    .replace(/\$argon2[^"]+/g, '(password)')
    .replace(/:\d{10}\b/g, ':"(time)"')
    .replace(/#outbox:[0-9a-f]","\d{13}/g, '#outbox:(random)","(time)')
    .replace(/[\w+/=-]{22,}/g, (run) => (/\d|.[A-Z]/.test(run) && !run.match(ID) ? '(random)' : run));
}
