// Two ellipses that are dragged by handles: pointers, keys, and the value's way to Python. SVG, coloured by app.css.
// The value is JSON text and stays data: nothing here evaluates it or writes it as HTML.

const EVERY = 100; // ms between two values sent while a handle is dragged
const SHOWN = 2; // standard deviations
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const LABELS = { centre: "centre", along: "end of the first axis", across: "end of the second axis" };
const NAMES = ["source", "target"];
const HANDLES = [["source", "along"], ["source", "across"], ["target", "centre"], ["target", "along"], ["target", "across"]];

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const made = (name, attributes = {}) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};
const rounded = (value) => Math.round(value * 100) / 100;

class Ellipses {
  constructor({ element, props, send }) {
    Object.assign(this, { props, send, drag: null, timer: 0, last: 0, sent: null });
    this.svg = element.querySelector("svg");
    this.build();
    this.load();
  }

  build() {
    const { svg, props } = this, { reach } = props;
    svg.setAttribute("viewBox", `${-reach} ${-reach} ${2 * reach} ${2 * reach}`);
    svg.setAttribute("aria-label", "Source and target as ellipses at two standard deviations. Drag a handle, or move the focused one with the arrow keys.");
    const grid = made("path", { class: "gensot-ellipses-grid", d: `M${-reach} 0H${reach}M0 ${-reach}V${reach}` });
    this.bodies = Object.fromEntries(NAMES.map((name) => [name, made("ellipse", { class: `gensot-ellipses-body ${name}` })]));
    this.words = Object.fromEntries(NAMES.map((name) => {
      const text = made("text", { class: `gensot-ellipses-name ${name}` });
      text.textContent = name === "source" ? "● source" : "◆ target";
      return [name, text];
    }));
    this.handles = HANDLES.map(([of, part]) => {
      const group = made("g", { class: `gensot-ellipses-handle ${of} ${part}`, tabindex: "0", role: "slider", "aria-label": `${of}, ${LABELS[part]}` });
      group.append(made("circle", { class: "reach", r: 0.42 }), of === "source" ? made("circle", { class: "knob", r: 0.15 }) : made("path", { class: "knob", d: "M0 -.2L.2 0L0 .2L-.2 0Z" }));
      group.addEventListener("pointerdown", (event) => this.down(event, of, part, group));
      group.addEventListener("pointermove", (event) => this.moved(event));
      group.addEventListener("pointerup", () => this.up());
      group.addEventListener("pointercancel", () => this.up());
      group.addEventListener("keydown", (event) => this.key(event, of, part));
      return { of, part, group };
    });
    svg.replaceChildren(grid, ...Object.values(this.bodies), ...Object.values(this.words), ...this.handles.map(({ group }) => group));
  }

  // Shows what Python has set, unless a handle is held.
  load() {
    if (this.drag || !this.props.value || this.props.value === this.sent) return;
    try {
      const found = JSON.parse(this.props.value);
      for (const name of NAMES) {
        const [x, y, along, across, angle] = found[name].map(Number);
        this[name] = { x, y, along, across, angle };
      }
    } catch { return; }
    this.draw();
  }

  at(event) {
    const box = this.svg.getBoundingClientRect(), { reach } = this.props;
    return [(2 * (event.clientX - box.left) / box.width - 1) * reach, (1 - 2 * (event.clientY - box.top) / box.height) * reach];
  }

  place({ x, y, along, across, angle }, part) {
    if (part === "centre") return [x, y];
    const turn = (angle * Math.PI) / 180, size = SHOWN * (part === "along" ? along : across);
    const way = part === "along" ? turn : turn + Math.PI / 2;
    return [x + size * Math.cos(way), y + size * Math.sin(way)];
  }

  down(event, of, part, group) {
    if (event.button !== 0 || !this[of]) return;
    event.preventDefault();
    group.setPointerCapture(event.pointerId);
    group.focus({ preventScroll: true, focusVisible: false });
    const at = this.at(event), place = this.place(this[of], part);
    this.drag = { of, part, offset: [place[0] - at[0], place[1] - at[1]] };
  }

  moved(event) {
    if (!this.drag) return;
    const at = this.at(event), { of, part, offset } = this.drag;
    this.move(of, part, [at[0] + offset[0], at[1] + offset[1]]);
  }

  up() {
    if (!this.drag) return;
    this.drag = null;
    this.tell();
  }

  key(event, of, part) {
    const arrow = ARROWS[event.key];
    if (!arrow || !this[of] || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const step = event.shiftKey ? 0.5 : 0.1, [x, y] = this.place(this[of], part);
    this.move(of, part, [x + step * arrow[0], y + step * arrow[1]]);
  }

  // A handle goes to a place, as far as the limits let it.
  move(of, part, [x, y]) {
    const one = this[of], { narrowest, widest, farthest } = this.props;
    if (part === "centre") {
      one.x = rounded(clamp(x, -farthest, farthest));
      one.y = rounded(clamp(y, -farthest, farthest));
    } else {
      const way = [x - one.x, y - one.y], length = Math.hypot(...way) / SHOWN;
      one[part] = rounded(clamp(length, of === "source" ? narrowest : 0, widest));
      if (length > 0.05) {
        const angle = (Math.atan2(way[1], way[0]) * 180) / Math.PI - (part === "across" ? 90 : 0);
        one.angle = Math.round((((angle % 180) + 180) % 180) * 10) / 10 % 180;
      }
    }
    this.draw();
    if (!this.timer) this.timer = setTimeout(() => this.tell(), Math.max(0, this.last + EVERY - performance.now()));
  }

  tell() {
    clearTimeout(this.timer);
    this.timer = 0;
    const row = ({ x, y, along, across, angle }) => [x, y, along, across, angle];
    const text = JSON.stringify({ source: row(this.source), target: row(this.target) });
    if (text === this.sent) return;
    this.last = performance.now();
    this.sent = text;
    this.props.value = text;
    this.send();
  }

  draw() {
    for (const name of NAMES) {
      const one = this[name], { x, y, along, across, angle } = one;
      const attributes = { rx: Math.max(SHOWN * along, 0.02), ry: Math.max(SHOWN * across, 0.02), transform: `translate(${x} ${-y}) rotate(${-angle})` };
      for (const [key, value] of Object.entries(attributes)) this.bodies[name].setAttribute(key, value);
      // beside the lower end for the source, the upper one for the target: the two words never meet
      const turn = (angle * Math.PI) / 180, high = SHOWN * Math.hypot(along * Math.sin(turn), across * Math.cos(turn));
      const { reach } = this.props, word = this.words[name];
      word.setAttribute("x", clamp(x, 1.2 - reach, reach - 1.2));
      word.setAttribute("y", name === "source" ? Math.min(high - y + 0.7, reach - 0.15) : Math.max(-y - high - 0.35, 0.6 - reach));
    }
    for (const { of, part, group } of this.handles) {
      const one = this[of], [x, y] = this.place(one, part);
      group.setAttribute("transform", `translate(${x} ${-y})`);
      const now = part === "centre" ? `${one.x}, ${one.y}` : `${one[part]} standard deviation, angle ${one.angle} degrees`;
      group.setAttribute("aria-valuetext", now);
      group.setAttribute("aria-valuenow", part === "centre" ? one.x : one[part]);
    }
  }
}

export function mount({ element, props, watch, send }) {
  const ellipses = new Ellipses({ element, props, send });
  watch("value", () => ellipses.load());
}
