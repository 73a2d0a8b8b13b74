// The data of what is shown, in a choice of files. The value is JSON text: {state, words}.

const row = element.querySelector(".gensot-data");
const said = row.querySelector("[role=status]");
const kinds = [...row.querySelectorAll("[data-kind]:not([data-kind=''])")];
const cancel = row.querySelector("[data-kind='']");

function show(state, words) {
  said.textContent = words;
  said.dataset.state = row.dataset.state = state;
  cancel.hidden = state !== "busy";
  for (const button of kinds) button.disabled = state === "busy";
}

row.addEventListener("click", (event) => {
  const kind = event.target.closest("button")?.dataset.kind;
  if (kind === undefined) return;
  if (kind === "") show("", "Cancelled.");
  else show("busy", "Collecting…");
  trigger("select", { kind });
});
watch("value", () => {
  const { state, words } = JSON.parse(props.value || "{}");
  if (words !== undefined && !(state === "busy" && row.dataset.state !== "busy")) show(state, words);
});
