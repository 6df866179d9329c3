// SPDX-License-Identifier: MIT OR Apache-2.0
//! As much of OpenPGP (RFC 9580) as signed packages have: public keys of version 4 and signatures
//! of versions 3 and 4, by RSA or Ed25519, with a checksum of the SHA-2 family.
//!
//! The complete implementations bring more than a hundred crates (symmetric ciphers, elliptic
//! curves, key generation) for the few packets that are read here.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};

use super::super::store::hex;
use super::checksum::Kind;

/// Packets of a key or a signature; more is neither.
const MAX_PACKETS: usize = 4096;
/// Longest modulus.
const MAX_BITS: usize = 16_384;

/// Numbers of packets (section 5).
const SIGNATURE: u8 = 2;
const PUBLIC_KEY: u8 = 6;
const PUBLIC_SUBKEY: u8 = 14;
/// Numbers of public key algorithms (section 9.1).
const RSA: u8 = 1;
const RSA_SIGN_ONLY: u8 = 3;
const EDDSA: u8 = 22;
const ED25519: u8 = 27;
/// The curve's object identifier, with its length, in keys of the older form of Ed25519.
const ED25519_CURVE: [u8; 10] = [9, 0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1];
/// What a signature is of (section 5.2.1): a document, a subkey.
const OF_DOCUMENT: u8 = 0x00;
const OF_SUBKEY: u8 = 0x18;

/// A key's or a signer's name: the last eight bytes of the fingerprint.
pub(super) type KeyId = [u8; 8];

/// A public key that signatures can be checked with.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) fingerprint: [u8; 20],
    material: Material,
    /// The packet, as signatures of keys hash it.
    body: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Material {
    Rsa(Box<RsaPublicKey>),
    Ed25519(Vec<u8>),
}

/// A signature.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    class: u8,
    pub(super) issuer: Option<KeyId>,
    algorithm: u8,
    hash: u8,
    /// What is hashed after the data.
    trailer: Vec<u8>,
    /// What comes after the first two bytes of the checksum.
    value: Vec<u8>,
}

impl Key {
    pub(super) fn id(&self) -> KeyId {
        let mut id = KeyId::default();
        id.copy_from_slice(&self.fingerprint[12..]);
        id
    }

    fn parse(body: &[u8]) -> Result<Self, String> {
        let (version, algorithm) = (body.first(), body.get(5));
        if version != Some(&4) {
            return Err("a key of another version than 4".to_owned());
        }
        let rest = body.get(6..).unwrap_or_default();
        let material = match algorithm {
            Some(&(RSA | RSA_SIGN_ONLY)) => Material::Rsa(Box::new(rsa_key(rest)?)),
            Some(&EDDSA) => {
                let point = rest.strip_prefix(&ED25519_CURVE).ok_or("a key of another curve")?;
                let (point, _) = number(point).ok_or("a key that is cut off")?;
                let point = point.strip_prefix(&[0x40]).filter(|point| point.len() == 32);
                Material::Ed25519(point.ok_or("a key of impossible form")?.to_vec())
            }
            Some(&ED25519) if rest.len() >= 32 => Material::Ed25519(rest[..32].to_vec()),
            _ => return Err("a key of an algorithm that is not read here".to_owned()),
        };
        let hashed = Self::hashed(body);
        let digest = Kind::Sha1.digest(&hashed[..]).map_err(|error| error.to_string())?;
        let fingerprint = digest.try_into().map_err(|_| "a checksum of impossible length")?;
        Ok(Self { fingerprint, material, body: body.to_vec() })
    }

    /// A key as it is hashed (section 5.2.4).
    fn hashed(body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes();
        [&[0x99], &length[..], body].concat()
    }

    /// Whether the signature is by this key, of this data.
    fn is_by_it(&self, signature: &Signature, data: impl Read) -> Result<bool, String> {
        let kind = Kind::numbered(u32::from(signature.hash))
            .or((signature.class == OF_SUBKEY && signature.hash == 2).then_some(Kind::Sha1))
            .ok_or("it is made with a checksum that protects nothing")?;
        let digest =
            kind.digest(data.chain(&signature.trailer[..])).map_err(|error| error.to_string())?;
        match (&self.material, signature.algorithm) {
            (Material::Rsa(key), RSA | RSA_SIGN_ONLY) => {
                let (value, _) = number(&signature.value).ok_or("it is cut off")?;
                let value = padded(value, rsa::traits::PublicKeyParts::size(&**key));
                let scheme =
                    Pkcs1v15Sign { hash_len: Some(digest.len()), prefix: kind.identifier().into() };
                Ok(value.is_some_and(|value| key.verify(scheme, &digest, &value).is_ok()))
            }
            (Material::Ed25519(key), EDDSA | ED25519) => {
                let value = ed25519_value(signature).ok_or("it is cut off")?;
                let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
                Ok(key.verify(&digest, &value).is_ok())
            }
            _ => Err("it is of another algorithm than the key".to_owned()),
        }
    }

