// Every form of the product: where it stands, and how a person fills it. `forms.test.mjs` holds this
// list against the pages and against the list of actions.
//
// - `form`: the page and the action, as `formsOn` names them
// - `before`: makes what the form needs, without its page
// - `send`: what the person does, after which so many `letters` are sent; or it only `reads`
// - `refused`: what they get wrong first, and the messages for that
import { ACCOUNTS } from './forms/accounts.mjs';
import { CONTACTS } from './forms/contacts.mjs';
import { ORGANIZATION } from './forms/organization.mjs';

export const FORMS = [...ACCOUNTS, ...CONTACTS, ...ORGANIZATION];

/** The forms on the page that is open, those in templates too: the page's path without what is
 *  particular to an organisation, and the action. A form that reads goes by its class. */
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
