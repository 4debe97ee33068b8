// The map: Leaflet shows the image tiles; this script draws colours, highlights and the card of a work over them.
// It is an enhancement: the page lists the same works.
"use strict";

(async () => {
  const container = document.querySelector(".map-view");
  if (!container) return;
  const CELL = 128, TILE = 256, MARGIN = 6; // pixels at the deepest zoom, as the tiles were drawn
  const SMALL_CELL_PX = 18; // in smaller cells an outline would hide the image
  const MAX_DOTS = 200; // with more highlighted works, dots would hide the map, so the other works are only dimmed
  const CARD_DELAY_MS = 90; // time over a work before its card is fetched
  const TOUCH_RADIUS_PX = 16; // a touch selects the nearest work within this distance
  const KEYBOARD_REACH = 6; // cells; the keyboard selects the work nearest to the centre within this distance
  const data = container.dataset;
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const isTouch = matchMedia("(hover: none)").matches;
  const root = document.getElementById("map");
  const card = document.querySelector(".map-card");
  const status = document.querySelector(".map-status");
  const legend = document.querySelector(".legend");

  let works;
  try {
    const answer = await fetch(data.layout);
    if (!answer.ok) throw new Error(String(answer.status));
    works = await answer.json();
  } catch {
    const failed = document.querySelector(".map-failed");
    failed.textContent = data.failed;
    failed.hidden = false;
    container.hidden = true;
    return;
  }
  const { columns, rows, zoom: deepest, ids } = works;
  const grid = new Int32Array(columns * rows).fill(-1); // cell -> place of its work
  ids.forEach((_, place) => { grid[works.y[place] * columns + works.x[place]] = place; });
  const at = (x, y) => (x >= 0 && y >= 0 && x < columns && y < rows ? grid[y * columns + x] : -1);

  /* Leaflet's coordinates: a cell is `unit` wide, which makes it CELL pixels at the deepest zoom; y points upwards. */
  const unit = CELL / 2 ** deepest;
  const corner = (x, y) => L.latLng(-y * unit, x * unit);
  const boundsOf = (place) => L.latLngBounds(corner(works.x[place], works.y[place] + 1), corner(works.x[place] + 1, works.y[place]));
  const centreOf = (place) => corner(works.x[place] + 0.5, works.y[place] + 0.5);
  const bounds = L.latLngBounds(corner(0, rows), corner(columns, 0));

  const map = L.map(root, {
    crs: L.CRS.Simple, attributionControl: false, zoomControl: false, maxZoom: deepest, zoomSnap: 0.1, wheelPxPerZoomLevel: 100,
    maxBounds: bounds.pad(0.25), maxBoundsViscosity: 0.7, keyboardPanDelta: 128,
    zoomAnimation: !reducedMotion, inertia: !reducedMotion, fadeAnimation: false, // fading would redraw every tile for a while
  });
  if (reducedMotion) { // Leaflet has no option for keyboard movement
    const panBy = map.panBy;
    map.panBy = (offset, options) => panBy.call(map, offset, { ...options, animate: false });
  }
  L.control.zoom({ zoomInTitle: data.zoomIn, zoomOutTitle: data.zoomOut }).addTo(map);
  const fit = () => map.fitBounds(bounds, { animate: !reducedMotion, padding: [12, 12] });
  const limit = () => map.setMinZoom(Math.min(deepest, map.getBoundsZoom(bounds, false, L.point(24, 24))));

  /* The tiles that exist; no others are requested. */
  const existingTiles = new Set();
  ids.forEach((_, place) => {
    for (let zoom = 0; zoom <= deepest; zoom++) {
      const shift = deepest - zoom + 1;
      existingTiles.add(`${zoom}/${works.x[place] >> shift}/${works.y[place] >> shift}`);
    }
  });
  const layer = { tileSize: TILE, minZoom: -8, maxZoom: deepest, minNativeZoom: 0, maxNativeZoom: deepest, bounds, noWrap: true, updateWhenIdle: false, updateWhenZooming: false };

  const ImageTiles = L.TileLayer.extend({
    createTile(coords, done) {
      if (existingTiles.has(`${coords.z}/${coords.x}/${coords.y}`)) return L.TileLayer.prototype.createTile.call(this, coords, done);
      const nothing = L.DomUtil.create("div");
      L.Util.requestAnimFrame(() => done(null, nothing));
      return nothing;
    },
  });

  /* Canvases aligned with the tiles. Cells are looked up in the grid, so a tile draws only its own works. */
  const CanvasTiles = L.GridLayer.extend({
    initialize(paint, options) {
      L.GridLayer.prototype.initialize.call(this, options);
      this.canvases = new Map();
      this.paint = paint;
      this.on("tileunload", ({ tile }) => this.canvases.delete(tile));
    },
    createTile(coords) {
      const canvas = L.DomUtil.create("canvas");
      const scale = Math.min(2, devicePixelRatio || 1);
      canvas.width = canvas.height = TILE * scale;
      const context = canvas.getContext("2d");
      context.scale(scale, scale);
      this.canvases.set(canvas, { context, coords });
      this.draw(context, coords);
      return canvas;
    },
    draw(context, coords) {
      const cell = CELL / 2 ** (deepest - coords.z), across = TILE / cell;
      context.clearRect(0, 0, TILE, TILE);
      this.paint(context, coords.x * across, coords.y * across, across, cell);
    },
    repaint() { this.canvases.forEach(({ context, coords }) => this.draw(context, coords)); },
  });

  const eachWork = (left, upper, across, around, act) => {
    for (let y = Math.max(0, upper - around); y < Math.min(rows, upper + across + around); y++) {
      for (let x = Math.max(0, left - around); x < Math.min(columns, left + across + around); x++) {
        const place = grid[y * columns + x];
        if (place >= 0) act(place, x, y);
      }
    }
  };
  /* The image's box within its cell, as in the tiles. */
  const boxOf = (place, x, y, cell) => {
    const side = cell * (1 - (2 * MARGIN) / CELL), ratio = works.ratio[place] / 100;
    const w = side * Math.min(1, ratio), h = side * Math.min(1, 1 / ratio);
    return [x * cell + (cell - w) / 2, y * cell + (cell - h) / 2, w, h];
  };

  const theme = {};
  const readTheme = () => {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["paper", "accent", "ink"]) theme[name] = style.getPropertyValue(`--${name}`).trim();
  };
  readTheme();

  const highlighted = data.highlighted === undefined ? null : new Set(data.highlighted.split(" ").filter(Boolean).map(Number));
  let color = ""; // "", "artist" or "style"
  let chosenGroup = null; // of the legend
  /* Hues a golden angle apart, so that neighbours in the list differ most. */
  const colorOf = (group) => (group < 0 ? theme.ink : `hsl(${(group * 137.508 + 15) % 360} ${[68, 55, 75][group % 3]}% ${[48, 62, 40][Math.floor(group / 3) % 3]}%)`);
  const isActive = (place) => (highlighted === null || highlighted.has(place)) && (chosenGroup === null || works[color][place] === chosenGroup);

  const overlay = new CanvasTiles((context, left, upper, across, cell) => {
    const dims = highlighted !== null || chosenGroup !== null, outlines = highlighted !== null;
    const small = cell < SMALL_CELL_PX;
    const dot = Math.max(3, cell / 2);
    eachWork(left, upper, across, 0, (place, x, y) => {
      const box = boxOf(place, x - left, y - upper, cell);
      if (color && (!dims || isActive(place))) {
        context.fillStyle = context.strokeStyle = colorOf(works[color][place]);
        context.lineWidth = Math.max(2, cell / 22);
        if (small) context.fillRect((x - left) * cell, (y - upper) * cell, cell, cell);
        else context.strokeRect(...box);
      }
      if (dims && !isActive(place)) {
        context.globalAlpha = 0.82;
        context.fillStyle = theme.paper;
        context.fillRect((x - left) * cell, (y - upper) * cell, cell, cell);
        context.globalAlpha = 1;
      }
    });
    if (!outlines || (small && highlighted.size > MAX_DOTS)) return;
    // Around the tile too: a dot may be larger than its cell.
    eachWork(left, upper, across, small ? Math.ceil((dot + 2) / cell) : 0, (place, x, y) => {
      if (!isActive(place)) return;
      const box = boxOf(place, x - left, y - upper, cell);
      if (small) {
        context.beginPath();
        context.arc((x - left + 0.5) * cell, (y - upper + 0.5) * cell, dot + 1, 0, 2 * Math.PI);
        context.fillStyle = color ? colorOf(works[color][place]) : theme.accent;
        context.strokeStyle = theme.paper;
        context.lineWidth = 1.5;
        context.fill();
        context.stroke();
      } else if (!color) {
        context.strokeStyle = theme.accent;
        context.lineWidth = Math.max(2, cell / 28);
        context.strokeRect(...box);
      }
    });
  }, { ...layer, zIndex: 2 });

  /* The view in the address, else the whole map. */
  const first = /^#at=(-?[\d.]+),(-?[\d.]+),(-?[\d.]+)$/.exec(location.hash);
  fit();
  limit();
  if (first) map.setView(corner(Number(first[2]), Number(first[3])), Number(first[1]), { animate: false });
  new ImageTiles(data.tiles, { ...layer, zIndex: 1 }).addTo(map);
  const refresh = () => { // no canvases while nothing is drawn on them
    if (highlighted !== null || color) overlay.addTo(map);
    else overlay.remove();
    overlay.repaint();
  };
  refresh();
  map.on("resize", limit);
  container.querySelector(".reset-view").addEventListener("click", () => { fit(); root.focus(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readTheme(); overlay.repaint(); });

  /* The current work: under the pointer, nearest to the centre for the keyboard, or focused in a list. */
  const outline = L.rectangle(bounds, { className: "current", interactive: false, fill: false });
  const cards = new Map();
  let current = -1, cardTimer = 0;
  const link = (place) => data.work.replace("_id_", encodeURIComponent(ids[place]));

  const moveCard = () => {
    if (current < 0 || card.hidden) return;
    const size = map.getSize(), box = boundsOf(current);
    const upperLeft = map.latLngToContainerPoint(box.getNorthWest()), lowerRight = map.latLngToContainerPoint(box.getSouthEast());
    const right = lowerRight.x + 8 + card.offsetWidth < size.x;
    const left = right ? lowerRight.x + 8 : upperLeft.x - 8 - card.offsetWidth;
    const x = Math.max(8, Math.min(left, size.x - card.offsetWidth - 8));
    const y = Math.max(8, Math.min(upperLeft.y, size.y - card.offsetHeight - 8));
    card.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  };

  const show = async (place, announced) => {
    const fragment = cards.get(place) ?? fetch(data.card.replace("_id_", encodeURIComponent(ids[place]))).then((answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.text();
    });
    cards.set(place, fragment);
    let text;
    try {
      text = await fragment;
    } catch {
      cards.delete(place); // try again next time; the name is shown meanwhile
      return;
    }
    if (place !== current) return;
    card.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    if (!card.classList.contains("reachable")) card.querySelector("a").tabIndex = -1; // Enter on the map opens the same page
    if (announced) status.textContent = card.querySelector("[data-announce]").dataset.announce;
    moveCard();
  };

  const select = (place, { announced = false, wait = 0 } = {}) => {
    if (place === current) return;
    current = place;
    clearTimeout(cardTimer);
    root.classList.toggle("over-work", place >= 0);
    if (place < 0) {
      card.hidden = true;
      outline.remove();
      return;
    }
    outline.setBounds(boundsOf(place)).addTo(map);
    const name = document.createElement("strong");
    name.textContent = works.artists[works.artist[place]];
    card.replaceChildren(name);
    card.classList.toggle("reachable", isTouch);
    card.hidden = false;
    moveCard();
    cardTimer = setTimeout(() => show(place, announced), wait);
  };

  const workAt = (latlng) => at(Math.floor(latlng.lng / unit), Math.floor(-latlng.lat / unit));
  const nearestTo = (latlng, reach) => {
    const x = latlng.lng / unit, y = -latlng.lat / unit;
    let best = -1, least = reach ** 2;
    for (let row = Math.floor(y - reach); row <= y + reach; row++) {
      for (let column = Math.floor(x - reach); column <= x + reach; column++) {
        const place = at(column, row), away = (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2;
        if (place >= 0 && away < least) [best, least] = [place, away];
      }
    }
    return best;
  };

  let keyboard = false; // whether the keyboard moves the map
  const selectCentre = () => select(nearestTo(map.getCenter(), KEYBOARD_REACH), { announced: true, wait: CARD_DELAY_MS });
  let moving = false;
  map.on("movestart zoomstart", () => { moving = true; if (!keyboard) select(-1); });
  map.on("move", () => { if (keyboard) moveCard(); });
  map.on("moveend", () => {
    moving = false;
    if (keyboard) { selectCentre(); moveCard(); }
    const { lat, lng } = map.getCenter();
    const round = (value) => Math.round(value * 100) / 100;
    history.replaceState(history.state, "", `#at=${round(map.getZoom())},${round(lng / unit)},${round(-lat / unit)}`);
  });
  map.on("mousemove", (event) => {
    if (moving || isTouch) return;
    keyboard = false;
    select(workAt(event.latlng), { wait: CARD_DELAY_MS });
  });
  map.on("mouseout", () => { if (!keyboard && !isTouch) select(-1); }); // touching the card fires this event too
  map.on("click", ({ latlng, originalEvent }) => {
    const cell = unit * 2 ** map.getZoom();
    const place = isTouch ? nearestTo(latlng, Math.max(0.71, TOUCH_RADIUS_PX / cell)) : workAt(latlng);
    keyboard = false;
    if (place < 0 || (isTouch && place !== current)) { select(place); return; } // the first touch shows the card, which is a link
    if (originalEvent.ctrlKey || originalEvent.metaKey) window.open(link(place), "_blank", "noopener");
    else location.assign(link(place));
  });
  root.addEventListener("keydown", (event) => {
    if (event.target !== root) return;
    if (event.key === "Enter" && current >= 0) location.assign(link(current));
    else if (event.key === "Escape") select(-1);
    else if (/^(Arrow|[+=-]$)/.test(event.key)) keyboard = true;
  });
  root.addEventListener("focus", () => { if (root.matches(":focus-visible")) { keyboard = true; selectCentre(); } });
  root.addEventListener("blur", () => { if (keyboard) select(-1); keyboard = false; });

  /* Focusing a work in the list shows it on the map. */
  document.querySelectorAll("a[data-place]").forEach((entry) => {
    const place = Number(entry.dataset.place);
    entry.addEventListener("focus", () => {
      if (!entry.matches(":focus-visible")) return;
      map.setView(centreOf(place), Math.max(map.getZoom(), deepest - 2), { animate: false });
      select(place);
    });
    entry.addEventListener("blur", () => select(-1));
  });

  /* Colours, and a legend whose entries highlight their works. */
  const chooseGroup = (group) => {
    chosenGroup = chosenGroup === group ? null : group;
    legend.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(Number(button.value) === chosenGroup)));
    overlay.repaint();
  };
  const entryOf = (group, name, count) => {
    const item = document.createElement("li"), button = document.createElement("button"), number = document.createElement("span");
    const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg"), square = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    square.setAttribute("width", "100%");
    square.setAttribute("height", "100%");
    square.setAttribute("fill", colorOf(group));
    swatch.setAttribute("aria-hidden", "true");
    swatch.append(square);
    number.className = "count";
    number.textContent = count;
    button.type = "button";
    button.value = group;
    button.setAttribute("aria-pressed", "false");
    button.append(swatch, name, number);
    button.addEventListener("click", () => chooseGroup(group));
    item.append(button);
    return item;
  };
  document.querySelectorAll("input[name=color]").forEach((input) => input.addEventListener("change", () => {
    color = input.value;
    chosenGroup = null;
    const counts = new Map();
    if (color) works[color].forEach((group) => counts.set(group, (counts.get(group) ?? 0) + 1));
    const names = color === "artist" ? works.artists : works.styles;
    legend.querySelector("ul").replaceChildren(...[...counts].sort((one, other) => other[1] - one[1] || one[0] - other[0])
      .map(([group, count]) => entryOf(group, names[group] ?? data.unknownStyle, count)));
    legend.hidden = !color;
    refresh();
  }));
})();
