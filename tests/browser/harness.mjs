// What every test needs: the product in a process of its own, a browser, and visitors in it.
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
const PATIENCE = 20_000; // ms, for a machine that does much else
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** Builds a program of the local stack and says where it is. `EDGE_CRM_BIN` names a product that is
 *  built already, such as an optimised one. */
export function build(kind, name) {
  if (name === 'edge-crm' && process.env.EDGE_CRM_BIN) return process.env.EDGE_CRM_BIN;
  const args = ['build', '--quiet', '--message-format=json', `--${kind}`, name];
  const cargo = spawnSync('cargo', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });
  assert.equal(cargo.status, 0, `cargo ${args.join(' ')} failed`);
  const messages = cargo.stdout.trim().split('\n').map((line) => JSON.parse(line));
  return messages.findLast((message) => message.executable && message.target.name === name).executable;
}

/** Starts a server that prints one line with its URL when it is ready. */
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

/** Starts the product with nothing in it and no limits on how often one may call. */
export function startProduct(...options) {
  const unlimited = { RATE_LIMIT_PER_USER: '0', RATE_LIMIT_PER_IP: '0' };
  return start(build('bin', 'edge-crm'), ['--port', '0', '--memory', ...options], unlimited);
}

/** Chromium with a new, empty profile. The back button brings a page back as it was, as it does
 *  outside of tests. */
export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}

/** Waits until `condition` holds: for what no locator can wait for. */
export async function until(what, condition) {
  const end = Date.now() + PATIENCE;
  while (!(await condition())) {
    assert(Date.now() < end, `in vain waited for: ${what}`);
    await sleep(20);
  }
}

/** Starts product and browser for the tests of a file, and gives `visit`: it makes a test of what
 *  a visitor does. The visitor has a browser of their own and, unless `signedIn` is false, has
 *  just signed up. A test fails on errors in the console too, above all on refusals by the
 *  content security policy. */
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
      assert.deepEqual(visitor.complaints, [], 'errors in the console');
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

/** Somebody with a browser window. */
export class Visitor {
  static async enter(running, options = {}) {
    const { product, browser } = running;
    const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
    context.setDefaultTimeout(PATIENCE);
    const visitor = new Visitor();
    Object.assign(visitor, {
      running,
      url: product.url,
      context,
      script: options.javaScriptEnabled ?? true,
      complaints: [],
      sent: [],
    });
    context.on('page', (page) => visitor.#watch(page));
    visitor.page = await context.newPage();
    return visitor;
  }

  #watch(page) {
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      // A refused action is a failed resource to the console. A missing asset is one to us.
      const { url } = message.location();
      const refused = message.text().startsWith('Failed to load resource') && !url.includes('/assets/');
      if (message.type() === 'error' && !refused) this.complaints.push(`${message.text()} (${url})`);
    });
    page.on('request', (request) => {
      const action = /\/actions\/(.+)$/.exec(request.url())?.[1];
      if (!action) return;
      const fields = Object.fromEntries(new URLSearchParams(request.postData() ?? ''));
      this.sent.push({ action, key: fields.idempotency_key, fields });
    });
  }

  /** Makes an account and an organisation, through the front door but without its page. */
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

  /** Runs an action by its JSON interface, with the browser's session. */
  async act(action, form) {
    const headers = { accept: 'application/json', origin: this.url };
    const answer = await (await this.context.request.post(`${this.url}/actions/${action}`, { form, headers })).json();
    assert(answer.ok, JSON.stringify(answer));
    return answer.data;
  }

  addContact(name, more = {}) {
    const email = `${name.toLowerCase().replaceAll(' ', '.')}@example.com`;
    return this.act('create-contact', { name, email, ...more });
  }

  /** What is stored. */
  async contacts() {
    const headers = { accept: 'application/json' };
    const answer = await (await this.context.request.get(this.url + this.list, { headers })).json();
    return answer.data.contacts;
  }

  async names() {
    return (await this.contacts()).map((contact) => contact.name);
  }

  goto(path, page = this.page) {
    return page.goto(this.url + path);
  }

  /** A way back that may bring the page from memory, where no `load` is told of. */
  async goBack(path) {
    await this.page.goBack({ waitUntil: 'commit' });
    await this.at(path);
    await this.page.locator('h1').waitFor();
  }

  /** The page with its styles, for whoever asks where things are or how they look: Chromium shows
   *  elements to a test before it has them. */
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

  /** The form to add a contact: beside the list where the script puts it, else on its own page. */
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

  /** The names in the list, once they are these. */
  async sees(...names) {
    const shown = async () => JSON.stringify(await this.shownNames());
    await until(`the rows ${names}, not ${await shown()}`, async () => (await shown()) === JSON.stringify(names));
  }

  /** `text` on the page, once and no more than once. */
  async reads(text, within = this.page) {
    const shown = within.getByText(text).filter({ visible: true });
    let count; // Of one look: a message may be gone at the next.
    await until(`"${text}"`, async () => {
      count = await shown.count().catch(() => 0); // Between two pages.
      return count > 0;
    });
    assert.equal(count, 1, `"${text}" is shown more than once`);
  }

  /** The page has a link or a form in it that leads on. */
  async canGoOn(page = this.page) {
    const ways = page.locator('main :is(a[href]:not([href^="#"]), form button), header a[href]').filter({ visible: true });
    assert(await ways.count(), `${page.url()} is a dead end`);
  }
}
