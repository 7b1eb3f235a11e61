//! Paints what a picture model would be asked for: a sky, a sun and hills whose colours and lines
//! come from the prompt and the seed. The same inputs paint the same picture.

use serde_json::{Map, Value, json};

use super::png::{Picture, encode};
use super::{LABEL, LABEL_KEY, data_url, number, text};
use crate::randomness::{Draws, fingerprint};

/// The longer side is never longer: results are kept in memory.
const LONGEST_SIDE: u64 = 512;
/// Where in the palette what begins.
const GROUND: u64 = 160;
const SUN: u64 = 224;
const LETTERS: u8 = 255;

/// Does the job of the Stable Diffusion XL worker.
pub(crate) fn paint_pictures(fields: &Map<String, Value>) -> Result<Value, String> {
    let prompt = text(fields, "prompt").ok_or("prompt is a required input.")?;
    let seed = number(fields, "seed").unwrap_or_else(|| fingerprint(prompt) % 2_147_483_648);
    let (width, height) = size(fields);
    let count = number(fields, "num_images").unwrap_or(1).clamp(1, 4);
    let images: Vec<Value> = (0..count)
        .map(|nth| {
            let picture = paint(prompt, seed.wrapping_add(nth), (width, height));
            Value::String(data_url("image/png", &encode(&picture, LABEL)))
        })
        .collect();
    Ok(json!({ "image_url": images.first(), "images": images, "seed": seed, LABEL_KEY: LABEL }))
}

/// The size that was asked for, shrunk until its longer side fits.
fn size(fields: &Map<String, Value>) -> (u32, u32) {
    let side = |name| number(fields, name).unwrap_or(1024).clamp(16, 4096);
    let (width, height) = (side("width"), side("height"));
    let longer = width.max(height).max(LONGEST_SIDE);
    let shrunk = |side: u64| u32::try_from((side * LONGEST_SIDE / longer).max(16)).unwrap_or(16);
    (shrunk(width), shrunk(height))
}

fn paint(prompt: &str, seed: u64, (width, height): (u32, u32)) -> Picture {
    let mut draws = Draws::new(fingerprint(prompt) ^ seed.rotate_left(17));
    let palette = palette(&mut draws);
    let scene = Scene::new(&mut draws, u64::from(width), u64::from(height));
    let points = (0..u64::from(height))
        .flat_map(|y| (0..u64::from(width)).map(move |x| (x, y)))
        .map(|(x, y)| scene.point(x, y))
        .collect();
    Picture {
        width,
        height,
        palette,
        points,
    }
}

/// A sky from one colour to another, ground from a third into the dark, a bright sun, white.
fn palette(draws: &mut Draws) -> Vec<[u8; 3]> {
    let mut colour = |least: u64, range: u64| -> [u64; 3] {
        std::array::from_fn(|_| least + draws.below(range))
    };
    let (above, horizon, ground) = (colour(10, 110), colour(120, 130), colour(40, 110));
    let dark = ground.map(|part| part / 5);
    let (sun, rim) = ([255, 250, 225], [250, 190, 110]);
    let mut palette = Vec::with_capacity(256);
    palette.extend((0..GROUND).map(|step| mix(above, horizon, step, GROUND)));
    palette.extend((0..SUN - GROUND).map(|step| mix(ground, dark, step, SUN - GROUND)));
    palette.extend((0..255 - SUN).map(|step| mix(sun, rim, step, 255 - SUN)));
    palette.push([255, 255, 255]);
    palette
}

fn mix(from: [u64; 3], to: [u64; 3], step: u64, steps: u64) -> [u8; 3] {
    let [mut red, mut green, mut blue] = [0; 3];
    for (mixed, (from, to)) in [&mut red, &mut green, &mut blue]
        .into_iter()
        .zip(from.into_iter().zip(to))
    {
        let part = (from * (steps - step) + to * step) / steps;
        *mixed = u8::try_from(part).unwrap_or(u8::MAX);
    }
    [red, green, blue]
}

struct Scene {
    height: u64,
    horizon: u64,
    sun: (u64, u64),
    radius: u64,
    /// Length and height of the waves whose sum is the line of the hills, and where they begin.
    hills: [(u64, u64, u64); 3],
    letter: u64,
}

impl Scene {
    fn new(draws: &mut Draws, width: u64, height: u64) -> Self {
        let shorter = width.min(height);
        let horizon = height * (50 + draws.below(20)) / 100;
        let mut hill = |part: u64| {
            let length = width / part + draws.below(width / part + 1) + 2;
            (length, height / (part * 6) + 1, draws.below(length))
        };
        Self {
            height,
            horizon,
            hills: [hill(1), hill(3), hill(9)],
            sun: (
                width / 5 + draws.below(width * 3 / 5 + 1),
                horizon * 2 / 5 + draws.below(horizon / 2 + 1),
            ),
            radius: shorter / 10 + draws.below(shorter / 12 + 1) + 1,
            letter: (width / 160).max(1),
        }
    }

    fn point(&self, x: u64, y: u64) -> u8 {
        if self.in_letters(x, y) {
            return LETTERS;
        }
        let line = self
            .horizon
            .saturating_sub(self.hills.iter().map(|hill| wave(*hill, x)).sum());
        let colour = if y >= line {
            let depth = self.height.saturating_sub(line).max(1);
            GROUND + (y - line) * (SUN - GROUND - 1) / depth
        } else {
            let (across, down) = (self.sun.0.abs_diff(x), self.sun.1.abs_diff(y));
            let (distance, edge) = (across * across + down * down, self.radius * self.radius);
            if distance < edge {
                SUN + distance * 30 / edge
            } else {
                y * (GROUND - 1) / self.horizon.max(1)
            }
        };
        u8::try_from(colour.min(254)).unwrap_or(254)
    }

    /// Whether the point belongs to the word in the lower left corner.
    fn in_letters(&self, x: u64, y: u64) -> bool {
        let top = self.height.saturating_sub(10 * self.letter);
        let (Some(down), Some(across)) = (y.checked_sub(top), x.checked_sub(3 * self.letter))
        else {
            return false;
        };
        let (row, column) = (down / self.letter, across / self.letter);
        let letter = usize::try_from(column / 6)
            .ok()
            .and_then(|nth| WORD.get(nth));
        let bits = letter.and_then(|rows| rows.get(usize::try_from(row).ok()?));
        column % 6 < 5 && bits.is_some_and(|bits| (bits >> (4 - column % 6)) & 1 == 1)
    }
}

/// A line that goes up and down evenly.
fn wave((length, height, start): (u64, u64, u64), x: u64) -> u64 {
    let place = (x + start) % length;
    place.min(length - place) * 2 * height / length
}

/// EMULATOR, in letters of five by seven points.
const WORD: [[u8; 7]; 8] = [
    [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f],
    [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11],
    [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
    [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f],
    [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11],
    [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04],
    [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
    [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11],
];
