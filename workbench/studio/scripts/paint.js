// SPDX-License-Identifier: Apache-2.0
// Draws a recording into a canvas: ruler, waveform, spectrogram, what the app heard, segments, overview.

import { KINDS, LEVELS, levelOf, tileLength } from "earshot/tiles.js";

export const EDGE = 6; // pixels on either side of a segment's end in which it can be taken
const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];
const TICK = 90; // pixels between ticks at least
const RULER = 22; // its height
const OVERVIEW = 44;

// Where each part stands in a canvas of this height: [top, height].
export function layout(height, withHeard) {
  const strips = withHeard ? 46 : 0;
  const rest = height - RULER - OVERVIEW - strips - 8;
  const wave = Math.round(rest * 0.45);
  return {
    ruler: [0, RULER],
    wave: [RULER, wave],
    spectrogram: [RULER + wave, rest - wave],
    gate: [RULER + rest, withHeard ? 14 : 0],
    decided: [RULER + rest + 15, withHeard ? 30 : 0],
    overview: [height - OVERVIEW, OVERVIEW],
  };
}

export function paint(context, scene) {
  const { width, height, colours } = scene;
  context.fillStyle = colours.ground;
  context.fillRect(0, 0, width, height);
  if (!scene.sound) return;
  const parts = layout(height, scene.heard);
  waveform(context, scene, parts.wave, scene.from, scene.per);
  thresholds(context, scene, parts.wave);
  noise(context, scene, parts.wave);
  spectrogram(context, scene, parts.spectrogram);
  if (scene.heard) heard(context, scene, parts);
  const order = [...scene.segments].sort((one, other) => one.start - other.start);
  for (const [number, segment] of order.entries()) {
    box(context, scene, parts, segment, order[number + 1]?.start ?? scene.sound.samples);
  }
  ruler(context, scene, parts);
  cursor(context, scene, parts);
  overview(context, scene, parts.overview);
}

export function toPixel(scene, sample) {
  return (sample - scene.from) / scene.per;
}

// Least and largest sample of each pixel; what has not come yet is taken from coarser tiles that are there.
function waveform(context, scene, [top, height], from, per, gain = scene.gain) {
  const { tiles, width, sound, colours } = scene;
  const level = levelOf("peaks", per);
  const step = 4 ** level;
  const middle = top + height / 2;
  const scale = ((height / 2 - 2) / 32768) * gain;
  const reach = height / 2 - 1;
  const bound = (value) => Math.max(-reach, Math.min(reach, value * scale));
  context.save();
  context.beginPath();
  context.rect(0, top, width, height);
  context.clip();
  context.fillStyle = colours.wave;
  context.strokeStyle = colours.wave;
  context.beginPath();
  const points = per < 0.5; // samples are far from each other: a line through them
  let begun = false;
  for (let x = 0; x < width; x += points ? 1 / (per * 2) : 1) {
    const first = from + x * per;
    if (first >= sound.samples) break;
    const found = extremes(tiles, level, Math.floor(first / step), Math.max(1, Math.round(per / step)));
    if (!found) continue;
    const [least, most] = found;
    if (points) {
      const at = (Math.floor(first) + 0.5 - from) / per;
      if (begun) context.lineTo(at, middle - bound(most));
      else context.moveTo(at, middle - bound(most));
      begun = true;
    } else {
      const high = middle - bound(most);
      context.rect(x, high, 1, Math.max(1, middle - bound(least) - high));
    }
  }
  if (points) context.stroke();
  else context.fill();
  context.restore();
}

function extremes(tiles, level, column, count) {
  const { columns } = KINDS.peaks;
  let least = Infinity;
  let most = -Infinity;
  for (let at = column; at < column + count; at += 1) {
    let tile = tiles.get("peaks", level, Math.floor(at / columns));
    let place = at % columns;
    for (let coarser = 1; tile === undefined && level + coarser < LEVELS; coarser += 1) {
      const far = Math.floor(at / 4 ** coarser);
      tile = tiles.peek("peaks", level + coarser, Math.floor(far / columns));
      place = far % columns;
    }
    if (!tile || 2 * place + 1 >= tile.length) continue;
    least = Math.min(least, tile[2 * place]);
    most = Math.max(most, tile[2 * place + 1]);
  }
  return most < least ? undefined : [least, most];
}

