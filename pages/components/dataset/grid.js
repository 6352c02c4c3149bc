// Thumbnails as buttons; a click, or Enter on a focused one, opens its case.
export default function ({ parentElement, data, setTriggerValue }) {
  const make = (name, className, text = "") => {
    const element = document.createElement(name);
    element.className = className;
    element.textContent = text;
    return element;
  };
  const cards = data.items.map((item) => {
    const card = make("button", "card");
    card.type = "button";
    card.title = item.id;
    card.setAttribute("aria-label", `Open ${item.id}: ${[item.title, ...item.lines].join(", ")}`);
    const picture = item.src ? make("img", "") : make("span", "blank", "no image");
    if (item.src) Object.assign(picture, { src: item.src, alt: "" });
    const title = make("span", "line");
    const dot = make("span", "dot");
    dot.style.background = item.colour;
    title.append(dot, item.title);
    const text = make("span", "text");
    text.append(title, ...item.lines.map((line) => make("span", "line quiet", line)));
    card.append(picture, text);
    card.onclick = () => setTriggerValue("opened", item.id);
    return card;
  });
  parentElement.querySelector(".grid").replaceChildren(...cards);
}
