// The player: its state, its controls, and when it draws. The value is JSON text and stays data: nothing of it is
// evaluated or written as HTML.

import { figureAtRest, layPanels } from "./player_axes.js";
import { decodePanel, isSameButShown, Painter, placeIn } from "./player_canvas.js";
import { Film, PASSAGE, REST } from "./player_film.js";
import { legendOf, timeIn, titlesOf } from "./player_names.js";
import { pageOf, save, viewsOf } from "./player_picture.js";

const SPEEDS = [0.25, 0.5, 1, 2];
const players = new WeakMap(); // by their stage, whose coming into sight is watched
const inPage = new Set();

class Player {
  constructor({ element, props, common, palette, plotly, select }) {
    Object.assign(this, { props, common, lightPalette: palette, plotlyUrl: plotly, select });
    this.root = element.querySelector(".gensot-player");
    const part = (name) => this.root.querySelector(name);
    Object.assign(this, {
      stage: part(".gensot-player-stage"), plot: part(".gensot-player-plot"), canvas: part("canvas"), titles: part(".gensot-player-titles"),
      legend: part(".gensot-player-legend"), slider: part("input"), clock: part("output"), note: part(".gensot-player-note"),
      layers: [...this.root.querySelectorAll("[data-layer]")], speeds: [...this.root.querySelectorAll("[data-speed]")],
    });
    this.text = null; // the value that is taken in
    this.shown = null; // the value that plotly has drawn
    this.value = null;
    this.panels = [];
    this.time = 0;
    this.speed = 1;
    this.loop = false;
    this.playing = false; // wanted; it moves while it is in sight, too
    this.inSight = false;
    this.chosen = new Map(); // what the visitor switched by hand: layer -> on
    this.show = new Set();
    this.stamps = []; // when the last frames were drawn, for data-fps
    this.nextDraw = this.nextFrame = 0; // the animation frames that are asked for
    this.drawn = false;
    this.film = new Film(this, part(".gensot-player-film"), part('[data-do="film"]'));
    this.listen();
  }

  // ---- drawing what is at rest -------------------------------------------------------------------------------------------

  schedule() {
    this.nextDraw ||= requestAnimationFrame(() => {
      this.nextDraw = 0;
      this.draw().catch((error) => this.fail(error));
    });
  }

  async draw() {
    if (!this.root.isConnected) return this.release();
    this.common.figures.add(this);
    inPage.add(this);
    sight.observe(this.stage);
    const text = this.props.value;
    if (!text) return this.showEmpty();
    if (text !== this.text) this.take(text);
    if (this.stage.clientWidth === 0) return; // drawn when it comes into sight
    this.lay();
    const [Plotly] = await Promise.all([this.common.loadPlotly(this.plotlyUrl), document.fonts.ready]);
    if (!this.root.isConnected || this.text !== this.props.value) return;
    if (this.plot._dragging || this.drawing) return this.schedule(); // never under the visitor's pointer, never twice at once
    this.drawing = true;
    try {
      const mode = this.common.isDark() ? "dark" : "light";
      const look = this.look(mode);
      const { data, layout } = figureAtRest(this.value, this.show, this.laid, look, this.zoom());
      this.root.dataset.mode = mode;
      this.titles.replaceChildren(...titlesOf(this.value.panels, this.laid.panels, look));
      this.legend.replaceChildren(...legendOf(this.value.modes, look.palette.data));
      if (!this.drawn) this.common.keepLinksLocal(this.plot);
      await Plotly.react(this.plot, data, layout, { displayModeBar: false, showTips: false, doubleClick: false, responsive: false });
      this.sharpen(look);
      if (!this.drawn) this.follow();
      this.drawn = true;
      this.shown = text;
    } finally {
      this.drawing = false;
    }
    this.request();
  }

  // The part of the extent that is seen now, if the value that is drawn has this extent.
  zoom() {
    const { layout, _fullLayout: axes } = this.plot;
    return axes && layout?.uirevision === JSON.stringify(this.value.extent) ? { x: [...axes.xaxis.range], y: [...axes.yaxis.range] } : undefined;
  }

  follow() {
    for (const event of ["plotly_relayout", "plotly_relayouting", "plotly_afterplot"]) this.plot.on(event, () => this.request());
    this.plot.on("plotly_doubleclick", () => {
      const [x0, x1, y0, y1] = this.value.extent;
      window.Plotly.relayout(this.plot, { "xaxis.range": [x0, x1], "yaxis.range": [y0, y1] });
    });
  }

  look(mode) {
    const palette = JSON.parse(this.common.inTheme(JSON.stringify({ ...this.lightPalette, dark: {} }), this.lightPalette, mode));
    return {
      palette, template: this.common.template(this.lightPalette, mode, getComputedStyle(this.root).fontFamily),
      themed: (colour) => (mode === "dark" && this.lightPalette.dark[colour]) || colour,
    };
  }

  lay() {
    this.laid = layPanels(this.value.panels.length, this.stage.clientWidth, this.value.extent);
    this.width = this.stage.clientWidth;
    this.stage.style.height = `${this.laid.height}px`; // the page does not jump when the figure arrives
  }

