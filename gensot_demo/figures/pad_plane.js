// Geometry in the plane for the drawing pad; a point is [x, y].

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
export const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
export const between = (a, b, share) => [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
export const length = (line) => line.slice(1).reduce((sum, point, n) => sum + distance(line[n], point), 0);

// Visits every `spacing` on the way; the last place visited.
export function along(from, to, spacing, visit) {
  for (let left = distance(from, to); left >= spacing; left -= spacing) visit((from = between(from, to, spacing / left)));
  return from;
}

// A stroke without its tremor, as evenly spaced points: `spacing` apart, or more to be `most` points at most.
export function resampled(stroke, spacing, most) {
  const calm = stroke.map((point, n) => {
    if (n === 0 || n === stroke.length - 1) return point;
    return [0, 1].map((axis) => (stroke[n - 1][axis] + 2 * point[axis] + stroke[n + 1][axis]) / 4);
  });
  const total = length(calm), count = clamp(Math.round(total / spacing), 1, most - 1);
  const line = [calm[0]];
  let passed = 0, next = 1;
  for (let n = 1; n < calm.length; n++) {
    const part = distance(calm[n - 1], calm[n]);
    for (; next < count && (next * total) / count <= passed + part; next++) {
      line.push(between(calm[n - 1], calm[n], ((next * total) / count - passed) / part));
    }
    passed += part;
  }
  return [...line, calm.at(-1)];
}

// The Bézier control points of the Catmull-Rom spline through `line`, from its point n to the next.
export function handles(line, n) {
  const before = line[Math.max(n - 1, 0)], from = line[n], to = line[n + 1], after = line[Math.min(n + 2, line.length - 1)];
  return [
    from,
    [0, 1].map((axis) => from[axis] + (to[axis] - before[axis]) / 6),
    [0, 1].map((axis) => to[axis] - (after[axis] - from[axis]) / 6),
    to,
  ];
}

// The point of that spline nearest to `at`: its distance, its piece n, and its share of the way along the piece.
export function nearestOnSpline(line, at) {
  let best = { distance: Infinity };
  for (let n = 0; n < line.length - 1; n++) {
    const [a, b, c, d] = handles(line, n);
    for (let share = 0; share <= 1; share += 1 / 16) {
      const rest = 1 - share;
      const point = [0, 1].map(
        (axis) => rest ** 3 * a[axis] + 3 * rest * share * (rest * b[axis] + share * c[axis]) + share ** 3 * d[axis],
      );
      const far = distance(point, at);
      if (far < best.distance) best = { distance: far, n, share };
    }
  }
  return best;
}

// Round numbers from low to high, about `wanted` of them.
export function ticks(low, high, wanted) {
  const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return { digits, values: Array.from({ length: last - first + 1 }, (_, n) => (first + n) * step) };
}
