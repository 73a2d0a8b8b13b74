// Draws the figures of the page. One plotly.js, one set of observers for all figures; loaded once, when the first figure
// mounts. A figure's value is JSON text and stays data: nothing here evaluates it or writes it as HTML.

export const figures = new Set(); // those on the page: theme changes call their schedule()
let plotlyReady = null;

export function loadPlotly(url) {
  plotlyReady ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotlyReady = null;
      reject(new Error(`could not load ${url}`));
    };
    document.head.append(script);
  });
  return plotlyReady;
}

// ---- theme -------------------------------------------------------------------------------------------------------------

export const isDark = () => document.body.classList.contains("dark");
export const reducedMotion = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const scale = (colours) => colours.map((colour, index) => [index / (colours.length - 1), colour]);

// The palette's light colours, as written in a figure: "#2166ac", or with an opacity "#2166ac40".
export function inTheme(value, palette, mode) {
  if (mode === "light") return value;
  return value.replace(/"#([0-9a-f]{6})([0-9a-f]{2})?"/g, (whole, colour, opacity = "") => {
    const dark = palette.dark[`#${colour}`];
    return dark ? `"${dark}${opacity}"` : whole;
  });
}

export function template(palette, mode, family) {
  const { data, ink, muted, line, paper, sequential, diverging } = JSON.parse(inTheme(JSON.stringify(palette), palette, mode));
  const clear = "rgba(0,0,0,0)";
  const axis = {
    gridcolor: line, linecolor: line, zerolinecolor: line, tickcolor: line, zerolinewidth: 1,
    tickfont: { color: muted, size: 12 }, title: { font: { color: muted, size: 13 }, standoff: 8 },
    automargin: true, ticklabeloverflow: "hide past div",
  };
  const colorbar = { outlinewidth: 0, ticks: "", thickness: 12, tickfont: { color: muted } };
  const colorscale = scale(sequential);
  return {
    layout: {
      font: { family, size: 13, color: ink },
      title: { font: { size: 15, color: ink }, x: 0, xref: "paper", xanchor: "left" },
      paper_bgcolor: clear, plot_bgcolor: clear, colorway: data,
      colorscale: { sequential: colorscale, sequentialminus: colorscale, diverging: scale(diverging) },
      coloraxis: { colorbar },
      xaxis: axis, yaxis: axis,
      scene: Object.fromEntries(["xaxis", "yaxis", "zaxis"].map((name) =>
        [name, { gridcolor: line, linecolor: line, zerolinecolor: line, backgroundcolor: clear, tickfont: { color: muted } }])),
      legend: { bgcolor: clear, font: { color: ink, size: 12 }, orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" },
      hoverlabel: { bgcolor: paper, bordercolor: line, font: { color: ink, size: 12 } },
      annotationdefaults: { font: { color: muted }, arrowcolor: muted },
      shapedefaults: { line: { color: muted } },
      margin: { l: 48, r: 16, t: 36, b: 40 },
      hovermode: "closest",
    },
    data: {
      heatmap: [{ colorscale, colorbar }], contour: [{ colorscale, colorbar }], histogram2d: [{ colorscale, colorbar }],
      bar: [{ marker: { line: { width: 0 } } }],
    },
  };
}

// Clips and patterns are links within the page. On a page with a base, plotly writes them with the address of the day: they
// are lost once the address follows a control. So they stay without one.
export function keepLinksLocal(plot) {
  let context;
  const own = { configurable: true, get: () => "", set: () => {} };
  Object.defineProperty(plot, "_context", {
    configurable: true, enumerable: true, get: () => context,
    set: (value) => (context = value && Object.defineProperty(value, "_baseUrl", own)),
  });
}

// ---- one figure ----------------------------------------------------------------------------------------------------------

class Figure {
  constructor({ element, props, palette, plotly, select }) {
    Object.assign(this, { props, palette, plotlyUrl: plotly, select });
    this.root = element.querySelector(".gensot-figure");
    this.plot = element.querySelector(".gensot-figure-plot");
    this.note = element.querySelector(".gensot-figure-note");
    this.frame = 0; // the animation frame that will draw, 0 when none is asked for
    this.drawn = false;
  }

  schedule() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw().catch((error) => this.fail(error));
    });
  }

  compose(mode) {
    const { data = [], layout = {}, frames } = JSON.parse(inTheme(this.props.value, this.palette, mode));
    const height = layout.height || Number(this.props.height) || 320;
    const composed = { uirevision: "keep", ...layout, template: template(this.palette, mode, getComputedStyle(this.root).fontFamily), autosize: true, height };
    delete composed.width;
    if (reducedMotion()) delete composed.transition;
    return { data, layout: composed, frames };
  }

  async draw() {
    if (!this.root.isConnected) return this.release();
    figures.add(this);
    const text = this.props.value;
    this.reserve(Number(this.props.height) || 320);
    if (!text) return this.showEmpty();
    const [Plotly] = await Promise.all([loadPlotly(this.plotlyUrl), document.fonts.ready]);
    if (!this.root.isConnected || this.root.clientWidth === 0) return; // drawn when it comes into sight
    if (this.plot._dragging || this.drawing) return this.schedule(); // never under the visitor's pointer, never twice at once
    this.drawing = true;
    try {
      const mode = isDark() ? "dark" : "light";
      const { data, layout } = this.compose(mode);
      this.describe(layout.meta?.description);
      this.reserve(layout.height);
      this.note.textContent = "";
      this.root.dataset.state = "figure";
      if (!this.drawn) keepLinksLocal(this.plot);
      await Plotly.react(this.plot, data, layout, this.config());
      if (!this.drawn) this.listen();
      this.drawn = true;
      this.width = this.root.clientWidth;
      this.root.dataset.mode = mode;
      this.root.dataset.draws = Number(this.root.dataset.draws || 0) + 1;
    } finally {
      this.drawing = false;
    }
  }

  config() {
    const button = (format, title, path) => ({
      name: `download-${format}`, title, icon: { width: 24, height: 24, path }, click: () => this.download(format),
    });
    const arrow = "M11 3h2v9l3-3 1.4 1.4L12 15.8l-5.4-5.4L8 9l3 3z";
    this.fixedConfig ??= {
      displaylogo: false, responsive: false, displayModeBar: "hover", showTips: false, doubleClick: "reset+autosize",
      modeBarButtons: [[
        button("png", "Download as PNG", `${arrow}M4 18h16v3H4z`),
        button("svg", "Download as SVG", `${arrow}M4 18h4v3H4zM10 18h4v3h-4zM16 18h4v3h-4z`),
      ]],
    };
    return this.fixedConfig;
  }

  // A downloaded picture goes to a white page, whatever the screen's theme.
  async download(format) {
    const { data, layout } = this.compose("light");
    const seen = this.plot.layout;
    for (const name of Object.keys(seen)) {
      if (/^[xy]axis\d*$/.test(name) && seen[name].range) layout[name] = { ...layout[name], range: seen[name].range, autorange: false };
    }
    Object.assign(layout, { paper_bgcolor: "#ffffff", autosize: false, width: this.root.clientWidth });
    await window.Plotly.downloadImage({ data, layout }, {
      format, filename: this.props.filename || "gensot", width: layout.width, height: layout.height, scale: format === "png" ? 3 : 1,
    });
  }

  listen() {
    this.plot.on("plotly_click", ({ points }) => {
      const point = points?.[0];
      if (!point) return;
      const { x = null, y = null, customdata = null, curveNumber, data } = point;
      this.select({ curve: curveNumber, name: data?.name ?? null, point: point.pointNumber ?? null, x, y, customdata });
    });
  }

  describe(text) {
    this.plot.setAttribute("role", "figure"); // no "img": its bar holds buttons
    this.plot.setAttribute("aria-label", text || this.props.description || "Figure");
  }

  reserve(height) {
    this.root.style.minHeight = `${height}px`; // the page does not jump when the figure arrives
  }

  showEmpty() {
    this.purge();
    this.plot.removeAttribute("role");
    this.plot.removeAttribute("aria-label");
    this.root.dataset.state = "empty";
    this.note.textContent = this.props.empty || "";
  }

  fail(error) {
    this.purge();
    this.root.dataset.state = "empty";
    this.note.textContent = "This figure could not be drawn.";
    console.error("figure:", error);
  }

  resized() {
    if (!this.root.isConnected) return this.release();
    const width = this.root.clientWidth;
    if (width === 0 || (this.drawn && width === this.width)) return;
    if (!this.drawn) return this.schedule();
    this.width = width;
    this.schedule();
  }

  purge() {
    if (this.drawn) window.Plotly.purge(this.plot);
    this.drawn = false;
  }

  // Removed from the page (Gradio tells no component): give back plotly's memory. It draws again if it is put back.
  release() {
    this.purge();
    figures.delete(this);
  }
}

// ---- observers, shared ---------------------------------------------------------------------------------------------------

const byRoot = new WeakMap();
const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => byRoot.get(target)?.resized()));
const redrawAll = () => figures.forEach((figure) => figure.schedule());

let wasDark = isDark();
new MutationObserver(() => {
  if (isDark() === wasDark) return;
  wasDark = isDark();
  redrawAll();
}).observe(document.body, { attributes: true, attributeFilter: ["class"] });
for (const query of ["(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)"]) {
  window.matchMedia(query).addEventListener("change", redrawAll);
}

// Calls the figure's resized() when its root gets a size, another one, or leaves the page.
export function observe(figure) {
  byRoot.set(figure.root, figure);
  sizes.observe(figure.root);
}

export function mount(options) {
  const figure = new Figure(options);
  observe(figure);
  options.watch(["value", "height", "description", "empty"], () => figure.schedule());
  figure.schedule();
}
