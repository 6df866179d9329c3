// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys and signatures in `gnupg/` were made by GnuPG 2.2, the one of version 3 by GnuPG 1.4
//! (`--force-v3-sigs`).

use super::*;

const DATA: &[u8] = include_bytes!("gnupg/data");
const RSA_KEY: &[u8] = include_bytes!("gnupg/rsa.key");
const ED_KEY: &[u8] = include_bytes!("gnupg/ed.key");
const SUB_KEY: &[u8] = include_bytes!("gnupg/sub.key");
const RSA_SIGNATURE: &[u8] = include_bytes!("gnupg/rsa.asc");
const ED_SIGNATURE: &[u8] = include_bytes!("gnupg/ed.asc");
const SUB_SIGNATURE: &[u8] = include_bytes!("gnupg/sub.asc");
const V3_SIGNATURE: &[u8] = include_bytes!("gnupg/v3.asc");

fn fingerprints(file: &[u8]) -> Vec<String> {
    keys(file).unwrap().iter().map(|key| hex(&key.fingerprint)).collect()
}

/// Checks with the key that the signature names.
fn check(key: &[u8], signature: &[u8], data: &[u8]) -> Result<(), String> {
    let signature = Signature::read(signature)?;
    let keys = keys(key)?;
    let key = keys.iter().find(|key| Some(key.id()) == signature.issuer).ok_or("another key")?;
    key.verify(&signature, data)
}

// The fingerprints that the distribution publishes.
#[test]
fn the_keys_of_centos_7_have_their_published_fingerprints() {
    let os = include_bytes!("../../../../../guests/keys/RPM-GPG-KEY-CentOS-7");
    assert_eq!(fingerprints(os), ["6341ab2753d78a78a7c27bb124c6a8a7f4a80eb5"]);
    let debug = include_bytes!("../../../../../guests/keys/RPM-GPG-KEY-CentOS-Debug-7");
    assert_eq!(fingerprints(debug), ["759d690f60992d526a358cbdd0f25a3cb6792c39"]);
}

#[test]
fn signatures_of_both_algorithms_and_versions_are_good_for_their_data_only() {
    let pairs = [
        (RSA_KEY, RSA_SIGNATURE),
        (RSA_KEY, V3_SIGNATURE),
        (ED_KEY, ED_SIGNATURE),
        (SUB_KEY, SUB_SIGNATURE),
    ];
    for (number, (key, signature)) in pairs.into_iter().enumerate() {
        assert_eq!(check(key, signature, DATA), Ok(()), "{number}");
        for data in [&b""[..], &DATA[1..], b"signed text\n\n", b"Signed text\n"] {
            let why = check(key, signature, data).unwrap_err();
            assert_eq!(why, "the key signed something else", "{number}");
        }
        let others = pairs.iter().filter(|(other, _)| *other != key);
        assert!(others.map(|(key, _)| check(key, signature, DATA)).all(|it| it.is_err()));
    }
}

#[test]
fn a_subkey_is_taken_only_with_its_keys_word() {
    let ids =
        ["4e425015ea1af90a3f2923a8f3d8129ce33b676d", "63939119455b674e154d4bc7463f4ab4e1aa0862"];
    assert_eq!(fingerprints(SUB_KEY), ids);
    // The subkey behind another key: its binding is by the first one.
    let stolen = [binary(RSA_KEY).unwrap(), {
        let packets = binary(SUB_KEY).unwrap();
        let length = packets.len();
        let all = super::packets(&packets).unwrap();
        let at = all.iter().find(|(tag, _)| *tag == PUBLIC_SUBKEY).unwrap().1;
        let start = at.as_ptr() as usize - packets.as_ptr() as usize;
        packets[start - 2..length].to_vec()
    }];
    let first = fingerprints(RSA_KEY);
    assert_eq!(fingerprints(&stolen.concat()), first);
}

#[test]
fn every_changed_byte_of_a_signature_ends_well_and_none_makes_it_good_for_other_data() {
    for (key, signature) in [(RSA_KEY, V3_SIGNATURE), (ED_KEY, ED_SIGNATURE)] {
        let bytes = binary(signature).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0xff;
            assert!(check(key, &changed, b"other").is_err(), "{at}");
            assert!(check(key, &bytes[..at], DATA).is_err(), "cut at {at}");
        }
    }
}

#[test]
fn what_is_no_key_is_an_error() {
    for bytes in [&b""[..], b"text", b"\xff\xff\xff", RSA_SIGNATURE, &RSA_KEY[..200]] {
        assert!(keys(bytes).is_err());
    }
}
