//! The device cookie, which keeps the failures of strangers apart from those of a browser that has signed
//! in to the account before. See [`auth::Devices`].

use crate::Config;
use crate::http::request::RequestInfo;
use auth::{DEVICE_LIFETIME, Devices};
use lambda_http::Request;

/// The name of the cookie. `__Host-` restricts it to this host and to https (RFC 6265bis, section
/// 4.1.3.2).
fn name(https: bool) -> &'static str {
    if https { "__Host-device" } else { "device" }
}

/// What the browser's device cookie says.
pub(crate) fn read(request: &Request, config: &Config, now: i64) -> Devices {
    let cookie = request.cookie(name(config.https)).unwrap_or_default();
    Devices::open(cookie, &config.keys, now)
}

/// The cookie to set. It stays when the user signs out.
pub(crate) fn cookie(devices: &Devices, config: &Config) -> String {
    let (name, value) = (name(config.https), devices.seal(&config.keys));
    let secure = if config.https { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={DEVICE_LIFETIME}; HttpOnly; SameSite=Lax{secure}")
}
