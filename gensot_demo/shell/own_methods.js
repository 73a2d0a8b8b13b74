// Asks which version of a person's own methods is served: a new one reloads the page, an error is shown at its foot.
(() => {
  let known = null;

  function show(problems) {
    let box = document.querySelector("#own-problem");
    if (!box) {
      box = Object.assign(document.createElement("div"), { id: "own-problem" });
      box.setAttribute("role", "alert");
      document.body.append(box);
    }
    const text = problems.join("\n");
    if (box.textContent !== text) box.textContent = text;
    box.hidden = !problems.length;
  }

  async function ask() {
    try {
      const root = new URL(window.gradio_config?.root || "/", location.href).href.replace(/\/?$/, "/");
      const told = await (await fetch(`${root}gensot/own`)).json();
      show(told.problems);
      // as numbers: the page holds its own as one, rounded
      const older = told.pages && Number(told.pages) !== Number(window.gradio_config?.app_id);
      if (older || (known !== null && told.version !== known && !told.problems.length)) return location.reload();
      known = told.version;
    } catch {} // the server is away: it may come back
    setTimeout(ask, 700);
  }

  if (document.readyState === "complete") ask();
  else addEventListener("load", ask);
})();
