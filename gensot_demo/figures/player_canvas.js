// What moves in the player: particles, trails, binned density, velocities and pairing lines, on one canvas. No plotly here.
//
// Everything is drawn in batches, one path per colour: 2400 particles with trails must reach thirty frames a second on a
// machine without a graphics card.

import { Marks } from "./player_marks.js";

const TRAIL_POINTS = 12;
const TRAIL_PART = 0.2; // of the recorded frames
const TRAIL_FADE = [0.5, 0.3, 0.15]; // opacity, from the particle backwards
const DENSITY_CELL = 7; // pixels

// ---- the value, decoded ---------------------------------------------------------------------------------------------------

function bytes(text) {
  const raw = atob(text);
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}

function int16(text) {
  const view = new DataView(bytes(text).buffer); // little-endian, whatever the machine is
  return Int16Array.from({ length: view.byteLength / 2 }, (_, n) => view.getInt16(2 * n, true));
}

// A panel with positions (F, n, 2) as floats, and its particles listed destination by destination.
export function decodePanel(panel, modes) {
  const [x0, x1, y0, y1] = panel.box;
  const steps = int16(panel.positions);
  const positions = Float32Array.from(steps, (step, n) => {
    const part = (step + 32768) / 65535;
    return n % 2 ? y0 + part * (y1 - y0) : x0 + part * (x1 - x0);
  });
  const destination = bytes(panel.destination);
  const groups = Array.from({ length: modes }, () => []);
  destination.forEach((mode, particle) => groups[mode].push(particle));
  const field = panel.field && { ...panel.field, vectors: int16(panel.field.vectors) };
  return { count: panel.particles, positions, destination, groups, field, now: new Float32Array(2 * panel.particles) };
}

// Whether two values differ in nothing but what is shown of them.
export function isSameButShown(one, other) {
  const moving = (value) => JSON.stringify({ ...value, show: 0, autoplay: 0, description: 0 });
  return one.show.join() !== other.show.join() && moving(one) === moving(other);
}

// The last recorded frame at or before a time, and how far it is to the next one.
export function placeIn(times, time) {
  let low = 0;
  for (let high = times.length - 1; low < high; ) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= time) low = middle;
    else high = middle - 1;
  }
  const next = Math.min(low + 1, times.length - 1);
  const part = next > low ? Math.min(1, Math.max(0, (time - times[low]) / (times[next] - times[low]))) : 0;
  return { frame: low, next, part };
}

// ---- drawing --------------------------------------------------------------------------------------------------------------

// One canvas context with the colours and the pixel density it draws for.
export class Painter {
  constructor(context, density, palette) {
    Object.assign(this, { context, density, palette });
    this.marks = new Marks(density, palette);
    this.cells = document.createElement("canvas");
    this.pairs = document.createElement("canvas");
    this.pairsOf = "";
  }

  // `views` says where each panel lies and how data become pixels: {left, top, width, height, ax, bx, ay, by}.
  // `moment` is {time, frame, next, part} of all `frames`, `show` the set of what is on.
  paint(panels, views, moment, show, frames) {
    const { context, density } = this;
    const { width, height } = context.canvas;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    const strongest = Math.max(...panels.map((panel) => panel.field?.scale ?? 0));
    if (show.has("pairing")) this.preparePairs(panels, views);
    panels.forEach((panel, n) => {
      const view = views[n];
      context.save();
      context.scale(density, density);
      context.beginPath();
      context.rect(view.left, view.top, view.width, view.height);
      context.clip();
      interpolate(panel, moment, view);
      if (show.has("density")) this.paintDensity(panel, view);
      if (show.has("field") && panel.field) this.paintField(panel.field, view, moment.time, strongest);
      if (show.has("pairing")) this.copyPairs(view);
      if (show.has("trails")) this.paintTrails(panel, view, moment, frames);
      if (show.has("particles")) this.marks.paint(context, view, panel.now, panel.destination, view.width < 220 ? 2 : 2.7);
      context.restore();
    });
  }

  colour(mode) {
    return this.palette.data[mode % this.palette.data.length];
  }

  // Polylines through recorded frames up to the particle. One path per destination and opacity.
  paintTrails({ count, positions, groups, now }, view, { frame }, frames) {
    const { context } = this;
    const { ax, bx, ay, by } = view;
    const stride = Math.max(1, Math.round((TRAIL_PART * frames) / TRAIL_POINTS));
    const newest = Math.floor(frame / stride) * stride;
    const points = Math.min(TRAIL_POINTS, newest / stride + 1);
    const perBand = TRAIL_POINTS / TRAIL_FADE.length;
    context.lineWidth = 1 / this.density; // one pixel of the screen: anything wider takes ten times as long
    groups.forEach((group, mode) => {
      if (!group.length) return;
      context.strokeStyle = this.colour(mode);
      for (let band = 0; band * perBand < points; band++) {
        const [from, to] = [band * perBand, Math.min(points, (band + 1) * perBand)];
        context.globalAlpha = TRAIL_FADE[band];
        context.beginPath();
        for (const k of group) {
          if (from === 0) context.moveTo(now[2 * k], now[2 * k + 1]);
          for (let point = Math.max(0, from - 1); point < to; point++) {
            const at = 2 * ((newest - point * stride) * count + k);
            const [x, y] = [ax * positions[at] + bx, ay * positions[at + 1] + by];
            if (point === from - 1) context.moveTo(x, y);
            else context.lineTo(x, y);
          }
        }
        context.stroke();
      }
    });
    context.globalAlpha = 1;
  }

