// A wall of pictures: one row per method, one column per seed; a click or Enter asks for a picture's story.
// The value is JSON text and stays data: nothing of it is evaluated or written as HTML.

const wall = element.querySelector(".gensot-wall");

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function heading(row) {
  const mark = make("span", { className: "gensot-wall-mark", textContent: row.glyph || "" });
  if (row.colour) mark.style.color = `var(--gensot-${row.colour}, currentColor)`;
  mark.setAttribute("aria-hidden", "true");
  const words = make("span", {}, make("b", { textContent: row.label }), make("small", { textContent: row.note || "" }));
  return make("div", { className: "gensot-wall-head" }, mark, words);
}

// Without a source there is no picture: the caption says why, in the picture's place.
function cell(row, rowIndex, item, column, pressable) {
  const picture = item.src
    ? [make("img", { src: item.src, alt: item.alt || "", width: 96, height: 96, draggable: false })]
    : [];
  const caption = make("span", { className: item.src ? "gensot-wall-caption" : "gensot-wall-words", textContent: item.caption || "" });
  if (!pressable) return make("div", { className: "gensot-wall-cell" }, ...picture, caption);
  const button = make("button", { type: "button", className: "gensot-wall-cell", title: item.alt || "" }, ...picture, caption);
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    wall.querySelectorAll('[aria-pressed="true"]').forEach((other) => other.setAttribute("aria-pressed", "false"));
    button.setAttribute("aria-pressed", "true");
    trigger("select", { row: row.name, column });
  });
  return button;
}

// While a run goes on only pictures change: swapping their sources keeps focus, scroll and layout.
function swapped(value) {
  const rows = [...wall.querySelectorAll(".gensot-wall-row")];
  if (wall.dataset.shape !== value.shape || rows.length !== value.rows.length) return false;
  value.rows.forEach((row, index) => {
    rows[index].querySelector("small").textContent = row.note || "";
    const cells = rows[index].querySelectorAll(".gensot-wall-cell");
    row.items.forEach((item, column) => {
      const picture = cells[column].querySelector("img");
      if (picture && picture.src !== item.src) picture.src = item.src;
      if (picture) picture.alt = item.alt || "";
      if (cells[column].tagName === "BUTTON") cells[column].title = item.alt || "";
      cells[column].querySelector("span").textContent = item.caption || "";
    });
  });
  return true;
}

function draw() {
  const value = props.value ? JSON.parse(props.value) : null;
  if (!value) {
    wall.replaceChildren(...(props.empty ? [make("p", { className: "gensot-wall-empty", textContent: props.empty })] : []));
    wall.dataset.shape = "";
    return;
  }
  if (swapped(value)) return;
  wall.dataset.shape = value.shape;
  wall.style.setProperty("--columns", Math.max(...value.rows.map((row) => row.items.length), 1));
  const titled = (text) => (text ? [make("h3", { className: "gensot-wall-title", textContent: text })] : []);
  const top = () => make("div", { className: "gensot-wall-columns" }, make("span"), ...value.columns.map((text) => make("span", { textContent: text })));
  const rows = value.rows.flatMap((row, index) => [
    ...(row.section ? [...titled(row.section), top()] : []),
    make("div", { className: "gensot-wall-row" }, heading(row), ...row.items.map((item, column) => cell(row, index, item, column, value.pressable))),
  ]);
  wall.replaceChildren(...titled(value.title), ...(value.rows[0]?.section ? [] : [top()]), ...rows);
  wall.setAttribute("aria-label", value.description || "");
}

watch("value", draw);
draw();
