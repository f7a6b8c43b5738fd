// Times: the reader's own with the script, and without it in UTC, which they say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crawl, fillOrganization, startPaths } from './crawl.mjs';
import { openProduct } from './harness.mjs';

const { visit } = openProduct();

/** Half an hour before and after midnight in UTC, in each reader's own words. Los Angeles is still, and Tokyo is
 *  already, on another day. */
const READERS = [
  ['en-US', 'America/Los_Angeles', ['Jan 4, 2026', 'Jan 5, 2026'], ['Jan 4, 2026, 4:30 PM', 'Jan 5, 2026, 3:30 PM']],
  ['de-DE', 'Europe/Berlin', ['05.01.2026', '06.01.2026'], ['05.01.2026, 01:30', '06.01.2026, 00:30']],
  ['ja-JP', 'Asia/Tokyo', ['2026/01/05', '2026/01/06'], ['2026/01/05 9:30', '2026/01/06 8:30']],
  ['en-US', 'UTC', ['Jan 5, 2026', 'Jan 5, 2026'], ['Jan 5, 2026, 12:30 AM', 'Jan 5, 2026, 11:30 PM']],
];
const WRITTEN = /[A-Z][a-z]{2} \d{1,2}, \d{4}/;

/** The texts of the page's times. Some languages have a narrow space before AM and PM. */
const shownTimes = async (page) => (await page.locator('main time').allTextContents()).map((text) => text.replace('\u202f', ' '));

/** Lets the server's next pages at `path` write this time in all places. */
async function freeze(page, path, time) {
  const [, hours] = /T(\d\d:\d\d)/.exec(time);
  await page.unroute('**/*').catch(() => {});
  await page.route(`**${path}`, async (route) => {
    const response = await route.fetch();
    const body = (await response.text())
      .replace(/datetime="[^"]+"/g, `datetime="${time}"`)
      .replace(/[A-Z][a-z]{2} \d{1,2}, \d{4}(, \d\d:\d\d)? UTC/g, (_, withHours) => `Jan 5, 2026${withHours ? `, ${hours}` : ''} UTC`);
    await route.fulfill({ response, body });
  });
}

for (const [locale, timezoneId, days, moments] of READERS) {
  test(`a reader in ${timezoneId} with ${locale} sees their own days and hours`, visit({ locale, timezoneId }, async (visitor) => {
    const { page } = visitor;
    await visitor.addContact('Ada');
    const audit = visitor.list.replace('contacts', 'audit');
    for (const [n, time] of ['2026-01-05T00:30:00Z', '2026-01-05T23:30:00Z'].entries()) {
      await freeze(page, visitor.list, time);
      await visitor.goto(visitor.list);
      await visitor.loaded();
      assert.deepEqual(await shownTimes(page), [`Added ${days[n]}`]);
      assert.equal(await page.locator('main time bdi').getAttribute('lang'), locale);
      await freeze(page, audit, time);
      await visitor.goto(audit);
      await visitor.loaded();
      assert.deepEqual([...new Set(await shownTimes(page))], [moments[n]]);
      const tooltip = await page.locator('main time').first().getAttribute('title');
      assert.match(tooltip, /2026.*\d{1,2}:30:00/);
    }
  }));
}

test('a contact that the script adds has the same day as after a reload', visit({ locale: 'de-DE', timezoneId: 'Pacific/Kiritimati' }, async (visitor) => {
  await visitor.openAddForm();
  await visitor.fill({ name: 'Ada', email: 'ada@example.com' });
  await visitor.submit().click();
  await visitor.sees('Ada');
  const [added] = await shownTimes(visitor.page);
  assert.match(added, /^Added \d\d\.\d\d\.\d{4}$/);
  await visitor.page.reload();
  await visitor.loaded();
  assert.deepEqual(await shownTimes(visitor.page), [added]);
}));

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with' : 'without';
  test(`every time on every page, ${how} the script, says which zone is meant or is the reader's`, visit({ javaScriptEnabled, locale: 'ja-JP', timezoneId: 'Asia/Tokyo' }, async (visitor) => {
    const { page, context } = visitor;
    await context.addInitScript(() => {
      window.shifts = 0;
      window.shiftObserver = new PerformanceObserver((found) => { window.shifts += found.getEntries().length; });
      window.shiftObserver.observe({ type: 'layout-shift', buffered: true });
    });
    await fillOrganization(visitor);
    let seen = 0;
    await crawl(visitor, startPaths(visitor.list), async (path) => {
      await visitor.loaded();
      const times = await page.locator('main time').evaluateAll((all) => all.map((time) => [time.textContent, time.title, time.dateTime]));
      for (const [text, title, dateTime] of times) {
        const own = new Date(dateTime).toLocaleDateString('ja-JP', { dateStyle: 'medium', timeZone: 'Asia/Tokyo' });
        if (javaScriptEnabled) assert(text.includes(own) && !text.includes('UTC') && title, `${path}: ${text}, ${title}`);
        else assert.match(text, / UTC$/, path);
        seen += 1;
      }
      const outside = await page.locator('main').evaluate((main) => {
        const copy = main.cloneNode(true);
        for (const time of copy.querySelectorAll('time, template')) time.remove();
        return copy.textContent;
      });
      assert.doesNotMatch(outside, WRITTEN, `${path}: a date that no script can translate`);
      if (javaScriptEnabled) {
        const shifts = await page.evaluate(() => window.shifts + window.shiftObserver.takeRecords().length);
        assert.equal(shifts, 0, `${path}: the layout moves`);
      }
    });
    assert(seen > 20, `${seen} times`);
  }));
}

test('the page is the same for readers of every language, so that one copy can be cached', visit({}, async (visitor) => {
  await visitor.addContact('Ada');
  const [english, german] = await Promise.all(['en-US', 'de-DE'].map(async (language) => {
    const response = await visitor.context.request.get(visitor.url + visitor.list, { headers: { accept: 'text/html', 'accept-language': language } });
    return response.text();
  }));
  assert(english.includes('Ada') && english === german);
}));
