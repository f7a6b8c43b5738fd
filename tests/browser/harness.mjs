// The setup of every test: the product in its own process, a browser, and visitors who use it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT = 20_000; // ms: long enough for a busy machine
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** Builds a program of the local stack and returns its path. `EDGE_CRM_BIN` names a product that is
 *  already built, such as an optimized one. */
export function build(kind, name) {
  if (name === 'edge-crm' && process.env.EDGE_CRM_BIN) return process.env.EDGE_CRM_BIN;
  const args = ['build', '--quiet', '--message-format=json', `--${kind}`, name];
  const cargo = spawnSync('cargo', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });
  assert.equal(cargo.status, 0, `cargo ${args.join(' ')} failed`);
  const messages = cargo.stdout.trim().split('\n').map((line) => JSON.parse(line));
  return messages.findLast((message) => message.executable && message.target.name === name).executable;
}

/** Starts a server and waits for the line with its URL, which it prints when it is ready. */
export async function start(binary, args, env = {}) {
  const server = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  server.stderr.on('data', (data) => { log += data; });
  const ended = new Promise((resolve) => { server.on('exit', resolve).on('error', resolve); });
  const url = await Promise.race([
    new Promise((resolve) => {
      let out = '';
      server.stdout.on('data', (data) => {
        out += data;
        const ready = /ready on (http\S+)\n/.exec(out);
        if (ready) resolve(ready[1]);
      });
    }),
    ended.then((why) => { throw new Error(`${binary} ended before it was ready: ${why}\n${log}`); }),
  ]);
  const stop = async () => {
    server.kill('SIGTERM');
    await ended;
  };
  return { url, stop };
}

/** Starts the product with an empty table and without rate limits. */
export function startProduct(...options) {
  const unlimited = { RATE_LIMIT_PER_USER: '0', RATE_LIMIT_PER_IP: '0' };
  return start(build('bin', 'edge-crm'), ['--port', '0', '--memory', ...options], unlimited);
}

/** Starts Chromium with a new, empty profile. The back/forward cache is on, as it is for users. */
export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}

/** Waits until `condition` holds, if no locator can wait for it. */
export async function until(what, condition) {
  const end = Date.now() + TIMEOUT;
  while (!(await condition())) {
    assert(Date.now() < end, `timed out waiting for ${what}`);
    await sleep(20);
  }
}

/** Starts the product and the browser for the tests of a file. Returns `visit`, which turns the
 *  steps of a visitor into a test. The visitor has their own browser context and, unless `signedIn`
 *  is false, has just signed up. A test also fails on errors in the console, such as violations of
 *  the content security policy. */
export function openProduct({ product = startProduct } = {}) {
  const running = {};
  before(async () => {
    running.product = await product();
    running.browser = await startBrowser();
  });
  after(async () => {
    await running.browser?.close();
    await running.product?.stop();
  });
  const visit = ({ signedIn = true, ...options }, body) => async (t) => {
    const visitor = await Visitor.enter(running, options);
    try {
      if (signedIn) await visitor.signUp();
      await body(visitor);
      assert.deepEqual(visitor.consoleErrors, [], 'errors in the console');
    } catch (error) {
      const picture = join(mkdtempSync(join(tmpdir(), 'edge-crm-')), 'page.png');
      await visitor.page.screenshot({ path: picture }).catch(() => {});
      t.diagnostic(`at ${visitor.page.url()}, see ${picture}`);
      throw error;
    } finally {
      await visitor.context.close();
    }
  };
  return { visit, running };
}

let accounts = 0;

/** A user with a browser window. */
export class Visitor {
  static async enter(running, options = {}) {
    const { product, browser } = running;
    const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
    context.setDefaultTimeout(TIMEOUT);
    const visitor = new Visitor();
    Object.assign(visitor, {
      running,
      url: product.url,
      context,
      script: options.javaScriptEnabled ?? true,
      consoleErrors: [],
      sent: [],
    });
    context.on('page', (page) => visitor.#watch(page));
    visitor.page = await context.newPage();
    return visitor;
  }

  #watch(page) {
    page.on('pageerror', (error) => this.consoleErrors.push(String(error)));
    page.on('console', (message) => {
      // The console reports every 4xx and 5xx. Refused actions are expected, missing assets are
      // not.
      const { url } = message.location();
      const isExpected = message.text().startsWith('Failed to load resource') && !url.includes('/assets/');
      if (message.type() === 'error' && !isExpected) this.consoleErrors.push(`${message.text()} (${url})`);
    });
    page.on('request', (request) => {
      const action = /\/actions\/(.+)$/.exec(request.url())?.[1];
      if (!action) return;
      const fields = Object.fromEntries(new URLSearchParams(request.postData() ?? ''));
      this.sent.push({ action, key: fields.idempotency_key, fields });
    });
  }

