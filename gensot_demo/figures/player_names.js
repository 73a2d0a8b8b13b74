// The player's words: a title over each panel and the legend of destinations. Texts are set as text, never as HTML.

import { SHAPES } from "./player_marks.js";

export function titlesOf(panels, places, { themed }) {
  const notes = panels.some(({ note }) => note);
  return panels.map((panel, n) => {
    const glyph = make("span", { textContent: panel.glyph });
    glyph.setAttribute("aria-hidden", "true");
    glyph.style.color = themed(panel.colour);
    const title = make("div", { title: [panel.label, panel.note].filter(Boolean).join("\n") },
      make("b", {}, glyph, make("span", { textContent: panel.label })), ...(notes ? [make("small", { textContent: panel.note })] : []));
    const { left, top, width, title: height } = places[n];
    Object.assign(title.style, { left: `${left}px`, top: `${top - height}px`, width: `${width}px`, height: `${height}px` });
    return title;
  });
}

export function legendOf(modes, colours) {
  return modes.map((name, mode) => make("li", {}, mark(mode, colours[mode % colours.length]), make("span", { textContent: name })));
}

// A time from 0 to 1 in the words of the value.
export function timeIn(clock, time) {
  if (!clock) return `t = ${time.toFixed(2)}`;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(clock.end)));
  return `${clock.name} = ${(time * clock.end).toFixed(digits)}`;
}

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function mark(mode, colour) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const outline = document.createElementNS("http://www.w3.org/2000/svg", "path");
  picture.setAttribute("viewBox", "-1.5 -1.5 3 3");
  picture.setAttribute("aria-hidden", "true");
  outline.setAttribute("d", SHAPES[mode]);
  outline.setAttribute("fill", colour);
  picture.append(outline);
  return picture;
}
