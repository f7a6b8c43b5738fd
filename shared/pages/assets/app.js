// Every page works without this script. It saves page loads, and retries requests safely.
'use strict';

const RETRY_AFTER = [500, 1500]; // ms
const TIMEOUT = 15000; // ms
const MESSAGE_TIME = 3000; // ms
const CONNECTION = 'Connection problem. Please check your internet and try again.';

const contactsPath = document.body.dataset.contacts;
const title = document.title.replace(/^Error: /, '');

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/** Creates an element. Data becomes text or attributes, never markup. */
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  element.append(...children.filter(Boolean));
  return element;
}

function button(label, onClick, kind = '') {
  const element = h('button', { type: 'button', class: kind }, label);
  element.addEventListener('click', onClick);
  return element;
}

/** Runs `work`. If it throws, only `part` of the page breaks. */
async function isolate(part, work) {
  try {
    await work();
  } catch (error) {
    console.error(error);
    const again = button('Try Again', () => {
      box.remove();
      isolate(part, work);
    });
    const box = alertBox('Something went wrong', [
      h('p', { class: 'actions' }, again, button('Refresh Page', () => location.reload(), 'quiet')),
    ]);
    showBox(part, box);
  }
}

// --- Requests

/** Sends one request. Status 0: no response, or an unreadable one. */
async function attempt(action, body) {
  let status = 0;
  try {
    const response = await fetch(action, {
      method: 'POST',
      headers: { Accept: 'application/json' },
      body,
      signal: AbortSignal.timeout(TIMEOUT),
    });
    status = response.status;
    return { ...(await response.json()), status };
  } catch {
    return { status: status < 500 ? 0 : status };
  }
}

/** Sends, and retries with the same idempotency key. */
async function send(action, body) {
  sessionStorage.changed = Date.now();
  for (let retries = 0; ; retries += 1) {
    const outcome = await attempt(action, body);
    if (![0, 502, 503, 504].includes(outcome.status) || retries === RETRY_AFTER.length) return outcome;
    await pause(RETRY_AFTER[retries]);
  }
}

/** Waits for `ms`, or until the network is back. */
function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    addEventListener('online', resolve, { once: true });
  });
}

/** `crypto.randomUUID` is missing on plain HTTP, except from localhost. */
const freshKey = () => crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join('-');

/** The message for a failure. */
function explain(outcome, failed, signingIn) {
  if ([0, 502, 504].includes(outcome.status)) return [CONNECTION];
  if (outcome.status === 401 && !signingIn) {
    const link = h('a', { href: '/sign-in', target: '_blank', rel: 'noopener' }, 'Sign in again in a new tab');
    return ['Your session has ended. ', link, ', then try again.'];
  }
  if (outcome.status === 422) {
    return ['This form was already sent once, and what it held then was saved. Check that first, and send again only if something is missing.'];
  }
  return [(outcome.status < 500 && outcome.error) || failed];
}

// --- Messages

const notice = $('[data-notice]');
let clearing;

/** Shows `text` at the bottom of the page, alone, for a while or, if it `stays`, until the next. */
function announce(text, stays) {
  $$('.flash').forEach((flash) => flash.remove());
  clearTimeout(clearing);
  notice.textContent = text;
  if (!stays) clearing = setTimeout(() => { notice.textContent = ''; }, MESSAGE_TIME);
}

/** Shows the message in the URL (`#contact-created`), and takes it out of there, so that a reload does not repeat it. */
function showFlash() {
  for (const flash of $$('.flash, .confirmation')) {
    if (`#${flash.id}` !== location.hash) {
      flash.remove();
      continue;
    }
    flash.classList.add('is-shown'); // Without the fragment, `:target` may not match.
    flash.focus(); // As the browser does for a fragment, so that screen readers say it.
    history.replaceState(history.state, '', location.pathname + location.search);
    if (flash.matches('.flash')) setTimeout(() => { flash.hidden = true; }, MESSAGE_TIME);
  }
}

function alertBox(heading, children) {
  return h('div', { class: 'summary', role: 'alert', tabindex: '-1' }, h('h2', {}, heading), ...children);
}

/** Shows a box above `part`, instead of the previous one. */
function showBox(part, box) {
  $('.summary', part)?.remove();
  part.prepend(box);
  box.focus();
}

/** A retry button, if the same request may succeed. */
function retry({ status }, onClick) {
  return (status === 0 || status >= 500) && h('p', { class: 'actions' }, button('Try Again', onClick));
}