    /// Whether a document's signature is by this key.
    pub(super) fn verify(&self, signature: &Signature, data: impl Read) -> Result<(), String> {
        if signature.class != OF_DOCUMENT {
            return Err("it is no signature of a document".to_owned());
        }
        let good = self.is_by_it(signature, data)?;
        good.then_some(()).ok_or_else(|| "the key signed something else".to_owned())
    }

    /// Whether this key says that a subkey is its own.
    fn owns(&self, subkey: &Self, signature: &Signature) -> bool {
        let data = [Self::hashed(&self.body), Self::hashed(&subkey.body)].concat();
        signature.class == OF_SUBKEY && self.is_by_it(signature, &data[..]).unwrap_or(false)
    }
}

/// Reads keys; a subkey that its key does not own is left out, and so is what is not read here.
pub(super) fn keys(bytes: &[u8]) -> Result<Vec<Key>, String> {
    let bytes = binary(bytes)?;
    let mut keys: Vec<Key> = Vec::new();
    let (mut primary, mut subkey): (Option<Key>, Option<Key>) = (None, None);
    let mut unread = None;
    for (tag, body) in packets(&bytes)? {
        match tag {
            PUBLIC_KEY => {
                (primary, subkey) = (None, None);
                match Key::parse(body) {
                    Ok(key) => {
                        primary = Some(key.clone());
                        keys.push(key);
                    }
                    Err(why) => unread = Some(why),
                }
            }
            PUBLIC_SUBKEY => subkey = Key::parse(body).ok(),
            SIGNATURE => {
                if let (Some(key), Some(other)) = (&primary, &subkey)
                    && Signature::parse(body).is_ok_and(|it| key.owns(other, &it))
                {
                    keys.extend(subkey.take());
                }
            }
            _ => {}
        }
    }
    match (keys.is_empty(), unread) {
        (true, why) => Err(why.unwrap_or_else(|| "there is no public key in it".to_owned())),
        (false, _) => Ok(keys),
    }
}

impl Signature {
    /// Reads the first signature of a file, armoured or not.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let bytes = binary(bytes)?;
        let packets = packets(&bytes)?;
        let body = packets.iter().find(|(tag, _)| *tag == SIGNATURE).map(|(_, body)| *body);
        Self::parse(body.ok_or("there is no signature in it")?)
    }

    fn parse(body: &[u8]) -> Result<Self, String> {
        let parsed = match body.first() {
            Some(3) => Self::version_3(body),
            Some(4) => Self::version_4(body),
            Some(version) => return Err(format!("it is a signature of version {version}")),
            None => None,
        };
        parsed.ok_or_else(|| "it is cut off".to_owned())
    }

    /// Section 5.2.2: version, 5, class, time, key, two algorithms, two bytes of the checksum.
    fn version_3(body: &[u8]) -> Option<Self> {
        let fixed: &[u8; 19] = body.first_chunk()?;
        (fixed[1] == 5).then_some(())?;
        Some(Self {
            class: fixed[2],
            issuer: fixed[7..15].try_into().ok(),
            algorithm: fixed[15],
            hash: fixed[16],
            trailer: fixed[2..7].to_vec(),
            value: body[19..].to_vec(),
        })
    }

    /// Section 5.2.3: version, class, two algorithms, hashed subpackets, others, two bytes.
    fn version_4(body: &[u8]) -> Option<Self> {
        let length = |at: usize| {
            Some(usize::from(u16::from_be_bytes(
                body.get(at..at.checked_add(2)?)?.try_into().ok()?,
            )))
        };
        let hashed_end = 6 + length(4)?;
        let hashed = body.get(6..hashed_end)?;
        let others_end = hashed_end + 2 + length(hashed_end)?;
        let others = body.get(hashed_end + 2..others_end)?;
        let mut trailer = body.get(..hashed_end)?.to_vec();
        let length = u32::try_from(trailer.len()).ok()?.to_be_bytes();
        trailer.extend([&[4, 0xff][..], &length].concat());
        Some(Self {
            class: body[1],
            issuer: issuer(hashed).or_else(|| issuer(others)),
            algorithm: body[2],
            hash: body[3],
            trailer,
            value: body.get(others_end + 2..)?.to_vec(),
        })
    }
}

