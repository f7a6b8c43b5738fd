// axe-core finds no violation: on every page, for every role, in every state, in light and dark.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { crawl, fillOrganization, kind, startPaths, token } from './crawl.mjs';
import { resetLink } from './forms/steps.mjs';
import { Visitor, openProduct } from './harness.mjs';
import { startProductOnEngine } from './table.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const { visit, running } = openProduct({ product: startProductOnEngine });

/** The violations that axe finds on the page: the rule and the element. */
async function violationsOn(page) {
  await page.evaluate(AXE); // Through the debugger, which the page's content security policy does not block.
  return page.evaluate(async (values) => {
    const { violations } = await window.axe.run(document, { runOnly: { type: 'tag', values } });
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 160)}`));
  }, TAGS);
}

/** Checks that axe finds no violation, in light and in dark. */
async function checkPage(visitor, what) {
  const { page } = visitor;
  await visitor.loaded();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    assert.deepEqual(await violationsOn(page), [], `${what}, ${colorScheme}`);
  }
}

/** Replaces the script by an empty one. JavaScript stays on, because axe needs it. */
const withoutScript = (visitor) => visitor.page.route('**/assets/app-*.js', (route) => route.fulfill({ body: '', contentType: 'text/javascript' }));

test('axe finds a violation', visit({}, async (visitor) => {
  const { page, list } = visitor;
  await visitor.goto(list);
  await page.evaluate(() => document.querySelectorAll('label').forEach((label) => label.remove()));
  assert.match((await violationsOn(page)).join('\n'), /Form elements must have labels/);
}));

for (const script of [true, false]) {
  test(`every page, ${script ? 'with' : 'without'} the script`, visit({}, async (visitor) => {
    if (!script) await withoutScript(visitor);
    const look = (path) => checkPage(visitor, path);
    await crawl(visitor, startPaths(visitor.list), look, 1); // Without data.
    await fillOrganization(visitor);
    const pages = await crawl(visitor, startPaths(visitor.list), look, 2);
    assert(new Set(pages.map(kind)).size > 15, `${pages}`);

    const viewer = await Visitor.enter(running);
    const tenant = visitor.list.split('/')[2];
    await viewer.act('sign-in', { email: `viewer.${visitor.account.email}`, password: visitor.account.password });
    viewer.list = `/t/${tenant}/contacts`;
    await crawl(viewer, [viewer.list], (path) => checkPage(viewer, `${path} for a viewer`), 1);
    await viewer.goto(`${viewer.list}/new`);
    await checkPage(viewer, 'a page that viewers may not open');
    await viewer.context.close();

    const { link } = await visitor.act('invite-member', { email: `new.${visitor.account.email}`, role: 'member' });
    await visitor.context.clearCookies();
    await crawl(visitor, ['/sign-in'], look, 1);
    await visitor.act('request-password-reset', { email: visitor.account.email });
    const reset = await resetLink(visitor);
    await checkPage(visitor, 'the mailbox');
    for (const path of [reset, link, `/accept-invite?token=${token(link).slice(1)}`, '/reset-password', '/nothing', '/sign-in#signed-out', '/forgot-password#sent']) {
      await visitor.page.goto(new URL(path, visitor.url).href);
      await checkPage(visitor, path);
    }
  }));
}

test('every refused form', visit({}, async (visitor) => {
  const { page, list } = visitor;
  const { id } = await visitor.addContact('Ada');
  const project = await visitor.act('create-project', { name: 'Turbine' });
  const at = (rest) => list.replace('/contacts', rest);
  const pages = [`${list}/new`, `${list}/${id}/edit`, at('/projects/new'), at(`/projects/${project.id}/edit`), at('/members/invite'), at('/members/leave'), at('/settings')];
  for (const script of [true, false]) {
    if (!script) await withoutScript(visitor);
    for (const path of pages) {
      await visitor.goto(path);
      for (const field of await page.locator('form.form input:not([type=hidden])').all()) await field.fill('');
      await visitor.submit().first().click();
      await page.locator('.summary').waitFor();
      await checkPage(visitor, `${path}, refused`);
    }
    await visitor.goto(`${list}/${id}/edit`);
    const [{ version }] = await visitor.contacts();
    await visitor.act('update-contact', { id, version: String(version), name: 'Theirs', email: 'ada@example.com' });
    await visitor.submit().click();
    await page.locator('.conflict').waitFor();
    await checkPage(visitor, 'a conflict');
  }
  await visitor.context.clearCookies();
  await page.unroute('**/assets/app-*.js');
  for (const script of [true, false]) {
    if (!script) await withoutScript(visitor);
    for (const path of ['/sign-in', '/sign-up', '/forgot-password']) {
      await visitor.goto(path);
      await visitor.submit().click();
      await page.locator('.summary').waitFor();
      await checkPage(visitor, `${path}, refused`);
    }
  }
}));

test('while a request is under way, and after the response', visit({}, async (visitor) => {
  const { page, list } = visitor;
  let release;
  await page.route('**/actions/*', async (route) => {
    await new Promise((resolve) => { release = resolve; });
    await route.continue();
  });
  await visitor.openAddForm();
  await visitor.fill({ name: 'Ada', email: 'ada@example.com' });
  await visitor.submit().click();
  await visitor.reads('Creating…');
  await checkPage(visitor, 'creating');
  release();
  await visitor.reads('Contact created!');
  await checkPage(visitor, 'created');

  await page.getByRole('link', { name: 'Delete Ada' }).click();
  await checkPage(visitor, 'a confirmation');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await visitor.reads('Deleting…');
  await checkPage(visitor, 'deleting');
  release();
  await visitor.reads('Contact deleted!');
  await checkPage(visitor, 'deleted');

  await page.unroute('**/actions/*');
  for (const [place, words] of [['settings', 'Password changed!'], ['members', 'Role changed!'], ['contacts', 'Contact created!']]) {
    await visitor.goto(`${list.replace('contacts', place)}#${words.toLowerCase().replace(' ', '-').replace('!', '')}`);
    await visitor.reads(words);
    await checkPage(visitor, words);
  }
}));

test('after a failure', visit({}, async (visitor) => {
  const { page, list } = visitor;
  await visitor.addContact('Ada');
  await page.route('**/actions/*', (route) => route.abort());
  await visitor.openAddForm();
  await visitor.submit().click();
  await visitor.reads('Connection problem. Please check your internet and try again.');
  await checkPage(visitor, 'no connection');
  await page.getByRole('link', { name: 'Delete Ada' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.locator('.results .summary').waitFor();
  await checkPage(visitor, 'a deletion that failed');

  await page.unroute('**/actions/*');
  await page.route('**/actions/*', (route) => route.fulfill({ json: { ok: true, data: null } }));
  await visitor.submit().click();
  await visitor.reads('Something went wrong');
  visitor.consoleErrors.length = 0;
  await checkPage(visitor, 'a broken part');

  await page.unroute('**/actions/*');
  await visitor.goto(`${list}/new`);
  await visitor.fill({ name: 'Ada', email: 'ada2@example.com' });
  await running.product.stopEngine();
  const response = await visitor.goto(`${list}/new`);
  assert(response.status() >= 500);
  await checkPage(visitor, 'a server without its table');
}));
