// What is at rest in the player: where the panels lie, and one plotly figure with their axes, the target, guides and tubes.

const NARROW = 560; // pixels of width below which there are two columns

// Where each panel lies, in pixels, and how high all are together. Equal aspect: a panel is as high as its extent asks for.
export function layPanels(count, width, [x0, x1, y0, y1]) {
  const narrow = width < NARROW;
  const columns = Math.min(count, narrow || count === 4 ? 2 : 3);
  const rows = Math.ceil(count / columns);
  const aspect = (y1 - y0) / (x1 - x0);
  const edge = narrow
    ? { left: 30, right: 10, gap: 12, title: 42, above: 8, between: 10, below: 26 }
    : { left: 40, right: 18, gap: 24, title: 46, above: 14, between: 22, below: 28 };
  const longest = rows === 1 ? 420 : 280;
  const room = (width - edge.left - edge.right - edge.gap * (columns - 1)) / columns;
  const w = Math.floor(Math.max(40, Math.min(room, longest, longest / aspect)));
  const h = Math.round(w * aspect);
  const start = Math.round(edge.left + (room - w) * columns / 2);
  const panels = Array.from({ length: count }, (_, n) => {
    const [row, column] = [Math.floor(n / columns), n % columns];
    const lowest = n + columns >= count;
    return {
      left: start + column * (w + edge.gap), top: edge.above + edge.title + row * (h + edge.title + edge.between), width: w, height: h,
      ticks: { x: lowest, y: column === 0 }, title: edge.title,
    };
  });
  return { panels, width, height: edge.above + rows * (h + edge.title + edge.between) - edge.between + edge.below, narrow };
}

// The plotly figure. `look` is {palette, template, themed}: colours of the theme, and what takes a light colour to it.
// `seen` is the part of the extent to show, {x, y}.
export function figureAtRest(value, show, laid, look, seen = { x: value.extent.slice(0, 2), y: value.extent.slice(2) }) {
  const { muted, line } = look.palette;
  const small = { size: laid.narrow ? 10 : 11, color: muted };
  const layout = {
    template: look.template, uirevision: JSON.stringify(value.extent), autosize: false, width: laid.width, height: laid.height,
    margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false, hovermode: false,
    dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
  };
  const axis = {
    showgrid: false, zeroline: false, showline: true, mirror: true, linecolor: line, linewidth: 1,
    ticklen: 4, tickcolor: line, nticks: laid.narrow ? 4 : 6, tickfont: small, automargin: false,
  };
  const data = [];
  value.panels.forEach((panel, n) => {
    const number = n ? String(n + 1) : "";
    const { left, top, width, height, ticks } = laid.panels[n];
    layout[`xaxis${number}`] = {
      ...axis, anchor: `y${number}`, domain: [left / laid.width, (left + width) / laid.width], range: seen.x,
      showticklabels: ticks.x, ticks: ticks.x ? "outside" : "", ...(n ? { matches: "x" } : {}),
    };
    layout[`yaxis${number}`] = {
      ...axis, anchor: `x${number}`, domain: [1 - (top + height) / laid.height, 1 - top / laid.height], range: seen.y,
      showticklabels: ticks.y, ticks: ticks.y ? "outside" : "", ...(n ? { matches: "y" } : { scaleanchor: "x" }),
    };
    const common = { xaxis: `x${number}`, yaxis: `y${number}`, hoverinfo: "skip" };
    data.push({ ...common, type: "scatter", x: [null], y: [null] }); // so that an empty panel has axes
    if (value.target && show.has("target")) data.push({ ...common, ...density(value.target, muted) });
    if (!show.has("guide")) return;
    const colour = look.themed(panel.colour);
    const curve = (points, line) => ({ ...common, type: "scatter", mode: "lines", ...columnsOf(points), line });
    const side = { width: 0.75, color: `${colour}73` };
    if (panel.tube) data.push({ ...curve(ribbon(panel.tube), side), fill: "toself", fillcolor: `${colour}2e` });
    if (panel.guide) data.push(curve(panel.guide, { width: 1.5, dash: "5px,4px", color: look.palette.ink }));
  });
  return { data, layout };
}

const columnsOf = (points) => ({ x: points.map(([x]) => x), y: points.map(([, y]) => y) });

function density({ x, y, z }, colour) {
  const most = Math.max(...z.map((row) => Math.max(...row))) || 1;
  return {
    type: "contour", x, y, z, zmin: 0, zmax: most, autocontour: false, showscale: false, line: { width: 0, smoothing: 1 },
    contours: { start: most / 20, end: most, size: most / 10, coloring: "fill" },
    colorscale: [[0, `${colour}00`], [0.06, `${colour}12`], [1, `${colour}59`]],
  };
}

// The outline of a tube: the envelope of the circles around its centre. Where the width changes, the edge leans.
function ribbon({ centre, half_width: half }) {
  const last = centre.length - 1;
  let angle = 0; // a centre at rest has no direction of its own
  const sides = centre.map((_, k) => {
    const [before, after] = [Math.max(0, k - 1), Math.min(last, k + 1)];
    const [dx, dy] = [centre[after][0] - centre[before][0], centre[after][1] - centre[before][1]];
    const length = Math.hypot(dx, dy);
    if (length) angle = Math.atan2(dy, dx);
    const slope = length ? (half[after] - half[before]) / length : 0;
    const turn = Math.PI / 2 + Math.asin(Math.min(1, Math.max(-1, slope)));
    return [angle + turn, angle - turn];
  });
  const at = (k, direction) => [centre[k][0] + half[k] * Math.cos(direction), centre[k][1] + half[k] * Math.sin(direction)];
  const arc = (k, from, to) => Array.from({ length: 11 }, (_, j) => at(k, from + ((j + 1) * (to - from)) / 12));
  const outline = [
    ...sides.map(([side], k) => at(k, side)), ...arc(last, sides[last][0], sides[last][1]),
    ...sides.map(([, side], k) => at(k, side)).reverse(), ...arc(0, sides[0][1], sides[0][0] - 2 * Math.PI),
  ];
  // In a bend that is tighter than the tube is wide, points of one part lie within another: they are not on the edge.
  const inside = ([x, y]) => centre.some(([cx, cy], k) => Math.hypot(x - cx, y - cy) < 0.98 * half[k]);
  const edge = outline.filter((point) => !inside(point));
  return [...edge, ...edge.slice(0, 1)];
}