/// The signer in a list of subpackets: by key id (16) or fingerprint (33).
fn issuer(mut list: &[u8]) -> Option<KeyId> {
    while !list.is_empty() {
        let (length, rest) = new_length(list)?;
        let (subpacket, rest) = rest.split_at_checked(length)?;
        list = rest;
        match subpacket.split_first() {
            Some((&16, id)) => return id.try_into().ok(),
            // A byte of the key's version, then the fingerprint.
            Some((&33, print)) if print.first() == Some(&4) => return print.last_chunk().copied(),
            _ => {}
        }
    }
    None
}

fn rsa_key(bytes: &[u8]) -> Result<RsaPublicKey, String> {
    let numbers = number(bytes).and_then(|(n, rest)| Some((n, number(rest)?.0)));
    let (n, e) = numbers.ok_or("a key that is cut off")?;
    let (n, e) = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e));
    RsaPublicKey::new_with_max_size(n, e, MAX_BITS).map_err(|error| error.to_string())
}

fn ed25519_value(signature: &Signature) -> Option<Vec<u8>> {
    if signature.algorithm == ED25519 {
        return Some(signature.value.first_chunk::<64>()?.to_vec());
    }
    let (r, rest) = number(&signature.value)?;
    let (s, _) = number(rest)?;
    Some([padded(r, 32)?, padded(s, 32)?].concat())
}

/// A number with its length in bits before it (section 3.2), and what comes after.
fn number(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (bits, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*bits)).div_ceil(8))
}

/// The same number in a field of `size` bytes.
fn padded(number: &[u8], size: usize) -> Option<Vec<u8>> {
    let zeros = size.checked_sub(number.len())?;
    Some([&vec![0; zeros][..], number].concat())
}

/// The packets of a file: number and content (section 4.2).
fn packets(mut bytes: &[u8]) -> Result<Vec<(u8, &[u8])>, String> {
    let mut packets = Vec::new();
    while let Some((&first, rest)) = bytes.split_first() {
        let framed = match first {
            0xc0.. => new_length(rest).map(|(length, rest)| (first & 0x3f, length, rest)),
            0x80.. => {
                old_length(first & 3, rest).map(|(length, rest)| (first >> 2 & 0xf, length, rest))
            }
            _ => None,
        };
        let packet = framed.and_then(|(tag, length, rest)| {
            let (body, rest) = rest.split_at_checked(length)?;
            Some((tag, body, rest))
        });
        let (tag, body, rest) = packet.ok_or("it is no OpenPGP file, or cut off")?;
        packets.push((tag, body));
        if packets.len() > MAX_PACKETS {
            return Err("it has too many packets".to_owned());
        }
        bytes = rest;
    }
    Ok(packets)
}

/// A length as packets of the newer form and subpackets have it. Partial lengths, which only data
/// has, are not read.
fn new_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    match first {
        0..192 => Some((usize::from(first), rest)),
        192..224 => {
            let (&second, rest) = rest.split_first()?;
            Some((((usize::from(first) - 192) << 8) + usize::from(second) + 192, rest))
        }
        255 => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            Some((usize::try_from(u32::from_be_bytes(*length)).ok()?, rest))
        }
        224..255 => None,
    }
}

fn old_length(kind: u8, bytes: &[u8]) -> Option<(usize, &[u8])> {
    let size = match kind {
        0 => 1,
        1 => 2,
        2 => 4,
        _ => return Some((bytes.len(), bytes)),
    };
    let (length, rest) = bytes.split_at_checked(size)?;
    Some((length.iter().fold(0, |all, byte| all << 8 | usize::from(*byte)), rest))
}

/// The packets of a file that may be armoured (section 6): one or several blocks of base64, each
/// between two marks, with headers before an empty line and a checksum after.
fn binary(bytes: &[u8]) -> Result<Vec<u8>, String> {
    if bytes.first().is_some_and(|first| *first >= 0x80) {
        return Ok(bytes.to_vec());
    }
    let text = String::from_utf8_lossy(bytes);
    let mut all = Vec::new();
    let (mut inside, mut headers, mut block) = (false, false, String::new());
    for line in text.lines().map(str::trim) {
        match (inside, headers) {
            _ if line.starts_with("-----BEGIN PGP ") => {
                (inside, headers) = (true, true);
                block.clear();
            }
            _ if line.starts_with("-----END PGP ") && inside => {
                all.extend(STANDARD.decode(&block).map_err(|error| error.to_string())?);
                inside = false;
            }
            (true, true) if line.is_empty() => headers = false,
            // The checksum of 24 bits protects against nothing that matters here.
            (true, false) if !line.starts_with('=') => block.push_str(line),
            _ => {}
        }
    }
    if all.is_empty() { Err("it is no OpenPGP file".to_owned()) } else { Ok(all) }
}

/// A key id as people write it.
pub(super) fn shown(id: &KeyId) -> String {
    hex(id).to_ascii_uppercase()
}

#[cfg(test)]
mod tests;
