// The drawing pad on the page: pointers, keys, buttons, and the value's way to Python. Loaded once, for all pads.
// The value is JSON text and stays data: nothing here evaluates it or writes it as HTML.

import { Drawing, number, place, TOOLS } from "./pad_drawing.js";
import { paint } from "./pad_picture.js";
import { clamp, distance } from "./pad_plane.js";

const SETTLE = 150; // ms without a change until a change by hand is one step of the history and goes to Python
const REACH = { mouse: 12, pen: 14, touch: 22 }; // px
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const KEYS = `Arrow keys move the crosshair, with Shift five steps. Enter draws at the crosshair. N and P select the next
 and the previous item, Alt with an arrow key moves it, plus and minus change its size, Delete removes it. Control Z undoes.`;

const pads = new Set(); // those on the page: theme changes redraw them

class Pad {
  constructor({ element, props, send, limits, colours, dark }) {
    Object.assign(this, { props, send, dark, colours });
    this.root = element.querySelector(".gensot-pad");
    for (const part of ["label", "tools", "hint", "where", "panel", "status"]) this[part] = this.root.querySelector(`.gensot-pad-${part}`);
    this.buttons = Object.fromEntries([...this.root.querySelectorAll("[data-do]")].map((button) => [button.dataset.do, button]));
    this.sliders = [...this.panel.querySelectorAll("input")];
    this.canvas = this.root.querySelector("canvas");
    this.pen = this.canvas.getContext("2d");
    this.drawing = new Drawing(limits);
    Object.assign(this, { frame: 0, timer: 0, pointers: new Set(), drag: null, cursor: null, cross: null, erasing: false, rubbing: false });
    this.arrange();
    this.listen();
  }

