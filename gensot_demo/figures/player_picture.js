// Moments of the player as pictures: plotly's figure, the particles over it, titles, time and legend.

import { Painter } from "./player_canvas.js";
import { SHAPES } from "./player_marks.js";
import { timeIn } from "./player_names.js";

const LINE = 20; // pixels for a line of the legend
const FOOT = 20; // pixels below the figure, beside those lines

// Data to pixels as plotly has them in a plot of so many panels.
export function viewsOf(plot, count) {
  const layout = plot._fullLayout;
  return Array.from({ length: count }, (_, n) => {
    const [x, y] = ["xaxis", "yaxis"].map((name) => layout[`${name}${n ? n + 1 : ""}`]);
    const ax = x._length / (x.range[1] - x.range[0]);
    const ay = -y._length / (y.range[1] - y.range[0]);
    return { left: x._offset, top: y._offset, width: x._length, height: y._length, ax, bx: x._offset - ax * x.range[0], ay, by: y._offset + y._length - ay * y.range[0] };
  });
}

// A page on which any moment of a scene (see Player.scene) can be drawn: `at(time, type, quality)` gives it as a Blob.
// Long words are squeezed into their panel, as a canvas does.
export async function pageOf({ figure, draw, look, value, laid, density, family, panels }) {
  const { width, height } = laid;
  const ghost = document.createElement("div");
  Object.assign(ghost.style, { position: "absolute", left: "-9999px", width: `${width}px`, height: `${height}px` });
  document.body.append(ghost);
  const release = () => {
    window.Plotly.purge(ghost);
    ghost.remove();
  };
  try {
    await window.Plotly.newPlot(ghost, figure.data, figure.layout, { staticPlot: true });
    const views = viewsOf(ghost, panels);
    const still = new Image();
    still.src = await window.Plotly.toImage(ghost, { format: "png", width, height, scale: density });
    await still.decode();
    const moving = sheet(width, height, density);
    const painter = new Painter(moving.getContext("2d"), density, look.palette);
    const legend = legendLines(value, laid, family);
    const page = sheet(width, even(height + FOOT + LINE * (1 + legend.at(-1).line)), density);
    const at = (time, ...type) => {
      draw(painter, views, time);
      const pen = page.getContext("2d");
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.fillStyle = look.palette.paper;
      pen.fillRect(0, 0, page.width, page.height);
      pen.drawImage(still, 0, 0);
      pen.drawImage(moving, 0, 0);
      pen.scale(density, density);
      writeTitles(pen, { look, value, laid, family });
      writeFoot(pen, legend, { look, value, laid, family, time });
      return new Promise((resolve, reject) => page.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), ...type));
    };
    return { at, release };
  } catch (error) {
    release();
    throw error;
  }
}

export function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function writeTitles(pen, { look, value, laid, family }) {
  const { ink, muted } = look.palette;
  value.panels.forEach((panel, n) => {
    const { left, top, width: most } = laid.panels[n];
    const after = write(pen, panel.glyph, left, top - 28, `13px ${family}`, look.themed(panel.colour)) + 6;
    write(pen, panel.label, left + after, top - 28, `bold 14px ${family}`, ink, most - after);
    write(pen, panel.note, left, top - 11, `12px ${family}`, muted, most);
  });
}

// Where each destination's name stands: after the time, in as many lines as are needed.
function legendLines(value, laid, family) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `13px ${family}`;
  const left = laid.panels[0].left;
  const widest = Math.max(...value.times.map((time) => pen.measureText(timeIn(value.clock, time)).width));
  let [x, line] = [left + widest + 28, 0];
  return value.modes.map((name, mode) => {
    const needed = 11 + pen.measureText(name).width;
    if (x + needed > laid.width - 8 && x > left) [x, line] = [left, line + 1];
    const place = { name, mode, x, line };
    x += needed + 20;
    return place;
  });
}

function writeFoot(pen, legend, { look, value, laid, family, time }) {
  const { ink, muted, data } = look.palette;
  const y = (line) => laid.height + 22 + LINE * line;
  write(pen, timeIn(value.clock, time), laid.panels[0].left, y(0), `13px ${family}`, ink);
  for (const { name, mode, x, line } of legend) {
    pen.save();
    pen.translate(x, y(line) - 4.5);
    pen.scale(4.5, 4.5);
    pen.fillStyle = data[mode % data.length];
    pen.fill(new Path2D(SHAPES[mode]));
    pen.restore();
    write(pen, name, x + 11, y(line), `13px ${family}`, muted, laid.width - x - 14);
  }
}

function write(pen, text, x, y, font, colour, most) {
  Object.assign(pen, { font, fillStyle: colour });
  pen.fillText(text, x, y, most);
  return pen.measureText(text).width;
}

const even = (length) => 2 * Math.ceil(length / 2);

function sheet(width, height, density) {
  return Object.assign(document.createElement("canvas"), { width: width * density, height: height * density });
}
