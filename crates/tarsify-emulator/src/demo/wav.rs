//! Writes WAV files: one channel, 16 bits.

/// The file, with a comment about where it comes from behind the sound.
pub(crate) fn encode(samples: &[i16], rate: u32, comment: &str) -> Vec<u8> {
    let sound: Vec<u8> = samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    let mut format = Vec::with_capacity(16);
    // Plain samples, one channel.
    format.extend([1, 0, 1, 0]);
    format.extend(rate.to_le_bytes());
    format.extend(rate.saturating_mul(2).to_le_bytes());
    // Two bytes, 16 bits, for each.
    format.extend([2, 0, 16, 0]);
    let mut information = b"INFO".to_vec();
    chunk(&mut information, *b"ISFT", comment.as_bytes());
    let mut content = b"WAVE".to_vec();
    chunk(&mut content, *b"fmt ", &format);
    chunk(&mut content, *b"data", &sound);
    chunk(&mut content, *b"LIST", &information);
    let mut file = Vec::with_capacity(content.len() + 8);
    chunk(&mut file, *b"RIFF", &content);
    file
}

/// Chunks begin at even places.
fn chunk(file: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    file.extend(kind);
    file.extend(
        u32::try_from(content.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    file.extend_from_slice(content);
    if content.len() % 2 == 1 {
        file.push(0);
    }
}

/// How many milliseconds a WAV file lasts, if it is one.
pub(crate) fn duration_ms(file: &[u8]) -> Option<u64> {
    let content = file
        .strip_prefix(b"RIFF")?
        .get(4..)?
        .strip_prefix(b"WAVE")?;
    let (mut rest, mut bytes_per_second) = (content, None);
    loop {
        let (kind, after) = rest.split_first_chunk::<4>()?;
        let (length, body) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length);
        if kind == b"fmt " {
            bytes_per_second = body
                .get(8..12)?
                .first_chunk::<4>()
                .map(|rate| u32::from_le_bytes(*rate));
        }
        if kind == b"data" {
            return (u64::from(length) * 1000).checked_div(u64::from(bytes_per_second?));
        }
        let length = usize::try_from(length).ok()?;
        rest = body.get(length.checked_add(length % 2)?..)?;
    }
}

#[cfg(test)]
mod tests;
