// The forms about contacts. `../forms.mjs` describes the fields.
import { ADA, BAD_CONTACT, addDeletedContact, openBeside, press } from './steps.mjs';

export const CONTACTS = [
  {
    form: '/t/{tenant}/contacts: create-contact',
    before: async (visitor) => {
      await visitor.addContact('Grace Hopper');
      await openBeside(visitor, visitor.list, 'Add Contact');
    },
    refused: BAD_CONTACT,
    send: async (visitor) => {
      await visitor.fill(ADA);
      await press(visitor, 'Create Contact');
      await visitor.reads('Contact created!');
      await visitor.sees('Ada Lovelace', 'Grace Hopper');
    },
  },
  {
    form: '/t/{tenant}/contacts/new: create-contact',
    before: async (visitor) => {
      await visitor.addContact('Grace Hopper');
      await visitor.goto(`${visitor.list}/new`);
    },
    refused: { fields: { name: 'Grace', email: 'GRACE.hopper@example.com' }, messages: { email: 'Contact with this email already exists' } },
    send: async (visitor) => {
      await visitor.fill(ADA);
      await press(visitor, 'Create Contact');
      await visitor.reads('Contact created!');
    },
  },
  {
    form: '/t/{tenant}/contacts/{id}/edit: update-contact',
    before: async (visitor) => {
      const { id } = await visitor.addContact('Ada King', { company: 'Before', notes: 'Gone' });
      await visitor.goto(`${visitor.list}/${id}/edit`);
    },
    refused: BAD_CONTACT,
    send: async (visitor) => {
      await visitor.fill({ ...ADA, notes: '' });
      await press(visitor, 'Update Contact');
      await visitor.reads('Contact updated!');
    },
  },
  {
    form: '/t/{tenant}/contacts/{id}/edit: update-contact',
    about: 'after another user has changed the contact',
    before: async (visitor) => {
      const { id } = await visitor.addContact('Ada King', { company: 'Before' });
      await visitor.goto(`${visitor.list}/${id}/edit`);
      await visitor.act('update-contact', { id, version: '1', name: 'Ada King', email: 'theirs@example.com', company: 'Theirs' });
    },
    refused: { fields: { ...ADA, company: 'Mine' }, conflict: ['Name', 'Email', 'Company', 'Phone', 'Notes'] },
    send: async (visitor) => {
      await press(visitor, 'Update Contact');
      await visitor.reads('Contact updated!');
    },
  },
  {
    form: '/t/{tenant}/contacts/{id}/delete: delete-contact',
    before: async (visitor) => {
      await visitor.addContact('Ada Lovelace');
      await visitor.goto(visitor.list);
    },
    send: async (visitor) => {
      await visitor.page.getByRole('link', { name: 'Delete Ada Lovelace' }).click();
      await press(visitor, 'Delete');
      await visitor.reads('Contact deleted!');
    },
  },
  {
    form: '/t/{tenant}/contacts/{id}/delete: delete-contact',
    about: 'on its own page, of a contact that no longer exists',
    before: async (visitor) => {
      const { id } = await visitor.addContact('Ada Lovelace');
      await visitor.addContact('Grace Hopper');
      await visitor.goto(`${visitor.list}/${id}/delete`);
      await visitor.act('delete-contact', { id });
    },
    refused: { fields: {}, message: 'Contact not found or access denied' },
  },
  {
    form: '/t/{tenant}/contacts/{id}/delete: delete-contact',
    about: 'on its own page',
    before: async (visitor) => {
      const { id } = await visitor.addContact('Ada Lovelace');
      await visitor.goto(`${visitor.list}/${id}/delete`);
    },
    send: async (visitor) => {
      await press(visitor, 'Delete');
      await visitor.reads('Contact deleted!');
    },
  },
  {
    form: '/t/{tenant}/contacts/trash: restore-contact',
    before: async (visitor) => {
      await addDeletedContact(visitor);
      await visitor.goto(`${visitor.list}/trash`);
    },
    send: async (visitor) => {
      await press(visitor, 'Restore');
      await visitor.reads('Contact restored!');
    },
  },
  {
    form: '/t/{tenant}/contacts/trash: restore-contact',
    about: 'of a contact whose email is taken',
    before: async (visitor) => {
      await addDeletedContact(visitor);
      await visitor.addContact('Ada Lovelace');
      await visitor.goto(`${visitor.list}/trash`);
    },
    refused: { fields: {}, messages: { email: 'Contact with this email already exists' } },
    send: async (visitor) => {
      await visitor.fill({ email: 'another@example.com' });
      await press(visitor, 'Restore Contact');
      await visitor.reads('Contact restored!');
    },
  },
  {
    form: '/t/{tenant}/contacts: search',
    readOnly: true,
    before: async (visitor) => {
      await visitor.addContact('Ada Lovelace');
      await visitor.addContact('Grace Hopper');
      await visitor.goto(visitor.list);
    },
    send: async (visitor) => {
      await visitor.page.getByRole('searchbox').fill('LOVE');
      await press(visitor, 'Search');
      await visitor.sees('Ada Lovelace');
    },
  },
];
