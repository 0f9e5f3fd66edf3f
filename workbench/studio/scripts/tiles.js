// SPDX-License-Identifier: Apache-2.0
// Tiles of a recording, fetched when they are first drawn. A tile of level k has a column for every 4**k
// samples (waveform) or 16 * 4**k samples (spectrogram); workbench/studio/sound.py makes them.

export const KINDS = {
  peaks: { columns: 1024, finest: 1 },
  spectrogram: { columns: 256, finest: 16 },
};
export const LEVELS = 10;
export const BINS = 128;
const AT_ONCE = 4; // requests
const KEPT = 800; // tiles
const DARKEST = 45; // of 255: what is drawn as black ...
const BRIGHTEST = 205; // ... and as the brightest
const COLOURS = [
  [0, 0, 4],
  [40, 17, 89],
  [114, 31, 129],
  [183, 55, 121],
  [241, 96, 93],
  [254, 175, 119],
  [252, 253, 191],
];

// The level whose columns are at most one pixel wide, when a pixel is `samples` wide.
export function levelOf(kind, samples) {
  const level = Math.floor(Math.log(Math.max(samples, 1) / KINDS[kind].finest) / Math.log(4) + 1e-9);
  return Math.min(LEVELS - 1, Math.max(0, level));
}

// Samples of a whole tile.
export function tileLength(kind, level) {
  return KINDS[kind].columns * KINDS[kind].finest * 4 ** level;
}

// Of what the server tells of a recording. The toolkit sets the prefix after the components are mounted.
export function address(what, query) {
  return `${window.path_prefix}/sound/${what}?${query}`;
}

export class Tiles {
  // query: what names the recording; drawn: called when a tile has come.
  constructor(query, drawn) {
    this.query = query;
    this.drawn = drawn;
    this.kept = new Map(); // by key, those that were used last at the end
    this.wanted = new Map();
    this.running = 0;
    this.closed = false;
  }

  // The tile, or undefined while it is on its way; false where it cannot be had.
  get(kind, level, index) {
    const key = `${kind}/${level}/${index}`;
    const tile = this.kept.get(key);
    if (tile === undefined) {
      this.wanted.delete(key); // what is asked for last is fetched first
      this.wanted.set(key, kind);
      return undefined;
    }
    this.kept.delete(key);
    this.kept.set(key, tile);
    return tile;
  }

  // A tile that is there already.
  peek(kind, level, index) {
    return this.kept.get(`${kind}/${level}/${index}`);
  }

  // Fetches what `get` did not find since the last call; older wishes are dropped.
  fetch() {
    while (this.running < AT_ONCE && this.wanted.size > 0) {
      const [key, kind] = [...this.wanted].pop();
      this.wanted.delete(key);
      this.running += 1;
      this.load(key, kind).finally(() => {
        this.running -= 1;
        if (!this.closed) this.drawn();
      });
    }
    this.wanted.clear();
  }

  async load(key, kind) {
    let tile = false;
    try {
      const answer = await fetch(address(key, this.query));
      if (answer.ok) tile = made(kind, await answer.arrayBuffer());
    } catch {
      return; // the server is away: asked for again when it is drawn next
    }
    this.kept.set(key, tile);
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
  }

  close() {
    this.closed = true;
    this.kept.clear();
    this.wanted.clear();
  }
}

function made(kind, buffer) {
  return kind === "peaks" ? new Int16Array(buffer) : picture(new Uint8Array(buffer));
}

// Levels [columns][BINS] as a canvas of columns x BINS, low frequencies below.
function picture(levels) {
  const columns = levels.length / BINS;
  if (columns === 0) return false;
  const canvas = new OffscreenCanvas(columns, BINS);
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, BINS);
  const pixels = new Uint32Array(image.data.buffer);
  for (let column = 0; column < columns; column += 1) {
    for (let bin = 0; bin < BINS; bin += 1) {
      pixels[(BINS - 1 - bin) * columns + column] = PALETTE[levels[column * BINS + bin]];
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// Of each level a colour, as a little-endian pixel.
const PALETTE = Uint32Array.from({ length: 256 }, (_, level) => {
  const share = Math.min(1, Math.max(0, (level - DARKEST) / (BRIGHTEST - DARKEST))) * (COLOURS.length - 1);
  const below = Math.min(COLOURS.length - 2, Math.floor(share));
  const [red, green, blue] = COLOURS[below].map((from, part) =>
    Math.round(from + (COLOURS[below + 1][part] - from) * (share - below)),
  );
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
});
