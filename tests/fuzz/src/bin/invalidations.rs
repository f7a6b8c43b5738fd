//! Searches for an input for which `edge_crm_fuzz::invalidations` panics.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| edge_crm_fuzz::invalidations(data));
