// Searches without a page load, images by drop and paste, and selecting a detail of an image. Without this script, every
// form and link still works, with a page load each.
"use strict";

const page = document.documentElement;
const byId = (id) => document.getElementById(id);
const search = () => byId("search");
const say = (text) => { byId("live").textContent = text; };
const LONGEST = 7900; // characters; a longer address is posted, and the server answers with the reason
const BOX = ["x", "y", "w", "h"];
const words = byId("words").dataset; // texts in the page's language
const asksNothing = () => [...new URLSearchParams(location.search).keys()].every((name) => name === "lang");

const tell = (text) => {
  const status = byId("form-status");
  if (status) status.textContent = text;
};

/* Return the address of a form's query without empty and default fields; null for an empty query. The form's action may
   contain the language. */
const addressOf = (form, submitter) => {
  const fields = [...new FormData(form, submitter)].filter(
    ([name, value]) => typeof value === "string" && value.trim() !== "" && !BOX.includes(name)
      && !(["q_weight", "exclude_weight"].includes(name) && value === "1") && !(name === "limit" && value === form.dataset.limit),
  );
  const asked = fields.some(([name]) => !["limit", "per_artist", "drop"].includes(name) && !name.endsWith("_weight"));
  const action = new URL(form.action);
  return asked ? `${action.pathname}?${new URLSearchParams([...fields, ...action.searchParams])}` : null;
};

const holdsPicture = (form) => [...form.querySelectorAll("input[type=file]")].some((input) => input.files.length);

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "search") return;
  tell(words.looking);
  if (holdsPicture(form)) return; // the browser sends it
  const address = addressOf(form, event.submitter);
  if (address === null && asksNothing()) {
    event.preventDefault();
    tell(words.nothing);
    byId("q").focus();
    return;
  }
  if (address !== null && address.length > LONGEST) return;
  event.preventDefault();
  const stays = event.submitter === null || event.submitter.closest(".facets, .parts, .shape") !== null;
  byId("main").setAttribute("aria-busy", "true");
  htmx.ajax("GET", address ?? form.action, {
    source: byId("main"), target: "#main", select: "#main", swap: `outerHTML show:${stays ? "none" : "window:top"}`,
  });
});

// Changing a filter or an importance searches at once.
document.addEventListener("change", (event) => {
  const control = event.target;
  if (control.closest(".facets, .parts, .shape") && control.form?.id === "search" && (!asksNothing() || control.closest(".facets, .parts"))) {
    control.form.requestSubmit();
  }
});

// Around a swap: keep open panels open, announce the result, keep the focus.
let opened = [];
let focused = "";
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "main") return;
  event.detail.shouldSwap = true; // errors are pages too
  const wait = Number(event.detail.xhr.getResponseHeader("Retry-After"));
  if (event.detail.xhr.status === 503 && wait && wait <= 3) { // the server is starting
    const address = event.detail.pathInfo.requestPath;
    setTimeout(() => location.assign(address), wait * 1000);
  }
  event.detail.isError = false;
  focused = document.activeElement?.id;
  opened = [...document.querySelectorAll("main details[open][id]")].map((details) => details.id);
});
const isMain = (event) => event.detail.target?.id === "main" || event.detail.elt?.id === "main";
// At once, not after htmx has settled 20 ms later: a key pressed in between would go to the page instead of the element.
document.addEventListener("htmx:afterSwap", (event) => {
  if (!isMain(event)) return;
  opened.forEach((id) => byId(id)?.setAttribute("open", ""));
  prepare();
  if (document.activeElement === document.body) {
    ((focused && byId(focused)) || byId("answer") || byId("title"))?.focus({ preventScroll: true });
  }
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (isMain(event)) {
    leadHere();
    const heading = byId("answer") ?? byId("title");
    say([heading?.textContent, byId("count")?.dataset.said ?? byId("problem")?.textContent].filter(Boolean).join(". "));
  } else if (event.detail.xhr) {
    say(words.shown.replace("{number}", document.querySelectorAll(".hits > .hit").length));
  }
});
["htmx:sendError", "htmx:timeout"].forEach((name) =>
  document.addEventListener(name, () => {
    byId("main").removeAttribute("aria-busy");
    tell(words.unreachable);
  }));

