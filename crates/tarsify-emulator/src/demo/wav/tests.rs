//! The file is read again, byte by byte.

use super::{duration_ms, encode};

#[test]
fn the_file_is_what_its_header_says() {
    let samples: Vec<i16> = (0..8_000).collect();
    let file = encode(&samples, 16_000, "nobody");
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(&file[..4], b"RIFF");
    assert_eq!(usize::try_from(number(4)).unwrap(), file.len() - 8);
    assert_eq!(&file[8..16], b"WAVEfmt ");
    assert_eq!((number(16), number(24), number(28)), (16, 16_000, 32_000));
    assert_eq!(file[20..24], [1, 0, 1, 0]);
    assert_eq!(file[32..36], [2, 0, 16, 0]);
    assert_eq!(&file[36..40], b"data");
    assert_eq!(number(40), 16_000);
    assert_eq!(i16::from_le_bytes([file[46], file[47]]), 1);
    assert_eq!(duration_ms(&file), Some(500));
}

#[test]
fn what_is_no_wav_file_has_no_duration() {
    for bytes in [
        &b""[..],
        b"RIFF",
        b"RIFF\x10\0\0\0WAVE",
        b"ID3 and so on and on and on",
        b"RIFF\0\0\0\0WAVEdata\x01\0\0\0",
    ] {
        assert_eq!(duration_ms(bytes), None);
    }
}
