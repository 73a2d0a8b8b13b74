// A moment of the player as a PNG: plotly's figure, the particles over it, titles and legend.

import { SHAPES } from "./player_marks.js";

const DENSITY = 2; // pixels per pixel of the page
const FOOT = 40; // pixels for time and legend

// `draw(context, density)` paints the particles. Long words are squeezed into their panel, as a canvas does.
export async function pictureOf({ figure, draw, look, family, value, laid, clock }) {
  const { width, height } = laid;
  const still = new Image();
  still.src = await window.Plotly.toImage(figure, { format: "png", width, height, scale: DENSITY });
  await still.decode();
  const moving = sheet(width, height);
  draw(moving.getContext("2d"), DENSITY);

  const page = sheet(width, height + FOOT);
  const pen = page.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, page.width, page.height);
  pen.drawImage(still, 0, 0);
  pen.drawImage(moving, 0, 0);
  pen.scale(DENSITY, DENSITY);
  const { ink, muted, data } = look.palette;
  const write = (text, x, y, font, colour, most) => {
    Object.assign(pen, { font: `${font} ${family}`, fillStyle: colour });
    pen.fillText(text, x, y, most);
    return pen.measureText(text).width;
  };
  value.panels.forEach((panel, n) => {
    const { left, top, width: most } = laid.panels[n];
    const after = write(panel.glyph, left, top - 28, "13px", panel.colour) + 6;
    write(panel.label, left + after, top - 28, "bold 14px", ink, most - after);
    write(panel.note, left, top - 11, "12px", muted, most);
  });
  const y = height + 22;
  let x = laid.panels[0].left;
  x += write(clock, x, y, "13px", ink) + 28;
  value.modes.forEach((name, mode) => {
    pen.save();
    pen.translate(x, y - 4.5);
    pen.scale(4.5, 4.5);
    pen.fillStyle = data[mode % data.length];
    pen.fill(new Path2D(SHAPES[mode]));
    pen.restore();
    x += 11 + write(name, x + 11, y, "13px", muted) + 20;
  });
  return new Promise((resolve) => page.toBlob(resolve, "image/png"));
}

function sheet(width, height) {
  return Object.assign(document.createElement("canvas"), { width: width * DENSITY, height: height * DENSITY });
}