// A chosen, photographed, dropped or pasted image is shown first, so that a detail can be selected.
const wholeBox = (form) => BOX.forEach((name) => { form.elements.namedItem(name).value = ""; });

const forget = () => {
  const form = search();
  form.querySelectorAll("input[type=file]").forEach((input) => { input.value = ""; });
  wholeBox(form);
  byId("cropper").classList.remove("shown");
  tell("");
  byId("picture").focus();
};

const show = async (file) => {
  const cropped = byId("cropper");
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch { // a format that this browser cannot decode; the server may accept it
    search().requestSubmit();
    return;
  }
  const scale = Math.min(1, 560 / bitmap.width, 420 / bitmap.height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", words.chosen);
  bitmap.close();
  const stage = document.createElement("div");
  stage.className = "stage";
  stage.append(canvas);
  cropped.querySelector(".stage").replaceWith(stage);
  wholeBox(search());
  cropper(stage, boxFields(search()));
  cropped.classList.add("shown");
  cropped.open = true;
  tell(words.drag);
  cropped.querySelector(".go").focus();
};

const bring = (files, input) => {
  const file = [...files].find((candidate) => candidate.type.startsWith("image/"));
  const limit = Number(search().dataset.maxUpload);
  if (!file || file.size > limit) {
    tell(file ? words.large.replace("{limit}", Math.floor(limit / 1e6)) : words.strange);
    input.value = "";
    return;
  }
  if (input.files[0] !== file) {
    const transfer = new DataTransfer();
    transfer.items.add(file);
    input.files = transfer.files;
  }
  search().querySelectorAll("input[type=file]").forEach((other) => { if (other !== input) other.value = ""; });
  show(file);
};

document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.type === "file" && input.form?.id === "search" && input.files.length) bring(input.files, input);
});
document.addEventListener("click", (event) => { if (event.target.closest(".forget")) forget(); });

// Handle files only, so that text can still be dropped and pasted into the field.
const holdsFiles = (event) => search() && event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (holdsFiles(event)) {
    event.preventDefault();
    page.classList.add("dragging");
  }
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) page.classList.remove("dragging"); });
document.addEventListener("drop", (event) => {
  if (holdsFiles(event)) {
    event.preventDefault();
    page.classList.remove("dragging");
    search().scrollIntoView({ block: "nearest" });
    bring(event.dataTransfer.files, byId("picture"));
  }
});
document.addEventListener("paste", (event) => {
  if (search() && event.clipboardData?.files.length) {
    event.preventDefault();
    search().scrollIntoView({ block: "nearest" });
    bring(event.clipboardData.files, byId("picture"));
  }
});

// An open filter panel closes on Escape and on a click outside.
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && event.target.closest?.(".facet[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  document.querySelectorAll(".facet[open]").forEach((facet) => { if (!facet.contains(event.target)) facet.open = false; });
});

// On a work's page, a detail of the work can be selected.
const prepare = () => {
  document.querySelectorAll("form.of").forEach((form) => {
    const stage = form.querySelector(".stage:not(.croppable)");
    if (stage) cropper(stage, boxFields(form));
  });
};
prepare();

// The language links are outside the part of the page that a search replaces.
const leadHere = () => {
  document.querySelectorAll(".languages a").forEach((link) => {
    const here = new URL(location.href);
    here.searchParams.set("lang", link.hreflang);
    link.href = here.pathname + here.search;
  });
};

// Also when the browser restores this page from its back/forward cache.
window.addEventListener("pageshow", () => {
  tell("");
  byId("main").removeAttribute("aria-busy");
});