/** Shows the summary and the errors of fields, as the server renders them. */
function showProblem(form, outcome) {
  const { fieldErrors = {}, existingId, current } = outcome;
  const wrong = controls(form).filter((field) => fieldErrors[field.name]);
  const names = wrong.map((field) => field.name);
  const items = [...new Set([...names, ...Object.keys(fieldErrors)])].map((name) => h('li', {},
    names.includes(name) ? h('a', { href: `#${name}` }, fieldErrors[name]) : fieldErrors[name]));
  for (const field of wrong) {
    field.before(h('p', { class: 'error', id: `${field.name}-error` }, fieldErrors[field.name]));
    field.setAttribute('aria-invalid', 'true');
    markField(field, true);
  }
  const box = alertBox('There is a problem', [
    items.length ? h('ul', {}, ...items) : h('p', {}, ...explain(outcome, form.dataset.failed, form.elements.password)),
    existingId && h('p', {}, h('a', { href: `${contactsPath}/${existingId}` }, 'View the existing contact')),
    retry(outcome, () => form.requestSubmit()),
  ]);
  showBox(form, box);
  if (current) showConflict(form, box, current);
  document.title = `Error: ${title}`;
}

function clearProblem(form) {
  $$('.summary, .conflict, .error', form).forEach((element) => element.remove());
  for (const field of controls(form)) {
    field.removeAttribute('aria-invalid');
    markField(field, false);
  }
  document.title = title;
}

/** Marks a field as invalid or not, and links it to its hint and error. */
function markField(field, wrong) {
  const wrapper = field.parentElement;
  wrapper.classList.toggle('is-wrong', wrong);
  field.setAttribute('aria-describedby', $$('.hint, .error', wrapper).map(({ id }) => id).join(' '));
}

/** Shows both versions side by side. The next submit replaces the stored one. */
function showConflict(form, after, current) {
  const cell = (text) => h('td', { dir: 'auto' }, text || '–');
  const rows = controls(form).map((field) => {
    const yours = field.value.trim();
    const theirs = current[field.name] ?? '';
    const label = h('th', { scope: 'row' }, field.labels[0].firstChild.textContent.trim());
    return h('tr', { class: yours === theirs ? '' : 'differs' }, label, cell(yours), cell(theirs));
  });
  const head = ['Field', 'Yours', 'Theirs'].map((text) => h('th', { scope: 'col' }, text));
  after.after(h('section', { class: 'conflict', 'aria-labelledby': 'conflict' },
    h('h2', { id: 'conflict' }, 'Your version and theirs'),
    h('p', {}, 'Saving again replaces their version with yours. ', h('a', { href: form.dataset.edit }, 'Start over from theirs')),
    h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows))));
  form.elements.version.value = current.version;
}

// --- Times

/** A time as the server writes it, with or without the hours. */
const UTC_TIME = /[A-Z][a-z]{2} \d{1,2}, \d{4}(, \d\d:\d\d)? UTC$/;

/** Shows a time in the language and the time zone of the browser, and all of it in a tooltip. */
function localize(time) {
  const [written, hours] = UTC_TIME.exec(time.textContent) ?? [];
  if (!written) return;
  const at = new Date(time.dateTime);
  const { locale } = Intl.DateTimeFormat().resolvedOptions();
  const own = at.toLocaleString([], { dateStyle: 'medium', timeStyle: hours && 'short' });
  time.replaceChildren(time.textContent.replace(written, ''), h('bdi', { lang: locale }, own));
  time.title = at.toLocaleString([], { dateStyle: 'full', timeStyle: 'long' });
}

// --- Forms

let hasInput = false; // A reload would lose input.

const controls = (form) => $$('input:not([type=hidden]), select, textarea', form);

function setKey(form, key) {
  const field = form.elements.idempotency_key ?? form.appendChild(h('input', { type: 'hidden', name: 'idempotency_key' }));
  field.value = key;
}

function setPending(form, pending) {
  const submit = $('[data-pending]', form);
  submit.dataset.label ??= submit.textContent;
  submit.disabled = pending;
  submit.textContent = pending ? submit.dataset.pending : submit.dataset.label;
  form.setAttribute('aria-busy', pending);
}

async function submit(form) {
  if (form.getAttribute('aria-busy') === 'true') return;
  const focused = document.activeElement;
  delete form.dataset.done;
  setPending(form, true);
  try {
    if (form.dataset.success !== 'enter' && !form.elements.idempotency_key?.value) setKey(form, freshKey());
    const sent = new URLSearchParams(new FormData(form));
    const outcome = await send(form.getAttribute('action'), sent);
    clearProblem(form);
    if (outcome.ok) return succeed(form, outcome.data, sent, focused);
    // A failure is not stored, so the corrected form keeps its key, unless that was used for other input.
    if (outcome.code === 'IDEMPOTENCY_ERROR') setKey(form, freshKey());
    showProblem(form, outcome);
  } finally {
    if (!('done' in form.dataset)) setPending(form, false);
  }
}

