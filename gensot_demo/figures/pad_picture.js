// Paints a drawing on a canvas. The colours come from the page's palette, for the theme in use.

import { number, ERASER } from "./pad_drawing.js";
import { distance, handles, ticks } from "./pad_plane.js";

const TURN = 2 * Math.PI;
const hex = (opacity) => Math.round(255 * opacity).toString(16).padStart(2, "0");

class Picture {
  constructor(pen, drawing, { width, height, colours, family }) {
    Object.assign(this, { pen, drawing, width, height, colours, family });
    const [left, right, low, high] = drawing.extent;
    this.x = (value) => ((value - left) / (right - left)) * width;
    this.y = (value) => ((high - value) / (high - low)) * height;
  }

  dot(at, radius, fill, stroke, thickness = 1.5) {
    const { pen } = this;
    pen.beginPath();
    pen.arc(this.x(at[0]), this.y(at[1]), radius, 0, TURN);
    if (fill) Object.assign(pen, { fillStyle: fill }).fill();
    if (stroke) Object.assign(pen, { strokeStyle: stroke, lineWidth: thickness }).stroke();
  }

  line(points, colour, thickness) {
    if (points.length < 2) return;
    const { pen } = this;
    pen.beginPath();
    pen.moveTo(this.x(points[0][0]), this.y(points[0][1]));
    for (let n = 0; n < points.length - 1; n++) {
      pen.bezierCurveTo(...handles(points, n).slice(1).flatMap(([x, y]) => [this.x(x), this.y(y)]));
    }
    Object.assign(pen, { strokeStyle: colour, lineWidth: thickness, lineJoin: "round", lineCap: "round" }).stroke();
  }

  // The point and heading of an arrow at the line's end.
  arrow(points, colour) {
    const tip = points.at(-1), scale = this.drawing.scale;
    const from = points.findLast((point) => distance(point, tip) * scale > 6);
    if (!from) return;
    const { pen } = this;
    pen.save();
    pen.translate(this.x(tip[0]), this.y(tip[1]));
    pen.rotate(Math.atan2(this.y(tip[1]) - this.y(from[1]), this.x(tip[0]) - this.x(from[0])));
    pen.beginPath();
    for (const [x, y] of [[4, 0], [-8, 5.5], [-5.5, 0], [-8, -5.5]]) pen.lineTo(x, y);
    Object.assign(pen, { fillStyle: colour }).fill();
    pen.restore();
  }

  words(text, x, y, { colour, align = "center" }) {
    const { pen } = this;
    Object.assign(pen, { font: `11px ${this.family}`, textAlign: align, textBaseline: "middle" });
    Object.assign(pen, { lineWidth: 3, lineJoin: "round", strokeStyle: `${this.colours.paper}99`, fillStyle: colour });
    pen.strokeText(text, x, y);
    pen.fillText(text, x, y);
  }

  // Grid lines on whole pixels, and their numbers along the lower and the left edge.
  grid() {
    const { pen, width, height, colours } = this, [left, right, low, high] = this.drawing.extent;
    const across = ticks(left, right, width / 44), up = ticks(low, high, height / 44);
    pen.lineWidth = 1;
    const stroke = (value, x0, y0, x1, y1) => {
      pen.strokeStyle = Math.abs(value) < 1e-9 ? `${colours.muted}80` : colours.line;
      pen.beginPath();
      pen.moveTo(x0, y0);
      pen.lineTo(x1, y1);
      pen.stroke();
    };
    const whole = (value) => Math.round(value) + 0.5;
    const seen = (place, end) => place > 0.5 && place < end - 0.5;
    for (const value of across.values) if (seen(this.x(value), width)) stroke(value, whole(this.x(value)), 0, whole(this.x(value)), height);
    for (const value of up.values) if (seen(this.y(value), height)) stroke(value, 0, whole(this.y(value)), width, whole(this.y(value)));
    const colour = colours.muted;
    for (const value of across.values) {
      const x = this.x(value);
      if (x > 20 && x < width - 20) this.words(number(value, across.digits), x + 4, height - 9, { colour, align: "left" });
    }
    for (const value of up.values) {
      const y = this.y(value);
      if (y > 20 && y < height - 20) this.words(number(value, up.digits), 5, y - 8, { colour, align: "left" });
    }
  }

  backdrop({ points, paths, start, end }) {
    const { muted } = this.colours;
    for (const path of paths) this.line(path, `${muted}66`, 1.25);
    for (const point of points) this.dot(point, 1.75, `${muted}66`);
    for (const [at, name] of [[start, "start"], [end, "end"]]) {
      if (at) this.words(name, this.x(at[0]), this.y(at[1]) + 15, { colour: muted });
    }
    this.anchors();
  }

