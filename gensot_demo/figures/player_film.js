// The player's animation as a film: every frame is drawn at its own moment, by the code that draws on the page, however
// slow the machine is; the app makes them a file.

import { layPanels } from "./player_axes.js";
import { pageOf, save } from "./player_picture.js";

export const PASSAGE = 4000; // milliseconds from the first to the last frame at normal speed
export const REST = 900; // milliseconds at the end before it begins again
const WIDTH = 720; // pixels, on every screen
const RATE = 20; // frames a second: a whole number of the hundredths that a GIF counts
const MOST = 240; // frames
const DRAWN_AS = { gif: ["image/png"], mp4: ["image/jpeg", 0.95], webm: ["image/jpeg", 0.95] };

export class Film {
  constructor(player, row, opener) {
    Object.assign(this, { player, row, opener, said: row.querySelector("[role=status]"), running: null });
    this.kinds = [...row.querySelectorAll("[data-film]:not([data-film=''])")];
    this.cancel = row.querySelector("[data-film='']");
    row.addEventListener("click", (event) => {
      const kind = event.target.closest("button")?.dataset.film;
      if (kind === "") this.running?.abort();
      else if (kind && !this.running) this.make(kind);
    });
  }

  toggle() {
    this.row.hidden = !this.row.hidden;
    this.opener.setAttribute("aria-expanded", !this.row.hidden);
    if (this.row.hidden) this.running?.abort();
    else this.say("");
  }

  say(words, wrong = false) {
    this.said.textContent = words;
    this.said.dataset.state = wrong ? "error" : "";
  }

  async make(kind) {
    this.running = new AbortController();
    const { signal } = this.running;
    this.mark(true);
    try {
      const { rate, frames } = await this.draw(DRAWN_AS[kind], signal);
      this.say("Encoding…");
      save(await encoded(kind, rate, frames, signal), `${this.player.props.filename || "gensot"}.${kind}`);
      this.say(`Saved: ${frames.length} frames.`);
    } catch (error) {
      if (signal.aborted) this.say("Cancelled.");
      else {
        this.say(error instanceof Sentence ? error.message : "The film could not be made.", true);
        if (!(error instanceof Sentence)) console.error("player:", error);
      }
    } finally {
      this.running = null;
      this.mark(false);
    }
  }

  mark(busy) {
    this.cancel.hidden = !busy;
    for (const button of this.kinds) button.disabled = busy;
  }

  // All frames, as long together as the animation takes at the chosen speed.
  async draw(type, signal) {
    const { player } = this;
    if (!player.stands()) throw new Sentence("The animation is still being drawn; please try again.");
    const { value, speed } = player;
    const seconds = PASSAGE / speed / 1000;
    const count = Math.min(MOST, Math.round(seconds * RATE));
    const laid = layPanels(value.panels.length, WIDTH, value.extent);
    const page = await pageOf(player.scene(player.root.dataset.mode, laid, 1));
    const [first, last] = [value.times[0], value.times.at(-1)];
    const frames = [];
    try {
      for (let n = 0; n < count; n++) {
        this.say(`Drawing frame ${n + 1} of ${count}`);
        frames.push(await page.at(first + ((last - first) * n) / (count - 1), ...type));
        if (signal.aborted) throw new Error("cancelled");
      }
    } finally {
      page.release();
    }
    return { rate: count / seconds, frames };
  }
}

class Sentence extends Error {}

// Each frame after its length in four bytes.
async function encoded(kind, rate, frames, signal) {
  const parts = frames.flatMap((frame) => {
    const length = new DataView(new ArrayBuffer(4));
    length.setUint32(0, frame.size);
    return [length.buffer, frame];
  });
  const root = new URL(window.gradio_config?.root || "/", location.href).pathname.replace(/\/$/, "");
  const fields = new URLSearchParams({ kind, rate, hold: REST / 1000, title: document.title, comment: settings() });
  let answer;
  try {
    answer = await fetch(`${root}/gensot/film?${fields}`, { method: "POST", body: new Blob(parts), signal });
  } catch (error) {
    throw signal.aborted ? error : new Sentence("The frames did not reach the app. Is it still there?");
  }
  if (answer.ok) return answer.blob();
  const told = await answer.json().catch(() => ({}));
  throw new Sentence(told.error || "The film could not be made.");
}

// The page's link, as the buttons copy it.
function settings() {
  const query = document.querySelector("#query :is(textarea, input)")?.value || location.search;
  return query.replace(/^\?/, "");
}