function thresholds(context, scene, [top, height]) {
  if (!scene.threshold) return;
  const reach = ((height / 2 - 2) / 32768) * scene.gain * scene.threshold;
  if (reach > height / 2) return;
  context.strokeStyle = scene.colours.threshold;
  context.setLineDash([3, 3]);
  for (const sign of [-1, 1]) line(context, 0, top + height / 2 + sign * reach, scene.width);
  context.setLineDash([]);
}

// Hatched: where nothing happens, as a person has shown.
function noise(context, scene, [top, height]) {
  if (!scene.noise) return;
  const [x, to] = scene.noise.map((sample) => toPixel(scene, sample));
  context.save();
  context.beginPath();
  context.rect(x, top, to - x, height);
  context.clip();
  context.strokeStyle = scene.colours.soft;
  context.globalAlpha = 0.5;
  context.beginPath();
  for (let at = Math.max(x, 0) - height; at < Math.min(to, scene.width); at += 9) {
    context.moveTo(at, top + height);
    context.lineTo(at + height, top);
  }
  context.stroke();
  context.globalAlpha = 1;
  context.fillStyle = scene.colours.soft;
  context.textAlign = "left";
  context.textBaseline = "bottom";
  context.fillText("noise", Math.max(x, 0) + 4, top + height - 3);
  context.restore();
}

function line(context, x, y, to) {
  context.beginPath();
  context.moveTo(x, Math.round(y) + 0.5);
  context.lineTo(to, Math.round(y) + 0.5);
  context.stroke();
}

function spectrogram(context, scene, [top, height]) {
  const { tiles, width, from, per, sound } = scene;
  const wanted = levelOf("spectrogram", per);
  const length = tileLength("spectrogram", wanted);
  context.fillStyle = "#000004";
  context.fillRect(0, top, width, height);
  context.save();
  context.beginPath();
  context.rect(0, top, width, height);
  context.clip();
  const last = Math.min(from + width * per, sound.samples);
  for (let index = Math.max(0, Math.floor(from / length)); index * length < last; index += 1) {
    let [level, at] = [wanted, index];
    let tile = tiles.get("spectrogram", level, at);
    while (tile === undefined && level + 1 < LEVELS) {
      [level, at] = [level + 1, Math.floor(at / 4)];
      tile = tiles.peek("spectrogram", level, at);
    }
    if (!tile) continue;
    const column = KINDS.spectrogram.finest * 4 ** level;
    const skipped = (index * length - at * tileLength("spectrogram", level)) / column; // columns of a coarser tile
    const columns = Math.min(tile.width - skipped, length / column);
    if (columns <= 0) continue;
    const x = toPixel(scene, index * length);
    context.drawImage(tile, skipped, 0, columns, tile.height, x, top, (columns * column) / per, height);
  }
  context.restore();
  context.fillStyle = "#ffffffb0";
  context.textAlign = "right";
  context.textBaseline = "top";
  context.fillText(`${sound.rate / 2000} kHz`, width - 6, top + 4);
}

// Where the gate was open, and what was decided there.
function heard(context, scene, parts) {
  const { width, heard: known, colours } = scene;
  const [gate, gateHeight] = parts.gate;
  const [decided, height] = parts.decided;
  context.fillStyle = colours.strip;
  context.fillRect(0, gate, width, gateHeight);
  context.fillRect(0, decided, width, height);
  for (const [first, end] of known.gate) {
    const [x, to] = [toPixel(scene, first), toPixel(scene, end)];
    if (to < 0 || x > width) continue;
    context.fillStyle = colours.gate;
    context.fillRect(x, gate, Math.max(1, to - x), gateHeight);
  }
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (const [first, end, label, score] of known.decided) {
    const [x, to] = [toPixel(scene, first), toPixel(scene, end)];
    if (to < 0 || x > width) continue;
    context.fillStyle = label ? colourOf(scene, label) : colours.unknown;
    context.fillRect(x, decided, Math.max(1, to - x), height);
    const room = Math.min(to, width) - Math.max(x, 0) - 8;
    const text = [`${label} ${score}`, label].find((words) => context.measureText(words).width <= room);
    if (label && text) {
      context.fillStyle = "#fff";
      context.fillText(text, Math.max(x, 0) + 4, decided + height / 2);
    }
  }
  context.fillStyle = colours.soft;
  context.fillText("gate", 4, gate + gateHeight / 2);
}

