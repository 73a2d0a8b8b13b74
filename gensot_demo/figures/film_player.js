// Films side by side, always at the same frame. The value is JSON text and stays data: nothing of it is evaluated or
// written as HTML.

const A_FRAME = 170; // milliseconds at normal speed
const root = element.querySelector(".gensot-films");
const stage = root.querySelector(".gensot-films-stage");
const slider = root.querySelector("input");
const clock = root.querySelector("output");
const note = root.querySelector(".gensot-player-note");
const playButton = root.querySelector('[data-do="play"]');
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

let value = null;
let cells = [];
let frame = 0;
let speed = 1;
let playing = !calm.matches; // wanted; it moves while it is in sight and there is something to play
let inSight = false;
let timer = 0;

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function cellOf(film) {
  const mark = make("span", { className: "gensot-wall-mark", textContent: film.glyph || "" });
  mark.setAttribute("aria-hidden", "true");
  const canvas = make("canvas", { width: film.side, height: film.side });
  canvas.setAttribute("role", "img");
  const words = make("b", {}, mark, make("span", { textContent: film.label }));
  const caption = make("small", { className: "gensot-films-caption" });
  const remark = make("small", { textContent: film.note || "" });
  const node = make("figure", {}, canvas, make("figcaption", {}, words, remark, caption));
  node.dataset.film = film.name;
  return { node, mark, canvas, caption, remark, strip: null, film };
}

// While a run goes on only strips change: the cells stay, so nothing jumps.
function take() {
  const next = props.value ? JSON.parse(props.value) : null;
  const films = next ? next.films : [];
  root.dataset.state = films.length ? "films" : "empty";
  note.textContent = films.length ? "" : props.empty || "";
  root.setAttribute("aria-label", next ? next.description : props.empty || "");
  const same = value && next && cells.length === films.length && cells.every((cell, n) => cell.film.name === films[n].name && cell.film.side === films[n].side);
  const wasFinished = value?.finished;
  value = next;
  if (!same) {
    cells = films.map(cellOf);
    stage.replaceChildren(...cells.map((cell) => cell.node));
  }
  cells.forEach((cell, n) => {
    const film = films[n];
    cell.film = film;
    cell.mark.style.color = film.colour ? `var(--gensot-${film.colour}, currentColor)` : "";
    cell.remark.textContent = film.note || "";
    const strip = new Image();
    strip.onload = () => {
      if (cell.film !== film) return; // a newer one has come
      cell.strip = strip;
      paint(cell);
    };
    strip.src = film.src;
  });
  const frames = value ? value.frames : 1;
  slider.max = Math.max(frames - 1, 1);
  if (frame >= frames || (next?.finished && wasFinished === false)) frame = 0;
  show();
  move();
}

function paint(cell) {
  const { film, canvas, strip } = cell;
  const pen = canvas.getContext("2d");
  const there = frame < film.frames;
  pen.clearRect(0, 0, film.side, film.side);
  if (strip && there) pen.drawImage(strip, frame * film.side, 0, film.side, film.side, 0, 0, film.side, film.side);
  const said = there ? film.captions[frame] || "" : "…";
  if (cell.caption.textContent !== said) cell.caption.textContent = said;
  canvas.setAttribute("aria-label", `${film.label}, frame ${frame + 1}${there ? (said ? `: ${said}` : "") : ": not there yet"}`);
}

function show() {
  if (!value) return;
  cells.forEach(paint);
  slider.value = frame;
  slider.style.setProperty("--range_progress", `${(100 * frame) / slider.max}%`);
  slider.setAttribute("aria-valuetext", `frame ${frame + 1} of ${value.frames}`);
  clock.textContent = `${frame + 1} / ${value.frames}`;
  root.dataset.frame = frame;
}

function go(to) {
  if (!value) return;
  frame = (to + value.frames) % value.frames;
  show();
}

function set(on) {
  playing = on;
  const title = on ? "Pause" : "Play";
  playButton.title = title;
  playButton.setAttribute("aria-label", title);
  root.dataset.playing = String(on);
  move();
}

function move() {
  clearTimeout(timer);
  if (!playing || !inSight || document.hidden || !value?.films.length || !root.isConnected) return;
  const rest = frame === value.frames - 1 ? 4 : 1; // a breath before it begins again
  timer = setTimeout(() => {
    go(frame + 1);
    move();
  }, (rest * A_FRAME) / speed);
}

function choose(button) {
  speed = Number(button.dataset.speed);
  for (const other of root.querySelectorAll("[data-speed]")) other.setAttribute("aria-pressed", String(other === button));
  move();
}

root.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.speed) return choose(button);
  if (button.dataset.do === "play") return set(!playing);
  set(false);
  go(frame + (button.dataset.do === "back" ? -1 : 1));
});
slider.addEventListener("input", () => {
  set(false);
  go(Number(slider.value));
});
root.addEventListener("keydown", (event) => {
  if (event.target.closest("button, input") && event.key === " ") return; // a button's own
  const acts = { " ": () => set(!playing), ArrowLeft: () => go(frame - 1), ArrowRight: () => go(frame + 1), Home: () => go(0), End: () => go(value.frames - 1) };
  const act = acts[event.key];
  if (!act || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (event.key !== " ") set(false);
  act();
});
new IntersectionObserver((entries) => {
  inSight = entries[entries.length - 1].isIntersecting;
  move();
}).observe(root);
document.addEventListener("visibilitychange", move);
calm.addEventListener("change", () => calm.matches && set(false));

choose(root.querySelector('[data-speed="1"]'));
set(playing);
watch("value", take);
take();