  // Particles per cell, smoothed; full colour at eight times the density of an even spread.
  paintDensity({ count, now }, view) {
    const { context, cells } = this;
    const [columns, rows] = [Math.ceil(view.width / DENSITY_CELL), Math.ceil(view.height / DENSITY_CELL)];
    let bins = new Float32Array(columns * rows);
    for (let k = 0; k < count; k++) {
      const column = Math.floor((now[2 * k] - view.left) / DENSITY_CELL);
      const row = Math.floor((now[2 * k + 1] - view.top) / DENSITY_CELL);
      if (column >= 0 && column < columns && row >= 0 && row < rows) bins[row * columns + column]++;
    }
    for (let pass = 0; pass < 2; pass++) bins = smooth(smooth(bins, columns, rows, 1), columns, rows, columns);
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(this.palette.data[0].slice(at, at + 2), 16));
    const image = new ImageData(columns, rows);
    bins.forEach((bin, n) => {
      const relative = (bin * columns * rows) / count;
      image.data.set([red, green, blue, 190 * (1 - Math.exp(-relative / 8))], 4 * n);
    });
    cells.width = columns;
    cells.height = rows;
    cells.getContext("2d").putImageData(image, 0, 0);
    context.drawImage(cells, view.left, view.top, columns * DENSITY_CELL, rows * DENSITY_CELL);
  }

  // Arrows at the grid's points; their length grows like the square root of the speed, the fastest fills a cell.
  paintField({ x, y, times, vectors, scale }, view, time, strongest) {
    const { context } = this;
    const { frame, next, part } = placeIn(times, time);
    const size = 2 * x.length * y.length;
    const cell = Math.min(Math.abs(view.ax * (x.at(-1) - x[0])) / Math.max(1, x.length - 1), Math.abs(view.ay * (y.at(-1) - y[0])) / Math.max(1, y.length - 1)) || 20;
    context.beginPath();
    for (let row = 0, n = 0; row < y.length; row++) {
      for (let column = 0; column < x.length; column++, n += 2) {
        const [at, then] = [frame * size + n, next * size + n];
        if (vectors[at] === -32768 || vectors[then] === -32768) continue;
        const vx = (vectors[at] * (1 - part) + vectors[then] * part) * (scale / 32767);
        const vy = -(vectors[at + 1] * (1 - part) + vectors[then + 1] * part) * (scale / 32767);
        const speed = Math.hypot(vx, vy);
        const length = 0.9 * cell * Math.sqrt(Math.min(1, speed / strongest));
        if (!(length > 1)) continue;
        const [ux, uy] = [vx / speed, vy / speed];
        const [px, py] = [view.ax * x[column] + view.bx, view.ay * y[row] + view.by];
        const [ex, ey] = [px + (ux * length) / 2, py + (uy * length) / 2];
        const head = Math.min(4, 0.4 * length);
        context.moveTo(px - (ux * length) / 2, py - (uy * length) / 2);
        context.lineTo(ex, ey);
        context.lineTo(ex - head * (ux - 0.5 * uy), ey - head * (uy + 0.5 * ux));
        context.moveTo(ex, ey);
        context.lineTo(ex - head * (ux + 0.5 * uy), ey - head * (uy - 0.5 * ux));
      }
    }
    Object.assign(context, { strokeStyle: this.palette.muted, lineWidth: 1, globalAlpha: 0.75 });
    context.stroke();
    context.globalAlpha = 1;
  }

  // Lines from where each particle starts to where it ends do not move: drawn once per value and view, then copied.
  preparePairs(panels, views) {
    const { canvas } = this.context;
    const key = JSON.stringify([views, canvas.width, canvas.height]);
    if (key === this.pairsOf) return;
    this.pairsOf = key;
    this.pairs.width = canvas.width;
    this.pairs.height = canvas.height;
    const pen = this.pairs.getContext("2d");
    pen.scale(this.density, this.density);
    panels.forEach(({ count, positions, groups }, n) => {
      const { ax, bx, ay, by } = views[n];
      const last = positions.length - 2 * count;
      groups.forEach((group, mode) => {
        pen.beginPath();
        for (const k of group) {
          pen.moveTo(ax * positions[2 * k] + bx, ay * positions[2 * k + 1] + by);
          pen.lineTo(ax * positions[last + 2 * k] + bx, ay * positions[last + 2 * k + 1] + by);
        }
        Object.assign(pen, { strokeStyle: this.colour(mode), lineWidth: 0.75, globalAlpha: 0.22 });
        pen.stroke();
      });
    });
  }

  copyPairs({ left, top, width, height }) {
    const box = [left, top, width, height];
    this.context.drawImage(this.pairs, ...box.map((number) => number * this.density), ...box);
  }
}

// Where the particles are now, in pixels: a straight line between recorded frames.
function interpolate({ count, positions, now }, { frame, next, part }, { ax, bx, ay, by }) {
  const [at, then] = [2 * count * frame, 2 * count * next];
  for (let k = 0; k < 2 * count; k += 2) {
    now[k] = ax * (positions[at + k] + part * (positions[then + k] - positions[at + k])) + bx;
    now[k + 1] = ay * (positions[at + k + 1] + part * (positions[then + k + 1] - positions[at + k + 1])) + by;
  }
}

// (1, 4, 6, 4, 1) / 16 along one direction: `step` 1 along rows, `columns` along columns. Nothing lies outside.
function smooth(bins, columns, rows, step) {
  const out = new Float32Array(bins.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const n = row * columns + column;
      const [place, length] = step === 1 ? [column, columns] : [row, rows];
      const bin = (away) => (place + away >= 0 && place + away < length ? bins[n + away * step] : 0);
      out[n] = (bin(-2) + bin(2) + 4 * (bin(-1) + bin(1)) + 6 * bin(0)) / 16;
    }
  }
  return out;
}
