// Every page leads on, fits a phone, and is readable in light and dark.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LONGEST, crawl, fillOrganization, startPaths } from './crawl.mjs';
import { openProduct } from './harness.mjs';

const { visit } = openProduct();

/** Elements that a user cannot see whole: outside the page, cut off, or covered by something. */
function hiddenElements(page) {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const isIgnored = (element) => element.closest('.visually-hidden, .skip, [aria-hidden], .notice');
    const shown = [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility({ visibilityProperty: true }) && !isIgnored(element));
    const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const overflow = scrollWidth > clientWidth ? ['the page'] : [];
    const out = shown.filter((element) => element.getBoundingClientRect().right > clientWidth + 1 || element.getBoundingClientRect().left < -1);
    const cut = shown.filter((element) => {
      if (element.matches('input, select, textarea')) return false; // These scroll.
      const { overflowX, overflowY } = getComputedStyle(element);
      return [overflowX, overflowY].some((overflow) => ['hidden', 'clip'].includes(overflow))
        && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1);
    });
    const modal = document.querySelector('dialog[open]');
    const covered = shown.filter((element) => {
      if (!element.matches('a, button, input, select, textarea, summary') && !hasText(element)) return false;
      if (modal && !modal.contains(element)) return false;
      const line = () => element.getClientRects()[0];
      if (!line()?.width) return false; // An option of a closed select has no box.
      scrollBy(0, line().top - innerHeight / 2);
      const box = line();
      const there = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 12));
      return !there || !(element.contains(there) || there.contains(element));
    });
    const name = (why) => (element) => `${why}: ${element.outerHTML.slice(0, 100)}`;
    scrollTo(0, 0);
    return [...overflow, ...out.map(name('out')), ...cut.map(name('cut')), ...covered.map(name('covered'))];
  });
}

/** Turns the wider text spacing that users may set (WCAG 2.2, 1.4.12) on or off. */
function setTextSpacing(page, wanted) {
  return page.evaluate((on) => {
    const sheet = new CSSStyleSheet(); // The content security policy allows this without `unsafe-inline`.
    if (on) sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }');
    document.adoptedStyleSheets = [sheet];
  }, wanted);
}

/** The texts with less contrast than WCAG 2.2, 1.4.3 requires. */
function lowContrastTexts(page) {
  return page.evaluate(() => {
    const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const pixel = (color) => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      return context.getImageData(0, 0, 1, 1).data;
    };
    const luminance = (color) => {
      const [r, g, b] = [...pixel(color)].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const background = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at);
        if (pixel(backgroundColor)[3] === 255) return backgroundColor;
      }
      return 'Canvas';
    };
    const shown = [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility({ visibilityProperty: true })
      && [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()));
    return shown.map((element) => {
      const [a, b] = [luminance(getComputedStyle(element).color), luminance(background(element))].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), element.outerHTML.slice(0, 100)];
    }).filter(([contrast]) => contrast < 4.5);
  });
}

const SIZES = {
  'on a phone': { viewport: { width: 320, height: 640 } },
  'on a desk': { viewport: { width: 1280, height: 900 } },
  'at 200 %': { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 },
};

for (const [size, options] of Object.entries(SIZES)) {
  test(`every page leads on, hides nothing and is readable in light and dark, ${size}`, visit({ ...options, reducedMotion: 'reduce' }, async (visitor) => {
    const { page, list } = visitor;
    await fillOrganization(visitor);
    const checkPage = async (what) => {
      await visitor.loaded();
      await visitor.canGoOn();
      assert.equal(await page.locator('h1').count(), 1, `${what}: one heading`);
      assert.match(await page.title(), /\S – Edge CRM$/, what);
      for (const spaced of [true, false]) {
        await setTextSpacing(page, spaced);
        assert.deepEqual(await hiddenElements(page), [], `${what}: nothing is hidden${spaced ? ' with wider text spacing' : ''}`);
      }
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await lowContrastTexts(page), [], `${what}: every text is readable in ${colorScheme}`);
      }
      const unnamed = await page.locator(':is(input:not([type=hidden]), textarea, select)').evaluateAll((all) => all.filter((field) => !field.labels.length).length);
      assert.equal(unnamed, 0, `${what}: every field has a label`);
    };
    const pages = await crawl(visitor, startPaths(list), checkPage);
    for (const name of ['contacts', 'contacts/trash', 'projects', 'members', 'members/leave', 'audit', 'settings']) {
      assert(pages.includes(list.replace('contacts', name)), `${name} is among ${pages}`);
    }
    // Three contacts, each with its page, edit page and delete page.
    assert.equal(pages.filter((path) => /\/contacts\/[0-9a-f-]{36}/.test(path)).length, 9, `${pages}`);

    await visitor.goto(`${list}?q=nobody`);
    await checkPage('a search without results');
    await visitor.goto(`${list}/new`);
    await visitor.submit().click();
    await page.locator('.summary').waitFor();
    await checkPage('errors');
    await visitor.goto(`${list}/none`);
    await checkPage('a missing page');

    const { id } = await visitor.addContact('Edited', { notes: LONGEST.notes });
    await visitor.goto(`${list}/${id}/edit`);
    await visitor.act('update-contact', { ...LONGEST, id, version: '1', email: `theirs.${LONGEST.email.slice(7)}` });
    await visitor.submit().click();
    await page.locator('.conflict').waitFor();
    await checkPage('a conflict');

    await visitor.goto(list);
    await page.locator('[data-delete]').first().click();
    await checkPage('a confirmation');

    await visitor.goto('/mailbox');
    await checkPage('the mailbox');
    await visitor.context.clearCookies();
    await crawl(visitor, ['/sign-in'], checkPage);
  }));
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

test('on a phone the form to add a contact starts closed', visit({ viewport: { width: 320, height: 640 } }, async (visitor) => {
  const { page } = visitor;
  await visitor.addContact('Ada');
  await visitor.goto(visitor.list);
  assert(!(await page.locator('#name').isVisible()));
  await page.getByRole('heading', { name: 'Add Contact' }).click();
  await visitor.fill({ name: 'Grace', email: 'grace@example.com' });
  await visitor.submit().click();
  await visitor.sees('Grace', 'Ada');
}));

test('on a phone the message of a search without results is visible without scrolling', visit({ viewport: { width: 320, height: 640 } }, async (visitor) => {
  await visitor.addContact('Ada');
  await visitor.goto(`${visitor.list}?q=nobody`);
  const box = await visitor.page.getByText('No contacts match').boundingBox();
  assert(box.y + box.height < 640);
}));
