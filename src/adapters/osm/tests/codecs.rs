//! Codecs: the same blocks in every one of them, and what is wrong with a blob told for each.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::encode::{Style, blocks, bytes, data_frame, header, number};
use super::rows::{Layered, everything, layer, read_files};
use super::told;
use crate::domain::{Incomplete, Region};
use crate::pipeline::RunError;

const LINES: &str = "\
n1 x9.5 y47.1 v3 t1700000000 Tshop=kiosk
n2 x9.6 y47.1
n3 x9.6 y47.2
w1 Nn1,n2,n3,n1 Tbuilding=yes
";

/// The only block of [`LINES`] as Python's `lzma` compresses it: alone, and as xz.
const LZMA: [&str; 2] = [
    "5d00008000ffffffffffffffff0009098a2fd5fc0c400602ae79fd581214569c145a940efd64a4c5abcc4f2108fa9349fd801e695775355476cc051894c66ed6866baabf4db975bf694b1760578916ad1187d107defb31f52b80cda2e95294891fa441f11d680b5e1b6b6c3a8b63ccbe23ddf4131f8c88d262e2d7511c47b5798563ffea6ad000",
    "fd377a585a000004e6d6b4460200210116000000742fe5a3e0008a00745d0009098a2fd5fc0c400602ae79fd581214569c145a940efd64a4c5abcc4f2108fa9349fd801e695775355476cc051894c66ed6866baabf4db975bf694b1760578916ad1187d107defb31f52b80cda2e95294891fa441f11d680b5e1b6b6c3a8b63ccbe23ddf4131f8c88d262e2d7511c475be14fa0007710382c28e24e9b000190018b01000023b0c9d8b1c467fb020000000004595a",
];

/// Most that a blob may inflate to.
const LIMIT_BYTES: usize = 32 << 20;

/// Fields of a blob.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Codec {
    Raw = 1,
    Zlib = 3,
    Lzma = 4,
    Xz = 104,
    Lz4 = 6,
    Zstd = 7,
}

const COMPRESSED: [Codec; 5] = [Codec::Zlib, Codec::Lzma, Codec::Xz, Codec::Lz4, Codec::Zstd];

fn block() -> Vec<u8> {
    blocks(LINES).remove(0)
}

fn compressed(codec: Codec, block: &[u8]) -> Vec<u8> {
    let unhex = |hex: &str| {
        let bytes = hex.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).expect("hex"));
        bytes.map(|two| u8::from_str_radix(two, 16).expect("hex")).collect()
    };
    match codec {
        Codec::Raw => block.to_vec(),
        Codec::Zlib => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(block).expect("a vector takes every byte");
            encoder.finish().expect("a vector takes every byte")
        }
        Codec::Lzma => unhex(LZMA[0]),
        Codec::Xz => unhex(LZMA[1]),
        Codec::Lz4 => lz4_flex::block::compress(block),
        Codec::Zstd => zstd::bulk::compress(block, 3).expect("a block can be compressed"),
    }
}

/// A file of one blob with this data, that states this size.
fn file(codec: Codec, data: &[u8], raw_size: Option<u64>) -> Vec<u8> {
    let mut blob = Vec::new();
    if let Some(raw_size) = raw_size {
        number(&mut blob, 2, raw_size);
    }
    bytes(&mut blob, codec as u64 % 100, data);
    [header(&Style::default()), data_frame(&blob)].concat()
}

fn read(file: &[u8]) -> Result<Layered, RunError> {
    read_files(&[file], &[everything(), vec![layer("*", Incomplete::KeepFlagged)]].concat(), &Region::world())
}

fn complaint(file: &[u8]) -> String {
    told(&read(file).expect_err("the file is not readable"))
}

