// The parts of CloudFront's runtime outside the language: `require('crypto')` and `console.log`.
(function (digest, log) {
    function hasher(algorithm, key) {
        let text = '';
        let done = false;
        return {
            update(data) {
                text += data;
                return this;
            },
            digest(encoding) {
                if (done) throw new Error('Digest already called');
                done = true;
                return digest(algorithm, key, text, encoding);
            },
        };
    }
    const crypto = {
        createHash: (algorithm) => hasher(algorithm),
        createHmac: (algorithm, key) => hasher(algorithm, String(key)),
    };
    globalThis.require = (name) => {
        if (name !== 'crypto') throw new Error('Cannot load module "' + name + '"');
        return crypto;
    };
    globalThis.console = { log: (...values) => log(values.map(String).join(' ')) };
})
