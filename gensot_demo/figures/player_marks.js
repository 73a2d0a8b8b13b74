// The particles' marks. They are written pixel by pixel into one buffer, which without a graphics card is several times
// as fast as thousands of drawImage calls, and lets every mark have its rim.

// Outlines of the destinations' marks, of about equal area, around the origin with radius 1.
export const SHAPES = [
  "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z",
  "M-.9-.9H.9V.9H-.9Z",
  "M0-1.25L1.15.85H-1.15Z",
  "M0-1.35L1.2 0L0 1.35L-1.2 0Z",
  "M-.42-1.2H.42V-.42H1.2V.42H.42V1.2H-.42V.42H-1.2V-.42H-.42Z",
  "M0 1.25L1.15-.85H-1.15Z",
  "M-1.15-.55L-.55-1.15L0-.6L.55-1.15L1.15-.55L.6 0L1.15.55L.55 1.15L0 .6L-.55 1.15L-1.15.55L-.6 0Z",
  "M0-1.4L.37-.45L1.33-.43L.6.18L.83 1.13L0 .6L-.83 1.13L-.6.18L-1.33-.43L-.37-.45Z",
  "M-1.3-.65H1.3V.65H-1.3Z",
  "M-.65-1.3H.65V1.3H-.65Z",
  "M-1.2-1.2H0V0H1.2V1.2H-1.2Z",
  "M-1.25-.6H1.25A1.25 1.25 0 0 1-1.25-.6Z",
];

const PHASES = 4; // a mark's place is kept to a quarter of a pixel, so that slow particles move smoothly

export class Marks {
  constructor(density, palette) {
    Object.assign(this, { density, palette, stamps: new Map(), image: new ImageData(1, 1) });
    this.sheet = document.createElement("canvas");
  }

  // Draws a panel's marks: `places` are pixels x, y of the page, `destination` the shapes, `radius` in pixels of the page.
  paint(context, { left, top, width, height }, places, destination, radius) {
    const { density } = this;
    const [columns, rows, x0, y0] = [width, height, left, top].map((length) => Math.round(length * density));
    if (this.image.width !== columns || this.image.height !== rows) this.resize(columns, rows);
    this.pixels.fill(0);
    for (let k = 0; k < destination.length; k++) {
      const [x, y] = [places[2 * k] * density - x0, places[2 * k + 1] * density - y0];
      if (x > -20 && y > -20 && x < columns + 20 && y < rows + 20) this.put(destination[k], radius, x, y, columns, rows);
    }
    this.sheet.getContext("2d").putImageData(this.image, 0, 0);
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.sheet, x0, y0);
    context.restore();
  }

  resize(columns, rows) {
    this.image = new ImageData(columns, rows);
    this.pixels = new Uint32Array(this.image.data.buffer);
    Object.assign(this.sheet, { width: columns, height: rows });
  }

  // One mark over what is there already. In a pixel, opacity is the highest byte.
  put(mode, radius, x, y, columns, rows) {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const phase = PHASES * Math.floor(PHASES * (y - row)) + Math.floor(PHASES * (x - column));
    const { size, colours } = this.stamp(mode, radius, phase);
    const { pixels } = this;
    const [left, top] = [column - size / 2, row - size / 2];
    for (let j = Math.max(0, -top); j < size && top + j < rows; j++) {
      for (let i = Math.max(0, -left); i < size && left + i < columns; i++) {
        const over = colours[j * size + i];
        const opacity = over >>> 24;
        if (opacity === 0) continue;
        const at = (top + j) * columns + left + i;
        const under = pixels[at];
        pixels[at] = opacity === 255 || under === 0 ? over : blend(over, opacity, under, under >>> 24);
      }
    }
  }

  // A mark in its colour, with a thin rim of paper so that marks that overlap stay apart.
  stamp(mode, radius, phase) {
    const key = (mode * 64 + phase) * 64 + radius;
    const known = this.stamps.get(key);
    if (known) return known;
    const size = 2 * Math.ceil((radius * 1.4 + 1) * this.density + 1);
    const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
    const pen = canvas.getContext("2d");
    pen.translate(size / 2 + ((phase % PHASES) + 0.5) / PHASES, size / 2 + (Math.floor(phase / PHASES) + 0.5) / PHASES);
    pen.scale(radius * this.density, radius * this.density);
    const { data, paper } = this.palette;
    Object.assign(pen, { lineWidth: 1 / radius, strokeStyle: paper, fillStyle: data[mode % data.length], lineJoin: "round" });
    const outline = new Path2D(SHAPES[mode]);
    pen.stroke(outline);
    pen.fill(outline);
    const made = { size, colours: new Uint32Array(pen.getImageData(0, 0, size, size).data.buffer) };
    this.stamps.set(key, made);
    return made;
  }
}

// A colour over another; both as they lie in an ImageData, opacity not multiplied in.
function blend(over, opacity, under, opacityUnder) {
  const rest = (opacityUnder * (255 - opacity)) / 255;
  const total = opacity + rest;
  let mixed = Math.round(total) << 24;
  for (let shift = 0; shift < 24; shift += 8) {
    mixed |= Math.round((((over >>> shift) & 255) * opacity + ((under >>> shift) & 255) * rest) / total) << shift;
  }
  return mixed;
}
