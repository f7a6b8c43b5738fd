// Every page works without this file: it adds answers in place, and retries that do nothing twice.
'use strict';

const RETRY_AFTER = [500, 1500]; // ms
const ANSWER_WITHIN = 15000; // ms
const MESSAGE_LASTS = 3000; // ms
const CONNECTION = 'Connection problem. Please check your internet and try again.';

const contactsPath = document.body.dataset.contacts;
const title = document.title.replace(/^Error: /, '');

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/** An element. Data only ever enters as text or attributes, so none of it can become markup. */
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

/** Runs `work` so that its failure breaks `part` of the page and nothing else. */
async function guarded(part, work) {
  try {
    await work();
  } catch (error) {
    console.error(error);
    const again = button('Try Again', () => {
      box.remove();
      guarded(part, work);
    });
    const box = alertBox('Something went wrong', [
      h('p', { class: 'actions' }, again, button('Refresh Page', () => location.reload(), 'quiet')),
    ]);
    tell(part, box);
  }
}

// --- Asking

/** One attempt. A status of 0 means that no answer came, or none that can be read. */
async function attempt(action, body) {
  let status = 0;
  try {
    const response = await fetch(action, {
      method: 'POST',
      headers: { Accept: 'application/json' },
      body,
      signal: AbortSignal.timeout(ANSWER_WITHIN),
    });
    status = response.status;
    return { ...(await response.json()), status };
  } catch {
    return { status: status < 500 ? 0 : status };
  }
}

/** Attempts until there is an answer, with the same key each time. */
async function send(action, body) {
  sessionStorage.changed = Date.now();
  for (let tried = 0; ; tried += 1) {
    const answer = await attempt(action, body);
    if (![0, 502, 503, 504].includes(answer.status) || tried === RETRY_AFTER.length) return answer;
    await pause(RETRY_AFTER[tried]);
  }
}

/** Some time, or less if the network comes back. */
function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    addEventListener('online', resolve, { once: true });
  });
}

/** `crypto.randomUUID` is missing where the page came over plain HTTP from another machine. */
const freshKey = () => crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join('-');

/** What to tell of an answer that is no success. */
function explain(answer, failed, signingIn) {
  if ([0, 502, 504].includes(answer.status)) return [CONNECTION];
  if (answer.status === 401 && !signingIn) {
    const link = h('a', { href: '/sign-in', target: '_blank', rel: 'noopener' }, 'Sign in again in a new tab');
    return ['Your session has ended. ', link, ', then try again.'];
  }
  if (answer.status === 422) {
    return ['This form was already sent once, and what it held then was saved. Check that first, and send again only if something is missing.'];
  }
  return [(answer.status < 500 && answer.error) || failed];
}

// --- Telling

const notice = $('[data-notice]');
let clearing;

/** Says `text` at the foot of the page, for a while or until the next one. One at a time. */
function announce(text, stays) {
  $$('.flash').forEach((flash) => flash.remove());
  clearTimeout(clearing);
  notice.textContent = text;
  if (!stays) clearing = setTimeout(() => { notice.textContent = ''; }, MESSAGE_LASTS);
}

/** A message in the address (`#contact-created`) goes, or a reload would say it again. */
function settleFlash() {
  for (const flash of $$('.flash')) {
    if (`#${flash.id}` !== location.hash) flash.remove(); // :target is not yet known here.
    else setTimeout(() => {
      flash.hidden = true;
      history.replaceState(null, '', location.pathname + location.search);
    }, MESSAGE_LASTS);
  }
}

function alertBox(heading, children) {
  return h('div', { class: 'summary', role: 'alert', tabindex: '-1' }, h('h2', {}, heading), ...children);
}

/** Puts a box above `part`, in place of the one before. */
function tell(part, box) {
  $('.summary', part)?.remove();
  part.prepend(box);
  box.focus();
}

/** The way on where the same request may well succeed. */
function retry({ status }, onClick) {
  return (status === 0 || status >= 500) && h('p', { class: 'actions' }, button('Try Again', onClick));
}

