// What is drawn on a pad, the hands' ways to change it, and its history. Knows no element of the page.

import { along, between, clamp, distance, length, nearestOnSpline, resampled } from "./pad_plane.js";

const HISTORY = 100; // steps that can be undone
const SPACING = 8; // px between sprayed points
const CURVE_SPACING = 4; // px between points of a curve,
const CURVE_POINTS = 200; // of which a stroke makes this many at most
export const ERASER = 14; // px

export const number = (value, digits) => (Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).toFixed(digits).replace("-", "−");
export const place = ([x, y]) => `${number(x, 1)}, ${number(y, 1)}`;

// `press` answers what follows a pointer that moves on, and perhaps its end; `add` is the keyboard's way.
export const TOOLS = {
  modes: {
    title: "Modes", one: "mode", many: "modes", hint: "Click to place a mode, drag to move it.",
    press(drawing, at, reach) {
      const mode = drawing.item;
      if (mode && drawing.onRing(mode, at, reach)) {
        const size = mode[2], start = distance(mode, at);
        return { move: (to) => drawing.resize(mode, (size * distance(mode, to)) / start) };
      }
      return drawing.grab(at, reach) || (this.add(drawing, at) && drawing.grab(at, reach));
    },
    add: (drawing, at) => drawing.insert([...at, 0.3, 1]),
  },
  points: {
    title: "Points", one: "point", many: "points", hint: "Press and move to draw points. Hold Shift to erase.",
    press(drawing, at, reach, erasing) {
      const act = (spot) => this.add(drawing, spot, erasing);
      act(at);
      return { move: (to) => (at = along(at, to, SPACING / drawing.scale, act)) };
    },
    add: (drawing, at, erasing) => (erasing ? drawing.erase(at) : drawing.insert([...at])),
  },
  curve: {
    title: "Curve", one: "curve", many: "points on a curve", hint: "Draw a curve in one stroke.",
    press(drawing, at) {
      const stroke = (drawing.stroke = [at]);
      return {
        move: (to) => distance(stroke.at(-1), to) * drawing.scale >= 1 && stroke.push(to),
        end: () => drawing.takeStroke(),
      };
    },
    add: (drawing, at) => drawing.insert([...at]),
  },
  knots: {
    title: "Knots", one: "knot", many: "knots", hint: "Click to place knots. A line joins them in order.",
    press(drawing, at, reach) {
      const grabbed = drawing.grab(at, reach);
      if (grabbed) return grabbed;
      drawing.selected = -1;
      const line = drawing.line(), off = line.length > 1 && nearestOnSpline(line, at).distance > reach;
      if (off && drawing.backdrop?.end) return null; // a line without an end goes on to there
      return drawing.insert([...at], off ? drawing.list.length : drawing.turn(at)) && drawing.grab(at, reach);
    },
    add: (drawing, at) => drawing.insert([...at], drawing.turn(at)),
  },
};

// Lists from outside, as far as they are rows of finite numbers.
function rows(list, width, most) {
  const fits = (row) => Array.isArray(row) && row.length === width && row.every(Number.isFinite);
  return Array.isArray(list) ? list.filter(fits).slice(0, most).map((row) => [...row]) : [];
}

function readBackdrop(given, [points, paths]) {
  const [start, end] = [given.start, given.end].map((spot) => rows([spot], 2, 1)[0]);
  const lines = Array.isArray(given.paths) ? given.paths.slice(0, paths).map((path) => rows(path, 2, points)) : [];
  return { points: rows(given.points, 2, points), paths: lines, ...(start && { start }), ...(end && { end }) };
}

export class Drawing {
  constructor(limits) {
    this.limits = limits;
    Object.assign(this, { past: [], future: [], selected: -1, stroke: null, notice: "" });
    this.scale = 1; // px per unit; kept up to date by the pad
  }

  get list() { return this.items[this.tool]; }
  get selectable() { return this.tool === "modes" || this.tool === "knots"; }
  get item() { return this.tool === "curve" ? undefined : this.list[this.selected]; }

  // ---- value and history

  snapshot(items = this.items) {
    return JSON.stringify(items, (name, entry) => (typeof entry === "number" ? Math.round(entry * 1e4) / 1e4 : entry));
  }

  text() {
    return JSON.stringify({ tool: this.tool, ...JSON.parse(this.snapshot()), ...(this.backdrop && { backdrop: this.backdrop }) });
  }

  // Whether a change by hand is under way.
  get unsettled() { return this.stroke !== null || this.snapshot() !== this.base; }

  // Takes the value that Python has set; where it has no drawing, or a change by hand is under way, only its backdrop.
  // Answers whether the drawing is another one.
  read(text, tools, extent) {
    const value = JSON.parse(text || "null") || {}, first = !this.items;
    this.extent = extent;
    this.backdrop = value.backdrop ? readBackdrop(value.backdrop, this.limits.backdrop) : null;
    if (!first && (this.unsettled || (value.backdrop && value.tool === undefined))) return false;
    const kinds = Object.entries(this.limits.counts);
    const items = Object.fromEntries(kinds.map(([name, most]) => [name, rows(value[name], name === "modes" ? 4 : 2, most)]));
    const tool = [value.tool, this.tool].find((name) => tools.includes(name)) || tools[0];
    if (tools.includes("knots") && !items.knots.length) items.knots = this.straightKnots();
    if (tool !== this.tool) this.use(tool);
    if (!first && this.snapshot(items) === this.base) return false;
    Object.assign(this, { items, selected: -1 });
    this.record();
    return true;
  }

