// Makes bringing a picture easier; without this the form works all the same.
"use strict";

const form = document.getElementById("search");

if (form) {
  const page = document.documentElement;
  const input = form.elements.namedItem("picture");
  const status = document.getElementById("form-status");
  const limit = Number(form.dataset.maxUpload);
  page.classList.add("scripted");

  const send = (files) => {
    const file = [...files].find((candidate) => candidate.type.startsWith("image/"));
    if (!file) {
      status.textContent = "That is not a picture.";
      return;
    }
    if (file.size > limit) {
      status.textContent = `That picture is larger than ${Math.floor(limit / 1e6)} MB. Try a smaller copy of it.`;
      input.value = "";
      return;
    }
    if (input.files[0] !== file) {
      const transfer = new DataTransfer();
      transfer.items.add(file);
      input.files = transfer.files;
    }
    form.requestSubmit();
  };

  input.addEventListener("change", () => input.files.length && send(input.files));

  // Nothing but files is caught, so that text can still be dropped and pasted into the field.
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (holdsFiles(event)) {
      event.preventDefault();
      page.classList.add("dragging");
    }
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) page.classList.remove("dragging");
  });
  document.addEventListener("drop", (event) => {
    if (holdsFiles(event)) {
      event.preventDefault();
      page.classList.remove("dragging");
      send(event.dataTransfer.files);
    }
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) {
      event.preventDefault();
      send(event.clipboardData.files);
    }
  });

  form.addEventListener("submit", () => {
    status.textContent = "Looking through the collection …";
    form.setAttribute("aria-busy", "true");
  });
  // Also when the browser brings this page back from its memory.
  window.addEventListener("pageshow", () => {
    status.textContent = "";
    form.removeAttribute("aria-busy");
  });
}
