//! The file is taken apart again, with sums that are published.

use super::{Picture, adler32, crc_step, encode, stored};

#[test]
fn the_sums_are_the_published_ones() {
    assert_eq!(!b"123456789".iter().fold(!0, crc_step), 0xcbf4_3926);
    assert_eq!(!b"IEND".iter().fold(!0, crc_step), 0xae42_6082);
    assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    assert_eq!(adler32(&[255; 100_000]), {
        let (mut low, mut high) = (1_u64, 0_u64);
        for _ in 0..100_000 {
            low = (low + 255) % 65_521;
            high = (high + low) % 65_521;
        }
        u32::try_from((high << 16) | low).unwrap()
    });
}

#[test]
fn long_content_is_stored_in_blocks() {
    let content: Vec<u8> = (0..200_000_u32)
        .map(|n| u8::try_from(n % 251).unwrap())
        .collect();
    let stream = stored(&content);
    let (mut rest, mut unpacked, mut last) = (&stream[2..], Vec::new(), false);
    while !last {
        last = rest[0] == 1;
        let length = u16::from_le_bytes([rest[1], rest[2]]);
        assert_eq!(!length, u16::from_le_bytes([rest[3], rest[4]]));
        let end = 5 + usize::from(length);
        unpacked.extend_from_slice(&rest[5..end]);
        rest = &rest[end..];
    }
    assert_eq!(unpacked, content);
    assert_eq!(rest, adler32(&content).to_be_bytes());
    assert_eq!(u16::from_be_bytes([stream[0], stream[1]]) % 31, 0);
}

#[test]
fn the_file_has_its_chunks_in_order() {
    let picture = Picture {
        width: 3,
        height: 2,
        palette: vec![[0, 0, 0], [255, 255, 255]],
        points: vec![0, 1, 0, 1, 0, 1],
    };
    let file = encode(&picture, "nobody");
    assert_eq!(&file[..8], b"\x89PNG\r\n\x1a\n");
    let (mut rest, mut kinds) = (&file[8..], Vec::new());
    while !rest.is_empty() {
        let length = usize::try_from(u32::from_be_bytes(rest[..4].try_into().unwrap())).unwrap();
        let checked = &rest[4..8 + length];
        let sum = u32::from_be_bytes(rest[8 + length..12 + length].try_into().unwrap());
        assert_eq!(!checked.iter().fold(!0, crc_step), sum);
        kinds.push(String::from_utf8(rest[4..8].to_vec()).unwrap());
        rest = &rest[12 + length..];
    }
    assert_eq!(kinds, ["IHDR", "PLTE", "tEXt", "IDAT", "IEND"]);
}
