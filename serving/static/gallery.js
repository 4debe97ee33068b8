// Searches without a page load, images by drop and paste, and selecting a detail of an image. Without this script, every
// form and link still works, with a page load each.
"use strict";

const page = document.documentElement;
const byId = (id) => document.getElementById(id);
const search = () => byId("search");
const announce = (text) => { byId("live").textContent = text; };
const MAX_ADDRESS_CHARS = 7900; // characters; a longer address is posted, and the server answers with the reason
const SHRUNK_SIDES = [4096, 2048, 1024]; // pixels; longer sides of a copy that is within the server's limits, tried in turn
const BOX_FIELDS = ["x", "y", "w", "h"];
const texts = byId("texts").dataset; // in the page's language
const isHomeAddress = () => [...new URLSearchParams(location.search).keys()].every((name) => name === "lang");

const showStatus = (text) => {
  const status = byId("form-status");
  if (status) status.textContent = text;
};

/* Return the address of a form's query without empty and default fields; null for an empty query. The form's action may
   contain the language. */
const addressOf = (form, submitter) => {
  const fields = [...new FormData(form, submitter)].filter(
    ([name, value]) => typeof value === "string" && value.trim() !== "" && !BOX_FIELDS.includes(name)
      && !(["q_weight", "exclude_weight"].includes(name) && value === "1") && !(name === "limit" && value === form.dataset.limit),
  );
  const asked = fields.some(([name]) => !["limit", "per_artist", "drop"].includes(name) && !name.endsWith("_weight"));
  const action = new URL(form.action);
  return asked ? `${action.pathname}?${new URLSearchParams([...fields, ...action.searchParams])}` : null;
};

const hasFile = (form) => [...form.querySelectorAll("input[type=file]")].some((input) => input.files.length);

// One search at a time; the last one started meanwhile follows. htmx would drop it with the replaced element.
let loading = false;
let next = null;
const load = async (...request) => {
  next = request;
  if (loading) return;
  loading = true;
  while (next) {
    const [address, show] = next;
    next = null;
    byId("main").setAttribute("aria-busy", "true");
    try {
      await htmx.ajax("GET", address, { source: byId("main"), target: "#main", select: "#main", swap: `outerHTML show:${show}` });
    } catch { /* the event handlers below show a message */ }
  }
  loading = false;
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "search") return;
  showStatus(texts.searching);
  if (hasFile(form)) return; // the browser sends it
  const address = addressOf(form, event.submitter);
  if (address === null && isHomeAddress()) {
    event.preventDefault();
    showStatus(texts.empty);
    byId("q").focus();
    return;
  }
  if (address !== null && address.length > MAX_ADDRESS_CHARS) return;
  event.preventDefault();
  const keepsScroll = event.submitter === null || event.submitter.closest(".facets, .terms, .options") !== null;
  load(address ?? form.action, keepsScroll ? "none" : "window:top");
});

// A changed filter or importance starts a search at once. Text fields do not: the search would replace the next field
// while it is being filled in.
document.addEventListener("change", (event) => {
  const control = event.target;
  if (control.matches("select, [type=checkbox]") && control.closest(".facets, .terms, .options") && control.form?.id === "search" && (!isHomeAddress() || control.closest(".facets, .terms"))) {
    control.form.requestSubmit();
  }
});

// After a swap: reopen the open panels, restore the focus, announce the results.
let openPanels = [];
let focusedId = "";
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "main") return;
  event.detail.shouldSwap = true; // errors are pages too
  const wait = Number(event.detail.xhr.getResponseHeader("Retry-After"));
  if (event.detail.xhr.status === 503 && wait && wait <= 3) { // the server is starting up
    const address = event.detail.pathInfo.requestPath;
    setTimeout(() => location.assign(address), wait * 1000);
  }
  event.detail.isError = false;
  focusedId = document.activeElement?.id;
  openPanels = [...document.querySelectorAll("main details[open][id]")].map((details) => details.id);
});
const swapsMain = (event) => event.detail.target?.id === "main" || event.detail.elt?.id === "main";
// On afterSwap, not on afterSettle 20 ms later: a key pressed in between would be lost.
document.addEventListener("htmx:afterSwap", (event) => {
  if (!swapsMain(event)) return;
  openPanels.forEach((id) => byId(id)?.setAttribute("open", ""));
  enableCropping();
  if (document.activeElement === document.body) {
    ((focusedId && byId(focusedId)) || byId("answer") || byId("title"))?.focus({ preventScroll: true });
  }
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (swapsMain(event)) {
    updateLanguageLinks();
    const heading = byId("answer") ?? byId("title");
    announce([heading?.textContent, byId("count")?.dataset.announce ?? byId("problem")?.textContent].filter(Boolean).join(". "));
  } else if (event.detail.xhr) {
    announce(texts.shown.replace("{number}", document.querySelectorAll(".hits > .hit").length));
  }
});
["htmx:sendError", "htmx:timeout"].forEach((name) =>
  document.addEventListener(name, () => {
    byId("main").removeAttribute("aria-busy");
    showStatus(texts.unreachable);
  }));

