//! The certificates at the root of trust.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The roots that AWS's services sign with: all of them, as AWS asks of clients that do not trust
/// the system's store. They are valid until the end of 2037 and longer.
///
/// Source: [Amazon Trust Services](https://www.amazontrust.com/repository/),
/// [certificate pinning](https://docs.aws.amazon.com/acm/latest/userguide/acm-bestpractices.html#best-practices-pinning).
const AWS: &[u8] = include_bytes!("roots.pem");

/// Trust in what AWS signs, and in nobody else.
pub(crate) fn of_aws() -> Result<RootCertStore, String> {
    certificates(AWS)
}

/// Trust in the certificates of a PEM file.
pub(crate) fn from_file(path: &str) -> Result<RootCertStore, String> {
    let pem = std::fs::read(path).map_err(|e| format!("{path:?} cannot be read: {e}"))?;
    let roots = certificates(&pem).map_err(|e| format!("{path:?} has a bad certificate: {e}"))?;
    if roots.is_empty() {
        return Err(format!("{path:?} has no certificate in it"));
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| e.to_string())?;
        roots.add(certificate).map_err(|e| e.to_string())?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_of_aws_are_five_and_usable() {
        assert_eq!(of_aws().unwrap().len(), 5);
    }

    #[test]
    fn a_file_that_is_no_bundle_is_refused() {
        for path in [
            "/nowhere/at/all.pem",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ] {
            let error = from_file(path).unwrap_err();
            assert!(error.contains(path), "{error}");
        }
        let broken = String::from_utf8_lossy(AWS).replace("MII", "MIJ");
        assert!(certificates(broken.as_bytes()).is_err());
    }
}
