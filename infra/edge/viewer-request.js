// Runs at viewer-request on every behaviour, before the cache (runtime cloudfront-js-2.0).
//
// Gives the origin what only the edge knows, and makes `x-crm-key`, which is the whole variable
// part of the cache key. Who is not shown to be a member of the organisation in the path gets the
// request's own id there, which no other request has: a missing piece is a miss, never a leak.

const crypto = require('crypto');

// Filled in by deployment.
const KEYS = ['${SessionKey}', '${SessionKeyPrevious}'];
const COOKIE = '${SessionCookie}';

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
// The raw path: an escape, a dot segment or a spare slash is another path.
const PATH = new RegExp('^/t/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)/([a-z]+)(?:/' + UUID + ')?$');
const UNCACHED = ['settings', 'audit'];
// 1.{secret}.{tenant}.{user}.{role}.{expires}.{signature}
const TOKEN = new RegExp(
    '^(1\\.[A-Za-z0-9_-]{43}\\.([a-z0-9-]+)\\.' + UUID +
    '\\.(owner|admin|member|viewer)\\.([1-9][0-9]{0,14}))\\.([A-Za-z0-9_-]{43})$');
const FRESH = /^[A-Za-z0-9_-]{22}$/;

function handler(event) {
    const request = event.request;
    const headers = request.headers;
    const context = event.context;
    Object.keys(headers).forEach(function (name) {
        if (name.toLowerCase().startsWith('x-crm-')) {
            delete headers[name];
        }
    });
    // Without an id nothing keeps this request apart from others.
    if (!context.requestId) {
        return { statusCode: 503, statusDescription: 'Service Unavailable' };
    }
    set(headers, 'x-crm-distribution', context.distributionId);
    set(headers, 'x-crm-domain', context.distributionDomainName);
    set(headers, 'x-crm-viewer-ip', event.viewer.ip);
    let key = '';
    try {
        key = sharedKey(request);
    } catch (error) {
        key = '';
    }
    set(headers, 'x-crm-key', key || context.requestId);
    return request;
}

function set(headers, name, value) {
    if (value) {
        headers[name] = { value: value };
    }
}

// `tenant|role|html or json|fresh`, or nothing where the answer is not to be shared. What costs
// most comes last.
function sharedKey(request) {
    const path = whole(PATH, request.uri);
    if ((request.method !== 'GET' && request.method !== 'HEAD') || !path || UNCACHED.includes(path[2])) {
        return '';
    }
    // The documentation has said both that cookies' names keep their case and that they do not.
    const session = request.cookies[COOKIE] || request.cookies[COOKIE.toLowerCase()];
    const token = whole(TOKEN, only(session));
    if (!token || token[2] !== path[1] || Date.now() >= Number(token[4]) * 1000) {
        return '';
    }
    const kind = negotiate(request.headers);
    const cookie = request.cookies.fresh;
    const fresh = only(cookie);
    if (!kind || (cookie && fresh === undefined) || !signed(token[1], token[5])) {
        return '';
    }
    return token[2] + '|' + token[3] + '|' + kind + '|' + (whole(FRESH, fresh) ? fresh : '');
}

// The match, if it is of the whole text: in some engines `$` matches before a last line feed too.
function whole(pattern, text) {
    const match = text === undefined ? null : pattern.exec(text);
    return match && match[0] === text ? match : null;
}

// The value of what is there exactly once.
function only(field) {
    return field && !field.multiValue ? field.value : undefined;
}

// Both keys are tried whatever the first says. A slot that is not filled is no key.
function signed(claims, signature) {
    let found = false;
    KEYS.forEach(function (key) {
        if (key.length >= 32) {
            const right = crypto.createHmac('sha256', key).update('session\n' + claims).digest('base64url');
            found = equal(right, signature) || found;
        }
    });
    return found;
}

// In constant time. Text is compared, so bits that base64 does not use count too.
function equal(a, b) {
    let difference = a.length ^ b.length;
    for (let i = 0; i < a.length; i++) {
        difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
    }
    return difference === 0;
}

// `html` or `json`, as the wrapper decides it (shared/wrapper/src/http/negotiate.rs), or nothing where
// the two might differ: an odd weight, several headers, an odd type of a body.
function negotiate(headers) {
    const type = headers['content-type'];
    if (type) {
        return only(type) === 'application/json' ? 'json' : '';
    }
    if (!headers.accept) {
        return 'html';
    }
    const accept = only(headers.accept);
    if (accept === undefined) {
        return '';
    }
    const ranges = accept.toLowerCase();
    if (!ranges.includes('application/json')) {
        return 'html';
    }
    if (accept.length > 512 || !whole(/^[\t -~]*$/, accept)) {
        return '';
    }
    let json = 0;
    let html = 0;
    const clear = ranges.split(',').every(function (range) {
        const parts = range.split(';').map(function (part) { return part.trim(); });
        const type = parts[0];
        if (type !== 'application/json' && type !== 'text/html') {
            return true;
        }
        const weight = parts.slice(1).find(function (part) { return part.startsWith('q='); });
        const quality = weight === undefined ? '1' : weight.slice(2);
        if (!whole(/^(0(\.[0-9]{0,3})?|1(\.0{0,3})?)$/, quality)) {
            return false;
        }
        if (type === 'text/html') {
            html = Math.max(html, Number(quality));
        } else {
            json = Math.max(json, Number(quality));
        }
        return true;
    });
    return clear ? (json > 0 && json >= html ? 'json' : 'html') : '';
}