// Show a chosen, photographed, dropped or pasted image first, so that a detail can be selected.
const clearBox = (form) => BOX_FIELDS.forEach((name) => { form.elements.namedItem(name).value = ""; });

const removeImage = () => {
  const form = search();
  form.querySelectorAll("input[type=file]").forEach((input) => { input.value = ""; });
  clearBox(form);
  byId("cropper").classList.remove("shown");
  showStatus("");
  byId("image").focus();
};

const setFile = (input, file) => {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  input.files = transfer.files;
};

const drawn = (bitmap, width, height) => {
  const scale = Math.min(1, width / bitmap.width, height / bitmap.height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // behind transparent pixels, as on the server
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
};

/* Return a smaller JPEG of at most `limit` bytes, or the file itself if that fails. The bitmap is upright, so the copy is too. */
const shrunk = async (file, bitmap, limit) => {
  for (const side of SHRUNK_SIDES) {
    try {
      const blob = await new Promise((done) => { drawn(bitmap, side, side).toBlob(done, "image/jpeg", 0.9); });
      if (blob.size <= limit) return new File([blob], "image.jpg", { type: blob.type });
    } catch { /* too little memory, or a browser that blocks canvases */ }
  }
  return file;
};

const showImage = async (original, input) => {
  const cropped = byId("cropper");
  const { maxUpload, maxPixels } = search().dataset;
  let file = original;
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(file);
  } catch { /* a format that this browser cannot decode; the server may accept it */ }
  if (bitmap && (file.size > maxUpload || bitmap.width * bitmap.height > maxPixels)) file = await shrunk(file, bitmap, maxUpload);
  if (input.files[0] !== original) return; // replaced meanwhile
  if (file.size > maxUpload) {
    showStatus(texts.tooLarge.replace("{limit}", Math.floor(maxUpload / 1e6)));
    input.value = "";
    return;
  }
  if (file !== original) setFile(input, file);
  if (!bitmap) {
    search().requestSubmit();
    return;
  }
  const canvas = drawn(bitmap, 560, 420);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", texts.chosen);
  bitmap.close();
  const stage = document.createElement("div");
  stage.className = "stage";
  stage.append(canvas);
  cropped.querySelector(".stage").replaceWith(stage);
  clearBox(search());
  cropper(stage, boxFields(search()));
  cropped.classList.add("shown");
  cropped.open = true;
  showStatus(texts.drag);
  cropped.querySelector(".go").focus();
};

const chooseImage = (files, input) => {
  const file = [...files].find((candidate) => candidate.type.startsWith("image/"));
  if (!file) {
    showStatus(texts.notImage);
    input.value = "";
    return;
  }
  if (input.files[0] !== file) setFile(input, file);
  search().querySelectorAll("input[type=file]").forEach((other) => { if (other !== input) other.value = ""; });
  showImage(file, input);
};

document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.type === "file" && input.form?.id === "search" && input.files.length) chooseImage(input.files, input);
});
document.addEventListener("click", (event) => { if (event.target.closest(".remove-image")) removeImage(); });

// Handle files only, so that text can still be dropped and pasted into the field.
const dragsFiles = (event) => search() && event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (dragsFiles(event)) {
    event.preventDefault();
    page.classList.add("dragging");
  }
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) page.classList.remove("dragging"); });
document.addEventListener("drop", (event) => {
  if (dragsFiles(event)) {
    event.preventDefault();
    page.classList.remove("dragging");
    search().scrollIntoView({ block: "nearest" });
    chooseImage(event.dataTransfer.files, byId("image"));
  }
});
document.addEventListener("paste", (event) => {
  if (search() && event.clipboardData?.files.length) {
    event.preventDefault();
    search().scrollIntoView({ block: "nearest" });
    chooseImage(event.clipboardData.files, byId("image"));
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
const enableCropping = () => {
  document.querySelectorAll("form.detail").forEach((form) => {
    const stage = form.querySelector(".stage:not(.croppable)");
    if (stage) cropper(stage, boxFields(form));
  });
};
enableCropping();

// The language links are outside the element that a search replaces.
const updateLanguageLinks = () => {
  document.querySelectorAll(".languages a").forEach((link) => {
    const here = new URL(location.href);
    here.searchParams.set("lang", link.hreflang);
    link.href = here.pathname + here.search;
  });
};

// Also runs when the browser restores the page from its back/forward cache.
window.addEventListener("pageshow", () => {
  showStatus("");
  byId("main").removeAttribute("aria-busy");
});
