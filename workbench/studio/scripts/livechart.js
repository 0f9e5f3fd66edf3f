// SPDX-License-Identifier: Apache-2.0
// Scores of the last decisions over time, and below them the sound's level with the gate's threshold.

const SECONDS = 20;
const LEFT = 44; // pixels for the words
const FULL = 32768;

export default {
  template: `<canvas class="livechart" role="img" aria-label="scores and level of the last 20 seconds"></canvas>`,
  props: {
    now: Number, // seconds
    points: Array, // of [time, colour, share 0..1 or null]
    levels: Array, // of [time, peak]
    threshold: Number, // of the gate; -1: every window passes
    limits: Array, // of [share, colour]: thresholds of the scores
  },
  mounted() {
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.$el);
    this.theme = new MutationObserver(() => this.draw());
    this.theme.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  },
  unmounted() {
    this.observer.disconnect();
    this.theme.disconnect();
  },
  updated() {
    this.draw();
  },
  watch: {
    now: "draw",
  },
  methods: {
    draw() {
      const canvas = this.$el;
      const [width, height] = [canvas.clientWidth, canvas.clientHeight];
      if (!width || !height) return;
      const ratio = window.devicePixelRatio || 1;
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
      const context = canvas.getContext("2d");
      context.scale(ratio, ratio);
      const style = getComputedStyle(canvas);
      const colour = (name) => style.getPropertyValue(name).trim();
      context.font = `13px ${style.fontFamily}`;
      context.fillStyle = colour("--view-ground");
      context.fillRect(0, 0, width, height);
      const parts = { score: [4, height * 0.6 - 8], level: [height * 0.6 + 4, height * 0.4 - 26] };
      const at = (time) => LEFT + ((time - this.now + SECONDS) / SECONDS) * (width - LEFT);
      this.axes(context, colour, width, parts);
      this.score(context, at, parts.score);
      this.level(context, colour, width, at, parts.level);
    },
    axes(context, colour, width, { score, level }) {
      context.fillStyle = colour("--view-soft");
      context.strokeStyle = colour("--line");
      context.textBaseline = "middle";
      context.textAlign = "right";
      for (const share of [0, 0.5, 1]) {
        const y = score[0] + score[1] * (1 - share);
        rule(context, LEFT, width, y);
        context.fillText(`${100 * share} %`, LEFT - 5, Math.max(y, 9));
      }
      rule(context, LEFT, width, level[0] + level[1]);
      context.fillText("level", LEFT - 5, level[0] + level[1] / 2);
      context.textAlign = "center";
      for (let second = 0; second < SECONDS; second += 5) {
        const x = LEFT + ((SECONDS - second) / SECONDS) * (width - LEFT);
        const text = second ? `-${second} s` : "now";
        context.fillText(text, Math.min(x, width - 16), level[0] + level[1] + 12);
      }
    },
    score(context, at, [top, height]) {
      context.filter = getComputedStyle(context.canvas).getPropertyValue("--view-lift").trim();
      for (const [share, colour] of this.limits ?? []) {
        context.strokeStyle = colour;
        context.setLineDash([2, 4]);
        rule(context, LEFT, context.canvas.clientWidth, top + height * (1 - share));
      }
      context.setLineDash([]);
      for (const [time, colour, share] of this.points ?? []) {
        const x = at(time);
        if (x < LEFT || share === null) continue;
        context.fillStyle = colour;
        context.fillRect(x - 2, top + height * (1 - share) - 2, 5, 5);
      }
      context.filter = "none";
    },
    // Logarithmic: 1 lies at the bottom, full scale at the top.
    level(context, colour, width, at, [top, height]) {
      const y = (peak) => top + height * (1 - Math.log2(Math.max(1, peak)) / Math.log2(FULL));
      const shown = (this.levels ?? []).filter(([time]) => at(time) >= LEFT);
      context.fillStyle = colour("--view-wave");
      for (const [number, [time, peak]] of shown.entries()) {
        const x = at(time);
        const next = number + 1 < shown.length ? at(shown[number + 1][0]) : Math.min(width, x + 6);
        context.fillRect(x, y(peak), Math.max(1, Math.min(next - x, 14)), top + height - y(peak));
      }
      if (this.threshold > 0) {
        context.strokeStyle = colour("--view-threshold");
        context.setLineDash([3, 3]);
        rule(context, LEFT, width, y(this.threshold));
        context.setLineDash([]);
      }
    },
  },
};

function rule(context, from, to, y) {
  context.beginPath();
  context.moveTo(from, Math.round(y) + 0.5);
  context.lineTo(to, Math.round(y) + 0.5);
  context.stroke();
}