function succeed(form, data, sent, focused) {
  const { success, next } = form.dataset;
  if (success === 'merge') {
    merge(data);
    // Input since the submit belongs to the next contact.
    if (String(new URLSearchParams(new FormData(form))) === String(sent)) {
      form.reset();
      hasInput = false;
      // Another field keeps the focus. A disabled button loses it.
      if ([focused, document.body].includes(document.activeElement)) controls(form)[0].focus();
    }
    setKey(form, freshKey());
    announce('Contact created!');
    setPending(form, false);
  } else {
    form.dataset.done = ''; // The button stays disabled until the next page loads.
    go(success === 'enter' ? pageAfterSignIn(form, data) : next.replace('__id__', data.id));
  }
}

/** A browser does not load a page again if only the fragment is new. */
function go(path) {
  location.assign(path);
  if (location.href === new URL(path, location).href) location.reload();
}

/** The page after signing in: the one that required it, never another site. */
function pageAfterSignIn(form, data) {
  if (data.next) return data.next;
  const home = data.tenant ? `/t/${data.tenant}/contacts` : '/sign-in#password-set';
  const target = new URL(form.elements.return_to?.value || home, location.origin);
  return target.origin === location.origin ? target.href : home;
}

function enhance(form) {
  setPending(form, false);
  form.addEventListener('input', () => {
    hasInput = true;
    // After going back, unchanged input is the same request, changed input a new one.
    if ('done' in form.dataset && form.elements.idempotency_key) setKey(form, freshKey());
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    isolate(form, () => submit(form));
  });
  form.addEventListener('click', (event) => {
    const link = event.target.closest('.summary a[href^="#"]');
    if (!link) return;
    event.preventDefault(); // The URL stays.
    form.elements[link.hash.slice(1)].focus();
  });
}

/** What the user sees, and what belongs to it; no passwords, and no tokens. */
const fieldsOf = (form) => [...form.elements].filter(({ name, type }) => name
  && !['file', 'password'].includes(type) && (type !== 'hidden' || ['idempotency_key', 'version'].includes(name)));
const inputName = `input ${location.pathname}`;

/** Keeps the input for going back, since a page that may not be stored is loaded again then. */
function keepInput() {
  if (!hasInput) return;
  const forms = $$('form[data-enhance]').filter((form) => !('done' in form.dataset));
  sessionStorage[inputName] = JSON.stringify(forms.map((form) => [form.getAttribute('action'),
    fieldsOf(form).map(({ name, value, checked }) => ({ name, value, checked }))]));
}

/** Puts the input back that the user left behind here, with its key, because it may have been sent, and with its version. */
function restoreInput() {
  const forms = JSON.parse(sessionStorage[inputName] ?? '[]');
  // Whoever signs in next does not get it.
  Object.keys(sessionStorage).forEach((name) => {
    if (name === inputName || (name.startsWith('input ') && !contactsPath)) delete sessionStorage[name];
  });
  if (performance.getEntriesByType('navigation')[0]?.type !== 'back_forward') return;
  for (const [action, kept] of forms) {
    const form = $$('form[data-enhance]').find((other) => other.getAttribute('action') === action);
    if (!form) continue;
    const fields = fieldsOf(form);
    kept.forEach((field, index) => {
      if (field.name === 'idempotency_key') setKey(form, field.value);
      else if (fields[index]?.name === field.name) Object.assign(fields[index], field);
    });
    form.closest('details')?.setAttribute('open', '');
    hasInput = true;
  }
}

// --- The list

const list = $('[data-rows]');
const results = $('[data-results]') ?? $('main');
let shownAt = Date.now(); // Later changes by this user may be missing.

function recount() {
  const count = $('[data-count]');
  shownAt = Date.now();
  // If there are older pages, a reload fills this one again.
  if (count && !count.textContent.endsWith('+)')) count.textContent = `Contacts (${$$('.row:not([hidden])').length})`;
}

