// Every page: leads on, fits a phone, can be read in light and dark.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openProduct } from './harness.mjs';

const { visit } = openProduct();

const LONG = 'Wolfeschlegelsteinhausenbergerdorff'.repeat(2);

/** Contacts that strain a layout. */
async function fill(visitor) {
  await visitor.addContact('Ada Lovelace', { company: 'Analytical Engines', phone: '+44 20 7946 0000', notes: 'Met in London.' });
  await visitor.addContact('Long', { name: LONG, email: `${'long'.repeat(15)}@${'sub.'.repeat(30)}example.com`, company: LONG, notes: LONG.repeat(6) });
  await visitor.addContact('Ünï çødé', { email: 'unicode@example.com', name: 'محمد بن موسى 👩‍👩‍👧', company: '東京', phone: 'no digits' });
}

/** Every page that links lead to from `path`, itself included. */
async function crawl(visitor, path, look) {
  const { page, url } = visitor;
  const seen = new Set();
  const waiting = [path];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const answer = await visitor.goto(next);
    assert.equal(answer.status(), 200, next);
    await look(next);
    const links = await page.locator('a[href]:not([download])').evaluateAll((all) => all.map((link) => link.href));
    waiting.push(...links.filter((link) => link.startsWith(url)).map((link) => link.slice(url.length).replace(/#.*/, '')));
  }
  return [...seen];
}

/** What hides a page's edge: the elements that stand out over the right one. */
function overflowing(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > width).map((element) => element.outerHTML.slice(0, 100));
  });
}

/** The texts with less contrast to their ground than WCAG 2.2, 1.4.3 asks for. */
function faint(page) {
  return page.evaluate(() => {
    const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const pixel = (colour) => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      return context.getImageData(0, 0, 1, 1).data;
    };
    const luminance = (colour) => {
      const [r, g, b] = [...pixel(colour)].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at);
        if (pixel(backgroundColor)[3] === 255) return backgroundColor;
      }
      return 'Canvas';
    };
    const shown = [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility({ visibilityProperty: true })
      && [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()));
    return shown.map((element) => {
      const [a, b] = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), element.outerHTML.slice(0, 100)];
    }).filter(([contrast]) => contrast < 4.5);
  });
}

for (const colorScheme of ['light', 'dark']) {
  for (const [size, viewport] of [['a phone', { width: 320, height: 640 }], ['a desk', { width: 1280, height: 900 }]]) {
    test(`every page leads on, fits ${size} and can be read in ${colorScheme}`, visit({ colorScheme, viewport, reducedMotion: 'reduce' }, async (visitor) => {
      const { page, list } = visitor;
      await fill(visitor);
      const sound = async (what) => {
        await visitor.canGoOn();
        assert.equal(await page.locator('h1').count(), 1, `${what}: one heading`);
        assert.match(await page.title(), /\S – Edge CRM$/, what);
        assert.deepEqual(await overflowing(page), [], `${what}: nothing stands out to the side`);
        assert.deepEqual(await faint(page), [], `${what}: every text can be read`);
        const unnamed = await page.locator(':is(input:not([type=hidden]), textarea, select)').evaluateAll((all) => all.filter((field) => !field.labels.length).length);
        assert.equal(unnamed, 0, `${what}: every field has a label`);
      };
      const pages = await crawl(visitor, list, sound);
      for (const name of ['contacts', 'contacts/trash', 'projects', 'members', 'members/leave', 'audit', 'settings']) {
        assert(pages.includes(list.replace('contacts', name)), `${name} is among ${pages}`);
      }
      // Of each contact its page, edit and delete.
      assert.equal(pages.filter((path) => /\/contacts\/[0-9a-f-]{36}/.test(path)).length, 9, `${pages}`);

      await visitor.goto(`${list}?q=nobody`);
      await sound('a search that finds nothing');
      await visitor.goto(`${list}/new`);
      await visitor.submit().click();
      await page.locator('.summary').waitFor();
      await sound('errors');
      await visitor.goto(`${list}/none`);
      await sound('a page that is not there');

      const { id } = await visitor.addContact('Edited', { notes: LONG });
      await visitor.goto(`${list}/${id}/edit`);
      await visitor.act('update-contact', { id, version: '1', name: 'Theirs', email: 'theirs@example.com', notes: LONG.repeat(2) });
      await visitor.submit().click();
      await page.locator('.conflict').waitFor();
      await sound('two versions');

      await visitor.goto(list);
      await page.locator('[data-delete]').first().click();
      await sound('a question');

      await visitor.context.clearCookies();
      await crawl(visitor, '/sign-in', sound);
    }));
  }
}

test('dark is dark and light is light', visit({}, async (visitor) => {
  const { page } = visitor;
  const brightness = async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await visitor.goto(visitor.list);
    const [r, g, b] = (await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).match(/\d+/g);
    return Number(r) + Number(g) + Number(b);
  };
  assert((await brightness('light')) > 600);
  assert((await brightness('dark')) < 150);
}));

test('on a phone the form to add a contact starts shut, under its name', visit({ viewport: { width: 320, height: 640 } }, async (visitor) => {
  const { page } = visitor;
  await visitor.addContact('Ada');
  await visitor.goto(visitor.list);
  assert(!(await page.locator('#name').isVisible()));
  await page.getByRole('heading', { name: 'Add Contact' }).click();
  await visitor.fill({ name: 'Grace', email: 'grace@example.com' });
  await visitor.submit().click();
  await visitor.sees('Grace', 'Ada');
}));

test('on a phone a search that finds nothing says so at once', visit({ viewport: { width: 320, height: 640 } }, async (visitor) => {
  await visitor.addContact('Ada');
  await visitor.goto(`${visitor.list}?q=nobody`);
  const box = await visitor.page.getByText('No contacts match').boundingBox();
  assert(box.y + box.height < 640);
}));
