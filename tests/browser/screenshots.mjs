// Takes screenshots of every page: `node screenshots.mjs`. The list goes to docs/list.png, for the
// README. The others go to a temporary folder.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Visitor, startBrowser, startProduct } from './harness.mjs';

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'edge-crm-screenshots-'));
const LOOKS = {
  light: { viewport: { width: 1280, height: 860 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 860 }, colorScheme: 'dark' },
  phone: { viewport: { width: 375, height: 720 }, colorScheme: 'light' },
};

async function takeScreenshots(visitor, look) {
  const { page } = visitor;
  const screenshot = (name) => page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: true });
  const visit = async (name, path) => {
    await visitor.goto(path);
    await screenshot(name);
  };
  await visit('sign-up', '/sign-up');
  await visit('sign-in', '/sign-in');
  await visitor.act('sign-in', { email: 'demo@example.com', password: 'correct horse battery staple' });
  visitor.list = '/t/acme/contacts';
  const [contact] = await visitor.contacts();
  const path = `${visitor.list}/${contact.id}`;

  await visit('list', visitor.list);
  if (look === 'light') await page.screenshot({ path: join(DOCS, 'list.png') });
  await visit('found', `${visitor.list}?q=an`);
  await visit('found-nothing', `${visitor.list}?q=nobody`);
  await visit('contact', path);
  await visit('edit', `${path}/edit`);
  await visit('delete', `${path}/delete`);
  await visit('not-found', '/nothing');
  await visit('new', `${visitor.list}/new`);
  await visitor.fill({ email: 'not an email' });
  await visitor.submit().click();
  await page.locator('.summary').waitFor();
  await screenshot('errors');

  await visitor.goto(`${path}/edit`);
  const { id, version, name, email } = contact;
  await visitor.act('update-contact', { id, version: String(version), name, email, company: 'Their Company', notes: 'What they wrote.' });
  await visitor.fill({ notes: 'What I wrote.' });
  await visitor.submit().click();
  await page.locator('.conflict').waitFor();
  await screenshot('conflict');

  await visitor.goto(visitor.list);
  await page.locator('[data-delete]').first().click();
  await page.screenshot({ path: join(folder, `question-${look}.png`) });
  await page.getByText('Cancel').click();
  if (look === 'phone') await page.getByRole('heading', { name: 'Add Contact' }).click();
  await visitor.fill({ name: `Made in ${look}`, email: `${look}@example.com` });
  await visitor.submit().click();
  await page.getByText('Contact created!').filter({ visible: true }).waitFor();
  await page.screenshot({ path: join(folder, `created-${look}.png`) });

  await visitor.context.clearCookies();
  await visitor.signUp();
  await visit('empty', visitor.list);
}

mkdirSync(DOCS, { recursive: true });
const product = await startProduct('--demo');
const browser = await startBrowser();
for (const [look, options] of Object.entries(LOOKS)) {
  const visitor = await Visitor.enter({ product, browser }, { ...options, reducedMotion: 'reduce' });
  await takeScreenshots(visitor, look);
  await visitor.context.close();
}
await browser.close();
await product.stop();
console.log(`${join(DOCS, 'list.png')} and ${folder}`);
