// Selects a detail of an image by dragging. The number fields beside it do the same by keyboard.
"use strict";

/* Add a selection frame over `stage`, which holds the image, and keep it and the fields x, y, w, h in sync. */
const cropper = (stage, fields) => {
  const frame = document.createElement("div");
  frame.className = "crop";
  stage.append(frame);
  stage.classList.add("croppable");
  const names = ["x", "y", "w", "h"];
  const round = (share) => Math.round(share * 100) / 100;

  const show = () => {
    const [x, y, w, h] = names.map((name, at) => {
      const value = parseFloat(fields[name].value);
      return Number.isFinite(value) ? value : at < 2 ? 0 : 1;
    });
    const chosen = names.some((name) => fields[name].value !== "");
    frame.hidden = !chosen;
    Object.assign(frame.style, {
      left: `${x * 100}%`, top: `${y * 100}%`,
      width: `${Math.min(w, 1 - x) * 100}%`, height: `${Math.min(h, 1 - y) * 100}%`,
    });
  };

  let start = null;
  const at = (event) => {
    const box = stage.getBoundingClientRect();
    const share = (value) => Math.min(1, Math.max(0, value));
    return [share((event.clientX - box.left) / box.width), share((event.clientY - box.top) / box.height)];
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    start = at(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!start) return;
    const end = at(event);
    const low = [0, 1].map((axis) => Math.min(start[axis], end[axis]));
    const size = [0, 1].map((axis) => Math.abs(start[axis] - end[axis]));
    if (Math.min(...size) < 0.02) return; // a click, or a slip
    [...low, ...size].forEach((value, index) => { fields[names[index]].value = round(value); });
    show();
  });
  const stop = () => { start = null; };
  stage.addEventListener("pointerup", stop);
  stage.addEventListener("pointercancel", stop);
  names.forEach((name) => fields[name].addEventListener("input", show));
  show();
};

/* The four fields of a form, by name. */
const boxFields = (form) =>
  Object.fromEntries(["x", "y", "w", "h"].map((name) => [name, form.elements.namedItem(name)]));