  sharpen(look) {
    const density = Math.min(2, window.devicePixelRatio || 1);
    this.canvas.width = Math.round(this.laid.width * density);
    this.canvas.height = Math.round(this.laid.height * density);
    this.painter = new Painter(this.canvas.getContext("2d"), density, look.palette);
  }

  // ---- the value ---------------------------------------------------------------------------------------------------------

  take(text) {
    const value = JSON.parse(text);
    const before = this.value && isSameButShown(this.value, value) ? this.time : null;
    this.value = value;
    this.text = text;
    const { times, panels, modes, description, autoplay } = this.value;
    this.panels = panels.map((panel) => decodePanel(panel, modes.length));
    if (before !== null) this.chosen.clear(); // somebody asked for another view of the same
    this.places = {
      particles: true, trails: true, density: true, pairing: true, target: Boolean(this.value.target),
      field: panels.some(({ field }) => field), guide: panels.some(({ guide, tube }) => guide || tube),
    };
    this.root.dataset.state = "player";
    this.root.dataset.panels = panels.length;
    this.root.tabIndex = 0;
    this.root.setAttribute("aria-label", description || "Player");
    this.plot.setAttribute("role", "img");
    this.plot.setAttribute("aria-label", description || "Player");
    this.note.textContent = "";
    Object.assign(this.slider, { min: times[0], max: times.at(-1) });
    this.decide();
    if (before !== null) return this.setTime(before);
    this.playing = autoplay && !this.common.reducedMotion();
    this.setTime(this.playing ? times[0] : times.at(-1));
  }

  // What is shown: the visitor's choice, else the value's, out of what there is.
  decide() {
    const on = (layer) => this.places[layer] && (this.chosen.get(layer) ?? this.value.show.includes(layer));
    this.show = new Set(Object.keys(this.places).filter(on));
    for (const button of this.layers) {
      if (button.dataset.layer === "field") button.textContent = this.value.field;
      button.hidden = !this.places[button.dataset.layer];
      button.setAttribute("aria-pressed", this.show.has(button.dataset.layer));
    }
  }

  toggle(layer) {
    this.chosen.set(layer, !this.show.has(layer));
    this.decide();
    if (layer === "guide" || layer === "target") this.schedule();
    this.request();
    const show = this.layers.map(({ dataset }) => dataset.layer).filter((name) => this.show.has(name));
    this.select({ show, frame: placeIn(this.value.times, this.time).frame });
  }

  // ---- time --------------------------------------------------------------------------------------------------------------

  setTime(time) {
    const { times } = this.value;
    this.time = Math.min(times.at(-1), Math.max(times[0], time));
    const span = times.at(-1) - times[0];
    this.slider.value = this.time;
    this.slider.style.setProperty("--range_progress", `${(100 * (this.time - times[0])) / span}%`);
    const words = timeIn(this.value.clock, this.time);
    if (this.clock.textContent !== words) this.clock.textContent = words;
    if (!this.playing) this.slider.setAttribute("aria-valuetext", words); // not spoken while it moves
    this.root.dataset.time = this.time.toFixed(4);
    this.root.dataset.frame = placeIn(times, this.time).frame;
    this.request();
  }

  setPlaying(playing) {
    const { times } = this.value;
    this.playing = playing;
    this.setTime(playing && this.time >= times.at(-1) ? times[0] : this.time);
  }

  goTo(time) {
    this.playing = false;
    this.setTime(time);
  }

  step(direction) {
    const { times } = this.value;
    const { frame, part } = placeIn(times, this.time);
    const to = direction > 0 ? frame + 1 : part > 0 ? frame : frame - 1;
    this.goTo(times[Math.min(times.length - 1, Math.max(0, to))]);
  }

  setSpeed(speed) {
    this.speed = speed;
    for (const button of this.speeds) button.setAttribute("aria-pressed", Number(button.dataset.speed) === speed);
  }

  setLoop(loop) {
    this.loop = loop;
    this.root.querySelector('[data-do="loop"]').setAttribute("aria-pressed", loop);
  }

  // Whether the axes on the page are those of the value: a new one is taken in before plotly has drawn it.
  stands() {
    return this.drawn && !this.drawing && this.shown === this.text;
  }

  moves() {
    return this.playing && this.stands() && this.inSight && !document.hidden && this.root.isConnected;
  }

  // Asks for one animation frame: it advances the time if the player moves, and draws.
  request() {
    const button = this.root.querySelector('[data-do="play"]');
    const label = this.playing ? "Pause" : "Play";
    if (button.title !== label) {
      button.title = label;
      button.setAttribute("aria-label", label);
    }
    const moving = this.moves();
    this.root.dataset.playing = moving;
    if (!moving) this.last = null;
    this.nextFrame ||= requestAnimationFrame((now) => {
      this.nextFrame = 0;
      if (!this.root.isConnected) return this.release();
      if (this.moves()) this.advance(now);
      if (this.stands()) this.paintWith(this.painter);
      if (this.moves()) this.request();
    });
  }

