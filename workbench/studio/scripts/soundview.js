// SPDX-License-Identifier: Apache-2.0
// The view of one recording on the Label page: zoom, play, and segments that are made, moved and labelled.
// It draws and tells what a person did; what becomes of it is decided in Python, and comes back as `segments`.

import { EDGE, clock, layout, paint, toPixel } from "earshot/paint.js";
import { Tiles, address } from "earshot/tiles.js";

const CLICK = 4; // pixels that a click may move
const FINEST = 0.02; // samples a pixel
const ZOOM = 1.25;
const GAINS = [1, 4, 16, 64];
const SHORTEST = 0.005; // seconds of a segment that is drawn by dragging
const NUDGE = 0.01; // seconds

export default {
  template: `
    <div class="soundview">
      <canvas ref="canvas" tabindex="0" role="application" :aria-label="title"></canvas>
      <div class="soundview-line" aria-live="polite">{{ told }}</div>
    </div>`,
  props: {
    sound: Object, // recording, version, samples, rate, peak; null where there is none
    segments: Array, // of key, start, end, label, session
    labels: Array, // of name, colour
    heard: Object, // gate: [start, end] each; decided: [start, end, label, score] each; null: not known
    threshold: Number, // of the noise or the app's gate, 0: none
    noise: Array, // start, end of the stretch in which nothing happens; null: none was shown
    length: Number, // samples of a segment that a click makes
    place: Object, // start, end: samples to go to
    waits: String, // what is in the way: shown below the picture
  },
  data() {
    return { told: "" };
  },
  computed: {
    title() {
      return this.sound ? `${this.sound.recording}, waveform and spectrogram` : "no recording";
    },
  },
  mounted() {
    this.scene = { segments: [], labels: [], gain: 1, cursor: 0, chosen: null, from: 0, per: 1, sound: null };
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.$refs.canvas);
    this.theme = new MutationObserver(() => this.draw());
    this.theme.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    const canvas = this.$refs.canvas;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", () => this.drop());
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.onKey = (event) => this.key(event);
    window.addEventListener("keydown", this.onKey);
    this.open();
    this.take();
  },
  unmounted() {
    window.removeEventListener("keydown", this.onKey);
    this.observer.disconnect();
    this.theme.disconnect();
    this.stop();
    this.scene.tiles?.close();
  },
  watch: {
    sound(now, before) {
      if (now?.recording !== before?.recording || now?.version !== before?.version) this.open();
    },
    segments: "take",
    labels: "take",
    heard: "take",
    threshold: "take",
    noise: "take",
    waits: "tell",
    place() {
      this.goTo(this.place);
    },
  },
  methods: {
    open() {
      const { scene } = this;
      this.stop();
      scene.tiles?.close();
      Object.assign(scene, { sound: this.sound, chosen: null, cursor: 0, from: 0, drag: null });
      if (this.sound) {
        const query = new URLSearchParams({ recording: this.sound.recording, version: this.sound.version });
        scene.tiles = new Tiles(query, () => this.draw());
        scene.per = Math.max(FINEST, this.sound.samples / Math.max(1, scene.width ?? 1));
        scene.gain = GAINS.findLast((gain) => gain * this.sound.peak < 32768) ?? 1;
      }
      if (this.place) this.goTo(this.place);
      this.draw();
    },
    take() {
      const { scene } = this;
      scene.segments = (this.segments ?? []).map((one) => ({ ...one }));
      Object.assign(scene, { labels: this.labels ?? [], heard: this.heard, threshold: this.threshold, noise: this.noise });
      if (this.newest) {
        const made = scene.segments.find((one) => one.start === this.newest.start && one.end === this.newest.end);
        if (made) this.choose(made.key);
        this.newest = null;
      }
      if (!scene.segments.some((one) => one.key === scene.chosen)) scene.chosen = null;
      this.draw();
    },
    goTo(place) {
      const { scene } = this;
      if (!place || !this.sound || !scene.width) return;
      const length = Math.max(place.end - place.start, this.sound.rate / 10);
      scene.per = Math.max(FINEST, (length * 3) / scene.width);
      scene.from = place.start - length;
      scene.cursor = place.start;
      scene.chosen = scene.segments.find((one) => one.start === place.start && one.end === place.end)?.key ?? null;
      this.bound();
    },
    resize() {
      const { scene } = this;
      const canvas = this.$refs.canvas;
      const ratio = window.devicePixelRatio || 1;
      const [width, height] = [canvas.clientWidth, canvas.clientHeight];
      if (!width || !height) return;
      const first = !scene.width;
      const whole = !scene.width || scene.per * scene.width >= (this.sound?.samples ?? 0);
      Object.assign(scene, { width, height });
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
      if (this.sound && whole) scene.per = Math.max(FINEST, this.sound.samples / width);
      if (first && this.place) this.goTo(this.place);
      this.bound();
    },
    draw() {
      if (this.frame) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = null;
        const { scene } = this;
        if (!scene.width) return;
        const style = getComputedStyle(this.$el);
        const names = ["ground", "strip", "wave", "text", "soft", "cursor", "window", "threshold", "gate"];
        scene.colours = Object.fromEntries(
          [...names, "unknown", "other"].map((name) => [name, style.getPropertyValue(`--view-${name}`).trim()]),
        );
        const context = this.$refs.canvas.getContext("2d");
        context.font = `13px ${style.fontFamily}`;
        paint(context, scene);
        scene.tiles?.fetch();
        this.tell();
      });
    },
    tell() {
      const { scene } = this;
      if (!this.sound) {
        this.told = this.waits || "";
        return;
      }
      const second = (sample) => clock(sample / this.sound.rate);
      const chosen = this.found();
      const part = chosen
        ? `${chosen.label}${chosen.session ? ` (${chosen.session})` : ""}: ${second(chosen.start)} to ${second(chosen.end)}, ` +
          `${chosen.end - chosen.start} samples`
        : `at ${second(scene.cursor)} of ${second(this.sound.samples)}`;
      this.told = this.waits ? `${part} — ${this.waits}` : part;
    },
    bound() {
      const { scene } = this;
      if (!this.sound || !scene.width) return;
      const most = Math.max(FINEST, this.sound.samples / scene.width);
      scene.per = Math.min(most, Math.max(FINEST, scene.per));
      scene.from = Math.min(Math.max(0, scene.from), Math.max(0, this.sound.samples - scene.width * scene.per));
      this.draw();
    },
    zoom(factor, x = null) {
      const { scene } = this;
      const at = x ?? Math.min(scene.width, Math.max(0, toPixel(scene, scene.cursor)));
      const sample = scene.from + at * scene.per;
      scene.per = scene.per * factor;
      if (this.sound) scene.per = Math.min(scene.per, Math.max(FINEST, this.sound.samples / scene.width));
      scene.per = Math.max(FINEST, scene.per);
      scene.from = sample - at * scene.per;
      this.bound();
    },
    pan(share) {
      this.scene.from += share * this.scene.width * this.scene.per;
      this.bound();
    },
    wheel(event) {
      event.preventDefault();
      const sideways = event.shiftKey ? event.deltaY : event.deltaX;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(sideways / 1000);
      else this.zoom(ZOOM ** (event.deltaY / 100), event.offsetX);
    },
    // Which part of the picture, and which segment with which end, lies under a point.
    under(event) {
      const { scene } = this;
      const [x, y] = [event.offsetX, event.offsetY];
      const parts = layout(scene.height, scene.heard);
      const inside = ([top, height]) => y >= top && y < top + height;
      if (inside(parts.ruler)) return { part: "ruler" };
      if (inside(parts.overview)) return { part: "overview" };
      if (!inside(parts.wave) && !inside(parts.spectrogram)) return { part: "heard" };
      const near = [...scene.segments].reverse().sort((one) => (one.key === scene.chosen ? -1 : 1));
      for (const segment of near) {
        const [first, last] = [toPixel(scene, segment.start), toPixel(scene, segment.end)];
        const narrow = last - first < 4 * EDGE;
        const [out, within] = [EDGE, narrow ? (last - first) / 4 : EDGE];
        if (x >= first - out && x <= first + within) return { part: "start", segment };
        if (x >= last - within && x <= last + out) return { part: "end", segment };
        if (x > first && x < last) return { part: "middle", segment };
      }
      return { part: "empty" };
    },
    sampleAt(x) {
      const sample = Math.round(this.scene.from + x * this.scene.per);
      return Math.min(this.sound.samples, Math.max(0, sample));
    },
    // From where the drag began to here, in order.
    dragged(event, { at } = this.scene.drag) {
      const here = this.sampleAt(event.offsetX);
      return [Math.min(here, at), Math.max(here, at)];
    },
    press(event) {
      if (!this.sound || event.button !== 0) return;
      const found = event.shiftKey ? { part: "noise" } : this.under(event);
      this.$refs.canvas.focus({ preventScroll: true });
      this.$refs.canvas.setPointerCapture(event.pointerId);
      const { segment } = found;
      this.scene.drag = { ...found, x: event.offsetX, moved: false, at: this.sampleAt(event.offsetX), from: this.scene.from };
      if (segment) {
        Object.assign(this.scene.drag, { start: segment.start, end: segment.end });
        this.choose(segment.key);
      }
      if (found.part === "overview") this.look(event.offsetX);
    },
    look(x) {
      const { scene } = this;
      scene.from = (x / scene.width) * this.sound.samples - (scene.width * scene.per) / 2;
      this.bound();
    },
    move(event) {
      if (!this.sound) return;
      const { drag } = this.scene;
      if (!drag) {
        const shapes = { start: "ew-resize", end: "ew-resize", middle: "grab", empty: "crosshair" };
        this.$refs.canvas.style.cursor = shapes[this.under(event).part] ?? "default";
        return;
      }
      drag.moved = drag.moved || Math.abs(event.offsetX - drag.x) >= CLICK;
      if (!drag.moved) return;
      const by = Math.round((event.offsetX - drag.x) * this.scene.per);
      const shortest = Math.ceil(this.sound.rate * SHORTEST);
      const { segment } = drag;
      if (drag.part === "overview") this.look(event.offsetX);
      else if (drag.part === "ruler" || drag.part === "heard") {
        this.scene.from = drag.from - (event.offsetX - drag.x) * this.scene.per;
        this.bound();
      } else if (drag.part === "start") {
        segment.start = Math.max(0, Math.min(segment.end - shortest, drag.start + by));
      } else if (drag.part === "end") {
        segment.end = Math.min(this.sound.samples, Math.max(segment.start + shortest, drag.end + by));
      } else if (drag.part === "middle") {
        const shift = Math.max(-drag.start, Math.min(this.sound.samples - drag.end, by));
        Object.assign(segment, { start: drag.start + shift, end: drag.end + shift });
      } else if (drag.part === "noise") {
        this.scene.noise = this.dragged(event);
      } else {
        const [start, end] = this.dragged(event);
        const drawn = { key: 0, label: "", session: "", start, end };
        this.scene.segments = [...this.scene.segments.filter((one) => one.key !== 0), drawn];
      }
      this.draw();
    },
    release(event) {
      const { drag } = this.scene;
      this.scene.drag = null;
      if (!drag || !this.sound) return;
      const { segment } = drag;
      if (segment && drag.moved) this.send("change", { key: segment.key, start: segment.start, end: segment.end });
      else if (drag.part === "noise") {
        this.scene.noise = drag.moved ? this.dragged(event, drag) : null;
        const [start, end] = this.scene.noise ?? [0, 0];
        this.send("noise", { start, end });
      } else if (drag.part === "ruler" && !drag.moved) this.scene.cursor = drag.at;
      else if (drag.part === "empty") {
        const [start, end] = this.dragged(event, drag);
        this.scene.segments = this.scene.segments.filter((one) => one.key !== 0);
        if (!drag.moved) this.add(drag.at);
        else if (end - start >= this.sound.rate * SHORTEST) this.make(start, end);
      }
      this.draw();
    },
    drop() {
      this.scene.drag = null;
      this.take();
    },
    add(at) {
      const length = Math.min(this.length, this.sound.samples);
      const start = Math.min(at, this.sound.samples - length);
      this.make(start, start + length);
    },
    make(start, end) {
      this.newest = { start, end };
      this.send("add", { start, end });
    },
    send(kind, more = {}) {
      this.$emit("edit", { kind, ...more });
    },
    choose(key) {
      this.scene.chosen = key;
      const found = this.found();
      if (found) this.scene.cursor = found.start;
      this.$emit("choose", { key });
      this.draw();
    },
    found() {
      return this.scene?.segments.find((one) => one.key === this.scene.chosen);
    },
    // The segment before or after the chosen one, or the cursor.
    next(way) {
      const { scene } = this;
      const order = [...scene.segments].sort((one, other) => one.start - other.start);
      const at = order.findIndex((one) => one.key === scene.chosen);
      const near = way > 0 ? order.find((one) => one.start >= scene.cursor) : order.findLast((one) => one.start < scene.cursor);
      const found = at >= 0 ? order[at + way] : near;
      if (!found) return;
      this.choose(found.key);
      const [x, to] = [toPixel(scene, found.start), toPixel(scene, found.end)];
      if (x < 0 || to > scene.width) scene.from = (found.start + found.end) / 2 - (scene.width * scene.per) / 2;
      this.bound();
    },
    nudge(event, way) {
      const chosen = this.found();
      if (!chosen) return;
      const by = way * Math.max(1, Math.round(NUDGE * this.sound.rate));
      const end = Math.min(this.sound.samples, chosen.end + by);
      if (event.shiftKey && end > chosen.start) this.send("change", { key: chosen.key, start: chosen.start, end });
      else if (event.altKey && chosen.start + by >= 0 && chosen.end + by <= this.sound.samples) {
        this.send("change", { key: chosen.key, start: chosen.start + by, end: chosen.end + by });
      }
    },
    key(event) {
      const target = event.target;
      if (!this.sound || target.closest?.("input, textarea, select, [contenteditable], .q-dialog")) return;
      const command = event.ctrlKey || event.metaKey;
      const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (event.altKey && name !== "ArrowLeft" && name !== "ArrowRight") return; // the browser's
      if (name === " " && target.closest?.("button, a, [role=button]")) return;
      const act = command ? this.commands(event)[name] : this.keys(event)[name];
      if (!act) return;
      event.preventDefault();
      act();
    },
    commands(event) {
      return {
        z: () => this.send(event.shiftKey ? "redo" : "undo"),
        y: () => this.send("redo"),
      };
    },
    keys(event) {
      const acts = {
        " ": () => (this.audio ? this.stop() : this.play()),
        Delete: () => this.remove(),
        Backspace: () => this.remove(),
        Escape: () => this.choose(null),
        Enter: () => this.add(Math.round(this.scene.cursor)),
        ArrowLeft: () => (event.shiftKey || event.altKey ? this.nudge(event, -1) : this.pan(-0.25)),
        ArrowRight: () => (event.shiftKey || event.altKey ? this.nudge(event, 1) : this.pan(0.25)),
        ArrowUp: () => this.zoom(1 / ZOOM ** 2),
        ArrowDown: () => this.zoom(ZOOM ** 2),
        Home: () => this.whole(),
        n: () => this.next(1),
        p: () => this.next(-1),
        e: () => this.send("detect"),
        f: () => this.goTo(this.found()),
        v: () => this.louder(),
        PageDown: () => this.send("recording", { way: 1 }),
        PageUp: () => this.send("recording", { way: -1 }),
      };
      for (let digit = 1; digit <= 9; digit += 1) {
        acts[digit] = () => this.send("label", { number: digit - 1, ...this.meant() });
      }
      return acts;
    },
    // The segment that a key is for: the chosen one, or one that was made and has not come back yet.
    meant() {
      return this.newest ?? { key: this.scene.chosen };
    },
    remove() {
      if (this.newest || this.found()) this.send("remove", this.meant());
    },
    whole() {
      this.scene.per = Infinity;
      this.bound();
    },
    louder() {
      const at = GAINS.indexOf(this.scene.gain);
      this.scene.gain = GAINS[(at + 1) % GAINS.length];
      this.draw();
    },
    play() {
      const chosen = this.found();
      const start = chosen ? chosen.start : Math.round(this.scene.cursor);
      const end = chosen ? chosen.end : this.sound.samples;
      const query = new URLSearchParams({ recording: this.sound.recording, start, end });
      const audio = new Audio(address("play", query));
      this.audio = audio;
      const follow = () => {
        if (this.audio !== audio) return;
        this.scene.cursor = start + audio.currentTime * this.sound.rate;
        if (toPixel(this.scene, this.scene.cursor) > this.scene.width) this.pan(0.9);
        this.draw();
        requestAnimationFrame(follow);
      };
      const ended = () => {
        if (this.audio !== audio) return;
        this.audio = null;
        if (chosen) this.scene.cursor = start;
        this.draw();
      };
      audio.addEventListener("ended", ended);
      audio.addEventListener("error", ended);
      audio.play().then(follow, ended);
    },
    stop() {
      this.audio?.pause();
      this.audio = null;
    },
  },
};
