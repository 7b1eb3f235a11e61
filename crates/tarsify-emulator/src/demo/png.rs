//! Writes PNG files of 256 colours, without compression: a few blocks of stored bytes need no library.

/// A picture: a palette and, line by line, which of its colours each point has.
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// At most 256 colours.
    pub(crate) palette: Vec<[u8; 3]>,
    pub(crate) points: Vec<u8>,
}

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];
const LARGEST_BLOCK: usize = 65_535;

/// The file, with a comment about where it comes from.
pub(crate) fn encode(picture: &Picture, comment: &str) -> Vec<u8> {
    let mut file = SIGNATURE.to_vec();
    let mut header = Vec::with_capacity(13);
    header.extend(picture.width.to_be_bytes());
    header.extend(picture.height.to_be_bytes());
    // 8 bits, palette, the only compression and filter there are, no interlace.
    header.extend([8, 3, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"PLTE", picture.palette.as_flattened());
    let mut text = b"Software\0".to_vec();
    text.extend(comment.bytes());
    chunk(&mut file, *b"tEXt", &text);
    chunk(&mut file, *b"IDAT", &stored(&lines(picture)));
    chunk(&mut file, *b"IEND", &[]);
    file
}

/// Each line begins with the filter it uses: none.
fn lines(picture: &Picture) -> Vec<u8> {
    let width = usize::try_from(picture.width).unwrap_or(1).max(1);
    let mut lines = Vec::with_capacity(picture.points.len().saturating_add(4096));
    for line in picture.points.chunks(width) {
        lines.push(0);
        lines.extend_from_slice(line);
    }
    lines
}

/// A zlib stream of stored blocks.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = bytes.chunks(LARGEST_BLOCK).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend_from_slice(block);
    }
    stream.extend(adler32(bytes).to_be_bytes());
    stream
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    file.extend(length.to_be_bytes());
    file.extend(kind);
    file.extend_from_slice(content);
    let sum = content
        .iter()
        .fold(kind.iter().fold(!0, crc_step), crc_step);
    file.extend((!sum).to_be_bytes());
}

fn crc_step(sum: u32, byte: &u8) -> u32 {
    (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
        (sum >> 1) ^ (0xedb8_8320 * (sum & 1))
    })
}

fn adler32(bytes: &[u8]) -> u32 {
    // The largest number of bytes whose sums fit 32 bits before they are reduced.
    let (mut low, mut high) = (1_u32, 0_u32);
    for part in bytes.chunks(5_552) {
        for byte in part {
            low += u32::from(*byte);
            high += low;
        }
        low %= 65_521;
        high %= 65_521;
    }
    (high << 16) | low
}

#[cfg(test)]
mod tests;