  advance(now) {
    const { times } = this.value;
    const end = times.at(-1);
    const passed = this.last === null || this.last === undefined ? 0 : Math.min(250, now - this.last);
    this.last = now;
    this.count(now, passed);
    if (this.time < end) {
      this.setTime(this.time + (passed * this.speed * (end - times[0])) / PASSAGE);
      this.restedSince = now;
    }
    if (this.time < end) return;
    if (!this.loop) this.setPlaying(false);
    else if (now - this.restedSince > REST) this.setTime(times[0]);
  }

  count(now, passed) {
    if (!passed) this.stamps = [];
    this.stamps = [...this.stamps.filter((stamp) => now - stamp <= 2000), now];
    if (this.stamps.length < 2 || now - (this.counted ?? 0) < 500) return;
    this.counted = now;
    this.root.dataset.fps = ((1000 * (this.stamps.length - 1)) / (now - this.stamps[0])).toFixed(1);
  }

  paintWith(painter) {
    const { times } = this.value;
    painter.paint(this.panels, this.views(), { time: this.time, ...placeIn(times, this.time) }, this.show, times.length);
  }

  // Data to pixels as plotly has them now, after any zoom.
  views() {
    return viewsOf(this.plot, this.panels.length);
  }

  // ---- controls ----------------------------------------------------------------------------------------------------------

  listen() {
    const actions = {
      back: () => this.step(-1), forward: () => this.step(1), play: () => this.setPlaying(!this.playing),
      loop: () => this.setLoop(!this.loop), download: () => this.download().catch((error) => console.error("player:", error)),
      film: () => this.film.toggle(),
    };
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest?.("button");
      if (!button || !this.value) return;
      const { do: action, speed, layer } = button.dataset;
      if (action) actions[action]();
      if (speed) this.setSpeed(Number(speed));
      if (layer) this.toggle(layer);
    });
    this.slider.addEventListener("input", () => this.goTo(Number(this.slider.value)));
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.setSpeed(1);
    this.setLoop(false);
  }

  key(event) {
    if (!this.value || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target.closest("button")) return; // it presses that button
    const quicker = (by) => this.setSpeed(SPEEDS[Math.min(3, Math.max(0, SPEEDS.indexOf(this.speed) + by))]);
    const play = () => this.setPlaying(!this.playing);
    const keys = {
      " ": play, k: play, l: () => this.setLoop(!this.loop), "[": () => quicker(-1), "]": () => quicker(1),
      ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1),
      Home: () => this.goTo(this.value.times[0]), End: () => this.goTo(this.value.times.at(-1)),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault(); // the slider's own step, and the page's scrolling
    action();
  }

  // The moment as a picture on white, whatever the screen's theme. It has the axes as they are zoomed now.
  async download() {
    const page = await pageOf(this.scene("light", this.laid, 2));
    try {
      save(await page.at(this.time, "image/png"), `${this.props.filename || "gensot"}.png`);
    } finally {
      page.release();
    }
  }

  // Everything that a picture of any moment needs; later changes on the page leave it alone.
  scene(mode, laid, density) {
    const { value, panels } = this;
    const [look, show] = [this.look(mode), new Set(this.show)];
    const figure = figureAtRest(value, show, laid, look, this.zoom());
    const draw = (painter, views, time) => painter.paint(panels, views, { time, ...placeIn(value.times, time) }, show, value.times.length);
    return { figure, draw, look, value, laid, density, family: getComputedStyle(this.root).fontFamily, panels: panels.length };
  }

  // ---- coming and going --------------------------------------------------------------------------------------------------

  showEmpty(words = this.props.empty || "") {
    this.purge();
    this.text = this.value = null;
    this.playing = false;
    this.panels = [];
    this.root.dataset.state = "empty";
    this.root.dataset.playing = "false";
    this.root.dataset.panels = 0;
    this.root.removeAttribute("tabindex");
    this.root.removeAttribute("aria-label");
    this.note.textContent = words;
  }

  fail(error) {
    this.showEmpty("This could not be drawn.");
    console.error("player:", error);
  }

  resized() {
    if (!this.root.isConnected) return this.release();
    if (this.stage.clientWidth === 0 || (this.drawn && this.stage.clientWidth === this.width)) return;
    this.schedule();
  }

  purge() {
    if (this.drawn) window.Plotly.purge(this.plot);
    this.drawn = false;
    this.shown = null;
    this.canvas.width = this.canvas.height = 0;
    this.painter = null;
  }

  // Removed from the page (Gradio tells no component): give back the memory. It draws again if it is put back.
  release() {
    this.purge();
    sight.unobserve(this.stage);
    this.common.figures.delete(this);
    inPage.delete(this);
  }
}

// ---- observers, shared -----------------------------------------------------------------------------------------------------

const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const player = players.get(target);
    player.inSight = isIntersecting;
    player.request();
  }
});
document.addEventListener("visibilitychange", () => inPage.forEach((player) => player.request()));

export function mount(options) {
  const player = new Player(options);
  players.set(player.stage, player);
  options.common.observe(player);
  options.watch(["value", "empty"], () => player.schedule());
  player.schedule();
}
