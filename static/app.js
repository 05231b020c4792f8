// Comfort only: every page works without this file.
"use strict";

const profile = "/user_profile";

// A second press of the same button sends nothing: the answer to the first is on its way.
document.addEventListener("submit", event => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  const button = event.submitter;
  setTimeout(() => { if (button) button.disabled = true; });
  // No answer came, or somebody stopped it: what sends again makes nothing twice.
  setTimeout(() => {
    delete form.dataset.sent;
    if (button) button.disabled = false;
  }, 10_000);
});
addEventListener("pageshow", event => {
  for (const form of document.forms) {
    if (form.method !== "post") continue;
    if (event.persisted) delete form.dataset.sent;
    if (form.dataset.sent) continue;
    // Firefox also remembers "disabled" over a reload.
    for (const button of form.elements) if (button.type === "submit") button.disabled = false;
  }
});

for (const button of document.querySelectorAll("[data-copy]")) offerCopy(button);
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

for (const picker of document.querySelectorAll("[data-picker]")) offerPicking(picker);

const dialog = document.getElementById("dialog");
if (dialog && dialog.showModal) {
  // A dialog that is served open must be closed first; its "close" event comes later, when it is open again.
  dialog.close();
  dialog.showModal();
  if ("keyShown" in dialog.dataset) guardKey(); else closeToPage(dialog.dataset.back ?? profile);
}

// Above a long list of boxes: a filter, how many are ticked, and a button that ticks all that are shown.
function offerPicking(picker) {
  const plain = text => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const offers = [...picker.parentElement.querySelectorAll(".checklist > li")]
    .map(row => ({ row, box: row.querySelector("input"), text: plain(row.textContent) }));
  const filter = picker.querySelector("input");
  const all = picker.querySelector("button");
  const count = picker.querySelector("[role=status]");
  const shown = () => offers.filter(offer => !offer.row.hidden);
  const tell = () => {
    const [ticked, some] = [offers.filter(offer => offer.box.checked).length, shown()];
    const found = some.length < offers.length ? `, ${some.length} shown` : "";
    count.textContent = `${ticked} of ${offers.length} selected${found}`;
    all.disabled = !some.length;
    all.textContent = (some.length && some.every(offer => offer.box.checked) ? "Clear all" : "Select all") +
      (found ? " shown" : "");
  };
  picker.hidden = false;
  filter.addEventListener("input", () => {
    const words = plain(filter.value).split(/\s+/).filter(Boolean);
    for (const offer of offers) offer.row.hidden = !words.every(word => offer.text.includes(word));
    tell();
  });
  // Enter would send the form.
  filter.addEventListener("keydown", event => { if (event.key === "Enter") event.preventDefault(); });
  all.addEventListener("click", () => {
    const some = shown();
    const ticked = !some.every(offer => offer.box.checked);
    for (const offer of some) offer.box.checked = ticked;
    tell();
  });
  picker.parentElement.addEventListener("change", tell);
  tell();
  // The first that is ticked may be out of sight in a list that scrolls.
  const ticked = offers.find(offer => offer.box.checked)?.row;
  if (ticked) ticked.parentElement.scrollTop = ticked.offsetTop - ticked.parentElement.offsetTop;
}

// The page has one line that tells screen readers what was copied.
function offerCopy(button) {
  const source = document.getElementById(button.dataset.copy);
  const copied = document.querySelector("[data-copied]");
  let timer;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copy(source);
    if (done) source.dispatchEvent(new CustomEvent("copied", { bubbles: true }));
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    copied.textContent = "";
    copied.textContent = done ? button.dataset.says : "Selected: press Ctrl+C to copy.";
    clearTimeout(timer);
    timer = setTimeout(() => { button.textContent = "Copy"; copied.textContent = ""; }, 4000);
  });
}

function closeToPage(address) {
  const outside = event => {
    const box = dialog.getBoundingClientRect();
    return event.target === dialog &&
      (event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom);
  };
  // Pressed and released outside: selecting text with the mouse may end outside without closing.
  let pressed = false;
  dialog.addEventListener("pointerdown", event => { pressed = outside(event); });
  dialog.addEventListener("click", event => { if (pressed && outside(event)) dialog.close(); });
  dialog.addEventListener("close", () => { if (!dialog.open) location.assign(address); });
}

// The key is shown this one time: nothing but "Close" leaves it.
function guardKey() {
  const key = document.getElementById("key");
  const curl = document.getElementById("curl");
  // Going back to this page, or loading it again, shows the key's details; it would send the form once more.
  history.replaceState(null, "", dialog.dataset.keyShown);
  // Until the key was copied, or the dialog is closed, the browser asks before the page is left.
  let copied = false;
  addEventListener("beforeunload", event => { if (!copied) event.preventDefault(); });
  const holdsKey = one => one === key || one === curl || one?.contains?.(curl);
  for (const happened of ["copied", "copy"]) {
    dialog.addEventListener(happened, event => { copied ||= holdsKey(event.target); });
  }
  dialog.addEventListener("submit", () => { copied = true; });
  dialog.addEventListener("cancel", event => event.preventDefault());
  dialog.addEventListener("close", () => { if (!dialog.open) dialog.showModal(); });
  key.addEventListener("focus", () => key.select());
  key.select();

  addEventListener("pagehide", () => {
    key.value = key.defaultValue = curl.textContent = "";
    for (const part of dialog.querySelectorAll("[data-wiped]")) part.hidden = true;
    dialog.querySelector("[data-shown]").hidden = true;
    dialog.querySelector("[data-when-wiped]").hidden = false;
  });
  watchFirstUse(dialog.querySelector("[data-first-use-at]"));
}

async function copy(source) {
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain http off localhost has no clipboard: select, and copy the old way.
    if (source.select) { source.focus(); source.select(); } else getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}

function watchFirstUse(status) {
  const until = Date.now() + 10 * 60 * 1000;
  const show = (state, text) => {
    if (status.dataset.firstUse !== state) status.dataset.firstUse = state;
    if (status.textContent !== text) status.textContent = text;
  };
  const look = async () => {
    if (document.hidden) return document.addEventListener("visibilitychange", look, { once: true });
    if (Date.now() > until) return show("late", "No request with this key yet. The list of keys will show when it is first used.");
    try {
      const answer = await fetch(status.dataset.firstUseAt, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.querySelector("[data-first-use]");
      if (!found && answer.status < 500) return show("late", "The list of keys shows when this key is first used.");
      if (found?.dataset.firstUse === "seen") return show("seen", found.textContent.trim());
    } catch {
      // The network comes back, or the ten minutes end.
    }
    setTimeout(look, 2000);
  };
  show("waiting", "Waiting for the first request with this key…");
  look();
}