  /** Creates an account and an organization by the JSON interface, without the page. */
  async signUp(more) {
    accounts += 1;
    this.account = {
      name: 'Test Person',
      email: `person-${process.pid}-${accounts}@example.com`,
      password: 'a long password',
      organization: 'Acme',
      ...more,
    };
    const { tenant } = await this.act('sign-up', this.account);
    this.list = `/t/${tenant}/contacts`;
  }

  /** Runs an action by its JSON interface, in the browser's session. */
  async act(action, form) {
    const headers = { accept: 'application/json', origin: this.url };
    const response = await (await this.context.request.post(`${this.url}/actions/${action}`, { form, headers })).json();
    assert(response.ok, JSON.stringify(response));
    return response.data;
  }

  addContact(name, more = {}) {
    const email = `${name.toLowerCase().replaceAll(' ', '.')}@example.com`;
    return this.act('create-contact', { name, email, ...more });
  }

  /** The stored contacts. */
  async contacts() {
    const headers = { accept: 'application/json' };
    const response = await (await this.context.request.get(this.url + this.list, { headers })).json();
    return response.data.contacts;
  }

  async names() {
    return (await this.contacts()).map((contact) => contact.name);
  }

  goto(path, page = this.page) {
    return page.goto(this.url + path);
  }

  /** Goes back. The page may come from the back/forward cache, which fires no `load` event. */
  async goBack(path) {
    await this.page.goBack({ waitUntil: 'commit' });
    await this.at(path);
    await this.page.locator('h1').waitFor();
  }

  /** Waits for the page and its stylesheet, before a test looks at positions or styles: Chromium
   *  shows elements to a test before the stylesheet is there. */
  loaded(page = this.page) {
    return page.waitForLoadState('load');
  }

  async at(path) {
    await until(`the address ${path}, not ${this.page.url()}`, () => this.page.url() === this.url + path);
  }

  form(page = this.page) {
    return page.locator('form.form');
  }

  submit(page = this.page) {
    return this.form(page).locator('button[data-pending]');
  }

  async fill(fields, page = this.page) {
    for (const [name, value] of Object.entries(fields)) await this.form(page).locator(`[name=${name}]`).fill(value);
  }

  async values(...names) {
    return Promise.all(names.map((name) => this.form().locator(`[name=${name}]`).inputValue()));
  }

  /** Opens the form to add a contact: beside the list with the script, else on its own page. */
  async openAddForm() {
    await this.goto(this.list);
    if (!this.script) await this.page.getByRole('link', { name: 'Add Contact' }).click();
    await this.submit().waitFor();
    await this.loaded();
  }

  row(name) {
    return this.page.locator('[data-rows] > [data-id]', { has: this.page.getByRole('link', { name, exact: true }) });
  }

  async shownNames() {
    return this.page.locator('[data-rows] > [data-id]:visible .name').allTextContents();
  }

  /** Waits until the list shows exactly these names. */
  async sees(...names) {
    const shown = async () => JSON.stringify(await this.shownNames());
    await until(`the rows ${names}, not ${await shown()}`, async () => (await shown()) === JSON.stringify(names));
  }

  /** Waits until the page shows `text`, exactly once. */
  async reads(text, within = this.page) {
    const shown = within.getByText(text).filter({ visible: true });
    let count; // Kept from the check that succeeded: the message may be gone by the next.
    await until(`"${text}"`, async () => {
      count = await shown.count().catch(() => 0); // The page is being replaced.
      return count > 0;
    });
    assert.equal(count, 1, `"${text}" is shown more than once`);
  }

  /** Checks that the page has a link or a form that leads on. */
  async canGoOn(page = this.page) {
    const exits = page.locator('main :is(a[href]:not([href^="#"]), form button), header a[href]').filter({ visible: true });
    assert(await exits.count(), `${page.url()} is a dead end`);
  }
}
