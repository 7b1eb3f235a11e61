//! Bodies that would be many megabytes if anybody opened them. Nobody does: a body has to come as
//! it is.

use super::{Target, head};

/// As much as a bomb holds.
const OPENED: usize = 64 * 1_024 * 1_024;

/// Zstandard: each block is one byte and says how often it stands there.
fn zstd() -> Vec<u8> {
    const BLOCK: u32 = 128 * 1_024;
    const RUN_LENGTH: u32 = 1;
    let blocks = OPENED / usize::try_from(BLOCK).unwrap();
    // The magic number, no size and no sum, and a window of 128 KB.
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for number in 1..=blocks {
        let is_last = u32::from(number == blocks);
        let block = (BLOCK << 3 | RUN_LENGTH << 1 | is_last).to_le_bytes();
        bomb.extend_from_slice(&block[..3]);
        bomb.push(b' ');
    }
    bomb
}

/// Gzip: a blank, and then "258 bytes from one before" again and again, in 13 bits each.
fn gzip() -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    // Codes come with their first bit first, other numbers with their last.
    let mut code = |code: u16, length: u32| {
        bits.extend((0..length).rev().map(|place| code >> place & 1 == 1));
    };
    code(0b1, 1);
    code(0b10, 2);
    code(0x30 + u16::from(b' '), 8);
    for _ in 0..OPENED / 258 {
        code(0b1100_0101, 8);
        code(0, 5);
    }
    code(0, 7);
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    bomb.extend(bits.chunks(8).map(|byte| {
        let places = byte.iter().enumerate();
        places.fold(0_u8, |sum, (place, is_set)| {
            sum | u8::from(*is_set) << place
        })
    }));
    bomb
}

#[tokio::test]
async fn a_bomb_is_not_opened() {
    let target = Target::open().await;
    let peak = target.peak();
    let bearer = format!("Bearer {}", target.workshop.consumer);
    let (gzip, zstd) = (gzip(), zstd());
    assert!(
        gzip.len() < 500_000 && zstd.len() < 500_000,
        "they would be refused for their size"
    );
    let bombs: [(&str, &[u8]); 8] = [
        ("gzip", &gzip),
        ("x-gzip", &gzip),
        ("GZIP", &gzip),
        ("gzip, gzip", &gzip),
        ("zstd", &zstd),
        ("br", b"\x1b\xff\xff\xff"),
        ("deflate", &gzip[10..]),
        ("rot13", b"{}"),
    ];
    for (coding, bomb) in bombs {
        for (line, status, code) in [
            ("PATCH /api/marketplace/auth/profile", 415, "ERR_1010"),
            ("POST /api/marketplace/models/echo/run", 415, "ERR_1010"),
            // Stripe sends none, and what it signs are the bytes that come.
            ("POST /api/webhooks/stripe", 400, "ERR_1001"),
        ] {
            let length = bomb.len().to_string();
            let mut request = head(
                line,
                &[
                    ("authorization", bearer.as_bytes()),
                    ("content-type", b"application/json"),
                    ("content-encoding", coding.as_bytes()),
                    ("content-length", length.as_bytes()),
                ],
            );
            request.extend_from_slice(bomb);
            let (found, answer) = target.talk(&request).await;
            assert_eq!(found, status, "{line} {coding}: {answer}");
            assert!(answer.contains(code), "{line} {coding}: {answer}");
        }
    }
    target.is_served().await;
    target.assert_grew_at_most(peak, 30);
}

#[tokio::test]
async fn a_body_that_comes_as_it_is_may_say_so() {
    let target = Target::open().await;
    let bearer = format!("Bearer {}", target.workshop.consumer);
    for coding in ["identity", "Identity", ""] {
        let mut request = head(
            "PATCH /api/marketplace/auth/profile",
            &[
                ("authorization", bearer.as_bytes()),
                ("content-type", b"application/json"),
                ("content-encoding", coding.as_bytes()),
                ("content-length", b"15"),
            ],
        );
        request.extend_from_slice(b"{\"name\":\"Anne\"}");
        let (found, answer) = target.talk(&request).await;
        assert_eq!(found, 200, "{coding}: {answer}");
    }
}