  anchors() {
    const { start, end } = this.drawing.backdrop || {}, { ink, paper } = this.colours;
    if (start) this.dot(start, 5, paper, ink, 2);
    if (end) this.dot(end, 5, ink, ink, 2);
  }

  modes(list, selected) {
    const { pen, drawing, colours } = this, colour = colours.data[0];
    for (const [x, y, size] of list) {
      const [cx, cy, radius] = [this.x(x), this.y(y), 2.6 * size * drawing.scale];
      const glow = pen.createRadialGradient(cx, cy, 0, cx, cy, radius);
      for (let stop = 0; stop <= 1; stop += 0.125) {
        glow.addColorStop(stop, colour + hex(0.5 * (Math.exp(-3.38 * stop * stop) - 0.034)));
      }
      this.dot([x, y], radius, glow);
    }
    list.forEach((mode, index) => {
      const [, , size] = mode, chosen = index === selected;
      this.dot(mode, size * drawing.scale, null, `${colour}${chosen ? "ff" : "b3"}`, chosen ? 2 : 1.25);
      this.dot(mode, 2 * size * drawing.scale, null, `${colour}${chosen ? "b3" : "59"}`, chosen ? 1.5 : 1);
      this.dot(mode, 2.5, colour);
      if (chosen) this.sizeHandle(mode, colour);
    });
    for (const mode of list) {
      const outer = 2 * mode[2] * drawing.scale, below = outer < 30 ? outer + 9 : 13;
      const lower = this.y(mode[1]) + below < this.height - 8 ? 1 : -1;
      this.words(drawing.share(mode), this.x(mode[0]), this.y(mode[1]) + lower * below, { colour: colours.ink });
    }
  }

  // A knob on the ring, on the side where there is room.
  sizeHandle(mode, colour) {
    const { drawing, pen } = this, ring = drawing.ring(mode);
    if (ring > 2 * mode[2] * 1.001) {
      pen.setLineDash([3, 3]);
      this.dot(mode, ring * drawing.scale, null, `${colour}b3`, 1);
      pen.setLineDash([]);
    }
    const side = this.x(mode[0] + ring) < this.width - 6 ? 1 : -1;
    this.dot([mode[0] + side * ring, mode[1]], 5, this.colours.paper, colour, 2);
  }

  points(list, selected) {
    for (const point of list) this.dot(point, 2.5, `${this.colours.data[0]}bf`);
    if (list[selected]) this.dot(list[selected], 6, null, this.colours.data[0], 2);
  }

  curve(list) {
    const points = this.drawing.stroke || list, colour = this.colours.data[1];
    if (points.length === 1) this.dot(points[0], 3, colour);
    this.line(points, colour, 2.5);
    if (points.length > 1) this.arrow(points, colour);
  }

  knots(list, selected) {
    const colour = this.colours.data[1];
    if (list.length) this.line(this.drawing.line(), colour, 2);
    if (list === this.drawing.list) this.anchors(); // over the line's ends
    list.forEach((knot, index) => {
      const chosen = index === selected;
      this.dot(knot, chosen ? 7 : 5.5, chosen ? colour : this.colours.paper, colour, 2);
    });
  }

  crosshair(at) {
    const { pen } = this, x = Math.round(this.x(at[0])) + 0.5, y = Math.round(this.y(at[1])) + 0.5;
    pen.beginPath();
    for (const [a, b, c, d] of [[0, y, x - 6, y], [x + 6, y, this.width, y], [x, 0, x, y - 6], [x, y + 6, x, this.height]]) {
      pen.moveTo(a, b);
      pen.lineTo(c, d);
    }
    Object.assign(pen, { strokeStyle: this.colours.ink, lineWidth: 1, globalAlpha: 0.6 }).stroke();
    pen.globalAlpha = 1;
  }
}

// `crosshair` and `eraser` are places, or null. The kinds that are not in hand are shown faintly.
export function paint(pen, drawing, { crosshair, eraser, ...sheet }) {
  const picture = new Picture(pen, drawing, sheet);
  pen.clearRect(0, 0, sheet.width, sheet.height);
  picture.grid();
  if (drawing.backdrop) picture.backdrop(drawing.backdrop);
  for (const [name, list] of Object.entries(drawing.items)) {
    if (name === drawing.tool) continue;
    pen.globalAlpha = 0.22;
    if (sheet.tools.includes(name)) picture[name](list, -1);
  }
  pen.globalAlpha = 1;
  picture[drawing.tool](drawing.list, drawing.selected);
  if (crosshair) picture.crosshair(crosshair);
  if (eraser) picture.dot(eraser, ERASER, null, sheet.colours.muted, 1.5);
}