/** The summary and the messages beside the fields, as the server renders them. */
function showProblem(form, answer) {
  const { fieldErrors = {}, existingId, current } = answer;
  const wrong = controls(form).filter((field) => fieldErrors[field.name]);
  const names = wrong.map((field) => field.name);
  const items = [...new Set([...names, ...Object.keys(fieldErrors)])].map((name) => h('li', {},
    names.includes(name) ? h('a', { href: `#${name}` }, fieldErrors[name]) : fieldErrors[name]));
  for (const field of wrong) {
    field.before(h('p', { class: 'error', id: `${field.name}-error` }, fieldErrors[field.name]));
    field.setAttribute('aria-invalid', 'true');
    mark(field, true);
  }
  const box = alertBox('There is a problem', [
    items.length ? h('ul', {}, ...items) : h('p', {}, ...explain(answer, form.dataset.failed, form.elements.password)),
    existingId && h('p', {}, h('a', { href: `${contactsPath}/${existingId}` }, 'View the existing contact')),
    retry(answer, () => form.requestSubmit()),
  ]);
  tell(form, box);
  if (current) showConflict(form, box, current);
  document.title = `Error: ${title}`;
}

function clearProblem(form) {
  $$('.summary, .conflict, .error', form).forEach((element) => element.remove());
  for (const field of controls(form)) {
    field.removeAttribute('aria-invalid');
    mark(field, false);
  }
  document.title = title;
}

/** Marks a field as wrong or not, and ties it to its hint and its error. */
function mark(field, wrong) {
  const around = field.parentElement;
  around.classList.toggle('is-wrong', wrong);
  field.setAttribute('aria-describedby', $$('.hint, .error', around).map(({ id }) => id).join(' '));
}

/** Both versions side by side. The next submit then knows, and replaces, the current one. */
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

// --- Forms

let typed = false; // Something that a reload would lose.

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
    const answer = await send(form.getAttribute('action'), sent);
    clearProblem(form);
    if (answer.ok) return succeed(form, answer.data, sent, focused);
    // Failures are not saved, so the key stays for the corrected form, unless the key is at fault.
    if (answer.code === 'IDEMPOTENCY_ERROR') setKey(form, freshKey());
    showProblem(form, answer);
  } finally {
    if (!('done' in form.dataset)) setPending(form, false);
  }
}

function succeed(form, data, sent, focused) {
  const { success, next } = form.dataset;
  if (success === 'merge') {
    merge(data);
    // What was typed while the answer was on its way belongs to the next contact.
    if (String(new URLSearchParams(new FormData(form))) === String(sent)) {
      form.reset();
      typed = false;
      // Who has gone to another field stays there. A disabled button loses the focus.
      if ([focused, document.body].includes(document.activeElement)) controls(form)[0].focus();
    }
    setKey(form, freshKey());
    announce('Contact created!');
    setPending(form, false);
  } else {
    form.dataset.done = ''; // The button stays as it is until the next page is here.
    go(success === 'enter' ? entrance(form, data) : next.replace('__id__', data.id));
  }
}

/** Where only what follows `#` is new, a browser would stay on the page as it is. */
function go(path) {
  location.assign(path);
  if (location.href === new URL(path, location).href) location.reload();
}

/** Where a sign-in leads: to the page that asked for it, never to another site. */
function entrance(form, data) {
  const home = data.tenant ? `/t/${data.tenant}/contacts` : '/sign-in#password-set';
  const wanted = new URL(form.elements.return_to?.value || home, location.origin);
  return wanted.origin === location.origin ? wanted.href : home;
}

function enhance(form) {
  setPending(form, false);
  form.addEventListener('input', () => {
    typed = true;
    // Gone back to and sent again unchanged, it is the same request. Changed, it is another.
    if ('done' in form.dataset && form.elements.idempotency_key) setKey(form, freshKey());
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    guarded(form, () => submit(form));
  });
  form.addEventListener('click', (event) => {
    const link = event.target.closest('.summary a[href^="#"]');
    if (!link) return;
    event.preventDefault(); // The address keeps its page.
    form.elements[link.hash.slice(1)].focus();
  });
}

// --- The list

const list = $('[data-rows]');
const results = $('[data-results]') ?? $('main');
let shownAt = Date.now(); // A later change of one's own may be missing.

function recount() {
  const count = $('[data-count]');
  shownAt = Date.now();
  // With older pages to draw from, the page is as full as before once it is loaded again.
  if (count && !count.textContent.endsWith('+)')) count.textContent = `Contacts (${$$('.row:not([hidden])').length})`;
}

