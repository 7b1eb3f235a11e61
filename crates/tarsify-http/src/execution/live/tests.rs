//! Where a stream was broken off, as callers say it.

use super::*;

const PLACE: &str = "71.0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d.3";

#[test]
fn a_place_is_read_as_it_was_written() {
    let place = read_place(PLACE).unwrap();
    assert_eq!((place.turn, place.seq), (71, 3));
    assert_eq!(write_place(place), PLACE);
    for none in ["", ".", "..", "1.2.3", "71", "-", "71.x.3"] {
        assert!(read_place(none).is_none(), "{none}");
    }
    assert!(read_place(&format!("{PLACE}.4")).is_none());
}

#[test]
fn what_is_almost_an_id_of_an_event_is_one_or_none() {
    let inputs: [&[u8]; 5] = [
        PLACE.as_bytes(),
        b"0.0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d.0",
        b"9223372036854775807.0198b2c4d5e67f8091a2b3c4d5e6f70d.9223372036854775807",
        b"0",
        b"17",
    ];
    tarsify_testing::almost(&inputs, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Some(place) = read_place(&text) {
            assert_eq!(read_place(&write_place(place)), Some(place));
        }
        if let Ok(number) = Broken(Some(text.clone().into_owned())).number() {
            assert!(number >= 0, "{number}");
            assert_eq!(text.parse(), Ok(number));
        }
    });
}