#[test]
fn every_codec_gives_the_same() {
    let block = block();
    let size = Some(block.len() as u64);
    let plain = read(&file(Codec::Raw, &block, None)).expect("the file is readable").content();
    assert_eq!(plain.keys(0), ["node/1 point", "way/1 area"]);
    assert_eq!(plain.features.len(), 1);
    let mut cases = vec![(Codec::Raw, size), (Codec::Zlib, None)];
    cases.extend(COMPRESSED.map(|codec| (codec, size)));
    for (codec, size) in cases {
        let read = read(&file(codec, &compressed(codec, &block), size)).expect("the file is readable");
        assert_eq!(read.content(), plain, "{codec:?}");
    }
    // A file of blobs that each have another codec.
    let second = "r1 Mw1@outer Ttype=multipolygon,landuse=forest\n";
    let mut mixed = file(Codec::Lz4, &compressed(Codec::Lz4, &block), size);
    let mut blob = Vec::new();
    number(&mut blob, 2, blocks(second)[0].len() as u64);
    bytes(&mut blob, 7, &compressed(Codec::Zstd, &blocks(second)[0]));
    mixed.extend(data_frame(&blob));
    assert_eq!(read(&mixed).expect("the file is readable").rows[0].len(), 3);
}

#[test]
fn a_wrong_size_is_told() {
    let block = block();
    let size = block.len() as u64;
    for codec in COMPRESSED {
        let data = compressed(codec, &block);
        for wrong in [0, 1, size - 1, size + 1, LIMIT_BYTES as u64] {
            let told = complaint(&file(codec, &data, Some(wrong)));
            let known = ["does not inflate to the size it states", "the blob cannot be inflated"];
            assert!(known.iter().any(|known| told.contains(known)), "{codec:?} {wrong}: {told}");
            assert!(told.contains("is damaged at byte "), "{codec:?} {wrong}: {told}");
        }
        for absurd in [LIMIT_BYTES as u64 + 1, 1 << 40, (-1_i64) as u64] {
            let told = complaint(&file(codec, &data, Some(absurd)));
            assert!(told.contains("exceeds the format's limit of 32 MiB"), "{codec:?} {absurd}: {told}");
        }
        if codec != Codec::Zlib {
            let told = complaint(&file(codec, &data, None));
            assert!(told.contains("a compressed blob does not state its size"), "{codec:?}: {told}");
        }
    }
}

#[test]
fn data_that_is_cut_off_or_changed_is_told() {
    let block = block();
    for codec in COMPRESSED {
        let data = compressed(codec, &block);
        for cut in [0, 1, 4, data.len() / 2, data.len() - 1] {
            // The last byte of an lzma stream may carry nothing.
            if let Err(error) = read(&file(codec, &data[..cut], Some(block.len() as u64))) {
                assert!(told(&error).contains("is damaged at byte "), "{codec:?} {cut}: {}", told(&error));
            } else {
                assert!(matches!(codec, Codec::Lzma | Codec::Xz) && cut == data.len() - 1, "{codec:?} {cut}");
            }
        }
        for at in (0..data.len()).step_by(4) {
            let mut changed = data.clone();
            changed[at] ^= 0x55;
            // It may be read as something else; it must not panic, nor take memory without bound.
            _ = read(&file(codec, &changed, Some(block.len() as u64)));
        }
    }
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; LIMIT_BYTES + 1];
    for codec in [Codec::Zlib, Codec::Lz4, Codec::Zstd] {
        let bomb = compressed(codec, &zeros);
        assert!(bomb.len() < LIMIT_BYTES / 200, "{codec:?}: {}", bomb.len());
        for stated in [100, LIMIT_BYTES as u64] {
            let told = complaint(&file(codec, &bomb, Some(stated)));
            assert!(told.contains("is damaged at byte ") && told.contains("inflate"), "{codec:?}: {told}");
        }
    }
    let told = complaint(&file(Codec::Zlib, &compressed(Codec::Zlib, &zeros), None));
    assert!(told.contains("inflates to more than the format's limit of 32 MiB"), "{told}");
    // An lzma stream that asks for a dictionary of 4 GiB.
    let mut greedy = compressed(Codec::Lzma, &block());
    greedy[1..5].copy_from_slice(&[0xff; 4]);
    let told = complaint(&file(Codec::Lzma, &greedy, Some(block().len() as u64)));
    assert!(told.contains("the blob cannot be inflated"), "{told}");
}
