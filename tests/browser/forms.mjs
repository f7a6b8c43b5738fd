// Every form of the product: its page, and how a user fills it in. `forms.test.mjs` checks that the
// list is complete: against the pages and against the list of actions.
//
// - `form`: the page and the action, as `formsOn` names them
// - `about`: what is special about this case
// - `before`: prepares the data and opens the form
// - `send`: what the user does
// - `emails`: how many emails that sends, if any
// - `readOnly`: whether it stores nothing
// - `refused`: invalid input that the user sends first, and the messages for it
import { ACCOUNTS } from './forms/accounts.mjs';
import { CONTACTS } from './forms/contacts.mjs';
import { ORGANIZATION } from './forms/organization.mjs';

export const FORMS = [...ACCOUNTS, ...CONTACTS, ...ORGANIZATION];

/** The forms on the open page, including those in templates, each as "page: action". The page is
 *  its path without tenant and ids. A GET form has no action and goes by its class. */
export function formsOn(page) {
  return page.evaluate(() => {
    const path = location.pathname.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, '{id}').replace(/^\/t\/[^/]+/, '/t/{tenant}');
    const roots = [document, ...[...document.querySelectorAll('template')].map((template) => template.content)];
    const forms = roots.flatMap((root) => [...root.querySelectorAll('form')]);
    return forms.map((form) => {
      const action = form.getAttribute('action').replace(/^\/actions\//, '');
      if (form.method === 'get') return `${path}: ${form.className}`;
      return `${action === 'sign-out' ? 'every page' : path}: ${action}`;
    });
  });
}
