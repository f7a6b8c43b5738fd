// The preferences of the user's system: light or dark, no motion, forced colors. And printing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openProduct } from './harness.mjs';

const { visit } = openProduct();

/** The elements with an animation or a transition, each with its longest duration in seconds. */
function movingElements(page) {
  return page.evaluate(() => {
    const longest = (times) => Math.max(...times.split(',').map((time) => parseFloat(time) * (time.trim().endsWith('ms') ? 0.001 : 1)));
    return [...document.querySelectorAll('*')].flatMap((element) => [null, '::before', '::after'].map((pseudo) => {
      const { animationName, animationDuration, transitionDuration, scrollBehavior } = getComputedStyle(element, pseudo);
      const animation = animationName === 'none' ? 0 : longest(animationDuration);
      return [element.localName, Math.max(animation, longest(transitionDuration)), scrollBehavior];
    })).filter(([, seconds, scroll]) => seconds > 0.01 || scroll === 'smooth');
  });
}

/** Opens the list with a message and a dialog. */
async function openListWithMotion(visitor) {
  const { page } = visitor;
  await visitor.openAddForm();
  await visitor.fill({ name: 'Ada', email: `ada-${Math.random()}@example.com` });
  await visitor.submit().click();
  await visitor.reads('Contact created!');
  await page.getByRole('link', { name: 'Delete Ada' }).first().click();
  await page.getByRole('dialog').waitFor();
  await visitor.loaded();
}

test('nothing moves with reduced motion, and something does without', visit({ reducedMotion: 'reduce' }, async (visitor) => {
  const { page } = visitor;
  await openListWithMotion(visitor);
  assert.deepEqual(await movingElements(page), []);
  for (const path of [`${visitor.list}/new`, visitor.list.replace('contacts', 'settings'), '/mailbox']) {
    await visitor.goto(path);
    assert.deepEqual(await movingElements(page), [], path);
  }
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  await openListWithMotion(visitor);
  const moving = (await movingElements(page)).map(([name]) => name);
  assert(moving.includes('button') && moving.includes('p'), `${moving}`);
}));

test('light and dark differ, down to the browser\'s own controls', visit({}, async (visitor) => {
  const { page } = visitor;
  const colors = async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await visitor.goto(`${visitor.list}/new`);
    return page.evaluate(() => {
      const of = (selector, ...names) => names.map((name) => getComputedStyle(document.querySelector(selector))[name]);
      const probe = document.createElement('p');
      probe.style.color = 'FieldText'; // A color that the browser chooses.
      document.body.append(probe);
      const own = getComputedStyle(probe).color;
      probe.remove();
      return {
        page: of('body', 'color', 'backgroundColor'),
        field: of('#name', 'color', 'backgroundColor', 'borderTopColor'),
        button: of('main button', 'color', 'backgroundColor'),
        link: of('.back a', 'color'),
        own,
        scheme: of('html', 'colorScheme'),
      };
    });
  };
  const [light, dark] = [await colors('light'), await colors('dark')];
  assert.deepEqual(light.scheme, ['light dark']);
  for (const part of ['page', 'field', 'button', 'link']) {
    light[part].forEach((color, at) => assert.notEqual(color, dark[part][at], `${part}, ${color}`));
  }
  assert.notEqual(light.own, dark.own);
}));

test('with forced colors, controls have borders and the focus is visible', visit({ forcedColors: 'active' }, async (visitor) => {
  const { page } = visitor;
  await visitor.goto(`${visitor.list}/new`);
  const edges = await page.locator('main :is(input, textarea, button, .button)').evaluateAll((all) => all.map((element) => {
    const { borderTopStyle, borderTopWidth, borderTopColor, backgroundColor } = getComputedStyle(element);
    return borderTopStyle === 'solid' && parseFloat(borderTopWidth) >= 1 && borderTopColor !== backgroundColor;
  }));
  assert(edges.length > 5 && edges.every(Boolean), `${edges}`);
  for (let stops = 0; stops < 10; stops += 1) {
    await page.keyboard.press('Tab');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, 'solid');
  }
}));

test('a printed page shows its content, dark on white, without controls', visit({ colorScheme: 'dark' }, async (visitor) => {
  const { page } = visitor;
  await visitor.addContact('Ada Lovelace', { notes: 'Met in London.' });
  await visitor.goto(visitor.list);
  await page.emulateMedia({ media: 'print' });
  assert.deepEqual(await visitor.shownNames(), ['Ada Lovelace']);
  assert.equal(await page.locator(':is(button, nav, .add, .tools)').filter({ visible: true }).count(), 0);
  const [ink, background] = await page.evaluate(() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]);
  const light = (color) => color.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
  assert(light(ink) < 200 && light(background) > 700, `${ink} on ${background}`);
}));