/** Adds a contact on top, or replaces its row: a replayed response adds none. */
function merge(contact) {
  const row = $('#row').content.cloneNode(true).firstElementChild;
  const words = contact.name.trim().split(/\s+/);
  const added = new Date(contact.createdAt).toLocaleDateString('en-US', { dateStyle: 'medium', timeZone: 'UTC' });
  const slots = {
    ...contact,
    // As the server computes them.
    address: contact.email ?? contact.phone,
    initials: [words.shift(), words.pop() ?? ''].map((word) => [...word][0]).join('').toUpperCase(),
    added: `Added ${added} UTC`,
  };
  row.dataset.id = contact.id;
  for (const slot of $$('[data-slot]', row)) {
    const text = slots[slot.dataset.slot];
    slot.textContent = text ?? '';
    slot.hidden = !text;
  }
  for (const element of $$('[id], a', row)) {
    for (const attribute of element.attributes) attribute.value = attribute.value.replaceAll('__id__', contact.id);
  }
  $('time', row).dateTime = contact.createdAt;
  localize($('time', row));
  $('.avatar', row).className = `avatar tone-${parseInt(contact.id.at(-1), 16) % 8}`;

  const old = $$('[data-id]', list).find((other) => other.dataset.id === contact.id);
  if (old) old.replaceWith(row);
  else list.prepend(row);
  $('[data-empty]')?.remove();
  recount();
}

/** If the last row is gone: shows the empty list, or goes to the newest page. */
function showEmptyList() {
  if ($('.row, .card')) return;
  if (list && !location.search && !$('.older')) {
    list.after(h('div', { class: 'empty', 'data-empty': '' },
      h('p', { class: 'empty-title' }, 'No contacts yet'),
      h('p', { class: 'if-narrow' }, 'Add your first contact using the form above.'),
      h('p', { class: 'if-wide' }, 'Add your first contact on the left.')));
  } else if (!hasInput && !$('.summary')) go(`${contactsPath}#contact-deleted`);
}

/** Replaces the link with its form, which starts closed if it is above rows. */
function showAddForm(place) {
  place.replaceChildren($('template', place).content.cloneNode(true));
  const nothingYet = !$('.row') && !location.search;
  $('details', place).open = nothingYet || matchMedia('(min-width: 60rem)').matches;
}

// --- Deleting

function confirmDelete(link) {
  const row = link.closest('.row, .card');
  const { id, name = $('.name', row).textContent.trim() } = link.closest('[data-id]').dataset;
  const body = new URLSearchParams({ id, for_tenant: contactsPath.split('/')[2], idempotency_key: freshKey() });
  const question = h('p', { id: 'question' }, 'Delete ', h('bdi', {}, name),
    `? It stays in the trash for ${link.dataset.delete} days, and can be restored from there. After that, this can't be undone.`);
  const confirm = button('Delete', () => {
    dialog.close();
    isolate(results, () => deleteRow(row, body));
  }, 'danger');
  const dialog = h('dialog', { 'aria-labelledby': 'question' }, question,
    h('p', { class: 'actions' }, confirm, button('Cancel', () => dialog.close(), 'quiet')));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Hides the row or card at once, and shows it again if the deletion fails. */
async function deleteRow(row, body) {
  $('.summary', results)?.remove();
  row.hidden = true;
  recount();
  $('h1').focus();
  announce('Deleting…', true);
  const outcome = await send('/actions/delete-contact', body);
  announce(outcome.ok && list ? 'Contact deleted!' : '');
  if (outcome.ok || outcome.status === 404) row.remove();
  row.hidden = false;
  recount();
  if (!outcome.ok) {
    showBox(results, alertBox('There is a problem', [
      h('p', {}, ...explain(outcome, 'Failed to delete contact. Please try again.')),
      retry(outcome, () => isolate(results, () => deleteRow(row, body))),
    ]));
  }
  showEmptyList();
}

// --- Start

isolate($('main'), showFlash);
$$('time').forEach((time) => isolate(time.parentElement, () => localize(time)));
$$('[data-add]').forEach((place) => isolate(place, () => showAddForm(place)));
$$('form[data-enhance]').forEach((form) => isolate(form, () => enhance(form)));
addEventListener('click', (event) => {
  const link = event.target.closest('a[data-delete]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  isolate(results, () => confirmDelete(link));
});
isolate($('main'), restoreInput);
addEventListener('pagehide', () => isolate($('main'), keepInput));
addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  delete sessionStorage[inputName];
  $$('form[data-enhance]').forEach((form) => setPending(form, false)); // Restored as it was left.
  // The user may have signed out, or changed something, since.
  if (contactsPath) {
    fetch(location.href, { method: 'HEAD' }).then((response) => {
      const stale = sessionStorage.changed > shownAt && !hasInput;
      if (response.redirected || [403, 404].includes(response.status) || stale) location.reload();
    }, () => {});
  }
});
