// Says when the app does not answer any more, and when it has come back as another one. Settings stand in the address.
(() => {
  if (window.gensot.presence) return; // Gradio may run the head's scripts again
  const EVERY = 10_000; // milliseconds
  const SOONER = 3_000; // once it was away
  let away = false;

  function say(words, anew = false) {
    let box = document.querySelector(".gensot-presence");
    if (!box) {
      box = Object.assign(document.createElement("div"), { className: "gensot-presence" });
      box.setAttribute("role", "status");
      document.body.append(box);
    }
    if (box.dataset.words === words) return;
    box.dataset.words = words;
    box.hidden = !words;
    box.replaceChildren(words);
    if (anew) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Load this page anew" });
      button.addEventListener("click", () => location.reload());
      box.append(button);
    }
  }

  async function look() {
    const mine = window.gradio_config?.app_id;
    const root = new URL(window.gradio_config?.root || "/", location.href).href.replace(/\/?$/, "/");
    try {
      const answer = await fetch(`${root}gradio_api/app_id`, { cache: "no-store" });
      const { app_id: served } = await answer.json();
      away = false;
      // as numbers: the page holds its own as one, rounded
      if (mine !== undefined && Number(served) !== Number(mine)) say("The app was restarted. Your settings are in the address.", true);
      else say("");
    } catch {
      if (away) say("The app does not answer. What is shown stays, and your settings are in the address.");
      away = true; // said the second time: a page that is being left cuts its requests off
    }
    setTimeout(look, away ? SOONER : EVERY);
  }

  window.gensot.presence = look;
  setTimeout(look, EVERY);
})();