/** Puts a contact on top, or in the place it has, so that an answer given twice shows once. */
function merge(contact) {
  const row = $('#row').content.cloneNode(true).firstElementChild;
  const words = contact.name.trim().split(/\s+/);
  const added = new Date(contact.createdAt).toLocaleDateString('en-US', { month: 'short', day: 'numeric', year: 'numeric', timeZone: 'UTC' });
  const slots = {
    ...contact,
    // As the server makes them.
    initials: [words.shift(), words.pop() ?? ''].map((word) => [...word][0]).join('').toUpperCase(),
    added: `Added ${added}`,
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
  $('time', row).setAttribute('datetime', contact.createdAt);
  $('.avatar', row).className = `avatar tone-${parseInt(contact.id.at(-1), 16) % 8}`;

  const old = $$('[data-id]', list).find((other) => other.dataset.id === contact.id);
  if (old) old.replaceWith(row);
  else list.prepend(row);
  $('[data-empty]')?.remove();
  recount();
}

/** A page that has lost its last row for good: there may be others elsewhere. */
function settleEmpty() {
  if ($('.row, .card')) return;
  if (list && !location.search && !$('.older')) {
    list.after(h('div', { class: 'empty', 'data-empty': '' },
      h('p', { class: 'empty-title' }, 'No contacts yet'),
      h('p', {}, 'Add your first contact using the form above.')));
  } else if (!typed && !$('.summary')) go(`${contactsPath}#contact-deleted`);
}

/** The form takes the place of the link to it. Where it stands above the list, it starts shut. */
function showAddForm(place) {
  place.replaceChildren($('template', place).content.cloneNode(true));
  const nothingYet = !$('.row') && !location.search;
  $('details', place).open = nothingYet || matchMedia('(min-width: 60rem)').matches;
}

// --- Deleting

function askToDelete(link) {
  const row = link.closest('.row, .card');
  const { id, name = $('.name', row).textContent.trim() } = link.closest('[data-id]').dataset;
  const body = new URLSearchParams({ id, for_tenant: contactsPath.split('/')[2], idempotency_key: freshKey() });
  const question = h('p', { id: 'question' }, 'Delete ', h('bdi', {}, name),
    `? It stays in the trash for ${link.dataset.delete} days, and can be restored from there. After that, this can't be undone.`);
  const confirm = button('Delete', () => {
    dialog.close();
    guarded(results, () => deleteRow(row, body));
  }, 'danger');
  const dialog = h('dialog', { 'aria-labelledby': 'question' }, question,
    h('p', { class: 'actions' }, confirm, button('Cancel', () => dialog.close(), 'quiet')));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** The row, or the card, goes at once. It keeps its place, hidden, in case it has to come back. */
async function deleteRow(row, body) {
  $('.summary', results)?.remove();
  row.hidden = true;
  recount();
  $('h1').focus();
  announce('Deleting…', true);
  const answer = await send('/actions/delete-contact', body);
  announce(answer.ok && list ? 'Contact deleted!' : '');
  if (answer.ok || answer.status === 404) row.remove();
  row.hidden = false;
  recount();
  if (!answer.ok) {
    tell(results, alertBox('There is a problem', [
      h('p', {}, ...explain(answer, 'Failed to delete contact. Please try again.')),
      retry(answer, () => guarded(results, () => deleteRow(row, body))),
    ]));
  }
  settleEmpty();
}

// --- Start

guarded($('main'), settleFlash);
$$('[data-add]').forEach((place) => guarded(place, () => showAddForm(place)));
$$('form[data-enhance]').forEach((form) => guarded(form, () => enhance(form)));
addEventListener('click', (event) => {
  const link = event.target.closest('a[data-delete]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  guarded(results, () => askToDelete(link));
});
addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  $$('form[data-enhance]').forEach((form) => setPending(form, false)); // It is as it was left.
  // It may be of somebody who has signed out since, or of before a change.
  if (contactsPath) {
    fetch(location.href, { method: 'HEAD' }).then((answer) => {
      const stale = sessionStorage.changed > shownAt && !typed;
      if (answer.redirected || answer.status === 404 || stale) location.reload();
    }, () => {});
  }
});
