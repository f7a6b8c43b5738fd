// Visits every page of the product by following links.
import assert from 'node:assert/strict';
import { Visitor } from './harness.mjs';

/** The longest contact that is allowed, as a test of layouts. */
export const LONGEST = {
  name: 'N'.repeat(100),
  email: `${'e'.repeat(60)}@${`${'d'.repeat(60)}.`.repeat(3)}example.com`,
  company: 'C'.repeat(100),
  phone: '1'.repeat(20),
  notes: 'n'.repeat(500),
};

/** Fills the visitor's organization so that every page has something to show. */
export async function fillOrganization(visitor) {
  const { email, password } = visitor.account;
  const people = { member: 'Mia Member', viewer: LONGEST.name };
  for (const [role, name] of Object.entries(people)) {
    const person = await Visitor.enter(visitor.running);
    const { link } = await visitor.act('invite-member', { email: `${role}.${email}`, role });
    await person.act('accept-invite', { token: token(link), name, password });
    await person.context.close();
  }
  await visitor.act('invite-member', { email: `invited.${email}`, role: 'admin' });
  await visitor.addContact('Ada Lovelace', { company: 'Analytical Engines', phone: '+44 20 7946 0000', notes: 'Met in London.' });
  await visitor.addContact('Longest', LONGEST);
  await visitor.addContact('Unicode', { name: 'محمد بن موسى 👩‍👩‍👧', company: '東京', phone: 'no digits' });
  for (const name of ['Gone', 'Long gone']) {
    const more = name === 'Gone' ? {} : { ...LONGEST, email: `gone.${LONGEST.email.slice(5)}` };
    const { id } = await visitor.addContact(name, more);
    await visitor.act('delete-contact', { id });
  }
  for (const name of ['Turbine', 'P'.repeat(100)]) await visitor.act('create-project', { name });
  const { id } = await visitor.act('create-project', { name: 'Done' });
  await visitor.act('archive-project', { id });

  const owner = await Visitor.enter(visitor.running);
  await owner.signUp({ organization: 'O'.repeat(100) });
  const { link } = await owner.act('invite-member', { email, role: 'member' });
  await owner.context.close();
  await visitor.act('accept-invite', { token: token(link), name: '', password });
  await visitor.act('switch-organization', { tenant: visitor.list.split('/')[2] });
}

/** The token in a link. */
export const token = (link) => new URL(link, 'http://localhost').searchParams.get('token');

/** The address without tenant, ids and query values: the same for all pages of one kind. */
export const kind = (address) => address.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}').replace(/=[^&]+/g, '=').replace(/^\/t\/[^/]+/, '/t/{tenant}');

/** Where to start: the list, and the pages that are linked only without the script. */
export const startPaths = (list) => [list, `${list}/new`, list.replace('contacts', 'projects/new'), list.replace('contacts', 'members/invite')];

/** Calls `look` on `starts` and on every page that links lead to from there, except files. Of pages
 *  of the same kind, it visits at most `maxPerKind`. Returns the addresses. */
export async function crawl(visitor, starts, look, maxPerKind = 3) {
  const { page, url } = visitor;
  const seen = new Set();
  const seenOf = {};
  const waiting = [...starts];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    if (seen.has(next) || seenOf[kind(next)] === maxPerKind) continue;
    seen.add(next);
    seenOf[kind(next)] = (seenOf[kind(next)] ?? 0) + 1;
    const response = await visitor.goto(next);
    assert.equal(response.status(), 200, next);
    await look(next);
    const links = await page.locator('a[href]:not([href*=".csv"])').evaluateAll((all) => all.map((link) => link.href));
    waiting.push(...links.filter((link) => link.startsWith(url)).map((link) => link.slice(url.length).replace(/#.*/, '')));
  }
  return [...seen];
}