export function colourOf(scene, label) {
  const found = scene.labels.find((one) => one.name === label);
  return found ? found.colour : scene.colours.other;
}

// next: where another segment begins; a label that is wider than its segment reaches no further.
function box(context, scene, parts, segment, next) {
  const [x, to] = [toPixel(scene, segment.start), toPixel(scene, segment.end)];
  if (to < -1 || x > scene.width + 1) return;
  const [top] = parts.wave;
  const height = parts.wave[1] + parts.spectrogram[1];
  const colour = colourOf(scene, segment.label);
  const chosen = segment.key === scene.chosen;
  context.fillStyle = `${colour}${chosen ? "38" : "22"}`;
  context.fillRect(x, top, to - x, parts.wave[1]); // the spectrogram's colours stay as they are
  context.strokeStyle = colour;
  context.lineWidth = chosen ? 3 : 1.5;
  context.strokeRect(x, top + 1, Math.max(1, to - x), height - 2);
  context.lineWidth = 1;
  const number = scene.labels.findIndex((one) => one.name === segment.label) + 1;
  const text = `${number > 0 && number < 10 ? `${number} ` : ""}${segment.label}`;
  const more = segment.session && to - x > 110 ? ` · ${segment.session}` : "";
  context.save();
  context.beginPath();
  const room = Math.max(to, Math.min(toPixel(scene, next) - 2, x + context.measureText(text).width + 10)) - x;
  context.rect(x, top, Math.max(room, 18), 20);
  context.clip();
  context.fillStyle = colour;
  context.fillRect(x, top, room, 20);
  context.fillStyle = "#fff";
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(text + more, Math.max(x, 0) + 5, top + 10);
  context.restore();
}

function ruler(context, scene, parts) {
  const { width, from, per, sound, colours } = scene;
  const [top, height] = parts.ruler;
  const seconds = (per * TICK) / sound.rate;
  const step = STEPS.find((one) => one >= seconds) ?? STEPS.at(-1) * 2;
  context.fillStyle = colours.strip;
  context.fillRect(0, top, width, height);
  context.fillStyle = colours.text;
  context.strokeStyle = colours.soft;
  context.textAlign = "left";
  context.textBaseline = "middle";
  const begin = Math.max(0, Math.floor(from / sound.rate / step));
  for (let tick = begin; tick * step <= (from + width * per) / sound.rate; tick += 1) {
    const x = Math.round(toPixel(scene, tick * step * sound.rate)) + 0.5;
    context.beginPath();
    context.moveTo(x, top + 4);
    context.lineTo(x, top + height);
    context.stroke();
    context.fillText(clock(tick * step, step), x + 4, top + height / 2);
  }
}

// Seconds as a person reads them, to the accuracy of `step`.
export function clock(seconds, step = 0.001) {
  const digits = step >= 1 ? 0 : Math.min(3, Math.ceil(-Math.log10(step) - 1e-9));
  if (seconds < 60) return `${seconds.toFixed(digits)} s`;
  const rounded = Number(seconds.toFixed(digits));
  const whole = Math.floor(rounded);
  const rest = (rounded % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

function cursor(context, scene, parts) {
  const x = Math.round(toPixel(scene, scene.cursor)) + 0.5;
  if (x < 0 || x > scene.width) return;
  context.strokeStyle = scene.colours.cursor;
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, parts.overview[0] - 4);
  context.stroke();
}

// The whole recording, with its segments and what of it is shown above.
function overview(context, scene, [top, height]) {
  const { width, sound, colours } = scene;
  const per = sound.samples / width;
  context.fillStyle = colours.strip;
  context.fillRect(0, top, width, height);
  waveform(context, scene, [top, height], 0, per, Math.max(1, scene.gain));
  for (const segment of scene.segments) {
    context.fillStyle = colourOf(scene, segment.label);
    context.fillRect(segment.start / per, top, Math.max(2, (segment.end - segment.start) / per), 5);
  }
  context.fillStyle = colours.window;
  const [x, shown] = [scene.from / per, (width * scene.per) / per];
  context.fillRect(x, top, Math.max(3, shown), height);
  context.strokeStyle = colours.cursor;
  context.strokeRect(x + 0.5, top + 0.5, Math.max(3, shown) - 1, height - 1);
}
