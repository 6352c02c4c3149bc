// Two pictures of the same lesion with one shared zoom: what you enlarge on the left is enlarged on the right.
const MAX_SCALE = 12;
const STEP = 1.4;

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".viewer");
  const frames = [...root.querySelectorAll(".frame")];
  fill(root, data);
  if (root.dataset.image !== data.image) {
    root.dataset.image = data.image;
    root.view = { scale: 1, x: 0, y: 0 }; // offset of the picture's corner as a share of the frame
  }
  const view = root.view;

  const apply = () => {
    const least = 1 - view.scale;
    view.x = Math.min(0, Math.max(least, view.x));
    view.y = Math.min(0, Math.max(least, view.y));
    root.classList.toggle("zoomed", view.scale > 1);
    root.querySelector("output").textContent = `${Math.round(view.scale * 100)}%`;
    for (const frame of frames) {
      frame.querySelector("img").style.transform =
        `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.scale})`;
    }
  };
  const zoom = (factor, x = 0.5, y = 0.5) => {
    const scale = Math.min(MAX_SCALE, Math.max(1, view.scale * factor));
    view.x = x - ((x - view.x) * scale) / view.scale;
    view.y = y - ((y - view.y) * scale) / view.scale;
    view.scale = scale;
    apply();
  };
  const reset = () => { Object.assign(view, { scale: 1, x: 0, y: 0 }); apply(); };

  root.querySelector(".in").onclick = () => zoom(STEP);
  root.querySelector(".out").onclick = () => zoom(1 / STEP);
  root.querySelector(".fit").onclick = reset;
  for (const frame of frames) listen(frame, view, { zoom, reset, apply });
  apply();
}

function fill(root, data) {
  data.panels.forEach((panel, i) => {
    const figure = root.querySelectorAll("figure")[i];
    const image = figure.querySelector("img");
    figure.querySelector(".frame").style.aspectRatio = data.aspect;
    image.src = panel.src;
    image.alt = panel.alt;
    figure.querySelector("figcaption").textContent = panel.caption;
  });
  const legend = root.querySelector(".legend");
  legend.hidden = !data.legend;
  if (data.legend) {
    legend.querySelector("img").src = data.legend.src;
    legend.querySelector(".low").textContent = data.legend.low;
    legend.querySelector(".high").textContent = data.legend.high;
  }
}

function listen(frame, view, { zoom, reset, apply }) {
  const share = (event) => {
    const box = frame.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const pointers = new Map();
  const distance = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  // The wheel scrolls the page until the picture was clicked, or with Ctrl held.
  frame.onwheel = (event) => {
    if (!event.ctrlKey && frame.getRootNode().activeElement !== frame) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, ...share(event));
  };
  frame.ondblclick = (event) => (view.scale > 1 ? reset() : zoom(3, ...share(event)));
  frame.onpointerdown = (event) => {
    pointers.set(event.pointerId, share(event));
    if (view.scale > 1) frame.setPointerCapture(event.pointerId);
    frame.classList.add("dragging");
  };
  frame.onpointermove = (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const gap = pointers.size === 2 ? distance() : 0;
    const now = share(event);
    pointers.set(event.pointerId, now);
    if (gap) return zoom(distance() / gap, ...now);
    view.x += now[0] - before[0];
    view.y += now[1] - before[1];
    apply();
  };
  frame.onpointerup = frame.onpointercancel = frame.onpointerleave = (event) => {
    pointers.delete(event.pointerId);
    frame.classList.remove("dragging");
  };
  frame.onkeydown = (event) => {
    const moves = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
    if (event.key === "+" || event.key === "=") zoom(STEP);
    else if (event.key === "-") zoom(1 / STEP);
    else if (event.key === "0" || event.key === "Escape") reset();
    else if (moves[event.key] && view.scale > 1) {
      view.x += moves[event.key][0];
      view.y += moves[event.key][1];
      apply();
    } else return;
    event.preventDefault();
  };
}
