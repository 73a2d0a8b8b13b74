// What a page shows, elsewhere: a frame in another page, and a Python program that asks for the same.
(() => {
  if (window.gensot.snippet) return;
  const root = () => new URL(window.gradio_config?.root || "/", location.href).href.replace(/\/$/, "");
  const spaceOf = (spaceId) => spaceId ?? window.gradio_config?.space_id;
  const endpoint = () => document.querySelector("[data-endpoint]")?.dataset.endpoint;

  const { settings } = window.gensot;
  const inAttribute = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

  // Framed is the app itself, of a Space too: the Hub's page around it refuses to be framed.
  function embedCode(height = 900) {
    const parameters = settings();
    parameters.set("__embed", "1");
    const address = `${location.origin}${location.pathname}?${parameters}`;
    const title = document.title || "GenSOT Demo";
    return `<iframe src="${inAttribute(address)}" title="${inAttribute(title)}" width="100%" height="${height}" loading="lazy" style="border: 0"></iframe>`;
  }

  // JSON's strings are Python's; of the characters that it leaves as they are, two would end a line.
  const quoted = (text) => JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");

  function snippet(spaceId) {
    const name = endpoint();
    if (!name) return "";
    const parameters = settings();
    parameters.delete("look"); // which picture's story is open: of no concern to a run
    const query = parameters.toString().replaceAll("+", "%20");
    return [
      "from gradio_client import Client  # pip install gradio_client",
      "",
      `client = Client(${quoted(spaceOf(spaceId) || root())}, httpx_kwargs={"timeout": 60})`,
      "result = client.predict(",
      `    query=${quoted(query)},`,
      `    api_name=${quoted("/" + name)},`,
      ")",
      "print(list(result))",
      "",
    ].join("\n");
  }

  async function copy(text, done) {
    if (await window.gensot.copyText(text)) window.gensot.toast(done);
    else window.gensot.toast("Copy this:", text);
    return text;
  }

  document.addEventListener("click", (event) => {
    const what = event.target.closest?.("[data-gensot-copy]")?.dataset.gensotCopy;
    if (what === "embed") copy(embedCode(), "Frame copied: paste it into a page");
    if (what === "python") copy(snippet(), "Python program copied");
  });

  // A middle click or a copied link sends no click: the address has to stand there before.
  function nameWhole() {
    const link = document.querySelector("[data-gensot-whole]");
    if (link) link.href = window.gensot.shareAddress(settings().toString());
    return Boolean(link);
  }
  window.addEventListener("gensot:address", nameWhole);
  document.addEventListener("click", nameWhole, true); // Gradio may have drawn the link anew
  if (!nameWhole()) {
    const until = new MutationObserver(() => nameWhole() && until.disconnect());
    until.observe(document.documentElement, { childList: true, subtree: true });
  }

  Object.assign(window.gensot, { embedCode, snippet });
})();
