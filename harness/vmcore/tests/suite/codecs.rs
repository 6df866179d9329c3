// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages as the compressors wrote them that makedumpfile links, not as the writer of our tests.

use synth::{Kdump, Memory, PAGE, Packing, Page};
use vmcore::{Absent, Codec, Lost, Pfn, PhysAddr, Vmcore};

use crate::sample::{Seen, see};

/// The page that the vectors hold.
fn page() -> Vec<u8> {
    let mut page: Vec<u8> = (0..61).cycle().take(2048).collect();
    page.resize(PAGE, 0xcc);
    page[3000] = 1;
    page
}

/// zlib 1.2.13, `compress2` at level 1, as makedumpfile calls it.
const ZLIB: &str = "78016360646266616563e7e0e4e2e6e1e5e3171014121611151397909492969195935750545256515553d7d0d4\
d2d6d1d5d33730343236313533b7b0b4b2b66118d53c1a60a3896434638c1606a3a5e7688d31146bc933a3603404464360c88500e39073f1a88\
34743603404065b0800008d504dd8";
/// liblzo2 2.10, `lzo1x_1_compress`.
const LZO: &str = "0031000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d\
2e2f303132333435363738393a3b3c0001020304052000000000000000a3f100cc20000000990100012000000099dc0e\
205bd80e0002cccccccccccccccccccccccccccccccccccccccc110000";
/// libsnappy 1.1.9.
const SNAPPY: &str = "8020f03c000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b\
2c2d2e2f303132333435363738393a3b3cfe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe\
3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe3d00fe\
3d00fe3d00fe3d00fe3d00ee3d000d3d00ccfe0100fe0100fe0100fe0100fe0100fe0100fe0100fe0100fe0100fe0100\
fe0100fe0100fe0100fe0100da01000001feb803feb803feb803feb803feb803feb803feb803feb803feb803feb803fe\
b803feb803feb803feb803dab803fe0100fe01003e0100";
/// libzstd 1.5.4, level 1.
const ZSTD: &str = "28b52ffd60000f8502000404000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222\
32425262728292a2b2c2d2e2f303132333435363738393a3b3ccc01cc030043801f69e3156be0813fec01";

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hexadecimal digits");
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// A dump of one page, 5, with this data for it.
fn dump_of(data: &[u8], flags: u32) -> Vec<u8> {
    let mut memory = Memory::new();
    memory.set(5, Page::Kept(page()));
    let file = Kdump::new(Packing::None).write_parts(&memory);
    let mut bytes = file.bytes[..file.data.start].to_vec();
    bytes.extend(data);
    let descriptor = file.descriptors.start;
    let size = u32::try_from(data.len()).expect("a small page");
    bytes[descriptor + 8..descriptor + 12].copy_from_slice(&size.to_le_bytes());
    bytes[descriptor + 12..descriptor + 16].copy_from_slice(&flags.to_le_bytes());
    bytes
}

const VECTORS: [(&str, u32, Codec); 4] = [
    (ZLIB, 0x1, Codec::Zlib),
    (LZO, 0x2, Codec::Lzo),
    (SNAPPY, 0x4, Codec::Snappy),
    (ZSTD, 0x20, Codec::Zstd),
];

#[test]
fn pages_of_the_real_compressors() {
    for (hex, flags, codec) in VECTORS {
        let file = dump_of(&bytes(hex), flags);
        let vmcore = Vmcore::open(&file).unwrap();
        assert_eq!(see(&vmcore, 5), Seen::Bytes(page()), "{codec}");
    }
}

/// Any bit of a page's data can be wrong on a bad disk. Most such pages do not decompress, some
/// do, to other bytes: no codec but zlib has a checksum here (and zlib has unused bits).
#[test]
fn flipped_bits_give_a_page_or_say_corrupt() {
    for (hex, flags, codec) in VECTORS {
        let data = bytes(hex);
        for bit in 0..data.len() * 8 {
            let mut data = data.clone();
            data[bit / 8] ^= 1 << (bit % 8);
            let file = dump_of(&data, flags);
            let seen = see(&Vmcore::open(&file).unwrap(), 5);
            match codec {
                Codec::Zlib => assert!(seen == Seen::Lost || seen == Seen::Bytes(page()), "{bit}"),
                _ => assert!(matches!(seen, Seen::Lost | Seen::Bytes(_)), "{codec} bit {bit}"),
            }
        }
    }
}

/// A descriptor may be wrong about the size: too little data is corrupt, and so is data after
/// the page's end for the formats that show it.
#[test]
fn data_cut_short_is_corrupt() {
    for (hex, flags, codec) in VECTORS {
        let data = bytes(hex);
        for length in 1..data.len() {
            let file = dump_of(&data[..length], flags);
            let vmcore = Vmcore::open(&file).unwrap();
            let absent = vmcore.read_physical(PhysAddr(5 * 4096), &mut [0; 8]).unwrap_err();
            let Absent::Lost { why: Lost::Corrupt { pfn, codec: found, .. }, .. } = absent else {
                panic!("{codec} cut to {length}: {absent}");
            };
            assert_eq!((pfn, found), (Pfn(5), codec));
        }
    }
}

/// A page that decompresses to less or more than a page is corrupt.
#[test]
fn wrong_length_after_decompression_is_corrupt() {
    for length in [PAGE - 1, PAGE + 1] {
        let content = vec![0x11; length];
        for packing in Packing::ALL {
            let (data, flags) = packing.pack(&content);
            let file = dump_of(&data, flags);
            assert_eq!(see(&Vmcore::open(&file).unwrap(), 5), Seen::Lost, "{packing:?} {length}");
        }
    }
}

#[test]
fn impossible_descriptors_are_named() {
    let lost = |data: &[u8], flags| {
        let file = dump_of(data, flags);
        let vmcore = Vmcore::open(&file).unwrap();
        vmcore.read_physical(PhysAddr(5 * 4096 + 8), &mut [0; 8]).unwrap_err().to_string()
    };
    assert_eq!(
        lost(&[0; 5000], 2),
        "physical memory at 0x5008 is lost: page 0x5 has a descriptor of size 5000 and flags 0x2"
    );
    for (data, flags) in [(&[][..], 1), (&[0; 16][..], 3), (&[0; 16], 0x40)] {
        assert!(lost(data, flags).contains("has a descriptor of size"), "{flags:#x}");
    }
}