  // What is not the value.
  arrange() {
    const { root, canvas, props } = this, { tools, extent, height, label } = props;
    root.style.setProperty("--side", `${height}px`);
    this.label.textContent = label || "";
    canvas.style.aspectRatio = (extent[1] - extent[0]) / (extent[3] - extent[2]);
    canvas.setAttribute("aria-label", `${label || "Drawing pad"}. ${KEYS}`);
    this.tools.hidden = tools.length < 2;
    this.tools.replaceChildren(...tools.map((name) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: TOOLS[name].title });
      button.dataset.tool = name;
      return button;
    }));
    this.load();
  }

  // ---- value

  // Shows what Python has set. A change by hand that is under way stays, and goes to Python when it settles.
  load() {
    const { props, drawing } = this, { tools, extent, value } = props;
    if (drawing.read(value, tools, extent)) this.drag = null; // what was in hand is gone
    this.schedule();
    if (drawing.unsettled) return void (this.sent = null);
    this.sent = drawing.text();
    if (value && JSON.stringify(JSON.parse(value)) !== this.sent) props.value = this.sent; // Python reads what is seen
    this.status.textContent = drawing.describe();
  }

  // Something was changed by hand: it is seen at once, and settles when the hand rests.
  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), SETTLE);
    this.schedule();
  }

  settle() {
    clearTimeout(this.timer);
    const { drawing } = this;
    if (!this.drag) drawing.record();
    const said = drawing.notice || drawing.describe();
    drawing.notice = "";
    if (this.status.textContent !== said) this.status.textContent = said;
    this.schedule();
    const text = drawing.text();
    if (text === this.sent) return;
    this.sent = text;
    this.props.value = text;
    this.send();
  }

  // ---- pointers

  listen() {
    const { canvas, root } = this;
    const on = (target, kind, act) => target.addEventListener(kind, act, { passive: false });
    on(canvas, "pointerdown", (event) => this.down(event));
    on(canvas, "pointermove", (event) => this.moved(event));
    on(canvas, "pointerup", (event) => this.up(event, true));
    on(canvas, "pointercancel", (event) => this.up(event, false));
    on(canvas, "pointerleave", () => this.hover(null));
    on(canvas, "wheel", (event) => this.wheel(event));
    on(canvas, "keydown", (event) => this.key(event));
    on(canvas, "focus", () => canvas.matches(":focus-visible") && !this.pointers.size && this.aim(this.cross || this.middle()));
    on(canvas, "blur", () => this.settle());
    on(root, "keydown", (event) => this.shortcut(event));
    on(root, "click", (event) => this.click(event));
    on(this.panel, "input", (event) => this.slide(event));
    on(this.panel, "change", () => this.settle());
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect(), [left, right, low, high] = this.drawing.extent;
    const across = (event.clientX - box.left) / box.width, down = (event.clientY - box.top) / box.height;
    return this.drawing.inside([left + across * (right - left), high - down * (high - low)]);
  }

  reach(event) {
    return (REACH[event.pointerType] || REACH.mouse) / this.drawing.scale;
  }

  down(event) {
    if (event.button !== 0) return;
    if (!this.drag && event.isPrimary) this.pointers.clear();
    this.pointers.add(event.pointerId);
    if (this.pointers.size > 1) return this.abandon(); // with a second finger the first was no stroke
    this.settle();
    this.cross = null;
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true, focusVisible: false });
    const at = this.at(event);
    const taken = TOOLS[this.drawing.tool].press(this.drawing, at, this.reach(event), this.erasing || event.shiftKey);
    this.drag = { id: event.pointerId, ...taken };
    this.hover(event);
    this.changed();
  }

  moved(event) {
    this.hover(event);
    if (this.drag?.id !== event.pointerId) return;
    const parts = event.getCoalescedEvents?.() || [];
    for (const part of parts.length ? parts : [event]) this.drag.move?.(this.at(part));
    this.changed();
  }

  up(event, finished) {
    this.pointers.delete(event.pointerId);
    if (this.drag?.id !== event.pointerId) return;
    if (!finished) return this.abandon();
    this.drag.end?.();
    this.drag = null;
    this.hover(event.pointerType === "touch" ? null : event);
    this.settle();
  }

  // As if the stroke had not begun.
  abandon() {
    if (!this.drag) return;
    this.drag = null;
    this.drawing.restore();
    this.settle();
  }

  hover(event) {
    const { drawing } = this;
    this.cursor = event && this.at(event);
    this.rubbing = Boolean(event && drawing.tool === "points" && (this.erasing || event.shiftKey));
    if (event && !this.drag) {
      const resizing = drawing.tool === "modes" && drawing.item && drawing.onRing(drawing.item, this.cursor, this.reach(event));
      const taking = drawing.selectable && drawing.hit(this.cursor, this.reach(event)) >= 0;
      this.canvas.style.cursor = resizing ? "ew-resize" : taking ? "grab" : "crosshair";
    }
    this.schedule();
  }

  wheel(event) {
    const { drawing } = this, mode = drawing.tool === "modes" && drawing.item;
    const focused = document.activeElement === this.canvas; // else the wheel scrolls the page
    if (!mode || !focused || event.ctrlKey || distance(mode, this.at(event)) > drawing.ring(mode)) return;
    event.preventDefault();
    drawing.resize(mode, mode[2] * Math.exp(-clamp(event.deltaY, -100, 100) / 800));
    this.changed();
  }

  // ---- keys

  middle() {
    const [left, right, low, high] = this.drawing.extent;
    return this.drawing.item?.slice(0, 2) || [(left + right) / 2, (low + high) / 2];
  }

  aim(at) {
    this.cross = this.drawing.inside(at);
    this.drawing.notice = `Crosshair at ${place(this.cross)}`;
    this.changed();
  }

  arrow(event) {
    const { drawing } = this, [left, right] = drawing.extent, item = event.altKey && drawing.item;
    const step = ((right - left) / 40) * (event.shiftKey ? 5 : 1), [x, y] = ARROWS[event.key];
    const from = item || this.cross || this.middle(), to = [from[0] + step * x, from[1] + step * y];
    if (!item) return this.aim(to);
    drawing.move(item, to);
    this.cross = item.slice(0, 2);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey) return;
    const { drawing } = this, mode = drawing.tool === "modes" && drawing.item;
    if (event.key === "Escape" && !this.drag && !drawing.item) return;
    if (event.key in ARROWS) this.arrow(event);
    else if (event.key === "Enter" || event.key === " ") {
      this.cross ||= this.middle();
      TOOLS[drawing.tool].add(drawing, this.cross, this.erasing);
    } else if ("np[]".includes(event.key)) {
      drawing.cycle(event.key === "n" || event.key === "]" ? 1 : -1);
      this.cross = this.middle();
    } else if ("+=-_".includes(event.key) && mode) drawing.resize(mode, mode[2] * ("+=".includes(event.key) ? 1.1 : 1 / 1.1));
    else if (event.key === "Delete" || event.key === "Backspace") drawing.remove();
    else if (event.key === "Escape") {
      this.abandon();
      drawing.selected = -1;
    } else return;
    event.preventDefault();
    this.changed();
  }

  shortcut(event) {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !"zy".includes(key) || this.drag) return;
    event.preventDefault();
    this.act(key === "y" || event.shiftKey ? "redo" : "undo");
  }

  // ---- buttons and sliders

  click(event) {
    const button = event.target.closest("button");
    if (button?.dataset.tool) this.drawing.use(button.dataset.tool);
    else if (!button || !this.act(button.dataset.do)) return;
    this.settle();
    this.refresh();
    if (button.disabled || button.hidden) this.canvas.focus({ preventScroll: true });
  }

  act(action) {
    const { drawing } = this;
    if (action === "erase") this.erasing = !this.erasing;
    else if (["undo", "redo", "clear", "remove"].includes(action)) drawing[action]();
    else return false;
    this.settle();
    return true;
  }

  slide({ target }) {
    const mode = this.drawing.tool === "modes" && this.drawing.item, value = 10 ** Number(target.value);
    if (!mode) return;
    if (target.dataset.of === "size") this.drawing.resize(mode, value);
    else this.drawing.weigh(mode, value);
    this.changed();
  }

  // The controls around the plane, as the drawing is now.
  refresh() {
    const { drawing, buttons } = this, { list, tool, item } = drawing;
    for (const button of this.tools.children) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    for (const part of this.panel.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(tool);
    buttons.undo.disabled = !drawing.past.length;
    buttons.redo.disabled = !drawing.future.length;
    buttons.clear.disabled = !list.length;
    buttons.remove.disabled = !item;
    buttons.erase.setAttribute("aria-pressed", String(this.erasing));
    for (const slider of this.sliders) {
      slider.disabled = tool !== "modes" || !item;
      const isSize = slider.dataset.of === "size", value = slider.disabled ? (isSize ? 0.3 : 1) : item[isSize ? 2 : 3];
      slider.value = Math.log10(value);
      slider.style.setProperty("--range_progress", `${(100 * (slider.value - slider.min)) / (slider.max - slider.min)}%`);
      const text = slider.disabled ? "" : isSize ? number(value, 2) : drawing.share(item);
      slider.setAttribute("aria-valuetext", text || "nothing selected");
      slider.nextElementSibling.textContent = text;
    }
    const hint = list.length || drawing.stroke ? "" : this.props.empty || TOOLS[tool].hint;
    if (this.hint.textContent !== hint) this.hint.textContent = hint;
    const where = this.cursor || (document.activeElement === this.canvas && this.cross) || item;
    this.where.textContent = where ? `x ${number(where[0], 2)}, y ${number(where[1], 2)}` : "";
  }

  // ---- picture

  schedule() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    if (!this.root.isConnected) return pads.delete(this); // Gradio tells no component; it is back when it draws again
    pads.add(this);
    this.refresh();
    const { canvas, pen, drawing } = this, { clientWidth: width, clientHeight: height } = canvas;
    if (!width) return; // drawn when it comes into sight
    drawing.scale = width / (drawing.extent[1] - drawing.extent[0]);
    const ratio = window.devicePixelRatio || 1, size = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    pen.setTransform(size[0] / width, 0, 0, size[1] / height, 0, 0);
    paint(pen, drawing, {
      width, height, tools: this.props.tools, colours: this.themed(), family: getComputedStyle(this.root).fontFamily,
      crosshair: document.activeElement === canvas ? this.cross : null,
      eraser: this.rubbing ? this.cursor : null,
    });
    this.root.dataset.mode = isDark() ? "dark" : "light";
  }

  themed() {
    const inTheme = (colour) => (Array.isArray(colour) ? colour.map(inTheme) : isDark() ? this.dark[colour] : colour);
    return Object.fromEntries(Object.entries(this.colours).map(([name, colour]) => [name, inTheme(colour)]));
  }
}

// ---- observers, shared ---------------------------------------------------------------------------------------------------

const isDark = () => document.body.classList.contains("dark");
const byCanvas = new WeakMap();
const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => byCanvas.get(target)?.schedule()));
const redrawAll = () => pads.forEach((pad) => pad.schedule());

new MutationObserver(redrawAll).observe(document.body, { attributes: true, attributeFilter: ["class"] });
window.addEventListener("resize", redrawAll); // also when the page is zoomed
document.fonts.ready.then(redrawAll);

export function mount(options) {
  const pad = new Pad(options);
  byCanvas.set(pad.canvas, pad);
  sizes.observe(pad.canvas);
  options.watch(["tools", "extent", "height", "label", "empty"], () => pad.arrange());
  options.watch("value", () => pad.load());
}
