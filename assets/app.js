// Small things that every page needs: the theme, the address, the link to share. In the page's head, before it is drawn.
window.gensot ??= (() => {
  // ---- theme: light, dark or the system's; remembered in this browser -------------------------------------------------------
  const KEY = "gensot-theme";
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  let choice = "system";
  try {
    choice = localStorage.getItem(KEY) ?? "system";
  } catch {} // a frame without storage

  function wanted() {
    if (choice === "light" || choice === "dark") return choice;
    const asked = new URLSearchParams(location.search).get("__theme"); // how huggingface.co tells a Space its own theme
    return asked === "light" || asked === "dark" ? asked : system.matches ? "dark" : "light";
  }

  function applyTheme() {
    const dark = wanted() === "dark";
    if (document.body.classList.contains("dark") !== dark) document.body.classList.toggle("dark", dark);
    for (const button of document.querySelectorAll("[data-gensot-theme]")) {
      const pressed = String(button.dataset.gensotTheme === choice);
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    }
  }

  function setTheme(name) {
    choice = ["light", "dark"].includes(name) ? name : "system";
    try {
      localStorage.setItem(KEY, choice);
    } catch {}
    applyTheme();
  }

  system.addEventListener("change", applyTheme);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-gensot-theme]");
    if (button) setTheme(button.dataset.gensotTheme);
  });
  // Gradio sets the class by itself when it starts, and draws the header later.
  new MutationObserver(applyTheme).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  const untilHeader = new MutationObserver(() => {
    if (!document.querySelector("[data-gensot-theme]")) return;
    applyTheme();
    for (const link of document.querySelectorAll("nav [aria-current]")) {
      const row = link.parentElement; // on a phone the page's own name may lie outside
      row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
    }
    const { title } = document.querySelector("[data-title]")?.dataset ?? {};
    if (title) document.title = `${title} · ${document.title}`; // tabs and history tell the pages apart
    untilHeader.disconnect();
  });
  untilHeader.observe(document.body, { childList: true, subtree: true });
  applyTheme();

  // ---- the address holds the settings ---------------------------------------------------------------------------------------
  const withoutMark = (query) => String(query ?? "").replace(/^\?/, "");

  // Keeps what Gradio and the Hub put into the query (names that begin with two underscores).
  function replaceQuery(query) {
    const parameters = new URLSearchParams(withoutMark(query));
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (name.startsWith("__") && !parameters.has(name)) parameters.set(name, value);
    }
    const text = parameters.toString();
    history.replaceState(history.state, "", location.pathname + (text ? `?${text}` : "") + location.hash);
    window.dispatchEvent(new Event("gensot:address"));
  }

  // The settings in the address, without what belongs to this visit alone.
  function settings() {
    const parameters = new URLSearchParams(location.search);
    for (const name of [...parameters.keys()]) if (name.startsWith("__")) parameters.delete(name);
    return parameters;
  }

  // Which sample's story is open: of the address until the next run, which replaces the query.
  function look(text) {
    const parameters = new URLSearchParams(location.search);
    if (text) parameters.set("look", text);
    else parameters.delete("look");
    replaceQuery(parameters.toString());
  }

  const looked = (query) => {
    const text = new URLSearchParams(location.search).get("look");
    return text ? `${withoutMark(query)}&look=${encodeURIComponent(text)}` : query;
  };

  const rootPath = () => new URL(window.gradio_config?.root || "/", location.href).pathname.replace(/\/$/, "");
  const pageName = () => location.pathname.slice(rootPath().length).replace(/^\/|\/$/g, "");

  // A Space is shown in a frame: the address to share is the outer page's, which the frame cannot read. That one hands
  // its query to the first page only, so another page's name travels in it (shell/space_links.py opens that).
  function shareAddress(query, spaceId = window.gradio_config?.space_id) {
    const text = withoutMark(query);
    if (!spaceId) return location.origin + location.pathname + (text ? `?${text}` : "");
    const parts = [pageName() && `page=${encodeURIComponent(pageName())}`, text].filter(Boolean);
    return `https://huggingface.co/spaces/${spaceId}${parts.length ? `?${parts.join("&")}` : ""}`;
  }

  async function copyLink(query, spaceId) {
    const address = shareAddress(query === undefined ? settings().toString() : looked(query), spaceId);
    if (await copyText(address)) toast("Link copied");
    else toast("Copy this link:", address);
    return address;
  }

  async function copyText(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {} // no permission in a frame, or no https
    const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
    field.style.cssText = "position:fixed;opacity:0";
    const focused = document.activeElement;
    document.body.append(field);
    field.select();
    let copied = false;
    try {
      copied = document.execCommand("copy");
    } catch {}
    field.remove();
    focused?.focus?.();
    return copied;
  }

  let toastTimer;
  function toast(message, text) {
    let box = document.querySelector(".gensot-toast");
    if (!box) {
      box = Object.assign(document.createElement("div"), { className: "gensot-toast" });
      box.setAttribute("role", "status");
      document.body.append(box);
    }
    box.textContent = message;
    if (text) {
      const field = Object.assign(document.createElement("input"), { value: text, readOnly: true, ariaLabel: "Link" });
      box.append(field);
      field.select();
    }
    box.dataset.shown = "true";
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => (box.dataset.shown = "false"), text ? 15000 : 2500);
  }

  // ---- a file that an event has made; the same one is not saved twice ----------------------------------------------------------
  let lastFile;
  function download(file) {
    if (!file?.url || file.url === lastFile) return;
    lastFile = file.url;
    Object.assign(document.createElement("a"), { href: file.url, download: file.orig_name || "" }).click();
  }

  // ---- between a click and the first answer: a line that says "waiting" until anything else is written there --------------------
  function waiting(selector) {
    const line = document.querySelector(selector);
    if (!line) return;
    line.dataset.waiting = "true";
    const observer = new MutationObserver((changes) => {
      const refused = document.querySelector(".toast-body.error"); // Gradio's own, as where too many wait
      if (!refused && !changes.some((change) => line.contains(change.target))) return;
      observer.disconnect();
      ready(selector);
    });
    observer.observe(line, { childList: true, characterData: true, subtree: true });
    observer.observe(document.body, { childList: true, subtree: true });
  }

  // At the click itself: an event of Gradio's could come after the first answer.
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#compare, #fresh, .gensot-starts")) waiting("#status");
    if (event.target.closest?.("#measure, #repeat")) waiting("#measure-status");
  });

  function ready(selector) {
    document.querySelector(selector)?.removeAttribute("data-waiting");
  }

  // What a click has opened elsewhere on the page comes into sight.
  function reveal(selector) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const show = () => document.querySelector(selector)?.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
    setTimeout(show, 150); // drawn only after the answer
  }

  // ---- tables that a click on a heading sorts; rows without a value stay last ------------------------------------------------
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".gensot-sort");
    if (!button) return;
    const heading = button.closest("th");
    const column = [...heading.parentElement.children].indexOf(heading);
    const falling = heading.getAttribute("aria-sort") === "ascending";
    for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const body = heading.closest("table").tBodies[0];
    const value = (row) => row.children[column].dataset.sort ?? "";
    const order = (a, b) => (isNaN(a) || isNaN(b) ? String(a).localeCompare(b) : a - b);
    const rows = [...body.rows].sort((one, two) => {
      const [a, b] = [value(one), value(two)];
      if (!a || !b) return !a - !b;
      return falling ? order(b, a) : order(a, b);
    });
    body.append(...rows);
  });

  return { setTheme, settings, replaceQuery, shareAddress, copyLink, copyText, download, toast, ready, reveal, look };
})();