  record() {
    const now = this.snapshot();
    if (this.base !== undefined && now !== this.base) {
      this.past = [...this.past, this.base].slice(-HISTORY);
      this.future = [];
    }
    this.base = now;
  }

  undo() { this.travel(this.past, this.future); }
  redo() { this.travel(this.future, this.past); }

  travel(from, to) {
    this.record();
    if (!from.length) return;
    to.push(this.base);
    this.base = from.pop();
    this.restore();
  }

  // Back to the last step of the history.
  restore() {
    this.items = JSON.parse(this.base);
    this.stroke = null;
    this.selected = Math.min(this.selected, this.list.length - 1);
  }

  // ---- words

  describe() {
    const { list, item } = this, { one, many } = TOOLS[this.tool];
    if (!list.length) return this.tool === "curve" ? "No curve yet" : `No ${many} yet`;
    if (this.tool === "curve") return `A curve from ${place(list[0])} to ${place(list.at(-1))}`;
    const all = `${list.length} ${list.length === 1 ? one : many}`;
    if (!item) return all;
    const more = this.tool === "modes" ? `, size ${number(item[2], 2)}, weight ${this.share(item)}` : "";
    return `${all}; ${one} ${this.selected + 1} at ${place(item)}${more}`;
  }

  share(mode) {
    const percent = (100 * mode[3]) / this.items.modes.reduce((sum, other) => sum + other[3], 0);
    return `${percent < 1 ? "<1" : Math.round(percent)}\u00a0%`;
  }

  // ---- changes

  use(tool) {
    Object.assign(this, { tool, selected: -1 });
  }

  // Answers whether there was room.
  insert(item, index = this.list.length) {
    const most = this.limits.counts[this.tool];
    if (this.list.length >= most) {
      this.notice = `${most} ${TOOLS[this.tool].many} at most`;
      return false;
    }
    this.list.splice(index, 0, item);
    this.selected = this.selectable ? index : -1;
    return true;
  }

  erase(at) {
    this.items.points = this.items.points.filter((point) => distance(point, at) * this.scale > ERASER);
    this.selected = -1;
  }

  remove() {
    if (this.tool === "curve") this.list.pop();
    else if (this.item) this.list.splice(this.selected, 1);
    this.selected = Math.min(this.selected, this.list.length - 1);
  }

  clear() {
    this.items[this.tool] = this.tool === "knots" ? this.straightKnots() : [];
    this.selected = -1;
  }

  // Selects the next or the previous item.
  cycle(step) {
    const count = this.list.length;
    if (!count || this.tool === "curve") return;
    this.selected = this.item ? (this.selected + step + count) % count : step > 0 ? 0 : count - 1;
  }

  resize(mode, size) {
    mode[2] = clamp(size, ...this.limits.size);
  }

  weigh(mode, weight) {
    mode[3] = clamp(weight, ...this.limits.weight);
  }

  move(item, at) {
    [item[0], item[1]] = this.inside(at);
  }

  inside([x, y]) {
    const [left, right, low, high] = this.extent;
    return [clamp(x, left, right), clamp(y, low, high)];
  }

  takeStroke() {
    const { stroke, scale } = this;
    this.stroke = null;
    if (length(stroke) * scale < 2 * CURVE_SPACING) return; // a tap
    this.items.curve = resampled(stroke, CURVE_SPACING / scale, CURVE_POINTS);
  }

  // Takes the nearest item within reach in hand.
  grab(at, reach) {
    const index = this.hit(at, reach);
    if (index < 0) return null;
    this.selected = index;
    const item = this.list[index], offset = [item[0] - at[0], item[1] - at[1]];
    return { move: (to) => this.move(item, [to[0] + offset[0], to[1] + offset[1]]) };
  }

  hit(at, reach) {
    let best = -1, least = Infinity;
    this.list.forEach((item, index) => {
      const far = distance(item, at);
      const own = this.tool === "modes" ? Math.max(reach, Math.min(item[2], 28 / this.scale)) : reach;
      if (far <= own && far < least) [best, least] = [index, far];
    });
    return best;
  }

  // The circle by which a mode is resized: its two standard deviations, or what a hand can take.
  ring(mode) { return Math.max(2 * mode[2], 18 / this.scale); }
  onRing(mode, at, reach) { return Math.abs(distance(mode, at) - this.ring(mode)) <= reach / 2; }

  // ---- knots

  straightKnots() {
    const { start, end } = this.backdrop || {};
    return start && end ? [1, 2, 3, 4].map((n) => between(start, end, n / 5)) : [];
  }

  // The knots with the ends that they lie between.
  line() {
    const { start, end } = this.backdrop || {};
    return [...(start ? [start] : []), ...this.items.knots, ...(end ? [end] : [])];
  }

  // Where in the order of knots a new one belongs.
  turn(at) {
    const line = this.line(), count = this.items.knots.length, { start, end } = this.backdrop || {};
    if (line.length < 2) return start || !end ? count : 0;
    const { n, share } = nearestOnSpline(line, at);
    if (n === 0 && share === 0 && !start) return 0;
    if (n === line.length - 2 && share === 1 && !end) return count;
    return n + (start ? 0 : 1);
  }
}
