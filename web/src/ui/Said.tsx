// Controls, and marks that turn the direction of what follows.
// eslint-disable-next-line no-control-regex
const hidden = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Said is text that a stranger chose: it can't turn the page's direction, and what can't be seen shows as its code. */
export function Said({ text }: { text: string }) {
  return <bdi>{text.replace(hidden, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}</bdi>;
}
