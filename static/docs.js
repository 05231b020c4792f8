// The documentation: searching as one types, and trying operations out. The rest is there without this file too.

const search = document.querySelector(".find");
if (search) {
  const field = search.elements.q;
  const found = document.querySelector("[data-found]");
  const filter = () => {
    const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const tag of document.querySelectorAll("[data-tag]")) {
      let inside = 0;
      for (const item of tag.querySelectorAll("[data-words]")) {
        item.hidden = !wanted.every(word => item.dataset.words.includes(word));
        if (!item.hidden) inside++;
      }
      tag.hidden = inside === 0;
      count += inside;
    }
    const text = count === 0 ? "No operation matches all these words." : count === 1 ? "1 operation" : `${count} operations`;
    if (found.textContent !== text) found.textContent = text;
  };
  field.addEventListener("input", filter);
  search.addEventListener("submit", event => {
    event.preventDefault();
    filter();
    history.replaceState(null, "", field.value ? `?${new URLSearchParams({ q: field.value })}` : location.pathname);
  });
  // A browser may have kept what was typed before.
  filter();
}

// The key is in these fields alone, the same in all of them, and nowhere once the page is left.
const keys = [...document.querySelectorAll("[data-key]")];
for (const one of keys) {
  one.addEventListener("input", () => { for (const other of keys) if (other !== one) other.value = one.value; });
}
addEventListener("pagehide", () => { for (const one of keys) one.value = ""; });

for (const panel of document.querySelectorAll("[data-try]")) {
  const button = panel.querySelector("[data-send]");
  button.addEventListener("click", () => send(panel, button));
  panel.addEventListener("keydown", event => {
    if (event.key === "Enter" && event.target.matches("input") && !event.isComposing) {
      event.preventDefault();
      send(panel, button);
    }
  });
}

async function send(panel, button) {
  if (button.disabled) return;
  const status = panel.querySelector("[data-status]");
  const result = panel.querySelector("[data-result]");
  const say = text => { status.textContent = text; };
  result.hidden = true;

  const missing = [...panel.querySelectorAll("[data-in][required]")].find(one => !one.value.trim());
  for (const one of panel.querySelectorAll("[data-in]")) one.toggleAttribute("aria-invalid", false);
  if (missing) {
    missing.setAttribute("aria-invalid", "true");
    missing.focus();
    return say(`Fill in ${missing.dataset.name} first.`);
  }

  const headers = new Headers();
  const body = panel.querySelector("[data-body]");
  try {
    const key = panel.querySelector("[data-key]").value.trim();
    if (key) headers.set("user-api-key", key);
    if (body) headers.set("content-type", "application/json");
  } catch {
    return say("This is not a valid API key.");
  }

  button.disabled = true;
  say("Sending…");
  const began = performance.now();
  try {
    const answer = await fetch(address(panel), {
      method: panel.dataset.method,
      headers,
      body: body?.value,
      // The key alone decides, not who is signed in here.
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
    });
    const text = await answer.text();
    const took = Math.round(performance.now() - began);
    show(result, answer, text);
    say(`${answer.status} ${answer.statusText}, in ${took} ms`.replace(" ,", ","));
  } catch {
    say("No response. Check your network connection.");
  } finally {
    button.disabled = false;
  }
}

function address(panel) {
  const query = new URLSearchParams();
  let path = panel.dataset.path;
  for (const one of panel.querySelectorAll("[data-in]")) {
    const value = one.value.trim();
    if (one.dataset.in === "path") {
      path = path.replace(`{${one.dataset.name}}`, encodeURIComponent(value));
    } else if (value && one.dataset.name.endsWith("[…]")) {
      query.append(...value.split("=", 2));
    } else if (value) {
      query.append(one.dataset.name, value);
    }
  }
  return query.size ? `${path}?${query}` : path;
}

function show(result, answer, text) {
  const list = result.querySelector("[data-headers]");
  list.replaceChildren();
  for (const name of ["x-request-id", "etag", "location", "allow", "retry-after"]) {
    const value = answer.headers.get(name);
    if (value === null) continue;
    const [term, told] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    told.textContent = value;
    list.append(term, told);
  }
  list.hidden = !list.children.length;
  result.querySelector("[data-answer]").textContent = formatted(text);
  result.hidden = false;
}

// Numbers stay as they were sent: reading and writing JSON again would change 8.10 and large ones. So only white space
// is added.
function formatted(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  const spaced = text.replace(/("(?:[^"\\]|\\.)*")|\s+|[[\]{},:]/g, (part, string) => {
    if (string) return string;
    if (part === "{" || part === "[") {
      depth++;
      return part + line();
    }
    if (part === "}" || part === "]") {
      depth--;
      return line() + part;
    }
    if (part === ",") return part + line();
    return part === ":" ? ": " : "";
  });
  return spaced.replace(/([[{])\n\s*([\]}])/g, "$1$2");
}
