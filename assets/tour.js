// The guided tour, the first screen, and terms that explain themselves. Its stops and terms stand in window.gensotTour.
(() => {
  if (window.gensot.explainTerm) return; // Gradio may run the head's scripts again
  const { stops, terms } = window.gensotTour;
  const place = () => document.querySelector(".gensot-tour-place");
  const KEY = "gensot-tour"; // {stop: where to resume, quiet: no line that offers it, welcomed: the first screen was seen}

  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {} // a frame without storage, or what is no longer readable
  function keep(changes) {
    kept = { ...kept, ...changes };
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {}
  }

  const asked = new URLSearchParams(location.search);
  const embedded = asked.has("__embed");
  const own = [...asked.keys()].some((name) => !name.startsWith("__"));
  const whole = (number) => (Number.isInteger(number) && number >= 1 && number <= stops.length ? number : 0);
  const last = () => whole(kept.stop);
  const pageOf = (pathname) => "/" + (pathname.replace(/\/$/, "").slice(rootPath().length).replace(/^\//, "") || "");
  function rootPath() {
    return new URL(window.gradio_config?.root || "/", location.href).pathname.replace(/\/$/, "");
  }
  const current = () => {
    const number = whole(Number(asked.get("__tour")));
    return number && stops[number - 1].path === pageOf(location.pathname) ? number : 0;
  };

  function addressOf(number) {
    const stop = stops[number - 1];
    const address = new URL(rootPath() + stop.path, location.href);
    const theme = asked.get("__theme");
    address.search = stop.query + `&__tour=${number}` + (theme ? `&__theme=${encodeURIComponent(theme)}` : "");
    return address.href;
  }

  // ---- elements ---------------------------------------------------------------------------------------------------------
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(key, value);
      else if (value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  const worded = (pieces) =>
    pieces.map((piece) =>
      typeof piece === "string" ? piece : element("button", { type: "button", class: "gensot-term-mark", "data-term": piece[0] }, piece[1]),
    );
  const line = (label, pieces) => element("p", {}, element("b", {}, label), " ", ...worded(pieces));

  // ---- the band of a stop -----------------------------------------------------------------------------------------------
  function band(number) {
    const stop = stops[number - 1];
    const heading = element("h2", { id: "tour-heading", tabindex: "-1" }, stop.title);
    const bars = stops.map((other, n) =>
      element("a", {
        href: addressOf(n + 1),
        title: `${n + 1}. ${other.title}`,
        "aria-label": `Stop ${n + 1}: ${other.title}`,
        "aria-current": n + 1 === number ? "step" : undefined,
        class: n + 1 <= number ? "done" : undefined,
      }),
    );
    const equation = element("div", { class: "gensot-tour-maths" });
    const details = element("details", { toggle: () => bringEquation(number, equation) }, element("summary", {}, "The equation"), equation);
    const back = element("a", { class: "gensot-tour-back", href: addressOf(number), hidden: "" }, "Set it back");
    const said = element("span", { role: "status", class: "gensot-tour-said" });
    const end = number === stops.length;
    const step = (words, to, kind) => element("a", { class: `gensot-tour-step ${kind}`, href: addressOf(to) }, words);
    return element(
      "section",
      { class: "gensot-tour", "aria-labelledby": "tour-heading" },
      element(
        "div",
        { class: "gensot-tour-top" },
        element("span", { class: "gensot-tour-count" }, `${number} of ${stops.length}`),
        element("div", { class: "gensot-tour-bars", role: "group", "aria-label": "Stops of the tour" }, ...bars),
        element("button", { type: "button", class: "gensot-tour-plain", "data-gensot-tour": "leave" }, "Leave"),
      ),
      heading,
      element(
        "div",
        { class: "gensot-tour-words" },
        element("p", {}, ...worded(stop.text)),
        element("div", { class: "gensot-tour-do" }, line("Try", stop.to_try), line("Notice", stop.notice)),
      ),
      element(
        "div",
        { class: "gensot-tour-foot" },
        details,
        element("span", { class: "gensot-tour-changed" }, said, back),
        element(
          "span",
          { class: "gensot-tour-steps" },
          number > 1 ? step("Previous", number - 1, "") : "",
          end
            ? element("a", { class: "gensot-tour-step next", href: new URL(`${rootPath()}/sources`, location.href).href, "data-gensot-tour": "finish" }, "Finish: the sources")
            : step("Next", number + 1, "next"),
        ),
      ),
    );
  }

  // Drawn by Gradio at the page's end, where nobody sees it.
  function bringEquation(number, into) {
    const drawn = document.querySelector(`#tour-equation-${number}`);
    if (drawn && drawn.parentElement !== into) into.append(drawn);
  }

  // ---- the first screen, and the line that offers to go on --------------------------------------------------------------
  const tourLink = (words, number, kind = "next") => element("a", { class: `gensot-tour-step ${kind}`, href: addressOf(number) }, words);
  const resumeWords = (number) => `Resume the tour (${number} of ${stops.length})`;

  function welcome() {
    const resume = last();
    return element(
      "section",
      { class: "gensot-tour gensot-welcome", "aria-labelledby": "welcome-heading" },
      element("h2", { id: "welcome-heading", tabindex: "-1" }, "What guides a diffusion model, and what it really does"),
      element(
        "p",
        {},
        "Guidance methods run here side by side, on the same noise and, where it can be known, against the exact law that was asked for. In the plane you see the same ideas as particles on their way. Everything is computed while you look.",
      ),
      element(
        "div",
        { class: "gensot-tour-steps" },
        resume ? tourLink(resumeWords(resume), resume) : tourLink(`Take the tour (${stops.length} short stops)`, 1),
        resume ? tourLink("From the beginning", 1, "") : "",
        element("button", { type: "button", class: "gensot-tour-step", "data-gensot-tour": "look" }, "Look around"),
      ),
    );
  }

  function resumeLine() {
    const number = last();
    return element(
      "p",
      { class: "gensot-tour-resume" },
      element("a", { href: addressOf(number) }, resumeWords(number)),
      element("span", {}, stops[number - 1].title),
      element("button", { type: "button", class: "gensot-tour-plain", "data-gensot-tour": "quiet", "aria-label": "Do not offer the tour" }, "×"),
    );
  }

  function show(...shown) {
    place()?.replaceChildren(...shown);
    nameFooter();
  }

  function nameFooter() {
    const button = document.querySelector(".gensot-footer [data-gensot-tour=open]");
    if (!button) return false;
    button.textContent = last() ? resumeWords(last()) : "Tour";
    button.hidden = Boolean(current());
    return true;
  }

  function draw() {
    const number = current();
    if (embedded) return show();
    if (number) {
      keep({ stop: number, welcomed: true, quiet: false });
      show(band(number));
      compareAddress();
      focusHeading();
    } else if (pageOf(location.pathname) === "/" && !own && !kept.welcomed) show(welcome());
    else if (last() && !kept.quiet) show(resumeLine());
    else show();
  }

  // A step of the tour is a new page. Gradio shows it only when all of it is there, and only then can anything have the focus.
  function focusHeading(tries = 200) {
    const heading = document.querySelector("#tour-heading");
    const busy = document.activeElement && document.activeElement !== document.body;
    if (!heading || busy || !tries) return;
    heading.focus({ preventScroll: true });
    if (document.activeElement !== heading) setTimeout(() => focusHeading(tries - 1), 50);
  }

  function leave() {
    asked.delete("__tour");
    const address = new URL(location.href);
    address.searchParams.delete("__tour");
    history.replaceState(history.state, "", address);
  }

  // What had the focus is gone; the footer's button brings it back.
  function focusAfter() {
    document.querySelector(".gensot-footer [data-gensot-tour=open]")?.focus({ preventScroll: true });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-gensot-tour]");
    if (!button) return;
    const what = button.dataset.gensotTour;
    if (what === "leave") {
      leave();
      draw();
      place()?.querySelector("a")?.focus();
    } else if (what === "finish") keep({ stop: 0, quiet: true });
    else if (what === "look") {
      keep({ welcomed: true });
      show();
      focusAfter();
    } else if (what === "quiet") {
      keep({ quiet: true });
      show();
      focusAfter();
    } else if (what === "open") {
      keep({ welcomed: true });
      if (last()) location.assign(addressOf(last()));
      else {
        show(welcome());
        document.querySelector("#welcome-heading").focus();
        place().scrollIntoView({ block: "nearest" });
      }
    }
  });

  // ---- settings that the visitor changed --------------------------------------------------------------------------------
  const settings = (query) =>
    [...new URLSearchParams(query)]
      .filter(([name]) => !name.startsWith("__") && name !== "v" && name !== "look")
      .map((pair) => pair.join("="))
      .sort()
      .join("&");

  function changed(whether) {
    const back = document.querySelector(".gensot-tour-back");
    if (!back || back.hidden === !whether) return;
    back.hidden = !whether;
    document.querySelector(".gensot-tour-said").textContent = whether ? "You have changed the settings." : "";
  }

  function compareAddress() {
    const number = current();
    if (number) changed(settings(location.search) !== settings(stops[number - 1].query));
  }

  window.addEventListener("gensot:address", compareAddress);
  document.addEventListener("input", (event) => {
    const played = event.target.closest?.(".gensot-player-bar"); // a player's time is no setting
    if (event.isTrusted && event.target.closest?.(".gensot-page") && !played) changed(true);
  });

  // ---- terms ------------------------------------------------------------------------------------------------------------
  let open = null;
  const tip = element("span", { role: "tooltip", id: "gensot-term", class: "gensot-term-tip", hidden: "" });

  function explain(mark) {
    const term = terms[mark.dataset.term];
    if (!term) return;
    if (open && open !== mark) open.removeAttribute("aria-describedby");
    open = mark;
    if (!tip.isConnected) document.querySelector(".gradio-container")?.append(tip);
    tip.replaceChildren(element("b", {}, term[0]), " ", term[1]);
    tip.hidden = false;
    mark.setAttribute("aria-describedby", tip.id);
    placeTip();
  }

  // It touches the word, so that a pointer reaches it without a gap.
  function placeTip() {
    const word = open.getClientRects()[0];
    const { width, height } = tip.getBoundingClientRect();
    const room = document.documentElement.clientWidth;
    tip.style.left = `${Math.max(12, Math.min(word.left, room - width - 12))}px`;
    const below = word.bottom + height < innerHeight;
    tip.style.top = `${below ? word.bottom : Math.max(0, word.top - height)}px`;
  }

  function fold() {
    open?.removeAttribute("aria-describedby");
    open = null;
    tip.hidden = true;
  }

  const marked = (event) => event.target.closest?.(".gensot-term-mark");
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const mark = marked(event);
    if (mark) explain(mark);
    else if (open && open !== document.activeElement && !event.target.closest?.(".gensot-term-tip")) fold();
  });
  document.addEventListener("focusin", (event) => (marked(event) ? explain(marked(event)) : fold()));
  document.addEventListener("click", (event) => (marked(event) ? explain(marked(event)) : fold()));
  document.addEventListener("keydown", (event) => event.key === "Escape" && fold());
  const follow = () => {
    if (!open) return;
    const word = open.getClientRects()[0];
    const away = !word || word.bottom < 0 || word.top > innerHeight;
    if (open === document.activeElement && !away) placeTip();
    else fold();
  };
  window.addEventListener("scroll", follow, { passive: true });

  window.gensot.explainTerm = explain;

  // ---- as soon as there is a place for it -------------------------------------------------------------------------------
  if (embedded) document.body.classList.add("gensot-embed");
  if (place()) draw();
  else {
    const until = new MutationObserver(() => {
      if (!place()) return;
      until.disconnect();
      draw();
    });
    until.observe(document.body, { childList: true, subtree: true });
  }
  if (!nameFooter()) {
    const until = new MutationObserver(() => nameFooter() && until.disconnect());
    until.observe(document.body, { childList: true, subtree: true });
  }
})();
