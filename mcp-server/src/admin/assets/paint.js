/** What a canvas needs and a stylesheet cannot give it: colours, patterns, and where the lines of a scale go. */

/** Returns a reader of colours as the theme of `element` has them; a canvas does not follow the theme by itself. */
export function reader(element) {
  const style = getComputedStyle(element);
  return (name) => {
    element.style.outlineColor = `var(${name})`;
    const colour = style.outlineColor;
    element.style.outlineColor = "";
    return colour;
  };
}

/** Returns slanted lines in a colour, so that a part is told apart without it. */
export function hatch(colour) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = 2.4;
  pen.beginPath();
  for (const shift of [-6, 0, 6]) {
    pen.moveTo(shift, 6);
    pen.lineTo(shift + 6, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

/** Returns where the lines of a logarithmic scale go: at 1, 2 and 5 of each power of ten, on a long one at the powers. */
export function decades(from, to) {
  const steps = to / from > 1e3 ? [1] : [1, 2, 5];
  const all = [];
  for (let power = 10 ** Math.floor(Math.log10(from)); power <= to; power *= 10) {
    all.push(...steps.map((step) => step * power));
  }
  return all.filter((at) => at >= from && at <= to);
}
