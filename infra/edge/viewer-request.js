// Runs at viewer-request on every behaviour, before the cache (runtime cloudfront-js-2.0).
//
// Sets the headers that only the edge can know, and `x-crm-key`, which is the whole variable part of
// the cache key. If the request does not prove membership of the organisation in its path, the key
// is the request's own unique id. So incomplete proof causes a cache miss, never a leak.

const crypto = require('crypto');

// Filled in by deployment: `A` or `A.B`, and which of the two is in use. The last 64 characters of a secret
// prove to the functions that a request comes through here; what is before them signs sessions.
const SECRETS = '${Secrets}'.split('.').map(function (text) {
    return whole(/^[A-Za-z0-9_-]{96,}$/, text) ? text : '';
});
const IN_USE = SECRETS['${SecretsInUse}' === 'B' ? 1 : 0];
const COOKIE = '${SessionCookie}';

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
// The raw path: with an escape, a dot segment or an extra slash it does not match.
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
    // Without an id the key would not be unique to this request.
    if (!context.requestId) {
        return { statusCode: 503, statusDescription: 'Service Unavailable' };
    }
    set(headers, 'x-crm-secret', IN_USE && IN_USE.slice(-64));
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

// Returns `tenant|role|html or json|fresh`, or '' if the response must not be shared. The most
// expensive check is last.
function sharedKey(request) {
    const path = whole(PATH, request.uri);
    if ((request.method !== 'GET' && request.method !== 'HEAD') || !path || UNCACHED.includes(path[2])) {
        return '';
    }
    // At different times the documentation said that cookie names keep their case and that they do not.
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

// Returns the match if it covers the whole text. In some engines `$` also matches before a final
// line feed.
function whole(pattern, text) {
    const match = text === undefined ? null : pattern.exec(text);
    return match && match[0] === text ? match : null;
}

// Returns the value of a field that occurs exactly once.
function only(field) {
    return field && !field.multiValue ? field.value : undefined;
}

// Tries both keys even if the first one matches. What is not a secret is not a key.
function signed(claims, signature) {
    let valid = false;
    SECRETS.forEach(function (secret) {
        if (secret) {
            const key = secret.slice(0, -64);
            const expected = crypto.createHmac('sha256', key).update('session\n' + claims).digest('base64url');
            valid = equal(expected, signature) || valid;
        }
    });
    return valid;
}

// Compares in constant time. It compares text, so unused bits of the base64 count too.
function equal(a, b) {
    let difference = a.length ^ b.length;
    for (let i = 0; i < a.length; i++) {
        difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
    }
    return difference === 0;
}

// Returns `html` or `json`, the same as shared/wrapper/src/http/negotiate.rs, or '' if the two might
// differ: an unusual weight, several headers, an unusual content type.
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
