//! The root certificates that connections trust.

use crate::CertificateError;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// All roots that AWS's services sign with. AWS asks clients that do not use the system's store to
/// trust every one of them. They are valid at least until the end of 2037.
///
/// Source: [Amazon Trust Services](https://www.amazontrust.com/repository/),
/// [certificate pinning](https://docs.aws.amazon.com/acm/latest/userguide/acm-bestpractices.html#best-practices-pinning).
const AWS: &[u8] = include_bytes!("roots.pem");

/// The roots of AWS, and no others.
pub(crate) fn of_aws() -> Result<RootCertStore, String> {
    certificates(AWS)
}

/// The certificates in a PEM file.
pub(crate) fn from_file(path: &str) -> Result<RootCertStore, CertificateError> {
    let path = path.to_owned();
    let pem = match std::fs::read(&path) {
        Ok(pem) => pem,
        Err(error) => return Err(CertificateError::Unreadable { path, error }),
    };
    match certificates(&pem) {
        Ok(roots) if roots.is_empty() => Err(CertificateError::Empty(path)),
        Ok(roots) => Ok(roots),
        Err(reason) => Err(CertificateError::Invalid { path, reason }),
    }
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
    fn all_five_roots_of_aws_are_usable() {
        assert_eq!(of_aws().unwrap().len(), 5);
    }

    #[test]
    fn a_file_without_usable_certificates_is_refused() {
        for path in [
            "/nowhere/at/all.pem",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ] {
            let error = from_file(path).unwrap_err().to_string();
            assert!(error.contains(path), "{error}");
        }
        let broken = String::from_utf8_lossy(AWS).replace("MII", "MIJ");
        assert!(certificates(broken.as_bytes()).is_err());
    }
}
